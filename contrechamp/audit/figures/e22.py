"""E22: whether importance ranks follow causes or recording, and in which worlds."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import SOFT, canvas, curve, drawing, label, number_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count, plain_number
from contrechamp.domain.text import Lang, Text

_SHOWN = ("gbm-shapley", "poisson-permutation", "partial-correlation", "trial-records", "trial-incidents")


def draw_ranks(facts: Facts, lang: Lang) -> Drawing | None:
    """Rank correlation with the causes against the recording bias, one panel per confounding."""
    rows = facts.rows("E22", "rank_correlation")
    if not rows:
        return None
    days = sorted({r["world"]["n_days"] for r in rows})
    at = {"effect": max(r["world"]["effect"] for r in rows), "n_days": 365 if 365 in days else days[0]}
    levels = sorted({r["world"]["confounding"] for r in rows})
    figure, axes = canvas(height=2.7, ncols=len(levels), sharey=True, squeeze=False)
    for ax, confounding in zip(axes[0], levels, strict=True):
        for look, method in enumerate(_SHOWN):
            found = facts.rows("E22", "rank_correlation", **at, confounding=confounding, method=method)
            found = sorted(found, key=lambda r: float(r["world"]["recording_bias"]))
            if found:
                x = [r["world"]["recording_bias"] + 0.012 * (look - 2) for r in found]
                curve(ax, x, found, look=look, name=value_name("method", method, lang) if ax is axes[0][0] else "")
        ax.axhline(0, color=SOFT, lw=0.6)
        threshold_line(ax, 0.5, Text(fr="seuil", en="threshold").in_(lang) if ax is axes[0][-1] else "")
        said = plain_number(float(confounding), lang)
        label(ax, Text(fr=f"Confusion : {said}", en=f"Confounding: {said}"), lang, which="title")
        label(ax, Text(fr="biais d’enregistrement", en="recording bias"), lang, which="x")
        number_axis(ax.xaxis, lang)
        number_axis(ax.yaxis, lang)
        ax.set_ylim(-0.35, 1.08)
    label(axes[0][0], Text(fr="τ de Kendall avec les causes", en="Kendall’s τ with the causes"), lang, which="y")
    figure.legend(loc="outside upper center", ncols=3, fontsize=7)
    n = count(max(int(r["n"]) for r in rows), lang)
    effect = plain_number(float(at["effect"]), lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : corrélation de rang entre l’importance des facteurs et leur effet causal vrai, selon le "
            "biais d’enregistrement, pour deux scores d’importance, une corrélation partielle et des essais "
            "randomisés lus sur les enregistrements et sur les incidents. Valeurs dans les tableaux du chapitre.",
            en="Curves: rank correlation of the importance of factors with their true causal effect, by recording "
            "bias, for two importance scores, a partial correlation, and randomised trials read on records and on "
            "incidents. Values in the tables of the chapter.",
        ),
        caption=Text(
            fr=f"L’importance retrouve-t-elle les causes ? Moyenne de n = {n} mondes tirés par point, intervalle de "
            f"Student à 95 % ; {at['n_days']} jours d’enregistrements, échelle des effets {effect}. Biais 0 : tout "
            "incident a la même chance d’être enregistré ; 1 : une chance proportionnelle aux heures de patrouille. "
            "Même un essai randomisé prend les patrouilles pour une cause, s’il est lu sur les enregistrements.",
            en=f"Does importance find the causes? Mean of n = {n} worlds drawn per point, 95 % Student interval; "
            f"{at['n_days']} days of records, scale of effects {effect}. Bias 0: every incident has the same chance "
            "of being recorded; 1: a chance proportional to patrol hours. Even a randomised trial takes patrols for a "
            "cause when it is read on records.",
        ),
        limits=Text(
            fr="Limites : graphes causaux inventés, effets log-linéaires, tous les facteurs mesurés sans erreur.",
            en="Limits: invented causal graphs, log-linear effects, every factor measured without error.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """In which worlds importance scores find causes; a square gathers the four scores."""
    return draw_judged(
        facts, "E22", x="recording_bias", y="confounding", facet=("effect", "n_days"), lang=lang, claim="M16",
        seeds=Text(fr="mondes tirés (graines)", en="worlds drawn (seeds)"),
    )  # fmt: skip
