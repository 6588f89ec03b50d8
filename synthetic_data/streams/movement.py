"""D15, speed of movement of application users: a point every ten seconds of the journeys that the application keeps.

What it cannot tell you: how the city moves. Users are those who have a smartphone and took the application up, and
batteries choose among their journeys; what is shown is theirs, and two points are enough to know whose it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.names import person_users
from synthetic_data.streams.dense import IntArray, clean, spoken
from synthetic_data.streams.journeys import draw_journeys

if TYPE_CHECKING:
    from synthetic_data.world import World


def in_order(users: IntArray, user: IntArray, t_us: IntArray) -> tuple[IntArray, list[str]]:
    """Order of points by time, then by identifier of the user; and the identifiers of ``users``."""
    names = person_users(users)
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(np.array(names, dtype=object), kind="stable")] = np.arange(len(names))
    return np.lexsort((rank[user], t_us)), names


def capteurs_vitesse(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D15: one row per point kept; the position errs by some metres, the speed by a few tenths."""
    moves, noise_m = draw_journeys(world), world.scenario.mobility.gps_noise_m
    order, names = in_order(moves.users, moves.user, moves.t_us)
    error = rng.standard_normal((3, len(order)))
    t_us = moves.t_us[order]
    return clean(
        "capteurs_vitesse",
        {
            "user": spoken(moves.user[order], names),
            "t": t_us,
            "x_m": np.round(moves.x_m[order] + noise_m * error[0], 1),
            "y_m": np.round(moves.y_m[order] + noise_m * error[1], 1),
            "speed_m_s": np.round(np.clip(moves.speed_m_s[order] + 0.2 * error[2], 0.0, 60.0), 1),
        },
        t_drop_us=t_us,
    )


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="capteurs_vitesse",
        title=Text(fr="vitesse de déplacement d’usagers", en="speed of movement of app users"),
        invented=Text(
            fr="Des habitants équipés d’un smartphone adoptent l’application, plutôt jeunes, plutôt dans les quartiers "
            "aisés ; trajets du domicile au travail, aux sorties et au sport par le plus court chemin ; points "
            "toutes les dix secondes, avec erreur de position ; des trajets du soir perdus faute de batterie.",
            en="Residents with a smartphone take the application up, rather the young and rather in well-off quarters; "
            "journeys from home to work, outings and sport by the shortest way through the streets; points every ten "
            "seconds, with an error of position; journeys in the evening lost to empty batteries.",
        ),
        anchor=Text(
            fr="Aucun : 100 000 points par jour pour 1 000 usagers est une hypothèse du registre ; le nombre d’usagers "
            "est arbitraire.",
            en="None: 100,000 points a day for 1,000 users is an assumption of the register; the number of users is "
            "arbitrary.",
        ),
        leaves_out=Text(
            fr="Les itinéraires réels, les transports suivis de bout en bout, les pannes de réception, les usagers qui "
            "coupent le suivi ou falsifient leur position.",
            en="Real routes, rides followed from end to end, loss of reception, users who switch the tracking off or "
            "falsify their position.",
        ),
    ),
)
