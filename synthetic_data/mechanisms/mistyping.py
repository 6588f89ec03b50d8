"""The wrong box: an incident is entered under a type near its own, more often as habits drift.

What it cannot tell you: which types real officers confuse. The neighbours of each type are our reading of their names;
nobody enters a type on purpose here, to make figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.plans.police import RecordingPlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Types under which each is entered by mistake, and in what proportion. Assumptions.
NEIGHBOURS: Final[Mapping[str, Mapping[str, float]]] = {
    "tapage": {"attroupement": 0.5, "rixe": 0.2, "autre": 0.3},
    "degradation": {"vol": 0.3, "intrusion": 0.3, "depot_sauvage": 0.1, "autre": 0.3},
    "vol": {"degradation": 0.4, "violence": 0.2, "autre": 0.4},
    "rixe": {"violence": 0.6, "tapage": 0.3, "attroupement": 0.1},
    "depot_sauvage": {"degradation": 0.3, "autre": 0.7},
    "stationnement_genant": {"accident": 0.2, "autre": 0.8},
    "vente_sauvette": {"attroupement": 0.4, "stationnement_genant": 0.1, "autre": 0.5},
    "intrusion": {"vol": 0.4, "degradation": 0.4, "autre": 0.2},
    "attroupement": {"tapage": 0.6, "vente_sauvette": 0.1, "autre": 0.3},
    "violence": {"rixe": 0.7, "vol": 0.1, "autre": 0.2},
    "accident": {"stationnement_genant": 0.4, "autre": 0.6},
    "autre": {"tapage": 0.3, "degradation": 0.2, "depot_sauvage": 0.3, "stationnement_genant": 0.2},
}

DATASHEET: Final = Datasheet(
    "mistyping",
    Text(fr="erreur de type", en="mis-typing"),
    Text(
        fr="Une petite part des enregistrements porte un type voisin, selon une matrice de confusion des douze types ; "
        "cette part croît lentement. Le texte libre, lui, dit le fait tel qu’il est.",
        en="A small share of records bears a neighbouring type, by a confusion matrix of the twelve types; the share "
        "grows slowly. The free text still says what happened.",
    ),
    Text(fr="Aucune : parts et voisinages sont des hypothèses.", en="None: shares and neighbours are assumptions."),
    Text(
        fr="Ni requalification voulue, ni différence entre unités ou entre quartiers.",
        en="No deliberate relabelling, no difference between units or between quarters.",
    ),
)


def confusion_matrix(share: float) -> FloatArray:
    """Chance of each written type (columns) given the true one (rows); shape (12, 12), rows summing to 1.

    Raises
    ------
    ParameterError
        If ``share`` is not in [0, 1].

    Examples
    --------
    >>> confusion_matrix(0.1).diagonal().round(3).tolist()[:2]
    [0.9, 0.9]
    """
    if not 0 <= share <= 1:
        raise bad_parameter(name="share", where="confusion_matrix", must="a share in [0, 1]", got=share)
    away = np.array([[NEIGHBOURS[t].get(w, 0.0) for w in INCIDENT_TYPES] for t in INCIDENT_TYPES])
    return np.asarray((1 - share) * np.eye(len(away)) + share * away / away.sum(axis=1, keepdims=True))


def mistype(plan: RecordingPlan, type_code: IntArray, day: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Draw the type under which each incident is entered.

    Parameters
    ----------
    type_code, day : ndarray of int, shape (n,)
        True type, and local day from the start, on which the share depends.
    """
    share = np.minimum(plan.mistype_share + plan.mistype_drift * day / 365.25, 1.0)
    wrong, u = rng.random(len(type_code)) < share, rng.random(len(type_code))
    edges = np.cumsum(confusion_matrix(1.0), axis=1)[type_code]
    other = np.minimum((u[:, None] >= edges).sum(axis=1), len(INCIDENT_TYPES) - 1)
    return np.asarray(np.where(wrong, other, type_code), dtype=np.int64)
