"""What a producer for two clusters needs, and what it says where something is in the way."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kferry import DualProducer
from kferry.dualwrite.errors import DualSettingsError, MapFileError

NOWHERE = {"bootstrap.servers": "127.0.0.1:1"}


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_applications_get_the_producer_and_nothing_else_of_kferry() -> None:
    code = """
import sys
from kferry import DualProducer
own = {name.split(".")[1] for name in sys.modules if name.startswith("kferry.")}
print(sorted(own), any(n in sys.modules for n in ("confluent_kafka", "asyncio", "aiokafka.client")))
"""
    assert run(code) == "['asleep', 'dualwrite', 'errors', 'varints'] False"


def test_kferry_is_imported_without_it_where_nobody_asks() -> None:
    assert run("import sys, kferry; print('kferry.dualwrite' in sys.modules)") == "False"


def test_without_the_client_the_error_names_the_extra() -> None:
    code = """
import sys
sys.modules["confluent_kafka"] = None
from kferry import DualProducer
from kferry.errors import KferryError
try:
    DualProducer({"bootstrap.servers": "a:1"}, secondary={"bootstrap.servers": "b:1"})
except KferryError as error:
    print(error.code, error.hint)
"""
    assert run(code) == "K751 pip install 'kferry[double-write]'"


@pytest.mark.parametrize(
    ("primary", "secondary", "more", "said"),
    [
        ({}, NOWHERE, {}, "the primary has no bootstrap.servers"),
        (NOWHERE, {}, {}, "the secondary has no bootstrap.servers"),
        ({**NOWHERE, "transactional.id": "a"}, NOWHERE, {}, "the primary has a transactional.id"),
        (NOWHERE, {**NOWHERE, "transactional.id": "a"}, {}, "the secondary has a transactional.id"),
        ({**NOWHERE, "enable.idempotence": "false"}, NOWHERE, {}, "primary has enable.idempotence"),
        (NOWHERE, {**NOWHERE, "enable.idempotence": False}, {}, "secondary has enable.idempotence"),
        (NOWHERE, NOWHERE, {"policy": "both"}, "primary-decides, both-or-error"),
    ],
)
def test_settings_that_two_clusters_cannot_be_written_with_are_refused(
    primary: dict[str, Any], secondary: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(DualSettingsError, match=said) as refused:
        DualProducer(primary, secondary=secondary, **more)
    assert refused.value.hint


def test_a_map_file_that_cannot_be_made_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(MapFileError, match="cannot be written"):
        DualProducer(NOWHERE, secondary=NOWHERE, map_file=tmp_path / "none" / "map")


def test_clusters_that_nobody_can_reach_keep_nobody_from_starting(tmp_path: Path) -> None:
    producer = DualProducer(
        {**NOWHERE, "message.timeout.ms": 50}, secondary=NOWHERE, map_file=tmp_path / "map"
    )
    heard: list[Any] = []
    producer.produce("orders", b"1", on_delivery=lambda error, _: heard.append(error.name()))
    assert len(producer) == 1
    assert producer.flush(20) == 0
    assert heard == ["_MSG_TIMED_OUT"]
    assert producer.close()
    assert not producer.close()
