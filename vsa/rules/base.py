"""What every rule is: parameters with a unit and a domain, and a call that turns tracks into alerts.

A rule is a frozen dataclass. Its fields are its parameters; each field carries, as data, its unit, its domain and its
label in both languages, so that the command line, the documentation and the refusals all say the same thing.

What it cannot tell you: whether a threshold makes sense. A domain only says what can be computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final, Literal

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, ClipMeta, Label, Line, Zone
from vsa.rules.tracks import Checked

#: What an alert's area is: a polygon, or a segment.
Area = Literal["zones", "lines"]

ANCHORS: Final = ("bottom_center", "center", "ground")
ANCHOR_LABEL = Text(
    fr="point du corps testé : bas de la boîte, centre de la boîte, ou point au sol de la piste",
    en="point of the body that is tested: bottom of the box, centre of the box, or the track's point on the ground",
)


def parameter(
    default: Any,
    unit: str,
    fr: str,
    en: str,
    *,
    low: float = 0.0,
    high: float = math.inf,
    above_low: bool = False,
    choices: Sequence[str] = (),
    optional: bool = False,
) -> Any:
    """Make a dataclass field that says its unit, its domain and its label.

    Parameters
    ----------
    default : object
    unit : str
        ``"s"``, ``"m"``, ``"frames"``… or ``""`` for a word or a switch.
    fr, en : str
        Label.
    low, high : float
        Domain of a number; ``low`` belongs to it unless ``above_low``.
    choices : sequence of str
        Domain of a word.
    optional : bool
        Whether None (no limit, never) is allowed.
    """
    meta = {
        "unit": unit,
        "low": low,
        "high": high,
        "above_low": above_low,
        "choices": tuple(choices),
        "optional": optional,
        "label": Text(fr=fr, en=en),
    }
    return field(default=default, metadata=meta)


def tested_point(default: str) -> Any:
    """Make the field of the point that is tested against a zone."""
    return parameter(default, "", ANCHOR_LABEL.fr, ANCHOR_LABEL.en, choices=ANCHORS)


@dataclass(frozen=True)
class Rule:
    """Parameters of one rule. A subclass adds its fields and :meth:`run`."""

    key: ClassVar[str] = ""
    label: ClassVar[Text] = Text(fr="règle", en="rule")
    #: Which tracks it reads.
    subject: ClassVar[Label] = "person"
    area: ClassVar[Area] = "zones"
    #: Unit of an alert's value and threshold.
    unit: ClassVar[str] = "s"

    def __post_init__(self) -> None:
        for f in fields(self):
            self._check(f.name, getattr(self, f.name), f.metadata)

    def _check(self, name: str, value: Any, meta: Any) -> None:
        where = f"rule {self.key!r}"
        if value is None and meta["optional"]:
            return
        default = type(self).__dataclass_fields__[name].default
        if meta["choices"]:
            if value not in meta["choices"]:
                raise bad_parameter(
                    name=name, where=where, must="one of " + ", ".join(map(repr, meta["choices"])), got=value
                )
        elif isinstance(default, bool):
            if not isinstance(value, bool):
                raise bad_parameter(name=name, where=where, must="true or false", got=value)
        else:
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            whole = not (isinstance(default, int) and number and value != int(value))
            if not number or not whole or not self._within(value, meta):
                kind = "a whole number" if isinstance(default, int) else "a number"
                bounds = f"{'(' if meta['above_low'] else '['}{meta['low']:g}, {meta['high']:g}]"
                unit = f" {meta['unit']}" if meta["unit"] else ""
                raise bad_parameter(name=name, where=where, must=f"{kind} in {bounds}{unit}", got=value)

    @staticmethod
    def _within(value: float, meta: Any) -> bool:
        above = value > meta["low"] if meta["above_low"] else value >= meta["low"]
        return bool(above and value <= meta["high"])

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Any], preset: str) -> Alerts:
        """Alerts of checked tracks in each area; see :func:`vsa.rules.apply`."""
        raise NotImplementedError

    @classmethod
    def parameters(cls) -> list[dict[str, Any]]:
        """Name, default, unit, domain and label of every parameter, ready for JSON."""
        rows = []
        for f in fields(cls):
            m = f.metadata
            number = not m["choices"] and not isinstance(f.default, bool)
            rows.append(
                {
                    "name": f.name,
                    "default": f.default,
                    "unit": m["unit"],
                    "type": "word" if m["choices"] else "switch" if isinstance(f.default, bool) else "number",
                    "low": m["low"] if number else None,
                    "high": m["high"] if number and math.isfinite(m["high"]) else None,
                    "choices": list(m["choices"]),
                    "optional": m["optional"],
                    "label": {"fr": m["label"].fr, "en": m["label"].en},
                }
            )
        return rows


def limit(value: float | None) -> float:
    """A limit as a number: None is infinity."""
    return math.inf if value is None else float(value)


def zones_or_view(areas: Sequence[Zone]) -> list[Zone | None]:
    """The zones, or the whole picture (None) where there is none."""
    return list(areas) or [None]


def need_lines(areas: Sequence[Line], *, rule: str) -> Sequence[Line]:
    """Refuse a clip without any line to cross.

    Raises
    ------
    ParameterError
    """
    if not areas:
        raise ParameterError(
            f"Rule {rule!r} needs at least one line. Got none. Give `lines`, or a clip whose sidecar declares one."
        )
    return areas
