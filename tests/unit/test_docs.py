"""What the documentation says is what the code does."""

import re
from pathlib import Path

from kferry.preflight import needs
from kferry.preflight.needs import as_table

DOCS = Path(__file__).parents[2] / "docs"


def test_the_list_of_rights_is_the_one_that_is_checked() -> None:
    assert as_table() in (DOCS / "permissions.md").read_text()


def test_every_code_a_finding_may_have_is_documented() -> None:
    preflight = Path(needs.__file__).parent
    written = "\n".join(file.read_text() for file in preflight.glob("*.py"))
    codes = set(re.findall(r'\bcode="([a-z-]+)"', written))
    codes |= set(re.findall(r'"([a-z]+(?:-[a-z]+)+)" if \w+ else "[a-z-]+"', written))
    assert len(codes) > 25
    documented = set(re.findall(r"`([a-z-]+)`", (DOCS / "contract.md").read_text()))
    assert codes - documented == set()
