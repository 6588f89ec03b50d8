"""Generate: draw a world, then write apart what happened (``truth/``) and what the city would drop (``landing/``).

The truth never leaves its folder. What the platform reads is in ``landing/`` and holds only what was recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contrechamp.domain.columns import QUARTER_ID
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.rng import stream
from contrechamp.store.files import write_gz, write_json, write_parquet, write_text
from synthetic_data.city import draw_city
from synthetic_data.drops import Drop, drop_fines, drop_log
from synthetic_data.incidents import draw_incidents
from synthetic_data.recording import (
    DISCOVERED,
    REPORTED,
    draw_fines,
    draw_patrols,
    draw_records,
    known_by_words,
    patrols_frame,
)
from synthetic_data.scenario import Scenario
from synthetic_data.zones import Zones, fit

STEP: Final = "generate"
_UNITS: Final = 8


@dataclass(frozen=True)
class GenerateSummary:
    """What was made.

    Attributes
    ----------
    scenario, scenario_digest : str
        Name of the scenario, and SHA-256 of its values.
    seed, n_days, n_cells, n_quarters : int
    n_latent, n_reported, n_discovered : int
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
    n_infractions: int
    n_fines: int
    visibility: float
    rows: Mapping[str, int]
    dirt: Mapping[str, Mapping[str, int]]
    files: Mapping[str, str]

    @property
    def n_records(self) -> int:
        """Incidents that entered the municipal log."""
        return self.n_reported + self.n_discovered

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


def generate(
    scenario: Scenario, *, seed: int, work: Path, zones: Zones | None = None, progress: Progress = silent
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
    progress : Progress, default=silent

    Raises
    ------
    ParameterError
        If the scenario's volumes cannot be reached, or if it cannot be held on the zones.
    """
    if zones is not None:
        scenario = fit(scenario, zones)
    files: dict[str, str] = {}
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(STEP, done, _UNITS)

    progress(STEP, 0, _UNITS)
    files["scenario.resolved.toml"] = write_text(work / "scenario.resolved.toml", scenario.to_toml())
    city = draw_city(scenario.city, rng=stream(seed, "world", "city"), zones=zones)
    if zones is not None:
        about = {
            "n_zones": len(zones), "area_km2": zones.area_km2, "crs": zones.source_crs, "centre_m": list(city.centre_m),
            "names": "given" if zones.names else "invented",
            "population": "by area" if zones.population is None else "given",
            "repaired": [dataclasses.asdict(problem) for problem in zones.repaired],
        }  # fmt: skip
        files["truth/geography.json"] = write_json(work / "truth" / "geography.json", about)
    files["truth/city_quarters.parquet"] = write_parquet(city.quarters, work / "truth" / "city_quarters.parquet")
    files["truth/grid.json"] = write_json(work / "truth" / "grid.json", city.grid.to_dict())
    # the outline of the land is public: ingest may read it, unlike anything under truth/
    files["landing/territory.json"] = write_json(work / "landing" / "territory.json", city.grid.to_dict())
    tick()
    incidents = draw_incidents(scenario, city, rng=stream(seed, "world", "incidents"))
    if len(incidents.planted_quarters):
        planted = {
            "factor": scenario.incidents.planted_factor,
            "quarters": city.quarters[QUARTER_ID].iloc[incidents.planted_quarters].tolist(),
            "n_incidents": int(incidents.planted.sum()),
        }
        files["truth/planted.json"] = write_json(work / "truth" / "planted.json", planted)
    tick()
    hours = draw_patrols(scenario, city, rng=stream(seed, "world", "patrols"))
    files["truth/patrols.parquet"] = write_parquet(patrols_frame(hours, city), work / "truth" / "patrols.parquet")
    records = draw_records(scenario, city, incidents, hours, rng=stream(seed, "world", "recording"))
    tick()
    frame = incidents.to_frame(city)
    frame["known_by"] = known_by_words(records)
    files["truth/incidents.parquet"] = write_parquet(frame, work / "truth" / "incidents.parquet")
    tick()
    fines = draw_fines(scenario, city, hours, rng=stream(seed, "world", "fines"))
    files["truth/infractions_daily.parquet"] = write_parquet(fines.daily, work / "truth" / "infractions_daily.parquet")
    tick()
    drops: list[Drop] = [drop_log(scenario, city, incidents, records, rng=stream(seed, "world", "drops", "log"))]
    tick()
    drops.append(drop_fines(scenario, city, fines, rng=stream(seed, "world", "drops", "fines")))
    tick()
    for drop in drops:
        for name, content in drop.files.items():
            path = f"landing/{drop.stream}/{name}"
            files[path] = write_gz(work / path, content)
    dirt = {drop.stream: dict(drop.dirt) for drop in drops}
    rows = {drop.stream: drop.n_rows for drop in drops}
    files["truth/dirt.json"] = write_json(work / "truth" / "dirt.json", {"by_fault": dirt, "rows": rows})
    tick()
    return GenerateSummary(
        scenario=scenario.name,
        scenario_digest=scenario.digest,
        seed=seed,
        n_days=scenario.time.n_days,
        n_cells=city.grid.n_cells,
        n_quarters=len(city.quarters),
        n_latent=len(incidents),
        n_reported=int((records.known_by == REPORTED).sum()),
        n_discovered=int((records.known_by == DISCOVERED).sum()),
        n_infractions=int(fines.daily["n_infractions"].sum()),
        n_fines=len(fines.t_us),
        visibility=records.visibility,
        rows=rows,
        dirt=dirt,
        files=files,
    )
