"""E04: what a danger note holds, what presence adds to it, and the maps of worlds of the note and of the clashes."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.figures.titles import wrap_titles
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count, plain_number
from contrechamp.domain.text import Lang, Text

_CALENDARS = Text(fr="calendriers tirés", en="calendars drawn")


def draw_note(facts: Facts, lang: Lang) -> Drawing | None:
    """Partial correlation against information, above; note points that presence adds, below; a panel per formula."""
    rows = facts.rows("E04", "partial_corr")
    if not rows:
        return None
    busy = min(float(r["world"]["incidents_per_event"]) for r in rows)
    formulas = list(dict.fromkeys(r["world"]["note_formula"] for r in rows))
    shares = sorted({r["world"]["discovery_share"] for r in rows})
    told = sorted({r["world"]["informativeness"] for r in rows})
    middle = told[len(told) // 2]
    figure, axes = canvas(height=4.3, ncols=len(formulas), nrows=2, sharey="row", squeeze=False)
    for column, formula in enumerate(formulas):
        above, below = axes[0][column], axes[1][column]
        base = {"note_formula": formula, "incidents_per_event": busy}
        for look, share in enumerate(shares):
            line = sorted(facts.rows("E04", "partial_corr", **base, discovery_share=share),
                          key=lambda r: float(r["world"]["informativeness"]))  # fmt: skip
            name = Text(fr=f"{value_name('discovery_share', share, 'fr')} des faits trouvés par les agents",
                        en=f"{value_name('discovery_share', share, 'en')} of facts found by officers")  # fmt: skip
            curve(above, [r["world"]["informativeness"] for r in line], line, look=look,
                  name=name.in_(lang) if column == 0 else "")  # fmt: skip
        kinds = (
            ("circularity", Text(fr="agents doublés partout", en="officers doubled everywhere")),
            ("circularity_half", Text(fr="dans la moitié des lieux", en="at half of the venues")),
        )
        for look, (measure, words) in enumerate(kinds, start=3):
            line = sorted(facts.rows("E04", measure, **base, informativeness=middle),
                          key=lambda r: float(r["world"]["discovery_share"]))  # fmt: skip
            curve(below, [r["world"]["discovery_share"] for r in line], line, look=look,
                  name=words.in_(lang) if column == 0 else "")  # fmt: skip
        for axis, thresholds in ((above, (0.0, 0.1)), (below, (0.5, 1.0))):
            for at in thresholds:
                threshold_line(axis, at, "")
            percent_axis(axis.xaxis, lang)
            number_axis(axis.yaxis, lang)
        below.set_ylim(-0.1, 1.15)
        above.set_title(value_name("note_formula", formula, lang), fontsize=7)
        label(above, Text(fr="information au-delà de l’affluence", en="information beyond attendance"), lang, which="x")
        label(below, Text(fr="part des faits trouvée par les agents", en="share of facts found by officers"), lang,
              which="x")  # fmt: skip
    label(axes[0][0], Text(fr="corrélation partielle", en="partial correlation"), lang, which="y")
    label(axes[1][0], Text(fr="circularité (points de note)", en="circularity (note points)"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    crowd = plain_number(busy, lang)
    made = drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes par formule de la note : en haut, la corrélation de la note avec les incidents vrais croît "
            "avec ce que les caractéristiques disent au-delà de l’affluence ; en bas, les points de note que le "
            "doublement des agents ajoute quand rien ne change, selon la part des faits que les agents trouvent.",
            en="Curves by formula of the note: above, the correlation of the note with true incidents grows with what "
            "features tell beyond attendance; below, the note points that doubling officers adds when nothing changes, "
            "by share of facts that officers find.",
        ),
        caption=Text(
            fr="En haut : corrélation de rang de la note et des incidents vrais, à affluence, jour de semaine et mois "
            "donnés (pointillés : 0 et 0,1). En bas : points de note ajoutés par deux fois plus d’agents, incidents "
            f"inchangés (pointillés : 0,5 et 1). n = {n} calendriers par point, intervalle de Student à 95 % ; {crowd} "
            "incidents vrais par événement sans agents. Formules : hypothèses de notre part.",
            en="Above: rank correlation of the note with true incidents given attendance, weekday and month (dotted: 0 "
            "and 0.1). Below: note points added by twice as many officers, incidents unchanged (dotted: 0.5 and 1). "
            f"n = {n} calendars per point, 95 % Student interval; {crowd} true incidents per event without officers. "
            "Formulas: our guess.",
        ),
        limits=Text(
            fr="Limites : réplique d’après des phrases publiques, mondes inventés ; la part des faits que les agents "
            "trouvent à Marseille n’est pas connue.",
            en="Limits: a replica from public sentences, invented worlds; the share of facts that officers find in "
            "Marseille is not known.",
        ),
    )
    return wrap_titles(made, columns=len(formulas))


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts on the note."""
    made = draw_judged(facts, "E04", x="informativeness", y="discovery_share", facet="note_formula", lang=lang,
                       claim="M32", seeds=_CALENDARS)  # fmt: skip
    return wrap_titles(made, columns=3)


def draw_clashes(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts on clash detection."""
    if "M35" not in facts.judged("E04"):
        return None
    return draw_judged(facts, "E04", x="position_noise_m", y="time_noise_h", facet="share_entered", lang=lang,
                       claim="M35", seeds=Text(fr="conflits", en="clashes"))  # fmt: skip
