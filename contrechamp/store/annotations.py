"""Truth in the formats that other people's tools read: MOT Challenge, YOLO labels, COCO; and back.

Boxes of MOT Challenge are the whole body, hidden parts too, as that benchmark draws them; boxes of YOLO and COCO are
what can be seen. Frames are counted from 0 here and from 1 in MOT Challenge; pixels from 0 in both, as most trackers
write them. Persons are class 1 there, objects class 8 (*distractor*), which its evaluators leave out.

What it cannot tell you: these formats have no place for a situation (COCO's attributes excepted), a position on the
ground or a speed. The tables of the clip do.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ContractError
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    LABELS,
    POSTURE,
    SITUATION,
    SUBJECT_ID,
    T_S,
    VISIBILITY,
    VISIBLE_BOX,
    VISIBLE_PX,
    ClipMeta,
    FloatArray,
    as_table,
    check_boxes,
)

_LABEL_NAME = re.compile(r"(\d{6,})\.txt")


def mot_text(frames: pd.DataFrame) -> str:
    """Truth as a ``gt.txt`` of MOT Challenge: frame, id, left, top, width, height, counted, class, visibility.

    Raises
    ------
    ContractError
        If a subject is numbered below 1: identities of MOT Challenge begin there.
    """
    if len(frames) and int(frames[SUBJECT_ID].min()) < 1:
        raise ContractError("A subject of MOT Challenge is numbered from 1. Got one numbered below.")
    ordered = frames.sort_values([FRAME, SUBJECT_ID], kind="stable")
    codes = {label: code for code, label in _MOT_LABELS.items()}
    boxes = ordered[list(BOX)].to_numpy(dtype=np.float64).tolist()
    return "".join(
        f"{frame + 1},{who},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{int(codes[label] == 1)},{codes[label]},"
        f"{v:.4f}\n"
        for frame, who, label, v, (x1, y1, x2, y2) in zip(
            ordered[FRAME], ordered[SUBJECT_ID], ordered[LABEL], ordered[VISIBILITY], boxes, strict=True
        )
    )


def read_mot(path: Path, *, meta: ClipMeta) -> pd.DataFrame:
    """Read back a ``gt.txt`` that :func:`mot_text` wrote; strictly, since it is ours.

    Other people's trackers are read by :mod:`vsa.scoring.readers`, which sets aside what it cannot use.

    Returns
    -------
    DataFrame
        ``frame``, ``t_s``, ``subject_id``, ``label``, the box, ``visibility``; by frame then subject.

    Raises
    ------
    ContractError
        If a line is not one of ours, a box is impossible, or a frame is not one of the clip.
    """
    what = f"file {path}"
    rows = [line.split(",") for line in _read_text(path).splitlines()]
    try:
        values = np.array(rows, dtype=np.float64).reshape(len(rows), 9)
        labels = [_MOT_LABELS[int(kind)] for kind in values[:, 7]]
    except (ValueError, KeyError) as cause:
        raise ContractError(
            f"A line of {path} is not: frame, id, left, top, width, height, counted, class (1 or 8), visibility "
            f"({cause})."
        ) from cause
    boxes = np.column_stack([values[:, 2:4], values[:, 2:4] + values[:, 4:6]])
    table = as_table(
        pd.DataFrame(
            {
                FRAME: values[:, 0] - 1, T_S: (values[:, 0] - 1) / meta.fps, SUBJECT_ID: values[:, 1], LABEL: labels,
                **dict(zip(BOX, boxes.T, strict=True)), VISIBILITY: values[:, 8],
            }
        ),
        _MOT_TABLE, what=what,
    )  # fmt: skip
    return check_boxes(table, what=what, n_frames=meta.n_frames)


_MOT_LABELS: Final = {1: "person", 8: "object"}
_BOX_TABLE: Final = {FRAME: "int64", LABEL: "str", **dict.fromkeys(BOX, "float64")}
_MOT_TABLE: Final = {
    FRAME: "int64", T_S: "float64", SUBJECT_ID: "int64", LABEL: "str", **dict.fromkeys(BOX, "float64"),
    VISIBILITY: "float64",
}  # fmt: skip


def yolo_texts(frames: pd.DataFrame, meta: ClipMeta) -> dict[str, str]:
    """One YOLO label file a frame, empty ones too: name → lines of class, centre, size, as shares of the image."""
    seen = frames[frames[VISIBLE_PX] > 0].sort_values([FRAME, SUBJECT_ID], kind="stable")
    size = np.array([meta.camera.width_px, meta.camera.height_px] * 2, dtype=np.float64)
    corners = (seen[list(VISIBLE_BOX)].to_numpy(dtype=np.float64) / size).clip(0, 1)
    low, high = corners[:, :2], corners[:, 2:]
    values = np.hstack([(low + high) / 2, high - low])
    lines: dict[int, list[str]] = {}
    for frame, label, (cx, cy, w, h) in zip(seen[FRAME], seen[LABEL], values.tolist(), strict=True):
        lines.setdefault(int(frame), []).append(f"{LABELS.index(label)} {cx:.6f} {cy:.6f} {w:.6f} {h:.6f}\n")
    return {f"{i:06d}.txt": "".join(lines.get(i, ())) for i in range(meta.n_frames)}


def read_yolo(folder: Path, *, meta: ClipMeta) -> pd.DataFrame:
    """Read a folder of YOLO labels: columns frame, label and the four corners in pixels.

    Raises
    ------
    ContractError
        If a file is named otherwise than ``000012.txt``, belongs to a frame that does not exist, or holds a line that
        is no box inside the image.
    """
    if not folder.is_dir():
        raise ContractError(f"{folder} is missing or is not a folder of labels.")
    size = np.array([meta.camera.width_px, meta.camera.height_px] * 2, dtype=np.float64)
    found: list[tuple[int, str, FloatArray]] = []
    for path in sorted(folder.iterdir()):
        name = _LABEL_NAME.fullmatch(path.name)
        if name is None or int(name[1]) >= meta.n_frames:
            raise ContractError(
                f"{path} labels no frame of clip {meta.clip_id!r}, which has frames 000000 to {meta.n_frames - 1:06d}. "
                "Remove it, or give the labels of this clip."
            )
        for number, line in enumerate(_read_text(path).splitlines(), start=1):
            try:
                kind, *rest = line.split()
                cx, cy, w, h = map(float, rest)
                corners = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
                label = LABELS[int(kind)] if int(kind) >= 0 else LABELS[len(LABELS)]
            except (ValueError, IndexError) as cause:
                raise ContractError(
                    f"Line {number} of {path} must be a class (0 to {len(LABELS) - 1}) and four shares. Got {line!r}."
                ) from cause
            if not (
                np.isfinite(corners).all() and (corners > -1e-5).all() and (corners < 1 + 1e-5).all() and w * h > 0
            ):
                raise ContractError(f"Line {number} of {path} is no box inside the image: {line!r}.")
            found.append((int(name[1]), label, corners.clip(0, 1) * size))
    boxes = np.array([b for _, _, b in found]).reshape(-1, 4)
    table = {FRAME: [i for i, _, _ in found], LABEL: [n for _, n, _ in found], **dict(zip(BOX, boxes.T, strict=True))}
    return as_table(table, _BOX_TABLE, what=f"labels {folder}")


def coco_of(frames: pd.DataFrame, meta: ClipMeta) -> dict[str, Any]:
    """Truth as a COCO data set; situation, posture, visibility and identity are attributes of each annotation."""
    seen = frames[frames[VISIBLE_PX] > 0].sort_values([FRAME, SUBJECT_ID], kind="stable")
    annotations = [
        {
            "id": i, "image_id": int(r[FRAME]), "category_id": LABELS.index(r[LABEL]) + 1, "iscrowd": 0,
            "area": int(r[VISIBLE_PX]),
            "bbox": [round(r[a], 3) for a in VISIBLE_BOX[:2]]
            + [round(r[b] - r[a], 3) for a, b in zip(VISIBLE_BOX[:2], VISIBLE_BOX[2:], strict=True)],
            "attributes": {
                "track_id": int(r[SUBJECT_ID]), SITUATION: r[SITUATION], POSTURE: r[POSTURE],
                VISIBILITY: round(r[VISIBILITY], 4),
            },
        }
        for i, r in enumerate(seen.to_dict("records"), start=1)
    ]  # fmt: skip
    size = {"width": meta.camera.width_px, "height": meta.camera.height_px}
    return {
        "info": {"description": f"Synthetic clip {meta.clip_id}: no person or place of the world is shown."},
        "images": [{"id": i, "file_name": f"{i:06d}.png", **size} for i in range(meta.n_frames)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(LABELS, start=1)],
        "annotations": annotations,
    }


def read_coco(path: Path, *, meta: ClipMeta) -> pd.DataFrame:
    """Read a COCO data set: columns frame, label and the four corners in pixels.

    Raises
    ------
    ContractError
        If it is no COCO file, a box is impossible, or an annotation names a frame or a class that does not exist.
    """
    what = f"file {path}"
    try:
        data = json.loads(_read_text(path))
        names = {c["id"]: c["name"] for c in data["categories"]}
        images = {i["id"] for i in data["images"]}
        rows = [(a["image_id"], names.get(a["category_id"]), *map(float, a["bbox"])) for a in data["annotations"]]
        given = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), 4)
    except (ValueError, KeyError, TypeError, RecursionError) as cause:
        raise ContractError(
            f"The {what} is no COCO data set with images, categories and annotations ({type(cause).__name__}: {cause})."
        ) from cause
    bad = [row for row in rows if row[1] not in LABELS or row[0] not in images]
    if bad:
        raise ContractError(
            f"{len(bad)} annotations of the {what} name an image or a class that it does not have (first: image "
            f"{bad[0][0]}, class {bad[0][1]})."
        )
    boxes = np.column_stack([given[:, :2], given[:, :2] + given[:, 2:]])
    table = as_table(
        {FRAME: [r[0] for r in rows], LABEL: [r[1] for r in rows], **dict(zip(BOX, boxes.T, strict=True))}, _BOX_TABLE,
        what=what,
    )  # fmt: skip
    return check_boxes(table, what=what, n_frames=meta.n_frames)


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise ContractError(f"{path} is missing or is not a file.")
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as cause:
        raise ContractError(f"{path} cannot be read as text: {cause}.") from cause
