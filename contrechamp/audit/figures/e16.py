"""E16: what an alert on a sound is worth as offences become rarer."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text
from contrechamp.experiments.e16_abnormal_sounds import DETECTORS, READINGS


def draw_sounds(facts: Facts, lang: Lang) -> Drawing | None:
    """Share of right alerts against the frequency of offences, by street and reading, for the three detectors."""
    rows = facts.rows("E16", "precision", detector="trained")
    if not rows:
        return None
    reach = min(float(r["world"]["reach_m"]) for r in rows)
    streets = list(dict.fromkeys(r["world"]["ambience"] for r in rows))
    alike = sorted({float(r["world"]["alike_share"]) for r in rows})
    base = {"reach_m": reach, "alike_share": alike[len(alike) // 2]}
    figure, axes = canvas(height=3.6, ncols=len(streets), nrows=2, sharex=True, sharey=True, squeeze=False)
    for line, reading in enumerate(READINGS):
        for column, street in enumerate(streets):
            axis = axes[line][column]
            for look, detector in enumerate(DETECTORS):
                found = facts.rows("E16", "precision", detector=detector, reading=reading, ambience=street, **base)
                found = sorted(found, key=lambda r: float(r["world"]["offences_per_day"]))
                name = value_name("detector", detector, lang) if (line, column) == (0, 0) else ""
                curve(axis, [r["world"]["offences_per_day"] for r in found], found, look=look, name=name)
            for at in (0.3, 0.1):
                threshold_line(axis, at, "")
            axis.set_xscale("log")
            axis.set_ylim(-0.02, 1.02)
            number_axis(axis.xaxis, lang)
            percent_axis(axis.yaxis, lang)
            if line == 0:
                axis.set_title(value_name("ambience", street, lang), fontsize=7.5)
            else:
                label(axis, Text(fr="faits par capteur et jour", en="offences per sensor and day"), lang, which="x")
        what = Text(fr="un son visé", en="a sound sought") if reading == "sound" else Text(fr="un fait", en="an event")
        label(axes[line][0], Text(fr=f"juste : {what.fr}", en=f"right: {what.en}"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : part des alertes justes selon la fréquence des faits, par rue. En haut, juste veut dire un "
            "son visé ; en bas, un fait qui vaut un déplacement. Trois détecteurs : appris, niveau sonore, hasard.",
            en="Curves: share of right alerts against the frequency of offences, by street. Above, right means a sound "
            "sought; below, an event worth a dispatch. Three detectors: trained, loudness, at random.",
        ),
        caption=Text(
            fr=f"Alertes justes, n = {n} sons essayés à {reach:g} m au plus, intervalle à 95 % qui porte l’erreur sur "
            "chaque sorte de son. Pointillés : 30 % (étayée) et 10 % (réfutée).",
            en=f"Right alerts, n = {n} sounds tried at {reach:g} m at most, 95 % interval carrying the error on each "
            "kind of sound. Dotted: 30 % (supported) and 10 % (refuted).",
        ),
        limits=Text(
            fr="Limites : sons synthétisés, rythme des rues supposé ; essayé sur des sons de même facture que ceux "
            "appris.",
            en="Limits: synthesised sounds, assumed rhythm of streets; tried on sounds of the same making as those "
            "learnt.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E16", x="offences_per_day", y="alike_share", facet="ambience", lang=lang, claim="V07",
        seeds=Text(fr="sons essayés", en="sounds tried"),
    )  # fmt: skip
