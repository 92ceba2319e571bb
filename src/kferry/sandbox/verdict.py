"""What became of numbered records: how many arrived, and which of them lost, twice or out of order.

Owns the counting. Pure: numbers in, a verdict out; who read them, and from where, is not known.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How it stands. `examples` are a few numbers of each kind of trouble."""

    sent: int
    seen: int
    """Different ones of those that were sent."""
    lost: int
    repeated: int
    reordered: int
    strange: int
    """Nobody sent them."""
    examples: Mapping[str, Sequence[int]]

    @property
    def exact(self) -> bool:
        """Whether all are there, each once and in its order, and nothing else is."""
        return not (self.lost or self.repeated or self.reordered or self.strange)


def judge(partitions: Mapping[int, Iterable[int]], sent: Collection[int]) -> Verdict:
    """Judge numbers that ascend within each partition, wherever each was sent to."""
    wanted = set(sent)
    if len(wanted) != len(sent):
        raise ValueError("numbers are given once each")
    times: Counter[int] = Counter()
    late: list[int] = []
    for numbers in partitions.values():
        highest = -1
        for one in numbers:
            # A repetition is told as one: it is not late as well.
            if one < highest and not times[one]:
                late.append(one)
            highest = max(highest, one)
            times[one] += 1
    troubles = {
        "lost": sorted(wanted - times.keys()),
        "repeated": sorted(one for one, seen in times.items() if seen > 1),
        "reordered": late,
        "strange": sorted(times.keys() - wanted),
    }
    return Verdict(
        sent=len(wanted),
        seen=len(wanted & times.keys()),
        lost=len(troubles["lost"]),
        repeated=times.total() - len(times),
        reordered=len(late),
        strange=len(troubles["strange"]),
        examples={name: some[:_EXAMPLES] for name, some in troubles.items() if some},
    )
