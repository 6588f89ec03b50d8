"""The twenty-five data streams of the city, each drawn from the same world.

:data:`GENERATORS` is the registry. A generator is a function ``name(world, *, rng) -> DataFrame``: clean rows, one
column per field of the layout in :data:`contrechamp.domain.streams.LAYOUTS`, typed (times ``datetime64[us, UTC]``, the
point as ``x_m`` and ``y_m`` in EPSG:2154 metres, flags ``bool``), and ``t_drop``, when the row reaches the city. Dirt
and files come after, in :mod:`synthetic_data.dropping`.

What it cannot tell you: see the datasheet of each stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from synthetic_data.world import World

Generator = Callable[..., pd.DataFrame]

#: Stream → its generator. A key never changes meaning: it is the folder of the landing area and the table of the lake.
GENERATORS: Final[Mapping[str, str]] = {
    "mains_courantes": "synthetic_data.streams.police:mains_courantes",
    "verbalisations": "synthetic_data.streams.police:verbalisations",
    "enlevements": "synthetic_data.streams.police:enlevements",
    "video_metadata": "synthetic_data.streams.video:video_metadata",
    "presence_telecom": "synthetic_data.streams.presence:presence_telecom",
    "reseaux_sociaux": "synthetic_data.streams.social:reseaux_sociaux",
    "urgences": "synthetic_data.streams.emergency:urgences",
    "pompiers": "synthetic_data.streams.rescue:pompiers",
    "transport": "synthetic_data.streams.transport:transport",
    "trafic": "synthetic_data.streams.traffic:trafic",
    "meteo": "synthetic_data.streams.station:meteo",
    "donnees_ouvertes": "synthetic_data.streams.town:donnees_ouvertes",
    "statistiques_police": "synthetic_data.streams.statistics:statistiques_police",
    "signalements": "synthetic_data.streams.citizens:signalements",
    "capteurs_vitesse": "synthetic_data.streams.movement:capteurs_vitesse",
    "capteurs_stress": "synthetic_data.streams.stress:capteurs_stress",
    "capteurs_sonores": "synthetic_data.streams.sound:capteurs_sonores",
    "parcs": "synthetic_data.streams.town:parcs",
    "evenements": "synthetic_data.streams.town:evenements",
    "ordres_mission": "synthetic_data.streams.police:ordres_mission",
    "allo_mairie": "synthetic_data.streams.calls:allo_mairie",
    "eclairage": "synthetic_data.streams.lighting:eclairage",
    "drones": "synthetic_data.streams.statistics:drones",
    "stock_infractions": "synthetic_data.streams.stock:stock_infractions",
    "fichiers_biometriques": "synthetic_data.streams.statistics:fichiers_biometriques",
}


def draw_stream(key: str, world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the clean rows of the stream ``key``; see the module for their form."""
    module, _, name = GENERATORS[key].partition(":")
    generator: Generator = getattr(import_module(module), name)
    return generator(world, rng=rng)
