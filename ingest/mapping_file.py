"""A mapping of columns, and the zones it places rows by, from the data of a TOML and a GeoJSON file.

What it cannot tell you: that a mapping reads its table as the publisher meant it. A day read as a month makes valid
dates; look at a few records after the first ingest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from contrechamp.domain.columns import CRS_LONLAT
from contrechamp.domain.errors import ParameterError
from ingest.mapping import WINDOW, TableMapping, area_of_use, transformer, within

#: What may stand in a mapping file, at its top and in each of its tables.
_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"name", "delimiter", "columns", "files", "missing", "id", "time", "place", "type"}),
    "id": frozenset({"column", "required"}),
    "time": frozenset({"column", "formats", "timezone", "resolution", "first", "last"}),
    "place": frozenset({"x", "y", "crs", "into", "resolution", "extent", "zone", "zones", "zone_id"}),
    "type": frozenset({"column", "constant"}),
}


def mapping_of(data: Mapping[str, Any], *, zones: Mapping[str, tuple[float, float]] | None = None) -> TableMapping:
    """Read a mapping from the data of a TOML file.

    Parameters
    ----------
    data : mapping
        Tables ``id``, ``time``, ``place``, ``type``, and ``name``, ``delimiter``, ``columns``, ``files``.
    zones : mapping, optional
        Points of the zones, read by the caller from ``place.zones``: see :func:`zones_of`.

    Raises
    ------
    ParameterError
        If a key is unknown, missing or makes no sense.

    Examples
    --------
    A mapping file with everything that may stand in it; most tables need ten lines. A name may be a list of names.

    >>> import tomllib
    >>> text = '''
    ... name = "lyon-degradations"       # prefix of the record identifiers
    ... delimiter = ";"                  # by default ","
    ... files = "*.csv*"                 # what is taken from a folder; by default everything
    ... missing = ["NA", "NULL"]         # what stands for nothing, beside nothing
    ... # columns = ["n", "jour"]        # names of the columns, for a file that has no header line
    ...
    ... [id]                             # leave it out when rows bear no number
    ... column = "numero"
    ... required = false                 # by default true: a row without a number is refused
    ...
    ... [time]
    ... column = "date_fait"
    ... formats = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
    ... timezone = "Europe/Paris"
    ... resolution = "hour"              # what the time is good for
    ... first = 2010-01-01               # by default 1950
    ... last = 2025-01-01                # by default 2035
    ...
    ... [place]
    ... x = "longitude"
    ... y = "latitude"
    ... crs = "EPSG:4326"                # of x and y
    ... into = "EPSG:2154"               # what the lake keeps: projected, in metres
    ... resolution = "street"            # what the place is good for; by default "point"
    ... extent = [4.7, 45.5, 5.2, 46.0]  # west, south, east, north; by default the area of `into`
    ... # zone = "iris"                  # instead of x, y and crs: the name of a zone,
    ... # zones = "iris.geojson"         # whose outline is in a file beside this one,
    ... # zone_id = "code_iris"          # under this property
    ...
    ... [type]
    ... column = "nature"                # or: constant = "degradation"
    ... '''
    >>> mapping_of(tomllib.loads(text)).roles["t"]
    ('date_fait',)
    """
    for table, known in _KEYS.items():
        part = data.get(table, {}) if table else data
        if not isinstance(part, Mapping):
            raise ParameterError(f"In the mapping, {table} must be a table: [{table}]. Got {part!r}.")
        for key in part:
            if key not in known:
                raise ParameterError(
                    f"A mapping has no key {'.'.join(filter(None, (table, key)))!r}. "
                    f"{f'[{table}]' if table else 'At its top it'} may hold {', '.join(sorted(known))}."
                )
    ident, time, place, kind = (data.get(k, {}) for k in ("id", "time", "place", "type"))
    for where, part, key in (("", data, "name"), ("time.", time, "timezone"), ("time.", time, "resolution"),
                             ("place.", place, "into")):  # fmt: skip
        if key not in part:
            raise ParameterError(f"The mapping lacks {where}{key}. It needs name, [time], [place] and [type].")
    if place.get("zone") is None and "crs" not in place:
        raise ParameterError("The mapping lacks place.crs: say what x and y are, for instance crs = 'EPSG:4326'.")
    texts = {"name": data["name"], "timezone": time["timezone"], "delimiter": data.get("delimiter", ","),
             "files": data.get("files", "*"), "resolution": place.get("resolution", "point")}  # fmt: skip
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ParameterError(f"In the mapping, {name} must be a text. Got {value!r}.")
    zoned = "zone" in place
    return TableMapping(
        name=texts["name"],
        time=_names(time, "column"),
        time_formats=_names(time, "formats"),
        timezone=texts["timezone"],
        t_resolution=time["resolution"],
        window=(_instant(time.get("first"), WINDOW[0]), _instant(time.get("last"), WINDOW[1])),
        crs=CRS_LONLAT if zoned else place["crs"],
        into=place["into"],
        x=_names(place, "x"),
        y=_names(place, "y"),
        zone=_names(place, "zone"),
        zones=zones or {},
        place_resolution="zone" if zoned else texts["resolution"],
        extent=_extent(place.get("extent")),
        kind=_names(kind, "column"),
        constant_type=None if kind.get("constant") is None else str(kind["constant"]),
        ident=_names(ident, "column"),
        ident_required=bool(ident.get("required", True)),
        delimiter=texts["delimiter"],
        columns=_names(data, "columns"),
        files=texts["files"],
        missing=_names(data, "missing"),
    )


def _names(part: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = part.get(key, ())
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
        raise ParameterError(f"In the mapping, {key} must be a text or a list of texts. Got {value!r}.")
    return tuple(names)


def _instant(value: object, default: pd.Timestamp) -> pd.Timestamp:
    if value is None:
        return default
    if not isinstance(value, (date, datetime)):
        raise ParameterError(
            f"In the mapping, time.first and time.last must be dates such as 2009-01-01. Got {value!r}."
        )
    stamp = pd.Timestamp(value)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def _extent(value: object) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(isinstance(v, (int, float)) for v in value):
        raise ParameterError(f"In the mapping, place.extent must be [west, south, east, north]. Got {value!r}.")
    west, south, east, north = map(float, value)
    return west, south, east, north


def zones_of(collection: Any, *, zone_id: str, into: str) -> dict[str, tuple[float, float]]:
    """Points that stand for the zones of a GeoJSON collection (degrees), in metres of ``into``.

    The centroid, or a point on the surface where the centroid falls outside the zone.

    Raises
    ------
    ParameterError
        If it is not a collection of shapes that bear a ``zone_id`` of their own and lie where ``into`` is used.
    """
    try:
        ids = [zone_name(f["properties"][zone_id]) for f in collection["features"]]
        shapes = [shapely.from_geojson(json.dumps(f["geometry"])) for f in collection["features"]]
    except (TypeError, KeyError, AttributeError, shapely.errors.GEOSException) as cause:
        raise ParameterError(
            f"The zones must be a GeoJSON FeatureCollection whose features have a geometry and a property {zone_id!r} "
            f"({type(cause).__name__}: {cause}). Check place.zones and place.zone_id."
        ) from cause
    if len(set(ids)) != len(ids) or not ids:
        raise ParameterError(
            f"The zones must each bear another {zone_id!r}. Got {len(ids)} zones, {len(set(ids))} names."
        )
    west, south, east, north = shapely.bounds(shapes).T
    astray = ~within(
        (west + east) / 2, (south + north) / 2, area_of_use(into)
    )  # an empty zone is nowhere, so astray too
    if astray.any():
        raise ParameterError(
            f"The zones must lie where {into} is meant to be used, in degrees as GeoJSON has them. Got "
            f"{astray.sum()} of {len(ids)} elsewhere, the first of them {ids[int(np.argmax(astray))]!r}. "
            "Check place.into and the file."
        )
    change = transformer(CRS_LONLAT, into)
    metres = shapely.transform(shapes, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])))
    centres = shapely.centroid(metres)
    points = [c if s.intersects(c) else shapely.point_on_surface(s) for s, c in zip(metres, centres, strict=True)]
    return {name: (float(p.x), float(p.y)) for name, p in zip(ids, points, strict=True)}


def zone_name(value: object) -> str:
    """Name of a zone as text, whether the file has it as text, whole number or whole decimal."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value).strip()
