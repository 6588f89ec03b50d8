"""Named settings of the rules: what is shipped, what a press source names, and the house's own.

A preset says where its numbers come from and what its source does not say. Its key is what reports cite, so a key never
changes meaning.

What it cannot tell you: what runs in a given city. Settings of deployed systems are not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from contrechamp.domain.text import Text


@dataclass(frozen=True)
class Preset:
    """Parameters of a rule under a name.

    Attributes
    ----------
    rule : str
        A key of :data:`vsa.rules.RULES`.
    label : Text
    source : str
        Where the values were read; ``house`` if they are ours.
    unknown : Text
        What the source leaves open, and what we chose.
    params : mapping
        Parameters that differ from the rule's defaults.
    """

    rule: str
    label: Text
    source: str
    unknown: Text
    params: Mapping[str, Any] = field(default_factory=dict)


_NOTHING = Text(fr="rien : réglage maison", en="nothing: our own setting")
_THRESHOLD = Text(
    fr="le seuil : l’outil donne une durée, l’alerte est branchée ensuite ; 60 s est notre choix",
    en="the threshold: the tool gives a time, an alert is plugged in after it; 60 s is our choice",
)
_FRUIN = Text(
    fr="la durée et l’hystérésis sont les nôtres ; bornes converties de pieds carrés, à relire avant de citer",
    en="duration and hysteresis are ours; bounds converted from square feet, to be read again before quoting",
)
_HOUSE: Final = "house"

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "supervision-example": Preset(
            "loitering-supervision",
            Text(fr="supervision, exemple « time in zone »", en="supervision, example “time in zone”"),
            "roboflow/supervision, examples/time_in_zone/utils/timers.py",
            _THRESHOLD,
        ),
        "roboflow-v3": Preset(
            "loitering-roboflow",
            Text(fr="Roboflow Workflows, time_in_zone v3", en="Roboflow Workflows, time_in_zone v3"),
            "roboflow/inference, core_steps/analytics/time_in_zone/v3.py at 3250b7d",
            _THRESHOLD,
        ),
        "frigate": Preset(
            "loitering-frigate",
            Text(fr="Frigate, loitering_time d’une zone", en="Frigate, loitering_time of a zone"),
            "blakeblackshear/frigate, track/tracked_object.py and review/maintainer.py",
            Text(
                fr="loitering_time vaut 0 par défaut : 60 s est notre choix ; les segments de revue réunissent "
                "toute la caméra, ici chaque piste compte à part ; le premier déplacement est jugé "
                "sur la première boîte",
                en="loitering_time is 0 by default: 60 s is our choice; review segments join the whole camera, here "
                "each track counts apart; the first move is judged against the first box",
            ),
        ),
        "hikvision-default": Preset(
            "loitering",
            Text(fr="Hikvision, durée conseillée (10 s)", en="Hikvision, recommended duration (10 s)"),
            "open.hikvision.com, NET_VCA_LOITER.wDuration: 1 to 120 s, 10 s recommended",
            Text(
                fr="tout sauf la durée : ancre, sortie, perte de piste et réarmement sont les nôtres",
                en="everything but the duration: anchor, leaving, lost tracks and re-arming are ours",
            ),
            {"dwell_s": 10.0, "anchor": "bottom_center"},
        ),
        "ratp-300s": Preset(
            "loitering",
            Text(fr="RATP, Châtelet : statique plus de 300 s", en="RATP, Châtelet: still for over 300 s"),
            "Technopolice (2022), « repérer les personnes statiques pendant plus de 300 secondes »",
            Text(
                fr="seule la durée est dans la source ; « statique » est lu comme rester à moins de 2 m ; le reste "
                "est notre lecture",
                en="only the duration is in the source; “static” is read as staying within 2 m; the rest is "
                "our reading",
            ),
            {"dwell_s": 300.0, "max_radius_m": 2.0, "grace_lost_s": 5.0, "rearm_s": 300.0},
        ),
        "house-continuous-60s": Preset(
            "loitering",
            Text(fr="maison : 60 s d’affilée", en="house: 60 s in a row"),
            _HOUSE,
            _NOTHING,
        ),
        "house-cumulative-60s": Preset(
            "loitering",
            Text(fr="maison : 60 s additionnées", en="house: 60 s added up"),
            _HOUSE,
            _NOTHING,
            {"dwell_mode": "cumulative"},
        ),
        "house-first-seen-60s": Preset(
            "loitering",
            Text(fr="maison : 60 s depuis la première vue", en="house: 60 s since first seen"),
            _HOUSE,
            _NOTHING,
            {"dwell_mode": "first_seen"},
        ),
        "house-static-120s": Preset(
            "loitering",
            Text(fr="maison : 120 s sans bouger de 2 m", en="house: 120 s without moving 2 m"),
            _HOUSE,
            _NOTHING,
            {"dwell_s": 120.0, "max_radius_m": 2.0},
        ),
        "house-stitched-60s": Preset(
            "loitering",
            Text(fr="maison : 60 s, pistes recollées", en="house: 60 s, tracks joined"),
            _HOUSE,
            _NOTHING,
            {"id_stitch_m": 1.5, "id_stitch_s": 5.0, "grace_lost_s": 5.0},
        ),
        "house-presence": Preset(
            "presence",
            Text(fr="maison : présence d’une demi-seconde", en="house: half a second present"),
            _HOUSE,
            _NOTHING,
        ),
        "supervision-line": Preset(
            "crossing",
            Text(fr="supervision, LineZone", en="supervision, LineZone"),
            "roboflow/supervision 0.31.2, detection/line_zone.py",
            Text(
                fr="rien : réglages par défaut ; « in » est notre sens négatif",
                en="nothing: default settings; “in” is our negative direction",
            ),
            {"method": "confirmed_side", "anchor": "corners"},
        ),
        "ultralytics-counter": Preset(
            "crossing",
            Text(fr="ultralytics, ObjectCounter sur une ligne", en="ultralytics, ObjectCounter on a line"),
            "ultralytics 8.4, solutions/object_counter.py",
            Text(
                fr="l’outil nomme le sens d’après l’axe dominant ; ici, d’après les côtés de la ligne",
                en="the tool names the direction after the main axis; here, after the sides of the line",
            ),
            {"method": "touch", "anchor": "center", "once_ever": True},
        ),
        "deepstream-line": Preset(
            "crossing",
            Text(fr="DeepStream, line-crossing (lecture)", en="DeepStream, line-crossing (our reading)"),
            "NVIDIA DeepStream, Gst-nvdsanalytics documentation",
            Text(
                fr="les modes strict, balanced et loose et le réarmement ne sont pas publiés ; on teste le bas "
                "de la boîte",
                en="modes strict, balanced and loose and re-arming are not published; the bottom of the box is tested",
            ),
            {"method": "segment", "anchor": "bottom_center", "direction": "positive"},
        ),
        "house-running": Preset("running", Text(fr="maison : 2,5 m/s", en="house: 2.5 m/s"), _HOUSE, _NOTHING),
        "house-counter-flow": Preset(
            "counter-flow", Text(fr="maison : à 60° près, 0,8 s", en="house: within 60°, 0.8 s"), _HOUSE, _NOTHING
        ),
        "fruin-walkway-D": Preset(
            "density",
            Text(fr="Fruin, circulation, niveau D", en="Fruin, walkway, level D"),
            "Fruin (1971)",
            _FRUIN,
        ),
        "fruin-queue-E": Preset(
            "density",
            Text(fr="Fruin, attente, niveau E", en="Fruin, queue, level E"),
            "Fruin (1971)",
            _FRUIN,
            {"scale": "fruin-queue", "level": "E"},
        ),
        "hcm-walkway-E": Preset(
            "density",
            Text(fr="HCM, circulation, niveau E", en="HCM, walkway, level E"),
            "Highway Capacity Manual (2000), chapter 18",
            Text(
                fr="la durée et l’hystérésis sont les nôtres ; bornes D à F à relire avant de citer",
                en="duration and hysteresis are ours; bounds D to F to be read again before quoting",
            ),
            {"scale": "hcm-walkway", "level": "E"},
        ),
        "house-crowd-speed": Preset(
            "crowd-movement", Text(fr="maison : vitesse soudaine", en="house: sudden speed"), _HOUSE, _NOTHING
        ),
        "house-crowd-divergence": Preset(
            "crowd-movement",
            Text(fr="maison : dispersion soudaine", en="house: sudden scattering"),
            _HOUSE,
            _NOTHING,
            {"measure": "divergence", "speed_m_s": 1.0},
        ),
        "toulouse-120s": Preset(
            "abandoned-object",
            Text(fr="Toulouse, IBM : 2 minutes", en="Toulouse, IBM: 2 minutes"),
            "press on Toulouse and IBM (2017), « 2 minutes »",
            Text(
                fr="seule la durée est dans la source ; propriétaire, rayons et tolérances sont les nôtres",
                en="only the duration is in the source; owner, radii and tolerances are ours",
            ),
            {"unattended_s": 120.0},
        ),
        "pets2006": Preset(
            "abandoned-object",
            Text(fr="PETS 2006 : propriétaire à plus de 3 m, 30 s", en="PETS 2006: owner beyond 3 m, 30 s"),
            "PETS 2006 benchmark definition, as commonly cited",
            Text(
                fr="définition à relire avant de citer ; désignation du propriétaire et tolérances sont les nôtres",
                en="definition to be read again before quoting; naming the owner and tolerances are ours",
            ),
            {"unattended_s": 30.0, "leave_radius_m": 3.0},
        ),
        "ilids-60s": Preset(
            "abandoned-object",
            Text(fr="i-LIDS, bagage : 60 s", en="i-LIDS, baggage: 60 s"),
            "UK Home Office i-LIDS, 60 s as for a parked vehicle",
            Text(
                fr="60 s est publié pour un véhicule garé ; le rayon et les tolérances sont les nôtres",
                en="60 s is published for a parked vehicle; the radius and tolerances are ours",
            ),
            {"unattended_s": 60.0, "attended_by": "anyone"},
        ),
        "house-fall": Preset("fall", Text(fr="maison : à terre 2 s", en="house: down for 2 s"), _HOUSE, _NOTHING),
    }
)
