"""``contrechamp generate``: draw the synthetic city and drop its raw streams."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from contrechamp.cli._common import emit, parse_sets, progress_bar, say


def generate(
    out: Annotated[Path, typer.Option(help="Dossier à créer (must not exist or be empty).")],
    scenario: Annotated[Path | None, typer.Option(help="Scénario TOML ; par défaut « massilia ».")] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Nombre de jours.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Surcharge du scénario : clef=valeur.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tirer la ville de synthèse et déposer ses flux bruts. (Draw the city, drop its raw streams.)"""
    from contrechamp.audit.plan import DEFAULT_SEED
    from contrechamp.domain.errors import ParameterError
    from contrechamp.domain.provenance import plain
    from contrechamp.pipelines.generate import generate as pipeline
    from synthetic_data.scenario import Scenario, read_overrides

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ParameterError(f"{out} exists and is not an empty folder. Choose another --out: nothing is overwritten.")
    overrides = parse_sets(set_ or ())
    if days is not None:
        overrides["time.n_days"] = str(days)
    city = Scenario.load(scenario).with_overrides(read_overrides(overrides))
    out.mkdir(parents=True, exist_ok=True)
    with progress_bar(1) as (progress, advance):
        advance("Massilia")
        summary = pipeline(city, seed=DEFAULT_SEED if seed is None else seed, work=out, progress=progress)
    if as_json:
        emit(plain(dataclasses.asdict(summary)))
    else:
        say(f"Flux bruts (raw streams) : {out / 'landing'}")
