"""What the percentage of « adéquation » of a planned response might be: guesses, each with its formula.

In 2018 the press was told of a percentage that says how well the planned response suits the event, computed from data
and from the experience of past events. No formula was published. Three guesses stand here. All compare the officers
planned with those present at the past events that the forest finds similar, by their geometric mean, which one large
event does not carry away; one more officer on both sides keeps an event without any from dividing by 0.

What it cannot tell you: which of them, if any, the delivered tool used. Every number made with one of these formulas
has to be shown with the words "our guess" beside it.

References
----------
.. [1] Gomet' (25 May 2018), on the presentation of the platform to the press.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.text import Text


@dataclass(frozen=True, eq=False, slots=True)
class SimilarStaff:
    """Officers at the past events that resemble each planned one.

    Attributes
    ----------
    mean : ndarray, shape (n_events,)
        Proximity-weighted geometric mean of the officers present (plus one, less one). It is also the advice on
        staffing.
    quiet : ndarray, shape (n_events,)
        The same, over those of the similar events whose own note was below what their similar events foretold: the
        events that "went well", as the file has it. Equal to ``mean`` where there is none.
    """

    mean: FloatArray
    quiet: FloatArray


def by_resemblance(planned: FloatArray, known: SimilarStaff) -> FloatArray:
    """Smaller over larger of the planned number and the mean of similar events: 1 when the plan repeats the past.

    Examples
    --------
    >>> ten = SimilarStaff(np.array([9.0, 9.0]), np.array([9.0, 9.0]))
    >>> by_resemblance(np.array([9.0, 19.0]), ten).tolist()
    [1.0, 0.5]
    """
    return _closeness(planned, known.mean)


def by_quiet_events(planned: FloatArray, known: SimilarStaff) -> FloatArray:
    """Smaller over larger of the planned number and the mean of those similar events that went well.

    Examples
    --------
    >>> by_quiet_events(np.array([4.0]), SimilarStaff(np.array([9.0]), np.array([4.0]))).tolist()
    [1.0]
    """
    return _closeness(planned, known.quiet)


def by_coverage(planned: FloatArray, known: SimilarStaff) -> FloatArray:
    """Planned number over the mean of similar events, at most 1: more is never less adequate.

    Examples
    --------
    >>> by_coverage(np.array([4.0, 40.0]), SimilarStaff(np.array([9.0, 9.0]), np.array([9.0, 9.0]))).tolist()
    [0.5, 1.0]
    """
    return np.asarray(np.minimum((planned + 1.0) / (known.mean + 1.0), 1.0))


@dataclass(frozen=True, slots=True)
class AdequacyFormula:
    """One guess.

    Attributes
    ----------
    label : Text
        Name for people; says that it is a guess.
    compute : callable
        ``(planned, known) -> shares in [0, 1]``.
    """

    label: Text
    compute: Callable[[FloatArray, SimilarStaff], FloatArray]


#: Key → guess. Keys are what results cite.
ADEQUACY_FORMULAS: Final[Mapping[str, AdequacyFormula]] = {
    "resemblance": AdequacyFormula(
        Text(fr="hypothèse de notre part : proximité avec l’effectif des événements semblables",
             en="our guess: closeness to the staffing of similar events"), by_resemblance),
    "quiet-events": AdequacyFormula(
        Text(fr="hypothèse de notre part : proximité avec l’effectif des événements semblables qui se sont bien passés",
             en="our guess: closeness to the staffing of similar events that went well"), by_quiet_events),
    "coverage": AdequacyFormula(
        Text(fr="hypothèse de notre part : part couverte de l’effectif des événements semblables",
             en="our guess: covered share of the staffing of similar events"), by_coverage),
}  # fmt: skip


def adequacy_formula(key: str) -> AdequacyFormula:
    """The guess called ``key``.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if key not in ADEQUACY_FORMULAS:
        raise ParameterError(
            f"No adequacy formula is called {key!r}. Those that exist, all of them guesses, are "
            f"{', '.join(ADEQUACY_FORMULAS)}."
        )
    return ADEQUACY_FORMULAS[key]


def _closeness(planned: FloatArray, wanted: FloatArray) -> FloatArray:
    a, b = planned + 1.0, wanted + 1.0
    return np.asarray(np.minimum(a, b) / np.maximum(a, b))
