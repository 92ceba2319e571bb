"""The fence around who is known by a certificate: the name is the one that the rules have."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from ages import ages
from confluent_kafka import Producer
from inspecting import admin_of
from judge import PATIENCE_S, client_config, create_topic
from test_fence import REFUSED, exactly, fence_of, make, rule, until_allowed, write

from kferry.migration.switching.fence_book import FenceWish
from kferry.sandbox import ClusterSpec, Sandbox, Security


@pytest.fixture(params=[*ages("4.3.1", more=("1.1.1",))])
def certified(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Brokers that know people by their certificates: by parts of the name, or by all of it."""
    if request.param == "4.3.1":
        yield request.getfixturevalue("mutual")
        return
    old = ClusterSpec(version=request.param, security=Security.SSL)
    with Sandbox.start(source=old, target=ClusterSpec(security=Security.SSL)) as sandbox:
        yield sandbox


async def test_who_has_a_certificate_is_shut_out_by_the_name_that_the_rules_have(
    certified: Sandbox,
) -> None:
    topic = f"fence-{uuid.uuid4().hex[:8]}"
    create_topic(client_config(certified.source.properties), topic)
    # Ages without ssl.principal.mapping.rules know only the whole distinguished name.
    who = "User:kferry" if certified.source.version == "4.3.1" else "User:CN=kferry"
    allowed = rule(who, topic)
    make(certified.source, allowed)
    quiet = {"message.timeout.ms": 20_000, "log_level": 0, "enable.idempotence": False}
    app = Producer({**client_config(certified.source.kferry_properties), **quiet})
    await asyncio.to_thread(until_allowed, app, topic)
    # The walker has a certificate, too, and may write: which name is its own cannot be told.
    async with fence_of(certified, topic, FenceWish(), as_admin=True) as fence:
        whom = await fence.whom()
        assert "cannot be told" in whom.refusal
        assert "--fence-principal" in whom.refusal
    named = FenceWish(principals=(who,))
    async with fence_of(certified, topic, named, as_admin=True) as fence:
        whom = await fence.whom()
        assert set(whom.shut_out) == {who}
        await fence.put_up()
        while (held := await fence.measure(whom)).lacking:
            pass
        assert not held.own_lost
        error = await asyncio.to_thread(write, app, topic)
        assert error is not None
        assert error.code() == REFUSED
        await fence.lift()
    await asyncio.to_thread(until_allowed, app, topic)
    admin = admin_of(certified.source)
    for future in admin.delete_acls([exactly(allowed)]).values():
        future.result(PATIENCE_S)
