"""Five places: what stands on the ground, where people come from, where they stay, and what is watched.

Metres, the camera's foot at the origin, looking along +y. What matters lies between 6 and 28 m from the camera, so that
every camera of :class:`~synthetic_data.scenes.spec.SceneSpec` sees most of it. People who stay choose spots near walls,
benches and kiosks, as people do.

What it cannot tell you: no real place is drawn here, and the ground is flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import shapely

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.video import Line, Zone
from synthetic_data.scenes.spec import PLACES, PlaceKey

Points = tuple[tuple[float, float], ...]
ObstacleKind = Literal["kiosk", "pillar", "bollard", "bin", "bench", "planter", "van", "stall", "facade", "gate"]
Ground = Literal["paving", "tiles", "asphalt", "concrete", "cobbles", "zebra", "grass"]
Way = Literal["both", "in", "out"]

WATCHED: Final = "zone"  #: the zone where stays and density are counted
RESTRICTED: Final = "restricted"  #: where nobody should be
ONE_WAY: Final = "one_way"  #: where people walk one way

SEAT_HEIGHT_M: Final = 0.45
_BENCH_M: Final = (1.8, 0.5)  # length, depth
_SEATS_APART_M: Final = 0.8

_BACK, _LEFT, _RIGHT, _FRONT = 0.0, -np.pi / 2, np.pi / 2, np.pi  # headings, clockwise from +y


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A box on the ground, its sides along the axes.

    Attributes
    ----------
    kind : str
    x_m, y_m : float
        Centre.
    width_m, depth_m, height_m : float
        Along x, along y, upwards.
    """

    kind: ObstacleKind
    x_m: float
    y_m: float
    width_m: float
    depth_m: float
    height_m: float

    @property
    def footprint(self) -> shapely.Polygon:
        """What it takes of the ground."""
        half = (self.width_m / 2, self.depth_m / 2)
        return shapely.box(self.x_m - half[0], self.y_m - half[1], self.x_m + half[0], self.y_m + half[1])


@dataclass(frozen=True, slots=True)
class Spot:
    """A place to stay or a bench to sit on, and the way one faces there (clockwise from +y)."""

    x_m: float
    y_m: float
    heading_rad: float


@dataclass(frozen=True, slots=True)
class Entrance:
    """A segment through which people come, leave, or both; ``out`` ones end a one-way passage."""

    name: str
    start: tuple[float, float]
    end: tuple[float, float]
    way: Way = "both"


@dataclass(frozen=True, slots=True)
class Patch:
    """A polygon of ground unlike the rest: a road, a crossing, a lawn."""

    material: Ground
    points: Points


@dataclass(frozen=True, slots=True)
class Layout:
    """One place.

    Attributes
    ----------
    key : str
    extent : tuple of float
        x_min, y_min, x_max, y_max of all that is drawn, metres.
    outline : tuple of points
        Where one may walk, obstacles not yet taken out.
    obstacles : tuple of Obstacle
        Benches among them.
    benches : tuple of Spot
        Centres of the seats' front, facing away from the back.
    spots : tuple of Spot
        Where people stay.
    entrances : tuple of Entrance
    zones : tuple of Zone
        At least :data:`WATCHED`, :data:`RESTRICTED` and :data:`ONE_WAY`.
    lines : tuple of Line
    flow_rad : float
        The way people walk in the zone :data:`ONE_WAY`, clockwise from +y.
    ground : str
        Material of the ground.
    patches : tuple of Patch
        Drawn over it, in order.
    facade : str
        Style of the boxes of kind ``facade``.
    """

    key: PlaceKey
    extent: tuple[float, float, float, float]
    outline: Points
    obstacles: tuple[Obstacle, ...]
    benches: tuple[Spot, ...]
    spots: tuple[Spot, ...]
    entrances: tuple[Entrance, ...]
    zones: tuple[Zone, ...]
    lines: tuple[Line, ...]
    flow_rad: float
    ground: Ground
    patches: tuple[Patch, ...] = ()
    facade: Literal["shops", "station", "flats", "school", "arcade"] = "flats"

    @property
    def walkable(self) -> shapely.Polygon:
        """The ground a foot may touch: the outline without what stands on it, one piece with holes."""
        return _walkable(self)

    @property
    def seats(self) -> tuple[Spot, ...]:
        """Two seats a bench."""
        along = [(np.cos(b.heading_rad), -np.sin(b.heading_rad)) for b in self.benches]
        return tuple(
            Spot(b.x_m + s * _SEATS_APART_M / 2 * ax, b.y_m + s * _SEATS_APART_M / 2 * ay, b.heading_rad)
            for b, (ax, ay) in zip(self.benches, along, strict=True)
            for s in (-1.0, 1.0)
        )

    def zone(self, name: str) -> Zone:
        """The zone called ``name``."""
        return next(z for z in self.zones if z.name == name)


@cache
def _walkable(place: Layout) -> shapely.Polygon:
    ground = shapely.difference(
        shapely.Polygon(place.outline), shapely.union_all([o.footprint for o in place.obstacles])
    )
    pieces = sorted(shapely.get_parts(ground), key=shapely.area)
    return pieces[-1]


def _rectangle(x1: float, y1: float, x2: float, y2: float) -> Points:
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def _bench_boxes(benches: tuple[Spot, ...]) -> tuple[Obstacle, ...]:
    boxes = []
    for bench in benches:
        across = abs(np.sin(bench.heading_rad)) > 0.7  # faces along x: its length lies along y
        width, depth = _BENCH_M[::-1] if across else _BENCH_M
        boxes.append(Obstacle("bench", bench.x_m, bench.y_m, width, depth, SEAT_HEIGHT_M))
    return tuple(boxes)


def _bollards(xs: tuple[float, ...], y: float) -> tuple[Obstacle, ...]:
    return tuple(Obstacle("bollard", x, y, 0.25, 0.25, 0.9) for x in xs)


def _spots(*rows: tuple[float, float, float]) -> tuple[Spot, ...]:
    return tuple(Spot(*row) for row in rows)


_PLAZA_BENCHES: Final = _spots((-2.5, 20.5, _FRONT), (2.6, 11.0, _LEFT))
_PLAZA_SPOTS: Final = _spots(
    (-4.4, 17.0, _RIGHT), (-6.0, 15.0, _FRONT), (-7.5, 19.2, _RIGHT), (-1.0, 26.2, _FRONT), (-5.0, 26.2, _FRONT),
    (-9.0, 26.2, _FRONT), (8.5, 26.2, _FRONT), (11.5, 26.2, _FRONT), (4.1, 16.5, _LEFT), (6.5, 15.6, _FRONT),
    (1.0, 13.5, _FRONT), (-4.8, 11.2, _RIGHT), (-2.0, 12.4, _RIGHT), (0.8, 18.0, _LEFT), (3.4, 20.2, _FRONT),
    (-2.0, 15.6, _FRONT), (0.6, 24.0, _FRONT), (4.3, 12.8, _LEFT),
)  # fmt: skip
_PLAZA: Final = Layout(
    key="plaza",
    extent=(-17.0, 2.0, 17.0, 31.0),
    outline=_rectangle(-17.0, 2.0, 17.0, 31.0),
    obstacles=(
        Obstacle("facade", -7.5, 29.0, 19.0, 4.0, 8.0),
        Obstacle("facade", 11.5, 29.0, 11.0, 4.0, 7.0),
        Obstacle("kiosk", -6.5, 17.0, 2.6, 2.6, 2.8),
        Obstacle("planter", 6.0, 17.0, 2.4, 1.2, 0.7),
        Obstacle("planter", -6.5, 11.0, 1.2, 2.4, 0.7),
        Obstacle("bin", -0.8, 21.0, 0.5, 0.5, 1.0),
        *_bollards((-12.0, -9.0, 9.0, 12.0), 7.0),
        *_bench_boxes(_PLAZA_BENCHES),
    ),
    benches=_PLAZA_BENCHES,
    spots=_PLAZA_SPOTS,
    entrances=(
        Entrance("left", (-16.0, 8.0), (-16.0, 16.0)),
        Entrance("right", (16.0, 9.0), (16.0, 20.0)),
        Entrance("left_far", (-16.0, 20.0), (-16.0, 26.0)),
        Entrance("front", (-4.0, 3.0), (4.0, 3.0)),
        Entrance("passage", (2.8, 30.0), (5.2, 30.0), "out"),
    ),
    zones=(
        Zone(WATCHED, _rectangle(-5.0, 9.5, 5.0, 21.2)),
        Zone(RESTRICTED, _rectangle(-16.0, 24.5, -6.5, 27.0)),
        Zone(ONE_WAY, _rectangle(2.0, 23.0, 6.0, 29.0)),
    ),
    lines=(Line("middle", (0.0, 6.0), (0.0, 26.0)), Line("across", (-9.0, 14.0), (9.0, 14.0))),
    flow_rad=_BACK,
    ground="paving",
    patches=(Patch("grass", _rectangle(9.5, 22.0, 15.0, 25.5)),),
    facade="arcade",
)

_HALL_BENCHES: Final = _spots((-5.5, 22.2, _FRONT), (-8.5, 22.2, _FRONT), (6.2, 13.5, _LEFT))
_HALL_SPOTS: Final = _spots(
    (-4.2, 10.5, _FRONT), (-3.2, 18.8, _RIGHT), (3.2, 17.2, _LEFT), (4.5, 16.4, _FRONT), (-7.8, 17.5, _RIGHT),
    (-7.6, 15.8, _RIGHT), (7.9, 20.0, _LEFT), (8.0, 18.0, _LEFT), (-1.5, 25.2, _FRONT), (-4.0, 25.2, _FRONT),
    (-7.0, 25.2, _FRONT), (0.0, 13.0, _FRONT), (-1.2, 16.8, _FRONT), (1.6, 20.0, _LEFT), (2.0, 11.4, _LEFT),
    (-2.2, 14.0, _RIGHT), (-6.4, 13.2, _RIGHT), (5.0, 11.8, _LEFT),
)  # fmt: skip
_HALL: Final = Layout(
    key="hall",
    extent=(-16.0, 2.0, 16.0, 28.0),
    outline=_rectangle(-16.0, 2.0, 16.0, 28.0),
    obstacles=(
        Obstacle("facade", -6.5, 27.0, 19.0, 2.0, 6.0),
        Obstacle("facade", 11.5, 27.0, 9.0, 2.0, 6.0),
        Obstacle("pillar", -4.2, 11.5, 0.7, 0.7, 5.0),
        Obstacle("pillar", 4.2, 17.5, 0.7, 0.7, 5.0),
        Obstacle("pillar", -4.2, 19.0, 0.7, 0.7, 5.0),
        Obstacle("kiosk", -9.5, 17.0, 2.0, 3.0, 2.4),
        Obstacle("kiosk", 9.4, 20.5, 1.6, 2.6, 2.1),
        Obstacle("gate", 2.4, 22.0, 0.3, 2.0, 1.1),
        Obstacle("gate", 4.4, 22.0, 0.3, 2.0, 1.1),
        Obstacle("gate", 6.4, 22.0, 0.3, 2.0, 1.1),
        Obstacle("bin", 1.2, 24.6, 0.5, 0.5, 1.0),
        *_bench_boxes(_HALL_BENCHES),
    ),
    benches=_HALL_BENCHES,
    spots=_HALL_SPOTS,
    entrances=(
        Entrance("left", (-15.0, 8.0), (-15.0, 14.0)),
        Entrance("right", (15.0, 8.0), (15.0, 16.0)),
        Entrance("front", (-4.0, 3.0), (4.0, 3.0)),
        Entrance("left_far", (-15.0, 20.0), (-15.0, 25.0)),
        Entrance("platforms", (3.6, 27.3), (6.4, 27.3), "out"),
    ),
    zones=(
        Zone(WATCHED, _rectangle(-5.0, 9.5, 6.8, 20.0)),
        Zone(RESTRICTED, _rectangle(-15.0, 23.5, -9.5, 26.0)),
        Zone(ONE_WAY, _rectangle(2.0, 20.5, 6.8, 26.5)),
    ),
    lines=(Line("middle", (0.0, 6.0), (0.0, 25.0)), Line("gates", (2.0, 23.3), (6.8, 23.3))),
    flow_rad=_BACK,
    ground="tiles",
    facade="station",
)

_CORNER_BENCHES: Final = _spots(
    (-6.0, 18.6, _FRONT),
)
# the near pavement, the crossing over the road, the far pavement, the side street
_CORNER_OUTLINE: Final = (
    (-18.0, 2.0), (18.0, 2.0), (18.0, 5.0), (3.0, 5.0), (3.0, 11.0), (18.0, 11.0), (18.0, 20.0), (13.0, 20.0),
    (13.0, 30.0), (5.0, 30.0), (5.0, 20.0), (-18.0, 20.0), (-18.0, 11.0), (-1.5, 11.0), (-1.5, 5.0), (-18.0, 5.0),
)  # fmt: skip
_CORNER_SPOTS: Final = _spots(
    (-1.0, 19.0, _FRONT), (1.5, 19.0, _FRONT), (3.5, 19.0, _FRONT), (-3.6, 19.0, _FRONT), (-9.0, 19.0, _FRONT),
    (6.4, 14.8, _LEFT), (7.6, 13.4, _FRONT), (8.6, 17.2, _BACK), (-3.0, 12.9, _FRONT), (-3.4, 15.4, _BACK),
    (3.2, 17.0, _LEFT), (0.6, 16.2, _FRONT), (-0.4, 13.4, _FRONT), (2.4, 13.6, _LEFT), (5.0, 12.8, _FRONT),
    (-6.2, 13.6, _RIGHT), (4.4, 15.6, _LEFT), (10.4, 18.8, _LEFT),
)  # fmt: skip
_CORNER: Final = Layout(
    key="corner",
    extent=(-18.0, 2.0, 18.0, 30.0),
    # the near pavement, the crossing over the road, the far pavement, the side street
    outline=_CORNER_OUTLINE,
    obstacles=(
        Obstacle("facade", -6.5, 24.0, 23.0, 8.0, 9.0),
        Obstacle("facade", 15.5, 24.0, 5.0, 8.0, 8.0),
        Obstacle("van", -8.5, 9.6, 4.6, 1.9, 2.1),
        Obstacle("van", 11.0, 9.6, 4.6, 1.9, 1.9),
        Obstacle("kiosk", 8.2, 15.2, 2.0, 2.0, 2.6),
        Obstacle("planter", -3.4, 14.2, 2.0, 0.9, 0.7),
        Obstacle("bin", 3.6, 12.2, 0.5, 0.5, 1.0),
        Obstacle("pillar", 4.0, 17.4, 0.3, 0.3, 5.0),
        *_bollards((-5.0, -3.4, 5.0, 6.6), 11.4),
        *_bench_boxes(_CORNER_BENCHES),
    ),
    benches=_CORNER_BENCHES,
    spots=_CORNER_SPOTS,
    entrances=(
        Entrance("left", (-17.0, 12.5), (-17.0, 18.5)),
        Entrance("right", (17.0, 12.5), (17.0, 18.5)),
        Entrance("near_left", (-17.0, 2.8), (-17.0, 4.2)),
        Entrance("near_right", (17.0, 2.8), (17.0, 4.2)),
        Entrance("side_street", (6.2, 29.3), (11.8, 29.3), "out"),
    ),
    zones=(
        Zone(WATCHED, _rectangle(-7.4, 11.5, 5.5, 19.5)),
        Zone(RESTRICTED, _rectangle(3.2, 7.0, 6.8, 10.8)),
        Zone(ONE_WAY, _rectangle(5.0, 21.0, 13.0, 29.0)),
    ),
    lines=(Line("crossing", (-1.5, 8.0), (3.0, 8.0)), Line("middle", (0.5, 11.0), (0.5, 20.0))),
    flow_rad=_BACK,
    ground="paving",
    patches=(
        Patch("asphalt", _rectangle(-18.0, 5.0, 18.0, 11.0)),
        Patch("zebra", _rectangle(-1.5, 5.0, 3.0, 11.0)),
        Patch("cobbles", _rectangle(5.0, 20.0, 13.0, 30.0)),
    ),
    facade="shops",
)

_SCHOOL_BENCHES: Final = _spots((-7.5, 20.6, _FRONT), (7.6, 20.6, _FRONT))
_SCHOOL_OUTLINE: Final = (
    (-17.0, 5.5), (-3.0, 5.5), (-3.0, 2.0), (3.0, 2.0), (3.0, 5.5), (17.0, 5.5), (17.0, 27.0), (-17.0, 27.0),
)  # fmt: skip
_SCHOOL_SPOTS: Final = _spots(
    (-0.8, 21.0, _FRONT), (0.8, 21.0, _FRONT), (-5.2, 21.0, _FRONT), (6.2, 21.2, _FRONT), (-9.5, 21.0, _FRONT),
    (-4.4, 14.0, _BACK), (-5.6, 15.4, _BACK), (4.6, 14.4, _BACK), (6.0, 16.2, _BACK), (0.0, 17.0, _BACK),
    (-2.2, 16.2, _BACK), (2.0, 15.4, _BACK), (-1.5, 13.2, _BACK), (1.2, 12.6, _LEFT), (-3.6, 18.4, _RIGHT),
    (4.2, 18.0, _BACK), (-3.0, 11.2, _RIGHT), (3.4, 11.0, _LEFT),
)  # fmt: skip
_SCHOOL: Final = Layout(
    key="school",
    extent=(-17.0, 2.0, 17.0, 27.0),
    outline=_SCHOOL_OUTLINE,
    obstacles=(
        Obstacle("facade", -10.5, 22.3, 13.0, 0.6, 2.6),
        Obstacle("facade", 0.0, 22.3, 3.0, 0.6, 2.6),
        Obstacle("facade", 10.5, 22.3, 13.0, 0.6, 2.6),
        Obstacle("planter", -5.8, 13.5, 1.4, 1.4, 0.6),
        Obstacle("planter", 6.0, 14.5, 1.4, 1.4, 0.6),
        Obstacle("bin", 4.8, 21.2, 0.5, 0.5, 1.0),
        Obstacle("van", 11.0, 4.2, 4.6, 1.9, 2.0),
        *_bollards((-7.0, -5.0, -3.0, 3.0, 5.0, 7.0), 6.6),
        *_bench_boxes(_SCHOOL_BENCHES),
    ),
    benches=_SCHOOL_BENCHES,
    spots=_SCHOOL_SPOTS,
    entrances=(
        Entrance("left", (-16.0, 9.0), (-16.0, 19.0)),
        Entrance("right", (16.0, 9.0), (16.0, 19.0)),
        Entrance("crossing", (-2.2, 2.8), (2.2, 2.8)),
        Entrance("gate_in", (-3.4, 26.0), (-2.0, 26.0)),
        Entrance("gate_out", (2.1, 26.0), (3.3, 26.0), "in"),
    ),
    zones=(
        Zone(WATCHED, ((-5.0, 10.5), (5.0, 10.5), (8.6, 21.5), (-8.6, 21.5))),
        Zone(RESTRICTED, _rectangle(9.0, 18.5, 13.0, 22.0)),
        Zone(ONE_WAY, _rectangle(1.5, 20.0, 4.0, 25.0)),
    ),
    lines=(Line("gate", (-4.2, 22.3), (4.2, 22.3)), Line("middle", (0.0, 8.0), (0.0, 21.0))),
    flow_rad=_FRONT,
    ground="asphalt",
    patches=(
        Patch("asphalt", _rectangle(-17.0, 2.0, 17.0, 5.5)),
        Patch("zebra", _rectangle(-3.0, 2.0, 3.0, 5.5)),
        Patch("concrete", _rectangle(-17.0, 5.5, 17.0, 22.0)),
    ),
    facade="school",
)

_MARKET_BENCHES: Final = _spots(
    (-0.6, 26.0, _FRONT),
)
_MARKET_SPOTS: Final = _spots(
    (-4.9, 11.0, _LEFT), (-4.9, 15.2, _LEFT), (-4.9, 19.0, _LEFT), (-4.9, 22.8, _LEFT), (2.1, 11.2, _RIGHT),
    (2.1, 15.0, _RIGHT), (2.1, 19.2, _RIGHT), (2.1, 22.8, _RIGHT), (-1.4, 12.8, _FRONT), (-1.2, 16.8, _FRONT),
    (-2.4, 19.4, _RIGHT), (0.2, 20.8, _FRONT), (-3.2, 27.8, _FRONT), (2.2, 27.8, _FRONT), (-6.0, 27.8, _FRONT),
    (-6.4, 13.0, _RIGHT), (-6.4, 17.0, _RIGHT), (-2.8, 14.4, _RIGHT),
)  # fmt: skip
_MARKET: Final = Layout(
    key="market",
    extent=(-15.0, 2.0, 15.0, 32.0),
    outline=_rectangle(-15.0, 2.0, 15.0, 31.0),
    obstacles=(
        Obstacle("facade", 0.0, 30.0, 22.0, 2.0, 8.0),
        *(Obstacle("stall", x, y, 1.6, 2.6, 2.3) for x in (-6.4, 3.6) for y in (11.0, 15.0, 19.0, 23.0)),
        *(Obstacle("stall", 10.4, y, 1.6, 2.6, 2.3) for y in (15.0, 19.0, 23.0)),
        Obstacle("bin", -1.4, 20.0, 0.5, 0.5, 1.0),
        *_bollards((-3.0, 0.0, 3.0), 6.4),
        *_bench_boxes(_MARKET_BENCHES),
    ),
    benches=_MARKET_BENCHES,
    spots=_MARKET_SPOTS,
    entrances=(
        Entrance("left", (-14.0, 8.0), (-14.0, 14.0)),
        Entrance("right", (14.0, 7.0), (14.0, 12.0)),
        Entrance("front", (-4.0, 3.0), (4.0, 3.0)),
        Entrance("left_far", (-14.0, 20.0), (-14.0, 27.0)),
        Entrance("right_far", (13.0, 29.0), (14.0, 29.0), "out"),
    ),
    zones=(
        Zone(WATCHED, _rectangle(-5.4, 10.0, 2.6, 26.8)),
        Zone(RESTRICTED, _rectangle(-14.5, 28.0, -11.5, 30.5)),
        Zone(ONE_WAY, _rectangle(4.6, 15.0, 9.4, 25.0)),
    ),
    lines=(Line("aisle", (-5.4, 14.0), (2.6, 14.0)), Line("middle", (-1.4, 7.0), (-1.4, 27.0))),
    flow_rad=_BACK,
    ground="cobbles",
    patches=(),
    facade="flats",
)

LAYOUTS: Final[Mapping[PlaceKey, Layout]] = MappingProxyType(
    {place.key: place for place in (_PLAZA, _HALL, _CORNER, _SCHOOL, _MARKET)}
)


def layout(key: str) -> Layout:
    """The place called ``key``.

    Raises
    ------
    ParameterError
        If there is none.
    """
    for place in LAYOUTS.values():
        if place.key == key:
            return place
    raise bad_parameter(name="key", where="layout", must=f"one of {', '.join(PLACES)}", got=key)
