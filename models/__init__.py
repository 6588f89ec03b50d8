"""What the platform predicts. Code, not fitted artefacts. Models are handed records, never truth.

:data:`PREDICTORS` is the table of what exists; :func:`load_predictor` makes one by name. A predictor is stored as its
parameters (JSON) and its arrays (``.npz``), never as a pickle: loading one cannot run code.

What it cannot tell you: every map here ranks places by what was *recorded* in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from contrechamp.domain.errors import ParameterError

if TYPE_CHECKING:
    from models.base import BasePredictor

#: Predictor → ``module:class``. Keys are what reports cite, so a key never changes meaning.
PREDICTORS: Final[Mapping[str, str]] = {
    "uniform": "models.baselines:Uniform",
    "trailing-mean": "models.baselines:TrailingMean",
    "same-weekday": "models.weekday:SameWeekday",
    "retro-quartic": "models.retrospective:RetroQuartic",
    "prospective": "models.prospective:Prospective",
    "etas-per-cell": "models.etas:CellEtas",
    "sepp": "models.sepp:SelfExciting",
    "knox": "models.near_repeat:NearRepeat",
    "risk-terrain": "models.risk_terrain:RiskTerrain",
    "gbm": "models.gbm:BoostedTrees",
    "st-net": "models.st_net:StNet",
    "ensemble": "models.ensemble:Ensemble",
}


def predictor_class(key: str) -> type[BasePredictor]:
    """Import the class behind ``key``.

    Raises
    ------
    ParameterError
        If no predictor bears that name.
    """
    if key not in PREDICTORS:
        raise ParameterError(
            f"No predictor is called {key!r}. Those that exist are {', '.join(PREDICTORS)}. "
            "List them with `contrechamp hotspot list`."
        )
    module, _, name = PREDICTORS[key].partition(":")
    return cast("type[BasePredictor]", getattr(import_module(module), name))


def load_predictor(key: str, **params: Any) -> BasePredictor:
    """Make the predictor ``key``, its defaults replaced by ``params``.

    Raises
    ------
    ParameterError
        If the predictor does not exist, has no such parameter, or a parameter is out of its domain.

    Examples
    --------
    >>> load_predictor("retro-quartic", bandwidth_m=400.0).get_params()
    {'bandwidth_m': 400.0, 'window_days': 56}
    """
    return predictor_class(key).from_params(params)
