"""Who stays how long on a square or in a hall: sojourns drawn by situation, without a picture and without a walker.

A person comes, stays for a time drawn from the law of their situation, moves to another spot or steps out of the zone
now and then, and goes. A hidden neutral label, *target*, falls on the same share of every situation; where a world asks
for it, targets stay longer than others. From the sojourns come, exactly, the longest time without moving and the
longest time without leaving, hence what any rule of the kind "static for more than T" does with a perfect machine; and,
for as many of them as wanted, the table of tracks that such a machine would hand to a real rule.

The laws are assumptions, stated in :data:`LAWS`. Two anchors hold them: people wait from one to twenty minutes; at most
442 persons sleep rough for 1,600 cameras, that is 0.28 in view of a camera if every one of them were in view of one.

What it cannot tell you: how long anybody stays anywhere. Nobody publishes dwell times by situation. Persons are
independent: nobody joins a group because it is there, nobody leaves because it is full.
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
from contrechamp.domain.video import BOX, FRAME, LABEL, SCORE, T_S, TRACK_COLUMNS, TRACK_ID, Camera, Zone, as_table

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
SetKey = Literal["hall", "square"]
LawKey = Literal["stated", "equal"]

#: Longest sojourn, seconds: a working day.
CAP_S: Final = 8 * 3600.0
#: Seconds to walk to another spot, and to step out of the zone and come back.
MOVE_S: Final = 8.0
OUT_S: Final = 45.0
#: A person who sways less than this around a spot is static to a rule.
STATIC_M: Final = 1.0
#: Spread (log) of the sojourn of targets where targets have a law of their own.
TARGET_SPREAD: Final = 0.35

#: The watched zone and a camera that sees it, for tables of tracks.
ZONE: Final = Zone("square", ((-10.0, 12.0), (10.0, 12.0), (10.0, 32.0), (-10.0, 32.0)))
CAMERA: Final = Camera(width_px=640, height_px=360, focal_px=300.0, height_m=6.0, pitch_deg=15.0)


@dataclass(frozen=True, slots=True)
class DwellLaw:
    """Sojourns of one situation: lognormal, with Poisson arrivals.

    Attributes
    ----------
    median_s : float
        Half of the sojourns are longer.
    spread : float
        Standard deviation of the logarithm.
    hall_per_h, square_per_h : float
        Arrivals per hour in a station hall and on a square.
    moves_per_h, leaves_per_h : float
        How often the person goes to another spot, and steps out of the zone and back.
    roam_m : float
        How far from the spot the person goes all the time; the whole width for those who cross.
    """

    median_s: float
    spread: float
    hall_per_h: float
    square_per_h: float
    moves_per_h: float = 0.0
    leaves_per_h: float = 0.0
    roam_m: float = 0.2


#: Situation → law. Assumptions; ``waiting`` is 1 to 20 minutes for nine in ten, those who sleep rough add up to 0.28
#: in view at any time (0.08 × 2.6 h + 0.025 × 3 h).
LAWS: Final[Mapping[str, DwellLaw]] = {
    "passing": DwellLaw(22, 0.35, 400, 250, roam_m=10.0),
    "hurrying": DwellLaw(9, 0.3, 20, 5, roam_m=10.0),
    "pram": DwellLaw(28, 0.35, 6, 8, roam_m=10.0),
    "wheelchair": DwellLaw(30, 0.4, 3, 2, roam_m=10.0),
    "cane": DwellLaw(40, 0.4, 8, 8, roam_m=10.0),
    "waiting": DwellLaw(300, 0.85, 25, 12, moves_per_h=4, leaves_per_h=1),
    "lost": DwellLaw(150, 0.7, 12, 5, moves_per_h=10, leaves_per_h=2),
    "tourists": DwellLaw(300, 0.7, 10, 8, moves_per_h=5, leaves_per_h=1),
    "talking": DwellLaw(360, 0.8, 10, 12, moves_per_h=1),
    "smoking": DwellLaw(300, 0.4, 2, 6, moves_per_h=1),
    "seated": DwellLaw(720, 0.9, 6, 12),
    "child_playing": DwellLaw(900, 0.8, 1, 5, leaves_per_h=3, roam_m=4.0),
    "cleaning": DwellLaw(720, 0.6, 0.5, 0.2, leaves_per_h=3, roam_m=5.0),
    "leafleting": DwellLaw(2700, 0.6, 0.1, 0.1, moves_per_h=2, leaves_per_h=0.5),
    "busking": DwellLaw(2400, 0.5, 0.05, 0.1, leaves_per_h=0.5),
    "vendor": DwellLaw(5400, 0.7, 0.1, 0.3, moves_per_h=1, leaves_per_h=1),
    "rough_seated": DwellLaw(7200, 0.7, 0.08, 0.08, moves_per_h=0.5, leaves_per_h=0.5),
    "rough_lying": DwellLaw(10800, 0.5, 0.025, 0.025, leaves_per_h=0.2),
}
#: Negative control: everybody stays as long as everybody else.
EQUAL: Final = DwellLaw(420, 0.8, 0, 0, moves_per_h=2, leaves_per_h=1)
#: Those who stay longest, one role of the register.
LONGEST: Final = ("rough_seated", "rough_lying")


@dataclass(frozen=True, slots=True)
class Sojourns:
    """Persons, and what they would do as anybody or as a target.

    Attributes
    ----------
    persons : DataFrame
        ``camera_day``, ``role``, ``t_in_s`` (seconds of the day), ``stay_s``, ``roam_m``, and three draws that are
        compared with parameters: ``u_target``, ``u_cue`` in [0, 1), and ``z_target``, standard normal. The index is
        the person.
    legs : DataFrame
        Times at one spot: ``person`` (index of ``persons``), ``start_s``, ``end_s`` from the arrival, ``visit``
        (number of the visit to the zone: a new one after each step out).
    """

    persons: pd.DataFrame
    legs: pd.DataFrame


def draw_sojourns(
    *, place: SetKey, law: LawKey = "stated", camera_days: int, hours_per_day: float, rng: np.random.Generator
) -> Sojourns:
    """Draw everybody who comes before some cameras for some days.

    Parameters
    ----------
    place : {"hall", "square"}
        Sets how many come of each situation.
    law : {"stated", "equal"}
        ``"equal"`` gives every situation :data:`EQUAL`, arrivals unchanged.
    camera_days : int
    hours_per_day : float
        Hours in a day at which people come, at a constant rate.
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a number is not positive or a name not known.
    """
    where = "draw_sojourns"
    if place not in ("hall", "square") or law not in ("stated", "equal"):
        raise bad_parameter(name="place, law", where=where, must="hall or square, stated or equal", got=(place, law))
    if camera_days < 1 or not hours_per_day > 0:
        raise bad_parameter(name="camera_days, hours_per_day", where=where, must="above 0",
                            got=(camera_days, hours_per_day))  # fmt: skip
    roles = list(LAWS)
    per_h = np.array([LAWS[r].hall_per_h if place == "hall" else LAWS[r].square_per_h for r in roles])
    counts = rng.poisson(per_h * hours_per_day, size=(camera_days, len(roles)))
    day = np.repeat(np.arange(camera_days), counts.sum(axis=1))
    role = np.concatenate([np.repeat(np.arange(len(roles)), row) for row in counts])
    laws = [LAWS[r] if law == "stated" else EQUAL for r in roles]
    median, spread, roam = (np.array([getattr(x, f) for x in laws])[role] for f in ("median_s", "spread", "roam_m"))
    n = len(role)
    persons = pd.DataFrame(
        {
            "camera_day": day,
            "role": pd.Categorical.from_codes(role, categories=pd.Index(roles)),
            "t_in_s": rng.uniform(0.0, hours_per_day * 3600.0, n),
            "stay_s": np.minimum(median * np.exp(spread * rng.standard_normal(n)), CAP_S),
            "roam_m": roam,
            "u_target": rng.random(n),
            "u_cue": rng.random(n),
            "z_target": rng.standard_normal(n),
        }
    )
    return Sojourns(persons, _legs(persons, law=law, rng=rng))


def as_targets(
    sojourns: Sojourns, *, prevalence: float, stay_min: float, law: LawKey = "stated", rng: np.random.Generator
) -> Sojourns:
    """What the persons that are targets at ``prevalence`` do when targets stay about ``stay_min`` minutes at least.

    Parameters
    ----------
    sojourns : Sojourns
    prevalence : float
        In [0, 1].
    stay_min : float
        Median of the law of targets, minutes. A target whose situation stays longer anyway keeps that sojourn.
    law : {"stated", "equal"}
    rng : numpy.random.Generator

    Returns
    -------
    Sojourns
        Targets only, under their index in ``sojourns.persons``. They stand still as their sojourn lasts.
    """
    persons = sojourns.persons[sojourns.persons["u_target"] < prevalence].copy()
    own = 60.0 * stay_min * np.exp(TARGET_SPREAD * persons["z_target"])
    longer = own > persons["stay_s"]
    persons["stay_s"] = np.minimum(np.maximum(persons["stay_s"], own), CAP_S)
    persons["roam_m"] = np.where(longer, np.minimum(persons["roam_m"], EQUAL.roam_m), persons["roam_m"])
    return Sojourns(persons, _legs(persons, law=law, rng=rng))


def _legs(persons: pd.DataFrame, *, law: LawKey, rng: np.random.Generator) -> pd.DataFrame:
    """Cut each sojourn at the moments when the person moves or steps out."""
    laws = [LAWS[r] if law == "stated" else EQUAL for r in persons["role"].cat.categories]
    role = persons["role"].cat.codes.to_numpy()
    moves, leaves = (np.array([getattr(x, f) for x in laws])[role] / 3600.0 for f in ("moves_per_h", "leaves_per_h"))
    stay = persons["stay_s"].to_numpy(np.float64)
    breaks = rng.poisson((moves + leaves) * stay)
    who = np.repeat(np.arange(len(stay)), breaks)
    at = rng.random(len(who)) * stay[who]
    order = np.lexsort((at, who))
    at, who = at[order], who[order]
    out = rng.random(len(who)) * (moves + leaves)[who] < leaves[who]
    # One leg opens the sojourn, one more follows each break; it begins once the move or the step out is over, or at
    # the next break if that comes first.
    owner = np.concatenate([np.arange(len(stay)), who])
    begin = np.concatenate([np.zeros(len(stay)), at])
    gap = np.concatenate([np.zeros(len(stay)), np.where(out, OUT_S, MOVE_S)])
    stepped = np.concatenate([np.zeros(len(stay), dtype=bool), out])
    order = np.lexsort((begin, owner))
    owner, begin, gap, stepped = owner[order], begin[order], gap[order], stepped[order]
    last = np.append(owner[1:] != owner[:-1], True) if len(owner) else np.zeros(0, dtype=bool)
    end = np.where(last, stay[owner], np.append(begin[1:], 0.0)[: len(owner)])
    start = np.minimum(begin + gap, end)
    visits = np.cumsum(stepped)
    first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1])) if len(owner) else np.zeros(0, dtype=int)
    visit = visits - np.repeat(visits[first], np.diff(np.append(first, len(owner))))
    return pd.DataFrame(
        {"person": persons.index.to_numpy()[owner], "start_s": start, "end_s": end, "visit": visit.astype(np.int64)}
    )


def spans(sojourns: Sojourns, *, static: bool) -> pd.DataFrame:
    """Unbroken times that a rule counts: at one spot (``static``) or inside the zone, whatever the person does there.

    Returns
    -------
    DataFrame
        ``person``, ``start_s``, ``end_s`` from the arrival, in order. A person who roams has no static span.
    """
    legs = sojourns.legs
    if static:
        still = sojourns.persons["roam_m"] <= STATIC_M
        legs = legs[still.reindex(legs["person"]).to_numpy(dtype=bool)]
        return legs[["person", "start_s", "end_s"]].reset_index(drop=True)
    grouped = legs.groupby(["person", "visit"], sort=True, as_index=False).agg(
        start_s=("start_s", "first"), end_s=("end_s", "last")
    )
    return grouped[["person", "start_s", "end_s"]]


def tracks_of(sojourns: Sojourns, *, days: int, fps: float, rng: np.random.Generator) -> tuple[pd.DataFrame, IntArray]:
    """What a perfect tracker would say of the first ``days`` camera-days: one row a person and frame.

    Parameters
    ----------
    sojourns : Sojourns
    days : int
        Camera-days, one after the other in time: nobody of one is in view with somebody of another.
    fps : float
        Frames per second; low rates are enough for rules of minutes.
    rng : numpy.random.Generator

    Returns
    -------
    tracks : DataFrame
        Columns of :data:`contrechamp.domain.video.TRACK_COLUMNS`; ``track_id`` is the index of the person.
    started : ndarray of int64, shape (n_tracks,)
        Persons in the table, sorted.
    """
    persons = sojourns.persons[sojourns.persons["camera_day"] < days]
    long_day = CAP_S + float(sojourns.persons["t_in_s"].max()) + 60.0
    arrival = np.ceil((persons["camera_day"] * long_day + persons["t_in_s"]) * fps).astype(np.int64).to_numpy()
    length = np.maximum(np.floor(persons["stay_s"].to_numpy() * fps).astype(np.int64), 1)
    row = np.repeat(np.arange(len(persons)), length)
    step = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    since = step / fps
    where = _positions(sojourns, persons, row=row, since=since, rng=rng)
    feet, _ = CAMERA.project(np.column_stack([where, np.zeros(len(where))]))
    heads, _ = CAMERA.project(np.column_stack([where, np.full(len(where), 1.7)]))
    half = 0.2 * (feet[:, 1] - heads[:, 1])
    boxes = (feet[:, 0] - half, heads[:, 1], feet[:, 0] + half, feet[:, 1])
    frame = arrival[row] + step
    table = pd.DataFrame(
        {
            FRAME: frame, T_S: frame / fps, TRACK_ID: persons.index.to_numpy()[row], LABEL: "person",
            **dict(zip(BOX, boxes, strict=True)), SCORE: 1.0, X_M: where[:, 0], Y_M: where[:, 1],
        }
    ).sort_values([FRAME, TRACK_ID], kind="stable")  # fmt: skip
    return as_table(table, TRACK_COLUMNS, what="tracks"), persons.index.to_numpy(np.int64)


def _positions(
    sojourns: Sojourns, persons: pd.DataFrame, *, row: IntArray, since: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Metres on the ground, shape (n, 2): on the spot, roaming round it, crossing, or out of the zone."""
    legs = sojourns.legs[sojourns.legs["person"].isin(persons.index)].reset_index(drop=True)
    place = persons.index.get_indexer(pd.Index(legs["person"]))
    spot = np.column_stack([rng.uniform(-7.5, 7.5, len(legs)), rng.uniform(14.5, 29.5, len(legs))])
    nth = legs.groupby("person").cumcount().to_numpy()
    # Two spots in a row lie on either half of the zone, at least five metres apart.
    spot[:, 0] = np.where((nth + place) % 2 == 0, 1.0, -1.0) * np.clip(np.abs(spot[:, 0]), 2.5, 7.5)
    key = place * 1e7
    now = np.searchsorted(key + legs["start_s"].to_numpy(), row * 1e7 + since, side="right") - 1
    before_first = (now < 0) | (place[np.maximum(now, 0)] != row)
    now = np.where(before_first, now + 1, now)
    at = spot[now].copy()
    between = since >= legs["end_s"].to_numpy()[now]
    following = np.minimum(now + 1, len(legs) - 1)
    moving = between & (place[following] == row)
    stepped = moving & (legs["visit"].to_numpy()[following] != legs["visit"].to_numpy()[now])
    share = (since - legs["end_s"].to_numpy()[now]) / np.maximum(
        legs["start_s"].to_numpy()[following] - legs["end_s"].to_numpy()[now], 1e-9
    )
    walk = moving & ~stepped
    at[walk] += np.clip(share[walk], 0, 1)[:, None] * (spot[following[walk]] - at[walk])
    at[stepped] = np.column_stack([np.sign(at[stepped, 0]) * 13.0, at[stepped, 1]])
    roam = persons["roam_m"].to_numpy()[row]
    crossing = roam > ZONE.points[1][0] - 0.5
    part = since / np.maximum(persons["stay_s"].to_numpy()[row], 1e-9)
    way = np.where(row % 2 == 0, 1.0, -1.0)
    at[crossing, 0] = ((2 * part - 1) * 9.9 * way)[crossing]
    phase = 2 * np.pi * (since / 37.0 + (row * 0.618) % 1)
    roams = (roam > STATIC_M) & ~crossing & ~stepped
    at[roams, 0] = np.clip(at[roams, 0] + (roam * np.sin(phase))[roams], -9.8, 9.8)
    at[roams, 1] = np.clip(at[roams, 1] + (roam * np.cos(0.7 * phase))[roams], 12.2, 31.8)
    sways = ~roams & ~crossing
    at[sways] += np.clip(rng.normal(0.0, 0.08, (int(sways.sum()), 2)), -0.2, 0.2)
    return at
