"""How one incident brings others: how many, when, and where. Everything about the kernel, drawn and written out.

Every incident, whatever its own cause, has a Poisson number of direct follow-ons of its type with mean ``near_repeat``.
Each comes after an exponential lag of mean ``near_repeat_days`` in continuous time. With probability ``repeat_share``
it is at the same address. Otherwise a point is drawn around the address from an isotropic Gaussian of standard
deviation ``near_repeat_m``, again and again until it falls in a land cell, and the incident is at the address *of that
cell* which is nearest to the point.

So the law of the follow-on's cell, given the address x of the parent, is known in closed form::

    P(cell c | x) = repeat_share * 1[c holds x] + (1 - repeat_share) * G(c | x) / sum of G(. | x) over land cells

where ``G(c | x)`` is the Gaussian mass of the square cell, a product of two differences of the normal distribution
function, one for each axis. What is drawn (:func:`displace`) and what is written out (:class:`LandGaussian`) are the
same law; tests hold them together.

What it cannot tell you: offenders and victims. A kernel says that incidents come in clusters, not who or why; and no
street bends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid
from synthetic_data.city import City
from synthetic_data.scenario import IncidentPlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Half-width, in standard deviations, beyond which the Gaussian is nothing in double precision (2e-16).
_REACH: Final = 8.3
#: Numbers handled at once, so that memory stays bounded.
_CHUNK: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Triggering:
    """Parameters of the kernel.

    Attributes
    ----------
    mean : float
        Mean number of direct follow-ons, below 1.
    lag_days : float
        Mean lag.
    same_address : float
        Probability of the very same address.
    sd_m : float
        Standard deviation of the displacement, on each axis.
    """

    mean: float
    lag_days: float
    same_address: float
    sd_m: float

    @classmethod
    def of(cls, plan: IncidentPlan) -> Triggering:
        """Kernel of a scenario."""
        return cls(plan.near_repeat, plan.near_repeat_days, plan.repeat_share, plan.near_repeat_m)

    def expected_in_window(self, start: FloatArray, end: FloatArray, *, n_days: float) -> FloatArray:
        """Mean number of incidents in ``[0, n_days)`` that one background incident stands for, itself included.

        Parameters
        ----------
        start, end : ndarray, shape (n,)
            Ends of an interval over which the time of the background incident is uniform, days from day 0. It lies
            wholly before day 0 or wholly in the window.

        Notes
        -----
        All generations together, descendants come at rate ``mean * b * exp(-b * (1 - mean) * lag)`` a day, where
        ``b = 1 / lag_days``.
        """
        in_window = (start >= 0).astype(np.float64)
        if self.mean == 0:
            return in_window
        decay = (1 - self.mean) / self.lag_days
        share = self.mean / (1 - self.mean)
        length = end - start
        after = (np.exp(-decay * (n_days - end)) - np.exp(-decay * (n_days - start))) / (decay * length)
        before = (np.exp(decay * np.minimum(end, 0)) - np.exp(decay * np.minimum(start, 0))) / (decay * length)
        return np.asarray(in_window * (1 + share) + (1 - in_window) * share * before - share * after, dtype=np.float64)


def displace(city: City, x_m: FloatArray, y_m: FloatArray, *, sd_m: float, rng: np.random.Generator) -> IntArray:
    """Draw an address around each point; shape (n,).

    A Gaussian displacement, drawn again until it falls in a land cell; then the address of that cell nearest to it.

    Raises
    ------
    ParameterError
        If a point is not in a land cell.
    """
    grid = city.grid
    if len(x_m) and grid.cell_of(x_m, y_m).min() < 0:
        raise bad_parameter(name="x_m, y_m", where="displace", must="points in land cells", got="a point at sea")
    to_x, to_y = x_m.copy(), y_m.copy()
    cell = np.empty(len(x_m), dtype=np.int64)
    todo = np.arange(len(x_m))
    while len(todo):
        step = rng.standard_normal((len(todo), 2))
        to_x[todo] = x_m[todo] + sd_m * step[:, 0]
        to_y[todo] = y_m[todo] + sd_m * step[:, 1]
        cell[todo] = grid.cell_of(to_x[todo], to_y[todo])
        todo = todo[cell[todo] < 0]
    return _nearest(city, to_x, to_y, cell)


def _nearest(city: City, x_m: FloatArray, y_m: FloatArray, cell: IntArray) -> IntArray:
    """Address of the given cell nearest to each point."""
    k = city.sites_per_cell
    across, up = city.site_x_m.reshape(-1, k), city.site_y_m.reshape(-1, k)
    out = np.empty(len(cell), dtype=np.int64)
    step = max(1, _CHUNK // k)
    for i in range(0, len(cell), step):
        part = slice(i, i + step)
        c = cell[part]
        gap = (across[c] - x_m[part, None]) ** 2 + (up[c] - y_m[part, None]) ** 2
        out[part] = c * k + np.argmin(gap, axis=1)
    return out


@dataclass(frozen=True, eq=False)
class LandGaussian:
    """The law of the cell where a displaced point falls, for many starting points, in separable form.

    Attributes
    ----------
    grid : Grid
    column, row : ndarray of int, shape (n,)
        First column and row of the raster that the point reaches.
    across, up : ndarray, shape (n, width), (n, height)
        Gaussian mass of each of these columns and rows.
    on_land : ndarray, shape (n,)
        Mass that falls on land cells, by which the law is divided.
    """

    grid: Grid
    column: IntArray
    row: IntArray
    across: FloatArray
    up: FloatArray
    on_land: FloatArray

    @classmethod
    def around(cls, grid: Grid, x_m: FloatArray, y_m: FloatArray, *, sd_m: float) -> LandGaussian:
        """Laws around points that lie in land cells."""
        ny, nx = grid.shape
        column, across = _axis((x_m - grid.x0_m) / grid.cell_m, sd=sd_m / grid.cell_m, n=nx)
        row, up = _axis((y_m - grid.y0_m) / grid.cell_m, sd=sd_m / grid.cell_m, n=ny)
        made = cls(grid, column, row, across, up, np.ones(len(column)))
        on_land = np.zeros(len(column))
        for part, _, mass in made._patches():
            on_land[part] = mass.sum(axis=(1, 2))
        return cls(grid, column, row, across, up, on_land)

    def __len__(self) -> int:
        return len(self.column)

    def at(self, point: IntArray, cell: IntArray) -> FloatArray:
        """Probability that the displacement from ``point`` (an index) falls in ``cell``; shape (n,)."""
        rows, columns = np.nonzero(self.grid.land)
        j, i = rows[cell] - self.row[point], columns[cell] - self.column[point]
        height, width = self.up.shape[1], self.across.shape[1]
        near = (j >= 0) & (j < height) & (i >= 0) & (i < width)
        mass = self.up[point, np.where(near, j, 0)] * self.across[point, np.where(near, i, 0)]
        return np.asarray(np.where(near, mass / self.on_land[point], 0.0), dtype=np.float64)

    def spread(self, weight: FloatArray) -> FloatArray:
        """Sum over points of ``weight`` times the law of each; shape (n_cells,)."""
        out = np.zeros(self.grid.n_cells)
        scaled = weight / self.on_land
        used = np.flatnonzero(weight)
        for part, cell, mass in self._patches(used):
            sea = cell < 0
            out += np.bincount(
                np.where(sea, 0, cell).ravel(), (mass * scaled[part, None, None]).ravel(), minlength=len(out)
            )
        return out

    def _patches(self, points: IntArray | None = None) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Points by chunk, with the cell (-1 at sea) and the mass (0 at sea) of each square they reach."""
        number = np.full(self.grid.shape, -1, dtype=np.int64)
        number[self.grid.land] = np.arange(self.grid.n_cells)
        height, width = self.up.shape[1], self.across.shape[1]
        points = np.arange(len(self)) if points is None else points
        step = max(1, _CHUNK // (height * width))
        for i in range(0, len(points), step):
            part = points[i : i + step]
            rows = self.row[part, None] + np.arange(height)
            columns = self.column[part, None] + np.arange(width)
            cell = number[rows[:, :, None], columns[:, None, :]]
            mass = self.up[part][:, :, None] * self.across[part][:, None, :]
            yield part, cell, np.where(cell >= 0, mass, 0.0)


def _axis(at: FloatArray, *, sd: float, n: int) -> tuple[IntArray, FloatArray]:
    """First square reached along one axis and the Gaussian mass of each; lengths in squares, ``n`` squares in all."""
    width = min(n, int(np.ceil(2 * _REACH * sd)) + 1)
    first = np.clip(np.floor(at - _REACH * sd).astype(np.int64), 0, n - width)
    edges = first[:, None] + np.arange(width + 1) - at[:, None]
    if sd == 0:
        return first, ((edges[:, :-1] <= 0) & (edges[:, 1:] > 0)).astype(np.float64)
    return first, np.asarray(np.diff(ndtr(edges / sd), axis=1), dtype=np.float64)
