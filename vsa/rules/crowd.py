"""Rules about many people at once: too dense, or suddenly moving.

Density is persons over the zone's surface on the ground, compared with a level of service: the square metres left to
each person, in one of three published scales. An alert belongs to nobody: its ``track_id`` is −1 and the boxes of its
trace surround everybody counted.

What it cannot tell you: whether the crowd is in danger. A level of service was written for comfort and flow in
corridors; a concert in a square may stay for hours at a level that would close a staircase.

References
----------
.. [1] Fruin (1971), Pedestrian Planning and Design (walkways and queues).
.. [2] Transportation Research Board (2000), Highway Capacity Manual, chapter 18 (walkways).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import numpy as np

from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, BoolArray, ClipMeta, FloatArray, Zone
from vsa.rules.base import Rule, parameter, tested_point, zones_or_view
from vsa.rules.collect import collect
from vsa.rules.kernels_lazy import kernels
from vsa.rules.loitering import dwelt
from vsa.rules.motion import displacement
from vsa.rules.tracks import Checked, Tracks, area_m2, inside

#: Square metres a person below which each level begins, B to F.
LEVELS_M2: Final[Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "fruin-walkway": (3.25, 2.32, 1.39, 0.93, 0.46),
        "fruin-queue": (1.21, 0.93, 0.65, 0.28, 0.19),
        "hcm-walkway": (5.6, 3.7, 2.2, 1.4, 0.75),
    }
)
SCALES: Final = tuple(LEVELS_M2)


@dataclass(frozen=True)
class Density(Rule):
    """A zone at or above a level of service for ``hold_s``."""

    key: ClassVar[str] = "density"
    label: ClassVar[Text] = Text(fr="densité de foule", en="crowd density")
    unit: ClassVar[str] = "persons/m2"

    scale: Literal["fruin-walkway", "fruin-queue", "hcm-walkway"] = parameter(
        "fruin-walkway", "", "échelle de niveaux de service", "scale of levels of service", choices=SCALES
    )
    level: Literal["B", "C", "D", "E", "F"] = parameter(
        "D", "", "niveau qui déclenche", "level that raises the alert", choices=tuple("BCDEF")
    )
    density_per_m2: float | None = parameter(
        None, "persons/m2", "densité qui déclenche, à la place du niveau",
        "density that raises it, instead of the level", above_low=True, optional=True,
    )  # fmt: skip
    hold_s: float = parameter(5.0, "s", "durée au-dessus du niveau", "time above the level")
    clear_ratio: float = parameter(
        0.8,
        "",
        "part du seuil sous laquelle l’alerte retombe",
        "share of the threshold below which it clears",
        high=1.0,
    )
    clear_s: float = parameter(2.0, "s", "baisse tolérée", "time below that is forgiven")
    rearm_s: float | None = parameter(
        30.0, "s", "délai avant une nouvelle alerte (aucun : jamais plus)",
        "delay before another alert (none: never again)", optional=True,
    )  # fmt: skip
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    @property
    def threshold_per_m2(self) -> float:
        """Persons per square metre at which the level begins."""
        if self.density_per_m2 is not None:
            return self.density_per_m2
        return 1.0 / LEVELS_M2[self.scale]["BCDEF".index(self.level)]

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each zone."""
        tracks = checked.of(self.subject)
        found = []
        for zone in zones_or_view(areas):
            surface = area_m2(zone, meta=meta)
            crowd, rows = gathered(tracks, inside(tracks, zone, self.anchor, meta=meta), meta=meta)
            density = np.bincount(tracks.frame[rows], minlength=meta.n_frames) / surface
            limit = self.threshold_per_m2
            on = kernels().hysteresis(density, limit - 1e-9, self.clear_ratio * limit - 1e-9)
            found.append(
                dwelt(
                    crowd,
                    on,
                    area=zone.name if zone else "",
                    dwell_s=self.hold_s,
                    grace_out_s=self.clear_s,
                    rearm_s=self.rearm_s,
                    value=density,
                    threshold=limit,
                )
            )
        return collect(found, rule=self.key, preset=preset, unit=self.unit)


@dataclass(frozen=True)
class CrowdMovement(Rule):
    """People of a zone suddenly fast together, or moving apart.

    ``speed``: their mean speed. ``divergence``: their mean speed away from their common centre. Sudden means at least
    ``factor`` times the mean of the same figure over the ``baseline_s`` before, where there is one.
    """

    key: ClassVar[str] = "crowd-movement"
    label: ClassVar[Text] = Text(fr="mouvement de foule", en="crowd movement")
    unit: ClassVar[str] = "m/s"

    measure: Literal["speed", "divergence"] = parameter(
        "speed", "", "ce qui est mesuré", "what is measured", choices=("speed", "divergence")
    )
    speed_m_s: float = parameter(
        2.0, "m/s", "vitesse moyenne qui déclenche", "mean speed that raises it", above_low=True
    )
    factor: float = parameter(1.5, "", "rapport à la vitesse d’avant", "ratio to the speed before")
    baseline_s: float = parameter(5.0, "s", "durée de la vitesse d’avant", "length of the speed before")
    min_persons: int = parameter(5, "persons", "personnes au moins", "persons at least", low=1)
    hold_s: float = parameter(1.0, "s", "durée du mouvement", "time of the movement")
    window_s: float = parameter(0.8, "s", "fenêtre de mesure", "window of measurement", above_low=True)
    grace_s: float = parameter(0.4, "s", "interruption tolérée", "interruption that is forgiven")
    rearm_s: float | None = parameter(
        30.0, "s", "délai avant une nouvelle alerte (aucun : jamais plus)",
        "delay before another alert (none: never again)", optional=True,
    )  # fmt: skip
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each zone."""
        tracks = checked.of(self.subject)
        moved = displacement(tracks, window_s=self.window_s, fps=meta.fps)
        found = []
        for zone in zones_or_view(areas):
            at = inside(tracks, zone, self.anchor, meta=meta) & np.isfinite(moved).all(axis=1)
            crowd, rows = gathered(tracks, at, meta=meta)
            speed = self._speed(tracks, rows, moved, meta.n_frames)
            before = _mean_before(speed, round(self.baseline_s * meta.fps), lag=round(self.window_s * meta.fps))
            count = np.bincount(tracks.frame[rows], minlength=meta.n_frames)
            sudden = ~np.isfinite(before) | (speed >= self.factor * np.maximum(before, 0.0))
            on = (speed >= self.speed_m_s - 1e-9) & (count >= self.min_persons) & sudden
            found.append(
                dwelt(
                    crowd,
                    _sustained(on, speed >= self.speed_m_s - 1e-9),
                    area=zone.name if zone else "",
                    dwell_s=self.hold_s,
                    grace_out_s=self.grace_s,
                    rearm_s=self.rearm_s,
                    value=speed,
                    threshold=self.speed_m_s,
                )
            )
        return collect(found, rule=self.key, preset=preset, unit=self.unit)

    def _speed(self, tracks: Tracks, rows: BoolArray, moved: FloatArray, n_frames: int) -> FloatArray:
        frame = tracks.frame[rows]
        count = np.maximum(np.bincount(frame, minlength=n_frames), 1)
        velocity = moved[rows, :2] / moved[rows, 2:]
        if self.measure == "speed":
            return np.bincount(frame, np.hypot(*velocity.T), n_frames) / count
        at = tracks.foot_m[rows]
        centre = np.column_stack([np.bincount(frame, at[:, k], n_frames) / count for k in (0, 1)])
        outward = at - centre[frame]
        reach = np.hypot(*outward.T)
        radial = (velocity * outward).sum(axis=1) / np.where(reach > 0, reach, 1.0)
        return np.bincount(frame, radial, n_frames) / count


def gathered(tracks: Tracks, at: BoolArray, *, meta: ClipMeta) -> tuple[Tracks, BoolArray]:
    """One track for the crowd, a row a frame of the clip, its box around everybody; and the rows that were counted."""
    rows = at & tracks.seen
    frame, n = tracks.frame[rows], meta.n_frames
    box = np.full((n, 4), np.nan)
    for k, reach in enumerate((np.fmin, np.fmin, np.fmax, np.fmax)):
        reach.at(box[:, k], frame, tracks.box_px[rows, k])
    every = np.arange(n, dtype=np.int64)
    crowd = Tracks(
        first=np.array([0, n], dtype=np.int64),
        track=np.full(n, -1, dtype=np.int64),
        frame=every,
        t_s=every / meta.fps,
        seen=np.ones(n, dtype=np.bool_),
        box_px=box,
        foot_m=np.zeros((n, 2)),
    )
    return crowd, rows


def _mean_before(value: FloatArray, width: int, *, lag: int) -> FloatArray:
    """Mean over the ``width`` values that end ``lag`` before each one; NaN where there are not so many."""
    out = np.full(len(value), np.nan)
    if width >= 1 and len(value) > width + lag:
        sums = np.cumsum(np.append(0.0, value))
        out[width + lag :] = (sums[width : len(value) - lag] - sums[: len(value) - lag - width]) / width
    return out


def _sustained(starts: BoolArray, holds: BoolArray) -> BoolArray:
    """On from a start for as long as the speed holds: once sudden, its own rise is not its baseline."""
    out = np.zeros(len(starts), dtype=np.bool_)
    up = False
    for i in range(len(starts)):
        up = bool(holds[i]) and (up or bool(starts[i]))
        out[i] = up
    return out
