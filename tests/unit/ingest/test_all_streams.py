"""Every published layout: a good row passes in its own format, a spoilt field is refused, nobody is left in clear."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contrechamp.domain.streams import LAYOUTS, Field, StreamLayout
from ingest import load_stream
from ingest.batch import process
from ingest.contracts import Territory
from ingest.parsing import from_bytes, parse

KEY = b"a test key of thirty-two bytes !"
PERSONS = {"name": "Mavil Bravignol", "phone": "06 39 98 12 34", "plate": "AA-123-ZZ", "handle": "mistral_0042",
           "user": "u00c0ffee"}  # fmt: skip
TYPES = {"text": pa.string(), "time": pa.timestamp("us", tz="UTC"), "number": pa.float64(), "integer": pa.int64(),
         "flag": pa.bool_()}  # fmt: skip


def value(f: Field) -> Any:
    if f.person is not None:
        return PERSONS[f.person]
    if f.raw in ("lon", "lat"):
        return {"lon": 5.37, "lat": 43.3}[f.raw]
    if f.allowed:
        return f.allowed[0]
    middle = max(f.low, min(f.high, 1.0))
    return {"time": "2017-03-01T23:40:00+01:00", "number": middle, "integer": int(middle), "flag": True}.get(
        f.kind, f"{f.raw}-1"
    )


def good_row(layout: StreamLayout) -> dict[str, Any]:
    row = {f.raw: value(f) for f in layout.fields}
    for f in layout.fields:
        if f.free:  # the persons that the row names, and nobody else
            row[f.raw] = f"call of {', '.join(PERSONS[p.person] for p in layout.fields if p.person)}; 04 91 00 00 00"
    if layout.order is not None:
        after = next(f.raw for f in layout.fields if f.name == layout.order[1])
        row[after] = "2017-03-01T23:50:00+01:00"
    return row


def written(layout: StreamLayout, rows: list[dict[str, Any]]) -> bytes:
    if layout.format == "jsonl":
        return "\n".join(json.dumps(row) for row in rows).encode()
    if layout.format == "csv":
        shown = [
            ["" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in r.values()] for r in rows
        ]
        return "\n".join(";".join(line) for line in [list(layout.raw_names), *shown]).encode()
    if layout.format == "geojson":
        features = []
        for row in rows:
            at = [row["lon"], row["lat"]]
            point = None if None in at else {"type": "Point", "coordinates": at}
            rest = {k: v for k, v in row.items() if k not in ("lon", "lat")}
            features.append({"type": "Feature", "geometry": point, "properties": rest})
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()
    columns = {
        f.raw: pa.array(
            [pd.Timestamp(r[f.raw]).tz_convert("UTC") if f.kind == "time" and r[f.raw] else r[f.raw] for r in rows],
            TYPES[f.kind],
        )
        for f in layout.fields
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def taken(
    layout: StreamLayout, rows: list[dict[str, Any]], *, quick: bool = False
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Records, and the reason of each row set aside by its place among ``rows``."""
    spec = load_stream(layout.key)
    first = 2 if layout.format == "csv" else 1
    (chunk,) = parse(from_bytes(written(layout, rows)), spec, quick=quick)
    frames = [f.assign(source_file="f") for f in (chunk.rows, chunk.typed) if f is not None]
    batch = process(frames[0], spec, key=KEY, territory=Territory(), typed=frames[1] if len(frames) > 1 else None)
    reasons = {r.source_row - first: str(r.reason) for r in [*chunk.rejects, *(r for _, r in batch.rejected)]}
    assert len(batch.records) + len(batch.duplicates) + len(reasons) == len(rows)
    return batch.records, reasons


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("quick", [False, True])
def test_a_good_row_becomes_a_record_without_anybody_in_clear(layout, quick):
    row = good_row(layout)
    records, reasons = taken(layout, [row, row], quick=quick)
    assert reasons == {}
    assert len(records) == 1, "the second is a duplicate"
    assert tuple(records.columns) == load_stream(layout.key).lake_columns
    shown = records.astype(str).to_csv()
    assert not [known for known in (*PERSONS.values(), "04 91") if known in shown]
    for person in layout.pseudonyms:
        assert records[person.column][0].startswith(f"{person.prefix}_")
    named = any(f.raw == "id" or f.name == "record_id" for f in layout.fields)
    assert ("|" in records["record_id"][0]) is not named
    if layout.has_point:
        assert records.loc[0, ["x_m", "y_m"]].tolist() == pytest.approx([892_394.78, 6_247_424.65], abs=0.01)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_each_field_has_its_faults(layout):
    base, rows, expected = good_row(layout), [], []
    for f in layout.fields:
        faults: list[tuple[Any, str]] = [(None, "missing_field")] if f.required else []
        if f.allowed:
            faults.append(("no such word", f.outside))
        if f.kind in ("number", "integer") and np.isfinite(f.high):
            faults.append((f.high + 1 if f.kind == "number" else int(f.high) + 1, "out_of_range"))
        if f.kind == "time":
            faults.append(("1870-01-01T00:00:00Z", "time_out_of_window"))
            if layout.format != "parquet":
                faults += [("2017-03-01T10:00:00", "naive_time"), ("2017-02-30T10:00:00Z", "impossible_time")]
        if f.kind != "text" and layout.format in ("jsonl", "geojson"):
            faults.append(([1], "wrong_type"))
        if f.kind in ("number", "integer", "flag") and layout.format == "csv":
            faults.append(("x", "wrong_type"))
        for spoilt, reason in faults:
            if layout.format == "geojson" and f.raw in ("lon", "lat") and spoilt is None:
                reason = "missing_field"
            rows.append({**base, f.raw: spoilt})
            expected.append(reason)
    if layout.order is not None:
        before, after = (next(f.raw for f in layout.fields if f.name == name) for name in layout.order)
        rows.append({**base, before: base[after], after: base[before]})
        expected.append("entry_before_event")
    _, reasons = taken(layout, [*rows, base])
    assert reasons == dict(enumerate(expected))


def test_a_composed_identifier_is_one_per_identity():
    layout = LAYOUTS["video_metadata"]
    base = good_row(layout)
    rows = [base, {**base, "alert_type": None}, {**base, "camera": "camera|1"}, {**base, "camera": "camera%7C1"},
            {**base, "t": "2017-03-01T22:40:00.5Z"}, {**base, "t": "2017-03-01T22:40:00Z"}]  # fmt: skip
    records, reasons = taken(layout, rows)
    assert reasons == {}
    assert records["record_id"].tolist() == [
        "camera-1|2017-03-01T22:40:00Z|person|maraudage", "camera-1|2017-03-01T22:40:00Z|person|",
        "camera%7C1|2017-03-01T22:40:00Z|person|maraudage", "camera%257C1|2017-03-01T22:40:00Z|person|maraudage",
        "camera-1|2017-03-01T22:40:00.500000Z|person|maraudage",
    ]  # fmt: skip


def test_a_person_in_the_identity_is_there_by_pseudonym():
    records, _ = taken(LAYOUTS["capteurs_stress"], [good_row(LAYOUTS["capteurs_stress"])])
    assert records["record_id"][0] == f"{records['user_pseudonym'][0]}|2017-03-01T22:40:00Z"


def test_half_a_place_is_no_place():
    layout = LAYOUTS["reseaux_sociaux"]
    base = good_row(layout)
    rows = [{**base, "post_id": "a", "lon": None, "lat": None}, {**base, "post_id": "b", "lon": None}]
    records, reasons = taken(layout, rows)
    assert reasons == {1: "missing_field"}
    assert records["x_m"].isna().tolist() == [True]
