"""Worlds reduced to counts: so many incidents per day and cell, so many of them recorded. Fast, and known to the law.

Made for experiments that need hundreds of worlds. The intensity of each cell and day is an effect of the cell (fixed,
or turning slowly into another), the season, the weekday and the weather, plus an excitation left by the incidents of
the days before in the cell and its neighbours. Records are a thinning of incidents: :func:`draw_count_world` makes one
file of records, :mod:`synthetic_data.count_records` several files of the same incidents.

What it cannot tell you: cells are independent given the past and have no streets, hours or types.

Notes
-----
With ``s[d] = r * s[d-1] + (1 - r) * n[d-1]`` the memory of past counts, ``r = exp(-1 / near_repeat_days)`` and K the
spreading over a cell and its eight neighbours (mass that would leave the map stays in its cell),

    intensity[d] = background[d] + kappa * K s[d],     n[d] ~ Poisson(intensity[d]).

K and the memory both carry mass 1, so each incident has ``kappa`` follow-on incidents on average, and the expected
total per day is ``background.sum() / (1 - kappa)`` where the background is constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int32]

#: Share of an incident's excitation that stays in its own cell; the rest goes to the eight neighbours.
STAY: Final = 0.5
#: Spread of the log of patrol presence from one day to the next.
PATROL_SD: Final = 0.3
_BURN_IN_LAGS: Final = 10
_CELL_M: Final = 250.0
_ORIGIN_M: Final = (885_000.0, 6_238_000.0)


@dataclass(frozen=True, eq=False)
class LatentWorld:
    """What happens in a drawn world, before anything is recorded.

    Attributes
    ----------
    latent : ndarray of int32, shape (n_days, n_cells)
        What happened.
    intensity : ndarray, shape (n_days, n_cells)
        Expected incidents given the past.
    background : ndarray, shape (n_days, n_cells)
        The part of the intensity that owes nothing to earlier incidents.
    patrol : ndarray, shape (n_cells,)
        Mean patrol presence, averaging 1.
    grid_shape : (int, int)
        Rows and columns of the map; cells are numbered row by row.
    """

    latent: CountArray
    intensity: FloatArray
    background: FloatArray
    patrol: FloatArray
    grid_shape: tuple[int, int]

    @cached_property
    def grid(self) -> Grid:
        """The map as a grid of 250 m cells, all on land."""
        return Grid(*_ORIGIN_M, _CELL_M, np.ones(self.grid_shape, dtype=np.bool_))


@dataclass(frozen=True, eq=False)
class CountWorld(LatentWorld):
    """A drawn world of counts, with one file of records.

    Attributes
    ----------
    recorded : ndarray of int32, shape (n_days, n_cells)
        What entered the record: at most ``latent``, everywhere.
    p_recorded : ndarray, shape (n_days, n_cells)
        Chance that an incident is recorded.
    """

    recorded: CountArray
    p_recorded: FloatArray


def draw_latent_world(
    *,
    n_days: int = 420,
    grid_shape: tuple[int, int] = (60, 64),
    kappa: float = 0.15,
    rng: np.random.Generator,
    latent_per_day: float = 2700.0,
    cell_sd: float = 1.0,
    near_repeat_days: float = 4.0,
    turnover: float = 0.0,
) -> LatentWorld:
    """Draw what happens, day by day and cell by cell.

    Parameters
    ----------
    n_days : int, default=420
    grid_shape : (int, int), default=(60, 64)
        Rows and columns; 3,840 cells by default, 240 km² of 250 m cells.
    kappa : float, default=0.15
        Mean number of follow-on incidents per incident, in [0, 0.9].
    rng : numpy.random.Generator
    latent_per_day : float
        Expected total per day over the whole map.
    cell_sd : float, default=1.0
        Spread of the log of the cell effect.
    near_repeat_days : float, default=4.0
        Mean lag scale of the excitation.
    turnover : float, default=0.0
        How far hot spots move over the days drawn, in [0, 1]. 0: places keep their level; 1: by the last day the map
        owes nothing to that of the first, having turned steadily from the one to the other.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """
    where = "draw_latent_world"
    if n_days < 1:
        raise bad_parameter(name="n_days", where=where, must="at least 1", got=n_days)
    if min(grid_shape) < 1:
        raise bad_parameter(name="grid_shape", where=where, must="two numbers of at least 1", got=grid_shape)
    if not 0 <= kappa <= 0.9:
        raise bad_parameter(name="kappa", where=where, must="a number in [0, 0.9]", got=kappa)
    if not 0 <= turnover <= 1:
        raise bad_parameter(name="turnover", where=where, must="a number in [0, 1]", got=turnover)
    if not latent_per_day > 0:
        raise bad_parameter(name="latent_per_day", where=where, must="a number above 0", got=latent_per_day)
    n_cells = grid_shape[0] * grid_shape[1]
    z_place = _field(grid_shape, rng=rng)
    z_patrol = 0.5 * z_place + np.sqrt(0.75) * _field(grid_shape, rng=rng)
    rough = np.sqrt(0.2) * rng.standard_normal(n_cells)
    burn_in = int(np.ceil(_BURN_IN_LAGS * near_repeat_days / (1 - kappa))) if kappa > 0 else 0
    days = _day_effect(n_days, burn_in=burn_in, rng=rng)
    later = z_place if turnover == 0 else _field(grid_shape, rng=rng)
    angle = np.pi / 2 * turnover * np.clip(np.arange(-burn_in, n_days) / max(n_days - 1, 1), 0.0, 1.0)
    level = np.cos(angle)[:, None] * z_place + np.sin(angle)[:, None] * later if turnover else z_place[None, :]
    place = np.exp(cell_sd * (np.sqrt(0.8) * level + rough))
    background = latent_per_day * (1 - kappa) * days[:, None] * (place / place.sum(axis=1, keepdims=True))

    latent, intensity = _excite(background, grid_shape, kappa=kappa, near_repeat_days=near_repeat_days, rng=rng)
    patrol = np.exp(0.8 * z_patrol)
    return LatentWorld(latent[burn_in:], intensity[burn_in:], background[burn_in:], patrol / patrol.mean(), grid_shape)


def draw_count_world(
    *, recording_bias: float = 0.0, records_per_day: float = 822.0, latent_per_day: float = 2700.0,
    rng: np.random.Generator, **world: Any,
) -> CountWorld:  # fmt: skip
    """Draw a world of counts and one file of records of it.

    Parameters
    ----------
    recording_bias : float, default=0.0
        0: every incident has the same chance of being recorded. 1: the chance is proportional to patrol presence.
    records_per_day, latent_per_day : float
        Expected totals per day over the whole map.
    rng : numpy.random.Generator
    **world
        See :func:`draw_latent_world`.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """
    where = "draw_count_world"
    if not 0 <= recording_bias <= 1:
        raise bad_parameter(name="recording_bias", where=where, must="a number in [0, 1]", got=recording_bias)
    if not 0 < records_per_day <= latent_per_day:
        raise bad_parameter(
            name="records_per_day", where=where, must="in (0, latent_per_day]", got=(records_per_day, latent_per_day)
        )
    drawn = draw_latent_world(latent_per_day=latent_per_day, rng=rng, **world)
    share, latent = records_per_day / latent_per_day, drawn.latent
    if recording_bias == 0:
        p_recorded = np.full(latent.shape, share)
    else:
        presence = drawn.patrol * np.exp(PATROL_SD * rng.standard_normal(latent.shape))
        p_recorded = recording_chance(presence, weights=latent, bias=recording_bias, share=share)
    recorded = rng.binomial(latent, p_recorded).astype(np.int32)
    return CountWorld(latent, drawn.intensity, drawn.background, drawn.patrol, drawn.grid_shape, recorded, p_recorded)


def recording_chance(
    presence: FloatArray, *, weights: npt.NDArray[Any] | None = None, bias: float, share: float
) -> FloatArray:
    """Chance that an incident is recorded, with mean ``share`` over incidents, never above 0.95 unless ``share`` is.

    Parameters
    ----------
    presence : ndarray
        Patrol presence where the incidents are, above 0.
    weights : ndarray, same shape, optional
        Incidents there; 1 each where left out.
    bias, share : float
        Chance proportional to ``(1 - bias) + bias × presence / mean presence``, up to the ceiling.

    Notes
    -----
    The mean is a concave, piecewise linear function of the factor, so Newton's steps from below reach it in a few
    passes and never overshoot. A larger ``share`` raises the chance of every incident.
    """
    cap = max(0.95, share)
    raw = (1 - bias) + bias * presence / presence.mean()
    total = float(raw.size if weights is None else weights.sum())
    if total == 0:
        return np.asarray(np.minimum(share * raw, cap), dtype=np.float64)

    def held(values: npt.NDArray[Any]) -> float:
        return float(values.sum() if weights is None else (weights * values).sum())

    factor = share * total / held(raw)
    for _ in range(50):
        capped = factor * raw >= cap
        missing = share * total - held(np.where(capped, cap, factor * raw))
        slope = held(np.where(capped, 0.0, raw))
        if missing <= 1e-9 * total or slope <= 0:
            break
        factor += missing / slope
    return np.asarray(np.minimum(factor * raw, cap), dtype=np.float64)


def spread(values: FloatArray) -> FloatArray:
    """Spread a map over each cell and its eight neighbours, mass for mass; shape (ny, nx).

    Examples
    --------
    >>> spread(np.array([[0.0, 0.0, 0.0], [0.0, 16.0, 0.0], [0.0, 0.0, 0.0]])).tolist()
    [[1.0, 1.0, 1.0], [1.0, 8.0, 1.0], [1.0, 1.0, 1.0]]
    """
    ny, nx = values.shape
    edged = np.zeros((ny + 2, nx + 2))
    edged[1:-1, 1:-1] = values
    rows = edged[:, :-2] + edged[:, 1:-1] + edged[:, 2:]
    near = rows[:-2] + rows[1:-1] + rows[2:] - values
    moved = (1 - STAY) / 8 * (near + (8 - _neighbours(ny, nx)) * values)
    return np.asarray(STAY * values + moved, dtype=np.float64)


def _neighbours(ny: int, nx: int) -> FloatArray:
    """Number of neighbours of each cell that are on the map."""
    down = np.full(ny, 3.0) - (np.arange(ny) == 0) - (np.arange(ny) == ny - 1)
    across = np.full(nx, 3.0) - (np.arange(nx) == 0) - (np.arange(nx) == nx - 1)
    return np.asarray(down[:, None] * across[None, :] - 1.0, dtype=np.float64)


def _excite(
    background: FloatArray,
    grid_shape: tuple[int, int],
    *,
    kappa: float,
    near_repeat_days: float,
    rng: np.random.Generator,
) -> tuple[CountArray, FloatArray]:
    if kappa == 0:
        return rng.poisson(background).astype(np.int32), background
    keep = float(np.exp(-1.0 / near_repeat_days))
    latent = np.empty(background.shape, dtype=np.int32)
    intensity = background.copy()
    memory = background[0] / (1 - kappa)
    for d in range(len(background)):
        if d:
            memory = keep * memory + (1 - keep) * latent[d - 1]
        intensity[d] += kappa * spread(memory.reshape(grid_shape)).ravel()
        latent[d] = rng.poisson(intensity[d])
    return latent, intensity


def _field(grid_shape: tuple[int, int], *, rng: np.random.Generator) -> FloatArray:
    """Smooth Gaussian field, standardised; shape (n_cells,)."""
    values = gaussian_filter(rng.standard_normal(grid_shape), 3.0, mode="reflect").ravel()
    spread_ = values.std()
    return np.asarray((values - values.mean()) / (spread_ if spread_ > 0 else 1.0), dtype=np.float64)


def _day_effect(n_days: int, *, burn_in: int, rng: np.random.Generator) -> FloatArray:
    """Season × weekday × weather, with mean 1 over the days kept; shape (burn_in + n_days,)."""
    day = np.arange(-burn_in, n_days)
    weekday = np.array([-0.03, -0.04, -0.03, 0.0, 0.06, 0.10, 0.02])[day % 7]
    season = 0.10 * np.cos(2 * np.pi * (day - 200) / 365.25)
    shocks = rng.standard_normal(len(day))
    weather = np.empty(len(day))
    now = shocks[0]
    for d, shock in enumerate(shocks.tolist()):
        now = 0.7 * now + np.sqrt(1 - 0.7**2) * shock if d else shock
        weather[d] = now
    effect = np.exp(weekday + season + 0.06 * weather)
    return np.asarray(effect / effect[burn_in:].mean(), dtype=np.float64)
