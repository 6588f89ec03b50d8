"""Where light comes from: sun, sky, lamps, and what the lens and the sensor add to it.

Four lights: ``day`` (a high sun, its side drawn from the scene's seed), ``dusk`` (a dim blue sky, lamps just lit),
``night`` (lamps and almost nothing else), ``glare`` (a low sun ahead of the camera: long shadows towards it, bodies
against the light, a veil over the image). A hall keeps its ceiling lights at all hours.

What it cannot tell you: radiances are relative, and exposure does not adapt from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.video import Camera
from synthetic_data.scenes.raycaster import F32, F64, mix
from synthetic_data.scenes.spec import SceneSpec

#: Lamps hang this high over the ground, from wires.
LAMP_HEIGHT_M: Final = 5.5
_LAMP_GRID: Final = (
    (-8.0, 10.5), (1.5, 9.0), (9.5, 12.0), (-4.0, 18.0), (5.5, 20.0), (-10.5, 25.0), (0.5, 26.0), (12.0, 26.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LightSetup:
    """The light of a whole clip.

    Attributes
    ----------
    towards : ndarray of shape (3,)
        Unit vector towards the sun (or the ceiling), in the scene.
    sun_rgb, sky_rgb, bounce_rgb : ndarray of shape (3,)
        Light from there, from above, from the ground.
    lamps : ndarray of shape (n, 3)
        Where lamps hang, metres.
    lamp_rgb : ndarray of shape (3,)
        Light right under one lamp.
    soft_m, soft_per_m : float
        Width of shadows' edges.
    sky_top_rgb, sky_low_rgb : ndarray of shape (3,)
        The sky itself, overhead and at the horizon.
    veil : float
        Strength of the veil of glare, 0 none.
    veil_rgb : ndarray of shape (3,)
        Light spread evenly over the image by haze or rain.
    noise : float
        Standard deviation of the sensor's grain, in levels of 256.
    windows : float
        How bright windows are lit from inside.
    tallest_m : float, default=inf
        Boxes taller than this let the sun through: a low sun comes along a street, not through houses.
    """

    towards: F64
    sun_rgb: F64
    sky_rgb: F64
    bounce_rgb: F64
    lamps: F64
    lamp_rgb: F64
    soft_m: float
    soft_per_m: float
    sky_top_rgb: F64
    sky_low_rgb: F64
    veil: float
    veil_rgb: F64
    noise: float
    windows: float
    tallest_m: float = np.inf

    def on_bodies(self, points_m: F64) -> tuple[F64, F64]:
        """Direction and colour of the main light at each point: the sun, or what lamps add up to.

        Parameters
        ----------
        points_m : ndarray of shape (n, 3)

        Returns
        -------
        towards : ndarray of shape (n, 3)
            Unit vectors.
        rgb : ndarray of shape (n, 3)
        """
        flow = np.tile(self.towards * self.sun_rgb.mean(), (len(points_m), 1))
        rgb = np.tile(self.sun_rgb, (len(points_m), 1))
        for lamp in self.lamps:
            to = lamp - points_m
            d2 = (to * to).sum(axis=1)
            share = (LAMP_HEIGHT_M**2) / np.maximum(d2, 4.0)
            flow += (share / np.sqrt(d2) * self.lamp_rgb.mean())[:, None] * to
            rgb += share[:, None] * self.lamp_rgb
        size = np.sqrt((flow * flow).sum(axis=1))
        towards = np.where(size[:, None] > 1e-9, flow / np.where(size > 1e-9, size, 1.0)[:, None], [0.0, 0.0, 1.0])
        return towards, rgb


def _rgb(red: float, green: float, blue: float) -> F64:
    return np.array([red, green, blue])


def _direction(azimuth_rad: float, elevation_rad: float) -> F64:
    """Azimuth clockwise from +y."""
    flat = np.cos(elevation_rad)
    return np.array([np.sin(azimuth_rad) * flat, np.cos(azimuth_rad) * flat, np.sin(elevation_rad)])


def light_setup(spec: SceneSpec) -> LightSetup:
    """The light that a scene asks for; where the sun stands depends on its seed."""
    h = mix((spec.seed & 0xFFFFFFFF) ^ 0x51ED270B)
    a, b, c = (h & 1023) / 1023.0, ((h >> 10) & 1023) / 1023.0, ((h >> 20) & 1023) / 1023.0
    side = -1.0 if a < 0.5 else 1.0
    none = np.empty((0, 3))
    lamps = np.array([(x, y, LAMP_HEIGHT_M) for x, y in _LAMP_GRID])
    dry = 1.0 - 0.75 * min(1.0, 1.6 * spec.rain)  # clouds hide the sun before the rain is heavy
    haze = _rgb(0.05, 0.055, 0.06) * spec.rain
    if spec.place == "hall":
        return _in_hall(spec, a, b)
    if spec.light == "day":
        return LightSetup(
            towards=_direction(np.pi + side * (0.35 + 0.8 * b), 0.62 + 0.4 * c),
            sun_rgb=_rgb(0.95, 0.90, 0.80) * dry, sky_rgb=_rgb(0.42, 0.47, 0.54) * (1.25 - 0.25 * dry),
            bounce_rgb=_rgb(0.20, 0.19, 0.17), lamps=none, lamp_rgb=np.zeros(3), soft_m=0.05, soft_per_m=0.03,
            sky_top_rgb=_rgb(0.25, 0.42, 0.72), sky_low_rgb=_rgb(0.62, 0.72, 0.84), veil=0.0, veil_rgb=haze,
            noise=1.6, windows=0.0,
        )  # fmt: skip
    if spec.light == "glare":
        return LightSetup(
            towards=_direction(side * (0.10 + 0.3 * b), 0.2 + 0.1 * c),
            sun_rgb=_rgb(1.15, 0.92, 0.62) * dry, sky_rgb=_rgb(0.26, 0.26, 0.28), bounce_rgb=_rgb(0.20, 0.16, 0.11),
            lamps=none, lamp_rgb=np.zeros(3), soft_m=0.06, soft_per_m=0.03, sky_top_rgb=_rgb(0.55, 0.55, 0.60),
            sky_low_rgb=_rgb(0.98, 0.88, 0.70), veil=0.9 * dry, veil_rgb=_rgb(0.02, 0.018, 0.014) + haze,
            noise=2.0, windows=0.0, tallest_m=3.5,
        )  # fmt: skip
    if spec.light == "dusk":
        return LightSetup(
            towards=_direction(side * 1.2, 0.5), sun_rgb=_rgb(0.035, 0.03, 0.035),
            sky_rgb=_rgb(0.125, 0.135, 0.185), bounce_rgb=_rgb(0.05, 0.048, 0.05), lamps=lamps,
            lamp_rgb=_rgb(0.20, 0.15, 0.085), soft_m=0.15, soft_per_m=0.08, sky_top_rgb=_rgb(0.06, 0.08, 0.18),
            sky_low_rgb=_rgb(0.34, 0.20, 0.19), veil=0.0, veil_rgb=_rgb(0.004, 0.004, 0.006) + 0.3 * haze,
            noise=3.0, windows=0.32,
        )  # fmt: skip
    return LightSetup(
        towards=_rgb(0.0, 0.0, 1.0), sun_rgb=np.zeros(3), sky_rgb=_rgb(0.022, 0.024, 0.034),
        bounce_rgb=_rgb(0.022, 0.018, 0.013), lamps=lamps, lamp_rgb=_rgb(0.40, 0.29, 0.15), soft_m=0.12,
        soft_per_m=0.06, sky_top_rgb=_rgb(0.004, 0.005, 0.010), sky_low_rgb=_rgb(0.02, 0.018, 0.02), veil=0.0,
        veil_rgb=_rgb(0.002, 0.002, 0.002) + 0.1 * haze, noise=4.5, windows=0.30,
    )  # fmt: skip


def _in_hall(spec: SceneSpec, a: float, b: float) -> LightSetup:
    outside = {"day": 1.0, "glare": 1.0, "dusk": 0.55, "night": 0.4}[spec.light]
    low_sun = spec.light == "glare"
    return LightSetup(
        towards=_direction(0.5 * a - 0.25, 0.28) if low_sun else _direction(np.pi + 0.6 * a - 0.3, 1.1 + 0.2 * b),
        sun_rgb=_rgb(0.75, 0.62, 0.44) if low_sun else _rgb(0.55, 0.55, 0.53) * outside,
        sky_rgb=_rgb(0.40, 0.41, 0.42) * (0.4 + 0.6 * outside) * (0.7 if low_sun else 1.0),
        bounce_rgb=_rgb(0.20, 0.20, 0.20) * (0.3 + 0.7 * outside), lamps=np.empty((0, 3)), lamp_rgb=np.zeros(3),
        soft_m=0.06 if low_sun else 0.3, soft_per_m=0.03 if low_sun else 0.25,
        sky_top_rgb=_rgb(0.5, 0.52, 0.55) * outside, sky_low_rgb=_rgb(0.5, 0.52, 0.55) * outside,
        veil=0.7 if low_sun else 0.0, veil_rgb=_rgb(0.005, 0.005, 0.005), noise=1.8 + 1.6 * (1.0 - outside),
        windows=0.2, tallest_m=5.5 if low_sun else np.inf,
    )  # fmt: skip


def veil_image(setup: LightSetup, camera: Camera) -> F32:
    """Light added to every pixel by haze and, against the sun, by the lens: falls with the angle from the sun.

    Returns
    -------
    ndarray of shape (height, width, 3)
    """
    u = (np.arange(camera.width_px) + 0.5 - camera.width_px / 2) / camera.focal_px
    v = (np.arange(camera.height_px) + 0.5 - camera.height_px / 2) / camera.focal_px
    axes = camera.axes()
    sun = axes @ setup.towards
    length = np.sqrt(u[None, :] ** 2 + v[:, None] ** 2 + 1.0)
    cosine = (u[None, :] * sun[0] + v[:, None] * sun[1] + sun[2]) / length
    away2 = np.maximum(1.0 - cosine, 0.0) * 2.0  # the square of the angle, nearly
    glow: npt.NDArray[np.float64] = setup.veil * (0.10 / (0.10 + away2)) ** 2 + 0.03 * setup.veil
    colour = setup.sun_rgb / max(float(setup.sun_rgb.max()), 1e-9)
    return np.asarray(glow[:, :, None] * colour + setup.veil_rgb, dtype=np.float32)
