"""Which columns of a file are taken, and in what order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

#: What a published time is good for.
Resolution = Literal["second", "minute", "hour", "day", "month", "year"]


class Layout(NamedTuple):
    """What a header line says.

    Attributes
    ----------
    take : tuple of int
        Position in the header of each field of the stream.
    carried : mapping of str to str
        Columns to add to every row of the file.
    """

    take: tuple[int, ...]
    carried: Mapping[str, str]
