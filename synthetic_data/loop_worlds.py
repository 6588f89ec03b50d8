"""Small cities for closed loops: places with known levels, near repeats as families of incidents, and who reports.

Incidents that owe nothing to earlier ones are Poisson, cell by cell and day by day. Each incident then calls for
Poisson(``kappa``) others, near and soon, and those for others: a family. Drawn as families rather than by intensity, so
that preventing an incident takes its descendants with it, and nothing else changes.

What it cannot tell you: cells have no streets, hours or types, and people do not adapt to patrols but by moving next
door. The law is exact for the numbers given; which numbers a real city has is not known.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.potential import Potential

_CELL_M = 250.0


def square_grid(shape: tuple[int, int]) -> Grid:
    """All-land grid of 250 m cells, ``shape`` rows and columns."""
    return Grid(885_000.0, 6_238_000.0, _CELL_M, np.ones(shape, dtype=np.bool_))


def draw_levels(shape: tuple[int, int], *, spread: float = 1.0, rng: np.random.Generator) -> FloatArray:
    """Relative level of each cell, a smooth log-normal field of log standard deviation ``spread``, averaging 1."""
    if spread == 0:
        return np.ones(shape[0] * shape[1])
    field = gaussian_filter(rng.standard_normal(shape), 2.0, mode="reflect").ravel()
    field = (field - field.mean()) / field.std()
    level = np.exp(spread * field)
    return np.asarray(level / level.mean(), dtype=np.float64)


def turning(first: FloatArray, later: FloatArray, *, n_days: int, turnover: float) -> FloatArray:
    """Levels that turn from one map into another, shape (n_days, n_cells).

    Parameters
    ----------
    first, later : ndarray, shape (n_cells,)
        From :func:`draw_levels`.
    n_days : int
    turnover : float
        In [0, 1]. 0: places keep their level; 1: the last day's map owes nothing to the first. Logs turn steadily.
    """
    angle = np.pi / 2 * turnover * np.arange(n_days) / max(n_days - 1, 1)
    logs = np.cos(angle)[:, None] * np.log(first) + np.sin(angle)[:, None] * np.log(later)
    level = np.exp(logs)
    return np.asarray(level / level.mean(axis=1, keepdims=True), dtype=np.float64)


def draw_potential(
    *,
    levels: npt.ArrayLike,
    grid: Grid,
    n_days: int,
    per_day: float,
    p_reported: npt.ArrayLike,
    kappa: float = 0.0,
    lag_days: float = 4.0,
    rng: np.random.Generator,
) -> Potential:
    """Draw the incidents of a city that nobody patrols.

    Parameters
    ----------
    levels : array-like, shape (n_cells,) or (n_days, n_cells)
        Relative level of each cell, the same every day or day by day; each day is brought to the same total.
    grid : Grid
    n_days : int
    per_day : float
        Expected incidents per day in the whole city, families included, once families have had time to form.
    p_reported : array-like, shape (n_cells,) or a number
        Chance that residents report an incident.
    kappa : float, default=0.0
        Mean number of incidents that one calls for, in [0, 0.9].
    lag_days : float, default=4.0
        Mean lag, in whole days from 1 (geometric law). Half of them stay in the cell, the others go to one of the eight
        neighbours on land.
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.

    Notes
    -----
    Families that began before day 0 are left out, so the first weeks of a world with ``kappa`` above 0 hold somewhat
    fewer incidents; give the loop a history that is not scored.
    """
    where = "draw_potential"
    level = np.asarray(levels, dtype=np.float64)
    total = level.sum(axis=-1, keepdims=True)
    if level.shape not in ((grid.n_cells,), (n_days, grid.n_cells)) or not (
        np.isfinite(level).all() and (level >= 0).all() and (total > 0).all()
    ):
        raise bad_parameter(
            name="levels", where=where, must=f"{grid.n_cells} numbers of at least 0, not all 0, or as many a day",
            got=level.shape,
        )  # fmt: skip
    for name, value, ok, must in (
        ("n_days", n_days, n_days >= 1, "at least 1"),
        ("per_day", per_day, per_day > 0, "above 0"),
        ("kappa", kappa, 0 <= kappa <= 0.9, "in [0, 0.9]"),
        ("lag_days", lag_days, lag_days >= 1, "at least 1 day"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=where, must=must, got=value)
    steps = rng.spawn(3)
    first = steps[0].poisson(per_day * (1 - kappa) * level / total, size=(n_days, grid.n_cells))
    day, cell = (a.astype(np.int64) for a in np.nonzero(first))
    times = first[day, cell]
    day, cell = np.repeat(day, times), np.repeat(cell, times)
    near = _neighbours(grid)
    days, cells, parents = [day], [cell], [np.full(len(day), -1, dtype=np.int64)]
    offset = 0
    while kappa > 0 and len(day):
        calls = steps[1].poisson(kappa, len(day))
        parent = np.repeat(np.arange(len(day)) + offset, calls)
        at = np.repeat(day, calls) + steps[1].geometric(1 / lag_days, len(parent))
        home = np.repeat(cell, calls)
        moved = np.where(steps[1].random(len(parent)) < 0.5, home, _one_near(near, home, rng=steps[1]))
        keep = at < n_days
        offset += len(day)
        day, cell = at[keep], moved[keep]
        days.append(day)
        cells.append(cell)
        parents.append(parent[keep])
    day, cell, parent = np.concatenate(days), np.concatenate(cells), np.concatenate(parents)
    order = np.argsort(day, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    parent = np.where(parent >= 0, place[parent], -1)[order]
    prevented, moved, reported, found = steps[2].random((4, len(order)))
    share = np.broadcast_to(np.asarray(p_reported, dtype=np.float64), (grid.n_cells,)).copy()
    return Potential(
        day=day[order], cell=cell[order], parent=parent, elsewhere=_one_near(near, cell[order], rng=steps[2]),
        u_prevented=prevented, u_moved=moved, u_reported=reported, u_found=found, p_reported=share, grid=grid,
        n_days=int(n_days),
    )  # fmt: skip


def _neighbours(grid: Grid) -> npt.NDArray[np.int64]:
    """Neighbours of each land cell, shape (n_cells, 8), -1 where there is none."""
    centres = grid.centres_m
    out = [
        grid.cell_of(centres[:, 0] + dx * grid.cell_m, centres[:, 1] + dy * grid.cell_m)
        for dx in (-1, 0, 1)
        for dy in (-1, 0, 1)
        if dx or dy
    ]
    return np.column_stack(out).astype(np.int64)


def _one_near(
    near: npt.NDArray[np.int64], cell: npt.NDArray[np.int64], *, rng: np.random.Generator
) -> npt.NDArray[np.int64]:  # fmt: skip
    """One neighbour of each cell, all equally likely; the cell itself where it has none."""
    ordered = -np.sort(-near, axis=1)
    number = (ordered >= 0).sum(axis=1)
    pick = np.floor(rng.random(len(cell)) * number[cell]).astype(np.int64)
    chosen = ordered[cell, np.minimum(pick, 7)]
    return np.where(number[cell] > 0, chosen, cell)
