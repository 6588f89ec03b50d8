"""E17: how large a study must be to tell nil from a fall."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count, percent
from contrechamp.domain.text import Lang, Text


def draw_studies(facts: Facts, lang: Lang) -> Drawing | None:
    """Share of studies that see a fall against their size, by true effect, for three ways of looking."""
    rows = [r for r in facts.rows("E17", "p_detects", estimator="did-skip") if r["world"]["displacement"] == 0]
    if not rows:
        return None
    effects = sorted({float(r["world"]["true_effect"]) for r in rows}, reverse=True)
    busy = max(float(r["world"]["per_year"]) for r in rows)
    # with an effect only one trend of the city is drawn: the one that every panel has
    flat = next((r["world"]["trend"] for r in rows if r["world"]["true_effect"] < 0), rows[0]["world"]["trend"])
    chosen = "worst" if any(r["world"]["placement"] == "worst" for r in rows) else rows[0]["world"]["placement"]
    base = {"per_year": busy, "displacement": 0.0, "placement": chosen, "trend": flat}
    looks = (("p_correlation", "correlation"), ("p_detects", "did"), ("p_detects", "did-skip"))
    figure, axes = canvas(height=2.4, ncols=len(effects), sharey=True, squeeze=False)
    for index, (axis, effect) in enumerate(zip(axes.flat, effects, strict=True)):
        for look, (measure, estimator) in enumerate(looks):
            found = facts.rows("E17", measure, estimator=estimator, true_effect=effect, **base)
            found = sorted(found, key=lambda r: float(r["world"]["n_cameras"]))
            name = value_name("estimator", estimator, lang) if index == 0 else ""
            curve(axis, [r["world"]["n_cameras"] for r in found], found, look=look, name=name)
        for at in (0.8, 0.05):
            threshold_line(axis, at, "")
        axis.set_xscale("log")
        axis.set_ylim(-0.02, 1.02)
        axis.set_title(
            Text(fr=f"effet vrai : {percent(effect, 'fr')}", en=f"true effect: {percent(effect, 'en')}").in_(lang),
            fontsize=7.5,
        )
        number_axis(axis.xaxis, lang)
        percent_axis(axis.yaxis, lang)
        label(axis, Text(fr="rues équipées", en="streets with cameras"), lang, which="x")
    label(axes.flat[0], Text(fr="études qui voient une baisse", en="studies that see a fall"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : part des études qui voient une baisse selon le nombre de rues équipées, une case par "
            "effet vrai, du plus faible au plus fort ; trois façons de regarder.",
            en="Curves: share of studies that see a fall against the number of streets with cameras, one panel per "
            "true effect, from the weakest to the strongest; three ways of looking.",
        ),
        caption=Text(
            fr=f"Études qui voient une baisse, les pires rues étant équipées, {busy:g} faits enregistrés par rue et "
            f"par an. n = {n} villes par point, intervalle à 95 %. Pointillés : 80 % et 5 %. À effet nul, tout ce qui "
            "dépasse 5 % est une baisse vue où il n’y en a pas.",
            en=f"Studies that see a fall, the worst streets being equipped, {busy:g} records per street and year. "
            f"n = {n} cities per point, 95 % interval. Dotted: 80 % and 5 %. At no effect, all above 5 % is a fall "
            "seen where there is none.",
        ),
        limits=Text(
            fr="Limites : dispersions entre rues et entre années supposées ; les comptages sont des enregistrements.",
            en="Limits: assumed spreads between streets and years; counts are records.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E17", x="n_cameras", y="true_effect", facet="placement", lang=lang,
        seeds=Text(fr="villes tirées", en="cities drawn"),
    )  # fmt: skip
