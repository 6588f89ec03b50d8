"""``contrechamp ingest``: bring raw stream files and published incident tables into the lake, and explain refusals."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
import typer.core

from contrechamp.cli._common import emit, emit_table, progress_bar, say

if TYPE_CHECKING:
    from contrechamp.pipelines.explain import QuarantineLine
    from ingest.mapping import TableMapping

#: Name, shown nowhere, of what the verb does when no sub-command is named.
_FILES: Final = "files"


class _FilesByDefault(typer.core.TyperGroup):
    """Take ``ingest SOURCE`` as it is; only a first word that is the name of a sub-command is one.

    A folder of that name is still to be had: ``./purge``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and args[0] in self.commands and args[0] != _FILES
        return super().parse_args(ctx, args if named else [_FILES, *args])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return "" if name == _FILES else name, command, rest


app = typer.Typer(cls=_FilesByDefault, help="Verser des fichiers bruts au lac, ou en retirer. (Bring raw files in.)")


@app.command(
    _FILES, hidden=True, epilog="Retirer du lac ce qui est trop vieux (retention): contrechamp ingest purge --help"
)
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

    La clef de pseudonymisation (16 octets au moins) se lit dans CONTRECHAMP_PSEUDONYM_KEY, un trousseau de clefs par
    période dans le fichier que nomme CONTRECHAMP_KEYS ; une table publiée n'en demande pas. Sans source, avec
    --explain : expliquer la quarantaine d'un lac existant.
    """
    from contrechamp.domain.errors import ContractError
    from contrechamp.pipelines.explain import explain as explained
    from contrechamp.pipelines.ingest import ingest as pipeline
    from contrechamp.pipelines.keys import ring_of

    if source is None:
        if not explain:
            raise typer.BadParameter("donner une source, ou --explain (give a source, or --explain)")
        if stream is not None or format_ is not None or mapping is not None:
            raise typer.BadParameter("--stream, --format et --mapping vont avec une source (they go with a source)")
        lines = explained(lake)
        _show(lines, as_json=as_json)
        return
    table = _mapping(format_, mapping)
    key = ring_of(os.environ) if table is None else None
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


@app.command("purge")
def purge(
    before: Annotated[str, typer.Option(help="Date de rétention : ce qui est antérieur est retiré (AAAA-MM-JJ).")],
    lake: Annotated[str, typer.Option(help="Lac : dossier ou URL fsspec.")],
    stream: Annotated[list[str] | None, typer.Option(help="Flux, à répéter ; par défaut, tous.")] = None,
    undated: Annotated[
        bool, typer.Option("--undated", help="Retirer aussi les lignes en quarantaine que rien ne date.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compter, ne rien retirer.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Retirer du lac, pour de bon, les faits antérieurs à une date. (Remove for good what is older than a date.)

    Enregistrements, quarantaine, anciennes versions, journal des tables ; il en reste une ligne dans la table
    « purges ». Une ligne de ce temps qui reviendrait est comptée en quarantaine, sans son contenu. La clef du lac est
    nécessaire, comme pour y verser.
    """
    import pandas as pd

    from contrechamp.domain.errors import ParameterError
    from contrechamp.pipelines.keys import ring_of
    from contrechamp.pipelines.purge import purge as pipeline

    try:
        date = pd.Timestamp(before)
        date = date.tz_localize("UTC") if date.tzinfo is None else date
    except (ValueError, TypeError, AttributeError):  # "NaT" is read as no date at all
        date = None
    if date is None or pd.isna(date):
        raise ParameterError(f"The `--before` option must be a date (2025-01-01) or an instant. Got {before!r}.")
    report = pipeline(
        lake,
        before=date,
        key=ring_of(os.environ),
        asked_at=pd.Timestamp.now(tz="UTC").floor("s"),
        streams=stream,
        undated=undated,
        dry_run=dry_run,
    )
    data = report.to_dict()
    if as_json:
        emit(data)
        return
    emit_table([(x["table"], x["stream"], x["rows"], x["undated"]) for x in data["lines"]],
               ("table", "stream", "rows", "undated"))  # fmt: skip
    done = "seraient retirées (would be removed)" if dry_run else "retirées (removed)"
    say(f"{report.rows} lignes d'avant le {data['before']} {done} ; {report.undated} non datées restent (undated).")


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
