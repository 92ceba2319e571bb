"""Durations as ISO 8601 and Java write them: `P2DT3H4M5.5S`.

Owns the grammar. Pure.
"""

import re

from kferry.errors import ConfigError

_FORM = re.compile(
    r"P(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?"
    r"(?:([0-9]{1,9})(?:[.,]([0-9]{0,9}))?S)?)?",
    re.IGNORECASE,
)


def parse_duration(text: str, *, where: str) -> int:
    """Read a duration; return milliseconds."""
    found = _FORM.fullmatch(text.strip())
    if found is None or not any(found.groups()) or text.strip()[-1:] in {"T", "t"}:
        raise ConfigError(
            f"{where}: `{text}` is not a duration",
            hint="write P7D for seven days, PT2H30M for two hours and a half; it is into the past",
        )
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
    ms = int((found[5] or "").ljust(3, "0")[:3])
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + ms
