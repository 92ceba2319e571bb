"""The schemes, as data.

Owns the order of steps, what each says, and where the point of no return is. Nothing is done here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from kferry.runbook.operations import Reading
from kferry.runbook.steps import Handover, Hook, Scheme, Step

_STOP_PRODUCERS = Handover(
    hook=Hook.SILENCE,
    do="stop-producers",
    on="source",
    asks="stop every producer of these topics now, and let them flush",
)
_PRODUCERS_BACK = Handover(
    hook=Hook.ROLLBACK,
    do="start-producers",
    on="source",
    asks="let the producers write to the source again, as before",
)
_STOP_CONSUMERS = Handover(
    hook=Hook.CONSUMERS_STOP,
    do="stop-consumers",
    on="source",
    asks="stop the consumers of these groups on the source now, and let them commit",
)
_CONSUMERS_BACK = Handover(
    hook=Hook.ROLLBACK,
    do="start-consumers",
    on="source",
    asks="start the consumers on the source again, as before",
)
_START_CONSUMERS = Handover(
    hook=Hook.CONSUMERS_START,
    do="start-consumers",
    on="target",
    asks="start the consumers of these groups on the target",
)
_CONSUMERS_OFF_TARGET = Handover(
    hook=Hook.ROLLBACK,
    do="stop-consumers",
    on="target",
    asks="stop the consumers of these groups on the target",
)
_START_PRODUCERS = Handover(
    hook=Hook.HANDOVER,
    do="start-producers",
    on="target",
    asks="start the producers, writing to the target from now on",
)
_START_ALL = Handover(
    hook=Hook.HANDOVER,
    do="start-all",
    on="target",
    asks="start producers and consumers, both on the target from now on",
)
_LET_GO = Handover(
    hook=Hook.HANDOVER,
    do="move-producers",
    on="target",
    asks="let the producers write to the target alone from now on, or to the target first and to "
    "the source second",
)
_MOVE_PRODUCERS = Handover(
    hook=Hook.HANDOVER,
    do="move-producers",
    on="target",
    asks="let the producers write to the target in place of the source from now on",
)

_LOOK = Step(
    name="look",
    says="look at topics, groups and rights, and keep what would be overwritten",
    act=lambda do: do.begin(),
    gate=lambda do: do.fit(),
)
_FOLLOW = Step(
    name="follow",
    says="copy, and follow until the copy is as far as the source",
    copying=True,
    gate=lambda do: do.caught_up(),
)
_VERIFY = Step(
    name="verify",
    says="compare both sides record for record while the copy follows",
    copying=True,
    act=lambda do: do.verify(),
    gate=lambda do: do.verified(),
)
_SILENCE = Step(
    name="silence",
    says="producers stop; the source's ends must stand still, with no transaction open",
    copying=True,
    hurried=True,
    lasting=True,
    handover=_STOP_PRODUCERS,
    gate=lambda do: do.silent(),
    back=_PRODUCERS_BACK,
)
_CONSUMERS_STOP = Step(
    name="consumers-stop",
    says="consumers stop on the source; no group may have a member there",
    copying=True,
    hurried=True,
    lasting=True,
    handover=_STOP_CONSUMERS,
    gate=lambda do: do.consumers_gone(),
    back=_CONSUMERS_BACK,
)
_TAIL = Step(
    name="tail",
    says="copy what is left up to the very end, stop cleanly, and compare it",
    hurried=True,
    anew=True,
    act=lambda do: do.copy_tail(),
    gate=lambda do: _all(do.tail_copied, do.verified),
)
_POSITIONS = Step(
    name="positions",
    says="commit on the target where each group goes on, exactly, and read it back",
    hurried=True,
    act=lambda do: do.commit_positions(),
    gate=lambda do: do.positions_committed(),
    undo=lambda do: do.take_positions_back(),
)
_STARTS = Step(
    name="positions",
    says="commit the target's log starts for each group: auto.offset.reset then decides nothing",
    act=lambda do: do.commit_starts(),
    gate=lambda do: do.positions_committed(),
    undo=lambda do: do.take_positions_back(),
)
_CONSUMERS_START = Step(
    name="consumers-start",
    says="consumers start on the target; each group must hold all of its partitions there",
    hurried=True,
    handover=_START_CONSUMERS,
    gate=lambda do: do.consumers_there(),
    back=_CONSUMERS_OFF_TARGET,
    back_gate=lambda do: do.consumers_left_target(),
)
_MARK = Step(
    name="mark",
    says="write down where both sides end; the source must still be silent",
    hurried=True,
    act=lambda do: do.mark_switch(),
    gate=lambda do: do.still_silent(),
    undo=lambda do: do.unmark(),
)
_ARM = Step(
    name="arm",
    says="make ready the way back: what is written on the target can return to the source",
    hurried=True,
    act=lambda do: do.arm(),
    gate=lambda do: do.armed(),
)
_LOOK_BOTH_WAYS = replace(_LOOK, undo=lambda do: do.disarm())
_DRAIN = Step(
    name="drain",
    says="consumers read what is left on the source, up to its last stable offsets",
    gate=lambda do: _all(do.drained, do.backlog),
)
_MOVE = Step(
    name="hand-over",
    says="producers move; the source must fall silent, and the target grow",
    no_return=True,
    handover=_MOVE_PRODUCERS,
    gate=lambda do: _all(do.silent, do.target_grows),
)
_DONE = Step(
    name="done",
    says="nobody may write to the source any more; the topics belong to the target from here on",
    act=lambda do: do.hand_over(),
    gate=lambda do: do.nothing_late(),
)


async def _all(*measures: Callable[[], Awaitable[list[Reading]]]) -> list[Reading]:
    return [reading for measure in measures for reading in await measure()]


MIRROR = Scheme(
    name="mirror",
    short="copy all, follow; producers and consumers stop, move together, start on the target",
    promise="0 lost, 0 repeated, order kept; consumers go on exactly where they were",
    copies=True,
    returns=True,
    steps=(
        _LOOK_BOTH_WAYS,
        _FOLLOW,
        _VERIFY,
        _SILENCE,
        _CONSUMERS_STOP,
        _TAIL,
        _POSITIONS,
        _MARK,
        _ARM,
        Step(
            name="hand-over",
            says="producers and consumers start on the target",
            no_return=True,
            handover=_START_ALL,
            gate=lambda do: _all(do.consumers_there, do.target_grows),
        ),
        _DONE,
    ),
)
PRODUCER_FIRST = Scheme(
    name="producer-first",
    short="producers move to the empty target; consumers drain the source, then follow",
    promise="0 lost, 0 repeated, strict order in every partition, one consumer at a time; "
    "records wait on the target while the source is drained",
    copies=False,
    steps=(
        replace(_LOOK, gate=lambda do: _all(do.fit, do.empty_targets)),
        replace(_MARK, says="write down where both sides end", hurried=False, gate=None),
        _MOVE,
        _DRAIN,
        replace(_CONSUMERS_STOP, copying=False, hurried=False, back=None),
        replace(_STARTS, undo=None),
        replace(_CONSUMERS_START, hurried=False, back=None, back_gate=None),
        _DONE,
    ),
)
DUAL_CONSUMER = Scheme(
    name="dual-consumer",
    short="consumers start on the empty target beside the old ones; then producers move",
    promise="0 lost, 0 repeated, no time without consumption; order across the move is not "
    "promised: both sides are read at the same time until the source is dry",
    copies=False,
    steps=(
        replace(_LOOK, gate=lambda do: _all(do.fit, do.empty_targets)),
        _STARTS,
        replace(_CONSUMERS_START, hurried=False),
        replace(_MARK, says="write down where both sides end", hurried=False, gate=None),
        _MOVE,
        _DRAIN,
        replace(_CONSUMERS_STOP, copying=False, hurried=False, back=None),
        _DONE,
    ),
)
CONSUMER_FIRST = Scheme(
    name="consumer-first",
    short="copy all, follow; consumers move to the target first, producers later",
    promise="0 lost, 0 repeated, order kept; consumers and producers move at different times",
    copies=True,
    returns=True,
    steps=(
        _LOOK_BOTH_WAYS,
        _FOLLOW,
        _VERIFY,
        _CONSUMERS_STOP,
        replace(_POSITIONS, copying=True),
        replace(_CONSUMERS_START, copying=True, rests=True, undo=lambda do: do.positions_home()),
        _SILENCE,
        _TAIL,
        _MARK,
        _ARM,
        Step(
            name="hand-over",
            says="producers start on the target",
            no_return=True,
            handover=_START_PRODUCERS,
            gate=lambda do: do.target_grows(),
        ),
        _DONE,
    ),
)
DRAIN = Scheme(
    name="drain",
    short="producers and consumers stop; only what no group has read yet is moved",
    promise="0 lost and 0 repeated for every group; older records stay behind",
    copies=True,
    unconsumed=True,
    steps=(
        _LOOK,
        replace(_SILENCE, copying=False),
        replace(_CONSUMERS_STOP, copying=False),
        replace(_TAIL, says="copy what no group has read, up to the very end, and compare it"),
        _POSITIONS,
        _MARK,
        MIRROR.step("hand-over"),
        _DONE,
    ),
)
DOUBLE_WRITE = Scheme(
    name="double-write",
    short="applications write both sides; consumers move by the map files, producers let go later",
    promise="0 lost; order kept for each writer in a partition. Where several write one partition, "
    "their records may stand in another order on the target: what groups read again for it is "
    "counted beforehand; with one writer, 0 repeated",
    copies=False,
    dual=True,
    steps=(
        replace(_LOOK, gate=lambda do: _all(do.fit, do.fit_for_both)),
        Step(
            name="dual",
            says="all that groups have yet to read must be on both sides, and nobody may write to "
            "one side alone",
            gate=lambda do: do.on_both_sides(),
        ),
        replace(_CONSUMERS_STOP, copying=False),
        replace(
            _POSITIONS,
            says="commit on the target where each group goes on, by the map files as they are "
            "then, and read it back",
        ),
        replace(_CONSUMERS_START, rests=True, undo=lambda do: do.positions_home()),
        replace(
            _MARK,
            says="write down where both sides end; all must still be on both sides",
            hurried=False,
            gate=lambda do: do.nothing_left(),
        ),
        Step(
            name="hand-over",
            says="producers let go of the source; it falls silent, or is written to second",
            no_return=True,
            handover=_LET_GO,
            gate=lambda do: do.released(),
        ),
        replace(
            _DONE,
            says="all that the source has must be on the target, which the topics belong to now",
            gate=lambda do: do.nothing_left(),
        ),
    ),
)
SCHEMES = {
    scheme.name: scheme
    for scheme in (MIRROR, PRODUCER_FIRST, DUAL_CONSUMER, CONSUMER_FIRST, DRAIN, DOUBLE_WRITE)
}
