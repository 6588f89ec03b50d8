"""Shares among units that come in clusters: several passages of one person, several alerts of one camera.

Forty false alerts of one broken lamp are not forty chances. What is independent is the lamp, the person, the incident:
the interval must count those.

What it cannot tell you: which clusters matter. Rows grouped by person may still depend on each other by day or by
street; take the coarsest grouping that can be defended. With fewer than ten clusters no interval is of much use.

References
----------
.. [1] Korn & Graubard (1998), "Confidence intervals for proportions with small expected number of positive counts
   estimated from survey data", Survey Methodology 24(2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from fairness._checks import check_level
from fairness.rates import beta_bounds
from fairness.serial import Dependent


def cluster_rate_interval(
    *, events: npt.ArrayLike, trials: npt.ArrayLike, clusters: npt.ArrayLike, level: float = 0.95
) -> Dependent:
    """Share of trials that are events when trials come in clusters (person, camera, incident), exact-style.

    Parameters
    ----------
    events, trials : array-like of int, shape (n,)
        Counts per row; a row is one trial, one person, one camera-day…
    clusters : array-like, shape (n,)
        Rows with the same label are not independent of each other. Clusters are.
    level : float, default=0.95

    Returns
    -------
    Dependent
        ``interval.n`` is the number of trials. Not estimable with no trial, or with fewer than two clusters.

    Raises
    ------
    ParameterError
        If lengths differ or a count is negative or above its trials.

    Notes
    -----
    Korn and Graubard: Clopper–Pearson on an effective number of trials, the number given divided by the design effect,
    shrunk for few clusters by squared Student quantiles. With no event at all (or nothing but events) the design
    effect cannot be measured: the clusters are then taken as single trials, the most that can be feared.

    Examples
    --------
    No false alert in 400 passages of ten people is nearer to 0 of 10 than to 0 of 400:

    >>> ten = cluster_rate_interval(events=[0] * 400, trials=[1] * 400, clusters=list(range(10)) * 40)
    >>> ten.interval.estimate, round(ten.interval.high, 3)
    (0.0, 0.308)
    """
    where, method = "cluster_rate_interval", "korn-graubard"
    check_level(level, where)
    part, whole = np.asarray(events, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    labels = pd.Series(np.asarray(clusters))
    if not part.shape == whole.shape == labels.shape or part.ndim != 1:
        raise bad_parameter(
            name="events, trials, clusters", where=where, must="of the same length", got=(part.shape, labels.shape)
        )
    if not bool(((part >= 0) & (part <= whole)).all()):
        raise bad_parameter(
            name="events", where=where, must="between 0 and `trials`, everywhere", got=part.tolist()[:5]
        )
    used = whole > 0
    code = pd.factorize(labels[used])[0]
    k, n = np.bincount(code, part[used]), np.bincount(code, whole[used])
    total, seen, groups = float(n.sum()), float(k.sum()), len(n)
    if groups < 2:
        return Dependent(Interval.not_estimable(n=int(total), method=method, level=level), None, None, groups)
    rate = seen / total
    if seen in (0.0, total):
        effective = float(groups)
    else:
        variance = groups / (groups - 1) * float(((k - rate * n) ** 2).sum()) / total**2
        design = variance / (rate * (1 - rate) / total)
        tail = (1 - level) / 2
        shrink = (float(stats.t.isf(tail, total - 1)) / float(stats.t.isf(tail, groups - 1))) ** 2
        effective = min(total, shrink * total / max(design, 1e-12))
    low, high = (float(bound) for bound in beta_bounds(rate * effective, effective, level))
    interval = Interval(rate, min(low, rate), max(high, rate), int(total), method, level)
    return Dependent(interval, effective, None, groups)
