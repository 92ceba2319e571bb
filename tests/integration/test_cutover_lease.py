"""Two who walk one cutover: the one that was thought dead and wakes up does nothing more."""

import uuid

import pytest

from kferry.config import load_cluster
from kferry.ledger import create_ledger
from kferry.migration.switching.book import CutoverBook, Walked
from kferry.sandbox import Sandbox
from kferry.wire import open_cluster


async def test_a_walker_that_wakes_up_behind_another_writes_nothing_more(plain: Sandbox) -> None:
    async with open_cluster(load_cluster(None, plain.target.properties, side="target")) as cluster:
        ledger = await create_ledger(cluster, f"lease-{uuid.uuid4().hex[:8]}", slots=1)
        slept, went_on = CutoverBook(cluster, ledger), CutoverBook(cluster, ledger)
        await slept.write({"state": "walking", "by": "first", "id": "1"})
        await went_on.write({"state": "walking", "by": "second", "id": "1"})
        with pytest.raises(Walked, match="another process"):
            await slept.write({"state": "walking", "by": "first", "id": "1"})
        await went_on.write({"state": "done", "by": "second", "id": "1"}, ended=True)
