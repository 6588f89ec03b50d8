"""How the columns of a published incident table become an incident: which is the time, the place, the type, the number.

People who reproduce papers start from tables that cities and police forces publish. Each has its own names, dates and
coordinates. A :class:`TableMapping` says once, as data, how one table is read; three well-known ones are in
:mod:`ingest.published`, any other is a TOML file (:mod:`ingest.mapping_file`). Columns that the mapping does not name
are not kept.

What it cannot tell you: that a table holds what happened. A published table holds *records*, after reporting,
recording, selection and blurring by its publisher; it is called « incidents » here because its publishers and the
papers call it so. Dates and places are as coarse as ``t_resolution`` and ``place_resolution`` say: a point that was
moved to the middle of its street before publication stays there.

Notes
-----
Column names are matched exactly, else without regard to case, spaces, underscores and hyphens, so that the two ways
Socrata writes a header (« X Coordinate », « x_coordinate ») are one. Times without an offset are local times of
``timezone``: where the clock shows an hour twice the first is taken and the row says so; an hour that no clock showed
is refused. Datum changes use the transformations PROJ has at hand, which without national grid files is good to a few
metres.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, NoReturn, get_args
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from contrechamp.domain.columns import CRS_LONLAT
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import BoolArray, FloatArray
from ingest.layout import Layout, Resolution

#: Times let in when a mapping does not say.
WINDOW: Final = (pd.Timestamp("1950-01-01T00:00:00Z"), pd.Timestamp("2035-01-01T00:00:00Z"))

#: Resolutions finer than a day: a clock that shows an hour twice matters for these only.
CLOCK: Final = ("second", "minute", "hour")

#: Columns that say where a record's values come from.
SOURCE_COLUMNS: Final = "source_columns"
SOURCE_CRS: Final = "source_crs"

_KEPT: Final = {"id": "record_id", "t": "t_event", "x": "x_m", "y": "y_m", "zone": "x_m, y_m", "type": "type"}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_EPSG: Final = re.compile(r"EPSG:[0-9]{4,6}")


@dataclass(frozen=True)
class TableMapping:
    """How one table is read.

    Attributes
    ----------
    name : str
        Prefix of its record identifiers: lower case, digits and hyphens, at most 32 characters.
    time, x, y, zone, kind, ident : tuple of str
        Names under which the column may appear, the first that is there counts; empty when there is none. A place is
        either ``x`` and ``y`` or ``zone``.
    time_formats : tuple of str
        In ``strptime`` directives, tried in order. ``%z`` makes the offset part of the text.
    timezone : str
        Of times without an offset.
    t_resolution : {"second", "minute", "hour", "day", "month", "year"}
        What the published time is good for.
    crs : str
        Of ``x`` and ``y``: ``EPSG:n``.
    degrees : (str, str) or None
        Columns of longitude and latitude, for files of this table that lack ``x`` and ``y``.
    into : str
        Projected, in metres: what the lake keeps.
    place_resolution : str
        What the published place is good for: ``point``, ``block``, ``street``, ``zone``…
    extent : tuple of float or None
        West, south, east, north in degrees; by default the area where ``into`` is meant to be used.
    zones : mapping of str to (float, float)
        Zone → point in ``into``.
    constant_type : str or None
        Type of every row, for a table of one type.
    ident_required : bool
        Whether a row without an identifier is refused. Otherwise one is made from its content.
    delimiter : str, default=","
    columns : tuple of str
        Names of the columns of a file that has no header line.
    files : str, default="*"
        Pattern of the file names taken from a folder.
    missing : tuple of str
        What the table writes where it has no value, beside nothing at all: ``NA``, ``NULL``.
    window : (Timestamp, Timestamp)
    builtin : bool
        Whether it is one of ours, known by its name alone.
    """

    name: str
    time: tuple[str, ...]
    time_formats: tuple[str, ...]
    timezone: str
    t_resolution: Resolution
    into: str
    crs: str = CRS_LONLAT
    x: tuple[str, ...] = ()
    y: tuple[str, ...] = ()
    degrees: tuple[str, str] | None = None
    zone: tuple[str, ...] = ()
    zones: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    place_resolution: str = "point"
    extent: tuple[float, float, float, float] | None = None
    kind: tuple[str, ...] = ()
    constant_type: str | None = None
    ident: tuple[str, ...] = ()
    ident_required: bool = True
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    files: str = "*"
    missing: tuple[str, ...] = ()
    window: tuple[pd.Timestamp, pd.Timestamp] = WINDOW
    builtin: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            self._refuse("name", "lower-case letters, digits and hyphens, at most 32", self.name)
        if not self.time or not self.time_formats:
            self._refuse("time", "a column and at least one format such as '%Y-%m-%d %H:%M'", self.time)
        if not all("%" in f for f in self.time_formats):
            self._refuse("time.formats", "strptime formats such as '%d/%m/%Y'", self.time_formats)
        try:
            ZoneInfo(self.timezone)
        except (ValueError, OSError, LookupError):
            self._refuse("time.timezone", "the name of a time zone such as 'Europe/London'", self.timezone)
        if self.t_resolution not in get_args(Resolution):
            self._refuse("time.resolution", f"one of {', '.join(get_args(Resolution))}", self.t_resolution)
        if bool(self.zone) == bool(self.x or self.y) or bool(self.x) != bool(self.y):
            self._refuse("place", "either x and y, or zone with zones and zone_id", (self.x, self.y, self.zone))
        if bool(self.kind) == (self.constant_type is not None):
            self._refuse("type", "either a column or a constant", (self.kind, self.constant_type))
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            self._refuse("delimiter", "one character", self.delimiter)
        if not self.files or "/" in self.files or self.files == "**":
            self._refuse("files", "a pattern of file names such as '*-street.csv'", self.files)
        if not self.window[0] < self.window[1]:
            self._refuse("time.first", "before time.last", self.window)
        for where, code in (("place.crs", self.crs), ("place.into", self.into)):
            if not isinstance(code, str) or not _EPSG.fullmatch(code) or _crs(code) is None:
                self._refuse(where, "an EPSG code such as 'EPSG:27700'", code)
        if not (_crs(self.crs).is_projected or _crs(self.crs).is_geographic):
            self._refuse("place.crs", "a system of coordinates on the ground", self.crs)
        target = _crs(self.into)
        if not target.is_projected or any(a.unit_conversion_factor != 1.0 for a in target.axis_info[:2]):
            self._refuse("place.into", "a projected system in metres, since distances are computed in it", self.into)
        if self.columns and isinstance(wrong := self.layout(self.columns), str):
            self._refuse("columns", "the names of all columns, those of the mapping among them", wrong)
        if self.extent is not None:
            west, south, east, north = self.extent
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                self._refuse("place.extent", "west, south, east, north in degrees", self.extent)

    def _refuse(self, what: str, must: str, got: object) -> NoReturn:
        raise ParameterError(f"In the mapping {self.name!r}, {what} must be {must}. Got {got!r}.")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything the mapping says."""
        said = {k: v for k, v in sorted(vars(self).items()) if k in self.__dataclass_fields__}
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    @cached_property
    def label(self) -> str:
        """Name in the lake: a mapping of a user's own bears its digest, so that mending it reads the file again."""
        return self.name if self.builtin else f"{self.name}@{self.digest[:8]}"

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, within which a place must lie."""
        if self.extent is not None:
            return self.extent
        return area_of_use(self.into)

    @cached_property
    def roles(self) -> dict[str, tuple[str, ...]]:
        """Role → names its column may bear; only the roles that this table has."""
        named = {"id": self.ident, "t": self.time, "x": self.x, "y": self.y, "zone": self.zone, "type": self.kind}
        return {role: names for role, names in named.items() if names}

    def layout(self, header: Sequence[str]) -> Layout | str:
        """Find the columns in a header line, or say what is wrong with it.

        Examples
        --------
        >>> from ingest.published import CHICAGO
        >>> CHICAGO.layout(["id", "date", "primary_type", "x_coordinate"])
        'missing Y Coordinate'
        """
        found: dict[str, int] = {}
        missing: list[str] = []
        roles, crs = dict(self.roles), self.crs
        absent = any(_column(header, roles.get(axis, ())) is None for axis in "xy")
        if self.degrees is not None and absent and all(_column(header, (n,)) is not None for n in self.degrees):
            roles |= {"x": self.degrees[:1], "y": self.degrees[1:]}
            crs = CRS_LONLAT
        for role, names in roles.items():
            where = _column(header, names)
            if isinstance(where, str):
                return where
            if where is None:
                missing.append(" or ".join(n or "''" for n in names))
            else:
                found[role] = where
        if missing:
            return f"missing {', '.join(missing)}"
        said = "; ".join(f"{_KEPT[role]}={header[at]}" for role, at in found.items())
        return Layout(tuple(found.values()), {SOURCE_COLUMNS: said, SOURCE_CRS: crs})


def _column(header: Sequence[str], names: Sequence[str]) -> int | str | None:
    for name in names:
        for plain in (str, _plain):
            at = [i for i, there in enumerate(header) if plain(there) == plain(name)]
            if len(at) > 1:
                return f"column {name!r} is there {len(at)} times"
            if at:
                return at[0]
    return None


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.strip()).casefold()


@lru_cache(maxsize=32)
def _crs(code: str) -> Any:
    try:
        return CRS.from_user_input(code)
    except CRSError:
        return None


def area_of_use(code: str) -> tuple[float, float, float, float]:
    """West, south, east, north of the area where a system is meant to be used; west beyond east across 180°."""
    area = _crs(code).area_of_use
    return (-180.0, -90.0, 180.0, 90.0) if area is None else tuple(area.bounds)


def within(lon: FloatArray, lat: FloatArray, bounds: tuple[float, float, float, float]) -> BoolArray:
    """Tell which points lie between west, south, east and north.

    Examples
    --------
    >>> within(np.array([178.0, 0.0]), np.array([-18.0, -18.0]), (176.8, -20.8, -178.1, -12.4))
    array([ True, False])
    """
    west, south, east, north = bounds
    around = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    return np.asarray(around & (lat >= south) & (lat <= north), dtype=np.bool_)


@lru_cache(maxsize=32)
def transformer(source: str, target: str) -> Any:
    """Transformation between two systems, x first."""
    return Transformer.from_crs(source, target, always_xy=True)


def is_geographic(code: str) -> bool:
    """Whether coordinates in that system are degrees."""
    return bool(_crs(code).is_geographic)
