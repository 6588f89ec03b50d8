"""Model cards: in both languages, of every predictor, and saying what the code says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import contrechamp.audit.cards as module
from contrechamp.audit.card_texts import CARD_TEXTS, PARAMETER_TEXTS
from contrechamp.audit.cards import all_cards, card, domain_text, main, number, read_scores, references_of
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.text import LANGS
from models import PREDICTORS, predictor_class
from models.base import Choice, Domain
from models.baselines import Uniform

DOCS = Path(__file__).resolve().parents[3] / "docs" / "models"


def _score(measure: str = "pai", predictor: str = "uniform", **changes: Any) -> dict[str, Any]:
    world = {"predictor": predictor, "area": 0.05, "scored_on": "records"}
    return {"measure": measure, "world": world, "value": 1.2345, "low": 0.9, "high": 1.5, "n": 56} | changes


def test_the_written_cards_are_those_of_the_program() -> None:
    files = all_cards(read_scores(DOCS))
    assert sorted(p.name for p in DOCS.glob("*.md")) == sorted(files), "run `make docs`"
    for name, text in files.items():
        assert (DOCS / name).read_text() == text, f"{name}: run `make docs`"


@pytest.mark.parametrize("key", PREDICTORS)
def test_every_predictor_is_described_with_all_its_parameters(key: str) -> None:
    assert key in CARD_TEXTS, "say what it does in contrechamp/audit/card_texts.py"
    cls = predictor_class(key)
    for lang in LANGS:
        text = card(key, lang=lang)
        table = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
        assert table == [f"| `{name}`" for name in cls().get_params()]
        assert CARD_TEXTS[key].limits.in_(lang) in text
        assert all(f"`{name}`" in text for name in cls.LEARNED)
        assert text.count("\n## ") == (7 if references_of(cls) else 6)
    fr, en = (card(key, lang=lang) for lang in LANGS)
    assert fr.count("\n") == en.count("\n")
    assert not {line for line in fr.splitlines() if len(line) > 60} & {
        line for line in en.splitlines() if not line.startswith("- ")
    }


def test_nothing_is_written_of_what_does_not_exist() -> None:
    used = {name for key in PREDICTORS for name in predictor_class(key)().get_params()}
    assert set(CARD_TEXTS) == set(PREDICTORS)
    for name in PARAMETER_TEXTS:
        key, _, own = name.rpartition(".")
        assert own in (predictor_class(key)().get_params() if key else used), name


def test_what_is_not_described_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARAMETER_TEXTS", {})
    with pytest.raises(ParameterError, match="Nothing is written about the parameter 'window_days' of 'uniform'"):
        card("uniform", lang="fr")
    monkeypatch.setattr(module, "CARD_TEXTS", {})
    with pytest.raises(ParameterError, match="Nothing is written about the predictor 'uniform'"):
        card("uniform", lang="fr")


def test_domains_in_both_languages() -> None:
    half_open = Domain(0.0, 20_000.0, "…")
    assert domain_text(half_open, "bandwidth_m", "fr") == "]0 ; 20\u202f000] m"
    assert domain_text(half_open, "bandwidth_m", "en") == "(0, 20,000] m"
    days = Domain(1, 0.5, "…", whole=True, closed=True)
    assert domain_text(days, "window_days", "fr") == "entier, [1 ; 0,5] jours"
    assert domain_text(days, "window_days", "en") == "whole, [1, 0.5] days"
    assert domain_text(days, "n_bands_m", "en") == "whole, [1, 0.5]"  # bands, not metres
    assert domain_text(days, "m", "en") == "whole, [1, 0.5]"
    assert domain_text(Choice.of("a", "b"), "rule", "fr") == "`a`, `b`"
    assert [number(x, "fr") for x in (2**53, 1500, 0.05, float("inf"))] == ["2^53", "1\u202f500", "0,05", "∞"]
    assert [number(x, "en") for x in (2**53, 2**32 - 1, 0.05)] == ["2^53", "4,294,967,295", "0.05"]


def test_scores_bear_their_interval_and_their_n_or_are_said_to_be_missing() -> None:
    assert "No frozen score" in card("uniform", lang="en", scores=[_score(predictor="sepp")])
    shown = card(
        "uniform", lang="fr",
        scores=[
            _score("gain_pai", value=None, low=None, high=None), _score(), _score("brier"),
            _score(world={"predictor": "uniform", "area": 0.05, "scored_on": "records", "against": "sepp"}),
            _score("log_gain", world={"predictor": "uniform", "scored_on": "truth"}, value=-0.5, low=-0.75, high=-0.25),
        ],
    )  # fmt: skip
    rows = [line for line in shown.splitlines() if line.startswith("| ") and line.endswith(" | 56 |")]
    assert [row.split(" | ")[1:] for row in rows] == [
        ["5 %", "enregistrements", "1,23", "[0,9 ; 1,5]", "56 |"],
        ["5 %", "enregistrements", "non estimable", "–", "56 |"],
        ["–", "incidents réels (simulés)", "-0,5", "[-0,75 ; -0,25]", "56 |"],
    ]
    assert rows[0].startswith("| PAI : part captée")


def test_references_are_read_from_the_module() -> None:
    assert references_of(Uniform) == []
    (only,) = references_of(predictor_class("retro-quartic"))
    assert only.startswith('Bowers, Johnson & Pease (2004), "Prospective hot-spotting", British Journal')
    assert len(references_of(predictor_class("ensemble"))) == 3


def test_the_command_writes_them_and_leaves_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.md").write_text("kept")
    (tmp_path / "scores.json").write_text(json.dumps({"results": [_score()]}))
    assert main([str(tmp_path)]) == 0
    cards = 2 * (len(PREDICTORS) + 2)  # predictors, the detector and the index, in two languages
    assert len(list(tmp_path.glob("*.md"))) == cards + 1
    assert "1,23" in (tmp_path / "uniform.md").read_text()
    assert "| 1.23 | [0.9, 1.5] | 56 |" in (tmp_path / "uniform.en.md").read_text()
    (tmp_path / "scores.json").write_text("[1]")
    assert main([str(tmp_path)]) == 11
    assert "must be a list of results" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", '{"results": 3}', '[{"world": 1}]', '[{"world": {}, "measure": "pai"}]', "{}"])
def test_scores_that_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(text)
    with pytest.raises(ContractError, match=r"scores\.json"):
        read_scores(tmp_path)
    assert read_scores(tmp_path / "elsewhere") == []
