r"""Mean of other predictors' maps, each weighing what it foretold of the last weeks.

Every member's map is put at the same level, so that only places are weighed: :math:`p=\sum_m w_m p_m`. The weights
maximise the Poisson log score of the last days, given each day's total, of maps that the members drew before those
days; that is the likelihood of a mixture whose components are known, and expectation–maximisation climbs it without
ever going down.

What it cannot tell you: members that learn from the same file err together, and a mean of them errs with them. A weight
is no merit: two members that draw nearly the same map share it in any proportion. What the weights reward is
foretelling *records*.

References
----------
.. [1] Dempster, Laird & Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 39(1),
   doi:10.1111/j.2517-6161.1977.tb01600.x.
.. [2] Bates & Granger (1969), "The combination of forecasts", Operational Research Quarterly 20(4), 451-468,
   doi:10.1057/jors.1969.103.
.. [3] Genest & Zidek (1986), "Combining probability distributions", Statistical Science 1(1), 114-135,
   doi:10.1214/ss/1177013825.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from contrechamp.domain.grid import FloatArray
from contrechamp.domain.history import Events, Points
from models import PREDICTORS, load_predictor
from models.base import WINDOW_DAYS, BasePredictor, Choice, Domain, Seen, daily_mean

#: Rounds of expectation–maximisation. A fixed number: the same weights whatever the last bits of a likelihood.
ROUNDS = 500
#: Joins the names of members.
JOIN = "+"


@dataclass(frozen=True, slots=True)
class Members(Domain):
    """Names of two or more registered predictors joined by ``+``, none twice and none an ensemble."""

    @classmethod
    def registered(cls) -> Members:
        """The domain whose names are those of :data:`models.PREDICTORS`."""
        return cls(0.0, 0.0, "two or more predictors joined by '+', none twice and none an ensemble")

    def admits(self, value: object) -> bool:
        """Tell whether ``value`` names such predictors."""
        if not isinstance(value, str):
            return False
        names = value.split(JOIN)
        return 2 <= len(names) == len(set(names)) and all(n in PREDICTORS and n != "ensemble" for n in names)


class Ensemble(BasePredictor):
    """Mixture of other predictors' maps, weighed by what each foretold of the last weeks.

    Parameters
    ----------
    members : str, default="trailing-mean+retro-quartic+prospective+etas-per-cell"
        Keys of :data:`models.PREDICTORS` joined by ``+``, each run on its defaults.
    weighting : {"learned", "equal"}, default="learned"
        Weights of the last weeks, or the same for all.
    validation_days : int, default=28
        Last days, on which weights are learned from maps drawn before each of them.
    window_days : int, default=364
        Days whose mean daily count the map sums to.

    Attributes
    ----------
    weights_ : ndarray, shape (n_members,)
        In the order of ``members``; they sum to 1.

    Notes
    -----
    To learn weights, members are fitted on what came before ``validation_days`` and then only shown each newer day;
    they are then fitted again on everything. Days are replayed from the file as it is now: a record that entered late
    is seen on the day it bears. With a shorter history, or no event that any member foresaw, members weigh the same. A
    member whose map is empty leaves its weight to the others. Twice the records give twice the map where that holds of
    every member, as it does of the default ones.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "members": Members.registered(),
        "weighting": Choice.of("learned", "equal"),
        "validation_days": Domain(1, 3_660, "a whole number of days in [1, 3660]", whole=True, closed=True),
        "window_days": WINDOW_DAYS,
    }
    REFIT_DAYS: ClassVar[int] = 28
    LEARNED: ClassVar[tuple[str, ...]] = ("weights_",)
    weights_: FloatArray
    _members: list[BasePredictor]
    _shown: Events

    def __init__(
        self,
        members: str = "trailing-mean+retro-quartic+prospective+etas-per-cell",
        weighting: str = "learned",
        validation_days: int = 28,
        window_days: int = 364,
    ) -> None:
        self.members = members
        self.weighting = weighting
        self.validation_days = validation_days
        self.window_days = window_days

    @property
    def member_keys(self) -> tuple[str, ...]:
        """Keys of the members."""
        return tuple(self.members.split(JOIN))

    def _estimate(self, seen: Seen) -> None:
        self._members = [load_predictor(key) for key in self.member_keys]
        self.weights_ = np.full(len(self._members), 1.0 / len(self._members))
        first = seen.n_days - int(self.validation_days)
        if self.weighting == "learned" and first > 0 and seen.events.counts[first:].any():
            self.weights_ = self._learned_weights(seen, first=first)
        for member in self._members:
            member.fit(seen.events, grid=seen.grid, covariates=seen.covariates)
        self._shown = seen.events

    def _learned_weights(self, seen: Seen, *, first: int) -> FloatArray:
        """Walk the members from day ``first``, then weigh the chance that each gave to every event."""
        before, chances, times = until(seen.events, first), [], []
        for member in self._members:
            member.fit(before, grid=seen.grid, covariates=seen.covariates)
        for day in range(first, seen.n_days):
            if day > first:
                known = until(seen.events, day)
                for member in self._members:
                    member.update(known, covariates=seen.covariates)
            cells = np.flatnonzero(seen.events.counts[day])
            chances.append(np.stack([_share(member.predict(day))[cells] for member in self._members]))
            times.append(np.asarray(seen.events.counts[day], dtype=np.float64)[cells])
        return mixture_weights(np.concatenate(chances, axis=1), np.concatenate(times))

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        mean, used = daily_mean(seen.events.counts, window_days=int(self.window_days))
        if self._shown is not seen.events:
            for member in self._members:
                member.update(seen.events, covariates=seen.covariates)
            self._shown = seen.events
        mixed = np.zeros(seen.grid.n_cells)
        for weight, member in zip(self.weights_, self._members, strict=True):
            mixed += weight * _share(member.predict(at))
        total = float(mixed.sum())
        return (mixed * (mean.sum() / total) if total > 0 else mean), used


def mixture_weights(chances: npt.ArrayLike, times: npt.ArrayLike, *, rounds: int = ROUNDS) -> FloatArray:
    r"""Weights of known components that make what was seen most likely.

    Parameters
    ----------
    chances : array-like, shape (n_members, n)
        Chance that each member gave to each outcome.
    times : array-like, shape (n,)
        How often each outcome was seen.
    rounds : int, default=500
        Of :math:`w_m \leftarrow \sum_i t_i \frac{w_m p_{mi}}{\sum_k w_k p_{ki}} / \sum_i t_i`, from equal weights. The
        likelihood is concave in the weights and never falls from one round to the next.

    Returns
    -------
    ndarray, shape (n_members,)
        They sum to 1. Outcomes to which no member gave a chance weigh on nobody; with no other, weights are equal.

    Examples
    --------
    >>> mixture_weights([[0.5, 0.5], [0.0, 1.0]], [3, 1]).round(6).tolist()
    [1.0, 0.0]
    """
    p, t = np.atleast_2d(np.asarray(chances, dtype=np.float64)), np.asarray(times, dtype=np.float64)
    seen = (p.sum(axis=0) > 0) & (t > 0)
    p, t = p[:, seen], t[seen]
    weights = np.full(len(p), 1.0 / len(p))
    if not t.size:
        return weights
    share = t / t.sum()
    for _ in range(rounds):
        weights = weights * (p @ (share / (weights @ p)))
        weights /= weights.sum()
    return weights


def until(events: Events, day: int) -> Events:
    """Events of the days before ``day``, of those known now."""

    def located() -> Points:
        points = events.points
        end = int(np.searchsorted(points.t_days, day, side="left"))
        return Points(points.t_days[:end], points.x_m[:end], points.y_m[:end], points.cell[:end])

    return Events(events.counts[:day], events.grid, located)


def _share(surface: FloatArray) -> FloatArray:
    """A map that sums to 1; zeros where it is empty."""
    total = float(surface.sum())
    return surface / total if total > 0 else surface
