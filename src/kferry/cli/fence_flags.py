"""How a fence is asked for on the command line.

Owns the flags and their mistakes.
"""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from kferry.errors import UsageError

if TYPE_CHECKING:
    from kferry.migration.switching.fence_book import FenceWish

_FENCE = Group(
    "Fence",
    help="Once the source is silent, writing to its topics is forbidden by rules (DENY WRITE), "
    "which a rollback takes away again.",
    sort_key=50,
)
FenceFlag = Annotated[
    bool,
    Parameter(
        group=_FENCE,
        help="forbid writing to each who may by the source's rules, but never to kferry",
        negative=(),
        show_default=False,
    ),
]
FencePrincipals = Annotated[
    tuple[str, ...],
    Parameter(
        name="--fence-principal",
        group=_FENCE,
        help="one more that is shut out, as in User:app; repeatable",
        negative=(),
        show_default=False,
    ),
]
FenceAnyway = Annotated[
    bool,
    Parameter(
        group=_FENCE,
        help="while transactions are open, too: they are named, and can still end",
        negative=(),
        show_default=False,
    ),
]


def fence_wish(wanted: bool, principals: tuple[str, ...], anyway: bool) -> "FenceWish | None":
    """Return the fence that is wished for; None: none is."""
    if not wanted:
        if principals or anyway:
            raise UsageError(
                "it is said how to fence, but not to do so", hint="add --fence", changed=""
            )
        return None
    for one in principals:
        kind, _, name = one.partition(":")
        if not kind or not name:
            raise UsageError(
                f"`{one}` is no principal", hint="a kind and a name, as in User:app or User:CN=app"
            )
    from kferry.migration.switching.fence_book import FenceWish  # noqa: PLC0415 as in cutover

    return FenceWish(principals=principals, anyway=anyway)


def fence_again(facts: Mapping[str, object]) -> str:
    """Return the flags that ask for the fence of a cutover once more."""
    from kferry.migration.switching.fence_book import read_wish  # noqa: PLC0415 as in cutover

    wish = read_wish(facts)
    if wish is None:
        return ""
    named = "".join(f" --fence-principal {shlex.quote(one)}" for one in wish.principals)
    return f" --fence{named}{' --fence-anyway' if wish.anyway else ''}"
