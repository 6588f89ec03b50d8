"""E21: what the choice of places adds to a patrol-hour, and who loses hours by it."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import LOOKS, canvas, drawing, label, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name, world_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text


def draw_gain(facts: Facts, lang: Lang) -> Drawing | None:
    """Gain in averted incidents over the long-run mean, by world and policy."""
    rows = [r for r in facts.rows("E21", "gain_averted") if r["value"] is not None]
    if not rows:
        return None
    levels = sorted({float(r["world"]["deterrence"]) for r in rows})
    rows = [r for r in rows if float(r["world"]["deterrence"]) == levels[len(levels) // 2]]
    keys = ("turnover", "kappa", "displacement")
    worlds = sorted({tuple(float(r["world"][k]) for k in keys) for r in rows})
    policies = list(dict.fromkeys(r["world"]["policy"] for r in rows))
    figure, axis = canvas(height=0.9 + 0.3 * len(worlds))
    for look, policy in enumerate(policies):
        color, marker, _ = LOOKS[look % len(LOOKS)]
        for at, world in enumerate(worlds):
            for r in rows:
                if r["world"]["policy"] == policy and tuple(float(r["world"][k]) for k in keys) == world:
                    y = len(worlds) - 1 - at + 0.12 * (look - (len(policies) - 1) / 2)
                    axis.plot([r["low"], r["high"]], [y, y], color=color, lw=1.2)
                    name = value_name("policy", policy, lang) if at == 0 else None
                    axis.plot(r["value"], y, marker, color=color, ms=4.5, label=name)
    named = [world_name(dict(zip(keys, w, strict=True)), lang) for w in worlds]
    axis.set_yticks(range(len(worlds)), named[::-1], fontsize=6.5)
    axis.axvline(0, color="#8a8a84", lw=0.8)
    threshold_line(axis, 0.05, "", vertical=True)
    percent_axis(axis.xaxis, lang)
    across = Text(fr="incidents évités, écart à la moyenne longue", en="incidents averted, against the long-run mean")
    label(axis, across, lang, which="x")
    figure.legend(loc="outside lower center", ncols=4)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points : gain en incidents évités sur la moyenne longue, par monde et par manière d’envoyer les "
            "patrouilles.",
            en="Points: gain in incidents averted over the long-run mean, by world and by way of sending patrols.",
        ),
        caption=Text(
            fr=f"Mêmes heures, mêmes incidents, mêmes tirages. n = {n} villes par point, intervalle de Student à 95 % "
            "des différences appariées. Pointillé : +5 %.",
            en=f"Same hours, same incidents, same luck. n = {n} cities per point, 95 % Student interval of paired "
            "differences. Dotted: +5 %.",
        ),
        limits=Text(
            fr="Limites : l’effet d’une heure de patrouille est posé, le même partout ; nul ne l’a mesuré ici.",
            en="Limits: the effect of a patrol-hour is set, the same everywhere; nobody measured it here.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E21", x="turnover", y="kappa", facet=("displacement", "policy"), lang=lang, claim="M30",
        seeds=Text(fr="villes tirées", en="cities drawn"),
    )  # fmt: skip
