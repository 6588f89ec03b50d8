"""Tables of E05: the adequacy percentage against the optimum and against habit."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """What the percentage follows, what over-staffing obtains, and what the advice costs."""
    rows = facts.rows("E05", "corr_gap")
    if not rows:
        return []
    habits = sorted({r["world"]["habit_strength"] for r in rows})
    effects = sorted({r["world"]["prevented_share"] for r in rows})
    order = list(dict.fromkeys(r["world"]["adequacy_formula"] for r in rows))
    worlds = [
        {"adequacy_formula": formula, "habit_strength": habit, "prevented_share": effect}
        for formula in order
        for habit in dict.fromkeys((habits[0], habits[-1]))
        for effect in dict.fromkeys((effects[0], effects[len(effects) // 2], effects[-1]))
    ]
    columns = [
        Wide(Text(fr="Optimum moins habitude", en="Optimum minus habit"), "corr_gap", {}),
        Wide(Text(fr="Avec la distance à l’optimum", en="With the distance to the optimum"), "corr_optimum", {}),
        Wide(Text(fr="Avec la distance à l’habitude", en="With the distance to habit"), "corr_habit", {}),
        Wide(Text(fr="Sureffectif, première année", en="Over-staffing, first year"), "excess_first", {}),
        Wide(Text(fr="Sureffectif devenu le passé", en="Over-staffing become the past"), "excess_again", {}),
    ]
    caption = Text(
        fr="E05 : corrélation de rang de l’adéquation avec la distance à l’optimum et à l’habitude, et adéquation d’un "
        "sureffectif systématique. Formules du pourcentage : hypothèses de notre part.",
        en="E05: rank correlation of adequacy with the distance to the optimum and to habit, and adequacy of "
        "systematic over-staffing. Formulas of the percentage: our guess.",
    )
    main = wide(
        facts, voice, "E05", caption=caption,
        head=Text(fr="Formule ; force de l’habitude ; part évitée par un dispositif ordinaire",
                  en="Formula; strength of habit; share prevented by an ordinary deployment"),
        rows=worlds, columns=columns, weight=2.4,
        name=lambda x: ", ".join(
            value_name(k, x[k], voice.lang) for k in ("adequacy_formula", "habit_strength", "prevented_share")
        ),
    )  # fmt: skip
    caption = Text(
        fr="E05 : coût de l’effectif conseillé par la réplique et de celui d’habitude, rapportés à l’optimum.",
        en="E05: cost of the staffing that the replica advises, and of habitual staffing, relative to the optimum.",
    )
    costs = wide(
        facts, voice, "E05", caption=caption,
        head=Text(fr="Force de l’habitude ; part évitée par un dispositif ordinaire",
                  en="Strength of habit; share prevented by an ordinary deployment"),
        rows=distinct(facts.rows("E05", "advice_cost"), "habit_strength", "prevented_share"),
        columns=[
            Wide(Text(fr="Effectif conseillé", en="Advised staffing"), "advice_cost", {}),
            Wide(Text(fr="Effectif d’habitude", en="Habitual staffing"), "habit_cost", {}),
        ],
        name=lambda x: ", ".join(value_name(k, x[k], voice.lang) for k in ("habit_strength", "prevented_share")),
    )  # fmt: skip
    return present(main, costs)
