"""``contrechamp experiment``: list, show and run the experiments."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from contrechamp.cli._common import emit, emit_table, parse_sets, progress_bar, say, workers

if TYPE_CHECKING:
    from contrechamp.domain.results import Result

app = typer.Typer(help="Les expériences E01 à E28. (The experiments.)", no_args_is_help=True)


@app.command("list")
def list_experiments(
    lang: Annotated[Literal["fr", "en"], typer.Option()] = "fr",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Lister les expériences et dire lesquelles tournent. (List the experiments, and which of them run.)"""
    from contrechamp.audit.claims import load_register
    from contrechamp.experiments import EXPERIMENTS

    register = load_register()
    rows: list[dict[str, Any]] = [
        {
            "id": card.id,
            "title": {"fr": card.title.fr, "en": card.title.en},
            "claims": list(register.claims_of(card.id)),
            "implemented": card.id in EXPERIMENTS,
        }
        for card in register.experiments.values()
    ]
    if as_json:
        emit(rows)
        return
    table = [(r["id"], "oui" if r["implemented"] else "-", len(r["claims"]), r["title"][lang]) for r in rows]
    emit_table(table, ("id", "runs", "claims", "title"))


@app.command("show")
def show(
    experiment: Annotated[str, typer.Argument(metavar="ID")],
    lang: Annotated[Literal["fr", "en"], typer.Option()] = "fr",
) -> None:
    """Montrer une expérience : question, monde, hypothèse nulle, critères, paramètres. (Show one experiment.)"""
    from contrechamp.audit.claims import load_register
    from contrechamp.domain.errors import ParameterError
    from contrechamp.experiments import EXPERIMENTS
    from contrechamp.experiments.base import load, parameters

    cards = load_register().experiments
    if experiment not in cards:
        raise ParameterError(f"There is no experiment {experiment!r}. List them with `contrechamp experiment list`.")
    card = cards[experiment]
    print(f"{card.id} · {card.title.in_(lang)}")
    for name in ("question", "world", "null", "truth", "metric", "baseline", "support_if", "refute_if", "notes"):
        text = getattr(card, name)
        if text is not None:
            print(f"  {name:<11}{text.in_(lang)}")
    if experiment in EXPERIMENTS:
        print(f"  {'limits':<11}{load(experiment).CANNOT_TELL.in_(lang)}")
        for field, value in dataclasses.asdict(parameters(experiment)).items():
            print(f"  --set {field}={','.join(map(str, value)) if isinstance(value, tuple) else value}")
    else:
        print("  pas encore construite (not built yet)")


@app.command("run")
def run(
    experiment: Annotated[str, typer.Argument(metavar="ID")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="Surcharge : clef=valeur (repeatable).")] = None,
    reps: Annotated[int | None, typer.Option(min=1, help="Répétitions (replicates).")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Graine ; par défaut celle du plan.")] = None,
    profile: Annotated[Literal["quick", "full"], typer.Option()] = "quick",
    jobs: Annotated[int | None, typer.Option()] = None,
    dask: Annotated[str | None, typer.Option(help="Grappe Dask : tcp://hôte:port. (Dask cluster.)")] = None,
    out: Annotated[Path | None, typer.Option(help="Dossier où écrire les tables en parquet.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Lancer une expérience et imprimer ses résultats. (Run one experiment and print its results.)"""
    from contrechamp.audit.plan import DEFAULT_SEED
    from contrechamp.domain.parallel import engine
    from contrechamp.domain.provenance import plain
    from contrechamp.experiments.base import load, parameters, replicates_field
    from contrechamp.store.runs import write_tables

    overrides = parse_sets(set_ or ())
    if reps is not None:
        overrides[replicates_field(experiment)] = str(reps)
    params = parameters(experiment, profile=profile, overrides=overrides)
    chosen = DEFAULT_SEED if seed is None else seed
    with engine(dask), progress_bar(1) as (progress, advance):
        advance(f"experiment {experiment}")
        outcome = load(experiment).run(params, seed=chosen, jobs=workers(jobs), progress=progress)
    if out is not None:
        write_tables(out, outcome.tables)
        say(f"Tables : {out / 'tables'}")
    if as_json:
        emit(plain([r.to_dict() for r in outcome.results]))
        return
    for i, (world, results) in enumerate(_by_world(outcome.results)):
        print(f"{'' if i == 0 else chr(10)}monde (world) : {world or '-'}")
        emit_table([_row(r) for r in results], ("mesure", "valeur", "95 %", "n", "méthode"))


def _by_world(results: Sequence[Result]) -> list[tuple[str, list[Result]]]:
    """Results under the world they hold in, worlds in the order of their first result."""
    worlds: dict[str, list[Result]] = {}
    for r in results:
        worlds.setdefault(" ".join(f"{k}={v}" for k, v in r.world.items()), []).append(r)
    return list(worlds.items())


def _row(result: Result) -> tuple[object, ...]:
    """Measure, value, interval, n and method; no minus before a zero."""
    i = result.interval
    if i.estimate is None or i.low is None or i.high is None:
        return (result.measure, "non estimable", "-", i.n, i.method)
    value, low, high = (number + 0.0 for number in (i.estimate, i.low, i.high))
    return (result.measure, f"{value:.5g}", f"[{low:.4g}, {high:.4g}]", i.n, i.method)
