r"""Gradient boosting: many small trees learn what the last weeks, the neighbours, the calendar and the weather change.

The learner that most data-science teams would bring: scikit-learn's histogram gradient boosting with a Poisson loss, on
one row per cell and day. The expected records of a cell are its own smoothed mean of the last year times what the trees
make of everything else,

.. math:: \mu_{cd}=e_{cd}\,\exp\Big(f_0+\sum_tf_t(x_{cd})\Big),

so that with no tree at all it is a trailing mean, and trees only have to learn what departs from it.

What it cannot tell you: why. A column that helps the trees is not a cause; where two columns say the same, the trees
share the work between them as it happens. What the trees learn of weather, holidays or bars is what they do to
*recording*. And a table of past days is made of the file as it is now, late entries included (:mod:`models.features`):
the past it learns from was more complete than the morning it is asked about.

Notes
-----
Rows: every cell and day of the window that holds a record, and a sample of those that hold none, as only those weigh
through :math:`e_{cd}\exp f`. Empty rows are drawn systematically, day by day, in proportion to half the records of the
cell and half nothing, with the seed's own stream; each weighs :math:`e_{cd}` over its expected number of draws, scaled
so that all empty rows together weigh exactly what all empty cells and days do. The exposure enters as weight, the
target being the count over it: the Poisson loss is then the one above, its level included.

How many trees: those that are best on the last 28 days of the window, which no tree is grown on; none where the mean
alone is best. With fewer than 30 records on either side no tree is grown. Six draws of 90 cells whose rates never
change lost at most 0.08 nats a day to a trailing mean of the same 364 days; weather that multiplies records by 1.65 per
standard deviation was worth 4.7 to 6.3, weekends twice as busy 1.7 to 3.3.

Trees are kept as arrays (:mod:`models.trees`); a stored model holds no scikit-learn object. They are grown on one
thread: sums over rows would otherwise depend on how many there are.

References
----------
.. [1] Friedman (2001), "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29(5),
   1189-1232. doi:10.1214/aos/1013203451
.. [2] Ke et al. (2017), "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 30 (the histogram form
   that scikit-learn follows).
.. [3] Baddeley et al. (2014), "Logistic regression for spatial Gibbs point processes", Biometrika 101(2), 377-392
   (sampled empty places, exactly weighted). doi:10.1093/biomet/ast060
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.rng import stream
from models.base import WINDOW_DAYS, BasePredictor, Domain, Seen
from models.features import YEAR_DAYS, Column, columns_of, design, neighbours, past_rows, shape_of_rates
from models.trees import Forest, coarse

_VALIDATION_DAYS: Final = 28
#: Days of history the first row of the table has, where the window would begin before.
_WARM_UP_DAYS: Final = 28
_LEAST_RECORDS: Final = 30
_LEAST_EMPTY_PER_DAY: Final = 200
_PATIENCE: Final = 10
#: Values of a column between which a tree may cut.
_LEVELS: Final = 128
_TREE_FIELDS: Final = ("start", "column", "threshold", "value", "left", "right", "baseline")


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of the table to learn from.

    Attributes
    ----------
    table : ndarray, shape (n_rows, p)
    count : ndarray, shape (n_rows,)
        Records of the cell on the day.
    weight : ndarray, shape (n_rows,)
        Exposure: what the cell and day, and those the row stands for, are expected to hold.
    day : ndarray of int, shape (n_rows,)
        Ascending.
    """

    table: FloatArray
    count: FloatArray
    weight: FloatArray
    day: IntArray

    def where(self, keep: npt.NDArray[np.bool_]) -> Rows:
        """The rows of a mask."""
        return Rows(self.table[keep], self.count[keep], self.weight[keep], self.day[keep])


class BoostedTrees(BasePredictor):
    """Histogram gradient boosting of the records of a cell and day.

    Parameters
    ----------
    window_days : int, default=364
        Days learned from; all but the first 28 of those available where there are fewer.
    trees : int, default=100
        Most trees.
    leaves : int, default=15
        Most leaves of a tree.
    learning_rate : float, default=0.1
        Share of each tree that is added.
    empty_per_record : float, default=1.0
        Cells and days without a record that are drawn, per one that has some.
    seed : int, default=0
        Of the draw.

    Attributes
    ----------
    feature_names_ : tuple of str
        Columns of :meth:`design`: see :mod:`models.features`, then the layers of the covariates.
    forest_ : Forest
        Trees grown; ``forest_.n_trees`` may be 0.
    kappa_ : float
        Shape of the law of the cells' rates that the base is smoothed by.

    Notes
    -----
    Layers of places, of days and of cells and days are all used; without any, it learns from the records and the
    calendar alone. Between two fits ``update`` shows newer records to the same trees.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "window_days": WINDOW_DAYS,
        "trees": Domain(1, 10_000, "a whole number in [1, 10000]", whole=True, closed=True),
        "leaves": Domain(2, 1_000, "a whole number in [2, 1000]", whole=True, closed=True),
        "learning_rate": Domain(0.0, 1.0, "a share in (0, 1]"),
        "empty_per_record": Domain(0.0, 1_000.0, "a number in (0, 1000]"),
        "seed": Domain(0, 2**32 - 1, "a whole number in [0, 4294967295]", whole=True, closed=True),
    }
    LINEAR: ClassVar[bool] = False
    REFIT_DAYS: ClassVar[int] = 28
    LEARNED: ClassVar[tuple[str, ...]] = (
        "kappa_", "column_kind_", "column_name_", *(f"tree_{name}_" for name in _TREE_FIELDS)
    )  # fmt: skip
    kappa_: float
    column_kind_: npt.NDArray[np.str_]
    column_name_: npt.NDArray[np.str_]
    _around: IntArray | None = None
    _forest: Forest | None = None

    def __init__(
        self, window_days: int = 364, trees: int = 100, leaves: int = 15, learning_rate: float = 0.1,
        empty_per_record: float = 1.0, seed: int = 0,
    ) -> None:  # fmt: skip
        self.window_days = window_days
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.empty_per_record = empty_per_record
        self.seed = seed

    @property
    def feature_names_(self) -> tuple[str, ...]:
        """Columns of :meth:`design`."""
        return tuple(self.column_name_.tolist())

    @property
    def forest_(self) -> Forest:
        """The trees."""
        return Forest.from_arrays({name: getattr(self, f"tree_{name}_") for name in _TREE_FIELDS})

    def design(self, seen: Seen, at: int) -> FloatArray:
        """Columns ``feature_names_`` of every cell for day ``at``, shape (n_cells, p).

        The past is that of the last morning seen, whatever ``at``; the calendar and the covariates are those of ``at``.
        """
        columns, around = self._columns(), self._neighbours(seen)
        return design(seen, at, columns=columns, kappa=self.kappa_, around=around)

    def rate(self, design: npt.NDArray[Any]) -> FloatArray:
        """Expected records per cell and day, shape (n_cells,), of rows as :meth:`design` gives them, or changed."""
        table = np.ascontiguousarray(design, dtype=np.float64)
        return table[:, 0] * np.exp(self._grown.raw(table))

    def _estimate(self, seen: Seen) -> None:
        columns = columns_of(seen.covariates)
        self.column_kind_ = np.array([kind for kind, _ in columns], dtype=np.str_)
        self.column_name_ = np.array([name for _, name in columns], dtype=np.str_)
        self.kappa_ = shape_of_rates(seen.events.counts)
        self._around = None
        forest = Forest.constant(0.0)
        rows = self._rows(seen)
        if rows is not None:
            cut = seen.n_days - min(_VALIDATION_DAYS, (seen.n_days - int(rows.day[0])) // 4)
            grow, check = rows.where(rows.day < cut), rows.where(rows.day >= cut)
            if min(grow.count.sum(), check.count.sum()) >= _LEAST_RECORDS:
                forest = self._grow(grow, check)
        for name, values in forest.to_arrays().items():
            setattr(self, f"tree_{name}_", values)
        self._forest = forest

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        return self.rate(self.design(seen, at)), min(int(self.window_days), seen.n_days)

    def _grow(self, grow: Rows, check: Rows) -> Forest:
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(
            loss="poisson", learning_rate=float(self.learning_rate), max_iter=int(self.trees),
            max_leaf_nodes=int(self.leaves), min_samples_leaf=50, l2_regularization=10.0, max_bins=_LEVELS,
            categorical_features=None, early_stopping=True, scoring="loss", n_iter_no_change=_PATIENCE, tol=0.0,
            random_state=int(self.seed),
        )  # fmt: skip
        with threadpool_limits(limits=1):
            model.fit(
                coarse(grow.table, levels=_LEVELS), grow.count / grow.weight, grow.weight,
                X_val=check.table, y_val=check.count / check.weight, sample_weight_val=check.weight,
            )  # fmt: skip
        return Forest.from_sklearn(model, n_trees=int(np.argmax(model.validation_score_)))

    def _rows(self, seen: Seen) -> Rows | None:
        """Every cell and day with a record and a weighted sample of those without; None where there is too little."""
        n_days = seen.n_days
        first = max(n_days - int(self.window_days), min(_WARM_UP_DAYS, n_days // 2), 0)
        window = seen.events.counts[first:]
        day, cell = np.nonzero(window)
        if len(day) < _LEAST_RECORDS or first == 0:
            return None
        empty_day, empty_cell, draws = self._empty(window)
        all_day, all_cell = np.concatenate([day, empty_day]), np.concatenate([cell, empty_cell])
        order = np.lexsort((all_cell, all_day))
        all_day, all_cell = all_day[order] + first, all_cell[order]
        table = past_rows(
            seen, day=all_day, cell=all_cell, columns=self._columns(), kappa=self.kappa_,
            around=self._neighbours(seen),
        )  # fmt: skip
        count = np.asarray(seen.events.counts[all_day, all_cell], dtype=np.float64)
        weight = table[:, 0] / np.concatenate([np.ones(len(day)), draws])[order]
        empty = count == 0
        left = float(city_mean(seen.events.counts)[first:].sum()) - float(weight[~empty].sum())
        weight[empty] *= max(left, 0.0) / max(float(weight[empty].sum()), 1e-300)
        usable = weight > 0  # nothing is expected before the city's first record
        return Rows(table[usable], count[usable], weight[usable], all_day[usable])

    def _empty(self, window: npt.NDArray[Any]) -> tuple[IntArray, IntArray, FloatArray]:
        """Cells and days without a record: their day, their cell, and how often such a one is drawn on average."""
        n_days, n_cells = window.shape
        wanted = int(np.ceil(float(self.empty_per_record) * np.count_nonzero(window) / n_days))
        per_day = max(wanted, _LEAST_EMPTY_PER_DAY)
        if per_day >= n_cells:
            day, cell = np.nonzero(window == 0)
            return day, cell, np.ones(len(day))
        held = window.sum(axis=0, dtype=np.float64)
        chance = 0.5 / n_cells + 0.5 * held / held.sum()
        start = stream(int(self.seed), "models", "gbm", "empty", n_days).random((n_days, 1))
        place = (np.arange(per_day) + start) / per_day
        cell = np.minimum(np.searchsorted(np.cumsum(chance), place.ravel(), side="right"), n_cells - 1)
        day = np.repeat(np.arange(n_days), per_day)
        empty = np.asarray(window[day, cell] == 0)
        return day[empty], cell[empty], per_day * chance[cell[empty]]

    def _columns(self) -> tuple[Column, ...]:
        return tuple(zip(self.column_kind_.tolist(), self.column_name_.tolist(), strict=True))

    def _neighbours(self, seen: Seen) -> IntArray:
        if self._around is None:
            self._around = neighbours(seen.grid)
        return self._around

    @property
    def _grown(self) -> Forest:
        if self._forest is None:
            self._forest = self.forest_
        return self._forest


def city_mean(counts: npt.NDArray[Any]) -> FloatArray:
    """Records per day of the whole city over the (at most) 364 days before each day, shape (n_days,); 0 on day 0.

    It is what the column ``base_per_day`` sums to over the cells.
    """
    total = np.concatenate([[0.0], np.cumsum(counts.sum(axis=1, dtype=np.float64))])
    day = np.arange(len(counts))
    begin = np.maximum(0, day - YEAR_DAYS)
    return np.asarray((total[day] - total[begin]) / np.maximum(1, day - begin), dtype=np.float64)
