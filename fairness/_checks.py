"""Checks of parameters shared by the modules of this package. Each ends in the house message, exit code 10.

What it cannot tell you: whether a number that passes is the right one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray

Values = Sequence[float] | npt.NDArray[np.floating] | npt.NDArray[np.integer]


def check_count(value: object, name: str, where: str) -> None:
    """Refuse what is not a whole number of at least 0."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or cast(int, value) < 0:
        raise bad_parameter(name=name, where=where, must="a whole number of at least 0", got=value)


def check_arm(events: int, trials: int, *, where: str, names: tuple[str, str] = ("events", "trials")) -> None:
    """Refuse a part greater than its whole."""
    check_count(events, names[0], where)
    check_count(trials, names[1], where)
    if events > trials:
        raise bad_parameter(
            name=names[0],
            where=where,
            must=f"at most `{names[1]}` ({trials})",
            got=events,
            remedy="A rate divides a part by its whole. For events per exposure use poisson_rate_interval.",
        )


def check_two(events: int, trials: int, other_events: int, other_trials: int, where: str) -> None:
    """Refuse either arm of a comparison if its part is greater than its whole."""
    check_arm(events, trials, where=where)
    check_arm(other_events, other_trials, where=where, names=("other_events", "other_trials"))


def check_level(level: float, where: str) -> None:
    """Refuse a confidence level out of (0, 1)."""
    if not 0 < level < 1:
        raise bad_parameter(
            name="level", where=where, must="a share in (0, 1)", got=level, remedy="Write 0.95 for 95 %."
        )


def check_open_share(value: float, name: str, where: str) -> None:
    """Refuse what is not strictly between 0 and 1."""
    if not 0 < value < 1:
        raise bad_parameter(name=name, where=where, must="a share in (0, 1)", got=value)


def check_choice(value: str, allowed: tuple[str, ...], where: str, *, name: str = "method") -> None:
    """Refuse a word that is not in the list."""
    if value not in allowed:
        raise bad_parameter(name=name, where=where, must="one of " + ", ".join(allowed), got=value)


def check_exposure(value: float, name: str, where: str) -> None:
    """Refuse an exposure that is negative or not finite. Zero is allowed: nothing was exposed."""
    if not (math.isfinite(value) and value >= 0):
        raise bad_parameter(name=name, where=where, must="a finite number of at least 0", got=value)


def check_values(values: Values, where: str, *, allow_inf: bool = False, name: str = "values") -> FloatArray:
    """Return the values as a flat float array, or refuse them."""
    data = np.asarray(values, dtype=np.float64)
    valid = ~np.isnan(data) & (data > -np.inf) if allow_inf else np.isfinite(data)
    if data.ndim != 1 or not bool(valid.all()):
        raise bad_parameter(name=name, where=where, must="a flat array of finite numbers", got=values)
    return data


def check_rng(rng: np.random.Generator | None, where: str, *, when: str) -> np.random.Generator:
    """Refuse a missing generator, and say how to make one."""
    if rng is None:
        raise bad_parameter(
            name="rng",
            where=where,
            must=f"a numpy Generator {when}",
            got=rng,
            remedy="Make one with contrechamp.domain.rng.stream(seed, name).",
        )
    return rng
