"""The atom of the audit: one measured number, in one stated world, with what is needed to doubt it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from contrechamp.domain.intervals import Interval
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.text import Text

Scalar = str | int | float | bool
Unit = Literal["share", "points", "count", "ratio", "pai", "euro", "per_day", "min", "h", "days", "nats", "bool"]
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number means: its label, its unit and what it is divided by.

    Attributes
    ----------
    key : str
        Name cited by decision rules. Never changes meaning.
    unit : Unit
        ``"share"`` in [0, 1]; ``"points"`` is a difference of shares, also in [-1, 1].
    label, denominator : Text
        For people. The denominator names what ``n`` counts.
    """

    key: str
    unit: Unit
    label: Text
    denominator: Text


@dataclass(frozen=True, slots=True)
class Result:
    """One number of one experiment in one world.

    Attributes
    ----------
    experiment : str
        ``"E02"``, or ``"platform"`` for the backtest of the platform itself.
    measure : str
        Key of a :class:`Measure` of that experiment.
    world : mapping of str to scalar
        Parameters that distinguish this world from its siblings, for instance ``{"rule": "top", "rho": 0.25}``.
    interval : Interval
        The estimate, its interval, n and method.
    table : str
        Name of the table the number was computed from; empty for closed forms.
    """

    experiment: str
    measure: str
    world: Mapping[str, Scalar]
    interval: Interval
    table: str = ""

    @property
    def key(self) -> str:
        """Stable address, for instance ``E02/off_20/{"rho":0.25,"rule":"top"}``."""
        return f"{self.experiment}/{self.measure}/{canonical_json(dict(self.world))}"

    def to_dict(self) -> dict[str, Any]:
        """Plain form, as written to ``results.json``."""
        i = self.interval
        return {
            "experiment": self.experiment,
            "measure": self.measure,
            "world": dict(self.world),
            "value": i.estimate,
            "low": i.low,
            "high": i.high,
            "level": i.level,
            "n": i.n,
            "method": i.method,
            "estimable": i.estimable,
            "table": self.table,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment or a backtest returns: results and the tables behind them. No verdict.

    Attributes
    ----------
    results : sequence of Result
    tables : mapping of str to pandas.DataFrame
        Keys become ``tables/<key>.parquet``.
    """

    results: Sequence[Result]
    tables: Mapping[str, Any] = field(default_factory=dict)
