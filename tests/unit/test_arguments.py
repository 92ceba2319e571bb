"""Global options stand before or after the command; a tool's own arguments are left alone."""

import pytest

from kferry.cli.arguments import arrange

GROUPS = frozenset({("control",), ("sandbox",), ("sandbox", "break")})


@pytest.mark.parametrize(
    ("typed", "parsed"),
    [
        ("check --json", "check --json"),
        ("--json check", "check --json"),
        (
            "--source a:1 --target=b:2 -vv check --topic x",
            "check --source a:1 --target=b:2 -vv --topic x",
        ),
        ("--json sandbox status", "sandbox status --json"),
        ("--json sandbox break kill 1", "sandbox break kill --json 1"),
        ("--json sandbox break", "sandbox break --json"),
        ("-m orders -c f.yaml copy --json", "copy -m orders -c f.yaml --json"),
        ("--migration=orders --config f.yaml status", "status --migration=orders --config f.yaml"),
        ("-m orders control rate 5MB", "control rate -m orders 5MB"),
        ("sandbox", "sandbox"),
        ("--help", "--help"),
        ("", ""),
        ("--json", "--json"),
        ("sandbox run --on source a.B --list", "sandbox run --on source -- a.B --list"),
        ("sandbox run --on source a.B", "sandbox run --on source -- a.B"),
        ("sandbox run a.B --on x --name y --json", "sandbox run -- a.B --on x --name y --json"),
        ("sandbox run --on source -- a.B -- x", "sandbox run --on source -- a.B -- x"),
        (
            "sandbox run --on=source --name n a.B -- x",
            "sandbox run --on=source --name n -- a.B -- x",
        ),
        ("sandbox run --help", "sandbox run --help"),
    ],
)
def test_arguments_are_put_in_order(typed: str, parsed: str) -> None:
    assert arrange(typed.split(), GROUPS) == parsed.split()
