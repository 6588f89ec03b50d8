"""What every experiment module offers, and how its parameters are overridden.

An experiment module defines

``ID``
    its key in the register, for instance ``"E02"``;
``Params``
    a frozen dataclass of parameters with the class methods ``quick()`` and ``full()``; every field is a number,
    a string, a bool or a tuple of those;
``MEASURES``
    a tuple of :class:`~contrechamp.domain.results.Measure`, the only measures its results may bear;
``CANNOT_TELL``
    a :class:`~contrechamp.domain.text.Text`: what the experiment cannot tell;
``run(params, *, seed, jobs=1, progress=silent)``
    returns an :class:`~contrechamp.domain.results.Outcome`. Same params and seed give the same outcome whatever
    ``jobs`` is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome
from contrechamp.domain.text import Text
from contrechamp.experiments import EXPERIMENTS

Profile = Literal["quick", "full"]


class ExperimentModule(Protocol):
    """Structural type of an experiment module."""

    ID: str
    Params: Any
    MEASURES: tuple[Measure, ...]
    CANNOT_TELL: Text

    def run(self, params: Any, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
        """Run the experiment."""
        ...


def load(experiment: str) -> ExperimentModule:
    """Import the module of an experiment.

    Raises
    ------
    ParameterError
        If the experiment does not exist or is not built yet.
    """
    if experiment not in EXPERIMENTS:
        raise ParameterError(
            f"Experiment {experiment!r} is not built. Those that run are {', '.join(EXPERIMENTS)}. "
            "List all of them with `contrechamp experiment list`."
        )
    return cast(ExperimentModule, import_module(EXPERIMENTS[experiment]))


def parameters(experiment: str, *, profile: Profile = "quick", overrides: Mapping[str, str] | None = None) -> Any:
    """Parameters of an experiment under a profile, with textual overrides (``--set k=v``) parsed by field type.

    Raises
    ------
    ParameterError
        If an override names no parameter or cannot be read as that parameter's type.
    """
    module = load(experiment)
    base = getattr(module.Params, profile)()
    changes: dict[str, Any] = {}
    fields = {f.name: f for f in dataclasses.fields(base)}
    for name, text in (overrides or {}).items():
        if name not in fields:
            raise ParameterError(
                f"Experiment {experiment} has no parameter {name!r}. It has: {', '.join(sorted(fields))}. "
                "Write --set name=value."
            )
        changes[name] = _parse(text, like=getattr(base, name), name=name, experiment=experiment)
    return dataclasses.replace(base, **changes)


def replicates_field(experiment: str) -> str:
    """Name of the parameter that counts the replicates of an experiment.

    Raises
    ------
    ParameterError
        If the experiment is exact and repeats nothing.
    """
    names = {f.name for f in dataclasses.fields(load(experiment).Params)}
    for name in ("n_reps", "reps", "worlds", "seeds"):
        if name in names:
            return name
    raise ParameterError(f"Experiment {experiment} is exact: it has no replicates to set. Leave --reps out.")


def _parse(text: str, *, like: Any, name: str, experiment: str) -> Any:
    try:
        if isinstance(like, bool):
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if isinstance(like, tuple):
            sample = like[0] if like else ""
            parts = [p for p in text.split(",") if p.strip()]
            return tuple(_parse(p.strip(), like=sample, name=name, experiment=experiment) for p in parts)
        return type(like)(text)
    except (ValueError, KeyError) as cause:
        raise ParameterError(
            f"The `{name}` parameter of {experiment} must be read like {like!r}. Got {text!r}. "
            "Lists are written with commas: --set rhos=0,0.5,1."
        ) from cause
