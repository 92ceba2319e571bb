"""The look at both clusters before anything is done: can this migration work from here?

Owns what must hold and how each fact is judged. Writes nothing anywhere. Knows nothing of how
findings are shown.
"""

from kferry.preflight.check import CheckRequest, check
from kferry.preflight.findings import Finding, Report, Severity, Side

__all__ = ["CheckRequest", "Finding", "Report", "Severity", "Side", "check"]
