"""What a backtest measures, and the results and tables that its daily sums give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Measure, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from models.calibration_scores import RATE_EDGES, recalibration_intervals
from models.nij import CELL_SQ_FT, FORECAST_SQ_MI, NijArea
from models.resampling import DayDraws, block_length, draw_days, ratio_interval
from models.scores import DailyScores
from models.tally import Block

EXPERIMENT: Final = "platform"
#: The map that costs nothing, with which forecasts are compared.
BASELINE: Final = "trailing-mean"
N_DRAWS: Final = 999

_DAYS: Final = Text(fr="jours évalués", en="days evaluated")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("hit_rate", "share", Text(fr="Part des incidents dans la surface signalée",
            en="Share of incidents in the flagged area"), _DAYS),
    Measure("pai", "pai", Text(fr="PAI : part captée divisée par la part de surface",
            en="PAI: share captured over share of area"), _DAYS),
    Measure("pei", "share", Text(fr="PEI : part de ce que l’on aurait capté en connaissant la suite",
            en="PEI: share of what hindsight would have captured"), _DAYS),
    Measure("pei_star", "ratio", Text(
            fr="PEI* (notre lecture) : rapporté à la meilleure carte fixe, connue après coup",
            en="PEI* (our reading): over the best map that does not move, known in hindsight"), _DAYS),
    Measure("pai_nij", "pai", Text(fr="PAI du NIJ : une surface signalée d’un demi mille carré",
            en="NIJ’s PAI: half a square mile flagged"), _DAYS),
    Measure("gain_pai", "ratio", Text(fr="Gain relatif de PAI sur la moyenne de 52 semaines",
            en="Relative gain in PAI over the 52-week mean"), _DAYS),
    Measure("pair_gain_pai", "ratio", Text(fr="Gain relatif de PAI sur une autre carte",
            en="Relative gain in PAI over another map"), _DAYS),
    Measure("auc", "share", Text(fr="Aire sous la courbe de la part captée (0,5 : hasard)",
            en="Area under the hit-rate curve (0.5: chance)"), _DAYS),
    Measure("gain_auc", "points", Text(fr="Aire gagnée sur la moyenne de 52 semaines",
            en="Area gained over the 52-week mean"), _DAYS),
    Measure("log_gain", "nats", Text(
            fr="Gain d’information sur le lieu, par incident, par rapport à la moyenne de 52 semaines",
            en="Information gained on the place, per incident, over the 52-week mean"), _DAYS),
    Measure("brier", "ratio", Text(fr="Score de Brier (0 : sans erreur)", en="Brier score (0: no error)"), _DAYS),
    Measure("brier_skill", "ratio", Text(fr="Erreur de Brier évitée par rapport à la moyenne de 52 semaines",
            en="Brier error spared over the 52-week mean"), _DAYS),
    Measure("calibration_level", "ratio", Text(fr="Enregistrements vus pour un attendu",
            en="Records seen for one expected"), _DAYS),
    Measure("calibration_slope", "ratio", Text(fr="Pente de recalibration (1 : écarts annoncés justes)",
            en="Slope of recalibration (1: differences as announced)"), _DAYS),
    Measure("calibration_intercept", "nats", Text(fr="Ordonnée de recalibration (0 : niveau annoncé juste)",
            en="Intercept of recalibration (0: level as announced)"), _DAYS),
    Measure("rank_stability", "ratio", Text(fr="Corrélation des rangs d’un jour à l’autre (Spearman)",
            en="Correlation of ranks from day to day (Spearman)"), _DAYS),
    Measure("overlap", "share", Text(fr="Mailles signalées communes à deux jours de suite (Jaccard)",
            en="Flagged cells common to two days running (Jaccard)"), _DAYS),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Design:
    """What every map is held to.

    Attributes
    ----------
    areas : mapping of float to int
        Share of the cells asked for, and the number of cells it makes.
    sizes : tuple of int
        Every number of cells counted: those of the areas, then that of NIJ.
    nij : NijArea
    n_cells : int
    best, attainable : mapping of str to ndarray of int, shape (n_days, n_sizes)
        By kind of events: the most that as many cells held, and the best attainable set (see
        :mod:`models.attainable`).
    level : mapping of str to float
        What maps are multiplied by before calibration and the Brier score, by kind of events.
    pairs : sequence of (str, str)
        Predictors compared on request, each with another.
    """

    areas: Mapping[float, int]
    sizes: tuple[int, ...]
    nij: NijArea
    n_cells: int
    best: Mapping[str, IntArray]
    attainable: Mapping[str, IntArray]
    level: Mapping[str, float]
    pairs: Sequence[tuple[str, str]] = ()


def results_of(blocks: Mapping[str, Block], design: Design, *, draws_on: Mapping[str, DayDraws]) -> list[Result]:
    """Every measure of every predictor on every kind of events, with intervals over the same resampled days."""
    out: list[Result] = []
    for kind, draws in draws_on.items():
        for key, block in blocks.items():
            measured = [*_by_area(key, block, blocks, design, kind, draws), *_whole(key, block, blocks, kind, draws)]
            if kind == "records":
                measured += _calibration_level(block, draws)
            nij_world = {"area_sq_mi": round(design.nij.forecast_sq_mi, 3), "nij_rules": design.nij.within_rules}
            scores = daily(block, design, kind, size=len(design.sizes) - 1)
            measured.append(("pai_nij", nij_world, _pai(scores, draws)))
            for measure, world, interval in measured:
                full: dict[str, Scalar] = {"predictor": key, **world, "scored_on": kind}
                out.append(Result(EXPERIMENT, measure, full, interval, _TABLES.get(measure, "backtest_daily")))
    for key, block in blocks.items():
        out += _moves(key, block, design, draws_on["records"])
    return out


_TABLES: Final[Mapping[str, str]] = {
    "calibration_slope": "calibration_bins", "calibration_intercept": "calibration_bins",
    "calibration_level": "calibration_bins", "auc": "backtest_scores", "gain_auc": "backtest_scores",
    "log_gain": "backtest_scores", "brier": "backtest_scores", "brier_skill": "backtest_scores",
    "rank_stability": "backtest_scores", "overlap": "backtest_moves",
}  # fmt: skip

_Measured = tuple[str, Mapping[str, Scalar], Interval]


def daily(block: Block, design: Design, kind: str, *, size: int) -> DailyScores:
    """Daily hits of one map for one number of flagged cells."""
    tally = block.on[kind]
    k = design.sizes[size]
    return DailyScores(tally.events, tally.hits[:, size], design.best[kind][:, size], k, design.n_cells)


def draws_of(blocks: Mapping[str, Block], design: Design, kind: str, *, seed: int) -> DayDraws:
    """Days resampled alike for every predictor: blocks as long as the most persistent hit rate asks for."""
    scores = [daily(b, design, kind, size=i) for b in blocks.values() for i in range(len(design.areas))]
    departures = [s.hits - s.pooled_hit_rate * s.events for s in scores if s.events.sum() > 0]
    n_days = len(next(iter(blocks.values())).on[kind].events)
    rng = stream(seed, "backtest", "draws", kind)
    return draw_days(n_days, block_days=block_length(departures), n_draws=N_DRAWS, rng=rng)


def _pai(s: DailyScores, draws: DayDraws) -> Interval:
    return ratio_interval(s.hits, s.events, draws=draws, scale=1 / s.area_share)


def _by_area(
    key: str, block: Block, blocks: Mapping[str, Block], design: Design, kind: str, draws: DayDraws
) -> list[_Measured]:
    out: list[_Measured] = []
    for i, area in enumerate(design.areas):
        s = daily(block, design, kind, size=i)
        out += [
            ("hit_rate", {"area": area}, ratio_interval(s.hits, s.events, draws=draws)),
            ("pai", {"area": area}, _pai(s, draws)),
            ("pei", {"area": area}, ratio_interval(s.hits, s.best_hits, draws=draws)),
            ("pei_star", {"area": area}, ratio_interval(s.hits, design.attainable[kind][:, i], draws=draws)),
        ]
        if key != BASELINE and BASELINE in blocks:
            base = blocks[BASELINE].on[kind].hits[:, i]
            out.append(("gain_pai", {"area": area}, ratio_interval(s.hits, base, draws=draws, shift=-1.0)))
        for one, other in design.pairs:
            if one == key:
                theirs = blocks[other].on[kind].hits[:, i]
                gain = ratio_interval(s.hits, theirs, draws=draws, shift=-1.0)
                out.append(("pair_gain_pai", {"area": area, "against": other}, gain))
    return out


def _whole(key: str, block: Block, blocks: Mapping[str, Block], kind: str, draws: DayDraws) -> list[_Measured]:
    """Scores of the whole map, whatever the area flagged."""
    t = block.on[kind]
    days = np.ones(len(t.events))
    intercept, slope = recalibration_intervals(t.calibration, draws=draws)
    if t.events.sum() == 0:
        brier = Interval.not_estimable(n=len(days), method=draws.method)
    else:
        brier = ratio_interval(t.brier, days, draws=draws)
    out: list[_Measured] = [
        ("auc", {}, ratio_interval(t.above, t.events, draws=draws)),
        ("brier", {}, brier),
        ("calibration_slope", {}, slope),
        ("calibration_intercept", {}, intercept),
    ]
    if key != BASELINE and BASELINE in blocks:
        base = blocks[BASELINE].on[kind]
        out += [
            ("gain_auc", {}, ratio_interval(t.above - base.above, t.events, draws=draws)),
            ("log_gain", {}, ratio_interval(t.log_score - base.log_score, t.events, draws=draws)),
            ("brier_skill", {}, ratio_interval(t.brier, base.brier, draws=draws, scale=-1.0, shift=1.0)),
        ]
    return out


def _calibration_level(block: Block, draws: DayDraws) -> list[_Measured]:
    c = block.on["records"].calibration
    expected, seen = c.expected.sum(axis=1), c.observed.sum(axis=1)
    if seen.sum() == 0:
        return [("calibration_level", {}, Interval.not_estimable(n=len(seen), method=draws.method))]
    return [("calibration_level", {}, ratio_interval(seen, expected, draws=draws))]


def _moves(key: str, block: Block, design: Design, draws: DayDraws) -> list[Result]:
    spear, jac = block.moves.spearman, block.moves.jaccard
    known = np.isfinite(spear)
    rows: list[tuple[str, dict[str, Scalar], Interval]] = [
        ("rank_stability", {}, ratio_interval(np.where(known, spear, 0.0), known, draws=draws))
    ]
    after = np.isfinite(jac[:, 0])
    for i, area in enumerate(design.areas):
        rows.append(("overlap", {"area": area}, ratio_interval(np.where(after, jac[:, i], 0.0), after, draws=draws)))
    return [
        Result(EXPERIMENT, measure, {"predictor": key, **world}, interval, _TABLES[measure])
        for measure, world, interval in rows
    ]


def tables_of(
    blocks: Mapping[str, Block], design: Design, *, draws_on: Mapping[str, DayDraws], day0: int, constraint: str
) -> dict[str, pd.DataFrame]:
    """Daily hits, daily scores, moves, calibration by bin, and how the flagged area stands to NIJ's rules."""
    flagged = [
        _flagged(key, block, design, kind, area, i, day0=day0, constraint=constraint)
        for kind in draws_on
        for key, block in blocks.items()
        for i, area in enumerate(design.areas)
    ]
    return {
        "backtest_daily": pd.concat(flagged, ignore_index=True),
        "backtest_scores": pd.concat(
            [_scored(k, b, on, day0=day0) for on in draws_on for k, b in blocks.items()], ignore_index=True
        ),
        "backtest_moves": pd.concat(
            [_moved(k, b, area, i, day0=day0) for k, b in blocks.items() for i, area in enumerate(design.areas)],
            ignore_index=True,
        ),
        "calibration_bins": pd.concat(
            [_bins(k, b, on, level=design.level[on], draws=d) for on, d in draws_on.items() for k, b in blocks.items()],
            ignore_index=True,
        ),
        "nij_rules": _nij(design.nij),
    }


def _flagged(
    key: str, block: Block, design: Design, kind: str, area: float, i: int, *, day0: int, constraint: str
) -> pd.DataFrame:
    s = daily(block, design, kind, size=i)
    return pd.DataFrame(
        {
            "day": _days(block, day0), "predictor": key, "area": area, "scored_on": kind, "cells_flagged": s.k,
            "events": s.events, "hits": s.hits, "best_hits": s.best_hits, "hit_rate": s.hit_rate, "pai": s.pai,
            "pei": s.pei, "attainable_hits": design.attainable[kind][:, i], "attainable": constraint,
        }
    )  # fmt: skip


def _scored(key: str, block: Block, kind: str, *, day0: int) -> pd.DataFrame:
    t = block.on[kind]
    return pd.DataFrame(
        {
            "day": _days(block, day0), "predictor": key, "scored_on": kind, "events": t.events, "area_sum": t.above,
            "log_score": t.log_score, "brier": t.brier, "rank_stability": block.moves.spearman,
        }
    )  # fmt: skip


def _moved(key: str, block: Block, area: float, i: int, *, day0: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"day": _days(block, day0), "predictor": key, "area": area, "overlap": block.moves.jaccard[:, i]}
    )


def _bins(key: str, block: Block, kind: str, *, level: float, draws: DayDraws) -> pd.DataFrame:
    """Expected and seen by bin of the rate as scaled, over all days, and seen over expected with its interval."""
    c = block.on[kind].calibration
    ratios = [
        ratio_interval(seen, expected, draws=draws) for seen, expected in zip(c.observed.T, c.expected.T, strict=True)
    ]
    return pd.DataFrame(
        {
            "predictor": key, "scored_on": kind, "rate_low": RATE_EDGES[:-1], "rate_high": RATE_EDGES[1:],
            "cell_days": c.cells.sum(axis=0), "expected": c.expected.sum(axis=0), "observed": c.observed.sum(axis=0),
            "ratio": np.array([i.estimate for i in ratios], dtype=np.float64),
            "ratio_low": np.array([i.low for i in ratios], dtype=np.float64),
            "ratio_high": np.array([i.high for i in ratios], dtype=np.float64),
            "n_days": len(c.events), "map_times": level,
        }
    )  # fmt: skip


def _nij(nij: NijArea) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rule": ["cell_sq_ft", "forecast_sq_mi"],
            "low": [CELL_SQ_FT[0], FORECAST_SQ_MI[0]], "high": [CELL_SQ_FT[1], FORECAST_SQ_MI[1]],
            "got": [nij.cell_sq_ft, nij.forecast_sq_mi], "met": [nij.cells_within_rules, nij.area_within_rules],
            "cells_flagged": nij.k, "total_sq_mi": nij.total_sq_mi,
        }
    )  # fmt: skip


def map_table(
    seen: Mapping[str, npt.NDArray[Any]], surfaces: Mapping[str, npt.NDArray[np.float32]], *, day0: int
) -> pd.DataFrame:
    """One row per day and cell: what happened (where known), what was recorded, what was expected."""
    n_days, n_cells = seen["records"].shape
    names = {"truth": "latent", "records": "recorded"}
    return pd.DataFrame(
        {
            "day": np.repeat(np.arange(day0, day0 + n_days, dtype=np.int32), n_cells),
            "cell": np.tile(np.arange(n_cells, dtype=np.int32), n_days),
            **{names[kind]: counts.ravel().astype(np.int32) for kind, counts in seen.items()},
            **{key: surface.ravel() for key, surface in surfaces.items()},
        }
    )


def _days(block: Block, day0: int) -> FloatArray | IntArray:
    return np.arange(day0, day0 + len(block.moves.spearman))
