"""E14. From eight hours to ten minutes: how long does it take to find a red car, by hand and through a filter?

The same cars are looked for in two ways on the same footage: all of it, at a faster speed, by somebody who tires; or
the clips that a filter has kept. Where the filter finds nothing the city has two policies: start again by hand, and the
time counts; or stop there, and the miss counts.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.intervals import mean_interval, paired_difference_interval, quantile_interval, rate_interval
from synthetic_data.footage_worlds import FloatArray, Footage, Looking, Searches, search_footage

ID: Final = "E14"
#: What is done when the filter finds nothing: look through everything by hand, or stop.
POLICIES: Final = ("by-hand-after", "filter-only")
#: Days of footage that are kept: what is looked through when the witness has no idea of the hour.
DAYS_KEPT: Final = 10
#: The two intervals of a ratio are made at this level, so that both hold together at 95 %.
_EACH: Final = 0.975


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E14.

    Attributes
    ----------
    cameras : tuple of int
        Cameras by which the car may have passed.
    windows_h : tuple of float
        Hours the witness leaves open; 240 is ten days, all that is kept.
    traffics : tuple of float
        Vehicles per camera and hour.
    recalls, false_positives : tuple of float
        Chances that the filter keeps a red car, and any other vehicle.
    passages : tuple of int
        Times the car passes in front of one of the cameras.
    fatigue : float
        Hourly rate at which attention falls, in the grid of all worlds; 0: nobody tires.
    other_fatigues : tuple of float
        Other rates, in the footage of the quotation alone: the fewest cameras, the middle window.
    share_red : float
        Share of vehicles that are other red cars.
    review_speed, clip_s, setup_min, p_notice, p_tired, break_h : float
        See :class:`synthetic_data.footage_worlds.Looking`.
    reps : int
        Searches per world. The same cars are looked for in every world.
    """

    cameras: tuple[int, ...] = (5, 50)
    windows_h: tuple[float, ...] = (2.0, 24.0, 240.0)
    traffics: tuple[float, ...] = (20.0, 200.0)
    recalls: tuple[float, ...] = (0.6, 0.9)
    false_positives: tuple[float, ...] = (0.002, 0.05)
    passages: tuple[int, ...] = (1, 3)
    fatigue: float = 1.0
    other_fatigues: tuple[float, ...] = (0.0, 2.0)
    share_red: float = 0.05
    review_speed: float = 4.0
    clip_s: float = 8.0
    setup_min: float = 2.0
    p_notice: float = 0.95
    p_tired: float = 0.5
    break_h: float = 2.0
    reps: int = 1_000

    @classmethod
    def quick(cls) -> Params:
        """A hundred and twenty-eight kinds of searches, a thousand cars each."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """A finer grid, ten thousand cars each."""
        return cls(
            cameras=(1, 5, 20, 50), windows_h=(0.5, 2.0, 24.0, 240.0), traffics=(5.0, 20.0, 60.0, 200.0, 600.0),
            recalls=(0.4, 0.6, 0.8, 0.9, 0.98), false_positives=(0.0, 0.002, 0.01, 0.05),
            passages=(1, 2, 3, 6), other_fatigues=(0.0, 0.5, 2.0), reps=10_000,
        )  # fmt: skip


_CARS: Final = Text(fr="recherches simulées", en="simulated searches")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("time_ratio", "ratio", Text(
            fr="Temps médian à la main sur temps médian par filtre, reprises à la main comprises",
            en="Median time by hand over median time by filter, searches started again by hand included"), _CARS),
    Measure("mean_time_ratio", "ratio", Text(
            fr="Temps moyen à la main sur temps moyen par filtre, reprises à la main comprises",
            en="Mean time by hand over mean time by filter, searches started again by hand included"), _CARS),
    Measure("miss_excess", "points", Text(
            fr="Voitures manquées par filtre, en plus de celles manquées à la main (différence de parts)",
            en="Cars missed by filter beyond those missed by hand (difference of shares)"), _CARS),
    Measure("manual_hours", "h", Text(fr="Temps médian à la main", en="Median time by hand"), _CARS),
    Measure("manual_miss", "share", Text(fr="Voitures manquées à la main", en="Cars missed by hand"), _CARS),
    Measure("filter_hours", "h", Text(fr="Temps médian par filtre, reprises à la main comprises",
            en="Median time by filter, searches started again by hand included"), _CARS),
    Measure("clips_opened", "count", Text(fr="Extraits ouverts avant de trouver ou de renoncer (médiane)",
            en="Clips opened before finding or giving up (median)"), _CARS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience ne dit pas à quelle vitesse un opérateur regarde, ni combien il se fatigue : ces nombres sont "
    "posés, et la fatigue varie d’un monde à l’autre. Le témoin ne se trompe ni de couleur, ni d’heure : il hésite "
    "seulement. Le filtre manque chaque passage à son tour, sans mémoire : s’il manque une voiture toute une nuit, le "
    "monde à un seul passage la décrit. Aucune autre voiture rouge n’est prise pour la bonne ; l’index est déjà fait, "
    "son calcul ne compte pas dans le temps. Aucun protocole n’accompagne le chiffre publié (huit heures, dix "
    "minutes).",
    en="The experiment does not say how fast an operator looks, nor how much he or she tires: these numbers are "
    "stated, and tiredness varies between worlds. The witness is never wrong about the colour or the hour, only "
    "unsure. The filter misses each passage in turn, without memory: if it misses a car all night, the world with a "
    "single passage describes it. No other red car is taken for the right one; the index is ready, and computing it "
    "takes no time here. No protocol comes with the published figure (eight hours, ten minutes).",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E14.

    Returns
    -------
    Outcome
        Results by ``cameras``, ``window_h``, ``fatigue``, ``passages``, ``traffic``, ``recall``, ``false_positive``
        and, for what depends on it, ``on_miss``; table ``e14_worlds``, a row per world and policy.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    cells = worlds_of(params)
    results: list[Result] = []
    work = Parallel(n_jobs=jobs, return_as="generator")(delayed(_world)(params, here, seed=seed) for here in cells)
    for done, found in enumerate(work, start=1):
        results += found
        progress("E14: worlds", done, len(cells))
    rows = [
        {**r.world, "measure": r.measure, "value": r.interval.estimate, "low": r.interval.low, "high": r.interval.high}
        for r in results
    ]
    return Outcome(results, {"e14_worlds": pd.DataFrame(rows)})


def worlds_of(params: Params) -> list[dict[str, Scalar]]:
    """Worlds of the grid, then those that differ by fatigue alone, in the footage of the quotation."""
    quoted = min(params.cameras), sorted(params.windows_h)[len(params.windows_h) // 2]
    tiring = [(n, w, params.fatigue) for n, w in product(params.cameras, params.windows_h)]
    tiring += [(*quoted, f) for f in params.other_fatigues if f != params.fatigue]
    filters = product(params.passages, params.traffics, params.recalls, params.false_positives)
    return [
        {"cameras": n, "window_h": w, "fatigue": f, "passages": k, "traffic": v, "recall": r, "false_positive": fp}
        for (n, w, f), (k, v, r, fp) in product(tiring, filters)
    ]


def draw(params: Params, here: dict[str, Scalar], *, seed: int) -> Searches:
    """Search for the cars of one world; the draws owe nothing to the world."""
    footage = Footage(
        cameras=int(here["cameras"]), window_h=float(here["window_h"]),
        vehicles_per_camera_hour=float(here["traffic"]), share_red=params.share_red, passages=int(here["passages"]),
    )  # fmt: skip
    looking = Looking(
        review_speed=params.review_speed, clip_s=params.clip_s, setup_min=params.setup_min, p_notice=params.p_notice,
        fatigue=float(here["fatigue"]), p_tired=params.p_tired, break_h=params.break_h,
    )  # fmt: skip
    return search_footage(
        footage, looking, recall=float(here["recall"]), false_positive=float(here["false_positive"]), n=params.reps,
        rng=stream(seed, ID, "cars"),
    )  # fmt: skip


def ratio_of_medians(over: FloatArray, under: FloatArray) -> Interval:
    """Ratio of two medians; the bounds are those of two order-statistics intervals that hold together.

    Not estimable where either median's interval is not, or where the lower one reaches 0.
    """
    return _ratio(quantile_interval(over, level=_EACH), quantile_interval(under, level=_EACH))


def _ratio(over: Interval, under: Interval) -> Interval:
    n, method = min(over.n, under.n), over.method
    if (
        over.estimate is None or over.low is None or over.high is None
        or under.estimate is None or under.low is None or under.high is None or under.low <= 0
    ):  # fmt: skip
        return Interval.not_estimable(n=n, method=method)
    return Interval(
        over.estimate / under.estimate, max(over.low, 0.0) / under.high, over.high / under.low, n, method
    )  # fmt: skip


def _world(params: Params, here: dict[str, Scalar], *, seed: int) -> list[Result]:
    found = draw(params, here, seed=seed)
    out: list[Result] = []

    def add(measure: str, world: dict[str, Scalar], interval: Interval) -> None:
        out.append(Result(ID, measure, world, interval, "e14_worlds"))

    plain = {k: here[k] for k in ("cameras", "window_h", "fatigue", "passages")}
    if here == _first_of(params, plain):  # by hand, no filter matters: said once
        add("manual_hours", plain, quantile_interval(found.manual_h))
        add("manual_miss", plain, _misses(found.manual_found))
    add("clips_opened", here, quantile_interval(found.clips_opened.astype(np.float64)))
    for policy in POLICIES:
        world = {**here, "on_miss": policy}
        again = policy == "by-hand-after"
        hours = found.filter_h + found.again_h if again else found.filter_h
        told = found.again_found if again else found.filter_found
        add("time_ratio", world, ratio_of_medians(found.manual_h, hours))
        if again:
            means = (mean_interval(x, level=_EACH) for x in (found.manual_h, hours))
            add("mean_time_ratio", world, _ratio(*means))
        add("filter_hours", world, quantile_interval(hours))
        add("miss_excess", world, _excess(found.manual_found, told))
    return out


def _first_of(params: Params, plain: dict[str, Scalar]) -> dict[str, Scalar]:
    """The first filter of the grid, in the footage given."""
    return {
        **plain, "traffic": params.traffics[0], "recall": params.recalls[0],
        "false_positive": params.false_positives[0],
    }  # fmt: skip


def _misses(found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Interval:
    return rate_interval(events=int((~found).sum()), trials=len(found))


def _excess(
    by_hand: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], told: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> Interval:
    """Share missed by filter minus share missed by hand, on the same cars."""
    return paired_difference_interval(
        both=int((~told & ~by_hand).sum()), first_only=int((~told & by_hand).sum()),
        second_only=int((told & ~by_hand).sum()), neither=int((told & by_hand).sum()),
    )  # fmt: skip


def _check(params: Params) -> None:
    for field in dataclasses.fields(params):
        value = getattr(params, field.name)
        if isinstance(value, tuple) and not value and field.name != "other_fatigues":
            raise bad_parameter(name=field.name, where=ID, must="at least one value", got=value)
    for name, ok, must in (
        ("reps", params.reps >= 20, "at least 20, for a median to have an interval"),
        ("windows_h", max(params.windows_h) <= 24 * DAYS_KEPT, f"at most {24 * DAYS_KEPT} hours, all that is kept"),
        ("setup_min", params.setup_min > 0, "above 0"),
        ("fatigue", params.fatigue >= 0, "at least 0"),
        ("other_fatigues", min(params.other_fatigues, default=0) >= 0, "at least 0"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
