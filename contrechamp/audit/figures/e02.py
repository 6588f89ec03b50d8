"""E02: the loop between patrols and records, over the whole curve of the share reported, and its map of worlds."""

from __future__ import annotations

import numpy as np

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_flip, flip_rows
from contrechamp.audit.figures.style import (
    INK,
    LOOKS,
    RULE,
    canvas,
    curve,
    drawing,
    label,
    percent_axis,
    threshold_line,
)
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count, typeset
from contrechamp.domain.text import Lang, Text

RULES = ("top", "proportional", "fixed", "reported-only", "importance-weighted")
#: Shares reported drawn in the map of verdicts where a run has more of them than fit.
_SHOWN = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
_MEASURES = (
    ("recorded_off_20", Text(fr="Part enregistrée", en="Recorded share")),
    ("patrol_off_20", Text(fr="Temps de patrouille", en="Patrol time")),
)


def draw_curve(facts: Facts, lang: Lang) -> Drawing | None:
    """Share of cities gone off by more than 20 points against the share reported, for the two rules of the dispute."""
    base = _base(facts)
    if base is None:
        return None
    figure, axes = canvas(height=2.5, ncols=2, sharey=True)
    for ax, (measure, title) in zip(axes, _MEASURES, strict=True):
        for look, rule in enumerate(("top", "proportional")):
            rows = sorted(facts.rows("E02", measure, **base, rule=rule), key=lambda r: r["world"]["rho"])
            if rows:
                name = value_name("rule", rule, lang) if ax is axes[0] else ""
                curve(ax, [r["world"]["rho"] for r in rows], rows, look=look, name=name)
        label(ax, title, lang, which="title")
        label(ax, Text(fr="part des incidents signalée par les habitants, ρ",
                       en="share of incidents reported by residents, ρ"), lang, which="x")  # fmt: skip
        percent_axis(ax.xaxis, lang)
        percent_axis(ax.yaxis, lang)
        ax.set_ylim(-0.03, 1.04)
        ax.axvspan(0.97, 1.03, color="#eeeeea", zorder=-1)
        ax.annotate(typeset(Text(fr="sans boucle", en="no loop").in_(lang), lang), (1.0, 0.36), rotation=90,
                    ha="center", va="center", fontsize=7)  # fmt: skip
    threshold_line(axes[0], 0.5, typeset(Text(fr="la moitié des villes", en="half of the cities").in_(lang), lang),
                   at_left=True)  # fmt: skip
    label(axes[0], Text(fr="villes à plus de 20 points", en="cities over 20 points off"), lang, which="y")
    figure.legend(loc="outside upper right", ncols=2)
    n = count(facts.rows("E02", "recorded_off_20", **base)[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : part des villes où la part enregistrée d’une zone, puis le temps de patrouille, s’écarte de "
            "la vérité de plus de 20 points, selon la part d’incidents signalée, pour deux règles d’affectation. Le "
            "point le plus à droite est le témoin sans boucle.",
            en="Curves: share of cities where the recorded share of a zone, then patrol time, is more than 20 points "
            "off the truth, against the share of incidents reported, for two allocation rules. The rightmost point is "
            "the control without a loop.",
        ),
        caption=Text(
            fr=f"Deux zones de même taux vrai. Part des villes qui s’écartent de la vérité de plus de 20 points, "
            f"intervalle de Wilson à 95 %, n = {n} villes par point. À ρ = 100 %, rien ne dépend des patrouilles : "
            "c’est le témoin.",
            en=f"Two zones of equal true rate. Share of cities more than 20 points off the truth, 95 % Wilson "
            f"interval, "
            f"n = {n} cities per point. At ρ = 100 %, nothing depends on patrols: this is the control.",
        ),
        limits=Text(
            fr="Limites : une patrouille par jour, ni dissuasion, ni déplacement, ni oubli. L’écart du temps de "
            "patrouille au témoin vient des départages, non de la boucle.",
            en="Limits: one patrol a day, no deterrence, no displacement, no forgetting. What patrol time shows in the "
            "control comes from tie-breaking, not from the loop.",
        ),
    )


def draw_heat(facts: Facts, lang: Lang) -> Drawing | None:
    """Heat map rule × share reported, one panel per city, with the numbers; the verdicts are in the map after it."""
    if _base(facts) is None:
        return None
    worlds = list(
        dict.fromkeys(
            (r["world"]["zones"], r["world"]["rates"], r["world"]["arrivals"])
            for r in facts.rows("E02", "recorded_off_20")
        )
    )[:3]
    rhos = sorted({r["world"]["rho"] for r in facts.rows("E02", "recorded_off_20")})
    figure, axes = canvas(height=0.62 + 0.3 * len(RULES), ncols=len(worlds), sharey=True, squeeze=False)
    for ax, (zones, rates, arrivals) in zip(axes[0], worlds, strict=True):
        grid = np.full((len(RULES), len(rhos)), np.nan)
        for i, rule in enumerate(RULES):
            for j, rho in enumerate(rhos):
                row = facts.one(
                    "E02", "recorded_off_20", zones=zones, rates=rates, arrivals=arrivals, rule=rule, rho=rho
                )
                if row is None or row["value"] is None:
                    continue
                grid[i, j] = row["value"]
                color = "white" if row["value"] > 0.55 else INK
                size = 5.6 if len(rhos) * len(worlds) <= 30 else 4.2
                ax.text(j, i, f"{round(100 * row['value'])}", ha="center", va="center", fontsize=size, color=color,
                        in_layout=False)  # fmt: skip
        ax.imshow(grid, cmap="Greys", vmin=0, vmax=1.25, aspect="auto")
        shown = [k for k, r in enumerate(rhos) if len(rhos) <= 10 or round(100 * r) % 20 == 0]
        ax.set_xticks(shown, [f"{round(100 * rhos[k])}" for k in shown], fontsize=6)
        rate, law = value_name("rates", rates, lang), value_name("arrivals", arrivals, lang)
        title = f"{zones} zones, taux {rate}, {law}" if lang == "fr" else f"{zones} zones, {rate} rates, {law}"
        ax.set_title(typeset(title, lang), fontsize=6.6)
        label(ax, Text(fr="part signalée ρ (%)", en="share reported ρ (%)"), lang, which="x")
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
    axes[0][0].set_yticks(range(len(RULES)), [value_name("rule", r, lang) for r in RULES], fontsize=7)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Grille de la règle d’affectation par la part signalée, pour trois villes : pourcentage de villes à "
            "plus de 20 points de la vérité. Toutes les valeurs sont dans l’annexe des résultats.",
            en="Grid of allocation rule by share reported, for three cities: percentage of cities more than 20 points "
            "off the truth. All values are in the annex of results.",
        ),
        caption=Text(
            fr="Villes (%) dont la part enregistrée s’écarte de la vérité de plus de 20 points, règle par règle. Les "
            "nombres et leurs intervalles sont dans l’annexe ; n : villes simulées, par case "
            f"{count(facts.rows('E02', 'recorded_off_20')[0]['n'], lang)}.",
            en="Cities (%) whose recorded share is more than 20 points off the truth, rule by rule. The numbers and "
            "their intervals are in the annex; n: simulated cities, per square "
            f"{count(facts.rows('E02', 'recorded_off_20')[0]['n'], lang)}.",
        ),
        limits=Text(
            fr="Limites : la carte dit dans quels mondes la boucle emporte l’affectation, non dans lequel vit une "
            "ville.",
            en="Limits: the map says in which worlds the loop carries allocation away, not which one a city lives in.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts of C02, and of M30 in its mirror: rule × share reported, and number of zones."""
    claim = next((c for c in facts.judged("E02") if facts.claim(c).side == "critic"), None)
    rows, claims = flip_rows(facts, "E02", claim=claim)
    rhos = {r["world"]["rho"] for r in rows}
    more_fr = more_en = ""
    if len(rhos) > len(_SHOWN):
        rows = [r for r in rows if r["world"]["rho"] in _SHOWN]
        more_fr = " Les autres parts signalées sont dans la carte en tableau."
        more_en = " The other shares reported are in the map that is a table."
    if len(rows) < 2:
        return None
    many = len({r["world"]["zones"] for r in rows}) > 1
    return draw_flip(
        rows, x="rho", y="zones" if many else "rule", facet=("rule", "arrivals") if many else "arrivals", lang=lang,
        claims=claims, seeds=Text(fr="villes simulées", en="simulated cities"),
        limits=Text(
            fr="Limites : mondes de même taux vrai, une patrouille par jour ; la carte dit dans quels mondes le "
            "verdict change, non lequel est celui d’une ville. Vingt points sont un écart plus rare quand les zones "
            f"sont nombreuses.{more_fr}",
            en="Limits: worlds of equal true rates, one patrol a day; the map says in which worlds the verdict "
            f"changes, not which one a city is. Twenty points is a rarer gap when zones are many.{more_en}",
        ),
    )  # fmt: skip


def draw_sobol(facts: Facts, lang: Lang) -> Drawing | None:
    """First-order and total Sobol indices of each unknown, largest first, with their intervals."""
    rows = [r for r in facts.rows("E02", "sobol_total") if r["value"] is not None]
    if not rows:
        return None
    rows = sorted(rows, key=lambda r: float(r["value"]))
    figure, axis = canvas(height=0.9 + 0.24 * len(rows))
    kinds = (
        ("sobol_total", 0.15, Text(fr="total (interactions comprises)", en="total (interactions included)")),
        ("sobol_first", -0.15, Text(fr="premier ordre (l’inconnue seule)", en="first order (the unknown alone)")),
    )
    for look, (measure, shift, name) in enumerate(kinds):
        color, marker, _ = LOOKS[look]
        for at, row in enumerate(rows):
            found = facts.one("E02", measure, factor=row["world"]["factor"])
            if found is None or found["value"] is None:
                continue
            axis.hlines(at + shift, found["low"], found["high"], color=color, lw=1.2)
            axis.plot([found["value"]], [at + shift], color=color, marker=marker, ls="", mfc="white" if look else color,
                      label=typeset(name.in_(lang), lang) if at == 0 else "")  # fmt: skip
    axis.axvline(0, color=RULE, lw=0.8, zorder=0)
    axis.set_yticks(range(len(rows)), [value_name("factor", r["world"]["factor"], lang) for r in rows], fontsize=7)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    percent_axis(axis.xaxis, lang)
    label(axis, Text(fr="part de la variance de l’écart ajouté par la boucle",
                     en="share of the variance of the gap added by the loop"), lang, which="x")  # fmt: skip
    figure.legend(loc="outside upper right", ncols=2)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points et intervalles : indices de Sobol du premier ordre et totaux de chaque inconnue d’un monde de "
            "la boucle, de la plus influente, en haut, à la moins influente. Les valeurs sont dans le tableau.",
            en="Points and intervals: first-order and total Sobol indices of each unknown of a world of the loop, the "
            "most influential on top. The values are in the table.",
        ),
        caption=Text(
            fr=f"Quelle inconnue décide : indices de Sobol, n = {n} points de base du plan, intervalle à 95 % par "
            "bootstrap. L’écart est celui de la part enregistrée à la vérité (zone la plus écartée), moins le même "
            "quand tout est signalé.",
            en=f"Which unknown decides: Sobol indices, n = {n} base points of the design, 95 % bootstrap interval. The "
            "gap is that of the recorded share to the truth (zone furthest off), minus the same when everything is "
            "reported.",
        ),
        limits=Text(
            fr="Limites : les plages sont un choix, écrit au tableau ; un indice dit combien une inconnue pèse, non "
            "dans quel sens.",
            en="Limits: the ranges are a choice, written in the table; an index says how much an unknown weighs, not "
            "in which direction.",
        ),
    )


def _base(facts: Facts) -> Row | None:
    """Keys of the plainest world: two equal zones, first law of arrivals."""
    rows = facts.rows("E02", "recorded_off_20", rates="equal")
    if not rows:
        return None
    first = min(rows, key=lambda r: (r["world"]["zones"], r["world"]["arrivals"]))["world"]
    return {k: first[k] for k in ("zones", "rates", "arrivals")}
