"""Zone presence (intrusion): somebody is where nobody should be.

What it cannot tell you: whether the person may be there. A cleaner, a resident and a lost visitor are inside alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, ClipMeta, Zone
from vsa.rules.base import Rule, parameter, tested_point, zones_or_view
from vsa.rules.collect import collect
from vsa.rules.loitering import dwelt
from vsa.rules.tracks import Checked, inside


@dataclass(frozen=True)
class Presence(Rule):
    """A person inside a zone for ``hold_s``; once until the zone has been left for ``rearm_s``."""

    key: ClassVar[str] = "presence"
    label: ClassVar[Text] = Text(fr="présence dans une zone (intrusion)", en="presence in a zone (intrusion)")

    hold_s: float = parameter(0.5, "s", "présence qui déclenche", "presence that raises the alert")
    grace_out_s: float = parameter(0.0, "s", "sortie tolérée", "time outside that is forgiven")
    grace_lost_s: float = parameter(1.0, "s", "perte de piste tolérée", "time lost by the tracker that is forgiven")
    rearm_s: float | None = parameter(
        10.0, "s", "délai après le départ avant une nouvelle alerte (aucun : jamais plus)",
        "delay after leaving before another alert (none: never again)", optional=True,
    )  # fmt: skip
    anchor: Literal["bottom_center", "center", "ground"] = tested_point("ground")

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Zone], preset: str) -> Alerts:
        """Alerts of each person in each zone."""
        tracks = checked.of(self.subject)
        found = [
            dwelt(
                tracks,
                inside(tracks, zone, self.anchor, meta=meta),
                area=zone.name if zone else "",
                dwell_s=self.hold_s,
                grace_out_s=self.grace_out_s,
                grace_lost_s=self.grace_lost_s,
                rearm_s=self.rearm_s,
            )
            for zone in zones_or_view(areas)
        ]
        return collect(found, rule=self.key, preset=preset, unit=self.unit)
