"""How much, as people write it: bytes per second, and pauses.

Owns the reading of both. Pure.
"""

import re

from kferry.errors import ConfigError

_FORM = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*?)\s*(?:/s)?")
_UNITS = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_LARGEST = 2**63 - 1
_HINT = "write 50MiB/s; units are KiB, MiB, GiB, kB, MB and GB, without one it is bytes"


def parse_rate(text: str, *, where: str) -> int:
    """Read `50MiB/s`, `1.5 MB`, `4096`: bytes per second."""
    match = _FORM.fullmatch(text.strip())
    # Mb is a megabit to those who write it so: units are taken as they are spelled.
    if match is None or match[2] not in _UNITS:
        raise ConfigError(f"{where}: `{text}` is not a rate", hint=_HINT)
    rate = int(float(match[1]) * _UNITS[match[2]])
    if not 1 <= rate <= _LARGEST:
        raise ConfigError(
            f"{where}: `{text}` is no rate to copy at",
            hint="to stop for a while use `kferry control pause`",
        )
    return rate


_PAUSE = re.compile(r"([0-9]{1,6})\s*(s|m|min|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def parse_pause(text: str, *, where: str) -> float:
    """Read `5s`, `1min`: seconds, from one to a day."""
    match = _PAUSE.fullmatch(text.strip())
    seconds = int(match[1]) * _SECONDS[match[2]] if match is not None else 0
    if not 1 <= seconds <= 86_400:
        raise ConfigError(
            f"{where}: `{text}` is not a pause from 1s to 24h", hint="write 5s, 1min or 1h"
        )
    return float(seconds)
