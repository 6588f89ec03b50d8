"""E13. Search by clothing, build, age and height: how many people remain, and is the one looked for among them?

A crowd of people with six attributes each. A witness describes one of them, with errors; cameras read all of them,
with errors. Four ways to search: a filter to the letter, a filter that lets height and age be one band off, the best
ranking there is, and, as a baseline, the two colours alone. Then routes: a sighting at one camera is tied to sightings
at the next ones.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments.e13_measures import CANNOT_TELL, ID, MEASURES, closed_forms, results_of
from synthetic_data.appearance_worlds import (
    ATTRIBUTES,
    ORDERED,
    AppearanceLaw,
    FloatArray,
    appearance_law,
    draw_people,
    error_tables,
    observe,
)
from vsa.search import Codes, Likeness, fits, likeness, link, ranks

__all__ = ["CANNOT_TELL", "DRESSES", "ID", "MEASURES", "Params", "law_of", "likeness_of", "run", "search_crowd"]

#: How a crowd dresses: (inequality of colours, correlation of attributes).
DRESSES: Final[Mapping[str, tuple[float, float]]] = {
    "varied": (0.5, 0.0),
    "usual": (1.5, 0.3),
    "alike": (2.5, 0.6),
}
#: Columns of the two colours.
_COLOURS: Final = (0, 1)
_STRICT: Final = tuple(0 for _ in ATTRIBUTES)
_WIDE: Final = tuple(int(name in ORDERED) for name in ATTRIBUTES)
#: Share of people in more common colours: under the first dress is common, from the second on it is rare.
_COMMON: Final = 0.5
_RARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E13.

    Attributes
    ----------
    dresses : tuple of str
        Keys of :data:`DRESSES`.
    noises : tuple of float
        Chance that an attribute is described, or filmed, wrong.
    crowds : tuple of int
        People among whom one is looked for.
    nearby : tuple of int
        People whom the next camera sees in the time the walk there may take.
    cameras : int
        Cameras on a route.
    p_seen : float
        Chance that a camera on the route sees the person.
    searches : int
        Searches, and routes, in each crowd.
    worlds : int
        Crowds drawn. The same draws serve every kind of world.
    """

    dresses: tuple[str, ...] = tuple(DRESSES)
    noises: tuple[float, ...] = (0.0, 0.05, 0.2)
    crowds: tuple[int, ...] = (100, 1_000, 5_000, 50_000)
    nearby: tuple[int, ...] = (10, 100, 1_000)
    cameras: int = 6
    p_seen: float = 0.9
    searches: int = 12
    worlds: int = 20

    @classmethod
    def quick(cls) -> Params:
        """Nine kinds of crowds of four sizes, twenty draws of each, twelve searches in each draw."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Eighteen kinds of crowds of six sizes, forty draws, a hundred searches in each."""
        return cls(
            noises=(0.0, 0.02, 0.05, 0.1, 0.2, 0.4), crowds=(100, 300, 1_000, 5_000, 20_000, 50_000),
            nearby=(10, 30, 100, 300, 1_000), searches=100, worlds=40,
        )  # fmt: skip


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E13.

    Returns
    -------
    Outcome
        Results by ``dress``, ``noise``, ``crowd`` and ``query``, routes by ``nearby``; tables ``e13_searches`` (a row
        per search) and ``e13_routes`` (a row per route).

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    cells = list(product(params.dresses, range(params.worlds)))
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_cell)(params, dress, rep, seed=seed) for dress, rep in cells
    )
    searches, routes = [], []
    for done, (found, walked) in enumerate(work, start=1):
        searches.append(found)
        routes.append(walked)
        progress("E13: crowds", done, len(cells))
    tables = {
        "e13_searches": pd.concat(searches, ignore_index=True),
        "e13_routes": pd.concat(routes, ignore_index=True),
    }
    laws = {dress: law_of(dress) for dress in params.dresses}
    results = [
        *closed_forms(laws, crowds=params.crowds),
        *results_of(tables["e13_searches"], tables["e13_routes"], wearer_crowd=_wearer_crowd(params)),
    ]
    return Outcome(results, tables)


def law_of(dress: str) -> AppearanceLaw:
    """Law of the appearances of a crowd that dresses so."""
    skew, correlation = DRESSES[dress]
    return appearance_law(colour_skew=skew, correlation=correlation)


def likeness_of(
    law: AppearanceLaw, *, described: Mapping[str, FloatArray], filmed: Mapping[str, FloatArray]
) -> Likeness:
    """Best comparison of separate attributes under a law and two sides' errors."""
    return likeness(
        laws=[law.marginal(name) for name in ATTRIBUTES],
        described=[described[name] for name in ATTRIBUTES],
        filmed=[filmed[name] for name in ATTRIBUTES],
    )


def search_crowd(
    queries: Codes, gallery: Codes, *, target: npt.NDArray[np.int64], match: Likeness, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per search and way of searching.

    Returns
    -------
    pandas.DataFrame
        Columns ``query``; ``search``; ``candidates`` (people left, the target counted where it is left; for the
        ranking, people at least as likely as the target); ``kept`` (the target is left); ``false`` (others left);
        ``rank`` of the target, from 1 (beyond the crowd where it is not left).
    """
    n = gallery.shape[0]
    score = match.scores(queries, gallery)
    own = np.arange(len(queries)), target
    found: dict[str, list[npt.NDArray[Any]]] = {"candidates": [], "kept": [], "rank": []}
    names = []
    for name, tolerance, columns in (
        ("strict", _STRICT, None), ("wide", _WIDE, None), ("colour-only", _STRICT, _COLOURS),
    ):  # fmt: skip
        left = fits(queries, gallery, tolerance=tolerance, columns=columns)
        kept = left[own]
        shown = np.where(left, score if columns is None else np.float32(0), np.float32(-np.inf))
        names.append(name)
        found["candidates"].append(left.sum(axis=1))
        found["kept"].append(kept)
        found["rank"].append(np.where(kept, ranks(shown, target, rng=rng), n + 1))
    names.append("ranked")
    found["candidates"].append((score >= score[own][:, None]).sum(axis=1))
    found["kept"].append(np.ones(len(queries), dtype=np.bool_))
    found["rank"].append(ranks(score, target, rng=rng))
    columns_of = {key: np.concatenate(parts) for key, parts in found.items()}
    return pd.DataFrame(
        {
            "query": np.repeat(np.array(names, dtype=object), len(queries)),
            "search": np.tile(np.arange(len(queries)), len(names)),
            "false": columns_of["candidates"] - columns_of["kept"],
            **columns_of,
        }
    )


def _cell(params: Params, dress: str, rep: int, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Searches and routes of one crowd at every rate of error: smaller crowds are the first people of the largest."""
    law = law_of(dress)
    people = draw_people(law, n=max(params.crowds), rng=stream(seed, ID, "people", rep))
    target = np.arange(params.searches)
    wearer = _wearers(law, people[target])
    searches, routes = [], []
    for noise in params.noises:
        errors = error_tables(noise)
        match = likeness_of(law, described=errors, filmed=errors)
        filmed = observe(people, tables=errors, rng=stream(seed, ID, "filmed", rep))
        told = observe(people[target], tables=errors, rng=stream(seed, ID, "told", rep))
        ties = stream(seed, ID, "ties", rep)
        here: dict[str, Any] = {"dress": dress, "noise": noise, "rep": rep}
        for crowd in params.crowds:
            found = search_crowd(told, filmed[:crowd], target=target, match=match, rng=ties)
            searches.append(found.assign(crowd=crowd, wearer=wearer[found["search"]], **here))
        walked = _routes(params, people, filmed, errors, match, rng=stream(seed, ID, "routes", rep))
        routes.append(walked.assign(**here))
    return pd.concat(searches, ignore_index=True), pd.concat(routes, ignore_index=True)


def _wearers(law: AppearanceLaw, people: Codes) -> npt.NDArray[np.str_]:
    """Whether each person's pair of colours is common, rare or between: by share of people in a more common one."""
    pairs = law.marginal("top", "bottom").ravel()
    order = np.argsort(-pairs, kind="stable")
    above = np.empty(pairs.size)
    above[order] = np.cumsum(pairs[order]) - pairs[order]  # share of people dressed in a more common pair
    share = above[people[:, 0].astype(np.int64) * ATTRIBUTES["bottom"] + people[:, 1]]
    return np.where(share < _COMMON, "common", np.where(share >= _RARE, "rare", "between"))


def _routes(
    params: Params, people: Codes, filmed: Codes, errors: Mapping[str, FloatArray], match: Likeness, *,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """One row per route and number of people nearby: sightings there were, links made, links that are right."""
    who = np.arange(params.searches)
    first = filmed[who]
    rows = []
    for nearby in params.nearby:
        seen = links = right = np.zeros(len(who), dtype=np.int64)
        for _ in range(params.cameras - 1):
            there = rng.random(len(who)) < params.p_seen
            again = observe(people[who], tables=errors, rng=rng)
            others = rng.integers(len(who), len(filmed), (len(who), nearby))
            views = filmed[others]
            views[there, 0] = again[there]
            tied = link(match.of_views(first, views), least=float(np.log(nearby)))
            links = links + (tied >= 0)
            right = right + ((tied == 0) & there)
            seen = seen + there
        rows.append(pd.DataFrame({"nearby": nearby, "route": who, "seen": seen, "links": links, "right": right}))
    return pd.concat(rows, ignore_index=True)


def _wearer_crowd(params: Params) -> int:
    """Crowd in which common and rare dress are compared: the register's 5,000, or the nearest there is."""
    return min(params.crowds, key=lambda crowd: abs(crowd - 5_000))


def _check(params: Params) -> None:
    for name, ok, must in (
        ("dresses", bool(params.dresses) and set(params.dresses) <= set(DRESSES), f"among {', '.join(DRESSES)}"),
        ("noises", bool(params.noises) and all(0 <= x < 1 for x in params.noises), "shares in [0, 1)"),
        ("crowds", bool(params.crowds) and min(params.crowds) >= 2 * params.searches,
         "at least twice as many people as searches"),
        ("nearby", bool(params.nearby) and min(params.nearby) >= 1, "at least 1 person"),
        ("cameras", params.cameras >= 2, "at least 2"),
        ("p_seen", 0 < params.p_seen <= 1, "a share in (0, 1]"),
        ("searches", params.searches >= 1, "at least 1"),
        ("worlds", params.worlds >= 2, "at least 2"),
    ):  # fmt: skip
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
