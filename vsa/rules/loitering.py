"""Loitering (*maraudage*): one person too long in one place, as an explicit state machine in seconds of video.

Per person and zone: OUT → CANDIDATE → IN → ALERTED → COOLDOWN. A person inside is a CANDIDATE until ``enter_after_s``,
then IN; the clock counts from the first frame inside. Leaving is forgiven for ``grace_out_s``, being lost by the
tracker for ``grace_lost_s``. When the clock reaches ``dwell_s`` at a frame in which the person is seen inside, the
alert fires, once for the stay; after leaving, nothing fires for ``rearm_s``. With ``max_radius_m`` the clock starts
again whenever the person has moved that far from where it started: dwell *without displacement*.

Three clocks: ``continuous`` (since this entry), ``cumulative`` (seconds inside, entries added up), ``first_seen``
(since the first entry, absences included).

What it cannot tell you: why somebody stays. Waiting, resting, selling, sleeping and keeping watch are one and the same
to a clock; every alert of this rule on a person who did nothing wrong is the rule working as written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, BoolArray, ClipMeta, FloatArray, Zone
from vsa.rules.base import Rule, limit, parameter, tested_point, zones_or_view
from vsa.rules.collect import Fired, collect
from vsa.rules.kernels_lazy import kernels
from vsa.rules.tracks import Checked, Tracks, inside

DwellMode = Literal["continuous", "cumulative", "first_seen"]
#: In the order of the kernels' codes.
DWELL_MODES: Final = ("continuous", "cumulative", "first_seen")


@dataclass(frozen=True)
class Loitering(Rule):
    """The house's loitering rule; see the module."""

    key: ClassVar[str] = "loitering"
    label: ClassVar[Text] = Text(fr="maraudage (présence prolongée)", en="loitering (prolonged presence)")

    dwell_s: float = parameter(60.0, "s", "durée de présence qui déclenche", "time present that raises the alert")
    dwell_mode: Literal["continuous", "cumulative", "first_seen"] = parameter(
        "continuous", "", "ce que compte l’horloge", "what the clock counts", choices=DWELL_MODES
    )
    enter_after_s: float = parameter(
        0.0, "s", "présence avant que l’entrée compte", "presence before an entry counts as one"
    )
    grace_out_s: float = parameter(1.0, "s", "sortie tolérée", "time outside that is forgiven")
    grace_lost_s: float = parameter(2.0, "s", "perte de piste tolérée", "time lost by the tracker that is forgiven")
    max_radius_m: float | None = parameter(
        None, "m", "déplacement qui remet à zéro (aucun : on peut bouger)",
        "move that restarts the clock (none: may move)", above_low=True, optional=True,
    )  # fmt: skip
    rearm_s: float | None = parameter(
        60.0, "s", "délai après le départ avant une nouvelle alerte (aucun : jamais plus)",
        "delay after leaving before another alert (none: never again)", optional=True,
    )  # fmt: skip
    id_stitch_m: float | None = parameter(
        None, "m", "distance à laquelle deux pistes se recollent (aucune : pas de recollage)",
        "distance at which two tracks are joined (none: not joined)", optional=True,
    )  # fmt: skip
    id_stitch_s: float = parameter(5.0, "s", "délai de recollage", "delay within which tracks are joined")
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person in each zone."""
        tracks = checked.of(self.subject, stitch_m=self.id_stitch_m, stitch_s=self.id_stitch_s)
        found = [
            dwelt(
                tracks,
                inside(tracks, zone, self.anchor, meta=meta),
                area=zone.name if zone else "",
                dwell_s=self.dwell_s,
                mode=self.dwell_mode,
                enter_after_s=self.enter_after_s,
                grace_out_s=self.grace_out_s,
                grace_lost_s=self.grace_lost_s,
                max_radius_m=self.max_radius_m,
                rearm_s=self.rearm_s,
            )
            for zone in zones_or_view(areas)
        ]
        return collect(found, rule=self.key, preset=preset, unit=self.unit)


def dwelt(
    tracks: Tracks,
    on: BoolArray,
    *,
    area: str,
    dwell_s: float,
    mode: DwellMode = "continuous",
    enter_after_s: float = 0.0,
    grace_out_s: float = 0.0,
    grace_lost_s: float = 0.0,
    max_radius_m: float | None = None,
    rearm_s: float | None = None,
    value: FloatArray | None = None,
    threshold: float | None = None,
) -> Fired:
    """Run the state machine over any condition of each row: inside a zone, fast, against the flow, unattended…

    Parameters
    ----------
    on : ndarray of shape (n_rows,)
        The condition.
    value : ndarray of shape (n_rows,), optional
        What an alert reports; the clock if not given.
    threshold : float, optional
        What that value crossed; ``dwell_s`` if not given.
    """
    state, clock, fired, since = kernels().dwell(
        tracks.first,
        tracks.t_s,
        tracks.seen,
        on,
        np.ascontiguousarray(tracks.foot_m),
        DWELL_MODES.index(mode),
        float(enter_after_s),
        float(grace_out_s),
        float(grace_lost_s),
        float(dwell_s),
        limit(max_radius_m),
        limit(rearm_s),
    )
    shown = clock if value is None else value
    return Fired(
        area, tracks, state, clock, on, fired, since, shown[fired], dwell_s if threshold is None else threshold
    )
