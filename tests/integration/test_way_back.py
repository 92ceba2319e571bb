"""The way back behind the point of no return, under live traffic, and there again."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from judge import client_config
from switching import assert_exact, flow, switching

from kferry.sandbox import Cluster, Sandbox


def topics_of(cluster: Cluster) -> set[str]:
    return set(AdminClient(dict(client_config(cluster.properties))).list_topics(timeout=20).topics)


@pytest.mark.parametrize(
    ("scheme", "times"),
    [
        ("mirror", 1),
        pytest.param("mirror", 2, marks=pytest.mark.long),
        pytest.param("consumer-first", 2, marks=pytest.mark.long),
    ],
)
def test_there_and_back_and_there_again_nothing_is_lost_or_repeated(
    plain: Sandbox, tmp_path: Path, scheme: str, times: int
) -> None:
    with switching(plain, scheme, tmp_path) as switch:
        flow(switch.live, 200)
        for _ in range(times):
            done = switch.walk().ended()
            assert done.code == 0, done.said
            flow(switch.live, 200)
            assert {one.side for one in switch.live.running} == {"target"}
            back = switch.roll_back()
            assert back.code == 0, back.said
            flow(switch.live, 200)
            assert {one.side for one in switch.live.running} == {"source"}
        done = switch.walk().ended()
        assert done.code == 0, done.said
        flow(switch.live, 200)
        assert_exact(switch.judge(), at_least=600)
        completed = switch.plain("complete", "--yes", "--force")
        assert completed.code == 0, completed.said
        ours = f"__kferry.{switch.prefix}"
        left = [one for one in topics_of(plain.source) if one.startswith(ours)]
        assert not left, "the ledger of the way back stays on the source"
