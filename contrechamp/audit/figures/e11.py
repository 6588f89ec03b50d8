"""E11: what alerts on the abnormal are worth, and what a classifier owes to frequency."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text

_DETECTORS = ("isolation-forest", "mahalanobis", "neighbours", "taught", "random")
_TRAININGS = ("as-met", "reweighted", "balanced")


def draw_alerts(facts: Facts, lang: Lang) -> Drawing | None:
    """Lift over chance of the alerts, against the link between harm and rarity."""
    rows = facts.rows("E11", "lift", blurred=0.0)
    if not rows:
        return None
    base = max(float(r["world"]["base_rate"]) for r in rows)
    rows = [r for r in rows if r["world"]["base_rate"] == base]
    gaps = sorted({float(r["world"]["separation"]) for r in rows})
    figure, axes = canvas(height=2.7, ncols=len(gaps), sharey=True, squeeze=False)
    colon = "\u202f: " if lang == "fr" else ": "
    for index, (axis, gap) in enumerate(zip(axes.flat, gaps, strict=True)):
        for look, detector in enumerate(_DETECTORS):
            found = [r for r in rows if r["world"]["separation"] == gap and r["world"]["detector"] == detector]
            found = sorted(found, key=lambda r: float(r["world"]["harm_rarity"]))
            name = value_name("detector", detector, lang) if index == 0 else ""
            curve(axis, [float(r["world"]["harm_rarity"]) for r in found], found, look=look, name=name)
        for at in (1.0, 5.0):
            threshold_line(axis, at, "")
        axis.set_yscale("log")
        axis.set_title(f"{key_name('separation', lang)}{colon}{value_name('separation', gap, lang)}", fontsize=7.5)
        number_axis(axis.xaxis, lang)
        number_axis(axis.yaxis, lang)
        label(axis, Text(fr="lien entre nuisance et rareté", en="link of harm with rarity"), lang, which="x")
    label(axes.flat[0], Text(fr="gain sur le hasard", en="lift over chance"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    share = {one: value_name("base_rate", base, one) for one in ("fr", "en")}
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : gain sur le hasard des alertes, par détecteur, selon que la nuisance est plutôt du côté des "
            "conduites fréquentes, de toutes, ou des rares.",
            en="Curves: lift of alerts over chance, by detector, as harm lies with frequent conduct, with any, or with "
            "rare conduct.",
        ),
        caption=Text(
            fr=f"Gain des alertes sur le hasard quand {share['fr']} des trajectoires sont nuisibles. À 0, la nuisance "
            f"ne doit rien à la fréquence. n = {n} alertes lues par point, nuisance tirée plusieurs fois, intervalle à "
            "95 % par grappes de flux. Pointillés : 1 (le hasard) et 5 (seuil).",
            en=f"Lift of alerts over chance when {share['en']} of tracks are harmful. At 0, harm owes nothing to "
            f"frequency. n = {n} alerts read per point, harm drawn several times, 95 % interval by clusters of streams."
            " Dotted: 1 (chance) and 5 (threshold).",
        ),
        limits=Text(
            fr="Limites : les comportements sont des points tirés au hasard ; le lien entre nuisance et rareté est "
            "posé, non observé.",
            en="Limits: behaviours are points drawn at random; the link between harm and rarity is stated, not "
            "observed.",
        ),
    )


def draw_learning(facts: Facts, lang: Lang) -> Drawing | None:
    """Recall gained by ten times as many examples, against the number of examples."""
    rows = facts.rows("E11", "recall_slope")
    if not rows:
        return None
    gaps = sorted({float(r["world"]["separation"]) for r in rows})
    figure, axes = canvas(height=2.4, ncols=len(gaps), sharey=True, squeeze=False)
    colon = "\u202f: " if lang == "fr" else ": "
    for index, (axis, gap) in enumerate(zip(axes.flat, gaps, strict=True)):
        for look, training in enumerate(_TRAININGS):
            found = [r for r in rows if r["world"]["separation"] == gap and r["world"]["training"] == training]
            found = sorted(found, key=lambda r: float(r["world"]["train_size"]))
            name = value_name("training", training, lang) if index == 0 else ""
            curve(axis, [float(r["world"]["train_size"]) for r in found], found, look=look, name=name)
        threshold_line(axis, 0.0, "")
        axis.set_xscale("log")
        axis.set_title(f"{key_name('separation', lang)}{colon}{value_name('separation', gap, lang)}", fontsize=7.5)
        number_axis(axis.xaxis, lang)
        number_axis(axis.yaxis, lang)
        label(axis, Text(fr="exemples d’apprentissage", en="training examples"), lang, which="x")
    label(axes.flat[0], Text(fr="pente du rappel", en="slope of recall"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : rappel gagné par une classe dix fois plus fréquente à l’apprentissage, selon le nombre total "
            "d’exemples, par façon d’apprendre.",
            en="Curves: recall gained by a class ten times as frequent in training, against the total number of "
            "examples, by way of training.",
        ),
        caption=Text(
            fr=f"Rappel gagné par une classe qui a dix fois plus d’exemples (1 : cent points). n = {n} jeux d’exemples "
            "par point, intervalle à 95 %. Pointillé : 0, la fréquence ne compte pas.",
            en=f"Recall gained by a class with ten times as many examples (1: a hundred points). n = {n} sets of "
            "examples per point, 95 % interval. Dotted: 0, frequency does not matter.",
        ),
        limits=Text(
            fr="Limites : le classifieur est le meilleur possible pour ces lois ; un autre peut dépendre davantage du "
            "nombre d’exemples.",
            en="Limits: the classifier is the best possible for these laws; another may depend more on the number of "
            "examples.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts on alerts."""
    return draw_judged(
        facts, "E11", x="harm_rarity", y="blurred", facet=("base_rate", "separation"), lang=lang, claim="M10",
        seeds=Text(fr="alertes lues", en="alerts read"),
    )  # fmt: skip
