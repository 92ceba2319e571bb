"""Runbooks: schemes as data, and walking them forwards and back, gate by gate.

Owns the schemes and the walk. Talks to clusters through `Operations`, to people through an
`Operator`; knows neither protocol nor screen.
"""

from kferry.runbook.operations import Operations, Reading, Stopped
from kferry.runbook.operator import Operator
from kferry.runbook.record import Memory, Passed, Record, read_record, reading_json
from kferry.runbook.runner import Copying, Declined, GateShut, NoWayBack, Runner
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.steps import Handover, Hook, Scheme, Step

__all__ = [
    "SCHEMES",
    "Copying",
    "Declined",
    "GateShut",
    "Handover",
    "Hook",
    "Memory",
    "NoWayBack",
    "Operations",
    "Operator",
    "Passed",
    "Reading",
    "Record",
    "Runner",
    "Scheme",
    "Step",
    "Stopped",
    "read_record",
    "reading_json",
]
