"""All twenty-five streams from one world: chosen by name, independent of each other and of the number of workers."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contrechamp.audit.calibration import MEASURES, NOT_DRAWN, calibrate, load_anchors, to_markdown
from contrechamp.cli.app import app
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.streams import FAMILIES, LAYOUTS
from contrechamp.pipelines.generate import choose_streams, generate
from contrechamp.store.files import read_parquet, sha256_file
from synthetic_data.catalogue import load_datasheets
from synthetic_data.scenario import Scenario
from synthetic_data.streams import GENERATORS

TOWN_SETS = {
    "time.n_days": 14, "streams.dense_days": 2, "city.area_km2": 12, "city.population": 30_000,
    "city.n_quarters": 12, "city.n_districts": 3, "city.sites_per_cell": 8, "city.n_bars": 60,
    "city.n_schools": 15, "city.n_stations": 6, "incidents.latent_per_day": 200, "recording.records_per_day": 60,
    "fines.fines_per_day": 30, "fines.infractions_per_day": 1000, "cameras.n_cameras": 40,
    "services.rescues_per_day": 20,
}  # fmt: skip
TOWN = Scenario.load().with_overrides(TOWN_SETS)
LIGHT = ("verbalisations", "meteo", "evenements", "pompiers")


def landing(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256_file(p) for p in (folder / "landing").rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    work = tmp_path_factory.mktemp("light")
    return work, generate(TOWN, seed=9, work=work, streams=LIGHT)


def test_every_stream_of_the_register_has_a_layout_a_generator_and_a_datasheet():
    assert [layout.id for layout in LAYOUTS.values()] == [f"D{i:02d}" for i in range(1, 26)]
    assert list(GENERATORS) == list(LAYOUTS)
    sheets = load_datasheets()
    assert set(LAYOUTS) < set(sheets)
    mechanisms = [key for key in sheets if key not in LAYOUTS]
    assert mechanisms == [
        "reporting", "discovery", "detection", "entry", "mistyping", "geocoding", "duplication",
    ]  # fmt: skip
    for layout in LAYOUTS.values():
        assert set(layout.identity) <= set(layout.raw_names), layout.key
        names = {f.name for f in layout.fields}
        assert {part for p in layout.pseudonyms for part in p.parts} == {f.name for f in layout.fields if f.person}
        assert layout.order is None or set(layout.order) <= names


def test_streams_are_chosen_by_key_number_or_family():
    assert choose_streams(None) == tuple(LAYOUTS)
    assert choose_streams(["D11", "d02", "meteo"]) == ("verbalisations", "meteo")
    assert {key for family in FAMILIES for key in choose_streams([family])} == set(LAYOUTS)
    with pytest.raises(ParameterError, match="no stream or family of streams 'traffic'"):
        choose_streams(["traffic"])


def test_one_stream_more_or_one_worker_more_changes_no_byte(light, tmp_path):
    work, _ = light
    alone, two = tmp_path / "alone", tmp_path / "two"
    generate(TOWN, seed=9, work=alone, streams=["pompiers"])
    generate(TOWN, seed=9, work=two, streams=LIGHT, jobs=2)
    whole = landing(work)
    assert landing(two) == whole
    assert len(landing(alone)) == 4  # two weeks, the outline of the land, its places
    assert landing(alone).items() < whole.items()
    for name in ("incidents", "records", "people", "calendar", "cameras", "patrols"):
        assert sha256_file(alone / f"truth/{name}.parquet") == sha256_file(work / f"truth/{name}.parquet"), name


def test_the_truth_counts_clean_rows_by_day(light):
    work, summary = light
    daily = read_parquet(work / "truth" / "streams_daily.parquet")
    rows = daily[daily["measure"] == "rows"].groupby("stream")["value"].sum()
    clean = {stream: sum(faults.values()) for stream, faults in summary.dirt.items()}
    assert rows.to_dict() == clean
    hours = daily[(daily["stream"] == "meteo") & (daily["measure"] == "rows")]
    assert hours["value"].tolist() == [24.0] * 14
    assert summary.n_reported + summary.n_discovered + summary.n_detected == summary.n_records


def test_no_raw_file_carries_what_only_the_truth_knows(light):
    work, _ = light
    for path in (work / "landing").rglob("*.geojson"):
        for feature in json.loads(path.read_text())["features"]:
            assert set(feature["properties"]) < {f.raw for f in LAYOUTS[path.parent.name].fields}


def test_calibration_measures_every_anchor_or_says_why_not(light, tmp_path):
    keys = [anchor.key for anchor in load_anchors()]
    assert set(keys) == set(MEASURES) | set(NOT_DRAWN)
    assert not set(MEASURES) & set(NOT_DRAWN)
    work, _ = light
    figures = {f.anchor.key: f for f in calibrate(work)}
    assert list(figures) == keys
    assert figures["population"].drawn.estimate == 30_000
    assert figures["population"].held is False
    assert figures["population"].ratio == pytest.approx(30_000 / 860_000)
    assert figures["area"].drawn.estimate == pytest.approx(12.0)
    weather_says_nothing = figures["mains-courantes-day"]  # a stream that was not asked for
    assert (weather_says_nothing.drawn, weather_says_nothing.held) == (None, None)
    fines = figures["fines-day"].drawn
    assert fines.low < 30 < fines.high
    assert fines.n == 2  # weeks
    table = to_markdown(tuple(figures.values()), lang="fr")
    assert table.count("\n") == len(keys) + 2
    assert "non tiré" in table
    with pytest.raises(ContractError, match=r"streams_daily\.parquet is missing"):
        calibrate(tmp_path)


def test_the_written_datasheets_and_calibration_are_those_of_the_program():
    docs = Path(__file__).resolve().parents[3] / "docs"
    for name, lang in (("datasheets.md", "fr"), ("datasheets.en.md", "en")):
        done = CliRunner().invoke(app, ["streams", "sheets", "--lang", lang])
        assert done.exit_code == 0
        assert (docs / name).read_text() == done.stdout, "run `make docs`"
    table = (docs / "calibration.md").read_text()
    for anchor in load_anchors():
        assert table.count(f"| {anchor.name.fr} |") == table.count(f"| {anchor.name.en} |") == 1, anchor.key


def test_files_are_dropped_as_time_passes_and_again_from_there(tmp_path):
    sets = [part for key, value in TOWN_SETS.items() for part in ("--set", f"{key}={value}")]
    command = ["generate", "--out", str(tmp_path / "t"), "--follow", "--speed", "1e12", "--json"]
    first = CliRunner().invoke(app, [*command, "--stream", "meteo", *sets])
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["dropped"] == 4  # two weeks, the outline of the land, its places
    (tmp_path / "t" / "landing" / "meteo" / "meteo_2017-W02.csv.gz").unlink()
    again = json.loads(CliRunner().invoke(app, command).stdout)
    assert (again["dropped"], again["already"], again["left"]) == (1, 3, 0)


def test_a_stream_is_shown_by_key_or_number():
    by_number = CliRunner().invoke(app, ["streams", "show", "d08", "--json"])
    assert by_number.stdout == CliRunner().invoke(app, ["streams", "show", "pompiers", "--json"]).stdout
    assert {f["field"]: f["person"] for f in json.loads(by_number.stdout)["fields"]}["caller_phone"] == "phone"
    with pytest.raises(ParameterError, match="There is no stream 'D26'"):
        CliRunner().invoke(app, ["streams", "show", "D26"], catch_exceptions=False)
