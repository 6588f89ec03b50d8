"""Titles of panels on several lines, where the name of a world is longer than its panel."""

from __future__ import annotations

from textwrap import fill
from typing import Final

from contrechamp.audit.figures import Drawing

#: Characters of a bold title that fit the width of a page.
_PAGE: Final = 96


def wrap_titles(made: Drawing | None, *, columns: int) -> Drawing | None:
    """Break the titles of a drawing's panels, ``columns`` of which stand side by side; None stays None."""
    if made is not None:
        for axis in made.figure.axes:
            axis.set_title("\n".join(fill(line, _PAGE // columns) for line in axis.get_title(loc="left").split("\n")),
                           fontsize=7, loc="left")  # fmt: skip
    return made
