"""All shapes by name, in the order in which they are loaded.

Owns the list. To add a shape, add a module (or a line to one) and name it here.
"""

import difflib
from collections.abc import Sequence

from kferry.sandbox.load.errors import UnknownShapeError
from kferry.sandbox.load.shape import Shape
from kferry.sandbox.load.shapes import (
    compacted,
    contents,
    group_members,
    groups,
    json_codecs,
    old_formats,
    plain,
    sizes,
    starts,
    times,
    transactions,
)

SHAPES: tuple[Shape, ...] = (
    *plain.SHAPES,
    *json_codecs.SHAPES,
    *sizes.SHAPES,
    *contents.SHAPES,
    *times.SHAPES,
    *starts.SHAPES,
    *compacted.SHAPES,
    *transactions.SHAPES,
    *old_formats.SHAPES,
    *groups.SHAPES,
    *group_members.SHAPES,
)
_BY_NAME = {shape.name: shape for shape in SHAPES}


def choose(names: Sequence[str]) -> list[Shape]:
    """Return the shapes of these names, or all; each once, in the order of loading."""
    for name in names:
        if name not in _BY_NAME:
            raise _unknown(name)
    return [shape for shape in SHAPES if not names or shape.name in names]


def _unknown(name: str) -> UnknownShapeError:
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.0)[0]
    return UnknownShapeError(
        f"there is no shape called {name}",
        f"there are {', '.join(_BY_NAME)}",
        hint=f"the nearest is {near}; kferry sandbox load --list tells what each is",
    )
