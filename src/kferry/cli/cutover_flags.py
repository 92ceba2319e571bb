"""Flags that `cutover` and `rollback` share.

Owns their words. What they mean is `runbook`'s.
"""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Groups = Annotated[
    tuple[str, ...],
    Parameter(
        name="--group", help="a group or a glob; repeatable", negative=(), show_default=False
    ),
]
Scheme = Annotated[
    str | None, Parameter(help="how to switch over; without it they are listed", show_default=False)
]
Silence = Annotated[
    str, Parameter(help="how long logs must stand still to be called silent", show_default=True)
]
Patience = Annotated[
    str,
    Parameter(help="how long applications may be kept waiting at a gate, before it is taken back"),
]
HooksDir = Annotated[
    Path | None,
    Parameter(
        name="--hooks",
        help="executables on-silence, on-handover … (hooks/ beside the migration file)",
        show_default=False,
    ),
]
ProducersStopped = Annotated[
    bool,
    Parameter(
        help="say beforehand that producers of seldom-written partitions are stopped, too",
        negative=(),
        show_default=False,
    ),
]
Verify = Annotated[
    Literal["digest", "records", "counts", "none"],
    Parameter(help="how closely both sides are compared before the switch"),
]
Bundle = Annotated[
    Path | None,
    Parameter(
        help="where to keep what a way back needs (kferry-undo-MIGRATION.json)", show_default=False
    ),
]
Uncommitted = Annotated[
    Literal["start", "end", "leave"] | None,
    Parameter(
        help="where groups at work go on in partitions where they never committed",
        show_default=False,
    ),
]
Rehearse = Annotated[
    bool,
    Parameter(
        help="try every step without touching applications, the source or real groups; hooks are "
        "called with KFERRY_REHEARSAL=1",
        negative=(),
        show_default=False,
    ),
]
