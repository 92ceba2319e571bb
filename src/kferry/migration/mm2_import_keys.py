"""Keys of MirrorMaker 2 that kferry.yaml has no counterpart of, and why.

Owns the reasons. What is in no list here was not understood, and is said to be so.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Reason(NamedTuple):
    """Why a key leads to nothing; `decide` where somebody must think about it."""

    keys: re.Pattern[str]
    text: str
    decide: bool = False


def _reason(keys: str, text: str, *, decide: bool = False) -> Reason:
    return Reason(re.compile(keys), text, decide)


_ITS_OWN_CLIENTS = "tunes the clients of MirrorMaker 2; kferry has its own"
REASONS: Sequence[Reason] = (
    _reason(
        r"transforms(\..*)?|predicates(\..*)?",
        "changes records on their way, which kferry never does: applications on the target will "
        "see them as they are on the source",
        decide=True,
    ),
    _reason(
        r"(topic|group|config\.property)\.filter\.class",
        "code of your own decides what is meant; say it with `topics.include` and its like",
        decide=True,
    ),
    _reason(
        r"forwarding\.admin\.class",
        "code of your own creates topics; `kferry plan --as-commands` prints what to create",
        decide=True,
    ),
    _reason(
        r"errors\..*",
        "kferry leaves no record out: a partition that cannot go on stops and says why",
        decide=True,
    ),
    _reason(
        r"(offset-syncs|checkpoints|heartbeats)\.topic\..*|(offset|status|config)\.storage\..*"
        r"|.*internal\.topic\.separator\.enabled|replication\.policy\.internal\..*",
        "is about topics in which MirrorMaker 2 keeps its state; kferry has one, see `ledger`",
    ),
    _reason(
        r"emit\..*|(heartbeat|checkpoint)s?\..*",
        "is about heartbeats and checkpoints; how far kferry is, `kferry status` says",
    ),
    _reason(
        r"refresh\..*|sync\..*\.interval\.seconds|sync\..*\.interval\.ms",
        "says how often MirrorMaker 2 looks again; kferry has no such interval",
    ),
    _reason(r"offset\.lag\.max", "sets how far positions may be off; those of kferry are exact"),
    _reason(
        r"(.*\.)?exactly\.once\..*|transaction\.boundary.*",
        "turns on what kferry does in any case: every record arrives exactly once",
    ),
    _reason(
        r"use\.incremental\.alter\.configs",
        "chooses a way to write configs; kferry takes the one that the target offers",
    ),
    _reason(
        r"use\.defaults\.from",
        "is about configs that are not set on a topic; kferry leaves those to the target",
    ),
    _reason(r"(.*\.)?producer\.compression\.type", "batches keep the compression that they have"),
    _reason(r"(.*\.)?(producer|consumer|admin)(\.override)?\..*", _ITS_OWN_CLIENTS),
    _reason(
        r"(consumer\.poll|admin|.*)\.timeout\.(ms|millis)|client\.id|client\.dns\.lookup"
        r"|.*\.backoff(\.max)?\.ms|(send|receive)\.buffer\.bytes|connections\.max\.idle\.ms"
        r"|metadata\.(max\.age|recovery.*).*",
        _ITS_OWN_CLIENTS,
    ),
    _reason(
        r"metrics?\..*|metric\.reporters|auto\.include\.jmx\.reporter|add\.source\.alias\..*",
        "is about the metrics of MirrorMaker 2",
    ),
    _reason(
        r"tasks\.max.*|.*\.threads|name|connector\.class|(key|value|header)\.converter(\..*)?"
        r"|plugin\.(path|discovery)|listeners.*|rest\..*|dedicated\..*|group\.id|worker\..*"
        r"|config\.providers(\..*)?|connect\..*|scheduled\.rebalance\..*|offset\.flush\..*"
        r"|task\.shutdown\..*|topic\.creation\..*|internal\..*|config\.action\.reload"
        r"|response\.http\..*|topic\.tracking\..*",
        "belongs to the Connect workers that run MirrorMaker 2; kferry needs none",
    ),
)


def reason_for(key: str) -> Reason | None:
    """Return why a key, without its cluster or flow, has no counterpart."""
    return next((one for one in REASONS if one.keys.fullmatch(key)), None)
