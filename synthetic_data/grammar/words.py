"""French nouns and adjectives in all the forms a sentence asks for: « un », « l’ », « des », « à la », « cette »…

What it cannot tell you: French has more than this. Only what the templates use is here, and a form that a noun does not
have (« un » before a name of quarter) is refused rather than guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: Beginnings before which « le », « de », « que » lose their vowel. An h is mute unless the noun says otherwise.
_VOWEL: Final = re.compile(r"[aeiouhàâäéèêëîïôöùûüœæ]", re.IGNORECASE)
_NOUN: Final = re.compile(r"(mp|fp|m|f)(\*?):(.+)", re.DOTALL)
_ARTICLE: Final = re.compile(r"(les |le |la |l['’])(?=\S)", re.IGNORECASE)
#: Rank of a gender and number in the forms of an adjective.
GENDERS: Final = {"m": 0, "f": 1, "mp": 2, "fp": 3}
#: Forms a slot may ask for; ``""`` is the bare noun.
DETERMINERS: Final = (
    "", "un", "le", "de", "du", "au", "ce", "mon", "ton", "son", "notre", "votre", "leur", "quel", "tout", "aucun",
    "dun", "quun", "que",
)  # fmt: skip


def elided(word: str, following: str, *, aspirated: bool = False) -> str:
    """Put a word that ends in a mute vowel before another, the space or apostrophe between them included.

    Examples
    --------
    >>> elided("de", "olives"), elided("que", "le port"), elided("de", "hangars", aspirated=True)
    ('d’olives', 'que le port', 'de hangars')
    """
    if _VOWEL.match(following) and not aspirated:
        return f"{word[:-1]}’{following}"
    return f"{word} {following}"


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun, or a group of words that behaves as one.

    Attributes
    ----------
    text : str
        Without article, unless it is a name that bears its own (« Les Verdelouse »).
    gender : {"m", "f", "mp", "fp"}
    aspirated : bool
        Whether its h keeps « le » whole (« le hangar »).
    name : bool
        A name of place: no article of ours, « à » and « de » contract with its own.
    """

    text: str
    gender: str
    aspirated: bool = False
    name: bool = False

    @classmethod
    def read(cls, entry: str) -> Noun | None:
        """Read ``"m:bar"``, ``"fp:voitures"``, ``"m*:hangar"`` (aspirated h); None for anything else.

        Examples
        --------
        >>> Noun.read("f:école").form("au")
        'à l’école'
        """
        if (match := _NOUN.fullmatch(entry)) is None:
            return None
        return cls(match[3], match[1], aspirated=match[2] == "*")

    @property
    def rank(self) -> int:
        """Index of its gender and number in the forms of an adjective."""
        return GENDERS[self.gender]

    def form(self, determiner: str) -> str:
        """The noun with a determiner of :data:`DETERMINERS`, contracted and elided as it must be.

        Raises
        ------
        ValueError
            If the noun has no such form.
        """
        if self.name:
            return self._named(determiner)
        plural, feminine = self.gender.endswith("p"), self.gender.startswith("f")
        vowel = bool(_VOWEL.match(self.text)) and not self.aspirated

        def before(masculine: str, elision: str, feminine_: str, plural_: str) -> str:
            if plural:
                return f"{plural_} {self.text}"
            if vowel:
                return elision + ("" if elision.endswith("’") else " ") + self.text
            return f"{feminine_ if feminine else masculine} {self.text}"

        def simple(masculine: str, feminine_: str, plural_: str) -> str:
            return f"{plural_ if plural else feminine_ if feminine else masculine} {self.text}"

        match determiner:
            case "":
                return self.text
            case "un":
                return simple("un", "une", "des")
            case "le":
                return before("le", "l’", "la", "les")
            case "de":
                return elided("de", self.text, aspirated=self.aspirated)
            case "du":
                return before("du", "de l’", "de la", "des")
            case "au":
                return before("au", "à l’", "à la", "aux")
            case "ce":
                return simple("cet" if vowel else "ce", "cette", "ces")
            case "mon" | "ton" | "son":
                first = determiner[0]
                return before(determiner, determiner, f"{first}a", f"{first}es")
            case "notre" | "votre":
                return simple(determiner, determiner, f"{determiner[0]}os")
            case "leur":
                return simple("leur", "leur", "leurs")
            case "quel":
                return f"{('quel', 'quelle', 'quels', 'quelles')[self.rank]} {self.text}"
            case "tout":
                return f"{('tout', 'toute', 'tous', 'toutes')[self.rank]} {self.form('le')}"
            case "aucun" if not plural:
                return simple("aucun", "aucune", "")
            case "dun":
                return self.form("de") if plural else simple("d’un", "d’une", "")
            case "quun":
                return simple("qu’un", "qu’une", "que des")
            case "que":
                return f"que {self.form('le')}"
        raise ValueError(f"« {self.text} » has no form {determiner!r}.")

    def _named(self, determiner: str) -> str:
        found = _ARTICLE.match(self.text)
        own = found[1].lower().replace("'", "’") if found else ""
        rest = self.text[len(own) :]
        match determiner:
            case "":
                return self.text
            case "le":
                return f"{own}{rest}"
            case "au":
                return {"le ": "au ", "les ": "aux "}.get(own, f"à {own}") + rest
            case "du":
                if not own:
                    return elided("de", self.text)
                return {"le ": "du ", "les ": "des "}.get(own, f"de {own}") + rest
            case "que":
                return elided("que", f"{own}{rest}")
        raise ValueError(f"The name « {self.text} » has no form {determiner!r}.")


def adjective(entry: str) -> tuple[str, str, str, str] | None:
    """Forms of an adjective: masculine, feminine, and both plurals; None if the entry is not one.

    ``"a:bruyant"`` is regular (« -e » stays, « -eux » gives « -euse », « -s » has no other plural); what is not is
    spelt out, ``"vieux|vieille|vieux|vieilles"``.

    Examples
    --------
    >>> adjective("a:dangereux"), adjective("a:sale")
    (('dangereux', 'dangereuse', 'dangereux', 'dangereuses'), ('sale', 'sale', 'sales', 'sales'))
    """
    if entry.count("|") == 3:
        first, second, third, fourth = entry.split("|")
        return first, second, third, fourth
    if not entry.startswith("a:"):
        return None
    base = entry[2:]
    if base.endswith("eux"):
        return base, f"{base[:-1]}se", base, f"{base[:-1]}ses"
    feminine = base if base.endswith("e") else f"{base}e"
    return base, feminine, base if base.endswith("s") else f"{base}s", f"{feminine}s"
