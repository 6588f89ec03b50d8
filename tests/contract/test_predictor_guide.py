"""The guide for a new predictor: its example runs, says the same in both languages, and names what exists."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.history import Covariates
from models import base

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {lang: (DOCS / name).read_text(encoding="utf-8")
         for lang, name in (("fr", "predicteurs.md"), ("en", "predicteurs.en.md"))}  # fmt: skip


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)


def test_both_languages_run_the_same_example() -> None:
    assert len(blocks(PAGES["fr"])) == 1
    assert blocks(PAGES["fr"]) == blocks(PAGES["en"])


def test_the_example_gives_the_numbers_that_the_page_states() -> None:
    made: dict[str, object] = {}
    exec(compile(blocks(PAGES["fr"])[0], "predicteurs.md", "exec"), made)
    # 16 records in six days: 16/6 = 8/3 a day, all of them where markets are; 14 in the first five: 2.8, in two halves
    np.testing.assert_allclose(made["market_day"], [8 / 3, 0, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(made["plain_day"], [0, 1.4, 1.4, 0], rtol=1e-12)
    grid, counts, market, kind = made["grid"], made["counts"], made["market"], made["MarketDay"]
    with pytest.raises(ParameterError, match="at least 8"):  # seven rows are days 0 to 6: nothing is known of day 7
        kind().fit(counts, grid=grid, covariates=Covariates(days={"market": market})).predict(7)  # type: ignore[operator]
    with pytest.raises(ParameterError, match="window_days"):
        kind(window_days=0).fit(counts, grid=grid)  # type: ignore[operator]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_name_of_the_guide_exists(lang: str) -> None:
    from contrechamp.audit import card_texts
    from contrechamp.pipelines import backtest

    for name in ("CONSTRAINTS", "LINEAR", "REFIT_DAYS", "NEEDS_PLACES", "LEARNED"):
        assert f"`{name}" in PAGES[lang]
        assert hasattr(base.BasePredictor, name)
    for name in ("CARD_TEXTS", "PARAMETER_TEXTS"):
        assert f"`{name}`" in PAGES[lang]
        assert hasattr(card_texts, name)
    assert "`ON_REQUEST`" in PAGES[lang]
    assert hasattr(backtest, "ON_REQUEST")
    for path in re.findall(r"`((?:tests|docs|models|contrechamp)/[\w/.]+)`", PAGES[lang]):
        assert (DOCS.parent / path).exists(), path
    for path in re.findall(r"\]\(([\w./]+)\)", PAGES[lang]):
        assert (DOCS / path).exists(), path
