r"""Boosted trees as plain arrays: taken out of scikit-learn, stored without pickle, evaluated without scikit-learn.

A fitted ``HistGradientBoostingRegressor`` can only be kept as a pickle, and a pickle runs what it holds when it is
read. What it learned is small: for each node a column, a threshold, two children and a value. That is what is kept, and
:meth:`Forest.raw` adds the trees up in scikit-learn's own order, so that it gives the same bits.

What it cannot tell you: why a tree splits where it does. The arrays say what was learned, not from which rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numba
import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Forest:
    """Regression trees whose values are added to a baseline.

    Attributes
    ----------
    start : ndarray of int, shape (n_trees + 1,)
        First node of each tree; the last entry is the number of nodes. The first node of a tree is its root.
    column : ndarray of int, shape (n_nodes,)
        Column compared; -1 at a leaf.
    threshold, value : ndarray of float, shape (n_nodes,)
        A row goes left where its column is at most the threshold. The value counts at a leaf.
    left, right : ndarray of int, shape (n_nodes,)
        Children, numbered within their tree.
    baseline : ndarray of float, shape (1,)
    """

    start: IntArray
    column: IntArray
    threshold: FloatArray
    value: FloatArray
    left: IntArray
    right: IntArray
    baseline: FloatArray

    @classmethod
    def constant(cls, value: float) -> Self:
        """No tree at all."""
        none, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
        return cls(np.zeros(1, dtype=np.int64), whole, none, none, whole, whole, np.array([value]))

    @classmethod
    def from_sklearn(cls, model: Any, *, n_trees: int | None = None) -> Self:
        """Take the first ``n_trees`` trees, or all, out of a fitted single-output ``HistGradientBoostingRegressor``.

        Raises
        ------
        ParameterError
            If a tree splits on a category: those need a table this form has no place for.
        """
        nodes = [step[0].nodes for step in model._predictors[:n_trees]]
        made = cls.constant(float(np.ravel(model._baseline_prediction)[0]))
        if not nodes:
            return made
        flat = np.concatenate(nodes)
        if (flat["is_categorical"].astype(bool) & ~flat["is_leaf"].astype(bool)).any():
            raise bad_parameter(
                name="model", where="Forest.from_sklearn", must="without splits on categories", got="one",
                remedy="Encode categories as numbers before fitting.",
            )  # fmt: skip
        leaf = flat["is_leaf"].astype(bool)
        return cls(
            start=np.concatenate([[0], np.cumsum([len(n) for n in nodes])]).astype(np.int64),
            column=np.where(leaf, -1, flat["feature_idx"]).astype(np.int64),
            threshold=np.where(leaf, 0.0, flat["num_threshold"]).astype(np.float64),
            value=flat["value"].astype(np.float64),
            left=np.where(leaf, 0, flat["left"]).astype(np.int64),
            right=np.where(leaf, 0, flat["right"]).astype(np.int64),
            baseline=made.baseline,
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Inverse of :meth:`to_arrays`.

        Raises
        ------
        ParameterError
            If the arrays do not make trees: the file may come from anybody, and a child that points to its parent
            would never end.
        """
        made = cls(**{f.name: np.asarray(arrays[f.name]) for f in fields(cls)})
        n_nodes = len(made.column)
        same = all(len(getattr(made, name)) == n_nodes for name in ("threshold", "value", "left", "right"))
        ends = (
            len(made.start) > 0 and made.start[0] == 0 and made.start[-1] == n_nodes and np.all(np.diff(made.start) > 0)
        )
        if not (same and ends and made._goes_down()):
            raise bad_parameter(
                name="arrays", where="Forest.from_arrays", must="trees whose children come after their parents",
                got=f"{n_nodes} nodes that do not", remedy="Read the arrays that to_arrays wrote.",
            )  # fmt: skip
        return made

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain numeric arrays by field name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.start) - 1

    def raw(self, rows: FloatArray) -> FloatArray:
        """Baseline plus the trees' values, shape (n_rows,): the log of what a Poisson loss predicts.

        Parameters
        ----------
        rows : ndarray, shape (n_rows, p)
            Finite.
        """
        x = np.ascontiguousarray(rows, dtype=np.float64)
        if int(self.column.max(initial=-1)) >= x.shape[1]:
            raise bad_parameter(
                name="rows", where="Forest.raw", must=f"at least {int(self.column.max()) + 1} columns", got=x.shape[1]
            )
        return np.asarray(
            _raw(x, self.start, self.column, self.threshold, self.value, self.left, self.right, self.baseline)
        )

    def _goes_down(self) -> bool:
        size = np.repeat(np.diff(self.start), np.diff(self.start))
        here = np.arange(len(self.column)) - np.repeat(self.start[:-1], np.diff(self.start))
        inner = self.column >= 0
        return bool(
            all(((child > here) & (child < size))[inner].all() for child in (self.left, self.right))
            and (self.column >= -1).all()
        )


def coarse(table: FloatArray, *, levels: int, sample: int = 30_000) -> FloatArray:
    """Each column moved to the nearest of at most ``levels`` of its own values, taken at equal ranks; same shape.

    Parameters
    ----------
    table : ndarray, shape (n_rows, p)
    levels : int
        Most values a column keeps. A column with fewer is left as it is.
    sample : int, default=30000
        Rows, evenly spaced, that the values are taken from.

    Notes
    -----
    scikit-learn looks for a histogram's bins by weighted quantiles, one at a time, at several times the cost of the
    trees. Where a column has no more values than bins it cuts half-way between them instead. Trees grown on the coarse
    table then send the original rows to the same leaves: nearer to one value is on one side of the cut.

    Examples
    --------
    >>> coarse(np.array([[0.0], [1.0], [1.4], [9.0]]), levels=2).ravel().tolist()
    [0.0, 0.0, 0.0, 9.0]
    """
    out = np.empty_like(table, order="F")
    step = max(1, -(-len(table) // sample))
    for j in range(table.shape[1]):
        kept = np.unique(table[::step, j])
        if len(kept) > levels:
            ordered = np.sort(table[::step, j])
            kept = np.unique(ordered[np.linspace(0, len(ordered) - 1, levels).astype(np.int64)])
        out[:, j] = kept[np.searchsorted((kept[:-1] + kept[1:]) / 2, table[:, j], side="left")]
    return out


@numba.njit(nogil=True, cache=True)
def _raw(
    x: FloatArray, start: IntArray, column: IntArray, threshold: FloatArray, value: FloatArray, left: IntArray,
    right: IntArray, baseline: FloatArray,
) -> FloatArray:  # fmt: skip
    out = np.empty(len(x))
    for i in range(len(x)):
        total = baseline[0]
        for tree in range(len(start) - 1):
            root = start[tree]
            node = root
            while column[node] >= 0:
                node = root + (left[node] if x[i, column[node]] <= threshold[node] else right[node])
            total += value[node]
        out[i] = total
    return out
