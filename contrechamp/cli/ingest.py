"""``contrechamp ingest``: bring raw stream files into the lake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from contrechamp.cli._common import emit, emit_table, progress_bar, say

KEY_VARIABLE: Final = "CONTRECHAMP_PSEUDONYM_KEY"


def ingest(
    source: Annotated[Path, typer.Argument(help="Dossier de dépôt (un sous-dossier par flux) ou fichier.")],
    lake: Annotated[str, typer.Option(help="Lac : dossier ou URL fsspec.")],
    stream: Annotated[str | None, typer.Option(help="Flux, si la source est un seul fichier.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Valider, mettre en quarantaine, dédoublonner, pseudonymiser et verser au lac. (Bring raw files into the lake.)

    La clef de pseudonymisation (16 octets au moins) se lit dans CONTRECHAMP_PSEUDONYM_KEY.
    """
    from contrechamp.domain.errors import ParameterError
    from contrechamp.pipelines.ingest import ingest as pipeline

    key = os.environ.get(KEY_VARIABLE, "").encode()
    if len(key) < 16:
        raise ParameterError(
            f"The pseudonymisation key must hold at least 16 bytes and be kept secret. Got {len(key)}. "
            f"Set {KEY_VARIABLE}, for instance with: export CONTRECHAMP_PSEUDONYM_KEY=$(openssl rand -hex 32)"
        )
    with progress_bar(1) as (progress, advance):
        advance("ingest")
        report = pipeline(source, lake=lake, key=key, stream=stream, progress=progress)
    data = report.to_dict()
    if as_json:
        emit(data)
        return
    reasons = data.get("reasons", {})
    emit_table([(k, v) for k, v in sorted(reasons.items(), key=lambda kv: -kv[1])], ("quarantine reason", "rows"))
    say(
        f"{data['rows_in']} lignes = {data['committed']} versées + {data['quarantined']} en quarantaine "
        f"+ {data['duplicates']} doublons. (rows in = committed + quarantined + duplicates)"
    )
