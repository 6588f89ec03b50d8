"""A user's own zones, checked, repaired where that is safe, and brought to EPSG:2154 to serve as quarters.

Everything else (residents unless a column says them, poverty, places, what happens, what is recorded) is drawn on them
as on Massilia's own.

What it cannot tell you: anything about the real places. Only their outlines are real, and their names if asked for;
what happens there is invented. Keep the names out of what you publish, or say so next to each of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from contrechamp.domain.columns import CRS_LONLAT, CRS_M
from contrechamp.domain.errors import ContractError, ParameterError, Problem, problem_table
from contrechamp.store.vector import read_vector
from synthetic_data.scenario import Scenario

IntArray = npt.NDArray[np.int64]

#: As many quarters as a scenario may have.
MAX_ZONES: Final = 1000
#: Where EPSG:2154 holds, in degrees: west, south, east, north.
EXTENT_LONLAT: Final = (-9.86, 41.15, 10.38, 51.56)
#: Total area a scenario may have, km².
AREA_KM2: Final = (5.0, 5000.0)
#: An overlap is a slip of the pen up to this share of the smaller zone.
OVERLAP_SHARE: Final = 0.001
_OVERLAP_M2: Final = 1.0
_LEAST_M2: Final = 100.0


@dataclass(frozen=True, eq=False)
class Zones:
    """Zones that can serve as quarters.

    Attributes
    ----------
    shapes : tuple of Polygon or MultiPolygon
        In the order of the file, EPSG:2154, valid, without overlap.
    ids, names : tuple of str, or None
        As the user's columns say; None to have them invented.
    population : ndarray of int, or None
        Residents of each zone; None to have them by area.
    repaired : tuple of Problem
        What was mended, for the user to see.
    source_crs : str
        Reference system of the file.
    """

    shapes: tuple[shapely.Geometry, ...]
    ids: tuple[str, ...] | None
    names: tuple[str, ...] | None
    population: IntArray | None
    repaired: tuple[Problem, ...]
    source_crs: str

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def area_km2(self) -> float:
        """Area of all zones together."""
        return float(shapely.area(self.shapes).sum() / 1e6)

    @property
    def centre_m(self) -> tuple[float, float]:
        """Point of the land nearest to the middle of the residents, or of the zones where residents are not said."""
        middles = shapely.get_coordinates(shapely.centroid(self.shapes))
        weights = np.ones(len(self)) if self.population is None else self.population.astype(np.float64)
        point = shapely.Point(np.average(middles, axis=0, weights=weights))
        on_land = shapely.shortest_line(shapely.union_all(self.shapes), point)
        x, y = shapely.get_coordinates(on_land)[0].tolist()
        return x, y


def read_zones(
    path: Path, *, id_column: str | None = None, name_column: str | None = None, population_column: str | None = None
) -> Zones:
    """Read and check a GeoJSON or GeoPackage file of zones; see :func:`check_zones`."""
    return check_zones(
        read_vector(path), where=path.name, id_column=id_column, name_column=name_column,
        population_column=population_column,
    )  # fmt: skip


def check_zones(
    frame: gpd.GeoDataFrame,
    *,
    where: str,
    id_column: str | None = None,
    name_column: str | None = None,
    population_column: str | None = None,
) -> Zones:
    """Check that zones can serve as quarters, and bring them to EPSG:2154.

    Parameters
    ----------
    frame : GeoDataFrame
        One row per zone, in any declared reference system.
    where : str
        Name of the file, for messages.
    id_column, name_column, population_column : str, optional
        Columns that hold the identifiers, the names and the residents.

    Raises
    ------
    ParameterError
        If a column named is not there.
    ContractError
        If the zones cannot serve; with a table of problems where some rows are at fault.
    """
    for column in (id_column, name_column, population_column):
        if column is not None and column not in frame.columns:
            known = ", ".join(str(c) for c in frame.columns if c != frame.geometry.name)
            raise ParameterError(f"The map {where} has no column `{column}`. It has {known}. Name one of these.")
    source = _check_whole(frame, where)
    ids = None if id_column is None else [_word(v) for v in frame[id_column]]
    labels = ids or [f"row {i + 1}" for i in range(len(frame))]
    problems = _bad_ids(ids, id_column) if ids is not None else []
    kind = np.array(frame.geometry.geom_type.fillna("none"), dtype=str)
    empty = np.asarray(frame.geometry.isna() | frame.geometry.is_empty)
    _note(problems, "geometry", "no_geometry", empty, labels)
    _note(problems, "geometry", "not_a_polygon", ~empty & ~np.char.endswith(kind, "Polygon"), labels)
    population = None if population_column is None else _residents(frame[population_column], problems, labels)
    if problems:
        raise _refused(where, problems)

    shapes = shapely.force_2d(frame.to_crs(CRS_M).geometry.to_numpy())
    broken = ~shapely.is_valid(shapes)
    shapes = np.array([_mend(s) if b else s for s, b in zip(shapes, broken, strict=True)], dtype=object)
    _note(problems, "geometry", "too_small", shapely.area(shapes) < _LEAST_M2, labels)
    problems += _overlaps(shapes, labels)
    if problems:
        raise _refused(where, problems)
    repaired: list[Problem] = []
    _note(repaired, "geometry", "invalid_repaired", broken, labels)
    area = float(shapely.area(shapes).sum() / 1e6)
    if not AREA_KM2[0] <= area <= AREA_KM2[1]:
        raise ContractError(
            f"The zones of {where} must cover between {AREA_KM2[0]:g} and {AREA_KM2[1]:g} km² together. Got "
            f"{area:.4g} km². Give the zones of one city or one large district."
        )
    names = None
    if name_column is not None:
        given = [" ".join(_word(v).split()) for v in frame[name_column]]
        names = tuple(name or label for name, label in zip(given, labels, strict=True))
    return Zones(tuple(shapes), tuple(ids) if ids else None, names, population, tuple(repaired), source)


def fit(scenario: Scenario, zones: Zones) -> Scenario:
    """Scenario whose city has as many quarters, km² and (where said) residents as the zones.

    Raises
    ------
    ParameterError
        If the scenario cannot be held on these zones.
    """
    changes: dict[str, Any] = {
        "city.n_quarters": len(zones),
        "city.n_districts": min(scenario.city.n_districts, len(zones)),
        "city.area_km2": round(zones.area_km2, 6),
    }
    if zones.population is not None:
        if scenario.city.density_contrast == 0:
            raise ParameterError(
                f"The scenario {scenario.name} puts as many residents at every address (`city.density_contrast` is 0), "
                "and a column of residents says otherwise. Leave the column out, or choose another scenario."
            )
        changes["city.population"] = int(zones.population.sum())
    return scenario.with_overrides(changes)


def _check_whole(frame: gpd.GeoDataFrame, where: str) -> str:
    """Refuse in one paragraph what no repair of rows can save; return the name of the reference system."""
    if len(frame) == 0:
        raise ContractError(f"The map {where} is empty. Give a file with at least one zone, a polygon.")
    if len(frame) > MAX_ZONES:
        raise ContractError(
            f"The map {where} must hold at most {MAX_ZONES} zones. Got {len(frame)}. Merge them into larger ones "
            "(quarters rather than blocks) before giving them."
        )
    there = frame.geometry[~(frame.geometry.isna() | frame.geometry.is_empty)]
    if not there.geom_type.isin(["Polygon", "MultiPolygon"]).any():
        kinds = ", ".join(sorted(set(there.geom_type))) or "no geometry at all"
        raise ContractError(f"The map {where} must hold zones, which are polygons. Got {kinds}. Give their outlines.")
    if frame.crs is None or not (frame.crs.is_geographic or frame.crs.is_projected):
        raise ContractError(
            f"The map {where} does not say its coordinate reference system, so that nobody knows where it is. Write it "
            "into the file, for instance with `ogr2ogr -a_srs EPSG:2154 out.gpkg in.gpkg` if it is in Lambert-93."
        )
    west, south, east, north = (float(v) for v in there.to_crs(CRS_LONLAT).total_bounds)
    low_x, low_y, high_x, high_y = EXTENT_LONLAT
    if not (low_x <= west <= east <= high_x and low_y <= south <= north <= high_y):
        raise ContractError(
            f"The zones of {where} must lie in mainland France, where {CRS_M} holds: longitude {low_x:g} to "
            f"{high_x:g}, latitude {low_y:g} to {high_y:g}. Got {west:.4g} to {east:.4g} and {south:.4g} to "
            f"{north:.4g}, read in {_crs_name(frame.crs)}. Correct the reference system that the file declares, or "
            f"project it to {CRS_M} (zones elsewhere: move them there)."
        )
    return _crs_name(frame.crs)


def _crs_name(crs: CRS) -> str:
    authority = crs.to_authority()
    return ":".join(authority) if authority else str(crs.name)


def _word(value: Any) -> str:
    """Text of an identifier: a whole number read as a float loses its ``.0``; a missing one is empty."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _bad_ids(ids: Sequence[str], column: str | None) -> list[Problem]:
    problems: list[Problem] = []
    seen = pd.Series(ids, dtype="str")
    rows = [f"row {i + 1}" for i in range(len(ids))]
    _note(problems, str(column), "no_identifier", (seen == "").to_numpy(), rows)
    _note(problems, str(column), "same_identifier", (seen.duplicated(keep=False) & (seen != "")).to_numpy(), ids)
    return problems


def _residents(column: pd.Series[Any], problems: list[Problem], labels: Sequence[str]) -> IntArray | None:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~(np.isfinite(values) & (values >= 0) & (values <= 5e7))
    _note(problems, str(column.name), "not_a_population", bad, labels)
    if bad.any():
        return None
    people: IntArray = np.rint(values).astype(np.int64)
    if people.sum() < 1000:
        raise ContractError(
            f"The column `{column.name}` must count at least 1000 residents in all. Got {people.sum()}. Name the "
            "column that counts them, or none: residents are then spread by area."
        )
    return people


def _mend(shape: shapely.Geometry) -> shapely.Geometry:
    """Valid polygons from an invalid geometry; lines and points left over are dropped."""
    parts = shapely.get_parts(shapely.make_valid(shape, method="structure", keep_collapsed=False))
    return shapely.union_all([part for part in shapely.get_parts(parts) if part.geom_type == "Polygon"])


def _overlaps(shapes: npt.NDArray[Any], labels: Sequence[str]) -> list[Problem]:
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = left[left < right], right[left < right]
    common = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    least = np.minimum(shapely.area(shapes[left]), shapely.area(shapes[right]))
    problems: list[Problem] = []
    pairs = [f"{labels[a]} and {labels[b]}" for a, b in zip(left, right, strict=True)]
    _note(problems, "geometry", "overlap", common > np.maximum(_OVERLAP_M2, OVERLAP_SHARE * least), pairs)
    return problems


def _note(problems: list[Problem], column: str, check: str, at: npt.NDArray[np.bool_], labels: Sequence[str]) -> None:
    rows = np.flatnonzero(at)
    if len(rows):
        problems.append(Problem(column, check, len(rows), tuple(str(labels[i]) for i in rows[:3])))


def _refused(where: str, problems: Sequence[Problem]) -> ContractError:
    return ContractError(
        f"The zones of {where} cannot serve as they are: see each problem below, with the first zones it concerns. "
        f"Correct the file and give it again; nothing was written.\n{problem_table(problems)}"
    )
