"""Drawing habits: few inks, told apart by shape and dash as well as by colour, so that a photocopy still reads.

Colours are of the Okabe–Ito family, which most colour-blind readers tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from contrechamp.audit.figures import Drawing
from contrechamp.audit.reporting.wording import percent, plain_number, typeset
from contrechamp.domain.text import Lang, Text

INK: Final = "#1b1b1b"
SOFT: Final = "#6a6a6a"
RULE: Final = "#c9c9c9"
BLUE: Final = "#0b4f7d"
RUST: Final = "#c4500f"
OLIVE: Final = "#6b6400"
PLUM: Final = "#8a4f7d"

#: Colour, marker, dash: the three change together.
LOOKS: Final[Sequence[tuple[str, str, Any]]] = (
    (BLUE, "o", "-"),
    (RUST, "s", (0, (5, 1.6))),
    (OLIVE, "^", (0, (1.2, 1.2))),
    (PLUM, "D", (0, (6, 1.5, 1.2, 1.5))),
    (SOFT, "v", (0, (3, 1, 1, 1, 1, 1))),
)

RC: Final[Mapping[str, Any]] = {
    "font.family": "DejaVu Sans", "font.size": 8, "axes.titlesize": 8.5, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.labelsize": 8, "xtick.labelsize": 7.5, "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": SOFT, "axes.linewidth": 0.7, "xtick.color": INK, "ytick.color": INK, "axes.labelcolor": INK,
    "text.color": INK, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 3,
    "ytick.major.size": 3, "axes.grid": False, "lines.linewidth": 1.4, "lines.markersize": 4, "svg.fonttype": "path",
    "svg.hashsalt": "contrechamp", "figure.constrained_layout.use": True, "savefig.facecolor": "white",
    "axes.unicode_minus": True, "image.composite_image": True,
}  # fmt: skip

WIDTH_IN: Final = 6.9


def canvas(*, height: float, ncols: int = 1, nrows: int = 1, **kwargs: Any) -> tuple[Figure, Any]:
    """Figure as wide as the page, drawn without any window system."""
    figure = Figure(figsize=(WIDTH_IN, height))
    return figure, figure.subplots(nrows, ncols, **kwargs)


def percent_axis(axis: Any, lang: Lang, *, digits: int = 2) -> None:
    """Print an axis in percent, with the language's marks."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: percent(x, lang, digits=digits)))


def number_axis(axis: Any, lang: Lang) -> None:
    """Print an axis in plain numbers, with the language's marks."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: plain_number(float(x), lang) if x else "0"))


def label(axes: Axes, text: Text, lang: Lang, *, which: Literal["x", "y", "title"]) -> None:
    """Set an axis label or the title."""
    words = typeset(text.in_(lang), lang)
    if which == "title":
        axes.set_title(words)
    elif which == "x":
        axes.set_xlabel(words)
    else:
        axes.set_ylabel(words)


def threshold_line(axes: Axes, at: float, text: str, *, vertical: bool = False, at_left: bool = False) -> None:
    """Draw a thin line at a threshold, named at one of its ends."""
    if vertical:
        axes.axvline(at, color=SOFT, lw=0.8, ls=(0, (2, 2)), zorder=0)
        axes.annotate(text, (at, 1), xycoords=("data", "axes fraction"), xytext=(2, -2), textcoords="offset points",
                      va="top", fontsize=7, color=SOFT)  # fmt: skip
    else:
        axes.axhline(at, color=SOFT, lw=0.8, ls=(0, (2, 2)), zorder=0)
        axes.annotate(text, (0 if at_left else 1, at), xycoords=("axes fraction", "data"),
                      xytext=(3 if at_left else -2, 2), textcoords="offset points", va="bottom", fontsize=7, color=SOFT,
                      ha="left" if at_left else "right")  # fmt: skip


def curve(axes: Axes, x: Sequence[float], rows: Sequence[Mapping[str, Any]], *, look: int, name: str) -> None:
    """Draw results along x with their intervals; those not estimable leave a gap."""
    color, marker, dash = LOOKS[look % len(LOOKS)]
    nan = float("nan")
    y = [nan if r["value"] is None else r["value"] for r in rows]
    low = [nan if r["low"] is None else r["low"] for r in rows]
    high = [nan if r["high"] is None else r["high"] for r in rows]
    axes.vlines(x, low, high, color=color, lw=1.0, alpha=0.9, zorder=2)
    axes.plot(x, y, color=color, marker=marker, ls=dash, label=name, zorder=3, mfc="white" if look % 2 else color)


def drawing(figure: Figure, lang: Lang, *, alt: Text, caption: Text, limits: Text) -> Drawing:
    """Bundle a figure with its words, typeset."""
    return Drawing(figure, *(typeset(t.in_(lang), lang) for t in (alt, caption, limits)))
