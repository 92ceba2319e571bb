"""Whether what arrived is what was sent: both logs compared, record for record.

Owns the comparing and the counts. Reads both sides with a reader of its own, apart from the copy's.
Writes nothing, and knows neither ledgers nor command lines.
"""

from kferry.verify.compare import Difference, Tally
from kferry.verify.comparison import MOST_DIFFERENCES, Found, Suspect
from kferry.verify.counts import count
from kferry.verify.job import Job
from kferry.verify.partition import Sides, Task
from kferry.verify.throttle import Throttle

__all__ = [
    "MOST_DIFFERENCES",
    "Difference",
    "Found",
    "Job",
    "Sides",
    "Suspect",
    "Tally",
    "Task",
    "Throttle",
    "count",
]
