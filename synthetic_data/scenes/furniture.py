"""What stands in a place: buildings, kiosks, benches, stalls, as boxes and rounded cones.

What it cannot tell you: furniture is where the layout says; trees and far houses are only a backdrop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from synthetic_data.scenes.layouts import Layout, Obstacle, Spot
from synthetic_data.scenes.raycaster import CONE_COLUMNS, F64, mix
from synthetic_data.scenes.surfaces import PLAIN, SHOPS, SLATS, STRIPES, VAN, WINDOWS

_WALLS: Final = {
    "shops": (206, 190, 164), "station": (196, 200, 202), "flats": (216, 200, 172), "school": (186, 140, 112),
    "arcade": (220, 208, 184),
}  # fmt: skip


@dataclass(slots=True)
class _Stage:
    """Boxes and cones as they are gathered."""

    boxes: list[tuple[float, ...]] = field(default_factory=list)
    cones: list[tuple[float, ...]] = field(default_factory=list)

    def box(
        self, x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], rgb: tuple[float, float, float],
        material: int = PLAIN,
    ) -> None:  # fmt: skip
        self.boxes.append((x[0], y[0], z[0], x[1], y[1], z[1], float(material), *((c / 255.0) ** 2 for c in rgb)))

    def cone(
        self, a: tuple[float, float, float], ra: float, b: tuple[float, float, float], rb: float,
        rgb: tuple[float, float, float],
    ) -> None:  # fmt: skip
        self.cones.append((*a, ra, *b, rb, *((c / 255.0) ** 2 for c in rgb)))


def _tone(key: int, i: int, spread: float) -> float:
    """A number around 1, from integers."""
    return 1.0 + spread * (int(mix((key * 7919 + i * 104729) & 0xFFFFFFFF) % 2001 - 1000) / 1000.0)


def _shaded(rgb: tuple[float, float, float], tone: float) -> tuple[float, float, float]:
    return (min(250.0, rgb[0] * tone), min(250.0, rgb[1] * tone), min(250.0, rgb[2] * tone))


def _furnish(stage: _Stage, place: Layout, item: Obstacle, i: int, backs: dict[tuple[float, float], Spot]) -> None:
    """The boxes and cones of one obstacle."""
    x1, x2 = item.x_m - item.width_m / 2, item.x_m + item.width_m / 2
    y1, y2 = item.y_m - item.depth_m / 2, item.y_m + item.depth_m / 2
    h, x, y = item.height_m, item.x_m, item.y_m
    if item.kind == "facade":
        wall = _shaded(_WALLS[place.facade], _tone(11, i, 0.1))
        low = h < 4.0
        stage.box((x1, x2), (y1, y2), (0.0, h), wall, PLAIN if low else SHOPS)
        stage.box((x1 - 0.06, x2 + 0.06), (y1 - 0.12, y2 + 0.1), (h - 0.22, h), _shaded(wall, 0.8))
        stage.box((x1 - 0.02, x2 + 0.02), (y1 - 0.05, y2), (0.0, 0.45), _shaded(wall, 0.62))
    elif item.kind == "kiosk":
        body = ((62, 92, 78), (84, 72, 96), (70, 84, 110))[i % 3]
        stage.box((x1, x2), (y1, y2), (0.0, h - 0.25), body)
        stage.box((x1 + 0.2, x2 - 0.2), (y1 - 0.03, y1), (1.0, h - 0.6), (196, 188, 150))
        stage.box((x1 - 0.35, x2 + 0.35), (y1 - 0.5, y2 + 0.35), (h - 0.25, h), _shaded(body, 0.7))
        stage.box((x1, x2), (y1 - 0.25, y1), (0.92, 1.0), (150, 132, 108))
    elif item.kind == "pillar":
        stage.box((x1, x2), (y1, y2), (0.0, h), (188, 186, 180))
        stage.box((x1 - 0.05, x2 + 0.05), (y1 - 0.05, y2 + 0.05), (0.0, 0.3), (120, 120, 118))
    elif item.kind == "bollard":
        r = item.width_m / 2 * 0.7
        stage.cone((x, y, 0.0), r, (x, y, h - r), r * 0.9, (62, 64, 68))
    elif item.kind == "bin":
        r = item.width_m / 2
        stage.cone((x, y, 0.15), r * 0.8, (x, y, h - r), r, (58, 86, 66))
        stage.cone((x, y, h - 0.18), r * 0.9, (x, y, h - 0.14), r * 0.9, (38, 44, 42))
    elif item.kind == "bench":
        wood = (136, 100, 66)
        stage.box((x1, x2), (y1, y2), (h - 0.07, h), wood, SLATS)
        wide = item.width_m > item.depth_m
        for end in (0.12, 0.88):
            if wide:
                at = x1 + end * item.width_m
                stage.box((at - 0.05, at + 0.05), (y1 + 0.05, y2 - 0.05), (0.0, h - 0.07), (66, 66, 70))
            else:
                at = y1 + end * item.depth_m
                stage.box((x1 + 0.05, x2 - 0.05), (at - 0.05, at + 0.05), (0.0, h - 0.07), (66, 66, 70))
        bench = backs.get((x, y))
        if bench is not None:
            bx, by = -np.sin(bench.heading_rad), -np.cos(bench.heading_rad)
            if abs(by) > abs(bx):
                edge = y2 if by > 0 else y1
                stage.box((x1, x2), (edge - 0.03, edge + 0.03), (h + 0.1, h + 0.4), wood, SLATS)
            else:
                edge = x2 if bx > 0 else x1
                stage.box((edge - 0.03, edge + 0.03), (y1, y2), (h + 0.1, h + 0.4), wood, SLATS)
    elif item.kind == "planter":
        stage.box((x1, x2), (y1, y2), (0.0, h), (150, 142, 130))
        steps = max(2, int(max(item.width_m, item.depth_m) / 0.55))
        for k in range(steps):
            at = (k + 0.5) / steps
            px = x1 + at * item.width_m if item.width_m >= item.depth_m else x
            py = y if item.width_m >= item.depth_m else y1 + at * item.depth_m
            r = 0.27 * _tone(23 + i, k, 0.25)
            stage.cone((px, py, h), r, (px + 0.1, py, h + 0.2), r * 0.8, _shaded((70, 104, 52), _tone(5, k, 0.15)))
    elif item.kind == "van":
        paint = ((214, 214, 210), (68, 92, 128), (150, 54, 50))[i % 3]
        stage.box((x1, x2 - 0.9), (y1, y2), (0.3, h), paint, VAN)
        stage.box((x2 - 0.9, x2), (y1 + 0.05, y2 - 0.05), (0.3, 0.62 * h), paint)
        stage.box((x2 - 1.0, x2 - 0.35), (y1 + 0.1, y2 - 0.1), (0.62 * h, 0.95 * h), (46, 56, 66))
        for wx in (x1 + 0.8, x2 - 0.8):
            for wy in (y1 + 0.06, y2 - 0.06):
                stage.cone((wx, wy - 0.04, 0.33), 0.33, (wx, wy + 0.04, 0.33), 0.33, (26, 26, 28))
    elif item.kind == "stall":
        for px in (x1 + 0.06, x2 - 0.06):
            for py in (y1 + 0.06, y2 - 0.06):
                stage.box((px - 0.03, px + 0.03), (py - 0.03, py + 0.03), (0.0, h), (150, 150, 150))
        cloth = ((196, 70, 58), (70, 116, 84), (64, 92, 146), (206, 160, 70))[i % 4]
        stage.box((x1, x2), (y1, y2), (0.0, 0.8), _shaded(cloth, 0.55))
        stage.box((x1 - 0.25, x2 + 0.25), (y1 - 0.2, y2 + 0.2), (h - 0.22, h), cloth, STRIPES)
        goods = ((206, 120, 40), (170, 44, 40), (120, 150, 60), (226, 196, 90))
        for row in range(3):
            for k in range(4):
                px, py = x1 + (row + 0.5) / 3 * item.width_m, y1 + (k + 0.5) / 4 * item.depth_m
                stage.cone((px - 0.1, py, 0.86), 0.15, (px + 0.1, py, 0.86), 0.15, goods[(row + k + i) % 4])
    else:  # gate
        stage.box((x1, x2), (y1, y2), (0.0, h), (150, 156, 160))
        stage.box((x1 - 0.02, x2 + 0.02), (y1, y1 + 0.4), (h - 0.12, h + 0.02), (60, 120, 90))


def _backdrop(stage: _Stage, place: Layout) -> None:
    """What closes the view behind and beside the place."""
    west, _, east, north = place.extent
    wall = _WALLS[place.facade]
    if place.key == "hall":
        stage.box((west - 8, east + 8), (north + 5.0, north + 5.4), (0.0, 7.0), _shaded(wall, 0.75), WINDOWS)
        stage.box((west - 1.4, west - 1.0), (0.0, north + 5.0), (0.0, 7.0), _shaded(wall, 0.9), SHOPS)
        stage.box((east + 1.0, east + 1.4), (0.0, north + 5.0), (0.0, 7.0), _shaded(wall, 0.9), SHOPS)
        return
    far = north + (12.0 if place.key in ("school", "corner") else 7.0)
    for k in range(-4, 5):
        x = 11.0 * k + 2.0
        h = 11.0 * _tone(41, k + 9, 0.3)
        stage.box((x, x + 10.9), (far, far + 8.0), (0.0, h), _shaded(wall, _tone(17, k + 5, 0.16)), WINDOWS)
    for s, edge in ((-1.0, west - 3.0), (1.0, east + 3.0)):
        for k in range(2):
            y = 14.0 + 11.0 * k
            near, away = sorted((edge, edge + s * 8.0))
            tone = _tone(29, k + int(2 + s), 0.16)
            stage.box((near, away), (y, y + 10.8), (0.0, 10.0 * tone), _shaded(wall, tone), WINDOWS)
    if place.key in ("plaza", "school", "market"):
        for k, (x, y) in enumerate(((west + 1.2, 13.0), (west + 1.2, 20.5), (east - 1.0, 14.5), (east - 1.0, 27.0))):
            stage.cone((x, y, 0.0), 0.16, (x, y, 3.2), 0.12, (92, 76, 60))
            for j in range(5):
                dx, dy = 0.8 * _tone(k, j, 1.0) - 0.8, 0.8 * _tone(k + 7, j, 1.0) - 0.8
                green = _shaded((84, 116, 62), _tone(k + 3, j, 0.2))
                stage.cone((x + dx, y + dy, 3.6), 0.95, (x + 0.6 * dx, y + 0.6 * dy, 4.6), 0.75, green)


def furniture(place: Layout) -> tuple[F64, F64]:
    """Boxes (corners, material, albedo; shape (n, 10)) and cones (shape (m, 11)) of a place."""
    stage = _Stage()
    backs = {(b.x_m, b.y_m): b for b in place.benches}
    for i, item in enumerate(place.obstacles):
        _furnish(stage, place, item, i, backs)
    _backdrop(stage, place)
    cones = np.array(stage.cones).reshape(-1, CONE_COLUMNS)
    return np.array(stage.boxes).reshape(-1, 10), cones
