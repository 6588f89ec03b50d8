r"""Space-time kernel density: a Gaussian around each record, which fades with its age, integrated exactly over cells.

The general form of which the hot-spot maps of the trade are cases. A Gaussian whose axes are those of the grid is the
product of two one-dimensional ones, so a cell's integral is the product of two differences of the normal distribution
function, and the whole map one product of two matrices: no sampling, no error but rounding.

What it cannot tell you: a bandwidth is a decision, not a finding. A rule that spreads wide makes every city look alike,
one that spreads little draws the records back. And the density is that of *records*.

Notes
-----
With :math:`\Phi` the normal distribution function, a cell :math:`[x_0,x_1]\times[y_0,y_1]` receives from a record at
:math:`(u,v)` the share
:math:`\left[\Phi\frac{x_1-u}{\sigma}-\Phi\frac{x_0-u}{\sigma}\right]\left[\Phi\frac{y_1-v}{\tau}-\Phi\frac{y_0-v}{\tau}\right]`.
A Gaussian turned with the covariance of the records, as :func:`scipy.stats.gaussian_kde` has it, is no such product and
is left out: with a bandwidth of a few hundred metres its axes would hardly show.

References
----------
.. [1] Scott (1992), Multivariate Density Estimation, Wiley, doi:10.1002/9780470316849.
.. [2] Silverman (1986), Density Estimation for Statistics and Data Analysis, Chapman & Hall, section 5.2 (nearest
   neighbours).
"""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import ndtr

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.history import Points
from models.prospective_continuous import Edges, checked_age_days

#: How a record of age ``t`` days weighs, ``s`` being the scale: 1; exp(−t/s); 1 / (1 + (t/s)²).
TimeKernel = Literal["constant", "exponential", "quadratic"]
TIME_KERNELS: Final[tuple[str, ...]] = ("constant", "exponential", "quadratic")
#: Records taken at a time, so that memory does not grow with their number.
_BLOCK = 8_192


def space_time_kde(
    points: Points, *, grid: Grid, at_days: float, bandwidth_m: npt.ArrayLike,
    time_kernel: TimeKernel = "exponential", scale_days: float = 28.0, edges: Edges = "return",
) -> FloatArray:  # fmt: skip
    """Draw the Gaussian density of located records, each weighted by its age, integrated exactly over each cell.

    Parameters
    ----------
    points : Points
        Records, none later than ``at_days``, each in a land cell of the grid.
    grid : Grid
    at_days : float
        Instant predicted, days since the start of day 0.
    bandwidth_m : array-like, broadcast to (n, 2)
        Standard deviation of each record along x and y: one number, one for each axis, or ``(n, 1)`` from
        :func:`neighbour_bandwidth`.
    time_kernel : {"constant", "exponential", "quadratic"}, default="exponential"
    scale_days : float, default=28.0
        Scale of the time kernel; without effect on the constant one.
    edges : {"return", "lose"}, default="return"
        Whether the weight that falls off the land is given back to the land, in proportion, record by record, or lost.

    Returns
    -------
    ndarray, shape (n_cells,)
        With ``edges="return"`` it sums to the weights of the records.

    Raises
    ------
    ParameterError
        If a record is later than ``at_days`` or on no land cell, or a bandwidth or scale is not positive.
    """
    where = "space_time_kde"
    weight = time_weight(
        checked_age_days(points, grid=grid, at_days=at_days, where=where), kernel=time_kernel, scale_days=scale_days
    )
    sd = np.broadcast_to(np.asarray(bandwidth_m, dtype=np.float64), (len(points), 2))
    if not (np.isfinite(sd).all() and (sd > 0).all()):
        raise bad_parameter(
            name="bandwidth_m", where=where, must="lengths in (0, inf) metres", got=float(sd.min()),
            remedy="Records at one place have neighbours at distance 0; give neighbour_bandwidth a larger at_least_m.",
        )  # fmt: skip
    land = np.asarray(grid.land, dtype=np.float64)
    ny, nx = grid.shape
    lines_x, lines_y = (low + grid.cell_m * np.arange(k + 1.0) for low, k in ((grid.x0_m, nx), (grid.y0_m, ny)))
    raster = np.zeros((ny, nx))
    for first in range(0, len(points), _BLOCK):
        block = slice(first, first + _BLOCK)
        along_x = _shares(points.x_m[block], sd[block, 0], lines_x)
        along_y = _shares(points.y_m[block], sd[block, 1], lines_y)
        own = weight[block]
        if edges == "return":
            own = own / np.einsum("ij,ij->i", along_y @ land, along_x)
        raster += along_y.T @ (own[:, None] * along_x)
    return raster[grid.land]


def time_weight(age_days: npt.ArrayLike, *, kernel: TimeKernel, scale_days: float) -> FloatArray:
    """Weight of records by age, 1 at age 0.

    Raises
    ------
    ParameterError
        If the kernel is not known or the scale not positive.

    Examples
    --------
    >>> time_weight([0.0, 7.0], kernel="quadratic", scale_days=7.0).tolist()
    [1.0, 0.5]
    """
    age = np.asarray(age_days, dtype=np.float64)
    if not (scale_days > 0 and math.isfinite(scale_days)):
        raise bad_parameter(name="scale_days", where="time_weight", must="in (0, inf) days", got=scale_days)
    if kernel == "constant":
        return np.ones(age.shape)
    if kernel == "exponential":
        return np.asarray(np.exp(-age / scale_days))
    if kernel == "quadratic":
        return np.asarray(1.0 / (1.0 + (age / scale_days) ** 2))
    raise bad_parameter(name="kernel", where="time_weight", must=f"one of {TIME_KERNELS}", got=kernel)


def scott_bandwidth(points: Points) -> FloatArray:
    """Scott's rule along each axis, shape (2,): the standard deviation of the records times ``n ** (-1/6)``.

    Raises
    ------
    ParameterError
        If there are fewer than two records, or all lie on one line along an axis.
    """
    places = np.column_stack([points.x_m, points.y_m])
    sd = places.std(axis=0, ddof=1) if len(places) > 1 else np.zeros(2)
    if not (sd > 0).all():
        raise bad_parameter(
            name="points", where="scott_bandwidth", must="at least two places, apart along both axes", got=sd.tolist()
        )
    return np.asarray(sd * len(places) ** (-1 / 6))


def neighbour_bandwidth(points: Points, *, k: int = 15, at_least_m: float = 10.0) -> FloatArray:
    """Distance from each record to its ``k``-th nearest other, shape (n, 1): wide where records are few.

    Parameters
    ----------
    points : Points
        More than ``k`` of them.
    k : int, default=15
    at_least_m : float, default=10.0
        Floor: records at one address are no more precise than the address.

    Raises
    ------
    ParameterError
        If there are not more than ``k`` records, or ``k`` or the floor is not positive.
    """
    where = "neighbour_bandwidth"
    if not (k >= 1 and len(points) > k):
        raise bad_parameter(
            name="k", where=where, must=f"in [1, {len(points) - 1}], under the number of records", got=k
        )
    if not at_least_m > 0:
        raise bad_parameter(name="at_least_m", where=where, must="a length in (0, inf) metres", got=at_least_m)
    places = np.column_stack([points.x_m, points.y_m])
    distance, _ = cKDTree(places).query(places, k=[k + 1])
    return np.maximum(np.asarray(distance, dtype=np.float64), at_least_m)


def _shares(place: FloatArray, sd: FloatArray, edges: FloatArray) -> FloatArray:
    """Share of each record's Gaussian between consecutive edges, shape (n, len(edges) - 1)."""
    return np.asarray(np.diff(ndtr((edges[None, :] - place[:, None]) / sd[:, None]), axis=1))
