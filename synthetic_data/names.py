"""Invented names: quarters, people, number plates, telephone numbers, accounts, devices. No real one among them.

Names are built from syllables, so that the whole list of possible ones can be checked against a real list. Telephone
numbers come from the six blocks that the French regulator keeps for fiction, and from nowhere else.

A synthetic person is a whole number; everything here is a fixed function of it, so the same person bears the same
identity in every stream. Each function exists for one person and, in the plural, for an array of them.

What it cannot tell you: how easily people are confused in life. Names do not repeat here before ten million persons,
where real ones do all the time: a join on names alone works better than it should. Numbers do the opposite: the six
blocks hold 60,000, so that some 14 of 860,000 persons share each one, and a join on a number alone brings 13 strangers
along. A person is told by name *and* number. Nothing here protects anybody: each label can be worked back to the
person by arithmetic.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer]

#: The French block of mobile numbers kept for fiction: 06 39 98 00 00 to 06 39 98 99 99.
FICTION_PHONE_PREFIX: Final = "06 39 98"
#: Every block kept for fiction, 10,000 numbers each: mobile first, then the five of the regions.
FICTION_PHONE_PREFIXES: Final = (FICTION_PHONE_PREFIX, "01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49")

_HEADS: Final = (
    "Ver", "Cal", "Bor", "Mar", "Sol", "Fon", "Lau", "Gar", "Tra", "Pey", "Aur", "Mir", "Dor", "Rou", "Esc", "Cam",
    "Bri", "Tor", "Dau", "Fer",
)  # fmt: skip
_TAILS: Final = ("delouse", "vignoc", "tarelle", "ragnes", "mondole", "riolane", "bièses", "quérane", "sagnole",
                 "zandes", "nivoire", "dirande")  # fmt: skip
_ARTICLES: Final = ("", "", "Les ", "La ", "Le Haut-", "Le Bas-", "Clos-", "Pont-", "Port-", "Cap-")
_GIVEN_A: Final = ("Ma", "So", "Li", "Ari", "Ne", "Tho", "Ka", "Ele", "Vi", "Ro")
_GIVEN_B: Final = ("vil", "rane", "dor", "sio", "mée", "lune", "tan", "bel", "zio", "nelle")
_FAMILY_A: Final = ("Bra", "Cor", "Del", "Fau", "Gri", "Lan", "Mor", "Pas", "Ric", "Var")
_FAMILY_B: Final = ("vignol", "tamard", "nouzet", "quelin", "dagneau", "bressol", "fantin", "mirot", "souvet", "garel")
# Middle syllables: none for the first 10,000 persons, then one more choice for each further 10,000.
_GIVEN_MID: Final = (
    "", "vlo", "dru", "kelu", "zimé", "tro", "fyo", "gou", "plé", "spi", "rhu", "xan", "bwé", "clu", "dja", "ghi",
    "jou", "kno", "lhy", "mwa", "nyu", "phé", "quo", "sku", "tsi", "uvé", "wou", "yblé", "zda", "ché", "gnu", "oxi",
)  # fmt: skip
_FAMILY_MID: Final = (
    "", "bu", "cha", "dé", "fli", "gro", "hu", "ja", "klé", "lo", "mu", "né", "plu", "qua", "ré", "sto", "té", "vu",
    "xi", "zo", "bli", "cro", "dru", "fé", "glo", "jo", "lu", "mé", "pra", "sché", "tru", "vié",
)  # fmt: skip
_HANDLE_WORDS: Final = (
    "mistral", "calanque", "garrigue", "cigale", "lavande", "figuier", "platane", "pastis", "navette", "panisse",
    "rascasse", "daurade", "gabian", "pointu", "barquette", "brise", "embrun", "ressac", "houle", "galet",
    "sable", "dune", "pinede", "olivier", "thym", "romarin", "fenouil", "safran", "tapenade", "socca",
    "petanque", "cochonnet", "tambour", "galoubet", "farandole", "santon", "lanterne", "phare", "balise", "digue",
    "quai", "amarre", "voile", "grelin", "cordage", "godille", "poulpe", "oursin", "murene", "girelle",
    "hirondelle", "martinet", "merle", "huppe", "lezard", "tortue", "herisson", "renard", "belette", "fouine",
    "soleil", "lune", "comete", "orage", "averse", "nuage", "aurore", "midi", "minuit", "printemps",
    "automne", "amande", "grenade", "melon", "abricot", "cerise", "prune", "jujube", "citron", "orange",
    "tuile", "ocre", "craie", "argile", "basalte", "silex", "cristal", "corail", "nacre", "ambre",
    "velo", "tandem", "cerfvolant", "toupie", "marelle", "domino", "carillon", "refrain", "rime", "encre",
)  # fmt: skip

#: Persons told apart by the shortest names: one per number of the mobile block.
N_PEOPLE: Final = 10_000
#: Persons told apart by name: beyond, names begin again.
N_NAMES: Final = N_PEOPLE * len(_GIVEN_MID) * len(_FAMILY_MID)
_N_PHONES: Final = 10_000 * len(FICTION_PHONE_PREFIXES)
_N_HANDLES: Final = 10_000 * len(_HANDLE_WORDS)
_OFFSET: Final = 1_442_695_040
_PLATE_LETTERS: Final = "ABCDEFGHJKLMNPQRSTVWXYZ"
#: Shares no factor with the number of plates, so that the spreading is one to one.
_PLATE_STEP: Final = 172_951_249


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


def given_names() -> tuple[str, ...]:
    """Every given name that a person can bear, in a fixed order."""
    return tuple(f"{a}{m}{b}" for m in _GIVEN_MID for a in _GIVEN_A for b in _GIVEN_B)


def family_names() -> tuple[str, ...]:
    """Every family name that a person can bear, in a fixed order."""
    return tuple(f"{a}{m}{b}" for m in _FAMILY_MID for a in _FAMILY_A for b in _FAMILY_B)


_GIVEN: Final = np.array(given_names(), dtype=object)
_FAMILY: Final = np.array([f" {name}" for name in family_names()], dtype=object)


def person_names(persons: IntArray) -> list[str]:
    """Names of synthetic persons, one each up to :data:`N_NAMES` persons.

    Examples
    --------
    >>> person_names(np.array([0, 1, 10_000]))
    ['Mavil Bravignol', 'Mavil Bratamard', 'Mavil Brabuvignol']
    """
    block, low = np.divmod(np.asarray(persons, dtype=np.int64) % N_NAMES, N_PEOPLE)
    given_mid, family_mid = np.divmod(block, len(_FAMILY_MID))
    names: list[str] = (_GIVEN[given_mid * 100 + low // 100] + _FAMILY[family_mid * 100 + low % 100]).tolist()
    return names


def person_phones(persons: IntArray) -> list[str]:
    """Telephone numbers of synthetic persons, all in the blocks kept for fiction.

    Persons 60,000 apart share a number: for 860,000 persons, 14 or 15 to each.

    Examples
    --------
    >>> person_phones(np.array([123, 10_123, 60_123]))
    ['06 39 98 01 23', '01 99 00 01 23', '06 39 98 01 23']
    """
    block, low = np.divmod(np.asarray(persons, dtype=np.int64) % _N_PHONES, 10_000)
    return [
        f"{FICTION_PHONE_PREFIXES[b]} {n // 100:02d} {n % 100:02d}"
        for b, n in zip(block.tolist(), low.tolist(), strict=True)
    ]


def plates(numbers: IntArray) -> list[str]:
    """Number plates AA-123-AA in a layout that the letters I, O and U never enter; 279,841,000 different ones.

    Neighbouring numbers are far apart: a plate does not show whether its number is a resident's or a visitor's.

    Examples
    --------
    >>> plates(np.array([0, 1, 860_000]))
    ['AA-000-AA', 'QE-249-YQ', 'FG-000-CS']
    """
    pairs = [a + b for a in _PLATE_LETTERS for b in _PLATE_LETTERS]
    size = len(pairs)
    spread = np.asarray(numbers, dtype=np.int64) % (1000 * size**2) * _PLATE_STEP % (1000 * size**2)
    return [f"{pairs[n // (1000 * size)]}-{n % 1000:03d}-{pairs[n // 1000 % size]}" for n in spread.tolist()]


def person_plates(persons: IntArray) -> list[str]:
    """Number plates of the cars of synthetic persons: plate ``i`` of :func:`plates` is that of person ``i``."""
    return plates(persons)


def person_handles(persons: IntArray) -> list[str]:
    """Names of accounts on social networks, one each.

    Examples
    --------
    >>> person_handles(np.array([0, 1, 1_000_000]))
    ['mistral_0000', 'renard_2749', 'mistral_10000']
    """
    again, low = np.divmod(np.asarray(persons, dtype=np.int64), _N_HANDLES)
    number, word = np.divmod(low * 274_957 % _N_HANDLES, len(_HANDLE_WORDS))
    number = number + 10_000 * again
    return [f"{_HANDLE_WORDS[w]}_{n:04d}" for w, n in zip(word.tolist(), number.tolist(), strict=True)]


def person_users(persons: IntArray) -> list[str]:
    """Identifiers of users of the citizens' application, one each."""
    return [f"u{n:08x}" for n in _spread(persons, factor=2_654_435_761, bits=32).tolist()]


def person_devices(persons: IntArray) -> list[str]:
    """Identifiers of the telephones that carry the application's sensors, one each."""
    return [f"dev-{n:010x}" for n in _spread(persons, factor=11_400_714_819, bits=40).tolist()]


def person_cards(persons: IntArray) -> list[str]:
    """Numbers of transport cards, ten digits, one each."""
    number = (np.asarray(persons, dtype=np.int64) * 6_180_339_887 + 1_414_213_562) % 10_000_000_000
    return [f"{n:010d}" for n in number.tolist()]


def person_name(person: int) -> str:
    """Name of synthetic person ``person``; see :func:`person_names`."""
    return person_names(np.array([person]))[0]


def person_phone(person: int) -> str:
    """Telephone number of synthetic person ``person``; see :func:`person_phones`.

    Examples
    --------
    >>> person_phone(123)
    '06 39 98 01 23'
    """
    return person_phones(np.array([person]))[0]


def person_plate(person: int) -> str:
    """Number plate of the car of synthetic person ``person``."""
    return person_plates(np.array([person]))[0]


def person_handle(person: int) -> str:
    """Name of the account of synthetic person ``person`` on social networks."""
    return person_handles(np.array([person]))[0]


def person_user(person: int) -> str:
    """Identifier of synthetic person ``person`` in the citizens' application."""
    return person_users(np.array([person]))[0]


def person_device(person: int) -> str:
    """Identifier of the telephone of synthetic person ``person``."""
    return person_devices(np.array([person]))[0]


def person_card(person: int) -> str:
    """Number of the transport card of synthetic person ``person``."""
    return person_cards(np.array([person]))[0]


def _spread(persons: IntArray, *, factor: int, bits: int) -> npt.NDArray[np.uint64]:
    """Multiply by an odd number modulo a power of two: one to one, and neighbours far apart."""
    mixed = np.asarray(persons, dtype=np.uint64) * np.uint64(factor) + np.uint64(_OFFSET)
    mixed &= np.uint64((1 << bits) - 1)
    return np.asarray(mixed, dtype=np.uint64)
