"""The public half of a clip's sidecar as JSON: written to the last digit, read strictly.

A sidecar says where the zones are and how the camera stands: a number misread there moves every alert. So every key is
required, no other is taken, and a number is a number.

What it cannot tell you: whether the camera described is the one that filmed.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.video import Camera, ClipMeta, Line, Zone

SCHEMA: Final = "contrechamp.clip/1"


def sidecar_text(meta: ClipMeta, files: Mapping[str, tuple[int, str]]) -> str:
    """The sidecar as JSON, numbers to their last digit."""
    body = {
        "schema": SCHEMA, **{k: v for k, v in dataclasses.asdict(meta).items() if k not in ("zones", "lines")},
        "zones": [{"name": z.name, "plane": z.plane, "points": z.points} for z in meta.zones],
        "lines": [{"name": x.name, "plane": x.plane, "start": x.start, "end": x.end} for x in meta.lines],
        "files": {name: {"bytes": size, "sha256": digest} for name, (size, digest) in files.items()},
    }  # fmt: skip
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def read_sidecar(path: Path) -> tuple[ClipMeta, dict[str, tuple[int, str]]]:
    """Read a sidecar strictly: every key, no other, each of its type, every number finite.

    Raises
    ------
    ContractError
        Names the key at fault.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, OSError, RecursionError) as cause:
        raise ContractError(
            f"{path} cannot be read as the JSON of a sidecar: {cause}. Render the clip again."
        ) from cause
    if isinstance(data, dict) and data.get("schema", SCHEMA) != SCHEMA:
        raise ContractError(f"{path} follows {data['schema']!r}, and this version reads {SCHEMA!r}. Render it again.")
    _take(data, _META_KEYS, where=str(path))
    _take(data["camera"], _CAMERA_KEYS, where=f"{path}, camera")
    try:
        meta = ClipMeta(
            clip_id=data["clip_id"], fps=float(data["fps"]), n_frames=data["n_frames"], camera=Camera(**data["camera"]),
            zones=tuple(_zone(z, where=f"{path}, zone {i}") for i, z in enumerate(data["zones"])),
            lines=tuple(_line(x, where=f"{path}, line {i}") for i, x in enumerate(data["lines"])),
            light=data["light"], place=data["place"], seed=data["seed"],
        )  # fmt: skip
    except ParameterError as cause:
        raise ContractError(f"{path} describes no camera that could be: {cause}") from cause
    files = {}
    for name, entry in data["files"].items():
        _take(entry, {"bytes": int, "sha256": str}, where=f"{path}, file {name}")
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ContractError(f"{path} names a file outside its folder: {name!r}.")
        files[name] = (entry["bytes"], entry["sha256"])
    return meta, files


_META_KEYS: Final[Mapping[str, type]] = {
    "schema": str, "clip_id": str, "fps": float, "n_frames": int, "camera": dict, "zones": list, "lines": list,
    "light": str, "place": str, "seed": int, "files": dict,
}  # fmt: skip
_CAMERA_KEYS: Final[Mapping[str, type]] = {
    "width_px": int, "height_px": int, "focal_px": float, "height_m": float, "pitch_deg": float, "yaw_deg": float,
    "x_m": float, "y_m": float,
}  # fmt: skip


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _take(data: Any, kinds: Mapping[str, type], *, where: str) -> None:
    """Refuse what is not an object with exactly these keys and types; a whole number is a number too."""
    if not isinstance(data, dict):
        raise ContractError(f"{where} must be an object. Got {type(data).__name__}.")
    lacking, strange = [k for k in kinds if k not in data], [k for k in data if k not in kinds]
    if lacking or strange:
        said = [f"lacks {', '.join(lacking)}"] if lacking else []
        said += [f"has an unknown {', '.join(map(repr, strange))}"] if strange else []
        raise ContractError(f"{where} {' and '.join(said)}. Its keys are {', '.join(kinds)}.")
    for key, kind in kinds.items():
        value: Any = data[key]
        allowed = (int, float) if kind is float else (kind,)
        if (
            not isinstance(value, allowed)
            or isinstance(value, bool)
            or (isinstance(value, float) and not math.isfinite(value))
        ):
            raise ContractError(f"{where}: {key} must be a {_KINDS[kind]}. Got {value!r}.")


_KINDS: Final[Mapping[type, str]] = {
    str: "text", int: "whole number", float: "finite number", dict: "JSON object", list: "list"
}  # fmt: skip


def _zone(data: Any, *, where: str) -> Zone:
    _take(data, {"name": str, "plane": str, "points": list}, where=where)
    return Zone(data["name"], tuple(_point(p, where) for p in data["points"]), _plane(data["plane"], where))


def _line(data: Any, *, where: str) -> Line:
    _take(data, {"name": str, "plane": str, "start": list, "end": list}, where=where)
    return Line(data["name"], _point(data["start"], where), _point(data["end"], where), _plane(data["plane"], where))


def _point(value: Any, where: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ContractError(f"{where}: a point must be two numbers. Got {value!r}.")
    x, y = value
    _take({"x": x, "y": y}, {"x": float, "y": float}, where=where)
    return float(x), float(y)


def _plane(value: str, where: str) -> Any:
    if value not in ("image", "ground"):
        raise ContractError(f"{where}: plane must be 'image' or 'ground'. Got {value!r}.")
    return value
