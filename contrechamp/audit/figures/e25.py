"""E25: when the trend in counts is that of the service."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text
from contrechamp.experiments.e25_counts_by_effort import ESTIMATORS


def draw_signs(facts: Facts, lang: Lang) -> Drawing | None:
    """Share of districts whose counted trend has the right sign, against the movement of effort."""
    rows = facts.rows("E25", "sign_agreement")
    if not rows:
        return None
    most = max(float(r["world"]["per_week"]) for r in rows)
    ways = sorted({float(r["world"]["steering"]) for r in rows})
    still = [r for r in rows if r["world"]["effort_trend_sd"] == 0 and r["world"]["per_week"] == most]
    figure, axes = canvas(height=2.4, ncols=len(ways), sharey=True, squeeze=False)
    colon = "\u202f: " if lang == "fr" else ": "
    for index, (axis, way) in enumerate(zip(axes.flat, ways, strict=True)):
        for look, estimator in enumerate(ESTIMATORS):
            found = [r for r in rows if r["world"]["steering"] == way and r["world"]["per_week"] == most]
            found += [r for r in still if r["world"]["steering"] != way]
            found = [r for r in found if r["world"]["estimator"] == estimator]
            found = sorted(found, key=lambda r: float(r["world"]["effort_trend_sd"]))
            name = value_name("estimator", estimator, lang) if index == 0 else ""
            curve(axis, [r["world"]["effort_trend_sd"] for r in found], found, look=look, name=name)
        for at in (0.9, 0.7):
            threshold_line(axis, at, "")
        axis.set_title(f"{key_name('steering', lang)}{colon}{value_name('steering', way, lang)}", fontsize=7.5)
        axis.set_ylim(0.3, 1.02)
        number_axis(axis.xaxis, lang)
        percent_axis(axis.yaxis, lang)
        label(axis, Text(fr="mouvement de l’effort (par an)", en="movement of effort (per year)"), lang, which="x")
    label(axes.flat[0], Text(fr="quartiers au bon signe", en="districts with the right sign"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    volume = {one: value_name("per_week", most, one) for one in ("fr", "en")}
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : part des quartiers dont la tendance comptée a le bon signe, selon le mouvement de l’effort, "
            "par lecture des comptages, quand l’effort va où cela monte, n’importe où, ou ailleurs.",
            en="Curves: share of districts whose counted trend has the right sign, against the movement of effort, by "
            "reading of the counts, when effort goes where things rise, anywhere, or elsewhere.",
        ),
        caption=Text(
            fr=f"Signes justes ; {volume['fr']} présents par quartier et par semaine. n = {n} quartiers par point, "
            "intervalle à 95 % qui tient compte des villes. Pointillés : 90 % (étayée) et 70 % (réfutée).",
            en=f"Right signs; {volume['en']} present per district and week. n = {n} districts per point, 95 % interval "
            "that allows for cities. Dotted: 90 % (supported) and 70 % (refuted).",
        ),
        limits=Text(
            fr="Limites : tous les quartiers montent ou descendent de la même pente ; les heures de service des villes "
            "ne sont pas publiées.",
            en="Limits: every district rises or falls by the same slope; the hours on duty of cities are not "
            "published.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E25", x="effort_trend_sd", y="steering", facet="per_week", lang=lang,
        seeds=Text(fr="quartiers tirés", en="districts drawn"),
    )  # fmt: skip
