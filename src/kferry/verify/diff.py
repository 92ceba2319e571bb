"""Which of two sequences' elements belong together, so that the most do.

Owns the diff: Myers' shortest edit script as long as few edits will do, then elements that are
unique on both sides as anchors. Pure; knows nothing of records.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence

Pairs = list[tuple[int, int]]
_MOST_EDITS = 400
_DEEPEST = 20


def matched(left: Sequence[Hashable], right: Sequence[Hashable]) -> Pairs:
    """Return the pairs of indices that belong together, ascending on both sides."""
    return _between(left, right, (0, len(left)), (0, len(right)), 0)


def _between(
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    here: tuple[int, int],
    there: tuple[int, int],
    depth: int,
) -> Pairs:
    (a, a_end), (b, b_end) = here, there
    found: Pairs = []
    while a < a_end and b < b_end and left[a] == right[b]:
        found.append((a, b))
        a, b = a + 1, b + 1
    behind: Pairs = []
    while a < a_end and b < b_end and left[a_end - 1] == right[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
        behind.append((a_end, b_end))
    if a < a_end and b < b_end:
        middle = _shortest(left[a:a_end], right[b:b_end])
        if middle is None:
            found += _by_anchors(left, right, (a, a_end), (b, b_end), depth)
        else:
            found += [(a + one, b + other) for one, other in middle]
    return found + behind[::-1]


def _shortest(left: Sequence[Hashable], right: Sequence[Hashable]) -> Pairs | None:
    """Find the shortest edit script; None where it takes too many edits."""
    height, width = len(left), len(right)
    if abs(height - width) > _MOST_EDITS:
        return None
    furthest = {1: 0}
    trail: list[dict[int, int]] = []
    for edits in range(min(_MOST_EDITS, height + width) + 1):
        trail.append(furthest.copy())
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < height and y < width and left[x] == right[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= height and y >= width:
                return _walked(trail, height, width)
    return None


def _walked(trail: list[dict[int, int]], x: int, y: int) -> Pairs:
    """Walk the way back, and collect where it went along both sides."""
    pairs: Pairs = []
    for edits in range(len(trail) - 1, -1, -1):
        furthest, diagonal = trail[edits], x - y
        down = diagonal == -edits or (
            diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]
        )
        before = diagonal + 1 if down else diagonal - 1
        from_x = furthest[before]
        from_y = from_x - before
        while x > from_x and y > from_y and x > 0 and y > 0:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = max(from_x, 0), max(from_y, 0)
    return pairs[::-1]


def _by_anchors(
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    here: tuple[int, int],
    there: tuple[int, int],
    depth: int,
) -> Pairs:
    """Split where elements that are unique on both sides agree on the order."""
    anchors = _anchors(left, right, here, there) if depth < _DEEPEST else []
    if not anchors:
        return []
    found: Pairs = []
    a, b = here[0], there[0]
    for one, other in anchors:
        found += _between(left, right, (a, one), (b, other), depth + 1)
        found.append((one, other))
        a, b = one + 1, other + 1
    return found + _between(left, right, (a, here[1]), (b, there[1]), depth + 1)


def _anchors(
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    here: tuple[int, int],
    there: tuple[int, int],
) -> Pairs:
    seen_here, seen_there = Counter(left[slice(*here)]), Counter(right[slice(*there)])
    where = {right[index]: index for index in range(*there) if seen_there[right[index]] == 1}
    both = [
        (index, where[left[index]])
        for index in range(*here)
        if seen_here[left[index]] == 1 and left[index] in where
    ]
    return _ascending(both)


def _ascending(pairs: Pairs) -> Pairs:
    """Return the longest part of the pairs that ascends on the right, too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, right) in enumerate(pairs):
        length = bisect_left(ends, right)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(right)
            last.append(index)
        else:
            ends[length], last[length] = right, index
    found: Pairs = []
    index = last[-1] if last else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]
