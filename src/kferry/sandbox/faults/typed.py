"""The words that may be typed into a running relay.

Owns that little language. Knows neither keyboard nor screen.
"""

from kferry.errors import UsageError
from kferry.sandbox.faults.lane import Way
from kferry.sandbox.faults.relay import Relay

WORDS = "cut, mend, reset, stall [requests|answers], slow BYTES, latency SECONDS, reset-after BYTES"


def obey(relay: Relay, line: str) -> None:
    """Do what a line says; an empty one says nothing."""
    word, *rest = line.split() or [""]
    try:
        understood = _obey(relay, word, rest)
    except ValueError:  # not a number, not a direction
        understood = False
    if not understood:
        raise UsageError(f"not understood: {line.strip()}", hint=WORDS)


def _obey(relay: Relay, word: str, rest: list[str]) -> bool:
    match word, rest:
        case "", []:
            pass
        case "cut", []:
            relay.cut()
        case "mend", []:
            relay.mend()
        case "reset", []:
            relay.reset()
        case "stall", ways:
            relay.stall(*map(Way, ways))
        case "slow", [pace]:
            relay.slow(bytes_per_second=float(pace))
        case "latency", [seconds]:
            relay.slow(latency=float(seconds))
        case "reset-after", [count]:
            relay.reset_after(int(count))
        case _:
            return False
    return True
