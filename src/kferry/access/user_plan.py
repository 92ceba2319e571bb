"""What becomes of the source's SCRAM users on the target.

Owns the difference, by name and mechanism. Pure, and knows no password: only who has one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kferry.access.inventory import User
from kferry.access.work import UserWork, user_as_work
from kferry.admin.users import ITERATIONS, Credential, knows_mechanism
from kferry.config.plan_settings import AccessWishes
from kferry.plans import Action, Item

USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """Who has a password, and where it comes from."""

    known: Collection[str] = ()
    """Users of the target, as the secrets file names them."""
    trouble: str = ""
    """Why the file cannot be read."""


def plan_users(
    source: Sequence[User],
    target: Sequence[User],
    *,
    wishes: AccessWishes,
    passwords: Passwords,
    encrypted: bool = True,
) -> list[Item]:
    """Compare the users of both sides. `encrypted`: whether the target's connection is."""
    there = {user.name: user.credentials for user in target}
    called: dict[str, list[User]] = {}
    for user in source:
        called.setdefault(wishes.user(user.name), []).append(user)
    items = []
    for name, users in sorted(called.items()):
        if len(users) > 1:
            items.append(_clash(name, users))
        else:
            items.append(_item(name, users[0], there.get(name, ()), wishes, passwords))
    if encrypted:
        return items
    return [_in_the_clear(item) if item.work else item for item in items]


def _clash(name: str, users: Sequence[User]) -> Item:
    names = " and ".join(user.name for user in users)
    return Item(
        action=Action.CONFLICT,
        kind=USER,
        name=name,
        reason=f"{names} would both be called so; change `principals` in kferry.yaml",
    )


def _item(
    name: str,
    user: User,
    there: Sequence[Credential],
    wishes: AccessWishes,
    passwords: Passwords,
) -> Item:
    details = [f"{user.name} is called {name} on the target"] if name != user.name else []
    has = {one.mechanism: one for one in there}
    missing = [one for one in user.credentials if one.mechanism not in has]
    details += [
        f"{one.mechanism}: {has[one.mechanism].iterations:,} iterations there, "
        f"{one.iterations:,} on the source"
        for one in user.credentials
        if one.mechanism in has and has[one.mechanism].iterations != one.iterations
    ]
    if not missing:
        return Item(action=Action.SAME, kind=USER, name=name, details=tuple(details))
    strange = [one.mechanism for one in missing if not knows_mechanism(one.mechanism)]
    why = _cannot(name, strange, wishes, passwords)
    if why:
        return Item(
            action=Action.LEFT_BEHIND, kind=USER, name=name, reason=why, details=tuple(details)
        )
    wanted, more = _fitted(missing)
    password = "from" if name in passwords.known else "made up, and written to"
    details += [*(f"{one.mechanism}, {one.iterations:,} iterations" for one in wanted), *more]
    return Item(
        action=Action.CHANGE if has else Action.CREATE,
        kind=USER,
        name=name,
        reason=f"{' and '.join(one.mechanism for one in wanted)} as well" if has else "",
        details=(*details, f"password: {password} {wishes.secrets_file}"),
        work=user_as_work(UserWork(user=name, credentials=wanted)),
    )


def _cannot(name: str, strange: list[str], wishes: AccessWishes, passwords: Passwords) -> str:
    if strange:
        return f"this kferry does not know {', '.join(strange)}"
    if name in passwords.known:
        return ""
    if passwords.trouble:
        return passwords.trouble
    if wishes.secrets_file is None:
        return "its password cannot be read from the source, and no secrets file is named"
    if wishes.generate_passwords:
        return ""
    return f"its password cannot be read from the source, and {wishes.secrets_file} has none"


def _fitted(wanted: Sequence[Credential]) -> tuple[tuple[Credential, ...], list[str]]:
    """Bring iterations to what brokers take."""
    fitted, notes = [], []
    for one in wanted:
        iterations = min(max(one.iterations, ITERATIONS[0]), ITERATIONS[-1])
        if iterations != one.iterations:
            notes.append(
                f"{one.mechanism}: {one.iterations:,} iterations become {iterations:,}, "
                "the nearest that brokers take"
            )
        fitted.append(Credential(mechanism=one.mechanism, iterations=iterations))
    return tuple(fitted), notes


def _in_the_clear(item: Item) -> Item:
    warning = "the connection to the target is not encrypted: who listens could log in as this user"
    return Item(
        action=item.action,
        kind=item.kind,
        name=item.name,
        reason=item.reason,
        details=(*item.details, warning),
        work=item.work,
        after=item.after,
    )
