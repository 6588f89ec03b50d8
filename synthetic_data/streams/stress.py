"""D16, stress level of application users: heart rate and a score made of it, every ten seconds of some sessions.

Users are those of D15; half of the points are of their journeys, half of sessions at rest, at home or at work. A heart
beats faster for walking, running, heat, a climb or a fever, and perhaps for an incident nearby. The score takes the
activity into account that the device recognises, and nothing else: the rest of what quickens a heart is « stress ».

What it cannot tell you: what anybody feels. Heart rate is all there is here, and the effect of an incident is a
parameter, so what a detector finds says something about detectors only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.dense import SECOND_US, BoolArray, FloatArray, IntArray, clean, clock, spoken, window
from synthetic_data.streams.journeys import MODES, POINT_S, Journeys, draw_journeys
from synthetic_data.streams.movement import in_order

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Types of incident that quicken the heart of who is near, how near, and for how long after.
ALARMING: Final = ("tapage", "degradation", "vol", "rixe", "attroupement", "violence", "accident")
REACH_M: Final = 150.0
LASTS_S: Final = 600.0
#: Beats per minute that come with each mode, sport put aside, and what of it the device recognises. Assumptions.
_EFFORT: Final = {"walk": 22.0, "run": 35.0, "ride": 6.0, "drive": 4.0}
_RECOGNISED: Final = 0.75
_AT_REST: Final = -1
_SESSION_POINTS: Final = 25
_WARM_C: Final = 22.0
_ILL: Final = 0.02


@dataclass(frozen=True, eq=False)
class Readings:
    """Points at which a heart is read, as arrays of one length: user, session, instant, place and mode (-1 at rest)."""

    user: IntArray
    session: IntArray
    t_us: IntArray
    x_m: FloatArray
    y_m: FloatArray
    mode: IntArray

    def take(self, rows: IntArray) -> Readings:
        """Some of the points, in the order of ``rows``."""
        return Readings(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def capteurs_stress(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D16: one row per reading."""
    moves = draw_journeys(world)
    readings = draw_readings(world, moves, rng=rng)
    order, names = in_order(moves.users, readings.user, readings.t_us)
    readings = readings.take(order)
    heart, recognised = heart_rate(world, readings, n_users=len(moves.users), rng=rng)
    gap = heart - recognised
    odds = -2.2 + gap / 9.0 + 0.5 * rng.standard_normal(len(gap))
    return clean(
        "capteurs_stress",
        {
            "user": spoken(readings.user, names),
            "t": readings.t_us,
            "heart_rate_bpm": np.round(heart),
            "stress_score": np.round(1.0 / (1.0 + np.exp(-odds)), 3),
        },
        t_drop_us=readings.t_us,
    )


def draw_readings(world: World, moves: Journeys, *, rng: np.random.Generator) -> Readings:
    """Choose the journeys during which a heart is read, and draw sessions at rest between journeys."""
    n_journeys = int(moves.journey.max()) + 1 if len(moves.journey) else 0
    read = (rng.random(n_journeys) < 0.5)[moves.journey]
    mine = Readings(moves.user, moves.journey, moves.t_us, moves.x_m, moves.y_m, moves.mode)
    mine = mine.take(np.flatnonzero(read))
    rest = _at_rest(world, moves, first_session=n_journeys, rng=rng)
    return Readings(*(np.concatenate([getattr(mine, n), getattr(rest, n)]) for n in Readings.__dataclass_fields__))


def _at_rest(world: World, moves: Journeys, *, first_session: int, rng: np.random.Generator) -> Readings:
    """Sessions at home, or at work during working hours, that overlap neither a journey nor each other.

    Their points are, in expectation, half as many as the plan says for all.
    """
    span, people, city = window(world.scenario), world.people, world.city
    n_users = len(moves.users)
    user = np.repeat(np.arange(n_users), span.n_days * 12)
    day = np.tile(np.repeat(np.arange(span.n_days), 12), n_users)
    slot = np.tile(np.arange(12), n_users * span.n_days)  # one in every two hours at most
    t_us = span.at_us(day, 2 * slot + rng.uniform(0.0, 1.8, len(slot)))
    awake = np.array([0, 0, 0, 0.5, 1, 1, 1, 1, 1, 1, 1, 0.6])[slot]
    length_us = _SESSION_POINTS * POINT_S * SECOND_US
    free = ~_on_the_move(moves, user, t_us, length_us) & (t_us + length_us <= span.midnights_us[-1])
    target = 0.5 * world.scenario.mobility.app_points_per_user_day * n_users * span.n_days / _SESSION_POINTS
    chance = np.minimum(awake * target / max((awake * free).sum(), 1e-9), 1.0)
    chosen = np.flatnonzero(free & (rng.random(len(user)) < chance))
    user, t_us = user[chosen], t_us[chosen]
    at, person = clock(t_us), moves.users[user]
    works = (people.work_cell[person] >= 0) & ~at.weekend & (at.hour >= 9) & (at.hour < 17)
    home = np.column_stack([city.site_x_m, city.site_y_m])[people.home_site[person]]
    place = np.where(works[:, None], city.grid.centres_m[people.work_cell[person]], home)
    session = np.repeat(np.arange(len(chosen)), _SESSION_POINTS)
    rank = np.tile(np.arange(_SESSION_POINTS), len(chosen))
    return Readings(
        user=user[session],
        session=first_session + session,
        t_us=t_us[session] + rank * (POINT_S * SECOND_US),
        x_m=place[session, 0],
        y_m=place[session, 1],
        mode=np.full(len(session), _AT_REST),
    )


def _on_the_move(moves: Journeys, user: IntArray, t_us: IntArray, length_us: int) -> BoolArray:
    """Whether a journey of the user has a point between ``t_us`` and ``length_us`` later."""
    if not len(moves.t_us):
        return np.zeros(len(t_us), dtype=bool)
    origin = int(moves.t_us.min()) - length_us
    span_us = int(moves.t_us.max()) - origin + 2 * length_us
    key = np.sort(moves.user * span_us + (moves.t_us - origin))
    start = user * span_us + np.clip(t_us - origin, 0, span_us - 1)
    return np.asarray(np.searchsorted(key, start + length_us, side="right") > np.searchsorted(key, start))


def heart_rate(
    world: World, readings: Readings, *, n_users: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Heart rate of each reading, and the part of it that the device puts down to the person and the activity."""
    plan = world.scenario.sensing
    span = window(world.scenario)
    own = np.clip(rng.normal(68.0, 8.0, n_users), 48.0, 95.0)[readings.user]
    ill = rng.random((n_users, span.n_days)) < _ILL
    day = np.searchsorted(span.midnights_us, readings.t_us, side="right") - 1
    n_sessions = int(readings.session.max()) + 1 if len(readings.session) else 0
    mood = rng.normal(0.0, 3.0, n_sessions)[readings.session]
    effort = np.array([*(_EFFORT[m] for m in MODES), 0.0])[readings.mode]
    effort = effort + plan.stress_sport * (readings.mode == MODES.index("run"))
    on_foot = (readings.mode >= 0) & (readings.mode <= MODES.index("run"))
    heart = own + mood + effort
    heart = heart + plan.stress_heat * np.maximum(_temperature(world, readings.t_us) - _WARM_C, 0.0)
    heart = heart + plan.stress_slope * np.where(on_foot, climb(readings), 0.0) / 0.10
    heart = heart + plan.stress_illness * ill[readings.user, day]
    heart = heart + plan.incident_bpm * near_incident(world, readings)
    heart = heart + rng.normal(0.0, 2.5, len(own))
    return np.clip(heart, 35.0, 220.0), own + _RECOGNISED * effort


def _temperature(world: World, t_us: IntArray) -> FloatArray:
    weather = world.weather
    hour = (t_us - weather.t_us[0]) // (3600 * SECOND_US)
    return np.asarray(weather.hour_temperature_c[np.clip(hour, 0, len(weather.t_us) - 1)], dtype=np.float64)


def height_m(x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Height of the ground, as far as it matters to hearts: hills of some 45 m, two kilometres apart."""
    return np.asarray(45.0 * np.sin(2 * np.pi * x_m / 2300.0) * np.sin(2 * np.pi * y_m / 1900.0))


def climb(readings: Readings) -> FloatArray:
    """Slope of the way since the reading before, in [0, 0.2]; 0 downhill, at rest, and at the start of a session.

    Readings may come in any order of users: each is compared with the one before it in its own session.
    """
    order = np.lexsort((readings.t_us, readings.session))
    x, y = readings.x_m[order], readings.y_m[order]
    rise = np.diff(height_m(x, y), prepend=0.0)
    gone = np.hypot(np.diff(x, prepend=0.0), np.diff(y, prepend=0.0))
    same = np.diff(readings.session[order], prepend=-1) == 0
    slope = np.where(same & (gone > 1.0), rise / np.maximum(gone, 1.0), 0.0)
    out = np.empty(len(order))
    out[order] = np.clip(slope, 0.0, 0.2)
    return out


def near_incident(world: World, readings: Readings) -> BoolArray:
    """Whether an alarming incident happened within 150 m and the ten minutes before."""
    incidents, city = world.incidents, world.city
    codes = [INCIDENT_TYPES.index(name) for name in ALARMING]
    in_time = window(world.scenario).holds(incidents.t_us + round(LASTS_S * SECOND_US))
    which = np.flatnonzero(np.isin(incidents.type_code, codes) & in_time)
    out = np.zeros(len(readings.t_us), dtype=bool)
    if not len(which) or not len(out):
        return out
    site = incidents.site[which]
    tree = cKDTree(np.column_stack([readings.x_m, readings.y_m]))
    found = tree.query_ball_point(np.column_stack([city.site_x_m[site], city.site_y_m[site]]), REACH_M)
    point = np.concatenate([np.asarray(f, dtype=np.int64) for f in found])
    since = readings.t_us[point] - np.repeat(incidents.t_us[which], [len(f) for f in found])
    out[point[(since >= 0) & (since <= LASTS_S * SECOND_US)]] = True
    return out


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="capteurs_stress",
        title=Text(fr="niveau de stress d’usagers", en="stress level of app users"),
        invented=Text(
            fr="Le cœur des usagers de l’application, lu toutes les dix secondes pendant des trajets et au repos : un "
            "niveau propre à chacun, l’effort, la chaleur, la pente, le sport, la fièvre, et l’effet réglable d’un "
            "incident à moins de 150 m dans les dix minutes. Le score ne retranche que l’effort reconnu.",
            en="The hearts of the application's users, read every ten seconds during journeys and at rest: a level of "
            "one's own, effort, heat, slope, sport, fever, and the adjustable effect of an incident within 150 m and "
            "ten minutes. The score takes away recognised effort only.",
        ),
        anchor=Text(
            fr="Aucun : 100 000 lectures par jour pour 1 000 usagers est une hypothèse du registre ; tous les effets "
            "sont supposés.",
            en="None: 100,000 readings a day for 1,000 users is an assumption of the register; every effect is "
            "assumed.",
        ),
        leaves_out=Text(
            fr="Les émotions sans effet sur le cœur, le café, les médicaments, le sommeil, les capteurs mal portés, le "
            "relief réel.",
            en="Feelings that do not move the heart, coffee, medicines, sleep, sensors worn badly, the real relief.",
        ),
    ),
)
