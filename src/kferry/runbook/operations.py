"""What steps can do to two clusters, and what gates can ask them.

Owns the seam between runbooks and migrations. Everything here may be done twice.
"""

from dataclasses import dataclass
from typing import Protocol


class Stopped(Exception):
    """Whoever walks was asked to stop, and did at a safe point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one gate measured."""

    gate: str
    passed: bool
    measured: str
    why: str = ""
    """What is missing, and what helps."""
    unsure: bool = False
    """It cannot be told by measuring: a person's word may stand for it."""
    final: bool = False
    """Waiting will not open it."""


class Operations(Protocol):
    """What can be done and asked."""

    async def begin(self) -> None:
        """Look at what the cutover is about, and keep what it would overwrite."""

    async def fit(self) -> list[Reading]:
        """Is there anything that would stop the cutover half-way?"""

    async def empty_targets(self) -> list[Reading]:
        """Are the target's topics there, and empty?"""

    async def fit_for_both(self) -> list[Reading]:
        """Where applications write both sides: are these alike, and are the map files here?"""

    async def on_both_sides(self) -> list[Reading]:
        """Is all that groups have yet to read on both sides, and nothing else on the target?"""

    async def nothing_left(self) -> list[Reading]:
        """Is all that groups had yet to read on the source on the target?"""

    async def released(self) -> list[Reading]:
        """Is the source silent, or written to second by who writes to the target first?"""

    async def caught_up(self) -> list[Reading]:
        """Is the copy as far as the source is now?"""

    async def verify(self) -> None:
        """Compare what was copied, as far as it was not compared before."""

    async def verified(self) -> list[Reading]:
        """Did the comparison find both sides the same, and when?"""

    async def silent(self) -> list[Reading]:
        """Do the source's ends stand still, with no transaction open?"""

    async def still_silent(self) -> list[Reading]:
        """Has nobody written to the source since it fell silent?"""

    async def nothing_late(self) -> list[Reading]:
        """Has nobody written to the source since the switch, or is what was written accepted?"""

    async def consumers_gone(self) -> list[Reading]:
        """Have the groups no member on the source any more?"""

    async def drained(self) -> list[Reading]:
        """Have the groups read all that the source holds?"""

    async def copy_tail(self) -> None:
        """Copy up to the very end, and stop cleanly there."""

    async def tail_copied(self) -> list[Reading]:
        """Is every record there, up to the source's ends?"""

    async def commit_positions(self) -> None:
        """Commit on the target where each group goes on, exactly."""

    async def commit_starts(self) -> None:
        """Commit the target's log starts for each group."""

    async def positions_committed(self) -> list[Reading]:
        """Are the positions there, read back?"""

    async def take_positions_back(self) -> None:
        """Put the groups' positions on the target back as they were."""

    async def positions_home(self) -> None:
        """Commit on the source how far the groups came on the target."""

    async def consumers_there(self) -> list[Reading]:
        """Is every group active on the target, with all of its partitions?"""

    async def consumers_left_target(self) -> list[Reading]:
        """Have the groups no member on the target?"""

    async def mark_switch(self) -> None:
        """Write down where both sides end, before anybody else writes to the target."""

    async def unmark(self) -> None:
        """Forget where both sides ended: there was no switch."""

    async def target_grows(self) -> list[Reading]:
        """Does somebody write to the target?"""

    async def backlog(self) -> list[Reading]:
        """How much waits on the target, and how fast is the source drained? Never keeps back."""

    async def hand_over(self) -> None:
        """Write down that the topics belong to the target from now on."""

    async def fence(self) -> None:
        """Forbid writing to the source's topics, if that was asked for."""

    async def fenced(self) -> list[Reading]:
        """Is everybody kept out, and does everything stand still?"""

    async def lift_fence(self) -> None:
        """Take away exactly the rules that were made."""

    async def fence_lifted(self) -> list[Reading]:
        """Is nothing left of them?"""

    async def arm(self) -> None:
        """Make ready that what will be written on the target can go back to the source."""

    async def armed(self) -> list[Reading]:
        """Is it ready?"""

    async def disarm(self) -> None:
        """Take away what the way back needed."""

    async def turn_round(self) -> None:
        """Write what came back into the ledger of the way there."""

    async def turn_again(self) -> None:
        """Take that back: the topics belong to the target still."""
