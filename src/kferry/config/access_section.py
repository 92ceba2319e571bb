"""`access` of kferry.yaml: which rules, users and quotas go along, and what they are called there.

Owns the section's keys and what must hold between them. Reads no secret.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from kferry.config.plan_settings import AccessWishes, full_principal
from kferry.config.problems import Problems
from kferry.config.section import Section, Text

ACCESS_KEYS = (
    "acls",
    "principals",
    "hold_back_writes",
    "users",
    "secrets_file",
    "generate_passwords",
    "quotas",
)


def read_access(section: Section | None, problems: Problems, *, folder: Path) -> AccessWishes:
    """Read what shall become of access rules, users and quotas."""
    if section is None:
        return AccessWishes()
    file = section.text("secrets_file")
    generate = section.flag("generate_passwords") or False
    if generate and file is None:
        problems.add(
            section.line_of("generate_passwords"),
            "`access.generate_passwords` has no file to write them to",
            hint="add `secrets_file: users.properties`",
        )
    return AccessWishes(
        acls=section.flag("acls") is not False,
        users=section.flag("users") is not False,
        quotas=section.flag("quotas") is not False,
        principals=_principals(section.pairs("principals"), problems),
        hold_back_writes=section.flag("hold_back_writes") or False,
        secrets_file=None if file is None else folder / Path(file.text).expanduser(),
        generate_passwords=generate,
    )


def _principals(pairs: tuple[tuple[Text, Text], ...], problems: Problems) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for old, new in pairs:
        with problems.at(old.line):
            source = full_principal(old.text, where="`access.principals`")
            target = full_principal(new.text, where="`access.principals`")
            if names.setdefault(source, target) != target:
                problems.add(old.line, f"`{source}` has two names on the target")
    return MappingProxyType(names)
