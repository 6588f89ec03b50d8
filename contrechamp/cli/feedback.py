"""``contrechamp feedback``: the loop between patrols and file, lived once, lived again, or mapped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contrechamp.cli._common import emit, emit_table, parse_sets, progress_bar, say, workers

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="La boucle entre patrouilles et fichier. (The loop between patrols and file.)", no_args_is_help=True
)

_SET = "Autre paramètre de la boucle : clef=valeur, à répéter. (Another parameter of the loop.)"
_OUT = "Dossier à créer : résultats, tables, figures. (Folder to create.)"


@app.command("run")
def run(
    predictor: Annotated[
        str | None, typer.Option(metavar="CLEF", help="Prédicteur : `contrechamp hotspot list`. (Predictor.)")
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(metavar="RÈGLE", help="proportional, top, threshold, equal, random, top-decile. (Rule.)"),
    ] = None,
    rho: Annotated[float | None, typer.Option(help="Part signalée par les habitants. (Share reported.)")] = None,
    days: Annotated[int | None, typer.Option(help="Jours de boucle. (Days of loop.)")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help=_SET)] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="DOSSIER", help="Revivre un dossier, jour par jour. (Live a folder again.)")
    ] = None,
    out: Annotated[Path | None, typer.Option(help=_OUT)] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Vivre la boucle dans une ville inventée, et garder chaque jour. (Live the loop once, keep every day.)

    Avec --replay, un jour qui diffère est nommé, et la commande sort en 12. (A day that differs is named: exit 12.)
    """
    from contrechamp.domain.errors import ParameterError
    from contrechamp.pipelines import feedback as pipeline
    from contrechamp.pipelines import loops

    options = {"predictor": predictor, "rule": rule, "rho": rho, "days": days}
    given = {k: v for k, v in options.items() if v is not None} | parse_sets(set_ or ())
    if replay is not None:
        if given or seed is not None or out is not None:
            raise ParameterError(
                "With --replay, the plan and the seed are those of the folder. Leave out the other options."
            )
        with progress_bar(1) as (_, advance):
            advance("feedback run --replay")
            lived = pipeline.replay(replay)
        fingerprint, n = lived.history.fingerprint(), len(lived.history.hours)
        if as_json:
            emit({"replayed": True, "days": n, "fingerprint": fingerprint})
        else:
            print(fingerprint)
        say(f"Les {n} jours se rejouent à l'identique. (All {n} days replay.)")
        return
    plan = loops.LoopPlan.parse(given)
    with progress_bar(1) as (progress, advance):
        advance("feedback run")
        lived, results, folder = pipeline.run_feedback(plan, seed=_seed(seed), out=out, progress=progress)
    if as_json:
        emit(pipeline.body(lived, results))
    else:
        names = {m.key: m.label for m in loops.MEASURES}
        rows = [
            (names[r.measure].fr, r.world["period"], _shown(r.interval.estimate, r.interval.low, r.interval.high),
             r.interval.n)
            for r in results
        ]  # fmt: skip
        emit_table(rows, ("mesure (measure)", "période (period)", "valeur [95 %]", "n"))
        say(f"Empreinte (fingerprint) : {lived.history.fingerprint()}")
        say(f"{loops.CANNOT_TELL.fr} ({loops.CANNOT_TELL.en})")
    if folder is not None:
        say(f"Écrit (written) : {folder}")


@app.command("sweep")
def sweep(
    predictor: Annotated[
        list[str] | None, typer.Option(metavar="CLEF", help="Prédicteur, à répéter. (Predictor, repeat.)")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option(metavar="RÈGLE", help="Règle, à répéter. (Rule, repeat.)")] = None,
    rho: Annotated[
        list[float] | None, typer.Option(help="Part signalée, à répéter ; 1 s'ajoute, c'est le témoin. (Repeat.)")
    ] = None,
    remedies: Annotated[
        bool, typer.Option("--remedies", help="Comparer les remèdes et leur coût. (Remedies and their cost.)")
    ] = False,
    days: Annotated[int | None, typer.Option(help="Jours de boucle. (Days of loop.)")] = None,
    cities: Annotated[int, typer.Option(help="Villes par case, les mêmes partout. (Cities per square.)")] = 10,
    set_: Annotated[list[str] | None, typer.Option("--set", help=_SET)] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    jobs: Annotated[int | None, typer.Option(min=1)] = None,
    out: Annotated[Path | None, typer.Option(help=_OUT)] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Cartographier règles × part signalée × prédicteurs, sur les mêmes villes. (Map them on common cities.)

    Avec --remedies, un prédicteur, une règle, une part signalée : ce que chaque remède répare et coûte.
    """
    from contrechamp.domain.errors import ParameterError
    from contrechamp.pipelines import feedback as pipeline
    from contrechamp.pipelines import feedback_sweep, loops

    pipeline.check_new(out)
    given: dict[str, object] = dict(parse_sets(set_ or ()))
    if days is not None:
        given["days"] = days
    n_jobs, chosen = workers(jobs), _seed(seed)
    if remedies:
        for name, values in (("predictor", predictor), ("rule", rule), ("rho", rho)):
            if values is not None and len(values) > 1:
                raise ParameterError(f"With --remedies, --{name} is given once: remedies are compared on one loop.")
            if values:
                given[name] = values[0]
        plan = loops.LoopPlan.parse({"prevention_per_hour": 0.15, **given})
        with progress_bar(1) as (progress, advance):
            advance("feedback sweep --remedies")
            found = feedback_sweep.compare_remedies(
                plan, n_cities=cities, seed=chosen, jobs=n_jobs, progress=progress
            )  # fmt: skip
    else:
        plan = loops.LoopPlan.parse(given)
        with progress_bar(1) as (progress, advance):
            advance("feedback sweep")
            found = feedback_sweep.sweep(
                plan, predictors=predictor or ["trailing-mean", "retro-quartic"],
                rules=rule or ["proportional", "top", "threshold"], rhos=rho or [0.0, 0.25, 0.5, 0.75, 0.9],
                n_cities=cities, seed=chosen, jobs=n_jobs, progress=progress,
            )  # fmt: skip
    if as_json:
        emit(feedback_sweep.body(found))
    elif found.kind == "map":
        _print_map(found.table, feedback_sweep.flips(found))
    else:
        _print_remedies(found.table)
    say(f"n = {cities} villes par ligne (cities per row). {loops.CANNOT_TELL.fr} ({loops.CANNOT_TELL.en})")
    if out is not None:
        say(f"Écrit (written) : {feedback_sweep.write_sweep(found, out)}")


def _print_map(table: pd.DataFrame, flips: pd.DataFrame) -> None:
    from contrechamp.pipelines.feedback_sweep import VERDICTS

    rows = [
        (r["predictor"], r["rule"], f"{r['rho']:g}", _of(r, "apparent_gain"), _of(r, "hit_incidents"),
         _of(r, "gini_excess"), VERDICTS[r["verdict"]].fr)
        for r in table.to_dict("records")
    ]  # fmt: skip
    emit_table(
        rows, ("predictor", "rule", "rho", "prêté (lent) [95 %]", "réel (real)", "Gini, excès (excess)", "verdict")
    )
    print()
    emit_table(
        [(r["predictor"], r["rule"], *(_share(r[k]) for k in ("flatters_up_to", "holds_from")))
         for r in flips.to_dict("records")],
        ("predictor", "rule", "flatte jusqu'à rho (flatters up to)", "ne flatte plus dès rho (holds from)"),
    )  # fmt: skip


def _print_remedies(table: pd.DataFrame) -> None:
    rows = [
        (r["remedy"], _of(r, "apparent_gain"), _of(r, "gini_hours"), _of(r, "captured_change"),
         _of(r, "averted_change"), _of(r, "worst_sector"), _of(r, "never_served"))
        for r in table.to_dict("records")
    ]  # fmt: skip
    emit_table(
        rows,
        ("remède (remedy)", "prêté (lent) [95 %]", "Gini", "captés, écart (captured, change)",
         "évités, écart (averted, change)", "pire secteur (worst sector)", "jamais servies (never served)"),
    )  # fmt: skip


def _of(row: Mapping[Any, Any], key: str) -> str:
    return _shown(row[key], row[f"{key}_low"], row[f"{key}_high"])


def _shown(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None or value != value:
        return "non estimable"
    return f"{value:.3f}" if low == high else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _share(value: float) -> str:
    return "-" if value != value else f"{value:g}"


def _seed(seed: int | None) -> int:
    from contrechamp.audit.plan import DEFAULT_SEED

    return DEFAULT_SEED if seed is None else seed
