"""TLS on both sides, beside plain text: what encryption costs each of them."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import throughput
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Contender, Ratio, Result
from kferry.sandbox import Security

_RECIPE = loads.Recipe(
    what="2 M of 100 B, lz4, 64 KiB batches",
    records=2_000_000,
    make=loads.noise(8, 92),
    batch_bytes=64 << 10,
    codec="lz4",
)


def run(options: Options) -> Sequence[Result]:
    plain, encrypted = (
        _contest(security).run(options) for security in (Security.PLAINTEXT, Security.SSL)
    )
    return [*plain, *encrypted, *_cost(plain, encrypted)]


def _contest(security: Security) -> Contest:
    named = "TLS" if security is Security.SSL else "plain text"
    programs = [contenders.kferry(), contenders.mirror_maker_2(), contenders.ceiling()]
    return Contest(
        recipe=_RECIPE,
        programs=[contenders.renamed(one, f"{one.name}, {named}") for one in programs],
        goals=[throughput(None)],
        security=security,
    )


def _cost(plain: Sequence[Result], encrypted: Sequence[Result]) -> list[Ratio]:
    pairs = zip(_contenders(plain), _contenders(encrypted), strict=True)
    return [
        Ratio(
            what=f"throughput, against plain text: {after.name}",
            value=before.medians["copying"] / after.medians["copying"],
        )
        for before, after in pairs
    ]


def _contenders(results: Sequence[Result]) -> list[Contender]:
    return [one for one in results if isinstance(one, Contender)]
