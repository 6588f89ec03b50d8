"""Invented names: quarters, people, number plates, telephone numbers. No real one among them.

Names are built from syllables, so that the whole list of possible ones can be checked against a real list.
Telephone numbers come from the block that the French regulator keeps for fiction.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

#: The French block of telephone numbers kept for fiction: 06 39 98 00 00 to 06 39 98 99 99.
FICTION_PHONE_PREFIX: Final = "06 39 98"

_HEADS: Final = (
    "Ver", "Cal", "Bor", "Mar", "Sol", "Fon", "Lau", "Gar", "Tra", "Pey", "Aur", "Mir", "Dor", "Rou", "Esc", "Cam",
    "Bri", "Tor", "Dau", "Fer",
)  # fmt: skip
_TAILS: Final = ("delouse", "vignac", "tanelle", "ragnes", "mondole", "riolane", "bièses", "quérane", "sagnole",
                 "zandes", "nivoire", "dirande")  # fmt: skip
_ARTICLES: Final = ("", "", "Les ", "La ", "Le Haut-", "Le Bas-", "Clos-", "Pont-", "Port-", "Cap-")
_GIVEN_A: Final = ("Ma", "So", "Li", "Ari", "Ne", "Tho", "Ka", "Ele", "Vi", "Ro")
_GIVEN_B: Final = ("vil", "rane", "dor", "sio", "mée", "lune", "tan", "bel", "zio", "nelle")
_FAMILY_A: Final = ("Bra", "Cor", "Del", "Fau", "Gri", "Lan", "Mor", "Pas", "Ric", "Var")
_FAMILY_B: Final = ("vignol", "tamard", "nouzet", "quelin", "dagneau", "bressol", "fantin", "mirot", "souvet", "garel")

#: Number of synthetic people who may call: one per telephone number of the fiction block.
N_PEOPLE: Final = 10_000


def quarter_name_space() -> tuple[str, ...]:
    """Every quarter name that can be drawn, in a fixed order."""
    return tuple(dict.fromkeys(f"{a}{h}{t}" for a in dict.fromkeys(_ARTICLES) for h in _HEADS for t in _TAILS))


def draw_quarter_names(n: int, *, rng: np.random.Generator) -> list[str]:
    """Draw ``n`` different quarter names, no two sharing a stem while stems last."""
    stems = [f"{h}{t}" for h in _HEADS for t in _TAILS]
    order = rng.permutation(len(stems))
    articles = rng.integers(len(_ARTICLES), size=len(stems) * 8)
    names: dict[str, None] = {}
    for i, article in enumerate(articles):
        names[_ARTICLES[article] + stems[order[i % len(stems)]]] = None
        if len(names) == n:
            break
    else:
        names |= dict.fromkeys(quarter_name_space())
    return list(names)[:n]


def person_name(person: int) -> str:
    """Name of synthetic person ``person`` in 0 … N_PEOPLE - 1; each has one name of their own."""
    a, rest = divmod(person % N_PEOPLE, 1000)
    b, rest = divmod(rest, 100)
    c, d = divmod(rest, 10)
    return f"{_GIVEN_A[a]}{_GIVEN_B[b]} {_FAMILY_A[c]}{_FAMILY_B[d]}"


def person_phone(person: int) -> str:
    """Telephone number of synthetic person ``person``, in the fiction block.

    Examples
    --------
    >>> person_phone(123)
    '06 39 98 01 23'
    """
    number = person % N_PEOPLE
    return f"{FICTION_PHONE_PREFIX} {number // 100:02d} {number % 100:02d}"


def plates(numbers: npt.NDArray[np.int64]) -> list[str]:
    """Number plates AA-123-AA in a layout that the letters I, O and U never enter.

    Examples
    --------
    >>> plates(np.array([0, 1000]))
    ['AA-000-AA', 'AA-000-AB']
    """
    letters = "ABCDEFGHJKLMNPQRSTVWXYZ"
    pairs = [a + b for a in letters for b in letters]
    size = len(pairs)
    return [f"{pairs[n // (1000 * size) % size]}-{n % 1000:03d}-{pairs[n // 1000 % size]}" for n in numbers.tolist()]
