"""The report: same numbers in both languages and both formats, nothing read as markup, every claim once."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.audit.claims import read_yaml
from contrechamp.audit.completeness import report_faults, run_faults, unproduced
from contrechamp.audit.report import write_report
from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import (
    Block,
    Break,
    Card,
    Document,
    Heading,
    Para,
    Plate,
    Span,
    Table,
    Voice,
    spans_of,
    walk,
)
from contrechamp.audit.reporting.claims import attribution
from contrechamp.audit.reporting.closing import TERMS
from contrechamp.audit.reporting.content import build
from contrechamp.audit.reporting.experiments import cannot_tell, worlds_words
from contrechamp.audit.reporting.facts import Facts, mirrored
from contrechamp.audit.reporting.parameters import parameter_name
from contrechamp.audit.reporting.tables import verdict_map
from contrechamp.audit.reporting.typst import quoted
from contrechamp.domain.results import UNITS
from contrechamp.domain.text import LANGS, Lang, Text

REPORTS = ("report.fr.html", "report.fr.pdf", "report.en.html", "report.en.pdf")


@pytest.fixture(scope="module")
def facts(mini_run: Path) -> Facts:
    return Facts(mini_run)


PLATES = {k: Plate(f"{k}.svg", "alt", "caption", "limits") for k in ("E02_curve", "E12_ppv", "city_map")}


@pytest.fixture(scope="module")
def documents(facts: Facts) -> dict[Lang, Document]:
    return {lang: build(facts, lang, PLATES) for lang in LANGS}


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
    assert said == "chiffre : 5,87 % ; part signalée ρ : 0 %, 25 % ; règle : tout aux premières zones"
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


def test_nothing_is_forgotten_when_every_experiment_runs(facts: Facts, documents: dict[Lang, Document]) -> None:
    """All that is declared is measured (E01 is imitated here), and the report forgets and repeats nothing."""
    assert run_faults(facts) == []
    assert [m for m in unproduced(facts) if m[0] != "E01"] == []
    assert {lang: report_faults(facts, document, PLATES) for lang, document in documents.items()} == {
        "fr": [],
        "en": [],
    }


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
    assert len(items.items) == 17
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


# --- what newcomers and experts stumbled on


def flat(document: Document) -> str:
    return " ".join(
        "".join(text_of(b) + " " for b in walk(document.blocks)).replace("\u202f", " ").replace("\u00a0", " ").split()
    )


def test_counts_agree_with_their_noun() -> None:
    said = [w.verdict_count(n, "refuted", "fr").replace("\u00a0", " ") for n in (0, 1, 2)]
    assert said == ["0 réfutée", "1 réfutée", "2 réfutées"]
    assert w.counted(1, "claim", "en") == "1\u00a0claim"
    assert w.counted(0, "source", "en") == "0\u00a0sources"
    assert set(w.VERDICTS_PLURAL) == set(w.VERDICTS)


def test_mirrors_come_from_the_rules_and_need_the_same_worlds() -> None:
    a, b = {"all": [{"measure": "x", "bound": "low", "op": ">", "threshold": 1.0}]}, {"any": []}
    rules = [
        {"claim": "A", "experiment": "E1", "worlds": {"k": 1}, "support": a, "refute": b},
        {"claim": "B", "experiment": "E1", "worlds": {"k": 1}, "support": b, "refute": a},
        {"claim": "C", "experiment": "E1", "worlds": {"k": 2}, "support": b, "refute": a},
        {"claim": "D", "experiment": "E2", "worlds": {"k": 1}, "support": b, "refute": a},
    ]
    assert mirrored(rules) == [("E1", "A", "B")]


def test_mirrored_pairs_of_the_register(facts: Facts, documents: dict[Lang, Document]) -> None:
    pairs = {frozenset(m[1:]) for m in facts.mirrors}
    assert {frozenset(p) for p in (("C02", "M30"), ("C05", "M10"), ("C15", "R09"))} <= pairs
    shown = flat(documents["fr"])
    assert "C02 face à M30 (E02)" in shown
    assert "criteria exchanged: C02 against M30 (E02)" in flat(documents["en"])
    table = next(b for b in walk(documents["en"].blocks) if isinstance(b, Table) and "same experiment" in text_of(b))
    marked = {row[0][0].text[:3]: "↔" in "".join(s.text for cell in row for s in cell) for row in table.rows}
    assert marked["E02"]
    assert not marked["E18"]


def text_of(block: Block) -> str:
    return "".join(s.text for s in spans_of(block))


@pytest.mark.parametrize("lang", LANGS)
def test_no_key_of_the_code_stands_in_the_text(documents: dict[Lang, Document], lang: Lang) -> None:
    """Identifiers live in code type (hashes, commands, tables) and nowhere else."""
    for block in walk(documents[lang].blocks):
        for span in spans_of(block):
            if span.kind not in ("code", "ref", "link"):
                assert "`" not in span.text
                assert not re.search(r"\b[a-z]+_[a-z]\w*", span.text), span.text


def test_every_parameter_that_runs_has_a_name(facts: Facts) -> None:
    for experiment, values in facts.request["parameters"].items():
        for key in values:
            assert parameter_name(experiment, key, "fr"), (experiment, key)
            assert parameter_name(experiment, key, "en"), (experiment, key)


def test_n_is_never_shown_without_what_it_counts(facts: Facts) -> None:
    for row in facts.results:
        assert w.counted_by_n(row, "fr"), row["measure"]
        assert w.counted_by_n(row, "en"), row["measure"]
    gain = facts.rows("E01", "gain_latent")[0]
    assert w.n_words(gain, "en") == "n\u00a0=\u00a08 worlds in which the gain is estimable"


def test_a_share_of_cells_has_bounds_and_no_confidence(facts: Facts) -> None:
    row = facts.rows("E12", "share_grid_ppv_below_50")[0]
    assert w.bounds(row, "fr").startswith("bornes")
    assert "95" not in w.bounds(row, "en").split(";")[0]


def test_every_term_of_the_glossary_is_found() -> None:
    entries = read_yaml("glossary.yaml")
    names = [re.split(r" \(|, ", str(e["fr"]))[0] for e in entries]
    assert set(TERMS) <= set(names)
    assert {"κ", "ρ", "σ", "devin", "témoin", "carte à noyau", "graine", "bootstrap", "correction de Holm",
            "intervalle", "PPV"} <= set(TERMS)  # fmt: skip
    listed = (Path(__file__).parents[3] / "GLOSSARY.md").read_text(encoding="utf-8")
    for e in entries:
        row = f"| **{e['fr']}** | {e['en']} | {e['definition']['fr']} | {e['definition']['en']} |"
        assert row in listed, e["fr"]


@pytest.mark.parametrize(
    ("speaker", "document", "said"),
    [
        ("CCTP", "CCTP", ["CCTP"]),
        ("CNIL", "CNIL, cahier IP n° 5", ["CNIL, cahier IP n° 5"]),
        ("comité de la CNIL", "CNIL, cahier IP", ["comité de la CNIL", "cahier IP"]),
        ("La Quadrature du Net", "article de La Quadrature du Net", ["article de La Quadrature du Net"]),
        ("maire", "Le Monde", ["maire", "Le Monde"]),
        ("-", "Le Monde", ["Le Monde"]),
    ],
)
def test_nobody_is_named_twice(speaker: str, document: str, said: list[str]) -> None:
    assert attribution(speaker, document) == said


def test_a_minus_before_a_number_is_a_minus() -> None:
    assert w.typeset("« -8 % »", "fr") == "«\u202f−8\u00a0%\u202f»"
    assert w.typeset("2018-06, E-12, a -8", "en") == "2018-06, E-12, a −8"


def test_limits_do_not_repeat_their_lead() -> None:
    text = Text(fr="Ce que l'expérience ne dit pas : ceci.", en="What the experiment does not say: this.")
    assert cannot_tell(text) == Text(fr="Ceci.", en="This.")


def test_honest_about_the_freeze(documents: dict[Lang, Document]) -> None:
    shown = flat(documents["fr"])
    assert "avant les données" not in shown
    assert "avant de voir les données" not in shown
    assert "exécutions d’essai" in shown
    assert "trial runs" in flat(documents["en"])


def test_claims_without_data_give_their_reason(documents: dict[Lang, Document]) -> None:
    table = next(b for b in walk(documents["en"].blocks) if isinstance(b, Table) and "not testable here" in text_of(b))
    reasons = {row[0][0].text: "".join(s.text for s in row[2]) for row in table.rows}
    assert reasons["C06"].startswith("Missing data (no final account found)")
    assert reasons["R08"].startswith("Missing data (area not published)")
    assert len(reasons["R05"]) > 20


@pytest.mark.parametrize("claims", [("R04",), ("P04",), ("C12", "R04", "R03")])
def test_a_partial_run_says_so_and_counts_right(
    tmp_path: Path, run_maker: Callable[..., Path], claims: tuple[str, ...]
) -> None:
    experiments = [] if claims == ("P04",) else ["E18"]
    facts = Facts(run_maker(tmp_path / "run", experiments=experiments, platform=False, claims=claims))
    total = len(facts.register.claims)
    french, english = build(facts, "fr", {}), build(facts, "en", {})
    assert (
        french.banner.replace("\u202f", " ")
        == f"Exécution partielle : {len(claims)} des {total} affirmations du registre"
    )
    assert english.banner == f"Partial run: {len(claims)} of the {total} claims"
    for document, wanted in ((french, "Exécution partielle"), (english, "Partial run")):
        assert flat(document).count(wanted) >= 3  # summary, its table, annex A
        blocks = [b for b in walk(document.blocks) if not isinstance(b, Break)]
        for block, following in pairwise(blocks):
            assert not (
                isinstance(block, Heading) and isinstance(following, Heading) and block.level >= following.level
            )
        assert all(b.rows for b in blocks if isinstance(b, Table))
    shown = flat(french)
    assert not re.search(r"\b[01] (affirmations|sources|résultats|règles|jugements)\b", shown)
    assert f"Les {len(claims)} affirmations du registre" not in shown
    assert not re.search(r"\b1 (claims|sources|results|rules|judgements)\b", flat(english))
    assert " ".join(f"--claim {c}" for c in facts.verdicts) in shown


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
    assert {link.removeprefix("#") for link in outline.links if link.startswith("#")} <= set(outline.ids)
    away = [link for link in outline.links if not link.startswith("#")]
    assert away
    assert all(re.fullmatch(r"https?://[^\s<>\"]+", link) for link in away)
    assert page.count('rel="noreferrer"') == len(away)
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
