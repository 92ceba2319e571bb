"""Positions of groups, committed from outside as a consumer does that assigns itself partitions.

Owns the one call and what a broker says that is only just coming up.
"""

from kferry.sandbox.load.confluent import Consumer, KafkaError, KafkaException, TopicPartition

_COMING_UP = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError._WAIT_COORD,  # noqa: SLF001  # librdkafka's own codes begin so
}


def committed(consumer: Consumer, positions: list[TopicPartition]) -> bool:
    """Commit; return False if a new broker is still busy with its first groups."""
    try:
        done = consumer.commit(offsets=positions, asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() in _COMING_UP:
            return False
        raise
    for position in done or ():
        if position.error is not None:
            raise KafkaException(position.error)
    return True
