"""What every test shares: the event loop that users have, and one pair of clusters of a kind.

The pairs live as long as the session; tests prefix their topics and groups and leave the brokers
alone. Who breaks brokers starts their own.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvloop
from hypothesis import HealthCheck, settings

from kferry.sandbox import ClusterSpec, Sandbox, Security
from kferry.sandbox.preparing import prepare
from kferry.sandbox.versions import NEWEST

# How fast a machine makes examples says nothing about the code; it may be busy with brokers.
settings.register_profile("kferry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kferry")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop, and tests marked `both_loops` on the standard loop as well."""
    if item.get_closest_marker("both_loops"):
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def _away_from_the_users_own_sandboxes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFERRY_HOME", str(tmp_path_factory.mktemp("kferry")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts_reach_commands() -> None:
    """Who starts us in the background may have us ignore SIGINT, and our children with us."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def prepared() -> None:
    """Brokers and tools start by the hundred: Java learns them once a machine."""
    prepare(NEWEST)


@pytest.fixture(scope="session")
def plain(prepared: None) -> Iterator[Sandbox]:
    """4.3.1 to 4.3.1, nothing secured."""
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def old() -> Iterator[Sandbox]:
    """0.10.2.2 to 1.1.1: the oldest source, and a target from before most of what we rely on."""
    with Sandbox.start(
        source=ClusterSpec(version="0.10.2.2"), target=ClusterSpec(version="1.1.1")
    ) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def three() -> Iterator[Sandbox]:
    """Three brokers of 4.3.1 to one."""
    with Sandbox.start(source=ClusterSpec(brokers=3)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def sasl() -> Iterator[Sandbox]:
    """3.9.2 to 4.3.1, SASL over TLS, with an authorizer that denies by default."""
    with Sandbox.start(
        source=ClusterSpec(version="3.9.2", security=Security.SASL_SSL),
        target=ClusterSpec(security=Security.SASL_SSL),
    ) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def mutual() -> Iterator[Sandbox]:
    """4.3.1 to 3.9.2, TLS with client certificates."""
    with Sandbox.start(
        source=ClusterSpec(security=Security.SSL),
        target=ClusterSpec(version="3.9.2", security=Security.SSL),
    ) as sandbox:
        yield sandbox
