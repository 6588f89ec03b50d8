r"""Retrospective hot-spot map: recent events, each spread by a quartic kernel, then summed.

The map most « points chauds » products draw, and the first that a forecast with parameters must beat.

What it cannot tell you: the map ranks *recorded* events. Where recording follows patrols, so does the map. It also
assumes that tomorrow resembles the last weeks: it knows no season, weather or day of the week.

Notes
-----
The kernel is :math:`k(u) = \frac{3}{\pi h^2}\left(1-\frac{|u|^2}{h^2}\right)^2` for :math:`|u|<h`. Counts are held by
cell, so an event is taken to be anywhere in its cell with equal chance, and what a cell receives is the kernel's
integral over that cell, averaged over those places. For :math:`h \le c` (``c`` the side of a cell) the event keeps
:math:`1-\frac{64h}{35\pi c}+\frac{h^2}{4\pi c^2}` in its own cell, gives each side neighbour
:math:`\frac{16h}{35\pi c}-\frac{h^2}{8\pi c^2}` and each corner neighbour :math:`\frac{h^2}{16\pi c^2}`.

Edges: what the kernel would put in the sea or outside the grid is given back to the land cells that the same event
reaches, in proportion. Each event thus weighs 1 whatever the shore, and the map sums to the mean daily count.

References
----------
.. [1] Bowers, Johnson & Pease (2004), "Prospective hot-spotting", British Journal of Criminology 44(5), 641-658.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid
from models.base import WINDOW_DAYS, BasePredictor, Domain, Seen, daily_mean


class RetroQuartic(BasePredictor):
    """Quartic kernel density of the records of the last weeks.

    Parameters
    ----------
    bandwidth_m : float, default=300.0
        Radius ``h`` beyond which an event has no weight. The default is a little more than a cell of 250 m, so that
        neighbours of a hot cell count and the next ring hardly does.
    window_days : int, default=56
        Days of history used, all with the same weight; all the days available where there are fewer.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "bandwidth_m": Domain(0.0, 20_000.0, "a length in (0, 20000] metres"),
        "window_days": WINDOW_DAYS,
    }

    def __init__(self, bandwidth_m: float = 300.0, window_days: int = 56) -> None:
        self.bandwidth_m = bandwidth_m
        self.window_days = window_days

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        mean, used = daily_mean(seen.events.counts, window_days=self.window_days)
        return smooth(mean, grid=seen.grid, bandwidth_m=float(self.bandwidth_m)), used


def smooth(values: npt.ArrayLike, *, grid: Grid, bandwidth_m: float) -> FloatArray:
    """Spread one value per land cell by the quartic kernel, nothing lost at the shore.

    Parameters
    ----------
    values : array-like, shape (n_cells,)
    grid : Grid
    bandwidth_m : float

    Returns
    -------
    ndarray, shape (n_cells,)
        Same sum as ``values``; no entry below 0 if none of ``values`` is.
    """
    kernel = cell_weights(bandwidth_m, cell_m=grid.cell_m)
    kept = _kept_on_land(grid, kernel)
    spread = ndimage.convolve(grid.raster(np.asarray(values) / kept, fill=0.0), kernel, mode="constant", cval=0.0)
    return np.asarray(spread[grid.land], dtype=np.float64)


def _kept_on_land(grid: Grid, kernel: FloatArray) -> FloatArray:
    """Share of each land cell's kernel that falls on land; at least the share it keeps itself, so never 0."""
    land = ndimage.convolve(grid.land.astype(np.float64), kernel, mode="constant", cval=0.0)
    return np.asarray(land[grid.land], dtype=np.float64)


@lru_cache(maxsize=32)
def cell_weights(bandwidth_m: float, *, cell_m: float) -> FloatArray:
    """Share of an event's weight that each cell around its own receives.

    Parameters
    ----------
    bandwidth_m, cell_m : float
        Kernel radius and side of a cell, metres.

    Returns
    -------
    ndarray, shape (2 m + 1, 2 m + 1)
        Read-only, symmetric, sums to 1; the event's own cell is in the middle.

    Notes
    -----
    A displacement ``u`` from a place drawn uniformly in a cell lands ``i`` cells away with the linear weights
    ``max(0, 1 - |u/c - i|)`` along each axis. The integral of kernel × weights is taken piece by piece between
    multiples of ``c``, where it is smooth, by Gauss-Legendre quadrature (exact along the inner axis).
    """
    if not (bandwidth_m > 0 and cell_m > 0):
        raise bad_parameter(
            name="bandwidth_m", where="cell_weights", must="a length in (0, inf) metres, like cell_m",
            got=(bandwidth_m, cell_m),
        )  # fmt: skip
    h = bandwidth_m / cell_m
    m = int(np.ceil(h))
    cuts = np.unique(np.clip(np.arange(-m, m + 1), -h, h))
    weights = np.zeros((2 * m + 3, 2 * m + 3))
    outer_x, outer_w = np.polynomial.legendre.leggauss(96)
    inner_x, inner_w = np.polynomial.legendre.leggauss(4)
    for x_low, x_high in pairwise(cuts):
        x = (x_low + x_high) / 2 + outer_x * (x_high - x_low) / 2
        wx = outer_w * (x_high - x_low) / 2
        reach = np.sqrt(np.maximum(h * h - x * x, 0.0))
        i = int(np.floor((x_low + x_high) / 2))
        for y_low, y_high in pairwise(cuts):
            low, high = np.clip(y_low, -reach, reach), np.clip(y_high, -reach, reach)
            y = (low + high)[:, None] / 2 + inner_x * (high - low)[:, None] / 2
            mass = (1 - (x[:, None] ** 2 + y**2) / h**2) ** 2 * (wx[:, None] * inner_w * (high - low)[:, None] / 2)
            j = int(np.floor((y_low + y_high) / 2))
            right, up = (x - i)[:, None], y - j
            for di, along_x in ((0, 1 - right), (1, right)):
                for dj, along_y in ((0, 1 - up), (1, up)):
                    weights[j + dj + m + 1, i + di + m + 1] += float((mass * along_x * along_y).sum())
    while len(weights) > 1 and not (weights[0].any() or weights[:, 0].any()):
        weights = weights[1:-1, 1:-1]
    weights = (weights + weights[::-1]) / 2
    weights = (weights + weights[:, ::-1]) / 2
    weights = (weights + weights.T) / 2
    weights /= weights.sum()
    weights.flags.writeable = False
    return np.asarray(weights)
