"""Putting arguments in the order the parser expects.

Owns two freedoms of the command line: global options may stand before the command, and what follows
the class of `sandbox run` belongs to that class. Pure.
"""

from collections.abc import Sequence

from kferry.cli.options import FLAGS, VALUED

_RUN = ("sandbox", "run")
ASK = "ask"
"""Stands for a value that is asked for."""
_MAY_STAND_ALONE: dict[tuple[str, ...], str] = {("cancel",): "--delete-created"}
_RUN_VALUED = VALUED | {"--name", "--on"}


def arrange(argv: Sequence[str], groups: frozenset[tuple[str, ...]]) -> list[str]:
    """Move leading global options behind the command; `groups` are commands with subcommands."""
    leading, rest = _split_leading(list(argv))
    depth = 1
    while tuple(rest[:depth]) in groups and rest[depth:] and rest[depth][:1] != "-":
        depth += 1
    command, own = rest[:depth], rest[depth:]
    if not command:
        return leading
    if tuple(command) == _RUN:
        own = _protect(own)
    if (option := _MAY_STAND_ALONE.get(tuple(command))) is not None:
        own = _with_value(own, option)
    return [*command, *leading, *own]


def _split_leading(argv: list[str]) -> tuple[list[str], list[str]]:
    position = 0
    while position < len(argv):
        name, sign, _ = argv[position].partition("=")
        if name in VALUED:
            position += 1 if sign else 2
        elif name in FLAGS or (name[:1] == "-" and name[1:] and set(name[1:]) == {"v"}):
            position += 1
        else:
            break
    return argv[:position], argv[position:]


def _with_value(own: list[str], option: str) -> list[str]:
    """Give an option that stands without a value the one that means: ask."""
    found: list[str] = []
    for token, following in zip(own, [*own[1:], "-"], strict=True):
        found.append(token)
        if token == option and following.startswith("-"):
            found.append(ASK)
    return found


def _protect(own: list[str]) -> list[str]:
    """Put `--` before the class, so that what follows is nobody's but the class's."""
    position = 0
    while position < len(own) and own[position][:1] == "-" and own[position] != "--":
        name, sign, _ = own[position].partition("=")
        position += 2 if name in _RUN_VALUED and not sign else 1
    rest = own[position:]
    return own if rest[:1] == ["--"] or not rest else [*own[:position], "--", *rest]
