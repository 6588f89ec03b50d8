"""Tables of results: values with their intervals, worlds in rows, ids in the note. Maps of verdicts over worlds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Align, Block, Column, Span, Spans, Table, Voice
from contrechamp.audit.reporting.facts import PLATFORM, Facts, Row
from contrechamp.audit.reporting.labels import key_name, value_name, world_name
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.text import Text

#: Shorter names for measures whose full label does not fit a table head or a rule.
SHORT: Final[Mapping[tuple[str, str], Text]] = {
    ("E02", "recorded_off_20"): Text(fr="villes à plus de 20 points (part enregistrée)",
                                     en="cities over 20 points off (recorded share)"),
    ("E02", "recorded_off_10"): Text(fr="villes à plus de 10 points (part enregistrée)",
                                     en="cities over 10 points off (recorded share)"),
    ("E02", "patrol_off_20"): Text(fr="villes à plus de 20 points (temps de patrouille)",
                                   en="cities over 20 points off (patrol time)"),
    ("E02", "recorded_excess_20"): Text(fr="excès sur le témoin sans boucle (part enregistrée)",
                                        en="excess over the control without a loop (recorded share)"),
    ("E02", "recorded_excess_10"): Text(fr="excès à plus de 10 points sur le témoin sans boucle (part enregistrée)",
                                        en="excess over 10 points over the control without a loop (recorded share)"),
    ("E02", "patrol_excess_20"): Text(fr="excès sur le témoin sans boucle (temps de patrouille)",
                                      en="excess over the control without a loop (patrol time)"),
    ("E02", "days_to_drift"): Text(fr="jour médian du premier écart de plus de 20 points",
                                   en="median day of the first gap over 20 points"),
    ("E02", "share_of_worlds_supported"): Text(fr="mondes plausibles où la prophétie se réalise",
                                               en="plausible worlds where the prophecy comes true"),
    ("E02", "share_of_worlds_refuted"): Text(fr="mondes plausibles où elle est réfutée",
                                             en="plausible worlds where it is refuted"),
    ("E02", "share_of_worlds_open"): Text(fr="mondes plausibles où rien n’est décidé",
                                          en="plausible worlds where nothing is decided"),
    ("E02", "sobol_first"): Text(fr="indice du premier ordre", en="first-order index"),
    ("E02", "sobol_total"): Text(fr="indice total", en="total index"),
    ("E04", "partial_corr"): Text(fr="corrélation partielle de la note et des incidents vrais",
                                  en="partial correlation of the note with true incidents"),
    ("E04", "circularity"): Text(fr="circularité (agents doublés partout, points de note)",
                                 en="circularity (officers doubled everywhere, note points)"),
    ("E04", "circularity_half"): Text(fr="circularité (dans la moitié des lieux, points de note)",
                                      en="circularity (at half of the venues, note points)"),
    ("E04", "gain_over_linear"): Text(fr="gain sur le modèle linéaire", en="gain over the linear model"),
    ("E04", "gain_over_last"): Text(fr="gain sur le dernier événement comparable",
                                    en="gain over the last comparable event"),
    ("E05", "corr_gap"): Text(fr="corrélation avec l’optimum moins corrélation avec l’habitude",
                              en="correlation with the optimum minus correlation with habit"),
    ("E05", "corr_optimum"): Text(fr="corrélation avec la distance à l’optimum",
                                  en="correlation with the distance to the optimum"),
    ("E05", "excess_first"): Text(fr="adéquation d’un sureffectif, première année",
                                  en="adequacy of over-staffing, first year"),
    ("E05", "excess_again"): Text(fr="adéquation d’un sureffectif devenu le passé",
                                  en="adequacy of over-staffing become the past"),
    ("E03", "risk_ratio"): Text(fr="risques, B sur A", en="risks, B over A"),
    ("E03", "exposure_ratio"): Text(fr="heures par incident, B sur A", en="hours per incident, B over A"),
    ("E03", "amplification_risk"): Text(fr="amplification du risque", en="amplification of risk"),
    ("E03", "amplification_exposure"): Text(fr="amplification des heures", en="amplification of hours"),
    ("E09", "best_balance"): Text(fr="précision et rappel au meilleur T", en="precision and recall at the best T"),
    ("E09", "hourly_ratio"): Text(fr="fausses alertes par heure, sans-abri sur autres",
                                  en="wrong alerts per hour, rough sleepers over others"),
    ("E09", "passage_ratio"): Text(fr="passages signalés à tort, sans-abri sur autres",
                                   en="passages wrongly flagged, rough sleepers over others"),
    ("E09", "lawful_common"): Text(fr="alertes sur une conduite licite et courante",
                                   en="alerts on lawful, common behaviour"),
    ("E09", "hours_lost_longest"): Text(fr="présence perdue par les sans-abri", en="presence lost by rough sleepers"),
    ("E09", "hours_lost_ratio"): Text(fr="part perdue, sans-abri sur autres",
                                      en="share lost, rough sleepers over others"),
    ("E09", "false_waiting_lost"): Text(fr="signalés à tort qui attendent ou cherchent leur chemin",
                                        en="wrongly flagged who wait or look for their way"),
    ("E10", "precision"): Text(fr="précision (parti pour de bon)", en="precision (gone for good)"),
    ("E10", "recall"): Text(fr="rappel", en="recall"),
    ("E12", "utilisation"): Text(fr="charge des opérateurs (1 : la file déborde)",
                                 en="operators’ load (1: the queue overflows)"),
    ("E12", "minutes_per_true_event"): Text(fr="minutes de lecture par fait trouvé",
                                            en="reading minutes per event found"),
    ("E20", "gain_full_join"): Text(fr="gain des huit flux", en="gain of all eight streams"),
    ("E20", "least_drop_cost"): Text(fr="perte au retrait du flux qui coûte le moins",
                                     en="loss when the stream that costs least is dropped"),
    ("E20", "best_three_shortfall"): Text(fr="manque des trois meilleurs flux",
                                          en="shortfall of the best three streams"),
    ("E22", "rank_correlation"): Text(fr="corrélation de rang avec les causes", en="rank correlation with the causes"),
    ("E22", "sign_accuracy"): Text(fr="sens justes", en="right directions"),
    ("E22", "artefact_in_top3"): Text(fr="mondes où les patrouilles, sans effet, sont dans les trois premiers facteurs",
                                      en="worlds where patrols, without effect, are among the first three factors"),
    ("E21", "gain_averted"): Text(fr="gain en incidents évités", en="gain in incidents averted"),
    ("E21", "worst_cover_loss"): Text(fr="heures perdues par un secteur", en="hours lost by a sector"),
    ("E11", "precision"): Text(fr="alertes nuisibles", en="harmful alerts"),
    ("E11", "lift"): Text(fr="gain sur le hasard", en="lift over chance"),
    ("E11", "auc"): Text(fr="aire sous la courbe ROC", en="area under the ROC curve"),
    ("E11", "common_share"): Text(fr="alertes sur des conduites licites et courantes",
                                  en="alerts on lawful and common conduct"),
    ("E11", "recall_slope"): Text(fr="rappel gagné par dix fois plus d’exemples",
                                  en="recall gained by ten times as many examples"),
    ("E11", "singled_out"): Text(fr="trajectoires reliées à la bonne personne", en="tracks tied to the right person"),
    ("E11", "macro_f1"): Text(fr="F1 macro des modes", en="macro F1 of modes"),
    ("E11", "macro_f1_near_miss"): Text(fr="F1 macro des quasi-accidents", en="macro F1 of near misses"),
    ("E13", "candidate_set"): Text(fr="candidats restants", en="candidates left"),
    ("E13", "top10"): Text(fr="dans les dix premières", en="in the first ten"),
    ("E13", "route_recall"): Text(fr="passages retrouvés", en="sightings found"),
    ("E13", "route_purity"): Text(fr="passages de la bonne personne", en="sightings of the right person"),
    ("E14", "time_ratio"): Text(fr="rapport des temps médians", en="ratio of median times"),
    ("E14", "mean_time_ratio"): Text(fr="rapport des temps moyens", en="ratio of mean times"),
    ("E14", "miss_excess"): Text(fr="voitures manquées en plus", en="more cars missed"),
    ("E14", "clips_opened"): Text(fr="extraits ouverts", en="clips opened"),
    ("E15", "ppv"): Text(fr="alertes justes", en="right alerts"),
    ("E15", "false_reject"): Text(fr="refus à tort", en="wrong refusals"),
    ("E15", "false_first"): Text(fr="premier candidat erroné", en="wrong first candidate"),
    ("E16", "precision"): Text(fr="alertes justes", en="right alerts"),
    ("E16", "recall"): Text(fr="sons visés trouvés", en="sought sounds found"),
    ("E16", "speech_processed"): Text(fr="parole traitée", en="speech processed"),
    ("E16", "evidence_share"): Text(fr="déplacements avec indice", en="responses with evidence"),
    ("E17", "p_detects"): Text(fr="études qui voient une baisse", en="studies that see a fall"),
    ("E17", "p_equivalent"): Text(fr="études qui concluent à moins de 5 %", en="studies that conclude under 5 %"),
    ("E17", "p_fall"): Text(fr="baisse publiée affichée sans effet", en="published fall shown without effect"),
    ("E17", "p_correlation"): Text(fr="corrélations trouvées", en="correlations found"),
    ("E23", "delivered_share"): Text(fr="part livrée", en="delivered share"),
    ("E23", "projects_kept"): Text(fr="projets tenus", en="projects kept"),
    ("E23", "delay_days"): Text(fr="retard", en="delay"),
    ("E25", "sign_agreement"): Text(fr="signes justes", en="right signs"),
    ("E25", "coverage"): Text(fr="intervalles qui contiennent la pente", en="intervals that hold the slope"),
    ("E18", "under_2pct"): Text(fr="moins de 2 %", en="under 2 %"),
}  # fmt: skip

#: Fewer worlds than this are named one by one in the claim's card, not mapped.
MIN_MAP: Final = 4
MAX_ROWS: Final = 9


def full_label(facts: Facts, experiment: str, measure: str, voice: Voice) -> str:
    """Label of a measure; another measure that it names by its key is named by its words."""
    known = facts.measures(experiment)
    label = known[measure].label.in_(voice.lang)
    quote = "« {} »" if voice.lang == "fr" else "“{}”"
    pieces = [
        quote.format(measure_name(facts, experiment, p, voice)) if k % 2 and p in known else p
        for k, p in enumerate(label.split("`"))
    ]
    return w.typeset("".join(pieces), voice.lang)


def experiment_name(key: str, voice: Voice) -> str:
    """Id of an experiment, or the word for the platform."""
    return Text(fr="plateforme", en="platform").in_(voice.lang) if key == PLATFORM else key


def measure_name(facts: Facts, experiment: str, measure: str, voice: Voice) -> str:
    """Short name of a measure, or its label."""
    short = SHORT.get((experiment, measure))
    if short is None:
        return full_label(facts, experiment, measure, voice)
    return w.typeset(short.in_(voice.lang), voice.lang)


def cell(row: Row | None, voice: Voice) -> Spans:
    """Value, and its interval in small type; a dash when this world was not visited."""
    if row is None:
        return (Span("–"),)
    shown = (Span(w.value(row, voice.lang)),)
    if row["value"] is None or w.is_exact(row) or row["unit"] == "bool":
        return shown
    _, low, high, _ = w.parts(row, voice.lang)
    return (
        *shown,
        Span(f" [{low}{w.NNBSP};{w.NBSP}{high}]" if voice.lang == "fr" else f" [{low},{w.NBSP}{high}]", "small"),
    )


def stated(row: Row, voice: Voice, *, bounds: bool = True) -> Spans:
    """Value in strong type, its interval and n in brackets, its id: for running text."""
    out: list[Span] = [Span(w.value(row, voice.lang), "strong")]
    if bounds:
        out.append(Span(f" ({w.bounds(row, voice.lang)})", "small"))
    return (*out, Span(" "), Span(row["id"], "ref"))


def refs(rows: Iterable[Row] | Iterable[str], *, at_most: int = 8) -> Spans:
    """Result ids as ranges; beyond ``at_most`` ranges, the first and the last with their number."""
    ids = [r if isinstance(r, str) else str(r["id"]) for r in rows]
    ranges = w.id_ranges(ids)
    if len(ranges) > at_most:
        ordered = sorted(set(ids), key=w.id_order)
        return (Span(ordered[0], "ref"), Span(" … "), Span(ordered[-1], "ref"), Span(f" ({len(ordered)})", "small"))
    out: list[Span] = []
    for piece in ranges:
        out += ([Span(", ")] if out else []) + [Span(piece, "ref")]
    return tuple(out)


@dataclass(frozen=True)
class Wide:
    """One column of a wide table: its title, and the result it takes in the world of a row."""

    title: Text
    measure: str
    world: Mapping[str, Any]


def wide(
    facts: Facts,
    voice: Voice,
    experiment: str,
    *,
    caption: Text,
    rows: Sequence[Mapping[str, Any]],
    head: Text,
    columns: Sequence[Wide],
    name: Callable[[Mapping[str, Any]], str] | None = None,
    weight: float = 1.9,
) -> Table | None:
    """Worlds in rows, measures in columns. None when no cell has a result."""
    lang = voice.lang
    used: list[Row] = []
    body = []
    for world in rows:
        cells = []
        for column in columns:
            found = facts.one(experiment, column.measure, **{**world, **column.world})
            used += [found] if found else []
            cells.append(cell(found, voice))
        title = name(world) if name else world_name(world, lang)
        body.append(((Span(title),), *cells))
    if not used:
        return None
    heads = (Column(voice(head), weight=weight), *(Column(voice(c.title), "right", weight=1) for c in columns))
    return Table(voice(caption), heads, tuple(body), note=source_note(facts, voice, used))


def present(*tables: Table | None) -> list[Block]:
    """Those of ``tables`` that exist."""
    return [t for t in tables if t is not None]


def distinct(rows: Sequence[Row], *keys: str) -> list[dict[str, Any]]:
    """Different values of some keys of the world, in the order in which they come."""
    return [
        dict(zip(keys, t, strict=True)) for t in dict.fromkeys(tuple(r["world"].get(k) for k in keys) for r in rows)
    ]


def source_note(facts: Facts, voice: Voice, used: Sequence[Row]) -> Spans:
    """Say n, what it counts, the method and the ids, under a table."""
    lang = voice.lang
    sampled = [r for r in used if r["value"] is not None and not w.is_exact(r) and r["unit"] != "bool"]
    ids = refs(used)
    if not sampled:
        return voice(Text(fr="Valeurs sans aléa. {ids}", en="Values without sampling. {ids}"), ids=ids)
    by_unit: dict[str, list[int]] = {}
    for r in sampled:
        by_unit.setdefault(w.counted_by_n(r, lang), []).append(int(r["n"]))
    said = []
    for unit, counts in sorted(by_unit.items()):
        n = w.count(min(counts), lang)
        if min(counts) < max(counts):
            n += ("\u00a0à\u00a0" if lang == "fr" else " to ") + w.count(max(counts), lang)
        said.append(f"n\u00a0=\u00a0{n} {unit}".strip())
    methods = w.listing(sorted({w.method(r, lang) for r in sampled}), lang)
    what = (
        Text(fr="Entre crochets : bornes ({methods})", en="In brackets: bounds ({methods})")
        if all(map(w.is_bounds, sampled))
        else Text(fr="Entre crochets : intervalle à 95 % ({methods})", en="In brackets: 95 % interval ({methods})")
    )
    tail = Text(fr=" ; {n}. {ids}", en="; {n}. {ids}")
    return (*voice(what, methods=methods), *voice(tail, n=w.listing(said, lang), ids=ids))


def result_list(facts: Facts, voice: Voice, rows: Sequence[Row], *, caption: Text | None, dense: bool = False) -> Table:
    """One result per line: id, what, world, value, interval, n, method."""
    lang = voice.lang
    body = []
    for row in rows:
        label = measure_name(facts, row["experiment"], row["measure"], voice)
        world = world_name(row["world"], lang)
        lines: list[Spans] = [
            (Span(row["id"], "ref"),),
            (Span(label), *((Span(f" ({world})", "small"),) if world else ())),
            (Span(w.value(row, lang)),),
            (Span(w.interval(row, lang)),),
            (Span(w.count(row["n"], lang)),),
            (Span(counted_how(row, voice), "small"),),
        ]
        if dense:
            lines.insert(1, (Span(experiment_name(row["experiment"], voice)),))
        body.append(tuple(lines))
    head: list[tuple[Text, Align, float]] = [
        (Text(fr="N°", en="Id"), "left", 0),
        (Text(fr="Mesure (monde)", en="Measure (world)"), "left", 3),
        (Text(fr="Valeur", en="Value"), "right", 0),
        (Text(fr="Intervalle", en="Interval"), "right", 0),
        (Text(fr="n", en="n"), "right", 0),
        (Text(fr="Ce que n compte ; intervalle", en="What n counts; interval"), "left", 1.5),
    ]
    if dense:
        head.insert(1, (Text(fr="Exp.", en="Exp."), "left", 0))
    columns = tuple(Column(voice(t), a, g) for t, a, g in head)
    return Table(voice(caption) if caption else (), columns, tuple(body), dense=dense)


def counted_how(row: Row, voice: Voice) -> str:
    """What n counts, and how the interval was made: « villes simulées ; Wilson, 95 % »."""
    pieces = [w.counted_by_n(row, voice.lang), w.method(row, voice.lang)]
    if row["value"] is not None and not w.is_exact(row) and row["unit"] != "bool":
        pieces[1] += (
            f", {Text(fr='bornes', en='bounds').in_(voice.lang)}"
            if w.is_bounds(row) and "born" not in (pieces[1]) and "bound" not in pieces[1]
            else ""
        )
        pieces[1] += "" if w.is_bounds(row) else f", {w.percent(float(row['level']), voice.lang)}"
    return ("\u202f; " if voice.lang == "fr" else "; ").join(p for p in pieces if p)


def verdict_map(facts: Facts, voice: Voice, judged: Mapping[str, Any], *, claims: Sequence[str]) -> Table | None:
    """Map of the worlds a rule visited: a mark per world, or marks with counts where several worlds share a cell.

    Keys that never change the verdict are folded away and named in the note. None when every world agrees.
    """
    lang = voice.lang
    worlds: list[Row] = list(judged["worlds"])
    if len({x["verdict"] for x in worlds}) < 2:
        return None
    keys = [k for k in worlds[0]["world"] if len({canonical_json(x["world"].get(k)) for x in worlds}) > 1]
    idle = _idle_keys(worlds, keys)
    active = [k for k in keys if k not in idle] or keys
    if len(worlds) < MIN_MAP:
        return None
    across = max(active, key=lambda k: (_is_number(worlds, k), len(_values(worlds, k)) <= 10, len(_values(worlds, k))))
    down = _few_rows(worlds, across, [k for k in active if k != across])
    tops = _values(worlds, across)
    sides = sorted({tuple(x["world"].get(k) for k in down) for x in worlds}, key=lambda t: [_order(v) for v in t])
    body = []
    for side in sides:
        mine = [x for x in worlds if tuple(x["world"].get(k) for k in down) == side]
        title = world_name(dict(zip(down, side, strict=True)), lang) or "verdict"
        marks = tuple(_marks(mine, across, top) for top in tops)
        body.append(((Span(title),), *marks))
    names = w.listing(claims, lang)
    caption = voice(
        Text(fr="{claims} : carte des verdicts selon « {key} ».", en="{claims}: map of verdicts by “{key}”."),
        claims=names, key=key_name(across, lang),
    )  # fmt: skip
    legend = [*voice(Text(fr="Légende : ", en="Key: "))]
    for key in sorted({x["verdict"] for x in worlds}, key=list(w.MARKS).index):
        legend += [Span(w.MARKS[key], "mark", key), Span(f" {w.VERDICTS[key].in_(lang)}  ")]
    folded = [k for k in active if k != across and k not in down]
    if folded:
        listed = ", ".join(key_name(k, lang) for k in folded)
        said = Text(
            fr="Un signe suivi d’un nombre compte des mondes distingués par : {keys}. ",
            en="A mark followed by a number counts worlds told apart by: {keys}. ",
        )
        legend += [*voice(said, keys=listed)]
    if idle:
        listed = ", ".join(key_name(k, lang) for k in idle)
        legend += [*voice(Text(fr="Sans effet sur le verdict : {keys}.", en="No effect on the verdict: {keys}."),
                          keys=listed)]  # fmt: skip
    heads = tuple(Column((Span(value_name(across, t, lang)),), "center") for t in tops)
    first = ", ".join(key_name(k, lang) for k in down)
    return Table(caption, (Column((Span(first),), weight=1), *heads), tuple(body), note=tuple(legend))


def _few_rows(worlds: Sequence[Row], across: str, down: list[str]) -> list[str]:
    """Fold row keys, those that matter least first, until the map has at most :data:`MAX_ROWS` rows."""

    def mixed(keys: Sequence[str]) -> int:
        cells: dict[str, set[str]] = {}
        for x in worlds:
            cells.setdefault(canonical_json([x["world"].get(k) for k in (across, *keys)]), set()).add(x["verdict"])
        return sum(len(v) > 1 for v in cells.values())

    while len(down) > 1 and len({canonical_json([x["world"].get(k) for k in down]) for x in worlds}) > MAX_ROWS:
        down = min(([k for k in down if k != gone] for gone in down), key=mixed)
    return down


def _marks(worlds: Sequence[Row], key: str, value: Any) -> Spans:
    counts = Counter(x["verdict"] for x in worlds if x["world"].get(key) == value)
    if not counts:
        return (Span(" "),)
    out: list[Span] = []
    for verdict, number in sorted(counts.items()):
        out.append(Span(w.MARKS[verdict], "mark", verdict))
        if len(counts) > 1:
            out.append(Span(f"{number} ", "small"))
    return tuple(out)


def _idle_keys(worlds: Sequence[Row], keys: Sequence[str]) -> list[str]:
    """Keys along which the verdict never changes, all others held; at least one key is kept."""
    idle: list[str] = []
    for key in keys:
        kept = [k for k in keys if k != key and k not in idle]

        def rest(x: Row, kept: Sequence[str] = tuple(kept)) -> str:
            return canonical_json([x["world"].get(k) for k in kept])

        groups = groupby(sorted(worlds, key=rest), key=rest)
        if kept and all(len({x["verdict"] for x in group}) == 1 for _, group in groups):
            idle.append(key)
    return idle


def _values(worlds: Sequence[Row], key: str) -> list[Any]:
    return sorted({x["world"].get(key) for x in worlds}, key=_order)


def _order(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, str(value))


def _is_number(worlds: Sequence[Row], key: str) -> bool:
    return all(isinstance(x["world"].get(key), int | float) for x in worlds)
