"""The event tables of a lake, kept up to date in a PostgreSQL database with PostGIS.

For who works with QGIS or SQL. One table per stream, its point as ``geom`` in the metres of the lake, indexed by place
and by time. An export brings a table to the state of the lake in one transaction: rows that are new come in, rows that
were removed from the lake go, the others are not touched.

What it cannot tell you: more than the lake. The persons in it are the same pseudonyms, still personal data; who may
read the database is for its administrator to decide. A backup of the database keeps what a purge removes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.csv as pa_csv
from deltalake import DeltaTable

from contrechamp.domain import columns as c
from contrechamp.domain.errors import CapabilityError, ContractError, ParameterError
from contrechamp.store import lake as store
from contrechamp.store.remote import said, shown

#: Where the tables go by default.
SCHEMA: Final = "contrechamp"

#: Column that the point becomes.
GEOMETRY: Final = "geom"

_CONNECT_S: Final = 10
_COPY_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Synced:
    """What an export did to one table.

    Attributes
    ----------
    stream : str
    rows : int
        Rows of the lake, and so of the table.
    inserted, updated, deleted : int
        All zero the second time.
    """

    stream: str
    rows: int
    inserted: int
    updated: int
    deleted: int


def check_address(address: str) -> str:
    """Take ``postgresql://…`` or ``postgres://…``; refuse anything else.

    Raises
    ------
    ParameterError
    """
    if urlsplit(address).scheme not in ("postgresql", "postgres"):
        raise ParameterError(
            f"An export goes to a PostgreSQL database: postgresql://USER@HOST:PORT/DATABASE. Got {shown(address)!r}. "
            "The password is best left to PGPASSWORD or ~/.pgpass."
        )
    return address


@contextmanager
def connection(address: str) -> Iterator[Any]:
    """Connect to a database, see that it has PostGIS, and close it in the end.

    Yields
    ------
    psycopg.Connection

    Raises
    ------
    CapabilityError
        If the driver is missing, the server cannot be reached or refuses, or PostGIS is missing. No message contains a
        password.
    ContractError
        If the database refuses what it is given.
    """
    check_address(address)
    try:
        import psycopg
    except ImportError:
        raise CapabilityError(
            "The driver of PostgreSQL is not installed. Install it with: pip install 'contrechamp[postgres]'"
        ) from None
    secrets = _secrets(address)
    where = shown(address)
    try:
        with psycopg.connect(address, connect_timeout=_CONNECT_S, autocommit=True) as opened:
            _have_postgis(opened, where)
            yield opened
    except psycopg.OperationalError as cause:
        raise CapabilityError(
            f"The database {where} cannot be used: {said(cause, secrets=secrets)}. See that the server answers there "
            "and lets this user in (the password is read from PGPASSWORD or ~/.pgpass). A table is written whole or "
            "not at all; run this again."
        ) from None
    except psycopg.Error as cause:
        raise ContractError(
            f"The database {where} refuses: {said(cause, secrets=secrets)}. The table it concerns was left as it was."
        ) from None


def _secrets(address: str) -> tuple[str, ...]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return ()
    return (unquote(password), password) if password else ()


def _have_postgis(opened: Any, where: str) -> None:
    import psycopg

    if opened.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone():
        return
    try:
        opened.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    except psycopg.Error:
        raise CapabilityError(
            f"The database {where} has no PostGIS, and this user cannot add it. Have its administrator run CREATE "
            "EXTENSION postgis in it, after installing the package (Debian: postgresql-15-postgis-3)."
        ) from None


def _kind(kind: Any) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz"
    return {pa.float64(): "double precision", pa.int64(): "bigint", pa.bool_(): "boolean"}.get(kind, "text")


def _srid(opened: DeltaTable, stream: str) -> int:
    """Number of the coordinate system: that of the lake, or the one that published tables were read into."""
    crs = str(opened.metadata().description or "") if stream == "incidents" else c.CRS_M
    number = crs.rpartition(":")[2]
    if not number.isdigit():
        raise ContractError(f"The table {stream} holds metres of {crs or 'an unknown system'}, which has no EPSG code.")
    return int(number)


def sync(
    opened: Any, lake: str | Path, stream: str, *, schema: str = SCHEMA, storage_options: dict[str, str] | None = None
) -> Synced:
    """Bring the table of one stream to the state of the lake, in one transaction.

    Parameters
    ----------
    opened : psycopg.Connection
    lake : str or Path
    stream : str
        A stream that the lake has.
    schema : str
        Made if it is not there.
    storage_options : dict, optional

    Raises
    ------
    ContractError
        If a table of that name is there and is not one of ours.
    """
    from psycopg import sql

    with store.storage(lake, stream):
        table = DeltaTable(store.table_url(lake, stream), storage_options=storage_options)
        srid = _srid(table, stream)
    fields = list(store.SCHEMAS[stream])
    names = [f.name for f in fields]
    point = c.X_M in names
    kept = [f for f in fields if not (point and f.name in (c.X_M, c.Y_M))]
    home = sql.Identifier(schema, stream)
    incoming = sql.Identifier("incoming_rows")
    columns = [(f.name, _kind(f.type)) for f in kept]
    if point:
        columns.append((GEOMETRY, f"geometry(Point,{srid})"))
    with opened.transaction():
        opened.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"contrechamp:{schema}.{stream}"])
        _ensure(opened, schema, stream, columns, point=point)
        opened.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(
                incoming,
                sql.SQL(", ").join(sql.SQL("{} " + _kind(f.type)).format(sql.Identifier(f.name)) for f in fields),
            )
        )
        rows = _copy(opened, table, fields, lake, stream)
        opened.execute(sql.SQL("CREATE INDEX ON {} (record_id)").format(incoming))
        opened.execute(sql.SQL("ANALYZE {}").format(incoming))
        values: list[sql.Composable] = [sql.SQL("i.{}").format(sql.Identifier(f.name)) for f in kept]
        if point:
            values.append(sql.SQL(f"ST_SetSRID(ST_MakePoint(i.x_m, i.y_m), {srid})"))
        targets = [sql.Identifier(name) for name, _ in columns]
        done = opened.execute(
            sql.SQL(
                "INSERT INTO {home} AS t ({targets}) SELECT {values} FROM {incoming} i ON CONFLICT (record_id) "
                "DO UPDATE SET {sets} WHERE t.row_sha256 IS DISTINCT FROM excluded.row_sha256 RETURNING (xmax = 0)"
            ).format(
                home=home,
                targets=sql.SQL(", ").join(targets),
                values=sql.SQL(", ").join(values),
                incoming=incoming,
                sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(t) for t in targets),
            )
        )
        fresh = updated = 0
        while part := done.fetchmany(_COPY_ROWS):
            new = sum(bool(row[0]) for row in part)
            fresh, updated = fresh + new, updated + len(part) - new
        gone = opened.execute(
            sql.SQL(
                "DELETE FROM {home} t WHERE NOT EXISTS (SELECT 1 FROM {incoming} i WHERE i.record_id = t.record_id)"
            ).format(home=home, incoming=incoming)
        ).rowcount
    return Synced(stream, rows, fresh, updated, int(gone))


def _ensure(opened: Any, schema: str, stream: str, columns: list[tuple[str, str]], *, point: bool) -> None:
    """Make the schema, the table and its indexes; refuse a table of that name with other columns."""
    from psycopg import sql

    there = opened.execute(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
        "JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
        "WHERE n.nspname = %s AND t.relname = %s AND a.attnum > 0 "
        "AND NOT a.attisdropped ORDER BY a.attnum",
        [schema, stream],
    ).fetchall()
    if there:
        if [name for name, _ in there] != [name for name, _ in columns] or (
            point and there[-1][1].rpartition(".")[2] != columns[-1][1]
        ):
            raise ContractError(
                f"The table {schema}.{stream} of the database is not one that this export made, or was made by another "
                "version of it: its columns differ. It was left as it is. Export into another schema with --schema."
            )
        return
    home = sql.Identifier(schema, stream)
    if not opened.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone():
        opened.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    shapes = [sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in columns]
    opened.execute(sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY (record_id))").format(home, sql.SQL(", ").join(shapes)))
    opened.execute(sql.SQL("CREATE INDEX ON {} (t_event)").format(home))
    if point:
        opened.execute(sql.SQL("CREATE INDEX ON {} USING gist (geom)").format(home))


def _copy(opened: Any, table: DeltaTable, fields: list[Any], lake: str | Path, stream: str) -> int:
    """Send the rows of the lake as CSV: a missing value is nothing, an empty text is ``""``."""
    options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
    schema, rows = pa.schema(fields), 0
    with (
        store.storage(lake, stream),
        opened.cursor() as cursor,
        cursor.copy("COPY incoming_rows FROM STDIN (FORMAT csv)") as copy,
    ):
        for batch in table.to_pyarrow_dataset().to_batches(columns=schema.names, batch_size=_COPY_ROWS):
            if not batch.num_rows:
                continue
            buffer = io.BytesIO()
            pa_csv.write_csv(pa.Table.from_batches([batch]).cast(schema), buffer, options)
            copy.write(buffer.getvalue())
            rows += batch.num_rows
    return rows
