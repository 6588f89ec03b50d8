"""Figures: drawn from results, in both languages, with the same bytes twice, and left out when there is nothing."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

from contrechamp.audit.figures import FIGURES, draw_all, load, svg_bytes
from contrechamp.audit.figures.style import LOOKS, RC
from contrechamp.audit.reporting.facts import Facts

mpl.use("Agg")


@pytest.fixture(scope="module")
def facts(mini_run: Path) -> Facts:
    return Facts(mini_run)


def test_every_figure_is_drawn_in_both_languages(facts: Facts, tmp_path: Path) -> None:
    french = draw_all(facts, lang="fr", folder=tmp_path)
    english = draw_all(facts, lang="en", folder=tmp_path)
    assert list(french) == list(english) == list(FIGURES)
    assert {p.name for p in tmp_path.iterdir()} == {f"{k}_{lang}.svg" for k in FIGURES for lang in ("fr", "en")}
    for key in FIGURES:
        assert french[key].alt != english[key].alt
        assert len(french[key].alt) > 40
        assert french[key].limits.startswith("Limites\u202f:")
        assert english[key].limits.startswith("Limits:")


@pytest.mark.parametrize("key", ["city_map", "E02_worlds", "E12_ppv", "E27_placebo"])
def test_same_bytes_twice_and_no_date(facts: Facts, key: str) -> None:
    def drawn() -> bytes:
        with mpl.rc_context(dict(RC)):
            made = load(key)(facts, "fr")
            assert made is not None
            return svg_bytes(made.figure, title=made.alt)

    first = drawn()
    assert first == drawn()
    assert b"dc:date" not in first
    assert re.search(rb"20\d\d-\d\d-\d\d", first) is None


def test_a_figure_whose_results_are_absent_is_left_out(small_run: Path, tmp_path: Path) -> None:
    assert set(draw_all(Facts(small_run), lang="en", folder=tmp_path)) == {"E12_ppv", "E18_denominators"}


def test_the_thousand_alerts_are_counted_right(facts: Facts) -> None:
    """Published check: perfect recall, one false alert per camera and day: 4 of 1,000 at m = 1, 166 at m = 50."""
    with mpl.rc_context(dict(RC)):
        drawing = load("E12_ppv")(facts, "en")
    assert drawing is not None
    units = drawing.figure.axes[1:]
    dark = [int((ax.images[0].get_array()[::5, ::5] == 1).sum()) for ax in units]
    assert dark == [4, 166]
    assert [ax.get_xlabel() for ax in units] == ["4 of 1,000", "166 of 1,000"]


def test_loop_curve_shows_the_results_and_nothing_else(facts: Facts) -> None:
    with mpl.rc_context(dict(RC)):
        drawing = load("E02_curve")(facts, "fr")
    assert drawing is not None
    rows = facts.rows("E02", "recorded_off_20", zones=2, rates="equal", arrivals="bernoulli", rule="top")
    line = drawing.figure.axes[0].lines[0]
    assert dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) == {r["world"]["rho"]: r["value"] for r in rows}


def test_series_differ_by_shape_and_dash_not_by_colour_alone() -> None:
    assert len({marker for _, marker, _ in LOOKS}) == len(LOOKS)
    assert len({str(dash) for _, _, dash in LOOKS}) == len(LOOKS)
