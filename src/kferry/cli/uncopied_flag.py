"""`--uncopied`: where groups go on in topics that kferry did not copy.

Owns how the rule is written. Asks no cluster.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kferry.cli.console import say
from kferry.cli.options import Options
from kferry.cli.words import moment
from kferry.config import parse_time
from kferry.errors import UsageError

if TYPE_CHECKING:
    from kferry.groups import Uncopied

_TIME = "datetime:"


def parse_uncopied(text: str | None, options: Options) -> "Uncopied | None":
    """Read `start`, `end`, `datetime:2026-03-01T12:00:00Z`, or the name of a file."""
    if text is None:
        return None
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.admin.offsets import Place  # noqa: PLC0415
    from kferry.groups import Uncopied  # noqa: PLC0415

    names = {} if options.file is None else options.file.rename
    places = {
        "start": (Place.START, "the target's log start"),
        "end": (Place.END, "the target's log end"),
    }
    if text in places:
        at, words = places[text]
        return Uncopied(at=at, words=words, names=names)
    if text.startswith(_TIME):
        time = parse_time(text.removeprefix(_TIME), where="--uncopied")
        if time.assumed_utc:
            say(f"--uncopied has no time zone and is taken as {moment(time.ms)} UTC")
        words = f"the target's first record from {moment(time.ms)} UTC on"
        return Uncopied(at=time.ms, words=words, names=names)
    if not Path(text).is_file():
        raise UsageError(
            f"--uncopied {text} is neither start, end nor {_TIME}TIME, and no file of positions",
            hint="kferry groups sync --uncopied start",
        )
    from kferry.cli.resetting import read_bytes  # noqa: PLC0415 as above
    from kferry.groups.position_file import decoded, read_csv  # noqa: PLC0415

    found = read_csv(decoded(read_bytes(Path(text)), text), text)
    positions = {(one.group, one.place): one.offset for one in found}
    return Uncopied(words=text, positions=positions, names=names)
