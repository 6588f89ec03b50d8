"""The lake: one Delta table per stream, one for quarantine and what left it, one ledger of the files taken in.

A row is appended only if no row of its identity is there, so writing twice changes nothing, and every write is a Delta
commit, so a reader sees all of it or none. Writes of a batch go records, quarantine, ledger: an ingest killed at any
point is completed by running it again, because a file without a line in the ledger is simply read again.

Two ingests at once: every append bears the same application transaction, which the Delta protocol lets only one of two
concurrent commits have. The one that comes second is told (:class:`Overtaken`), looks at what the first has added, and
judges its rows anew. See :class:`Writer`.

Where: a folder, or any URL the Delta engine knows (``s3://…``).

What it cannot tell you: a Delta log lists what was committed and when; it does not stop who owns the storage from
rewriting it. The evidence bundle's hashes and signature are for that.

Notes
-----
Nothing new to append, no new version: the version of a table is unchanged by a second ingest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler

from contrechamp.domain import columns as c
from contrechamp.domain.errors import CapabilityError, ContractError, ParameterError
from contrechamp.domain.fingerprint import PrintArray, fingerprints
from contrechamp.domain.streams import LAYOUTS, Kind
from contrechamp.store.index import FileIndex
from contrechamp.store.remote import said, shown

_TIME: Final = pa.timestamp("us", tz="UTC")
_TRACE: Final = [(c.SOURCE_FILE, pa.string()), (c.SOURCE_ROW, pa.int64()), (c.ROW_SHA256, pa.string())]

QUARANTINE: Final = "quarantine"
REPAIRED: Final = "repaired"
LEDGER: Final = "ingested_files"
#: What was removed for good, and the keys a lake has been built with: see :mod:`contrechamp.store.retention`.
PURGES: Final = "purges"
KEYS: Final = "pseudonym_keys"

#: Column of :data:`REPAIRED`: SHA-256 of the edition of the file in which the row is no longer at fault.
REPAIRED_BY: Final = "repaired_by"
FILE_SHA256: Final = "file_sha256"

#: Columns whose values hardly repeat: a dictionary of them would only cost time and room.
_UNIQUE: Final = ColumnProperties(dictionary_enabled=False)
_STEPS: Final = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")

_KEY_MARK: Final = "key mark "

#: Name of the application transaction that all appends bear.
_APPLICATION: Final = "contrechamp-ingest"

#: Times a commit is tried when other writers come first.
ATTEMPTS: Final = 16

_ARROW: Final[Mapping[Kind, Any]] = {
    "text": pa.string(), "time": _TIME, "number": pa.float64(), "integer": pa.int64(), "flag": pa.bool_(),
}  # fmt: skip
_SET_ASIDE: Final = [
    (c.STREAM, pa.string()), (c.SOURCE_FILE, pa.string()), (FILE_SHA256, pa.string()), (c.SOURCE_ROW, pa.int64()),
    (c.REASON, pa.string()), ("detail", pa.string()), (c.RAW, pa.binary()), (c.ROW_SHA256, pa.string()),
]  # fmt: skip

#: Table → Arrow schema.
SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    **{
        key: pa.schema([*((name, _ARROW[kind]) for name, kind in layout.columns), *_TRACE])
        for key, layout in LAYOUTS.items()
    },
    "incidents": pa.schema([
        (c.RECORD_ID, pa.string()), (c.T_EVENT, _TIME), ("t_resolution", pa.string()), (c.X_M, pa.float64()),
        (c.Y_M, pa.float64()), ("crs", pa.string()), ("place_resolution", pa.string()), (c.TYPE, pa.string()),
        ("format", pa.string()), ("source_columns", pa.string()), *_TRACE,
    ]),
    QUARANTINE: pa.schema(_SET_ASIDE),
    REPAIRED: pa.schema([*_SET_ASIDE, (REPAIRED_BY, pa.string())]),
    LEDGER: pa.schema([
        (c.STREAM, pa.string()), (c.SOURCE_FILE, pa.string()), ("sha256", pa.string()), ("rows_in", pa.int64()),
        ("committed", pa.int64()), ("quarantined", pa.int64()), ("duplicates", pa.int64()),
    ]),
    PURGES: pa.schema([
        ("table", pa.string()), (c.STREAM, pa.string()), ("before", _TIME), ("asked_at", _TIME), ("rows", pa.int64()),
        ("digest", pa.string()),
    ]),
    KEYS: pa.schema([("since", _TIME), ("mark", pa.string())]),
}  # fmt: skip

#: Table → columns that identify a row. The last of them alone nearly does.
IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    **{key: (c.RECORD_ID,) for key in (*LAYOUTS, "incidents")},
    QUARANTINE: (c.STREAM, c.SOURCE_FILE, FILE_SHA256, c.SOURCE_ROW, c.ROW_SHA256),
    REPAIRED: (c.STREAM, c.SOURCE_FILE, FILE_SHA256, c.SOURCE_ROW, c.ROW_SHA256),
    LEDGER: (c.STREAM, c.SOURCE_FILE, "sha256"),
    PURGES: ("table", c.STREAM, "before", "digest"),
    KEYS: ("mark",),
}

#: A lake travels in the evidence: half the size of the default compression, in less time.
_PACKED: Final[Mapping[str, WriterProperties]] = {
    table: WriterProperties(
        compression="ZSTD",
        column_properties={
            **{name: _STEPS for name in schema.names if schema.field(name).type in (_TIME, pa.int64())},
            **{
                name: _UNIQUE
                for name in schema.names
                if name in (c.RECORD_ID, c.ROW_SHA256, c.X_M, c.Y_M) or name.endswith("_pseudonym")
            },
        },
    )
    for table, schema in SCHEMAS.items()
}

#: Files whose identifying columns a writer keeps in memory.
_RECENT: Final = 4

#: What is read of committed records to tell duplicates from contradictions.
_KNOWN: Final = (c.RECORD_ID, c.ROW_SHA256, c.SOURCE_FILE, c.SOURCE_ROW)


class Overtaken(Exception):  # noqa: N818 - an event, not a fault
    """Another ingest has committed to the table since it was looked at. Nothing was written."""


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
    for table in (*streams, QUARANTINE, REPAIRED, LEDGER):
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
    for table in ("incidents", QUARANTINE, REPAIRED, LEDGER):
        there = _ensure(lake, table, crs if table == "incidents" else None, storage_options)
        if table == "incidents" and there != crs:
            raise ContractError(
                f"The table incidents of the lake {lake} holds metres of {there or 'an unknown system'}, and these are "
                f"metres of {crs}: in one table, distances between them would mean nothing. Ingest into a new lake, or "
                f"map both tables into one system that suits both places."
            )


def _ensure(lake: str | Path, table: str, description: str | None, storage_options: dict[str, str] | None) -> str:
    """Create a table unless it is there; return the description it bears, whoever created it."""
    with storage(lake, table):
        opened = _open(lake, table, storage_options)
        if opened is None:
            opened = _create(lake, table, description=description, storage_options=storage_options)
        names = [field.name for field in opened.schema().fields]
        if names != SCHEMAS[table].names:
            raise ContractError(
                f"The table {table} of the lake {lake} has other columns than this version writes: it was built by "
                "another version. Ingest the raw files into a new lake."
            )
        return str(opened.metadata().description or "")


@contextmanager
def storage(lake: str | Path, table: str) -> Iterator[None]:
    """Turn what the storage says into one paragraph.

    Raises
    ------
    CapabilityError
        If it cannot be read or written: full, read-only, not reachable.
    """
    try:
        yield
    except CommitFailedError:
        raise
    except (OSError, DeltaError) as cause:
        raise CapabilityError(
            f"The table {table} of the lake {shown(lake)} cannot be read or written: {said(cause)}. What was committed "
            "before is whole and nothing is lost: see that the place exists, has room and lets you write, then run "
            "this again."
        ) from (None if "://" in str(lake) else cause)  # what an object store answers may name credentials


class Writer:
    """Appends to one table of the lake the rows it does not have yet.

    Parameters
    ----------
    lake : str or Path
    table : str
    storage_options : dict, optional

    Notes
    -----
    Which rows there may be is kept as fingerprints of the identifying column, read once from the files of the table;
    a candidate is then compared in full. :meth:`known` looks at the latest version, :meth:`append` refuses to write if
    another ingest has committed since, so that the two together are one transaction.
    """

    def __init__(self, lake: str | Path, table: str, *, storage_options: dict[str, str] | None = None) -> None:
        self._lake, self._name, self._options = lake, table, storage_options
        self._schema, self._identity = SCHEMAS[table], IDENTITY[table]
        self._index = FileIndex()
        self._files: dict[str, int] = {}
        self._gone: set[int] = set()
        with storage(lake, table):
            opened = _open(lake, table, storage_options)
            if opened is None:
                opened = _create(lake, table, storage_options=storage_options)
        self._table = opened
        self._pending: tuple[PrintArray, pa.Table] | None = None  # what was just appended, its file not yet known
        self._recent: dict[int, pa.Table] = {}  # the last files in memory: who comes twice comes soon

    @property
    def version(self) -> int:
        """Delta version last looked at."""
        return int(self._table.version())

    def known(self, values: pd.Series, prints: PrintArray, *, columns: Sequence[str] = _KNOWN) -> pd.DataFrame:
        """Rows of the table whose identifying column is among ``values``, as of now.

        Parameters
        ----------
        values : pandas.Series of str
        prints : ndarray of uint64
            :func:`~contrechamp.domain.fingerprint.fingerprints` of ``values``.
        columns : sequence of str
            What to read of them.
        """
        with storage(self._lake, self._name):
            for _ in range(ATTEMPTS):
                try:
                    self._look()
                    return self._rows(values, prints, list(columns))
                except FileNotFoundError:  # another writer has just replaced the file
                    continue
            self._look()
            return self._rows(values, prints, list(columns))

    def append(self, frame: pd.DataFrame, prints: PrintArray | None = None) -> int:
        """Append rows of which :meth:`known` has just shown that none is there.

        Raises
        ------
        Overtaken
            If another ingest has committed to this table since. Look again.
        """
        if frame.empty:
            return 0
        data = pa.Table.from_arrays([_arrow(frame[f.name], f.type) for f in self._schema], schema=self._schema)
        mine = CommitProperties(app_transactions=[Transaction(_APPLICATION, self.version + 1)])
        with storage(self._lake, self._name):
            try:
                write_deltalake(
                    self._table, data, mode="append", writer_properties=_PACKED[self._name], commit_properties=mine
                )
            except CommitFailedError as cause:
                raise Overtaken from cause
        key = self._identity[-1]
        held = data.select(list(dict.fromkeys((*self._identity, *(n for n in _KNOWN if n in data.column_names)))))
        self._pending = (fingerprints(data[key]) if prints is None else prints, held)
        return len(frame)

    def add(self, frame: pd.DataFrame) -> int:
        """Append the rows that the table does not have; return how many. A row already there is left as it is.

        Raises
        ------
        ContractError
            If other writers keep committing to the same table.
        """
        identity = list(self._identity)
        frame = frame.drop_duplicates(identity, keep="first")
        if frame.empty:
            return 0
        prints = fingerprints(frame[identity[-1]])
        for _ in range(ATTEMPTS):
            there = self.known(frame[identity[-1]], prints, columns=identity)
            new = np.ones(len(frame), dtype=np.bool_)
            if len(there):
                new = ~pd.MultiIndex.from_frame(frame[identity]).isin(pd.MultiIndex.from_frame(there))
            try:
                return self.append(frame[new], prints[new])
            except Overtaken:
                continue
        raise overtaken_for_good(self._lake, self._name)

    def _look(self) -> None:
        """Read the latest version, and the fingerprints of the files that are new in it."""
        try:
            self._table.update_incremental()
        except DeltaError:  # the log was cut behind us by who maintains the lake
            self._table = DeltaTable(table_url(self._lake, self._name), storage_options=self._options)
        paths = set(pa.table(self._table.get_add_actions())["path"].to_pylist())
        new = sorted(paths - self._files.keys())
        for path in new:
            self._files[path] = number = len(self._files)
            if self._pending is not None and len(new) == 1:
                prints, self._recent[number] = self._pending
                self._recent.pop(number - _RECENT, None)
                self._index.add(prints, number)
            else:
                self._index.add(fingerprints(self._read(path, [self._identity[-1]]).column(0)), number)
        if new:
            self._pending = None
        self._gone = {number for path, number in self._files.items() if path not in paths}

    def _rows(self, values: pd.Series, prints: PrintArray, columns: list[str]) -> pd.DataFrame:
        empty = pa.schema([self._schema.field(name) for name in columns]).empty_table()
        there, numbers = self._index.files_with(prints)
        if not there.any():
            return _plain(empty)
        wanted = pa.array(values[there].drop_duplicates()).cast(pa.string())
        by_number = {number: path for path, number in self._files.items()}
        key = self._identity[-1]
        found = []
        for number in sorted(numbers - self._gone):
            part = self._recent.get(number)
            if part is None:
                part = self._read(by_number[number], [*dict.fromkeys((*columns, key))])
            found.append(part.filter(pc.is_in(part.column(key), value_set=wanted)).select(columns))
        return _plain(pa.concat_tables([empty, *found]))

    def _read(self, path: str, columns: list[str]) -> Any:
        handler = DeltaStorageHandler(table_url(self._lake, self._name), self._options)
        with pa_fs.PyFileSystem(handler).open_input_file(path) as file:
            part = pq.ParquetFile(file).read(columns=columns, use_threads=False).select(columns)
        return part.cast(pa.schema([self._schema.field(name) for name in columns]))


def overtaken_for_good(lake: str | Path, table: str) -> ContractError:
    """Say that other writers keep committing first."""
    return ContractError(
        f"Other writers keep committing to {table_url(lake, table)}: {ATTEMPTS} attempts were overtaken. Nothing is "
        "lost or doubled. Run this again when they have ended."
    )


def merge(lake: str | Path, table: str, frame: pd.DataFrame, *, storage_options: dict[str, str] | None = None) -> int:
    """:meth:`Writer.add` of a writer used once."""
    return Writer(lake, table, storage_options=storage_options).add(frame) if len(frame) else 0


def known_records(
    lake: str | Path, stream: str, ids: pd.Series, *, storage_options: dict[str, str] | None = None
) -> pd.DataFrame:
    """Committed records that bear one of ``ids``: ``record_id row_sha256 source_file source_row``."""
    if _open(lake, stream, storage_options) is None:
        return _plain(pa.schema([SCHEMAS[stream].field(name) for name in _KNOWN]).empty_table())
    return Writer(lake, stream, storage_options=storage_options).known(ids, fingerprints(ids))


def repair(
    lake: str | Path, rows: pd.DataFrame, *, repaired_by: str, storage_options: dict[str, str] | None = None
) -> int:
    """Move rows of one file from quarantine to :data:`REPAIRED`; return how many.

    Parameters
    ----------
    lake : str or Path
    rows : pandas.DataFrame
        Identity of the rows (``IDENTITY["quarantine"]``).
    repaired_by : str
        SHA-256 of the edition of the file in which they are no longer at fault.

    Notes
    -----
    Added there first, then taken away here: killed in between, a row is in both until the ingest is run again.
    """
    identity = list(IDENTITY[QUARANTINE])
    with storage(lake, QUARANTINE):
        for _ in range(ATTEMPTS):
            opened = _open(lake, QUARANTINE, storage_options)
            if opened is None or rows.empty:
                return 0
            where = f"{c.STREAM} = {_quoted(rows[c.STREAM].iloc[0])} AND " + (
                f"{c.SOURCE_FILE} = {_quoted(rows[c.SOURCE_FILE].iloc[0])}"
            )
            held = _read_where(opened, rows[c.STREAM].iloc[0], rows[c.SOURCE_FILE].iloc[0])
            leaving = pd.MultiIndex.from_frame(held[identity]).isin(pd.MultiIndex.from_frame(rows[identity]))
            moved = held[leaving].assign(**{REPAIRED_BY: pd.array([repaired_by] * int(leaving.sum()), dtype="str")})
            Writer(lake, REPAIRED, storage_options=storage_options).add(moved)
            conditions = [
                f"({FILE_SHA256} = {_quoted(of)} AND {c.SOURCE_ROW} IN ({', '.join(map(str, part.tolist()))}))"
                for of, numbers in moved.groupby(FILE_SHA256)[c.SOURCE_ROW]
                for part in np.array_split(numbers.to_numpy(), max(1, len(numbers) // 1000))
            ]
            if not conditions:
                return 0
            try:
                opened.delete(f"{where} AND ({' OR '.join(conditions)})", writer_properties=_PACKED[QUARANTINE])
            except CommitFailedError:
                continue
            return int(leaving.sum())
    raise overtaken_for_good(lake, QUARANTINE)


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _read_where(opened: DeltaTable, stream: str, source_file: str) -> pd.DataFrame:
    schema = SCHEMAS[QUARANTINE]
    parts = (pa.Table.from_batches([b]).cast(schema) for b in opened.to_pyarrow_dataset().to_batches())
    found = [
        part.filter(pc.and_(pc.equal(part[c.STREAM], stream), pc.equal(part[c.SOURCE_FILE], source_file)))
        for part in parts
    ]
    return _plain(pa.concat_tables([schema.empty_table(), *found]))


def _create(
    lake: str | Path, table: str, *, description: str | None = None, storage_options: dict[str, str] | None = None
) -> DeltaTable:
    """Create an empty table, or open the one that another writer just made.

    An empty append, not ``DeltaTable.create``: the latter writes the absolute address of the table into its log, and a
    lake travels.
    """
    url = table_url(lake, table)
    cause: DeltaError | None = None
    try:
        write_deltalake(
            url, SCHEMAS[table].empty_table(), mode="ignore", description=description, storage_options=storage_options
        )
    except DeltaError as other:  # another writer was first; if it is something else, opening the table will say so
        cause = other
    try:
        return DeltaTable(url, storage_options=storage_options)
    except TableNotFoundError as absent:
        raise (cause or absent) from None


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
    """Where the rows set aside came from and why, without the rows themselves.

    Returns
    -------
    pandas.DataFrame
        ``stream source_file file_sha256 source_row reason row_sha256``.

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
    names = (c.STREAM, c.SOURCE_FILE, FILE_SHA256, c.SOURCE_ROW, c.REASON, c.ROW_SHA256)
    schema = pa.schema([SCHEMAS[QUARANTINE].field(n) for n in names])
    return _plain(opened.to_pyarrow_table(columns=schema.names).cast(schema))


def read_repaired(lake: str | Path, *, storage_options: dict[str, str] | None = None) -> pd.DataFrame:
    """Rows that left quarantine because a later edition of their file no longer has them at fault.

    ``repaired_by`` is the SHA-256 of that edition. The row was mended there, or taken out: the file does not say which.
    """
    return _read(lake, REPAIRED, list(IDENTITY[REPAIRED]), storage_options)


def read_ledger(lake: str | Path, *, storage_options: dict[str, str] | None = None) -> pd.DataFrame:
    """Files taken in, each with its digest and its counts."""
    return _read(lake, LEDGER, list(IDENTITY[LEDGER]), storage_options)


def _open(lake: str | Path, table: str, storage_options: dict[str, str] | None) -> DeltaTable | None:
    url = table_url(lake, table)
    with storage(lake, table):
        if not DeltaTable.is_deltatable(url, storage_options=storage_options):
            return None
        return DeltaTable(url, storage_options=storage_options)


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
    if pa.types.is_string(kind) and not len(values):
        return pa.array([], kind)
    array = pa.array(values, from_pandas=True)
    return array if array.type == kind else array.cast(kind)


def _plain(table: pa.Table) -> pd.DataFrame:
    """Arrow to pandas with ``str`` for texts, also where every value is missing."""
    frame: pd.DataFrame = table.to_pandas()
    texts = {f.name: "str" for f in table.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)}
    plain: pd.DataFrame = frame.astype(texts)
    return plain
