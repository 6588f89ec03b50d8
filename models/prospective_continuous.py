r"""The prospective surface drawn from exact places, and integrated over each cell in closed form.

Every record spreads :math:`\frac{1}{1+r}` around it up to a bandwidth :math:`R`, and weighs :math:`\frac{1}{1+t}`,
:math:`r` and :math:`t` being real numbers of units of length and weeks. The usual way to put such a surface on a grid
is to sample it at a few points of each cell, drawn at random: two runs then differ, and a hot spot can fall between
the points. Here the integral over the cell is known, so the map is the same twice and no error is left to state but
that of rounding.

What it cannot tell you: exact arithmetic on inexact places. An address geocoded to the middle of its street is metres
off, and the surface takes the place as it is given.

Notes
-----
The integral over a rectangle with a corner at the record is that of two right triangles. In polar coordinates, the one
whose leg lies along an axis and measures :math:`x`, seen under the angle :math:`\varphi`, holds

.. math:: T(x,\varphi)=\int_0^{\varphi}g\!\left(\min\left(\tfrac{x}{\cos\theta},R\right)\right)d\theta,
          \qquad g(\rho)=\int_0^\rho\frac{r\,dr}{1+r}=\rho-\ln(1+\rho).

Beyond :math:`\cos\theta=x/R` the integrand is constant. Before it, :math:`\int x/\cos\theta` is
:math:`x\,\operatorname{asinh}\tan\varphi` and :math:`L(x,\varphi)=\int_0^\varphi\ln(1+x/\cos\theta)\,d\theta` is made
of Clausen functions :math:`\mathrm{Cl}_2(t)=-\int_0^t\ln(2\sin\frac s2)\,ds`. With :math:`x=\cos\alpha\le1`,

.. math:: L=\mathrm{Cl}_2(\pi-\varphi-\alpha)+\mathrm{Cl}_2(\pi-\varphi+\alpha)-\tfrac12\mathrm{Cl}_2(\pi-2\varphi),

and with :math:`x>1`, :math:`q=x-\sqrt{x^2-1}` and :math:`\psi=\arg(1+qe^{i\varphi})`,

.. math:: L=(2\psi-\varphi)\ln q+\mathrm{Cl}_2(2\psi)+\mathrm{Cl}_2(2\varphi-2\psi)-\mathrm{Cl}_2(2\varphi)
          -\tfrac12\mathrm{Cl}_2(\pi-2\varphi).

Any cell is a signed sum of four such rectangles; the whole disc holds :math:`2\pi\,g(R)`.

References
----------
.. [1] Bowers, Johnson & Pease (2004), "Prospective hot-spotting", British Journal of Criminology 44(5), 641-658,
   doi:10.1093/bjc/azh036.
.. [2] Lewin (1981), Polylogarithms and Associated Functions, North-Holland, chapters 4 and 5.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import numba
import numpy as np
from scipy.special import bernoulli

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray, Grid
from contrechamp.domain.history import Points

#: What becomes of the weight that falls in the sea or off the grid: given back to the land cells that the same record
#: reaches, in proportion; or lost, each cell then holding the plain integral.
Edges = Literal["return", "lose"]

_TERMS = 18
_EVEN = np.abs(bernoulli(2 * _TERMS))[2::2]
_K2 = 2.0 * np.arange(1, _TERMS + 1)
_FACTORIAL = np.array([math.factorial(2 * k + 1) for k in range(1, _TERMS + 1)], dtype=np.float64)
#: Cl₂(t) = t (1 − ln t + Σ aₖ t²ᵏ) and Cl₂(π − s) = s (ln 2 − Σ bₖ s²ᵏ), used under 2π/3 and π/3: 3⁻³⁶ is left out.
_NEAR_ZERO: Final = _EVEN / (_K2 * _FACTORIAL)
_NEAR_PI: Final = _EVEN * (2.0**_K2 - 1.0) / (_K2 * _FACTORIAL)


def prospective_surface(
    points: Points, *, grid: Grid, at_days: float, bandwidth: float = 8.0, unit_m: float | None = None,
    horizon_weeks: float = 8.0, edges: Edges = "return",
) -> FloatArray:  # fmt: skip
    """Draw the prospective surface of located records, integrated exactly over each cell.

    Parameters
    ----------
    points : Points
        Records, none later than ``at_days``, each in a land cell of the grid.
    grid : Grid
    at_days : float
        Instant predicted, days since the start of day 0.
    bandwidth : float, default=8.0
        Radius beyond which a record has no weight, in units of length.
    unit_m : float, optional
        The unit of length; the side of a cell where left out.
    horizon_weeks : float, default=8.0
        Age at which a record stops counting.
    edges : {"return", "lose"}, default="return"
        What becomes of the weight that falls off the land.

    Returns
    -------
    ndarray, shape (n_cells,)
        Each record adds its weight in time, shared out in proportion to the kernel's integral: with
        ``edges="return"`` the surface sums to the weights of the records.

    Raises
    ------
    ParameterError
        If a record is later than ``at_days`` or on no land cell, or a length is not positive.

    Notes
    -----
    To compare with a density ``1 / (1 + r)`` that is not normalised, multiply by ``2π (R - ln(1 + R))`` and, for a mean
    over cells, by ``(unit_m / cell_m)²``.
    """
    where = "prospective_surface"
    unit = grid.cell_m if unit_m is None else float(unit_m)
    for name, value in (("bandwidth", bandwidth), ("unit_m", unit), ("horizon_weeks", horizon_weeks)):
        if not (value > 0 and math.isfinite(value)):
            raise bad_parameter(name=name, where=where, must="a number in (0, inf)", got=value)
    weeks = checked_age_days(points, grid=grid, at_days=at_days, where=where) / 7.0
    kept = np.flatnonzero(weeks < horizon_weeks)
    raster = np.zeros(grid.shape)
    _add_records(
        (points.x_m[kept] - grid.x0_m) / grid.cell_m, (points.y_m[kept] - grid.y0_m) / grid.cell_m,
        1.0 / (1.0 + weeks[kept]), grid.cell_m / unit, float(bandwidth),
        np.ascontiguousarray(grid.land, dtype=np.bool_), edges == "return", raster,
    )  # fmt: skip
    return raster[grid.land]


def checked_age_days(points: Points, *, grid: Grid, at_days: float, where: str) -> FloatArray:
    """Age of each record at ``at_days``, refusing those of the future and those that are on no land cell."""
    age = float(at_days) - points.t_days
    if len(age) and not age.min() >= 0:
        raise bad_parameter(
            name="at_days", where=where, must=f"at least {points.t_days.max()}, the last record", got=at_days,
            remedy="A record of the future cannot be used to predict.",
        )  # fmt: skip
    if len(age) and (grid.cell_of(points.x_m, points.y_m) < 0).any():
        raise bad_parameter(
            name="points", where=where, must="on land cells of the grid",
            got=f"{int((grid.cell_of(points.x_m, points.y_m) < 0).sum())} elsewhere",
            remedy="Leave them out, and count them: EventLog.from_arrays does.",
        )  # fmt: skip
    return age


@numba.njit(nogil=True, cache=True)
def clausen(t: float) -> float:
    """Clausen function Cl₂, any real argument, to rounding."""
    t -= 2.0 * math.pi * math.floor(t / (2.0 * math.pi))
    sign = 1.0
    if t > math.pi:
        t, sign = 2.0 * math.pi - t, -1.0
    if t <= 0.0:
        return 0.0
    if t < 2.0 * math.pi / 3.0:
        return sign * t * (1.0 - math.log(t) + _series(t * t, _NEAR_ZERO))
    s = math.pi - t
    return sign * s * (math.log(2.0) - _series(s * s, _NEAR_PI))


@numba.njit(nogil=True, cache=True)
def _series(square: float, coefficients: FloatArray) -> float:
    total = 0.0
    for k in range(len(coefficients) - 1, -1, -1):
        total = (total + coefficients[k]) * square
    return total


@numba.njit(nogil=True, cache=True)
def _log_integral(x: float, phi: float) -> float:
    """L(x, φ) of the module's notes, x above 0 and φ in [0, π/2]."""
    half = 0.5 * clausen(math.pi - 2.0 * phi)
    if x <= 1.0:
        alpha = math.acos(x)
        return clausen(math.pi - phi - alpha) + clausen(math.pi - phi + alpha) - half
    q = 1.0 / (x + math.sqrt(x * x - 1.0))  # x − √(x² − 1) without its cancellation
    psi = math.atan2(q * math.sin(phi), 1.0 + q * math.cos(phi))
    two = clausen(2.0 * psi) + clausen(2.0 * (phi - psi)) - clausen(2.0 * phi)
    return (2.0 * psi - phi) * math.log(q) + two - half


@numba.njit(nogil=True, cache=True)
def _triangle(x: float, y: float, radius: float) -> float:
    """Integral of 1 / (1 + r), cut at ``radius``, over the triangle (0, 0), (x, 0), (x, y); x and y above 0."""
    phi = math.atan2(y, x)
    rim = radius - math.log1p(radius)
    if x >= radius:
        return phi * rim
    inside, beyond, slope = phi, 0.0, y / x
    if x * x + y * y > radius * radius:
        inside = math.acos(x / radius)
        beyond, slope = phi - inside, math.sqrt(radius * radius - x * x) / x
    return x * math.asinh(slope) - _log_integral(x, inside) + beyond * rim


@numba.njit(nogil=True, cache=True)
def _add_records(
    column: FloatArray, row: FloatArray, weight: FloatArray, cell: float, radius: float, land: BoolArray,
    give_back: bool, out: FloatArray,
) -> None:  # fmt: skip
    """Add each record's weight to ``out``. Places in cells from the grid's corner; ``cell`` and ``radius`` in units."""
    rows, columns = land.shape
    m = math.ceil(radius / cell)
    side = 2 * m + 2
    corner = np.empty((side, side))
    share = np.empty((side - 1, side - 1))
    whole = 2.0 * math.pi * (radius - math.log1p(radius))
    for k in range(len(weight)):
        c, r = math.floor(column[k]), math.floor(row[k])
        for i in range(side):
            y = (r - m + i - row[k]) * cell
            for j in range(side):
                x = (c - m + j - column[k]) * cell
                if x == 0.0 or y == 0.0:
                    corner[i, j] = 0.0
                else:
                    ax, ay = abs(x), abs(y)
                    value = _triangle(ax, ay, radius) + _triangle(ay, ax, radius)
                    corner[i, j] = value if (x > 0.0) == (y > 0.0) else -value
        on_land = 0.0
        for i in range(side - 1):
            for j in range(side - 1):
                held = corner[i + 1, j + 1] - corner[i, j + 1] - corner[i + 1, j] + corner[i, j]
                share[i, j] = max(held, 0.0) / whole  # rounding can leave −1e-15 where the rim only touches a cell
                rr, cc = r - m + i, c - m + j
                if 0 <= rr < rows and 0 <= cc < columns and land[rr, cc]:
                    on_land += share[i, j]
        scale = weight[k] / on_land if give_back else weight[k]
        for i in range(side - 1):
            rr = r - m + i
            if 0 <= rr < rows:
                for j in range(side - 1):
                    cc = c - m + j
                    if 0 <= cc < columns and land[rr, cc]:
                        out[rr, cc] += scale * share[i, j]
