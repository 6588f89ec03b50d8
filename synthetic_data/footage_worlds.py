"""Footage with a red car in it: when it passes, what an index of vehicles kept, and how long people take to look.

A car passes a few times in front of some of the cameras, within the hours a witness gives. One person looks for it, in
two ways on the same draw: all the footage of those hours, at a faster speed, or the clips that a filter « red car » has
kept. Whoever looks notices less and less until the next break. A filter that missed every passage leaves the clips
without the car: the search then stops there, or starts again by hand.

What it cannot tell you: how fast any operator looks. Speeds, traffic and tiredness are stated, none was measured.

References
----------
.. [1] Mackworth (1948), "The breakdown of vigilance during prolonged visual search", Q. J. Exp. Psychol. 1(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Footage:
    """What is to be looked through.

    Attributes
    ----------
    cameras : int
        Cameras by which the car may have passed.
    window_h : float
        Hours the witness leaves open: the surer, the fewer.
    vehicles_per_camera_hour : float
    share_red : float
        Share of vehicles that are red cars, the one looked for left out.
    passages : int
        Times the car passes in front of one of the cameras.
    """

    cameras: int
    window_h: float
    vehicles_per_camera_hour: float
    share_red: float = 0.05
    passages: int = 3


@dataclass(frozen=True, slots=True)
class Looking:
    """How somebody looks.

    Attributes
    ----------
    review_speed : float
        Hours of footage looked through in an hour.
    clip_s : float
        Seconds per clip that a filter kept.
    setup_min : float
        Minutes to state the search and open the index.
    p_notice : float
        Chance to notice the car when rested.
    fatigue : float
        Hourly rate at which that chance falls towards ``p_tired``; 0: nobody tires.
    p_tired : float
        Chance to notice it that remains after hours without a break.
    break_h : float
        Hours between breaks, after which one is rested again.
    """

    review_speed: float = 4.0
    clip_s: float = 8.0
    setup_min: float = 2.0
    p_notice: float = 0.95
    fatigue: float = 0.0
    p_tired: float = 0.5
    break_h: float = 2.0


@dataclass(frozen=True, eq=False)
class Searches:
    """Searches for one car, by hand and by filter, on the same draws. Arrays of shape (n,).

    Attributes
    ----------
    manual_h, filter_h : ndarray
        Hours to the first sighting noticed, or to the end of what there is to look at.
    manual_found, filter_found : ndarray of bool
    again_h : ndarray
        Hours to look through all the footage after a filter that found nothing; 0 where it found.
    again_found : ndarray of bool
        Found in the end: by the filter, or by hand after it.
    clips : ndarray of int
        Clips the filter kept.
    clips_opened : ndarray of int
        Clips opened until the car was noticed, or until the last.
    """

    manual_h: FloatArray
    manual_found: BoolArray
    filter_h: FloatArray
    filter_found: BoolArray
    again_h: FloatArray
    again_found: BoolArray
    clips: IntArray
    clips_opened: IntArray


def p_notice(hours: npt.ArrayLike, *, looking: Looking) -> FloatArray:
    """Chance to notice the car after so many hours of looking, breaks taken.

    Examples
    --------
    >>> tired = Looking(fatigue=1.0, p_notice=0.9, p_tired=0.5, break_h=2.0)
    >>> p_notice([0.0, 1.0, 2.0], looking=tired).round(3).tolist()
    [0.9, 0.647, 0.9]
    """
    since = np.asarray(hours, dtype=np.float64) % looking.break_h
    floor = min(looking.p_tired, looking.p_notice)
    return np.asarray(floor + (looking.p_notice - floor) * np.exp(-looking.fatigue * since))


def search_footage(
    footage: Footage, looking: Looking, *, recall: float, false_positive: float, n: int, rng: np.random.Generator
) -> Searches:
    """Search ``n`` times, each for a car of its own, in both ways.

    Parameters
    ----------
    footage : Footage
    looking : Looking
    recall : float
        Chance that the filter keeps a red car, the one looked for or another, in [0, 1].
    false_positive : float
        Chance that it keeps another vehicle, in [0, 1].
    n : int
        At least 1.
    rng : numpy.random.Generator
        The passages and the luck of who looks depend on it alone: equal generators give the same cars to other filters.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    for name, value, ok, must in (
        ("cameras", footage.cameras, footage.cameras >= 1, "at least 1"),
        ("window_h", footage.window_h, footage.window_h > 0, "above 0"),
        ("passages", footage.passages, footage.passages >= 1, "at least 1"),
        ("share_red", footage.share_red, 0 <= footage.share_red <= 1, "a share in [0, 1]"),
        ("review_speed", looking.review_speed, looking.review_speed > 0, "above 0"),
        ("break_h", looking.break_h, looking.break_h > 0, "above 0"),
        ("recall", recall, 0 <= recall <= 1, "a share in [0, 1]"),
        ("false_positive", false_positive, 0 <= false_positive <= 1, "a share in [0, 1]"),
        ("n", n, n >= 1, "at least 1"),
    ):
        if not ok:
            raise bad_parameter(name=name, where="search_footage", must=must, got=value)
    shape = (n, footage.passages)
    place = np.sort(rng.random(shape), axis=1)  # where in the footage, or among the clips, looked at in one order
    by_hand, by_clip, by_hand_again, kept_luck = (rng.random(shape) for _ in range(4))
    footage_h = footage.cameras * footage.window_h
    whole_h = footage_h / looking.review_speed
    manual_h, manual_found = _first(place * whole_h, by_hand, end=whole_h, looking=looking)

    kept = kept_luck < recall
    vehicles = footage_h * footage.vehicles_per_camera_hour
    share = footage.share_red * recall + (1 - footage.share_red) * false_positive
    clips = rng.poisson(vehicles * share, n) + kept.sum(axis=1)
    before = np.floor(place * (clips - kept.sum(axis=1))[:, None]) + np.cumsum(kept, axis=1)
    clip_h = looking.clip_s / 3600
    at = np.where(kept, before * clip_h, np.inf)
    setup = looking.setup_min / 60
    spent, filter_found = _first(at, by_clip, end=clips * clip_h, looking=looking)
    filter_h = setup + spent
    # By hand after the filter: the same footage, another look, the hours already spent weigh on it.
    anew, found = _first(place * whole_h, by_hand_again, end=whole_h, looking=looking, spent=filter_h)
    return Searches(
        manual_h=manual_h, manual_found=manual_found, filter_h=filter_h, filter_found=filter_found,
        again_h=np.where(filter_found, 0.0, anew), again_found=filter_found | found,
        clips=clips.astype(np.int64), clips_opened=np.round(spent / clip_h).astype(np.int64),
    )  # fmt: skip


def _first(
    at: FloatArray, luck: FloatArray, *, end: npt.ArrayLike, looking: Looking, spent: npt.ArrayLike = 0.0
) -> tuple[FloatArray, BoolArray]:
    """Hours to the first passage noticed, and whether there was one; ``at`` is infinite where not shown."""
    shown = np.isfinite(at)
    hours = np.where(shown, at, 0.0) + np.asarray(spent)[..., None]
    noticed = shown & (luck < p_notice(hours, looking=looking))
    found: BoolArray = np.asarray(noticed.any(axis=1))
    which = noticed.argmax(axis=1)
    first = np.take_along_axis(np.where(shown, at, 0.0), which[:, None], axis=1)[:, 0]
    return np.where(found, first, np.asarray(end)), found
