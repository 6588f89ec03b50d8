"""Datasheets: for every mechanism and every stream, what is invented, from which anchor, and what it leaves out.

What it cannot tell you: a datasheet describes our invention. It says nothing of how the real thing is made.
"""

from __future__ import annotations

from dataclasses import dataclass

from contrechamp.domain.text import Text


@dataclass(frozen=True, slots=True)
class Datasheet:
    """How one part of the world was made.

    Attributes
    ----------
    key : str
        Name of the mechanism, or key of the stream.
    title, invented, anchor, leaves_out : Text
        What it is; what of it is made up; which published figure it is held to, or that there is none; what a reader
        must not conclude from it because it is absent.
    """

    key: str
    title: Text
    invented: Text
    anchor: Text
    leaves_out: Text
