"""Rules about how one person moves: too fast (running), or against the allowed direction (counter-flow).

Both look at the straight displacement over a trailing window on the ground, so that the trembling of a box is not a
speed, and both need the condition to hold for a while.

What it cannot tell you: why. A child, a jogger and somebody late for a bus run; who walks against an arrow may be
lost. Without a stated direction the majority of the clip decides, later comers included: whoever differs is the alert.
On an image without a calibrated camera a speed means nothing, and none is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, BoolArray, ClipMeta, FloatArray, Zone
from vsa.rules.base import Rule, parameter, tested_point, zones_or_view
from vsa.rules.collect import Fired, collect
from vsa.rules.kernels_lazy import kernels
from vsa.rules.loitering import dwelt
from vsa.rules.tracks import Checked, Tracks, inside

#: Mean of unit directions, one a person, under which a zone has no direction of its own.
_AGREED: Final = 0.25


def displacement(tracks: Tracks, *, window_s: float, fps: float) -> FloatArray:
    """Displacement of each row over the trailing window: dx (m), dy (m), seconds; NaN where the track is younger."""
    moved = kernels().trailing(
        tracks.first, tracks.t_s, tracks.seen, np.ascontiguousarray(tracks.foot_m), float(window_s), 0.999 / fps
    )
    return np.asarray(moved)


@dataclass(frozen=True)
class Running(Rule):
    """A person at or above ``speed_m_s`` for ``hold_s``."""

    key: ClassVar[str] = "running"
    label: ClassVar[Text] = Text(fr="course", en="running")
    unit: ClassVar[str] = "m/s"

    speed_m_s: float = parameter(2.5, "m/s", "vitesse qui déclenche", "speed that raises the alert", above_low=True)
    hold_s: float = parameter(1.0, "s", "durée à cette vitesse", "time at that speed")
    window_s: float = parameter(0.5, "s", "fenêtre de mesure", "window of measurement", above_low=True)
    grace_s: float = parameter(0.0, "s", "ralentissement toléré", "slowing down that is forgiven")
    rearm_s: float | None = parameter(
        2.0, "s", "délai avant une nouvelle alerte (aucun : jamais plus)",
        "delay before another alert (none: never again)", optional=True,
    )  # fmt: skip
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person in each zone."""
        tracks = checked.of(self.subject)
        dx, dy, dt = displacement(tracks, window_s=self.window_s, fps=meta.fps).T
        speed = np.hypot(dx, dy) / dt
        with np.errstate(invalid="ignore"):
            fast = speed >= self.speed_m_s - 1e-9
        found = [
            _held(self, tracks, fast & inside(tracks, z, self.anchor, meta=meta), speed, self.speed_m_s, z)
            for z in zones_or_view(areas)
        ]
        return collect(found, rule=self.key, preset=preset, unit=self.unit)


@dataclass(frozen=True)
class CounterFlow(Rule):
    """A person moving within ``tolerance_deg`` of the direction opposite to the allowed one, for ``hold_s``."""

    key: ClassVar[str] = "counter-flow"
    label: ClassVar[Text] = Text(fr="contre-sens", en="counter-flow")
    unit: ClassVar[str] = "deg"

    allowed_deg: float | None = parameter(
        None, "deg", "sens permis, horaire vu du dessus, 0 : s’éloigner selon y (aucun : celui de la majorité)",
        "allowed direction, clockwise seen from above, 0: away along y (none: that of most people)",
        low=-360.0, high=360.0, optional=True,
    )  # fmt: skip
    tolerance_deg: float = parameter(
        60.0, "deg", "écart toléré avec le sens opposé", "angle from the opposite direction", high=180.0
    )
    min_displacement_m: float = parameter(
        1.0, "m", "déplacement minimal dans la fenêtre", "least displacement in the window", above_low=True
    )
    window_s: float = parameter(1.6, "s", "fenêtre de mesure", "window of measurement", above_low=True)
    hold_s: float = parameter(0.8, "s", "durée à contre-sens", "time against the flow")
    grace_s: float = parameter(0.4, "s", "interruption tolérée", "interruption that is forgiven")
    rearm_s: float | None = parameter(
        10.0, "s", "délai avant une nouvelle alerte (aucun : jamais plus)",
        "delay before another alert (none: never again)", optional=True,
    )  # fmt: skip
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person in each zone; the value is the angle from the allowed direction."""
        tracks = checked.of(self.subject)
        dx, dy, _ = displacement(tracks, window_s=self.window_s, fps=meta.fps).T
        with np.errstate(invalid="ignore"):
            moving = np.hypot(dx, dy) >= self.min_displacement_m - 1e-9
        bearing = np.arctan2(dx, dy)
        limit_deg = 180.0 - self.tolerance_deg
        found = []
        for zone in zones_or_view(areas):
            going = moving & inside(tracks, zone, self.anchor, meta=meta)
            allowed = np.nan if self.allowed_deg is None else np.deg2rad(self.allowed_deg)
            if self.allowed_deg is None:
                allowed = _majority(tracks, bearing, going)
            angle = np.abs(np.rad2deg((bearing - allowed + np.pi) % (2 * np.pi) - np.pi))
            with np.errstate(invalid="ignore"):
                against = going & (angle >= limit_deg - 1e-9)
            found.append(_held(self, tracks, against, angle, limit_deg, zone))
        return collect(found, rule=self.key, preset=preset, unit=self.unit)


def _majority(tracks: Tracks, bearing: FloatArray, going: BoolArray) -> float:
    """Mean direction of those who walk, one voice each; NaN where they do not agree (resultant under a quarter)."""
    if not going.any():
        return float("nan")
    group = (np.searchsorted(tracks.first, np.arange(len(tracks)), side="right") - 1)[going]
    _, walker = np.unique(group, return_inverse=True)
    voice = np.array([np.bincount(walker, f(bearing[going])) for f in (np.sin, np.cos)]) / np.bincount(walker)
    east, north = voice.mean(axis=1)
    return float(np.arctan2(east, north)) if np.hypot(east, north) >= _AGREED else float("nan")


def _held(
    rule: Running | CounterFlow,
    tracks: Tracks,
    on: BoolArray,
    value: FloatArray,
    threshold: float,
    zone: Zone | None,
) -> Fired:
    return dwelt(
        tracks,
        on,
        area=zone.name if zone else "",
        dwell_s=rule.hold_s,
        grace_out_s=rule.grace_s,
        grace_lost_s=rule.grace_s,
        rearm_s=rule.rearm_s,
        value=value,
        threshold=threshold,
    )
