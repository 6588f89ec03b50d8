"""``contrechamp trace``: from a printed number to its rows, its code, its seed, and the command that remakes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from contrechamp.cli._common import emit, progress_bar, say, this_command, workers
from contrechamp.domain.errors import IntegrityError
from contrechamp.domain.text import Lang, Text

if TYPE_CHECKING:
    from contrechamp.audit.trace import Judged, Trace

_WIDTH: Final = 16
_HOW: Final = {
    "cited": Text(fr="cité", en="cited"),
    "range": Text(fr="dans une plage de numéros", en="within a range of ids"),
    "row": Text(fr="sur sa ligne", en="on its row"),
}


def trace(
    result: Annotated[str, typer.Argument(metavar="R-0142", help="Numéro imprimé dans un rapport. (Printed id.)")],
    run: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="Exécution ; par défaut la dernière de ./runs. (Run.)")
    ] = None,
    again: Annotated[
        bool, typer.Option("--recompute", help="Relancer l'expérience et comparer ; 12 si autre chose. (Run it again.)")
    ] = False,
    jobs: Annotated[int | None, typer.Option(help="Processus pour --recompute. (Workers.)")] = None,
    lang: Annotated[Literal["fr", "en"], typer.Option()] = "fr",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Dire d'où vient un nombre du rapport et comment le recalculer. (Trace a number of the report to its source.)"""
    from contrechamp.audit.sealed import latest
    from contrechamp.audit.trace import recompute, result_id
    from contrechamp.audit.trace import trace as follow

    try:
        wanted = result_id(result)
    except ValueError:
        raise typer.BadParameter(f"{result!r} n'est pas un numéro de résultat : R-0142. (Not a result id.)") from None
    found = follow(run if run is not None else latest(Path("runs")), wanted)
    summary = found.to_dict()
    if again:
        with progress_bar(1) as (progress, advance):
            advance(f"experiment {found.row['experiment']}")
            moved = recompute(found, jobs=workers(jobs), progress=progress)
        if moved:
            told = ", ".join(f"{k} {was} → {now}" for k, (was, now) in moved.items())
            raise IntegrityError(
                f"The result {wanted} of {found.run.name} is not what {found.row['experiment']} gives here: {told}. "
                "Compare the versions and the commit (`contrechamp show-versions`) with those of its run.json."
            )
        summary["recomputed"] = True
    if as_json:
        emit(summary)
        return
    _print(found, lang)
    for problem in found.run.changed:
        say(f"Autre fichier du dossier (other file of the folder): {problem}")
    if not found.run.sealed:
        say("Dossier sans sceau : rien ne dit qu'il n'a pas été récrit. (No seal: it may have been rewritten.)")
    if again:
        said = Text(fr="Recalculé à l’instant : le même nombre.", en="Recomputed just now: the same number.")
        print(f"\n{said.in_(lang)}")


def _print(found: Trace, lang: Lang) -> None:
    from contrechamp.audit.reporting import wording as w

    row = found.row
    print(f"{row['id']} · {row['experiment']} · {row['measure']}")
    if found.label is not None:
        print(f"{w.typeset(found.label.in_(lang), lang)}")
    _title(Text(fr="Le nombre", en="The number"), lang)
    raw = Text(fr="non estimable", en="not estimable").in_(lang) if row["value"] is None else f"{row['value']!r}"
    _line(Text(fr="valeur", en="value"), f"{w.value(row, lang)}  ({raw}, {found.unit})", lang)
    if row["value"] is not None:
        bounds = "" if w.is_exact(row) else f"  ([{row['low']!r}, {row['high']!r}])"
        _line(Text(fr="intervalle", en="interval"), f"{w.interval(row, lang)}{bounds}", lang)
        level = "" if w.is_bounds(row) else f"{w.percent(float(row['level']), lang)}, "
        _line(Text(fr="niveau, méthode", en="level, method"), f"{level}{w.method(row, lang)}", lang)
    _line(Text(fr="n", en="n"), w.count(row["n"], lang), lang)
    if found.counted is not None:
        _line(Text(fr="dénominateur", en="denominator"), found.counted.in_(lang), lang)
    for index, (key, name, value) in enumerate(found.world):
        head = Text(fr="monde", en="world") if index == 0 else None
        _line(head, f"{name.in_(lang)} = {value.in_(lang)}  ({key}={row['world'][key]})", lang)
    _origin(found, lang)
    _title(Text(fr="Ce qu’il aide à décider, dans les mondes énoncés",
                en="What it helps to decide, under the stated worlds"), lang)  # fmt: skip
    for judged in found.judged:
        _claim(judged, row["measure"], lang)
    if not found.judged:
        print("  " + Text(fr="Aucune règle ne lit ce résultat.", en="No rule reads this result.").in_(lang))
    _printed(found, lang)
    _title(Text(fr="Recalculer", en="Recompute"), lang)
    print(f"  {found.command.line}")
    if found.command.whole_run:
        note = Text(fr="recalcule toute l’exécution et compare chaque nombre", en="recomputes the whole run and "
                    "compares every number")  # fmt: skip
    else:
        where = ", ".join(f"{k}={v}" for k, v in row["world"].items()) or "-"
        note = Text(
            fr=f"y lire la mesure {row['measure']}, monde {where} ; ou, qui compare : {_again(found)}",
            en=f"read there the measure {row['measure']}, world {where}; or, which compares: {_again(found)}",
        )
    print(f"  ({note.in_(lang)})")


def _again(found: Trace) -> str:
    return f"{this_command()} trace {found.row['id']} --run {found.run.folder} --recompute"


def _origin(found: Trace, lang: Lang) -> None:
    from contrechamp.audit.reporting import wording as w

    run, source, summary = found.run, found.source, found.to_dict()
    _title(Text(fr="D’où il vient", en="Where it comes from"), lang)
    seal = Text(fr="scellée", en="sealed") if run.sealed else Text(fr="sans sceau", en="not sealed")
    started = w.date(str(run.record.get("started_at", "")), lang)
    _line(Text(fr="exécution", en="run"), f"{run.name}, {started}, {seal.in_(lang)}", lang)
    if source.table:
        told = Text(
            fr=f"{source.file} : {w.count(source.rows, lang)} lignes, dont {w.count(source.rows_of_world, lang)} de ce "
            "monde",
            en=f"{source.file}: {w.count(source.rows, lang)} rows, of which {w.count(source.rows_of_world, lang)} of "
            "this world",
        )
        _line(Text(fr="table", en="table"), told.in_(lang), lang)
        _line(Text(fr="colonnes", en="columns"), ", ".join(source.columns), lang)
        if source.value_column:
            _line(Text(fr="tel quel dans", en="as it is in"), source.value_column, lang)
        _line(Text(fr="SHA-256", en="SHA-256"), source.sha256, lang)
    else:
        none = Text(fr="aucune : forme close ou simulation résumée", en="none: closed form or summarised simulation")
        _line(Text(fr="table", en="table"), none.in_(lang), lang)
    if row_inputs := summary["inputs"]:
        files = Text(fr="fichiers bruts, empreintes dans run.json", en="raw files, hashes in run.json")
        _line(Text(fr="flux", en="streams"), f"{w.count(len(row_inputs), lang)} {files.in_(lang)}", lang)
    code = summary["code"]
    unknown = Text(fr="commit inconnu", en="unknown commit").in_(lang)
    dirty = {True: Text(fr=", modifié depuis", en=", changed since").in_(lang)}.get(code["dirty"], "")
    _line(Text(fr="code", en="code"),
          f"contrechamp {code['contrechamp'] or '?'}, {code['commit'] or unknown}{dirty}", lang)  # fmt: skip
    _line(Text(fr="graine, profil", en="seed, profile"), f"{summary['seed']}, {summary['profile']}", lang)
    for index, (key, value) in enumerate(summary["parameters"].items()):
        shown = ",".join(map(str, value)) if isinstance(value, list) else value
        _line(Text(fr="paramètres", en="parameters") if index == 0 else None, f"{key}={shown}", lang)
    plan = summary["plan"]
    frozen = Text(fr="gelé le", en="frozen on").in_(lang)
    _line(Text(fr="plan", en="plan"), f"{frozen} {w.date(str(plan['frozen_at'] or ''), lang)}, {plan['sha256']}", lang)
    moved = plan["deviations"]
    if moved:
        key = found.row["experiment"]
        mine = [d["path"] for d in moved if d["path"] in ("/seed", "/scenario") or f"-{key}/" in d["path"]
                or d["path"].startswith(f"/experiments/{key}/{summary['profile']}/")]  # fmt: skip
        told = Text(
            fr=f"écarts au plan gelé : {len(moved)}, dont {len(mine)} qui le concernent",
            en=f"deviations from the frozen plan: {len(moved)}, of which {len(mine)} concern it",
        )
        _line(None, f"{told.in_(lang)}  {', '.join(mine[:5])}{', …' if len(mine) > 5 else ''}".rstrip(), lang)


def _claim(judged: Judged, measure: str, lang: Lang) -> None:
    from contrechamp.audit.reporting.wording import VERDICTS

    def said(verdict: str) -> str:
        return VERDICTS[verdict].in_(lang)

    flips = Text(fr=", change selon le monde", en=", changes with the world").in_(lang) if judged.flips else ""
    print(f"  {judged.claim}  {judged.gloss.in_(lang)}")
    ends = Text(
        fr=f"dans ce monde : {said(judged.here)} ; cette expérience : {said(judged.experiment_verdict)} ; "
        f"l’affirmation : {said(judged.verdict)}{flips}",
        en=f"in this world: {said(judged.here)}; this experiment: {said(judged.experiment_verdict)}; the claim: "
        f"{said(judged.verdict)}{flips}",
    )
    print(f"    → {ends.in_(lang)}")
    if judged.worlds is not None:
        _line(Text(fr="mondes", en="worlds"), judged.worlds.in_(lang), lang, indent=4)
    for head, words in (
        (Text(fr="étayée si", en="supported if"), judged.support),
        (Text(fr="réfutée si", en="refuted if"), judged.refute),
    ):
        _line(head, words.in_(lang), lang, indent=4)
    sides = {"support": Text(fr="appui", en="support"), "refute": Text(fr="réfutation", en="refutation")}
    for c in judged.conditions:
        met = Text(fr="rempli", en="met") if c["holds"] else Text(fr="non rempli", en="not met")
        test = f"{measure}.{c['bound']} {c['op']} {c['threshold']:g} : {met.in_(lang)}"
        _line(sides[str(c["for"])], test, lang, indent=4)
    if judged.with_results:
        _line(Text(fr="lu avec", en="read with"), ", ".join(judged.with_results), lang, indent=4)


def _printed(found: Trace, lang: Lang) -> None:
    _title(Text(fr="Où il est imprimé", en="Where it is printed"), lang)
    if not found.printed:
        print("  " + Text(fr="Le dossier ne contient pas de rapport.", en="The folder holds no report.").in_(lang))
        return
    chosen: Any = lang if lang in found.printed else next(iter(found.printed))
    for place in found.printed[chosen]:
        where = place.section if place.title in ("", place.section) else f"{place.section} › {place.title}"
        anchor = found.row["id"] if place.how == "row" else place.anchor
        print(f"  {where} ({_HOW[place.how].in_(lang)})  {found.run.folder}/report.{chosen}.html#{anchor}")
    if not found.printed[chosen]:
        print("  " + Text(fr="Nulle part dans le rapport.", en="Nowhere in the report.").in_(lang))


def _title(text: Text, lang: Lang) -> None:
    print(f"\n{text.in_(lang)}")


def _line(head: Text | None, text: str, lang: Lang, *, indent: int = 2) -> None:
    label = head.in_(lang) if head is not None else ""
    print(f"{' ' * indent}{label:<{_WIDTH}}{text}")
