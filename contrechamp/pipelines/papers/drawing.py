"""Drawing habits of the papers' figures: few inks, told apart by shape and dash as well as by colour.

The same inks as the report's; kept here because the pipelines do not import the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from contrechamp.domain.text import Lang

INK: Final = "#1b1b1b"
SOFT: Final = "#6a6a6a"
BLUE: Final = "#0b4f7d"
RUST: Final = "#c4500f"
OLIVE: Final = "#6b6400"
DASH: Final = (0, (2, 2))
WIDTH_IN: Final = 6.9

_RC: Final[Mapping[str, Any]] = {
    "font.family": "DejaVu Sans", "font.size": 8, "axes.titlesize": 8.5, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "legend.fontsize": 7.5, "legend.frameon": False, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": SOFT, "axes.linewidth": 0.7, "text.color": INK,
    "lines.linewidth": 1.4, "lines.markersize": 4, "svg.fonttype": "path",
    "svg.hashsalt": "contrechamp", "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
}  # fmt: skip


def canvas(*, height: float, ncols: int = 1, **kwargs: Any) -> tuple[Figure, Any]:
    """Figure as wide as a page, drawn without any window system; ``height`` in inches."""
    figure = Figure(figsize=(WIDTH_IN, height))
    return figure, figure.subplots(1, ncols, **kwargs)


def number_marks(axis: Any, lang: Lang, *, digits: int = 1) -> None:
    """Print an axis with the decimal mark of the language."""
    mark = "," if lang == "fr" else "."
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.{digits}f}".replace(".", mark)))


def image(draw: Callable[[Lang], Figure], lang: Lang, *, form: Literal["svg", "png"]) -> bytes:
    """Draw in a language and return the file, without date or program: equal figures give equal bytes."""
    buffer = BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    with mpl.rc_context(dict(_RC)):  # type: ignore[arg-type]
        draw(lang).savefig(buffer, format=form, dpi=200, metadata=metadata)
    return buffer.getvalue()
