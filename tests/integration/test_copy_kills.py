"""Whatever kills a copy, and whenever: every record arrives once, and in order."""

import signal
import time
from collections.abc import Iterator

import pytest
from copying import copy, ended, kferry, sides
from following import Running, running
from killing import CUT_SHORT, Ends, Ordeal, assert_mapped
from mixing import KINDS, Kind, Mix

from kferry.sandbox import Sandbox

SEED = 20_240_229
KILLS = 10


async def test_ten_kills_of_one_copy_lose_and_repeat_nothing(plain: Sandbox) -> None:
    mix = Mix(cluster=plain.source, prefix="kills", seed=SEED)
    mix.create()
    mix.write(2_000)
    ordeal = Ordeal(sandbox=plain, mix=mix, rate="250KiB/s")
    while ordeal.kills < KILLS:
        ordeal.kill_once()
        mix.write(40)
        mix.clean()
    last = ordeal.finish()
    assert last.result["records"] > 0, "it was done before the last kill"
    ordeal.judge(last)
    assert await assert_mapped(plain, ordeal.migration, mix.topics) > 2_000
