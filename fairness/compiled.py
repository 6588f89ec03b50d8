"""Compile a plain loop over arrays, keeping its type for the checker.

The loops of :mod:`fairness.walk` and :mod:`fairness.limits` are written one number at a time because each day depends
on the day before. Compiled, they run at the speed of arithmetic; they release the interpreter's lock, so threads share
the work; and the machine code is kept beside the module for the next process.

What it cannot tell you: nothing; it changes how fast a number comes, not the number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., object])


def compiled(function: _F) -> _F:
    """Return ``function``, compiled by numba on its first call."""
    return cast(_F, numba.njit(cache=True, nogil=True)(function))
