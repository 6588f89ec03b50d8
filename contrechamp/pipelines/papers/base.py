"""What a paper's folder says, and how what we get is set beside it.

``papers/<key>/`` holds three files. ``scenario.toml``: the parameters, each from the paper or its code, and the digests
of the data it needs. ``published.toml``: every figure to compare with, its source, and the tolerance declared before
the run; and what cannot be reproduced, with the reason. ``README.md``: for people.

What it cannot tell you: that a figure within tolerance was obtained for the right reason. The tolerance says how far
two honest runs may be, not that the paper's conclusion holds elsewhere.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

import pandas as pd

from contrechamp.domain.errors import ContractError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.text import Lang, Text

#: Where a published figure comes from: printed in the paper; read by eye on a drawing; printed by the authors' program;
#: an exact law; an independent run of the same recipe.
Kind = Literal["printed", "read", "program", "exact", "rerun"]
#: Set beside, or judged against its tolerance.
Status = Literal["within", "outside", "beside", "not estimable"]

KINDS: Final[Mapping[Kind, Text]] = {
    "printed": Text(fr="imprimé", en="printed"),
    "read": Text(fr="lu sur figure", en="read on a figure"),
    "program": Text(fr="programme des auteurs", en="authors' program"),
    "exact": Text(fr="loi exacte", en="exact law"),
    "rerun": Text(fr="reprise indépendante", en="independent re-run"),
}
STATUSES: Final[Mapping[Status, Text]] = {
    "within": Text(fr="dans la tolérance", en="within tolerance"),
    "outside": Text(fr="hors tolérance", en="outside tolerance"),
    "beside": Text(fr="pour comparaison", en="for comparison"),
    "not estimable": Text(fr="non estimable", en="not estimable"),
}


@dataclass(frozen=True, slots=True)
class Published:
    """A figure to compare with.

    Attributes
    ----------
    id : str
        Name under which the paper's module returns its own.
    value : float
    tolerance : float or None
        Largest absolute gap accepted; None when the figure is only set beside ours.
    kind : {"printed", "read", "program", "exact", "rerun"}
    source : str
        Where in the paper, the program or the law.
    label : Text
    """

    id: str
    value: float
    tolerance: float | None
    kind: Kind
    source: str
    label: Text


@dataclass(frozen=True, slots=True)
class Missing:
    """Something in the paper that is not reproduced, and why."""

    what: Text
    why: Text


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file the paper needs and the project does not ship.

    Attributes
    ----------
    name, sha256, source : str
    """

    name: str
    sha256: str
    source: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """The content of ``papers/<key>/``.

    Attributes
    ----------
    key : str
    folder : Path
    title : Text
        What the run is about.
    reference, licence : str
        The paper; the terms of its data and code.
    limits : Text
        What the run cannot tell.
    parameters : mapping
        The ``[parameters]`` of ``scenario.toml``.
    data : tuple of DataFile
        Empty when nothing has to be brought.
    published : tuple of Published
    missing : tuple of Missing
    """

    key: str
    folder: Path
    title: Text
    reference: str
    licence: str
    limits: Text
    parameters: Mapping[str, Any]
    data: tuple[DataFile, ...]
    published: tuple[Published, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What a paper's module returns.

    Attributes
    ----------
    figures : mapping of str to Interval
        Ours, by the id of the published figure. Each id of ``published.toml`` is there, and no other.
    tables : mapping of str to pandas.DataFrame
        What they were computed from.
    draw : callable
        Draws the paper's one figure in a language; the caller sets the style and saves it.
    """

    figures: Mapping[str, Interval]
    tables: Mapping[str, pd.DataFrame]
    draw: Callable[[Lang], Any]


class Paper(Protocol):
    """The function that a registry entry names."""

    def __call__(self, dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
        """Run the paper again. ``data`` maps the names of :attr:`Dossier.data` to files whose digests were checked."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published figure and ours.

    Attributes
    ----------
    published : Published
    ours : Interval
    """

    published: Published
    ours: Interval

    @property
    def gap(self) -> float | None:
        """Ours minus the published one; None when ours is not estimable."""
        return None if self.ours.estimate is None else self.ours.estimate - self.published.value

    @property
    def status(self) -> Status:
        """Whether the gap is within the declared tolerance; a gap equal to it is within."""
        if self.gap is None:
            return "not estimable"
        if self.published.tolerance is None:
            return "beside"
        slack = 1e-12 * max(1.0, abs(self.published.value))
        return "within" if abs(self.gap) <= self.published.tolerance + slack else "outside"

    def to_dict(self) -> dict[str, Any]:
        """Plain form, as written to ``results.json``."""
        p, i = self.published, self.ours
        return {
            "id": p.id,
            "label": {"fr": p.label.fr, "en": p.label.en},
            "published": p.value,
            "kind": p.kind,
            "source": p.source,
            "ours": i.estimate,
            "low": i.low,
            "high": i.high,
            "level": i.level,
            "n": i.n,
            "method": i.method,
            "gap": self.gap,
            "tolerance": p.tolerance,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A paper run again.

    Attributes
    ----------
    dossier : Dossier
    seed : int
    comparisons : tuple of Comparison
        In the order of ``published.toml``.
    run : Run
    digests : mapping of str to str
        SHA-256 of the data files read.
    """

    dossier: Dossier
    seed: int
    comparisons: tuple[Comparison, ...]
    run: Run
    digests: Mapping[str, str] = field(default_factory=dict)

    def count(self, status: Status) -> int:
        """Number of figures in a status."""
        return sum(c.status == status for c in self.comparisons)


def read_dossier(folder: Path) -> Dossier:
    """Read ``scenario.toml`` and ``published.toml``.

    Raises
    ------
    ContractError
        If a file is missing, is not TOML, or lacks something.
    """
    scenario, published = (_toml(folder / name) for name in ("scenario.toml", "published.toml"))
    try:
        return Dossier(
            key=folder.name,
            folder=folder,
            title=Text(**scenario["title"]),
            reference=str(scenario["reference"]),
            licence=str(scenario["licence"]),
            limits=Text(**scenario["limits"]),
            parameters=dict(scenario["parameters"]),
            data=tuple(DataFile(**item) for item in scenario.get("data", ())),
            published=tuple(_published(item) for item in published["figure"]),
            missing=tuple(Missing(Text(**i["what"]), Text(**i["why"])) for i in published.get("missing", ())),
        )
    except (KeyError, TypeError, ValueError) as cause:
        raise ContractError(
            f"The folder {folder} does not say what a paper must: {type(cause).__name__} {cause}. Compare it with "
            "papers/README.md."
        ) from cause


def _published(item: Mapping[str, Any]) -> Published:
    kind, tolerance = item["kind"], item.get("tolerance")
    if kind not in get_args(Kind):
        raise ValueError(f"figure {item['id']}: kind {kind!r} is none of {', '.join(get_args(Kind))}")
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"figure {item['id']}: tolerance {tolerance!r} is not a number of at least 0")
    return Published(
        id=str(item["id"]),
        value=float(item["value"]),
        tolerance=None if tolerance is None else float(tolerance),
        kind=kind,
        source=str(item["source"]),
        label=Text(**item["label"]),
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise ContractError(f"{path} cannot be read as TOML: {cause}. Restore it from the distribution.") from cause
