"""Two clusters of real Kafka brokers on this machine, without an installed Java or Kafka.

Owns everything from jars to running brokers. Talks to them through `wire`; knows no command.
"""

from kferry.sandbox import versions
from kferry.sandbox.broker import Broker
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.live.live import Live
from kferry.sandbox.live.spec import LiveSpec
from kferry.sandbox.overview import State, Status, look_at, look_at_all
from kferry.sandbox.sandbox import SIDES, Sandbox, stop
from kferry.sandbox.spec import ClusterSpec, Security
from kferry.sandbox.tools import run_tool, tool_command

__all__ = [
    "SIDES",
    "Broker",
    "Cluster",
    "ClusterSpec",
    "Live",
    "LiveSpec",
    "Sandbox",
    "Security",
    "State",
    "Status",
    "look_at",
    "look_at_all",
    "run_tool",
    "stop",
    "tool_command",
    "versions",
]
