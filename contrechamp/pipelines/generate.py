"""Generate: draw a world, then write apart what happened (``truth/``) and what the city would drop (``landing/``).

The truth never leaves its folder. What the platform reads is in ``landing/`` and holds only what was recorded. Each
stream is drawn and spoilt from random streams of its own, so that asking for one more, or for more workers, changes no
byte of the others.

What it cannot tell you: anything of a real city. Every row is drawn; see docs/datasheets.md for what each leaves out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.columns import CRS_M, QUARTER_ID
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import LAYOUTS, StreamLayout
from contrechamp.store.files import write_bytes, write_gz, write_json, write_parquet, write_text
from synthetic_data.dropping import Drop, drop
from synthetic_data.patrols import patrols_frame
from synthetic_data.places import PLACE_KINDS
from synthetic_data.recording import DETECTED, DISCOVERED, REPORTED, known_by_words
from synthetic_data.scenario import LOCAL_TZ, Scenario
from synthetic_data.streams import draw_stream
from synthetic_data.world import N_STEPS, World, draw_world
from synthetic_data.zones import Zones, fit

STEP: Final = "generate"

#: Streams that an audit ingests and measures; the others are for whoever asks.
AUDITED: Final = ("mains_courantes", "verbalisations")

#: Work units of the world itself and of its truth, for the progress bar.
_WORLD_UNITS: Final = N_STEPS + 1


@dataclass(frozen=True)
class GenerateSummary:
    """What was made.

    Attributes
    ----------
    scenario, scenario_digest : str
        Name of the scenario, and SHA-256 of its values.
    seed, n_days, n_cells, n_quarters : int
    n_latent, n_reported, n_discovered, n_detected : int
        Incidents, and those known by each route.
    n_infractions, n_fines : int
        Latent infractions, and fines.
    visibility : float
        Constant of the patrols' eyesight that gives the scenario's expected number of records.
    rows : mapping of str to int
        Rows dropped per stream, duplicates included.
    dirt : mapping of str to mapping of str to int
        Per stream, the number of records by fault.
    files : mapping of str to str
        SHA-256 of every file written, by its path within the folder.
    """

    scenario: str
    scenario_digest: str
    seed: int
    n_days: int
    n_cells: int
    n_quarters: int
    n_latent: int
    n_reported: int
    n_discovered: int
    n_detected: int
    n_infractions: int
    n_fines: int
    visibility: float
    rows: Mapping[str, int]
    dirt: Mapping[str, Mapping[str, int]]
    files: Mapping[str, str]

    @property
    def n_records(self) -> int:
        """Incidents that entered the municipal log."""
        return self.n_reported + self.n_discovered + self.n_detected

    def to_dict(self) -> dict[str, Any]:
        """Plain form."""
        return {
            **{
                name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("rows", "dirt", "files")
            },
            "n_records": self.n_records,
            "rows": dict(self.rows),
            "dirt": {name: dict(counts) for name, counts in self.dirt.items()},
            "files": dict(self.files),
        }


def choose_streams(names: Sequence[str] | None) -> tuple[str, ...]:
    """Keys of the streams named by key, register number or family, in the order of the register; all when None.

    Raises
    ------
    ParameterError
        If a name is none of these.

    Examples
    --------
    >>> choose_streams(["D02", "emergency"])
    ('verbalisations', 'urgences', 'pompiers')
    """
    if names is None:
        return tuple(LAYOUTS)
    chosen: set[str] = set()
    for name in names:
        found = {key for key, s in LAYOUTS.items() if name in (key, s.id, s.id.lower(), s.family)}
        if not found:
            families = sorted({s.family for s in LAYOUTS.values()})
            raise ParameterError(
                f"There is no stream or family of streams {name!r}. Families are {', '.join(families)}; streams are "
                f"{', '.join(f'{s.id} {key}' for key, s in LAYOUTS.items())}."
            )
        chosen |= found
    return tuple(key for key in LAYOUTS if key in chosen)


def generate(
    scenario: Scenario,
    *,
    seed: int,
    work: Path,
    zones: Zones | None = None,
    streams: Sequence[str] | None = None,
    jobs: int = 1,
    progress: Progress = silent,
) -> GenerateSummary:
    """Draw the world of ``scenario`` under ``seed`` and write it in ``work``.

    Parameters
    ----------
    scenario : Scenario
    seed : int
        Run seed. Same scenario and seed, same bytes.
    work : Path
        Folder of the run being built; ``truth/``, ``landing/`` and ``scenario.resolved.toml`` are written in it.
    zones : Zones, optional
        Quarters of the user to draw everything on; the scenario written is the one fitted to them.
    streams : sequence of str, optional
        Streams to drop, as of :func:`choose_streams`; all by default. Changes no byte of any of them.
    jobs : int, default=1
        Streams drawn at a time. Changes no byte.
    progress : Progress, default=silent

    Raises
    ------
    ParameterError
        If the scenario's volumes cannot be reached, if it cannot be held on the zones, or for an unknown stream.
    """
    chosen = choose_streams(streams)
    if zones is not None:
        scenario = fit(scenario, zones)
    total = _WORLD_UNITS + len(chosen)
    progress(STEP, 0, total)
    files = {"scenario.resolved.toml": write_text(work / "scenario.resolved.toml", scenario.to_toml())}
    world = draw_world(scenario, seed=seed, zones=zones, told=lambda done: progress(STEP, done, total))
    files |= _write_truth(world, work / "truth", zones=zones)
    # the outline of the land and what stands on it are public: the platform may read them, unlike anything under truth/
    files["landing/territory.json"] = write_json(work / "landing" / "territory.json", world.city.grid.to_dict())
    files["landing/places.json"] = write_json(work / "landing" / "places.json", _public_places(world))
    progress(STEP, _WORLD_UNITS, total)

    dropped: list[_Dropped] = []
    tasks = (delayed(_drop_one)(world, key, work) for key in chosen)
    for done in Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(tasks):
        dropped.append(done)
        progress(STEP, _WORLD_UNITS + len(dropped), total)
    for one in dropped:
        files |= one.files
    dirt = {one.stream: dict(one.dirt) for one in dropped}
    rows = {one.stream: one.n_rows for one in dropped}
    files["truth/dirt.json"] = write_json(work / "truth" / "dirt.json", {"by_fault": dirt, "rows": rows})
    daily = pd.concat([one.daily for one in dropped], ignore_index=True) if dropped else _no_daily()
    files["truth/streams_daily.parquet"] = write_parquet(daily, work / "truth" / "streams_daily.parquet")
    known = np.bincount(world.records.known_by, minlength=4)
    return GenerateSummary(
        scenario=scenario.name,
        scenario_digest=scenario.digest,
        seed=seed,
        n_days=scenario.time.n_days,
        n_cells=world.city.grid.n_cells,
        n_quarters=len(world.city.quarters),
        n_latent=len(world.incidents),
        n_reported=int(known[REPORTED]),
        n_discovered=int(known[DISCOVERED]),
        n_detected=int(known[DETECTED]),
        n_infractions=int(world.fines.daily["n_infractions"].sum()),
        n_fines=len(world.fines.t_us),
        visibility=world.records.visibility,
        rows=rows,
        dirt=dirt,
        files=files,
    )


@dataclass(frozen=True, eq=False)
class _Dropped:
    """A stream once written: what is kept of it in memory."""

    stream: str
    files: Mapping[str, str]
    dirt: Mapping[str, int]
    n_rows: int
    daily: pd.DataFrame


def _drop_one(world: World, key: str, work: Path) -> _Dropped:
    layout = LAYOUTS[key]
    rows = draw_stream(key, world, rng=stream(world.seed, "streams", key))
    daily = _daily(layout, rows, world.scenario)
    made: Drop = drop(
        layout, rows, scenario=world.scenario, city=world.city, rng=stream(world.seed, "drops", key)
    )  # fmt: skip
    files = {}
    for name, content in made.files.items():
        path = f"landing/{key}/{name}"
        write = write_gz if name.endswith(".gz") else write_bytes
        files[path] = write(work / path, content)
    return _Dropped(key, files, made.dirt, made.n_rows, daily)


def _no_daily() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stream": pd.array([], dtype="str"), "day": np.empty(0, np.int64), "measure": pd.array([], dtype="str"),
            "value": np.empty(0),
        }
    )  # fmt: skip


def _daily(layout: StreamLayout, rows: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Clean rows of a stream by local day of their time, and the sums of what they count: truth, before any dirt."""
    if rows.empty:
        return _no_daily()
    when = next(f.raw for f in layout.fields if f.kind == "time")
    local = rows[when].dt.tz_convert(LOCAL_TZ).dt.tz_localize(None).dt.normalize()
    day = (local - pd.Timestamp(scenario.time.start)).dt.days
    measures: dict[str, Any] = {"rows": np.ones(len(rows))}
    if layout.has_point:
        measures["located"] = rows["x_m"].notna().to_numpy(dtype=np.float64)
    for f in layout.fields:
        if f.kind == "integer":
            measures[f.raw] = rows[f.raw].astype("float64").fillna(0.0).to_numpy()
    sums = pd.DataFrame(measures).groupby(day.to_numpy()).sum()
    out = sums.rename_axis("day").reset_index().melt(id_vars="day", var_name="measure", value_name="value")
    out.insert(0, "stream", layout.key)
    return out.astype({"stream": "str", "measure": "str", "day": "int64", "value": "float64"})


#: Kinds of places that anybody can look up or walk past; which buildings stand empty is in no public list.
PUBLIC_PLACES: Final = tuple(kind for kind in PLACE_KINDS if kind != "vacant")


def _public_places(world: World) -> dict[str, Any]:
    """Kind and position of every public place, to the metre."""
    frame = world.places.frame
    known = frame[frame["kind"].isin(PUBLIC_PLACES)]
    return {
        "crs": CRS_M,
        "places": [
            {"kind": str(kind), "x_m": round(float(x)), "y_m": round(float(y))}
            for kind, x, y in zip(known["kind"], known["x_m"], known["y_m"], strict=True)
        ],
    }


def _write_truth(world: World, folder: Path, *, zones: Zones | None) -> dict[str, str]:
    """Write what a run is measured against; nothing under ``truth/`` is ever handed to the platform."""
    city, incidents = world.city, world.incidents
    files: dict[str, str] = {}

    def table(name: str, frame: pd.DataFrame) -> None:
        files[f"truth/{name}.parquet"] = write_parquet(frame, folder / f"{name}.parquet")

    def note(name: str, value: Any) -> None:
        files[f"truth/{name}.json"] = write_json(folder / f"{name}.json", value)

    if zones is not None:
        note("geography", {
            "n_zones": len(zones), "area_km2": zones.area_km2, "crs": zones.source_crs,
            "centre_m": list(city.centre_m), "names": "given" if zones.names else "invented",
            "population": "by area" if zones.population is None else "given",
            "repaired": [dataclasses.asdict(problem) for problem in zones.repaired],
        })  # fmt: skip
    note("grid", city.grid.to_dict())
    table("city_quarters", city.quarters)
    table("city_units", world.units)
    table("places", world.places.frame)
    table("street_edges", pd.DataFrame(world.streets.to_geodataframe().drop(columns="geometry")))
    table("people", world.people.frame())
    table("cameras", world.cameras)
    table("calendar", world.calendar)
    sky = world.weather
    table("weather", pd.DataFrame({
        "day": np.arange(len(sky.rainy)), "temperature_c": sky.temperature_c, "anomaly_c": sky.anomaly_c,
        "rainy": sky.rainy,
    }))  # fmt: skip
    frame = incidents.to_frame(city)
    frame["known_by"] = known_by_words(world.records)
    frame["reported"], frame["detected"] = world.records.reported, world.records.detected
    table("incidents", frame)
    table("incidents_before", incidents.before.to_frame(city))
    table("records", world.records.to_frame(world.scenario, city, incidents))
    if len(incidents.planted_quarters):
        note("planted", {
            "factor": world.scenario.incidents.planted_factor,
            "quarters": city.quarters[QUARTER_ID].iloc[incidents.planted_quarters].tolist(),
            "n_incidents": int(incidents.planted.sum()),
        })  # fmt: skip
    table("patrols", patrols_frame(world.hours, city))
    table("infractions_daily", world.fines.daily)
    return files
