r"""Pairs of events near in space and in time, found without looking at the others.

Events are laid out in squares of half the cut-off, in order of time within each. A child meets the events of the 25
squares around its own through a window that slides as time goes on, so the cost is the number of pairs within reach,
six bytes each. With more than ``max_pairs`` of them, one event in so many is looked at as a child, always the same
ones. Every event still counts as a parent, and in the background, where those not looked at get the mean chance of
being so. That keeps time and memory linear in the number of events however dense they are.

What it cannot tell you: anything beyond the cut-offs. A parent farther or older is counted as background.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from contrechamp.domain.grid import BoolArray, FloatArray, IntArray
from models.sepp_events import SeppEvents
from models.sepp_trigger import Bins

#: Pairs kept at most, but for one child in so many: about 300 MB.
MAX_PAIRS: Final = 50_000_000
_PROBE = 64


@dataclass(frozen=True, eq=False)
class Pairs:
    """Parents within reach of each child, child after child.

    Attributes
    ----------
    start : ndarray of int, shape (n + 1,)
        First pair of each event as a child.
    parent : ndarray of int32, shape (n_pairs,)
    bin : ndarray of uint16, shape (n_pairs,)
        Bin of lag and distance, row by row.
    child : ndarray, shape (n,)
        Weight of each event as a child: 0 where it is not looked at, and in sum that of all events.
    weight : ndarray, shape (n,)
        As a parent.
    bins : Bins
    """

    start: IntArray
    parent: npt.NDArray[np.int32]
    bin: npt.NDArray[np.uint16]
    child: FloatArray
    weight: FloatArray
    bins: Bins

    def __len__(self) -> int:
        return len(self.parent)

    @classmethod
    def of(cls, events: SeppEvents, bins: Bins, *, max_pairs: int = MAX_PAIRS) -> Pairs:
        """Find the pairs of ``events`` within reach of ``bins``."""
        n = len(events)
        side, x, y = bins.reach_m / 2, events.x_m, events.y_m
        column = np.floor((x - x.min()) / side).astype(np.int64)
        row = np.floor((y - y.min()) / side).astype(np.int64)
        shape = int(row.max()) + 1, int(column.max()) + 1
        square = row * shape[1] + column
        order = np.argsort(square, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(square, minlength=shape[0] * shape[1]))])
        laid = events.t_days[order], x[order], y[order], order, first, *shape, bins.whole_days, bins.reach_days
        every = 1
        if n > _PROBE:
            found = _count(*laid, bins.reach_m, _one_in(_PROBE, n)[order]).sum()
            every = max(1, int(np.ceil(found * _PROBE / max_pairs)))
        looked = _one_in(every, n)
        counts = _count(*laid, bins.reach_m, looked[order])
        start = np.concatenate([[0], np.cumsum(counts)])
        n_lags, n_rings = len(bins.lag_edges_days) - 1, len(bins.ring_area_m2)
        parent, of_bin = _list(*laid, bins.reach_m, looked[order], start, n_lags, n_rings)
        child = np.where(looked, events.weight, 0.0)
        return cls(start, parent, of_bin, child * (events.weight.sum() / child.sum()), events.weight, bins)

    @property
    def looked(self) -> BoolArray:
        """Which events are looked at as children."""
        return np.asarray(self.child > 0)

    def filled(self, values: FloatArray) -> FloatArray:
        """One value per event, those not looked at given the mean of the others."""
        mean = float(self.child @ values) / float(self.child.sum())
        return np.where(self.looked, values, mean)

    def excitation(self, density: FloatArray) -> FloatArray:
        """Sum over the parents of each child of parent's weight × ``density`` of the bin, shape (n,).

        Parameters
        ----------
        density : ndarray, shape (n_lags, n_rings)
            Per day and square metre.
        """
        return np.asarray(_excite(self.start, self.parent, self.bin, self.weight, density.ravel()))

    def responsibilities(self, density: FloatArray, intensity: FloatArray) -> FloatArray:
        """Sum of the p_ij of each bin: child's weight × parent's weight × density / intensity of the child.

        Parameters
        ----------
        density : ndarray, shape (n_lags, n_rings)
            Branching ratio included.
        intensity : ndarray, shape (n,)
            At each event, per day and square metre.

        Returns
        -------
        ndarray, shape (n_lags, n_rings)
        """
        per = np.divide(self.child, intensity, out=np.zeros_like(self.child), where=self.child > 0)
        found = _respond(self.start, self.parent, self.bin, self.weight, per, density.size)
        return np.asarray(found.reshape(density.shape) * density)

    def draws(self, density: FloatArray, target: FloatArray) -> FloatArray:
        """Weight of the children whose drawn parent falls in each bin, shape (n_lags, n_rings).

        Parameters
        ----------
        density : ndarray, shape (n_lags, n_rings)
            Branching ratio included.
        target : ndarray, shape (n,)
            The parent drawn is the one with which the running sum of the excitation passes ``target``; none where it
            is below 0 (the event was drawn as background).
        """
        found = _draw(self.start, self.parent, self.bin, self.weight, density.ravel(), target, self.child)
        return np.asarray(found.reshape(density.shape))


def _one_in(every: int, n: int) -> BoolArray:
    return np.asarray(np.arange(n) % every == 0)


@numba.njit(nogil=True, cache=True)
def _count(
    t: Any, x: Any, y: Any, order: Any, first: Any, n_rows: int, n_columns: int, whole: bool, reach_days: float,
    reach_m: float, looked: Any,
) -> Any:  # fmt: skip
    """Parents within reach of each event; arrays in the order of the layout but the result."""
    out = np.zeros(len(t), dtype=np.int64)
    for home in range(n_rows * n_columns):
        row, column = home // n_columns, home % n_columns
        if first[home] == first[home + 1]:
            continue
        for r in range(max(0, row - 2), min(n_rows, row + 3)):
            for c in range(max(0, column - 2), min(n_columns, column + 3)):
                low = high = first[r * n_columns + c]
                end = first[r * n_columns + c + 1]
                for j in range(first[home], first[home + 1]):
                    if not looked[j]:
                        continue
                    while high < end and t[high] < t[j]:
                        high += 1
                    while low < high and t[j] - t[low] >= reach_days:
                        low += 1
                    found = 0
                    for i in range(low, high):
                        found += (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 < reach_m * reach_m
                    out[order[j]] += found
    return out


@numba.njit(nogil=True, cache=True)
def _list(
    t: Any, x: Any, y: Any, order: Any, first: Any, n_rows: int, n_columns: int, whole: bool, reach_days: float,
    reach_m: float, looked: Any, start: Any, n_lags: int, n_rings: int,
) -> Any:  # fmt: skip
    """Parent and bin of each pair; the same walk as ``_count``."""
    parent, of_bin = np.empty(start[-1], dtype=np.int32), np.empty(start[-1], dtype=np.uint16)
    at = start[:-1].copy()
    for home in range(n_rows * n_columns):
        row, column = home // n_columns, home % n_columns
        if first[home] == first[home + 1]:
            continue
        for r in range(max(0, row - 2), min(n_rows, row + 3)):
            for c in range(max(0, column - 2), min(n_columns, column + 3)):
                low = high = first[r * n_columns + c]
                end = first[r * n_columns + c + 1]
                for j in range(first[home], first[home + 1]):
                    if not looked[j]:
                        continue
                    while high < end and t[high] < t[j]:
                        high += 1
                    while low < high and t[j] - t[low] >= reach_days:
                        low += 1
                    k = order[j]
                    for i in range(low, high):
                        d2 = (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2
                        if d2 < reach_m * reach_m:
                            lag = t[j] - t[i]
                            row_of = int(lag + 0.5) - 1 if whole else int(np.sqrt(lag / reach_days) * n_lags)
                            ring = int(np.sqrt(d2) / reach_m * n_rings)
                            parent[at[k]] = order[i]
                            of_bin[at[k]] = min(row_of, n_lags - 1) * n_rings + min(ring, n_rings - 1)
                            at[k] += 1
    return parent, of_bin


@numba.njit(nogil=True, cache=True)
def _excite(start: Any, parent: Any, of_bin: Any, weight: Any, density: Any) -> Any:
    out = np.empty(len(start) - 1)
    for j in range(len(out)):
        found = 0.0
        for p in range(start[j], start[j + 1]):
            found += weight[parent[p]] * density[of_bin[p]]
        out[j] = found
    return out


@numba.njit(nogil=True, cache=True)
def _respond(start: Any, parent: Any, of_bin: Any, weight: Any, per: Any, n_bins: int) -> Any:
    out = np.zeros(n_bins)
    for j in range(len(per)):
        for p in range(start[j], start[j + 1]):
            out[of_bin[p]] += per[j] * weight[parent[p]]
    return out


@numba.njit(nogil=True, cache=True)
def _draw(start: Any, parent: Any, of_bin: Any, weight: Any, density: Any, target: Any, child: Any) -> Any:
    out = np.zeros(len(density))
    for j in range(len(child)):
        if target[j] < 0.0:
            continue
        running = 0.0
        for p in range(start[j], start[j + 1]):
            running += weight[parent[p]] * density[of_bin[p]]
            if running > target[j]:
                out[of_bin[p]] += child[j]
                break
    return out
