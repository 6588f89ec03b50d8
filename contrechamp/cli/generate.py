"""``contrechamp generate``: draw the synthetic city and drop its raw streams."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Annotated

import typer

from contrechamp.cli._common import SCENARIO_HELP, emit, parse_sets, progress_bar, say, workers


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
    streams: Annotated[
        list[str] | None,
        typer.Option(
            "--stream",
            metavar="FLUX",
            help="Flux à déposer : clef, numéro ou famille, répétable (key, number or family) ; tous par défaut.",
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Flux tirés à la fois (streams at a time).")] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Déposer les fichiers à mesure que le temps passe : la ville est dans OUT/world, ils arrivent dans "
            "OUT/landing (drop files as time passes; run again to go on).",
        ),
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0, help="Secondes de la ville par seconde, avec --follow (simulated seconds a second).")
    ] = 600.0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tirer la ville de synthèse et déposer ses flux bruts. (Draw the city, drop its raw streams.)"""
    from contrechamp.audit.plan import DEFAULT_SEED
    from contrechamp.domain.errors import ParameterError, problem_table
    from contrechamp.domain.provenance import plain
    from contrechamp.pipelines.generate import choose_streams
    from contrechamp.pipelines.generate import generate as pipeline
    from synthetic_data.scenario import Scenario, read_overrides
    from synthetic_data.zones import fit, read_zones

    if follow and (out / "world").is_dir():
        _follow(out, speed=speed, as_json=as_json)
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ParameterError(f"{out} exists and is not an empty folder. Choose another --out: nothing is overwritten.")
    chosen = choose_streams(streams)
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
    work = out / "world" if follow else out
    work.mkdir(parents=True, exist_ok=True)
    with progress_bar(1) as (progress, advance):
        advance(city.name)
        summary = pipeline(
            city,
            seed=DEFAULT_SEED if seed is None else seed,
            work=work,
            zones=zones,
            streams=chosen,
            jobs=workers(jobs),
            progress=progress,
        )
    if follow:
        _follow(out, speed=speed, as_json=as_json)
    elif as_json:
        emit(plain(dataclasses.asdict(summary)))
    else:
        say(f"Flux bruts (raw streams) : {out / 'landing'}")


def _follow(out: Path, *, speed: float, as_json: bool) -> None:
    """Drop the files of ``out/world`` into ``out/landing`` as time passes, from where it was left."""
    from contrechamp.domain.errors import ParameterError
    from contrechamp.pipelines.follow import follow

    if not (out / "world" / "truth" / "streams_daily.parquet").is_file():
        raise ParameterError(f"The world in {out / 'world'} was not drawn to the end. Remove {out} and run this again.")
    say(f"Dépôt dans {out / 'landing'} ; Ctrl-C arrête, la même commande reprend. (Ctrl-C stops, the same resumes.)")
    with progress_bar(1) as (progress, advance):
        advance("follow")
        source, landing = out / "world" / "landing", out / "landing"
        done = follow(source, landing, speed=speed, clock=time.monotonic, sleep=time.sleep, progress=progress)
    if as_json:
        emit(dataclasses.asdict(done) | {"reached": done.reached.isoformat() if done.reached else None})
    else:
        at = f"{done.reached:%Y-%m-%d %H:%M} UTC" if done.reached else "-"
        say(f"{done.dropped} fichiers déposés, {done.left} à venir ; la ville en est au {at}. (files dropped, left)")
