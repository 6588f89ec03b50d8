"""The lake: one Delta table per stream, one for quarantine, one ledger of the files taken in.

Every write is a merge on the row's identity, so writing twice changes nothing, and a Delta commit, so a reader sees
all of it or none. Writes of a batch go quarantine, records, ledger: an ingest killed at any point is completed by
running it again, because a file without a line in the ledger is simply read again.

Where: a folder, or any URL the Delta engine knows (``s3://…``).

What it cannot tell you: a Delta log lists what was committed and when; it does not stop who owns the storage from
rewriting it. The evidence bundle's hashes and signature are for that.

Notes
-----
A merge that finds nothing new makes no new version, so the version of a table is unchanged by a second ingest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from contrechamp.domain import columns as c
from contrechamp.domain.errors import ContractError, ParameterError

_TIME: Final = pa.timestamp("us", tz="UTC")
_TRACE: Final = [(c.SOURCE_FILE, pa.string()), (c.SOURCE_ROW, pa.int64()), (c.ROW_SHA256, pa.string())]

QUARANTINE: Final = "quarantine"
LEDGER: Final = "ingested_files"

#: A lake travels in the evidence: half the size of the default compression, for the same time.
_PACKED: Final = WriterProperties(compression="ZSTD")

_KEY_MARK: Final = "key mark "

#: Times a commit is tried when other writers come first.
_ATTEMPTS: Final = 8

#: Table → Arrow schema.
SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    "mains_courantes": pa.schema([
        (c.RECORD_ID, pa.string()), (c.T_EVENT, _TIME), (c.T_ENTRY, _TIME), (c.X_M, pa.float64()),
        (c.Y_M, pa.float64()), (c.TYPE, pa.string()), (c.ORIGIN, pa.string()), (c.UNIT, pa.string()),
        (c.TEXT, pa.string()), (c.INFORMANT, pa.string()), *_TRACE,
    ]),
    "verbalisations": pa.schema([
        (c.RECORD_ID, pa.string()), (c.T_EVENT, _TIME), (c.X_M, pa.float64()), (c.Y_M, pa.float64()),
        (c.CODE, pa.string()), (c.ORIGIN, pa.string()), (c.VEHICLE_CLASS, pa.string()), (c.PLATE, pa.string()),
        *_TRACE,
    ]),
    "incidents": pa.schema([
        (c.RECORD_ID, pa.string()), (c.T_EVENT, _TIME), ("t_resolution", pa.string()), (c.X_M, pa.float64()),
        (c.Y_M, pa.float64()), ("crs", pa.string()), ("place_resolution", pa.string()), (c.TYPE, pa.string()),
        ("format", pa.string()), ("source_columns", pa.string()), *_TRACE,
    ]),
    QUARANTINE: pa.schema([
        (c.STREAM, pa.string()), (c.SOURCE_FILE, pa.string()), (c.SOURCE_ROW, pa.int64()), (c.REASON, pa.string()),
        ("detail", pa.string()), (c.RAW, pa.string()), (c.ROW_SHA256, pa.string()),
    ]),
    LEDGER: pa.schema([
        (c.STREAM, pa.string()), (c.SOURCE_FILE, pa.string()), ("sha256", pa.string()), ("rows_in", pa.int64()),
        ("committed", pa.int64()), ("quarantined", pa.int64()), ("duplicates", pa.int64()),
    ]),
}  # fmt: skip

#: Table → columns that identify a row.
IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    "mains_courantes": (c.RECORD_ID,),
    "verbalisations": (c.RECORD_ID,),
    "incidents": (c.RECORD_ID,),
    QUARANTINE: (c.STREAM, c.SOURCE_FILE, c.SOURCE_ROW, c.ROW_SHA256),
    LEDGER: (c.STREAM, c.SOURCE_FILE, "sha256"),
}


def table_url(lake: str | Path, table: str) -> str:
    """Address of a table of the lake."""
    if table not in SCHEMAS:
        raise ParameterError(f"The lake has no table {table!r}. It has {', '.join(SCHEMAS)}.")
    return f"{str(lake).rstrip('/')}/{table}"


def table_version(lake: str | Path, table: str, *, storage_options: dict[str, str] | None = None) -> int:
    """Delta version of a table; -1 when it does not exist."""
    opened = _open(lake, table, storage_options)
    return -1 if opened is None else int(opened.version())


def prepare(
    lake: str | Path, streams: Sequence[str], *, mark: str, storage_options: dict[str, str] | None = None
) -> None:
    """Create the tables that are missing and check that the lake was built under the same key.

    Parameters
    ----------
    lake : str or Path
    streams : sequence of str
    mark : str
        Mark of the pseudonymisation key, stored as the description of each stream's table.

    Raises
    ------
    ContractError
        If a table of the lake bears the mark of another key: the same person would get two pseudonyms.
    """
    for table in (*streams, QUARANTINE, LEDGER):
        description = f"{_KEY_MARK}{mark}" if table in streams else None
        there = _ensure(lake, table, description, storage_options)
        if description is not None and there != description:
            raise ContractError(
                f"The table {table} of the lake {lake} was built with another pseudonymisation key (mark "
                f"{there.removeprefix(_KEY_MARK) or 'absent'}, this key's is {mark}). The same person would bear "
                "two pseudonyms. Give the key the lake was built with, or ingest into a new lake."
            )


def prepare_incidents(lake: str | Path, *, crs: str, storage_options: dict[str, str] | None = None) -> None:
    """Create the tables that published incidents need and check that those there are in the same coordinate system.

    Parameters
    ----------
    lake : str or Path
    crs : str
        Of ``x_m`` and ``y_m``, stored as the description of the table.

    Raises
    ------
    ContractError
        If the table is in another system: distances between its rows would mean nothing.
    """
    for table in ("incidents", QUARANTINE, LEDGER):
        there = _ensure(lake, table, crs if table == "incidents" else None, storage_options)
        if table == "incidents" and there != crs:
            raise ContractError(
                f"The table incidents of the lake {lake} holds metres of {there or 'an unknown system'}, and these are "
                f"metres of {crs}: in one table, distances between them would mean nothing. Ingest into a new lake, or "
                f"map both tables into one system that suits both places."
            )


def _ensure(lake: str | Path, table: str, description: str | None, storage_options: dict[str, str] | None) -> str:
    """Create a table unless it is there; return the description it bears, whoever created it."""
    opened = _open(lake, table, storage_options)
    if opened is None:
        opened = _create(lake, table, description=description, storage_options=storage_options)
    return str(opened.metadata().description or "")


def merge(lake: str | Path, table: str, frame: pd.DataFrame, *, storage_options: dict[str, str] | None = None) -> int:
    """Insert the rows of ``frame`` that the table does not have, in one commit; return how many were inserted.

    Identity is :data:`IDENTITY`. A row already there is left as it is. Nothing to insert, no commit.

    Raises
    ------
    ContractError
        If other writers keep committing to the same table.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _merge_once(lake, table, frame, storage_options)
        except CommitFailedError:  # another writer committed in between: look again at what is there
            continue
    raise ContractError(
        f"Other writers keep committing to {table_url(lake, table)}: {_ATTEMPTS} attempts were overtaken. Nothing is "
        "lost or doubled. Run this again when they have ended."
    )


def _create(
    lake: str | Path, table: str, *, description: str | None = None, storage_options: dict[str, str] | None = None
) -> DeltaTable:
    """Create an empty table, or open the one that another writer just made.

    An empty append, not ``DeltaTable.create``: the latter writes the absolute address of the table into its log, and a
    lake travels.
    """
    url = table_url(lake, table)
    with suppress(DeltaError):  # another writer was first; if it is something else, opening the table will say so
        write_deltalake(
            url, SCHEMAS[table].empty_table(), mode="ignore", description=description, storage_options=storage_options
        )
    return DeltaTable(url, storage_options=storage_options)


def _merge_once(lake: str | Path, table: str, frame: pd.DataFrame, storage_options: dict[str, str] | None) -> int:
    schema = SCHEMAS[table]
    identity = list(IDENTITY[table])
    frame = frame.drop_duplicates(identity, keep="first")
    if frame.empty:
        return 0
    opened = _open(lake, table, storage_options)
    if opened is None:
        opened = _create(lake, table, storage_options=storage_options)
    there = _having(opened, identity[-1], frame[identity[-1]], columns=identity)
    if not there.empty:
        new = ~pd.MultiIndex.from_frame(frame[identity]).isin(pd.MultiIndex.from_frame(there))
        frame = frame[new]
        if frame.empty:
            return 0
    data = pa.Table.from_arrays([_arrow(frame[f.name], f.type) for f in schema], schema=schema)
    predicate = " AND ".join(f"target.{name} = source.{name}" for name in identity)
    # The merge repeats the test inside the transaction: another writer may have committed since.
    done: dict[str, Any] = (
        opened.merge(data, predicate=predicate, source_alias="source", target_alias="target", writer_properties=_PACKED)
        .when_not_matched_insert_all()
        .execute()
    )
    return int(done["num_target_rows_inserted"])


def known_records(
    lake: str | Path, stream: str, ids: pd.Series, *, storage_options: dict[str, str] | None = None
) -> pd.DataFrame:
    """Committed records that bear one of ``ids``: ``record_id row_sha256 source_file source_row``."""
    wanted = [c.RECORD_ID, c.ROW_SHA256, c.SOURCE_FILE, c.SOURCE_ROW]
    opened = _open(lake, stream, storage_options)
    if opened is None:
        return _plain(SCHEMAS[stream].empty_table().select(wanted))
    return _having(opened, c.RECORD_ID, ids, columns=wanted)


def read_stream(lake: str | Path, stream: str, *, storage_options: dict[str, str] | None = None) -> pd.DataFrame:
    """Records of a stream, sorted by ``record_id``.

    Returns
    -------
    pandas.DataFrame
        Columns of ``SCHEMAS[stream]``: times ``datetime64[us, UTC]``, coordinates EPSG:2154 metres, texts ``str``.
        ``incidents`` has metres of the system named in its column ``crs``. Empty, with its columns, when the lake
        has no such table yet.

    Raises
    ------
    ParameterError
        If ``stream`` is not a table of the lake.
    """
    return _read(lake, stream, [c.RECORD_ID], storage_options)


def read_quarantine(lake: str | Path, *, storage_options: dict[str, str] | None = None) -> pd.DataFrame:
    """Rows set aside, by stream, file and row. Personal data in clear: see :mod:`ingest.quarantine`."""
    return _read(lake, QUARANTINE, list(IDENTITY[QUARANTINE]), storage_options)


def quarantine_trace(lake: str | Path, *, storage_options: dict[str, str] | None = None) -> pd.DataFrame:
    """Where the rows set aside came from and why, without the rows: ``stream source_file source_row reason``.

    Raises
    ------
    ContractError
        If there is no lake there.
    """
    opened = _open(lake, QUARANTINE, storage_options)
    if opened is None:
        raise ContractError(
            f"There is no quarantine table at {table_url(lake, QUARANTINE)}, so no ingest has been here. "
            "Check the address of the lake, or ingest something into it first."
        )
    schema = pa.schema([SCHEMAS[QUARANTINE].field(n) for n in (c.STREAM, c.SOURCE_FILE, c.SOURCE_ROW, c.REASON)])
    return _plain(opened.to_pyarrow_table(columns=schema.names).cast(schema))


def read_ledger(lake: str | Path, *, storage_options: dict[str, str] | None = None) -> pd.DataFrame:
    """Files taken in, each with its digest and its counts."""
    return _read(lake, LEDGER, list(IDENTITY[LEDGER]), storage_options)


def _open(lake: str | Path, table: str, storage_options: dict[str, str] | None) -> DeltaTable | None:
    url = table_url(lake, table)
    if not DeltaTable.is_deltatable(url, storage_options=storage_options):
        return None
    return DeltaTable(url, storage_options=storage_options)


def _having(opened: DeltaTable, column: str, values: pd.Series, *, columns: list[str]) -> pd.DataFrame:
    """Rows of a table whose ``column`` is among ``values``, without reading the other columns."""
    schema = pa.schema([SCHEMAS[_name_of(opened)].field(name) for name in columns])
    if values.empty:
        return _plain(schema.empty_table())
    wanted = pa.array(values.drop_duplicates(), type=pa.string())
    # Filtered here and not by the data set: its file statistics may be string views, which Arrow cannot compare.
    found = [
        part.filter(pc.is_in(part.column(column), value_set=wanted))
        for part in (
            pa.Table.from_batches([batch]).cast(schema)
            for batch in opened.to_pyarrow_dataset().to_batches(columns=columns)
        )
    ]
    return _plain(pa.concat_tables([schema.empty_table(), *found]))


def _name_of(opened: DeltaTable) -> str:
    return str(opened.table_uri).rstrip("/").rsplit("/", 1)[-1]


def _read(lake: str | Path, table: str, order: list[str], storage_options: dict[str, str] | None) -> pd.DataFrame:
    opened = _open(lake, table, storage_options)
    schema = SCHEMAS[table]
    frame = _plain(
        schema.empty_table() if opened is None else opened.to_pyarrow_table(columns=schema.names).cast(schema)
    )
    return frame.sort_values(order, kind="stable").reset_index(drop=True)


def _arrow(values: pd.Series, kind: Any) -> Any:
    if kind == _TIME:
        return pa.array(values.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")).cast(_TIME)
    return pa.array(values, type=kind, from_pandas=True)


def _plain(table: pa.Table) -> pd.DataFrame:
    """Arrow to pandas with ``str`` for texts, also where every value is missing."""
    frame: pd.DataFrame = table.to_pandas()
    texts = {f.name: "str" for f in table.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)}
    plain: pd.DataFrame = frame.astype(texts)
    return plain
