r"""Risk-terrain model: which kinds of places go with more records around them, and a map made of those alone.

The records of the window are counted by cell and explained by the layers of places through a sparse Poisson regression.
Layers that do not help to rank cells *elsewhere* are dropped; each that stays has a *relative risk value*, by how much
the expected records are multiplied where the layer is one standard deviation higher. It is the method sold as RTM: a
selection by penalty, then a Poisson regression on what was selected. The map does not look at where the last records
were, only at where things stand.

What it cannot tell you: that bars bring incidents. A kind of place where patrols are posted, or from which people
report, has a high relative risk with nothing happening there; and of two kinds that stand side by side the model keeps
one. The value of a layer that was kept because it looked strong is on average too high: nothing here corrects for the
choice. On 2 000 cells and 4 000 records that two of eight smooth layers drive, both were kept in 50 cities of 50, and
0.7 % of the others with them. With none at work 4 % of the layers are kept, in one city out of six at least one. Where
something that is on no layer varies smoothly over the city (a spread of 0.5 in the log), it is 10 %, and 15 % beside
true ones: a layer that looks alike by chance stands in for it.

Notes
-----
With :math:`z_{ij}` the standardised layers and :math:`s_i` the cell's share of the records of the window,
:math:`s_i\propto e^{z_i\cdot b}`. The penalty is chosen by cross-validation on square blocks of ``block_m`` dealt to
``folds`` folds along diagonals, without chance: what is next door shares bars *and* records, so cells drawn singly
would let the answer leak. A fold's score is the log-likelihood of where its records fall, given how many: the level
is not at stake. What is kept at a penalty is scored twice, as the lasso leaves it and estimated again without the lasso
(a ridge of 10⁻⁴ matters only where a layer has no record at all on one side); the second is what the map uses. The
first sees best that nothing helps, the second that nothing more does. ``rule="one-se"`` takes the largest penalty
whose loss is within one standard error (over folds, paired) of the least, by either score; ``"least"`` the penalty of
the least loss of the second.

Everything is done on shares: twice the records give the same coefficients, and the map sums to the mean daily count of
the window.

References
----------
.. [1] Caplan, Kennedy & Miller (2011), "Risk terrain modeling", Justice Quarterly 28(2), 360-381.
   doi:10.1080/07418825.2010.486037
.. [2] Kennedy, Caplan & Piza (2011), "Risk clusters, hotspots, and spatial intelligence", Journal of Quantitative
   Criminology 27, 339-362. doi:10.1007/s10940-010-9126-2
.. [3] Roberts et al. (2017), "Cross-validation strategies for data with temporal, spatial, hierarchical, or
   phylogenetic structure", Ecography 40, 913-929. doi:10.1111/ecog.02881
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.grid import FloatArray, Grid, IntArray
from models.base import WINDOW_DAYS, BasePredictor, Choice, Domain, Seen, daily_mean
from models.features import layer
from models.sparse_poisson import first_penalty, poisson_path

RULES: Final = ("one-se", "least")
#: Penalties tried, from the one that drops every layer down to this share of it.
_N_PENALTIES: Final = 30
_LAST_SHARE: Final = 0.005
_RIDGE: Final = 1e-4


class RiskTerrain(BasePredictor):
    """Sparse Poisson regression of a window's records on layers of places.

    Parameters
    ----------
    window_days : int, default=364
        Days of history counted; all the days available where there are fewer.
    folds : int, default=10
        Parts of the city left out in turn to choose the penalty.
    block_m : float, default=1500.0
        Side of the square blocks dealt to the folds; less where the city is too small for two blocks a fold.
    rule : {"one-se", "least"}, default="one-se"
        How the penalty is read off the cross-validation.

    Attributes
    ----------
    feature_names_ : tuple of str
        Layers, in alphabetical order.
    coefficients_ : dict of str to float
        Log of the relative risk per standard deviation of the layer; 0 where it was dropped.
    relative_risk_ : dict of str to float
        Its exponential.
    penalty_share_ : float
        Penalty chosen, as a share of the one that drops every layer; 1 where every layer was dropped.

    Notes
    -----
    Between two fits ``update`` moves the level only: coefficients stay what they were.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "window_days": WINDOW_DAYS,
        "folds": Domain(2, 50, "a whole number in [2, 50]", whole=True, closed=True),
        "block_m": Domain(0.0, 100_000.0, "a length in (0, 100000] metres"),
        "rule": Choice.of(*RULES),
    }
    NEEDS_PLACES: ClassVar[bool] = True
    REFIT_DAYS: ClassVar[int] = 28
    LEARNED: ClassVar[tuple[str, ...]] = (
        "layer_names_", "layer_mean_", "layer_sd_", "layer_coefficient_", "log_share_", "records_per_day_",
        "penalty_share_",
    )  # fmt: skip
    layer_names_: npt.NDArray[np.str_]
    layer_mean_: FloatArray
    layer_sd_: FloatArray
    layer_coefficient_: FloatArray
    log_share_: float
    records_per_day_: float
    penalty_share_: float

    def __init__(
        self, window_days: int = 364, folds: int = 10, block_m: float = 1500.0, rule: str = "one-se"
    ) -> None:  # fmt: skip
        self.window_days = window_days
        self.folds = folds
        self.block_m = block_m
        self.rule = rule

    @property
    def feature_names_(self) -> tuple[str, ...]:
        """Columns of :meth:`design`."""
        return tuple(self.layer_names_.tolist())

    @property
    def coefficients_(self) -> dict[str, float]:
        """Log relative risk of one standard deviation more, by layer; 0 where it was dropped."""
        return dict(zip(self.feature_names_, self.layer_coefficient_.tolist(), strict=True))

    @property
    def relative_risk_(self) -> dict[str, float]:
        """Factor by which one standard deviation more of a layer multiplies the expected records; 1 where dropped."""
        return {name: float(np.exp(value)) for name, value in self.coefficients_.items()}

    def design(self, seen: Seen, at: int) -> FloatArray:
        """The layers as they are, shape (n_cells, p), in their own units; the same whatever the day ``at``."""
        return np.column_stack([layer(seen, "places", name, at) for name in self.feature_names_])

    def rate(self, design: npt.NDArray[Any]) -> FloatArray:
        """Expected records per cell and day, shape (n_cells,), at the level of the last ``fit``.

        Parameters
        ----------
        design : ndarray, shape (n_cells, p)
            As :meth:`design` gives it, or changed. On the layers of the last fit the rates sum to the level.
        """
        return self.records_per_day_ * self._shares(np.asarray(design, dtype=np.float64))

    def _shares(self, design: FloatArray) -> FloatArray:
        score = np.zeros(len(design))
        for j, weight in enumerate(self.layer_coefficient_):  # in a fixed order: same bits for any library of algebra
            if weight:
                score += weight * ((design[:, j] - self.layer_mean_[j]) / self.layer_sd_[j])
        return np.asarray(np.exp(score + self.log_share_), dtype=np.float64)

    def _estimate(self, seen: Seen) -> None:
        names = sorted(seen.covariates.places)
        self.layer_names_ = np.array(names, dtype=np.str_)
        raw = self.design(seen, seen.n_days)
        self.layer_mean_, sd = raw.mean(axis=0), raw.std(axis=0)
        flat = sd <= 1e-12 * np.maximum(np.abs(self.layer_mean_), 1e-300)
        self.layer_sd_ = np.where(flat, 1.0, sd)
        self.layer_coefficient_, self.penalty_share_ = np.zeros(len(names)), 1.0
        self.log_share_ = -float(np.log(max(seen.grid.n_cells, 1)))
        mean, _ = daily_mean(seen.events.counts, window_days=self.window_days)
        self.records_per_day_ = float(mean.sum())
        if self.records_per_day_ > 0:
            live = np.flatnonzero(~flat)
            z = np.ascontiguousarray((raw[:, live] - self.layer_mean_[live]) / self.layer_sd_[live])
            self._select(z, live, self._window_counts(seen), seen.grid)
            self.log_share_ -= float(np.log(self._shares(raw).sum()))

    def _window_counts(self, seen: Seen) -> FloatArray:
        used = min(int(self.window_days), seen.n_days)
        return np.asarray(seen.events.counts[-used:].sum(axis=0, dtype=np.float64))

    def _select(self, z: FloatArray, live: IntArray, counts: FloatArray, grid: Grid) -> None:
        top = first_penalty(z, counts)
        if not top > 1e-12:
            return
        penalties = top * np.geomspace(1.0, _LAST_SHARE, _N_PENALTIES)
        fold = block_folds(grid, folds=int(self.folds), block_m=float(self.block_m))
        lasso, refitted = held_out_losses(z, counts, fold, penalties=penalties)
        chosen = choose_penalty(refitted, rule=str(self.rule))
        if self.rule == "one-se":
            chosen = min(chosen, choose_penalty(lasso, rule="one-se"))
        self.layer_coefficient_[live] = both_paths(z, counts, penalties=penalties[: chosen + 1])[1][-1]
        self.penalty_share_ = float(penalties[chosen] / top)

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        mean, used = daily_mean(seen.events.counts, window_days=self.window_days)
        share = self._shares(self.design(seen, at))
        return share / max(float(share.sum()), 1e-300) * float(mean.sum()), used


def block_folds(grid: Grid, *, folds: int, block_m: float) -> IntArray:
    """Fold of each cell, shape (n_cells,): square blocks dealt along diagonals, so that each fold is all over the city.

    Notes
    -----
    Blocks are made smaller, down to one cell, where the city has not room for two of them a fold.
    """
    most = int(np.sqrt(grid.n_cells / (2 * folds)))
    side = max(1, min(round(block_m / grid.cell_m), most))
    row, col = np.nonzero(grid.land)
    stride = next((s for s in (2, 3, 1) if np.gcd(s, folds) == 1), 1)
    return np.asarray((col // side + stride * (row // side)) % folds, dtype=np.int64)


def both_paths(
    z: FloatArray, counts: FloatArray, *, penalties: FloatArray, weights: FloatArray | None = None,
    tolerance: float = 1e-7,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Coefficients as the lasso leaves them, and estimated again on what it keeps; each of shape (n_penalties, p)."""
    _, path = poisson_path(z, counts, penalties=penalties, weights=weights, tolerance=tolerance)
    ridge = np.array([_RIDGE])
    refitted, before = np.zeros_like(path), np.zeros(0, dtype=np.int64)
    for i in range(len(path)):
        kept = np.flatnonzero(path[i])
        if i and np.array_equal(kept, before):
            refitted[i] = refitted[i - 1]
        elif len(kept):
            _, again = poisson_path(
                z[:, kept], counts, penalties=ridge, weights=weights, l1_ratio=0.0, tolerance=tolerance
            )
            refitted[i, kept] = again[0]
        before = kept
    return path, refitted


def held_out_losses(
    z: FloatArray, counts: FloatArray, fold: IntArray, *, penalties: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Loss of each fold, per record of the city, under coefficients estimated without it.

    Returns
    -------
    lasso, refitted : ndarray, shape (folds, n_penalties)
        Of the two paths of :func:`both_paths`.

    Notes
    -----
    ``-Σ y_i log(μ_i / Σ μ)`` over the cells of the fold. A fold without a record, or that holds them all, is left out.
    """
    total = float(counts.sum())
    found = []
    for k in range(int(fold.max(initial=0)) + 1):
        out = fold == k
        held = float(counts[out].sum())
        if 0 < held < total:
            paths = both_paths(z, counts, penalties=penalties, weights=(~out).astype(np.float64), tolerance=1e-5)
            found.append([_loss_of_where(z[out], counts[out], path) / total for path in paths])
    losses = np.array(found).reshape(len(found), 2, len(penalties))
    return losses[:, 0], losses[:, 1]


def _loss_of_where(z: FloatArray, counts: FloatArray, path: FloatArray) -> FloatArray:
    score = z @ path.T
    high = score.max(axis=0)
    log_sum = high + np.log(np.exp(score - high).sum(axis=0))
    return np.asarray(counts.sum() * log_sum - counts @ score, dtype=np.float64)


def choose_penalty(losses: FloatArray, *, rule: str) -> int:
    """Index of the penalty taken; 0, the one that drops every layer, where fewer than two folds can tell."""
    folds = len(losses)
    if folds < 2:
        return 0
    best = int(np.argmin(losses.sum(axis=0)))
    if rule == "least":
        return best
    worse = losses[:, : best + 1] - losses[:, best : best + 1]
    error = worse.std(axis=0, ddof=1) / np.sqrt(folds)
    return int(np.argmax(worse.mean(axis=0) <= error))
