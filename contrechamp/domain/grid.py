"""A regular square grid over land, in EPSG:2154, and events counted on it day by day.

What it cannot tell you: a cell is a choice. Moving the origin or the size of the grid moves every hot spot
(the modifiable areal unit problem); the grid is therefore part of a run's parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from contrechamp.domain.columns import CELL, CRS_M
from contrechamp.domain.errors import bad_parameter

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

#: Most cells a grid read from a file may have: ten thousand times Massilia's.
MAX_CELLS: Final = 50_000_000


@dataclass(frozen=True, eq=False)
class Grid:
    """Square cells of ``cell_m`` metres; only land cells are numbered, 0 … n_cells - 1, row by row from the south-west.

    Attributes
    ----------
    x0_m, y0_m : float
        South-west corner, EPSG:2154.
    cell_m : float
        Side of a cell.
    land : ndarray of bool, shape (ny, nx)
        True where the cell is numbered. Row 0 is the southernmost.
    """

    x0_m: float
    y0_m: float
    cell_m: float
    land: BoolArray

    @classmethod
    def over(cls, area: shapely.Geometry, *, cell_m: float) -> Grid:
        """Cover ``area`` (EPSG:2154): a cell is land when its centre lies in the area.

        Raises
        ------
        ParameterError
            If ``cell_m`` is not positive or the area is empty.
        """
        if not cell_m > 0:
            raise bad_parameter(name="cell_m", where="Grid.over", must="a length in (0, inf) metres", got=cell_m)
        if area.is_empty:
            raise bad_parameter(name="area", where="Grid.over", must="a non-empty geometry", got=area.wkt)
        west, south, east, north = area.bounds
        x0 = np.floor(west / cell_m) * cell_m
        y0 = np.floor(south / cell_m) * cell_m
        nx = int(np.ceil((east - x0) / cell_m))
        ny = int(np.ceil((north - y0) / cell_m))
        xx, yy = np.meshgrid(x0 + (np.arange(nx) + 0.5) * cell_m, y0 + (np.arange(ny) + 0.5) * cell_m)
        shapely.prepare(area)
        return cls(float(x0), float(y0), float(cell_m), shapely.contains_xy(area, xx, yy))

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return (int(self.land.shape[0]), int(self.land.shape[1]))

    @cached_property
    def n_cells(self) -> int:
        """Number of land cells."""
        return int(self.land.sum())

    @property
    def cell_km2(self) -> float:
        """Area of one cell."""
        return (self.cell_m / 1000.0) ** 2

    @cached_property
    def _number(self) -> IntArray:
        number = np.full(self.shape, -1, dtype=np.int64)
        number[self.land] = np.arange(self.n_cells)
        return number

    @cached_property
    def centres_m(self) -> FloatArray:
        """Cell centres, shape (n_cells, 2), EPSG:2154."""
        rows, cols = np.nonzero(self.land)
        return np.column_stack([self.x0_m + (cols + 0.5) * self.cell_m, self.y0_m + (rows + 0.5) * self.cell_m]).astype(
            np.float64
        )

    def cell_of(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> IntArray:
        """Cell number of each point; -1 outside the grid, at sea, or where a coordinate is not finite."""
        x, y = np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
        ny, nx = self.shape
        col = np.floor((x - self.x0_m) / self.cell_m)
        row = np.floor((y - self.y0_m) / self.cell_m)
        inside = np.isfinite(col) & np.isfinite(row) & (col >= 0) & (col < nx) & (row >= 0) & (row < ny)
        out = np.full(x.shape, -1, dtype=np.int64)
        out[inside] = self._number[row[inside].astype(np.int64), col[inside].astype(np.int64)]
        return out

    def raster(self, values: npt.ArrayLike, *, fill: float = np.nan) -> FloatArray:
        """Spread one value per cell (n_cells,) over the (ny, nx) raster; ``fill`` elsewhere."""
        out = np.full(self.shape, fill, dtype=np.float64)
        out[self.land] = np.asarray(values, dtype=np.float64)
        return out

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """One square polygon per cell, column ``cell``, EPSG:2154."""
        half = self.cell_m / 2
        x, y = self.centres_m.T
        boxes = shapely.box(x - half, y - half, x + half, y + half)
        return gpd.GeoDataFrame({CELL: np.arange(self.n_cells)}, geometry=list(boxes), crs=CRS_M)

    def to_dict(self) -> dict[str, Any]:
        """Plain form: land cells as run lengths, starting with a run of sea."""
        flat = self.land.ravel().astype(np.int8)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [1 - flat[-1]]])))
        runs = np.diff(np.concatenate([[0], edges]))
        return {
            "x0_m": self.x0_m, "y0_m": self.y0_m, "cell_m": self.cell_m, "crs": CRS_M,
            "shape": list(self.shape), "runs": runs.tolist(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Grid:
        """Inverse of :meth:`to_dict`.

        Raises
        ------
        ParameterError
            If the runs do not fill the shape, the shape is no grid's, or a length is not finite. Checked before
            anything of that size is made: the numbers may come from a file that anybody wrote.
        """
        runs = np.asarray(data["runs"], dtype=np.int64)
        ny, nx = (int(side) for side in data["shape"])
        corner = float(data["x0_m"]), float(data["y0_m"]), float(data["cell_m"])
        if not (0 < ny * nx <= MAX_CELLS and ny > 0 and (runs >= 0).all() and sum(runs.tolist()) == ny * nx):
            raise bad_parameter(
                name="runs", where="Grid.from_dict", must=f"run lengths that fill the shape, at most {MAX_CELLS} cells",
                got=f"{len(runs)} runs for shape {ny} × {nx}",
            )  # fmt: skip
        if not (np.isfinite(corner).all() and corner[2] > 0):
            raise bad_parameter(name="x0_m, y0_m, cell_m", where="Grid.from_dict", must="finite metres", got=corner)
        return cls(*corner, np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(ny, nx))


def day_index(t: pd.Series, *, start: pd.Timestamp) -> IntArray:
    """Whole days from ``start`` (tz-aware) to each instant; negative before it.

    Days are 24-hour blocks of UTC from ``start``; a run that wants local days passes a local midnight.
    """
    delta = pd.to_datetime(t, utc=True) - start.tz_convert("UTC")
    return np.asarray(np.floor(delta / pd.Timedelta(days=1)), dtype=np.int64)


def count_cube(cell: npt.ArrayLike, day: npt.ArrayLike, *, n_cells: int, n_days: int) -> npt.NDArray[np.int32]:
    """Count events by day and cell.

    Returns
    -------
    ndarray of int32, shape (n_days, n_cells)
        Events with a cell or a day out of range are left out: the caller accounts for them.

    Examples
    --------
    >>> count_cube([0, 1, 1, -1], [0, 0, 1, 0], n_cells=2, n_days=2).tolist()
    [[1, 1], [0, 1]]
    """
    c, d = np.asarray(cell, dtype=np.int64), np.asarray(day, dtype=np.int64)
    ok = (c >= 0) & (c < n_cells) & (d >= 0) & (d < n_days)
    flat = np.bincount(d[ok] * n_cells + c[ok], minlength=n_days * n_cells)
    return flat.reshape(n_days, n_cells).astype(np.int32)
