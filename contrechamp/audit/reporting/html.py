"""The report as one HTML file: style and drawings inside, nothing fetched, readable in print and by a screen reader."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from typing import Final

from contrechamp.audit.reporting.blocks import (
    Block,
    Box,
    Break,
    Card,
    Column,
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
from contrechamp.audit.reporting.wording import MARKS, VERDICTS
from contrechamp.domain.text import Lang, Text

_SKIP: Final = Text(fr="Aller au rapport", en="Skip to the report")
_CONTENTS: Final = Text(fr="Sommaire", en="Contents")
_TABLE: Final = Text(fr="Tableau", en="Table")
_FIGURE: Final = Text(fr="Figure", en="Figure")
_ID: Final = re.compile(r"R-\d+")


class HtmlRenderer:
    """Writes a document as HTML.

    Parameters
    ----------
    drawing : callable
        Gives the SVG bytes of a figure from its file name.
    """

    def __init__(self, drawing: Callable[[str], bytes]) -> None:
        self._drawing = drawing
        self._lang: Lang = "fr"
        self._tables = 0
        self._figures = 0
        self._anchors: set[str] = set()

    def render(self, document: Document) -> str:
        """Return the whole file."""
        self._lang, self._tables, self._figures, self._anchors = document.lang, 0, 0, set()
        lang = document.lang
        body = "\n".join(self._block(b) for b in document.blocks)
        css = (files("contrechamp.audit") / "reporting" / "report.css").read_text(encoding="utf-8")
        headings = [b for b in document.blocks if isinstance(b, Heading) and b.level <= 2]
        toc = "".join(
            f'<li class="l{h.level}"><a href="#{escape(h.anchor)}">{self._spans(h.spans)}</a></li>' for h in headings
        )
        banner = f'<p class="banner" role="note">{escape(document.banner)}</p>\n' if document.banner else ""
        return (
            f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
            f"<title>{escape(document.title)}</title>\n"
            f'<meta name="keywords" content="{escape(", ".join(document.keywords))}">\n'
            f"<style>\n{css}</style>\n</head>\n"
            f'<body>\n<a class="skip" href="#report">{escape(_SKIP.in_(lang))}</a>\n'
            f'<header>\n<h1>{escape(document.title)}</h1>\n<p class="subtitle">{escape(document.subtitle)}</p>\n'
            f"{banner}{self._block(document.facts)}\n</header>\n"
            f'<nav aria-label="{escape(_CONTENTS.in_(lang))}"><h2>{escape(_CONTENTS.in_(lang))}</h2>'
            f"<ul>{toc}</ul></nav>\n"
            f'<main id="report">\n{body}\n</main>\n</body>\n</html>\n'
        )

    def _span(self, span: Span) -> str:
        text = escape(span.text)
        lang = f' lang="{escape(span.lang)}"' if span.lang else ""
        match span.kind:
            case "strong" | "em" | "code" | "small":
                return f"<{span.kind}{lang}>{text}</{span.kind}>"
            case "ref":
                first = _ID.match(span.text)
                if first is None:
                    return f'<span class="ref">{text}</span>'
                return f'<a class="ref" href="#{first.group()}">{text}</a>'
            case "link":
                return f'<a href="{escape(span.key)}" rel="noreferrer">{text}</a>'
            case "verdict":
                mark = f'<span aria-hidden="true">{MARKS[span.key]}</span> ' if span.key in MARKS else ""
                return f'<span class="v v-{_slug(span.key)}">{mark}{text}</span>'
            case "mark":
                word = escape(VERDICTS[span.key].in_(self._lang))
                return (
                    f'<span class="m v-{_slug(span.key)}" role="img" aria-label="{word}" title="{word}">{text}</span>'
                )
            case _:
                return f"<span{lang}>{text}</span>" if lang else text

    def _spans(self, spans: Spans) -> str:
        return "".join(map(self._span, spans))

    def _blocks(self, blocks: Sequence[Block]) -> str:
        return "\n".join(self._block(b) for b in blocks)

    def _anchor(self, anchor: str) -> str:
        """Use an id once: the second block that asks for it goes without."""
        if not anchor or anchor in self._anchors:
            return ""
        self._anchors.add(anchor)
        return f' id="{escape(anchor)}"'

    def _block(self, block: Block) -> str:
        match block:
            case Heading(level, spans, anchor):
                tag = f"h{level + 1}"
                return f"<{tag}{self._anchor(anchor)}>{self._spans(spans)}</{tag}>"
            case Para(spans, role):
                if role == "quote":
                    return f"<blockquote><p>{self._spans(spans)}</p></blockquote>"
                return f"<p{f' class={role}' if role else ''}>{self._spans(spans)}</p>"
            case Items(items, ordered):
                tag = "ol" if ordered else "ul"
                return f"<{tag}>" + "".join(f"<li>{self._spans(i)}</li>" for i in items) + f"</{tag}>"
            case Table():
                return self._table(block)
            case Figure():
                return self._figure(block)
            case Terms(pairs):
                rows = "".join(
                    f"<div><dt>{self._spans(term)}</dt><dd>{self._spans(text)}</dd></div>" for term, text in pairs
                )
                return f"<dl>{rows}</dl>"
            case Card(anchor, kicker, verdict, blocks):
                return (
                    f'<article class="card c-{_slug(verdict)}"{self._anchor(anchor)}>'
                    f"<h3>{self._spans(kicker)}</h3>{self._blocks(blocks)}</article>"
                )
            case Box(title, blocks):
                return (
                    f'<section class="box"><p class="boxtitle">{self._spans(title)}</p>{self._blocks(blocks)}</section>'
                )
            case Only(output, blocks):
                return self._blocks(blocks) if output == "html" else ""
            case Fold(title, blocks):
                return f"<details><summary>{self._spans(title)}</summary>{self._blocks(blocks)}</details>"
            case Break():
                return ""

    def _table(self, table: Table) -> str:
        caption, region = "", ""
        if table.caption:
            self._tables += 1
            label = f"{_TABLE.in_(self._lang)} {self._tables}. "
            words = escape(label + "".join(s.text for s in table.caption))
            region = f' role="region" aria-label="{words}"'
            caption = f"<caption><strong>{label}</strong>{self._spans(table.caption)}</caption>"
        head = "".join(f'<th scope="col"{_align(c)}>{self._spans(c.title)}</th>' for c in table.columns)
        rows = []
        for row in table.rows:
            cells = []
            for index, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
                own = cell[0].text if len(cell) == 1 and cell[0].kind == "ref" and _ID.fullmatch(cell[0].text) else ""
                anchor = self._anchor(own) if own and table.dense and index == 0 else ""
                inner = f'<code class="ref"{anchor}>{escape(own)}</code>' if anchor else self._spans(cell)
                if index < table.heads:
                    cells.append(f'<th scope="row"{_align(column)}>{inner}</th>')
                else:
                    cells.append(f"<td{_align(column)}>{inner}</td>")
            rows.append(f"<tr>{''.join(cells)}</tr>")
        note = f'<p class="note">{self._spans(table.note)}</p>' if table.note else ""
        dense = " dense" if table.dense else ""
        return (
            f'<div class="table{dense}" tabindex="0"{region}><table>{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>{note}"
        )

    def _figure(self, figure: Figure) -> str:
        self._figures += 1
        data = base64.b64encode(self._drawing(figure.name)).decode()
        label = f"{_FIGURE.in_(self._lang)} {self._figures}. "
        note = f'<p class="note">{self._spans(figure.note)}</p>' if figure.note else ""
        return (
            f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{escape(figure.alt)}" '
            f'style="max-width:{round(100 * figure.width)}%"><figcaption><strong>{label}</strong>'
            f"{self._spans(figure.caption)}{note}</figcaption></figure>"
        )


def _slug(key: str) -> str:
    return re.sub(r"[^a-z]+", "-", key.lower())


def _align(column: Column) -> str:
    return "" if column.align == "left" else f' class="{column.align}"'
