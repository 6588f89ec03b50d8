"""The report as PDF, set by typst: the document becomes calls of a template's functions, with every string quoted.

No string of the run ever stands in typst markup: each is a string literal handed to a function, so nothing that data
contain can be read as code. See :func:`quoted`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from contrechamp.audit.reporting.blocks import (
    Block,
    Box,
    Break,
    Card,
    Document,
    Figure,
    Fold,
    Heading,
    Items,
    Only,
    Para,
    Span,
    Spans,
    Table,
    Terms,
)

_ID: Final = re.compile(r"R-\d+")
#: Archival PDF with tags: the compiler refuses a figure without alternative text.
STANDARDS: Final[list[Literal["a-2a", "ua-1"]]] = ["a-2a", "ua-1"]
#: Tables of at most so many rows stay on one page.
KEEP_ROWS: Final = 26


def quoted(text: str) -> str:
    r"""Write a string as a typst string literal.

    Control characters, which no reader could see, are replaced by U+FFFD; all else survives.

    Examples
    --------
    >>> quoted('a "b" \\ #c')
    '"a \\"b\\" \\\\ #c"'
    """
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char in "\n\r\t":
            out.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char])
        elif ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000:
            out.append("\ufffd")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


class TypstRenderer:
    """Writes a document as typst source.

    Parameters
    ----------
    figures : str
        Folder of the drawings, from the root given to the compiler.
    """

    def __init__(self, figures: str = "/figures") -> None:
        self._figures = figures
        self._labels: set[str] = set()
        self._targets: set[str] = set()

    def render(self, document: Document, *, footer: str) -> str:
        """Return the whole source: template, set-up, body."""
        self._labels, self._targets = set(), _targets(document.blocks)
        template = (files("contrechamp.audit") / "reporting" / "report.typ").read_text(encoding="utf-8")
        d = datetime.fromisoformat(document.date) if _is_iso(document.date) else None
        date = f"datetime(year: {d.year}, month: {d.month}, day: {d.day})" if d else "none"
        head = (
            f"#show: report.with(lang: {quoted(document.lang)}, title: {quoted(document.title)}, "
            f"subtitle: {quoted(document.subtitle)}, date: {date}, footer: {quoted(footer)}, "
            f"keywords: {_array(map(quoted, document.keywords))}, "
            f"banner: {quoted(document.banner)}, facts: {self._inner([document.facts])})\n"
        )
        return template + "\n" + head + "\n".join(f"#{{ {self._block(b)} }}" for b in document.blocks) + "\n"

    def _span(self, span: Span) -> str:
        text = quoted(span.text)
        if span.lang:
            text = f"in-lang({quoted(span.lang)}, {text})"
        match span.kind:
            case "strong" | "em" | "code" | "small":
                return f"sp-{span.kind}({text})"
            case "ref":
                first = _ID.match(span.text)
                target = first.group() if first and first.group() in self._targets else ""
                return f"sp-ref({text}, {quoted(target)})"
            case "link":
                return f"sp-link({quoted(span.key)}, {text})"
            case "verdict" | "mark":
                return f"sp-{span.kind}({quoted(span.key)}, {text})"
            case _:
                return f"sp({text})"

    def _spans(self, spans: Spans) -> str:
        return "[]" if not spans else "(" + " + ".join(map(self._span, spans)) + ")"

    def _inner(self, blocks: Sequence[Block]) -> str:
        return "{ " + "; ".join(self._block(b) for b in blocks if self._block_shows(b)) + " }" if blocks else "[]"

    @staticmethod
    def _block_shows(block: Block) -> bool:
        return not (isinstance(block, Only) and block.output != "pdf")

    def _label(self, anchor: str) -> str:
        if not anchor or anchor in self._labels:
            return "none"
        self._labels.add(anchor)
        return f"label({quoted(anchor)})"

    def _block(self, block: Block) -> str:
        match block:
            case Heading(level, spans, anchor):
                return f"head({level}, {self._spans(spans)}, {self._label(anchor)})"
            case Para(spans, role):
                return f"para({quoted(role)}, {self._spans(spans)})"
            case Items(items, ordered):
                return f"items({str(ordered).lower()}, {_array(self._spans(i) for i in items)})"
            case Table():
                return self._table(block)
            case Figure(name, alt, caption, note, width):
                return (
                    f"fig({quoted(f'{self._figures}/{name}')}, {quoted(alt)}, {self._spans(caption)}, "
                    f"{self._spans(note)}, {round(100 * width)}%)"
                )
            case Terms(pairs):
                return f"pairs({_array(self._spans(s) for pair in pairs for s in pair)})"
            case Card(anchor, kicker, verdict, blocks):
                return f"card({self._label(anchor)}, {self._spans(kicker)}, {quoted(verdict)}, {self._inner(blocks)})"
            case Box(title, blocks):
                return f"framed({self._spans(title)}, {self._inner(blocks)})"
            case Only(output, blocks):
                return "; ".join(self._block(b) for b in blocks) if output == "pdf" else "none"
            case Fold():
                return "none"
            case Break():
                return "pagebreak(weak: true)"

    def _table(self, table: Table) -> str:
        widths = _array(f"{c.weight}fr" if c.weight else "auto" for c in table.columns)
        aligns = _array(_ALIGN[c.align] for c in table.columns)
        head = _array(self._spans(c.title) for c in table.columns)
        cells = _array(self._cell(cell, table, i) for row in table.rows for i, cell in enumerate(row))
        dense = str(table.dense).lower()
        caption, note = self._spans(table.caption), self._spans(table.note)
        keep = str(len(table.rows) <= KEEP_ROWS and not table.dense).lower()
        return f"tab({caption}, {widths}, {aligns}, {head}, {cells}, {note}, {dense}, {keep})"

    def _cell(self, cell: Spans, table: Table, index: int) -> str:
        text = self._spans(cell)
        if table.dense and index == 0 and len(cell) == 1 and cell[0].kind == "ref" and _ID.fullmatch(cell[0].text):
            label = self._label(cell[0].text)
            return f'anchored(sp-ref({quoted(cell[0].text)}, ""), {label})' if label != "none" else text
        return text


_ALIGN: Final = {"left": "left", "right": "right", "center": "center"}


def _array(items: Iterable[str]) -> str:
    inner = ", ".join(items)
    return f"({inner},)" if inner else "()"


def _targets(blocks: Sequence[Block]) -> set[str]:
    """Result ids that have a row of their own on paper, so that a link can lead to them."""
    found: set[str] = set()
    for block in blocks:
        if isinstance(block, Only) and block.output == "pdf":
            found |= _targets(block.blocks)
        elif isinstance(block, Table) and block.dense:
            firsts = (row[0] for row in block.rows if row)
            found |= {c[0].text for c in firsts if len(c) == 1 and c[0].kind == "ref" and _ID.fullmatch(c[0].text)}
    return found


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def compile_pdf(source: str, *, root: Path, timestamp: datetime | None) -> bytes:
    """Compile typst source to PDF, offline, with bundled fonts and no clock.

    Parameters
    ----------
    source : str
    root : Path
        Folder that absolute paths in the source start from.
    timestamp : datetime, optional
        Date written into the file.
    """
    import typst

    made = typst.compile(  # type: ignore[call-overload]  # bytes with a root given as a path
        source.encode(), root=str(root), format="pdf", ignore_system_fonts=True,
        pdf_standards=[*STANDARDS], timestamp=timestamp,
    )  # fmt: skip
    return bytes(made)
