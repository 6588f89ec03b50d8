"""Posts as arrays of one length, before they are put into words: who says what kind of thing, when, about what.

What it cannot tell you: this table is truth. The stream shows a part of it and says nothing of why a post was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synthetic_data.grammar.catalogue import french

#: Kinds of sentence, as the grammar names them.
CATEGORIES: Final = tuple(french().templates)
CODE: Final[Mapping[str, int]] = {name: i for i, name in enumerate(CATEGORIES)}

#: What a post is in its talk. A reply to a rumour that believes it is part of it.
ROLES: Final = (
    "organiser", "relay", "participant", "cancellation", "attendee", "witness", "echo", "complaint", "rumour",
    "correction", "joke", "reply", "noise",
)  # fmt: skip
_ROLE_OF: Final[Mapping[str, str]] = {
    "call": "organiser", "call_short": "organiser", "answer": "organiser", "relay": "relay", "join": "participant",
    "maybe": "participant", "decline": "participant", "ask": "participant", "cancel": "cancellation",
    "call_joke": "joke", "joke": "joke", "echo": "echo", "rumour": "rumour", "rumour_relay": "rumour",
    "rumour_believe": "rumour", "rumour_doubt": "rumour", "rumour_correct": "correction",
}  # fmt: skip
_PREFIXES: Final = (
    ("match_", "attendee"), ("concert_", "attendee"), ("gathering_", "attendee"), ("witness_", "witness"),
)  # fmt: skip

#: Columns and what they hold when nothing is said. Indices are -1 for none.
_EMPTY: Final[Mapping[str, Any]] = {
    "category": 0,  # index in CATEGORIES
    "t_us": 0,  # instant
    "person": -1,  # author
    "parent": -1,  # post answered
    "root": -1,  # first post of the talk
    "linked": True,  # whether the answer says what it answers
    "published": True,  # whether the public could see it
    "event": -1,  # event of the calendar it is about
    "incident": -1,  # latent incident it is about
    "theme": -1,  # rumour it is part of: a number of its own for each
    "quarter": -1,  # quarter spoken of
    "noun": -1,  # noun of place spoken of
    "about_us": -1,  # instant spoken of
    "gathering": -1,  # noun of event spoken of
    "club": -1,
    "artist": -1,
    "x_m": np.nan,  # where its author really was
    "y_m": np.nan,
}


@dataclass(frozen=True, eq=False)
class Posts:
    """Columns of one length; see ``_EMPTY`` in the source for each of them."""

    columns: Mapping[str, npt.NDArray[Any]]

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["t_us"])

    def take(self, rows: npt.NDArray[Any]) -> Posts:
        """Posts at ``rows`` (indices). Parents and roots must be among them; they are renumbered."""
        place = np.full(len(self) + 1, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        out = {name: values[rows] for name, values in self.columns.items()}
        return Posts(out | {name: place[out[name]] for name in ("parent", "root")})

    def replaced(self, **columns: npt.NDArray[Any]) -> Posts:
        """Same posts, with some columns replaced."""
        return Posts({**self.columns, **columns})


def make(n: int, **columns: Any) -> Posts:
    """Make ``n`` posts; a column not given is empty, a root not given is the post itself."""
    out = {name: np.full(n, default) for name, default in _EMPTY.items()}
    out["root"] = np.arange(n)
    for name, values in columns.items():
        out[name] = np.broadcast_to(np.asarray(values), n).astype(out[name].dtype)
    return Posts(out)


def stack(parts: Sequence[Posts]) -> Posts:
    """Posts of several talks as one, parents and roots renumbered."""
    offsets = np.cumsum([0, *[len(part) for part in parts]])
    out = {name: np.concatenate([part[name] for part in parts]) for name in _EMPTY}
    for name in ("parent", "root"):
        shift = np.repeat(offsets[:-1], [len(part) for part in parts])
        out[name] = np.where(out[name] < 0, -1, out[name] + shift)
    return Posts(out)


def role_of(category: str) -> str:
    """Role of a post of a category, its place in a thread apart."""
    for prefix, role in _PREFIXES:
        if category.startswith(prefix):
            return role
    if category.startswith("complain_") and category != "complain_reply":
        return "complaint"
    return _ROLE_OF.get(category, "reply" if category.endswith("_reply") else "noise")
