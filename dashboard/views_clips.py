"""One run of ``vsa detect`` to look at: its clips, its alerts, why one fired, and who carries them once scored. Pure.

What it cannot tell you: what a real camera would give. The clips are drawn, their truth is known, and that is why it
can be said on whom an alert fell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from contrechamp.audit.reporting import wording
from contrechamp.audit.reporting.wording import NBSP, typeset
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.text import Lang, Text
from contrechamp.domain.video import SITUATION, T_S, TRACK_ID
from contrechamp.pipelines.vsa_score import MACHINE, PRESET, REFERENCES, RUNG, RUNG_TITLES
from dashboard.views import GRID_INK, RULE_INK, dress
from dashboard.views_dots import Panel, Row, Series, as_row, situation_names
from dashboard.views_video import number, preset_name
from fairness.intervals import rate_interval
from vsa.rules import RULES, describe

_STATES: Final[Mapping[str, tuple[Text, str, str]]] = {
    "OUT": (Text(fr="hors de la condition", en="condition not met"), "#9aa3a9", "circle-open"),
    "CANDIDATE": (Text(fr="entrée à confirmer", en="entry to be confirmed"), "#E69F00", "triangle-up-open"),
    "IN": (Text(fr="condition remplie, le compteur court", en="condition met, the clock runs"), "#0072B2", "circle"),
    "ALERTED": (Text(fr="alerte", en="alert"), "#D55E00", "star"),
    "COOLDOWN": (Text(fr="repos après une alerte", en="rest after an alert"), "#5b6770", "square-open"),
    "LOST": (Text(fr="perdue de vue", en="out of sight"), "#7a2e8e", "x-thin-open"),
}
_NOBODY: Final[Mapping[str, Text]] = {
    "nobody": Text(fr="Elle n’est tombée sur aucune personne de la scène.", en="It fell on no person of the scene."),
    "everybody": Text(fr="Elle vise tous ceux qui étaient là.", en="It is about everybody who was there."),
    "object": Text(fr="Elle vise un objet, que personne n’a posé.", en="It is about an object that nobody put down."),
}
_UNITS: Final[Mapping[str, Text]] = {
    "s": Text(fr="s", en="s"), "m/s": Text(fr="m/s", en="m/s"), "deg": Text(fr="°", en="°"),
    "persons/m2": Text(fr="personnes par m²", en="persons per m²"),
}  # fmt: skip


def clips_table(cameras: pd.DataFrame, alerts: pd.DataFrame, *, lang: Lang) -> pd.DataFrame:
    """Clips of a run: place, light, length, alerts, and the reason where one could not be watched."""
    head = {
        "fr": ("clip", "lieu", "lumière", "durée", "alertes", "état"),
        "en": ("clip", "place", "light", "length", "alerts", "state"),
    }[lang]
    count = alerts.groupby("clip_id").size()
    rows = []
    for one in cameras.to_dict("records"):
        done = one["status"] == "done"
        length = _seconds(one["duration_s"], lang) if one["duration_s"] > 0 else "–"
        state = {"fr": "vu", "en": "watched"}[lang] if done else one["reason"]
        told = wording.count(int(count.get(one["clip_id"], 0)), lang) if done else "–"
        rows.append((one["clip_id"], _word(one["place"], lang), _word(one["light"], lang), length, told, state))
    return pd.DataFrame(rows, columns=list(head))


_WORDS: Final[Mapping[str, Text]] = {
    "plaza": Text(fr="place", en="plaza"), "hall": Text(fr="hall", en="hall"),
    "corner": Text(fr="coin de rue", en="street corner"), "school": Text(fr="école", en="school"),
    "market": Text(fr="marché", en="market"), "day": Text(fr="jour", en="day"),
    "dusk": Text(fr="crépuscule", en="dusk"), "night": Text(fr="nuit", en="night"),
    "glare": Text(fr="contre-jour", en="glare"),
}  # fmt: skip


def _word(key: Any, lang: Lang) -> str:
    return _WORDS[key].in_(lang) if key in _WORDS else str(key)


def with_situations(alerts: pd.DataFrame, judged: pd.DataFrame | None) -> pd.DataFrame:
    """Alerts with the situation of whom each fell on, whether the rule's condition was met, and harm.

    Three columns more: ``situation`` (empty when nobody scored), ``rule_true``, ``harm``.
    """
    if judged is None:
        return alerts.assign(situation="", rule_true=False, harm=False)
    told = judged.rename(columns={"scene": "clip_id"})[["clip_id", "alert_id", SITUATION, "rule_true", "harm"]]
    out = alerts.merge(told, on=["clip_id", "alert_id"], how="left")
    return out.assign(
        situation=out[SITUATION].astype(object).fillna("").astype("str"), rule_true=out["rule_true"].eq(True),
        harm=out["harm"].eq(True),
    )  # fmt: skip


def on_whom(situation: str, lang: Lang) -> str:
    """Whom an alert fell on, in words; a dash when no score says it."""
    known = {"nobody": Text(fr="aucune personne", en="nobody"), "everybody": Text(fr="tout le monde", en="everybody"),
             "object": Text(fr="un objet", en="an object")}  # fmt: skip
    if situation in SITUATIONS:
        return SITUATIONS[situation].label.in_(lang)
    return known[situation].in_(lang) if situation in known else situation or "–"


def alerts_table(alerts: pd.DataFrame, *, lang: Lang) -> pd.DataFrame:
    """Alerts of one clip (from :func:`with_situations`), a row each, as text."""
    head = {
        "fr": ("n°", "à", "sur qui", "définition", "compté", "seuil", "zone", "piste"),
        "en": ("no.", "at", "on whom", "definition", "counted", "threshold", "zone", "track"),
    }[lang]
    rows = []
    for a in alerts.to_dict("records"):
        unit = str(a["unit"])
        counted, threshold = (_quantity(a[c], unit, lang) for c in ("value", "threshold"))
        track = str(a[TRACK_ID]) if a[TRACK_ID] >= 0 else "–"
        rows.append(
            (int(a["alert_id"]), _seconds(a["t_alert_s"], lang), on_whom(str(a[SITUATION]), lang), definition(a, lang),
             counted, threshold, str(a["zone"]) or "–", track)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(head))


def definition(alert: Mapping[Any, Any], lang: Lang) -> str:
    """Name of the preset of an alert, or of its rule where it bears none."""
    preset = str(alert[PRESET])
    return preset_name(preset, lang) if preset else rule_name(str(alert["rule"]), lang)


def rule_name(key: str, lang: Lang) -> str:
    """Name of a rule."""
    for row in describe() if key in RULES else ():
        if row["kind"] == "rule" and row["key"] == key:
            return typeset(row["label"][lang], lang)
    return key


def alert_name(alert: Mapping[Any, Any], lang: Lang) -> str:
    """One alert in a list: number, time, definition, on whom."""
    who = on_whom(str(alert[SITUATION]), lang)
    said = f"{alert['alert_id']} · {_seconds(alert['t_alert_s'], lang)} · {definition(alert, lang)}"
    return f"{said} · {who}" if who != "–" else said


def why(alert: Mapping[Any, Any], *, lang: Lang) -> str:
    """Why an alert fired, in a sentence; and on whom, when a score says it.

    Parameters
    ----------
    alert : mapping
        A row of :func:`with_situations`.
    """
    unit = str(alert["unit"])
    at, since = (_seconds(alert[c], lang) for c in ("t_alert_s", "t_since_s"))
    zone = str(alert["zone"])
    where = (
        Text(fr="dans « {zone} »", en="in “{zone}”") if zone else Text(fr="dans l’image", en="in the picture")
    ).in_(lang)
    if unit == "direction":
        said = Text(fr="À {at}, la piste {track} a franchi « {zone} » dans le sens {way} ({name}).",
                    en="At {at}, track {track} crossed “{zone}” in the {way} direction ({name}).")  # fmt: skip
    elif unit == "s":
        said = Text(
            fr="À {at}, le compteur de la règle ({name}), parti à {since} {where}, a atteint {value} ; le seuil est "
            "{threshold}.",
            en="At {at}, the clock of the rule ({name}), started at {since} {where}, reached {value}; the threshold is "
            "{threshold}.",
        )
    else:
        said = Text(
            fr="À {at}, ce que la règle mesure {where} ({name}), depuis {since}, valait {value} ; le seuil est "
            "{threshold}.",
            en="At {at}, what the rule measures {where} ({name}), since {since}, was {value}; the threshold is "
            "{threshold}.",
        )
    way = {"fr": ("positif", "négatif"), "en": ("positive", "negative")}[lang][int(float(alert["value"]) < 0)]
    text = typeset(said.in_(lang), lang).format(
        at=at, since=since, name=definition(alert, lang), zone=zone, way=way,
        where=typeset(where, lang).format(zone=zone), track=alert[TRACK_ID],
        value=_quantity(alert["value"], unit, lang), threshold=_quantity(alert["threshold"], unit, lang),
    )  # fmt: skip
    return f"{text} {_fell(alert, lang)}".strip()


def _fell(alert: Mapping[Any, Any], lang: Lang) -> str:
    situation = str(alert[SITUATION])
    if not situation:
        return ""
    if situation not in SITUATIONS:
        said = _NOBODY.get(situation, _NOBODY["nobody"])
    elif alert["rule_true"]:
        said = Text(
            fr="Elle est tombée sur quelqu’un dans la situation « {who} » : la règle a fait ce qu’on lui demandait, et "
            "cette personne ne faisait aucun tort.",
            en="It fell on someone in the situation “{who}”: the rule did what it was asked, and that person was doing "
            "no harm.",
        )
        if alert["harm"]:
            said = Text(fr="Elle est tombée sur une cible du scénario, dans la situation « {who} ».",
                        en="It fell on a target of the scenario, in the situation “{who}”.")  # fmt: skip
    elif str(alert["rule"]) in REFERENCES:
        said = Text(
            fr="Elle est tombée sur quelqu’un dans la situation « {who} » qui, d’après la vérité de la scène, ne "
            "remplissait pas la condition cherchée.",
            en="It fell on someone in the situation “{who}” who, by the truth of the scene, did not meet the condition "
            "sought.",
        )
    else:  # the truth states no such condition: nothing to hold the alert against
        said = Text(fr="Elle est tombée sur quelqu’un dans la situation « {who} ».",
                    en="It fell on someone in the situation “{who}”.")  # fmt: skip
    return typeset(said.in_(lang), lang).format(who=on_whom(situation, lang))


def trace_figure(trace: pd.DataFrame, alert: Mapping[Any, Any], *, lang: Lang) -> go.Figure:
    """The rule's own clock, frame by frame, until it fired; a mark a state."""
    figure = go.Figure()
    figure.add_scatter(x=trace[T_S], y=trace["clock_s"], mode="lines", line={"color": GRID_INK, "width": 2},
                       hoverinfo="skip", showlegend=False)  # fmt: skip
    for state, (name, colour, symbol) in _STATES.items():
        part = trace[trace["state"] == state]
        if len(part):
            figure.add_scatter(
                x=part[T_S], y=part["clock_s"], mode="markers", name=typeset(name.in_(lang), lang),
                marker={"color": colour, "symbol": symbol, "size": 13 if state == "ALERTED" else 6,
                        "line": {"color": colour, "width": 1.5}},
                hovertemplate="%{x:.1f} s : %{y:.1f} s<extra>" + name.in_(lang) + "</extra>",
            )  # fmt: skip
    dress(figure, lang=lang, height=270)
    if str(alert["unit"]) == "s":
        figure.add_hline(
            float(alert["threshold"]), line={"color": RULE_INK, "width": 1.5, "dash": "dash"},
            annotation={"text": {"fr": "seuil", "en": "threshold"}[lang], "font": {"size": 12, "color": RULE_INK}},
            annotation_position="top left",
        )  # fmt: skip
    words = {"fr": ("temps de la vidéo", "compteur de la règle"), "en": ("time of the video", "the rule’s clock")}[lang]
    figure.update_xaxes(title={"text": words[0]}, ticksuffix=f"{NBSP}s")
    figure.update_yaxes(title={"text": words[1]}, ticksuffix=f"{NBSP}s", rangemode="tozero")
    figure.update_layout(showlegend=True, margin={"t": 20}, legend={"y": -0.3, "itemsizing": "constant"})
    return figure


def states_of(trace: pd.DataFrame, *, lang: Lang) -> pd.DataFrame:
    """The trace as a table of spells: state, from when to when, the clock at the end of each."""
    head = {"fr": ("état", "de", "à", "compteur à la fin"), "en": ("state", "from", "to", "clock at the end")}[lang]
    if trace.empty:
        return pd.DataFrame(columns=list(head))
    spell = (trace["state"] != trace["state"].shift()).cumsum()
    rows = []
    for _, part in trace.groupby(spell, sort=True):
        state = str(part["state"].iloc[0])
        named = _STATES[state][0].in_(lang) if state in _STATES else state
        numbers = (part[T_S].iloc[0], part[T_S].iloc[-1], part["clock_s"].iloc[-1])
        rows.append((typeset(named, lang), *(_seconds(v, lang) for v in numbers)))
    return pd.DataFrame(rows, columns=list(head))


def presets_with_alerts(burden_table: pd.DataFrame, presets: Sequence[str]) -> list[str]:
    """Presets of a run that are scored, those with alerts first, else in the order of the plan."""
    count = burden_table.groupby(PRESET)["alerts"].sum()
    known = [p for p in presets if p in count.index]
    return sorted(known, key=lambda p: (count[p] == 0, known.index(p)))


def scored_panels(burden_table: pd.DataFrame, *, preset: str, lang: Lang) -> tuple[dict[str, str], list[Panel]]:
    """Burden of one preset by situation: per stay and per hour on each rung, by number for the machine.

    Rates are of alerts on people who did no harm.
    """
    part = burden_table[(burden_table[PRESET] == preset) & (burden_table["stays"] > 0)]
    rungs = [r for r in RUNG_TITLES if (part[RUNG] == r).any()]
    last = part[part[RUNG] == (rungs[-1] if rungs else MACHINE)]
    order = last.sort_values(["alerts", "person_h"], ascending=False, kind="stable")[SITUATION].astype(str).tolist()
    looks = {rung: look for look, rung in enumerate(("machine", "oracle-tracks", "oracle-boxes"))}

    def numbers(rows: pd.DataFrame, name: str, unit: str, n: str, method: str) -> dict[str, Row]:
        return {
            str(r[SITUATION]): _bounded(r[name], r[f"{name}_low"], r[f"{name}_high"], unit, r[n], method)
            for r in rows.to_dict("records")
        }

    def by_rung(name: str, unit: str, n: str, method: str) -> list[Series]:
        return [
            Series(f"{i}. {RUNG_TITLES[rung].in_(lang)}", looks[rung],
                   numbers(part[part[RUNG] == rung], name, unit, n, method))
            for i, rung in enumerate(rungs, 1)
        ]  # fmt: skip

    total = int(last["alerts"].sum())
    shares = {
        str(r[SITUATION]): as_row(rate_interval(events=int(r["alerts"]), trials=total), "share")
        for r in last.to_dict("records")
    }
    hours = {str(r[SITUATION]): _point(r["share_of_person_h"], r["person_h"]) for r in last.to_dict("records")}
    heads = {"fr": ("Par séjour", "Par heure de présence", "Par le nombre"),
             "en": ("Per stay", "Per hour of presence", "By number")}[lang]  # fmt: skip
    axes = (
        Text(fr="séjours avec au moins une alerte", en="stays with at least one alert"),
        Text(fr="alertes à tort par heure de présence", en="wrong alerts per hour of presence"),
        Text(fr="part du total, dernier échelon", en="share of the total, last rung"),
    )
    names = {"fr": ("part des alertes à tort", "part des heures de présence"),
             "en": ("share of wrong alerts", "share of hours of presence")}[lang]  # fmt: skip
    counted = (Series(names[0], 4, shares), Series(names[1], 3, hours))
    return situation_names(order, lang), [
        Panel(heads[0], axes[0].in_(lang), "share", by_rung("p_flagged", "share", "stays", "clopper-pearson")),
        Panel(heads[1], axes[1].in_(lang), "ratio", by_rung("rate", "ratio", "alerts", "poisson-exact")),
        Panel(heads[2], axes[2].in_(lang), "share", counted),
    ]


def _bounded(value: Any, low: Any, high: Any, unit: str, n: Any, method: str) -> Row:
    told = [None if not np.isfinite(v) else float(v) for v in (value, low, high)]
    if None in told:
        told = [None, None, None]
    return {"value": told[0], "low": told[1], "high": told[2], "n": round(float(n)) if np.isfinite(n) else 0,
            "unit": unit, "method": method, "level": 0.95}  # fmt: skip


def _point(share: float, hours: float) -> Row:
    """A share of time: counted, not drawn, so it has no interval."""
    known = float(share) if np.isfinite(share) else None
    return {"value": known, "low": known, "high": known, "n": 1, "unit": "share", "method": "arithmetic", "level": 1.0}


def subtitles(alerts: pd.DataFrame, *, lang: Lang, hold_s: float = 2.0) -> str:
    """The alerts of a clip as WebVTT: who reads the video hears or reads what flashes on it."""
    word = {"fr": "Alerte", "en": "Alert"}[lang]
    lines = ["WEBVTT", ""]
    for t, part in alerts.groupby("t_alert_s", sort=True):
        begun = float(str(t))
        told = part.to_dict("records")
        said = "; ".join(f"{word} {a['alert_id']}, {_of_whom(a, lang)}" for a in told)
        lines += [f"{_stamp(begun)} --> {_stamp(begun + hold_s)}", said.replace("-->", "").replace("<", ""), ""]
    return "\n".join(lines)


def _of_whom(alert: Mapping[Any, Any], lang: Lang) -> str:
    """On whom an alert fell; what raised it where no score says it."""
    return on_whom(str(alert[SITUATION]), lang) if alert[SITUATION] else definition(alert, lang)


def _stamp(t_s: float) -> str:
    whole = round(max(t_s, 0.0) * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}.{whole % 1000:03d}"


def _seconds(value: Any, lang: Lang) -> str:
    return f"{number(round(float(value), 1), lang)}{NBSP}s"


def _quantity(value: Any, unit: str, lang: Lang) -> str:
    if unit == "direction":
        return "+" if float(value) > 0 else "−" if float(value) < 0 else "–"
    shown = number(round(float(value), 2), lang)
    named = _UNITS[unit].in_(lang) if unit in _UNITS else unit
    return f"{shown}{'' if named == '°' else NBSP}{named}"
