"""``contrechamp export``: keep the event tables of a lake up to date in PostgreSQL/PostGIS."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from contrechamp.cli._common import emit, emit_table, progress_bar, say


def export(
    lake: Annotated[str, typer.Option(help="Lac : dossier ou URL fsspec.")],
    to: Annotated[str, typer.Option(help="Base : postgresql://UTILISATEUR@HÔTE:PORT/BASE (database).")],
    stream: Annotated[list[str] | None, typer.Option(help="Flux, à répéter ; par défaut, tous.")] = None,
    schema: Annotated[str, typer.Option(help="Schéma des tables, créé s'il manque.")] = "contrechamp",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tenir à jour les tables du lac dans PostGIS. (Keep the lake's event tables up to date in PostGIS.)

    Ce qui est nouveau entre, ce qui a été retiré du lac sort, le reste n'est pas touché. Le mot de passe se lit dans
    PGPASSWORD ou ~/.pgpass. (The password is read from PGPASSWORD or ~/.pgpass.)
    """
    from contrechamp.pipelines.export import export as pipeline

    with progress_bar(1) as (progress, advance):
        advance("export")
        done = pipeline(lake, to=to, streams=stream, schema=schema, progress=progress)
    if as_json:
        emit({"schema": schema, "streams": [asdict(line) for line in done]})
        return
    emit_table([tuple(asdict(line).values()) for line in done], ("stream", "rows", "inserted", "updated", "deleted"))
    say(f"{sum(line.rows for line in done)} lignes dans le schéma {schema} (rows in the schema).")
