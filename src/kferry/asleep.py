"""Packages of which we take a part, without waiting for the rest.

Owns one trick: the front door of a package (its `__init__`) is not run when only rooms behind it
are entered. kafka-python's and aiokafka's bring whole clients, a third of the time that a command
takes to start (measured). Who asks such a package for anything of its own gets all of it, as ever.
"""

import importlib.util
import sys
from types import ModuleType
from typing import Any


def leave_asleep(*packages: str) -> None:
    """Let rooms of these packages be imported without their fronts, until somebody wants those."""
    for name in packages:
        if name not in sys.modules and (module := _asleep(name)) is not None:
            sys.modules[name] = module


def _asleep(name: str) -> ModuleType | None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None or not spec.submodule_search_locations:
        return None
    loader = spec.loader
    module = importlib.util.module_from_spec(spec)

    def wake(attribute: str) -> Any:
        """Run the front door; what Python asks every module for is no reason to."""
        if attribute.startswith("__"):
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        del module.__dict__["__getattr__"]
        loader.exec_module(module)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = wake
    return module
