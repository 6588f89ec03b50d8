"""E05: what the adequacy percentage follows, what over-staffing obtains, and the map of worlds."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.figures.titles import wrap_titles
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text


def draw_gap(facts: Facts, lang: Lang) -> Drawing | None:
    """Optimum against habit, above; adequacy of over-staffing, below; a panel per formula."""
    rows = facts.rows("E05", "corr_gap")
    if not rows:
        return None
    formulas = list(dict.fromkeys(r["world"]["adequacy_formula"] for r in rows))
    effects = sorted({r["world"]["prevented_share"] for r in rows})
    middle = effects[len(effects) // 2]
    shown = sorted({effects[0], middle, effects[-1]})
    figure, axes = canvas(height=4.3, ncols=len(formulas), nrows=2, sharey="row", sharex=True, squeeze=False)
    for column, formula in enumerate(formulas):
        above, below = axes[0][column], axes[1][column]
        for look, effect in enumerate(shown):
            line = sorted(facts.rows("E05", "corr_gap", adequacy_formula=formula, prevented_share=effect),
                          key=lambda r: float(r["world"]["habit_strength"]))  # fmt: skip
            curve(above, [r["world"]["habit_strength"] for r in line], line, look=look,
                  name=prevented(effect).in_(lang) if column == 0 else "")  # fmt: skip
        kinds = (
            ("excess_first", Text(fr="sureffectif, première année", en="over-staffing, first year")),
            ("excess_again", Text(fr="sureffectif devenu le passé", en="over-staffing become the past")),
        )
        for look, (measure, words) in enumerate(kinds, start=3):
            line = sorted(facts.rows("E05", measure, adequacy_formula=formula, prevented_share=middle),
                          key=lambda r: float(r["world"]["habit_strength"]))  # fmt: skip
            curve(below, [r["world"]["habit_strength"] for r in line], line, look=look,
                  name=words.in_(lang) if column == 0 else "")  # fmt: skip
        for at in (0.0, 0.1):
            threshold_line(above, at, "")
        threshold_line(below, 0.9, "")
        below.set_ylim(0, 1.05)
        number_axis(above.yaxis, lang)
        percent_axis(below.yaxis, lang)
        percent_axis(below.xaxis, lang)
        above.set_title(value_name("adequacy_formula", formula, lang), fontsize=7)
        below.set_xlabel(key_name("habit_strength", lang))
    label(axes[0][0], Text(fr="optimum moins habitude", en="optimum minus habit"), lang, which="y")
    label(axes[1][0], Text(fr="adéquation", en="adequacy"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    effect = prevented(middle)
    made = drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes par formule du pourcentage, selon la force de l’habitude passée : en haut, l’écart entre la "
            "corrélation avec la distance à l’optimum et celle avec la distance à l’habitude ; en bas, l’adéquation "
            "d’un sureffectif systématique, la première année puis devenu le passé.",
            en="Curves by formula of the percentage, against the strength of past habit: above, the gap between the "
            "correlation with the distance to the optimum and that with the distance to habit; below, the adequacy of "
            "systematic over-staffing, in its first year, then once it has become the past.",
        ),
        caption=Text(
            fr="En haut : |corrélation avec la distance à l’optimum| moins |corrélation avec la distance à "
            "l’habitude| (pointillés : 0 et 0,1) ; positif, il ne compte que si l’adéquation "
            "croît vers l’optimum. En bas : adéquation d’un sureffectif systématique, "
            f"{effect.fr} (pointillé : 90 %). n = {n} calendriers par point, intervalle de Student à 95 %. "
            "Formules : hypothèses de notre part.",
            en="Above: |correlation with the distance to the optimum| minus |correlation with the distance to habit| "
            f"(dotted: 0 and 0.1); above zero, it counts only if adequacy grows towards the optimum. "
            f"Below: adequacy of systematic over-staffing, {effect.en} (dotted: 90 %). "
            f"n = {n} calendars per point, 95 % Student interval. Formulas: our guess.",
        ),
        limits=Text(
            fr="Limites : l’effet d’un agent et le prix d’un incident sont posés ; les plans jugés sont tirés autour "
            "de l’optimum et de l’habitude.",
            en="Limits: the effect of an officer and the price of an incident are stated; the plans judged are drawn "
            "around the optimum and habit.",
        ),
    )
    return wrap_titles(made, columns=len(formulas))


def prevented(share: float) -> Text:
    """Name of a world by what an ordinary deployment prevents."""
    return Text(fr=f"{value_name('prevented_share', share, 'fr')} des incidents évités",
                en=f"{value_name('prevented_share', share, 'en')} of incidents prevented")  # fmt: skip


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    made = draw_judged(facts, "E05", x="habit_strength", y="prevented_share", facet="adequacy_formula", lang=lang,
                       seeds=Text(fr="calendriers tirés", en="calendars drawn"))  # fmt: skip
    return wrap_titles(made, columns=3)
