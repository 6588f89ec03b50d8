"""Who is flagged by a rule on time, as experiment E09 of a run found: burden, rungs, twins, shipped definitions. Pure.

Two readings stand side by side and neither is the other: by number (of all who are flagged, how many are in this
situation, beside its share of the time) and by rate (alerts per hour spent there).

What it cannot tell you: what happens in a street. Stays, places and persons are invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from contrechamp.audit.reporting import labels, wording
from contrechamp.audit.reporting.wording import NBSP, typeset
from contrechamp.domain.text import Lang, Text
from dashboard.views_dots import Panel, Row, Series, as_row, folded, situation_names
from fairness.intervals import poisson_rate_interval, rate_interval
from vsa.rules import PRESETS

E09: Final = "E09"
#: The readings of the burden, in the order of the columns: (measure, unit).
BURDEN: Final = (
    ("share_of_alerts", "share"), ("share_of_hours", "share"), ("alerts_per_person_hour", "ratio"),
    ("alerts_per_1000", "count"),
)  # fmt: skip
LADDER: Final = ("seen_share", "tracked_share", "flagged_share")
GAPS: Final = ("seen_gap", "tracked_gap", "flagged_gap")
_BASE: Final = "waiting"  #: whose steps every body takes
#: Rung of E09 → its number; detectors that look at the picture are on the third.
_NUMBERED: Final[Mapping[str, str]] = {"tracks": "1", "boxes": "2"}

_SAID: Final[Mapping[str, Text]] = {
    "share_of_alerts": Text(fr="part des signalés", en="share of those flagged"),
    "share_of_hours": Text(fr="part des heures de présence", en="share of hours of presence"),
    "alerts_per_person_hour": Text(fr="alertes par heure de présence", en="alerts per hour of presence"),
    "alerts_per_1000": Text(fr="signalés pour 1 000 passages", en="flagged per 1,000 passages"),
    "seen_share": Text(fr="images où elle est détectée", en="frames in which detected"),
    "tracked_share": Text(fr="séjour tenu par une seule piste", en="stay held by a single track"),
    "flagged_share": Text(fr="séjours signalés", en="stays flagged"),
}
_HEADS: Final[Mapping[str, Text]] = {
    "count": Text(fr="Par le nombre", en="By number"),
    "hour": Text(fr="Par heure de présence", en="Per hour of presence"),
    "passage": Text(fr="Par passage", en="Per passage"),
    "seen_gap": Text(fr="Détection", en="Detection"),
    "tracked_gap": Text(fr="Suivi", en="Tracking"),
    "flagged_gap": Text(fr="Signalement", en="Being flagged"),
}


def has_e09(results: Iterable[Row]) -> bool:
    """Whether the run played E09."""
    return any(r["experiment"] == E09 for r in results)


def select(results: Iterable[Row], measure: str, **world: Any) -> list[Row]:
    """Entries of E09 that bear a measure in worlds that agree with ``world``."""
    return [
        r for r in results
        if r["experiment"] == E09 and r["measure"] == measure
        and all(k in r["world"] and r["world"][k] == v for k, v in world.items())
    ]  # fmt: skip


def places(results: Iterable[Row]) -> list[str]:
    """Places for which the burden was measured."""
    return list(dict.fromkeys(str(r["world"]["place"]) for r in select(results, "share_of_alerts", rule="static")))


def claim_threshold(results: Iterable[Row]) -> float:
    """The T of the claim: the one at which the run told each situation; 0 when it told none."""
    return max((float(r["world"].get("T_s", 0.0)) for r in select(results, "share_of_alerts")), default=0.0)


def thresholds(results: Sequence[Row], roles: pd.DataFrame | None) -> list[float]:
    """Every T for which the burden can be shown."""
    told = {claim_threshold(results)} - {0.0}
    counted = set() if roles is None else set(roles.loc[roles["law"] == "stated", "T_s"])
    return sorted({float(t) for t in told | counted})


def burden(
    results: Sequence[Row], roles: pd.DataFrame | None, *, place: str, rule: str, threshold_s: float
) -> dict[str, dict[str, Row]]:
    """Readings of the burden at a threshold: measure → situation → number.

    Parameters
    ----------
    results : sequence of mapping
        Entries of ``results.json``.
    roles : DataFrame or None
        Counts of E09 (``e09_roles``), for thresholds and rules that the run did not tell situation by situation.
    place, rule : str
    threshold_s : float

    Returns
    -------
    dict
        Where the run has the number it is that one, with its id. Elsewhere it is made from the counts, one alert a
        person: Clopper–Pearson for shares, exact Poisson per hour. Shares of hours depend on no threshold.
    """
    out: dict[str, dict[str, Row]] = {measure: {} for measure, _ in BURDEN}
    if roles is not None:
        kept = roles[
            (roles["place"] == place) & (roles["law"] == "stated") & (roles["rule"] == rule) & ~roles["repeat"]
            & (roles["T_s"] == threshold_s) & (roles["persons"] > 0)
        ]  # fmt: skip
        total = int(kept["flagged"].sum())
        for one in kept.to_dict("records"):
            flagged, persons, role = int(one["flagged"]), int(one["persons"]), str(one["role"])
            share = rate_interval(events=flagged, trials=persons)
            hourly = poisson_rate_interval(events=flagged, exposure=float(one["hours"]))
            out["alerts_per_1000"][role] = as_row(share, "count", times=1000.0)
            out["alerts_per_person_hour"][role] = as_row(hourly, "ratio")
            out["share_of_alerts"][role] = as_row(rate_interval(events=flagged, trials=total), "share")
    for measure, _ in BURDEN:
        world: dict[str, Any] = {"place": place}
        if measure != "share_of_hours":
            world |= {"rule": rule, "T_s": threshold_s}
        for r in select(results, measure, **world):
            out[measure][str(r["world"].get("role", ""))] = r
    return out


def burden_panels(numbers: Mapping[str, Mapping[str, Row]], *, lang: Lang) -> tuple[dict[str, str], list[Panel]]:
    """Rows and panels of the burden: by number, per hour, per passage; most flagged first."""
    first = numbers["share_of_alerts"]
    order = sorted(first, key=lambda k: (-float(first[k]["value"] or 0.0), k))

    def series(measure: str, look: int) -> Series:
        return Series(typeset(_SAID[measure].in_(lang), lang), look, numbers[measure])

    def panel(head: str, measure: str, unit: str, *all_series: Series) -> Panel:
        return Panel(_HEADS[head].in_(lang), _SAID[measure].in_(lang), unit, all_series)

    both = Text(fr="part du total", en="share of the total")
    return situation_names(order, lang), [
        Panel(
            _HEADS["count"].in_(lang), both.in_(lang), "share",
            (series("share_of_alerts", 0), series("share_of_hours", 1)),
        ),
        panel("hour", "alerts_per_person_hour", "ratio", series("alerts_per_person_hour", 2)),
        panel("passage", "alerts_per_1000", "count", series("alerts_per_1000", 4)),
    ]  # fmt: skip


#: Readings of people sleeping rough against the others: name, measure, world beyond place, rule and T.
_AGAINST: Final[tuple[tuple[Text, str, Mapping[str, Any]], ...]] = (
    (Text(fr="Part des alertes à tort qui tombe sur eux", en="Share of wrong alerts that falls on them"),
     "alerts_share_longest", {"law": "stated", "repeat": False}),
    (Text(fr="Leur part des heures de présence", en="Their share of hours of presence"),
     "hours_share_longest", {"law": "stated", "repeat": False}),
    (Text(fr="Par heure de présence, une alerte par séjour", en="Per hour of presence, one alert a stay"),
     "hourly_ratio", {"law": "stated", "repeat": False}),
    (Text(fr="Par heure de présence, alerte relancée", en="Per hour of presence, alert raised again"),
     "hourly_ratio", {"law": "stated", "repeat": True}),
    (Text(fr="Par passage", en="Per passage"), "passage_ratio", {"law": "stated", "repeat": False}),
    (Text(fr="Témoin : tout le monde reste aussi longtemps, par heure",
          en="Control: everybody stays as long, per hour"), "hourly_ratio", {"law": "equal", "repeat": False}),
    (Text(fr="Part des alertes sur une conduite licite et courante", en="Share of alerts on lawful, common behaviour"),
     "lawful_common", {"law": "stated", "repeat": False}),
)  # fmt: skip


def against_table(results: Sequence[Row], *, place: str, rule: str, threshold_s: float, lang: Lang) -> pd.DataFrame:
    """People sleeping rough over the others, in every reading of the run at this T; a row a reading.

    ``estimate, interval, n, method, id``, as text; ratios bear a multiplication sign.
    """
    rows = []
    for name, measure, world in _AGAINST:
        found = select(results, measure, place=place, rule=rule, T_s=threshold_s, **world)
        for r in found[:1]:
            ratio = r["unit"] == "ratio" and r["value"] is not None
            rows.append(
                {
                    "reading": typeset(name.in_(lang), lang),
                    "estimate": f"{'×' + NBSP if ratio else ''}{wording.value(r, lang)}",
                    "interval": wording.interval(r, lang),
                    "n": wording.count(r["n"], lang),
                    "method": wording.method(r, lang),
                    "id": str(r["id"]),
                }
            )
    return pd.DataFrame(rows, columns=["reading", "estimate", "interval", "n", "method", "id"])


def _in_order(rungs: Iterable[str]) -> list[str]:
    """Rungs from the first to the third; those of one rung in the order of the run."""
    return sorted(rungs, key=lambda key: _NUMBERED.get(key, "3"))


def rung_name(key: str, lang: Lang) -> str:
    """Name of a rung of E09, with its number on the ladder."""
    return f"{_NUMBERED.get(key, '3')}. {labels.value_name('rung', key, lang)}"


def ladder_panels(results: Sequence[Row], *, lang: Lang) -> tuple[dict[str, str], list[Panel]]:
    """A panel a rung, side by side: detected, followed, flagged, by the body that is shown."""
    told = {m: select(results, m) for m in LADDER}
    rungs = list(dict.fromkeys(str(r["world"]["rung"]) for r in told["flagged_share"]))
    bodies = sorted(dict.fromkeys(str(r["world"]["body"]) for r in told["flagged_share"]), key=lambda b: b != _BASE)
    panels = []
    for rung in _in_order(rungs):
        series = [
            Series(
                typeset(_SAID[m].in_(lang), lang), look,
                {str(r["world"]["body"]): r for r in told[m] if r["world"]["rung"] == rung},
            )
            for look, m in ((1, "seen_share"), (2, "tracked_share"), (0, "flagged_share"))
        ]  # fmt: skip
        panels.append(Panel("<br>".join(folded(rung_name(rung, lang), 26)), "", "share", series))
    return situation_names(bodies, lang), panels


def gap_panels(results: Sequence[Row], *, lang: Lang) -> tuple[dict[str, str], list[Panel]]:
    """Twins: same steps, place and light, another body; a panel a measure, a series a rung.

    The first rung is left out where nothing can differ on it: a perfect machine sees every body.
    """
    told = {m: [r for r in select(results, m) if r["world"]["rung"] != "tracks"] for m in GAPS}
    rungs = _in_order(dict.fromkeys(str(r["world"]["rung"]) for r in told["seen_gap"]))
    bodies = list(dict.fromkeys(str(r["world"]["body"]) for r in told["seen_gap"]))
    axis = Text(fr="écart avec qui attend debout, en points", en="gap to who waits standing, in points")
    panels = []
    for measure in GAPS:
        series = []
        for look, rung in enumerate(rungs):
            rows = {str(r["world"]["body"]): {**r, "signed": True} for r in told[measure] if r["world"]["rung"] == rung}
            series.append(Series(rung_name(rung, lang), look, rows))
        panels.append(Panel(_HEADS[measure].in_(lang), axis.in_(lang), "points", series))
    return situation_names(bodies, lang), panels


def preset_keys(results: Sequence[Row]) -> list[str]:
    """Shipped definitions that the run tried, in its order."""
    return list(dict.fromkeys(str(r["world"]["preset"]) for r in select(results, "preset_alerts_per_camera_day")))


def preset_panels(results: Sequence[Row], *, chosen: str, lang: Lang) -> tuple[dict[str, str], list[Panel]]:
    """Alerts per camera and day of each shipped definition on the same perfect tracks, a panel a place.

    The rows of ``chosen`` are drawn filled, the others hollow.
    """
    rows = select(results, "preset_alerts_per_camera_day")
    keys = {f"{r['world']['preset']}@{r['world']['T_s']:g}": r for r in rows}
    names = {
        k: typeset(f"{preset_name(str(r['world']['preset']), lang)}, T = {number(r['world']['T_s'], lang)} s", lang)
        for k, r in keys.items()
    }
    order = sorted(keys, key=lambda k: (float(keys[k]["world"]["T_s"]), list(keys).index(k)))
    title = Text(fr="alertes par caméra et par jour", en="alerts per camera and day").in_(lang)
    words = {"fr": ("définition choisie", "autres définitions"), "en": ("chosen definition", "other definitions")}[lang]
    panels = []
    for place in dict.fromkeys(str(r["world"]["place"]) for r in rows):
        here = {f"{r['world']['preset']}@{r['world']['T_s']:g}": r for r in rows if r["world"]["place"] == place}
        mine = {k: r for k, r in here.items() if r["world"]["preset"] == chosen}
        others = {k: r for k, r in here.items() if k not in mine}
        name = labels.value_name("place", place, lang)
        panels.append(
            Panel(
                f"{name[0].upper()}{name[1:]}",
                title,
                "per_day",
                (Series(words[0], 0, mine), Series(words[1], 2, others)),
            )
        )
    return {k: names[k] for k in order}, panels


def preset_name(key: str, lang: Lang) -> str:
    """Name of a preset: the report's, else the rule's own."""
    said = labels.value_name("preset", key, lang)
    return typeset(PRESETS[key].label.in_(lang), lang) if said == key and key in PRESETS else said


def preset_told(key: str, lang: Lang) -> str:
    """What a preset is, where its numbers come from and what its source leaves open; empty for a stranger."""
    if key not in PRESETS:
        return ""
    one = PRESETS[key]
    house = Text(fr="notre réglage", en="our own setting").in_(lang)
    said = Text(fr="{name}. Source : {source}. Ce qu’elle ne dit pas : {unknown}.",
                en="{name}. Source: {source}. What it does not say: {unknown}.")  # fmt: skip
    source = house if one.source == "house" else one.source
    return typeset(said.in_(lang), lang).format(
        name=typeset(one.label.in_(lang), lang), source=source, unknown=typeset(one.unknown.in_(lang), lang)
    )


def spread_sentences(results: Sequence[Row], *, lang: Lang) -> list[str]:
    """How far the definitions are apart on the same persons, place by place."""
    said = Text(
        fr="{place}, même T = {T} s, mêmes personnes : la définition qui en signale le plus en signale {times} fois "
        "autant que celle qui en signale le moins ({bounds}).",
        en="{place}, same T = {T} s, same persons: the definition that flags most flags {times} times as many as the "
        "one that flags least ({bounds}).",
    )
    out = []
    for r in select(results, "preset_spread"):
        if r["value"] is None:
            continue
        place = labels.value_name("place", r["world"].get("place"), lang)
        out.append(
            typeset(said.in_(lang), lang).format(
                place=f"{place[0].upper()}{place[1:]}", T=number(r["world"]["T_s"], lang),
                times=wording.value(r, lang), bounds=wording.bounds(r, lang),
            )
        )  # fmt: skip
    return out


def number(value: Any, lang: Lang) -> str:
    """A number without unit, as the language writes it."""
    return wording.plain_number(float(value), lang)
