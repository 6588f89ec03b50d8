"""E14: what a filter saves, and what it misses."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import LOOKS, canvas, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text

_POLICIES = ("by-hand-after", "filter-only")


def draw_time(facts: Facts, lang: Lang) -> Drawing | None:
    """Ratio of median times against cars missed, a point per world, by policy and traffic."""
    rows = [r for r in facts.rows("E14", "time_ratio") if r["value"] is not None]
    if not rows:
        return None
    traffics = sorted({float(r["world"]["traffic"]) for r in rows})
    figure, axes = canvas(height=2.7, ncols=len(traffics), sharex=True, sharey=True, squeeze=False)
    colon = "\u202f: " if lang == "fr" else ": "
    for index, (axis, traffic) in enumerate(zip(axes.flat, traffics, strict=True)):
        for look, policy in enumerate(_POLICIES):
            color, marker, _ = LOOKS[look]
            here = [r for r in rows if r["world"]["traffic"] == traffic and r["world"]["on_miss"] == policy]
            pairs = [(r, facts.one("E14", "miss_excess", **r["world"])) for r in here]
            x = [r["value"] for r, other in pairs if other is not None]
            y = [other["value"] for _, other in pairs if other is not None]
            said = f"{key_name('on_miss', lang)}{colon}{value_name('on_miss', policy, lang)}"
            name = said if index == 0 else ""
            axis.plot(x, y, ls="", marker=marker, color=color, mfc="none" if look else color, ms=3.5, label=name)
        for at in (10.0, 48.0):
            threshold_line(axis, at, "", vertical=True)
        for at in (0.02, 0.1):
            threshold_line(axis, at, "")
        axis.set_xscale("log")
        number_axis(axis.xaxis, lang)
        percent_axis(axis.yaxis, lang)
        axis.set_title(f"{key_name('traffic', lang)}{colon}{value_name('traffic', traffic, lang)}", fontsize=7.5)
        label(axis, Text(fr="rapport des temps médians", en="ratio of median times"), lang, which="x")
    label(axes.flat[0], Text(fr="voitures manquées en plus", en="more cars missed"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=2)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Nuage de points : pour chaque monde, rapport des temps médians à la main et par filtre, et voitures "
            "manquées en plus par le filtre, selon ce que l’on fait quand il ne trouve rien.",
            en="Scatter: for each world, ratio of median times by hand and by filter, and more cars missed by the "
            "filter, by what is done when it finds nothing.",
        ),
        caption=Text(
            fr=f"Un point par monde, {n} recherches chacun. Étayée : à droite de 48 et sous +2 points ; réfutée : à "
            "gauche de 10 ou au-dessus de +10 points. Sous 0, le filtre manque moins de voitures que la main.",
            en=f"One point per world, {n} searches each. Supported: right of 48 and under +2 points; refuted: left of "
            "10 or above +10 points. Under 0, the filter misses fewer cars than the hand.",
        ),
        limits=Text(
            fr="Limites : vitesses, circulation et fatigue sont posées ; le calcul de l’index ne compte pas dans le "
            "temps.",
            en="Limits: speeds, traffic and tiredness are stated; computing the index takes no time here.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E14", x="traffic", y="window_h", facet=("passages", "on_miss"), lang=lang, claim="V09",
        seeds=Text(fr="recherches simulées", en="simulated searches"),
    )  # fmt: skip
