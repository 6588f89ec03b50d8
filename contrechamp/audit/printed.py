"""Where a result is printed: read from the pages of the report themselves, not from what should be on them.

The report of a run, in each language, is a page that names each result by its id. Reading it back says in which
section, under which claim and in which row a number stands, whatever version of the software wrote the page.

What it cannot tell you: on which sheet of paper. The PDF has the same sections under the same titles, and gives the
less used results as ranges of ids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal

How = Literal["cited", "range", "row"]
_ID = re.compile(r"R-(\d+)")
_DRAWING = re.compile(r'src="data:[^"]*"')  # megabytes that name no result


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the report that names a result.

    Attributes
    ----------
    anchor : str
        Of the claim's card or of the section, as in ``report.fr.html#exp-E17``.
    title : str
        Title of that section or card.
    section : str
        Title of the chapter that holds it.
    how : {"cited", "range", "row"}
        Cited by its id, inside a range of ids, or on a row of its own (annex of the results).
    """

    anchor: str
    title: str
    section: str
    how: How


def places(page: str, result: str) -> list[Place]:
    """Places of a page (HTML of the report) that name a result, in reading order, each once.

    Parameters
    ----------
    page : str
        HTML written by the report.
    result : str
        Id, for instance ``"R-0142"``.

    Examples
    --------
    >>> body = '<main><h2 id="a">Un</h2><p><a class="ref" href="#R-0001">R-0001–R-0003</a></p></main>'
    >>> places(body, "R-0002")
    [Place(anchor='a', title='Un', section='Un', how='range')]
    >>> places(body, "R-0004")
    []
    """
    reader = _Reader(result)
    reader.feed(_DRAWING.sub("", page))
    reader.close()
    return list(dict.fromkeys(reader.found))


def _names(text: str, result: str) -> How | None:
    """How a reference names a result: by its id, or by a range that holds it."""
    ids = [int(n) for n in _ID.findall(text)]
    wanted = int(result.split("-")[1])
    if len(ids) == 1 and ids[0] == wanted:
        return "cited"
    return "range" if len(ids) == 2 and ids[0] <= wanted <= ids[1] else None


@dataclass
class _Heading:
    anchor: str = ""
    title: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return " ".join("".join(self.title).split())


class _Reader(HTMLParser):
    """Keeps the chapter, section and card it is in, and notes each reference that names the result."""

    def __init__(self, result: str) -> None:
        super().__init__(convert_charrefs=True)
        self._result = result
        self._in_main = False
        self._chapter, self._section = _Heading(), _Heading()
        self._card: _Heading | None = None
        self._title: list[str] | None = None
        self._ref: list[str] | None = None
        self._row = False
        self.found: list[Place] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        if tag == "main":
            self._in_main = True
        if not self._in_main:
            return
        if tag == "article":
            self._card = _Heading(given.get("id", ""))
        elif tag == "h2":
            self._chapter = self._section = _Heading(given.get("id", ""))
            self._title = self._chapter.title
        elif tag == "h3" and self._card is not None:
            self._title = self._card.title
        elif tag == "h3":
            self._section = _Heading(given.get("id", ""))
            self._title = self._section.title
        elif tag in ("a", "span", "code") and given.get("class") == "ref":
            self._ref, self._row = [], "id" in given

    def handle_data(self, data: str) -> None:
        if self._ref is not None:
            self._ref.append(data)
        if self._title is not None:
            self._title.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h2", "h3"):
            self._title = None
        elif tag == "article":
            self._card = None
        elif tag in ("a", "span", "code") and self._ref is not None:
            how = _names("".join(self._ref), self._result)
            self._ref = None
            if how is not None:
                here = self._card or self._section
                self.found.append(Place(here.anchor, here.words, self._chapter.words, "row" if self._row else how))
