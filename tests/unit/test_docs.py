"""What the documentation says is what the code does."""

import dataclasses
import functools
import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from pathlib import Path

import pytest

from kferry.cli import main as command_line
from kferry.cli.copy_result import result_json
from kferry.cli.kafka_words import SPELLINGS
from kferry.config import load_migration_file
from kferry.errors import ExitCode
from kferry.migration.requests import Arrived, CopyResult
from kferry.preflight import needs
from kferry.preflight.needs import as_table
from kferry.progress import Gap, Snapshot, Stopped, TopicProgress

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])(?![\w-])")


def code_in(page: Path) -> Iterator[str]:
    """Every line of code of a page: fenced, indented, and within a sentence."""
    text = page.read_text()
    for block in _FENCED.finditer(text):
        # A command that goes on in the next line is one.
        yield from block[2].replace("\\\n", " ").splitlines()
    text = _FENCED.sub("", text)
    yield from re.findall(r"^ {4}(.*)$", text, re.MULTILINE)
    yield from (found.replace("\n", " ") for found in re.findall(r"`([^`]+)`", text))


def commands() -> list[tuple[str, str]]:
    found = {
        (page.name, line.removeprefix("$ ").strip())
        for page in PAGES
        for line in code_in(page)
        if re.match(r"\s*(\$ )?kferry [a-z-]", line) and not line.startswith("kferry demo:")
    }
    return sorted(found)


@functools.cache
def help_of(*path: str) -> str:
    shown = io.StringIO()
    with redirect_stdout(shown), suppress(SystemExit):
        command_line.main([*path, "--help"])
    return shown.getvalue()


def named_in(shown: str) -> set[str]:
    return set(re.findall(r"^  ([a-z][a-z-]*):", shown, re.MULTILINE))


def options_in(shown: str) -> set[str]:
    heads = [line.partition(":")[0] for line in shown.splitlines() if line.startswith("  -")]
    return set(_OPTION.findall(" ".join(heads)))


def has_commands(*path: str) -> bool:
    return "COMMAND" in help_of(*path).splitlines()[0]


def works_alone(*path: str) -> bool:
    """Whether a command with subcommands does something itself, as `verify` does."""
    return "[OPTIONS]" in help_of(*path).splitlines()[0]


def every_help() -> Iterator[str]:
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        path = waiting.pop()
        shown = help_of(*path)
        # A word before a colon may be one of a sentence, and no command.
        if not shown.startswith(" ".join(("Usage: kferry", *path, ""))):
            continue
        yield shown
        if has_commands(*path):
            waiting += [(*path, name) for name in named_in(shown)]


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


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_and_option_that_is_shown_exists(page: str, line: str) -> None:
    words = line.split("  #", maxsplit=1)[0].replace("…", " ").split()[1:]
    paths: list[tuple[str, ...]] = [()]
    while words and has_commands(*paths[0]) and words[0][0] != "-":
        names = words.pop(0).split("|")
        for name in names:
            assert name in named_in(help_of(*paths[0])), f"{page}: {line}"
        paths = [(*paths[0], name) for name in names]
    # `kferry inspect …` means all of them
    if paths[0] and has_commands(*paths[0]) and not works_alone(*paths[0]):
        paths = [(*paths[0], name) for name in named_in(help_of(*paths[0]))]
    # What follows the class of `sandbox run` belongs to that class.
    rest = " ".join(words).split("CLASS")[0]
    known = set.intersection(*(options_in(help_of(*path)) for path in paths))
    assert set(_OPTION.findall(rest)) <= known, f"{page}: {line}"


def test_commands_are_found_in_every_form_of_code() -> None:
    found = [line for _, line in commands()]
    assert "kferry demo" in found  # fenced, behind a prompt
    assert any(line.startswith("kferry control rate 20MiB/s") for line in found)  # indented
    assert "kferry inspect" in found  # within a sentence
    assert any("--until-caught-up --rate" in line for line in found)  # over two lines


def test_every_option_named_alone_belongs_to_some_command() -> None:
    known = SPELLINGS.union(*map(options_in, every_help()))
    named = {
        option
        for page in PAGES
        for line in code_in(page)
        if line.startswith("-")
        for option in _OPTION.findall(line)
    }
    assert len(named) > 20
    assert named - known == set()


def examples() -> list[str]:
    return [
        block[2]
        for page in PAGES
        for block in _FENCED.finditer(page.read_text())
        if block[1] == "yaml"
    ]


@pytest.mark.parametrize("example", examples())
def test_every_example_of_a_migration_file_is_one(tmp_path: Path, example: str) -> None:
    (tmp_path / "source.properties").write_text("client.rack=a\n")
    path = tmp_path / "kferry.yaml"
    path.write_text(example)
    file = load_migration_file(path, environment={"KAFKA_PASSWORD": "secret"})
    assert file.source is not None
    assert file.target is not None


def test_every_key_that_scripts_may_read_is_documented() -> None:
    documented = set(re.findall(r"[`\"](\w+)[`\"]", (DOCS / "copy.md").read_text()))
    result = result_json(CopyResult(migration="m", exit_code=ExitCode.DONE))
    keys = {*result, *result["skipped"]}
    for kind in (Snapshot, TopicProgress, Stopped, Gap, Arrived):
        keys |= {field.name for field in dataclasses.fields(kind)}
    assert keys - documented == set()


def test_every_reason_for_a_partition_to_stop_is_documented() -> None:
    written = "\n".join(
        file.read_text()
        for room in ("copying", "migration")
        for file in (ROOT / "src" / "kferry" / room).glob("*.py")
    )
    codes = set(re.findall(r'\bcode="([a-z-]+)"', written))
    codes |= set(re.findall(r'\bCannotSettle\(\s*"([a-z-]+)"', written))
    assert len(codes) > 10
    assert codes - set(re.findall(r"`([a-z-]+)`", (DOCS / "copy.md").read_text())) == set()


def test_no_line_of_a_real_run_is_wider_than_a_terminal() -> None:
    runs = [
        block[2] for block in _FENCED.finditer((ROOT / "README.md").read_text()) if not block[1]
    ]
    assert any("exactly once" in run for run in runs)
    assert max(len(line) for run in runs for line in run.splitlines()) <= 100


def test_links_lead_to_pages_and_headings_that_are_there() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            if "://" in link:
                continue
            name, _, heading = link.partition("#")
            there = page if not name else page.parent / name
            assert there.exists(), f"{page.name}: {link}"
            assert not heading or heading in anchors(there), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
