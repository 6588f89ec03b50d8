"""The report: same numbers in both languages and both formats, nothing read as markup, every claim once."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.audit.report import write_report
from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Block, Card, Document, Para, Plate, Span, Table, Voice, spans_of, walk
from contrechamp.audit.reporting.content import build
from contrechamp.audit.reporting.experiments import worlds_words
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.tables import verdict_map
from contrechamp.audit.reporting.typst import quoted
from contrechamp.domain.results import UNITS
from contrechamp.domain.text import LANGS, Lang, Text

REPORTS = ("report.fr.html", "report.fr.pdf", "report.en.html", "report.en.pdf")


@pytest.fixture(scope="module")
def facts(mini_run: Path) -> Facts:
    return Facts(mini_run)


@pytest.fixture(scope="module")
def documents(facts: Facts) -> dict[Lang, Document]:
    plates = {k: Plate(f"{k}.svg", "alt", "caption", "limits") for k in ("E02_curve", "E12_ppv", "city_map")}
    return {lang: build(facts, lang, plates) for lang in LANGS}


@pytest.fixture(scope="module")
def written(small_run: Path) -> dict[str, bytes]:
    paths = write_report(small_run)
    return {p.name: p.read_bytes() for p in paths}


# --- typst: no string is code


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=20))
def test_quoted_strings_come_back_from_typst_as_they_were(texts: list[str]) -> None:
    source = "#metadata((" + "".join(f"{quoted(t)}, " for t in texts) + ")) <x>"
    found = json.loads(typst.query(source.encode(), "<x>", field="value", one=True))
    hidden = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
    assert found == [hidden.sub("\ufffd", t) for t in texts]


@given(st.text(alphabet='"\\#$[]{}()<>@*_`/=-+~', max_size=60))
def test_a_quoted_string_ends_where_it_should(text: str) -> None:
    literal = quoted(text)
    assert literal[0] == literal[-1] == '"'
    assert re.fullmatch(r'(?:[^"\\]|\\.)*', literal[1:-1])


# --- numbers: chosen once, dressed twice


results = st.builds(
    lambda value, a, b, unit, n: {
        "value": value, "low": value - a, "high": value + b, "unit": unit, "n": n, "level": 0.95, "method": "wilson",
    },
    st.floats(-1e7, 1e7), st.floats(0, 1e4), st.floats(0, 1e4), st.sampled_from(UNITS), st.integers(0, 10**7),
)  # fmt: skip


@given(results)
def test_both_languages_print_the_same_digits(result: dict[str, object]) -> None:
    french, english = (w.parts(result, lang)[:3] for lang in LANGS)
    if result["unit"] == "bool":
        return
    for fr, en in zip(french, english, strict=True):
        assert fr.replace("\u202f", "").replace(",", ".") == en.replace(",", "")


@given(st.floats(0.0001, 0.9999), st.floats(0, 0.5))
def test_a_share_that_is_not_certain_is_never_printed_as_0_or_100(share: float, half: float) -> None:
    row = {"value": share, "low": max(0.0, share - half), "high": min(1.0, share + half), "unit": "share"}
    assert w.parts(row, "en")[0] not in ("0", "100")


def test_not_estimable_is_said_and_never_zero() -> None:
    row = {"value": None, "low": None, "high": None, "unit": "share", "n": 0, "level": 0.95, "method": "none"}
    assert w.value(row, "fr") == "non estimable"
    assert w.value(row, "en") == "not estimable"
    assert w.interval(row, "fr") == "–"
    assert w.natural(row, "fr") == "non estimable"


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "fr", "en"),
    [
        (0.4935, 0.478, 0.509, "share", "49 %", "49%"),
        (0.0039578, 0.00374, 0.00418, "share", "0,40 %", "0.40%"),
        (1.0, 0.9905, 1.0, "share", "100,0 %", "100.0%"),
        (92000.0, 82727.3, 103333.3, "euro", "92 000 €", "€92,000"),
        (46e6, 46e6, 46e6, "euro", "46 M€", "€46 million"),
        (1614.0, 1614.0, 1614.0, "count", "1 614", "1,614"),
        (-0.012, -0.018, -0.006, "share", "−1,2 %", "−1.2%"),
        (0.0, 0.0, 0.0, "count", "0", "0"),
        (1600.0, 1600.0, 1600.0, "per_day", "1 600 par jour", "1,600 per day"),
    ],
)
def test_numbers_as_a_reader_expects_them(value: float, low: float, high: float, unit: str, fr: str, en: str) -> None:
    row = {"value": value, "low": low, "high": high, "unit": unit}
    assert w.value(row, "fr").replace("\u202f", " ").replace("\u00a0", " ") == fr
    assert w.value(row, "en").replace("\u00a0", " ") == en


def test_natural_frequencies_count_something() -> None:
    row = {"value": 0.0000213}
    assert w.natural(row, "fr").replace("\u202f", " ") == "2 sur 100 000"
    assert w.natural({"value": 0.166}, "en") == "166 of 1,000"
    assert w.natural({"value": 0.0}, "en") == "0 of 1,000"


# --- typography


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Vrai ? Oui ; non : « peut-être » !", "Vrai\u202f? Oui\u202f; non\u202f: «\u202fpeut-être\u202f»\u202f!"),
        ("«collé»", "«\u202fcollé\u202f»"),
        ("moins de 2 % à l'aube", "moins de 2\u00a0% à l’aube"),
        ("12 345 faits, p. 12", "12\u202f345 faits, p.\u00a012"),
        ("en 2015 864 caméras", "en 2015 864 caméras"),
        ("https://a.b:80/x?y=1", "https://a.b:80/x?y=1"),
    ],
)  # fmt: skip
def test_french_spaces(before: str, after: str) -> None:
    assert w.typeset(before, "fr") == after


@given(st.text(alphabet="ab12 ;:!?«»%€'\u00a0\u202f,.", max_size=60), st.sampled_from(LANGS))
def test_typesetting_twice_changes_nothing_more(text: str, lang: Lang) -> None:
    once = w.typeset(text, lang)
    assert w.typeset(once, lang) == once


def test_worlds_of_a_rule_in_words() -> None:
    rule = {"worlds": {"claim": "C12", "figure": "5.87", "rho": [0.0, 0.25], "rule": ["top"]}}
    said = worlds_words(rule, Voice("fr")).replace("\u202f", " ").replace("\u00a0", " ")
    assert said == "chiffre : 5,87 % ; part signalée ρ : 0 %, 25 % ; règle : tout à la première zone"
    assert worlds_words({}, Voice("en")) == ""


def test_data_are_never_read_as_a_template() -> None:
    voice = Voice("fr")
    made = voice(Text(fr="*Gras* {x}", en="*Bold* {x}"), x="{y} *z*")
    assert [(s.text, s.kind) for s in made] == [("Gras", "strong"), (" ", "text"), ("{y} *z*", "text")]


# --- the document


def test_every_claim_has_one_line_and_every_decided_one_card(facts: Facts, documents: dict[Lang, Document]) -> None:
    for document in documents.values():
        blocks = walk(document.blocks)
        annex = next(b for b in blocks if isinstance(b, Table) and len(b.rows) == len(facts.verdicts))
        assert [row[0][0].text for row in annex.rows] == list(facts.register.claims)
        cards = [b.anchor.removeprefix("claim-") for b in blocks if isinstance(b, Card)]
        assert cards == [c for c, line in facts.verdicts.items() if line["verdict"] in w.MARKS and line["rules"]
                         and line["verdict"] in ("supported", "refuted", "inconclusive")]  # fmt: skip


def test_every_cited_result_exists(facts: Facts, documents: dict[Lang, Document]) -> None:
    known = {r["id"] for r in facts.results}
    for document in documents.values():
        cited = {i for b in walk(document.blocks) for s in spans_of(b) if s.kind == "ref"
                 for i in re.findall(r"R-\d+", s.text)}  # fmt: skip
        assert cited <= known
        assert len(cited) > 100


def test_the_summary_only_prints_numbers_that_carry_an_id(facts: Facts, documents: dict[Lang, Document]) -> None:
    """A finding's strong numbers are each followed by an id, or are the natural frequency of the next one."""
    items = next(b for b in walk(documents["en"].blocks) if type(b).__name__ == "Items")
    assert len(items.items) == 8
    for spans in items.items:
        assert any(s.kind == "ref" for s in spans)
        printed = {s.text for s in spans if s.kind == "strong" and re.search(r"\d", s.text)}
        ids = [s.text for s in spans if s.kind == "ref"]
        values = {w.value(facts.result(i), "en") for i in ids} | {w.natural(facts.result(i), "en") for i in ids}
        assert printed <= values


def numbers(document: Document) -> Counter[str]:
    """Every result printed in a table or in strong type, without the marks of the language."""
    found: Counter[str] = Counter()
    for block in walk(document.blocks):
        if isinstance(block, Table):
            for row in block.rows:
                for cell in row[1:]:
                    text = "".join(s.text for s in cell)
                    shown = re.fullmatch(r"[+€−]?[\d\u202f,.]+(?:[\u00a0]?(?:%|€|M€|million|points))?( \[.*\])?", text)
                    if shown:
                        bare = re.sub(r"[€%\u00a0]|M€|million|points|M", "", text.replace(",\u00a0", ";")).strip()
                        found[_digits(bare, document.lang)] += 1
    return found


def _digits(text: str, lang: Lang) -> str:
    if lang == "fr":
        return text.replace("\u202f;", ";").replace("\u202f", "").replace(",", ".")
    return text.replace(",", "")


def test_tables_carry_the_same_numbers_in_both_languages(documents: dict[Lang, Document]) -> None:
    french, english = numbers(documents["fr"]), numbers(documents["en"])
    assert sum(french.values()) > 300
    assert french == english


def test_both_languages_have_the_same_blocks(documents: dict[Lang, Document]) -> None:
    def shape(document: Document) -> list[str]:
        return [type(b).__name__ for b in walk(document.blocks)]

    assert shape(documents["fr"]) == shape(documents["en"])


BANNED = {
    "en": re.compile(r"\b(proved?|proven|debiased|unbiased|fair|accurate)\b"),
    "fr": re.compile(r"\b(prouvée?s?|débiaisée?s?|équitables?)\b"),
}


@pytest.mark.parametrize("lang", LANGS)
def test_binding_words(documents: dict[Lang, Document], lang: Lang) -> None:
    def quoted_from_others(block: Block) -> bool:
        return isinstance(block, Para) and block.role == "quote"

    for block in walk(documents[lang].blocks):
        if not quoted_from_others(block):
            text = "".join(s.text for s in spans_of(block))
            assert not BANNED[lang].search(text), text[:400]


def test_verdicts_are_never_said_without_their_worlds(documents: dict[Lang, Document]) -> None:
    said = {"fr": "dans les mondes énoncés", "en": "under the stated worlds"}
    for lang, document in documents.items():
        for card in (b for b in walk(document.blocks) if isinstance(b, Card)):
            assert said[lang] in "".join(s.text for s in card.kicker)


def test_map_of_worlds_folds_what_does_not_matter(facts: Facts) -> None:
    worlds = [
        {"world": {"a": a, "b": b, "idle": i}, "results": [],
         "verdict": "supported" if a >= 2 and b == "x" else "refuted"}
        for a in (1, 2, 3) for b in ("x", "y") for i in (0, 1)
    ]  # fmt: skip
    table = verdict_map(facts, Voice("en"), {"worlds": worlds}, claims=["C02"])
    assert table is not None
    assert ["".join(s.text for s in c.title) for c in table.columns] == ["b", "1", "2", "3"]
    assert [[s.key for cell in row[1:] for s in cell] for row in table.rows] == [
        ["refuted", "supported", "supported"], ["refuted", "refuted", "refuted"],
    ]  # fmt: skip
    assert "No effect on the verdict: idle." in "".join(s.text for s in table.note)


def test_map_of_worlds_that_agree_is_not_drawn(facts: Facts) -> None:
    worlds = [{"world": {"a": a}, "verdict": "refuted", "results": []} for a in range(9)]
    assert verdict_map(facts, Voice("fr"), {"worlds": worlds}, claims=["C02"]) is None


def test_deviations_are_printed(facts: Facts, documents: dict[Lang, Document]) -> None:
    def text(document: Document) -> str:
        return " ".join(s.text for b in walk(document.blocks) for s in spans_of(b))

    assert "Aucun. Le plan exécuté et le plan gelé ont la même empreinte" in text(documents["fr"])
    moved = [{"path": "/rules/M04-E01/support", "frozen": 0.8, "now": None}]
    body = facts.body
    try:
        facts.body = {**body, "plan": {**body["plan"], "deviations": moved}}
        shown = text(build(facts, "en", {}))
    finally:
        facts.body = body
    assert "/rules/M04-E01/support 0.8 absent" in shown


# --- files


class Outline(HTMLParser):
    """Ids, headings, images and tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.levels: list[int] = []
        self.alts: list[str] = []
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.scopes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {k: v or "" for k, v in attrs}
        self.tags[tag] += 1
        if "id" in found:
            self.ids.append(found["id"])
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.alts.append(found.get("alt", ""))
            assert found["src"].startswith("data:image/svg+xml;base64,")
        if tag == "a":
            self.links.append(found["href"])
        if tag == "th":
            assert found.get("scope") in ("col", "row")


def test_report_is_written_in_both_languages_and_formats(written: dict[str, bytes]) -> None:
    assert list(written)[:4] == list(REPORTS)
    assert set(written) - set(REPORTS) == {f"{k}_{lang}.svg" for k in ("E12_ppv", "E18_denominators") for lang in LANGS}
    assert all(written[f"report.{lang}.pdf"].startswith(b"%PDF-") for lang in LANGS)


@pytest.mark.parametrize("lang", LANGS)
def test_page_is_self_contained_accessible_and_inert(written: dict[str, bytes], lang: Lang) -> None:
    page = written[f"report.{lang}.html"].decode()
    outline = Outline()
    outline.feed(page)
    assert f'<html lang="{lang}">' in page
    assert outline.tags["script"] == outline.tags["link"] == 0
    assert "&lt;script&gt;alert(1)" in page
    assert len(outline.ids) == len(set(outline.ids))
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.levels, outline.levels[1:], strict=False))
    assert len(outline.alts) == 2
    assert all(len(alt) > 40 for alt in outline.alts)


def test_two_builds_give_the_same_bytes(small_run: Path, written: dict[str, bytes]) -> None:
    again = {p.name: p.read_bytes() for p in write_report(small_run)}
    assert again == written


def test_one_language_alone(small_run: Path, tmp_path: Path) -> None:
    names = [p.name for p in write_report(small_run, langs=("en",))]
    assert names[:2] == ["report.en.html", "report.en.pdf"]
    assert not any("fr" in name for name in names)


def test_span_marks_survive_black_and_white() -> None:
    assert len(set(w.MARKS.values())) == len(w.VERDICTS)
    assert Voice("fr").verdict("refuted") == Span("réfutée", "verdict", "refuted")
