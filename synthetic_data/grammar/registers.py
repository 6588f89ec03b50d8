"""From current French to familiar French and to the spelling of text messages, by data: one sentence, four registers.

Sentences are written in current French (or soutenu, which is left alone). :func:`rewrite` makes the others of them, so
that the same content exists in matched registers, which is what a comparison between registers needs.

What it cannot tell you: how any group of people writes. The registers are spelling and syntax, attached to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

#: ``texto`` keeps its accents; ``brut`` loses them with its apostrophes, as on a hurried keyboard.
Register = Literal["soutenu", "courant", "familier", "texto", "brut"]
REGISTERS: Final[tuple[Register, ...]] = get_args(Register)

_NEGATIONS: Final = "pas|plus|jamais|rien|personne|même pas|toujours pas"
#: Applied in order.
_FAMILIAR: Final = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (rf"\b([Jj])e n’(\w+ (?:{_NEGATIONS})\b)", r"\1’\2"),
        (r"\b([Cc])e n’(est|était)\b", r"\1’\2"),
        (rf"\bn’((?:\w+|en \w+|y \w+) (?:{_NEGATIONS})\b)", r"\1"),
        (rf"\bne ((?:\w+ |l’|m’|s’|t’)?\w+ (?:{_NEGATIONS})\b)", r"\1"),
        (r"\bil y a\b", "y a"),
        (r"\bIl y a\b", "Y a"),
        (r"\bil n’y a\b", "y a"),
        (r"\bIl n’y a\b", "Y a"),
        (r"\bil y avait\b", "y avait"),
        (r"\bIl y avait\b", "Y avait"),
        (r"\bil faut\b", "faut"),
        (r"\bIl faut\b", "Faut"),
        (r"\b([Tt])u (as|es)\b", r"\1’\2"),
        (r"\bcela\b", "ça"),
        (r"\bCela\b", "Ça"),
        (r"\bpeut-être\b", "p’t-être"),
        (r" ([!?;])", r"\1"),
    )
)

_SHORT: Final[Mapping[str, str]] = {
    "c’est": "c", "pourquoi": "pk", "quelqu’un": "qqn", "quelque chose": "qqch", "beaucoup": "bcp", "toujours": "tjrs",
    "aujourd’hui": "auj", "rendez-vous": "rdv", "pour": "pr", "dans": "ds", "maintenant": "mtn", "message": "msg",
    "problème": "pb", "problèmes": "pb", "s’il vous plaît": "svp", "s’il te plaît": "stp", "quand": "qd",
    "je sais pas": "jsp", "je suis": "jsuis", "d’accord": "dac", "t’inquiète": "tkt", "même": "mm", "tout": "tt",
    "toute": "tte", "tous": "ts", "parce que": "pcq", "est-ce que": "esk", "longtemps": "lgtps", "minutes": "min",
    "week-end": "we", "vraiment": "vrmt", "qu’est-ce que": "keske", "sérieusement": "srx", "franchement": "frchmt",
    "rien": "r", "p’t-être": "ptet", "comment": "cmt", "encore": "encr", "vous": "vs", "nous": "ns", "salut": "slt",
    "bonjour": "bjr", "bonsoir": "bsr", "merci": "mci", "depuis": "dps", "juste": "jst", "gens": "gens",
}  # fmt: skip
#: Kept by a hurried writer who still has accents; the others are for ``brut`` only.
_COMMON: Final = frozenset((
    "quelqu’un", "quelque chose", "beaucoup", "toujours", "aujourd’hui", "rendez-vous", "maintenant", "problème",
    "problèmes", "s’il vous plaît", "s’il te plaît", "je sais pas", "t’inquiète", "parce que", "week-end", "pourquoi",
    "dans", "pour", "tout", "vraiment", "c’est", "quand", "message", "bonjour", "bonsoir", "salut",
))  # fmt: skip


def _any_of(words: Mapping[str, str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda w: (-len(w), w))
    return re.compile(rf"(?<![\w’-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w’-])")


_LIGHT: Final = _any_of({word: _SHORT[word] for word in _COMMON})
_HEAVY: Final = _any_of(_SHORT)
_HOUR: Final = re.compile(r"(\d+) h(?: (\d\d))?\b")
_TAIL: Final = re.compile(r"[.…]+$")
_STOPS: Final = re.compile(r"(?<=\w)\. ")
_BARE: Final = str.maketrans("àâäéèêëîïôöùûüç’", "aaaeeeeiioouuuc'", "") | {ord("œ"): "oe"}
_JOINED: Final = re.compile(r"\b([jcdlnstm]|qu)'(?=\w)")


def rewrite(text: str, register: Register) -> str:
    """Rewrite a sentence of current French in a register.

    Parameters
    ----------
    text : str
        Current French; parts of a sentence and placeholders without letters go through unharmed.
    register : {"soutenu", "courant", "familier", "texto", "brut"}

    Examples
    --------
    >>> rewrite("Il n’y a plus de place, je ne sais pas pourquoi.", "familier")
    'Y a plus de place, je sais pas pourquoi.'
    >>> rewrite("Quelqu’un sait pourquoi c’est fermé aujourd’hui ?", "texto")
    'qqn sait pk c fermé auj?'
    >>> rewrite("L’école est fermée, j’ai rien compris.", "brut")
    'lecole est fermee, jai r compris'
    """
    if register in ("soutenu", "courant"):
        return text
    for pattern, new in _FAMILIAR:
        text = pattern.sub(new, text)
    if register == "familier":
        return text.replace("’", "'")
    text = _HOUR.sub(lambda m: f"{m[1]}h{m[2] or ''}", text.lower())
    text = (_LIGHT if register == "texto" else _HEAVY).sub(lambda m: _SHORT[m[0]], text)
    text = _TAIL.sub("", text)
    if register == "texto":
        return text.replace("’", "'")
    text = _STOPS.sub(" ", text).translate(_BARE)
    return _JOINED.sub(r"\1", text)
