"""Abandoned object: a thing that stays where it is while its owner, or everybody, is gone.

The owner is the nearest person within ``owner_radius_m`` while the object first appears. The clock counts while the
object keeps still and is not attended; attendance shorter than ``grace_back_s`` does not stop it.

What it cannot tell you: whether a thing is abandoned, dangerous or a thing at all. A person who sleeps on the ground
and is taken for an object never has an owner beside her.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, BoolArray, ClipMeta, Label, Zone
from vsa.rules.base import Rule, parameter, tested_point, zones_or_view
from vsa.rules.collect import collect
from vsa.rules.loitering import dwelt
from vsa.rules.tracks import Checked, Tracks, inside


@dataclass(frozen=True)
class AbandonedObject(Rule):
    """An object still and unattended for ``unattended_s``."""

    key: ClassVar[str] = "abandoned-object"
    label: ClassVar[Text] = Text(fr="objet abandonné", en="abandoned object")
    subject: ClassVar[Label] = "object"

    unattended_s: float = parameter(
        60.0, "s", "durée sans personne qui déclenche", "time unattended that raises the alert"
    )
    leave_radius_m: float = parameter(
        3.0,
        "m",
        "distance au-delà de laquelle l’objet est seul",
        "distance beyond which it is unattended",
        above_low=True,
    )
    attended_by: Literal["owner", "anyone"] = parameter(
        "owner", "", "qui peut le garder", "who can attend it", choices=("owner", "anyone")
    )
    owner_radius_m: float = parameter(
        2.0, "m", "distance du propriétaire à l’apparition", "distance of the owner at appearance", above_low=True
    )
    owner_window_s: float = parameter(1.0, "s", "durée de l’apparition", "length of the appearance")
    static_radius_m: float = parameter(
        0.75, "m", "déplacement qui remet à zéro", "move that restarts the clock", above_low=True
    )
    grace_back_s: float = parameter(0.0, "s", "retour trop bref pour compter", "return too short to count")
    grace_lost_s: float = parameter(
        5.0, "s", "perte de la piste de l’objet tolérée", "time the object may be lost by the tracker"
    )
    rearm_s: float | None = parameter(
        None, "s", "délai avant une nouvelle alerte (aucun : jamais plus)",
        "delay before another alert (none: never again)", optional=True,
    )  # fmt: skip
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each object in each zone."""
        things, people = checked.of("object"), checked.of("person")
        alone = ~self._attended(things, people, meta)
        found = [
            dwelt(
                things,
                alone & inside(things, zone, self.anchor, meta=meta),
                area=zone.name if zone else "",
                dwell_s=self.unattended_s,
                grace_out_s=self.grace_back_s,
                grace_lost_s=self.grace_lost_s,
                max_radius_m=self.static_radius_m,
                rearm_s=self.rearm_s,
            )
            for zone in zones_or_view(areas)
        ]
        return collect(found, rule=self.key, preset=preset, unit=self.unit)

    def _attended(self, things: Tracks, people: Tracks, meta: ClipMeta) -> BoolArray:
        """Whether somebody who can attend it stands near each row's object."""
        out = np.zeros(len(things), dtype=np.bool_)
        shown = people.seen
        order = np.argsort(people.frame[shown], kind="stable")
        frame, who, at = (v[shown][order] for v in (people.frame, people.track, people.foot_m))
        bounds = np.searchsorted(frame, np.arange(meta.n_frames + 1))
        for begin, end in zip(things.first[:-1], things.first[1:], strict=True):
            when = things.frame[begin:end]
            low, high = bounds[when], bounds[when + 1]
            count = high - low
            row = np.repeat(np.arange(len(when)), count)
            person = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
            far = np.hypot(*(at[person] - things.foot_m[begin:end][row]).T)
            near = far <= self.leave_radius_m
            if self.attended_by == "owner":
                early = (when[row] - when[0] <= self.owner_window_s * meta.fps + 1e-9) & (far <= self.owner_radius_m)
                if not early.any():
                    continue
                near &= who[person] == who[person[early][np.argmin(far[early])]]
            out[begin + row[near]] = True
        return out
