"""`--map`: the map files of applications that write both sides.

Owns the flag, and how it is said in a next command.
"""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Maps = Annotated[
    tuple[Path, ...],
    Parameter(
        name="--map",
        help="where applications write both sides: file of a DualProducer, or a folder of them; "
        "repeatable",
        negative=(),
        show_default=False,
    ),
]


def maps_again(maps: tuple[Path, ...]) -> str:
    """Return how map files are named once more in a next command."""
    return "".join(f" --map {shlex.quote(str(one))}" for one in maps)
