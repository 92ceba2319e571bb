"""`kferry plan` and `apply` as scripts run them, and what an official client finds afterwards."""

from copying import Ended, ended, kferry, sides

from kferry.sandbox import Sandbox


def plan(sandbox: Sandbox, *arguments: str, migration: str) -> Ended:
    """Plan; the answer is one object."""
    done = ended(kferry("plan", *sides(sandbox), "-m", migration, "--json", *arguments))
    # Wrong usage has no answer; anything else is one object.
    assert (done.code, len(done.lines)) in {(0, 1), (3, 1), (5, 1), (2, 0)}, done.said
    return done


def apply(sandbox: Sandbox, *arguments: str, migration: str) -> Ended:
    """Apply without a question."""
    return ended(kferry("apply", *sides(sandbox), "-m", migration, "--json", "--yes", *arguments))


def names(done: Ended, action: str, kind: str = "topic") -> list[str]:
    """Return what an answer names of one action and kind."""
    return sorted(one["name"] for one in done.result[action] if one["kind"] == kind)


def only(done: Ended, action: str) -> dict[str, str]:
    """Return the reason of each topic of one action; there must be none of another."""
    others = {"create", "change", "same", "conflict", "left_behind"} - {action}
    assert not any(names(done, other) for other in others), done.result
    return {one["name"]: one["reason"] for one in done.result[action] if one["kind"] == "topic"}
