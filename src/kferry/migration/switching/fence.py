"""The fence: writing to the source's topics is forbidden, to each who may, but never to kferry.

Owns who is shut out, the order (written down, then made), that exactly what was made is taken away
again, and measuring whether it holds. It is one of the few things that kferry changes on a source,
and only for a cutover that was asked for one.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kferry.access import Acls, take_acls
from kferry.access.writers import EVERYBODY, denials, is_denied, unruled, writers
from kferry.admin.acls import Acl, acls_known_to, create_acls, delete_acls
from kferry.admin.cluster import cluster_operations
from kferry.admin.operations import Operation, Resource, grant
from kferry.admin.view import view_of
from kferry.errors import ExitCode, KferryError
from kferry.ledger import Entry, LedgerTopic, append
from kferry.migration.maps import read_documents
from kferry.migration.switching.fence_book import FENCE, FenceEntry, FenceWish, read_fence
from kferry.names import BrokerId, TopicName
from kferry.units import many, some
from kferry.wire import Cluster, WireError, at_every_broker
from kferry.wire.retry import Pauses

ANONYMOUS = "User:ANONYMOUS"
_NAMED = "name producers with --fence-principal User:NAME"
_SUPER_USERS = "no rule binds the source's super users: only silence tells that they have stopped"


class NoFence(KferryError):
    """A fence cannot be put up here."""

    code = "K261"
    exit_code = ExitCode.REFUSED


class NotLifted(KferryError):
    """Rules of the fence are still there."""

    code = "K262"
    exit_code = ExitCode.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Who would be shut out of what, and what stands against it."""

    authorizer: bool
    """False: nobody asks for rights here, and silence is all the fence there is."""
    shut_out: Mapping[str, tuple[TopicName, ...]]
    missing: tuple[Acl, ...] = ()
    """The rules that are not there yet."""
    remarks: tuple[str, ...] = ()
    refusal: str = ""
    could_write: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was measured of a fence that stands."""

    brokers: int
    lacking: tuple[str, ...]
    """What one broker or another does not know yet."""
    own_lost: bool
    """Whether kferry is shut out itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fence around some topics of a source, with its memory on the target."""

    source: Cluster
    target: Cluster
    ledger: LedgerTopic
    topics: tuple[TopicName, ...]
    wish: FenceWish
    keep: Callable[[Mapping[str, Any] | None], None]
    """Keeps beside the ledger what taking it back needs."""
    narrate: Callable[[str], None]

    async def whom(self) -> Whom:
        """Look at who would be shut out. Changes nothing."""
        return await look(self.source, self.topics, self.wish)

    async def put_up(self) -> None:
        """Forbid writing. What will be made is written down before it is made."""
        whom = await self.whom()
        if whom.refusal:
            raise NoFence("the fence cannot be put up", whom.refusal, changed="No rule was made.")
        if not whom.authorizer:
            return
        known = read_fence(await read_documents(self.target, self.ledger))
        before = () if known is None else known.rules
        entry = FenceEntry(
            rules=tuple(dict.fromkeys((*before, *whom.missing))),
            could_write=whom.could_write if known is None else known.could_write,
        )
        await append(self.target, self.ledger, 0, [entry.document()])
        self.keep(entry.value())
        refused = {
            rule: error
            for rule, error in (await create_acls(self.source, whom.missing)).items()
            if error is not None
        }
        if refused:
            raise NoFence(
                f"{len(refused):,} of {many(len(whom.missing), 'rule')} could not be made",
                "\n".join(f"{rule.principal}, {rule.name}: {e}" for rule, e in refused.items()),
                hint="mend it, then kferry cutover goes on",
            )

    async def measure(self, whom: Whom) -> Held:
        """Ask every broker whether it keeps everybody out."""
        pairs = [(name, topic) for name, topics in whom.shut_out.items() for topic in topics]

        async def ask(broker: BrokerId) -> list[str]:
            rules = await acls_known_to(self.source, broker)
            return [
                f"broker {broker} lets {name} write to {topic}"
                for name, topic in pairs
                if not is_denied(name, topic, rules)
            ]

        answers = await at_every_broker(self.source, ask)
        lacking: list[str] = []
        for broker, answer in answers.items():
            if isinstance(answer, WireError):
                lacking.append(f"broker {broker}: {answer}")
            else:
                lacking += answer
        known = read_fence(await read_documents(self.target, self.ledger))
        could = known is not None and known.could_write
        return Held(
            brokers=len(answers),
            lacking=tuple(lacking),
            own_lost=could and await may_write(self.source, self.topics) is False,
        )

    async def lift(self) -> None:
        """Take away exactly what was made, and forget it."""
        lifted = await lift_fence(self.source, await read_documents(self.target, self.ledger))
        if lifted is None:
            return
        await append(self.target, self.ledger, 0, [FORGOTTEN])
        self.keep(None)
        self.narrate(f"the fence is lifted: {many(len(lifted), 'rule')} taken away again")

    async def stands(self) -> bool:
        """Whether rules of ours are there, by what is written down."""
        return read_fence(await read_documents(self.target, self.ledger)) is not None


FORGOTTEN: Entry = (FENCE, None)
"""What the ledger gets once a fence is lifted."""


async def lift_fence(source: Cluster, documents: Mapping[str, Any]) -> tuple[Acl, ...] | None:
    """Take away the rules that documents say kferry made, and read it back; None: no fence stands.

    `documents`: those of the migration's ledger, or `{FENCE: …}` from an undo bundle. Whoever calls
    this with a ledger's appends `FORGOTTEN` to it afterwards.
    """
    known = read_fence(documents)
    if known is None:
        return None
    outcomes = await delete_acls(source, known.rules)
    refused = {rule: error for rule, error in outcomes.items() if error is not None}
    if refused:
        raise NotLifted(
            f"{len(refused):,} of {many(len(known.rules), 'rule')} could not be taken away",
            "\n".join(f"{rule.principal}, {rule.name}: {e}" for rule, e in refused.items()),
            hint="mend it and run this again; kferry inspect acls shows what is there",
        )
    await _until_gone(source, known.rules)
    return known.rules


async def _until_gone(source: Cluster, rules: Collection[Acl]) -> None:
    """Wait until no broker knows them any more: each learns of it in its time."""

    async def ask(broker: BrokerId) -> list[Acl]:
        return await acls_known_to(source, broker)

    pauses = Pauses(source.limits)
    while True:
        answers = await at_every_broker(source, ask)
        left = [
            f"broker {broker}: {found}" if isinstance(found, WireError) else f"broker {broker}"
            for broker, found in answers.items()
            if isinstance(found, WireError) or set(found) & set(rules)
        ]
        if not left:
            return
        if pauses.over:
            raise NotLifted(
                "rules of the fence are still known",
                "\n".join(left),
                hint="run this again; kferry inspect acls shows what is there",
            )
        await pauses.pause()


async def look(source: Cluster, topics: Collection[TopicName], wish: FenceWish) -> Whom:
    """Find who would be shut out, and whether that can be done. Changes nothing."""
    found = await take_acls(source)
    if found.authorizer is False:
        return Whom(authorizer=False, shut_out={})
    if refusal := await _hindrance(source, found, topics):
        return Whom(authorizer=True, shut_out={}, refusal=refusal)
    could = await may_write(source, topics)
    own = own_principal(source)
    known = writers(found.acls, topics)
    untold = _untold(known, own, could=could)
    if untold and not wish.principals:
        return Whom(authorizer=True, shut_out={}, refusal=f"{untold}; {_NAMED}")
    if never := _never(wish, own):
        return Whom(authorizer=True, shut_out={}, refusal=never)
    shut_out = {} if untold else {name: own_ for name, own_ in known.items() if name != own}
    remarks = [f"{untold}: only those that were named are shut out"] if untold else []
    if own in known and not untold:
        remarks.append(f"{own} is kferry's own and may write: whoever else uses it is not shut out")
    remarks.append(_SUPER_USERS)
    shut_out |= {name: tuple(topics) for name in wish.principals}
    return Whom(
        authorizer=True,
        shut_out=shut_out,
        missing=tuple(denials(shut_out, found.acls)),
        remarks=tuple(remarks),
        could_write=could is True,
    )


async def _hindrance(source: Cluster, found: Acls, topics: Collection[TopicName]) -> str:
    """Say why no rule can be made here, or must not be."""
    if found.gaps or found.authorizer is None:
        gap = found.gaps[0]
        return f"the rules cannot be seen: {gap.reason}" + (f"; {gap.hint}" if gap.hint else "")
    operations = await cluster_operations(source)
    if operations is not None and Operation.ALTER not in operations:
        who = (await view_of(source)).principal
        return (
            f"{who} lacks Alter on the source's cluster; "
            f"{grant(who, Operation.ALTER, Resource.CLUSTER)}"
        )
    bare = unruled(found.acls, topics)
    if bare:
        # Brokers keep allow.everyone.if.no.acl.found to themselves (measured, 3.9 and 4.3).
        return (
            f"no rule is about {some(bare)}: where allow.everyone.if.no.acl.found is set, the "
            "first one would shut out everybody, readers and kferry with them; where it is not, "
            "nobody but super users can write. Give these topics rules that allow what is needed, "
            "or go without --fence"
        )
    return ""


def _never(wish: FenceWish, own: str | None) -> str:
    for name in wish.principals:
        if name == EVERYBODY:
            return f"{name} is everybody, and kferry with them"
        if name == own:
            return f"{name} is kferry itself, which is never shut out"
    return ""


def _untold(known: Collection[str], own: str | None, *, could: bool | None) -> str:
    """Say why those who write cannot be told apart."""
    if EVERYBODY in known:
        return f"{EVERYBODY} may write to these topics, and that is everybody"
    if own == ANONYMOUS:
        return f"kferry is {ANONYMOUS} here, and so may producers be"
    if own is None and could is not False:
        return "which principal kferry itself is cannot be told here"
    return ""


def own_principal(cluster: Cluster) -> str | None:
    """Return who we are to a cluster; None where only the brokers know."""
    settings = cluster.settings
    if settings.sasl is not None:
        simple = settings.sasl.mechanism.startswith(("PLAIN", "SCRAM-"))
        return f"User:{settings.sasl.username}" if simple else None
    return ANONYMOUS if settings.tls.certificate is None else None


async def may_write(cluster: Cluster, topics: Collection[TopicName]) -> bool | None:
    """Whether we may write to any of these; None where brokers do not tell (before 2.3)."""
    metadata = await cluster.refresh(set(topics), operations=True)
    told = [metadata.topics[name].operations for name in topics if name in metadata.topics]
    if any(one is None for one in told):
        return None
    return any(Operation.WRITE in one for one in told if one is not None)
