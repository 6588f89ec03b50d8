"""People walk: each from stage to stage, around one another and around things, with JuPedSim.

The collision-free speed model: speed follows from the gap ahead, direction from the goal and from who is near. Whoever
stays is an agent that wants to go nowhere, and is walked around. People stuck before a pillar or one another step aside
for a moment, since the model alone leaves them there.

What it cannot tell you: nobody queues, stares, hesitates or turns back because of someone else.

References
----------
.. [1] Tordeux, Chraibi & Seyfried (2016), "Collision-free speed model for pedestrian dynamics", in Traffic and
   Granular Flow '15. arXiv:1512.05597
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from contrechamp.domain.errors import CapabilityError
from contrechamp.domain.rng import stream
from contrechamp.domain.video import FloatArray
from synthetic_data.scenes.plans import BEGINS_S, Person, Stage

#: Seconds between two positions kept; the simulation steps twice in between.
SAMPLE_S: Final = 0.1
_STEPS: Final = 2
_RADIUS_M: Final = 0.2
_WALL_M: Final = 0.3  #: room to a wall where someone appears
_REACH_MOVE_M: Final = 0.25
#: A stage not reached in this many times its straight way, and this many seconds, is given up.
_PATIENCE: Final = (4.0, 15.0)
#: Who gets less far than this in this time steps aside, this far and for this long.
_BLOCKED_M: Final = 0.25
_BLOCKED_S: Final = 1.5
_ASIDE_M: Final = 1.5
_ASIDE_S: Final = 1.2
_SIDES: Final = (-2.2, -1.5, 1.5, 2.2)  # turns from the way ahead, radians


@dataclass(frozen=True, slots=True)
class Pause:
    """From when to when someone was at a stage, seconds of the clip; endless for those still there at its end."""

    stage: int
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Walk:
    """Where someone was.

    Attributes
    ----------
    t_s : ndarray of shape (n,)
        Every :data:`SAMPLE_S`, 0 being the first frame; empty if the person never found room to appear.
    xy_m : ndarray of shape (n, 2)
    pauses : tuple of Pause
    """

    t_s: FloatArray
    xy_m: FloatArray
    pauses: tuple[Pause, ...]


def walk(persons: Sequence[Person], *, ground: shapely.Polygon, until_s: float, seed: int) -> list[Walk]:
    """Let everyone walk from :data:`~synthetic_data.scenes.plans.BEGINS_S` until ``until_s``.

    Parameters
    ----------
    persons : sequence of Person
    ground : shapely.Polygon
        Where one may walk.
    until_s : float
    seed : int
        The scene's.

    Raises
    ------
    CapabilityError
        If JuPedSim is not installed.
    """
    try:
        import jupedsim
    except ImportError as cause:
        raise CapabilityError(
            "Scenes need JuPedSim, which is not installed. Install it without its viewer: "
            "pip install --no-deps jupedsim."
        ) from cause
    crowd = _Crowd(jupedsim, ground)
    walkers = [_Walker(p, crowd, stream(seed, "scene", "way in", *p.key)) for p in persons]
    waiting = sorted(walkers, key=lambda w: w.person.begins_s)
    present: list[_Walker] = []
    for k in range(round((until_s - BEGINS_S) / SAMPLE_S) + 2):
        now = BEGINS_S + k * SAMPLE_S
        while waiting and waiting[0].person.begins_s <= now + 1e-9:
            present.append(waiting.pop(0))
        for walker in present:
            walker.step(now)
        present = [w for w in present if not w.gone]
        crowd.simulation.iterate(_STEPS)
    return [w.walk() for w in walkers]


class _Crowd:
    """The simulation, and a stage of it for every point somebody goes to."""

    def __init__(self, jupedsim: Any, ground: shapely.Polygon) -> None:
        self.jupedsim = jupedsim
        self.ground = ground
        self.boundary = ground.boundary
        shapely.prepare(self.ground)
        model = jupedsim.CollisionFreeSpeedModelV2()
        self.simulation = jupedsim.Simulation(model=model, geometry=ground, dt=SAMPLE_S / _STEPS)
        self._targets: dict[tuple[float, float], tuple[int, int]] = {}

    def target(self, at: tuple[float, float]) -> tuple[int, int]:
        """Journey and stage that lead to a point."""
        if at not in self._targets:
            stage = self.simulation.add_waypoint_stage(at, 0.05)
            self._targets[at] = (self.simulation.add_journey(self.jupedsim.JourneyDescription([stage])), stage)
        return self._targets[at]

    def has_room(self, at: tuple[float, float]) -> bool:
        """Whether one may stand at a point, walls not too close."""
        point = shapely.Point(at)
        return bool(self.ground.contains(point) and shapely.distance(self.boundary, point) >= _WALL_M)

    def enter(self, at: tuple[float, float], towards: tuple[float, float]) -> int | None:
        """The number of a new agent at a point, or None if there is no room."""
        if not self.has_room(at):
            return None
        if any(True for _ in self.simulation.agents_in_range(at, 2 * _RADIUS_M + 0.15)):
            return None
        journey, stage = self.target(towards)
        try:
            number: int = self.simulation.add_agent(
                self.jupedsim.CollisionFreeSpeedModelV2AgentParameters(
                    position=at, journey_id=journey, stage_id=stage, desired_speed=0.0, radius=_RADIUS_M
                )
            )
        except RuntimeError:  # someone of a larger radius is too close
            return None
        return number


@dataclass
class _Walker:
    """One person on the way: where to, since when, and what was."""

    person: Person
    crowd: _Crowd
    rng: np.random.Generator
    number: int | None = None
    agent: Any = None  # a view that holds until somebody else comes or goes: looked up at every step
    gone: bool = False
    stage: int = 0
    move: int = -1  # -1: on the way to the stage itself
    arrived_s: float | None = None  # at the stage
    stopped_s: float | None = None  # at a move of it
    set_off_s: float = 0.0
    patience_s: float = 0.0
    goal: tuple[float, float] = (0.0, 0.0)
    round_until_s: float | None = None  # stepping aside until then
    times: list[float] = field(default_factory=list)
    places: list[tuple[float, float]] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)

    def step(self, now: float) -> None:
        """See where one is, and decide."""
        if self.number is None:
            self.number = self._appear(now)
            if self.number is None:
                return
            first = self.person.stages[0]
            self.agent = self.crowd.simulation.agent(self.number)
            self._set_off(now, (first.x_m, first.y_m), first.speed_m_s)
        else:
            self.agent = self.crowd.simulation.agent(self.number)
        at = self.agent.position
        self.times.append(now)
        self.places.append(at)
        here = self.person.stages[self.stage]
        if self.stopped_s is None:
            self._get_round(now)
        if self.arrived_s is None:
            if self._near(at, (here.x_m, here.y_m), here.reach_m) or now - self.set_off_s > self.patience_s:
                self._arrive(now, here)
        elif now - self.arrived_s >= here.pause_s - 1e-9:
            self.pauses.append(Pause(self.stage, self.arrived_s, now))
            self._next(now)
        elif here.moves:
            self._roam(now, at, here)

    def walk(self) -> Walk:
        """What was, once all is over."""
        pauses = list(self.pauses)
        if self.arrived_s is not None and not self.gone:
            pauses.append(Pause(self.stage, self.arrived_s, np.inf))
        return Walk(np.array(self.times), np.array(self.places).reshape(-1, 2), tuple(pauses))

    def _appear(self, now: float) -> int | None:
        """On the way in, or for those already there on their first stage or beside it."""
        first = self.person.stages[0]
        goal = (first.x_m, first.y_m)
        for attempt in range(10):
            if self.person.way_in is None:
                shift = 0.1 * attempt * self.rng.uniform(-1, 1, 2)
                at = (goal[0] + float(shift[0]), goal[1] + float(shift[1]))
            else:
                (x1, y1), (x2, y2) = self.person.way_in
                share = float(self.rng.uniform())
                at = (x1 + share * (x2 - x1), y1 + share * (y2 - y1))
            number = self.crowd.enter(at, goal)
            if number is not None:
                return number
        return None

    def _arrive(self, now: float, here: Stage) -> None:
        if here.pause_s <= 0:
            self._next(now)
            return
        self.arrived_s, self.stopped_s, self.move = now, now, -1
        self.agent.model.desired_speed = 0.0
        self.agent.model.radius = self.person.radius_m

    def _next(self, now: float) -> None:
        self.stage += 1
        self.arrived_s, self.stopped_s = None, None
        if self.stage == len(self.person.stages):
            self.crowd.simulation.mark_agent_for_removal(self.number)
            self.gone = True
            return
        then = self.person.stages[self.stage]
        self.agent.model.radius = _RADIUS_M
        self._set_off(now, (then.x_m, then.y_m), then.speed_m_s)

    def _roam(self, now: float, at: tuple[float, float], here: Stage) -> None:
        to = here.moves[self.move % len(here.moves)]
        if self.stopped_s is None:
            if self._near(at, (to.x_m, to.y_m), _REACH_MOVE_M) or now - self.set_off_s > self.patience_s:
                self.stopped_s = now
                self.agent.model.desired_speed = 0.0
        elif self.move < 0 or now - self.stopped_s >= to.pause_s:
            self.move += 1
            to = here.moves[self.move % len(here.moves)]
            self.stopped_s = None
            self._set_off(now, (to.x_m, to.y_m), to.speed_m_s)

    def _set_off(self, now: float, goal: tuple[float, float], speed: float) -> None:
        x, y = self.agent.position
        self.set_off_s = now
        self.patience_s = _PATIENCE[1] + _PATIENCE[0] * float(np.hypot(goal[0] - x, goal[1] - y)) / speed
        self.goal, self.round_until_s = goal, None
        self.agent.model.desired_speed = speed
        self.crowd.simulation.switch_agent_journey(self.number, *self.crowd.target(goal))

    def _get_round(self, now: float) -> None:
        """Step aside for a moment when nothing has come of walking on, as one does before a pillar or a person."""
        if self.round_until_s is not None:
            if now >= self.round_until_s:
                self.round_until_s = None
                self.crowd.simulation.switch_agent_journey(self.number, *self.crowd.target(self.goal))
            return
        n = round(_BLOCKED_S / SAMPLE_S)
        if len(self.places) <= n or now - self.set_off_s < _BLOCKED_S:
            return
        if not self._near(self.places[-1], self.places[-1 - n], _BLOCKED_M):
            return
        x, y = self.places[-1]
        way = np.arctan2(self.goal[0] - x, self.goal[1] - y)
        for turn in self.rng.permutation(_SIDES):
            at = (round(x + _ASIDE_M * np.sin(way + turn), 2), round(y + _ASIDE_M * np.cos(way + turn), 2))
            if self.crowd.has_room(at):
                self.round_until_s = now + _ASIDE_S
                self.crowd.simulation.switch_agent_journey(self.number, *self.crowd.target(at))
                return

    @staticmethod
    def _near(a: tuple[float, float], b: tuple[float, float], reach_m: float) -> bool:
        return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 <= reach_m**2
