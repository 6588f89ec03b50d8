"""Bring the event tables of a lake into a PostGIS database: what is new comes in, what was removed goes.

What it cannot tell you: see :mod:`contrechamp.store.postgis`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.store import postgis, retention
from contrechamp.store.postgis import SCHEMA, Synced
from contrechamp.store.remote import shown


def export(
    lake: str | Path,
    *,
    to: str,
    streams: Sequence[str] | None = None,
    schema: str = SCHEMA,
    storage_options: dict[str, str] | None = None,
    progress: Progress = silent,
) -> tuple[Synced, ...]:
    """Export the streams of a lake.

    Parameters
    ----------
    lake : str or Path
    to : str
        ``postgresql://USER@HOST:PORT/DATABASE``; the password from ``PGPASSWORD`` or ``~/.pgpass``.
    streams : sequence of str, optional
        By default, all those the lake has.
    schema : str, default="contrechamp"
        Where the tables go, made if it is not there.
    storage_options : dict, optional
    progress : Progress, default=silent

    Returns
    -------
    tuple of Synced
        One per stream. Each stream is a transaction of its own.

    Raises
    ------
    ParameterError
        If a stream is unknown or the address is none.
    ContractError
        If there is no lake, or no such stream in it, or the database refuses.
    CapabilityError
        If the driver, the server or PostGIS is missing.
    """
    postgis.check_address(to)
    unknown = sorted(set(streams or ()) - set(retention.EVENT_TABLES))
    if unknown:
        raise ParameterError(
            f"No stream is named {', '.join(unknown)}. The streams are {', '.join(retention.EVENT_TABLES)}."
        )
    if not schema or "\x00" in schema or len(schema.encode()) > 63:
        raise ParameterError(f"The name of a schema has 1 to 63 bytes. Got {schema!r}.")
    there = retention.tables_there(lake, retention.EVENT_TABLES, storage_options=storage_options)
    names = [name for name in there if streams is None or name in streams]
    absent = [name for name in streams or () if name not in there]
    if absent or not names:
        raise ContractError(
            f"There is no {' nor '.join(absent) if absent else 'stream'} in a lake at {shown(lake)}. It has "
            f"{', '.join(there) or 'none'}. Ingest first, or check the address of the lake."
        )
    done: list[Synced] = []
    with postgis.connection(to) as opened:
        for name in names:
            done.append(postgis.sync(opened, lake, name, schema=schema, storage_options=storage_options))
            progress("export", len(done), len(names))
    return tuple(done)
