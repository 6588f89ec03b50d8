"""One incident, two callers, two numbers: what several residents report is sometimes entered several times.

What it cannot tell you: which calls a desk would have recognised as one. The chance is the same for all, where real
doubles gather around what many people see or hear at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet

IntArray = npt.NDArray[np.int64]

DATASHEET: Final = Datasheet(
    "duplication",
    Text(fr="double signalement", en="duplicate reporting"),
    Text(
        fr="Un fait signalé peut l’être encore par un voisin (parfois le même), et inscrit sous un autre numéro, avec "
        "ses propres erreurs de type et de lieu.",
        en="A reported incident may be reported again by a neighbour (at times the same), and entered under another "
        "number, with errors of type and place of its own.",
    ),
    Text(fr="Aucune : la part est une hypothèse.", en="None: the share is an assumption."),
    Text(
        fr="Les doubles ne s’amassent pas autour des faits que beaucoup voient ; patrouilles et caméras n’en font pas.",
        en="Doubles do not gather around what many people see; patrols and cameras make none.",
    ),
)


def expected_more(share: float) -> float:
    """Mean number of further records of a reported incident.

    Examples
    --------
    >>> round(expected_more(0.2), 3)
    0.25
    """
    return share / (1 - share)


def draw_more(share: float, n: int, *, rng: np.random.Generator) -> IntArray:
    """Draw how many more times each of ``n`` reported incidents is entered: k or more with chance ``share**k``."""
    u = rng.random(n)
    if share <= 0:
        return np.zeros(n, dtype=np.int64)
    return np.asarray(np.floor(np.log(np.maximum(u, 1e-300)) / np.log(share)), dtype=np.int64)
