"""The constant that makes an expected volume what a scenario says (bisection), and a draw by inversion of a law."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import ParameterError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def solve(expected: Callable[[float], float], *, target: float, what: str) -> float:
    """Find v ≥ 0 with ``expected(v) == target`` for a growing ``expected``.

    Parameters
    ----------
    expected : callable
        Expected volume at an eyesight v.
    target : float
    what : str
        Key of the scenario that asks for it.

    Raises
    ------
    ParameterError
        If the target is below ``expected(0)``, or no v reaches it.
    """
    least = expected(0.0)
    if least > target:
        raise ParameterError(
            f"The `{what}` value of the scenario must exceed what is known with no patrol at all. Got {target:.4g} "
            f"over the run for {least:.4g} without patrols. Raise it, or lower the `report_propensity` of the types."
        )
    high = 1e-6
    while expected(high) < target:
        high *= 2
        if high > 1e9:
            raise ParameterError(
                f"The `{what}` value of the scenario must be within reach of those who look. Got {target:.4g} over the "
                f"run; unlimited eyesight gives {expected(high):.4g}. Lower it, or raise the volume of what happens."
            )
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        if expected(middle) < target:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return high


def pick(law: FloatArray, *, size: int, rng: np.random.Generator) -> IntArray:
    """Draw ``size`` indices in proportion to non-negative weights, by inversion."""
    edges = np.cumsum(law)
    at = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(at, len(law) - 1), dtype=np.int64)
