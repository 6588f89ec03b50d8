"""The ground of Massilia: a coast, a port, and quarters that fill the land without gap or overlap.

The sea is to the west and south-west. Quarters are cells of a centroidal Voronoi partition, small where the city
is dense, whose straight borders are then bent together by one smooth map of the plane: the borders of two
neighbours stay one and the same line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely
from scipy.interpolate import CubicSpline
from scipy.spatial import Voronoi, cKDTree
from shapely import affinity

from contrechamp.domain.errors import ParameterError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Bend: TypeAlias = Callable[[FloatArray], FloatArray]

#: Head of the old port, EPSG:2154.
PORT_M: Final = (893_000.0, 6_247_000.0)

# Outline in kilometres from the port: the coast from north to south then east, and the hills back to the north.
_COAST_KM: Final = (
    (-7.4, 10.6), (-5.0, 9.7), (-3.6, 8.3), (-2.6, 6.3), (-1.9, 4.2), (-1.3, 2.2), (-1.0, 0.7), (-1.5, -0.5),
    (-2.2, -1.5), (-1.1, -2.9), (-0.6, -4.3), (-1.4, -5.9), (-2.4, -7.3), (-2.9, -8.6), (-1.2, -9.3), (1.6, -9.4),
    (4.2, -10.1), (7.0, -10.2), (9.6, -10.9), (11.8, -10.4),
)  # fmt: skip
_HILLS_KM: Final = (
    (13.4, -7.6), (12.6, -4.4), (13.3, -1.0), (12.2, 2.4), (10.9, 5.0), (8.9, 7.0), (6.9, 9.3), (4.0, 9.6),
    (1.6, 11.2), (-1.6, 11.0), (-4.4, 12.2),
)  # fmt: skip
_BEND_M: Final = 95.0
_BEND_WAVELENGTHS_M: Final = (900.0, 1500.0, 2600.0)


def draw_land(*, area_km2: float, rng: np.random.Generator) -> shapely.Polygon:
    """Draw the land, with the inlet of the port, scaled to exactly ``area_km2``; EPSG:2154.

    The port stays at :data:`PORT_M` whatever the area.
    """
    knots = np.array(_COAST_KM + _HILLS_KM) * 1000.0
    knots = knots + rng.normal(0.0, 170.0, knots.shape)
    closed = np.vstack([knots, knots[:1]])
    chord = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    curve = CubicSpline(chord, closed, bc_type="periodic")
    s = np.arange(0.0, chord[-1], 40.0)
    points, tangent = curve(s), curve(s, 1)
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    rugged = np.interp(s, chord[[0, 5, 10, 12, 14, len(_COAST_KM) - 1, len(_COAST_KM), -1]],
                       [60.0, 45.0, 60.0, 130.0, 190.0, 190.0, 60.0, 60.0])  # fmt: skip
    points = points + normal * (rugged * _roughness(s, chord[-1], rng=rng))[:, None]
    land = shapely.make_valid(shapely.Polygon(points)).buffer(70).buffer(-140).buffer(70)
    quay = shapely.LineString([(-3000.0, 60.0), (-900.0, 60.0), (0.0, 0.0)]).buffer(125.0)
    land = land.difference(quay).buffer(-25).buffer(50).buffer(-25)
    if isinstance(land, shapely.MultiPolygon):
        land = max(land.geoms, key=lambda part: part.area)
    land = shapely.Polygon(land.exterior)
    land = land.simplify(4.0)
    factor = float(np.sqrt(area_km2 * 1e6 / land.area))
    land = affinity.scale(land, factor, factor, origin=(0.0, 0.0))
    placed: shapely.Polygon = affinity.translate(land, *PORT_M)
    return placed


def _roughness(s: FloatArray, length: float, *, rng: np.random.Generator) -> FloatArray:
    """Periodic noise of unit variance along a closed line."""
    out = np.zeros_like(s)
    total = 0.0
    for wavelength in (3200.0, 1700.0, 900.0, 480.0):
        turns = max(1, round(length / wavelength))
        for shift in range(-2, 3):
            weight = wavelength**0.5
            out += weight * np.sin(2 * np.pi * ((turns + shift) * s / length + rng.random()))
            total += weight**2 / 2
    return np.asarray(out / np.sqrt(total), dtype=np.float64)


def urban_density(
    xy_m: FloatArray, land: shapely.Geometry, *, centres_m: FloatArray, centre_m: tuple[float, float] | None = None
) -> FloatArray:
    """Relative density of building at each point: high round the port and secondary centres, low in the hills.

    Parameters
    ----------
    xy_m : ndarray, shape (n, 2)
        Points, EPSG:2154.
    centres_m : ndarray, shape (m, 2)
        Secondary centres.
    centre_m : (float, float), optional
        Main centre of another city than Massilia, whose hills are unknown and left out. The port when not given.
    """
    size = np.sqrt(land.area / 240e6)
    from_centre = np.hypot(*(xy_m - (centre_m or PORT_M)).T) / size
    density = np.exp(-from_centre / 2700.0) + 0.16 * np.exp(-from_centre / 8000.0)
    for centre in centres_m:
        density = density + 0.16 * np.exp(-((np.hypot(*(xy_m - centre).T) / size / 1300.0) ** 2))
    if centre_m is not None:
        return np.asarray(density + 0.004, dtype=np.float64)
    hills = shapely.LineString(np.array(_HILLS_KM) * 1000.0 * size + PORT_M)
    south = shapely.LineString(np.array(_COAST_KM[13:]) * 1000.0 * size + PORT_M)
    points = shapely.points(xy_m)
    wild = np.exp(-((shapely.distance(points, hills) / size / 1500.0) ** 2))
    calanques = np.exp(-((shapely.distance(points, south) / size / 2600.0) ** 2))
    return np.asarray(density * (1.0 - 0.85 * wild) * (1.0 - 0.93 * calanques) + 0.004, dtype=np.float64)


def draw_secondary_centres(
    land: shapely.Geometry, *, n: int, rng: np.random.Generator, centre_m: tuple[float, float] = PORT_M
) -> FloatArray:
    """Draw former villages: points inside the land, away from its edge and from each other; shape (n, 2)."""
    core = land.buffer(-0.09 * np.sqrt(land.area))
    core = core if not core.is_empty else land
    pool = points_within(core, n=40 * n, rng=rng)
    chosen = [int(np.argmax(np.hypot(*(pool - centre_m).T) > 0.2 * np.sqrt(land.area)))]
    while len(chosen) < n:  # each next one: the farthest of a few candidates
        candidates = rng.choice(len(pool), size=4, replace=False)
        gaps = cKDTree(np.vstack([pool[chosen], centre_m])).query(pool[candidates])[0]
        chosen.append(int(candidates[np.argmax(gaps)]))
    return pool[chosen]


def points_within(area: shapely.Geometry, *, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw ``n`` points uniformly inside ``area``; shape (n, 2)."""
    west, south, east, north = area.bounds
    shapely.prepare(area)
    kept: list[FloatArray] = []
    while sum(len(k) for k in kept) < n:
        xy = rng.uniform((west, south), (east, north), size=(4 * n + 16, 2))
        kept.append(xy[shapely.contains_xy(area, xy[:, 0], xy[:, 1])])
    return np.concatenate(kept)[:n]


def draw_seeds(
    land: shapely.Polygon, *, n: int, centres_m: FloatArray, rng: np.random.Generator, rounds: int = 25
) -> FloatArray:
    """Place ``n`` seeds of quarters at the centres of gravity of a partition weighted by density; shape (n, 2)."""
    sample = points_within(land, n=max(12_000, 60 * n), rng=rng)
    weight = urban_density(sample, land, centres_m=centres_m) ** 1.15
    seeds = sample[rng.choice(len(sample), size=n, replace=False, p=weight / weight.sum())]
    for _ in range(rounds):
        nearest = cKDTree(seeds).query(sample)[1]
        mass = np.bincount(nearest, weight, minlength=n)
        moved = np.column_stack([np.bincount(nearest, weight * sample[:, i], minlength=n) for i in (0, 1)])
        seeds = np.where(mass[:, None] > 0, moved / np.where(mass > 0, mass, 1.0)[:, None], seeds)
    return np.asarray(seeds, dtype=np.float64)


def partition(land: shapely.Polygon, *, seeds_m: FloatArray, rng: np.random.Generator) -> list[shapely.Polygon]:
    """Cut the land into one contiguous polygon per seed, with bent borders that neighbours share exactly.

    Returns
    -------
    list of Polygon
        In the order of the seeds. They cover the land and do not overlap.
    """
    n = len(seeds_m)
    if n == 1:
        return [land]
    west, south, east, north = land.bounds
    reach = 4 * max(east - west, north - south)
    centre = np.array([(west + east) / 2, (south + north) / 2])
    frame = centre + reach * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1), (0, 1.3), (0, -1.3), (1.3, 0), (-1.3, 0)])
    diagram = Voronoi(np.vstack([seeds_m, frame]))
    bend = _draw_bend(rng=rng)
    lines = []
    for (p, q), (a, b) in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True):
        if a >= 0 and b >= 0 and (p < n or q < n):
            edge = shapely.LineString(diagram.vertices[[min(a, b), max(a, b)]])
            edge = edge.intersection(shapely.box(west - 3000, south - 3000, east + 3000, north + 3000))
            if not edge.is_empty:
                lines.append(shapely.transform(edge.segmentize(90.0), bend))
    noded = shapely.union_all([*lines, land.exterior], grid_size=0.01)
    faces = [f for f in shapely.get_parts(shapely.polygonize([noded])) if land.contains(f.representative_point())]
    owner = cKDTree(seeds_m).query(_unbend(np.array([f.representative_point().coords[0] for f in faces]), bend))[1]
    return _one_face_each(faces, owner.astype(np.int64), n=n)


def _draw_bend(*, rng: np.random.Generator) -> Bend:
    """Draw a smooth map of the plane onto itself (its derivative stays close to the identity)."""
    waves = [(2 * np.pi / w, rng.uniform(0, 2 * np.pi, 4), w) for w in _BEND_WAVELENGTHS_M for _ in range(2)]

    def bend(xy: FloatArray) -> FloatArray:
        out = xy.astype(np.float64).copy()
        for k, (angle, phase_a, phase_b, tilt), wavelength in waves:
            along = xy[:, 0] * np.cos(angle) + xy[:, 1] * np.sin(angle)
            across = -xy[:, 0] * np.sin(angle) + xy[:, 1] * np.cos(angle)
            size = _BEND_M * wavelength / 2600.0
            out[:, 0] += size * np.sin(k * along + phase_a + 0.3 * np.sin(tilt))
            out[:, 1] += size * np.sin(k * across + phase_b)
        return out

    return bend


def _unbend(xy: FloatArray, bend: Bend) -> FloatArray:
    """Invert ``bend`` by fixed-point iteration."""
    guess = xy.copy()
    for _ in range(40):
        guess = guess - (bend(guess) - xy)
    return guess


def _one_face_each(faces: list[shapely.Polygon], owner: IntArray, *, n: int) -> list[shapely.Polygon]:
    """Keep each owner's largest face; give every other face to the neighbour it shares most border with."""
    kept: dict[int, shapely.Geometry] = {}
    loose: list[shapely.Polygon] = []
    for i in sorted(range(len(faces)), key=lambda j: -faces[j].area):
        if int(owner[i]) in kept:
            loose.append(faces[i])
        else:
            kept[int(owner[i])] = faces[i]
    while loose:
        waiting = []
        for face in loose:
            shared = {q: shapely.intersection(shape.boundary, face.boundary).length for q, shape in kept.items()
                      if shape.distance(face) == 0}  # fmt: skip
            best = max(shared, key=lambda q: shared[q], default=None)
            if best is None or shared[best] <= 0:
                waiting.append(face)
            else:
                kept[best] = shapely.union_all([kept[best], face])
        if len(waiting) == len(loose):
            break
        loose = waiting
    if len(kept) != n:
        raise ParameterError(
            f"The `city.n_quarters` value of the scenario must leave land to every quarter. Got {n}, of which "
            f"{n - len(kept)} had none. Ask for fewer quarters, or for more `city.area_km2`."
        )
    return [kept[q] for q in range(n)]
