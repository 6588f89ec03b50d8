"""Published tables held to the incident contract: instants, places, identifiers, one fault at a time."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer

from ingest.incidents import INCIDENTS, instants, number_rows, places, split, table_spec
from ingest.mapping import TableMapping
from ingest.parsing import Limits, from_bytes, parse
from ingest.published import CHICAGO, NIJ_2017, POLICE_UK


def read(text: str, mapping: TableMapping) -> tuple[pd.DataFrame, dict[int, str], dict[int, str]]:
    """Records of a CSV text; reasons and details of the rows set aside, by line."""
    spec = table_spec(mapping)
    (chunk,) = parse(from_bytes(text.encode()), spec)
    good, bad = split(number_rows(chunk.rows, spec, seen=Counter()), spec)
    rejects = [*chunk.rejects, *bad["reject"]]
    assert chunk.rows_in == len(good) + len(rejects)
    return (
        good.assign(source_file="f")[list(INCIDENTS.lake_columns)],
        {r.source_row: str(r.reason) for r in rejects},
        {r.source_row: r.detail for r in rejects},
    )


def times(mapping: TableMapping, *texts: str | None) -> list[str | None]:
    found, twice = instants(pd.Series(texts, dtype="str"), mapping)
    assert found.dtype == "datetime64[us, UTC]"
    return [
        None if pd.isna(t) else f"{t:%Y-%m-%dT%H:%M:%S}{'?' if w else ''}" for t, w in zip(found, twice, strict=True)
    ]


def test_local_times_become_instants() -> None:
    assert times(CHICAGO, "09/05/2015 01:30:00 PM", "2015-12-05T13:30:00.000", "2023-08-31 12:00:00") == [
        "2015-09-05T18:30:00", "2015-12-05T19:30:00", "2023-08-31T17:00:00",
    ]  # fmt: skip
    assert times(POLICE_UK, "2023-01", "2023-07", " 2023-01 ") == [
        "2023-01-01T00:00:00", "2023-06-30T23:00:00", "2023-01-01T00:00:00",
    ]  # fmt: skip
    assert times(NIJ_2017, "3/5/12", "03/05/2012", "2012-03-05", "20120305", "2012-07-04") == [
        *["2012-03-05T08:00:00"] * 4, "2012-07-04T07:00:00",
    ]  # fmt: skip


def test_the_hour_shown_twice_is_marked_and_the_hour_never_shown_is_refused() -> None:
    # United States, 2015: 02:00 became 03:00 on 8 March, 02:00 became 01:00 on 1 November
    assert times(CHICAGO, "03/08/2015 02:30:00 AM", "03/08/2015 03:30:00 AM", "11/01/2015 01:30:00 AM") == [
        None, "2015-03-08T08:30:00", "2015-11-01T06:30:00?",
    ]  # fmt: skip
    # a day or a month has no such hour: midnight was skipped in Beirut on 31 March 2013
    beirut = dataclasses.replace(NIJ_2017, timezone="Asia/Beirut")
    assert times(beirut, "2013-03-31") == ["2013-03-30T22:00:00"]


def test_what_is_no_time() -> None:
    assert times(CHICAGO, "now", "today", "NaT", "nan", "", None, "13/45/2015 01:30:00 PM", "٠٩/05/2015") == [None] * 8
    assert times(CHICAGO) == []
    offset = dataclasses.replace(CHICAGO, time_formats=("%Y-%m-%dT%H:%M:%S%z",))
    assert times(offset, "2015-11-01T01:30:00-06:00", "2015-11-01T01:30:00Z", "2015-11-01T01:30:00") == [
        "2015-11-01T07:30:00", "2015-11-01T01:30:00", None,
    ]  # fmt: skip


def test_feet_become_metres() -> None:
    # 1 US survey foot is 1200/3937 m; the false eastings of both systems are the same 300 000 m, the datum is the same
    x, y, verdict = places(np.array([1_165_074.0]), np.array([1_875_917.0]), CHICAGO, crs=CHICAGO.crs)
    assert (x[0], y[0]) == pytest.approx((1_165_074 * 1200 / 3937, 1_875_917 * 1200 / 3937), abs=1e-6)
    # 1 international foot is 0.3048 m; the false easting in feet is rounded to the thousandth
    x, y, verdict = places(np.array([7_643_853.0]), np.array([683_038.0]), NIJ_2017, crs=NIJ_2017.crs)
    assert (x[0], y[0]) == pytest.approx((7_643_853 * 0.3048, 683_038 * 0.3048), abs=3e-4)
    assert verdict.tolist() == [""]
    # Trafalgar Square: grid reference TQ 300 804, to the hundred metres
    x, y, _ = places(np.array([-0.1281]), np.array([51.5080]), POLICE_UK, crs=POLICE_UK.crs)
    assert (x[0], y[0]) == pytest.approx((530_000, 180_400), abs=100)


@pytest.mark.parametrize(
    ("x", "y", "mapping", "reason"),
    [
        (0, 0, CHICAGO, "out_of_extent"),  # a known artefact of that table: the origin of the grid, in Missouri
        (-87.65, 41.88, CHICAGO, "wrong_crs"), (1_875_917, 1_165_074, CHICAGO, "swapped_lonlat"),
        (1e9, 1e9, CHICAGO, "out_of_extent"), (1_165_074, 1_875_917, CHICAGO, ""),
        (51.5, -0.12, POLICE_UK, "swapped_lonlat"), (530_028, 180_380, POLICE_UK, "wrong_crs"),
        (5.37, 43.3, POLICE_UK, "out_of_extent"), (-0.12, 51.5, POLICE_UK, ""), (np.nan, 51.5, POLICE_UK, ""),
        (-122.68, 45.52, NIJ_2017, "wrong_crs"),
    ],
)  # fmt: skip
def test_places_that_are_wrong(x: float, y: float, mapping: TableMapping, reason: str) -> None:
    x_m, _, verdict = places(np.array([float(x)]), np.array([float(y)]), mapping, crs=mapping.crs)
    assert verdict.tolist() == [reason]
    assert bool(np.isnan(x_m[0])) == bool(reason or np.isnan(x))


def test_police_uk_street_file() -> None:
    head = (
        "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
        "Last outcome category,Context\n"
    )
    force = "Metropolitan Police Service,Metropolitan Police Service"
    asb = f",2023-07,{force},-0.128,51.508,On or near X,E01,W,Anti-social behaviour,,\n"
    crime = "a" * 64
    text = head + "".join([
        f"{crime},2023-07,{force},-0.128,51.508,On or near X,E01,W,Burglary,Under investigation,\n",  # 2
        asb, asb,  # 3 4: two incidents that nothing tells apart
        f"{'b' * 64},2023-07,{force},,,No Location,,,Drugs,,\n",  # 5
        f"{'c' * 64},,{force},-0.128,51.508,X,E01,W,Drugs,,\n",  # 6
        f"{'d' * 64},2023-13,{force},-0.128,51.508,X,E01,W,Drugs,,\n",  # 7
        f"{'e' * 64},1823-07,{force},-0.128,51.508,X,E01,W,Drugs,,\n",  # 8
        f"{'f' * 64},2023-07,{force},-0.128,51.508,X,E01,W,,,\n",  # 9
        f"{'0' * 64},2023-07,{force},west,51.508,X,E01,W,Drugs,,\n",  # 10
        f"été,2023-07,{force},-0.128,51.508,X,E01,W,Drugs,,\n",  # 11
        "too,short\n",  # 12
    ])  # fmt: skip
    good, reasons, details = read(text, POLICE_UK)
    assert reasons == {
        5: "missing_field", 6: "missing_field", 7: "impossible_time", 8: "time_out_of_window", 9: "missing_field",
        10: "wrong_type", 11: "bad_id", 12: "bad_csv",
    }  # fmt: skip
    assert details[5] == "missing_field(Longitude=''); missing_field(Latitude='')"
    assert details[7] == "impossible_time(Month='2023-13')"
    assert good["record_id"].tolist()[0] == f"police-uk:{crime}"
    one, two = good["record_id"].tolist()[1:]
    assert (one[:-1], one[-2:], two[-2:]) == (two[:-1], "-1", "-2")
    assert good["row_sha256"].tolist()[1] == good["row_sha256"].tolist()[2] != good["row_sha256"].tolist()[0]
    assert set(good["t_event"]) == {pd.Timestamp("2023-06-30T23:00:00Z")}  # London midnight
    same = good[["t_resolution", "crs", "place_resolution", "format"]].drop_duplicates().to_numpy().tolist()
    assert same == [["month", "EPSG:27700", "street", "police-uk"]]


def test_an_edition_that_changes_only_what_is_not_kept_says_the_same() -> None:
    head = "ID,Date,Primary Type,Arrest,X Coordinate,Y Coordinate\n"
    base = "7,09/05/2015 01:30:00 PM,THEFT,false,1165074,1875917\n"
    rows = [
        base,
        base.replace("false", "true"),
        base.replace("1165074", "1165074.0"),
        base.replace("1875917", "1875918"),
    ]
    sha = [read(head + row, CHICAGO)[0].loc[0, "row_sha256"] for row in rows]
    assert sha[0] == sha[1] == sha[2] != sha[3]


def test_feet_and_degrees_of_one_table_meet() -> None:
    lon, lat = Transformer.from_crs("EPSG:3435", "EPSG:4326", always_xy=True).transform(1_165_074, 1_875_917)
    feet, *_ = read(
        "ID,Date,Primary Type,X Coordinate,Y Coordinate\n7,2015-09-05T13:30:00,T,1165074,1875917\n", CHICAGO
    )
    degrees, *_ = read(f"id,date,primary_type,longitude,latitude\n7,2015-09-05T13:30:00,T,{lon!r},{lat!r}\n", CHICAGO)
    assert feet.loc[0, ["x_m", "y_m"]].tolist() == pytest.approx(degrees.loc[0, ["x_m", "y_m"]].tolist(), abs=0.01)


def test_numbers_of_rows_do_not_depend_on_how_the_file_is_cut() -> None:
    spec = table_spec(NIJ_2017)
    text = "occ_date,x_coordina,y_coordina,call_group_type\n" + "2012-03-05,1,2,A\n2012-03-05,1,2,B\n" * 5
    seen: list[list[Any]] = []
    for cut in (1, 3, 100):
        counter: Counter[bytes] = Counter()
        parts = [
            number_rows(c.rows, spec, seen=counter)
            for c in parse(from_bytes(text.encode()), spec, limits=Limits(chunk_rows=cut))
        ]
        whole = pd.concat(parts, ignore_index=True)
        seen.append(whole[["content", "occurrence"]].to_numpy().tolist())
        assert whole["occurrence"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert seen[0] == seen[1] == seen[2]


def test_missing_words_are_missing() -> None:
    mapping = dataclasses.replace(NIJ_2017, missing=("NA", "NULL"), builtin=False)
    text = "occ_date,x_coordina,y_coordina,call_group_type\nNA,7643853,683038,A\n2012-03-05,7643853,NULL,A\n"
    assert read(text, mapping)[1] == {2: "missing_field", 3: "missing_field"}
    assert read(text, NIJ_2017)[1] == {2: "impossible_time", 3: "wrong_type"}
