"""The contract of each stream, one fault at a time."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.grid import Grid
from ingest import STREAMS, load_stream
from ingest.contracts import Territory, project, split
from ingest.parsing import from_bytes, parse

GOOD: dict[str, Any] = {
    "id": "MC-1", "t_event": "2017-03-01T23:40:00+01:00", "t_entry": "2017-03-01T23:52:10+01:00", "lon": 5.37,
    "lat": 43.3, "type": "tapage", "origin": "call", "unit": "U1", "text": "bruit", "informant_name": "Léa Durand",
    "informant_phone": "06 39 98 12 34",
}  # fmt: skip
TICKET = {"id": "V-1", "t": "2017-03-01T10:00:00+01:00", "lon": "5.37", "lat": "43.3", "code": "R417-10",
          "mode": "agent", "vehicle_class": "car", "plate": "AA-123-AA"}  # fmt: skip
ISLAND = shapely.box(885_000, 6_245_000, 900_000, 6_250_000)


def verdicts(rows: list[dict[str, Any]], stream: str = "mains_courantes", **territory: Any) -> list[str]:
    """Reason of each row, "" where it passes."""
    spec = load_stream(stream)
    if spec.format == "jsonl":
        data = "\n".join(json.dumps(r) for r in rows)
    else:
        data = "\n".join([";".join(spec.fields), *(";".join(str(r[f]) for f in spec.fields) for r in rows)])
    (chunk,) = parse(from_bytes(data.encode()), spec)
    assert not chunk.rejects
    good, bad = split(chunk.rows, spec, territory=Territory(**territory))
    out = [""] * len(rows)
    for position, rejected in zip(bad["position"], bad["reject"], strict=True):
        out[position] = str(rejected.reason)
    assert len(good) == out.count("")
    return out


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"id": None}, "missing_field"), ({"id": " "}, "missing_field"), ({"id": "a b"}, "bad_id"),
        ({"id": "é"}, "bad_id"), ({"id": "x" * 65}, "bad_id"), ({"id": 12}, "wrong_type"),
        ({"t_event": None}, "missing_field"), ({"t_event": 1488404400}, "wrong_type"),
        ({"t_event": "2017-03-01T23:40:00"}, "naive_time"),
        ({"t_event": "2017-02-30T12:00:00+01:00"}, "impossible_time"),
        ({"t_event": "2017-03-01T25:00:00+01:00"}, "impossible_time"), ({"t_event": "now"}, "impossible_time"),
        ({"t_event": "01/03/2017 23:40"}, "impossible_time"),
        ({"t_event": "2017-03-01T12:00+99:99"}, "impossible_time"),
        ({"t_event": "1870-09-04T12:00:00+01:00"}, "time_out_of_window"),
        ({"t_event": "2999-01-01T00:00:00+01:00"}, "time_out_of_window"),
        ({"t_entry": "2999-01-01T00:00:00+01:00"}, "time_out_of_window"),
        ({"t_entry": "2017-03-01T23:39:59+01:00"}, "entry_before_event"),
        ({"t_entry": "2017-03-01T22:40:00Z"}, ""),  # the same instant, written in UTC
        ({"t_entry": "2017-08-01T08:00:00+02:00"}, ""),  # late is not false
        ({"lon": None}, "missing_field"), ({"lon": "5.37"}, "wrong_type"), ({"lon": True}, "wrong_type"),
        ({"lon": 10**400}, "wrong_type"), ({"lat": {"deg": 43}}, "wrong_type"),
        ({"lon": 892394.8, "lat": 6247424.6}, "wrong_crs"), ({"lon": 597_784.0, "lat": 5_355_000.0}, "wrong_crs"),
        ({"lon": 43.3, "lat": 5.37}, "swapped_lonlat"), ({"lon": 0.0, "lat": 0.0}, "out_of_extent"),
        ({"lon": 5.37, "lat": 43.0}, "out_of_extent"), ({"lon": 5.25, "lat": 43.29}, "out_of_extent"),
        ({"type": "sorcellerie"}, "unknown_type"), ({"type": None}, "missing_field"),
        ({"origin": "rumour"}, "unknown_origin"), ({"origin": "officer"}, "unexpected_informant"),
        ({"origin": "officer", "informant_name": None, "informant_phone": None}, ""),
        ({"informant_name": None, "informant_phone": None}, ""), ({"text": ""}, ""), ({"text": ["a"]}, "wrong_type"),
        ({"type": "?", "lon": None, "t_event": "2017-03-01"}, "missing_field"),  # the first by precedence
    ],
)  # fmt: skip
def test_mains_courantes(change, reason):
    rows = [GOOD, {**GOOD, **change}, GOOD]
    assert verdicts(rows, land=ISLAND) == ["", reason, ""]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""), ({"plate": ""}, "missing_field"), ({"lon": "5,37"}, "wrong_type"), ({"lon": "nan"}, "wrong_type"),
        ({"lat": "1e999"}, "wrong_type"), ({"lon": ""}, "missing_field"), ({"mode": "call"}, "unknown_origin"),
        ({"t": "1870-01-01T00:00:00+01:00"}, "time_out_of_window"),
        ({"lon": "892394.8", "lat": "6247424.6"}, "wrong_crs"),
        ({"lon": "43.3", "lat": "5.37"}, "swapped_lonlat"), ({"lon": "０５"}, "wrong_type"),
    ],
)  # fmt: skip
def test_verbalisations(change, reason):
    assert verdicts([{**TICKET, **change}, TICKET], "verbalisations") == [reason, ""]


def _lonlat(x_m: float, y_m: float) -> dict[str, float]:
    lon, lat = Transformer.from_crs(2154, 4326, always_xy=True).transform(x_m, y_m)
    return {"lon": lon, "lat": lat}


def test_sea_within_the_bounding_box_with_a_grid_and_with_a_geometry():
    bay = ISLAND.difference(shapely.box(890_000, 6_245_000, 895_000, 6_248_000))
    rows = [
        {**GOOD, **_lonlat(892_500, 6_246_000)},  # middle of the bay, 2 km off
        {**GOOD, **_lonlat(890_200, 6_246_000)},  # 200 m off the quay
        {**GOOD, **_lonlat(889_000, 6_246_000)},  # ashore
        {**GOOD, **_lonlat(892_500, 6_240_000)},  # 5 km out
    ]
    expected = ["at_sea", "", "", "out_of_extent"]
    assert verdicts(rows, land=Grid.over(bay, cell_m=250)) == expected
    assert verdicts(rows, land=bay) == expected
    assert verdicts(rows) == [""] * 4  # without an outline nobody can tell


def test_window_is_half_open_and_checked():
    start, end = pd.Timestamp("2017-03-01T22:40:00Z"), pd.Timestamp("2017-03-02T00:00:00Z")
    rows = [{**GOOD, "t_event": t, "t_entry": t} for t in ("2017-03-01T22:39:59.999999Z", "2017-03-01T22:40Z")]
    assert verdicts(rows, window=(start, end)) == ["time_out_of_window", ""]
    assert verdicts([{**GOOD, "t_entry": "2017-03-02T00:00Z"}], window=(start, end)) == ["time_out_of_window"]
    with pytest.raises(ParameterError, match="tz-aware"):
        Territory(window=(pd.Timestamp("2017-01-01"), pd.Timestamp("2018-01-01")))


def test_times_and_places_of_a_good_row():
    spec = load_stream("mains_courantes")
    (chunk,) = parse(from_bytes(json.dumps(GOOD).encode()), spec)
    good, _ = split(chunk.rows, spec, territory=Territory())
    assert good["t_event"].dtype == "datetime64[us, UTC]"
    assert good.loc[0, "t_event"] == pd.Timestamp("2017-03-01T22:40:00Z")
    # pyproj 3.7, EPSG:4326 to EPSG:2154, computed apart
    x, y = Transformer.from_crs(4326, 2154, always_xy=True).transform(5.37, 43.3)
    assert (good.loc[0, "x_m"], good.loc[0, "y_m"]) == pytest.approx((x, y), abs=1e-6)


def test_projection_origin():
    # The origin of Lambert-93 is 3° E, 46.5° N and bears (700 000, 6 600 000) by definition.
    x, y = project(np.array([3.0, 400.0]), np.array([46.5, 46.5]))
    assert (x[0], y[0]) == pytest.approx((700_000.0, 6_600_000.0), abs=0.01)
    assert np.isnan(x[1])


def test_detail_shows_what_was_seen_but_no_name_and_no_plate():
    spec = load_stream("mains_courantes")
    row = {**GOOD, "lon": 43.3, "lat": 5.37, "informant_phone": 639981234}
    (chunk,) = parse(from_bytes(json.dumps(row).encode()), spec)
    _, bad = split(chunk.rows, spec, territory=Territory())
    detail = bad["reject"].iloc[0].detail
    assert detail == "wrong_type(); swapped_lonlat(lon='43.3', lat='5.37')"


def test_registry():
    assert [load_stream(s).name for s in STREAMS] == list(STREAMS)
    with pytest.raises(ContractError, match="mains_courantes, verbalisations"):
        load_stream("twitter")
