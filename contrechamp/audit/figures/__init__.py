"""Figures of the report: each reads the results and tables of a run and draws, or returns nothing if they are absent.

A figure is drawn once per language; the numbers are the same. Bytes do not depend on the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from contrechamp.audit.reporting.blocks import Plate
from contrechamp.audit.reporting.facts import Facts
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.text import Lang
from contrechamp.store.files import write_bytes


@dataclass(frozen=True, slots=True)
class Drawing:
    """A matplotlib figure with the words that go with it, in the language it was drawn in.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the drawing shows, for who cannot see it.
    caption : str
        What it is: quantities, units, intervals.
    limits : str
        What it does not show.
    """

    figure: Any
    alt: str
    caption: str
    limits: str


#: Key → module and function. Order is that of the report.
FIGURES: Final[Mapping[str, str]] = {
    "city_map": "city:draw_map",
    "backtest_pai": "platform:draw_pai",
    "backtest_gain": "platform:draw_gain",
    "E01_gain": "e01:draw_gain",
    "E01_predictors": "e01:draw_predictors",
    "E01_worlds": "e01:draw_worlds",
    "E02_curve": "e02:draw_curve",
    "E02_heat": "e02:draw_heat",
    "E02_worlds": "e02:draw_worlds",
    "E02_sobol": "e02:draw_sobol",
    "E03_gaps": "e03:draw_gaps",
    "E03_worlds": "e03:draw_worlds",
    "E04_note": "e04:draw_note",
    "E04_worlds": "e04:draw_worlds",
    "E04_clashes": "e04:draw_clashes",
    "E05_gap": "e05:draw_gap",
    "E05_worlds": "e05:draw_worlds",
    "E09_roles": "e09:draw_roles",
    "E09_curve": "e09:draw_curve",
    "E09_scene": "e09:draw_scene",
    "E09_ladder": "e09:draw_ladder",
    "E09_worlds": "e09:draw_worlds",
    "E09_hourly_worlds": "e09:draw_hourly",
    "E10_density": "e10:draw_density",
    "E10_worlds": "e10:draw_worlds",
    "E11_alerts": "e11:draw_alerts",
    "E11_learning": "e11:draw_learning",
    "E11_worlds": "e11:draw_worlds",
    "E12_ppv": "e12:draw_ppv",
    "E13_search": "e13:draw_search",
    "E13_worlds": "e13:draw_worlds",
    "E14_time": "e14:draw_time",
    "E14_worlds": "e14:draw_worlds",
    "E15_ppv": "e15:draw_ppv",
    "E15_worlds": "e15:draw_worlds",
    "E16_sounds": "e16:draw_sounds",
    "E16_worlds": "e16:draw_worlds",
    "E17_studies": "e17:draw_studies",
    "E17_worlds": "e17:draw_worlds",
    "E18_denominators": "e18:draw_nested",
    "E20_streams": "e20:draw_streams",
    "E20_worlds": "e20:draw_worlds",
    "E21_gain": "e21:draw_gain",
    "E21_worlds": "e21:draw_worlds",
    "E22_ranks": "e22:draw_ranks",
    "E22_worlds": "e22:draw_worlds",
    "E23_lists": "e23:draw_lists",
    "E24_gaps": "e24:draw_gaps",
    "E25_signs": "e25:draw_signs",
    "E25_worlds": "e25:draw_worlds",
    "E27_placebo": "e27:draw_placebo",
    "E27_worlds": "e27:draw_worlds",
    "E28_looks": "e28:draw_looks",
}


def load(key: str) -> Callable[[Facts, Lang], Drawing | None]:
    """Import the function that draws a figure."""
    module, name = FIGURES[key].split(":")
    function: Callable[[Facts, Lang], Drawing | None] = getattr(
        import_module(f"contrechamp.audit.figures.{module}"), name
    )
    return function


def draw_all(facts: Facts, *, lang: Lang, folder: Path, progress: Progress = silent) -> dict[str, Plate]:
    """Draw every figure the run has data for and write ``<key>_<lang>.svg``.

    Returns
    -------
    dict of str to Plate
        By key. A figure whose results are absent is left out.
    """
    import matplotlib as mpl

    from contrechamp.audit.figures.style import RC

    plates: dict[str, Plate] = {}
    with mpl.rc_context(dict(RC)):  # type: ignore[arg-type]
        for done, key in enumerate(FIGURES, start=1):
            drawing = load(key)(facts, lang)
            if drawing is not None:
                name = f"{key}_{lang}.svg"
                write_bytes(folder / name, svg_bytes(drawing.figure, title=drawing.alt))
                plates[key] = Plate(name, drawing.alt, drawing.caption, drawing.limits)
            progress(f"report: figures ({lang})", done, len(FIGURES))
    return plates


def svg_bytes(figure: Any, *, title: str) -> bytes:
    """Return the SVG of a figure, without date or creator: equal figures give equal bytes."""
    buffer = BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return buffer.getvalue()
