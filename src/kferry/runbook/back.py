"""The way back behind the point of no return, as data.

Owns its steps. They are those of `mirror` from the target to the source; the operations they are
given see the two sides exchanged. Hooks are told what to do where: only `on-rollback` is called.
"""

import re
from dataclasses import replace

from kferry.runbook.operations import Reading
from kferry.runbook.schemes import MIRROR
from kferry.runbook.steps import Handover, Hook, Scheme, Step

NAME = "way-back"


def _hand(handover: Handover | None, asks: str) -> Handover | None:
    if handover is None:
        return None
    return Handover(
        hook=Hook.ROLLBACK,
        do=handover.do,
        on="source" if handover.on == "target" else "target",
        asks=asks,
    )


_ASKS = {
    "silence": (
        "stop every producer of these topics on the target now, and let them flush",
        "let the producers write to the target again",
    ),
    "consumers-stop": (
        "stop the consumers of these groups on the target now, and let them commit",
        "start the consumers on the target again",
    ),
    "hand-over": ("start producers and consumers, both on the source again", ""),
}
_SAYS = {
    "look": "look at topics, groups and what came since the switch",
    "follow": "copy back what was written on the target, and follow",
    "silence": "producers stop on the target; its ends must stand still",
    "consumers-stop": "consumers stop on the target; no group may have a member there",
    "tail": "copy back what is left up to the very end, stop cleanly, and compare it",
    "positions": "commit on the source where each group goes on, exactly, and read it back",
    "mark": "write down where both sides end; the target must still be silent",
    "hand-over": "producers and consumers start on the source",
    "done": "nobody may write to the target any more; the topics belong to the source again",
}


def _turned(step: Step) -> Step:
    asks, back = _ASKS.get(step.name, ("", ""))
    return Step(
        name=step.name,
        says=_SAYS[step.name],
        act=step.act,
        handover=_hand(step.handover, asks),
        gate=step.gate,
        undo=step.undo,
        back=_hand(step.back, back),
        back_gate=step.back_gate,
        copying=step.copying,
        hurried=step.hurried,
        rests=step.rests,
        lasting=step.lasting,
        anew=step.anew,
        no_return=step.no_return,
    )


_TURN = Step(
    name="turn",
    says="write into the migration's ledger what came back: it can go there again from here",
    hurried=True,
    act=lambda do: do.turn_round(),
    undo=lambda do: do.turn_again(),
)
WAY_BACK = Scheme(
    name=NAME,
    short="what was written on the target since the switch goes back, and everybody with it",
    promise="0 lost, 0 repeated, order kept; consumers go on exactly where they were",
    copies=True,
    steps=(
        *(
            _turned(MIRROR.step(name))
            for name in (
                "look", "follow", "silence", "consumers-stop", "tail", "positions", "mark",
            )
        ),
        _TURN,
        *(_turned(MIRROR.step(name)) for name in ("hand-over", "done")),
    ),
)  # fmt: skip

_SIDE = re.compile(r"(?:(?<=--)|(?<![\w.-]))(source|target)(?![\w.-])")
"""The words, alone or as options; not parts of names."""


def as_people_call_them(reading: Reading) -> Reading:
    """Call the sides what they are called everywhere else: gates see them exchanged."""
    return replace(
        reading,
        gate=_exchanged(reading.gate),
        measured=_exchanged(reading.measured),
        why=_exchanged(reading.why),
    )


def _exchanged(text: str) -> str:
    return _SIDE.sub(lambda found: "target" if found[1] == "source" else "source", text)
