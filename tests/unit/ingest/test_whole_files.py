"""GeoJSON and parquet: what is a row, what is kept of a bad one, and what a hostile file can do."""

from __future__ import annotations

import decimal
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import load_stream
from ingest.contracts import Territory, split
from ingest.parsing import Limits, from_bytes, parse

PLACES, SOUND = load_stream("donnees_ouvertes"), load_stream("capteurs_sonores")
GOOD = {"id": "L1", "updated": "2017-01-01T00:00:00+01:00", "layer": "school", "name": "École", "capacity": 120}
POINT = {"type": "Point", "coordinates": [5.37, 43.3]}
SECOND = pa.timestamp("us", tz="UTC")


def feature(geometry: Any = POINT, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {**GOOD, **properties}}


def collection(*features: Any) -> bytes:
    text = ",\n".join(f if isinstance(f, str) else json.dumps(f, ensure_ascii=False) for f in features)
    return f'{{"type":"FeatureCollection","features":[\n{text}\n]}}\n'.encode("utf-8", "surrogatepass")


def outcome(data: bytes, spec: Any, **limits: int) -> dict[int, str]:
    """Row → reason, "" where it is good; every row once."""
    found: dict[int, str] = {}
    rows_in = 0
    for chunk in parse(from_bytes(data), spec, limits=Limits(**limits)):
        good, bad = split(chunk.rows, spec, territory=Territory(), typed=chunk.typed)
        rejects = [*chunk.rejects, *bad["reject"]]
        assert chunk.rows_in == chunk.n_readable + len(chunk.rejects) == len(good) + len(rejects)
        for number in good["source_row"]:
            assert found.setdefault(int(number), "") == ""
        for r in rejects:
            assert found.setdefault(r.source_row, str(r.reason)) == str(r.reason)
        rows_in += chunk.rows_in
    assert rows_in == len(found)
    return found


# ---------------------------------------------------------------------------------------------- GeoJSON


def test_features_are_rows_with_the_bytes_of_the_file():
    data = collection(feature(), feature(id="L2", name="Marché"))
    (chunk,) = parse(from_bytes(data), PLACES)
    assert chunk.rows["source_row"].tolist() == [1, 2]
    assert chunk.rows["raw"].tolist() == [json.dumps(f, ensure_ascii=False).encode() for f in
                                          (feature(), feature(id="L2", name="Marché"))]  # fmt: skip
    good, bad = split(chunk.rows, PLACES, territory=Territory())
    assert bad.empty
    assert good["capacity"].tolist() == [120, 120]
    # pyproj 3.7, EPSG:4326 to EPSG:2154
    assert good.loc[0, ["x_m", "y_m"]].tolist() == pytest.approx([892_394.78, 6_247_424.65], abs=0.01)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (feature(None), "missing_field"), (feature({"type": "LineString", "coordinates": [[5, 43]]}), "bad_geometry"),
        (feature({"type": "Point", "coordinates": [5.37, 43.3, 10]}), "bad_geometry"),
        (feature([5.37]), "bad_geometry"),
        (feature({"type": "Point", "coordinates": ["5.37", "43.3"]}), "wrong_type"),
        (feature({"type": "Point", "coordinates": [5.37, True]}), "wrong_type"),
        (feature({"type": "Point", "coordinates": [43.3, 5.37]}), "swapped_lonlat"),
        (feature({**POINT, "crs": "EPSG:2154"}), "bad_geometry"), (feature("POINT (5 43)"), "bad_geometry"),
        (feature({"type": "Point"}), "bad_geometry"), (feature(name={"fr": "x"}), "wrong_type"),
        (feature(capacity=1.5), "wrong_type"), (feature(capacity=-1), "out_of_range"), (feature(capacity=None), ""),
        (feature(lon=5.37), "unexpected_field"), (feature(owner="N"), "unexpected_field"),
        ({**feature(), "id": 3}, "unexpected_field"), ({**feature(), "properties": None}, "bad_json"),
        ({**feature(), "type": "Point"}, "bad_json"), ([1], "bad_json"), ("null", "bad_json"), ("1", "bad_json"),
        (json.dumps(feature()).replace('"L1"', '"L1","id":"L2"'), "bad_json"),
        (json.dumps(feature()).replace("43.3", "NaN"), "wrong_type"),
        (json.dumps(feature()).replace("43.3", "1e999"), "wrong_type"),
        (json.dumps(feature()).replace("L1", "\\u0000"), "bad_json"),
        (json.dumps(feature()).replace("L1", "\\ud800"), "bad_json"),
        (json.dumps(feature(name="x" * 5000)), "line_too_long"),
    ],
)  # fmt: skip
def test_one_bad_feature_costs_one_row(change, reason):
    data = collection(feature(), change, feature(id="L3"))
    assert outcome(data, PLACES, max_line_bytes=4000) == {1: "", 2: reason, 3: ""}


def test_bytes_that_are_no_text_cost_one_feature():
    data = collection(feature(), feature(name="QQ"), feature()).replace(b"QQ", b"\xff\xfe")
    assert outcome(data, PLACES) == {1: "", 2: "bad_utf8", 3: ""}
    (rejected,) = [r for c in parse(from_bytes(data), PLACES) for r in c.rejects]
    assert b"\xff\xfe" in rejected.raw


@pytest.mark.parametrize(
    "data",
    [
        b"[]", b"{}", b'"x"', b'{"type":"Feature"}', b'{"features":[],"type":"FeatureCollection"}', b"x" * 50,
        b'{"type":"FeatureCollection","features":{}}', b'{"type":"FeatureCollection"}', b'{"type":' + b"[" * 100_000,
        b'{"type":"Topology","features":[]}', b"{" * 1000, b'{"type" "FeatureCollection"}',
    ],
)  # fmt: skip
def test_what_is_no_collection_is_one_row(data):
    assert outcome(data, PLACES) == {0: "not_geojson"}


def test_every_cut_keeps_the_features_before_it_and_one_rest():
    data = collection(feature(), feature(id="L2"), feature(id="L3")).rstrip()
    begun = data.index(b"[") + 1
    for cut in range(begun + 1, len(data)):
        found = outcome(data[:cut], PLACES)
        rows = list(found)
        assert rows == list(range(1, len(rows) + 1))
        assert list(found.values()) == [""] * (len(rows) - 1) + ["bad_json"]


def test_members_after_the_features_and_junk_after_the_end():
    data = collection(feature()).rstrip()
    assert outcome(data[:-1] + b',"name":"x","bbox":[1,2.5,3,4]}', PLACES) == {1: ""}
    assert outcome(data + b"x", PLACES) == {1: "", 2: "trailing_bytes"}
    assert outcome(data[:-1] + b',"features":[1,2]}', PLACES) == {1: "", 2: "trailing_bytes"}
    assert outcome(collection(), PLACES) == {}


def test_a_large_file_is_set_aside_whole():
    assert outcome(collection(*[feature()] * 50), PLACES, max_whole_bytes=1000) == {0: "file_too_large"}


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 300), st.integers(0, 40))
def test_no_bytes_make_the_geojson_reader_fall(noise, at, length):
    data = collection(feature(), feature(id="L2"))
    outcome(data[:at] + noise + data[at + length :], PLACES, chunk_rows=1)


# ---------------------------------------------------------------------------------------------- parquet

T0 = pd.Timestamp("2017-03-01T10:00:00Z")


def sounds(n: int = 3, **columns: Any) -> pa.Table:
    base: dict[str, Any] = {
        "sensor": pa.array([f"S{i}" for i in range(n)]),
        "t": pa.array([T0 + pd.Timedelta(minutes=i) for i in range(n)], SECOND),
        "level_db": pa.array([60.5] * n), "class": pa.array(["voice"] * n), "score": pa.array([0.5] * n),
        "speech": pa.array([True] * n),
    }  # fmt: skip
    return pa.table(base | columns)


def packed(table: pa.Table, **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def test_rows_have_types_and_bytes_of_their_own():
    (chunk,) = parse(from_bytes(packed(sounds(2))), SOUND)
    assert chunk.typed is not None
    assert chunk.typed["source_row"].tolist() == [1, 2]
    assert json.loads(chunk.typed["raw"][0]) == {
        "sensor": "S0", "t": "2017-03-01T10:00:00Z", "level_db": 60.5, "class": "voice", "score": 0.5, "speech": True,
    }  # fmt: skip
    good, bad = split(chunk.rows, SOUND, territory=Territory(), typed=chunk.typed)
    assert bad.empty
    assert good["t_event"].tolist() == [T0, T0 + pd.Timedelta(minutes=1)]


def test_the_same_row_gives_the_same_bytes_whoever_wrote_the_file():
    ways = [
        packed(sounds()),
        packed(sounds(), compression="gzip", row_group_size=1, version="2.6"),
        packed(sounds(t=sounds()["t"].cast(pa.timestamp("ns", tz="UTC")))),
        packed(sounds(t=sounds()["t"].cast(pa.timestamp("ms", tz="Europe/Paris")))),
        packed(sounds(sensor=sounds()["sensor"].dictionary_encode())),
        packed(sounds().select(["speech", "score", "class", "level_db", "t", "sensor"])),
        packed(sounds(sensor=sounds()["sensor"].cast(pa.large_string()))),
    ]
    raws = [[raw for c in parse(from_bytes(d), SOUND) for raw in c.typed["raw"]] for d in ways]
    assert all(raw == raws[0] for raw in raws)
    assert len(set(raws[0])) == 3


@pytest.mark.parametrize(
    ("column", "reasons"),
    [
        ({"level_db": pa.array([1.0, None, float("nan")])}, ["", "missing_field", "missing_field"]),
        ({"level_db": pa.array([float("inf"), -1.0, 161.0])}, ["wrong_type", "out_of_range", "out_of_range"]),
        ({"level_db": pa.array([1, 2, 3], pa.int16())}, ["", "", ""]),
        ({"level_db": pa.array([decimal.Decimal("1.5")] * 3)}, ["wrong_type"] * 3),
        ({"level_db": pa.array(["1", "2", "3"])}, ["wrong_type"] * 3),
        ({"score": pa.array([[0.5], [], None])}, ["wrong_type", "wrong_type", "missing_field"]),
        ({"sensor": pa.array([{"a": 1}] * 3)}, ["wrong_type"] * 3),
        ({"sensor": pa.array([b"\xff", b"S", b"S"])}, ["wrong_type"] * 3),
        ({"sensor": pa.array([" ", "\u00a0", "a\x00b"])}, ["missing_field", "missing_field", "bad_utf8"]),
        ({"class": pa.array(["voice", "whale", None])}, ["", "unknown_type", "missing_field"]),
        ({"speech": pa.array([1, 0, 1])}, ["wrong_type"] * 3),
        ({"speech": pa.array([True, False, None])}, ["", "", "missing_field"]),
        ({"t": pa.array([T0.tz_localize(None)] * 3, pa.timestamp("us"))}, ["naive_time"] * 3),
        ({"t": pa.array(["2017-03-01T10:00:00Z", "2017-02-30T10:00:00Z", "now"])}, ["", *["impossible_time"] * 2]),
        ({"t": pa.array([0, 1, None], pa.int64())}, ["wrong_type", "wrong_type", "missing_field"]),
        ({"t": pa.array([-3 * 10**15, 3 * 10**16, None], SECOND)}, [*["time_out_of_window"] * 2, "missing_field"]),
    ],
)  # fmt: skip
def test_columns_of_other_types(column, reasons):
    assert outcome(packed(sounds(**column)), SOUND) == dict(enumerate(reasons, 1))


def test_whole_numbers_beyond_doubles():
    spec = load_stream("presence_telecom")
    table = pa.table({"zone": ["a", "b", "c"], "t": pa.array([T0] * 3, SECOND), "share_visitors": [0.5] * 3,
                      "count": pa.array([5, 2**63 - 1, None], pa.int64())})  # fmt: skip
    assert outcome(packed(table), spec) == {1: "", 2: "wrong_type", 3: "missing_field"}
    table = table.set_column(3, "count", pa.array([1.0, 2.0, 3.5]))
    assert outcome(packed(table), spec) == dict.fromkeys((1, 2, 3), "wrong_type")


def test_a_foreign_table_sets_each_row_aside_and_keeps_it():
    table = sounds().append_column("owner", pa.array(["N"] * 3))
    rejects = [r for c in parse(from_bytes(packed(table)), SOUND) for r in c.rejects]
    assert [(r.source_row, r.reason.value, r.detail) for r in rejects] == [
        (n, "wrong_header", "missing nothing; unknown owner") for n in (1, 2, 3)
    ]
    assert json.loads(rejects[0].raw)["owner"] == "N"
    assert outcome(packed(sounds(0).append_column("x", pa.array([], pa.string()))), SOUND) == {}


def test_texts_that_are_not_utf8_in_a_text_column():
    bad = pa.array([b"S0", b"\xff\xfe", b"S2"]).view(pa.string())
    assert outcome(packed(sounds(sensor=bad)), SOUND) == {1: "", 2: "bad_utf8", 3: ""}


def test_damaged_files():
    whole = packed(sounds(500), compression="none", use_dictionary=False)
    for cut in (5, 100, len(whole) // 2, len(whole) - 1):
        assert outcome(whole[:cut], SOUND) == {0: "bad_parquet"}
    assert outcome(b"PAR1" + b"\x00" * 100 + b"PAR1", SOUND) == {0: "bad_parquet"}
    assert outcome(b'{"sensor":"a"}', SOUND) == {0: "bad_parquet"}
    encrypted = bytearray(whole)
    encrypted[:4] = encrypted[-4:] = b"PARE"
    assert outcome(bytes(encrypted), SOUND) == {0: "bad_parquet"}
    assert outcome(b"", SOUND) == {0: "empty_file"}


def test_row_groups_and_files_too_large():
    data = packed(sounds(2000))
    assert outcome(data, SOUND, max_group_bytes=1000) == {0: "file_too_large"}
    assert outcome(data, SOUND, max_whole_bytes=1000) == {0: "file_too_large"}
    many = packed(sounds(100), row_group_size=7)
    assert outcome(many, SOUND, chunk_rows=9) == dict.fromkeys(range(1, 101), "")


def test_a_group_damaged_inside_gives_the_rows_before_it():
    data = bytearray(packed(sounds(30), row_group_size=10, compression="none", use_dictionary=False))
    at = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(1).column(0).data_page_offset
    data[at : at + 12] = b"\xff" * 12
    found = outcome(bytes(data), SOUND, chunk_rows=10)
    assert found == {**dict.fromkeys(range(1, 11), ""), 11: "bad_parquet"}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8), st.integers(0, 8))
def test_no_bytes_make_the_parquet_reader_fall(at, noise, length):
    data = packed(sounds(20), row_group_size=5)
    at %= len(data)
    outcome(data[:at] + noise + data[at + length :], SOUND)


def test_a_point_in_parquet():
    spec = load_stream("capteurs_vitesse")
    table = pa.table({"user": ["u1", "u2"], "t": pa.array([T0] * 2, SECOND), "lon": [5.37, 43.3], "lat": [43.3, 5.37],
                      "speed_m_s": np.array([1.5, 2.0])})  # fmt: skip
    assert outcome(packed(table), spec) == {1: "", 2: "swapped_lonlat"}
