"""E28: how often a search finds something where there is nothing."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import (
    canvas,
    curve,
    drawing,
    label,
    number_axis,
    percent_axis,
    threshold_line,
)
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.audit.reporting.worlds import SAFEGUARDS
from contrechamp.domain.text import Lang, Text


def draw_looks(facts: Facts, lang: Lang) -> Drawing | None:
    """Probability of a finding in noise against the number of looks; days independent, then alike."""
    rows = facts.rows("E28", "p_any_finding")
    if not rows:
        return None
    figure, axes = canvas(height=2.45, ncols=2, sharey=True)
    panels = (
        ("p_any_finding", Text(fr="Jours indépendants", en="Independent days")),
        ("p_any_finding_autocorrelated", Text(fr="Jours qui se ressemblent", en="Days that resemble each other")),
    )
    for ax, (measure, title) in zip(axes, panels, strict=True):
        for look, safeguard in enumerate(SAFEGUARDS):
            found = sorted(facts.rows("E28", measure, safeguard=safeguard), key=lambda r: int(r["world"]["K"]))
            if found:
                name = value_name("safeguard", safeguard, lang) if ax is axes[0] else ""
                curve(ax, [r["world"]["K"] for r in found], found, look=look, name=name)
        label(ax, title, lang, which="title")
        label(ax, Text(fr="analyses tentées, K", en="analyses tried, K"), lang, which="x")
        number_axis(ax.xaxis, lang)
        percent_axis(ax.yaxis, lang)
        ax.set_ylim(-0.02, 1.02)
        threshold_line(ax, 0.05, "")
    theory = sorted(facts.rows("E28", "p_any_theory", safeguard="none"), key=lambda r: int(r["world"]["K"]))
    axes[0].plot([r["world"]["K"] for r in theory], [r["value"] for r in theory], "+", color="black", ms=7,
                 label=Text(fr="calcul (aucun)", en="calculation (none)").in_(lang))  # fmt: skip
    label(axes[0], Text(fr="au moins une « découverte »", en="at least one “finding”"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : probabilité d’au moins une découverte dans du bruit pur selon le nombre d’analyses, sans "
            "garde-fou et avec quatre garde-fous, jours indépendants puis corrélés.",
            en="Curves: probability of at least one finding in pure noise against the number of analyses, without and "
            "with four safeguards, days independent then correlated.",
        ),
        caption=Text(
            fr=f"Bruit pur : rien à trouver. n = {n} villes (jours indépendants), intervalle de Wilson à 95 %. Croix : "
            "1 − 0,95 puissance K. Pointillé : 5 %.",
            en=f"Pure noise: nothing to find. n = {n} cities (independent days), 95 % Wilson interval. Crosses: 1 − "
            f"0.95 "
            "to the power K. Dotted: 5 %.",
        ),
        limits=Text(
            fr="Limites : nul ne sait combien d’analyses ont été tentées à Marseille.",
            en="Limits: nobody knows how many analyses were tried in Marseille.",
        ),
    )
