r"""A city where patrols follow the map and the map learns from what patrols find: day after day, and replayable.

Each morning the predictor sees the records so far and draws the map of the day; the allocation rule turns it into
patrol-hours; incidents happen, some prevented or pushed next door by those hours, some reported by residents, some
found by patrols; what was reported or found enters the file; and so on. The predictor comes through the ``Predictor``
protocol: anything that fits and predicts.

Incidents and their luck are drawn beforehand (:class:`contrechamp.domain.potential.Potential`), so that two policies on
the same city differ by what they do and by nothing else.

What it must not be used for: saying what patrols do in a real city. Prevention, displacement and finding are laws with
numbers that the user sets; the loop says what follows from them.

What it cannot tell you: how people change what they report when patrols come, or how crews choose where to stop.

Notes
-----
With ``h`` hours in a cell that day, an incident is stopped there with chance :math:`1-e^{-\delta h}`
(``prevention_per_hour`` :math:`\delta`); a stopped incident moves to its ``elsewhere`` with chance ``displacement``
(and happens there), else it is prevented and so are those it would have called for. An incident that happens is
reported with its cell's chance, whatever patrols do, and found with chance :math:`1-e^{-\phi h}` (``finding_per_hour``
:math:`\phi`). It is recorded if reported or found.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import IntegrityError, bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.potential import Potential
from contrechamp.domain.protocols import Predictor
from fairness.allocation import Allocation, allocate

CountCube = npt.NDArray[np.int32]


class Evidence(Enum):
    """Which records the predictor is shown, and with what weight."""

    ALL = "all"  #: every record counts for one
    REPORTED = "reported"  #: only what residents reported
    WEIGHTED = "weighted"  #: what patrols alone found counts for 1 / chance that such a patrol finds it
    THINNED = "thinned"  #: what patrols alone found is kept so that every cell's chance is that of the least patrolled


@dataclass(frozen=True, slots=True)
class Effects:
    """What a patrol-hour does.

    Attributes
    ----------
    finding_per_hour : float
        Rate at which patrols find what happens in their cell.
    prevention_per_hour : float, default=0.0
        Rate at which they stop it.
    displacement : float, default=0.0
        Share of what they stop that happens next door instead, in [0, 1].
    """

    finding_per_hour: float
    prevention_per_hour: float = 0.0
    displacement: float = 0.0

    def __post_init__(self) -> None:
        for name, ok, must in (
            ("finding_per_hour", 0 <= self.finding_per_hour < np.inf, "at least 0"),
            ("prevention_per_hour", 0 <= self.prevention_per_hour < np.inf, "at least 0"),
            ("displacement", 0 <= self.displacement <= 1, "in [0, 1]"),
        ):
            if not ok:
                raise bad_parameter(name=name, where="Effects", must=must, got=getattr(self, name))


@dataclass(frozen=True, eq=False)
class LoopHistory:
    """One run of the loop, day by day and cell by cell.

    Attributes
    ----------
    hours : ndarray, shape (n_days, n_cells)
        Patrol-hours.
    expected : ndarray of float32, shape (n_days, n_cells)
        The map each day's hours were shared by; zeros while history was given.
    happened, reported, found_only : ndarray of int32, shape (n_days, n_cells)
        What happened (where it happened), what residents reported of it, what patrols alone found.
    prevented, moved : ndarray of int, shape (n_days,)
        Incidents stopped for good, descendants included, and incidents that happened next door.
    first_day : int
        First day on which the policy shared the hours.
    """

    hours: FloatArray
    expected: npt.NDArray[np.float32]
    happened: CountCube
    reported: CountCube
    found_only: CountCube
    prevented: IntArray
    moved: IntArray
    first_day: int

    @property
    def recorded(self) -> CountCube:
        """Records by day and cell."""
        return self.reported + self.found_only

    def fingerprint(self) -> str:
        """SHA-256 of everything above, by day: equal for equal runs."""
        return hashlib.sha256("".join(self._daily()).encode()).hexdigest()

    def _daily(self) -> list[str]:
        return [
            hashlib.sha256(
                b"".join(
                    np.ascontiguousarray(part[d]).tobytes()
                    for part in (
                        self.hours, self.expected, self.happened, self.reported, self.found_only, self.prevented,
                        self.moved,
                    )
                )
            ).hexdigest()
            for d in range(len(self.hours))
        ]  # fmt: skip


def check_replay(history: LoopHistory, again: LoopHistory) -> None:
    """Refuse a replay that differs from the history on any day.

    Raises
    ------
    IntegrityError
        Naming the first day that differs.
    """
    ours, theirs = history._daily(), again._daily()
    if len(ours) != len(theirs):
        raise IntegrityError(f"The replay has {len(theirs)} days and the history {len(ours)}. Replay the same run.")
    for day, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if a != b:
            raise IntegrityError(
                f"The replay differs from the history from day {day} on. Same seed, same policy and same versions give "
                "the same days: one of them was changed."
            )


def run_loop(
    potential: Potential,
    *,
    predictor: Predictor | None,
    allocation: Allocation,
    effects: Effects,
    hours_per_day: float,
    first_day: int,
    before: FloatArray | None = None,
    evidence: Evidence = Evidence.ALL,
    refit_every: int = 1,
    max_weight: float = 50.0,
    sectors: IntArray | None = None,
    rng: np.random.Generator,
) -> LoopHistory:
    """Run the loop over a city.

    Parameters
    ----------
    potential : Potential
        What would happen, and its luck.
    predictor : Predictor or None
        Learns from the records; None for a rule that needs no map (equal or random hours).
    allocation : Allocation
    effects : Effects
    hours_per_day : float
        Patrol-hours of a day, all cells together; 0 for a city that nobody patrols.
    first_day : int
        Days before it are history: hours are shared as ``before``. At least 1 where there is a predictor.
    before : ndarray, shape (n_cells,), optional
        Shares of the hours during history; equal where left out.
    evidence : Evidence, default=Evidence.ALL
        Which records the predictor is shown. :attr:`Evidence.WEIGHTED` gives it fractions of events.
    refit_every : int, default=1
        Days between two estimations.
    max_weight : float, default=50
        Most that one find may count for under :attr:`Evidence.WEIGHTED`; finds by rarer patrols count for less than
        they should.
    sectors : ndarray of int, shape (n_cells,), optional
        For quotas.
    rng : numpy.random.Generator
        For who comes first among equal cells, and thinning. Not for incidents.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(potential, predictor, hours_per_day, first_day, before)
    n_days, n = potential.n_days, potential.grid.n_cells
    shape = (n_days, n)
    history = LoopHistory(
        hours=np.zeros(shape), expected=np.zeros(shape, dtype=np.float32),
        happened=np.zeros(shape, dtype=np.int32), reported=np.zeros(shape, dtype=np.int32),
        found_only=np.zeros(shape, dtype=np.int32), prevented=np.zeros(n_days, dtype=np.int64),
        moved=np.zeros(n_days, dtype=np.int64), first_day=first_day,
    )  # fmt: skip
    orders, luck = rng.spawn(2)
    shown = np.zeros(shape) if evidence in (Evidence.WEIGHTED, Evidence.THINNED) else np.zeros(shape, dtype=np.int32)
    alive = np.ones(len(potential.day), dtype=np.bool_)
    bounds = potential.bounds
    start = np.full(n, 1 / n) if before is None else before / before.sum()
    for day in range(n_days):
        order = orders.permutation(n)
        if day < first_day:
            hours = hours_per_day * start
        else:
            surface = np.zeros(n)
            if predictor is not None:
                if (day - first_day) % refit_every == 0:
                    predictor.fit(shown[:day], grid=potential.grid)
                else:
                    predictor.update(shown[:day])
                surface = predictor.predict(day)
            history.expected[day] = surface
            hours = allocate(
                surface, hours=hours_per_day, allocation=allocation, order=order, sectors=sectors
            )  # fmt: skip
        history.hours[day] = hours
        _happen(potential, slice(int(bounds[day]), int(bounds[day + 1])), day, hours, effects, alive, history)
        shown[day] = _shown(history, day, effects, evidence, max_weight=max_weight, luck=luck)
    return history


def _happen(
    potential: Potential, today: slice, day: int, hours: FloatArray, effects: Effects, alive: npt.NDArray[np.bool_],
    history: LoopHistory,
) -> None:  # fmt: skip
    """Let the incidents of a day happen; write what became of them into ``history`` and ``alive``."""
    parent = potential.parent[today]
    called = np.where(parent >= 0, alive[np.maximum(parent, 0)], True)
    cell = potential.cell[today]
    stopped = called & (potential.u_prevented[today] < -np.expm1(-effects.prevention_per_hour * hours[cell]))
    moved = stopped & (potential.u_moved[today] < effects.displacement)
    happens = called & (~stopped | moved)
    alive[today] = happens
    history.prevented[day] = int((~happens).sum())
    history.moved[day] = int(moved.sum())
    where = np.where(moved, potential.elsewhere[today], cell)[happens]
    reported = potential.u_reported[today][happens] < potential.p_reported[where]
    found = potential.u_found[today][happens] < -np.expm1(-effects.finding_per_hour * hours[where])
    n = len(hours)
    history.happened[day] = np.bincount(where, minlength=n)
    history.reported[day] = np.bincount(where[reported], minlength=n)
    history.found_only[day] = np.bincount(where[found & ~reported], minlength=n)


def _shown(
    history: LoopHistory, day: int, effects: Effects, evidence: Evidence, *, max_weight: float,
    luck: np.random.Generator,
) -> npt.NDArray[np.generic]:  # fmt: skip
    reported, found = history.reported[day], history.found_only[day]
    if evidence is Evidence.REPORTED:
        return np.asarray(reported)
    if evidence is Evidence.ALL:
        return np.asarray(reported + found)
    p_found = -np.expm1(-effects.finding_per_hour * history.hours[day])
    if evidence is Evidence.WEIGHTED:
        weight = np.minimum(1 / np.maximum(p_found, 1e-12), max_weight)
        return np.asarray(reported + weight * found)
    least = float(p_found.min())
    keep = np.divide(least, p_found, out=np.ones(len(p_found)), where=p_found > 0)
    return np.asarray(reported + luck.binomial(found, keep), dtype=np.float64)


def _check(
    potential: Potential, predictor: Predictor | None, hours_per_day: float, first_day: int, before: FloatArray | None
) -> None:
    where = "run_loop"
    low = 0 if predictor is None else 1
    for name, value, ok, must in (
        ("hours_per_day", hours_per_day, 0 <= hours_per_day < np.inf, "at least 0"),
        ("first_day", first_day, low <= first_day <= potential.n_days, f"a day in [{low}, {potential.n_days}]"),
        (
            "before",
            None if before is None else before.shape,
            before is None
            or (before.shape == (potential.grid.n_cells,) and bool((before >= 0).all()) and before.sum() > 0),
            "one number of at least 0 per cell, not all 0",
        ),
    ):
        if not ok:
            raise bad_parameter(name=name, where=where, must=must, got=value)
