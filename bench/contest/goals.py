"""What issue after issue asks for, in one place: the numbers that a copy is held against.

Owns the words and the sides of each ratio; the measurements choose the figures.
"""

from bench.contest.match import Goal


def throughput(at_least: float | None) -> Goal:
    """Records per second against MirrorMaker 2's, its start-up left out."""
    return Goal(
        what="throughput, against MirrorMaker 2 after its start-up",
        top=("mm2", "copying"),
        bottom=("kferry", "copying"),
        at_least=at_least,
    )


def whole(at_least: float | None = None) -> Goal:
    """Command start to everything there."""
    return Goal(
        what="from start to end, MirrorMaker 2's time against ours",
        top=("mm2", "whole"),
        bottom=("kferry", "whole"),
        at_least=at_least,
    )


def ceiling(at_least: float | None) -> Goal:
    """Throughput against the same batches from memory."""
    return Goal(
        what="throughput, against the ceiling",
        top=("ceiling", "copying"),
        bottom=("kferry", "copying"),
        at_least=at_least,
    )


def cpu(at_most: float | None) -> Goal:
    """Processor time of the whole processes."""
    return Goal(
        what="CPU-seconds of the whole process, against MirrorMaker 2",
        top=("kferry", "cpu_seconds"),
        bottom=("mm2", "cpu_seconds"),
        at_most=at_most,
    )


def cpu_copying() -> Goal:
    """Processor time, start-up left out on both sides."""
    return Goal(
        what="CPU-seconds from the first record on, against MirrorMaker 2",
        top=("kferry", "cpu_seconds_copying"),
        bottom=("mm2", "cpu_seconds_copying"),
    )


def memory(at_most: float | None) -> Goal:
    """Peak memory."""
    return Goal(what="peak memory in MB", top=("kferry", "memory_mb"), at_most=at_most)


def loop() -> Goal:
    """Throughput against the loop."""
    return Goal(
        what="throughput, against the confluent-kafka loop",
        top=("loop", "copying"),
        bottom=("kferry", "copying"),
    )


def nothing_reencoded() -> Goal:
    """Batches that did not pass as they are."""
    return Goal(what="batches re-encoded", top=("kferry", "own_reencoded_batches"), at_most=0)
