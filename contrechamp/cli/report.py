"""``contrechamp report diff``: which verdicts and numbers moved between two runs, and why as far as it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from contrechamp.cli._common import emit, emit_table, say
from contrechamp.domain.errors import EXIT_REFUTED
from contrechamp.domain.text import Lang, Text

if TYPE_CHECKING:
    from contrechamp.audit.diff import Diff, Difference, Moved, Turn

app = typer.Typer(help="Comparer les rapports de deux exécutions. (Compare the reports of two runs.)",
                  no_args_is_help=True)  # fmt: skip
#: Lines printed of each list; the whole is in ``--json``.
_SHOWN: Final = 15
#: Lines printed of each kind of difference, so that a long one hides no other.
_OF_A_KIND: Final = 5
CAUSES: Final = {
    "seed": Text(fr="la graine", en="the seed"),
    "parameters": Text(fr="les paramètres", en="the parameters"),
    "scenario": Text(fr="le scénario", en="the scenario"),
    "constants": Text(fr="une constante du plan", en="a constant of the plan"),
    "data": Text(fr="les fichiers bruts", en="the raw files"),
    "code": Text(fr="le code", en="the code"),
    "versions": Text(fr="les versions ou la machine", en="the versions or the machine"),
    "experiment": Text(fr="l’expérience n’a tourné que d’un côté", en="the experiment ran on one side only"),
}
_KINDS: Final = {
    **CAUSES,
    "profile": Text(fr="le profil", en="the profile"),
    "rules": Text(fr="les règles et les seuils", en="the rules and thresholds"),
    "experiments": Text(fr="les expériences menées", en="the experiments run"),
}
_TURNED: Final = {
    "rules": Text(fr="les règles seules", en="the rules alone"),
    "results": Text(fr="les nombres seuls", en="the numbers alone"),
    "either": Text(fr="les règles ou les nombres, chacun y suffit", en="the rules or the numbers, each is enough"),
    "both": Text(fr="les règles et les nombres ensemble", en="the rules and the numbers together"),
    "unknown": Text(fr="on ne peut pas le dire : ces règles ne jugent pas ces nombres",
                    en="it cannot be said: these rules cannot judge these numbers"),
}  # fmt: skip


@app.callback()
def report() -> None:
    """Comparer les rapports de deux exécutions. (Compare the reports of two runs.)"""


@app.command("diff")
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="Dossier de la première exécution. (First run.)")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Dossier de la seconde. (Second run.)")],
    lang: Annotated[Literal["fr", "en"], typer.Option()] = "fr",
    as_json: Annotated[bool, typer.Option("--json")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Sortir en 20 si un verdict ou un nombre a bougé. (20 if one moved.)")
    ] = False,
) -> None:
    """Dire quels verdicts et quels nombres ont bougé de A à B, et pourquoi. (Say what moved from A to B, and why.)"""
    from contrechamp.audit.diff import compare
    from contrechamp.audit.sealed import read_run

    found = compare(read_run(before), read_run(after))
    if as_json:
        emit(found.to_dict())
    else:
        _print(found, lang)
    if exit_code and not found.still:
        raise typer.Exit(EXIT_REFUTED)


def _print(found: Diff, lang: Lang) -> None:
    for letter, run in (("A", found.before), ("B", found.after)):
        commit = str(run.environment.get("commit") or "?")[:12]
        words = Text(fr="graine {s}, profil {p}, commit {c}", en="seed {s}, profile {p}, commit {c}").in_(lang)
        print(f"{letter}  {run.name}  " + words.format(s=run.request["seed"], p=run.request["profile"], c=commit))
    _differing(found.differences, lang)
    if found.still:
        n = Text(
            fr=f"Rien n’a bougé : {found.judged} verdicts et {found.compared} nombres sont les mêmes.",
            en=f"Nothing moved: {found.judged} verdicts and {found.compared} numbers are the same.",
        )
        print(f"\n{n.in_(lang)}")
        return
    _verdicts(found, lang)
    _numbers(found, lang)
    _one_side(found, lang)
    _unattributed(found, lang)


def _differing(differences: Sequence[Difference], lang: Lang) -> None:
    if not differences:
        _title(Text(fr="Rien de ce que les exécutions disent d’elles-mêmes ne diffère.",
                    en="Nothing that the runs say of themselves differs."), lang)  # fmt: skip
        return
    _title(Text(fr="Ce qui diffère, d’après les exécutions", en="What differs, as the runs tell it"), lang)
    by_kind: dict[str, list[Difference]] = {}
    for d in differences:
        by_kind.setdefault(d.kind, []).append(d)
    rows: list[tuple[str, str, str, str]] = []
    for kind, mine in by_kind.items():
        rows += [(_KINDS[kind].in_(lang), d.path, _short(d.before), _short(d.after)) for d in mine[:_OF_A_KIND]]
        if len(mine) > _OF_A_KIND:
            rows.append((_KINDS[kind].in_(lang), _more(len(mine) - _OF_A_KIND, lang), "", ""))
    emit_table(rows, [h.in_(lang) for h in (Text(fr="quoi", en="what"), Text(fr="où", en="where"),
                                            Text(fr="A", en="A"), Text(fr="B", en="B"))])  # fmt: skip


def _verdicts(found: Diff, lang: Lang) -> None:
    from contrechamp.audit.reporting.labels import world_name
    from contrechamp.audit.reporting.wording import VERDICTS

    moved = found.verdicts
    title = Text(
        fr=f"Verdicts : {len(moved)} sur {found.judged} ont changé, dans les mondes énoncés",
        en=f"Verdicts: {len(moved)} of {found.judged} changed, under the stated worlds",
    )
    _title(title, lang)
    rows = []
    for turn in moved:
        worlds = ", ".join(f"{e} {n}" for e, n in Counter(w["experiment"] for w in turn.worlds).items()) or "-"
        rows.append((turn.claim, VERDICTS[turn.before].in_(lang), VERDICTS[turn.after].in_(lang), worlds,
                     _why_turned(turn, lang)))  # fmt: skip
    heads = (Text(fr="affirmation", en="claim"), Text(fr="A", en="A"), Text(fr="B", en="B"),
             Text(fr="mondes basculés", en="worlds turned"), Text(fr="par", en="by"))  # fmt: skip
    if rows:
        _table(rows, heads, lang)
    for turn in moved[:_SHOWN]:
        for d in turn.rules[:3]:
            print(f"  {turn.claim} : {d.path} : {_short(d.before)} → {_short(d.after)}")
        for x in turn.worlds[:3]:
            sides = [VERDICTS[v].in_(lang) if v else "-" for v in (x["before"], x["after"])]
            name = world_name(x["world"], lang) or Text(fr="cas principal", en="main case").in_(lang)
            print(f"  {turn.claim} : {x['experiment']}, {name} : {sides[0]} → {sides[1]}")
    inside = [t for t in found.turns if t.before == t.after]
    if inside:
        names = ", ".join(f"{t.claim} ({len(t.worlds)})" for t in inside[:_SHOWN]) + (
            ", …" if len(inside) > _SHOWN else "")  # fmt: skip
        said = Text(fr="Même verdict, mais des mondes ont basculé : ", en="Same verdict, but worlds turned: ")
        print(f"{said.in_(lang)}{names}")
    for side, claims in found.claims_only:
        where = {"before": "A", "after": "B"}[side]
        said = Text(fr=f"Jugées en {where} seulement : ", en=f"Judged in {where} only: ")
        print(f"{said.in_(lang)}{', '.join(claims[:_SHOWN])}{', …' if len(claims) > _SHOWN else ''}")


def _why_turned(turn: Turn, lang: Lang) -> str:
    if turn.turned_by is None:
        return "-"
    said = _TURNED[turn.turned_by].in_(lang)
    return f"{said} ({_causes(turn.causes, lang)})" if turn.turned_by not in ("rules", "unknown") else said


def _numbers(found: Diff, lang: Lang) -> None:
    kinds = Counter(m.kind for m in found.moved)
    disjoint = sum(m.disjoint for m in found.moved)
    title = Text(
        fr=f"Nombres : {len(found.moved)} sur {found.compared} ont bougé : {kinds['beyond']} au-delà de l’intervalle "
        f"(dont {disjoint} d’intervalles disjoints), {kinds['within']} à l’intérieur, {kinds['bounds']} par "
        f"l’intervalle ou n seulement, {kinds['estimability']} estimables d’un seul côté",
        en=f"Numbers: {len(found.moved)} of {found.compared} moved: {kinds['beyond']} beyond the interval (of which "
        f"{disjoint} with disjoint intervals), {kinds['within']} within, {kinds['bounds']} in interval or n only, "
        f"{kinds['estimability']} estimable on one side only",
    )
    _title(title, lang)
    grouped: dict[tuple[str, str], list[Moved]] = {}
    for m in found.moved:
        grouped.setdefault((m.experiment, m.measure), []).append(m)
    rows = []
    for (experiment, measure), mine in sorted(grouped.items(), key=lambda g: -sum(m.kind == "beyond" for m in g[1])):
        most = max(mine, key=_size)
        count = Counter(m.kind for m in mine)
        rows.append((experiment, measure, len(mine), count["beyond"], count["within"],
                     f"{most.before['id']} {_number(most.before)} → {most.after['id']} {_number(most.after)}",
                     _causes(mine[0].causes, lang)))  # fmt: skip
    heads = (Text(fr="exp.", en="exp."), Text(fr="mesure", en="measure"), Text(fr="bougés", en="moved"),
             Text(fr="au-delà", en="beyond"), Text(fr="dedans", en="within"),
             Text(fr="le plus grand écart", en="the largest gap"), Text(fr="ce qui peut l’expliquer",
                                                                        en="what can explain it"))  # fmt: skip
    if rows:
        _table(rows, heads, lang)
    _by_chance(found, lang)


def _by_chance(found: Diff, lang: Lang) -> None:
    """Where the seed alone differs, say how often luck alone puts an estimate outside the other's interval."""
    from contrechamp.audit.diff import BY_CHANCE

    drawn = [m for m in found.moved if m.causes == ("seed",) and m.kind in ("beyond", "within")
             and m.before["level"] == m.after["level"] == 0.95]  # fmt: skip
    if len(drawn) < 20:
        return
    share = sum(m.kind == "beyond" for m in drawn) / len(drawn)
    said = Text(
        fr=f"Là où seule la graine diffère, {share:.0%} des nombres bougés sont au-delà. Le hasard de deux tirages "
        f"indépendants en met {BY_CHANCE:.0%} en moyenne, plus ou moins par grappes : des nombres ont des tirages en "
        "commun.",
        en=f"Where the seed alone differs, {share:.0%} of the numbers that moved are beyond. The luck of two "
        f"independent draws puts {BY_CHANCE:.0%} there on average, more or less in clusters: some numbers share draws.",
    )
    print(said.in_(lang))


def _one_side(found: Diff, lang: Lang) -> None:
    for title, listed in (
        (Text(fr="Nombres apparus en B", en="Numbers that appeared in B"), found.appeared),
        (Text(fr="Nombres disparus de A", en="Numbers that vanished from A"), found.vanished),
    ):
        if not listed:
            continue
        print(f"\n{title.in_(lang)} : {len(listed)}")
        count = Counter((r["experiment"], r["measure"], r["why"]) for r in listed)
        rows = [(e, m, n, CAUSES[why].in_(lang) if why else _unknown(lang)) for (e, m, why), n in count.most_common()]
        heads = (Text(fr="exp.", en="exp."), Text(fr="mesure", en="measure"), Text(fr="nombre", en="count"),
                 Text(fr="pourquoi", en="why"))  # fmt: skip
        _table(rows, heads, lang)


def _unattributed(found: Diff, lang: Lang) -> None:
    """Say what cannot be attributed."""
    silent = [m for m in found.moved if not m.causes]
    mixed = [m for m in found.moved if len(m.causes) > 1]
    if silent:
        say(Text(
            fr=f"Sans cause connue : {len(silent)} nombre(s) ont bougé alors que rien de ce qui est consigné et les "
            "concerne ne diffère. Recalculez les deux : contrechamp verify DOSSIER --replay.",
            en=f"Without a known cause: {len(silent)} number(s) moved although nothing recorded that concerns them "
            "differs. Recompute both: contrechamp verify DIR --replay.",
        ).in_(lang))  # fmt: skip
    if mixed:
        say(Text(
            fr=f"Pour {len(mixed)} nombre(s), plusieurs choses diffèrent à la fois : rien ici ne dit laquelle a agi. "
            "Relancez en n’en changeant qu’une.",
            en=f"For {len(mixed)} number(s), several things differ at once: nothing here says which one acted. Run "
            "again, changing one at a time.",
        ).in_(lang))  # fmt: skip
    if found.moved and found.unseen:
        told = {
            "commit": Text(fr="un commit n’est pas connu", en="a commit is not known"),
            "dirty": Text(fr="un code avait été modifié après son commit", en="some code was changed after its commit"),
        }
        what = ", ".join(told[u].in_(lang) for u in found.unseen)
        say(Text(fr=f"Le code peut différer sans que cela se voie : {what}.",
                 en=f"The code may differ unseen: {what}.").in_(lang))  # fmt: skip


def _causes(causes: Sequence[str], lang: Lang) -> str:
    if not causes:
        return _unknown(lang)
    joint = Text(fr=" ou ", en=" or ").in_(lang)
    return joint.join(CAUSES[c].in_(lang) for c in causes)


def _unknown(lang: Lang) -> str:
    return Text(fr="rien de consigné", en="nothing recorded").in_(lang)


def _size(m: Moved) -> float:
    """How far a number went, in half-widths of its interval where it has one, else relative to itself."""
    a, b = m.before, m.after
    if a["value"] is None or b["value"] is None:
        return float("inf")
    gap = abs(b["value"] - a["value"])
    half = ((a["high"] - a["low"]) + (b["high"] - b["low"])) / 4
    scale = half or max(abs(a["value"]), abs(b["value"])) or 1.0
    return float(gap / scale)


def _number(r: Any) -> str:
    if r["value"] is None:
        return "non estimable"
    span = "" if r["low"] == r["high"] else f" [{r['low']:.4g}, {r['high']:.4g}]"
    return f"{r['value']:.5g}{span}"


def _short(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _table(rows: Sequence[Sequence[object]], heads: Sequence[Text], lang: Lang) -> None:
    emit_table(rows[:_SHOWN], [h.in_(lang) for h in heads])
    if len(rows) > _SHOWN:
        print(_more(len(rows) - _SHOWN, lang))


def _more(number: int, lang: Lang) -> str:
    return Text(fr=f"… et {number} de plus (--json : tout)", en=f"… and {number} more (--json: all)").in_(lang)


def _title(text: Text, lang: Lang) -> None:
    print(f"\n{text.in_(lang)}")
