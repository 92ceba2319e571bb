"""How much, as people write it: bytes per second, seconds.

Owns the reading of rates and durations. Pure.
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


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([A-Za-z]*)")
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_duration(text: str, *, where: str) -> float:
    """Read `10s`, `15min`, `1.5h`: seconds; a number alone is seconds, too."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or match[2] not in _SECONDS or not float(match[1]):
        raise ConfigError(
            f"{where}: `{text}` is not a duration",
            hint="write 10s, 15min or 2h; a number alone is seconds",
        )
    return float(match[1]) * _SECONDS[match[2]]


def parse_pause(text: str, *, where: str) -> float:
    """Read a duration that something may rest between two rounds: from a second to a day."""
    seconds = parse_duration(text, where=where)
    if not 1 <= seconds <= 86_400:
        raise ConfigError(
            f"{where}: `{text}` is not a pause from 1s to 24h", hint="write 5s, 1min or 1h"
        )
    return seconds
