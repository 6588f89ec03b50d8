"""``contrechamp ingest``: bring raw stream files and published incident tables into the lake, and explain refusals."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from contrechamp.cli._common import emit, emit_table, progress_bar, say

if TYPE_CHECKING:
    from contrechamp.pipelines.explain import QuarantineLine
    from ingest.mapping import TableMapping

KEY_VARIABLE: Final = "CONTRECHAMP_PSEUDONYM_KEY"


def ingest(
    lake: Annotated[str, typer.Option(help="Lac : dossier ou URL fsspec.")],
    source: Annotated[
        Path | None,
        typer.Argument(help="Dossier de dépôt (un sous-dossier par flux), fichier, ou table publiée."),
    ] = None,
    stream: Annotated[str | None, typer.Option(help="Flux, si la source est un seul fichier.")] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="Table d'incidents publiée (published table) : police-uk, chicago ou nij-2017."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Fichier TOML de correspondance des colonnes, pour toute autre table.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Montrer la quarantaine du lac : flux, motif, fichier, lignes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Valider, mettre en quarantaine, dédoublonner, pseudonymiser et verser au lac. (Bring raw files into the lake.)

    La clef de pseudonymisation (16 octets au moins) se lit dans CONTRECHAMP_PSEUDONYM_KEY ; une table publiée n'en
    demande pas. Sans source, avec --explain : expliquer la quarantaine d'un lac existant.
    """
    from contrechamp.domain.errors import ContractError
    from contrechamp.pipelines.explain import explain as explained
    from contrechamp.pipelines.ingest import ingest as pipeline

    if source is None:
        if not explain:
            raise typer.BadParameter("donner une source, ou --explain (give a source, or --explain)")
        if stream is not None or format_ is not None or mapping is not None:
            raise typer.BadParameter("--stream, --format et --mapping vont avec une source (they go with a source)")
        lines = explained(lake)
        _show(lines, as_json=as_json)
        return
    table = _mapping(format_, mapping)
    key = _key() if table is None else None
    with progress_bar(1) as (progress, advance):
        advance("ingest")
        try:
            report = pipeline(source, lake=lake, key=key, stream=stream, mapping=table, progress=progress)
        except ContractError:
            if explain:
                _show_what_there_is(lake, as_json=as_json)
            raise
    data = report.to_dict()
    lines = explained(lake) if explain else ()
    if as_json:
        emit(data | ({"quarantine": [line.to_dict() for line in lines]} if explain else {}))
        return
    if explain:
        _show(lines, as_json=False)
    else:
        emit_table(_by_reason(data), ("quarantine reason", "rows"))
    say(
        f"{data['rows_in']} lignes = {data['committed']} versées + {data['quarantined']} en quarantaine "
        f"+ {data['duplicates']} doublons. (rows in = committed + quarantined + duplicates)"
    )


def _key() -> bytes:
    from contrechamp.domain.errors import ParameterError

    key = os.environ.get(KEY_VARIABLE, "").encode()
    if len(key) < 16:
        raise ParameterError(
            f"The pseudonymisation key must hold at least 16 bytes and be kept secret. Got {len(key)}. "
            f"Set {KEY_VARIABLE}, for instance with: export CONTRECHAMP_PSEUDONYM_KEY=$(openssl rand -hex 32)"
        )
    return key


def _mapping(name: str | None, path: Path | None) -> TableMapping | None:
    from contrechamp.domain.errors import ParameterError
    from contrechamp.pipelines.ingest import load_mapping
    from ingest import load_format

    if name is not None and path is not None:
        raise ParameterError(f"Give --format or --mapping, not both. Got {name!r} and {path}.")
    if name is not None:
        return load_format(name)
    return load_mapping(path) if path is not None else None


def _by_reason(data: dict[str, Any]) -> list[tuple[object, ...]]:
    return sorted(data["reasons"].items(), key=lambda item: -item[1])


def _show(lines: Sequence[QuarantineLine], *, as_json: bool) -> None:
    """Print the quarantine, one line per stream, reason and file."""
    from contrechamp.pipelines.explain import FIRST_ROWS

    if as_json:
        emit({"quarantine": [line.to_dict() for line in lines]})
        return

    rows = [
        (
            line.stream,
            line.reason,
            line.source_file,
            line.rows,
            ", ".join(map(str, line.first_rows)) + (", …" if line.rows > FIRST_ROWS else ""),
            f"{line.label.fr} ({line.label.en})",
        )
        for line in lines
    ]
    emit_table(rows, ("stream", "reason", "file", "rows", "first rows", "motif (reason)"))
    say(
        f"{sum(line.rows for line in lines)} lignes en quarantaine, numérotées comme dans leur fichier ; 0 : le "
        "fichier entier. (rows in quarantine, numbered as in their file; 0: the whole file)"
    )


def _show_what_there_is(lake: str, *, as_json: bool) -> None:
    """Print the quarantine if the ingest that failed got far enough to leave one."""
    from contrechamp.domain.errors import ContractError
    from contrechamp.pipelines.explain import explain

    try:
        lines = explain(lake)
    except ContractError:
        return
    _show(lines, as_json=as_json)
