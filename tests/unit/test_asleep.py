"""Parts of packages are taken without their fronts, and nobody else is the worse for it."""

import subprocess
import sys

import pytest


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("client", ["kafka.consumer", "kafka.admin", "aiokafka.client"])
def test_no_command_waits_for_clients_that_it_does_not_use(client: str) -> None:
    code = f"import sys, kferry.cli.copy, kferry.migration; print({client!r} in sys.modules)"
    assert run(code) == "False"


@pytest.mark.parametrize(
    "wanted", ["from kafka import KafkaConsumer as C", "import kafka; C = kafka.KafkaConsumer"]
)
def test_who_wants_the_whole_client_still_gets_it(wanted: str) -> None:
    assert run(f"import kferry.wire\n{wanted}\nprint(C.__module__)") == "kafka.consumer.group"


def test_who_came_with_the_client_keeps_it() -> None:
    code = "import kafka, kferry.wire; print(kafka.KafkaConsumer.__name__)"
    assert run(code) == "KafkaConsumer"


def test_the_whole_of_aiokafka_is_there_for_who_asks() -> None:
    code = "import kferry.records, aiokafka; print(aiokafka.AIOKafkaConsumer.__name__)"
    assert run(code) == "AIOKafkaConsumer"
