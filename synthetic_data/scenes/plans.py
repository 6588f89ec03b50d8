"""What a person means to do in a scene, before anyone walks: a body, a way in, stages, a way out.

A stage is a point to go to and what is done there. Whoever stays for minutes and moves while staying (a child at play,
a sweeper, someone lost) has moves inside the stage: the stay is the whole of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: The scene is played from here, so that its first frame is not empty.
BEGINS_S: Final = -40.0

#: ``through``: no stop. ``stay``: for as long as the situation lasts. ``act``: what gives the situation its name (to
#: fall, to tie a shoe). ``put_down`` and ``pick_up``: a bag.
Act = Literal["through", "stay", "act", "put_down", "pick_up"]

#: Situation → posture while it lasts, where it is not the one a person stands or moves in.
HELD_POSTURE: Final = {
    "seated": "sitting", "rough_seated": "sitting_ground", "rough_lying": "lying", "sitting_down": "sitting_ground",
    "falling": "lying", "tying_shoe": "crouching",
}  # fmt: skip

#: Posture → seconds to get into it; a fall is faster.
BLEND_S: Final = {"sitting": 1.2, "sitting_ground": 1.6, "lying": 3.0, "crouching": 0.8}
FALL_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class Move:
    """A point to go to within a stay, and how long to stop there."""

    x_m: float
    y_m: float
    speed_m_s: float
    pause_s: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A point to go to, and what is done there.

    Attributes
    ----------
    x_m, y_m : float
    speed_m_s : float
        On the way.
    act : str
        One of :data:`Act`.
    pause_s : float, default=0.0
        How long; infinite: until the clip ends.
    heading_rad : float or None
        The way one faces there; None keeps the way one came.
    moves : tuple of Move
        Walked again and again while the stage lasts.
    seat : tuple of float or None
        Where the body sits, if not where the feet stop.
    reach_m : float, default=0.3
        Near enough.
    """

    x_m: float
    y_m: float
    speed_m_s: float
    act: Act = "through"
    pause_s: float = 0.0
    heading_rad: float | None = None
    moves: tuple[Move, ...] = ()
    seat: tuple[float, float] | None = None
    reach_m: float = 0.3


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a scene.

    Attributes
    ----------
    situation : str
    key : tuple
        Names of the person's own random stream, under the scene's.
    height_m, build : float
    accessories : tuple of str
    appearance_seed : int
    radius_m : float
        Room left around by those who walk.
    begins_s : float
        When the person wants to appear; at :data:`BEGINS_S` those who stay are there already.
    way_in : tuple of points or None
        Segment to appear on; None appears at the first stage.
    stages : tuple of Stage
        The last is the way out, unless the person stays to the end.
    """

    situation: str
    key: tuple[str | int, ...]
    height_m: float
    build: float
    accessories: tuple[str, ...]
    appearance_seed: int
    radius_m: float
    begins_s: float
    way_in: tuple[tuple[float, float], tuple[float, float]] | None
    stages: tuple[Stage, ...]
