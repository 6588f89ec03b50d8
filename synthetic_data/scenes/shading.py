"""What the sensor keeps of a frame: shadows on the ground, light on bodies, rain, veil and grain.

What it cannot tell you: bodies cast shadows on the ground only, not on walls nor on each other.
"""

from __future__ import annotations

import numba
import numpy as np

from synthetic_data.scenes.raycaster import (
    AX,
    AY,
    AZ,
    BLUE,
    BX,
    BY,
    BZ,
    F32,
    F64,
    GREEN,
    I32,
    I64,
    RA,
    RB,
    RED,
    U8,
    mix,
)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def cast_shadows(
    cones: F64,
    towards: F64,
    soft_m: float,
    soft_per_m: float,
    below_m: float,
    ground_x: F32,
    ground_y: F32,
    axes: F64,
    centre: F64,
    focal: float,
    lit: F32,
) -> None:
    """Lower ``lit`` (1 in the open, 0 in full shade) where cones of the scene stand between ground and light.

    Seen from far away along the light, a cone is two discs and their tangents; the distance to that outline, over the
    width of the penumbra, is the share of the light that passes.

    Parameters
    ----------
    towards : ndarray of shape (n, 3)
        Unit vector to the light, for each cone; downwards or level: no shadow.
    soft_m, soft_per_m : float
        Width of the penumbra at no height, and what it gains for a metre of height.
    below_m : float
        Only cones that come this near to the ground.
    ground_x, ground_y : ndarray of shape (height, width)
        Where each pixel shows the ground; NaN elsewhere.
    lit : ndarray of shape (height, width)
        Changed in place.
    """
    height, width = lit.shape
    for k in range(len(cones)):
        lx, ly, lz = towards[k, 0], towards[k, 1], towards[k, 2]
        ax, ay, az, ra = cones[k, AX], cones[k, AY], cones[k, AZ], cones[k, RA]
        bx, by, bz, rb = cones[k, BX], cones[k, BY], cones[k, BZ], cones[k, RB]
        if lz < 0.05 or min(az - ra, bz - rb) > below_m:
            continue
        soft = soft_m + soft_per_m * max(0.0, min(az, bz))
        reach_a, reach_b = (ra + soft) / lz, (rb + soft) / lz
        sx, sy = ax - lx / lz * az, ay - ly / lz * az
        tx, ty = bx - lx / lz * bz, by - ly / lz * bz
        west, east = min(sx - reach_a, tx - reach_b), max(sx + reach_a, tx + reach_b)
        south, north = min(sy - reach_a, ty - reach_b), max(sy + reach_a, ty + reach_b)
        x1, y1, x2, y2 = 1e9, 1e9, -1e9, -1e9
        for corner in range(4):
            px = (west if corner % 2 == 0 else east) - centre[0]
            py = (south if corner < 2 else north) - centre[1]
            pz = -centre[2]
            depth = axes[2, 0] * px + axes[2, 1] * py + axes[2, 2] * pz
            if depth < 0.3:
                x1, y1, x2, y2 = -1e9, -1e9, 1e9, 1e9
                break
            x = focal * (axes[0, 0] * px + axes[0, 1] * py + axes[0, 2] * pz) / depth + width / 2.0
            y = focal * (axes[1, 0] * px + axes[1, 1] * py + axes[1, 2] * pz) / depth + height / 2.0
            x1, y1, x2, y2 = min(x1, x), min(y1, y), max(x2, x), max(y2, y)
        i1, i2 = max(0, int(np.floor(max(x1, -1.0)))), min(width, int(min(x2, 1e6)) + 1)
        j1, j2 = max(0, int(np.floor(max(y1, -1.0)))), min(height, int(min(y2, 1e6)) + 1)
        # two axes across the light
        flat = np.sqrt(lx * lx + ly * ly)
        if flat > 1e-9:
            ux, uy = -ly / flat, lx / flat
        else:
            ux, uy = 1.0, 0.0
        vx, vy, vz = -uy * lz, ux * lz, lx * uy - ly * ux
        pu, pv = ux * ax + uy * ay, vx * ax + vy * ay + vz * az
        eu, ev = ux * bx + uy * by - pu, vx * bx + vy * by + vz * bz - pv
        length = np.sqrt(eu * eu + ev * ev)
        slope = (ra - rb) / length if length > 1e-9 else 2.0
        steep = np.sqrt(1.0 - slope * slope) if -1.0 < slope < 1.0 else 0.0
        for j in range(j1, j2):
            for i in range(i1, i2):
                gx, gy = ground_x[j, i], ground_y[j, i]
                if not (west <= gx <= east and south <= gy <= north):
                    continue
                wu, wv = ux * gx + uy * gy - pu, vx * gx + vy * gy - pv
                if steep == 0.0:
                    first, second = np.sqrt(wu * wu + wv * wv) - ra, np.sqrt((wu - eu) ** 2 + (wv - ev) ** 2) - rb
                    gap = first if ra >= rb else second
                else:
                    along = (wu * eu + wv * ev) / length
                    across = abs(wu * ev - wv * eu) / length
                    foot = steep * along - slope * across
                    if foot < 0.0:
                        gap = np.sqrt(wu * wu + wv * wv) - ra
                    elif foot > steep * length:
                        gap = np.sqrt((wu - eu) ** 2 + (wv - ev) ** 2) - rb
                    else:
                        gap = across * steep + along * slope - ra
                passes = 0.5 + gap / soft
                if passes < lit[j, i]:
                    lit[j, i] = max(passes, 0.0)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def shade_bodies(
    cones: F64,
    light_of: I64,
    which: I32,
    near: F32,
    reach: I64,
    focal: float,
    samples: int,
    up: F64,
    height_m: float,
    key_dir: F64,
    key_rgb: F64,
    sky_rgb: F64,
    bounce_rgb: F64,
    body: F32,
) -> None:
    """Light of the bodies in each pixel, summed over samples, and in the fourth channel the share that they cover.

    Parameters
    ----------
    light_of : ndarray of shape (n,)
        Row of ``key_dir`` and ``key_rgb`` that lights each cone.
    key_dir : ndarray of shape (m, 3)
        Towards the main light, in the camera's axes.
    body : ndarray of shape (height, width, 4)
        Overwritten.
    """
    height, width, _ = body.shape
    half_w, half_h = width / 2.0, height / 2.0
    share = 1.0 / (samples * samples)
    body[:, :, :] = 0.0
    for y in range(height):
        for x in range(reach[y, 0], reach[y, 1]):
            red, green, blue, held = 0.0, 0.0, 0.0, 0
            for j in range(y * samples, (y + 1) * samples):
                for i in range(x * samples, (x + 1) * samples):
                    k = which[j, i]
                    if k < 0:
                        continue
                    held += 1
                    u, v = ((i + 0.5) / samples - half_w) / focal, ((j + 0.5) / samples - half_h) / focal
                    s = float(near[j, i])
                    cone = cones[k]
                    ex, ey, ez = cone[BX] - cone[AX], cone[BY] - cone[AY], cone[BZ] - cone[AZ]
                    wx, wy, wz = s * u - cone[AX], s * v - cone[AY], s - cone[AZ]
                    delta = cone[RA] - cone[RB]
                    m = ex * ex + ey * ey + ez * ez - delta * delta
                    if m > 1e-12:
                        at = min(max((wx * ex + wy * ey + wz * ez - cone[RA] * delta) / m, 0.0), 1.0)
                    else:
                        at = 0.0 if delta >= 0.0 else 1.0
                    nx, ny, nz = wx - at * ex, wy - at * ey, wz - at * ez
                    size = np.sqrt(nx * nx + ny * ny + nz * nz)
                    nx, ny, nz = nx / size, ny / size, nz / size
                    upright = nx * up[0] + ny * up[1] + nz * up[2]
                    facing = -(nx * u + ny * v + nz) / np.sqrt(u * u + v * v + 1.0)
                    above = height_m + s * (up[0] * u + up[1] * v + up[2])
                    # corners near the ground and grazing surfaces get less of the sky
                    shade = (0.6 + 0.4 * min(1.0, above / 0.6)) * (0.55 + 0.45 * max(0.0, facing))
                    row = light_of[k]
                    direct = nx * key_dir[row, 0] + ny * key_dir[row, 1] + nz * key_dir[row, 2]
                    direct = max(0.0, 0.85 * direct + 0.15)
                    from_sky, from_below = 0.5 + 0.5 * upright, 0.5 - 0.5 * upright
                    red += cone[RED] * (
                        shade * (sky_rgb[0] * from_sky + bounce_rgb[0] * from_below) + key_rgb[row, 0] * direct
                    )
                    green += cone[GREEN] * (
                        shade * (sky_rgb[1] * from_sky + bounce_rgb[1] * from_below) + key_rgb[row, 1] * direct
                    )
                    blue += cone[BLUE] * (
                        shade * (sky_rgb[2] * from_sky + bounce_rgb[2] * from_below) + key_rgb[row, 2] * direct
                    )
            body[y, x, 0] = red * share
            body[y, x, 1] = green * share
            body[y, x, 2] = blue * share
            body[y, x, 3] = held * share


@numba.njit(cache=True, nogil=True, error_model="numpy")
def develop(
    open_rgb: F32,
    shaded_rgb: F32,
    lit: F32,
    contact: F32,
    body: F32,
    veil: F32,
    streaks: F32,
    streak_rgb: F64,
    noise: float,
    seed: int,
    image: U8,
) -> None:
    """Put bodies over ground, shade, veil and rain; then the square root a screen expects, noise, and eight bits."""
    height, width, _ = image.shape
    for y in range(height):
        for x in range(width):
            bare = 1.0 - body[y, x, 3]
            through = 1.0 - streaks[y, x]
            h = mix((y * width + x) ^ seed)
            b0, b1 = float(h & 255), float((h >> 8) & 255)
            b2, b3 = float((h >> 16) & 255), float(h >> 24)
            grain = (b0 + b1 + b2 + b3 - 510.0) / 147.8
            for c in range(3):
                ground = shaded_rgb[y, x, c] + (open_rgb[y, x, c] - shaded_rgb[y, x, c]) * lit[y, x]
                value = body[y, x, c] + bare * ground * contact[y, x]
                value = value * through + streak_rgb[c] * streaks[y, x] + veil[y, x, c]
                tint = (b0 - b2, b1 - b3, b2 - b1)[c] / 104.5
                level = 255.0 * np.sqrt(min(max(value, 0.0), 1.0)) + noise * (grain + 0.4 * tint)
                image[y, x, c] = np.uint8(min(max(level + 0.5, 0.0), 255.0))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def rain_streaks(amount: float, seed: int, focal: float, streaks: F32) -> None:
    """Draw the drops that fall through one frame, as slanted segments of a given opacity; overwrites ``streaks``."""
    height, width = streaks.shape
    streaks[:, :] = 0.0
    for drop in range(int(amount * width * height / 260)):
        h = mix(mix(drop) ^ seed)
        g = mix(h ^ 0x68BC21EB)
        x = float(h % (width * 16)) / 16.0
        y = float((h >> 9) % (height + 40)) - 40.0
        near = 1.0 + float(g & 255) / 64.0  # 1 far to 5 near
        length = int(near * focal * 0.007) + 2
        for step in range(length):
            i, j = int(x + 0.14 * step), int(y) + step
            if 0 <= i < width and 0 <= j < height:
                streaks[j, i] = min(0.6, streaks[j, i] + 0.05 + 0.035 * near)
