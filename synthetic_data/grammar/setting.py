"""What a sentence is about: the tables of names that the slots of context draw from, made once per city.

What it cannot tell you: which « parc » is meant. Half of the names of places are said without their quarter, as people
say them, so that a text alone does not place anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic_data.grammar.engine import Chosen, Table
from synthetic_data.grammar.lexicon import ARTISTS, CLUBS, EVENT_NOUNS, PLACE_NOUNS
from synthetic_data.grammar.words import Noun

IntArray = npt.NDArray[np.int64]

_PLACES = tuple(noun for nouns in PLACE_NOUNS.values() for noun in nouns)
_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def read_noun(entry: str, *, name: bool = False) -> Noun:
    """Read a noun of the lexicon, which must be one; ``name`` for what bears its own article."""
    noun = Noun.read(entry)
    if noun is None:
        raise ValueError(f"{entry!r} is no noun. Write it as « m:banc » or « fp:clés ».")
    return Noun(noun.text, noun.gender, noun.aspirated, name)


@dataclass(frozen=True, eq=False)
class Setting:
    """Tables of one city.

    Attributes
    ----------
    quarters : Table
        One name per quarter.
    places : Table
        Each noun of place in each quarter, then each without: entry ``noun * (n_quarters + 1) + quarter``.
    events, clubs, artists : Table
    place_rows, event_rows : mapping of str to ndarray of int
        Ranks, among the nouns, of those of a kind.
    """

    quarters: Table
    places: Table
    events: Table
    clubs: Table
    artists: Table
    place_rows: Mapping[str, IntArray]
    event_rows: Mapping[str, IntArray]

    def place(self, noun: IntArray, quarter: IntArray) -> Chosen:
        """Nouns of place in quarters, -1 where the quarter is left unsaid."""
        n = len(self.quarters)
        return Chosen(self.places, noun * (n + 1) + np.where(quarter < 0, n, quarter))


def setting(quarter_names: Sequence[str]) -> Setting:
    """Make the tables of a city from the names of its quarters.

    Examples
    --------
    >>> at = setting(["Les Aurières", "Bornivoire"])
    >>> rows = at.place_rows["park"][[0, 0]]
    >>> chosen = at.place(rows, np.array([0, -1]))
    >>> chosen.table.forms("au", "courant")[chosen.index].tolist()
    ['au parc des Aurières', 'au parc']
    """
    names = [Noun(name, "mp" if name.startswith("Les ") else "m", name=True) for name in quarter_names]
    places: list[Noun] = []
    for entry in _PLACES:
        bare = read_noun(entry)
        places += [Noun(f"{bare.text} {name.form('du')}", bare.gender, bare.aspirated) for name in names]
        places.append(bare)
    return Setting(
        quarters=Table(names),
        places=Table(places),
        events=Table([read_noun(e) for nouns in EVENT_NOUNS.values() for e in nouns]),
        clubs=Table([read_noun(e) for e in CLUBS]),
        artists=Table([read_noun(e, name=True) for e in ARTISTS]),
        place_rows=_rows(PLACE_NOUNS),
        event_rows=_rows(EVENT_NOUNS),
    )


def _rows(nouns: Mapping[str, Sequence[str]]) -> dict[str, IntArray]:
    ends = np.cumsum([len(items) for items in nouns.values()])
    return {kind: np.arange(end - len(items), end) for (kind, items), end in zip(nouns.items(), ends, strict=True)}


def day_words(
    days_ahead: IntArray, weekday: IntArray, day_of_month: IntArray, *, evening: npt.NDArray[np.bool_]
) -> Chosen:
    """How people name a day some days ahead: « ce soir », « demain », « samedi », « samedi 14 ».

    Parameters
    ----------
    days_ahead : ndarray of int
        Local days from today; what is past counts as today.
    weekday, day_of_month : ndarray of int
        Of the day named; 0 is Monday.
    evening : ndarray of bool
        Whether it is in the evening.
    """
    near = ["aujourd’hui", "ce soir", "demain", "demain soir"]
    far = [f"{name}{part}" for name in _WEEKDAYS for part in ("", " soir")]
    dated = [f"{name} {day}" for name in _WEEKDAYS for day in range(1, 32)]
    late = evening.astype(np.int64)
    index = np.where(
        days_ahead <= 1,
        2 * np.clip(days_ahead, 0, 1) + late,
        np.where(days_ahead <= 6, 4 + 2 * weekday + late, 4 + len(far) + 31 * weekday + day_of_month - 1),
    )
    return Chosen(Table([*near, *far, *dated]), index)


def hour_words(half_hour: IntArray) -> Chosen:
    """Local clock readings by half hours from midnight: « 19 h », « 19 h 30 »."""
    words = [f"{i // 2} h{' 30' if i % 2 else ''}" for i in range(48)]
    return Chosen(Table(words), half_hour)
