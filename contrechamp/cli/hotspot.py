"""``contrechamp hotspot``: the predictors, put to the test or asked for a map."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contrechamp.cli._common import emit, emit_table, parse_sets, progress_bar, say, workers

if TYPE_CHECKING:
    import pandas as pd

    from contrechamp.domain.results import Result, Scalar

app = typer.Typer(help="Les prédicteurs de points chauds. (The hot-spot predictors.)", no_args_is_help=True)

_CITY = "Dossier de `generate` dont vient le lac : grille, lieux, dates, vérité. (The city's folder.)"
#: Kinds of events a map is scored on, as said in a table.
_ON = {"records": "enregistré", "truth": "vérité"}
#: Measures that also say against which predictor.
_PAIRED = ("pair_gain_pai",)
#: Rules of the NIJ's contest, as said to a person.
_NIJ = {
    "cell_sq_ft": "maille, en pieds carrés (cell, square feet)",
    "forecast_sq_mi": "surface signalée, en milles carrés (flagged area, square miles)",
}
_CELL = "Côté d'une maille, en mètres, sans --city. (Side of a cell, without --city.)"


@app.command("list")
def list_predictors(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Lister les prédicteurs et leurs paramètres. (List the predictors and their parameters.)"""
    from contrechamp.audit.card_texts import CARD_TEXTS
    from models import PREDICTORS, load_predictor

    rows: list[dict[str, Any]] = []
    for key in PREDICTORS:
        predictor = load_predictor(key)
        first = (type(predictor).__doc__ or "").strip().splitlines()[0]
        title = CARD_TEXTS[key].title
        rows.append({
            "key": key, "parameters": predictor.get_params(), "summary": first,
            "title": {"fr": title.fr, "en": title.en},
            "needs_places": predictor.NEEDS_PLACES, "refit_days": predictor.REFIT_DAYS,
        })  # fmt: skip
    if as_json:
        emit(rows)
        return
    for row in rows:
        print(f"{row['key']:<15}{row['title']['fr']}\n{'':15}({row['title']['en']})")
        told = " ".join(f"{name}={value}" for name, value in row["parameters"].items())
        told += " ; veut des lieux (needs places)" if row["needs_places"] else ""
        print(textwrap.fill(told, 100, initial_indent=" " * 17, subsequent_indent=" " * 17, break_on_hyphens=False))


@app.command("backtest")
def backtest(
    source: Annotated[str, typer.Argument(metavar="RUN_OU_LAC", help="Lac, ou dossier qui en contient un.")],
    city: Annotated[Path | None, typer.Option(help=_CITY)] = None,
    predictor: Annotated[
        list[str] | None, typer.Option(help="Prédicteur, à répéter ; par défaut, tous ceux qui sont rapides.")
    ] = None,
    area: Annotated[
        list[float] | None, typer.Option(help="Part de surface signalée, à répéter : 0.01 pour 1 %.")
    ] = None,
    days: Annotated[int, typer.Option(help="Jours évalués, les derniers. (Days evaluated.)")] = 56,
    refit: Annotated[int | None, typer.Option(help="Jours entre deux apprentissages. (Days between two fits.)")] = None,
    against: Annotated[
        str | None, typer.Option(help="Comparer chacun à celui-ci aussi. (Compare each with this one too.)")
    ] = None,
    cell: Annotated[float, typer.Option(help=_CELL)] = 250.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    jobs: Annotated[int | None, typer.Option()] = None,
    out: Annotated[Path | None, typer.Option(help="Dossier où écrire les tables en parquet.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Mettre les cartes à l'épreuve, un jour d'avance, sur les enregistrements. (Backtest on records.)

    Sur la vérité aussi, là où une ville engendrée en laisse une (on truth too, where a generated city left one).
    Chaque nombre porte son intervalle à 95 % et le nombre n de jours.
    """
    from contrechamp.domain.provenance import plain
    from contrechamp.pipelines.backtest import AREAS, CANNOT_TELL, default_predictors
    from contrechamp.pipelines.hotspot import backtest_lake
    from contrechamp.store.runs import write_tables

    keys = None if not predictor else list(dict.fromkeys([*predictor, *([against] if against else [])]))
    chosen = keys or (list(default_predictors()) if against else None)
    pairs = [(key, against) for key in chosen or () if against and key != against]
    with progress_bar(1) as (progress, advance):
        advance("hotspot backtest")
        outcome, given = backtest_lake(
            source, city=city, predictors=chosen, areas=area or AREAS, days=days, refit_every=refit, pairs=pairs,
            cell_m=cell, seed=seed, jobs=workers(jobs), progress=progress,
        )  # fmt: skip
    if out is not None:
        write_tables(out, outcome.tables)
        say(f"Tables : {out / 'tables'}")
    records = given.accounts.drop(columns="input").iloc[0].astype(int).to_dict()  # the first input is the records
    if as_json:
        emit(plain({
            "records": records, "n_cells": given.grid.n_cells,
            "outline": given.outline, "truth": given.truth is not None,
            "results": [r.to_dict() for r in outcome.results],
        }))  # fmt: skip
        return
    _print_scores(outcome.results, against=against)
    _print_nij(outcome.tables["nij_rules"])
    say(
        f"{records['used']} enregistrements sur {records['rows']} lus (records used of those read), {given.n_days} "
        f"jours, dont {days} évalués (days, of which evaluated) ; {given.grid.n_cells} mailles (cells) de "
        f"{given.grid.cell_m:g} m."
    )
    if given.outline == "hull":
        say(
            "Sans --city, la grille couvre l'enveloppe des enregistrements : le PAI dépend de cette surface. "
            "(Without --city the grid covers the hull of the records, and PAI depends on that area.)"
        )
    if given.truth is None:
        say(
            "Aucune vérité ici : ces scores disent comment la carte annonce l'enregistrement, non ce qui arrive. "
            "(No truth here: these scores say how well the map foretells recording, not what happens.)"
        )
    else:
        say(f"{CANNOT_TELL.fr} ({CANNOT_TELL.en})")


@app.command("predict")
def predict(
    source: Annotated[str, typer.Argument(metavar="RUN_OU_LAC", help="Lac, ou dossier qui en contient un.")],
    predictor: Annotated[str, typer.Option(help="Clef du prédicteur : `contrechamp hotspot list`.")],
    city: Annotated[Path | None, typer.Option(help=_CITY)] = None,
    at: Annotated[
        str | None, typer.Option(help="Jour prédit, AAAA-MM-JJ ; par défaut, le lendemain du dernier. (Day.)")
    ] = None,
    top: Annotated[int | None, typer.Option(help="Mailles signalées ; par défaut 1 %. (Cells flagged.)")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Paramètre du prédicteur : clef=valeur.")] = None,
    cell: Annotated[float, typer.Option(help=_CELL)] = 250.0,
    seed: Annotated[int, typer.Option(min=0, help="Départage les mailles égales. (Chooses among equals.)")] = 0,
    out: Annotated[Path | None, typer.Option(help="Fichier .geojson, .csv ou .parquet.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Dessiner la carte de demain et nommer les mailles signalées. (Draw tomorrow's map and its flagged cells.)"""
    import json

    from contrechamp.pipelines.hotspot import CANNOT_TELL, check_map_name, predict_day, write_map

    if out is not None:
        check_map_name(out)
    with progress_bar(1) as (_, advance):
        advance("hotspot predict")
        drawn = predict_day(
            source, predictor=predictor, city=city, params=_values(parse_sets(set_ or ())), at=_date(at), top=top,
            cell_m=cell, seed=seed,
        )  # fmt: skip
    if out is not None:
        write_map(drawn, out)
        say(f"Carte (map) : {out}")
    head: Mapping[str, Any] = {
        "predictor": drawn.predictor, "day": drawn.day.date().isoformat(), "n_records": drawn.n_records,
        "n_days": drawn.n_days, "n_days_used": drawn.n_days_used, "n_cells": drawn.n_cells,
        "expected_total": drawn.expected_total, "tied_with_the_last": drawn.tied,
    }  # fmt: skip
    if as_json:
        emit({**head, "cannot_tell": {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en},
              "cells": json.loads(drawn.cells.to_json(orient="records"))})  # fmt: skip
        return
    rows = [
        (r["rank"], r["cell"], f"{r['x_m']:.0f}", f"{r['y_m']:.0f}", f"{r['lon']:.5f}", f"{r['lat']:.5f}",
         f"{r['expected']:.4g}", f"{100 * r['share']:.2f} %")
        for r in drawn.cells.to_dict("records")
    ]  # fmt: skip
    emit_table(rows, ("rank", "cell", "x_m", "y_m", "lon", "lat", "expected", "share"))
    say(
        f"{head['day']}, {drawn.predictor} : {len(drawn.cells)} mailles sur {drawn.n_cells} (cells flagged), d'après "
        f"n = {drawn.n_records} enregistrements connus ce matin-là sur {drawn.n_days} jours, carte établie sur "
        f"{drawn.n_days_used} (records known that morning, days, days the map rests on) ; {drawn.expected_total:.1f} "
        "attendus en tout (expected in all)."
    )
    if drawn.tied:
        say(
            f"{drawn.tied} autres mailles valent la dernière signalée : le hasard a choisi (graine {seed}). "
            "(Others equal the last one flagged: chance chose.)"
        )
    say(f"{CANNOT_TELL.fr} ({CANNOT_TELL.en})")


@app.command("publish")
def publish(
    source: Annotated[str, typer.Argument(metavar="RUN_OU_LAC", help="Lac, ou dossier qui en contient un.")],
    city: Annotated[Path | None, typer.Option(help=_CITY)] = None,
    predictor: Annotated[
        list[str] | None, typer.Option(help="Prédicteur, à répéter ; par défaut, tous ceux qui sont rapides.")
    ] = None,
    tracking: Annotated[
        str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Registre MLflow. (MLflow registry.)")
    ] = "sqlite:///mlflow.db",
    days: Annotated[int, typer.Option(help="Jours évalués, les derniers. (Days evaluated.)")] = 56,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    jobs: Annotated[int | None, typer.Option()] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Mettre à l'épreuve, inscrire au registre et nommer le champion. (Backtest, register, name the champion.)

    Le champion est choisi sur les enregistrements, ce qu'une ville peut voir ; la fiche dit ce qu'en dit la vérité.
    """
    from contrechamp.pipelines.backtest import default_predictors
    from contrechamp.pipelines.registry import CHAMPION, MODEL_NAME, publish_lake

    with progress_bar(1) as (progress, advance):
        advance("hotspot publish")
        left = publish_lake(
            source, predictors=list(predictor or default_predictors()), tracking_uri=tracking, city=city, days=days,
            seed=seed, jobs=workers(jobs), progress=progress,
        )  # fmt: skip
    chosen = left.champion.key
    if as_json:
        said = {"fr": left.champion.said.fr, "en": left.champion.said.en}
        emit({"model": MODEL_NAME, "run_id": left.run_id, "versions": dict(left.versions), CHAMPION: chosen,
              "said": said})  # fmt: skip
        return
    emit_table(
        [(key, version, CHAMPION if key == chosen else "") for key, version in left.versions.items()],
        ("predictor", "version", "alias"),
    )
    say(f"{left.champion.said.fr}\n({left.champion.said.en})")
    say(f"Registre (registry) : {tracking}, {MODEL_NAME}@{CHAMPION}")


@app.command("statistics")
def statistics(
    source: Annotated[str, typer.Argument(metavar="RUN_OU_LAC", help="Lac, ou dossier qui en contient un.")],
    city: Annotated[Path | None, typer.Option(help=_CITY)] = None,
    days: Annotated[int, typer.Option(help="Jours lus, les derniers. (Days read, the last ones.)")] = 56,
    permutations: Annotated[int, typer.Option(help="Tirages ; le plus petit p est 1/(1+tirages). (Draws.)")] = 999,
    cell: Annotated[float, typer.Option(help=_CELL)] = 250.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="Dossier où écrire les deux tables en parquet.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Lire Gi*, Moran local et la table de Knox sur les derniers jours. (Gi*, local Moran, Knox table.)"""
    from contrechamp.domain.provenance import plain
    from contrechamp.pipelines.map_statistics import CANNOT_TELL, lake_statistics
    from contrechamp.store.runs import write_tables

    with progress_bar(1) as (_, advance):
        advance("hotspot statistics")
        found = lake_statistics(
            source, city=city, days=days, cell_m=cell, permutations=permutations, seed=seed
        )  # fmt: skip
    flagged = {
        "gi_star_hot": int((found.cells["gi_star_flagged"] & (found.cells["gi_star"] > 0)).sum()),
        "gi_star_cold": int((found.cells["gi_star_flagged"] & (found.cells["gi_star"] < 0)).sum()),
        **{f"moran_{q}": int((found.cells["local_moran_flagged"] & (found.cells["quadrant"] == q)).sum())
           for q in ("high-high", "low-high", "low-low", "high-low")},
    }  # fmt: skip
    if out is not None:
        write_tables(out, {"cells": found.cells, "knox": found.knox})
        say(f"Tables : {out / 'tables'}")
    if as_json:
        emit(plain({
            "n_records": found.n_records, "n_days": found.n_days, "n_cells": len(found.cells),
            "permutations": found.permutations, "cells_flagged": flagged, "knox": found.knox.to_dict("records"),
            "cannot_tell": {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en},
        }))  # fmt: skip
        return
    emit_table([(name, count) for name, count in flagged.items()], ("mailles signalées (cells flagged)", "n"))
    print()
    emit_table(
        [(r["distance_m"], r["days"], r["observed"], f"{r['expected']:.1f}",
          "-" if r["ratio"] != r["ratio"] else f"{r['ratio']:.2f}", f"{r['p']:.4g}")
         for r in found.knox.to_dict("records")],
        ("m", "jours (days)", "paires (pairs)", "attendues (expected)", "rapport (ratio)", "p"),
    )  # fmt: skip
    say(
        f"n = {found.n_records} enregistrements sur {found.n_days} jours (records over days), {len(found.cells)} "
        f"mailles de {found.inputs.grid.cell_m:g} m (cells) ; {found.permutations} tirages (draws), fausses "
        "découvertes à 5 % (false discoveries)."
    )
    say(f"{CANNOT_TELL.fr} ({CANNOT_TELL.en})")


def _print_scores(results: Sequence[Result], *, against: str | None) -> None:
    """Each map by area and kind of events; never a score without its interval and n. At most 100 columns wide."""
    from contrechamp.domain.provenance import canonical_json

    found = {r.key: r.interval for r in results}

    def cell(measure: str, digits: str, n: int, **world: Scalar) -> str:
        i = found.get(f"platform/{measure}/{canonical_json(world)}")
        if i is None:
            return "-"
        if i.estimate is None or i.low is None or i.high is None:
            return f"non estimable (n={i.n})"
        said = f"{i.estimate:{digits}} [{i.low:{digits}}, {i.high:{digits}}]"
        return said if i.n == n else f"{said} n={i.n}"

    cut = [(dict(r.world), r.interval.n) for r in results if r.measure == "pai"]
    whole = [({k: v for k, v in w.items() if k != "area"}, n) for w, n in cut if w["area"] == cut[0][0]["area"]]

    def show(worlds: Sequence[tuple[dict[str, Scalar], int]], *columns: tuple[str, str, str]) -> None:
        by_area = "area" in worlds[0][0]
        rows = []
        for w, n in worlds:
            area = [f"{100 * float(w['area']):g} %"] if by_area else []
            pair = {"against": str(against)}
            cells = [cell(m, digits, n, **w, **(pair if m in _PAIRED else {})) for _, m, digits in columns]
            rows.append((w["predictor"], *area, _ON[str(w["scored_on"])], n, *cells))
        emit_table(rows, ("prédicteur", *(["aire"] if by_area else []), "sur", "n", *(head for head, *_ in columns)))

    print("Part la mieux classée de la surface (aire) ; [intervalle à 95 %] ; n jours.")
    print("(Best-ranked share of the area; on: enregistré = records, vérité = truth; [95 % interval]; n days.)")
    show(cut, ("PAI", "pai", "#.3g"), ("PEI", "pei", ".3f"), ("PEI*", "pei_star", ".3f"))
    print("\nGain de PAI, en proportion : 0.1 vaut 10 % de plus. (Gain in PAI, as a proportion: 0.1 is 10 % more.)")
    versus = [(f"/ {against}", _PAIRED[0], "+.3f")] if against else []
    show(cut, ("/ trailing-mean", "gain_pai", "+.3f"), *versus)
    print("\nCarte entière. (Whole map.)")
    show(whole, ("AUC", "auc", ".3f"), ("pente de calibration (calibration slope)", "calibration_slope", "#.3g"))
    print("\nCarte entière, contre trailing-mean. (Whole map, against trailing-mean.)")
    show(
        whole, ("gain, nats par événement (per event)", "log_gain", "+.3f"),
        ("gain de Brier (Brier skill)", "brier_skill", "+.3f"),
    )  # fmt: skip


def _print_nij(rules: pd.DataFrame) -> None:
    """Say whether the half square mile of the NIJ's PAI was flagged under its rules."""
    broken = [
        f"{_NIJ[str(r['rule'])]} = {r['got']:.6g}, hors de (outside) [{r['low']:.6g}, {r['high']:.6g}]"
        for r in rules.to_dict("records")
        if not r["met"]
    ]
    if broken:
        say(f"Règles du NIJ 2017 non tenues (NIJ rules not met) : {' ; '.join(broken)}.")


def _date(text: str | None) -> pd.Timestamp | None:
    import pandas as pd

    from contrechamp.domain.errors import ParameterError

    if text is None:
        return None
    date = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    if pd.isna(date):
        raise ParameterError(f"The `--at` option must be a day (2017-03-01). Got {text!r}.")
    return pd.Timestamp(date)


def _values(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Numbers as numbers, the rest as words; the predictor says what it takes."""

    def read(text: str) -> Any:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        return text

    return {name: read(text) for name, text in pairs.items()}
