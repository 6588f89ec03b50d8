"""One section per experiment that ran: question, frozen threshold, results, worlds where the verdict flips, limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from contrechamp.audit.reporting.labels import key_name, value_name, world_name
from contrechamp.audit.reporting.parameters import parameter_name, parameter_value
from contrechamp.audit.reporting.tables import (
    Wide,
    cell,
    measure_name,
    refs,
    result_list,
    source_note,
    verdict_map,
    wide,
)
from contrechamp.audit.reporting.worlds import SAFEGUARDS, alert_world, ordered_worlds, world_short
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
    "E01": ("E01_gain",), "E02": ("E02_curve", "E02_worlds"), "E12": ("E12_ppv",), "E18": ("E18_denominators",),
    "E24": ("E24_gaps",), "E27": ("E27_placebo",), "E28": ("E28_looks",),
}  # fmt: skip
MAX_MAPS: Final = 3


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
    own = _RESULTS.get(experiment)
    out += own(facts, voice) if own else _everything(facts, voice, experiment)
    out += criteria(facts, voice, experiment)
    out += _maps(facts, voice, experiment)
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


def _maps(facts: Facts, voice: Voice, experiment: str) -> list[Block]:
    """Distinct maps of worlds, one for all claims that share it; mirrored claims keep their own."""
    grouped: dict[str, tuple[Row, list[str]]] = {}
    for claim, judged in facts.judged(experiment).items():
        key = canonical_json([[x["world"], x["verdict"]] for x in judged["worlds"]])
        grouped.setdefault(key, (judged, []))[1].append(claim)
    maps = [verdict_map(facts, voice, judged, claims=claims) for judged, claims in grouped.values()]
    return _some(*maps)[:MAX_MAPS]


def _some(*tables: Table | None) -> list[Block]:
    return [t for t in tables if t is not None]


def _everything(facts: Facts, voice: Voice, experiment: str) -> list[Block]:
    """Results of an experiment that has no layout of its own: the first forty."""
    rows = [r for r in facts.results if r["experiment"] == experiment][:40]
    return [result_list(facts, voice, rows, caption=Text(fr="Résultats.", en="Results."))] if rows else []


def _distinct(rows: Sequence[Row], *keys: str) -> list[dict[str, Any]]:
    return [
        dict(zip(keys, t, strict=True)) for t in dict.fromkeys(tuple(r["world"].get(k) for k in keys) for r in rows)
    ]


def _e01(facts: Facts, voice: Voice) -> list[Block]:
    rows = facts.rows("E01", "gain_latent")
    areas = sorted({r["world"]["area"] for r in rows})
    columns = []
    for area in areas:
        fr, en = w.percent(area, "fr"), w.percent(area, "en")
        columns.append(Wide(Text(fr=f"Gain, {fr}", en=f"Gain, {en}"), "gain_latent", {"area": area}))
    for area in areas[:1]:
        fr, en = w.percent(area, "fr"), w.percent(area, "en")
        columns += [
            Wide(Text(fr=f"Enregistrés, {fr}", en=f"Records, {en}"), "gain_recorded", {"area": area}),
            Wide(Text(fr=f"Plafond, {fr}", en=f"Ceiling, {en}"), "gain_ceiling", {"area": area}),
        ]
    columns += [
        Wide(Text(fr="Mondes réussis", en="Worlds passed"), "share_worlds_supported", {}),
        Wide(Text(fr="Hors d’atteinte", en="Out of reach"), "share_worlds_out_of_reach", {}),
    ]
    caption = Text(
        fr="E01 : gain de PAI sur la meilleure carte gratuite, par monde et par surface, sur les incidents latents "
        "puis sur les enregistrements ; « mondes réussis » : part des tirages où le gain atteint le seuil à toutes les "
        "surfaces ; « hors d’atteinte » : où même le devin ne l’atteint pas.",
        en="E01: gain in PAI over the best free map, by world and area, on latent incidents then on records; “worlds "
        "passed”: share of draws in which the gain reaches the threshold at every area; “out of reach”: in which even "
        "the clairvoyant does not.",
    )
    head = Text(fr="Monde", en="World")
    return _some(
        wide(facts, voice, "E01", caption=caption, head=head, rows=ordered_worlds(rows), columns=columns,
             name=lambda x: world_short(x, voice.lang), weight=2.6)
    )  # fmt: skip


def _e02(facts: Facts, voice: Voice) -> list[Block]:
    rhos = sorted({r["world"]["rho"] for r in facts.rows("E02", "recorded_off_20")})
    picked = [r for r in rhos if r in (0.0, 0.25, 0.5, 0.75, 1.0)] or rhos[:5]
    base = {"zones": 2, "rates": "equal", "arrivals": "bernoulli"}
    rows = [{"rule": rule, "rho": rho} for rule in ("top", "proportional") for rho in picked]
    columns = [
        Wide(Text(fr="Part enregistrée à plus de 20 points", en="Recorded share over 20 points off"),
             "recorded_off_20", base),
        Wide(Text(fr="Excès sur le témoin", en="Excess over the control"), "recorded_excess_20", base),
        Wide(Text(fr="Temps de patrouille à plus de 20 points", en="Patrol time over 20 points off"),
             "patrol_off_20", base),
        Wide(Text(fr="Écart médian", en="Median gap"), "median_abs_error", base),
        Wide(Text(fr="Jour de dérive", en="Day of drift"), "days_to_drift", base),
    ]  # fmt: skip
    caption = Text(
        fr="E02 : deux zones de même taux vrai, un incident au plus par zone et par jour.",
        en="E02: two zones of equal true rate, at most one incident per zone and day.",
    )
    return _some(
        wide(facts, voice, "E02", caption=caption, head=Text(fr="Règle, part signalée ρ", en="Rule, share reported ρ"),
             rows=rows, columns=columns, name=lambda x: f"{value_name('rule', x['rule'], voice.lang)}, "
             f"{value_name('rho', x['rho'], voice.lang)}")
    )  # fmt: skip


def _e12(facts: Facts, voice: Voice) -> list[Block]:
    base = alert_world(facts)
    if base is None:
        return []
    rows = facts.rows("E12", "ppv", **base)
    ms = sorted({r["world"]["m"] for r in rows})
    used: list[Row] = []
    body = []
    for fa in sorted({r["world"]["fa_per_camera_day"] for r in rows}, reverse=True):
        for m in (ms[0], ms[-1]):
            world = {**base, "fa_per_camera_day": fa, "m": m}
            ppv = facts.one("E12", "ppv", **world)
            if ppv is None:
                continue
            others = [facts.one("E12", k, **world) for k in ("alerts_per_day", "minutes_per_true_event", "utilisation")]
            used += [r for r in (ppv, *others) if r is not None]
            title = (
                world_name({"fa_per_camera_day": fa, "m": m}, voice.lang)
                .replace(world_name({"fa_per_camera_day": fa}, voice.lang), w.plain_number(fa, voice.lang))
                .replace(world_name({"m": m}, voice.lang), f"m = {w.plain_number(m, voice.lang)}")
            )
            body.append(
                ((Span(title),), cell(ppv, voice), (Span(w.natural(ppv, voice.lang), "strong"),),
                 *(cell(r, voice) for r in others))
            )  # fmt: skip
    heads = (
        Column(voice(Text(fr="Fausses alertes par caméra et jour ; m", en="False alerts per camera and day; m"))),
        Column(voice(Text(fr="Alertes justes", en="Alerts right")), "right", 1),
        Column(voice(Text(fr="En fréquence naturelle", en="Natural frequency")), "right", 1),
        Column(voice(Text(fr="Alertes par jour", en="Alerts per day")), "right", 1),
        Column(voice(Text(fr="Minutes par fait trouvé", en="Minutes per event found")), "right", 1),
        Column(voice(Text(fr="Charge (1 : déborde)", en="Load (1: overflows)")), "right", 1),
    )
    caption = voice(
        Text(fr="E12 : {cameras} caméras, sensibilité {se} ; m, faits réels pour un fait vu en 2015.",
             en="E12: {cameras} cameras, sensitivity {se}; m, true events per event seen in 2015."),
        cameras=w.count(base["cameras"], voice.lang), se=w.percent(base["sensitivity"], voice.lang),
    )  # fmt: skip
    out: list[Block] = [Table(caption, heads, tuple(body), note=source_note(facts, voice, used))]
    below = facts.rows("E12", "share_grid_ppv_below_50")
    if below:
        from contrechamp.audit.reporting.tables import stated

        said = Text(
            fr="Sur toute la grille posée, moins d’une alerte sur deux est juste dans {share} des cases ; une part de "
            "cases n’est pas une probabilité.",
            en="Over the whole stated grid, less than half of alerts are right in {share} of cells; a share of cells "
            "is not a probability.",
        )
        out.append(Para(voice(said, share=stated(below[0], voice))))
    return out


def _e18(facts: Facts, voice: Voice) -> list[Block]:
    keys = (
        "share_all",
        "share_solved",
        "share_requested_solved",
        "share_useful_requested_solved",
        "solved_share_implied",
    )
    rows = [r for k in keys for r in facts.rows("E18", k)]
    rows += facts.rows("E18", "parameter_sets_found")
    simulated = facts.rows("E18", "simulated_share")
    out: list[Block] = []
    if rows:
        caption = Text(
            fr="E18 : les pourcentages publiés sur le jeu d’effectifs retenu, et nombre de jeux possibles par grille.",
            en="E18: published percentages on the worked set of counts, and number of possible sets by grid.",
        )
        out.append(result_list(facts, voice, rows, caption=caption))
    columns = [
        Wide(Text(fr="Aidé / toutes", en="Helped / all"), "simulated_share", {"share": "all"}),
        Wide(Text(fr="Aidé / élucidées", en="Helped / solved"), "simulated_share", {"share": "solved"}),
        Wide(
            Text(fr="Élucidées / demandées", en="Solved / requested"), "simulated_share", {"share": "requested_solved"}
        ),
    ]
    caption = Text(
        fr="E18 : corpus simulés, selon que les images aident, n’aident pas mais sont demandées là où l’affaire se "
        "résout déjà, ou n’aident pas et sont demandées au hasard.",
        en="E18: simulated corpora, when images help, when they do not but are requested where the case is being "
        "solved anyway, and when they do not and are requested at random.",
    )
    return out + _some(
        wide(facts, voice, "E18", caption=caption, head=Text(fr="Images", en="Images"),
             rows=_distinct(simulated, "images"), columns=columns,
             name=lambda x: value_name("images", x["images"], voice.lang))
    )  # fmt: skip


def _e24(facts: Facts, voice: Voice) -> list[Block]:
    keys = ("unit_cost_eur", "cost_ratio", "budget_ratio", "volume_ratio", "implied_total_eur", "implied_growth",
            "cost_per_event_eur", "final_account_ratio", "cost_per_useful_case_eur")  # fmt: skip
    rows = [r for k in keys for r in facts.rows("E24", k)]
    caption = Text(
        fr="E24 : ce que donnent les chiffres publiés, et ce que leurs arrondis permettent. Les écarts sont dans la "
        "figure.",
        en="E24: what published figures give, and what their rounding allows. Gaps are in the figure.",
    )
    return [result_list(facts, voice, rows, caption=caption)] if rows else []


def _e27(facts: Facts, voice: Voice) -> list[Block]:
    columns = [
        Wide(Text(fr="Tirés au hasard", en="Drawn at random"), "p_placebo", {"selection": "random"}),
        Wide(Text(fr="Les pires de l’an passé", en="Last year’s worst"), "p_placebo", {"selection": "worst_last_year"}),
        Wide(Text(fr="Par le calcul (hasard)", en="By calculation (random)"), "p_placebo_closed_form",
             {"comparison": "national_mean"}),
        Wide(Text(fr="Écart qu’un placebo n’atteint plus", en="Gap a placebo no longer reaches"), "gap_needed_points",
             {"comparison": "national_mean"}),
    ]  # fmt: skip
    caption = Text(
        fr="E27 : probabilité qu’un placebo obtienne l’avance annoncée, selon la dispersion annuelle supposée.",
        en="E27: probability that a placebo obtains the announced lead, by assumed yearly spread.",
    )
    first = wide(facts, voice, "E27", caption=caption, head=Text(fr="Monde", en="World"),
                 rows=_distinct(facts.rows("E27", "p_placebo"), "sd"), columns=columns)  # fmt: skip
    rows = [*facts.rows("E27", "pai_if_area_unknown"), *facts.rows("E27", "pai_given_area")]
    second = Text(
        fr="E27 : PAI de l’annonce selon la surface désignée.",
        en="E27: PAI of the headline by flagged area.",
    )
    return [*_some(first), *([_row_table(facts, voice, rows, second)] if rows else [])]


def _row_table(facts: Facts, voice: Voice, rows: Sequence[Row], caption: Text) -> Table:
    """Results of one measure laid out in one line."""
    heads = [Column(voice(Text(fr="Surface", en="Area")))]
    cells: list[Spans] = [(Span("PAI"),)]
    for row in rows:
        area = row["world"].get("area_share")
        name = value_name("area_share", area, voice.lang) if area is not None else Text(
            fr="non publiée", en="not published").in_(voice.lang)  # fmt: skip
        heads.append(Column((Span(name),), "right", 1))
        cells.append(cell(row, voice))
    note = voice(Text(fr="Valeurs sans aléa. {ids}", en="Values without sampling. {ids}"), ids=refs(rows))
    return Table(voice(caption), tuple(heads), (tuple(cells),), note=note)


def _e28(facts: Facts, voice: Voice) -> list[Block]:
    columns = [
        Wide(Text(fr=_safeguard(s, "fr"), en=_safeguard(s, "en")), "p_any_finding", {"safeguard": s})
        for s in SAFEGUARDS
    ]
    columns.append(Wide(Text(fr="Retrouvées l’année verrouillée", en="Found again in the locked year"),
                        "share_surviving", {}))  # fmt: skip
    caption = Text(
        fr="E28 : probabilité d’au moins une « découverte » dans du bruit pur, jours indépendants, par garde-fou.",
        en="E28: probability of at least one “finding” in pure noise, independent days, by safeguard.",
    )
    rows = sorted(_distinct(facts.rows("E28", "p_any_finding"), "K"), key=lambda x: int(x["K"]))
    return _some(
        wide(facts, voice, "E28", caption=caption, head=Text(fr="Analyses K", en="Analyses K"), rows=rows,
             columns=columns, name=lambda x: f"K = {x['K']}")
    )  # fmt: skip


def _safeguard(key: str, lang: Any) -> str:
    name = value_name("safeguard", key, lang)
    return name[0].upper() + name[1:]


_RESULTS: Final[Mapping[str, Callable[[Facts, Voice], list[Block]]]] = {
    "E01": _e01, "E02": _e02, "E12": _e12, "E18": _e18, "E24": _e24, "E27": _e27, "E28": _e28,
}  # fmt: skip
