"""Remove rows from a lake so that no file of it holds them any more, and keep a line that says so.

A Delta table keeps its past: a deleted row stays in the files of earlier versions, and the log keeps the smallest and
largest value of each column of every file there ever was. So a removal is a deletion, then a *scouring*: files that the
present version does not use are taken away, the log is summed up in a checkpoint and cut before it (or, where another
writer may be looking at it, emptied of those values). Time travel ends there; so does what could be found in it.

The table ``purges`` keeps the tombstones: which table and stream, before what instant, how many rows, and a keyed
digest of their identifiers, by which whoever has the key and a list of identifiers can check that this is what was
removed. They are written before anything is removed, and the ingest looks at them: nothing older than the date comes in
again.

What it cannot tell you: that no copy is left. Backups, a bucket that keeps versions, exports, evidence bundles and
whatever a reader has taken away are outside the lake.

Notes
-----
Killed at any point, a removal is finished by asking for it again. A file that an ingest was writing when it was killed
is in no version of a table; it goes too, at once where the lake could be locked, and once it is
:data:`GRACE_H` hours old where it could not (object stores): there, it may belong to a commit in the making.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler

from contrechamp.domain import columns as c
from contrechamp.domain.errors import ContractError
from contrechamp.store import lake as store

#: Tables whose rows are events: those a retention date applies to.
EVENT_TABLES: Final = tuple(name for name, schema in store.SCHEMAS.items() if c.T_EVENT in schema.names)
#: Tables that keep raw rows.
RAW_TABLES: Final = (store.QUARANTINE, store.REPAIRED)

#: Hours for which a file that no version uses is left alone where the lake cannot be locked.
GRACE_H: Final = 1

_PACKED: Final = WriterProperties(compression="ZSTD")
_LOG_FILE: Final = re.compile(r"(\d{20})\.")
_Options = dict[str, str] | None


def _open(lake: str | Path, table: str, options: _Options) -> DeltaTable | None:
    with store.storage(lake, table):
        url = store.table_url(lake, table)
        if not DeltaTable.is_deltatable(url, storage_options=options):
            return None
        return DeltaTable(url, storage_options=options)


def tables_there(lake: str | Path, names: Iterable[str], *, storage_options: _Options = None) -> tuple[str, ...]:
    """Those of ``names`` that the lake has a table of."""
    return tuple(name for name in names if _open(lake, name, storage_options) is not None)


def _batches(opened: DeltaTable, columns: Sequence[str]) -> Iterable[Any]:
    yield from opened.to_pyarrow_dataset().to_batches(columns=list(columns))


def _older(batch: Any, before: pd.Timestamp) -> Any:
    return pc.fill_null(
        pc.less(batch.column(c.T_EVENT), pa.scalar(before.to_pydatetime(), pa.timestamp("us", "UTC"))), False
    )


def older(lake: str | Path, stream: str, before: pd.Timestamp, *, storage_options: _Options = None) -> list[str]:
    """Identifiers of the records of events before an instant, sorted."""
    opened = _open(lake, stream, storage_options)
    if opened is None:
        return []
    with store.storage(lake, stream):
        found: list[str] = []
        for batch in _batches(opened, [c.RECORD_ID, c.T_EVENT]):
            found += batch.filter(_older(batch, before)).column(c.RECORD_ID).cast(pa.string()).to_pylist()
    return sorted(found)


def latest_event(lake: str | Path, *, storage_options: _Options = None) -> int | None:
    """Latest event of all streams, microseconds since 1970 UTC; None for a lake without events."""
    found: list[int] = []
    for table in EVENT_TABLES:
        opened = None if table == "incidents" else _open(lake, table, storage_options)
        if opened is None:
            continue
        with store.storage(lake, table):
            for batch in _batches(opened, [c.T_EVENT]):
                if (most := pc.max(batch.column(0).cast(pa.int64())).as_py()) is not None:
                    found.append(most)
    return max(found, default=None)


def latest_of_files(
    lake: str | Path, stream: str, files: Iterable[str], *, storage_options: _Options = None
) -> pd.Series:
    """Latest event committed from each of some files: a Series by file; those without records are left out."""
    opened = _open(lake, stream, storage_options)
    wanted = pa.array(sorted(set(files)), pa.string())
    parts: list[pd.Series] = []
    if opened is not None and len(wanted):
        with store.storage(lake, stream):
            for batch in _batches(opened, [c.SOURCE_FILE, c.T_EVENT]):
                there = batch.filter(pc.is_in(batch.column(0).cast(pa.string()), value_set=wanted)).to_pandas()
                parts.append(there.groupby(c.SOURCE_FILE)[c.T_EVENT].max())
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.Series([], dtype="datetime64[us, UTC]", index=pd.Index([], dtype="str"))
    found: pd.Series = pd.concat(parts).groupby(level=0).max()
    return found


def raw_rows(lake: str | Path, table: str, stream: str, *, storage_options: _Options = None) -> pd.DataFrame:
    """Rows of a stream in one of :data:`RAW_TABLES`: identity and ``raw``."""
    columns = [*store.IDENTITY[table], c.RAW]
    opened = _open(lake, table, storage_options)
    if opened is None:
        return pd.DataFrame(columns=columns)
    with store.storage(lake, table):
        parts = [
            part.filter(pc.equal(part.column(c.STREAM).cast(pa.string()), stream)).to_pandas()
            for part in _batches(opened, columns)
        ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def delete_older(lake: str | Path, stream: str, before: pd.Timestamp, *, storage_options: _Options = None) -> int:
    """Delete the records of events before an instant from the present version, in one commit; return how many."""
    opened = _open(lake, stream, storage_options)
    if opened is None:
        return 0
    instant = before.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with store.storage(lake, stream):
        done = opened.delete(f"{c.T_EVENT} < '{instant}'", writer_properties=_PACKED)
    return int(done["num_deleted_rows"] or 0)


def delete_raw(lake: str | Path, table: str, rows: pd.DataFrame, *, storage_options: _Options = None) -> int:
    """Delete rows of one stream from one of :data:`RAW_TABLES` by their identity, in one commit; return how many.

    Raises
    ------
    ContractError
        If another writer commits to the table meanwhile. Nothing is deleted then.
    """
    opened = _open(lake, table, storage_options)
    if opened is None or rows.empty:
        return 0
    schema, identity = store.SCHEMAS[table], list(store.IDENTITY[table])
    gone = pd.MultiIndex.from_frame(rows[identity])
    stream = str(rows[c.STREAM].iloc[0])
    with store.storage(lake, table):
        whole = pa.Table.from_batches(list(_batches(opened, schema.names))).cast(schema)
        of_stream = whole.filter(pc.equal(whole[c.STREAM], stream))
        leaving = pd.MultiIndex.from_frame(of_stream.select(identity).to_pandas()).isin(gone)
        kept = of_stream.filter(pa.array(~np.asarray(leaving, dtype=np.bool_)))
        try:
            if len(kept):
                write_deltalake(
                    opened, kept, mode="overwrite", predicate=f"{c.STREAM} = '{stream}'", writer_properties=_PACKED
                )
            else:
                opened.delete(f"{c.STREAM} = '{stream}'", writer_properties=_PACKED)
        except CommitFailedError:
            raise ContractError(
                f"Somebody else writes to {store.table_url(lake, table)} at the same time. Nothing was removed from "
                "it. Run this again when they have ended."
            ) from None
    return int(leaving.sum())


def scour(lake: str | Path, table: str, *, alone: bool, storage_options: _Options = None) -> int:
    """Take away the files that the present version of a table does not use, and its log before now.

    Parameters
    ----------
    lake : str or Path
    table : str
    alone : bool
        Nobody else is at work on the lake. Otherwise, a file that no version ever used is left alone while it is
        younger than :data:`GRACE_H` hours.

    Returns
    -------
    int
        Data files taken away.
    """
    opened = _open(lake, table, storage_options)
    if opened is None:
        return 0
    with store.storage(lake, table):
        files = pa_fs.PyFileSystem(DeltaStorageHandler(opened.table_uri, storage_options))
        there = {info.path for info in files.get_file_info(pa_fs.FileSelector("", recursive=True))}
        gone: set[str] = set()
        for full, hours in ((False, 0), (True, 0 if alone else GRACE_H)):
            how: dict[str, Any] = {"retention_hours": hours, "enforce_retention_duration": False, "full": full}
            # a file that is gone already is named as long as the log remembers it
            if leaving := set(opened.vacuum(dry_run=True, **how)) & there - gone:
                opened.vacuum(dry_run=False, **how)
                opened.update_incremental()
                gone |= leaving
        _cut_log(opened, files, alone=alone)
    return len(gone)


def _cut_log(opened: DeltaTable, files: Any, *, alone: bool) -> None:
    """Sum the log up in a checkpoint at the present version, then empty what comes before it of values.

    Alone, the earlier entries go. Otherwise they stay, without their statistics: a writer that looked at the table
    before must find the number of its next version taken, or its commit would land behind the checkpoint, unseen.
    """
    version = int(opened.version())
    names = [info.path for info in files.get_file_info(pa_fs.FileSelector("_delta_log"))]
    numbered = sorted((int(found[1]), name) for name in names if (found := _LOG_FILE.search(name.rsplit("/", 1)[-1])))
    before = [name for number, name in numbered if number < version]
    if not before:
        return
    if not any(number == version and ".checkpoint." in name for number, name in numbered):
        opened.create_checkpoint()
    for name in before:
        if alone or not name.endswith(".json"):
            files.delete_file(name)
        else:
            _without_statistics(files, name)


def _without_statistics(files: Any, name: str) -> None:
    with files.open_input_stream(name) as handle:
        entries = [json.loads(line) for line in handle.read().splitlines() if line.strip()]
    found = [action for entry in entries for action in entry.values() if isinstance(action, dict) and "stats" in action]
    if not found:
        return
    for action in found:
        del action["stats"]
    text = "\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    # the stream itself: what wraps it hands it buffers, which it does not take
    out = files.handler._handler.open_output_stream(name, None)
    out.write(text.encode())
    out.close()


def note_purge(lake: str | Path, lines: pd.DataFrame, *, storage_options: _Options = None) -> int:
    """Write tombstones (columns of the table ``purges``); one already there is left as it is."""
    return store.merge(lake, store.PURGES, lines, storage_options=storage_options)


def read_purges(lake: str | Path, *, storage_options: _Options = None) -> pd.DataFrame:
    """Tombstones: ``table stream before asked_at rows digest``, by date."""
    opened, schema = _open(lake, store.PURGES, storage_options), store.SCHEMAS[store.PURGES]
    if opened is None:
        nothing: pd.DataFrame = schema.empty_table().to_pandas()
        return nothing
    with store.storage(lake, store.PURGES):
        frame = opened.to_pyarrow_table(columns=schema.names).cast(schema).to_pandas()
    ordered: pd.DataFrame = frame.sort_values(["before", "table", c.STREAM, "digest"]).reset_index(drop=True)
    return ordered


def horizon(lake: str | Path, stream: str, *, storage_options: _Options = None) -> pd.Timestamp | None:
    """Instant before which the rows of a stream have been removed, and are not let in; None: no removal."""
    purges = read_purges(lake, storage_options=storage_options)
    dates = purges.loc[purges[c.STREAM] == stream, "before"]
    return None if dates.empty else dates.max()


def known_keys(lake: str | Path, *, storage_options: _Options = None) -> dict[str, int | None]:
    """Mark → first instant (µs since 1970 UTC; None: from the beginning) of each key of a lake under a ring."""
    opened = _open(lake, store.KEYS, storage_options)
    if opened is None:
        return {}
    with store.storage(lake, store.KEYS):
        table = opened.to_pyarrow_table(columns=["mark", "since"])
    since = table["since"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return dict(zip(table["mark"].to_pylist(), since.to_pylist(), strict=True))


def note_keys(lake: str | Path, lines: pd.DataFrame, *, storage_options: _Options = None) -> int:
    """Write keys that are new to a lake (columns of the table ``pseudonym_keys``)."""
    return store.merge(lake, store.KEYS, lines, storage_options=storage_options)
