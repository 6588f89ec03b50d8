"""Tables of the platform's backtest: how well each map ranks, what it gains and where, what it says of rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Column, Span, Spans, Table, Voice
from contrechamp.audit.reporting.facts import PLATFORM, Facts, Row
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import cell, source_note
from contrechamp.domain.text import Text


def _by_predictor(
    facts: Facts, voice: Voice, rows: Sequence[Row], columns: Sequence[tuple[str, Mapping[str, Any]]], *, by_area: bool
) -> tuple[tuple[tuple[Spans, ...], ...], list[Row]]:
    """One line per map (and area): its results in ``columns``; and the results used."""
    body: list[tuple[Spans, ...]] = []
    used: list[Row] = []
    for area in sorted({r["world"]["area"] for r in rows}) if by_area else [None]:
        for predictor in dict.fromkeys(r["world"]["predictor"] for r in rows):
            at = {"predictor": predictor} | ({"area": area} if area is not None else {})
            found = [facts.one(PLATFORM, measure, **at, **world) for measure, world in columns]
            used += [r for r in found if r is not None]
            share: tuple[Spans, ...] = ((Span(w.percent(area, voice.lang)),),) if area is not None else ()
            name = (Span(value_name("predictor", predictor, voice.lang)),)
            body.append((name, *share, *(cell(r, voice) for r in found)))
    return tuple(body), used


def scores(facts: Facts, voice: Voice, rows: Sequence[Row]) -> Table:
    """How well each map ranks, on what happens and on what is recorded."""
    columns = [
        ("pai", {"scored_on": "truth"}), ("pai", {"scored_on": "records"}), ("pei", {"scored_on": "truth"}),
        ("pei_star", {"scored_on": "truth"}),
    ]  # fmt: skip
    body, used = _by_predictor(facts, voice, rows, columns, by_area=True)
    heads = (
        Column(voice(Text(fr="Carte", en="Map")), weight=1.1),
        Column(voice(Text(fr="Surface", en="Area")), "right", 0.6),
        Column(voice(Text(fr="PAI, incidents", en="PAI, incidents")), "right", 1),
        Column(voice(Text(fr="PAI, enregistrements", en="PAI, records")), "right", 1),
        Column(voice(Text(fr="PEI, incidents", en="PEI, incidents")), "right", 1.1),
        Column(voice.plain(Text(fr="PEI*, incidents", en="PEI*, incidents")), "right", 1.1),
    )
    caption = Text(
        fr="PAI (part captée sur part de surface), PEI (part de ce que l’on aurait capté en connaissant la suite) et "
        "PEI, notre lecture de sa variante étoilée (rapporté à la meilleure carte fixe, connue après coup), un jour "
        "d’avance.",
        en="PAI (share captured over share of area), PEI (share of what hindsight would have captured) and our "
        "reading of its starred variant (over the best map that does not move, known in hindsight), one day ahead.",
    )
    return Table(voice(caption), heads, body, note=source_note(facts, voice, used), dense=True)


def gains(facts: Facts, voice: Voice, rows: Sequence[Row]) -> Table:
    """What each map gains over the free one, where a city can see it and where it cannot."""
    kinds = ({"scored_on": "records"}, {"scored_on": "truth"})
    columns = [("gain_pai", kind) for kind in kinds]
    others = [r for r in rows if facts.one(PLATFORM, "gain_pai", **r["world"]) is not None]
    body, used = _by_predictor(facts, voice, others, columns, by_area=True)
    heads = (
        Column(voice(Text(fr="Carte", en="Map")), weight=1.1),
        Column(voice(Text(fr="Surface", en="Area")), "right", 0.6),
        Column(voice(Text(fr="Gain sur les enregistrements", en="Gain on records")), "right", 1.2),
        Column(voice(Text(fr="Gain sur les incidents", en="Gain on incidents")), "right", 1.2),
    )
    caption = Text(
        fr="Gain relatif de PAI sur la moyenne de 52 semaines : ce qu’une ville peut voir, et ce qu’elle ne voit pas.",
        en="Relative gain in PAI over the 52-week mean: what a city can see, and what it cannot.",
    )
    return Table(voice(caption), heads, body, note=source_note(facts, voice, used), dense=True)


def whole_map(facts: Facts, voice: Voice, rows: Sequence[Row]) -> Table:
    """Scores that flag no area: order, rates, calm."""
    truth, records = {"scored_on": "truth"}, {"scored_on": "records"}
    columns = [
        ("auc", truth), ("log_gain", records), ("log_gain", truth), ("calibration_slope", records),
        ("calibration_slope", truth), ("rank_stability", {}),
    ]  # fmt: skip
    body, used = _by_predictor(facts, voice, rows, columns, by_area=False)
    heads = (
        Column(voice(Text(fr="Carte", en="Map")), weight=1.1),
        Column(voice(Text(fr="Aire, incidents", en="Area, incidents")), "right", 1),
        Column(voice(Text(fr="Information, enreg.", en="Information, records")), "right", 1),
        Column(voice(Text(fr="Information, incidents", en="Information, incidents")), "right", 1),
        Column(voice(Text(fr="Pente, enreg.", en="Slope, records")), "right", 1),
        Column(voice(Text(fr="Pente, incidents", en="Slope, incidents")), "right", 1),
        Column(voice(Text(fr="Stabilité", en="Stability")), "right", 1),
    )
    caption = Text(
        fr="Carte entière : aire sous la courbe de la part captée (0,5 : hasard), information gagnée sur la moyenne de "
        "52 semaines (nats par événement), pente de recalibration (1 : écarts annoncés justes ; sous 1, annoncés plus "
        "grands qu’ils ne sont), corrélation des rangs d’un jour à l’autre.",
        en="Whole map: area under the hit-rate curve (0.5: chance), information gained over the 52-week mean (nats per "
        "event), slope of recalibration (1: differences as announced; under 1, announced larger than they are), "
        "correlation of ranks from day to day.",
    )
    return Table(voice(caption), heads, body, note=source_note(facts, voice, used), dense=True)
