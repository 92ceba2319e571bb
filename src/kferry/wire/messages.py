"""Messages that kafka-python does not carry: groups of the kinds that came with Kafka 4.

Owns the classes; their layouts are in `schemas`. Knows nothing of what the answers mean. Kafka
also has a call for streams groups; their state and positions are told by other calls.
"""

from kafka.protocol.api_message import ApiMessage

from kferry.wire import schemas


class ConsumerGroupDescribeRequest(ApiMessage, load_json=schemas):  # type: ignore[misc] # no types there
    """Asks about groups of the type `consumer` (KIP-848)."""


class ConsumerGroupDescribeResponse(ApiMessage, load_json=schemas):  # type: ignore[misc]
    """Their state and members."""


class ShareGroupDescribeRequest(ApiMessage, load_json=schemas):  # type: ignore[misc]
    """Asks about groups of the type `share` (KIP-932)."""


class ShareGroupDescribeResponse(ApiMessage, load_json=schemas):  # type: ignore[misc]
    """Their state and members."""


class DescribeShareGroupOffsetsRequest(ApiMessage, load_json=schemas):  # type: ignore[misc]
    """Asks where share groups begin in each partition."""


class DescribeShareGroupOffsetsResponse(ApiMessage, load_json=schemas):  # type: ignore[misc]
    """Start offsets and, from version 1 on, lag."""
