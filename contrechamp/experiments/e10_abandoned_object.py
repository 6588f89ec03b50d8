"""E10. An object alone for more than T: how many alarms are bags left for good, how many are bags?

Bags are put down in a hall; most owners stay, some step away, a few of these never come back. Belongings of people who
sleep rough and things that nobody owns stand there as well. The crowd hides all of it, the more the denser. A rule that
is shipped reads the tracks of three machines: one that never errs, one with a long memory, one that forgets within
seconds. What the first gets wrong is owed to the rule, the rest to the machine.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.domain.video import FRAME, TRACK_ID, ClipMeta
from fairness.intervals import quantile_interval, rate_interval
from synthetic_data.bag_worlds import (
    ABANDONED,
    CAMERA,
    HORIZON_S,
    KINDS,
    Crowd,
    Episodes,
    draw_episodes,
    per_day,
    tracks_of,
)
from vsa.rules import configured
from vsa.rules.tracks import check_tracks

ID: Final = "E10"
PRESET: Final = "toulouse-120s"
#: Machine → seconds after which it forgets what it does not see; None: it sees everything and mixes up nobody.
MACHINES: Final[Mapping[str, float | None]] = {"perfect": None, "patient": 60.0, "ordinary": 15.0, "forgetful": 5.0}
#: Baselines by machine, where who can attend an object is not its owner: anybody near, or nobody (a fixed time).
_BASELINES: Final[Mapping[str, tuple[str, ...]]] = {"perfect": ("nobody",), "patient": ("anyone", "nobody")}


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E10.

    Attributes
    ----------
    densities : tuple of float
        Persons per square metre; 0.4 is a busy hall.
    thresholds_s : tuple of float
        T; ``main_threshold_s`` for the baselines, among them.
    p_gones : tuple of float
        Of those who step away from a bag, the share that never comes back.
    episodes : int
        Bags left for good drawn per density; as many of those whose owner returns, twice as many attended, half as many
        of the other kinds.
    fps, miss : float
        Of the machines that err: frames a second, share of frames in which a thing in plain view is missed.
    hours_per_day : float
    patrol_s : float
        Seconds between two looks of an operator at one camera; each look lasts ``look_s``.
    look_s : float
    grace_back_s : float
        Passing by for less than this is not attending, where anybody can attend.
    """

    densities: tuple[float, ...] = (0.02, 0.1, 0.4, 0.8)
    thresholds_s: tuple[float, ...] = (30.0, 60.0, 120.0, 300.0)
    main_threshold_s: float = 120.0
    p_gones: tuple[float, ...] = (0.02, 0.1, 0.3)
    episodes: int = 80
    fps: float = 1.0
    miss: float = 0.05
    hours_per_day: float = 16.0
    patrol_s: float = 1200.0
    look_s: float = 15.0
    grace_back_s: float = 10.0

    @classmethod
    def quick(cls) -> Params:
        """Four densities, four machines, eighty bags left for good in each."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Seven densities, eight hundred bags left for good in each."""
        return cls(
            densities=(0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8), thresholds_s=(30.0, 60.0, 120.0, 300.0),
            p_gones=(0.005, 0.02, 0.05, 0.1, 0.3, 0.6), episodes=800,
        )  # fmt: skip


_LEFT: Final = Text(fr="sacs laissés pour de bon tirés", en="bags left for good drawn")
_GIVEN: Final = Text(fr="calcul sur des valeurs posées", en="arithmetic on stated values")
_EPISODES: Final = Text(fr="objets tirés", en="objects drawn")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("precision", "share", Text(fr="Part des objets signalés dont le propriétaire est parti pour de bon",
            en="Share of flagged objects whose owner is gone for good"), _EPISODES),
    Measure("recall", "share", Text(fr="Part des sacs laissés pour de bon qui sont signalés",
            en="Share of bags left for good that are flagged"), _LEFT),
    Measure("time_to_alarm", "min", Text(fr="Minutes entre le départ du propriétaire et l’alarme (médiane)",
            en="Minutes from the owner’s leaving to the alarm (median)"), _LEFT),
    Measure("alarms_per_camera_day", "per_day", Text(fr="Alarmes par caméra et par jour",
            en="Alarms per camera and day"), _EPISODES),
    Measure("alarmed", "share", Text(fr="Part des objets signalés à tort", en="Share of objects wrongly flagged"),
            _EPISODES),
    Measure("share_of_false", "share", Text(fr="Part des objets signalés à tort, par sorte",
            en="Share of wrongly flagged objects, by kind"), _EPISODES),
    Measure("share_of_objects", "share", Text(fr="Part de tous les objets immobiles",
            en="Share of all static objects"), _GIVEN),
    Measure("precision_patrol", "share", Text(fr="Précision d’un opérateur qui fait le tour des écrans",
            en="Precision of an operator who goes round the screens"), _EPISODES),
    Measure("recall_patrol", "share", Text(fr="Rappel d’un opérateur qui fait le tour des écrans",
            en="Recall of an operator who goes round the screens"), _LEFT),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="Combien de sacs sont posés, combien de temps leurs propriétaires s’éloignent et combien ne reviennent pas sont "
    "des hypothèses énoncées : la précision en dépend, et c’est pourquoi elle est donnée pour plusieurs parts. « Parti "
    "pour de bon » n’est pas « menace » : on laisse un sac par oubli aussi, et l’expérience ne contient aucune "
    "menace. La foule est une moyenne qui passe et stationne au hasard ; les machines sont des réglages "
    "(mémoire, manques, confusions), non un produit. L’opérateur de la ronde ne se trompe pas et ne se lasse pas.",
    en="How many bags are put down, how long owners step away and how many never return are stated assumptions: "
    "precision depends on them, and is therefore given for several shares. “Gone for good” is not “threat”: "
    "bags are left by oversight too, and the experiment contains no threat. The crowd is an average that passes and "
    "stands at random; the machines are settings (memory, misses, mix-ups), not a product. The operator on the round "
    "neither errs nor tires.",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rule did to each episode.

    Attributes
    ----------
    right : ndarray of bool, shape (n_episodes,)
        An alarm after the owner has gone, on a bag left for good.
    wrong : ndarray of bool
        Alarms, none of them right.
    alarms : ndarray of int64
    delay_s : ndarray of float
        From the owner's leaving to the first right alarm; inf without one.
    """

    right: npt.NDArray[np.bool_]
    wrong: npt.NDArray[np.bool_]
    alarms: npt.NDArray[np.int64]
    delay_s: FloatArray


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E10.

    Returns
    -------
    Outcome
        Results by ``density``, ``machine``, ``attended_by``, ``T_s`` and, where it matters, ``p_gone`` or ``kind``;
        table ``e10_kinds``: what was drawn and flagged of each kind.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    cells = list(product(params.densities, MACHINES))
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_cell)(params, density, machine, seed=seed) for density, machine in cells
    )
    results: list[Result] = []
    tables: list[pd.DataFrame] = []
    for done, (found, table) in enumerate(work, start=1):
        results += found
        tables.append(table)
        progress("E10: worlds", done, len(cells))
    return Outcome(results, {"e10_kinds": pd.concat(tables, ignore_index=True)})


def judge_alarms(episodes: Episodes, alarms: pd.DataFrame, of: pd.DataFrame) -> Judged:
    """Give alarms to their episodes, and say which are right.

    Parameters
    ----------
    episodes : Episodes
    alarms : DataFrame
        With ``track_id`` and ``t_alert_s``, on tracks of objects.
    of : DataFrame
        As returned by :func:`synthetic_data.bag_worlds.tracks_of`.
    """
    n = len(episodes.objects)
    joined = alarms[[TRACK_ID, "t_alert_s"]].merge(of, on=TRACK_ID, how="inner")
    which = joined["episode"].to_numpy(np.int64)
    since = joined["t_alert_s"].to_numpy() - joined["begins_s"].to_numpy()
    gone = episodes.objects["gone_s"].to_numpy()
    left = (episodes.objects["kind"] == ABANDONED).to_numpy()
    good = left[which] & (since >= gone[which] - 1e-9)
    delay = np.full(n, math.inf)
    np.minimum.at(delay, which[good], (since - gone[which])[good])
    count = np.bincount(which, minlength=n).astype(np.int64)
    right = np.isfinite(delay)
    return Judged(right, (count > 0) & ~right, count, delay)


def mixed_precision(
    *, right: Mapping[str, int], wrong: Mapping[str, int], drawn: Mapping[str, int], rates: Mapping[str, float],
    level: float = 0.95,
) -> Interval:  # fmt: skip
    """Precision of alarms when kinds of object, drawn in other numbers, occur at given rates.

    Each kind's share is bounded by Clopper and Pearson at a level that holds for all kinds together (Bonferroni): the
    low bound joins the fewest right with the most wrong. Not estimable where nothing at all was flagged.
    """
    method, n = "clopper-pearson, kinds joined", sum(drawn.values())
    strict = 1 - (1 - level) / (len(drawn) + 1)

    def bounds(events: int, trials: int) -> tuple[float, float, float]:
        found = rate_interval(events=events, trials=trials, level=strict)
        assert found.estimate is not None and found.low is not None and found.high is not None
        return found.estimate, found.low, found.high

    good = bounds(right[ABANDONED], drawn[ABANDONED])
    bad = [bounds(wrong[k], drawn[k]) for k in drawn]
    top = [rates[ABANDONED] * g for g in good]
    base = [sum(rates[k] * b[i] for k, b in zip(drawn, bad, strict=True)) for i in range(3)]
    if top[0] + base[0] <= 0:
        return Interval.not_estimable(n=n, method=method, level=level)
    value = top[0] / (top[0] + base[0])
    low = top[1] / (top[1] + base[2]) if top[1] + base[2] > 0 else 0.0
    high = top[2] / (top[2] + base[1])
    return Interval(value, min(low, value), max(high, value), n, method, level)


def patrol(episodes: Episodes, *, every_s: float, look_s: float, rng: np.random.Generator) -> Judged:
    """An operator who looks for ``look_s`` every ``every_s`` and reports an object seen without its owner.

    The operator knows an owner at once, looks only at what shows through the crowd, and takes whatever stands without
    anybody for abandoned.
    """
    objects = episodes.objects
    n, frames = episodes.seen.shape
    gone, back, life = (objects[c].to_numpy() for c in ("gone_s", "back_s", "life_s"))
    first = np.asarray(rng.uniform(0.0, every_s, n))
    right, wrong = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    delay = np.full(n, math.inf)
    left = (objects["kind"] == ABANDONED).to_numpy()
    times = np.arange(frames) / episodes.fps
    for look in range(math.ceil(frames / episodes.fps / every_s) + 1):
        start = (first + look * every_s)[:, None]
        alone = (times >= np.maximum(start, gone[:, None])) & (times < np.minimum(start + look_s, back[:, None]))
        seen = alone & episodes.seen & (times < life[:, None])
        hit = seen.any(axis=1)
        at = times[seen.argmax(axis=1)]
        delay = np.where(hit & left, np.minimum(delay, at - gone), delay)
        right |= hit & left
        wrong |= hit & ~left
    return Judged(right, wrong, (right | wrong).astype(np.int64), delay)


def _cell(params: Params, density: float, machine: str, *, seed: int) -> tuple[list[Result], pd.DataFrame]:
    memory = MACHINES[machine]
    counts = {"attended": 2 * params.episodes, "returns": params.episodes, "left": params.episodes,
              "belongings": max(params.episodes // 2, 1), "furniture": max(params.episodes // 2, 1)}  # fmt: skip
    episodes = draw_episodes(
        counts=counts, density=density if memory else 0.0, miss=params.miss if memory else 0.0, fps=params.fps,
        rng=stream(seed, ID, "episodes", str(density)),
    )  # fmt: skip
    results: list[Result] = []
    rows: list[dict[str, Any]] = []
    for guard in ("owner", *_BASELINES.get(machine, ())):
        crowd: Crowd = "all" if guard == "anyone" else "appearing"
        tracks, of = tracks_of(
            episodes, memory_s=memory or HORIZON_S, density=density, switching=memory is not None, crowd=crowd,
            rng=stream(seed, ID, "tracks", str(density), machine),
        )  # fmt: skip
        meta = ClipMeta("e10", params.fps, int(tracks[FRAME].max()) + 1, CAMERA)
        checked = check_tracks(tracks, meta)
        for threshold in params.thresholds_s if guard == "owner" else (params.main_threshold_s,):
            rule = configured(
                PRESET, unattended_s=threshold, grace_lost_s=memory or 2.0 / params.fps,
                attended_by="owner" if guard == "nobody" else guard,
                grace_back_s=params.grace_back_s if guard == "anyone" else 0.0,
                # Without a test of the owner, nobody is ever near enough to attend it.
                **({"leave_radius_m": 1e-6, "owner_radius_m": 1e-6} if guard == "nobody" else {}),
            )  # fmt: skip
            found = judge_alarms(episodes, rule.run(checked, meta, (), PRESET).table, of)
            world: dict[str, Scalar] = {"density": density, "machine": machine, "attended_by": guard,
                                        "T_s": threshold}  # fmt: skip
            results += _told(params, world, episodes, found)
            rows += _rows(world, episodes, found)
    if machine == "patient":
        looks = patrol(episodes, every_s=params.patrol_s, look_s=params.look_s, rng=stream(seed, ID, "patrol"))
        results += _patrolled(params, density, episodes, looks)
    return results, pd.DataFrame(rows)


def _told(params: Params, world: dict[str, Scalar], episodes: Episodes, found: Judged) -> list[Result]:
    kind = episodes.objects["kind"].to_numpy()
    right, wrong, drawn = (_by_kind(kind, v) for v in (found.right, found.wrong, np.ones(len(kind))))
    left = kind == ABANDONED
    recall = rate_interval(events=right[ABANDONED], trials=drawn[ABANDONED])
    minutes = found.delay_s[left] / 60.0
    out = [Result(ID, "time_to_alarm", world, quantile_interval(minutes), "e10_kinds")]
    for name in KINDS:
        if name != ABANDONED:
            here = {**world, "kind": name}
            out.append(Result(ID, "alarmed", here, rate_interval(events=wrong[name], trials=drawn[name]), "e10_kinds"))
    for p_gone in params.p_gones:
        rates = per_day(density=float(world["density"]), p_gone=p_gone, hours_per_day=params.hours_per_day)
        here = {**world, "p_gone": p_gone}
        precision = mixed_precision(right=right, wrong=wrong, drawn=drawn, rates=rates)
        out += [Result(ID, "precision", here, precision, "e10_kinds"), Result(ID, "recall", here, recall, "e10_kinds"),
                Result(ID, "alarms_per_camera_day", here, _daily(found.alarms, kind, rates), "e10_kinds")]  # fmt: skip
        if world["attended_by"] != "owner" or world["T_s"] != params.main_threshold_s:
            continue
        false = {k: rates[k] * wrong[k] / drawn[k] for k in KINDS}
        total, everything = sum(false.values()), sum(rates.values())
        for name in KINDS:
            share = Interval.not_estimable(n=drawn[name]) if total <= 0 else _share(name, wrong, drawn, rates)
            out += [Result(ID, "share_of_false", {**here, "kind": name}, share, "e10_kinds"),
                    Result(ID, "share_of_objects", {**here, "kind": name},
                           Interval.exact(rates[name] / everything))]  # fmt: skip
    return out


def _patrolled(params: Params, density: float, episodes: Episodes, looks: Judged) -> list[Result]:
    kind = episodes.objects["kind"].to_numpy()
    right, wrong, drawn = (_by_kind(kind, v) for v in (looks.right, looks.wrong, np.ones(len(kind))))
    out = []
    for p_gone in params.p_gones:
        rates = per_day(density=density, p_gone=p_gone, hours_per_day=params.hours_per_day)
        world: dict[str, Scalar] = {"density": density, "p_gone": p_gone}
        precision = mixed_precision(right=right, wrong=wrong, drawn=drawn, rates=rates)
        recall = rate_interval(events=right[ABANDONED], trials=drawn[ABANDONED])
        out += [Result(ID, "precision_patrol", world, precision, "e10_kinds"),
                Result(ID, "recall_patrol", world, recall, "e10_kinds")]  # fmt: skip
    return out


def _by_kind(kind: Any, values: Any) -> dict[str, int]:
    return {k: int(np.asarray(values)[kind == k].sum()) for k in KINDS}


def _daily(alarms: npt.NDArray[np.int64], kind: Any, rates: Mapping[str, float], level: float = 0.95) -> Interval:
    """Alarms in a day: means by kind weighted by how often each occurs, with a normal interval of that sum."""
    value, variance = 0.0, 0.0
    for name in KINDS:
        own = alarms[kind == name].astype(np.float64)
        value += rates[name] * float(own.mean())
        # At least the spread that one more alarm than seen would give: no kind is silent for certain.
        spread = max(float(own.var(ddof=1)) if len(own) > 1 else 0.0, 1.0 / len(own))
        variance += rates[name] ** 2 * spread / len(own)
    reach = float(stats.norm.isf((1 - level) / 2)) * math.sqrt(variance)
    return Interval(value, max(value - reach, 0.0), value + reach, len(alarms), "normal", level)


def _share(
    name: str, wrong: Mapping[str, int], drawn: Mapping[str, int], rates: Mapping[str, float], level: float = 0.95
) -> Interval:
    """Share of a kind among wrong alarms, bounded as :func:`mixed_precision`."""
    strict = 1 - (1 - level) / len(drawn)
    found = {k: rate_interval(events=wrong[k], trials=drawn[k], level=strict) for k in drawn}

    def part(kind: str, bound: str) -> float:
        return rates[kind] * float(getattr(found[kind], bound))

    others = [k for k in drawn if k != name]
    whole = sum(part(k, "estimate") for k in drawn)
    value = part(name, "estimate") / whole
    low_den = part(name, "low") + sum(part(k, "high") for k in others)
    high_den = part(name, "high") + sum(part(k, "low") for k in others)
    low = part(name, "low") / low_den if low_den > 0 else 0.0
    high = part(name, "high") / high_den if high_den > 0 else 1.0
    return Interval(
        value, min(low, value), max(high, value), sum(drawn.values()), "clopper-pearson, kinds joined", level
    )


def _rows(world: Mapping[str, Scalar], episodes: Episodes, found: Judged) -> list[dict[str, Any]]:
    kind = episodes.objects["kind"].to_numpy()
    return [
        {**world, "kind": k, "drawn": int((kind == k).sum()), "right": int(found.right[kind == k].sum()),
         "wrong": int(found.wrong[kind == k].sum()), "alarms": int(found.alarms[kind == k].sum())}
        for k in KINDS
    ]  # fmt: skip


def _check(params: Params) -> None:
    for name, ok, must in (
        ("densities", bool(params.densities) and min(params.densities) > 0, "at least one density above 0"),
        ("thresholds_s", bool(params.thresholds_s) and min(params.thresholds_s) > 0, "at least one time above 0"),
        ("main_threshold_s", params.main_threshold_s in params.thresholds_s, "among `thresholds_s`"),
        ("fps", params.fps > 0, "above 0"),
        ("grace_back_s", params.grace_back_s >= 0, "at least 0"),
        ("p_gones", bool(params.p_gones) and all(0 < p < 1 for p in params.p_gones), "shares in (0, 1)"),
        ("episodes", params.episodes >= 2, "at least 2"),
        ("miss", 0 <= params.miss < 1, "a share in [0, 1)"),
        ("patrol_s", params.patrol_s > params.look_s > 0, "above `look_s`, both above 0"),
        ("hours_per_day", 0 < params.hours_per_day <= 24, "in (0, 24]"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
