"""The counts of a double write, as Prometheus reads them."""

from kferry.dualwrite.counts import Counts


def test_counts_are_written_as_prometheus_reads_them() -> None:
    counts = Counts(produced=9, primary=8, primary_failed=1, both=5)
    counts.missed("orders", 0, 17, 'it said "no"\nand \\left')
    counts.missed("orders", 0, 18, "queue full")
    counts.missed("orders", 0, 19, "queue full")
    text = counts.frozen(waiting=0, behind=True, map_error="").prometheus(app="shop")
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    prefix = "kferry_dualwrite_"
    assert samples == {
        prefix + 'produced_total{app="shop"}': "9",
        prefix + 'primary_total{app="shop"}': "8",
        prefix + 'primary_failed_total{app="shop"}': "1",
        prefix + 'both_total{app="shop"}': "5",
        prefix + r'missing_total{app="shop",reason="it said \"no\"\nand \\left"}': "1",
        prefix + 'missing_total{app="shop",reason="queue full"}': "2",
        prefix + 'waiting{app="shop"}': "0",
        prefix + 'behind{app="shop"}': "1",
        prefix + 'map_failing{app="shop"}': "0",
    }
    named = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert named == list(dict.fromkeys(key.split("{")[0] for key in samples))
    assert text.endswith("\n")


def test_without_a_record_there_are_samples_all_the_same() -> None:
    text = Counts().frozen(waiting=0, behind=False, map_error="disk full").prometheus()
    assert "kferry_dualwrite_missing_total{} 0\n" in text
    assert "kferry_dualwrite_map_failing{} 1\n" in text
