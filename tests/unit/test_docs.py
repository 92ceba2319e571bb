"""What the documentation says is what the code does."""

from pathlib import Path

from kferry.preflight.needs import as_table

DOCS = Path(__file__).parents[2] / "docs"


def test_the_list_of_rights_is_the_one_that_is_checked() -> None:
    assert as_table() in (DOCS / "permissions.md").read_text()
