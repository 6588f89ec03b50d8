"""Laws of the ingest: rows are conserved, twice is once, order of batches is nothing, no bytes make it fall."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ContractError
from contrechamp.pipelines.ingest import ingest
from contrechamp.store import lake as store
from ingest import load_stream
from ingest.contracts import Territory, split
from ingest.parsing import Limits, from_bytes, parse
from ingest.quarantine import RAW_BYTES

KEY = b"a test key of thirty-two bytes !"
GOOD = {
    "id": "A", "t_event": "2017-03-01T23:40:00+01:00", "t_entry": "2017-03-01T23:52:10+01:00", "lon": 5.37, "lat": 43.3,
    "type": "tapage", "origin": "call", "unit": "U1", "text": "", "informant_name": "N", "informant_phone": None,
}  # fmt: skip

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
    ["1870-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2017-02-30T00:00Z", "0000-01-01T00:00Z", "camera", "A", "B"]
)  # fmt: skip
dirty_objects = st.dictionaries(st.sampled_from([*GOOD, "extra"]), scalars | st.lists(scalars, max_size=2), max_size=3)
json_lines = st.builds(lambda change: json.dumps({**GOOD, **change}).encode(), dirty_objects) | st.builds(
    lambda i, u: json.dumps({**GOOD, "id": i, "unit": u}, ensure_ascii=False).encode(),
    st.sampled_from("ABCD"), st.sampled_from(["U1", "U1", "U2"]),
)  # fmt: skip
lines = json_lines | st.binary(max_size=30)
files = st.lists(lines, max_size=8).map(b"\n".join)
packed = files | files.map(lambda d: gzip.compress(d, mtime=0)) | st.builds(
    lambda d, cut: gzip.compress(d, mtime=0)[:-cut], files, st.integers(1, 30)
)  # fmt: skip


def conserve(data: bytes, stream: str, limits: Limits) -> None:
    spec = load_stream(stream)
    for chunk in parse(from_bytes(data), spec, limits=limits):
        assert chunk.rows_in == len(chunk.rows) + len(chunk.rejects)
        good, bad = split(chunk.rows, spec, territory=Territory())
        assert len(good) + len(bad) == len(chunk.rows)
        assert good[["t_event", "x_m", "y_m", "record_id"]].notna().all().all()
        for rejected in [*chunk.rejects, *bad["reject"]]:
            assert len(rejected.raw) <= RAW_BYTES
            rejected.detail.encode()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | packed, st.sampled_from(["mains_courantes", "verbalisations"]), st.integers(5, 400))
def test_no_bytes_make_the_reader_fall(data, stream, max_line_bytes):
    conserve(data, stream, Limits(max_line_bytes=max_line_bytes, chunk_rows=3))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(alphabet='ab;"\n\r5.-:T+é\x00', max_size=6), min_size=8, max_size=8), max_size=4))
def test_no_text_makes_the_csv_reader_fall(rows):
    text = "id;t;lon;lat;code;mode;vehicle_class;plate\n" + "\n".join(";".join(r) for r in rows)
    conserve(text.encode(), "verbalisations", Limits())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(packed, min_size=1, max_size=3), st.integers(1, 6))
def test_rows_are_conserved_and_twice_is_once(drops, batch_rows):
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "mains_courantes"
        landing.mkdir()
        for i, data in enumerate([*drops, json.dumps({**GOOD, "id": "Z"}).encode()]):
            (landing / f"{i}.jsonl").write_bytes(data)
        lake, other = Path(folder) / "lake", Path(folder) / "other"
        first = ingest(landing, lake=lake, key=KEY, batch_rows=batch_rows)
        assert first.rows_in == first.committed + first.quarantined + first.duplicates
        records, quarantine = store.read_stream(lake, "mains_courantes"), store.read_quarantine(lake)
        assert (len(records), len(quarantine)) == (first.committed, first.quarantined)
        assert records["record_id"].is_unique

        second = ingest(landing, lake=lake, key=KEY)
        assert (second.rows_in, second.duplicates) == (first.rows_in, first.rows_in)
        assert second.versions == first.versions

        ingest(landing, lake=other, key=KEY)  # one batch
        pd.testing.assert_frame_equal(store.read_stream(other, "mains_courantes"), records)
        pd.testing.assert_frame_equal(store.read_quarantine(other), quarantine)


@settings(max_examples=8, deadline=None)
@given(st.binary(max_size=200))
def test_any_single_file_ends_in_a_report_or_one_paragraph(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verbalisations" / "x.csv.gz"
        path.parent.mkdir()
        path.write_bytes(data)
        try:
            report = ingest(path, lake=Path(folder) / "lake", key=KEY)
        except ContractError as refused:
            assert "\n" not in str(refused)
            assert len(store.read_quarantine(Path(folder) / "lake")) > 0
        else:
            assert report.rows_in == report.committed + report.quarantined + report.duplicates
