"""Batches from the source to the target, exactly once.

Owns the flow: reading, what is made of batches, writing, settling, checkpoints. It is given lanes;
which topics are wanted, and what is shown of it, is decided elsewhere.
"""

from kferry.copying.budget import Bucket, Budget
from kferry.copying.documents import (
    BadDocument,
    Position,
    count_positions,
    partition_of,
    position_key,
    read_all_runs,
    read_digests,
    read_position,
    read_runs,
    resumed_digests,
    runs_key,
    whole_map,
)
from kferry.copying.engine import Clusters, Engine, Settings
from kferry.copying.item import Rules
from kferry.copying.keeper import OWNER, SNAPSHOT, Keeper, Slot
from kferry.copying.lane import Gap, Lane, Phase, Trouble
from kferry.copying.lease import Lease

__all__ = [
    "OWNER",
    "SNAPSHOT",
    "BadDocument",
    "Bucket",
    "Budget",
    "Clusters",
    "Engine",
    "Gap",
    "Keeper",
    "Lane",
    "Lease",
    "Phase",
    "Position",
    "Rules",
    "Settings",
    "Slot",
    "Trouble",
    "count_positions",
    "partition_of",
    "position_key",
    "read_all_runs",
    "read_digests",
    "read_position",
    "read_runs",
    "resumed_digests",
    "runs_key",
    "whole_map",
]
