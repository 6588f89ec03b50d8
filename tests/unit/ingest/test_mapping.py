"""Mappings of published tables: which columns count, what a wrong file is told, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyproj import Transformer

from contrechamp.domain.errors import ParameterError
from ingest import FORMATS, load_format
from ingest.layout import Layout
from ingest.mapping_file import mapping_of, zones_of
from ingest.published import CHICAGO, NIJ_2017, POLICE_UK

#: Headers as published.
POLICE = [
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code", "LSOA name",
    "Crime type", "Last outcome category", "Context",
]  # fmt: skip
SOCRATA = [
    "ID", "Case Number", "Date", "Block", "IUCR", "Primary Type", "Description", "Location Description", "Arrest",
    "Domestic", "Beat", "District", "Ward", "Community Area", "FBI Code", "X Coordinate", "Y Coordinate", "Year",
    "Updated On", "Latitude", "Longitude", "Location",
]  # fmt: skip
TABLE: dict[str, Any] = {
    "name": "somewhere",
    "time": {"column": "when", "formats": "%d/%m/%Y", "timezone": "Europe/Paris", "resolution": "day"},
    "place": {"x": "lon", "y": "lat", "crs": "EPSG:4326", "into": "EPSG:2154"},
    "type": {"column": "what"},
}


def changed(**changes: Any) -> dict[str, Any]:
    """``TABLE`` with ``time__zone=…`` set in its tables; ``None`` takes a key away."""
    out: dict[str, Any] = json.loads(json.dumps(TABLE))
    for path, value in changes.items():
        *tables, key = path.split("__")
        at = out
        for table in tables:
            at = at.setdefault(table, {})
        if value is None:
            del at[key]
        else:
            at[key] = value
    return out


def test_published_headers_are_understood() -> None:
    assert [load_format(name).name for name in FORMATS] == list(FORMATS)
    assert all(load_format(name).label == name for name in FORMATS)
    assert POLICE_UK.layout(POLICE) == Layout(
        (0, 1, 4, 5, 9),
        {
            "source_columns": "record_id=Crime ID; t_event=Month; x_m=Longitude; y_m=Latitude; type=Crime type",
            "source_crs": "EPSG:4326",
        },
    )
    assert isinstance(found := CHICAGO.layout(SOCRATA), Layout)
    assert (found.take, found.carried["source_crs"]) == ((0, 2, 15, 16, 5), "EPSG:3435")
    api = [name.lower().replace(" ", "_") for name in SOCRATA]
    assert isinstance(found := CHICAGO.layout(api), Layout)
    assert found.take == (0, 2, 15, 16, 5)
    assert found.carried["source_columns"].startswith("record_id=id; t_event=date; x_m=x_coordinate")
    nij = ["CATEGORY", "CALL GROUPS", "final_case_type", "CASE DESC", "occ_date", "x_coordinate", "y_coordinate"]
    assert isinstance(found := NIJ_2017.layout(nij), Layout)
    assert found.take == (4, 5, 6, 1)
    short = ["category", "call_group_type", "occ_date", "x_coordina", "y_coordina", "census_tra"]
    assert isinstance(found := NIJ_2017.layout(short), Layout)
    assert found.take == (2, 3, 4, 1)


def test_a_cut_without_feet_is_read_in_degrees_but_half_a_pair_is_not_mixed_with_half_another() -> None:
    degrees = [name for name in SOCRATA if not name.endswith("Coordinate")]
    assert isinstance(found := CHICAGO.layout(degrees), Layout)
    assert found.carried["source_crs"] == "EPSG:4326"
    assert [degrees[at] for at in found.take] == ["ID", "Date", "Longitude", "Latitude", "Primary Type"]
    assert CHICAGO.layout(["ID", "Date", "Primary Type", "X Coordinate", "Latitude"]) == "missing Y Coordinate"


def test_what_is_wrong_with_a_header() -> None:
    assert CHICAGO.layout(POLICE) == "missing ID, Date, Primary Type"
    assert NIJ_2017.layout(["occ_date"]).startswith("missing x_coordina or x_coordinate, ")  # type: ignore[union-attr]
    assert POLICE_UK.layout([*POLICE, "Month"]) == "column 'Month' is there 2 times"
    assert mapping_of(TABLE).layout(["When", "WHEN", "lon", "lat", "what"]) == "column 'when' is there 2 times"
    assert isinstance(mapping_of(TABLE).layout(["when", "WHEN", "lon", "lat", "what"]), Layout)  # the exact one counts


def test_the_name_of_a_mapping_in_the_lake_changes_with_what_it_says() -> None:
    first, again = mapping_of(TABLE), mapping_of(changed())
    other = mapping_of(changed(time__timezone="Europe/London"))
    assert first.label == again.label != other.label
    assert first.label == f"somewhere@{first.digest[:8]}"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Two Words"}, "lower-case"), ({"name": None}, "lacks name"), ({"nom": "x"}, "no key 'nom'"),
        ({"time__zone": "x"}, r"no key 'time\.zone'"), ({"time__timezone": "Europe/Nowhere"}, "name of a time zone"),
        ({"time__timezone": "../etc/passwd"}, "name of a time zone"), ({"time__resolution": "week"}, "one of second"),
        ({"time__formats": ["iso"]}, "strptime formats"), ({"time__formats": 3}, "a text or a list of texts"),
        ({"time__column": None}, "a column and at least one format"), ({"time__first": "2009"}, "must be dates"),
        ({"place__crs": "4326"}, "EPSG code"), ({"place__crs": None}, r"lacks place\.crs"),
        ({"place__crs": "EPSG:999999"}, "EPSG code"), ({"place__into": "EPSG:4326"}, "projected system in metres"),
        ({"place__into": "EPSG:2913"}, "projected system in metres"), ({"place__y": None}, "either x and y, or zone"),
        ({"place__extent": [1, 2, 3]}, "west, south, east, north"), ({"place__extent": [9, 2, 3, 4]}, "in degrees"),
        ({"type__constant": "drug"}, "either a column or a constant"), ({"type": "drug"}, r"must be a table: \[type\]"),
        ({"columns": ["when", "lon", "lat"]}, "Got 'missing what'"), ({"files": "a/b"}, "pattern of file names"),
        ({"place__crs": "EPSG:5701"}, "on the ground"), ({"delimiter": ";;"}, "one character"),
        ({"type__column": None}, "either a column or a constant"),
    ],
)  # fmt: skip
def test_a_mapping_that_makes_no_sense_is_one_paragraph(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words) as refused:
        mapping_of(changed(**changes))
    assert "\n" not in str(refused.value)


def test_unknown_format() -> None:
    with pytest.raises(ParameterError, match=r"police-uk, chicago, nij-2017.*--mapping"):
        load_format("paris")


def square(name: Any, lon: float, lat: float, hole: bool = False) -> dict[str, Any]:
    ring = [[lon + dx, lat + dy] for dx, dy in ((0, 0), (0.03, 0), (0.03, 0.03), (0, 0.03), (0, 0))]
    inner = [
        [lon + dx, lat + dy] for dx, dy in ((0.01, 0.005), (0.02, 0.005), (0.02, 0.025), (0.01, 0.025), (0.01, 0.005))
    ]
    rings = [ring, inner] if hole else [ring]
    return {"type": "Feature", "properties": {"bin": name}, "geometry": {"type": "Polygon", "coordinates": rings}}


def test_zones_stand_at_their_centre_or_on_their_ground() -> None:
    found = zones_of(
        {"features": [square(1, 5.3, 43.3), square(2.0, 5.4, 43.3, hole=True)]}, zone_id="bin", into="EPSG:2154"
    )
    assert list(found) == ["1", "2"]
    back = Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True)
    assert back.transform(*found["1"]) == pytest.approx((5.315, 43.315), abs=2e-6)
    lon, lat = back.transform(*found["2"])  # its centroid is in the hole
    assert 5.4 < lon < 5.43
    assert not (5.41 < lon < 5.42 and 43.305 < lat < 43.325)


@pytest.mark.parametrize(
    "collection",
    [{}, [], {"features": []}, {"features": [{"properties": {}, "geometry": None}]}, {"features": [None]},
     {"features": [square(1, 5, 43), square("1", 6, 43)]}, {"features": [square(1, -122, 37)]},
     {"features": [{"properties": {"bin": 1}, "geometry": {"type": "Polygon", "coordinates": []}}]}],
)  # fmt: skip
def test_zones_that_make_no_sense(collection: Any) -> None:
    with pytest.raises(ParameterError, match="zones must"):
        zones_of(collection, zone_id="bin", into="EPSG:2154")
