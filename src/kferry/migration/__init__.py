"""Migrations: one function for each verb.

Owns what a verb does, in which order, on two clusters and a ledger. Knows nothing of how it looks.
"""

from kferry.migration.copy import copy
from kferry.migration.requests import (
    Arrived,
    Beginning,
    CopyRequest,
    CopyResult,
    FromEnd,
    OnGap,
    Pipelining,
    Since,
    Start,
    Unconsumed,
    Watch,
    Wish,
    WishKind,
)
from kferry.migration.status import control, follow_status, status

__all__ = [
    "Arrived",
    "Beginning",
    "CopyRequest",
    "CopyResult",
    "FromEnd",
    "OnGap",
    "Pipelining",
    "Since",
    "Start",
    "Unconsumed",
    "Watch",
    "Wish",
    "WishKind",
    "control",
    "copy",
    "follow_status",
    "status",
]
