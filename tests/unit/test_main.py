"""Every end of the process has its exit code and its words."""

import pytest

from kferry.cli import main as command_line
from kferry.errors import ExitCode


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["chek"], ExitCode.USAGE, "check"),
        (["check", "--bogus"], ExitCode.USAGE, "--bogus"),
        (["check", "--source"], ExitCode.USAGE, "--source"),
        (["sandbox", "up", "--brokers", "2"], ExitCode.USAGE, "--brokers"),
        (["check", "--source-config", "/nowhere"], ExitCode.USAGE, "/nowhere"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error_in_our_form(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: ExitCode, words: str
) -> None:
    assert command_line.run(arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("╷ error K1")
    assert words in shown.err
    assert "│ hint: " in shown.err


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (KeyboardInterrupt(), ExitCode.STOPPED_EARLY, "stopped"),
        (ZeroDivisionError("oops"), ExitCode.FAILED, "a bug of its own"),
    ],
)
def test_what_nobody_foresaw_still_ends_in_words(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    code: ExitCode,
    words: str,
) -> None:
    def fail(_: object) -> None:
        raise raised

    monkeypatch.setattr("kferry.cli.check.look", fail)
    assert command_line.run(["check"]) == code
    assert words in capsys.readouterr().err


def test_help_is_plain_text_that_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"  {name}: " in shown for name in ("check", "sandbox", "demo"))
    assert "╭" not in shown
