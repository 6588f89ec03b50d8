"""Retention: take out of a lake every row of an event before a date, for good, and leave a line that says so.

Records, rows in quarantine and rows that left it, files of earlier versions, the log: see
:mod:`contrechamp.store.retention`. A row set aside is dated from its bytes (:mod:`ingest.dating`), and where it shows
no time by the latest dated row of its file; what nothing dates stays, and is counted, unless it is asked for.

Afterwards a file of that time may come again, under its name or another: its rows are counted as quarantined, reason
``purged``, with their place in the file and nothing of their contents. A row never seen before that is older than the
date is treated alike: a retention date holds for whoever comes late.

What it cannot tell you: that nothing of it is left elsewhere. Runs, exports, evidence bundles and backups made before
are to be looked for where they were put.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from contrechamp.domain.columns import RAW, SOURCE_FILE, SOURCE_ROW
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.pipelines.keys import register
from contrechamp.store import lake as store
from contrechamp.store import lock, retention
from contrechamp.store.remote import shown
from ingest.dating import dated
from ingest.keys import KeyRing, as_ring


@dataclass(frozen=True, slots=True)
class PurgeLine:
    """What a purge does to one stream in one table.

    Attributes
    ----------
    table, stream : str
        ``table`` is the stream's own, or one of those that keep raw rows.
    rows : int
        Rows removed; rows that would be, in a dry run.
    digest : str
        HMAC-SHA256, under the current pseudonymisation key, of their sorted identifiers, one per line.
    undated : int
        Rows set aside that nothing dates and that stay.
    """

    table: str
    stream: str
    rows: int
    digest: str
    undated: int = 0


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge did, or would do.

    Attributes
    ----------
    before : str
        The retention date, ISO 8601.
    dry_run : bool
    lines : tuple of PurgeLine
    files : int
        Data files taken away: those that held the rows, and those that no version used any more.
    """

    before: str
    dry_run: bool
    lines: tuple[PurgeLine, ...]
    files: int

    @property
    def rows(self) -> int:
        """Rows removed, or that would be."""
        return sum(line.rows for line in self.lines)

    @property
    def undated(self) -> int:
        """Rows set aside that nothing dates and that stay."""
        return sum(line.undated for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain form for ``--json``."""
        return {
            "before": self.before, "dry_run": self.dry_run, "rows": self.rows, "undated": self.undated,
            "files": self.files, "lines": [asdict(line) for line in self.lines],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Raw:
    """Rows of one stream in one table that keeps raw rows."""

    table: str
    leaving: pd.DataFrame
    line: PurgeLine


def purge(
    lake: str | Path,
    *,
    before: pd.Timestamp,
    key: KeyRing | bytes,
    asked_at: pd.Timestamp,
    streams: Sequence[str] | None = None,
    undated: bool = False,
    dry_run: bool = False,
    storage_options: dict[str, str] | None = None,
) -> PurgeReport:
    """Remove the rows of events before a date from a lake.

    Parameters
    ----------
    lake : str or Path
    before : Timestamp
        tz-aware. Rows with ``t_event`` before it go.
    key : KeyRing or bytes
        The lake's own.
    asked_at : Timestamp
        When the removal was asked for; stands in the tombstone, changes nothing else.
    streams : sequence of str, optional
        By default, all those the lake has.
    undated : bool, default=False
        Also remove the rows set aside that nothing dates.
    dry_run : bool, default=False
        Count and change nothing.
    storage_options : dict, optional

    Returns
    -------
    PurgeReport
        The second time, no row.

    Raises
    ------
    ContractError
        If there is no lake there, it was built under another key, or somebody is at work on it.
    ParameterError
        If a stream is unknown, or a date has no time zone.
    """
    ring = as_ring(key)
    for name, instant in (("before", before), ("asked_at", asked_at)):
        if instant.tzinfo is None:
            raise ParameterError(f"The `{name}` parameter of purge must be a tz-aware instant. Got {instant}.")
    names = _streams(lake, streams, storage_options)
    store.prepare(lake, [n for n in names if n != "incidents"], mark=ring.mark, storage_options=storage_options)
    if not dry_run:
        register(lake, ring, storage_options=storage_options)
    with lock.held(lake, alone=True) as alone:
        lines: list[PurgeLine] = []
        raws: list[_Raw] = []
        for name in names:
            ids = retention.older(lake, name, before, storage_options=storage_options)
            lines.append(PurgeLine(name, name, len(ids), _digest(ids, ring.current)))
            raws += _set_aside(lake, name, before, key=ring.current, undated=undated, options=storage_options)
        lines += [raw.line for raw in raws]
        files = 0
        if not dry_run:
            _note(lake, lines, before, asked_at, storage_options)
            for raw in raws:  # before the records, by which some of these rows are dated if this is killed here
                retention.delete_raw(lake, raw.table, raw.leaving, storage_options=storage_options)
            for name in names:
                retention.delete_older(lake, name, before, storage_options=storage_options)
            for table in (*names, *retention.RAW_TABLES):
                files += retention.scour(lake, table, alone=alone, storage_options=storage_options)
    return PurgeReport(before.tz_convert("UTC").isoformat(), dry_run, tuple(lines), files)


def _streams(lake: str | Path, streams: Sequence[str] | None, options: dict[str, str] | None) -> tuple[str, ...]:
    unknown = sorted(set(streams or ()) - set(retention.EVENT_TABLES))
    if unknown:
        raise ParameterError(
            f"No stream is named {', '.join(unknown)}. The streams are {', '.join(retention.EVENT_TABLES)}."
        )
    there = retention.tables_there(lake, retention.EVENT_TABLES, storage_options=options)
    if not there:
        raise ContractError(f"There is no stream in a lake at {shown(lake)}. Check the address of the lake.")
    return tuple(name for name in there if streams is None or name in streams)


def _set_aside(
    lake: str | Path,
    stream: str,
    before: pd.Timestamp,
    *,
    key: bytes,
    undated: bool,
    options: dict[str, str] | None,
) -> list[_Raw]:
    """Find the rows of a stream that were set aside and must go, in each table that keeps raw rows."""
    found: list[_Raw] = []
    for table in retention.RAW_TABLES:
        rows = retention.raw_rows(lake, table, stream, storage_options=options)
        rows = rows[rows[RAW].map(len) > 0].reset_index(drop=True)  # what a purge has emptied already stays as it is
        if rows.empty:
            continue
        latest = retention.latest_of_files(lake, stream, rows[SOURCE_FILE], storage_options=options)
        times = dated(rows, stream=stream, latest=latest)
        gone = times < before
        if undated:
            gone |= times.isna()
        leaving = rows[gone].drop(columns=RAW)
        ids = sorted(f"{file}\x1f{line}" for file, line in leaving[[SOURCE_FILE, SOURCE_ROW]].itertuples(index=False))
        left = int(times.isna().sum()) if not undated else 0
        found.append(_Raw(table, leaving, PurgeLine(table, stream, len(ids), _digest(ids, key), left)))
    return found


def _digest(ids: Sequence[str], key: bytes) -> str:
    return hmac.digest(key, b"purge\x1f" + "\n".join(ids).encode(), hashlib.sha256).hex()


def _note(
    lake: str | Path,
    lines: Sequence[PurgeLine],
    before: pd.Timestamp,
    asked_at: pd.Timestamp,
    options: dict[str, str] | None,
) -> None:
    """Write the tombstones that are not there yet. A line of no row is one only where it sets the date."""
    there = retention.read_purges(lake, storage_options=options)
    dates = there[there["table"] == there["stream"]].groupby("stream")["before"].max().to_dict()
    new = [
        line
        for line in lines
        if line.rows or (line.table == line.stream and not (line.stream in dates and dates[line.stream] >= before))
    ]
    frame = pd.DataFrame(
        {
            "table": pd.array([line.table for line in new], dtype="str"),
            "stream": pd.array([line.stream for line in new], dtype="str"),
            "before": pd.Series([before.tz_convert("UTC")] * len(new), dtype="datetime64[us, UTC]"),
            "asked_at": pd.Series([asked_at.tz_convert("UTC")] * len(new), dtype="datetime64[us, UTC]"),
            "rows": pd.array([line.rows for line in new], dtype="int64"),
            "digest": pd.array([line.digest for line in new], dtype="str"),
        }
    )
    retention.note_purge(lake, frame, storage_options=options)
