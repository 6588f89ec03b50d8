"""Published incident tables held to one contract: a number, an instant, a place in metres, a type, and their trace.

The stream ``incidents`` is how the tables that papers are built on enter the lake. :mod:`ingest.mapping` says how one
table is read; here its rows get their types, are held to the contract and set aside with a reason like any other.

What it cannot tell you: whether two rows without an identifier are one event or two. Identical rows of one file are
kept as so many incidents, and the n-th of them is recognised when the same file, or a longer edition of it, comes
again; identical rows of *different* files are taken for the same rows. See :mod:`ingest.mapping` for what a published
table itself leaves out.

Notes
-----
``row_sha256`` is the digest of what the record says (its instant, place to the millimetre, type), not of the raw row:
an edition of the table in which only columns that are not kept have changed adds nothing. No column that is kept is
personal, so nothing is keyed and no pseudonymisation key is asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from contrechamp.domain.columns import (
    CRS_LONLAT,
    RECORD_ID,
    ROW_SHA256,
    SOURCE_FILE,
    SOURCE_ROW,
    T_EVENT,
    TYPE,
    X_M,
    Y_M,
)
from contrechamp.domain.grid import BoolArray, FloatArray
from contrechamp.domain.streams import Field
from ingest.contracts import StreamSpec, as_numbers, as_texts, broken_checks, part, slug_check
from ingest.layout import Layout
from ingest.mapping import CLOCK, SOURCE_COLUMNS, SOURCE_CRS, TableMapping, is_geographic, transformer, within
from ingest.mapping_file import zone_name
from ingest.quarantine import Reason

T_RESOLUTION: Final = "t_resolution"
PLACE_RESOLUTION: Final = "place_resolution"
CRS: Final = "crs"
FORMAT: Final = "format"

#: ``t_resolution`` of an hour that the clock showed twice: the first of the two was taken.
AMBIGUOUS: Final = "ambiguous_hour"

#: Digest of the mapped fields of a row, and how many times the file has shown it so far.
CONTENT: Final = "content"
OCCURRENCE: Final = "occurrence"

_encode = json.JSONEncoder(ensure_ascii=False).encode
_ID: Final = r"[!-~]([ -~]{0,126}[!-~])?"
_ROLES: Final = {
    "id": Field("id", RECORD_ID),
    "t": Field("t", T_EVENT, "time"),
    "x": Field("x", "x", "number"),
    "y": Field("y", "y", "number"),
    "zone": Field("zone", "zone"),
    "type": Field("type", TYPE),
}

#: What the table of the lake looks like. Files of the stream can only be read with a mapping: see :func:`table_spec`.
INCIDENTS: Final = StreamSpec(
    name="incidents",
    format="csv",
    described=tuple(_ROLES[role] for role in ("id", "t", "x", "y", "type")),
    lake_columns=(
        RECORD_ID, T_EVENT, T_RESOLUTION, X_M, Y_M, CRS, PLACE_RESOLUTION, TYPE, FORMAT, SOURCE_COLUMNS,
        SOURCE_FILE, SOURCE_ROW, ROW_SHA256,
    ),
    delimiter=",",
)  # fmt: skip


@dataclass(frozen=True)
class TableSpec(StreamSpec):
    """The stream ``incidents`` as one published table brings it."""

    mapping: TableMapping = field(kw_only=True)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of a file that has no header line."""
        return self.mapping.columns

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Roles that this table has a column for."""
        return tuple(self.mapping.roles)

    def layout(self, header: Any) -> Layout | str:
        """Find the mapped columns in a header line; other columns are let be."""
        return self.mapping.layout(header)


def table_spec(mapping: TableMapping) -> TableSpec:
    """Describe the stream ``incidents`` as ``mapping`` reads it."""
    return TableSpec(
        name=INCIDENTS.name,
        format="csv",
        described=tuple(_ROLES[role] for role in mapping.roles),
        lake_columns=INCIDENTS.lake_columns,
        delimiter=mapping.delimiter,
        mapping=mapping,
    )


def number_rows(rows: pd.DataFrame, spec: TableSpec, *, seen: Counter[bytes]) -> pd.DataFrame:
    """Tell identical rows of one file apart, so that those without an identifier can be given one.

    Parameters
    ----------
    rows : pandas.DataFrame
        Readable rows of one file, in its order.
    spec : TableSpec
    seen : Counter
        What the file has shown so far; added to. About 100 bytes for each different row that bears no identifier.

    Returns
    -------
    pandas.DataFrame
        ``rows`` with ``content`` (digest of the mapped fields) and ``occurrence`` (from 1; 0 where there is an
        identifier).
    """
    contents: list[str] = []
    occurrences = np.zeros(len(rows), dtype=np.int64)
    idents = rows["id"].tolist() if "id" in spec.fields else [""] * len(rows)
    columns = [rows[name].tolist() for name in spec.fields]
    for at, (ident, *values) in enumerate(zip(idents, *columns, strict=True)):
        if ident.strip() and ident not in spec.mapping.missing:
            contents.append("")
            continue
        digest = hashlib.sha256(_encode(values).encode("utf-8", "surrogatepass")).digest()[:16]
        seen[digest] += 1
        occurrences[at] = seen[digest]
        contents.append(digest.hex())
    numbered = rows.copy()
    numbered[CONTENT], numbered[OCCURRENCE] = pd.array(contents, dtype="str"), occurrences
    return numbered


# ---------------------------------------------------------------------------------------------- values


def instants(texts: pd.Series, mapping: TableMapping) -> tuple[pd.Series, BoolArray]:
    """Published times as instants.

    Returns
    -------
    t : pandas.Series
        ``datetime64[us, UTC]``; missing where no format fits, or where the local clock never showed that time.
    ambiguous : ndarray of bool
        The local clock showed that time twice; ``t`` is the first of the two.
    """
    codes, unique = pd.factorize(texts)  # dates repeat
    words = pd.Series(unique, dtype="str").str.strip()
    # a text without a digit is no date, and pandas would read « now » as the time on the wall
    usable = words.str.contains(r"[0-9]") & words.str.fullmatch(r"[ -~]+")
    utc = pd.Series(pd.NaT, index=words.index, dtype="datetime64[us, UTC]")
    naive = pd.Series(pd.NaT, index=words.index, dtype="datetime64[us]")
    for form in mapping.time_formats:
        todo = usable & utc.isna() & naive.isna()
        if not todo.any():
            break
        offset = "%z" in form
        read = pd.to_datetime(words[todo], format=form, errors="coerce", utc=offset)
        target = utc if offset else naive
        target[todo] = read.astype(target.dtype)
    clock = mapping.t_resolution in CLOCK
    gap: Any = "NaT" if clock else "shift_forward"
    first, second = (
        naive.dt.tz_localize(mapping.timezone, ambiguous=np.full(len(naive), summer), nonexistent=gap)
        for summer in (True, False)
    )
    twice = np.asarray(first.notna() & (first != second), dtype=np.bool_) & clock
    found = utc.where(utc.notna(), first.dt.tz_convert("UTC")).astype("datetime64[us, UTC]")
    if len(found) == 0:
        return pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]"), np.zeros(len(texts), dtype=np.bool_)
    t = found.take(np.maximum(codes, 0)).set_axis(texts.index)
    return t.where(codes >= 0), twice[np.maximum(codes, 0)] & (codes >= 0)


def places(
    x: FloatArray, y: FloatArray, mapping: TableMapping, *, crs: str
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.str_]]:
    """Published coordinates in ``crs`` as metres, and what is wrong with each.

    Returns
    -------
    x_m, y_m : ndarray
        In ``mapping.into``; NaN where the place is missing or not within ``mapping.bounds``.
    verdict : ndarray of str
        Slug of a reason, or "".
    """
    present = ~(np.isnan(x) | np.isnan(y))
    verdict = np.full(x.shape, "", dtype="<U16")
    inside = present & _within(x, y, mapping, crs=crs)
    lost = np.flatnonzero(present & ~inside)
    if lost.size:
        u, v = x[lost], y[lost]
        verdict[lost] = Reason.OUT_OF_EXTENT
        if is_geographic(crs):
            verdict[lost[(np.abs(u) > 180) | (np.abs(v) > 90)]] = Reason.WRONG_CRS
        else:
            verdict[lost[_within(u, v, mapping, crs=CRS_LONLAT)]] = Reason.WRONG_CRS
        verdict[lost[_within(v, u, mapping, crs=crs)]] = Reason.SWAPPED_LONLAT
    x_m, y_m = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    if inside.any():
        x_m[inside], y_m[inside] = transformer(crs, mapping.into).transform(x[inside], y[inside])
    return x_m, y_m, verdict


def _within(x: FloatArray, y: FloatArray, mapping: TableMapping, *, crs: str) -> BoolArray:
    lon, lat = (x, y) if crs == CRS_LONLAT else transformer(crs, CRS_LONLAT).transform(x, y)
    return within(lon, lat, mapping.bounds)


def _zone_points(zones: pd.Series, mapping: TableMapping) -> tuple[FloatArray, FloatArray, npt.NDArray[np.str_]]:
    nowhere = (np.nan, np.nan)
    names = [None if pd.isna(z) else zone_name(z) for z in zones]
    points = [nowhere if name is None else mapping.zones.get(name, nowhere) for name in names]
    xy = np.array(points, dtype=np.float64).reshape(-1, 2)
    unknown = np.array([n is not None and n not in mapping.zones for n in names], dtype=np.bool_)
    return xy[:, 0], xy[:, 1], np.where(unknown, Reason.UNKNOWN_ZONE.value, "").astype("<U16")


def decode(rows: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Give the mapped fields of a table their types, without judging them.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of :func:`number_rows`.
    spec : TableSpec

    Returns
    -------
    pandas.DataFrame
        The columns of the lake that do not come from the file itself, with ``t_event_text``, ``x``, ``y`` or
        ``zone``, ``place`` (what is wrong with it) and ``wrong_type`` (the field that is no number, or "").
    """
    mapping = spec.mapping
    if mapping.missing:
        rows = rows.assign(**{n: rows[n].where(~rows[n].isin(mapping.missing), "") for n in spec.fields})
    texts = {role: as_texts(rows[role].tolist())[0] for role in ("id", "t", "zone", "type") if role in spec.fields}
    out: dict[str, Any] = {"t_event_text": texts["t"]}
    out[T_EVENT], twice = instants(texts["t"], mapping)
    out[T_RESOLUTION] = pd.array(np.where(twice, AMBIGUOUS, mapping.t_resolution), dtype="str")
    wrong = np.full(len(rows), "", dtype=object)
    if mapping.zone:
        out["zone"] = texts["zone"]
        out[X_M], out[Y_M], place = _zone_points(texts["zone"], mapping)
    else:
        for axis in ("y", "x"):
            out[axis], bad = as_numbers(rows[axis].tolist(), from_text=True)
            wrong[bad] = axis
        out[X_M], out[Y_M] = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        place = np.full(len(rows), "", dtype="<U16")
        for crs in rows[SOURCE_CRS].unique():
            of = (rows[SOURCE_CRS] == crs).to_numpy(dtype=bool)
            out[X_M][of], out[Y_M][of], place[of] = places(out["x"][of], out["y"][of], mapping, crs=str(crs))
    out["wrong_type"], out["place"] = pd.array(wrong, dtype="str"), pd.array(place, dtype="str")
    constant = pd.Series([mapping.constant_type] * len(rows), dtype="str")
    out[TYPE] = texts["type"].str.strip() if "type" in texts else constant
    made = rows[CONTENT].astype("str") + "-" + rows[OCCURRENCE].astype("str")
    given = texts["id"].str.strip() if "id" in texts else pd.Series([None] * len(rows), dtype="str")
    out["ident"] = given if mapping.ident and mapping.ident_required else given.where(given.notna(), made.to_numpy())
    out[RECORD_ID] = f"{mapping.name}:" + out["ident"]
    for name, value in ((CRS, mapping.into), (PLACE_RESOLUTION, mapping.place_resolution), (FORMAT, mapping.label)):
        out[name] = pd.array([value] * len(rows), dtype="str")
    return pd.DataFrame(out)


def contract(spec: TableSpec) -> Any:
    """Build the pandera contract for frames made by :func:`decode`; checks bear the slugs of reasons."""
    start, end = spec.mapping.window
    present = slug_check(Reason.MISSING_FIELD, lambda s: s.notna())
    place = (Reason.SWAPPED_LONLAT, Reason.WRONG_CRS, Reason.OUT_OF_EXTENT, Reason.UNKNOWN_ZONE)
    columns: dict[str, Any] = {
        "wrong_type": pa.Column("str", slug_check(Reason.WRONG_TYPE, lambda s: s == "")),
        "ident": pa.Column(
            "str",
            [present, slug_check(Reason.BAD_ID, lambda s: s.isna() | s.str.fullmatch(_ID))],
            nullable=True,
        ),
        "t_event_text": pa.Column("str", present, nullable=True),
        T_EVENT: pa.Column(
            "datetime64[us, UTC]",
            [
                slug_check(Reason.IMPOSSIBLE_TIME, lambda s: s.notna()),
                slug_check(Reason.TIME_OUT_OF_WINDOW, lambda s: s.isna() | ((s >= start) & (s < end))),
            ],
            nullable=True,
        ),
        "place": pa.Column("str", [slug_check(r, lambda s, slug=r.value: s != slug) for r in place]),
        TYPE: pa.Column("str", present, nullable=True),
    }
    for name in ("zone",) if spec.mapping.zone else ("x", "y"):
        columns[name] = pa.Column("str" if name == "zone" else float, present, nullable=True)
    return pa.DataFrameSchema(columns, name=spec.mapping.label)


def split(rows: pd.DataFrame, spec: TableSpec) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part rows that meet the contract from those that do not; results as of :func:`ingest.contracts.split`.

    ``good`` also has ``row_sha256``, the digest of what each record says.
    """
    rows = rows.reset_index(drop=True)
    frame = decode(rows, spec)
    broken = broken_checks(frame, contract(spec))
    carried = [c for c in rows.columns if c not in spec.fields]
    merged = pd.concat([rows[carried], frame], axis=1)
    good, bad = part(merged, broken, detail=lambda cases, index: _detail(cases, rows.iloc[index], spec))
    good[ROW_SHA256] = pd.array(_said(good), dtype="str")
    return good, bad


def _said(good: pd.DataFrame) -> list[str]:
    """Digest of what each record says: instant, place to the millimetre, how good both are, type."""
    columns = [
        good[T_EVENT].astype("int64").tolist(),
        (good[X_M] * 1000).round().astype("int64").tolist(),
        (good[Y_M] * 1000).round().astype("int64").tolist(),
        *(good[name].tolist() for name in (CRS, T_RESOLUTION, PLACE_RESOLUTION, TYPE)),
    ]
    return [hashlib.sha256(_encode(said).encode()).hexdigest() for said in zip(*columns, strict=True)]


def _detail(cases: Sequence[tuple[str, str]], row: pd.Series, spec: TableSpec) -> str:
    """Every failed check with the values it looked at, under the names that the mapping gives their columns."""
    looked_at = {
        "ident": ("id",),
        "t_event_text": ("t",),
        T_EVENT: ("t",),
        "place": ("x", "y", "zone"),
        TYPE: ("type",),
    }
    seen: list[str] = []
    for column, reason in cases:
        at = looked_at.get(column, ("x", "y") if column == "wrong_type" else (column,))
        roles = [role for role in at if role in spec.fields]
        values = ", ".join(f"{spec.mapping.roles[role][0] or role}={str(row[role])[:60]!r}" for role in roles)
        seen.append(f"{reason}({values})")
    return "; ".join(dict.fromkeys(seen))[:1000]
