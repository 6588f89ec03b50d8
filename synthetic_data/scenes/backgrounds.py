"""What does not move: the ground, the buildings, the furniture, drawn once for a scene.

Made of axis-aligned boxes and rounded cones over flat ground, with textures from integer hashes: slabs, tiles, asphalt,
cobbles, crossings, windows. Keeps two pictures, in the light and in the shade, so that a body's shadow is only the
share of one in the other; and the depth of every sample, which hides bodies behind furniture.

What it cannot tell you: no glass, no mirror, no slope. Lamps cast no shadow of buildings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from contrechamp.domain.video import Camera
from synthetic_data.scenes.furniture import furniture
from synthetic_data.scenes.layouts import Layout
from synthetic_data.scenes.light import LAMP_HEIGHT_M, LightSetup
from synthetic_data.scenes.raycaster import F32, F64, I32, I64, cone_span, meet, to_camera
from synthetic_data.scenes.sunlight import across, casters, enter_box, in_sun
from synthetic_data.scenes.surfaces import GROUNDS, PLAIN, SLATS, STRIPES, ground_albedo, noise, wall_albedo


@dataclass(frozen=True, slots=True)
class Background:
    """A scene without anybody.

    Attributes
    ----------
    open_rgb, shaded_rgb : ndarray of shape (height, width, 3)
        Linear light of each pixel with the sun (or lamps), and without.
    depth : ndarray of shape (height * samples, width * samples)
        Along the optical axis, metres, at the centre of each sample; infinite in the sky.
    ground_x, ground_y : ndarray of shape (height, width)
        What point of the ground each pixel shows; NaN elsewhere.
    """

    open_rgb: F32
    shaded_rgb: F32
    depth: F32
    ground_x: F32
    ground_y: F32


def bake(place: Layout, camera: Camera, setup: LightSetup, *, samples: int = 2, wet: float = 0.0) -> Background:
    """Draw a place without anybody.

    Parameters
    ----------
    place : Layout
    camera : Camera
    setup : LightSetup
    samples : int, default=2
        Samples along each side of a pixel.
    wet : float, default=0.0
        How wet the ground is, in [0, 1]: darker, and it mirrors the sky a little.
    """
    boxes, cones = furniture(place)
    corners = [np.asarray(p.points, dtype=np.float64) for p in place.patches]
    starts = np.cumsum([0, *(len(c) for c in corners)]).astype(np.int64)
    patches = np.concatenate([np.empty((0, 2)), *corners])
    materials = np.array([GROUNDS.index(p.material) for p in place.patches], dtype=np.int64)
    centre = np.array([camera.x_m, camera.y_m, camera.height_m])
    axes = camera.axes()
    h, w = camera.height_px, camera.width_px
    depth = np.full((h * samples, w * samples), np.inf, dtype=np.float32)
    what = np.full(depth.shape, -1, dtype=np.int32)
    _depths(boxes, to_camera(cones, axes, centre), axes, centre, camera.focal_px, samples, depth, what)
    out = [np.zeros((h, w, 3), dtype=np.float32) for _ in range(2)]
    ground = [np.full((h, w), np.nan, dtype=np.float32) for _ in range(2)]
    _paint(
        boxes, cones, patches, starts, materials, GROUNDS.index(place.ground), axes, centre, camera.focal_px, samples,
        depth, what, setup.towards, setup.tallest_m, setup.sun_rgb, setup.sky_rgb, setup.bounce_rgb, setup.lamps,
        setup.lamp_rgb, setup.sky_top_rgb, setup.sky_low_rgb, setup.windows, wet, out[0], out[1], ground[0], ground[1],
    )  # fmt: skip
    return Background(out[0], out[1], depth, ground[0], ground[1])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _depths(boxes: F64, cones: F64, axes: F64, centre: F64, focal: float, samples: int, depth: F32, what: I32) -> None:
    """Nearest thing at each sample: boxes by rank, then cones, -2 for the ground, -1 for the sky."""
    rows, columns = depth.shape
    half_w, half_h = columns / samples / 2.0, rows / samples / 2.0
    for j in range(rows):
        v = ((j + 0.5) / samples - half_h) / focal
        for i in range(columns):
            u = ((i + 0.5) / samples - half_w) / focal
            falls = axes[0, 2] * u + axes[1, 2] * v + axes[2, 2]
            if falls < -1e-6:
                depth[j, i] = -centre[2] / falls
                what[j, i] = -2
    for k in range(len(boxes)):
        box = boxes[k]
        x1, y1, x2, y2 = 1e9, 1e9, -1e9, -1e9
        hidden, seen = 0, 0
        for corner in range(8):
            px = box[0 if corner & 1 else 3] - centre[0]
            py = box[1 if corner & 2 else 4] - centre[1]
            pz = box[2 if corner & 4 else 5] - centre[2]
            ahead = axes[2, 0] * px + axes[2, 1] * py + axes[2, 2] * pz
            if ahead < 0.1:
                hidden += 1
                continue
            seen += 1
            x = focal * (axes[0, 0] * px + axes[0, 1] * py + axes[0, 2] * pz) / ahead + half_w
            y = focal * (axes[1, 0] * px + axes[1, 1] * py + axes[1, 2] * pz) / ahead + half_h
            x1, y1, x2, y2 = min(x1, x), min(y1, y), max(x2, x), max(y2, y)
        if seen == 0:
            continue
        if hidden > 0:
            x1, y1, x2, y2 = -1.0, -1.0, 1e6, 1e6
        for j in range(max(0, int(max(y1, -1.0) * samples)), min(rows, int(min(y2, 1e6) * samples) + 2)):
            v = ((j + 0.5) / samples - half_h) / focal
            for i in range(max(0, int(max(x1, -1.0) * samples)), min(columns, int(min(x2, 1e6) * samples) + 2)):
                u = ((i + 0.5) / samples - half_w) / focal
                s = enter_box(
                    box, centre[0], centre[1], centre[2],
                    axes[0, 0] * u + axes[1, 0] * v + axes[2, 0],
                    axes[0, 1] * u + axes[1, 1] * v + axes[2, 1],
                    axes[0, 2] * u + axes[1, 2] * v + axes[2, 2],
                )  # fmt: skip
                if s < depth[j, i]:
                    depth[j, i] = s
                    what[j, i] = k
    for k in range(len(cones)):
        x1, y1, x2, y2 = cone_span(cones[k], focal, half_w, half_h)
        for j in range(max(0, int(max(y1, -1.0) * samples)), min(rows, int(min(y2, 1e6) * samples) + 2)):
            v = ((j + 0.5) / samples - half_h) / focal
            for i in range(max(0, int(max(x1, -1.0) * samples)), min(columns, int(min(x2, 1e6) * samples) + 2)):
                u = ((i + 0.5) / samples - half_w) / focal
                s = meet(cones[k], u, v)
                if s < depth[j, i]:
                    depth[j, i] = s
                    what[j, i] = len(boxes) + k


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _inside(points: F64, first: int, last: int, x: float, y: float) -> bool:
    """Whether a point lies in a polygon, by the parity of crossings."""
    odd = False
    b = last - 1
    for a in range(first, last):
        if (points[a, 1] > y) != (points[b, 1] > y):
            cut = points[a, 0] + (y - points[a, 1]) / (points[b, 1] - points[a, 1]) * (points[b, 0] - points[a, 0])
            if x < cut:
                odd = not odd
        b = a
    return odd


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _paint(
    boxes: F64, cones: F64, patches: F64, starts: I64, materials: I64, base: int, axes: F64, centre: F64, focal: float,
    samples: int, depth: F32, what: I32, sun: F64, tallest_m: float, sun_rgb: F64, sky_rgb: F64, bounce_rgb: F64,
    lamps: F64, lamp_rgb: F64, top_rgb: F64, low_rgb: F64, windows: float, wet: float, open_rgb: F32, shaded_rgb: F32,
    ground_x: F32, ground_y: F32,
) -> None:  # fmt: skip
    """Light of every pixel in the open and in the shade, samples averaged."""
    height, width, _ = open_rgb.shape
    half_w, half_h = width / 2.0, height / 2.0
    share = 1.0 / (samples * samples)
    albedo = np.empty(3)
    bright = sun_rgb[0] + sun_rgb[1] + sun_rgb[2] > 1e-6
    frame, shape, first, things = casters(boxes, cones, sun, tallest_m)
    ax, bx = across(sun)
    for row in range(height):
        for col in range(width):
            on_ground = 0
            for j in range(row * samples, (row + 1) * samples):
                v = ((j + 0.5) / samples - half_h) / focal
                for i in range(col * samples, (col + 1) * samples):
                    u = ((i + 0.5) / samples - half_w) / focal
                    dx = axes[0, 0] * u + axes[1, 0] * v + axes[2, 0]
                    dy = axes[0, 1] * u + axes[1, 1] * v + axes[2, 1]
                    dz = axes[0, 2] * u + axes[1, 2] * v + axes[2, 2]
                    k = what[j, i]
                    if k == -1:
                        rise = min(1.0, max(0.0, dz * 2.5))
                        for c in range(3):
                            level = low_rgb[c] + (top_rgb[c] - low_rgb[c]) * rise
                            open_rgb[row, col, c] += share * level
                            shaded_rgb[row, col, c] += share * level
                        continue
                    s = float(depth[j, i])
                    x, y, z = centre[0] + s * dx, centre[1] + s * dy, centre[2] + s * dz
                    nx, ny, nz, glow = 0.0, 0.0, 1.0, 0.0
                    blur = s / focal
                    if k == -2:
                        on_ground += 1
                        z = 0.0
                        material = base
                        for p in range(len(materials)):
                            if _inside(patches, starts[p], starts[p + 1], x, y):
                                material = materials[p]
                        flat = blur * max(1.0, s / (4.0 * centre[2]))
                        albedo[0], albedo[1], albedo[2] = ground_albedo(material, x, y, flat)
                        dim = 1.0 - 0.45 * wet
                        albedo *= dim
                    elif k < len(boxes):
                        box = boxes[k]
                        best = 1e9
                        face = 0
                        for f in range(6):
                            gap = abs((x, y, z)[f % 3] - box[f])
                            if gap < best:
                                best, face = gap, f
                        sign = -1.0 if face < 3 else 1.0
                        nx, ny, nz = 0.0, 0.0, 0.0
                        if face % 3 == 0:
                            nx = sign
                        elif face % 3 == 1:
                            ny = sign
                        else:
                            nz = sign
                        if face % 3 == 2:
                            along, up = x, y
                            material = int(box[6]) if int(box[6]) in (STRIPES, SLATS) else PLAIN
                        else:
                            along, up = (y if face % 3 == 0 else x), z
                            material = int(box[6])
                        if material == STRIPES:
                            along = y
                        albedo[0], albedo[1], albedo[2], glow = wall_albedo(
                            material, along, up, box[7:10], k, windows, blur
                        )
                    else:
                        cone = cones[k - len(boxes)]
                        ex, ey, ez = cone[4] - cone[0], cone[5] - cone[1], cone[6] - cone[2]
                        wx, wy, wz = x - cone[0], y - cone[1], z - cone[2]
                        delta = cone[3] - cone[7]
                        m = ex * ex + ey * ey + ez * ez - delta * delta
                        at = 0.0 if delta >= 0.0 else 1.0
                        if m > 1e-12:
                            at = min(max((wx * ex + wy * ey + wz * ez - cone[3] * delta) / m, 0.0), 1.0)
                        nx, ny, nz = wx - at * ex, wy - at * ey, wz - at * ez
                        size = np.sqrt(nx * nx + ny * ny + nz * nz)
                        nx, ny, nz = nx / size, ny / size, nz / size
                        leaf = 0.8 + 0.4 * noise(7.0 * (x + z), 7.0 * (y - z), 15)
                        keep = leaf if cone[9] > cone[8] and cone[9] > cone[10] else 1.0
                        for c in range(3):
                            albedo[c] = cone[8 + c] * keep
                    direct = nx * sun[0] + ny * sun[1] + nz * sun[2]
                    if bright and direct > 0.0:
                        e = 0.004
                        direct *= in_sun(
                            boxes, cones, frame, shape, first, things, k, x + e * nx, y + e * ny, z + e * nz, sun,
                            ax, bx,
                        )  # fmt: skip
                    else:
                        direct = 0.0
                    lamp = 0.0
                    for q in range(len(lamps)):
                        tx, ty, tz = lamps[q, 0] - x, lamps[q, 1] - y, lamps[q, 2] - z
                        d2 = tx * tx + ty * ty + tz * tz
                        slant = (tx * nx + ty * ny + tz * nz) / np.sqrt(d2)
                        lamp += max(0.0, slant) * LAMP_HEIGHT_M * LAMP_HEIGHT_M / max(d2, 4.0)
                    corner = 1.0 if k == -2 else 0.75 + 0.25 * min(1.0, z / 0.5)
                    mirror = 0.0
                    if k == -2 and wet > 0.0:
                        graze = 1.0 + dz / np.sqrt(dx * dx + dy * dy + dz * dz)
                        mirror = wet * 0.2 * graze * graze * graze * (0.5 + noise(1.5 * x, 1.5 * y, 16))
                    for c in range(3):
                        soft = corner * (sky_rgb[c] * (0.5 + 0.5 * nz) + bounce_rgb[c] * (0.5 - 0.5 * nz))
                        tint = (1.0, 0.8, 0.5)[c] * glow + mirror * low_rgb[c]
                        shade = albedo[c] * (soft + 0.35 * lamp * lamp_rgb[c]) + tint
                        hard = albedo[c] * (direct * sun_rgb[c] + 0.65 * lamp * lamp_rgb[c])
                        shaded_rgb[row, col, c] += share * shade
                        open_rgb[row, col, c] += share * (shade + hard)
            if 2 * on_ground >= samples * samples:
                u, v = (col + 0.5 - half_w) / focal, (row + 0.5 - half_h) / focal
                falls = axes[0, 2] * u + axes[1, 2] * v + axes[2, 2]
                if falls < -1e-6:
                    s = -centre[2] / falls
                    ground_x[row, col] = centre[0] + s * (axes[0, 0] * u + axes[1, 0] * v + axes[2, 0])
                    ground_y[row, col] = centre[1] + s * (axes[0, 1] * u + axes[1, 1] * v + axes[2, 1])
