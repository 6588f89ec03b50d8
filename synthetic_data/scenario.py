"""What a world is made of: every number of Massilia, read from TOML, checked, frozen and hashed.

The embedded default, ``scenarios/massilia.toml``, says next to each value where it comes from or that it is an
assumption. The other embedded scenarios (:mod:`synthetic_data.presets`) and a file given by a user hold only the values
that differ; the rest is the default's.

What it cannot tell you: a scenario is a choice. A conclusion drawn under one holds under that one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pandas as pd
import tomli_w

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.provenance import digest
from synthetic_data.plans import StreamsPlan
from synthetic_data.plans import within as _within
from synthetic_data.plans.city import CAMERA_LAYOUTS, CameraPlan, PeoplePlan, PlacesPlan
from synthetic_data.plans.mobility import MobilityPlan
from synthetic_data.plans.police import DirtPlan, FinePlan, PatrolPlan, RecordingPlan
from synthetic_data.plans.sensing import SensingPlan
from synthetic_data.plans.services import ServicesPlan
from synthetic_data.plans.social import SocialPlan
from synthetic_data.presets import DEFAULT_PRESET, PRESETS

#: Time zone of the city.
LOCAL_TZ: Final = "Europe/Paris"
DEFAULT: Final = f"{DEFAULT_PRESET}.toml"


@dataclass(frozen=True, slots=True)
class Time:
    """First local day (a Monday, so that weekly drops are whole) and number of days."""

    start: str
    n_days: int = _within(1, 36525)


@dataclass(frozen=True, slots=True)
class CityPlan:
    """Land, people and places."""

    area_km2: float = _within(5, 5000)
    population: int = _within(1000, 5e7)
    n_districts: int = _within(1, 100)
    n_quarters: int = _within(1, 1000)
    cell_m: float = _within(50, 2000)
    sites_per_cell: int = _within(1, 1000)
    density_contrast: float = _within(0, 3)
    share_b: float = _within(0.01, 0.99)
    segregation: float = _within(0, 5)
    poverty_link: float = _within(-1, 1)
    n_bars: int = _within(0, 1e6)
    n_schools: int = _within(0, 1e6)
    n_stations: int = _within(0, 1e6)


@dataclass(frozen=True, slots=True)
class IncidentPlan:
    """Volume of what happens, and how it clusters. See the comments of the embedded scenario."""

    latent_per_day: float = _within(1, 1e6)
    field_sd: float = _within(0, 3)
    field_km: float = _within(0.05, 20)
    near_repeat: float = _within(0, 0.9)
    near_repeat_days: float = _within(0.05, 365)
    near_repeat_m: float = _within(0, 5000)
    repeat_share: float = _within(0, 1)
    event_effect: float = _within(0, 1000)
    event_m: float = _within(0, 5000)
    poverty_effect: float = _within(-3, 3)
    darkness_effect: float = _within(-3, 3)
    planted_quarters: int = _within(0, 1000)
    planted_factor: float = _within(1, 20)


@dataclass(frozen=True, slots=True)
class WeatherPlan:
    """Temperature by the hour around a yearly and a daily wave, rainy days and hours, wind."""

    mean_c: float = _within(-50, 50)
    swing_c: float = _within(0, 40)
    noise_c: float = _within(0, 20)
    memory: float = _within(0, 0.99)
    rain_share: float = _within(0, 1)
    daily_swing_c: float = _within(0, 20)
    wet_hours: float = _within(0, 1)
    rain_mm: float = _within(0, 500)
    wind_m_s: float = _within(0, 40)
    wind_log_sd: float = _within(0, 1)


@dataclass(frozen=True, slots=True)
class CalendarPlan:
    """Events of the city: how many, how many undeclared, how well crowds are foreseen."""

    events_per_day: float = _within(0, 1e5)
    undeclared_share: float = _within(0, 0.95)
    crowd: float = _within(0, 100)
    crowd_log_sd: float = _within(0, 2)
    forecast_log_sd: float = _within(0, 2)


@dataclass(frozen=True, slots=True)
class TypeProfile:
    """Where, when and how visibly one type of incident happens. See the comments of the embedded scenario."""

    weight: float = _within(1e-6, 1e6)
    report_propensity: float = _within(0, 0.95)
    discovery_ease: float = _within(0, 100)
    residents: float = _within(0, 1)
    nightlife: float = _within(0, 1)
    transit: float = _within(0, 1)
    peak_h: float = _within(0, 24)
    spread_h: float = _within(0.1, 24)
    floor: float = _within(0, 1)
    weekend: float = _within(-3, 3)
    summer: float = _within(-3, 3)
    heat: float = _within(-3, 3)
    rain: float = _within(-3, 3)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world, before chance: every parameter of the synthetic city and of its records.

    Examples
    --------
    >>> small = Scenario.load().with_overrides({"time.n_days": 14})
    >>> small.time.n_days, small.city.population
    (14, 860000)
    """

    name: str
    time: Time
    city: CityPlan
    places: PlacesPlan
    people: PeoplePlan
    cameras: CameraPlan
    incidents: IncidentPlan
    weather: WeatherPlan
    calendar: CalendarPlan
    recording: RecordingPlan
    patrols: PatrolPlan
    fines: FinePlan
    dirt: DirtPlan
    streams: StreamsPlan
    mobility: MobilityPlan
    sensing: SensingPlan
    services: ServicesPlan
    social: SocialPlan
    types: Mapping[str, TypeProfile]

    @classmethod
    def load(cls, source: Path | str | None = None) -> Scenario:
        """Read an embedded scenario, or a TOML file laid over the default one.

        Parameters
        ----------
        source : Path or str, optional
            Name of a preset, else the path of a file; ``massilia`` when not given. A file that bears the name of a
            preset is reached by a :class:`~pathlib.Path`, or by ``./name``.

        Raises
        ------
        ParameterError
            If the file is missing or is not TOML, or if a key or a value is not one a scenario can have.

        Examples
        --------
        >>> Scenario.load("no-feedback").recording.patrol_sight
        0.0
        """
        base = _embedded(DEFAULT_PRESET)
        if source is None or source == DEFAULT_PRESET:
            return cls.from_dict(base, where=DEFAULT)
        if isinstance(source, str) and source in PRESETS:
            given, where = _embedded(source), f"{source}.toml"
            return cls.from_dict(_overlay(base, given, where=where), where=where)
        path = Path(source)
        try:
            given = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as cause:
            raise ParameterError(
                f"The scenario {path} cannot be read: {cause}. Name a preset ({', '.join(PRESETS)}), or write a TOML "
                "file holding the values to change; `contrechamp generate` leaves a complete one, "
                "scenario.resolved.toml, in the folder it makes."
            ) from cause
        return cls.from_dict(_overlay(base, given, where=path.name), where=path.name)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: str = "scenario") -> Scenario:
        """Build a scenario from nested mappings holding every value.

        Raises
        ------
        ParameterError
            For an unknown or missing key, a wrong type, or a value out of range.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        _check_keys(data, known, path="", where=where)
        hints = typing.get_type_hints(cls)
        parts: dict[str, Any] = {"name": _value(data["name"], str, None, path="name", where=where)}
        for section in sorted(known - {"name", "types"}):
            parts[section] = _section(hints[section], data[section], path=section, where=where)
        types = data["types"]
        if not isinstance(types, Mapping):
            raise _bad("types", "a table per incident type", types, where)
        _check_keys(types, set(INCIDENT_TYPES), path="types", where=where)
        parts["types"] = {t: _section(TypeProfile, types[t], path=f"types.{t}", where=where) for t in INCIDENT_TYPES}
        made = cls(**parts)
        made._check(where)
        return made

    def _check(self, where: str) -> None:
        start = self.time.start
        try:
            day = dt.date.fromisoformat(start)
        except ValueError:
            raise _bad("time.start", "a date such as 2017-01-02", start, where) from None
        if day.weekday() != 0:
            raise _bad("time.start", "a Monday, so that weekly files are whole", start, where)
        if not 1950 <= day.year <= 2100:
            raise _bad("time.start", "a date between 1950 and 2100", start, where)
        for path, items, length in (
            ("patrols.shift_shares", self.patrols.shift_shares, 3),
            ("fines.weekday_effort", self.fines.weekday_effort, 7),
        ):
            if len(items) != length or sum(items) <= 0:
                raise _bad(path, f"{length} numbers, not all 0", list(items), where)
        if self.city.n_districts > self.city.n_quarters:
            raise _bad("city.n_districts", "at most city.n_quarters", self.city.n_districts, where)
        sizes = self.people.household_sizes
        if len(sizes) < 3 or sum(sizes) <= 0 or sizes[0] <= 0 or sum(sizes[1:]) <= 0:
            raise _bad("people.household_sizes", "at least 3 shares, of households of 1, 2, 3… persons, the first and "
                       "one other above 0", list(sizes), where)  # fmt: skip
        if (ages := self.people.share_0_14 + self.people.share_15_29 + self.people.share_60_plus) > 0.95:
            raise _bad("people.share_60_plus", "such that the three shares of ages sum to at most 0.95", ages, where)
        if self.cameras.layout not in CAMERA_LAYOUTS:
            raise _bad("cameras.layout", f"one of {', '.join(CAMERA_LAYOUTS)}", self.cameras.layout, where)
        if self.incidents.planted_quarters > self.city.n_quarters:
            raise _bad("incidents.planted_quarters", "at most city.n_quarters", self.incidents.planted_quarters, where)
        if self.recording.records_per_day >= self.incidents.latent_per_day:
            raise _bad("recording.records_per_day", "less than incidents.latent_per_day",
                       self.recording.records_per_day, where)  # fmt: skip
        for name, profile in self.types.items():
            if profile.residents + profile.nightlife + profile.transit > 1 + 1e-9:
                raise _bad(f"types.{name}", "residents + nightlife + transit of at most 1", profile, where)
        if (total := sum(dataclasses.astuple(self.dirt))) > 0.5:
            raise _bad("dirt", "shares summing to at most 0.5", total, where)

    def with_overrides(self, changes: Mapping[str, Any]) -> Scenario:
        """Return a scenario with some values replaced, named by dotted keys such as ``"time.n_days"``.

        Raises
        ------
        ParameterError
            For an unknown key, or a value out of range.
        """
        nested: dict[str, Any] = {}
        for key, value in changes.items():
            *parents, leaf = key.split(".")
            level = nested
            for parent in parents:
                level = level.setdefault(parent, {})
                if not isinstance(level, dict):
                    raise _bad(key, "a key of the scenario", key, "overrides")
            level[leaf] = value
        return Scenario.from_dict(_overlay(self.to_dict(), nested, where="overrides"), where="overrides")

    def to_dict(self) -> dict[str, Any]:
        """Plain nested form, every value present."""
        return typing.cast(dict[str, Any], _plain(self))

    def to_toml(self) -> str:
        """TOML text that :meth:`load` reads back to an equal scenario."""
        return tomli_w.dumps(self.to_dict())

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of every value."""
        return digest(self.to_dict())

    @property
    def start(self) -> pd.Timestamp:
        """Local midnight that opens day 0, tz-aware."""
        return pd.Timestamp(self.time.start, tz=LOCAL_TZ)


def _embedded(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("synthetic_data").joinpath("scenarios", f"{name}.toml").read_text("utf-8"))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def read_overrides(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Read values typed by a person (``n=3``, ``shares=[0.2, 0.8]``) as TOML; what is not TOML stays text.

    Examples
    --------
    >>> read_overrides({"time.n_days": "84", "time.start": "2017-01-02x", "city.share_b": "0.3"})
    {'time.n_days': 84, 'time.start': '2017-01-02x', 'city.share_b': 0.3}
    """
    return {name: _literal(text) for name, text in pairs.items()}


def _literal(text: str) -> Any:
    try:
        (value,) = tomllib.loads(f"value = {text}").values()
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dt.date | dt.time) else value


def _overlay(base: Mapping[str, Any], given: Mapping[str, Any], *, where: str, path: str = "") -> dict[str, Any]:
    out = dict(base)
    for key, value in given.items():
        full = f"{path}.{key}" if path else key
        if key not in base:
            raise ParameterError(
                f"The scenario {where} has an unknown key `{full}`. Keys known here are {', '.join(sorted(base))}. "
                "Correct the spelling, or remove the line."
            )
        if isinstance(base[key], Mapping):
            if not isinstance(value, Mapping):
                raise _bad(full, "a table of values", value, where)
            out[key] = _overlay(base[key], value, where=where, path=full)
        else:
            out[key] = value
    return out


def _check_keys(data: Mapping[str, Any], known: set[str], *, path: str, where: str) -> None:
    prefix = f"{path}." if path else ""
    if unknown := sorted(set(data) - known):
        raise ParameterError(
            f"The scenario {where} has an unknown key `{prefix}{unknown[0]}`. Keys known here are "
            f"{', '.join(sorted(known))}. Correct the spelling, or remove the line."
        )
    if missing := sorted(known - set(data)):
        raise ParameterError(
            f"The scenario {where} lacks the key `{prefix}{missing[0]}`. Add it, or start from {DEFAULT}."
        )


def _section(cls: Any, data: Any, *, path: str, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise _bad(path, "a table of values", data, where)
    fields = dataclasses.fields(cls)
    _check_keys(data, {f.name for f in fields}, path=path, where=where)
    hints = typing.get_type_hints(cls)
    return cls(
        **{
            f.name: _value(data[f.name], hints[f.name], f.metadata.get("range"), path=f"{path}.{f.name}", where=where)
            for f in fields
        }
    )


def _value(value: Any, kind: Any, span: tuple[float, float] | None, *, path: str, where: str) -> Any:
    if kind is str:
        if isinstance(value, dt.date):
            value = value.isoformat()
        if not isinstance(value, str) or not value.strip():
            raise _bad(path, "a text", value, where)
        return value
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise _bad(path, "a list of numbers", value, where)
        return tuple(_value(item, float, span, path=path, where=where) for item in value)
    low, high = span if span is not None else (-math.inf, math.inf)
    must = f"a {'whole ' if kind is int else ''}number in [{low:g}, {high:g}]"
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _bad(path, must, value, where)
    if kind is int and value != int(value):
        raise _bad(path, must, value, where)
    return kind(value)


def _bad(path: str, must: str, got: object, where: str) -> ParameterError:
    return ParameterError(
        f"The `{path}` value of the scenario {where} must be {must}. Got {got!r}. "
        f"Correct it; the embedded {DEFAULT} shows a value that works, with its source."
    )
