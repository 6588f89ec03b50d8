"""Fall: a standing box that becomes a low or wide one within a moment, and stays so.

Only boxes are read. The person must first have been seen upright; within ``fall_within_s`` the top of the box sinks by
``drop_ratio`` of the upright height and the box is wide, or low; it then stays down for ``stay_s``.

What it cannot tell you: a fall from a decision. Whoever sits or lies down quickly makes the same boxes, whoever falls
behind a bench makes none, and a person who never stood in view can never fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, ClipMeta, Zone
from vsa.rules.base import Rule, parameter, tested_point, zones_or_view
from vsa.rules.collect import Fired, collect
from vsa.rules.kernels_lazy import kernels
from vsa.rules.tracks import Checked, inside


@dataclass(frozen=True)
class Fall(Rule):
    """A person down for ``stay_s`` after falling; see the module."""

    key: ClassVar[str] = "fall"
    label: ClassVar[Text] = Text(fr="chute", en="fall")

    stay_s: float = parameter(2.0, "s", "durée au sol qui déclenche", "time down that raises the alert")
    fall_within_s: float = parameter(
        1.5, "s", "durée maximale de la chute", "longest duration of the fall", above_low=True
    )
    upright_ratio: float = parameter(
        0.65, "", "largeur sur hauteur d’une personne debout, au plus",
        "width over height of somebody upright, at most", above_low=True,
    )  # fmt: skip
    flat_ratio: float = parameter(
        1.0, "", "largeur sur hauteur au sol, au moins", "width over height when down, at least", above_low=True
    )
    low_ratio: float = parameter(
        0.5, "", "ou hauteur sur hauteur debout, au plus", "or height over upright height, at most", high=1.0
    )
    drop_ratio: float = parameter(
        0.4, "", "descente de la tête, en hauteurs", "drop of the head, in heights", high=1.0
    )  # fmt: skip
    grace_s: float = parameter(0.4, "s", "redressement toléré", "rising that is forgiven")
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person, in the zones where they lie when the alert fires."""
        tracks = checked.of(self.subject)
        state, clock, fired, since = kernels().falls(
            tracks.first, tracks.t_s, tracks.seen, tracks.box_px, self.upright_ratio, self.flat_ratio, self.low_ratio,
            self.drop_ratio, float(self.fall_within_s), float(self.stay_s), float(self.grace_s),
        )  # fmt: skip
        found = []
        for zone in zones_or_view(areas):
            at = inside(tracks, zone, self.anchor, meta=meta)
            keep = at[fired]
            name = zone.name if zone else ""
            found.append(
                Fired(name, tracks, state, clock, at, fired[keep], since[keep], clock[fired][keep], self.stay_s)
            )
        return collect(found, rule=self.key, preset=preset, unit=self.unit)
