"""Clashes in a calendar: planned events, and road works, too close in space and in time.

A plain rule, the same for everybody and open to checking: two entries clash when they lie within ``radius_m`` of each
other and their times, each widened by ``margin_h`` before and after, overlap; at least one of the two is an event. What
the delivered tool calls incompatible was not published: radius and margin are our guess.

What it cannot tell you: what is not in the calendar, or is entered at the wrong place or hour. The rule is exact; its
errors are those of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray

Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Planned:
    """Entries of a calendar, one per row.

    Attributes
    ----------
    x_m, y_m : ndarray, shape (n,)
    start_h, end_h : ndarray, shape (n,)
        Hours since the calendar began; the end is not before the start.
    works : ndarray of bool, shape (n,)
        True for road works, false for an event.
    """

    x_m: FloatArray
    y_m: FloatArray
    start_h: FloatArray
    end_h: FloatArray
    works: BoolArray


def clashes(planned: Planned, *, radius_m: float = 200.0, margin_h: float = 1.0) -> Pairs:
    """Pairs of entries that clash.

    Parameters
    ----------
    planned : Planned
    radius_m : float, default=200.0
        Distance at which two entries are still in each other's way. Our guess.
    margin_h : float, default=1.0
        Setting up before an entry and clearing after it. Our guess.

    Returns
    -------
    ndarray of int64, shape (n_pairs, 2)
        Row numbers, the smaller first, in ascending order. Two road works never clash.

    Raises
    ------
    ParameterError
        If lengths differ, a number is not finite, an entry ends before it starts, or a buffer is negative.

    Examples
    --------
    A market, road works 150 m away that start half an hour after its end, and a match across town:

    >>> day = Planned(np.array([0.0, 150.0, 9e3]), np.zeros(3), np.array([7.0, 14.0, 7.0]),
    ...               np.array([13.5, 20.0, 14.0]), np.array([False, True, False]))
    >>> clashes(day).tolist(), clashes(day, margin_h=0.0).tolist()
    ([[0, 1]], [])
    """
    _check(planned, radius_m, margin_h)
    if len(planned.x_m) < 2:
        return np.empty((0, 2), dtype=np.int64)
    near = cKDTree(np.column_stack([planned.x_m, planned.y_m])).query_pairs(radius_m, output_type="ndarray")
    a, b = near[:, 0], near[:, 1]  # a < b
    overlap = (planned.start_h[a] - margin_h <= planned.end_h[b] + margin_h) & (
        planned.start_h[b] - margin_h <= planned.end_h[a] + margin_h
    )
    kept = overlap & ~(planned.works[a] & planned.works[b])
    pairs = np.column_stack([a[kept], b[kept]]).astype(np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _check(planned: Planned, radius_m: float, margin_h: float) -> None:
    where = "clashes"
    numbers = (planned.x_m, planned.y_m, planned.start_h, planned.end_h)
    sizes = {len(column) for column in (*numbers, planned.works)}
    if len(sizes) > 1 or not all(np.isfinite(column).all() for column in numbers):
        raise bad_parameter(name="planned", where=where, must="columns of one length, all finite", got=sorted(sizes))
    if (planned.end_h < planned.start_h).any():
        first = int(np.argmax(planned.end_h < planned.start_h))
        raise bad_parameter(
            name="planned", where=where, must="entries that end after they start", got=f"row {first}",
            remedy="Correct or quarantine that entry.",
        )  # fmt: skip
    if not (radius_m >= 0 and margin_h >= 0):
        raise bad_parameter(
            name="radius_m, margin_h", where=where, must="numbers of at least 0", got=(radius_m, margin_h)
        )
