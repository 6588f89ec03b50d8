"""Three definitions of "time in zone" that are shipped, each as its own small machine, not bent into ours.

* *supervision*, example ``time_in_zone``: a stamp at the first frame inside, never cleared. Time outside counts, so a
  person who comes back can be over the threshold at once.
* *Roboflow Workflows*, ``time_in_zone@v3``: the stamp is deleted at the first frame seen outside every zone. One frame
  of jitter at the edge starts the clock again; not being seen at all does not.
* *Frigate*, zone ``loitering_time``: after ``inertia`` processed frames inside, one count for each further processed
  frame inside, never taken back. A lost object counts on its last box until it is forgotten.

Neither of the first two raises an alert by itself: the threshold is added where their clock is read, and fires once per
stamp. Sources read: roboflow/supervision (examples/time_in_zone/utils/timers.py), roboflow/inference
(core_steps/analytics/time_in_zone/v3.py), blakeblackshear/frigate (track/tracked_object.py, review/maintainer.py).

What it cannot tell you: what a given installation does. Versions, settings and trackers differ, and Frigate's review
segments join everybody a camera sees at one time, where this counts each track apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, BoolArray, ClipMeta, Zone
from vsa.rules.base import Rule, parameter, tested_point, zones_or_view
from vsa.rules.collect import Fired, collect
from vsa.rules.kernels_lazy import kernels
from vsa.rules.tracks import Checked, IntArray, Tracks, inside

_DWELL = ("durée qui déclenche", "time that raises the alert")


@dataclass(frozen=True)
class SupervisionTimer(Rule):
    """Seconds since first seen inside, whatever happened in between."""

    key: ClassVar[str] = "loitering-supervision"
    label: ClassVar[Text] = Text(
        fr="durée depuis la première vue (supervision)", en="time since first seen (supervision)"
    )

    dwell_s: float = parameter(60.0, "s", *_DWELL)
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("center")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person in each zone."""
        tracks = checked.of(self.subject)
        found = [
            _timed(tracks, inside(tracks, z, self.anchor, meta=meta), z.name if z else "", self.dwell_s, resets=False)
            for z in zones_or_view(areas)
        ]
        return collect(found, rule=self.key, preset=preset, unit=self.unit)


@dataclass(frozen=True)
class RoboflowTimer(Rule):
    """Seconds since the last entry; zones are joined into one."""

    key: ClassVar[str] = "loitering-roboflow"
    label: ClassVar[Text] = Text(fr="durée depuis l’entrée (Roboflow v3)", en="time since entry (Roboflow v3)")

    dwell_s: float = parameter(60.0, "s", *_DWELL)
    reset_out_of_zone: bool = parameter(True, "", "oublier à la sortie", "forget on leaving")
    remove_out_of_zone: bool = parameter(True, "", "écarter ce qui est hors zone", "drop what is outside")
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("center")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person in the union of the zones, named after them joined by ``+``."""
        tracks = checked.of(self.subject)
        zones = zones_or_view(areas)
        anywhere = np.any([inside(tracks, z, self.anchor, meta=meta) for z in zones], axis=0)
        name = "+".join(z.name if z else "" for z in zones)
        # With neither switch on, the shipped code deletes the stamp all the same.
        resets = self.reset_out_of_zone or not self.remove_out_of_zone
        found = _timed(tracks, anywhere, name, self.dwell_s, resets=resets)
        return collect([found], rule=self.key, preset=preset, unit=self.unit)


@dataclass(frozen=True)
class Frigate(Rule):
    """Processed frames inside, added up over entries."""

    key: ClassVar[str] = "loitering-frigate"
    label: ClassVar[Text] = Text(fr="images traitées dans la zone (Frigate)", en="processed frames inside (Frigate)")

    dwell_s: float = parameter(60.0, "s", "`loitering_time`", "`loitering_time`")
    inertia: int = parameter(3, "frames", "images avant d’être présent", "frames before being present", low=1)
    detect_fps: float = parameter(
        5.0, "frames/s", "images traitées par seconde", "frames processed a second", above_low=True
    )
    max_disappeared_s: float = parameter(
        5.0, "s", "perte pendant laquelle la dernière boîte compte", "time lost during which the last box counts"
    )
    cutoff_s: float = parameter(
        40.0, "s", "calme avant une nouvelle alerte", "quiet time before another alert"
    )  # fmt: skip
    must_move: bool = parameter(True, "", "doit avoir bougé une fois", "must have moved once")
    move_iou: float = parameter(
        0.6, "", "recouvrement sous lequel la boîte a bougé", "overlap below which the box has moved", high=1.0
    )
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("bottom_center")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person in each zone."""
        tracks = checked.of(self.subject)
        ticks, rate = self._processed(tracks.frame, meta.fps)
        found = []
        for zone in zones_or_view(areas):
            at = inside(tracks, zone, self.anchor, meta=meta)
            state, clock, fired, since = kernels().frigate(
                tracks.first,
                tracks.t_s,
                ticks,
                tracks.seen,
                at,
                tracks.box_px,
                self.inertia,
                float(self.dwell_s * rate),
                rate,
                float(self.max_disappeared_s * rate),
                float(self.cutoff_s),
                self.move_iou if self.must_move else np.inf,
            )
            name = zone.name if zone else ""
            found.append(Fired(name, tracks, state, clock, at, fired, since, clock[fired], self.dwell_s))
        return collect(found, rule=self.key, preset=preset, unit=self.unit)

    def _processed(self, frame: IntArray, fps: float) -> tuple[BoolArray, float]:
        """Which frames are looked at, and how many a second; all of them in a clip slower than ``detect_fps``."""
        rate = min(self.detect_fps, fps)
        step = rate / fps
        ticks = np.floor(frame * step + 1e-9) != np.floor((frame - 1) * step + 1e-9)
        return np.asarray(ticks, dtype=np.bool_), float(rate)


def _timed(tracks: Tracks, at: BoolArray, name: str, dwell_s: float, *, resets: bool) -> Fired:
    state, clock, fired, since = kernels().timer(tracks.first, tracks.t_s, tracks.seen, at, float(dwell_s), resets)
    return Fired(name, tracks, state, clock, at, fired, since, clock[fired], dwell_s)
