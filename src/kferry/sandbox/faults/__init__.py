"""Faults on command: brokers that die, leaders that move, logs that shrink, lines that break.

Owns how a sandbox is broken. What kferry makes of it is for tests to see.
"""

from kferry.sandbox.faults.brokers import find, restart
from kferry.sandbox.faults.lane import Way
from kferry.sandbox.faults.leaders import move_leader
from kferry.sandbox.faults.relay import Relay, address_map_line

__all__ = [
    "Relay",
    "Way",
    "address_map_line",
    "find",
    "move_leader",
    "restart",
]
