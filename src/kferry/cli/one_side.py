"""Commands about one cluster: which of the two is meant.

Owns `--on` and the refusal to guess.
"""

from typing import Annotated, Literal

from cyclopts import Parameter

from kferry.cli.options import Options
from kferry.config import ClusterSettings
from kferry.errors import UsageError

Side = Literal["source", "target"]
On = Annotated[
    Side | None,
    Parameter(
        help="which cluster, where both are named: source or target",
        negative=(),
        show_default=False,
        show_choices=False,
    ),
]


def one_side(options: Options, on: Side | None, command: str) -> tuple[Side, ClusterSettings]:
    """Return the cluster that is meant; two of them need `--on`."""
    named = named_sides(options)
    if on is not None:
        if on not in named:
            raise UsageError(
                f"--on {on}, and no {on} was named",
                hint=f"kferry {command} --{on} HOST:PORT, or a migration file with -c",
            )
        return on, named[on]
    if len(named) == 1:
        return next(iter(named.items()))
    if named:
        raise UsageError(
            "two clusters were named, and this is about one",
            hint=f"kferry {command} --on source, or --on target",
        )
    raise UsageError(
        "no cluster was named",
        hint=f"kferry {command} --source HOST:PORT, or --target HOST:PORT",
    )


def named_sides(options: Options) -> dict[Side, ClusterSettings]:
    """Return the clusters that were named."""
    sides: dict[Side, ClusterSettings] = {}
    if (source := options.source_settings) is not None:
        sides["source"] = source
    if (target := options.target_settings) is not None:
        sides["target"] = target
    return sides


def again_on(options: Options, side: Side, on: Side | None) -> str:
    """Return what a next command needs to mean the same cluster."""
    words = options.again() if on else options.again(side)
    return words + (f" --on {on}" if on else "")
