"""The compiled loops read what the careful reader reads, refuse nothing of their own and lose no line."""

from __future__ import annotations

import gzip
import json
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import load_stream, parsing
from ingest.contracts import Territory, decode, split
from ingest.parsing import Limits, from_bytes, parse

GOOD: dict[str, Any] = {
    "id": "A", "t_event": "2017-03-01T23:40:00+01:00", "t_entry": "2017-03-01T23:52:10.25Z", "lon": 5.37, "lat": 43.3,
    "type": "tapage", "origin": "call", "unit": "U1", "text": "bruit", "informant_name": "Zoé N",
    "informant_phone": None,
}  # fmt: skip
ODD = (
    "1e3", "-0", "-0.0", "0", "00", "5.", ".5", "1E400", "-5.370001", "123456789012345", "1234567890123456", "NaN",
    "01",
    "9007199254740993", "true", "false", "null", '"5.37"', '" 5.37 "', '"\\u00e9"', '"\\ud83d"', '"a\\u0000"', '"\t"',
    '"\u00a0"', '"\u3000"', '" "', '""', '"é"', '"œuvre ’"', '"\\"', '"a\\"b"', "[1]", "{}", '"\x7f"', '"\x85"',
    '"2017-02-29T00:00:00Z"', '"2016-02-29T23:59:59.123456-14:00"', '"2016-02-29T23:59:59.1234567Z"',
    '"2017-03-01T23:40:60Z"', '"2017-03-01T23:40:00"', '"2017-03-01 23:40:00Z"', '"2017-03-01T23:40Z"',
    '"1899-12-31T23:59:59Z"', '"2100-12-31T23:59:59+00:00"', '"2101-01-01T00:00:00Z"', '"2017-00-01T00:00:00Z"',
    '"2017-03-01T24:00:00Z"', '"2017-03-01T23:40:00+15:00"', '"2017-03-01T23:40:00+0100"', '"0000-01-01T00:00:00Z"',
    '"2017-03-01T23:40:00.Z"', '"2000-02-29T12:00:00+02:00"', '"1900-02-29T12:00:00+02:00"',
)  # fmt: skip


@st.composite
def json_line(draw: st.DrawFn) -> bytes:
    """A line near a good one: fields changed, dropped, repeated, in another order, with other spaces."""
    values = {k: json.dumps(v, ensure_ascii=False) for k, v in GOOD.items()}
    for name in draw(st.lists(st.sampled_from([*GOOD, "extra"]), max_size=3)):
        values[name] = draw(st.sampled_from(ODD) | st.text(max_size=5).map(json.dumps) | st.floats().map(json.dumps))
    fields = [(k, v) for k, v in values.items() if draw(st.integers(0, 20))]
    if draw(st.integers(0, 9)) == 0:
        fields = draw(st.permutations(fields))
    if fields and draw(st.integers(0, 9)) == 0:
        fields.append(fields[0])
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (",  ", " :"), (",\t", ":")]))
    line = "{" + comma.join(f'"{k}"{colon}{v}' for k, v in fields) + "}"
    line = draw(st.sampled_from(["", "", "", " "])) + line + draw(st.sampled_from(["", "", "", "\r", " ", "x", ","]))
    data = line.encode("utf-8", "surrogatepass")
    return data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 9)) == 0 else data


@st.composite
def csv_line(draw: st.DrawFn) -> bytes:
    values = ["V-1", "2017-03-01T10:00:00+01:00", "5.37", "43.3", "R417", "agent", "car", "AA-123-AA"]
    for at in draw(st.lists(st.integers(0, 7), max_size=3)):
        values[at] = draw(st.sampled_from([o.strip('"') for o in ODD]) | st.text(max_size=5))
    line = ";".join(values[: draw(st.sampled_from([8, 8, 8, 8, 7]))]) + draw(st.sampled_from(["", "", "\r", ";", '"']))
    return line.encode("utf-8", "surrogatepass")


def joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines)


def read(data: bytes, stream: str, *, quick: bool, limits: Limits) -> tuple[pd.DataFrame, list[Any], int, int]:
    """All rows decoded, all rejects, rows in, and how many rows came typed."""
    spec = load_stream(stream)
    frames, rejects, rows_in, typed = [], [], 0, 0
    for chunk in parse(from_bytes(data), spec, limits=limits, quick=quick):
        frames.append(pd.concat([chunk.rows[["source_row", "raw"]], decode(chunk.rows, spec)], axis=1))
        if chunk.typed is not None:
            frames.append(chunk.typed)
            typed += len(chunk.typed)
        assert chunk.rows_in == chunk.n_readable + len(chunk.rejects)
        rejects += chunk.rejects
        rows_in += chunk.rows_in
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"source_row": []})
    return whole.sort_values("source_row", ignore_index=True), sorted(rejects), rows_in, typed


def agree(data: bytes, stream: str, limits: Limits, window: int) -> int:
    careful = read(data, stream, quick=False, limits=limits)
    with patch.object(parsing, "_WINDOW_BYTES", window):
        quick = read(data, stream, quick=True, limits=limits)
    pd.testing.assert_frame_equal(quick[0], careful[0], check_dtype=False)
    if len(quick[0]):
        assert quick[0].dtypes.astype(str).to_dict() == careful[0].dtypes.astype(str).to_dict()
    assert quick[1:3] == careful[1:3]
    for name in ("lon", "lat"):  # to the last bit, the sign of zero included
        if name in quick[0]:
            bits = [f[name].to_numpy(dtype=np.float64).view(np.int64) for f in (quick[0], careful[0])]
            assert np.array_equal(*bits)
    return quick[3]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(json_line() | st.binary(max_size=20) | st.just(b""), max_size=8).map(joined),
    st.sampled_from([(40, 1000), (1 << 20, 200), (400, 1), (1 << 20, 8 << 20)]),
    st.booleans(),
    st.booleans(),
)
@example(b'{"id":"a"}\n{"id":"b"', (1 << 20, 5), False, True)
def test_json_lines(data, sizes, packed, bom):
    data = b"\xef\xbb\xbf" * bom + data
    agree(gzip.compress(data) if packed else data, "mains_courantes", Limits(max_line_bytes=sizes[0]), sizes[1])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(csv_line() | st.binary(max_size=20) | st.just(b""), max_size=8).map(joined),
    st.sampled_from([(90, 1000), (1 << 20, 120), (1 << 20, 8 << 20)]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.sampled_from([b"\n", b"\r\n", b"", b" \n", b";extra\n"]),
)
def test_csv_lines(data, sizes, bom, end):
    head = b"id;t;lon;lat;code;mode;vehicle_class;plate"
    agree(bom + head + end + data, "verbalisations", Limits(max_line_bytes=sizes[0]), sizes[1])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["", "3", "-3", "+3", "3.0", "1e2", "999999999999999999", "9007199254740993", " 4", "x"]),
        min_size=1,
        max_size=6,
    )
)
def test_whole_numbers_in_csv(counts):
    lines = [f"H;2017-03-01T10:00:00+01:00;0-14;violence;{n}" for n in counts]
    agree("\n".join(["hospital;t;age_band;cause_class;n", *lines]).encode(), "urgences", Limits(), 8 << 20)


def test_ordinary_lines_do_go_the_quick_way():
    lines = [json.dumps({**GOOD, "id": str(n)}, ensure_ascii=False) for n in range(500)]
    assert agree("\n".join(lines).encode(), "mains_courantes", Limits(), 10_000) == 500
    flags = [
        f'{{"post_id":"{n}","t":"2017-03-01T10:00:00Z","author":"a","text":null,"visible":{b}}}'
        for n, b in enumerate(["true", "false", "null", "1"])
    ]
    assert agree("\n".join(flags).encode(), "reseaux_sociaux", Limits(), 10_000) == 3


@pytest.mark.parametrize("fault", ['"lon": 43.3, "lat": 5.37', '"lon": 0, "lat": 0', '"type": "?"', '"lat": null'])
def test_what_is_said_of_a_row_is_the_same_either_way(fault):
    spec = load_stream("mains_courantes")
    line = json.dumps({**GOOD, **json.loads("{" + fault + "}")}, ensure_ascii=False).encode()
    said = []
    for quick in (False, True):
        (chunk,) = parse(from_bytes(line), spec, quick=quick)
        assert (chunk.typed is not None) is quick
        _, bad = split(chunk.rows, spec, territory=Territory(), typed=chunk.typed)
        said.append(bad["reject"].tolist())
    assert said[0] == said[1]
    assert len(said[0]) == 1
