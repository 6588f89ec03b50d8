"""How past facts might become a note from 1 to 10: guesses, each with its formula, none of them published.

The City wrote that the note of a past event is made "from the combination of the facts observed" around it, and that
this note is transferred to the planned event. The combination itself was not published. Three guesses stand here, side
by side, so that a conclusion can be checked under each. Facts come by gravity, from minor to serious, and are weighted
1, 3 and 9 (a guess too): ``score = facts @ GRAVITY_WEIGHTS``.

What it cannot tell you: which of them, if any, the delivered tool used. Every number made with one of these formulas
has to be shown with the words "our guess" beside it.

References
----------
.. [1] City of Marseille (2020), reply to a request for documents, page 3 (the transfer of the note; random forests).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import rankdata

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.text import Text

#: Weight of a minor, a middling and a serious fact. Our guess.
GRAVITY_WEIGHTS: Final = (1.0, 3.0, 9.0)
#: Score that the fixed scale calls a 10. Our guess.
SCALE_TOP: Final = 60.0
#: Notes run from LOWEST to HIGHEST.
LOWEST: Final = 1.0
HIGHEST: Final = 10.0


def score(facts: FloatArray) -> FloatArray:
    """Facts around each event, weighted by gravity; shape (n_events,).

    Examples
    --------
    >>> score(np.array([[4.0, 1.0, 0.0], [0.0, 0.0, 2.0]])).tolist()
    [7.0, 18.0]
    """
    return np.asarray(np.asarray(facts, dtype=np.float64) @ np.asarray(GRAVITY_WEIGHTS), dtype=np.float64)


def note_by_rank(facts: FloatArray, attendance: FloatArray) -> FloatArray:
    """Rank of the score among all past events, stretched from 1 to 10; equal scores share their mean rank.

    Examples
    --------
    >>> note_by_rank(np.array([[0.0, 0, 0], [9.0, 0, 0], [0.0, 0, 1]]), np.ones(3)).tolist()
    [1.0, 7.75, 7.75]
    """
    return _stretched(score(facts))


def note_by_scale(facts: FloatArray, attendance: FloatArray) -> FloatArray:
    """Position of the score on a logarithmic scale fixed once and for all: 0 gives 1, ``SCALE_TOP`` or more gives 10.

    Examples
    --------
    >>> note_by_scale(np.array([[0.0, 0, 0], [60.0, 0, 0], [0.0, 0, 90.0]]), np.ones(3)).round(9).tolist()
    [1.0, 10.0, 10.0]
    """
    share = np.log1p(score(facts)) / np.log1p(SCALE_TOP)
    return np.asarray(LOWEST + (HIGHEST - LOWEST) * np.minimum(share, 1.0))


def note_per_head(facts: FloatArray, attendance: FloatArray) -> FloatArray:
    """Rank, among all past events, of the score per thousand expected attendees, stretched from 1 to 10.

    Examples
    --------
    >>> note_per_head(np.array([[2.0, 0, 0], [3.0, 0, 0]]), np.array([100.0, 1000.0])).tolist()
    [10.0, 1.0]
    """
    return _stretched(1_000.0 * score(facts) / np.maximum(attendance, 1.0))


@dataclass(frozen=True, slots=True)
class NoteFormula:
    """One guess.

    Attributes
    ----------
    label : Text
        Name for people; says that it is a guess.
    compute : callable
        ``(facts, attendance) -> notes`` with facts of shape (n_events, 3), the rest (n_events,).
    """

    label: Text
    compute: Callable[[FloatArray, FloatArray], FloatArray]


#: Key → guess. Keys are what results cite.
NOTE_FORMULAS: Final[Mapping[str, NoteFormula]] = {
    "rank": NoteFormula(
        Text(fr="hypothèse de notre part : rang des faits parmi les événements passés",
             en="our guess: rank of the facts among past events"), note_by_rank),
    "fixed-scale": NoteFormula(
        Text(fr="hypothèse de notre part : barème fixe des faits", en="our guess: fixed scale of facts"),
        note_by_scale),
    "per-head": NoteFormula(
        Text(fr="hypothèse de notre part : rang des faits par participant attendu",
             en="our guess: rank of the facts per expected attendee"), note_per_head),
}  # fmt: skip


def note_formula(key: str) -> NoteFormula:
    """The guess called ``key``.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if key not in NOTE_FORMULAS:
        raise ParameterError(
            f"No note formula is called {key!r}. Those that exist, all of them guesses, are {', '.join(NOTE_FORMULAS)}."
        )
    return NOTE_FORMULAS[key]


def _stretched(values: FloatArray) -> FloatArray:
    """Mid-ranks stretched over the notes; a single event stands in the middle."""
    n = len(values)
    if n < 2:
        return np.full(n, (LOWEST + HIGHEST) / 2)
    return np.asarray(LOWEST + (HIGHEST - LOWEST) * (rankdata(values) - 1) / (n - 1))
