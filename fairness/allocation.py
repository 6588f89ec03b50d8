"""From a map to patrol-hours: the rules by which a day's hours are shared between cells.

The same forecast sends patrols to quite different places under different rules, and whom it burdens depends on the
rule at least as much as on the map.

What it cannot tell you: where patrols really go. Crews answer calls, stop for lunch and disobey.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray


class Sharing(Enum):
    """How a day's hours are shared."""

    PROPORTIONAL = "proportional"  #: hours follow the expected records
    TOP = "top"  #: equal hours in the ``share`` of cells that rank first, none elsewhere
    THRESHOLD = "threshold"  #: equal hours in cells expected to hold at least ``times_mean`` times the mean
    EQUAL = "equal"  #: the same everywhere
    RANDOM = "random"  #: equal hours in a ``share`` of cells drawn anew each day
    TOP_DECILE = "top-decile"  #: the same, drawn among the tenth of cells that rank first


@dataclass(frozen=True, slots=True)
class Allocation:
    """A rule and its limits.

    Attributes
    ----------
    sharing : Sharing
    share : float, default=0.05
        Share of the cells that :attr:`Sharing.TOP`, :attr:`Sharing.RANDOM` and :attr:`Sharing.TOP_DECILE` send hours
        to, in (0, 1].
    times_mean : float, default=2.0
        Level from which :attr:`Sharing.THRESHOLD` sends hours. Where no cell reaches it, hours are equal everywhere.
    explore : float, default=0.0
        Part of the hours spread equally over all cells whatever the map says, in [0, 1].
    quota : float, default=0.0
        Each sector gets at least this part of its share of the cells, in [0, 1]. 0: no such promise.
    cap : float, default=1.0
        Most of a day's hours that one cell may get, in (0, 1]; what is cut goes to the others in proportion, and
        equally to all cells under the cap where the others have none. Never below an equal share.
    """

    sharing: Sharing
    share: float = 0.05
    times_mean: float = 2.0
    explore: float = 0.0
    quota: float = 0.0
    cap: float = 1.0

    def __post_init__(self) -> None:
        for name, ok, must in (
            ("share", 0 < self.share <= 1, "in (0, 1]"),
            ("times_mean", self.times_mean > 0, "above 0"),
            ("explore", 0 <= self.explore <= 1, "in [0, 1]"),
            ("quota", 0 <= self.quota <= 1, "in [0, 1]"),
            ("cap", 0 < self.cap <= 1, "in (0, 1]"),
        ):
            if not ok:
                raise bad_parameter(name=name, where="Allocation", must=must, got=getattr(self, name))


def allocate(
    surface: FloatArray, *, hours: float, allocation: Allocation, order: IntArray, sectors: IntArray | None = None
) -> FloatArray:
    """Share ``hours`` between cells.

    Parameters
    ----------
    surface : ndarray, shape (n_cells,)
        Expected records of the day, at least 0.
    hours : float
        Patrol-hours of the day.
    allocation : Allocation
    order : ndarray of int, shape (n_cells,)
        A random order of the cells, of the day: who comes first among equals, and who is drawn.
    sectors : ndarray of int, shape (n_cells,), optional
        Sector of each cell; needed with a quota.

    Returns
    -------
    ndarray, shape (n_cells,)
        Hours, at least 0, summing to ``hours``.

    Examples
    --------
    >>> import numpy as np
    >>> map_ = np.array([6.0, 1.0, 3.0, 0.0])
    >>> allocate(map_, hours=10, allocation=Allocation(Sharing.PROPORTIONAL), order=np.arange(4)).tolist()
    [6.0, 1.0, 3.0, 0.0]
    >>> top = Allocation(Sharing.TOP, share=0.5, explore=0.2)
    >>> allocate(map_, hours=10, allocation=top, order=np.arange(4)).tolist()
    [4.5, 0.5, 4.5, 0.5]
    """
    n = len(surface)
    weight = _weights(surface, allocation, order)
    total = float(weight.sum())
    weight = weight / total if total > 0 else np.full(n, 1 / n)
    weight = (1 - allocation.explore) * weight + allocation.explore / n
    if allocation.quota > 0:
        if sectors is None:
            raise bad_parameter(
                name="sectors", where="allocate", must="given with a quota", got=None,
                remedy="Pass the sector of each cell.",
            )  # fmt: skip
        weight = _with_quota(weight, sectors, quota=allocation.quota)
    if allocation.cap < 1:
        weight = _with_cap(weight, cap=max(allocation.cap, 1 / n))
    return np.asarray(hours * weight, dtype=np.float64)


def _weights(surface: FloatArray, allocation: Allocation, order: IntArray) -> FloatArray:
    n = len(surface)
    if allocation.sharing is Sharing.PROPORTIONAL:
        return surface
    if allocation.sharing is Sharing.EQUAL:
        return np.ones(n)
    out = np.zeros(n)
    k = max(1, round(allocation.share * n))
    if allocation.sharing is Sharing.RANDOM:
        out[order[:k]] = 1.0
    elif allocation.sharing in (Sharing.TOP, Sharing.TOP_DECILE):
        rounded = np.round(surface / max(float(surface.max()), 1e-300), 12)  # last bits choose no cell
        ranked = order[np.argsort(-rounded[order], kind="stable")]
        if allocation.sharing is Sharing.TOP_DECILE:
            first = np.zeros(n, dtype=np.bool_)
            first[ranked[: max(k, round(0.1 * n))]] = True
            ranked = order[first[order]]
        out[ranked[:k]] = 1.0
    else:
        out[surface >= allocation.times_mean * max(float(surface.mean()), 1e-300)] = 1.0
    return out


def _with_quota(weight: FloatArray, sectors: IntArray, *, quota: float) -> FloatArray:
    """Lift sectors under their promised share, taking from the others in proportion to what they have above theirs."""
    cells = np.bincount(sectors)
    floor = quota * cells / cells.sum()
    has = np.bincount(sectors, weights=weight, minlength=len(cells))
    short = np.maximum(floor - has, 0.0)
    over = np.maximum(has - floor, 0.0)
    target = has + short - over * (short.sum() / over.sum() if over.sum() > 0 else 0.0)
    scale = np.divide(target, has, out=np.zeros(len(cells)), where=has > 0)
    empty = np.where(has > 0, 0.0, target / np.maximum(cells, 1))
    return np.asarray(weight * scale[sectors] + empty[sectors], dtype=np.float64)


def _with_cap(weight: FloatArray, *, cap: float) -> FloatArray:
    """Cut what is above the cap and hand it to the others, until none is above."""
    out = weight.copy()
    for _ in range(len(out)):
        over = out > cap * (1 + 1e-12)
        if not over.any():
            break
        excess = float((out[over] - cap).sum())
        out[over] = cap
        under = out < cap
        base = np.where(under, out, 0.0) if float(out[under].sum()) > 0 else under.astype(np.float64)
        out = out + excess * base / base.sum()
    return out
