"""Replica of « M-Pulse », the tool that the City said it runs: a danger note and a colour for each planned event.

What the City and the press wrote between 2018 and 2020, and what is done here:

* a random forest finds the past events that resemble a planned one, and the note of the past events, made from the
  facts observed around them, is transferred to it: proximity-weighted mean (:mod:`models.mpulse_forest`);
* the note goes from 1 to 10, and a day is green, orange or red: that of its highest note;
* a percentage of « adéquation » says how well the planned response suits the event, and officers are advised;
* clashes between planned events and road works are detected: :mod:`models.mpulse_clashes`.

How facts make a note and how the percentage is computed were not published: both are guesses, swappable by name
(:data:`~models.mpulse_notes.NOTE_FORMULAS`, :data:`~models.mpulse_adequacy.ADEQUACY_FORMULAS`), and so are the notes
at which a day turns orange and red.

What it cannot tell you: what the delivered tool computes. This is a replica built from public sentences; its verdicts
hold for tools of that kind, under the guess named beside each number. Above all it knows *facts observed*, which depend
on who was there to observe them.

References
----------
.. [1] City of Marseille (2020), reply to a request for documents, page 3.
.. [2] Gomet' (25 May 2018) and Journal du Net (September 2019), on the platform.
.. [3] Breiman (2001), "Random forests", Machine Learning 45, 5-32, doi:10.1023/A:1010933404324.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.grid import FloatArray
from models.base import Choice, Domain
from models.mpulse_adequacy import ADEQUACY_FORMULAS, SimilarStaff, adequacy_formula
from models.mpulse_forest import Forest, carried, grow, proximities
from models.mpulse_notes import GRAVITY_WEIGHTS, HIGHEST, LOWEST, NOTE_FORMULAS, note_formula

COLOURS: Final = ("green", "orange", "red")


@dataclass(frozen=True, eq=False)
class PastEvents:
    """What the file holds of past events.

    Attributes
    ----------
    features : ndarray, shape (n_events, n_features)
        What was known before each event: attendance, calendar, place, weather… The same columns as planned events.
    facts : ndarray, shape (n_events, 3)
        Facts observed around each event: minor, middling, serious.
    attendance : ndarray, shape (n_events,)
        Attendance expected.
    officers : ndarray, shape (n_events,)
        Officers present.
    """

    features: FloatArray
    facts: FloatArray
    attendance: FloatArray
    officers: FloatArray


class MPulse:
    """Danger note, colour, adequacy percentage and staffing advice for planned events.

    Parameters
    ----------
    note : str, default="rank"
        Key of :data:`~models.mpulse_notes.NOTE_FORMULAS`: a guess.
    adequacy : str, default="resemblance"
        Key of :data:`~models.mpulse_adequacy.ADEQUACY_FORMULAS`: a guess.
    n_trees : int, default=20
    min_leaf : int, default=10
        Past events in a leaf, at least.
    share_features : float, default=0.5
        Share of the columns tried at each split.
    orange_from, red_from : float
        Notes from which an event is orange, then red: a guess.
    seed : int, default=0

    Attributes
    ----------
    forest_ : Forest
    past_notes_ : ndarray, shape (n_past,)
        Note of each past event, from its own facts.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "note": Choice.of(*NOTE_FORMULAS),
        "adequacy": Choice.of(*ADEQUACY_FORMULAS),
        "n_trees": Domain(1, 2_000, "a whole number in [1, 2000]", whole=True, closed=True),
        "min_leaf": Domain(1, 10_000, "a whole number in [1, 10000]", whole=True, closed=True),
        "share_features": Domain(0, 1, "a share in (0, 1]"),
        "orange_from": Domain(LOWEST, HIGHEST, "a note in [1, 10]", closed=True),
        "red_from": Domain(LOWEST, HIGHEST, "a note in [1, 10]", closed=True),
        "seed": Domain(0, 2**63 - 1, "a whole number of at least 0", whole=True, closed=True),
    }
    #: Arrays kept of past events, beside those of the forest.
    LEARNED: ClassVar[tuple[str, ...]] = ("past_features_", "past_notes_", "past_officers_")
    forest_: Forest
    past_features_: FloatArray
    past_notes_: FloatArray
    past_officers_: FloatArray

    def __init__(
        self, *, note: str = "rank", adequacy: str = "resemblance", n_trees: int = 20, min_leaf: int = 10,
        share_features: float = 0.5, orange_from: float = 4.0, red_from: float = 7.0, seed: int = 0,
    ) -> None:  # fmt: skip
        self.note = note
        self.adequacy = adequacy
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.share_features = share_features
        self.orange_from = orange_from
        self.red_from = red_from
        self.seed = seed

    def get_params(self) -> dict[str, Any]:
        """Hyper-parameters, as data."""
        return {name: getattr(self, name) for name in self.CONSTRAINTS}

    def fit(self, past: PastEvents) -> Self:
        """Note every past event from its facts, then grow the forest that says which events resemble each other.

        Raises
        ------
        ParameterError
            If a parameter is out of its domain, there is no past event, lengths differ or a number is not finite.
        """
        self._check_params()
        features = self._checked_past(past)
        self.past_features_ = features
        self.past_officers_ = np.asarray(past.officers, dtype=np.float64)
        self.past_notes_ = note_formula(self.note).compute(
            np.asarray(past.facts, dtype=np.float64), np.asarray(past.attendance, dtype=np.float64)
        )
        self.forest_ = grow(
            features, self.past_notes_, n_trees=int(self.n_trees), min_leaf=int(self.min_leaf),
            share_features=float(self.share_features), seed=int(self.seed),
        )  # fmt: skip
        self._ready()
        return self

    def transferred(self, features: FloatArray) -> FloatArray:
        """Note transferred to each planned event: a number in [1, 10], shown rounded; shape (n_events,)."""
        self._check_fitted("transferred")
        return self._carried(features, self.past_notes_)[:, 0]

    def p_red(self, features: FloatArray) -> FloatArray:
        """Share, weighted by proximity, of similar past events that were red; shape (n_events,)."""
        self._check_fitted("p_red")
        return self._carried(features, (self.past_notes_ >= self.red_from).astype(np.float64))[:, 0]

    def colours(self, notes: FloatArray) -> npt.NDArray[np.int64]:
        """Colour of each note: 0 green, 1 orange, 2 red, as numbered in :data:`COLOURS`."""
        return np.digitize(notes, [self.orange_from, self.red_from])

    def similar(self, features: FloatArray, *, k: int = 5) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """The ``k`` past events nearest to each planned one, and their proximities; both of shape (n_events, k).

        Notes
        -----
        The nearest first; among equals, the one that stands first in the file.
        """
        self._check_fitted("similar")
        near = proximities(self.forest_.leaves(self._checked_features(features)), self._past_leaves)
        order = np.argsort(-near, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(near, order, axis=1)

    def staff(self, features: FloatArray) -> SimilarStaff:
        """Officers at the past events that resemble each planned one; ``mean`` is the advice on staffing."""
        self._check_fitted("staff")
        quiet = self._quiet
        sent = np.log1p(self.past_officers_)
        found = self._carried(features, np.column_stack([sent, sent * quiet, quiet]))
        some = found[:, 2] > 0
        mean = found[:, 0]
        best = np.where(some, found[:, 1] / np.where(some, found[:, 2], 1.0), mean)
        return SimilarStaff(np.expm1(mean), np.expm1(best))

    def adequate(self, features: FloatArray, *, planned: FloatArray) -> FloatArray:
        """« Adéquation » of the planned officers, a share in [0, 1]; shape (n_events,). The formula is a guess."""
        wanted = np.asarray(planned, dtype=np.float64)
        if wanted.shape != (len(features),) or not np.isfinite(wanted).all() or (wanted < 0).any():
            raise bad_parameter(
                name="planned", where="MPulse.adequate", must=f"{len(features)} numbers of at least 0", got=wanted.shape
            )
        return adequacy_formula(self.adequacy).compute(wanted, self.staff(features))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Learned state as plain arrays, to be stored with ``numpy.savez`` beside the parameters."""
        self._check_fitted("to_arrays")
        return {name: np.array(getattr(self, name)) for name in self.LEARNED} | self.forest_.to_arrays()

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Inverse of :meth:`to_arrays`.

        Raises
        ------
        ParameterError
            If a parameter is unknown or out of its domain, or an array is missing.
        """
        unknown = sorted(set(params) - set(cls.CONSTRAINTS))
        if unknown:
            raise ParameterError(
                f"MPulse has no parameter {unknown[0]!r}. It has: {', '.join(cls.CONSTRAINTS)}. Take the name out or "
                "correct it."
            )
        made = cls(**params)
        made._check_params()
        missing = [name for name in cls.LEARNED if name not in arrays]
        if missing:
            raise bad_parameter(
                name="arrays", where="MPulse.from_arrays", must="complete", got=sorted(arrays),
                remedy=f"Missing: {', '.join(missing)}.",
            )  # fmt: skip
        for name in cls.LEARNED:
            setattr(made, name, np.array(arrays[name], dtype=np.float64))
        made.forest_ = Forest.from_arrays(arrays)
        made._ready()
        return made

    def _ready(self) -> None:
        """What is worked out once from what was learned: leaves of past events, and which of them went well."""
        self._past_leaves = self.forest_.leaves(self.past_features_)
        self._quiet = (self.past_notes_ <= self.transferred(self.past_features_)).astype(np.float64)

    def _carried(self, features: FloatArray, values: FloatArray) -> FloatArray:
        leaves = self.forest_.leaves(self._checked_features(features))
        columns = values.reshape(len(values), -1)
        with_mass = np.column_stack([columns, np.ones(len(columns))])
        sums = carried(leaves, self._past_leaves, with_mass, n_nodes=len(self.forest_.left))
        return np.asarray(sums[:, :-1] / sums[:, -1:])

    def _check_params(self) -> None:
        for name, domain in self.CONSTRAINTS.items():
            if not domain.admits(getattr(self, name)):
                raise bad_parameter(name=name, where="MPulse", must=domain.must, got=getattr(self, name))
        if self.red_from < self.orange_from:
            raise bad_parameter(
                name="red_from", where="MPulse", must="at least `orange_from`", got=(self.orange_from, self.red_from)
            )

    def _checked_past(self, past: PastEvents) -> FloatArray:
        features = np.asarray(past.features, dtype=np.float64)
        n = len(features)
        shapes = [np.shape(past.facts), np.shape(past.attendance), np.shape(past.officers)]
        if features.ndim != 2 or n == 0 or shapes != [(n, len(GRAVITY_WEIGHTS)), (n,), (n,)]:
            raise bad_parameter(
                name="past", where="MPulse.fit", must="at least one event, with one row in every array",
                got=[features.shape, *shapes], remedy="`facts` has three columns: minor, middling, serious.",
            )  # fmt: skip
        for name in ("features", "facts", "attendance", "officers"):
            values = np.asarray(getattr(past, name), dtype=np.float64)
            if not np.isfinite(values).all() or (name != "features" and (values < 0).any()):
                must = "finite" if name == "features" else "finite and at least 0"
                raise bad_parameter(name=f"past.{name}", where="MPulse.fit", must=must, got=f"minimum {values.min()}")
        return features

    def _checked_features(self, features: FloatArray) -> FloatArray:
        found = np.asarray(features, dtype=np.float64)
        width = self.past_features_.shape[1]
        if found.ndim != 2 or found.shape[1] != width or not np.isfinite(found).all():
            raise bad_parameter(
                name="features", where="MPulse", must=f"finite numbers of shape (n_events, {width})", got=found.shape
            )
        return found

    def _check_fitted(self, method: str) -> None:
        if not hasattr(self, "forest_"):
            raise ParameterError(f"MPulse.{method} was called before fit. Call fit(past) first.")

    def __repr__(self) -> str:
        return f"MPulse({', '.join(f'{k}={v!r}' for k, v in self.get_params().items())})"
