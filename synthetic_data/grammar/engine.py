r"""The engine of the grammar: context-free rules with slots, expanded for many rows at once.

A template is a text with slots in braces, preceded by the registers it exists in (``s`` soutenu, ``c`` courant, ``f``
familier, ``t`` text message)::

    "cft| {Un:encombrant} abandonné{encombrant~é} devant {le:lieu} depuis {duree}."

==================  ==================================================================================================
``{name}``          an item of the rule, or the value the caller gives for it (context); a rule's item may hold slots
``{un:name}``       the noun with a determiner: see :data:`synthetic_data.grammar.words.DETERMINERS`
``{Un:name}``       the same, with a capital
``{name2}``         a second draw from the rule; the same name twice in one template is the same draw
``{name~é}``        ending of a participle that agrees with the noun: nothing, « e », « s » or « es »
``{name~est|sont}`` singular or plural
``{name~a|b|c|d}``  masculine, feminine, and both plurals
``{adj&name}``      an adjective of the rule ``adj``, agreeing with the noun
==================  ==================================================================================================

What it cannot tell you: nothing is learnt here. Every sentence was written, or is a crossing of phrases that were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from synthetic_data.grammar.registers import REGISTERS, Register, rewrite
from synthetic_data.grammar.words import DETERMINERS, Noun, adjective, elided

IntArray = npt.NDArray[np.int64]
Words = npt.NDArray[np.object_]
ContextKind = Literal["noun", "text"]

_SLOT: Final = re.compile(r"\{([^{}]*)\}")
_SPEC: Final = re.compile(r"(?:(\w+):)?(\w+?)(\d*)(?:~(.+)|&(\w+))?")
_TAG: Final = re.compile(r"([scft]{1,4})\| *")
_HOLE: Final = "\x00"
_TAGS: Final[Mapping[Register, str]] = {"soutenu": "s", "courant": "c", "familier": "f", "texto": "t", "brut": "t"}


class Table:
    """Nouns or phrases, in every form and register asked for."""

    def __init__(self, entries: Sequence[Noun | str]) -> None:
        self.entries = tuple(entries)
        self.ranks = np.array([e.rank if isinstance(e, Noun) else 0 for e in self.entries], dtype=np.int64)
        self._forms: dict[tuple[str, Register, bool], Words] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def forms(self, determiner: str, register: Register, *, capital: bool = False) -> Words:
        """One form of every entry, an array of objects."""
        key = (determiner, register, capital)
        if key not in self._forms:
            made = [rewrite(self._form(e, determiner), register) for e in self.entries]
            if capital and register not in ("texto", "brut"):
                made = [text[:1].upper() + text[1:] for text in made]
            self._forms[key] = np.array(made, dtype=object)
        return self._forms[key]

    def _form(self, entry: Noun | str, determiner: str) -> str:
        if isinstance(entry, Noun):
            return entry.form(determiner)
        return elided(determiner, entry) if determiner else entry


@dataclass(frozen=True, eq=False)
class Chosen:
    """What the caller puts in a slot: for each row, an entry of a table."""

    table: Table
    index: IntArray


@dataclass(frozen=True, slots=True)
class _Piece:
    """One slot of a compiled template. ``name`` is the draw it shows or agrees with."""

    name: str
    rule: str
    determiner: str = ""
    capital: bool = False
    endings: tuple[str, ...] = ()
    adjective: str = ""


@dataclass(frozen=True, slots=True)
class _Option:
    """A template, or an item of a rule, in one register: literals around pieces, and its rank among its fellows."""

    rank: int
    literals: tuple[str, ...]
    pieces: tuple[_Piece, ...]


class Grammar:
    """Templates by category, and the rules their slots call.

    Parameters
    ----------
    templates : mapping of str to sequence of str
        Category → templates.
    rules : mapping of str to sequence of str
        Rule → nouns (``"f:école"``), adjectives (``"a:sale"``) or phrases, never mixed.
    context : mapping of str to {"noun", "text"}
        Slots filled by the caller of :meth:`expand`.

    Raises
    ------
    ValueError
        If a slot names nothing, if a category lacks a register, or if a determiner cannot be had.
    """

    def __init__(
        self,
        templates: Mapping[str, Sequence[str]],
        *,
        rules: Mapping[str, Sequence[str]],
        context: Mapping[str, ContextKind],
    ) -> None:
        self.templates = {category: tuple(texts) for category, texts in templates.items()}
        self.rules = {name: tuple(items) for name, items in rules.items()}
        self.context = dict(context)
        self._nouns: dict[str, Table] = {}
        self._adjectives: dict[str, tuple[tuple[str, str, str, str], ...]] = {}
        self._adjective_forms: dict[tuple[str, Register], Words] = {}
        for name, items in self.rules.items():
            nouns = [Noun.read(item) for item in items]
            forms = [adjective(item) for item in items]
            if all(nouns):
                self._nouns[name] = Table([n for n in nouns if n is not None])
            elif all(forms):
                self._adjectives[name] = tuple(f for f in forms if f is not None)
            elif any(nouns) or any(forms):
                raise ValueError(f"The rule {name} mixes nouns, adjectives and phrases.")
        self._options: dict[tuple[str, Register], tuple[_Option, ...]] = {}
        phrases = {n: i for n, i in self.rules.items() if n not in self._nouns and n not in self._adjectives}
        for name, texts in [*self.templates.items(), *phrases.items()]:
            for register in REGISTERS:
                self._options[name, register] = self._compiled(name, texts, register)

    def _compiled(self, name: str, texts: Sequence[str], register: Register) -> tuple[_Option, ...]:
        options = []
        for rank, text in enumerate(texts):
            tag = _TAG.match(text)
            if tag and _TAGS[register] not in tag[1]:
                continue
            body = text[tag.end() :] if tag else text
            pieces = tuple(self._piece(spec, name) for spec in _SLOT.findall(body))
            literals = tuple(rewrite(_SLOT.sub(_HOLE, body), register).split(_HOLE))
            options.append(_Option(rank, literals, pieces))
        if not options:
            raise ValueError(f"{name} has nothing to say in the register {register}.")
        return tuple(options)

    def _piece(self, spec: str, where: str) -> _Piece:
        match = _SPEC.fullmatch(spec)
        if match is None:
            raise ValueError(f"The slot {{{spec}}} of {where} cannot be read.")
        head, rule, rank, endings, target = match.groups()
        first = head or rule
        capital = first[0].isupper()
        determiner, rule = (head or "").lower(), rule.lower() if not head else rule
        if target is not None:
            noun = target.rstrip("0123456789")
            if rule not in self._adjectives or not self._is_noun(noun):
                raise ValueError(f"The slot {{{spec}}} of {where} must join an adjective to a noun.")
            return _Piece(target, noun, capital=capital, adjective=rule)
        if rule not in self.rules and rule not in self.context and rule not in self.templates:
            raise ValueError(f"The slot {{{spec}}} of {where} names nothing.")
        if determiner not in DETERMINERS or (determiner not in ("", "de", "que") and not self._is_noun(rule)):
            raise ValueError(f"The slot {{{spec}}} of {where} asks for a determiner that cannot be had.")
        forms: tuple[str, ...] = ()
        if endings is not None:
            forms = tuple(endings.split("|"))
            if forms == ("é",):
                forms = ("", "e", "s", "es")
            elif len(forms) == 2:
                forms = (forms[0], forms[0], forms[1], forms[1])
            if len(forms) != 4 or not self._is_noun(rule):
                raise ValueError(f"The slot {{{spec}}} of {where} must agree with a noun, in 2 or 4 forms.")
        return _Piece(rule + rank, rule, determiner, capital, forms)

    def _is_noun(self, rule: str) -> bool:
        return rule in self._nouns or self.context.get(rule) == "noun"

    @property
    def n_templates(self) -> int:
        """Number of templates of all categories."""
        return sum(len(texts) for texts in self.templates.values())

    def expand(
        self,
        category: str,
        *,
        register: Register,
        n: int,
        context: Mapping[str, Chosen] | None = None,
        rng: np.random.Generator,
    ) -> tuple[Words, IntArray]:
        """Draw ``n`` texts of a category.

        Parameters
        ----------
        category : str
            Key of :attr:`templates`, or a rule of phrases.
        register : {"soutenu", "courant", "familier", "texto", "brut"}
        n : int
        context : mapping of str to Chosen, optional
            Values of the slots that are not the grammar's own, ``n`` rows each.
        rng : numpy.random.Generator

        Returns
        -------
        texts : ndarray of str objects, shape (n,)
        ranks : ndarray of int, shape (n,)
            Which template of the category each text comes from.
        """
        return self._expand(category, register, np.arange(n), context or {}, rng)

    def _expand(
        self, name: str, register: Register, rows: IntArray, context: Mapping[str, Chosen], rng: np.random.Generator
    ) -> tuple[Words, IntArray]:
        options = self._options[name, register]
        # what never varies would be heard too often
        edges = np.cumsum([1.0 + 2.0 * bool(option.pieces) for option in options])
        which = np.searchsorted(edges, rng.random(len(rows)) * edges[-1], side="right")
        texts = np.empty(len(rows), dtype=object)
        for k, option in enumerate(options):
            mine = np.flatnonzero(which == k)
            if len(mine):
                texts[mine] = self._fill(option, register, rows[mine], context, rng)
        return texts, np.array([option.rank for option in options], dtype=np.int64)[which]

    def _fill(
        self,
        option: _Option,
        register: Register,
        rows: IntArray,
        context: Mapping[str, Chosen],
        rng: np.random.Generator,
    ) -> list[str]:
        drawn: dict[str, Chosen] = {}
        phrases: dict[str, Words] = {}
        for piece in option.pieces:
            if piece.name in drawn or piece.name in phrases:
                continue
            if piece.rule in self.context:
                given = context[piece.rule]
                drawn[piece.name] = Chosen(given.table, given.index[rows])
            elif piece.rule in self._nouns:
                table = self._nouns[piece.rule]
                drawn[piece.name] = Chosen(table, rng.integers(len(table), size=len(rows)))
            else:
                phrases[piece.name] = self._expand(piece.rule, register, rows, context, rng)[0]
        columns: list[Sequence[str] | Words | repeat[str]] = [repeat(option.literals[0], len(rows))]
        for piece, literal in zip(option.pieces, option.literals[1:], strict=True):
            columns.append(self._show(piece, register, drawn, phrases, rng))
            columns.append(repeat(literal, len(rows)))
        return ["".join(parts) for parts in zip(*columns, strict=True)]

    def _show(
        self,
        piece: _Piece,
        register: Register,
        drawn: Mapping[str, Chosen],
        phrases: Mapping[str, Words],
        rng: np.random.Generator,
    ) -> Words | list[str]:
        if piece.name in phrases:
            texts: list[str] = phrases[piece.name].tolist()
            if piece.determiner:
                mark = {"familier": "'", "texto": "'", "brut": ""}.get(register, "’")
                texts = [elided(piece.determiner, text).replace("’", mark) for text in texts]
            if piece.capital and register not in ("texto", "brut"):
                texts = [text[:1].upper() + text[1:] for text in texts]
            return texts
        chosen = drawn[piece.name]
        if piece.endings:
            endings: Words = np.array(piece.endings, dtype=object)
            return np.asarray(endings[chosen.table.ranks[chosen.index]], dtype=object)
        if piece.adjective:
            key = (piece.adjective, register)
            if key not in self._adjective_forms:
                forms = [[rewrite(f, register) for f in item] for item in self._adjectives[piece.adjective]]
                self._adjective_forms[key] = np.array(forms, dtype=object)
            table = self._adjective_forms[key]
            shown: Words = table[rng.integers(len(table), size=len(chosen.index)), chosen.table.ranks[chosen.index]]
            if piece.capital and register not in ("texto", "brut"):
                return [text[:1].upper() + text[1:] for text in shown]
            return shown
        return np.asarray(
            chosen.table.forms(piece.determiner, register, capital=piece.capital)[chosen.index], dtype=object
        )
