"""E23. Promised and delivered: what of the specification was found in service, from documents alone.

Two lists made by hand, streams and functions, each item with its source; an unknown or disputed item is counted as
absent, then as delivered, which gives the bounds. Beside them dates, partners, formal steps and a list of projects. No
simulation and no sampling: the bounds are what the documents leave open.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.text import Text
from contrechamp.experiments.e23_items import (
    FUNCTIONS,
    FUNCTIONS_ADDED,
    PAPERS,
    PARTNERS,
    PARTNERS_SHOWN,
    PROJECTS,
    STREAMS,
    STREAMS_ADDED,
    Item,
)

ID: Final = "E23"
#: Streams that hold recorded harms or offences (M36).
_OFFENCES: Final = frozenset({"D01", "D02", "D24"})


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E23: the dates and counts read in documents.

    Attributes
    ----------
    announced_from, announced_to : str
        The month from which the reporting tools were to be designed and installed, ISO dates (S2, macro-planning): a
        beginning, from which delay is counted.
    shown, in_service : str
        Platform shown to the press (W-GOMET18); in service (W-JDN19: mid-August).
    cameras_promised, cameras_low, cameras_high : int
        Cameras announced, and the range of the counts of 2020-2024 (W-SNPMPV, W-MEDIAVIVANT).
    steps_before_2018 : int
        Exchanges with the CNIL before December 2017, according to the CNIL (S2).
    assessments : int
        Impact assessments published; the City's reply of 2020 says none was made (W-MRS20).
    learned_models : int
        Models fitted to data that the City says are in service (W-MRS20: random forests on past events).
    answered, unanswered : int
        Requests for documents known as answered in full, and without reply in 2024 (W-MEDIAVIVANT). The papers that
        came out otherwise (``PAPERS``) are counted both ways beside them.
    """

    announced_from: str = "2018-07-01"
    announced_to: str = "2018-07-31"
    shown: str = "2018-05-25"
    in_service: str = "2019-08-15"
    cameras_promised: int = 2_000
    cameras_low: int = 1_558
    cameras_high: int = 1_600
    steps_before_2018: int = 0
    assessments: int = 0
    learned_models: int = 1
    answered: int = 0
    unanswered: int = 3

    @classmethod
    def quick(cls) -> Params:
        """What the documents say."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """The same: documents have no larger profile."""
        return cls()


_ITEMS: Final = Text(fr="éléments promis", en="promised items")
_DATES: Final = Text(fr="dates lues", en="dates read")
_COUNTS: Final = Text(fr="comptages lus", en="counts read")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("delivered_share", "share", Text(fr="Part livrée de ce qui était promis",
            en="Delivered share of what was promised"), _ITEMS),
    Measure("added", "count", Text(fr="Éléments en service qui n’étaient pas dans les promesses lues",
            en="Items in service that were not among the promises read"), _COUNTS),
    Measure("offence_inputs", "count", Text(fr="Flux d’atteintes ou d’infractions en entrée",
            en="Streams of harms or offences among the inputs"), _COUNTS),
    Measure("delay_days", "days", Text(fr="Retard sur la date annoncée", en="Delay on the announced date"), _DATES),
    Measure("camera_share", "share", Text(fr="Caméras comptées sur caméras annoncées",
            en="Cameras counted over cameras announced"), _COUNTS),
    Measure("partner_share", "share", Text(fr="Part des partenaires nommés que la liste montre",
            en="Share of the named partners that the list shows"), _ITEMS),
    Measure("video_in_scope", "bool", Text(fr="Un flux vidéo est dans le périmètre",
            en="A video stream is within scope"), _COUNTS),
    Measure("learned_models", "count", Text(fr="Modèles appris en service, selon la Ville",
            en="Learned models in service, according to the City"), _COUNTS),
    Measure("steps_before_2018", "count", Text(fr="Échanges avec la CNIL avant décembre 2017",
            en="Exchanges with the CNIL before December 2017"), _COUNTS),
    Measure("assessments", "count", Text(fr="Études d’impact publiées", en="Impact assessments published"), _COUNTS),
    Measure("projects_kept", "share", Text(fr="Part des projets tenus dans leur périmètre et leur délai",
            en="Share of projects kept in scope and time"), _ITEMS),
    Measure("requests_answered", "share", Text(fr="Part des demandes de documents satisfaites",
            en="Share of document requests answered in full"), _COUNTS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience lit des documents publics ; elle ne dit pas ce qui est en service et n’a pas été écrit. La "
    "plupart des pages du CCTP manquent aux sources. Les listes sont les nôtres : une autre découpe donnerait d’autres "
    "parts. La liste des projets est celle du registre, tirée d’articles critiques : elle n’est pas un échantillon. La "
    "parole de la Ville sur ses modèles n’a pas été vérifiée.",
    en="The experiment reads public documents; it does not say what is in service and was not written. Most pages of "
    "the tender are missing from the sources. The lists are ours: other divisions would give other shares. The list of "
    "projects is that of the register, drawn from critical articles: it is not a sample. The City’s word on its models "
    "was not checked.",
)


def bounds(items: Sequence[Item]) -> Interval:
    """Delivered share with unknown and disputed items counted as absent, then as delivered.

    The estimate is the share among the items that are known one way or the other; not estimable when none is.
    """
    yes = sum(i.found == "delivered" for i in items)
    no = sum(i.found == "absent" for i in items)
    if not items or yes + no == 0:
        return Interval.not_estimable(n=len(items), method="bounds")
    return Interval(yes / (yes + no), yes / len(items), (len(items) - no) / len(items), len(items), "bounds", 1.0)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E23. Nothing is drawn: neither ``seed`` nor ``jobs`` changes anything.

    Returns
    -------
    Outcome
        Results by ``list``, ``source`` or ``date_reading``; table ``e23_items``, one row an item.

    Raises
    ------
    ParameterError
        If a date cannot be read or a count is negative.
    """
    dates = _dates(params)
    out: list[Result] = []

    def add(measure: str, interval: Interval, table: str = "", **world: Scalar) -> None:
        out.append(Result(ID, measure, world, interval, table))

    lists = {"streams": STREAMS, "functions": FUNCTIONS, "both": (*STREAMS, *FUNCTIONS)}
    for name, items in lists.items():
        add("delivered_share", bounds(items), "e23_items", list=name)
    add("projects_kept", bounds(PROJECTS), "e23_items", list="projects")
    add("added", _count(len(STREAMS_ADDED)), "e23_items", list="streams")
    add("added", _count(len(FUNCTIONS_ADDED)), "e23_items", list="functions")
    known = {i.key for i in (*STREAMS, *STREAMS_ADDED) if i.found == "delivered"}
    add("offence_inputs", _count(len(known & _OFFENCES)), "e23_items", list="streams")
    first, last, shown, service = dates
    for reading, when in (("shown", shown), ("in-service", service)):
        early, late = float((when - last).days), float((when - first).days)
        add("delay_days", Interval(late, early, late, 2, "bounds", 1.0), date_reading=reading)
    cameras = (params.cameras_low + params.cameras_high) / 2 / params.cameras_promised
    low, high = params.cameras_low / params.cameras_promised, params.cameras_high / params.cameras_promised
    add("camera_share", Interval(cameras, low, high, 2, "bounds", 1.0))
    for source, shown_partners in PARTNERS_SHOWN.items():
        share = Interval.exact(shown_partners / len(PARTNERS), n=len(PARTNERS))
        add("partner_share", share, source_document=source)
    for source, seen in (("W-20M18", 0.0), ("W-MIM19", 1.0)):
        add("video_in_scope", Interval.exact(seen), source_document=source)
    add("learned_models", _count(params.learned_models), source_document="W-MRS20")
    add("steps_before_2018", _count(params.steps_before_2018), source_document="S2")
    add("assessments", _count(params.assessments), source_document="W-MRS20")
    add("requests_answered", _answered(params), "e23_items", source_document="W-MEDIAVIVANT")
    progress("E23", 1, 1)
    return Outcome(out, {"e23_items": items_table()})


def items_table() -> pd.DataFrame:
    """Every item of every list: ``list, key, what_fr, what_en, promised, found, sources``."""
    lists = {
        "streams": STREAMS, "streams-added": STREAMS_ADDED, "functions": FUNCTIONS, "functions-added": FUNCTIONS_ADDED,
        "projects": PROJECTS, "papers": PAPERS,
    }  # fmt: skip
    return pd.DataFrame(
        [
            {"list": name, "key": i.key, "what_fr": i.what.fr, "what_en": i.what.en, "promised": i.promised,
             "found": i.found, "sources": ", ".join(i.sources)}
            for name, items in lists.items()
            for i in items
        ]
    )  # fmt: skip


def _answered(params: Params) -> Interval:
    """Share of requests answered in full; papers that answer an unknown request count as no, then as yes."""
    known = params.answered + params.unanswered
    everything = known + len(PAPERS)
    if known == 0:
        return Interval.not_estimable(n=everything, method="bounds")
    low, high = params.answered / everything, (params.answered + len(PAPERS)) / everything
    return Interval(min(max(params.answered / known, low), high), low, high, everything, "bounds", 1.0)


def _count(value: int) -> Interval:
    return Interval.exact(float(value), method="documents")


def _dates(params: Params) -> tuple[date, date, date, date]:
    texts = (params.announced_from, params.announced_to, params.shown, params.in_service)
    try:
        first, last, shown, service = (date.fromisoformat(t) for t in texts)
    except ValueError as cause:
        raise bad_parameter(name="announced_from…", where=ID, must="ISO dates, 2018-07-01", got=texts) from cause
    if first > last:
        raise bad_parameter(name="announced_to", where=ID, must="on or after `announced_from`", got=texts[:2])
    counts = (
        params.cameras_low, params.cameras_high, params.assessments, params.answered, params.unanswered,
        params.steps_before_2018, params.learned_models,
    )  # fmt: skip
    if min(counts) < 0 or params.cameras_promised < 1 or params.cameras_low > params.cameras_high:
        raise bad_parameter(name="cameras_low…", where=ID, must="counts, in order, none negative", got=counts)
    return first, last, shown, service
