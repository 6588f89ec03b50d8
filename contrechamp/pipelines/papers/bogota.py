"""The synthetic Bogotá of Akpinar et al. (2021): crime by district, part of it reported, hot spots from reports.

A superset of events is drawn from a self-exciting process on a 1 km grid; each district keeps the number of victims its
survey says; each victim reports with the probability its survey says. A moving average per cell predicts tomorrow's
hot spots, from all victims (M1), from reports (M2), or from reports divided by the reporting rate (M3). They are
compared with the hot spots of the true intensity.

What it cannot tell you: what happened in Bogotá. Districts differ here by their survey figures only; the events are
drawn, and the moving average is one of the two predictors of the paper.

References
----------
.. [1] Akpinar, De-Arteaga & Chouldechova (2021), "The effect of differential victim crime reporting on predictive
   policing systems", FAccT 2021, 838-849.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from scipy import stats

from contrechamp.domain.errors import ContractError
from contrechamp.domain.grid import FloatArray

IntArray = npt.NDArray[np.int64]
#: The three moving averages, in the order of :class:`HotSpots`.
VARIANTS: Final = ("M1", "M2", "M3")


@dataclass(frozen=True, slots=True)
class Map:
    """Cells of 1 km inside the city.

    Attributes
    ----------
    names : tuple of str
        Districts.
    lookup : ndarray of int, shape (nx, ny)
        Cell number, or -1 outside the city.
    origin : tuple of two int
        Kilometre of the lower left corner of ``lookup[0, 0]``.
    column, row : ndarray of int, shape (n_cells,)
        Place of each cell in ``lookup``.
    district : ndarray of int, shape (n_cells,)
    """

    names: tuple[str, ...]
    lookup: IntArray
    origin: tuple[int, int]
    column: IntArray
    row: IntArray
    district: IntArray

    def cell_of(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Cell of each point, -1 outside the city."""
        i = np.ceil(x).astype(np.int64) - 1 - self.origin[0]
        j = np.ceil(y).astype(np.int64) - 1 - self.origin[1]
        nx, ny = self.lookup.shape
        inside = (i >= 0) & (i < nx) & (j >= 0) & (j < ny)
        out = np.full(x.shape, -1, dtype=np.int64)
        out[inside] = self.lookup[i[inside], j[inside]]
        return out


@dataclass(frozen=True, slots=True)
class Survey:
    """What a survey says of each district, in the order of :attr:`Map.names`.

    Attributes
    ----------
    population : ndarray
    victimisation, reporting : ndarray
        Shares in [0, 1], per semester.
    """

    population: FloatArray
    victimisation: FloatArray
    reporting: FloatArray


@dataclass(frozen=True, slots=True)
class HotSpots:
    """Hot spots of one drawn city, over the days of evaluation.

    Attributes
    ----------
    ratio : ndarray, shape (3, n_districts)
        Mean over days of predicted / true hot spots, by variant. As in the authors' figure, days with no true hot spot
        in the district are left out, or count 1 when none is predicted either. NaN if no day is left.
    captured : ndarray, shape (3,)
        True intensity inside the predicted hot spots over the most that as many cells can hold.
    events_per_day : float
        Victims a day.
    keep_rate : ndarray, shape (n_districts,)
        Share of the superset that each district keeps; above 1 the survey could not be met.
    days : ndarray, shape (3,)
        Memory of the moving average chosen by its own error, days.
    """

    ratio: FloatArray
    captured: FloatArray
    events_per_day: float
    keep_rate: FloatArray
    days: FloatArray


def make_map(polygons: Mapping[str, Any]) -> Map:
    """Cut the city into 1 km cells; a cell belongs to the district that holds its centre.

    Parameters
    ----------
    polygons : mapping of str to shapely geometry
        Districts in kilometres.

    Raises
    ------
    ContractError
        If there is nothing to cut.
    """
    names = tuple(polygons)
    shapes = np.array([polygons[name] for name in names], dtype=object)
    if not len(names):
        raise ContractError("The map of districts is empty. Fetch the shapefile again.")
    bounds = shapely.total_bounds(shapes)
    west, south = (int(np.floor(v)) for v in bounds[:2])
    east, north = (int(np.ceil(v)) for v in bounds[2:])
    x, y = np.meshgrid(np.arange(west, east) + 0.5, np.arange(south, north) + 0.5, indexing="ij")
    owner = np.full(x.shape, -1, dtype=np.int64)
    for k, shape in enumerate(shapes):
        inside = shapely.contains_xy(shape, x.ravel(), y.ravel()).reshape(x.shape)
        owner[inside & (owner < 0)] = k
    column, row = np.nonzero(owner >= 0)
    lookup = np.full(x.shape, -1, dtype=np.int64)
    lookup[column, row] = np.arange(column.size)
    return Map(names, lookup, (west, south), column, row, owner[column, row])


def hot_spots(city: Map, survey: Survey, *, scenario: Mapping[str, Any], rng: np.random.Generator) -> HotSpots:
    """Draw one city and compare predicted with true hot spots.

    Parameters
    ----------
    city : Map
    survey : Survey
    scenario : mapping
        ``n_days``, ``background_per_day``, ``background_sd_km``, ``centres_km``, ``theta``, ``omega_per_day``,
        ``sigma_km``, ``people_per_agent``, ``days_per_semester``, ``ignore_until``, ``train_until``,
        ``evaluation_days``, ``hot_spots``, ``memories``.
    rng : numpy.random.Generator

    Returns
    -------
    HotSpots
    """
    n_days = int(scenario["n_days"])
    x, y, day, cell = _superset(city, scenario, rng)
    semesters = n_days / float(scenario["days_per_semester"])
    wanted = np.round(survey.population / float(scenario["people_per_agent"]) * survey.victimisation) * semesters
    drawn = np.bincount(city.district[cell], minlength=len(city.names))
    keep = wanted / np.maximum(drawn, 1)
    victim = rng.random(cell.size) < keep[city.district[cell]]
    told = victim & (rng.random(cell.size) < survey.reporting[city.district[cell]])

    first, train = int(scenario["ignore_until"]), int(scenario["train_until"])
    last = train + int(scenario["evaluation_days"])
    forecasts, memory = [], []
    for chosen in (victim, told):
        counts = _counts(cell[chosen], day[chosen], cells=city.district.size, n_days=n_days)[first:last]
        forecast, days = _moving_average(counts, train=train - first, memories=int(scenario["memories"]))
        forecasts.append(forecast)
        memory.append(days)
    forecasts.append(forecasts[1] / survey.reporting[city.district])
    memory.append(memory[1])
    truth = _intensity(city, x, y, day, scenario, days=range(train + 1, last + 1)) * keep[city.district]
    ratio, captured = _compare(truth, forecasts, city, k=int(scenario["hot_spots"]))
    return HotSpots(ratio, captured, float(victim.sum() / n_days), keep, np.array(memory))


def _superset(
    city: Map, scenario: Mapping[str, Any], rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Background from Gaussians and the generations it triggers, inside the city: x, y, day (from 1), cell."""
    n_days, sigma = int(scenario["n_days"]), float(scenario["sigma_km"])
    centres = np.asarray(scenario["centres_km"], dtype=np.float64)
    offspring = float(scenario["theta"]) * 2 * np.pi * sigma * sigma
    n = int(rng.poisson(float(scenario["background_per_day"]) * n_days))
    points = centres[rng.integers(len(centres), size=n)] + rng.normal(0, float(scenario["background_sd_km"]), (n, 2))
    day = rng.integers(1, n_days + 1, size=n)
    generations = []
    while points.size:
        cell = city.cell_of(points[:, 0], points[:, 1])
        stays = (cell >= 0) & (day <= n_days)
        points, day, cell = points[stays], day[stays], cell[stays]
        generations.append((points, day, cell))
        children = rng.poisson(offspring, size=day.size)
        total = int(children.sum())
        points = np.repeat(points, children, axis=0) + rng.normal(0, sigma, (total, 2))
        lag = np.ceil(rng.exponential(1 / float(scenario["omega_per_day"]), size=total)).astype(np.int64)
        day = np.repeat(day, children) + lag
    where, when, cells = (np.concatenate(parts) for parts in zip(*generations, strict=True))
    return where[:, 0], where[:, 1], when, cells


def _counts(cell: IntArray, day: IntArray, *, cells: int, n_days: int) -> FloatArray:
    """Events by day and cell, shape (n_days, n_cells)."""
    flat = np.bincount((day - 1) * cells + cell, minlength=n_days * cells)
    return flat.reshape(n_days, cells).astype(np.float64)


def _moving_average(counts: FloatArray, *, train: int, memories: int) -> tuple[FloatArray, float]:
    """One-day-ahead exponential smoothing of each cell, its memory chosen by squared error on the first ``train`` days.

    Returns the forecasts of the days after ``train``, shape (n_days - train, n_cells), and the memory in days.
    """
    days = np.arange(1, memories + 1)
    alpha = (1 - np.exp(-1 / days))[:, None]
    level = np.repeat(counts[:1], memories, axis=0)
    loss = np.zeros(memories)
    for today in counts[:train]:
        error = today - level
        loss += (error * error).sum(axis=1)
        level += alpha * error
    best = int(loss.argmin())
    state, out = level[best].copy(), np.empty((len(counts) - train, counts.shape[1]))
    for k, today in enumerate(counts[train:]):
        out[k] = state
        state += alpha[best, 0] * (today - state)
    return out, float(days[best])


def _intensity(
    city: Map, x: FloatArray, y: FloatArray, day: IntArray, scenario: Mapping[str, Any], *, days: range
) -> FloatArray:
    """True intensity of the superset by day and cell, given what happened before; shape (len(days), n_cells)."""
    nx, ny = city.lookup.shape
    west, south = city.origin
    x_edges, y_edges = west + np.arange(nx + 1), south + np.arange(ny + 1)
    sd, omega, sigma = (float(scenario[name]) for name in ("background_sd_km", "omega_per_day", "sigma_km"))
    centres = np.asarray(scenario["centres_km"], dtype=np.float64)
    across = np.diff(stats.norm.cdf(x_edges[None], centres[:, :1], sd), axis=1)
    along = np.diff(stats.norm.cdf(y_edges[None], centres[:, 1:], sd), axis=1)
    background = (across.T @ along)[city.column, city.row] * float(scenario["background_per_day"]) / len(centres)

    # Each event lends its Gaussian to the nine cells around it, day by day.
    horizon = days.start - int(np.ceil(40 / omega))  # e^-40: older events weigh nothing
    recent = (day >= horizon) & (day < days.stop)
    x, y, day = x[recent], y[recent], day[recent]
    i, j = np.ceil(x).astype(np.int64) - 1 - west, np.ceil(y).astype(np.int64) - 1 - south
    mass = np.zeros((days.stop - horizon) * nx * ny)
    for di in (-1, 0, 1):
        p = _between(x - west, i + di, sigma)
        for dj in (-1, 0, 1):
            inside = (i + di >= 0) & (i + di < nx) & (j + dj >= 0) & (j + dj < ny)
            at = ((day - horizon) * nx + i + di) * ny + j + dj
            weight = p * _between(y - south, j + dj, sigma)
            mass += np.bincount(at[inside], weights=weight[inside], minlength=mass.size)
    daily = mass.reshape(-1, nx, ny)[:, city.column, city.row]
    decay, memory = np.exp(-omega), np.zeros(city.district.size)
    out = np.empty((len(days), city.district.size))
    scale = float(scenario["theta"]) * omega * 2 * np.pi * sigma * sigma
    for today in range(horizon, days.stop):
        if today >= days.start:
            out[today - days.start] = background + scale * memory
        memory = (memory + daily[today - horizon]) * decay
    return out


def _between(x: FloatArray, low: IntArray, sigma: float) -> FloatArray:
    """Chance that a Gaussian centred at ``x`` falls in the kilometre from ``low``."""
    return np.asarray(stats.norm.cdf((low + 1 - x) / sigma) - stats.norm.cdf((low - x) / sigma), dtype=np.float64)


def _top(surfaces: FloatArray, k: int) -> npt.NDArray[np.bool_]:
    """Mark the ``k`` largest cells of each day."""
    order = np.argsort(-surfaces, axis=1, kind="stable")[:, :k]
    out = np.zeros(surfaces.shape, dtype=bool)
    np.put_along_axis(out, order, values=True, axis=1)
    return out


def _compare(truth: FloatArray, forecasts: list[FloatArray], city: Map, *, k: int) -> tuple[FloatArray, FloatArray]:
    """Ratio of predicted to true hot spots by variant and district, and share of the attainable intensity captured."""
    member = (city.district[:, None] == np.arange(len(city.names))).astype(np.float64)
    best = _top(truth, k)
    true_number = best @ member
    ratio, captured = [], []
    for forecast in forecasts:
        flagged = _top(forecast, k)
        number = flagged @ member
        with np.errstate(divide="ignore", invalid="ignore"):
            daily = np.where(true_number > 0, number / true_number, np.where(number > 0, np.nan, 1.0))
        some = np.isfinite(daily)
        mean = np.nansum(daily, axis=0) / np.maximum(some.sum(axis=0), 1)
        ratio.append(np.where(some.any(axis=0), mean, np.nan))
        captured.append(float((truth * flagged).sum() / (truth * best).sum()))
    return np.array(ratio), np.array(captured)
