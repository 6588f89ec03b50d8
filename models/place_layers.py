r"""Layers of places for the models that look at where things stand: how near the next bar is, and how many are around.

Risk-terrain modelling asks two things of every kind of place: its *distance* from the middle of each cell, and its
*density* around it. They answer different questions: one bar makes the first small, a street of bars the second large.

What it cannot tell you: what a place does. A layer says where a kind of place stands, not whether it is open, full or
liked; and a place that is missing from the list reads exactly like a place that does not exist.

References
----------
.. [1] Caplan, Kennedy & Miller (2011), "Risk terrain modeling: brokering criminological theory and GIS methods for
   crime forecasting", Justice Quarterly 28(2), 360-381. doi:10.1080/07418825.2010.486037
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid
from models.retrospective import smooth

#: Farther than this a place is no neighbour: about half an hour on foot.
CAP_M: Final = 2_500.0
#: Radius of the density kernel.
BANDWIDTH_M: Final = 300.0


def place_layers(
    places: pd.DataFrame, *, grid: Grid, kinds: Sequence[str] | None = None, bandwidth_m: float = BANDWIDTH_M,
    cap_m: float = CAP_M,
) -> dict[str, FloatArray]:  # fmt: skip
    """Distance and density layers of every kind of place.

    Parameters
    ----------
    places : DataFrame
        One row per place: ``kind``, ``x_m``, ``y_m`` (EPSG:2154).
    grid : Grid
    kinds : sequence of str, optional
        Kinds wanted; those that occur, in alphabetical order, where left out.
    bandwidth_m, cap_m : float
        As in :func:`density_per_km2` and :func:`distance_m`.

    Returns
    -------
    dict of str to ndarray, shape (n_cells,)
        ``<kind>_distance_m`` and ``<kind>_per_km2``, ready for ``Covariates(places=…)``.

    Raises
    ------
    ParameterError
        If a column is missing, a coordinate is not finite, or a length is not positive.

    Notes
    -----
    A kind that does not occur gives no layer, unless it is named in ``kinds``: its distance is then ``cap_m`` and its
    density 0 everywhere. A layer that is the same everywhere separates no cell from another and gets no weight, so
    that cities without a stadium can be put beside cities with one under the same names.
    """
    missing = [name for name in ("kind", "x_m", "y_m") if name not in places.columns]
    if missing:
        raise bad_parameter(
            name="places", where="place_layers", must="a table with the columns kind, x_m, y_m",
            got=list(places.columns), remedy=f"Missing: {', '.join(missing)}.",
        )  # fmt: skip
    kind = places["kind"].astype(str).to_numpy()
    x, y = places["x_m"].to_numpy(dtype=np.float64), places["y_m"].to_numpy(dtype=np.float64)
    layers: dict[str, FloatArray] = {}
    for name in sorted(set(kind.tolist())) if kinds is None else kinds:
        rows = kind == name
        layers[f"{name}_distance_m"] = distance_m(x[rows], y[rows], grid=grid, cap_m=cap_m)
        layers[f"{name}_per_km2"] = density_per_km2(x[rows], y[rows], grid=grid, bandwidth_m=bandwidth_m)
    return layers


def distance_m(x_m: FloatArray, y_m: FloatArray, *, grid: Grid, cap_m: float = CAP_M) -> FloatArray:
    """Distance from the middle of each cell to the nearest place, at most ``cap_m``; shape (n_cells,), metres.

    Parameters
    ----------
    x_m, y_m : ndarray, shape (n_places,)
        EPSG:2154. Places outside the grid count: the nearest bar may be across the border.
    grid : Grid
    cap_m : float
        Distance given where no place is nearer, and everywhere where there is none.
    """
    _check(x_m, y_m, where="distance_m", cap_m=cap_m)
    if len(x_m) == 0:
        return np.full(grid.n_cells, float(cap_m))
    gap, _ = cKDTree(np.column_stack([x_m, y_m])).query(grid.centres_m, k=1)
    return np.minimum(np.asarray(gap, dtype=np.float64), float(cap_m))


def density_per_km2(x_m: FloatArray, y_m: FloatArray, *, grid: Grid, bandwidth_m: float = BANDWIDTH_M) -> FloatArray:
    """Places per km² around each cell by a quartic kernel, shape (n_cells,); nothing is lost at the shore.

    Parameters
    ----------
    x_m, y_m : ndarray, shape (n_places,)
        EPSG:2154. A place off the land cells (a pier, the edge of the grid) is counted in the nearest one where its
        middle is within ``bandwidth_m``, or a cell's side where that is more; farther places are left out.
    grid : Grid
    bandwidth_m : float
        Radius beyond which a place has no weight.

    Notes
    -----
    Times the area of a cell, the layer sums to the number of places counted.
    """
    _check(x_m, y_m, where="density_per_km2", bandwidth_m=bandwidth_m)
    if len(x_m) == 0 or grid.n_cells == 0:
        return np.zeros(grid.n_cells)
    cell = grid.cell_of(x_m, y_m)
    off = np.flatnonzero(cell < 0)
    if len(off):
        gap, near = cKDTree(grid.centres_m).query(np.column_stack([x_m[off], y_m[off]]), k=1)
        cell[off] = np.where(gap <= max(bandwidth_m, grid.cell_m), near, -1)
    held = np.bincount(cell[cell >= 0], minlength=grid.n_cells).astype(np.float64)
    return smooth(held, grid=grid, bandwidth_m=float(bandwidth_m)) / grid.cell_km2


def _check(x_m: FloatArray, y_m: FloatArray, *, where: str, **lengths: float) -> None:
    if not (np.isfinite(x_m).all() and np.isfinite(y_m).all()):
        raise bad_parameter(
            name="x_m, y_m", where=where, must="finite", got="NaN or infinity",
            remedy="Leave out the places that have no position.",
        )  # fmt: skip
    for name, length in lengths.items():
        if not (np.isfinite(length) and length > 0):
            raise bad_parameter(name=name, where=where, must="a length in (0, inf) metres", got=length)
