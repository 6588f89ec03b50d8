"""Situations: what a person is doing in a scene, the only grouping of people that video is measured by.

A situation is a way of being in public space (waiting, selling, sleeping rough, rolling), never who someone is. The
keys are what tables and reports cite, so a key never changes meaning. No situation here is an offence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contrechamp.domain.text import Text


@dataclass(frozen=True, slots=True)
class Situation:
    """One way of being in public space.

    Attributes
    ----------
    label : Text
    stays : bool
        Whether a person in this situation remains in one place for minutes.
    posture : str
        Usual posture, one of :data:`POSTURES`.
    accessories : tuple of str
        What the person carries or uses, from :data:`ACCESSORIES`.
    """

    label: Text
    stays: bool
    posture: str = "standing"
    accessories: tuple[str, ...] = ()


#: Postures a body can take. A pose is one of them, or a blend of two.
POSTURES: Final = (
    "standing", "walking", "running", "stooped", "sitting", "sitting_ground", "lying", "crouching", "rolling",
)  # fmt: skip

#: Things carried, pushed or sat on, each drawn beside or under the body.
ACCESSORIES: Final = (
    "phone", "cane", "wheelchair", "pram", "suitcase", "backpack", "handbag", "blanket", "stall", "broom", "hi_vis",
    "cigarette", "leaflets", "instrument",
)  # fmt: skip

SITUATIONS: Final[Mapping[str, Situation]] = {
    "passing": Situation(Text(fr="passe", en="passing by"), stays=False, posture="walking"),
    "waiting": Situation(Text(fr="attend quelqu’un", en="waiting for someone"), stays=True),
    "lost": Situation(Text(fr="cherche son chemin", en="finding the way"), stays=True, accessories=("phone",)),
    "tourists": Situation(
        Text(fr="groupe de touristes", en="group of tourists"), stays=True, accessories=("suitcase", "backpack")
    ),
    "seated": Situation(Text(fr="assis sur un banc", en="seated on a bench"), stays=True, posture="sitting"),
    "rough_seated": Situation(
        Text(fr="sans abri, assis au sol", en="sleeping rough, seated"),
        stays=True,
        posture="sitting_ground",
        accessories=("blanket",),
    ),
    "rough_lying": Situation(
        Text(fr="sans abri, allongé", en="sleeping rough, lying"),
        stays=True,
        posture="lying",
        accessories=("blanket",),
    ),
    "vendor": Situation(Text(fr="vend à la sauvette", en="street vendor"), stays=True, accessories=("stall",)),
    "leafleting": Situation(Text(fr="distribue des tracts", en="leafleting"), stays=True, accessories=("leaflets",)),
    "busking": Situation(Text(fr="joue de la musique", en="busking"), stays=True, accessories=("instrument",)),
    "child_playing": Situation(Text(fr="enfant qui joue", en="child playing"), stays=True, posture="running"),
    "wheelchair": Situation(
        Text(fr="en fauteuil roulant", en="in a wheelchair"),
        stays=False,
        posture="rolling",
        accessories=("wheelchair",),
    ),
    "cane": Situation(
        Text(fr="marche avec une canne", en="walking with a cane"),
        stays=False,
        posture="stooped",
        accessories=("cane",),
    ),
    "pram": Situation(
        Text(fr="pousse une poussette", en="pushing a pram"), stays=False, posture="walking", accessories=("pram",)
    ),
    "smoking": Situation(Text(fr="fume dehors", en="smoking outside"), stays=True, accessories=("cigarette",)),
    "talking": Situation(Text(fr="parle à deux", en="talking in pairs"), stays=True),
    "cleaning": Situation(
        Text(fr="nettoie, en gilet", en="cleaning, in hi-viz"), stays=True, accessories=("broom", "hi_vis")
    ),
    "hurrying": Situation(Text(fr="court après un bus", en="running for a bus"), stays=False, posture="running"),
    "falling": Situation(Text(fr="tombe", en="falling"), stays=False, posture="walking"),
    "sitting_down": Situation(Text(fr="s’assied par terre", en="sitting down"), stays=True, posture="sitting_ground"),
    "tying_shoe": Situation(Text(fr="refait son lacet", en="tying a shoe"), stays=False, posture="crouching"),
    "counter_flow": Situation(Text(fr="à contre-sens", en="against the flow"), stays=False, posture="walking"),
    "bag_returning": Situation(
        Text(fr="pose un sac et revient", en="leaving a bag and coming back"), stays=False, accessories=("handbag",)
    ),
    "bag_leaving": Situation(
        Text(fr="laisse un sac et part", en="leaving a bag for good"), stays=False, accessories=("handbag",)
    ),
}
