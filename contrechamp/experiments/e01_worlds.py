"""E01, one world at a time: draw what happens, thin it into files of records, walk every map through the days, score.

One world of incidents serves every way of recording it, and the clairvoyant and the uniform map are ranked once for all
of them. Maps that learn are handed records only; the city's choice among the forecasts, too, is made on records, on
days before those that are scored.

What it cannot tell you: a city may choose its tool by other means than a trial on its own records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.history import EventLog
from contrechamp.domain.intervals import Interval
from contrechamp.domain.rng import stream
from contrechamp.experiments.e01_params import Params
from models import load_predictor
from models.resampling import block_length, draw_days, ratio_interval
from models.scores import area_for_share, best_captured, captured, flagged_size, log_score, rank_cells, tie_breaks
from synthetic_data.count_records import draw_incidents
from synthetic_data.count_worlds import LatentWorld, draw_latent_world

ID: Final = "E01"
#: Maps that cost nothing. A forecast is compared with the best of them, world by world and area by area.
BASELINES: Final = ("uniform", "trailing-mean", "same-weekday")
#: Ranks cells by the true intensity of the day. Not a predictor: nobody can have it.
CLAIRVOYANT: Final = "clairvoyant"
#: Stands in for a crime analyst: the kernel map of the last seven days, drawn again every morning.
ANALYST: Final = "analyst"
ANALYST_PARAMS: Final[Mapping[str, int]] = {"window_days": 7}
#: Log scores are differences from this one's.
REFERENCE: Final = "trailing-mean"
#: The share of burglaries said to have been « prédits », without an area.
SHARE: Final = 0.83

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Scored:
    """What the maps of one world captured of one kind of events.

    Attributes
    ----------
    rows : list of dict
        One per map and area: hits, PAI, PEI, hit rate, share of flagged cell-days with an event, and the gain over the
        best free map with its interval.
    hits : dict of ndarray, shape (n_days, n_cells)
        By map, from :func:`models.scores.captured`.
    """

    rows: list[Row]
    hits: dict[str, IntArray]


def one_world(params: Params, here: Mapping[str, float], *, rep: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Rows of every file of records of one world of incidents.

    Parameters
    ----------
    params : Params
    here : mapping
        ``latent_per_day``, ``turnover`` and ``kappa``: what happens. How it is recorded is visited inside.
    rep, seed : int

    Returns
    -------
    worlds, maps : list of dict
        Rows of the tables ``e01_worlds`` and ``e01_maps``.
    """
    world = draw_latent_world(
        n_days=params.n_days, grid_shape=(params.rows, params.columns), kappa=here["kappa"],
        latent_per_day=here["latent_per_day"], turnover=here["turnover"], rng=stream(seed, ID, "world", rep),
    )  # fmt: skip
    days = Days.of(params)
    incidents = draw_incidents(world, first_day=days.origin, rng=stream(seed, ID, "incidents", rep))
    ties = tie_breaks(len(days.scored), world.grid.n_cells, rng=stream(seed, ID, "ties", rep))
    known = {
        CLAIRVOYANT: rank_cells(world.intensity[days.origin + days.scored], ties=ties),
        BASELINES[0]: ties,
    }
    worlds: list[Row] = []
    maps: list[Row] = []
    for share in params.recorded_shares:
        for bias in params.recording_biases:
            records = incidents.recorded(share=share, bias=bias)
            at = {**here, "recorded_share": share, "recording_bias": bias, "rep": rep}
            mine, beside = _one_file(params, world, records, days, ties, known, share=share, rep=rep, seed=seed)
            worlds += [at | row for row in mine]
            maps += [at | row for row in beside]
    return worlds, maps


@dataclass(frozen=True, eq=False)
class Days:
    """Which days count, in days since ``origin``.

    Attributes
    ----------
    origin : int
        First day of the world that predictors may see.
    tried, scored : ndarray of int
        Days on which the city tries the forecasts, and, later, those on which they are scored.
    """

    origin: int
    tried: IntArray
    scored: IntArray

    @classmethod
    def of(cls, params: Params) -> Days:
        """The days that ``params`` ask for: each stretch from its first day on, every ``every``-th."""
        last = min(params.n_days, params.memory_days + params.tried_days + params.evaluated_days)
        first_scored = last - params.evaluated_days
        return cls(
            params.n_days - last,
            np.arange(first_scored - params.tried_days, first_scored, params.every),
            np.arange(first_scored, last, params.every),
        )


def _one_file(
    params: Params, world: LatentWorld, records: EventLog, days: Days, ties: IntArray, known: Mapping[str, IntArray],
    *, share: float, rep: int, seed: int,
) -> tuple[list[Row], list[Row]]:  # fmt: skip
    costly = rep < params.table_worlds and share in params.table_shares
    forecasts = (*params.forecasts, *(params.table_forecasts if costly else ()))
    latent = world.latent[days.origin :].astype(np.int64)
    surfaces, recorded = walk(
        records, (*BASELINES[1:], *forecasts, ANALYST), mornings=(*days.tried, *days.scored),
        refit_days=params.refit_days,
    )  # fmt: skip
    n_tried = len(days.tried)
    champion = best_on_records(
        {key: surfaces[key][:n_tried] for key in params.forecasts}, recorded[days.tried], areas=params.areas,
        rng=stream(seed, ID, "tried", rep),
    )  # fmt: skip
    orders = {key: rank_cells(values[n_tried:], ties=ties) for key, values in surfaces.items()} | dict(known)
    worlds: list[Row] = []
    scored: dict[str, Scored] = {}
    for kind, counts in (("latent", latent[days.scored]), ("recorded", recorded[days.scored])):
        scored[kind] = score_world(
            orders, counts, champion=champion, areas=params.areas, n_draws=params.n_draws,
            rng=stream(seed, ID, "draws", rep, kind),
        )  # fmt: skip
        worlds += [{"scored_on": kind, **row, "champion": row["predictor"] == champion} for row in scored[kind].rows]
    maps = []
    log_gains = {
        kind: _log_gains({k: v[n_tried:] for k, v in surfaces.items()}, counts, factor=factor)
        for kind, counts, factor in (
            ("latent", latent[days.scored], 1 / share), ("recorded", recorded[days.scored], 1.0),
        )
    }  # fmt: skip
    for key in orders:
        need = area_for_share(scored["latent"].hits[key], share=SHARE)
        row: Row = {"predictor": key, "champion": key == champion, "area_share": _mean(need)}
        maps.append(row | {f"log_gain_{kind}": gains.get(key, float("nan")) for kind, gains in log_gains.items()})
    return worlds, maps


def walk(
    records: EventLog, keys: Sequence[str], *, mornings: Sequence[int], refit_days: int = 1
) -> tuple[dict[str, FloatArray], IntArray]:  # fmt: skip
    """Predict some days in turn, each predictor estimating again on its own schedule.

    Parameters
    ----------
    records : EventLog
    keys : sequence of str
        Predictors of the registry, or :data:`ANALYST`.
    mornings : sequence of int
        Days predicted, ascending.
    refit_days : int, default=1
        Fewest days between two estimations of a predictor that does not estimate every day.

    Returns
    -------
    surfaces : dict of ndarray, shape (n_mornings, n_cells)
    recorded : ndarray, shape (n_days, n_cells)
        Records by the day they bear, all of them.

    Notes
    -----
    A predictor is fitted on the first morning and again when ``REFIT_DAYS`` have gone by since its last fit; in between
    it is shown what entered the file.
    """
    predictors = {
        key: load_predictor("retro-quartic", **ANALYST_PARAMS) if key == ANALYST else load_predictor(key)
        for key in keys
    }
    wait = {key: p.REFIT_DAYS if p.REFIT_DAYS == 1 else max(p.REFIT_DAYS, refit_days) for key, p in predictors.items()}
    out = {key: np.empty((len(mornings), records.grid.n_cells)) for key in keys}
    fitted: dict[str, int] = {}
    row = {int(day): i for i, day in enumerate(mornings)}
    for day, known in records.mornings(int(mornings[0]), records.n_days):
        if day not in row:
            continue
        for key, predictor in predictors.items():
            if key not in fitted or day - fitted[key] >= wait[key]:
                predictor.fit(known, grid=records.grid)
                fitted[key] = day
            else:
                predictor.update(known)
            out[key][row[day]] = predictor.predict(day)
    return out, _all_counts(records)


def _all_counts(records: EventLog) -> IntArray:
    days = records.points.t_days.astype(np.int64)
    flat = np.bincount(
        days * records.grid.n_cells + records.points.cell, minlength=records.n_days * records.grid.n_cells
    )
    return flat.reshape(records.n_days, records.grid.n_cells).astype(np.int64)


def best_on_records(
    surfaces: Mapping[str, FloatArray], recorded: IntArray, *, areas: Sequence[float], rng: np.random.Generator
) -> str:
    """The forecast a city would choose: the largest PAI on records, averaged over areas; the first among equals."""
    if len(surfaces) == 1 or not len(recorded):
        return next(iter(surfaces))
    ties = tie_breaks(*recorded.shape, rng=rng)
    sizes = [flagged_size(area, n_cells=recorded.shape[1]) for area in areas]

    def merit(key: str) -> float:
        hits = captured(rank_cells(surfaces[key], ties=ties), recorded).sum(axis=0)
        return sum(float(hits[k - 1]) / k for k in sizes)

    return max(surfaces, key=merit)


def score_world(
    orders: Mapping[str, IntArray], counts: IntArray, *, champion: str, areas: Sequence[float], n_draws: int,
    rng: np.random.Generator,
) -> Scored:  # fmt: skip
    """Score every map of one world on one kind of events, and all of them against the best free one.

    Parameters
    ----------
    orders : mapping of str to ndarray, shape (n_days, n_cells)
        Cells of each day from the first to the last, by map; those of :data:`BASELINES` among them.
    counts : ndarray, shape (n_days, n_cells)
        Events of each day.
    champion : str
        The forecast whose difference from the reference sets the length of the bootstrap's blocks.
    areas : sequence of float
    n_draws : int
    rng : Generator
        For the bootstrap over days; all maps and areas share its draws.
    """
    hits = {key: captured(order, counts) for key, order in orders.items()}
    best_hits = best_captured(counts)
    n_cells, events = counts.shape[1], int(counts.sum())
    at = {area: flagged_size(area, n_cells=n_cells) - 1 for area in areas}
    against = REFERENCE if REFERENCE in hits else BASELINES[0]
    series = [hits[champion][:, c] - hits[against][:, c] for c in at.values()]
    draws = draw_days(len(counts), block_days=block_length(series), n_draws=n_draws, rng=rng)
    struck = counts > 0
    base = float(struck.mean())
    rows: list[Row] = []
    for area, column in at.items():
        total = {key: int(h[:, column].sum()) for key, h in hits.items()}
        best = max((key for key in BASELINES if key in total), key=lambda key: total[key])
        for key, order in orders.items():
            rate = total[key] / events if events else float("nan")
            flagged = float(np.take_along_axis(struck, order[:, : column + 1], axis=1).mean())
            most = int(best_hits[:, column].sum())
            row: Row = {
                "area": area, "predictor": key, "events": events, "hits": total[key], "hit_rate": rate,
                "pai": rate * n_cells / (column + 1), "pei": total[key] / most if most else float("nan"),
                "matched": flagged, "lift": flagged / base if base else float("nan"), "best_free": best,
            }  # fmt: skip
            gain = ratio_interval(hits[key][:, column], hits[best][:, column], draws=draws, shift=-1.0)
            rows.append(row | dict(zip(("gain", "gain_low", "gain_high"), _ends(gain), strict=True)))
            if key == champion and ANALYST in hits:
                analyst = ratio_interval(hits[key][:, column], hits[ANALYST][:, column], draws=draws)
                rows[-1]["over_analyst"] = _ends(analyst)[0]
    return Scored(rows, hits)


def _ends(i: Interval) -> tuple[float, float, float]:
    if i.estimate is None or i.low is None or i.high is None:
        return (float("nan"),) * 3
    return i.estimate, i.low, i.high


def _log_gains(surfaces: Mapping[str, FloatArray], counts: IntArray, *, factor: float) -> dict[str, float]:
    """Log score of each map less that of the reference, in nats per event; none where there was no event."""
    events = int(counts.sum())
    if not events:
        return {}
    score = {key: float(log_score(factor * values, counts).sum()) for key, values in surfaces.items()}
    return {key: (value - score[REFERENCE]) / events for key, value in score.items()}


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def kinds(params: Params) -> Iterator[dict[str, float]]:
    """What may happen: every combination of volume, turnover and near-repeat strength."""
    for volume in params.latent_per_day:
        for turnover in params.turnovers:
            for kappa in params.kappas:
                yield {"latent_per_day": volume, "turnover": turnover, "kappa": kappa}
