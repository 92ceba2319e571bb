"""A cluster's layout as a file in its folder, for commands that come later.

Owns the format. Holds no secret.
"""

import json
from pathlib import Path

from kferry.sandbox.layout import Layout, arrange
from kferry.sandbox.spec import ClusterSpec, Security

_NAME = "layout.json"


def exists(folder: Path) -> bool:
    """Return whether the cluster in `folder` has been laid out."""
    return (folder / _NAME).exists()


def save(layout: Layout) -> None:
    """Write the layout into the cluster's folder."""
    spec = layout.spec
    content = {
        "version": spec.version,
        "brokers": spec.brokers,
        "security": spec.security,
        "broker_defaults": spec.broker_defaults,
        "extra": dict(spec.extra),
        "cluster_id": layout.cluster_id,
        "ports": layout.ports,
    }
    (layout.folder / _NAME).write_text(json.dumps(content, indent=1), encoding="utf-8")


def load(folder: Path) -> Layout:
    """Read the layout of the cluster in `folder`."""
    content = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    spec = ClusterSpec(
        version=content["version"],
        brokers=content["brokers"],
        security=Security(content["security"]),
        broker_defaults=content["broker_defaults"],
        extra=content["extra"],
    )
    return arrange(spec, folder, cluster_id=content["cluster_id"], ports=content["ports"])
