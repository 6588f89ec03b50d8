"""What a report is made of, before it is HTML or PDF: spans in blocks. Data, no markup.

A renderer writes these; nothing here knows how. Since both renderers read the same blocks, a number cannot differ
between the page and the paper.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from contrechamp.audit.reporting.wording import MARKS, NNBSP, VERDICTS, typeset
from contrechamp.domain.text import Lang, Text

SpanKind = Literal["text", "strong", "em", "code", "ref", "verdict", "mark", "small", "link"]
Align = Literal["left", "right", "center"]
Output = Literal["html", "pdf"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters.

    Attributes
    ----------
    text : str
        Already typeset.
    kind : SpanKind
        ``ref`` is a result id; ``verdict`` and ``mark`` carry the verdict's key in ``key``, ``link`` an address.
    lang : str
        Language of the run, when it is not the document's.
    """

    text: str
    kind: SpanKind = "text"
    key: str = ""
    lang: str = ""


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; ``anchor`` is unique in the document."""

    level: int
    spans: Spans
    anchor: str


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph. ``role``: ``lead`` (larger), ``note`` (smaller), ``quote``."""

    spans: Spans
    role: Literal["", "lead", "note", "quote"] = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Spans, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; ``weight`` shares the width, 0 takes what the content needs."""

    title: Spans
    align: Align = "left"
    weight: float = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header row; the first ``heads`` cells of each row are row headers."""

    caption: Spans
    columns: tuple[Column, ...]
    rows: tuple[tuple[Spans, ...], ...]
    note: Spans = ()
    heads: int = 1
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing by file name (without folder), with the text that replaces it and the line that limits it."""

    name: str
    alt: str
    caption: Spans
    note: Spans = ()
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms and what they stand for, in two columns."""

    pairs: tuple[tuple[Spans, Spans], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A framed block about one claim."""

    anchor: str
    kicker: Spans
    verdict: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A framed block set apart from the text."""

    title: Spans
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Only:
    """Blocks that one output has and the other has not."""

    output: Output
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Long material that the page shows on request (HTML only)."""

    title: Spans
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Break:
    """Start on a new page (paper only)."""


Block = Heading | Para | Items | Table | Figure | Terms | Card | Box | Only | Fold | Break


@dataclass(frozen=True, slots=True)
class Plate:
    """A drawing written to disk: its file name in ``figures/`` and its words."""

    name: str
    alt: str
    caption: str
    limits: str


@dataclass(frozen=True)
class Document:
    """A whole report in one language."""

    lang: Lang
    title: str
    subtitle: str
    date: str
    facts: Terms
    blocks: Sequence[Block]
    keywords: tuple[str, ...] = field(default=())
    banner: str = ""


class Voice:
    """Makes spans in one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def raw(self, text: str, kind: SpanKind = "text") -> Span:
        """Span of a string taken as it is, once typeset (codes are left alone)."""
        return Span(text if kind in ("code", "ref") else typeset(text, self.lang), kind)

    def __call__(self, text: Text | str, /, **values: Span | Spans | str) -> Spans:
        """Fill a template: ``{name}`` takes a span, spans or a string; ``*word*`` is strong.

        Values are never read as templates, so data cannot bring markup in.
        """
        source = text.in_(self.lang) if isinstance(text, Text) else text
        out: list[Span] = []
        for literal, name, _, _ in string.Formatter().parse(source):
            for index, piece in enumerate(literal.split("*")):
                if piece:
                    out.append(Span(piece, "strong" if index % 2 else "text"))
            if name:
                found = values[name]
                out += [Span(found)] if isinstance(found, str) else [found] if isinstance(found, Span) else found
        return _typeset_run(out, self.lang)

    def plain(self, text: Text | str) -> Spans:
        """Spans of a text that is not a template (register data): no ``{}`` or ``*`` is read in it."""
        source = text.in_(self.lang) if isinstance(text, Text) else text
        return (self.raw(source),)

    def strong(self, text: Text | str) -> Spans:
        """Spans in strong type."""
        return (self.raw(text.in_(self.lang) if isinstance(text, Text) else text, "strong"),)

    def verdict(self, key: str) -> Span:
        """A verdict, as its mark and word."""
        return Span(VERDICTS[key].in_(self.lang), "verdict", key)

    def link(self, text: str, url: object) -> Span:
        """A link to a web page; the text alone when the address is none."""
        address = str(url or "")
        if not re.fullmatch(r"https?://[^\s<>\"]+", address):
            return self.raw(text)
        return Span(typeset(text, self.lang), "link", address)

    def mark(self, key: str) -> Span:
        """A verdict as its mark alone, for maps of worlds."""
        return Span(MARKS[key], "mark", key)


def _typeset_run(spans: Sequence[Span], lang: Lang) -> Spans:
    """Typeset spans as one line, so that the space between a number and its « % » is right across spans."""
    out: list[Span] = []
    for span in spans:
        if span.kind in ("code", "ref", "link") or span.lang:
            out.append(span)
            continue
        text = span.text
        if out and lang == "fr":  # the space belongs to the mark, even when a value stands before it
            text = re.sub(r"^(?: (?=[;:!?»])|(?=»))", NNBSP, text)
        out.append(Span(typeset(text, lang), span.kind, span.key, span.lang))
    return tuple(s for s in out if s.text)


def walk(blocks: Sequence[Block], *, output: Output | None = None) -> list[Block]:
    """Every block, containers opened, in reading order; restricted to one output when asked."""
    found: list[Block] = []
    for block in blocks:
        if isinstance(block, Only):
            if output in (None, block.output):
                found += walk(block.blocks, output=output)
            continue
        found.append(block)
        if isinstance(block, Card | Box | Fold):
            found += walk(block.blocks, output=output)
    return found


def spans_of(block: Block) -> list[Span]:
    """Spans of a block itself, containers' children excluded."""
    match block:
        case Heading() | Para():
            return list(block.spans)
        case Items():
            return [s for item in block.items for s in item]
        case Table():
            cells = [s for row in block.rows for cell in row for s in cell]
            return [*block.caption, *(s for c in block.columns for s in c.title), *cells, *block.note]
        case Figure():
            return [*block.caption, *block.note]
        case Terms():
            return [s for term, text in block.pairs for s in (*term, *text)]
        case Card():
            return list(block.kicker)
        case Box() | Fold():
            return list(block.title)
        case _:
            return []
