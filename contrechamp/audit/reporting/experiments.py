"""One section per experiment that ran: question, frozen threshold, results, worlds where the verdict flips, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import (
    Block,
    Column,
    Figure,
    Fold,
    Heading,
    Only,
    Para,
    Plate,
    Span,
    Spans,
    Table,
    Terms,
    Voice,
)
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.parameters import parameter_name, parameter_value
from contrechamp.audit.reporting.sections import tables_of
from contrechamp.audit.reporting.tables import (
    measure_name,
    present,
    result_list,
    verdict_map,
)
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.text import Text
from contrechamp.experiments.base import load

_BOUNDS: Final = {
    "value": Text(fr="la valeur", en="the value"),
    "low": Text(fr="la borne basse", en="the low bound"),
    "high": Text(fr="la borne haute", en="the high bound"),
}
_OPS: Final = {">=": "≥", ">": ">", "<=": "≤", "<": "<"}
#: Plates of each experiment.
PLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "E01": ("E01_gain", "E01_predictors", "E01_worlds"),
    "E02": ("E02_curve", "E02_heat", "E02_worlds", "E02_sobol"),
    "E03": ("E03_gaps", "E03_worlds"),
    "E04": ("E04_note", "E04_worlds", "E04_clashes"),
    "E05": ("E05_gap", "E05_worlds"),
    "E09": ("E09_roles", "E09_curve", "E09_scene", "E09_ladder", "E09_worlds", "E09_hourly_worlds"),
    "E10": ("E10_density", "E10_worlds"),
    "E11": ("E11_alerts", "E11_learning", "E11_worlds"),
    "E12": ("E12_ppv",),
    "E13": ("E13_search", "E13_worlds"),
    "E14": ("E14_time", "E14_worlds"),
    "E15": ("E15_ppv", "E15_worlds"),
    "E16": ("E16_sounds", "E16_worlds"),
    "E17": ("E17_studies", "E17_worlds"),
    "E18": ("E18_denominators",),
    "E20": ("E20_streams", "E20_worlds"),
    "E21": ("E21_gain", "E21_worlds"),
    "E22": ("E22_ranks", "E22_worlds"),
    "E23": ("E23_lists",),
    "E24": ("E24_gaps",),
    "E25": ("E25_signs", "E25_worlds"),
    "E27": ("E27_placebo", "E27_worlds"),
    "E28": ("E28_looks",),
}
MAX_MAPS: Final = 3
#: How the key of a plate that is a map of verdicts ends.
FLIP: Final = "_worlds"


def sections(facts: Facts, voice: Voice, plates: Mapping[str, Plate]) -> list[Block]:
    """Sections of every experiment that ran, in the order of the request; empty when none ran."""
    out: list[Block] = []
    if facts.experiments:
        out.append(Heading(1, voice(Text(fr="Les expériences", en="The experiments")), "experiments"))
    for experiment in facts.experiments:
        out += _section(facts, voice, experiment, plates)
    return out


def plate_figures(plates: Mapping[str, Plate], keys: Sequence[str], voice: Voice) -> list[Block]:
    """Figures among ``keys`` that were drawn."""
    found = [plates[k] for k in keys if k in plates]
    return [Figure(p.name, p.alt, voice.plain(p.caption), voice.plain(p.limits)) for p in found]


def _section(facts: Facts, voice: Voice, experiment: str, plates: Mapping[str, Plate]) -> list[Block]:
    card = facts.register.experiments[experiment]
    title = voice(Text(fr="{id}. {title}", en="{id}. {title}"), id=experiment, title=voice.plain(card.title))
    frozen = w.date(str(facts.plan.get("frozen_at", "")), voice.lang)
    out: list[Block] = [
        Heading(2, title, f"exp-{experiment}"),
        Terms(
            (
                (voice(Text(fr="Question", en="Question")), voice.plain(card.question)),
                (voice(Text(fr="Hypothèse nulle", en="Null hypothesis")), voice.plain(card.null)),
                (
                    voice(Text(fr="Seuils", en="Thresholds")),
                    voice(
                        Text(
                            fr="gelés le {date}, avant cette exécution ; tableau des critères ci-dessous.",
                            en="frozen on {date}, before this run; table of criteria below.",
                        ),
                        date=frozen,
                    ),
                ),
                (voice(Text(fr="Paramètres", en="Parameters")), _parameters(facts, voice, experiment)),
            )
        ),
    ]
    out.append(_identifiers(facts, voice, experiment))
    out += plate_figures(plates, PLATES.get(experiment, ()), voice)
    own = tables_of(experiment)
    out += own(facts, voice) if own else _everything(facts, voice, experiment)
    out += criteria(facts, voice, experiment)
    out += _maps(facts, voice, experiment, plates)
    limit = voice(Text(fr="*Ce que l’expérience ne peut pas dire.* ", en="*What the experiment cannot tell.* "))
    out.append(Para((*limit, *voice.plain(cannot_tell(load(experiment).CANNOT_TELL)))))
    return out


def _parameters(facts: Facts, voice: Voice, experiment: str) -> Spans:
    params = facts.request["parameters"][experiment]
    colon, joint = ("\u202f: ", "\u202f. ") if voice.lang == "fr" else (": ", ". ")
    out: list[Span] = []
    for key, value in params.items():
        name = parameter_name(experiment, key, voice.lang)
        shown = parameter_value(experiment, key, value, voice.lang)
        out += [Span(joint.replace("\u202f.", "."))] if out else []
        out += [voice.raw(name[0].upper() + name[1:]) if name else Span(key, "code"), Span(f"{colon}{shown}")]
    return (*out, Span("."))


def _identifiers(facts: Facts, voice: Voice, experiment: str) -> Block:
    """Parameters under the names the code gives them (page only): what ``--set`` wants."""
    rows = tuple(
        ((Span(key, "code"),), (Span(parameter_name(experiment, key, voice.lang) or "–"),),
         (Span(canonical_json(value), "code"),))
        for key, value in facts.request["parameters"][experiment].items()
    )  # fmt: skip
    heads = (
        Column(voice(Text(fr="Identifiant", en="Identifier"))),
        Column(voice(Text(fr="Paramètre", en="Parameter")), weight=1),
        Column(voice(Text(fr="Valeur", en="Value"))),
    )
    title = voice(Text(fr="{e} : identifiants des paramètres", en="{e}: identifiers of the parameters"), e=experiment)
    return Only("html", (Fold(title, (Table((), heads, rows, dense=True),)),))


def cannot_tell(text: Text) -> Text:
    """The limits of an experiment without the words that already stand before them."""

    def bare(said: str, leads: tuple[str, ...]) -> str:
        for lead in leads:
            if said.startswith(lead):
                said = said[len(lead) :].strip()
                return said[0].upper() + said[1:]
        return said

    return Text(
        fr=bare(text.fr, ("Ce que l'expérience ne dit pas :", "Ce que l’expérience ne dit pas :")),
        en=bare(text.en, ("What the experiment does not say:",)),
    )


def condition_words(facts: Facts, voice: Voice, experiment: str, raw: Mapping[str, Any]) -> str:
    """One condition of a rule, in words."""
    unit = facts.measures(experiment)[raw["measure"]].unit
    from contrechamp.audit.reporting.facts import GAINS

    shown = w.threshold(float(raw["threshold"]), "gain" if raw["measure"] in GAINS else unit, voice.lang)
    label = measure_name(facts, experiment, raw["measure"], voice)
    if unit == "bool":
        label = label.split(" (")[0]
        shown = w.yes_no(float(raw["threshold"]), voice.lang)
        return f"«\u202f{label}\u202f» = {shown}" if voice.lang == "fr" else f"“{label}” = {shown}"
    bound = _BOUNDS[raw["bound"]].in_(voice.lang)
    quoted = f"de «\u202f{label}\u202f»" if voice.lang == "fr" else f"of “{label}”"
    return f"{bound} {quoted} {_OPS[raw['op']]}\u00a0{shown}"


def criterion_words(facts: Facts, voice: Voice, experiment: str, raw: Mapping[str, Any]) -> str:
    """A criterion of a rule, in words."""
    join, conditions = next(iter(raw.items()))
    word = {"all": Text(fr=" et ", en=" and "), "any": Text(fr=" ou ", en=" or ")}[join].in_(voice.lang)
    return word.join(condition_words(facts, voice, experiment, c) for c in conditions)


def worlds_words(rule: Mapping[str, Any], voice: Voice) -> str:
    """Worlds a rule admits, in words; empty when it admits all."""
    listed = {k: v if isinstance(v, list) else [v] for k, v in (rule.get("worlds") or {}).items() if k != "claim"}
    colon = "\u202f: " if voice.lang == "fr" else ": "
    pieces = [
        f"{key_name(key, voice.lang)}{colon}{', '.join(value_name(key, v, voice.lang) for v in values)}"
        for key, values in listed.items()
    ]
    return ("\u202f; " if voice.lang == "fr" else "; ").join(pieces)


def tally(judged: Row, voice: Voice) -> Spans:
    """Worlds by verdict, as marks with counts."""
    out: list[Span] = []
    for verdict in ("supported", "refuted", "inconclusive", "not testable"):
        number = judged["counts"].get(verdict, 0)
        if number:
            out += ([Span("  ")] if out else []) + [Span(w.MARKS[verdict], "mark", verdict), Span(f" {number}")]
    return tuple(out)


def criteria(facts: Facts, voice: Voice, experiment: str) -> list[Block]:
    """Frozen criteria of every claim judged here, claims that share a rule on one line."""
    judged = facts.judged(experiment)
    if not judged:
        return []
    grouped: dict[str, list[str]] = {}
    for claim in judged:
        rule = facts.rules(claim)[experiment]
        key = canonical_json({k: rule.get(k) for k in ("worlds", "support", "refute")})
        grouped.setdefault(key, []).append(claim)
    rows = []
    missing = any(j["counts"].get("not testable") for j in judged.values())
    for claims in grouped.values():
        rule = facts.rules(claims[0])[experiment]
        where = worlds_words(rule, voice)
        support: Spans = (Span(criterion_words(facts, voice, experiment, rule["support"])),)
        if where:
            head = Text(fr="Mondes : {where}. ", en="Worlds: {where}. ")
            support = (*support, Span(" "), *(Span(s.text, "small") for s in voice(head, where=where)))
        rows.append(
            (
                (Span(", ".join(claims), "strong"),),
                support,
                (Span(criterion_words(facts, voice, experiment, rule["refute"])),),
                tally(judged[claims[0]], voice),
            )
        )
    heads = (
        Column(voice(Text(fr="Affirmation", en="Claim"))),
        Column(voice(Text(fr="Étayée dans un monde si", en="Supported in a world if")), weight=1.15),
        Column(voice(Text(fr="Réfutée dans un monde si", en="Refuted in a world if")), weight=1),
        Column(voice(Text(fr="Mondes", en="Worlds"))),
    )
    caption = Text(
        fr="{id} : critères gelés, et nombre de mondes par verdict ({a} étayée, {b} réfutée, {c} indécise{d}).",
        en="{id}: frozen criteria, and number of worlds by verdict ({a} supported, {b} refuted, {c} inconclusive{d}).",
    )
    fourth = Text(fr=", {m} non testable, faute de nombre", en=", {m} not testable, for want of a number")
    last = voice(fourth, m=voice.mark("not testable")) if missing else ()
    marks = {k: voice.mark(v) for k, v in (("a", "supported"), ("b", "refuted"), ("c", "inconclusive"))}
    return [Table(voice(caption, id=experiment, d=last, **marks), heads, tuple(rows))]


def _maps(facts: Facts, voice: Voice, experiment: str, plates: Mapping[str, Plate]) -> list[Block]:
    """Distinct maps of worlds, one for all claims that share it; on the page only where a figure draws one."""
    grouped: dict[str, tuple[Row, list[str]]] = {}
    for claim, judged in facts.judged(experiment).items():
        key = canonical_json([[x["world"], x["verdict"]] for x in judged["worlds"]])
        grouped.setdefault(key, (judged, []))[1].append(claim)
    maps = present(*(verdict_map(facts, voice, judged, claims=claims) for judged, claims in grouped.values()))
    if any(key in plates for key in PLATES.get(experiment, ()) if key.endswith(FLIP)) and maps:
        title = voice(Text(fr="Les cartes des verdicts en tableaux ({n})", en="The maps of verdicts as tables ({n})"),
                      n=w.count(len(maps), voice.lang))  # fmt: skip
        return [Only("html", (Fold(title, tuple(maps)),))]
    return maps[:MAX_MAPS]


def _everything(facts: Facts, voice: Voice, experiment: str) -> list[Block]:
    """Results of an experiment that has no layout of its own: the first forty."""
    rows = [r for r in facts.results if r["experiment"] == experiment][:40]
    return [result_list(facts, voice, rows, caption=Text(fr="Résultats.", en="Results."))] if rows else []
