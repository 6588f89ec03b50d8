"""The NIJ challenge of 2017: its two scores worked on paper, and what one week of few events lets them say.

PAI and PEI are ratios of counts. The challenge asked for forecasts of one week and up, and ranked the entrants of each
category by a single number without an interval. Everything here is exact arithmetic on the rules, or an exact law of
counts; no event of the challenge is used.

What it cannot tell you: see ``limits`` in ``papers/nij_2017/scenario.toml``.

References
----------
.. [1] National Institute of Justice (2017), "Real-Time Crime Forecasting Challenge", posting and judging criteria.
.. [2] Chainey, Tompson & Uhlig (2008), "The utility of hotspot mapping", Security Journal 21, 4-28.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import ceil, floor, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from contrechamp.domain.grid import Grid
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang
from contrechamp.pipelines.papers.base import Dossier, Run
from contrechamp.pipelines.papers.drawing import BLUE, DASH, OLIVE, RUST, SOFT, canvas, number_marks
from fairness.intervals import rate_interval
from models.nij import CELL_SQ_FT, FOOT_M, FORECAST_SQ_MI, MILE_M, NijArea, nij_area, nij_pai
from models.scores import daily_scores, random_pai_variance, tie_breaks

_SQ_FT_PER_SQ_MI = (MILE_M / FOOT_M) ** 2


def reproduce(dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
    """Work the scores by hand, by enumeration and by their laws. Needs no data."""
    p = dossier.parameters
    figures = _rules(p) | _by_hand(p)
    progress(dossier.key, 1, 4)
    figures |= _laws(p, rng=stream(seed, dossier.key, "maps"))
    progress(dossier.key, 2, 4)
    hits = hits_table(p)
    figures |= _one_week(p, rng=stream(seed, dossier.key, "choices"))
    progress(dossier.key, 3, 4)
    contest = contest_table(p)
    for horizon, days in (("week", p["horizons_days"][0]), ("quarter", p["horizons_days"][-1])):
        row = contest.set_index("days").loc[days]
        figures[f"better_first_{horizon}"] = Interval.exact(row["better_first"], n=int(row["events"]), method="law")
        figures[f"worse_first_{horizon}"] = Interval.exact(row["worse_first"], n=int(row["events"]), method="law")
    progress(dossier.key, 4, 4)
    return Run(figures, {"hits": hits, "contest": contest}, lambda lang: _draw(hits, contest, p, lang))


def flagged_on(p: Mapping[str, Any]) -> NijArea:
    """What the rules let one flag on square cells over the assumed city."""
    n_cells = round(p["city_sq_mi"] * MILE_M**2 / p["cell_m"] ** 2)
    grid = Grid(0.0, 0.0, p["cell_m"], np.ones((1, n_cells), dtype=np.bool_))
    return nij_area(grid, target_sq_mi=p["forecast_sq_mi"])


def hits_table(p: Mapping[str, Any]) -> pd.DataFrame:
    """PAI of a week by number of hits, with its 95 % interval, for the smallest, middle and largest forecast area."""
    n, rows = int(p["events_per_week"]), []
    for area in (FORECAST_SQ_MI[0], p["forecast_sq_mi"], FORECAST_SQ_MI[1]):
        for hits in range(n // 2 + 1):
            rate = rate_interval(events=hits, trials=n, method="clopper-pearson")
            low, high = (float(bound or 0.0) * p["city_sq_mi"] / area for bound in (rate.low, rate.high))
            value = nij_pai(hits=hits, events=n, forecast_area=area, total_area=p["city_sq_mi"])
            rows.append({"forecast_sq_mi": area, "hits": hits, "events": n, "pai": value, "low": low, "high": high})
    return pd.DataFrame(rows)


def contest_table(p: Mapping[str, Any]) -> pd.DataFrame:
    """Chance that the better of two maps comes first, ties, or comes second, by horizon.

    Their hits are taken as independent binomials of the same number of events, as where their areas do not overlap and
    are small; both flag the same area, so that the order of their PAI is that of their hits.
    """
    rows = []
    for days in p["horizons_days"]:
        n = round(p["events_per_week"] * days / 7)
        worse, better = (stats.binom(n, p[name]).pmf(np.arange(n + 1)) for name in ("captured_share", "better_share"))
        joint = np.outer(better, worse)
        first, tied = float(np.tril(joint, -1).sum()), float(np.trace(joint))
        second = float(np.triu(joint, 1).sum())
        rows.append({"days": days, "events": n, "better_first": first, "tied": tied, "worse_first": second})
    return pd.DataFrame(rows)


def _rules(p: Mapping[str, Any]) -> dict[str, Interval]:
    on_cells = flagged_on(p)
    low, high = (area * _SQ_FT_PER_SQ_MI for area in FORECAST_SQ_MI)
    return {
        "smallest_square_m": Interval.exact(sqrt(CELL_SQ_FT[0]) * FOOT_M),
        "largest_square_m": Interval.exact(sqrt(CELL_SQ_FT[1]) * FOOT_M),
        "fewest_cells": Interval.exact(ceil(low / CELL_SQ_FT[1])),
        "most_cells": Interval.exact(floor(high / CELL_SQ_FT[0])),
        "cells_flagged": Interval.exact(on_cells.k, n=round(on_cells.total_sq_mi / on_cells.forecast_sq_mi)),
        "within_rules": Interval.exact(float(on_cells.within_rules)),
    }


def _by_hand(p: Mapping[str, Any]) -> dict[str, Interval]:
    counts = np.asarray(p["hand_events"])
    k, total = int(p["hand_flagged"]), int(counts.sum())
    ties = np.arange(len(counts))[None, :]
    scores = daily_scores(p["hand_forecast"], counts, area=k / len(counts), ties=ties)
    best = daily_scores(counts, counts, area=k / len(counts), ties=ties)
    trimmed = nij_pai(
        hits=p["trimmed_hits"], events=p["trimmed_events"], forecast_area=sum(p["trimmed_sq_mi"]),
        total_area=p["trimmed_total_sq_mi"],
    )  # fmt: skip
    every = np.array([counts[list(chosen)].sum() for chosen in combinations(range(len(counts)), k)])
    values = every / total * len(counts) / k
    n = len(every)
    return {
        "hand_pai": Interval.exact(scores.pooled_pai, n=total),
        "hand_pei": Interval.exact(scores.pei[0], n=int(scores.best_hits[0])),
        "hand_best_pai": Interval.exact(best.pooled_pai, n=total),
        "trimmed_pai": Interval.exact(trimmed, n=int(p["trimmed_events"])),
        "random_mean": Interval.exact(values.mean(), n=n, method="enumeration"),
        "random_variance": Interval.exact(values.var(), n=n, method="enumeration"),
        "random_variance_law": Interval.exact(random_pai_variance(counts, k=k), method="closed-form"),
    }


def _laws(p: Mapping[str, Any], *, rng: np.random.Generator) -> dict[str, Interval]:
    """``PAI = PEI × PAI of hindsight`` and ``PAI <= A / a`` on maps drawn at random, one a row."""
    n, n_cells, k = int(p["random_maps"]), len(p["hand_events"]), int(p["hand_flagged"])
    counts = rng.poisson(rng.gamma(0.5, 2.0, (n, n_cells)))
    counts[counts.sum(axis=1) == 0, 0] = 1
    ties, area = tie_breaks(n, n_cells, rng=rng), k / n_cells
    found = daily_scores(rng.random((n, n_cells)), counts, area=area, ties=ties)
    best = daily_scores(counts, counts, area=area, ties=ties)
    gap = np.abs(found.pai - found.pei * best.pai)
    one = np.zeros(n_cells, dtype=np.int64)
    one[0] = 7
    return {
        "identity_gap": Interval.exact(gap.max(), n=n, method="maximum"),
        "bound_exceeded": Interval.exact(float((found.pai > n_cells / k + 1e-12).sum()), n=n, method="count"),
        "bound_reached": Interval.exact(daily_scores(one, one, area=area, ties=ties[:1]).pooled_pai, n=7),
    }


def _one_week(p: Mapping[str, Any], *, rng: np.random.Generator) -> dict[str, Interval]:
    n, total, area = int(p["events_per_week"]), p["city_sq_mi"], p["forecast_sq_mi"]
    worth = {a: nij_pai(hits=1, events=n, forecast_area=a, total_area=total) for a in FORECAST_SQ_MI}
    scale = total / area
    two = rate_interval(events=2, trials=n, method="clopper-pearson")
    low, high = (float(bound or 0.0) * scale for bound in (two.low, two.high))
    # Events one to a cell, cells flagged at random: hits are hypergeometric.
    cells = flagged_on(p)
    n_cells = round(cells.total_sq_mi / cells.forecast_sq_mi * cells.k)
    spread = np.concatenate([np.ones(n), np.zeros(n_cells - n)])
    law = sqrt(random_pai_variance(spread, k=cells.k))
    drawn = rng.hypergeometric(n, n_cells - n, cells.k, int(p["random_choices"])) / n * n_cells / cells.k
    return {
        "one_hit_largest_area": Interval.exact(worth[FORECAST_SQ_MI[1]], n=n),
        "one_hit_smallest_area": Interval.exact(worth[FORECAST_SQ_MI[0]], n=n),
        "two_hits_pai": Interval(2 / n * scale, low, high, n, "clopper-pearson"),
        "random_week_sd": Interval.exact(law, n=n, method="closed-form"),
        "random_week_sd_drawn": Interval.exact(float(drawn.std()), n=len(drawn), method="simulation"),
        "no_hit_better_map": Interval.exact((1 - p["better_share"]) ** n, n=n, method="law"),
    }


def _draw(hits: pd.DataFrame, contest: pd.DataFrame, p: Mapping[str, Any], lang: Lang) -> Any:
    n, words = (
        int(p["events_per_week"]),
        {
            "fr": ("Une semaine : PAI", "faits captés sur", "PAI, intervalle à 95 %",
                   "mi² prévus", "Deux cartes, l'une deux fois meilleure", "jours prévus (faits attendus)",
                   "probabilité", "la meilleure gagne", "égalité", "la moins bonne gagne", "au hasard : 1",
                   "Ville supposée : {city} mi², {n} faits par semaine ; intervalles de Clopper-Pearson. Aucun fait de "
                   "Portland n'entre ici."),
            "en": ("One week: PAI", "events captured out of", "PAI, 95 % interval",
                   "sq mi forecast", "Two maps, one twice as good", "days forecast (events expected)", "chance",
                   "the better wins", "a tie", "the worse wins", "at random: 1",
                   "City assumed: {city} square miles, {n} events a week; Clopper-Pearson intervals. No event of "
                   "Portland enters here."),
        }[lang],
    )  # fmt: skip
    figure, (left, right) = canvas(height=2.9, ncols=2)
    marks = zip(("o", "s", "^"), (RUST, BLUE, OLIVE), (-0.18, 0.0, 0.18), strict=True)
    for (area, rows), (mark, ink, shift) in zip(hits.groupby("forecast_sq_mi"), marks, strict=True):
        rows = rows[rows["hits"] <= 5]
        bars = np.array([rows["pai"] - rows["low"], rows["high"] - rows["pai"]])
        said = f"{area:g} {words[3]}".replace(".", "," if lang == "fr" else ".")
        left.errorbar(rows["hits"] + shift, rows["pai"], yerr=bars, fmt=mark, color=ink, lw=0.9, label=said)
    left.axhline(1, color=SOFT, lw=0.9, ls=DASH, label=words[10])
    left.set_ylim(-12, 400)
    left.set_title(words[0])
    left.set_xlabel(f"{words[1]} {n}", color=SOFT)
    left.set_ylabel(words[2])
    left.legend(loc="upper left")
    places, bottom = np.arange(len(contest)), np.zeros(len(contest))
    inks = (("better_first", BLUE, ""), ("tied", "#d9d9d9", "..."), ("worse_first", RUST, "//"))
    for (column, ink, hatch), label in zip(inks, words[7:10], strict=True):
        right.bar(places, contest[column], bottom=bottom, color=ink, hatch=hatch, label=label, width=0.7, ec="white")
        bottom = bottom + contest[column].to_numpy()
    right.set_xticks(places, [f"{d}\n({e})" for d, e in zip(contest["days"], contest["events"], strict=True)])
    right.set_title(words[4])
    right.set_xlabel(words[5], color=SOFT)
    right.set_ylabel(words[6])
    right.set_ylim(0, 1)
    number_marks(right.yaxis, lang)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=3)
    city = f"{p['city_sq_mi']:g}".replace(".", "," if lang == "fr" else ".")
    figure.suptitle(words[11].format(city=city, n=n), fontsize=7, color=BLUE)
    return figure
