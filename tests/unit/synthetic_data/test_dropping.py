"""Files of every stream: a slow reader finds each planted fault, in every format, and clean rows come back as given."""

import gzip
import io
import json
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import Transformer
from scipy.stats import binom

from contrechamp.domain.rng import stream
from contrechamp.domain.streams import LAYOUTS
from ingest import load_stream
from ingest.batch import process
from ingest.contracts import Territory
from ingest.parsing import from_bytes, parse
from synthetic_data.city import draw_city
from synthetic_data.dropping import drop
from synthetic_data.faults import DISORDER, LATE, NO_SUCH_DATE, fault_shares
from synthetic_data.scenario import Scenario

N = 3000
DAYS = 28
SMALL = Scenario.load("dirty").with_overrides({"time.n_days": DAYS, "city.sites_per_cell": 4})
CLEAN = SMALL.with_overrides({f"dirt.{name}": 0.0 for name in SMALL.dirt.__dataclass_fields__})
PROJECT = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)


@pytest.fixture(scope="module")
def city():
    return draw_city(SMALL.city, rng=stream(3, "city"))


@pytest.fixture(scope="module")
def land(city):
    wide = city.land.buffer(50)
    shapely.prepare(wide)
    return wide


def clean_rows(layout, city, *, n=N, seed=1):
    """Rows that meet the layout: one minute apart, so that any identity with a time is unique."""
    rng = np.random.default_rng(seed)
    t = pd.DatetimeIndex(SMALL.start.tz_convert("UTC") + pd.to_timedelta(np.arange(n) * (DAYS * 1440 // n), unit="min"))
    t = t.as_unit("us")
    out = {"t_drop": t}
    for f in layout.fields:
        values = None
        if f.kind == "time":
            values = t + pd.Timedelta(hours=1 if layout.order and f.name == layout.order[1] else 0)
        elif f.kind in ("number", "integer"):
            low, high = max(f.low, -50.0), min(f.high, 90.0)
            values = rng.integers(int(low), int(high) + 1, size=n) if f.kind == "integer" else rng.uniform(low, high, n)
        elif f.kind == "flag":
            values = rng.random(n) < 0.5
        elif f.allowed:
            values = rng.choice(f.allowed, size=n)
        else:
            values = [f'{f.raw}-{i} « é » "x" \\ ; fin' if f.free else f"{f.raw}-{i}" for i in range(n)]
        out[f.raw] = values
    frame = pd.DataFrame(out).drop(columns=["lon", "lat"], errors="ignore")
    if layout.has_point:
        site = rng.integers(len(city.site_x_m), size=n)
        frame["x_m"], frame["y_m"] = city.site_x_m[site], city.site_y_m[site]
    if layout.key == "mains_courantes":  # only a call has an informant
        frame.loc[frame["origin"] != "call", ["informant_name", "informant_phone"]] = None
    for f in layout.fields:
        if not f.required and f.raw not in ("lon", "lat"):
            frame.loc[::3, f.raw] = None
        elif not f.required:
            frame.loc[::3, ["x_m", "y_m"]] = np.nan
    return frame


def read(layout, name, content):
    """Rows of one file, ``None`` for one that cannot be read; parsed by the standard library."""
    if layout.format == "parquet":
        return pq.read_table(io.BytesIO(content)).to_pylist()
    text = content.decode()
    if layout.format == "geojson":
        out = []
        for feature in json.loads(text)["features"]:
            row, point = feature["properties"], feature["geometry"]
            if point is not None and point["type"] != "Point":
                out.append(None)
                continue
            row["lon"], row["lat"] = point["coordinates"] if point is not None else (None, None)
            out.append(row)
        return out
    out = []
    lines = text.splitlines()
    if layout.format == "csv":
        assert lines.pop(0) == ";".join(layout.raw_names)
    for line in lines:
        if layout.format == "csv":
            fields = line.split(";")
            if len(fields) != len(layout.fields):
                out.append(None)
                continue
            row = dict(zip(layout.raw_names, fields, strict=True))
            for f in layout.fields:
                if row[f.raw] == "":
                    row[f.raw] = None
                elif f.kind in ("number", "integer"):
                    row[f.raw] = float(row[f.raw])
        else:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                row = None
        out.append(row)
    return out


def judge(layout, row, land):
    """What a person would say is wrong with the row, by its own rules."""
    if row is None:
        return "malformed"
    for f in layout.fields:
        if f.required and row.get(f.raw) is None:
            return "missing_field"
    for f in layout.fields:
        if f.allowed and row[f.raw] is not None and row[f.raw] not in f.allowed:
            return f.outside
        if f.kind == "time" and row[f.raw] is not None:
            said = str(row[f.raw])
            if said[5:10] == "02-30":
                return NO_SUCH_DATE
            if said[:4] in ("1870", "2999"):
                return f"time_{said[:4]}"
    if layout.order:
        raw = {f.name: f.raw for f in layout.fields}
        first, second = (row[raw[name]] for name in layout.order)
        if second is not None and pd.Timestamp(second) < pd.Timestamp(first):
            return DISORDER
    if layout.has_point and row["lon"] is not None:
        if row["lon"] > 180:
            return "wrong_crs"
        if row["lon"] > 40:
            return "swapped_lonlat"
        if not shapely.contains_xy(land, *PROJECT.transform(row["lon"], row["lat"])):
            return "at_sea"
    return None


@pytest.mark.parametrize("key", LAYOUTS)
def test_a_slow_reader_finds_exactly_the_planted_dirt(key, city, land):
    layout = LAYOUTS[key]
    made = drop(layout, clean_rows(layout, city), scenario=SMALL, city=city, rng=stream(5, "drops", key))
    seen, bodies, ids, n_rows = Counter(), Counter(), Counter(), 0
    for name in sorted(made.files):
        for row in read(layout, name, made.files[name]):
            n_rows += 1
            if fault := judge(layout, row, land):
                seen[fault] += 1
                continue
            body, identity = json.dumps(row, default=str), tuple(str(row[f]) for f in layout.identity)
            bodies[body] += 1
            ids[identity] += 1
            if bodies[body] > 1:
                seen["exact_duplicate"] += 1
            elif ids[identity] > 1:
                seen["reentered"] += 1
    assert n_rows == made.n_rows == N + made.dirt["exact_duplicate"] + made.dirt["reentered"]
    assert dict(seen) == {k: n for k, n in made.dirt.items() if k not in ("clean", "late") and n}
    assert sum(made.dirt.values()) == made.n_records == N
    shares = fault_shares(layout, SMALL.dirt)
    assert set(made.dirt) == {"clean", *shares}
    for fault, share in shares.items():
        if fault not in (DISORDER, LATE) and (all(f.required for f in layout.fields if f.raw == "lon")):
            low, high = binom.ppf([1e-5, 1 - 1e-5], N, share)
            assert low <= made.dirt[fault] <= high, fault


#: Reason under which the ingest sets aside a row with a fault, where it is not the fault's own name.
REASONS = {
    "time_1870": "time_out_of_window", "time_2999": "time_out_of_window", "no_such_date": "impossible_time",
    "reentered": "conflicting_duplicate",
}  # fmt: skip
MALFORMED = {"jsonl": "bad_json", "csv": "bad_csv", "geojson": "bad_geometry"}


@pytest.mark.parametrize("key", LAYOUTS)
def test_the_ingest_sets_aside_each_planted_fault_under_its_reason(key, city):
    layout, spec = LAYOUTS[key], load_stream(key)
    made = drop(layout, clean_rows(layout, city), scenario=SMALL, city=city, rng=stream(5, "drops", key))
    found, rows, typed, n_rows = Counter(), [], [], 0
    for name in sorted(made.files):
        for chunk in parse(from_bytes(made.files[name]), spec):
            found.update(r.reason.value for r in chunk.rejects)
            rows.append(chunk.rows.assign(source_file=name))
            if chunk.typed is not None:
                typed.append(chunk.typed.assign(source_file=name))
            n_rows += chunk.rows_in
    batch = process(
        pd.concat(rows, ignore_index=True), spec, key=b"k" * 32, territory=Territory(land=city.grid),
        typed=pd.concat(typed, ignore_index=True) if typed else None,
    )  # fmt: skip
    found.update(r.reason.value for _, r in batch.rejected)
    expected = Counter()
    for fault, n in made.dirt.items():
        if fault not in ("clean", "late", "exact_duplicate") and n:
            expected[MALFORMED[layout.format] if fault == "malformed" else REASONS.get(fault, fault)] += n
    assert dict(found) == dict(expected)
    assert n_rows == made.n_rows
    assert len(batch.duplicates) == made.dirt["exact_duplicate"]
    assert len(batch.records) == made.n_valid


@pytest.mark.parametrize("key", LAYOUTS)
def test_clean_rows_come_back_as_they_were(key, city):
    layout = LAYOUTS[key]
    rows = clean_rows(layout, city, n=200)
    made = drop(layout, rows, scenario=CLEAN, city=city, rng=stream(5, "drops", key))
    assert made.n_valid == made.n_rows == made.n_records == made.dirt["clean"] == 200
    back = [row for name in sorted(made.files) for row in read(layout, name, made.files[name])]
    assert all(list(row) == list(layout.raw_names) for row in back if layout.format != "geojson")
    for f in layout.fields:
        got = pd.Series([row[f.raw] for row in back], dtype=object)
        if f.raw in ("lon", "lat"):
            continue
        want = rows[f.raw]
        assert got.isna().equals(want.isna())
        got, want = got[want.notna()], want[want.notna()]
        if f.kind == "time":
            assert (pd.to_datetime(got, utc=True, format="ISO8601").dt.as_unit("us") == want).all()
        elif f.kind == "flag":
            assert (got.map({"true": True, "false": False, True: True, False: False}) == want).all()
        elif f.kind in ("number", "integer"):
            assert (got.astype(float) == want.astype(float)).all()
        else:
            assert (got == want).all()
    if layout.has_point:
        x, y = PROJECT.transform(*(np.array([r[name] for r in back], dtype=float) for name in ("lon", "lat")))
        gap = np.hypot(np.array(x) - rows["x_m"], np.array(y) - rows["y_m"])
        assert gap[rows["x_m"].notna()].max() < 0.12


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("transport", ["val_2017-01-02.parquet", "val_2017-01-29.parquet", 28]),
        ("mains_courantes", ["mc_2017-W01.jsonl.gz", "mc_2017-W04.jsonl.gz", 4]),
        ("evenements", ["evt_2017-W01.geojson", "evt_2017-W04.geojson", 4]),
        ("drones", ["vol_2017-01.csv.gz", "vol_2017-01.csv.gz", 1]),
        ("stock_infractions", ["stock_2017.parquet", "stock_2017.parquet", 1]),
        ("fichiers_biometriques", ["bio.jsonl.gz", "bio.jsonl.gz", 1]),
    ],
)
def test_files_bear_the_name_of_their_period(key, names, city):
    made = drop(LAYOUTS[key], clean_rows(LAYOUTS[key], city), scenario=SMALL, city=city, rng=stream(5, key))
    assert [min(made.files), max(made.files), len(made.files)] == names


def test_same_seed_same_bytes_and_no_trace_of_the_clock(city):
    for key in ("trafic", "pompiers", "eclairage", "enlevements"):
        layout = LAYOUTS[key]
        one, two = (
            drop(layout, clean_rows(layout, city, n=300), scenario=SMALL, city=city, rng=stream(5, key)) for _ in "ab"
        )
        assert one.files == two.files
        other = drop(layout, clean_rows(layout, city, n=300), scenario=SMALL, city=city, rng=stream(6, key))
        assert other.files != one.files


def test_late_rows_lie_in_a_later_file_and_the_others_in_theirs(city):
    layout = LAYOUTS["transport"]
    late_only = CLEAN.with_overrides({"dirt.late": 0.1})
    rows = clean_rows(layout, city)
    made = drop(layout, rows, scenario=late_only, city=city, rng=stream(5, "late"))
    gaps = Counter()
    for name, content in made.files.items():
        local = pq.read_table(io.BytesIO(content)).to_pandas()["t"].dt.tz_convert("Europe/Paris").dt.date
        gaps.update((pd.Timestamp(name[4:14]) - pd.to_datetime(local)).dt.days.tolist())
    assert set(gaps) == {0, 1, 2, 3}
    assert made.dirt["late"] == gaps[1] + gaps[2] + gaps[3]
    low, high = binom.ppf([1e-5, 1 - 1e-5], N, 0.1 * (1 - 2 / 28))  # those of the last days mostly have no later file
    assert low <= made.dirt["late"] <= high


def test_what_comes_after_the_last_day_is_in_the_last_file(city):
    layout = LAYOUTS["drones"]
    rows = clean_rows(layout, city, n=4)
    rows["t_drop"] = rows["t_drop"] + pd.Timedelta(days=400)
    made = drop(layout, rows, scenario=CLEAN, city=city, rng=stream(5, "end"))
    assert list(made.files) == ["vol_2017-01.csv.gz"]


def test_no_rows_make_no_file_and_a_lacking_column_is_named(city):
    layout = LAYOUTS["drones"]
    empty = drop(layout, clean_rows(layout, city).iloc[:0], scenario=SMALL, city=city, rng=stream(5, "none"))
    assert (dict(empty.files), empty.n_rows, empty.n_records, empty.n_valid) == ({}, 0, 0, 0)
    with pytest.raises(ValueError, match="drones lack minutes"):
        drop(layout, clean_rows(layout, city, n=3).drop(columns="minutes"), scenario=SMALL, city=city,
             rng=stream(5, "none"))  # fmt: skip


def test_odd_texts_survive_json_and_quotes_survive_csv(city):
    odd = ['a"b', "c\\d", "e\nf", "\x01g", "h;i", "é’", ""]
    posts = LAYOUTS["reseaux_sociaux"]
    rows = clean_rows(posts, city, n=7).assign(text=odd)
    made = drop(posts, rows, scenario=CLEAN, city=city, rng=stream(5, "odd"))
    assert [json.loads(line)["text"] for f in made.files.values() for line in f.decode().splitlines()] == odd
    removals = LAYOUTS["enlevements"]
    rows = clean_rows(removals, city, n=2).assign(zone=["nord;sud", 'dit "le port"'])
    made = drop(removals, rows, scenario=CLEAN, city=city, rng=stream(5, "odd"))
    body = b"\n".join(made.files.values())
    assert b';"nord;sud";' in body
    assert b';"dit ""le port""";' in body


def test_gzip_is_left_to_the_pipeline(city):
    layout = LAYOUTS["meteo"]
    made = drop(layout, clean_rows(layout, city, n=5), scenario=CLEAN, city=city, rng=stream(5, "gz"))
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(next(iter(made.files.values())))
