"""A closed loop in a small invented city: the plan of one, its life, and what is measured in it.

A city is drawn, with its incidents and their luck; a predictor learns from its file each morning, a rule turns the map
into patrol-hours, patrols find and prevent, the file grows. Two plans on the same city meet the same incidents and the
same luck: what differs is what they do.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.potential import Potential
from contrechamp.domain.results import Measure, Result
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.allocation import Allocation, Sharing
from fairness.closed_loop import Effects, Evidence, LoopHistory, run_loop
from fairness.clusters import cluster_rate_interval
from fairness.concentration import gini
from models import load_predictor
from synthetic_data.loop_worlds import draw_levels, draw_potential, square_grid

COMMAND: Final = "feedback run"
#: Sectors are square blocks of this many cells a side.
SECTOR: Final = 4

CANNOT_TELL: Final = Text(
    fr="Cette ville est inventée : ce que trouve ou évite une heure de patrouille y est posé, les équipages obéissent, "
    "les habitants signalent toujours autant. La boucle dit ce qui suit de ces nombres, non ce qui se passe ailleurs.",
    en="This city is invented: what a patrol-hour finds or prevents is set, crews obey, residents report as much as "
    "ever. The loop says what follows from these numbers, not what happens elsewhere.",
)


@dataclasses.dataclass(frozen=True, slots=True)
class LoopPlan:
    """What to live: a city, a predictor, a rule.

    Attributes
    ----------
    predictor : str
        Key of :data:`models.PREDICTORS`.
    rule : str
        Value of :class:`fairness.allocation.Sharing`.
    rho : float
        Chance that residents report an incident.
    days, history_days : int
        Days on which the rule sends patrols; days of equal hours recorded before them.
    rows, columns : int
        Cells of 250 m.
    per_day, spread, kappa : float
        Incidents a day if nobody patrolled; log standard deviation of the levels of places; incidents that one calls
        for nearby.
    hours_per_day, finding_per_hour, prevention_per_hour, displacement : float
        Patrols and what an hour of them does.
    share, explore, quota, cap : float
        Of the rule: see :class:`fairness.allocation.Allocation`. ``share`` is also the share of the cells a map is
        judged on.
    evidence : str
        Value of :class:`fairness.closed_loop.Evidence`: which records the predictor is shown.
    refit_days : int
        Days between two estimations.
    """

    predictor: str = "retro-quartic"
    rule: str = "proportional"
    rho: float = 0.25
    days: int = 180
    history_days: int = 60
    rows: int = 16
    columns: int = 16
    per_day: float = 100.0
    spread: float = 0.6
    kappa: float = 0.0
    hours_per_day: float = 96.0
    finding_per_hour: float = 0.5
    prevention_per_hour: float = 0.0
    displacement: float = 0.0
    share: float = 0.05
    explore: float = 0.0
    quota: float = 0.0
    cap: float = 1.0
    evidence: str = "all"
    refit_days: int = 7

    def __post_init__(self) -> None:
        for name, ok, must in (
            ("rho", 0 <= self.rho <= 1, "a share in [0, 1]"),
            ("days", 1 <= self.days <= 3_650, "a number of days from 1 to 3650"),
            ("history_days", 7 <= self.history_days <= 3_650, "a number of days from 7 to 3650"),
            ("rows", SECTOR <= self.rows <= 200, f"a number of cells from {SECTOR} to 200"),
            ("columns", SECTOR <= self.columns <= 200, f"a number of cells from {SECTOR} to 200"),
            ("per_day", 0 < self.per_day <= 1e5, "above 0, and at most 100000"),
            ("spread", 0 <= self.spread <= 3, "in [0, 3]"),
            ("hours_per_day", 0 < self.hours_per_day < np.inf, "above 0"),
            ("refit_days", self.refit_days >= 1, "at least 1 day"),
            ("rule", self.rule in _values(Sharing), "one of " + ", ".join(_values(Sharing))),
            ("evidence", self.evidence in _values(Evidence), "one of " + ", ".join(_values(Evidence))),
        ):
            if not ok:
                raise bad_parameter(name=name, where=COMMAND, must=must, got=getattr(self, name))
        load_predictor(self.predictor)
        self.allocation, self.effects  # noqa: B018 - their own checks

    @property
    def allocation(self) -> Allocation:
        """The rule with its limits."""
        return Allocation(
            Sharing(self.rule), share=self.share, explore=self.explore, quota=self.quota, cap=self.cap
        )  # fmt: skip

    @property
    def effects(self) -> Effects:
        """What a patrol-hour does."""
        return Effects(self.finding_per_hour, self.prevention_per_hour, self.displacement)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> LoopPlan:
        """Make a plan from names and texts or numbers.

        Raises
        ------
        ParameterError
            If a name is unknown or a value cannot be read or is out of range.
        """
        known = {f.name: f.type for f in dataclasses.fields(cls)}
        read: dict[str, Any] = {}
        for name, value in given.items():
            if name not in known:
                raise ParameterError(
                    f"A loop has no parameter {name!r}. It has: {', '.join(known)}. Write it --set name=value."
                )
            kind = {"int": int, "float": float, "str": str}[str(known[name])]
            try:
                read[name] = kind(value)
            except (TypeError, ValueError) as cause:
                word = "a whole number" if kind is int else "a number"
                raise bad_parameter(name=name, where=COMMAND, must=word, got=value) from cause
        return cls(**read)


@dataclasses.dataclass(frozen=True, eq=False)
class Lived:
    """A plan that was lived.

    Attributes
    ----------
    plan : LoopPlan
    seed : int
    levels : ndarray, shape (n_cells,)
        True relative level of each cell, averaging 1.
    history : LoopHistory
    """

    plan: LoopPlan
    seed: int
    levels: FloatArray
    history: LoopHistory


_INCIDENTS: Final = Text(fr="incidents de la période", en="incidents of the period")
_RECORDS: Final = Text(fr="enregistrements de la période", en="records of the period")
_CELLS: Final = Text(fr="mailles", en="cells")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("hit_records", "share", Text(fr="Part des enregistrements dans les mailles désignées (succès apparent)",
            en="Share of records in the flagged cells (apparent success)"), _RECORDS),
    Measure("hit_incidents", "share", Text(fr="Part des incidents dans ces mêmes mailles (succès réel)",
            en="Share of incidents in those same cells (real success)"), _INCIDENTS),
    Measure("captured", "share", Text(fr="Part des incidents qui entrent au fichier",
            en="Share of incidents that enter the file"), _INCIDENTS),
    Measure("averted", "share", Text(fr="Part des incidents évités", en="Share of incidents averted"),
            Text(fr="incidents qui auraient eu lieu", en="incidents that would have happened")),
    Measure("gini_hours", "ratio", Text(
            fr="Indice de Gini des heures par incident attendu (0 : les heures suivent la vérité)",
            en="Gini index of hours per expected incident (0: hours follow the truth)"), _CELLS),
    Measure("never_served", "share", Text(fr="Part des mailles sans une heure de patrouille",
            en="Share of cells without an hour of patrol"), _CELLS),
)  # fmt: skip


def draw_loop_city(plan: LoopPlan, *, seed: int, rep: int = 0) -> tuple[Potential, FloatArray]:
    """City ``rep`` of a seed: its incidents if nobody patrolled, and the level of its cells.

    The same incidents and luck whatever the predictor, the rule, what is shown and the share reported.
    """
    rng = stream(seed, "feedback", "city", rep)
    shape = (plan.rows, plan.columns)
    levels = draw_levels(shape, spread=plan.spread, rng=rng)
    potential = draw_potential(
        levels=levels, grid=square_grid(shape), n_days=plan.history_days + plan.days, per_day=plan.per_day,
        p_reported=plan.rho, kappa=plan.kappa, rng=rng,
    )  # fmt: skip
    return potential, levels


def live(plan: LoopPlan, *, seed: int, rep: int = 0) -> Lived:
    """Live a plan once. Same plan, seed and rep: same days."""
    potential, levels = draw_loop_city(plan, seed=seed, rep=rep)
    history = run_loop(
        potential, predictor=load_predictor(plan.predictor), allocation=plan.allocation, effects=plan.effects,
        hours_per_day=plan.hours_per_day, first_day=plan.history_days, evidence=Evidence(plan.evidence),
        refit_every=plan.refit_days, sectors=sectors(plan), rng=stream(seed, "feedback", "loop", rep),
    )  # fmt: skip
    return Lived(plan, seed, levels, history)


def sectors(plan: LoopPlan) -> IntArray:
    """Sector of each cell, shape (n_cells,): blocks of four cells by four."""
    rows, columns = np.indices((plan.rows, plan.columns))
    across = -(-plan.columns // SECTOR)
    return np.asarray((rows // SECTOR * across + columns // SECTOR).ravel(), dtype=np.int64)


def flagged(lived: Lived, days: slice) -> npt.NDArray[np.bool_]:
    """Cells that each day's map ranks first, ties at random once for all; shape (n_days, n_cells)."""
    expected = lived.history.expected[days]
    k = max(1, round(lived.plan.share * expected.shape[1]))
    order = stream(lived.seed, "feedback", "ties").permutation(expected.shape[1])
    top = order[np.argsort(-expected[:, order], axis=1, kind="stable")[:, :k]]
    out = np.zeros(expected.shape, dtype=np.bool_)
    np.put_along_axis(out, top, True, axis=1)
    return out


def loop_days(lived: Lived) -> slice:
    """The days on which the rule sent patrols."""
    return slice(lived.history.first_day, len(lived.history.hours))


def measure(lived: Lived, days: slice) -> dict[str, Interval]:
    """The measures over some days of the loop; the incidents of a day are not independent of each other."""
    h = lived.history
    top = flagged(lived, days)
    happened, recorded = h.happened[days], h.recorded[days]
    number = np.arange(len(happened))

    def share(part: Any, whole: Any) -> Interval:
        return cluster_rate_interval(events=part, trials=whole, clusters=number).interval

    averted = h.prevented[days]
    served = h.hours[days].sum(axis=0)
    return {
        "hit_records": share((recorded * top).sum(axis=1), recorded.sum(axis=1)),
        "hit_incidents": share((happened * top).sum(axis=1), happened.sum(axis=1)),
        "captured": share(recorded.sum(axis=1), happened.sum(axis=1)),
        "averted": (
            share(averted, averted + happened.sum(axis=1))
            if lived.plan.prevention_per_hour > 0
            else Interval.exact(0.0, n=int(happened.sum()))
        ),
        "gini_hours": Interval.exact(float(gini(served, weights=lived.levels)), n=served.size),
        "never_served": Interval.exact(float((served == 0).mean()), n=served.size),
    }


def results_of(lived: Lived) -> list[Result]:
    """The measures over the first and the last quarter of the loop, and over the whole of it."""
    whole = loop_days(lived)
    quarter = max(1, (whole.stop - whole.start) // 4)
    spans = {
        "first-quarter": slice(whole.start, whole.start + quarter),
        "last-quarter": slice(whole.stop - quarter, whole.stop),
        "whole": whole,
    }
    return [
        Result("feedback", key, {"period": name}, interval, "history")
        for name, days in spans.items()
        for key, interval in measure(lived, days).items()
    ]


def grid_of(plan: LoopPlan) -> Grid:
    """Grid of the plan's city."""
    return square_grid((plan.rows, plan.columns))


def _values(kind: Any) -> list[str]:
    return [member.value for member in kind]
