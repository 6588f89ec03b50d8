"""E02: the loop between patrols and records, over the whole curve of the share reported, and its map of worlds."""

from __future__ import annotations

from typing import Any

import numpy as np

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import (
    INK,
    canvas,
    curve,
    drawing,
    label,
    percent_axis,
    threshold_line,
)
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import MARKS, count, typeset
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.text import Lang, Text

RULES = ("top", "proportional", "fixed", "reported-only", "importance-weighted")
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


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Heat map rule × share reported, one panel per city, with the verdict wherever a claim is judged."""
    if _base(facts) is None:
        return None
    worlds = list(
        dict.fromkeys(
            (r["world"]["zones"], r["world"]["rates"], r["world"]["arrivals"])
            for r in facts.rows("E02", "recorded_off_20")
        )
    )[:3]
    rhos = sorted({r["world"]["rho"] for r in facts.rows("E02", "recorded_off_20")})
    claim, verdicts = _judged(facts)
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
                mark = verdicts.get(canonical_json(row["world"]), "")
                color = "white" if row["value"] > 0.55 else INK
                ax.text(j, i, f"{round(100 * row['value'])}" + (f"\n{MARKS[mark]}" if mark else ""), ha="center",
                        va="center", fontsize=5.6, linespacing=0.9, color=color, in_layout=False)  # fmt: skip
        ax.imshow(grid, cmap="Greys", vmin=0, vmax=1.25, aspect="auto")
        ax.set_xticks(range(len(rhos)), [f"{round(100 * r)}" for r in rhos], fontsize=6)
        rate, law = value_name("rates", rates, lang), value_name("arrivals", arrivals, lang)
        title = f"{zones} zones, taux {rate}, {law}" if lang == "fr" else f"{zones} zones, {rate} rates, {law}"
        ax.set_title(typeset(title, lang), fontsize=6.6)
        label(ax, Text(fr="part signalée ρ (%)", en="share reported ρ (%)"), lang, which="x")
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
    axes[0][0].set_yticks(range(len(RULES)), [value_name("rule", r, lang) for r in RULES], fontsize=7)
    legend = Text(
        fr=f" Signes : verdict de {claim} dans ce monde ({MARKS['supported']} étayée, {MARKS['refuted']} réfutée, "
        f"{MARKS['inconclusive']} indécise) ; sans signe : hors de la règle de décision.",
        en=f" Marks: verdict of {claim} in this world ({MARKS['supported']} supported, {MARKS['refuted']} refuted, "
        f"{MARKS['inconclusive']} inconclusive); no mark: outside the decision rule.",
    )
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Grille de la règle d’affectation par la part signalée, pour trois villes : pourcentage de villes à "
            "plus de 20 points de la vérité et verdict. Toutes les valeurs sont dans l’annexe des résultats.",
            en="Grid of allocation rule by share reported, for three cities: percentage of cities more than 20 points "
            "off the truth, and verdict. All values are in the annex of results.",
        ),
        caption=Text(
            fr="Où le verdict bascule. Nombres : villes (%) dont la part enregistrée s’écarte de la vérité de plus de "
            "20 points." + (legend.fr if claim else ""),
            en="Where the verdict flips. Numbers: cities (%) whose recorded share is more than 20 points off the truth."
            + (legend.en if claim else ""),
        ),
        limits=Text(
            fr="Limites : la carte dit dans quels mondes la boucle emporte l’affectation, non dans lequel vit une "
            "ville.",
            en="Limits: the map says in which worlds the loop carries allocation away, not which one a city lives in.",
        ),
    )


def _base(facts: Facts) -> Row | None:
    """Keys of the plainest world: two equal zones, first law of arrivals."""
    rows = facts.rows("E02", "recorded_off_20", rates="equal")
    if not rows:
        return None
    first = min(rows, key=lambda r: (r["world"]["zones"], r["world"]["arrivals"]))["world"]
    return {k: first[k] for k in ("zones", "rates", "arrivals")}


def _judged(facts: Facts) -> tuple[str, dict[str, Any]]:
    """Verdicts by world of a claim not made by promoters, or of the first claim judged on E02."""
    judged = facts.judged("E02")
    if not judged:
        return "", {}
    claim = next((c for c in judged if facts.claim(c).side != "promoter"), next(iter(judged)))
    return claim, {canonical_json(w["world"]): w["verdict"] for w in judged[claim]["worlds"]}
