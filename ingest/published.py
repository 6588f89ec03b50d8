"""Three published incident tables that papers are built on, and how each is read.

What it cannot tell you: how well a table covers what happened. Each says below what its publisher does to times and
places before publishing; see also :mod:`ingest.mapping`.
"""

from __future__ import annotations

from typing import Final

from contrechamp.domain.columns import CRS_LONLAT
from ingest.mapping import TableMapping

#: Street-level file of data.police.uk. The month only, places moved to the nearest point of an anonymous list;
#: anti-social behaviour bears no identifier.
POLICE_UK: Final = TableMapping(
    name="police-uk",
    ident=("Crime ID",),
    ident_required=False,
    time=("Month",),
    time_formats=("%Y-%m",),
    timezone="Europe/London",
    t_resolution="month",
    x=("Longitude",),
    y=("Latitude",),
    crs=CRS_LONLAT,
    into="EPSG:27700",
    place_resolution="street",
    kind=("Crime type",),
    files="*-street.csv*",
    builtin=True,
)

#: « Crimes - 2001 to Present » of the Chicago Data Portal, as exported or through its programming interface.
#: Coordinates in US survey feet of Illinois East, moved within their block; degrees where a cut of the table has no
#: others.
CHICAGO: Final = TableMapping(
    name="chicago",
    ident=("ID",),
    time=("Date",),
    time_formats=("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"),
    timezone="America/Chicago",
    t_resolution="minute",
    x=("X Coordinate",),
    y=("Y Coordinate",),
    crs="EPSG:3435",
    degrees=("Longitude", "Latitude"),
    into="EPSG:26971",
    place_resolution="block",
    kind=("Primary Type",),
    builtin=True,
)

#: Calls for service of Portland, given for the NIJ Real-Time Crime Forecasting Challenge 2017. Days only, coordinates
#: in international feet of Oregon North, no identifier.
NIJ_2017: Final = TableMapping(
    name="nij-2017",
    time=("occ_date",),
    time_formats=("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%Y/%m/%d", "%Y%m%d"),
    timezone="America/Los_Angeles",
    t_resolution="day",
    x=("x_coordina", "x_coordinate"),
    y=("y_coordina", "y_coordinate"),
    crs="EPSG:2913",
    into="EPSG:2838",
    kind=("call_group_type", "CALL_GROUPS", "CALL_GROUP"),
    builtin=True,
)
