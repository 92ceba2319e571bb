"""`kferry sandbox load --live`: the options of live traffic, and its start."""

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from kferry.cli.console import answer_json, say
from kferry.cli.sandbox_live import again, show
from kferry.cli.tidy_end import tidy_end
from kferry.errors import ExitCode, UsageError
from kferry.sandbox import Live, LiveSpec, Sandbox
from kferry.sandbox.live.live import status_json
from kferry.sandbox.live.spec import Compression, Reset

_GROUP = Group("With --live", sort_key=50)
_SHOWS_EVERY_S = 5.0


@Parameter(name="*", group=_GROUP, show_default=False)
@dataclass(frozen=True, kw_only=True)
class LiveFlags:
    """What live traffic is made of; what is not given is as `LiveSpec` has it."""

    live: Annotated[
        bool, Parameter(help="producers and consumers that run on, instead of shapes", negative=())
    ] = False
    prefix: Annotated[
        str | None, Parameter(help="how its topics and groups begin (without: live)")
    ] = None
    topics: Annotated[int | None, Parameter(help="without transactions (without: 2)")] = None
    partitions: Annotated[int | None, Parameter(help="of each topic (without: 3)")] = None
    producers: Annotated[int | None, Parameter(help="ordinary ones (without: 3)")] = None
    groups: Annotated[int | None, Parameter(help="each reads every topic (without: 2)")] = None
    consumers_per_group: Annotated[int | None, Parameter(help="members (without: 2)")] = None
    rate: Annotated[
        float | None, Parameter(help="records a second, of all producers (without: 300)")
    ] = None
    transactional: Annotated[
        int | None,
        Parameter(help="transactional producers; their topic has a group (without: 1)"),
    ] = None
    compression: Annotated[
        Compression | None, Parameter(help="of the producers (without: lz4)")
    ] = None
    reset: Annotated[
        Reset | None,
        Parameter(help="what a consumer without a position does (without: error, a fault)"),
    ] = None
    static: Annotated[
        bool | None,
        Parameter(help="members keep their place for a minute after they went", negative=()),
    ] = None
    size: Annotated[int | None, Parameter(help="bytes of each value (without: 200)")] = None
    foreground: Annotated[
        bool, Parameter(help="stay, show what goes on, stop all at Ctrl-C", negative=())
    ] = False

    @property
    def given(self) -> Mapping[str, Any]:
        """What was said of the traffic."""
        own = {f.name for f in dataclasses.fields(LiveSpec)}
        found = dataclasses.asdict(self)
        return {name: value for name, value in found.items() if name in own and value is not None}

    def refuse_alone(self) -> None:
        """Raise if something was said that means nothing without --live."""
        named = [*self.given, *(["foreground"] if self.foreground else [])]
        if named:
            raise UsageError(
                f"--{named[0].replace('_', '-')} is for live traffic",
                hint="kferry sandbox load --live",
            )


def begin(name: str, flags: LiveFlags, *, as_json: bool) -> ExitCode:
    """Start live traffic on the source, and return when it flows; or stay until Ctrl-C."""
    spec = LiveSpec(**flags.given)
    sandbox = Sandbox.find(name)
    say(
        f"live traffic on the source of {name}: {len(spec.clients)} clients, "
        f"{spec.rate:g} records a second"
    )
    live = Live.begin(sandbox, spec, lasting=not flags.foreground)
    if as_json:
        answer_json(
            {
                "name": name,
                "prefix": spec.prefix,
                "topics": list(spec.all_topics),
                "groups": list(live.groups),
                "clients": [status_json(one) for one in live.instances],
            }
        )
    else:
        show(live)
    if flags.foreground:
        _stay(live)
    else:
        say(f"it runs until kferry sandbox live stop --all{again(live)}, or sandbox down")
    say(f"next: kferry sandbox judge{again(live)}")
    return ExitCode.DONE


def _stay(live: Live) -> None:
    say("Ctrl-C stops it")
    try:
        with tidy_end():
            _watch(live)
    except KeyboardInterrupt:
        say("stopping: what was sent arrives, what was read is committed")
        live.stop_all()


def _watch(live: Live) -> None:
    while live.running:
        threading.Event().wait(_SHOWS_EVERY_S)
        written = sum(one.state.records for one in live.running if one.client.role.writes)
        say(f"  {len(live.running)} clients run, {written:,} records written by them")
