"""The report of `verify`: what was compared, and when, in a file with a checksum over itself.

Owns its form, its checksum, and reading it back: as an answer to show, and as the place where an
unfinished run goes on. Replaced as a whole, so that a kill leaves the one before.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from kferry import __version__
from kferry.errors import ExitCode, KferryError
from kferry.migration.verify_values import PartitionVerdict, VerifyResult
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.verify import Difference, Found, Tally

_FORM = 1
_COUNTS = tuple(field.name for field in fields(Tally))
_CHECKSUM = "sha256"
_MOST_BYTES = 1 << 30


class BadReport(KferryError):
    """A file that is no report, or not the one that was written."""

    code = "K460"
    exit_code = ExitCode.USAGE


class OtherReport(KferryError):
    """A report about something else."""

    code = "K461"
    exit_code = ExitCode.USAGE


def to_json(result: VerifyResult) -> dict[str, Any]:
    """Put an answer as scripts read it; all numbers are records if they do not say otherwise."""
    return {
        "migration": result.migration,
        "level": result.level,
        "both": result.both,
        **_tally_json(result.total),
        "complete": result.done,
        "source_cluster": result.source_id,
        "target_cluster": result.target_id,
        "began": result.began,
        "ended": result.ended,
        "bytes_read": result.bytes,
        "seconds": result.seconds,
        "partitions": [_partition_json(one) for one in result.partitions],
    }


def write_report(path: Path, result: VerifyResult) -> None:
    """Put a report in the place of the one before."""
    body = {"report": _FORM, "version": __version__, **to_json(result)}
    text = json.dumps({**body, _CHECKSUM: _checksum(body)}, indent=1, ensure_ascii=False)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise BadReport(
            f"the report {path} cannot be written",
            str(error),
            hint="name another file with --report",
        ) from None


def read_report(path: Path) -> VerifyResult:
    """Read a report back; one that was changed since is refused."""
    try:
        return _result(_body(path), path)
    except OSError as error:
        raise BadReport(
            f"{path} cannot be read", error.strerror or str(error), hint=_HINT
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadReport(f"{path} is no report that can be used", str(error), hint=_HINT) from None


def _body(path: Path) -> Mapping[str, Any]:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is too large")
    body = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(body, dict) or body.get("report") != _FORM:
        raise ValueError("it does not say that it is a report of `kferry verify`")
    said = body.pop(_CHECKSUM, None)
    if said != _checksum(body):
        raise ValueError("its checksum is another one: it was changed after it was written")
    return body


_HINT = "kferry verify --report FILE writes one"


def found_in(verdict: PartitionVerdict) -> Found:
    """Return what a report knows of a partition, so that a run goes on there."""
    return Found(
        source_to=verdict.source_range[1],
        tally=Tally(**{name: getattr(verdict.tally, name) for name in _COUNTS}),
        differences=list(verdict.differences),
        ours=set(verdict.producers),
        digest=verdict.digest,
        judged_to=verdict.judged_to,
    )


def _checksum(body: Mapping[str, Any]) -> str:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _tally_json(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in _COUNTS}


def _partition_json(one: PartitionVerdict) -> dict[str, Any]:
    first = one.first_difference
    return {
        "topic": one.partition.topic,
        "partition": one.partition.partition,
        **_tally_json(one.tally),
        "first_difference": None if first is None else _difference_json(first),
        "target_topic": one.target_topic,
        "source_topic_id": one.source_topic_id,
        "target_topic_id": one.target_topic_id,
        "complete": one.done,
        "source_range": list(one.source_range),
        "target_range": list(one.target_range),
        "not_copied": one.not_copied,
        "digest": f"{one.digest:08x}",
        "producers": list(one.producers),
        "judged_to": one.judged_to,
        "checked_at": one.checked_at,
        "differences": [_difference_json(found) for found in one.differences],
        "trouble": one.trouble,
    }


def _difference_json(found: Difference) -> dict[str, Any]:
    return found._asdict()


def _result(body: Mapping[str, Any], path: Path) -> VerifyResult:
    return VerifyResult(
        migration=str(body["migration"]),
        level=body["level"],
        both=bool(body["both"]),
        source_id=str(body["source_cluster"]),
        target_id=str(body["target_cluster"]),
        began=str(body["began"]),
        ended=str(body["ended"]),
        bytes=int(body["bytes_read"]),
        seconds=float(body["seconds"]),
        partitions=tuple(_verdict(one) for one in body["partitions"]),
        report=path,
    )


def _verdict(one: Mapping[str, Any]) -> PartitionVerdict:
    first, last = one["source_range"]
    target_first, target_last = one["target_range"]
    return PartitionVerdict(
        partition=TopicPartition(TopicName(one["topic"]), PartitionId(int(one["partition"]))),
        target_topic=TopicName(one["target_topic"]),
        source_topic_id=one["source_topic_id"],
        target_topic_id=one["target_topic_id"],
        tally=Tally(**{name: int(one[name]) for name in _COUNTS}),
        differences=tuple(Difference(**found) for found in one["differences"]),
        done=bool(one["complete"]),
        source_range=(int(first), int(last)),
        target_range=(int(target_first), int(target_last)),
        not_copied=int(one["not_copied"]),
        digest=int(one["digest"], 16),
        producers=tuple(map(int, one["producers"])),
        judged_to=int(one["judged_to"]),
        checked_at=str(one["checked_at"]),
        trouble=str(one["trouble"]),
    )
