"""Tables of E04: the danger note of events, its colours, and the clashes of the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Text

_KEYS = ("informativeness", "discovery_share", "note_formula")


def section(facts: Facts, voice: Voice) -> list[Block]:
    """What the note holds, what presence adds to it, what its colours announce, and how clashes are found."""
    rows = facts.rows("E04", "partial_corr")
    if not rows:
        return []
    first = min(float(r["world"]["incidents_per_event"]) for r in rows)
    base = {"incidents_per_event": first}
    told = sorted({r["world"]["informativeness"] for r in rows})
    found = sorted({r["world"]["discovery_share"] for r in rows})
    shown = {told[0], told[len(told) // 2], told[-1]}, {found[0], found[-1]}
    worlds = [
        w for w in distinct(rows, "note_formula", "informativeness", "discovery_share")
        if w["informativeness"] in shown[0] and w["discovery_share"] in shown[1]
    ]  # fmt: skip
    order = list(dict.fromkeys(r["world"]["note_formula"] for r in rows))
    worlds.sort(key=lambda w: (order.index(w["note_formula"]), w["informativeness"], w["discovery_share"]))

    def name(world: Mapping[str, Any]) -> str:
        return ", ".join(value_name(k, world[k], voice.lang) for k in reversed(_KEYS))

    columns = [
        Wide(Text(fr="Corrélation partielle", en="Partial correlation"), "partial_corr", base),
        Wide(Text(fr="Circularité, partout", en="Circularity, everywhere"), "circularity", base),
        Wide(Text(fr="Circularité, la moitié des lieux", en="Circularity, half of venues"), "circularity_half", base),
        Wide(Text(fr="Gain sur le modèle linéaire", en="Gain over the linear model"), "gain_over_linear", base),
        Wide(Text(fr="Gain sur le dernier comparable", en="Gain over the last comparable"), "gain_over_last", base),
    ]
    caption = Text(
        fr="E04 : ce que la note dit des incidents vrais à affluence, jour de semaine et mois donnés, et les points "
        "que la présence seule y ajoute. Formules de la note : hypothèses de notre part.",
        en="E04: what the note tells of true incidents given attendance, weekday and month, and the points that "
        "presence alone adds to it. Formulas of the note: our guess.",
    )
    head = Text(fr="Formule ; part trouvée par les agents ; information", en="Formula; share found by officers; "
                "information")  # fmt: skip
    notes = wide(facts, voice, "E04", caption=caption, head=head, rows=worlds, columns=columns, name=name, weight=2.6)

    middle = {**base, "informativeness": told[len(told) // 2], "discovery_share": found[len(found) // 2]}
    colours = [
        Wide(Text(fr="Jours verts", en="Green days"), "bad_days", {**middle, "colour": "green"}),
        Wide(Text(fr="Jours orange", en="Orange days"), "bad_days", {**middle, "colour": "orange"}),
        Wide(Text(fr="Jours rouges", en="Red days"), "bad_days", {**middle, "colour": "red"}),
        Wide(Text(fr="Brier du jour rouge", en="Brier of the red day"), "brier_red", middle),
        Wide(Text(fr="Brier d’une constante", en="Brier of a constant"), "brier_constant", middle),
    ]
    said = {
        lang: f"{value_name('informativeness', middle['informativeness'], lang)}, "
        f"{value_name('discovery_share', middle['discovery_share'], lang)}"
        for lang in ("fr", "en")
    }
    caption = Text(
        fr="E04 : part des jours vraiment mauvais (le dixième le plus chargé) parmi les jours de chaque couleur, et "
        f"score de Brier (0 : parfait), au milieu de la carte ({said['fr']}). Formules et seuils des couleurs : "
        "hypothèses de notre part.",
        en="E04: share of truly bad days (the tenth with most incidents) among the days of each colour, and Brier "
        f"score (0: perfect), in the middle of the map ({said['en']}). Formulas and thresholds of colours: our guess.",
    )
    by_colour = wide(facts, voice, "E04", caption=caption, head=Text(fr="Formule", en="Formula"),
                     rows=[{"note_formula": key} for key in order], columns=colours,
                     name=lambda x: value_name("note_formula", x["note_formula"], voice.lang))  # fmt: skip

    noises = distinct(facts.rows("E04", "clash_recall"), "share_entered", "time_noise_h", "position_noise_m")
    caption = Text(
        fr="E04 : conflits entre événements, et entre événements et travaux, trouvés par la même règle dans un "
        "calendrier saisi avec des erreurs. Distance et délai de la règle : hypothèses de notre part.",
        en="E04: clashes between events, and between events and road works, found by the same rule in a calendar "
        "entered with errors. Distance and margin of the rule: our guess.",
    )
    clash = wide(
        facts, voice, "E04", caption=caption,
        head=Text(fr="Événements saisis ; erreur d’heure ; erreur de lieu", en="Events entered; error of hour; error "
                  "of place"),
        rows=noises,
        columns=[
            Wide(Text(fr="Précision", en="Precision"), "clash_precision", {}),
            Wide(Text(fr="Rappel", en="Recall"), "clash_recall", {}),
        ],
        name=lambda x: f"{value_name('share_entered', x['share_entered'], voice.lang)}, "
        f"{value_name('time_noise_h', x['time_noise_h'], voice.lang)}\u00a0h, "
        f"{value_name('position_noise_m', x['position_noise_m'], voice.lang)}\u00a0m",
    )  # fmt: skip
    return present(notes, by_colour, clash)
