"""The flip map: squares in proportion, marks that count, n where it is known, panels by facet."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pytest

from contrechamp.audit.figures.flip import FILLS, draw_flip
from contrechamp.audit.figures.style import RC
from contrechamp.audit.reporting.wording import MARKS

mpl.use("Agg")


def _row(verdict: str, n: int = 0, **world: Any) -> dict[str, Any]:
    return {"world": world, "verdict": verdict} | ({"n": n} if n else {})


def _drawn(rows: list[dict[str, Any]], **how: Any) -> Any:
    with mpl.rc_context(dict(RC)):
        return draw_flip(rows, lang="en", **how)


def test_one_square_per_pair_with_mark_and_n() -> None:
    rows = [
        _row("supported", 200, kappa=0.5, recording_bias=0.0), _row("refuted", 200, kappa=0.0, recording_bias=0.0),
        _row("inconclusive", 180, kappa=0.0, recording_bias=1.0),
    ]  # fmt: skip
    made = _drawn(rows, x="kappa", y="recording_bias", claims=["M04"])
    axis = made.figure.axes[0]
    shown = {t.get_position(): t.get_text() for t in axis.texts}
    assert shown == {
        (0, 0): f"{MARKS['refuted']}\nn 200", (0, 1): f"{MARKS['inconclusive']}\nn 180",
        (1, 0): f"{MARKS['supported']}\nn 200",
    }  # fmt: skip
    assert "supported in 1, refuted in 1 and inconclusive in 1" in made.caption
    assert "of M04" in made.caption
    assert made.limits.startswith("Limits:")


def test_a_square_of_several_worlds_is_cut_in_proportion() -> None:
    rows = [_row(v, 6, a=1, b=1, c=i) for i, v in enumerate(["supported", "supported", "refuted", "supported"])]
    rows.append(_row("refuted", 8, a=2, b=1, c=0))
    made = _drawn(rows, x="a", y="b")
    axis = made.figure.axes[0]
    widths = {p.get_facecolor()[:3]: p.get_width() for p in axis.patches if p.get_x() < 0.5 and p.get_fill()}
    expected = {mpl.colors.to_rgb(FILLS[v][0]): w for v, w in (("supported", 0.75), ("refuted", 0.25))}
    assert widths == pytest.approx(expected)
    assert axis.texts[0].get_text() == f"{MARKS['supported']}3 {MARKS['refuted']}1\nn 6"
    assert "told apart by: c" in made.caption


def test_panels_follow_the_facets_and_the_last_runs_along_the_rows() -> None:
    rows = [_row("refuted", a=1, b=1, city=c, share=s) for c in (0.0, 1.0) for s in (0.1, 0.3, 0.6)]
    made = _drawn(rows, x="a", y="b", facet=("city", "share"))
    axes = [a for a in made.figure.axes if a.get_visible()]
    assert len(axes) == 6
    rows_of_panels = {round(a.get_subplotspec().rowspan.start) for a in axes}
    assert rows_of_panels == {0, 1}
    assert "n:" not in made.caption


def test_nothing_is_drawn_without_the_keys() -> None:
    assert _drawn([_row("refuted", a=1)], x="a", y="b") is None
    assert _drawn([], x="a", y="b") is None
