"""``contrechamp generate``: draw the synthetic city and drop its raw streams."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from contrechamp.cli._common import SCENARIO_HELP, emit, parse_sets, progress_bar, say


def generate(
    out: Annotated[Path, typer.Option(help="Dossier à créer (must not exist or be empty).")],
    scenario: Annotated[str | None, typer.Option(metavar="NOM|FICHIER", help=SCENARIO_HELP)] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Nombre de jours.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Surcharge du scénario : clef=valeur.")] = None,
    geography: Annotated[
        Path | None, typer.Option(help="Vos zones pour quartiers : GeoJSON ou GeoPackage (your zones as quarters).")
    ] = None,
    id_column: Annotated[str | None, typer.Option(help="Colonne de l'identifiant des zones.")] = None,
    name_column: Annotated[
        str | None, typer.Option(help="Colonne de leur nom ; sans elle, noms inventés (else invented).")
    ] = None,
    population_column: Annotated[
        str | None, typer.Option(help="Colonne des habitants ; sans elle, selon la surface (else by area).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tirer la ville de synthèse et déposer ses flux bruts. (Draw the city, drop its raw streams.)"""
    from contrechamp.audit.plan import DEFAULT_SEED
    from contrechamp.domain.errors import ParameterError, problem_table
    from contrechamp.domain.provenance import plain
    from contrechamp.pipelines.generate import generate as pipeline
    from synthetic_data.scenario import Scenario, read_overrides
    from synthetic_data.zones import fit, read_zones

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ParameterError(f"{out} exists and is not an empty folder. Choose another --out: nothing is overwritten.")
    overrides = parse_sets(set_ or ())
    if days is not None:
        overrides["time.n_days"] = str(days)
    columns = {"id_column": id_column, "name_column": name_column, "population_column": population_column}
    if geography is None and any(columns.values()):
        raise ParameterError("A column of zones is named and no file of zones is given. Add --geography FILE.")
    city = Scenario.load(scenario).with_overrides(read_overrides(overrides))
    zones = None
    if geography is not None:
        zones = read_zones(geography, **columns)
        city = fit(city, zones)
        say(
            f"Zones : {len(zones)}, {zones.area_km2:.1f} km² ({zones.source_crs}). Seuls les contours sont réels : "
            "tout ce qui s'y passe est inventé. (Only outlines are real: whatever happens there is invented.)"
        )
        if zones.repaired:
            say(problem_table(zones.repaired))
    out.mkdir(parents=True, exist_ok=True)
    with progress_bar(1) as (progress, advance):
        advance(city.name)
        summary = pipeline(city, seed=DEFAULT_SEED if seed is None else seed, work=out, zones=zones, progress=progress)
    if as_json:
        emit(plain(dataclasses.asdict(summary)))
    else:
        say(f"Flux bruts (raw streams) : {out / 'landing'}")
