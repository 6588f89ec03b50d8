"""What surfaces look like: slabs, tiles, asphalt, cobbles, crossings, windows, shop fronts, from integer hashes.

What it cannot tell you: no letter, no brand, no picture is drawn.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np

from synthetic_data.scenes.raycaster import F64, mix

#: Materials: of the ground first, in the order of GROUNDS, then of walls and things.
GROUNDS: Final = ("paving", "tiles", "asphalt", "concrete", "cobbles", "zebra", "grass")
PLAIN, WINDOWS, SHOPS, STRIPES, VAN, SLATS = range(len(GROUNDS), len(GROUNDS) + 6)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _lattice(x: int, y: int, key: int) -> float:
    h = mix(mix(mix(x & 0xFFFFFFFF) ^ (y & 0xFFFFFFFF)) ^ key)
    return float(h & (0xFFFF)) / 65535.0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def noise(x: float, y: float, key: int) -> float:
    """Smooth noise in [0, 1], one value a unit of length."""
    i, j = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - i, y - j
    fx, fy = fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy)
    low = _lattice(i, j, key) * (1.0 - fx) + _lattice(i + 1, j, key) * fx
    high = _lattice(i, j + 1, key) * (1.0 - fx) + _lattice(i + 1, j + 1, key) * fx
    return low * (1.0 - fy) + high * fy


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _joint(x: float, size: float, width: float, blur: float) -> float:
    """How much of a pixel the joints of a regular row take: 1 on a joint, less as it gets finer than the pixel."""
    at = x / size - np.floor(x / size)
    away = min(at, 1.0 - at) * size
    wide = max(width, blur)
    return float(max(0.0, 1.0 - away / wide) * min(1.0, width / wide))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def ground_albedo(material: int, x: float, y: float, blur: float) -> tuple[float, float, float]:
    """Albedo of the ground at a point, ``blur`` the size of a pixel there in metres."""
    broad = 0.9 + 0.2 * noise(0.35 * x, 0.35 * y, 1)
    fine = 1.0 + (0.24 * noise(9.0 * x, 9.0 * y, 2) - 0.12) * min(1.0, 0.08 / max(blur, 1e-6))
    tone = broad * fine
    if material == 0:  # paving: large slabs, laid in staggered rows
        row = int(np.floor(y / 0.6))
        shift = 0.45 * (row % 2)
        slab = 0.88 + 0.24 * _lattice(int(np.floor((x + shift) / 0.9)), row, 3)
        dark = max(_joint(x + shift, 0.9, 0.02, blur), _joint(y, 0.6, 0.02, blur))
        tone *= slab * (1.0 - 0.45 * dark)
        return 0.36 * tone, 0.335 * tone, 0.29 * tone
    if material == 1:  # tiles of a hall
        tile = 0.93 + 0.14 * _lattice(int(np.floor(x / 0.6)), int(np.floor(y / 0.6)), 4)
        dark = max(_joint(x, 0.6, 0.012, blur), _joint(y, 0.6, 0.012, blur))
        tone = (0.97 + 0.06 * noise(0.5 * x, 0.5 * y, 5)) * tile * (1.0 - 0.35 * dark)
        if int(np.floor(x / 3.6)) % 2 == 0 and abs(x / 3.6 - np.floor(x / 3.6) - 0.5) < 0.05:
            tone *= 0.62
        return 0.44 * tone, 0.43 * tone, 0.41 * tone
    if material == 2:
        crack = 1.0 - 0.25 * max(0.0, 1.0 - abs(noise(0.6 * x, 0.6 * y, 6) - 0.5) * 60.0)
        return 0.072 * tone * crack, 0.074 * tone * crack, 0.08 * tone * crack
    if material == 3:
        dark = max(_joint(x, 3.0, 0.025, blur), _joint(y, 3.0, 0.025, blur))
        tone *= 1.0 - 0.4 * dark
        return 0.30 * tone, 0.295 * tone, 0.28 * tone
    if material == 4:
        row = int(np.floor(y / 0.14))
        shift = 0.07 * (row % 2)
        stone = 0.78 + 0.44 * _lattice(int(np.floor((x + shift) / 0.17)), row, 7)
        keep = min(1.0, 0.1 / max(blur, 1e-6))
        dark = max(_joint(x + shift, 0.17, 0.02, blur), _joint(y, 0.14, 0.02, blur))
        tone = broad * (1.0 + keep * (stone - 1.0)) * (1.0 - 0.5 * dark)
        return 0.23 * tone, 0.215 * tone, 0.20 * tone
    if material == 5:
        at = x / 1.0 - np.floor(x / 1.0)
        edge = min(max((0.27 - abs(at - 0.5)) / max(blur, 0.01) + 0.5, 0.0), 1.0)
        worn = edge * (0.75 + 0.25 * noise(5.0 * x, 5.0 * y, 8))
        return 0.075 + 0.55 * worn * broad, 0.076 + 0.55 * worn * broad, 0.082 + 0.53 * worn * broad
    blade = 0.8 + 0.4 * noise(14.0 * x, 14.0 * y, 9)
    return 0.10 * broad * blade, 0.17 * broad * blade, 0.055 * broad * blade


@numba.njit(cache=True, nogil=True, error_model="numpy")
def wall_albedo(
    material: int, along: float, z: float, rgb: F64, key: int, windows: float, blur: float
) -> tuple[float, float, float, float]:
    """Albedo of an upright face at ``along`` metres and ``z`` metres up, and the light it gives off."""
    tone = 0.93 + 0.14 * noise(0.8 * along, 0.8 * z, 11)
    red, green, blue = rgb[0] * tone, rgb[1] * tone, rgb[2] * tone
    if material == WINDOWS or (material == SHOPS and z > 3.4):
        col, row = int(np.floor(along / 2.2)), int(np.floor((z - 0.6) / 2.9))
        px, pz = along / 2.2 - col, (z - 0.6) / 2.9 - row
        if 0.27 < px < 0.73 and 0.22 < pz < 0.82 and z > 0.6:
            if px < 0.30 or px > 0.70 or abs(px - 0.5) < 0.018 or pz > 0.79:
                return 0.55, 0.54, 0.50, 0.0
            shine = windows * (1.0 if _lattice(col + 131 * key, row, 12) > 0.55 else 0.05)
            return 0.035, 0.045, 0.055, shine
        if (0.20 < px < 0.27 or 0.73 < px < 0.80) and 0.2 < pz < 0.83 and z > 0.6:
            return 0.16, 0.20, 0.18, 0.0  # shutters
        if pz < 0.025 or pz > 0.985:
            return 0.75 * red, 0.75 * green, 0.75 * blue, 0.0
        return red, green, blue, 0.0
    if material == SHOPS:
        unit = int(np.floor(along / 4.4))
        p = along / 4.4 - unit
        hue = _lattice(unit, key, 13)
        if 2.7 < z < 3.2 and 0.05 < p < 0.95:  # a plain sign board, no letters
            return 0.10 + 0.35 * hue, 0.12 + 0.2 * (1.0 - hue), 0.14 + 0.3 * abs(hue - 0.5), 0.15 * windows
        if 0.5 < z < 2.6 and 0.07 < p < 0.66:
            if p < 0.085 or p > 0.645 or abs(p - 0.36) < 0.006:
                return 0.05, 0.05, 0.05, 0.0
            goods = 0.03 + 0.10 * noise(3.0 * along, 3.0 * z, 14) * max(0.0, 1.0 - abs(z - 0.9))
            return goods, 1.05 * goods, 1.1 * goods, 0.85 * windows
        if z < 2.6 and 0.72 < p < 0.92:
            return 0.09 + 0.1 * hue, 0.08, 0.07 + 0.1 * (1.0 - hue), 0.25 * windows
        return red, green, blue, 0.0
    if material == STRIPES:
        if (along / 0.36 - np.floor(along / 0.36)) < 0.5 or blur > 0.3:
            return 0.72, 0.70, 0.64, 0.0
        return red, green, blue, 0.0
    if material == VAN and 1.25 < z < 1.75:
        return 0.9 * red, 0.9 * green, 0.9 * blue, 0.0
    if material == SLATS:
        gap = _joint(z, 0.1, 0.012, blur)
        return red * (1.0 - 0.5 * gap), green * (1.0 - 0.5 * gap), blue * (1.0 - 0.5 * gap), 0.0
    return red, green, blue, 0.0
