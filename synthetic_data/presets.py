"""The embedded scenarios, by the name to call them by.

Each is a file ``scenarios/<name>.toml`` that holds only what differs from ``massilia``. A name never changes meaning:
reports cite it.

What it cannot tell you: that an audit which is silent in `equal-city` and speaks in `planted-effect` is right
anywhere between. They are the two ends of a scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contrechamp.domain.text import Text

#: The scenario that every other one is laid over.
DEFAULT_PRESET: Final = "massilia"

PRESETS: Final[Mapping[str, Text]] = {
    DEFAULT_PRESET: Text(
        fr="la ville de référence, aux volumes publiés",
        en="the reference city, at published volumes",
    ),
    "equal-city": Text(
        fr="aucun écart vrai entre lieux, ni dans ce qui arrive ni dans ce qui est consigné (témoin négatif)",
        en="no true difference between places, neither in what happens nor in what is recorded (negative control)",
    ),
    "no-feedback": Text(
        fr="les habitants et les opérateurs de caméras alimentent seuls la main courante, sans les patrouilles",
        en="residents and camera operators alone feed the log, patrols add nothing to it",
    ),
    "planted-effect": Text(
        fr="il arrive deux fois plus de choses dans 5 quartiers tirés au sort (témoin positif)",
        en="twice as much happens in 5 quarters drawn by lot (positive control)",
    ),
    "dirty": Text(
        fr="des fichiers cinq fois plus sales",
        en="files five times as dirty",
    ),
}
