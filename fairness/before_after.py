"""Did it fall because of the cameras? Before/after, against other streets, and after a draw by lot.

Estimates of one effect: the change where cameras are, and nothing else; that change against the other streets, from the
year by which streets were chosen or from the one before it; that change against streets that lost the draw.

What it cannot tell you: other streets are a comparison only if nothing else sets them apart. Streets beside cameras
that receive what is displaced make a poor one, and the draw by lot does not mend that.

References
----------
.. [1] Barnett, van der Pols & Dobson (2005), "Regression to the mean", Int. J. Epidemiology 34(1),
   doi:10.1093/ije/dyh299.
.. [2] Card & Krueger (1994), American Economic Review 84(4) (differences in differences).
.. [3] Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15 (equivalence by two one-sided tests).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from fairness._checks import check_level

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Changes:
    """One estimate a world, as shares: -0.13 is a fall of 13 %.

    Attributes
    ----------
    estimate, low, high : ndarray of shape (n_worlds,)
        NaN where a side counted nothing.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray


def naive_change(counts: Counts, treated: Mask) -> FloatArray:
    """Change of the treated streets' total from the year before to the year after, shape (n_worlds,)."""
    before = (counts[..., -2] * treated).sum(axis=1)
    after = (counts[..., -1] * treated).sum(axis=1)
    return np.asarray(np.where(before > 0, after / np.maximum(before, 1) - 1, np.nan))


def controlled_change(
    counts: Counts, treated: Mask, controls: Mask, *, since: int = -2, level: float = 0.95
) -> Changes:
    """Change of the treated against the controls', as a ratio of ratios minus 1, with an interval.

    Parameters
    ----------
    counts : ndarray of shape (n_worlds, n_streets, n_years)
    treated, controls : ndarray of shape (n_worlds, n_streets), bool
    since : int, default=-2
        Year compared with the last one. A year other than the one by which streets were chosen is not drawn up by it.
    level : float, default=0.95

    Notes
    -----
    Variance by linearisation of the log of each ratio over streets, Student quantiles with the degrees of freedom of
    the smaller side. With few streets it is a rough interval: its coverage is measured, not assumed.
    """
    check_level(level, "controlled_change")
    inside, df_in = _log_ratio(counts, treated, since)
    outside, df_out = _log_ratio(counts, controls, since)
    estimate = inside[0] - outside[0]
    reach = stats.t.ppf((1 + level) / 2, np.maximum(np.minimum(df_in, df_out), 1)) * np.sqrt(inside[1] + outside[1])
    return Changes(np.expm1(estimate), np.expm1(estimate - reach), np.expm1(estimate + reach))


def correlation_test(counts: Counts, treated: Mask) -> tuple[FloatArray, FloatArray]:
    """Correlation, over streets, of having cameras with the change in the log count; and its two-sided p-value."""
    change = np.log((counts[..., -1] + 0.5) / (counts[..., -2] + 0.5))
    x = treated - treated.mean(axis=1, keepdims=True)
    y = change - change.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # where nothing changes anywhere there is no correlation: NaN
        r = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    df = treated.shape[1] - 2
    t = r * np.sqrt(df / np.maximum(1 - r**2, 1e-12))
    return np.asarray(r), np.asarray(2 * stats.t.sf(np.abs(t), df))


def _log_ratio(counts: Counts, mask: Mask, since: int) -> tuple[tuple[FloatArray, FloatArray], Any]:
    """Log of total after over total before, its variance over streets, and its degrees of freedom."""
    before, after = counts[..., since] * mask, counts[..., -1] * mask
    a, b = before.sum(axis=1, keepdims=True), after.sum(axis=1, keepdims=True)
    n = mask.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(b / a)[:, 0]
        part = np.where(mask, after / b - before / a, 0.0)
    value = np.where(np.isfinite(value), value, np.nan)
    variance = (part**2).sum(axis=1) * n / np.maximum(n - 1, 1)
    return (value, variance), n - 1
