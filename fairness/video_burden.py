"""Burden of video alerts: how many wrong ones fall on whom, by what people were doing and how long they were in view.

Public scores of video analytics count false alerts per hour of camera. That hides on whom they fall. Here each alert is
about a person in a *situation* (waiting, selling, sleeping rough, passing by), each person has been in view for so many
seconds, and the rate is per person-hour of that situation, with its interval.

Two readings are kept apart. *By count*: of all alerts, the share that falls on a situation, beside its share of
person-hours. *Per hour*: alerts per person-hour in a situation, beside that of passers-by. The first says who fills the
screens, the second what it costs to be that person. Neither is the other.

What it cannot tell you: how often anybody waits, sells or sleeps in a real street, since person-hours are those of the
scenes; nor what an alert costs the person it falls on. Alerts on one person resemble each other, and so do persons of
one scene: exact intervals take them as independent and are then too short, so the bootstrap by scene stands beside
them. Where each scene has its own luck (alerts spread over scenes as an exponential law), « 95 % » is really 85 % for
the exact interval; for the one by scene 95 % with sixty scenes, 92 % with thirty, less with fewer.

References
----------
.. [1] Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28(3/4).
.. [2] Grother, Ngan & Hanaoka (2019), "Face Recognition Vendor Test part 3: demographic effects", NISTIR 8280.
.. [3] Hesterberg (2015), "What teachers should know about the bootstrap", The American Statistician 69(4).
.. [4] Korn & Graubard (1998), "Confidence intervals for proportions with small expected number of positive counts
   estimated from survey data", Survey Methodology 24(2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.video import BOX, LABEL, SITUATION, SUBJECT_ID, VISIBILITY, SceneTruth
from fairness._checks import check_choice, check_level, check_open_share
from fairness.clusters import cluster_rate_interval
from fairness.comparisons import poisson_ratio_interval
from fairness.concentration import gini
from fairness.groups import interval_columns
from fairness.multiplicity import holm
from fairness.rates import poisson_rate_interval, rate_interval, rule_of_three
from fairness.video_city import CityScale, city_scale, describe_city, street_rate

__all__ = [
    "EXPOSURE_COLUMNS",
    "SCENE",
    "CityScale",
    "VideoBurden",
    "city_scale",
    "describe_city",
    "disparity_test",
    "exposure_table",
    "street_rate",
    "video_burden",
]

Where = Literal["view", "zone"]
Wrong = Literal["no_harm", "rule_false", "all"]

SCENE: Final = "scene"
#: One row a person and scene: seconds in view, seconds with the feet in a zone.
EXPOSURE_COLUMNS: Final = (SCENE, SUBJECT_ID, SITUATION, "view_s", "zone_s")
_SECONDS: Final = 3_600.0


@dataclass(frozen=True, eq=False)
class VideoBurden:
    """Who carries the wrong alerts.

    Attributes
    ----------
    by_situation : DataFrame
        Index ``situation``. ``alerts``, ``person_h``; ``rate`` (wrong alerts per person-hour) with ``rate_low``,
        ``rate_high`` (exact Poisson), ``rate_scene_low``, ``rate_scene_high`` (bootstrap by scene) and
        ``rule_of_three`` (one-sided bound where there is no alert); ``stays``, ``stays_flagged``, ``p_flagged``
        (chance of at least one alert in one stay) with exact ``p_flagged_low``, ``p_flagged_high`` and, by scene,
        ``p_flagged_scene_low``, ``p_flagged_scene_high``; ``share_of_alerts``, ``share_of_person_h`` and their ratio
        ``representation`` with exact bounds (reading by count); ``ratio`` of rates to the reference situation with
        exact ``ratio_low``, ``ratio_high`` and ``ratio_scene_low``, ``ratio_scene_high`` (reading per hour). With no
        alert on the reference the ratio is not estimable; ``ratio_at_least`` still bounds it from below. Missing is not
        estimable.
    overall : DataFrame
        Index ``measure``: ``false_alerts_per_camera_hour``, ``false_alerts_per_person_hour``, ``share_on_nobody``,
        ``max_over_min``, ``max_over_geometric_mean``, ``gini``, with ``estimate``, ``low``, ``high``, ``estimable``,
        ``method``, ``n``.
    unplaced : DataFrame
        Wrong alerts with no person-hours to be counted over: ``alerts`` on ``nobody``, on ``everybody`` in a zone, on
        an ``object``, and, by hours in a zone, on someone who was never in one (``outside``).
    camera_h : float
    per_camera_hour : Interval
        Of the first line of ``overall``, for :func:`city_scale`.
    """

    by_situation: pd.DataFrame
    overall: pd.DataFrame
    unplaced: pd.DataFrame
    camera_h: float
    per_camera_hour: Interval


def exposure_table(truths: Mapping[str, SceneTruth], *, min_visibility: float = 0.0) -> pd.DataFrame:
    """Person-seconds of each person of each scene.

    Parameters
    ----------
    truths : mapping of str to SceneTruth
        Scene → its truth.
    min_visibility : float, default=0.0
        Frames in which less of a person can be seen are not counted.

    Returns
    -------
    DataFrame
        Columns of :data:`EXPOSURE_COLUMNS`. Objects are not people and are left out. ``zone_s``: feet in at least one
        zone, on the ground or on the image.
    """
    if not 0 <= min_visibility <= 1:
        raise bad_parameter(name="min_visibility", where="exposure_table", must="a share in [0, 1]", got=min_visibility)
    parts = []
    for scene, truth in truths.items():
        people = truth.frames[(truth.frames[LABEL] == "person") & (truth.frames[VISIBILITY] >= min_visibility)]
        inside = np.zeros(len(people), dtype=bool)
        boxes = people[list(BOX)].to_numpy(dtype=np.float64)
        feet = {
            "ground": people[[X_M, Y_M]].to_numpy(dtype=np.float64),
            "image": np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]]),
        }
        for zone in truth.meta.zones:
            inside |= zone.contains(feet[zone.plane])
        one = people[[SUBJECT_ID, SITUATION]].assign(view_s=1 / truth.meta.fps, zone_s=inside / truth.meta.fps)
        total = one.groupby([SUBJECT_ID, SITUATION], sort=True, as_index=False)[["view_s", "zone_s"]].sum()
        parts.append(total.assign(scene=scene))
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype="float64") for c in EXPOSURE_COLUMNS})
    return pd.concat(parts, ignore_index=True)[list(EXPOSURE_COLUMNS)]


def video_burden(
    *,
    alerts: pd.DataFrame,
    exposure: pd.DataFrame,
    camera_h: Mapping[str, float],
    reference: str = "passing",
    per: Where = "view",
    wrong: Wrong = "no_harm",
    level: float = 0.95,
    replicates: int = 500,
    rng: np.random.Generator | None = None,
) -> VideoBurden:
    """Count wrong alerts by situation, over the hours that people were in view, or in a zone.

    Parameters
    ----------
    alerts : DataFrame
        ``scene``, ``subject_id``, ``situation`` (``nobody`` and ``everybody`` for those about no one in particular);
        ``label``, if there are objects; ``harm`` and ``rule_true`` for the readings below.
    exposure : DataFrame
        Columns of :data:`EXPOSURE_COLUMNS`: everybody, alerted or not. One row is one stay.
    camera_h : mapping of str to float
        Scene → hours of video: every scene, those without alert too.
    reference : str, default="passing"
        Situation that the others are compared with.
    per : {"view", "zone"}, default="view"
        Which hours to divide by. Only those who had some count as stays.
    wrong : {"no_harm", "rule_false", "all"}, default="no_harm"
        What makes an alert wrong: nobody was doing harm (the condition of the rule may well have been met); the
        condition itself was not met; or all are counted.
    level : float, default=0.95
    replicates : int, default=500
        Draws of scenes with replacement.
    rng : Generator, optional
        Without it there are no intervals by scene.

    Returns
    -------
    VideoBurden

    Raises
    ------
    ParameterError
        If a choice is not one of those above.
    ContractError
        If a column is missing, a scene has no hours, or an alert is about someone who is not in ``exposure``.
    """
    where = "video_burden"
    check_level(level, where)
    check_choice(per, ("view", "zone"), where, name="per")
    check_choice(wrong, ("no_harm", "rule_false", "all"), where, name="wrong")
    _check_tables(alerts, exposure, camera_h, wrong)
    false = alerts[~_right(alerts, wrong)]
    people = exposure[exposure[f"{per}_s"] > 0].reset_index(drop=True)
    hours = people[f"{per}_s"].to_numpy(dtype=np.float64) / _SECONDS
    thing = (false[LABEL] == "object").to_numpy() if LABEL in false else np.zeros(len(false), dtype=bool)
    placed = (false[SUBJECT_ID] >= 0).to_numpy() & ~thing
    on_someone = false[placed]
    counted = on_someone.groupby([SCENE, SUBJECT_ID], sort=False).size()
    keys = pd.MultiIndex.from_frame(people[[SCENE, SUBJECT_ID]])
    if not counted.index.isin(pd.MultiIndex.from_frame(exposure[[SCENE, SUBJECT_ID]])).all():
        raise ContractError("An alert is about a person who is not in the table of exposure. Give everybody's time.")
    hits: FloatArray = np.asarray(counted.reindex(keys).fillna(0), dtype=np.float64)
    names = sorted(people[SITUATION].unique())
    code = pd.Categorical(people[SITUATION], categories=names).codes.astype(np.int64)
    scenes = list(camera_h)
    of = pd.Categorical(people[SCENE], categories=scenes).codes.astype(np.int64)
    events = _cube(hits, of, code, len(scenes), len(names))
    time = _cube(hours, of, code, len(scenes), len(names))
    draws = _draws(len(scenes), replicates, rng)
    table = _by_situation(events, time, names, reference, level, draws)
    flagged = _flagged(hits, of, code, names, level)
    on_what = false[SITUATION].where(~thing, "object")[~placed]
    unplaced = on_what.groupby(on_what).size().rename("alerts").to_frame()
    if len(on_someone) > hits.sum():
        unplaced.loc["outside", "alerts"] = len(on_someone) - int(hits.sum())
    unplaced = unplaced.sort_index().astype("int64")
    whole_h = float(sum(camera_h.values()))
    per_camera = poisson_rate_interval(events=len(false), exposure=whole_h, level=level)
    nobody = rate_interval(events=int((false[SITUATION] == "nobody").sum()), trials=len(false), level=level)
    overall = _overall(events, time, per_camera, nobody, level, draws)
    return VideoBurden(pd.concat([table, flagged], axis=1), overall, unplaced, whole_h, per_camera)


def disparity_test(*, events: npt.ArrayLike, exposure: npt.ArrayLike, alpha: float = 0.05) -> pd.DataFrame:
    """Test each situation against all others together: is its rate per hour another one?

    Parameters
    ----------
    events, exposure : array-like, shape (n_situations,)
        Alerts and person-hours. Count one alert a person at most where alerts of one person depend on each other.
    alpha : float, default=0.05
        Chance, over all situations together, of speaking when there is nothing.

    Returns
    -------
    DataFrame
        ``ratio`` to the others, ``p_value`` (exact, given the total), ``p_holm``, ``speaks``. Where a situation or the
        others have no hours, or there is no event, it stays silent (``p_value`` missing).

    Notes
    -----
    Null hypothesis: all rates are equal, events independent. Given the total, those of one situation are then binomial
    with its share of the hours; the smaller tail is doubled, and Holm's correction taken over situations.

    Examples
    --------
    >>> disparity_test(events=[10, 10], exposure=[1.0, 1.0])["speaks"].tolist()
    [False, False]
    """
    where = "disparity_test"
    check_open_share(alpha, "alpha", where)
    seen, hours = np.asarray(events, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    if seen.shape != hours.shape or seen.ndim != 1:
        raise bad_parameter(
            name="exposure", where=where, must="as long as `events`, both flat", got=(seen.shape, hours.shape)
        )
    if not bool(((seen >= 0) & (seen == np.floor(seen)) & (hours >= 0) & np.isfinite(hours)).all()):
        raise bad_parameter(
            name="events, exposure", where=where, must="counts and finite hours, none negative", got=(events, exposure)
        )
    total, whole = float(seen.sum()), float(hours.sum())
    known = (hours > 0) & (hours < whole) & (total > 0)
    share = np.divide(hours, whole, out=np.zeros(len(hours)), where=whole > 0)
    tails = np.minimum(stats.binom.cdf(seen, total, share), stats.binom.sf(seen - 1, total, share))
    p_value = np.where(known, np.minimum(1.0, 2 * tails), np.nan)
    corrected = np.full(len(seen), np.nan)
    if known.any():
        corrected[known] = holm(p_value[known])
    others = np.divide(total - seen, whole - hours, out=np.full(len(seen), np.nan), where=whole > hours)
    mine = np.divide(seen, hours, out=np.full(len(seen), np.nan), where=hours > 0)
    ratio = np.divide(mine, others, out=np.full(len(seen), np.nan), where=others > 0)
    speaks = np.nan_to_num(corrected, nan=1.0) <= alpha
    return pd.DataFrame({"ratio": ratio, "p_value": p_value, "p_holm": corrected, "speaks": speaks})


def _by_situation(
    events: FloatArray,
    time: FloatArray,
    names: list[str],
    reference: str,
    level: float,
    draws: npt.NDArray[np.int64],
) -> pd.DataFrame:
    seen, hours = events.sum(axis=0), time.sum(axis=0)
    index = pd.Index(names, name=SITUATION)
    rates = [
        poisson_rate_interval(events=int(k), exposure=float(h), level=level) for k, h in zip(seen, hours, strict=True)
    ]
    columns: dict[str, npt.NDArray[Any]] = {"alerts": seen.astype(np.int64), "person_h": hours} | _named(
        "rate", rates, index
    )
    drawn = _divide(draws @ events, draws @ time)
    columns |= _spread("rate", drawn, columns, len(events), level)
    columns["rule_of_three"] = np.array(
        [
            (rule_of_three(trials=float(h), level=level) or np.nan) if k == 0 else np.nan
            for k, h in zip(seen, hours, strict=True)
        ]
    )
    total, whole = int(seen.sum()), float(hours.sum())
    shares = [rate_interval(events=int(k), trials=total, level=level) for k in seen]
    part = _divide(hours, np.full(len(hours), whole))
    columns |= {"share_of_alerts": _column(shares, "estimate"), "share_of_person_h": part}
    columns["representation"] = _divide(_column(shares, "estimate"), part)
    for side in ("low", "high"):
        columns[f"representation_{side}"] = _divide(_column(shares, side), part)
    if reference in names:
        at = names.index(reference)
        ratios = [
            poisson_ratio_interval(
                events=int(seen[g]),
                exposure=float(hours[g]),
                other_events=int(seen[at]),
                other_exposure=float(hours[at]),
                level=level,
            )
            for g in range(len(names))
        ]
        columns |= _named("ratio", ratios, index)
        columns["ratio_at_least"] = _at_least(seen, hours, at, level)
        against = _divide(drawn, np.repeat(drawn[:, [at]], len(names), axis=1))
        columns |= _spread("ratio", against, columns, len(events), level)
    else:
        bounds = ("", "_low", "_high", "_at_least", "_scene_low", "_scene_high")
        columns |= {f"ratio{side}": np.full(len(names), np.nan) for side in bounds}
    return pd.DataFrame(columns, index=index)


def _at_least(seen: FloatArray, hours: FloatArray, at: int, level: float) -> FloatArray:
    """Exact lower bound of each ratio to the reference: finite even when the reference has no alert."""
    out = np.full(len(seen), np.nan)
    for g in np.flatnonzero((seen > 0) & (hours > 0) & (hours[at] > 0)):
        share = rate_interval(events=int(seen[g]), trials=int(seen[g] + seen[at]), level=level).low or 0.0
        out[g] = 1.0 if g == at else hours[at] / hours[g] * share / (1 - share)
    return out


def _flagged(
    hits: FloatArray,
    scene: npt.NDArray[np.int64],
    code: npt.NDArray[np.int64],
    names: list[str],
    level: float,
) -> pd.DataFrame:
    """Chance of at least one alert in one stay, with an exact interval and one by scene."""
    index, rows, by_scene, counts = pd.Index(names, name=SITUATION), [], [], []
    for g in range(len(names)):
        mine = code == g
        flag = (hits[mine] > 0).astype(np.int64)
        rows.append(rate_interval(events=int(flag.sum()), trials=len(flag), level=level))
        clustered = cluster_rate_interval(
            events=flag, trials=np.ones(len(flag), dtype=np.int64), clusters=scene[mine], level=level
        )
        by_scene.append(clustered.interval)
        counts.append((len(flag), int(flag.sum())))
    stays = pd.DataFrame(counts, columns=["stays", "stays_flagged"], index=index)
    bounds = {f"p_flagged_scene_{side}": _column(by_scene, side) for side in ("low", "high")}
    return stays.assign(**_named("p_flagged", rows, index), **bounds)


def _overall(
    events: FloatArray,
    time: FloatArray,
    per_camera: Interval,
    nobody: Interval,
    level: float,
    draws: npt.NDArray[np.int64],
) -> pd.DataFrame:
    seen, hours = events.sum(axis=0), time.sum(axis=0)
    found = {
        "false_alerts_per_camera_hour": per_camera,
        "false_alerts_per_person_hour": poisson_rate_interval(
            events=int(seen.sum()), exposure=float(hours.sum()), level=level
        ),
        "share_on_nobody": nobody,
    }
    summaries: dict[str, Callable[[FloatArray, FloatArray], float]] = {
        "max_over_min": _max_over_min,
        "max_over_geometric_mean": _max_over_geometric_mean,
        "gini": _gini,
    }
    for name, measure in summaries.items():
        value = measure(seen, hours)
        drawn = np.array([measure(w @ events, w @ time) for w in draws], dtype=np.float64)
        found[name] = _bootstrapped(value, drawn, n=len(events), level=level)
    index = pd.Index(found, name="measure")
    table = interval_columns(list(found.values()), index)
    return table.assign(n=[i.n for i in found.values()])


def _max_over_min(seen: FloatArray, hours: FloatArray) -> float:
    rate = seen[hours > 0] / hours[hours > 0]
    return float(rate.max() / rate.min()) if len(rate) and rate.min() > 0 else math.nan


def _max_over_geometric_mean(seen: FloatArray, hours: FloatArray) -> float:
    rate = seen[hours > 0] / hours[hours > 0]
    return float(rate.max() / np.exp(np.log(rate).mean())) if len(rate) and rate.min() > 0 else math.nan


def _gini(seen: FloatArray, hours: FloatArray) -> float:
    some = hours > 0
    return float(gini(seen[some], weights=hours[some])) if some.any() and seen[some].sum() > 0 else math.nan


def _bootstrapped(value: float, drawn: FloatArray, *, n: int, level: float) -> Interval:
    """Percentile interval; the estimate alone, exact in name only, is never given without one."""
    known = drawn[np.isfinite(drawn)]
    if not math.isfinite(value) or n < 2 or len(known) == 0 or 2 * len(known) < len(drawn):
        return Interval.not_estimable(n=n, method="scene-bootstrap", level=level)
    low, high = (float(v) for v in np.quantile(known, _tails(n, level)))
    return Interval(value, min(low, value), max(high, value), n, "scene-bootstrap", level)


def _spread(
    name: str, drawn: FloatArray, exact: Mapping[str, FloatArray], n_scenes: int, level: float
) -> dict[str, FloatArray]:
    """Bounds by scene of each situation, never inside the exact ones: scenes can only make it less certain.

    Missing where half of the draws, or more, had nothing to divide by.
    """
    size = drawn.shape[1]
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    for g in range(size):
        known = drawn[np.isfinite(drawn[:, g]), g]
        if len(known) and 2 * len(known) > len(drawn):
            low[g], high[g] = np.quantile(known, _tails(n_scenes, level))
            low[g] = np.fmin(low[g], exact[f"{name}_low"][g])
            high[g] = np.fmax(high[g], exact[f"{name}_high"][g])
    return {f"{name}_scene_low": low, f"{name}_scene_high": high}


def _tails(n_scenes: int, level: float) -> list[float]:
    """Quantiles of the draws to read: further out than the level says, since few scenes understate their own spread."""
    reach = float(stats.t.isf((1 - level) / 2, n_scenes - 1)) * math.sqrt(n_scenes / (n_scenes - 1))
    tail = float(stats.norm.sf(reach))
    return [tail, 1 - tail]


def _draws(n_scenes: int, replicates: int, rng: np.random.Generator | None) -> npt.NDArray[np.int64]:
    if rng is None or n_scenes < 2:
        return np.zeros((0, n_scenes), dtype=np.int64)
    return rng.multinomial(n_scenes, np.full(n_scenes, 1 / n_scenes), size=replicates).astype(np.int64)


def _cube(
    values: FloatArray, scene: npt.NDArray[np.int64], code: npt.NDArray[np.int64], n_scenes: int, n_situations: int
) -> FloatArray:
    flat = np.bincount(scene * n_situations + code, weights=values, minlength=n_scenes * n_situations)
    return flat.reshape(n_scenes, n_situations).astype(np.float64)


def _right(alerts: pd.DataFrame, wrong: Wrong) -> npt.NDArray[np.bool_]:
    if wrong == "all":
        return np.zeros(len(alerts), dtype=np.bool_)
    return alerts["harm" if wrong == "no_harm" else "rule_true"].to_numpy(dtype=np.bool_)


def _check_tables(alerts: pd.DataFrame, exposure: pd.DataFrame, camera_h: Mapping[str, float], wrong: Wrong) -> None:
    label = {"no_harm": ["harm"], "rule_false": ["rule_true"], "all": []}[wrong]
    for table, what, columns in (
        (alerts, "alerts", [SCENE, SUBJECT_ID, SITUATION, *label]),
        (exposure, "exposure", list(EXPOSURE_COLUMNS)),
    ):
        missing = [c for c in columns if c not in table]
        if missing:
            raise ContractError(
                f"The table of {what} lacks {', '.join(missing)}. It has: {', '.join(map(str, table))}."
            )
        strange = sorted(set(table[SCENE]) - set(camera_h), key=str)
        if strange:
            raise ContractError(
                f"Scene {strange[0]!r} of the {what} has no hours of camera. Give those of every scene."
            )
    if not all(math.isfinite(h) and h >= 0 for h in camera_h.values()):
        raise bad_parameter(name="camera_h", where="video_burden", must="finite and not negative", got=dict(camera_h))
    seconds = exposure[["view_s", "zone_s"]].to_numpy(dtype=np.float64)
    if not (np.isfinite(seconds) & (seconds >= 0)).all():
        raise ContractError("A time of exposure is negative or not finite.")
    if exposure.duplicated([SCENE, SUBJECT_ID]).any():
        raise ContractError("A person is twice in one scene of the table of exposure. Add up their time first.")


def _named(name: str, intervals: list[Interval], index: pd.Index) -> dict[str, FloatArray]:
    table = interval_columns(intervals, index)
    return {
        f"{name}{'' if side == 'estimate' else '_' + side}": table[side].to_numpy(dtype=np.float64)
        for side in ("estimate", "low", "high")
    }


def _column(intervals: list[Interval], side: str) -> FloatArray:
    return np.array([np.nan if getattr(i, side) is None else getattr(i, side) for i in intervals], dtype=np.float64)


def _divide(top: FloatArray, bottom: FloatArray) -> FloatArray:
    out: FloatArray = np.full(np.shape(top), np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out
