"""Which worlds the report shows first, and in which order: shared by its tables and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import typeset
from contrechamp.domain.text import Lang, Text

#: Safeguards of E28, from none to the strictest.
SAFEGUARDS: Final = ("none", "preregistered", "holm", "benjamini-hochberg", "locked_year")


def alert_world(facts: Facts) -> Row | None:
    """World the dispute is read in: the anchor's number of cameras, every event detected."""
    rows = facts.rows("E12", "ppv", **{"class": "seen-2015"})
    if not rows:
        return None
    cameras = sorted({r["world"]["cameras"] for r in rows})
    sensitivity = max(r["world"]["sensitivity"] for r in rows)
    return {"class": "seen-2015", "cameras": 864 if 864 in cameras else cameras[0], "sensitivity": sensitivity}


def world_short(world: Mapping[str, float], lang: Lang) -> str:
    """Short name of a world on the axis."""
    short = {
        "kappa": "κ = {}",
        "recorded_share": Text(fr="enreg. {}", en="rec. {}").in_(lang),
        "recording_bias": Text(fr="biais {}", en="bias {}").in_(lang),
        "turnover": Text(fr="renouv. {}", en="turnover {}").in_(lang),
        "latent_per_day": Text(fr="{} / jour", en="{} / day").in_(lang),
    }
    order = [k for k in ("latent_per_day", "turnover", "kappa", "recorded_share", "recording_bias") if k in world]
    world = {k: world[k] for k in (*order, *(k for k in world if k not in order))}
    pieces = [short.get(k, f"{k} {{}}").format(value_name(k, float(v), lang)) for k, v in world.items()]
    return typeset(", ".join(pieces), lang)


def ordered_worlds(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Worlds of some results, area left out: most incidents first, then by turnover, contagion and bias."""
    found = {tuple(sorted((k, v) for k, v in r["world"].items() if k != "area")) for r in rows}
    worlds = [dict(world) for world in found]

    def key(world: Mapping[str, float]) -> tuple[float, ...]:
        named = (-world.get("latent_per_day", 0), world.get("turnover", 0), world.get("kappa", 0))
        return (*named, *(world[k] for k in sorted(world)))

    return sorted(worlds, key=key)


def usual_share(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """The recorded share nearest to the tender's, 822 records a day for 2,700 incidents; None where none is named."""
    shares = {float(r["world"]["recorded_share"]) for r in rows if "recorded_share" in r["world"]}
    return min(shares, key=lambda s: abs(s - 822 / 2700)) if shares else None
