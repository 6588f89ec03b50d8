"""Rules over tracks: what turns the path of a person into an alert, and the trace of why.

A rule is a pure function of a table of tracks: no picture, no clock of the machine, no memory from one clip to the
next. The same table gives the same alerts. Tools do not agree on what "60 seconds in a zone" means, so each shipped
definition is here under its own name (:data:`PRESETS`), beside ours, and the spread between them can be counted.

What it cannot tell you: whether anybody did anything wrong. A rule measures a posture, a place or a time. On perfect
tracks its alerts are exactly what it was asked for, and that is the burden no better detector takes away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.video import Alerts, ClipMeta, Line, Zone
from vsa.rules.base import Rule
from vsa.rules.presets import PRESETS, Preset
from vsa.rules.tracks import check_tracks

#: Key → where the rule is. Keys are what reports cite, so a key never changes meaning.
RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "loitering": "vsa.rules.loitering:Loitering",
        "loitering-supervision": "vsa.rules.shipped:SupervisionTimer",
        "loitering-roboflow": "vsa.rules.shipped:RoboflowTimer",
        "loitering-frigate": "vsa.rules.shipped:Frigate",
        "presence": "vsa.rules.presence:Presence",
        "crossing": "vsa.rules.crossing:Crossing",
        "counter-flow": "vsa.rules.motion:CounterFlow",
        "running": "vsa.rules.motion:Running",
        "density": "vsa.rules.crowd:Density",
        "crowd-movement": "vsa.rules.crowd:CrowdMovement",
        "abandoned-object": "vsa.rules.objects:AbandonedObject",
        "fall": "vsa.rules.fall:Fall",
    }
)

__all__ = ["PRESETS", "RULES", "Preset", "Rule", "apply", "configured", "describe", "rule_class"]


def rule_class(key: str) -> type[Rule]:
    """Load the rule of that key.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if key not in RULES:
        raise bad_parameter(name="rule", where="vsa.rules", must="one of " + ", ".join(RULES), got=key)
    module, name = RULES[key].split(":")
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


def configured(key: str, **changes: Any) -> Rule:
    """Make the rule of a rule's or preset's key, with some parameters changed.

    Raises
    ------
    ParameterError
        If the key or a parameter is unknown, or a value lies outside its domain.

    Examples
    --------
    >>> configured("ratp-300s").dwell_s
    300.0
    >>> configured("frigate", dwell_s=20.0).inertia
    3
    """
    if key in PRESETS:
        rule, given = rule_class(PRESETS[key].rule), {**PRESETS[key].params, **changes}
    elif key in RULES:
        rule, given = rule_class(key), changes
    else:
        raise bad_parameter(name="rule", where="vsa.rules", must="one of " + ", ".join((*RULES, *PRESETS)), got=key)
    unknown = sorted(set(given) - {p["name"] for p in rule.parameters()})
    if unknown:
        raise bad_parameter(
            name=unknown[0], where=f"rule {rule.key!r}", got=given[unknown[0]],
            must="left out: it has no such parameter. It has " + ", ".join(p["name"] for p in rule.parameters()),
        )  # fmt: skip
    return rule(**given)


def apply(
    tracks: pd.DataFrame | Mapping[str, Any],
    *,
    meta: ClipMeta,
    rule: str | Rule,
    zones: Sequence[Zone] | None = None,
    lines: Sequence[Line] | None = None,
    preset: str = "",
) -> Alerts:
    """Run one rule over the tracks of one clip.

    Parameters
    ----------
    tracks : DataFrame
        Columns of :data:`contrechamp.domain.video.TRACK_COLUMNS`; within a track, frames increase.
    meta : ClipMeta
        Frame rate, length and camera; its zones and lines where none are given.
    rule : str or Rule
        Key of a rule or of a preset, or a rule with its parameters.
    zones, lines : sequence, optional
        Where to look. Without any zone a rule looks at the whole picture, under the empty name.
    preset : str, optional
        Name the alerts bear; the preset's key if ``rule`` is one.

    Returns
    -------
    Alerts
        By time, then track, then zone; each with every frame of what it counted.

    Raises
    ------
    ContractError
        If the tracks do not meet their contract.
    ParameterError
        If the rule is unknown, or cannot be computed here (a line that is missing, a zone without area).
    """
    if isinstance(rule, str):
        preset = preset or (rule if rule in PRESETS else "")
        rule = configured(rule)
    areas: Sequence[Any] = (
        (meta.lines if lines is None else lines) if rule.area == "lines" else (meta.zones if zones is None else zones)
    )
    names = [area.name for area in areas]
    if len(set(names)) < len(names):
        raise ParameterError(
            f"The {rule.area} of clip {meta.clip_id!r} must have distinct names, which alerts bear. Got "
            f"{', '.join(map(repr, names))}. Rename one."
        )
    return rule.run(check_tracks(tracks, meta), meta, areas, preset)


def describe() -> list[dict[str, Any]]:
    """Every rule and preset with all parameters, units and domains, ready for JSON; rules first."""
    rules = []
    for key in RULES:
        one = rule_class(key)
        rules.append(
            {
                "kind": "rule",
                "key": key,
                "rule": key,
                "label": {"fr": one.label.fr, "en": one.label.en},
                "subject": one.subject,
                "area": one.area,
                "unit": one.unit,
                "parameters": one.parameters(),
            }
        )
    presets = []
    for key, preset in PRESETS.items():
        made = configured(key)
        presets.append(
            {
                "kind": "preset",
                "key": key,
                "rule": preset.rule,
                "label": {"fr": preset.label.fr, "en": preset.label.en},
                "source": preset.source,
                "unknown": {"fr": preset.unknown.fr, "en": preset.unknown.en},
                "subject": made.subject,
                "area": made.area,
                "unit": made.unit,
                "parameters": [{**p, "value": getattr(made, p["name"])} for p in made.parameters()],
            }
        )
    return rules + presets
