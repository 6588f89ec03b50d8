"""The sharpest findings of a run, in sentences filled from its results.

A finding whose results are absent is not said. No figure is written here: only words around them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Span, Spans, Voice
from contrechamp.audit.reporting.facts import PLATFORM, Facts, Row
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.sections.e20 import plain_world
from contrechamp.audit.reporting.tables import stated
from contrechamp.audit.reporting.worlds import alert_world
from contrechamp.domain.text import Text

Finding = Callable[[Facts, Voice], Spans | None]


def findings(facts: Facts, voice: Voice) -> list[Spans]:
    """Every finding the run has results for, in the order of the report."""
    return [said for finding in _ALL if (said := finding(facts, voice)) is not None]


def _platform(facts: Facts, voice: Voice) -> Spans | None:
    area = _least(facts, PLATFORM, "pai", "area")
    at: dict[str, Any] = {"predictor": "retro-quartic", "area": area}
    truth = _known(facts.one(PLATFORM, "pai", **at, scored_on="truth"))
    records = _known(facts.one(PLATFORM, "pai", **at, scored_on="records"))
    gain = _known(facts.one(PLATFORM, "gain_pai", **at, scored_on="truth"))
    if truth is None or records is None or gain is None:
        return None
    return voice(
        Text(
            fr="*La plateforme.* Sur {area} de la surface, la carte à noyau annonce les enregistrements avec un PAI de "
            "{records}, et ce qui arrive vraiment avec un PAI de {truth}. Par rapport à la simple moyenne de 52 "
            "semaines, elle fait varier le second de {gain}.",
            en="*The platform.* Over {area} of the area, the kernel map foretells records with a PAI of {records}, and "
            "what really happens with a PAI of {truth}. Against the plain 52-week mean it moves the latter by "
            "{gain}.",
        ),
        area=w.percent(float(area), voice.lang), records=stated(records, voice), truth=stated(truth, voice),
        gain=stated(gain, voice),
    )  # fmt: skip


def _e01(facts: Facts, voice: Voice) -> Spans | None:
    area = _least(facts, "E01", "gain_latent", "area")
    rows = [r for r in facts.rows("E01", "gain_latent", area=area) if r["value"] is not None]
    ceilings = [r for r in facts.rows("E01", "gain_ceiling", area=area) if r["value"] is not None]
    if len(rows) < 2 or not ceilings:
        return None
    least, most = min(rows, key=_value), max(rows, key=_value)
    return voice(
        Text(
            fr="*Prévoir mieux que la moyenne ?* Sur les incidents latents, à {area} de surface, le gain de la "
            "prévision sur la meilleure carte gratuite va de {least} à {most} selon les mondes (seuil : +10 %). Le "
            "devin qui connaît l’intensité vraie gagne au mieux {ceiling}.",
            en="*Better than the mean?* On latent incidents, at {area} of the area, the gain of the forecast over the "
            "best free map goes from {least} to {most} across worlds (threshold: +10 %). The clairvoyant who knows the "
            "true intensity gains {ceiling} at most.",
        ),
        area=w.percent(float(area), voice.lang), least=stated(least, voice), most=stated(most, voice),
        ceiling=stated(max(ceilings, key=_value), voice),
    )  # fmt: skip


def _e02(facts: Facts, voice: Voice) -> Spans | None:
    base: dict[str, Any] = {"zones": 2, "rates": "equal", "arrivals": "bernoulli"}
    none = _known(facts.one("E02", "recorded_off_20", **base, rule="top", rho=0.0))
    half = _known(facts.one("E02", "recorded_off_20", **base, rule="top", rho=0.5))
    other = _known(facts.one("E02", "recorded_off_20", **base, rule="proportional", rho=0.0))
    if none is None or half is None or other is None:
        return None
    return voice(
        Text(
            fr="*La boucle.* Si la patrouille va toujours à la zone qui compte le plus d’enregistrements et que les "
            "habitants ne signalent rien, la part enregistrée s’écarte de la réalité de plus de 20 points dans {none} "
            "des villes simulées ; si la moitié des incidents est signalée, dans {half} ; sous la règle "
            "proportionnelle, sans signalement, dans {other}.",
            en="*The loop.* When the patrol always goes to the zone with the most records and residents report "
            "nothing, the recorded share is more than 20 points off the truth in {none} of simulated cities; when half "
            "of incidents are reported, in {half}; under the proportional rule, with nothing reported, in {other}.",
        ),
        none=stated(none, voice), half=stated(half, voice), other=stated(other, voice),
    )  # fmt: skip


def _e04(facts: Facts, voice: Voice) -> Spans | None:
    rows = [r for r in facts.rows("E04", "partial_corr", note_formula="fixed-scale") if r["value"] is not None]
    if len(rows) < 2:
        return None
    busy = min(r["world"]["incidents_per_event"] for r in rows)
    share = max(r["world"]["discovery_share"] for r in rows)
    told = [r["world"]["informativeness"] for r in rows]
    base: dict[str, Any] = {"note_formula": "fixed-scale", "incidents_per_event": busy, "discovery_share": share}
    none = _known(facts.one("E04", "partial_corr", **base, informativeness=min(told)))
    all_ = _known(facts.one("E04", "partial_corr", **base, informativeness=max(told)))
    added = _known(facts.one("E04", "circularity", **base, informativeness=max(told)))
    if (min(told), max(told)) != (0.0, 1.0) or none is None or all_ is None or added is None:
        return None
    return voice(
        Text(
            fr="*La note d’événement.* Réplique de l’outil décrit par la Ville, note sur un barème fixe (hypothèse de "
            "notre part) : à affluence, jour et mois donnés, sa corrélation avec les incidents vrais est de {none} si "
            "rien d’autre n’est annonciateur, de {all_} si tout l’est. Là où les agents trouvent {share} des faits, en "
            "avoir envoyé deux fois plus par le passé ajoute {added} point de note, sans un incident de plus.",
            en="*The event note.* Replica of the tool that the City described, note on a fixed scale (our guess): "
            "given attendance, weekday and month, its correlation with true incidents is {none} when nothing else is "
            "telling, {all_} when everything is. Where officers find {share} of facts, having sent twice as many in "
            "the past adds {added} note point, without one more incident.",
        ),
        none=stated(none, voice), all_=stated(all_, voice), added=stated(added, voice),
        share=w.percent(float(share), voice.lang),
    )  # fmt: skip


def _e05(facts: Facts, voice: Voice) -> Spans | None:
    rows = facts.rows("E05", "corr_gap", adequacy_formula="resemblance")
    if not rows:
        return None
    habit = max(r["world"]["habit_strength"] for r in rows)
    prevented = sorted({r["world"]["prevented_share"] for r in rows})
    base: dict[str, Any] = {"habit_strength": habit, "prevented_share": prevented[len(prevented) // 2]}
    best = _known(facts.one("E05", "corr_optimum", **base, adequacy_formula="resemblance"))
    usual = _known(facts.one("E05", "corr_habit", **base, adequacy_formula="resemblance"))
    excess = _known(facts.one("E05", "excess_first", **base, adequacy_formula="coverage"))
    if habit != 1 or best is None or usual is None or excess is None:
        return None
    return voice(
        Text(
            fr="*L’adéquation.* Là où le passé n’est qu’habitude, un pourcentage de ressemblance (hypothèse de notre "
            "part) a une corrélation de {usual} avec la distance à l’habitude et de {best} avec la distance à "
            "l’effectif optimal : plus près de l’optimum, il devrait monter (corrélation négative). Un pourcentage de "
            "couverture (hypothèse de notre part) donne {excess} à un sureffectif systématique.",
            en="*Adequacy.* Where the past is nothing but habit, a percentage of likeness (our guess) has a "
            "correlation of {usual} with the distance to habit and of {best} with the distance to optimal staffing: "
            "nearer the optimum it should rise (negative correlation). A percentage of coverage (our guess) gives "
            "{excess} to systematic over-staffing.",
        ),
        best=stated(best, voice), usual=stated(usual, voice), excess=stated(excess, voice),
    )  # fmt: skip


def _e09(facts: Facts, voice: Voice) -> Spans | None:
    rows = facts.rows("E09", "alerts_per_1000", place="hall")
    if not rows:
        return None
    threshold = float(rows[0]["world"]["T_s"])
    base: dict[str, Any] = {"place": "hall", "law": "stated", "rule": "static", "T_s": threshold, "repeat": False}
    daily = _known(facts.one("E09", "alerts_per_camera_day", **base))
    passage = _known(facts.one("E09", "passage_ratio", **base))
    hourly = _known(facts.one("E09", "hourly_ratio", **base))
    waits = [r for r in rows if r["world"]["role"] == "waiting" and r["value"] is not None]
    if daily is None or passage is None or hourly is None or not waits:
        return None
    # the same steps under another body: this one cuts the other way, and is said as loudly
    lying = _known(facts.one("E09", "flagged_share", rung="yolo", body="rough_lying"))
    standing = _known(facts.one("E09", "flagged_share", rung="yolo", body="waiting"))
    seen: Spans = ()
    if lying is not None and standing is not None:
        seen = voice(
            Text(
                fr=" Vue par le détecteur appris ici, la même scène signale {lying} des séjours d’une personne "
                "allongée, {standing} de ceux d’une personne debout qui attend.",
                en=" Seen by the detector trained here, the same scene flags {lying} of the stays of a person lying "
                "down, {standing} of those of a person who stands and waits.",
            ),
            lying=stated(lying, voice), standing=stated(standing, voice),
        )  # fmt: skip
    return (*voice(
        Text(
            fr="*La règle « immobile ».* Une machine parfaite, un hall, {T} s, alertes d’une caméra : {daily}. "
            "Sur 1 000 personnes qui attendent quelqu’un, {waits} sont signalées. Le passage d’un sans-abri "
            "est signalé à tort {passage} fois aussi souvent que celui d’un autre ; par heure de présence, {hourly} "
            "fois : il l’est presque toujours, mais une fois par séjour.",
            en="*The rule “still”.* A perfect machine, a hall, {T} s, alerts of one camera: {daily}. Of 1,000 "
            "persons who wait for someone, {waits} are flagged. The passage of somebody sleeping rough is wrongly "
            "flagged {passage} times as often as another’s; per hour of presence, {hourly} times: nearly always, "
            "but once a stay.",
        ),
        T=w.plain_number(threshold, voice.lang), daily=stated(daily, voice), waits=stated(waits[0], voice),
        passage=stated(passage, voice), hourly=stated(hourly, voice),
    ), *seen)  # fmt: skip


def _e10(facts: Facts, voice: Voice) -> Spans | None:
    shares = sorted({float(r["world"]["p_gone"]) for r in facts.rows("E10", "share_of_false")})
    told = facts.rows("E10", "share_of_false")
    if not shares or not told:
        return None
    base: dict[str, Any] = {"density": 0.4, "attended_by": "owner", "T_s": told[0]["world"]["T_s"],
                            "p_gone": shares[len(shares) // 2]}  # fmt: skip
    right = _known(facts.one("E10", "precision", **base, machine="perfect"))
    real = _known(facts.one("E10", "precision", **base, machine="patient"))
    found = _known(facts.one("E10", "recall", **base, machine="patient"))
    blind = _known(facts.one("E10", "recall", **base, machine="forgetful"))
    if right is None or real is None or found is None or blind is None:
        return None
    return voice(
        Text(
            fr="*L’objet abandonné.* Hall fréquenté, {T} s, {share} des propriétaires éloignés ne revenant pas : "
            "{right} des objets signalés par une machine parfaite sont laissés pour de bon, {real} si la foule "
            "cache et que le suivi confond. Des sacs laissés, une machine qui se souvient une minute signale "
            "{found}, une qui oublie en 5 s, {blind}.",
            en="*The abandoned object.* Busy hall, {T} s, {share} of the owners who step away never returning: "
            "{right} of the objects flagged by a perfect machine are left for good, {real} when the crowd hides "
            "and tracking mixes up. Of bags left, a machine that remembers for a minute flags {found}, one that "
            "forgets within 5 s {blind}.",
        ),
        T=w.plain_number(float(base["T_s"]), voice.lang), share=w.percent(base["p_gone"], voice.lang),
        right=stated(right, voice), real=stated(real, voice), found=stated(found, voice), blind=stated(blind, voice),
    )  # fmt: skip


def _e11(facts: Facts, voice: Voice) -> Spans | None:
    rows = facts.rows("E11", "precision", blurred=0.0, detector="mahalanobis")
    if not rows:
        return None
    base, gap = (max(float(r["world"][key]) for r in rows) for key in ("base_rate", "separation"))
    at: dict[str, Any] = {"blurred": 0.0, "detector": "mahalanobis", "base_rate": base, "separation": gap}
    free, tied = (_known(facts.one("E11", "precision", **at, harm_rarity=x)) for x in (0.0, 1.0))
    slopes = [r for r in facts.rows("E11", "recall_slope", training="as-met") if r["value"] is not None]
    if free is None or tied is None or not slopes:
        return None
    return voice(
        Text(
            fr="*Anormal n’est pas nuisible.* Quand {base} des trajectoires sont nuisibles et que la nuisance ne doit "
            "rien à la rareté, {free} des alertes sur les plus anormales le sont ; quand elle va aux conduites rares, "
            "nettement distinctes et bien suivies, {tied}. Un classifieur, lui, gagne jusqu’à {slope} de rappel pour "
            "une classe dix fois plus fréquente.",
            en="*Abnormal is not harmful.* When {base} of tracks are harmful and harm owes nothing to rarity, {free} "
            "of alerts on the most abnormal are; when harm lies with rare conduct, clearly apart and well "
            "followed, {tied}. A classifier gains up to "
            "{slope} of recall for a class ten times as frequent.",
        ),
        base=w.percent(base, voice.lang), free=stated(free, voice), tied=stated(tied, voice),
        slope=stated(max(slopes, key=_value), voice),
    )  # fmt: skip


def _e12(facts: Facts, voice: Voice) -> Spans | None:
    base = alert_world(facts)
    if base is None:
        return None
    fa = max(r["world"]["fa_per_camera_day"] for r in facts.rows("E12", "ppv", **base))
    rows = sorted(facts.rows("E12", "ppv", **base, fa_per_camera_day=fa), key=lambda r: float(r["world"]["m"]))
    rows = [r for r in rows if r["value"] is not None]
    if len(rows) < 2:
        return None
    seen, often = rows[0], rows[-1]
    return voice(
        Text(
            fr="*La base.* À {fa} fausse alerte par caméra et par jour, tous les faits étant détectés, {n1} alertes "
            "sont justes, soit {seen}, si les faits sont aussi fréquents que ceux vus en 2015 ; {n2}, soit {often}, "
            "s’ils sont {m} fois plus fréquents.",
            en="*The base rate.* At {fa} false alert per camera and day, every event being detected, {n1} alerts are "
            "right, that is {seen}, when events are as frequent as those seen in 2015; {n2}, that is {often}, when "
            "they are {m} times more frequent.",
        ),
        fa=w.plain_number(fa, voice.lang), n1=Span(w.natural(seen, voice.lang), "strong"), seen=stated(seen, voice),
        n2=Span(w.natural(often, voice.lang), "strong"), often=stated(often, voice),
        m=w.plain_number(often["world"]["m"], voice.lang),
    )  # fmt: skip


def _e13(facts: Facts, voice: Voice) -> Spans | None:
    rows = facts.rows("E13", "top10", dress="usual", query="ranked")
    crowds = {int(r["world"]["crowd"]) for r in rows}
    if not crowds:
        return None
    crowd = 5_000 if 5_000 in crowds else max(crowds)
    noises = sorted({float(r["world"]["noise"]) for r in rows})
    at: dict[str, Any] = {"dress": "usual", "query": "ranked", "crowd": crowd}
    few, many = (_known(facts.one("E13", "candidate_set", **at, noise=x)) for x in (noises[0], noises[-1]))
    found, lost = (_known(facts.one("E13", "top10", **at, noise=x)) for x in (noises[0], noises[-1]))
    if few is None or many is None or found is None or lost is None:
        return None
    return voice(
        Text(
            fr="*Décrire, est-ce désigner ?* Sur {crowd} personnes aux tenues ordinaires, avec {clean} d’attributs mal "
            "lus, le meilleur classement laisse {few} candidats (médiane) et met la bonne personne parmi les dix "
            "premières dans {found} des recherches ; avec {noise}, {many} candidats et {lost}.",
            en="*Does describing single out?* Among {crowd} people in usual dress, with {clean} of attributes read "
            "wrong, the best ranking leaves {few} candidates (median) and puts the right person among the first ten in "
            "{found} of searches; with {noise}, {many} candidates and {lost}.",
        ),
        crowd=w.count(crowd, voice.lang), clean=w.percent(noises[0], voice.lang),
        noise=w.percent(noises[-1], voice.lang), few=stated(few, voice), many=stated(many, voice),
        found=stated(found, voice), lost=stated(lost, voice),
    )  # fmt: skip


def _e14(facts: Facts, voice: Voice) -> Spans | None:
    by_hand = [r for r in facts.rows("E14", "manual_hours") if r["value"] is not None]
    if not by_hand:
        return None
    hand = min(by_hand, key=lambda r: abs(_value(r) - 8))
    rows = facts.rows("E14", "time_ratio", on_miss="by-hand-after", **hand["world"])
    traffics = sorted({float(r["world"]["traffic"]) for r in rows})
    at: dict[str, Any] = {
        "on_miss": "by-hand-after", **hand["world"],
        "recall": max((r["world"]["recall"] for r in rows), default=0.0),
        "false_positive": min((r["world"]["false_positive"] for r in rows), default=0.0),
    }  # fmt: skip
    if not traffics:
        return None
    quiet, busy = (_known(facts.one("E14", "time_ratio", **at, traffic=v)) for v in (traffics[0], traffics[-1]))
    mean = _known(facts.one("E14", "mean_time_ratio", **at, traffic=traffics[0]))
    if quiet is None or busy is None or mean is None:
        return None
    return voice(
        Text(
            fr="*De huit heures à dix minutes.* Là où tout revoir à la main prend {hand} (médiane), le meilleur filtre "
            "essayé divise ce temps par {quiet} à {slow} véhicules par caméra et par heure, par {busy} à {fast}. En "
            "moyenne et non en médiane, reprises à la main comprises : par {mean}, au lieu de {quiet_again}.",
            en="*From eight hours to ten minutes.* Where reviewing everything by hand takes {hand} (median), the best "
            "filter tried divides that time by {quiet} at {slow} vehicles per camera and hour, by {busy} at {fast}. In "
            "the mean instead of the median, searches started again by hand included: by {mean}, not {quiet_again}.",
        ),
        hand=stated(hand, voice), quiet=stated(quiet, voice), busy=stated(busy, voice), mean=stated(mean, voice),
        quiet_again=stated(quiet, voice, bounds=False), slow=w.plain_number(traffics[0], voice.lang),
        fast=w.plain_number(traffics[-1], voice.lang),
    )  # fmt: skip


def _e18(facts: Facts, voice: Voice) -> Spans | None:
    sets = _known(facts.one("E18", "parameter_sets_found", grid="published"))
    single = _known(facts.one("E18", "parameter_sets_found", grid="one_denominator"))
    if sets is None or single is None:
        return None
    measures = ("share_all", "share_solved", "share_requested_solved")
    figures = [value_name("figure", r["world"]["figure"], voice.lang) for m in measures for r in facts.rows("E18", m)]
    return voice(
        Text(
            fr="*Les dénominateurs.* Peut-on dire à la fois {figures} de la vidéo dans les enquêtes ? {sets} jeux "
            "d’effectifs entiers donnent les trois si chacun divise autre chose ; {single} s’ils divisaient la même "
            "chose.",
            en="*The denominators.* Can {figures} all be said of video in investigations? {sets} sets of whole counts "
            "print the three when each divides by something else; {single} when they divide by the same thing.",
        ),
        figures=w.listing(figures, voice.lang), sets=stated(sets, voice, bounds=False),
        single=stated(single, voice, bounds=False),
    )  # fmt: skip


def _e24(facts: Facts, voice: Voice) -> Spans | None:
    unit = _known(facts.one("E24", "unit_cost_eur", claim="C13"))
    ratio = _known(facts.one("E24", "cost_ratio", claim="C13"))
    if unit is None or ratio is None:
        return None
    return voice(
        Text(
            fr="*Les coûts.* Le marché de 2018 revient à {unit} par caméra, soit {ratio} fois le coût moyen cité ; les "
            "bornes sont celles des arrondis publiés.",
            en="*The costs.* The 2018 contract comes to {unit} per camera, {ratio} times the quoted mean cost; the "
            "bounds are those of published rounding.",
        ),
        unit=stated(unit, voice), ratio=stated(ratio, voice),
    )  # fmt: skip


def _e20(facts: Facts, voice: Voice) -> Spans | None:
    at = plain_world(facts)
    if at is None:
        return None
    again = {**at, "overlap": max(r["world"]["overlap"] for r in facts.rows("E20", "gain_full_join"))}
    biases = [r["world"]["recording_bias"] for r in facts.rows("E20", "gain_full_join")]
    fewest = min(r["world"]["n_informative"] for r in facts.rows("E20", "gain_full_join"))
    police = {**at, "n_informative": fewest, "recording_bias": max(biases), "stream": "police"}
    gain, drop = (_known(facts.one("E20", m, **at)) for m in ("gain_full_join", "least_drop_cost"))
    repeat = _known(facts.one("E20", "best_three_shortfall", **again))
    records, truth = (_known(facts.one("E20", f"shapley_{m}", **police)) for m in ("recorded", "latent"))
    told = at["n_informative"] == 7 and again["overlap"] == 1 and fewest < 7  # what the sentence says of these worlds
    if not told or gain is None or drop is None or repeat is None or records is None or truth is None:
        return None
    return voice(
        Text(
            fr="*Faut-il tout joindre ?* Quand chaque flux apprend du neuf, les huit réunis gagnent {gain} de score "
            "sur mains courantes, calendrier et météo, et retirer le moins utile coûte {drop}. Quand les autres "
            "redisent ce que les mains courantes disent déjà, il manque {repeat} aux trois meilleurs flux. Un flux "
            "qui ne fait que suivre la façon d’enregistrer vaut {records} sur les enregistrements et {truth} sur les "
            "incidents.",
            en="*Must everything be joined?* When each stream tells something new, all eight gain {gain} of score over "
            "log, calendar and weather, and dropping the least useful costs {drop}. When the others repeat what the "
            "log already tells, the best three fall short by {repeat}. A stream that only goes with "
            "how incidents are recorded is worth {records} on records and {truth} on incidents.",
        ),
        gain=stated(gain, voice), drop=stated(drop, voice), repeat=stated(repeat, voice),
        records=stated(records, voice), truth=stated(truth, voice),
    )  # fmt: skip


def _e22(facts: Facts, voice: Voice) -> Spans | None:
    rows = facts.rows("E22", "rank_correlation", method="gbm-shapley", confounding=0.0)
    if not rows:
        return None
    days = sorted({r["world"]["n_days"] for r in rows})
    at = {"effect": max(r["world"]["effect"] for r in rows), "n_days": 365 if 365 in days else days[0]}
    strong = max(r["world"]["recording_bias"] for r in rows)

    def one(measure: str, method: str, bias: float) -> Row | None:
        where = {**at, "confounding": 0.0, "method": method, "recording_bias": bias}
        return _known(facts.one("E22", measure, **where))

    clean, biased = (one("rank_correlation", "gbm-shapley", bias) for bias in (0.0, strong))
    top = one("artefact_in_top3", "gbm-shapley", strong)
    trial, truth = (one("rank_correlation", f"trial-{kind}", strong) for kind in ("records", "incidents"))
    if clean is None or biased is None or top is None or trial is None or truth is None:
        return None
    return voice(
        Text(
            fr="*Causes, ou façon d’enregistrer ?* Quand tout incident a la même chance d’être enregistré et que rien "
            "n’est confondu, l’importance (arbres boostés, Shapley) range les causes avec un τ de {clean}. Quand cette "
            "chance suit les patrouilles, τ de {biased}, et les patrouilles, sans effet, sont parmi les trois premiers "
            "« facteurs » dans {top} des mondes. Un essai randomisé donne {trial} s’il est lu sur les enregistrements, "
            "{truth} s’il l’est sur les incidents.",
            en="*Causes, or ways of recording?* When every incident has the same chance of being recorded and nothing "
            "is confounded, importance (boosted trees, Shapley) ranks causes with a τ of {clean}. When that chance "
            "follows patrols, τ of {biased}, and patrols, without effect, are among the first three “factors” in "
            "{top} of worlds. A randomised trial gives {trial} when read on records, {truth} when read on incidents.",
        ),
        clean=stated(clean, voice), biased=stated(biased, voice), top=stated(top, voice), trial=stated(trial, voice),
        truth=stated(truth, voice),
    )  # fmt: skip


def _e27(facts: Facts, voice: Voice) -> Spans | None:
    chances = sorted(facts.rows("E27", "p_placebo", selection="random"), key=lambda r: float(r["world"]["sd"]))
    maps = sorted(facts.rows("E27", "area_share_static_map", map="past_year"), key=lambda r: float(r["world"]["sigma"]))
    if not chances or not maps or any(r["value"] is None for r in (*chances, *maps)):
        return None
    middle, chance = chances[len(chances) // 2], maps[-1]
    params = facts.request["parameters"]["E27"]
    gap = float(params["headline_points"])
    unit = "point" if gap == 1 else "points"
    headline = f"{w.plain_number(gap, voice.lang)}\u00a0{unit}"
    return voice(
        Text(
            fr="*Le placebo.* {tested} départements où l’on ne ferait rien devancent la moyenne nationale d’au moins "
            "{headline} dans {p} des années (dispersion supposée : {sd} points). Et pour contenir {captured} "
            "des faits, une carte de l’année passée, sans autre modèle, doit désigner {share} du territoire là où "
            "ils sont concentrés (σ = {sigma}).",
            en="*The placebo.* {tested} departments where nothing is done beat the national mean by at least "
            "{headline} in {p} of years (assumed spread: {sd} points). And to hold {captured} of events, last "
            "year’s map, without any other model, must flag {share} of the territory where they are concentrated "
            "(σ = {sigma}).",
        ),
        p=stated(middle, voice), sd=w.plain_number(middle["world"]["sd"], voice.lang),
        tested=w.count(params["tested"], voice.lang), headline=headline,
        captured=w.percent(float(params["captured"]), voice.lang), share=stated(chance, voice),
        sigma=w.plain_number(chance["world"]["sigma"], voice.lang),
    )  # fmt: skip


def _e28(facts: Facts, voice: Voice) -> Spans | None:
    bare = _known(facts.one("E28", "p_any_finding", K=13, safeguard="none"))
    holm = _known(facts.one("E28", "p_any_finding", K=13, safeguard="holm"))
    alike = _known(facts.one("E28", "p_any_finding_autocorrelated", K=13, safeguard="none"))
    if bare is None or holm is None or alike is None:
        return None
    return voice(
        Text(
            fr="*Chercher jusqu’à trouver.* Treize analyses de bruit pur donnent au moins une « découverte » dans "
            "{bare} des villes ; {holm} avec la correction de Holm. Si les jours se ressemblent, {alike} sans "
            "garde-fou.",
            en="*Looking until one finds.* Thirteen analyses of pure noise yield at least one “finding” in {bare} of "
            "cities; {holm} with the Holm correction. When days resemble each other, {alike} without a safeguard.",
        ),
        bare=stated(bare, voice), holm=stated(holm, voice), alike=stated(alike, voice),
    )  # fmt: skip


_ALL: Final[tuple[Finding, ...]] = (
    _platform,
    _e01,
    _e02,
    _e04,
    _e05,
    _e09,
    _e10,
    _e11,
    _e12,
    _e13,
    _e14,
    _e18,
    _e20,
    _e22,
    _e24,
    _e27,
    _e28,
)


def _known(row: Row | None) -> Row | None:
    return row if row is not None and row["value"] is not None else None


def _value(row: Row) -> float:
    return float(row["value"])


def _least(facts: Facts, experiment: str, measure: str, key: str) -> Any:
    return min((r["world"][key] for r in facts.rows(experiment, measure)), default=0.0)
