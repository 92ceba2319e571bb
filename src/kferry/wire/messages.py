"""Messages that kafka-python does not carry: groups of the kinds that came with Kafka 4.

Owns the classes; their layouts are in `schemas`. Knows nothing of what the answers mean. Kafka
also has a call for streams groups; their state and positions are told by other calls.
"""

from typing import Any

from kafka.protocol.api_message import ApiMessage

from kferry.wire import schemas


def _message(name: str) -> Any:
    """Make the class whose layout `schemas` holds under this name."""
    return type(ApiMessage)(name, (ApiMessage,), {"__module__": __name__}, load_json=schemas)


ConsumerGroupDescribeRequest = _message("ConsumerGroupDescribeRequest")
"""Asks about groups of the type `consumer` (KIP-848)."""
ConsumerGroupDescribeResponse = _message("ConsumerGroupDescribeResponse")
"""Their state and members."""
ShareGroupDescribeRequest = _message("ShareGroupDescribeRequest")
"""Asks about groups of the type `share` (KIP-932)."""
ShareGroupDescribeResponse = _message("ShareGroupDescribeResponse")
"""Their state and members."""
DescribeShareGroupOffsetsRequest = _message("DescribeShareGroupOffsetsRequest")
"""Asks where share groups begin in each partition."""
DescribeShareGroupOffsetsResponse = _message("DescribeShareGroupOffsetsResponse")
"""Start offsets and, from version 1 on, lag."""
