"""Exact intervals of a share and of a rate, for scores that count boxes, events or alerts.

What it cannot tell you: both take what they count as independent. Boxes of one person in successive frames are not;
take the bootstrap by scene where there is one.

References
----------
.. [1] Clopper & Pearson (1934), "The use of confidence or fiducial limits", Biometrika 26(4).
.. [2] Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28(3/4).
.. [3] Hesterberg (2015), "What teachers should know about the bootstrap", The American Statistician 69(4).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval

LEVEL: Final = 0.95


def share_interval(*, events: int, trials: int, level: float = LEVEL) -> Interval:
    """Share of ``trials`` that are ``events``, with Clopper and Pearson's interval; not estimable without trials.

    Raises
    ------
    ParameterError
        If ``events`` is not between 0 and ``trials``, or ``level`` not in (0, 1).

    Examples
    --------
    >>> none = share_interval(events=0, trials=40)
    >>> none.estimate, round(none.high, 3)
    (0.0, 0.088)
    """
    _check_level(level, "share_interval")
    if not 0 <= events <= trials:
        raise bad_parameter(name="events", where="share_interval", must=f"between 0 and {trials}", got=events)
    method = "clopper-pearson"
    if trials == 0:
        return Interval.not_estimable(method=method, level=level)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(special.betaincinv(events, trials - events + 1, tail))
    high = 1.0 if events == trials else float(special.betaincinv(events + 1, trials - events, 1 - tail))
    return Interval(events / trials, low, high, trials, method, level)


def rate_interval(*, events: int, exposure: float, level: float = LEVEL) -> Interval:
    """Events per unit of ``exposure``, with Garwood's exact interval; not estimable when nothing was exposed.

    Raises
    ------
    ParameterError
        If ``events`` is negative, ``exposure`` negative or not finite, or ``level`` not in (0, 1).

    Examples
    --------
    >>> round(rate_interval(events=0, exposure=1.0).high, 3)
    3.689
    """
    _check_level(level, "rate_interval")
    if events < 0 or not (np.isfinite(exposure) and exposure >= 0):
        raise bad_parameter(
            name="events, exposure", where="rate_interval", must="finite and not negative", got=(events, exposure)
        )
    method = "poisson-exact"
    if exposure == 0:
        return Interval.not_estimable(n=events, method=method, level=level)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(special.gammaincinv(events, tail))
    high = float(special.gammaincinv(events + 1, 1 - tail))
    return Interval(events / exposure, low / exposure, high / exposure, events, method, level)


def percentile_interval(
    estimate: float | None, replicates: npt.NDArray[np.float64], *, n: int, level: float = LEVEL
) -> Interval:
    """Percentile interval of bootstrap ``replicates`` (NaN: a draw that had nothing to measure), round ``estimate``.

    Not estimable without an estimate, with fewer than two units, or if half of the draws measured nothing.
    """
    _check_level(level, "percentile_interval")
    known = replicates[np.isfinite(replicates)]
    if estimate is None or not np.isfinite(estimate) or n < 2 or 2 * len(known) < len(replicates) or not len(known):
        return Interval.not_estimable(n=n, method="cluster-bootstrap", level=level)
    # Read further out than the level says: few units understate their own spread (Hesterberg 2015).
    reach = float(-special.stdtrit(n - 1, (1 - level) / 2)) * float(np.sqrt(n / (n - 1)))
    tail = float(special.ndtr(-reach))
    low, high = (float(v) for v in np.quantile(known, [tail, 1 - tail]))
    return Interval(estimate, min(low, estimate), max(high, estimate), n, "cluster-bootstrap", level)


def _check_level(level: float, where: str) -> None:
    if not 0 < level < 1:
        raise bad_parameter(name="level", where=where, must="a share in (0, 1)", got=level, remedy="Write 0.95.")
