"""A small world, generated whole: volumes, two routes, raw files and their dirt, bytes."""

import gzip
import json
from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid, count_cube, day_index
from contrechamp.domain.rng import stream
from contrechamp.pipelines.generate import AUDITED, generate
from contrechamp.store.files import read_parquet, sha256_file
from synthetic_data.background import hour_law
from synthetic_data.calendar import draw_calendar
from synthetic_data.city import draw_city
from synthetic_data.incidents import draw_incidents, local_to_utc_us
from synthetic_data.names import FICTION_PHONE_PREFIXES
from synthetic_data.places import draw_places
from synthetic_data.scenario import Scenario
from synthetic_data.weather import draw_weather

SMALL = Scenario.load().with_overrides({"time.n_days": 28, "city.sites_per_cell": 8})


def happen(scenario, city, *, seed):
    places = draw_places(scenario, city, rng=stream(seed, "places"))
    days = scenario.time.n_days
    return draw_incidents(
        scenario, city, places=places, calendar=draw_calendar(scenario, city, places, rng=stream(seed, "calendar")),
        weather=draw_weather(scenario.weather, start=scenario.start, n_days=days, rng=stream(seed, "weather")),
        rng=stream(seed, "incidents"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    work = tmp_path_factory.mktemp("run")
    steps = []
    return work, generate(SMALL, seed=5, work=work, streams=AUDITED, progress=lambda *a: steps.append(a)), steps


@pytest.fixture(scope="module")
def log_rows(made):
    work, _, _ = made
    lines = []
    for path in sorted((work / "landing" / "mains_courantes").glob("*.jsonl.gz")):
        lines += [(path.name, line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    return lines


@pytest.fixture(scope="module")
def land(made):
    shape = gpd.read_parquet(made[0] / "truth" / "city_quarters.parquet").union_all().buffer(50)
    shapely.prepare(shape)
    return shape


def test_volumes_are_within_three_percent_of_the_anchors(made):
    _, summary, _ = made
    assert summary.n_latent / 28 == pytest.approx(2700, rel=0.03)
    assert sum(summary.dirt["mains_courantes"].values()) / 28 == pytest.approx(822, rel=0.03)
    assert summary.n_fines / 28 == pytest.approx(415, rel=0.03)


def test_public_places_are_what_anybody_can_look_up(made):
    work, summary, _ = made
    listed = pd.DataFrame(json.loads((work / "landing" / "places.json").read_text())["places"])
    places = read_parquet(work / "truth" / "places.parquet")
    known = places[places["kind"] != "vacant"].reset_index(drop=True)
    assert list(listed.columns) == ["kind", "x_m", "y_m"]  # no name, capacity, risk, nor row of the truth
    assert listed["kind"].tolist() == known["kind"].tolist()
    assert (listed["x_m"] - known["x_m"]).abs().max() <= 0.5
    assert "vacant" not in set(listed["kind"])
    assert "landing/places.json" in summary.files


def test_truth_tables_meet_their_contract_and_agree(made):
    work, summary, _ = made
    incidents = read_parquet(work / "truth" / "incidents.parquet")
    assert list(incidents.columns) == [
        "incident_id", "t_event", "x_m", "y_m", "type", "quarter_id", "cell", "cause", "parent_id", "event_id",
        "known_by", "reported", "detected",
    ]  # fmt: skip
    assert str(incidents["t_event"].dtype) == "datetime64[us, UTC]"
    assert incidents["t_event"].is_monotonic_increasing
    assert set(incidents["type"]) == set(INCIDENT_TYPES)
    assert Counter(incidents["known_by"])["reported"] == summary.n_reported
    grid = Grid.from_dict(json.loads((work / "truth" / "grid.json").read_text()))
    assert (grid.cell_of(incidents["x_m"], incidents["y_m"]) == incidents["cell"]).all()
    assert (work / "landing" / "territory.json").read_text() == (work / "truth" / "grid.json").read_text()
    cube = count_cube(
        incidents["cell"], day_index(incidents["t_event"], start=SMALL.start), n_cells=grid.n_cells, n_days=28
    )
    assert cube.sum() == len(incidents)  # nothing before the first day, after the last, or at sea
    quarters = gpd.read_parquet(work / "truth" / "city_quarters.parquet")
    assert quarters.crs.to_epsg() == 2154
    some = incidents.iloc[::500]
    points = gpd.GeoSeries(gpd.points_from_xy(some["x_m"], some["y_m"]), crs="EPSG:2154")
    homes = quarters.set_index("quarter_id").geometry.loc[some["quarter_id"]].reset_index(drop=True)
    assert (homes.distance(points) < 1e-6).all()
    patrols = read_parquet(work / "truth" / "patrols.parquet")
    assert patrols.groupby("day")["hours"].sum().to_numpy() == pytest.approx(np.full(28, 900.0))
    fines = read_parquet(work / "truth" / "infractions_daily.parquet")
    assert fines["n_recorded"].sum() == summary.n_fines
    assert (fines["n_recorded"] <= fines["n_infractions"]).all()
    assert fines["patrol_hours"].sum() == pytest.approx(28 * 900.0)


def test_same_seed_same_bytes_and_the_summary_hashes_them(made, tmp_path):
    work, summary, steps = made
    again = generate(SMALL, seed=5, work=tmp_path, streams=AUDITED)
    assert again.to_dict() == summary.to_dict()
    on_disk = {str(p.relative_to(work)): sha256_file(p) for p in work.rglob("*") if p.is_file()}
    assert on_disk == dict(summary.files)
    assert on_disk == {str(p.relative_to(tmp_path)): sha256_file(p) for p in tmp_path.rglob("*") if p.is_file()}
    assert (work / "scenario.resolved.toml").read_text() == SMALL.to_toml()
    assert steps[0][1] == 0
    assert steps[-1][1] == steps[-1][2]


def test_gzip_headers_hold_neither_time_nor_name(made):
    work, _, _ = made
    for path in (work / "landing").rglob("*.gz"):
        head = path.read_bytes()[:10]
        assert head[3] == 0
        assert head[4:8] == b"\0\0\0\0"


def test_files_are_weekly_and_the_log_is_in_order_of_entry(made, log_rows):
    work, _, _ = made
    names = sorted(p.name for p in (work / "landing" / "mains_courantes").iterdir())
    assert names == [f"mc_2017-W{w:02d}.jsonl.gz" for w in (1, 2, 3, 4)]
    first = work / "landing" / "verbalisations" / "verb_2017-W01.csv.gz"
    assert gzip.decompress(first.read_bytes()).decode().splitlines()[0] == (
        "id;t;lon;lat;code;mode;vehicle_class;plate"
    )


def test_a_reader_of_the_log_finds_exactly_the_planted_dirt(made, log_rows, land):
    """A second, slow reader sorts every line by hand-written rules and must recover the counts by fault."""
    _, summary, _ = made
    assert len(log_rows) == summary.rows["mains_courantes"]
    project = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)
    seen, ids, bodies = Counter(), Counter(), Counter()
    for _, line in log_rows:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            seen["malformed"] += 1
            continue
        if any(row.get(f) is None for f in ("id", "t_event", "t_entry", "lon", "lat", "type", "origin", "unit")):
            seen["missing_field"] += 1
            continue
        bodies[line] += 1
        ids[row["id"]] += 1
        if bodies[line] > 1:
            seen["exact_duplicate"] += 1
        elif ids[row["id"]] > 1:
            seen["reentered"] += 1
        elif row["type"] not in INCIDENT_TYPES:
            seen["unknown_type"] += 1
        elif row["origin"] not in ("call", "officer", "camera"):
            seen["unknown_origin"] += 1
        elif row["lon"] > 180:
            seen["wrong_crs"] += 1
        elif row["lon"] > 40:
            seen["swapped_lonlat"] += 1
        elif row["t_event"].startswith("1870"):
            seen["time_1870"] += 1
        elif row["t_event"].startswith("2999"):
            seen["time_2999"] += 1
        elif row["t_event"][5:10] == "02-30":
            seen["no_such_date"] += 1
        elif pd.Timestamp(row["t_entry"]) < pd.Timestamp(row["t_event"]):
            seen["entry_before_event"] += 1
        elif not shapely.contains_xy(land, *project.transform(row["lon"], row["lat"])):
            seen["at_sea"] += 1
    planted = {k: n for k, n in summary.dirt["mains_courantes"].items() if k not in ("clean", "late") and n}
    assert dict(seen) == planted
    records = read_parquet(made[0] / "truth" / "records.parquet")
    assert sum(summary.dirt["mains_courantes"].values()) == len(records)
    assert len(records) - records["repeats"].notna().sum() == summary.n_records
    share = sum(planted.values()) / len(records)
    assert share == pytest.approx(0.037, abs=0.005)


def test_a_reader_of_the_fines_finds_exactly_the_planted_dirt(made, land):
    work, summary, _ = made
    project = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)
    seen, ids, bodies, n_rows = Counter(), Counter(), Counter(), 0
    for path in sorted((work / "landing" / "verbalisations").iterdir()):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines()[1:]:
            n_rows += 1
            fields = line.split(";")
            if len(fields) != 8:
                seen["malformed"] += 1
                continue
            if "" in fields:
                seen["missing_field"] += 1
                continue
            bodies[line] += 1
            ids[fields[0]] += 1
            lon, lat = float(fields[2]), float(fields[3])
            if bodies[line] > 1:
                seen["exact_duplicate"] += 1
            elif ids[fields[0]] > 1:
                seen["reentered"] += 1
            elif fields[5] not in ("agent", "camera"):
                seen["unknown_origin"] += 1
            elif lon > 40:
                seen["wrong_crs" if lon > 180 else "swapped_lonlat"] += 1
            elif fields[1][:4] in ("1870", "2999"):
                seen[f"time_{fields[1][:4]}"] += 1
            elif fields[1][5:10] == "02-30":
                seen["no_such_date"] += 1
            elif not shapely.contains_xy(land, *project.transform(lon, lat)):
                seen["at_sea"] += 1
    assert n_rows == summary.rows["verbalisations"]
    assert dict(seen) == {k: n for k, n in summary.dirt["verbalisations"].items() if k not in ("clean", "late") and n}


def test_late_rows_come_in_a_later_file_and_the_others_in_theirs(made, log_rows):
    _, summary, _ = made
    late = 0
    seen = set()
    for name, line in log_rows:
        try:
            row = json.loads(line)
            entry = pd.Timestamp(row["t_entry"])
        except (ValueError, KeyError):
            continue
        if not 2016 < entry.year < 2019 or row.get("id") in seen or pd.Timestamp(row["t_entry"]) < SMALL.start:
            continue
        seen.add(row.get("id"))
        week = min(entry.isocalendar().week, 4)
        assert week <= int(name[9:11])
        late += week < int(name[9:11])
    assert late == summary.dirt["mains_courantes"]["late"] > 20


def test_the_log_keeps_people_to_the_calls(log_rows):
    for _, line in log_rows[::7]:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if row.get("origin") in ("call", "officer", "camera"):
            assert (row["informant_phone"] is None) == (row["origin"] != "call")
            assert row["informant_phone"] is None or row["informant_phone"].startswith(FICTION_PHONE_PREFIXES)


def test_raw_coordinates_come_back_to_the_decimetre(made, log_rows):
    work, _, _ = made
    truth = read_parquet(work / "truth" / "records.parquet").set_index("record_id")
    row = json.loads(next(line for _, line in log_rows))
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True).transform(row["lon"], row["lat"])
    same = truth.loc[row["id"]]
    assert np.hypot(same["x_written_m"] - x, same["y_written_m"] - y) < 0.2
    assert same["t_event"].floor("s") == pd.Timestamp(row["t_event"])
    assert (same["type_as_written"], same["known_by"]) == (row["type"], {"call": "reported"}[row["origin"]])


def test_near_repeats_are_as_many_as_asked_and_come_after_their_parent():
    city = draw_city(SMALL.city, rng=stream(4, "city"))
    strong = SMALL.with_overrides({"incidents.near_repeat": 0.5, "incidents.near_repeat_days": 2})
    drawn = happen(strong, city, seed=4)
    child = np.flatnonzero(drawn.parent >= 0)
    assert (drawn.t_us[child] > drawn.t_us[drawn.parent[child]]).all()
    assert (drawn.type_code[child] == drawn.type_code[drawn.parent[child]]).all()
    children = np.bincount(drawn.parent[child], minlength=len(drawn))
    early = drawn.day < 14  # their follow-on incidents have all come
    assert children[early].mean() == pytest.approx(0.5, abs=0.02)
    assert len(drawn) / 28 == pytest.approx(2700, rel=0.04)  # the total does not depend on the clustering
    none = happen(SMALL.with_overrides({"incidents.near_repeat": 0}), city, seed=4)
    assert (none.parent == -1).all()


def test_hour_laws_sum_to_one_and_peak_where_told():
    for profile in SMALL.types.values():
        law = hour_law(profile)
        assert law.sum() == pytest.approx(1.0)
        gap = abs((np.argmax(law) / 2 + 0.25) - profile.peak_h)
        assert min(gap, 24 - gap) <= 0.5


def test_local_clock_follows_the_change_of_hour():
    s = SMALL
    day = np.array([0, 83, 83, 84])  # 2017-03-26 is day 83: 2 h 30 does not exist
    second = np.array([0, 3600, 9000, 0])
    t = pd.to_datetime(local_to_utc_us(s, day, second), unit="us", utc=True)
    assert [x.isoformat() for x in t] == [
        "2017-01-01T23:00:00+00:00", "2017-03-26T00:00:00+00:00", "2017-03-26T01:30:00+00:00",
        "2017-03-26T22:00:00+00:00",
    ]  # fmt: skip


def test_an_unreachable_volume_is_said_in_one_paragraph(tmp_path):
    with pytest.raises(ParameterError, match=r"recording\.records_per_day"):
        generate(SMALL.with_overrides({"time.n_days": 7, "recording.records_per_day": 200}), seed=1, work=tmp_path)
