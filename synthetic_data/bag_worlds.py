"""Bags put down in a hall: how long, with whom beside them, and what a camera sees of them through a crowd.

Objects of five kinds stand still: bags whose owner stays beside them; bags whose owner steps away and comes back; bags
left for good; the belongings of somebody who sleeps rough and goes away for a while; furniture, parcels and reflections
that nobody owns. People walk and stand between the camera and the floor, the more the denser: an object is then unseen,
a tracker forgets it after a while and takes it up again under another number, and mixes up who stands beside it.

As many episodes are drawn of each kind; how often each kind occurs is stated apart (:func:`per_day`), so that one draw
serves every mixture.

The geometry of hiding: a camera at height h sees the foot of an object at distance D unless somebody of height H stands
within ``D (H - z) / (h - z)`` before it, on a strip as wide as a body and the object. With a density of persons that
come and go independently, the number of them on the strip is a Poisson number, hence the share of time an object shows,
``exp(-density * area)``.

What it cannot tell you: how often anybody leaves a bag anywhere. The laws are assumptions. Nobody in the crowd avoids
the object, and the crowd does not thin out around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.video import BOX, FRAME, LABEL, SCORE, T_S, TRACK_COLUMNS, TRACK_ID, Camera, as_table

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Crowd = Literal["appearing", "all"]

#: Kinds of object, in the order of every table here.
KINDS: Final = ("attended", "returns", "left", "belongings", "furniture")
#: What the alarm is for: the owner is gone for good.
ABANDONED: Final = "left"

#: Bags put down in an hour, per person and square metre of the crowd.
BAGS_PER_DENSITY_H: Final = 100.0
#: Share of bags whose owner steps away, for good or not.
P_STEPS_AWAY: Final = 0.15
#: Absences of a rough sleeper from belongings, and new objects without an owner, per hour.
BELONGINGS_PER_H: Final = 0.1
FURNITURE_PER_H: Final = 0.3

#: Time beside the bag, absence, absence from belongings: median (s) and spread (log).
BESIDE: Final = (180.0, 0.9)
ABSENCE: Final = (60.0, 1.0)
LONG_ABSENCE: Final = (900.0, 0.7)
#: Seconds after the owner has gone (or the object has come) at which an episode ends.
HORIZON_S: Final = 480.0
#: Nobody is given longer beside a bag than this before leaving it, seconds.
_BESIDE_CAP_S: Final = 300.0
#: The owner is gone from here on, metres; that far and farther somebody is seen no more beside the bag.
AWAY_M: Final = 3.0

CAMERA: Final = Camera(width_px=1280, height_px=720, focal_px=900.0, height_m=4.5, pitch_deg=18.0)
_AT: Final = (0.0, 12.0)
_BODY_M: Final = (1.7, 0.45)
_BAG_M: Final = (0.35, 0.4)
#: Of the crowd, the share that stands; seconds for which a walker and a stander hide something.
STANDING: Final = 0.2
WALKER_S: Final = 1.0
STANDER_S: Final = 45.0
#: Chance per second, per person and square metre, that a tracker gives the owner another number.
SWITCHES_PER_S: Final = 0.02
OWNER_SPEED_M_S: Final = 1.3
_ARM_M: Final = 0.6
#: Nobody of the crowd walks nearer to an object than the first; nobody farther than the second decides anything.
_KEEPS_M: Final = 0.8
_PASSES_M: Final = 4.0


@dataclass(frozen=True, slots=True)
class Episodes:
    """Objects, their owners, and when each could be seen.

    Attributes
    ----------
    objects : DataFrame
        One row an episode: ``kind``; ``gone_s``, from the first frame until the owner is away (inf: never; 0: nobody
        owns it); ``back_s``, until the return (inf: none); ``life_s``, until the object goes or the episode ends.
    seen : ndarray of bool, shape (n_episodes, n_frames)
        Whether the object is seen at each frame; False after its life.
    owner_seen : ndarray of bool, shape (n_episodes, n_frames)
    fps : float
    """

    objects: pd.DataFrame
    seen: BoolArray
    owner_seen: BoolArray
    fps: float


def hidden_area_m2(*, height_m: float, camera_height_m: float = CAMERA.height_m, distance_m: float = _AT[1]) -> float:
    """Ground on which a person hides a thing of ``height_m``: the strip before it, in square metres.

    Examples
    --------
    >>> round(hidden_area_m2(height_m=0.35), 2)
    3.32
    """
    reach = distance_m * (_BODY_M[0] - height_m) / (camera_height_m - height_m)
    return max(reach, 0.0) * (_BODY_M[1] + _BAG_M[1])


def per_day(*, density: float, p_gone: float, hours_per_day: float) -> Mapping[str, float]:
    """Episodes of each kind in a day of one camera.

    Parameters
    ----------
    density : float
        Persons per square metre: the more people, the more bags.
    p_gone : float
        Share of owners who step away that never come back.
    hours_per_day : float
    """
    bags = BAGS_PER_DENSITY_H * density * hours_per_day
    return {
        "attended": bags * (1 - P_STEPS_AWAY),
        "returns": bags * P_STEPS_AWAY * (1 - p_gone),
        "left": bags * P_STEPS_AWAY * p_gone,
        "belongings": BELONGINGS_PER_H * hours_per_day,
        "furniture": FURNITURE_PER_H * hours_per_day,
    }


def draw_episodes(
    *, counts: Mapping[str, int], density: float, miss: float, fps: float, rng: np.random.Generator
) -> Episodes:
    """Draw episodes of each kind, and what a detector sees of them.

    Parameters
    ----------
    counts : mapping of str to int
        Episodes of each of :data:`KINDS`.
    density : float
        Persons per square metre, at least 0; 0 hides nothing.
    miss : float
        Share of frames in which the detector misses an object in plain view, each frame on its own.
    fps : float
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a number is out of range.
    """
    where = "draw_episodes"
    if set(counts) != set(KINDS) or min(counts.values()) < 1 or not fps > 0:
        raise bad_parameter(name="counts, fps", where=where, must=f"at least 1 of each of {', '.join(KINDS)}, above 0",
                            got=(dict(counts), fps))  # fmt: skip
    if not (density >= 0 and 0 <= miss < 1):
        raise bad_parameter(name="density, miss", where=where, must="at least 0, and in [0, 1)", got=(density, miss))
    kind = np.repeat(np.arange(len(KINDS)), [counts[k] for k in KINDS])
    n = len(kind)

    def law(median: float, spread: float) -> FloatArray:
        return np.asarray(median * np.exp(spread * rng.standard_normal(n)))

    beside, absence, long_absence = law(*BESIDE), law(*ABSENCE), law(*LONG_ABSENCE)
    owned = kind != KINDS.index("furniture")
    stays = kind == KINDS.index("attended")
    returns, rough = kind == KINDS.index("returns"), kind == KINDS.index("belongings")
    gone = np.where(owned, np.minimum(beside, _BESIDE_CAP_S), 0.0)
    away = np.where(returns, absence, np.where(rough, long_absence, np.inf))
    life = np.where(stays, gone, gone + np.minimum(away, HORIZON_S))
    objects = pd.DataFrame(
        {
            "kind": pd.Categorical.from_codes(kind, categories=pd.Index(KINDS)),
            "gone_s": np.where(stays, np.inf, gone),
            "back_s": np.where(stays, np.inf, gone + away),
            "life_s": life,
        }
    )
    frames = int(np.ceil(life.max() * fps)) + 1
    times = np.arange(frames) / fps
    alive = times < life[:, None]
    crowd = density * hidden_area_m2(height_m=_BAG_M[0])
    clear = _nobody(crowd, shape=(n, frames), fps=fps, rng=rng)
    seen = alive & clear & (rng.random((n, frames)) >= miss)
    # The owner's head shows over the crowd longer than a bag does.
    head = density * hidden_area_m2(height_m=0.8 * _BODY_M[0])
    there = owned[:, None] & alive & (times < np.where(stays, life, gone)[:, None])
    owner = there & _nobody(head, shape=(n, frames), fps=fps, rng=rng) & (rng.random((n, frames)) >= miss)
    return Episodes(objects, seen, owner, fps)


def _nobody(expected: float, *, shape: tuple[int, int], fps: float, rng: np.random.Generator) -> BoolArray:
    """Frames in which nobody stands in between: two stationary Poisson crowds that come and go, one slow."""
    n, frames = shape
    out = np.ones(shape, dtype=np.bool_)
    for share, lasts in ((1 - STANDING, WALKER_S), (STANDING, STANDER_S)):
        mean, stay = expected * share, float(np.exp(-1.0 / (fps * lasts)))
        now = rng.poisson(mean, n)
        for frame in range(frames):
            out[:, frame] &= now == 0
            now = rng.binomial(now, stay) + rng.poisson(mean * (1 - stay), n)
    return out


def tracks_of(
    episodes: Episodes, *, memory_s: float, density: float, switching: bool, crowd: Crowd, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a tracker that forgets after ``memory_s`` says of the episodes, one after the other in time.

    Parameters
    ----------
    episodes : Episodes
    memory_s : float
        Unseen for longer, an object or an owner comes back under another number.
    density : float
        Of the crowd: for mix-ups of the owner and for who passes beside the object.
    switching : bool
        Whether the tracker mixes up owners.
    crowd : {"appearing", "all"}
        At which frames the nearest of the passers-by is given: while an object first appears under a number, when a
        rule looks for its owner, or always. The others are farther, and decide nothing.
    rng : numpy.random.Generator

    Returns
    -------
    tracks : DataFrame
        Columns of :data:`contrechamp.domain.video.TRACK_COLUMNS`.
    of : DataFrame
        ``track_id``, ``episode``, ``begins_s`` (time of the episode's first frame), one row a track of an object.
    """
    n, frames = episodes.seen.shape
    offset = np.arange(n) * (frames + int(np.ceil(60 * episodes.fps)))
    episode, frame = np.nonzero(episodes.seen)
    things = _numbered(episode, frame, limit_s=memory_s, fps=episodes.fps, chance=0.0, rng=rng)
    appears = np.append(True, things[1:] != things[:-1]) if len(things) else np.zeros(0, dtype=bool)
    rows = [_table("object", episode, frame, offset, things, episodes, beside_m=0.0)]
    of = pd.DataFrame({TRACK_ID: things[appears], "episode": episode[appears]})
    next_id = int(things[-1]) + 1 if len(things) else 0
    chance = SWITCHES_PER_S * density if switching else 0.0
    who, when = np.nonzero(episodes.owner_seen)
    owners = next_id + _numbered(who, when, limit_s=memory_s, fps=episodes.fps, chance=chance, rng=rng)
    rows.append(_table("person", who, when, offset, owners, episodes, beside_m=_walking(episodes, who, when)))
    next_id = int(owners[-1]) + 1 if len(owners) else next_id
    if crowd == "all":
        times = np.arange(frames) / episodes.fps
        there = times < episodes.objects["life_s"].to_numpy()[:, None]
    else:
        there = np.zeros((n, frames), dtype=np.bool_)
        for later in range(int(np.ceil(episodes.fps)) + 1):
            there[episode[appears], np.minimum(frame[appears] + later, frames - 1)] = True
    place, at = np.nonzero(there)
    # Distance of the nearest of a Poisson crowd; whoever is nearest is so for about two seconds.
    block = np.floor(at / (2 * episodes.fps)).astype(np.int64)
    ids, nth = np.unique(place * (frames + 1) + block, return_inverse=True)
    far = np.maximum(np.sqrt(rng.exponential(1.0, len(ids)) / (np.pi * max(density, 1e-9))), _KEEPS_M)[nth]
    near = far <= _PASSES_M
    rows.append(
        _table("person", place[near], at[near], offset, next_id + nth[near], episodes, beside_m=far[near], side=-1.0)
    )
    table = pd.concat(rows).sort_values([FRAME, TRACK_ID], kind="stable")
    return as_table(table, TRACK_COLUMNS, what="tracks"), of.assign(begins_s=offset[of["episode"]] / episodes.fps)


def _numbered(
    episode: IntArray, frame: IntArray, *, limit_s: float, fps: float, chance: float, rng: np.random.Generator
) -> IntArray:
    """Track numbers from 0: a new one for each episode, after each gap longer than the limit, and by mix-up."""
    if not len(episode):
        return np.zeros(0, dtype=np.int64)
    gap = np.append(0, np.diff(frame)) / fps
    first = np.append(True, episode[1:] != episode[:-1])
    mixed = rng.random(len(frame)) < 1 - np.exp(-chance * np.maximum(gap, 0.0))
    return np.asarray(np.cumsum(first | (gap > limit_s + 1e-9) | mixed) - 1, dtype=np.int64)


def _walking(episodes: Episodes, episode: IntArray, frame: IntArray) -> FloatArray:
    """Metres between an owner and the bag: an arm's length, growing in the last seconds before being away."""
    left = episodes.objects["gone_s"].to_numpy()[episode] - frame / episodes.fps
    walked = AWAY_M - OWNER_SPEED_M_S * np.where(np.isfinite(left), left, 1e6)
    return np.asarray(np.maximum(walked, _ARM_M))


def _table(
    label: str, episode: IntArray, frame: IntArray, offset: IntArray, track: IntArray, episodes: Episodes, *,
    beside_m: float | FloatArray, side: float = 1.0,
) -> pd.DataFrame:  # fmt: skip
    """Rows of one label, as far beside the spot as said."""
    height, width = _BAG_M if label == "object" else _BODY_M
    x = _AT[0] + side * np.broadcast_to(beside_m, frame.shape)
    # Everybody is on one line across the view: one depth, one height in the picture.
    ends, depth = CAMERA.project(np.array([[_AT[0], _AT[1], 0.0], [_AT[0], _AT[1], height]]))
    scale = CAMERA.focal_px / depth[0]
    across, half = ends[0, 0] + scale * (x - _AT[0]), 0.5 * width * scale
    boxes = (across - half, ends[1, 1], across + half, ends[0, 1])
    at = offset[episode] + frame
    return pd.DataFrame(
        {
            FRAME: at, T_S: at / episodes.fps, TRACK_ID: track, LABEL: label, **dict(zip(BOX, boxes, strict=True)),
            SCORE: 1.0, X_M: x, Y_M: _AT[1],
        }
    )  # fmt: skip
