"""The compiled loops, loaded when a rule first runs: listing rules and their parameters must not wait for a compiler.

What it cannot tell you: nothing by itself.
"""

from __future__ import annotations

from types import ModuleType


def kernels() -> ModuleType:
    """The module :mod:`vsa.rules.kernels`."""
    from vsa.rules import kernels as compiled

    return compiled
