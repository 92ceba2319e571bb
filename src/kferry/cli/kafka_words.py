"""Command lines as Kafka's own tools and old documents spell them, read as ours with a notice.

Owns the spellings, and for which of our commands they are understood. Pure.
"""

import re
from collections.abc import Callable, Sequence

from kferry.cli.console import say
from kferry.errors import UsageError

_GET, _RESET = ("offsets", "get"), ("groups", "reset")
_CLUSTER = ("--bootstrap-server", "--broker-list")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+|/.*/")
_QUOTES = "\"'"
_READ_AS = {
    "-execute": "--execute",
    "-excute": "--execute",
    "--excute": "--execute",
    **dict.fromkeys(_CLUSTER, "--target"),
    "--command-config": "--target-config",
}
_DROPPED = {
    "--new-consumer": "there is no other consumer any more",
    "--reset-offsets": "the command says so",
}
_DROPPED_VALUES = {
    "--timeout": "kferry has time limits of its own",
    "--offsets": "there is one offset for each partition",
    "--max-wait-ms": "kferry has time limits of its own",
}
_TAKES_VALUE = frozenset({"--group", "--topic", "--time", "--from-file", "--to-datetime"})

Say = Callable[[str], None]


def understood(tokens: Sequence[str], say: Say = say) -> list[str]:
    """Return a command line in our words; what was read otherwise than written is said."""
    command = tuple(tokens[:2])
    if command not in {_GET, _RESET}:
        return list(tokens)
    words = [word for token in tokens[2:] for word in _split(token)]
    _refuse(words)
    regular = command == _GET and any(word in _CLUSTER for word in words)
    found: list[str] = []
    position = 0
    while position < len(words):
        word, value = words[position], words[position + 1 : position + 2]
        position += 1 if not value or word not in _VALUED else 2
        found += _one(word, value, regular=regular, say=say)
    return [*command, *found]


_VALUED = {*_CLUSTER, "--command-config", *_DROPPED_VALUES, *_TAKES_VALUE}
SPELLINGS = frozenset({*_READ_AS, *_DROPPED, *_DROPPED_VALUES, "--zookeeper"})
"""What is understood, or refused with a reason, and is no option of ours."""


def _split(token: str) -> list[str]:
    """Take `--option=value` apart, where the option is one that is read here."""
    name, sign, value = token.partition("=")
    return [name, value] if sign and name in _VALUED else [token]


def _refuse(words: Sequence[str]) -> None:
    if "--zookeeper" in words:
        raise UsageError(
            "--zookeeper is not understood: positions in ZooKeeper are older than Kafka 0.9 groups",
            hint="name the brokers with --source HOST:PORT or --target HOST:PORT",
        )
    named = [word for word in words if word in _CLUSTER]
    ours = [
        word
        for word in words
        if word.partition("=")[0] in {"--source", "--target", "--source-config", "--target-config"}
    ]
    if named and ours:
        raise UsageError(
            f"{named[0]} and {ours[0].partition('=')[0]} both name a cluster",
            hint="name it once, with --source or --target",
        )


def _one(word: str, value: list[str], *, regular: bool, say: Say) -> list[str]:
    written = " ".join([word, *value]) if word in _VALUED else word
    if (why := (_DROPPED | _DROPPED_VALUES).get(word)) is not None:
        say(f"{written} is left out: {why}")
        return []
    if word in _VALUED and not value:
        return [word]
    if word == "--topic" and regular and not _PLAIN.fullmatch(value[0]):
        expression = f"/{value[0].strip(_QUOTES).replace(',', '|')}/"
        say(f"--topic {value[0]} is read as a regular expression, {expression}")
        return [word, expression]
    if word in _READ_AS:
        ours = " ".join([_READ_AS[word], *(value if word in _VALUED else ())])
        say(f"{written} is read as {ours}")
        return [_READ_AS[word], *(value if word in _VALUED else ())]
    return [word, *value] if word in _VALUED else [word]
