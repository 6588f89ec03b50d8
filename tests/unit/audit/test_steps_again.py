"""A step done again (a task retried) leaves what a step done once leaves."""

from pathlib import Path

from contrechamp.audit import steps
from contrechamp.store import runs
from synthetic_data.scenario import Scenario

SMALL = {
    "time.n_days": 14, "city.area_km2": 20.0, "city.n_quarters": 8, "city.n_districts": 4, "city.n_bars": 20,
    "city.n_schools": 10, "city.n_stations": 3, "incidents.latent_per_day": 60.0, "recording.records_per_day": 15.0,
    "fines.fines_per_day": 10.0, "fines.infractions_per_day": 200.0,
}  # fmt: skip


def test_ingesting_again_counts_as_a_first_time(tmp_path: Path) -> None:
    work = runs.begin(tmp_path, run_id="r")
    city = Scenario.load().with_overrides(SMALL)
    steps.reopen(work, request={"platform": True, "seed": 3}, plan={}, scenario_toml=city.to_toml())
    steps.generate(work)
    once = steps.ingest(work)
    assert once["committed"] > 0
    assert steps.ingest(work) == once
    assert runs.read_json(work / "parts" / "ingest.json") == once
    (work / "landing" / "mains_courantes" / ".half").write_bytes(b"")
    steps.generate(work)
    assert steps.ingest(work) == once
