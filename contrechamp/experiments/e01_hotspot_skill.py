"""E01. Does a learned map of tomorrow beat last year's mean? On what happens, not only on what is recorded.

Invented cities are drawn on cells of the platform's size: every place has its level, incidents may call for others
nearby (``kappa``), they may be many or rare (``latent_per_day``), and recording may depend on the place
(``recording_bias``). The forecast and the maps that cost nothing learn from the same records, day after day, and are
scored on the latent incidents of the next day and, apart, on its records.

Beside the gain of the forecast stands the *ceiling*: the gain of a clairvoyant who ranks the cells by the true
intensity of the day. Where the ceiling is under the threshold, no forecast could have passed; that is a property of
the world.

What it cannot tell you: whether real cities are like these. It says in which of them a forecast is worth its price, and
the forecast tested here is a retrospective kernel map, not every forecast one could sell.

References
----------
.. [1] Mohler et al. (2015), "Randomized controlled field trials of predictive policing", JASA 110(512), 1399-1411.
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
from contrechamp.domain.grid import IntArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.intervals import quantile_interval, rate_interval
from models import load_predictor
from models.resampling import DayDraws, block_length, draw_days, ratio_interval
from models.scores import area_for_share, captured, flagged_size, rank_cells, tie_breaks
from models.walk import walk_forward
from synthetic_data.count_worlds import draw_count_world

ID: Final = "E01"
#: Maps that cost nothing. The forecast is compared with the better of them, world by world and area by area.
BASELINES: Final = ("uniform", "trailing-mean")
#: Ranks cells by the true intensity of the day. Not a predictor: nobody can have it.
CLAIRVOYANT: Final = "clairvoyant"
#: Share of incidents that enter the record: 822 records a day for 2,700 incidents.
RECORDED_SHARE: Final = 822 / 2700
#: The share of burglaries said to have been « prédits », without an area.
SHARE: Final = 0.83


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E01.

    Attributes
    ----------
    latent_per_day : tuple of float
        Incidents per day in the whole city: every type together, or one rare type.
    kappas : tuple of float
        Mean number of incidents that one incident calls for nearby, in [0, 0.9].
    recording_biases : tuple of float
        0: every incident has the same chance of being recorded; 1: a chance proportional to patrols' presence.
    turnovers : tuple of float
        0: places keep their level; 1: the map of the last day owes nothing to that of the first.
    worlds : int
        World seeds per combination of the above. The same seeds serve every combination.
    n_days, evaluated_days : int
        Days drawn, and how many of the last are predicted one by one.
    areas : tuple of float
        Shares of the map flagged.
    forecast : str
        Key of the predictor under test.
    n_draws : int
        Bootstrap draws per world.
    gain : float
        Gain in PAI from which a forecast is said to be worth more than a free map.
    """

    latent_per_day: tuple[float, ...] = (2700.0, 20.0)
    kappas: tuple[float, ...] = (0.0, 0.25, 0.5)
    recording_biases: tuple[float, ...] = (0.0, 1.0)
    turnovers: tuple[float, ...] = (0.0, 1.0)
    worlds: int = 8
    n_days: int = 420
    evaluated_days: int = 56
    areas: tuple[float, ...] = (0.01, 0.05)
    forecast: str = "retro-quartic"
    n_draws: int = 499
    gain: float = 0.10

    @classmethod
    def quick(cls) -> Params:
        """Twenty-four worlds, eight seeds each."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Five years a world, two hundred seeds: about six core-hours."""
        return cls(
            worlds=200, n_days=1826, evaluated_days=364, n_draws=999,
        )  # fmt: skip


_SEEDS: Final = Text(fr="mondes tirés (graines)", en="worlds drawn (seeds)")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("gain_latent", "ratio", Text(fr="Gain relatif de PAI sur la meilleure carte gratuite, incidents latents",
            en="Relative gain in PAI over the best free map, latent incidents"), _SEEDS),
    Measure("gain_recorded", "ratio", Text(fr="Gain relatif de PAI sur la meilleure carte gratuite, enregistrements",
            en="Relative gain in PAI over the best free map, records"), _SEEDS),
    Measure("gain_ceiling", "ratio", Text(fr="Gain d’un devin qui connaît l’intensité du jour, incidents latents",
            en="Gain of a clairvoyant who knows the day's intensity, latent incidents"), _SEEDS),
    Measure("share_worlds_supported", "share", Text(
            fr="Part des mondes où le gain atteint 10 % sur toutes les surfaces, intervalle au-dessus de 0",
            en="Share of worlds where the gain reaches 10 % at every area, interval above 0"), _SEEDS),
    Measure("share_worlds_refuted", "share", Text(
            fr="Part des mondes où l’intervalle exclut un gain de 10 % sur une surface au moins",
            en="Share of worlds whose interval rules out a gain of 10 % at one area at least"), _SEEDS),
    Measure("share_worlds_out_of_reach", "share", Text(
            fr="Part des mondes où même le devin n’atteint pas 10 % sur une surface au moins (tout l’intervalle)",
            en="Share of worlds where even the clairvoyant falls short of 10 % at one area at least (whole interval)"),
            _SEEDS),
    Measure("share_worlds_records_only", "share", Text(
            fr="Part des mondes où le gain n’existe que sur les enregistrements",
            en="Share of worlds where the gain shows on records only"), _SEEDS),
    Measure("pai_latent", "pai", Text(fr="PAI sur les incidents latents", en="PAI on latent incidents"), _SEEDS),
    Measure("area_share_for_83pct", "share", Text(
            fr="Part de la carte à signaler pour capter 83 % des incidents du lendemain",
            en="Share of the map to flag to capture 83 % of the next day's incidents"), _SEEDS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="Ces mondes sont inventés : l’expérience dit dans lesquels une prévision vaut mieux qu’une moyenne, pas auquel "
    "une ville ressemble. Les lieux y gardent leur niveau, ou glissent peu à peu vers un autre ; des points chauds "
    "surgis d’un jour à l’autre n’y figurent pas. Elle juge une carte à noyau apprise sur les enregistrements, non "
    "toute prévision possible ; le plafond du devin borne les autres. Elle ne dit rien de l’effet d’une patrouille ni "
    "de ce qu’elle coûte aux gens.",
    en="These worlds are invented: the experiment says in which of them a forecast is worth more than a mean, not "
    "which one a city resembles. Places keep their level, or turn slowly into others; hot spots that appear from one "
    "day to the next are not among them. It judges a kernel map learned from records, not every possible forecast; "
    "the clairvoyant's ceiling bounds the others. It says nothing of what a patrol does, or costs people.",
)


@dataclass(frozen=True, eq=False)
class _Row:
    """One world, one area, one kind of events: hits of every map and the gains over the best free one."""

    scored_on: str
    area: float
    events: int
    pai: dict[str, float]
    best_free: str
    gain: Interval
    ceiling: Interval


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E01.

    Returns
    -------
    Outcome
        Results by ``latent_per_day``, ``kappa`` and ``recording_bias`` (and ``area``, ``predictor`` where it
        matters); tables ``e01_worlds`` (one row per world, area and kind of events) and ``e01_areas`` (share of the map
        for 83 %).

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    tasks = [(here, rep) for here in _cells(params) for rep in range(params.worlds)]
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_one_world)(params, here, rep=rep, seed=seed) for here, rep in tasks
    )
    rows: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    for done, ((here, rep), (world_rows, world_shares)) in enumerate(zip(tasks, work, strict=True), start=1):
        rows += [here | {"rep": rep} | row for row in world_rows]
        shares += [here | {"rep": rep} | row for row in world_shares]
        progress("E01: worlds", done, len(tasks))
    tables = {"e01_worlds": pd.DataFrame(rows), "e01_areas": pd.DataFrame(shares)}
    return Outcome(_results(tables["e01_worlds"], tables["e01_areas"], params=params), tables)


def score_world(
    orders: dict[str, IntArray], counts: npt.NDArray[Any], *, forecast: str, areas: tuple[float, ...],
    n_draws: int, rng: np.random.Generator, scored_on: str,
) -> list[_Row]:  # fmt: skip
    """Score every map of one world on one kind of events, and the forecast against the best free map.

    Parameters
    ----------
    orders : dict of ndarray, shape (n_days, n_cells)
        Cells of each day from the first to the last by predictor, from :func:`models.scores.rank_cells`; those of
        :data:`BASELINES`, the forecast, and :data:`CLAIRVOYANT`.
    counts : ndarray, shape (n_days, n_cells)
        Events the maps are scored on.
    forecast, areas, n_draws, scored_on
        See :class:`Params`.
    rng : Generator
        For the bootstrap over days.
    """
    hits = {key: captured(order, counts) for key, order in orders.items()}
    events = counts.sum(axis=1, dtype=np.int64)
    at = {area: flagged_size(area, n_cells=counts.shape[1]) - 1 for area in areas}
    draws = _draws(hits, events, at=at, forecast=forecast, n_draws=n_draws, rng=rng)
    rows: list[_Row] = []
    for area, column in at.items():
        total = {key: int(h[:, column].sum()) for key, h in hits.items()}
        scale = counts.shape[1] / (column + 1) / max(int(events.sum()), 1)
        best = max(BASELINES, key=lambda key: total[key])
        gains = [
            ratio_interval(hits[key][:, column], hits[best][:, column], draws=draws, shift=-1.0)
            for key in (forecast, CLAIRVOYANT)
        ]
        pai = {key: (scale * n if events.any() else float("nan")) for key, n in total.items()}
        rows.append(_Row(scored_on, area, int(events.sum()), pai, best, gains[0], gains[1]))
    return rows


def _cells(params: Params) -> list[dict[str, float]]:
    """The map of worlds, one mapping per kind of world."""
    return [
        {"latent_per_day": volume, "kappa": kappa, "recording_bias": bias, "turnover": turnover}
        for volume, kappa, bias, turnover in product(
            params.latent_per_day, params.kappas, params.recording_biases, params.turnovers
        )
    ]


def _one_world(
    params: Params, here: dict[str, float], *, rep: int, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    world = draw_count_world(
        n_days=params.n_days,
        kappa=here["kappa"],
        recording_bias=here["recording_bias"],
        latent_per_day=here["latent_per_day"],
        records_per_day=here["latent_per_day"] * RECORDED_SHARE,
        turnover=here["turnover"],
        rng=stream(seed, ID, "world", rep),
    )
    first = params.n_days - params.evaluated_days
    surfaces = {
        key: walk_forward(load_predictor(key), world.recorded, grid=world.grid, first_day=first)
        for key in (*BASELINES, params.forecast)
    }
    surfaces[CLAIRVOYANT] = np.asarray(world.intensity[first:], dtype=np.float64)
    ties = tie_breaks(params.evaluated_days, world.grid.n_cells, rng=stream(seed, ID, "ties", rep))
    orders = {key: rank_cells(surface, ties=ties) for key, surface in surfaces.items()}
    rows: list[_Row] = []
    for scored_on, counts in (("latent", world.latent[first:]), ("recorded", world.recorded[first:])):
        rows += score_world(
            orders, counts, forecast=params.forecast, areas=params.areas, n_draws=params.n_draws,
            rng=stream(seed, ID, "draws", rep, scored_on), scored_on=scored_on,
        )  # fmt: skip
    shares = []
    for key, order in orders.items():
        need = area_for_share(captured(order, world.latent[first:]), share=SHARE)
        known = need[np.isfinite(need)]
        shares.append({"predictor": key, "area_share": float(known.mean()) if len(known) else float("nan")})
    return [_flat(row) for row in rows], shares


def _flat(row: _Row) -> dict[str, Any]:
    out: dict[str, Any] = {
        "scored_on": row.scored_on,
        "area": row.area,
        "events": row.events,
        "best_free": row.best_free,
    }
    out |= {f"pai_{key}": value for key, value in row.pai.items()}
    for name, i in (("gain", row.gain), ("ceiling", row.ceiling)):
        nan = float("nan")
        parts = (i.estimate, i.low, i.high) if i.estimable else (nan, nan, nan)
        out |= dict(zip((name, f"{name}_low", f"{name}_high"), parts, strict=True))
    return out | {"days": row.gain.n, "method": row.gain.method}


def _results(worlds: pd.DataFrame, shares: pd.DataFrame, *, params: Params) -> list[Result]:
    out: list[Result] = []
    for cell in _cells(params):
        here: dict[str, Scalar] = {**cell}
        mine, mine_shares = _where(worlds, cell), _where(shares, cell)

        def median(measure: str, values: pd.Series, table: str = "e01_worlds", **more: Scalar) -> None:
            where = {**here, **more}  # noqa: B023 (called at once)
            # Few worlds: order statistics keep their promise where a bootstrap of the median does not.
            interval = quantile_interval(values.dropna().to_numpy(np.float64), q=0.5)
            out.append(Result(ID, measure, where, interval, table))

        latent, recorded = (_where(mine, {"scored_on": kind}) for kind in ("latent", "recorded"))
        for area in params.areas:
            at = _where(latent, {"area": area})
            median("gain_latent", at["gain"], area=area)
            median("gain_recorded", _where(recorded, {"area": area})["gain"], area=area)
            median("gain_ceiling", at["ceiling"], area=area)
            for key in (*BASELINES, params.forecast):
                median("pai_latent", at[f"pai_{key}"], area=area, predictor=key)
        for measure, events, trials in _verdict_counts(latent, recorded, gain=params.gain):
            share = rate_interval(events=events, trials=trials, method="wilson")
            out.append(Result(ID, measure, here, share, "e01_worlds"))
        for key in (*BASELINES, params.forecast, CLAIRVOYANT):
            values = _where(mine_shares, {"predictor": key})["area_share"]
            median("area_share_for_83pct", values, "e01_areas", predictor=key)
    return out


def _where(frame: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    keep = np.ones(len(frame), dtype=bool)
    for name, value in values.items():
        keep &= (frame[name] == value).to_numpy(bool)
    return frame[keep]


def _verdict_counts(latent: pd.DataFrame, recorded: pd.DataFrame, *, gain: float) -> list[tuple[str, int, int]]:
    """Worlds supported, refuted, out of any forecast's reach, and with a gain on records only.

    Worlds without an estimable gain are not counted.
    """
    passed, passed_recorded = _passes(latent, gain=gain), _passes(recorded, gain=gain)
    known = latent.groupby("rep")["gain"].apply(lambda g: bool(g.notna().all()))
    known_recorded = recorded.groupby("rep")["gain"].apply(lambda g: bool(g.notna().all()))
    refuted = latent.groupby("rep")["gain_high"].min() < gain
    ceiling_known = latent.groupby("rep")["ceiling"].apply(lambda g: bool(g.notna().all()))
    out_of_reach = latent.groupby("rep")["ceiling_high"].min() < gain
    both = known & known_recorded
    return [
        ("share_worlds_supported", int((passed & known).sum()), int(known.sum())),
        ("share_worlds_refuted", int((refuted & known).sum()), int(known.sum())),
        ("share_worlds_out_of_reach", int((out_of_reach & ceiling_known).sum()), int(ceiling_known.sum())),
        ("share_worlds_records_only", int((passed_recorded & ~passed & both).sum()), int(both.sum())),
    ]


def _passes(rows: pd.DataFrame, *, gain: float) -> pd.Series:
    by_world = rows.groupby("rep")
    return (by_world["gain"].min() >= gain) & (by_world["gain_low"].min() > 0)


def _draws(
    hits: dict[str, IntArray], events: IntArray, *, at: dict[float, int], forecast: str, n_draws: int,
    rng: np.random.Generator,
) -> DayDraws:  # fmt: skip
    """Resampled days, with blocks as long as the daily difference between forecast and mean asks for."""
    series = [hits[forecast][:, c] - hits[BASELINES[1]][:, c] for c in at.values()]
    return draw_days(len(events), block_days=block_length(series), n_draws=n_draws, rng=rng)


def _check(params: Params) -> None:
    for name, ok, must in (
        ("worlds", params.worlds >= 1, "at least 1"),
        ("evaluated_days", 8 <= params.evaluated_days < params.n_days, "at least 8 and less than n_days"),
        ("areas", bool(params.areas) and all(0 < a <= 1 for a in params.areas), "shares in (0, 1]"),
        ("n_draws", params.n_draws >= 99, "at least 99"),
        ("latent_per_day", bool(params.latent_per_day) and min(params.latent_per_day) > 0, "numbers above 0"),
        ("kappas", bool(params.kappas) and all(0 <= k <= 0.9 for k in params.kappas), "numbers in [0, 0.9]"),
        (
            "recording_biases",
            bool(params.recording_biases) and all(0 <= b <= 1 for b in params.recording_biases),
            "numbers in [0, 1]",
        ),
        ("turnovers", bool(params.turnovers) and all(0 <= t <= 1 for t in params.turnovers), "numbers in [0, 1]"),
        ("gain", params.gain > 0, "above 0"),
        ("forecast", params.forecast not in BASELINES, "a predictor that is not a baseline"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
