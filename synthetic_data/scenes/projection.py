"""The truth of a script without drawing it: bodies projected, and hidden by one another on every fourth pixel.

For long scenes and many of them, where the boxes matter and the image does not. Boxes of whole bodies are those of the
renderer to a pixel or two, since the bodies are the same; what is visible of them is counted on a coarse grid.

What it cannot tell you: visibility is coarser the smaller the body, and a body of a few pixels is all or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numba
import numpy as np
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.situations import POSTURES
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    POSTURE,
    SITUATION,
    SPEED,
    SUBJECT_ID,
    T_S,
    TRUTH_COLUMNS,
    VISIBILITY,
    VISIBLE_BOX,
    VISIBLE_PX,
    SceneTruth,
    as_table,
)
from synthetic_data.scenes.backgrounds import bake
from synthetic_data.scenes.bodies import APPEARANCE_COLUMNS, accessory_bits, appearance, pose_all, posture_codes
from synthetic_data.scenes.layouts import layout
from synthetic_data.scenes.light import light_setup
from synthetic_data.scenes.raycaster import F64, FAR, I64, cast_groups, cone_span, to_camera, who_is_seen
from synthetic_data.scenes.spec import Script

_NUMBERS: Final = (X_M, Y_M, "heading_rad", SPEED, "phase", "blend", "height_over_ground_m")
#: Left things in the order in which :func:`synthetic_data.scenes.bodies.pose_all` numbers them, then a box.
_THINGS: Final = ("suitcase", "backpack", "handbag")
#: A body alone fills about this share of its box: used where the coarse grid sees nothing of it.
_FILL: Final = 0.5


def projected_truth(script: Script, *, step: int = 4) -> SceneTruth:
    """Boxes, visibility, ground positions and speeds of everyone in view, frame by frame.

    Parameters
    ----------
    script : Script
    step : int, default=4
        Pixels from one sample of visibility to the next, across and down.

    Returns
    -------
    SceneTruth
        Columns and conventions of :class:`synthetic_data.scenes.render.Rendered`: boxes lie inside the image, a row for
        each subject that would show if it were alone.

    Raises
    ------
    ParameterError
        If ``step`` is not at least 1.
    """
    if step < 1:
        raise bad_parameter(name="step", where="projected_truth", must="a whole number of at least 1", got=step)
    subjects = script.subjects
    poses = script.poses.sort_values([FRAME, SUBJECT_ID], kind="stable", ignore_index=True)
    row_of = pd.Series(np.arange(len(subjects)), index=subjects[SUBJECT_ID].to_numpy())
    who = row_of.reindex(poses[SUBJECT_ID]).to_numpy(dtype=np.int64)
    bodies = _bodies(subjects)
    numbers = np.column_stack([poses[list(_NUMBERS)].to_numpy(dtype=np.float64), bodies.size[who]])
    codes = np.column_stack([
        posture_codes(poses[POSTURE].to_numpy(dtype=object)), posture_codes(poses["posture_to"].to_numpy(dtype=object)),
        bodies.bits[who],
    ])  # fmt: skip
    eye = _Eye(script, step)
    first = np.searchsorted(poses[FRAME].to_numpy(), np.arange(script.meta.n_frames + 1))
    boxes, shown, share, pixels = (np.zeros((len(poses), 4)), np.zeros((len(poses), 4)), *np.zeros((2, len(poses))))
    for index in np.flatnonzero(np.diff(first)).tolist():
        rows = slice(int(first[index]), int(first[index + 1]))
        cones, groups = pose_all(
            numbers[rows], codes[rows], bodies.kinds[who[rows]], bodies.looks[who[rows]], index / script.meta.fps
        )
        boxes[rows], shown[rows], share[rows], pixels[rows] = eye.see(cones, groups, rows.stop - rows.start)
    keep = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    poses, who = poses[keep], who[keep]
    later = codes[keep, 1], codes[keep, 0]
    posture = np.array(POSTURES, dtype=object)[np.where(poses["blend"].to_numpy() >= 0.5, *later)]
    frames = as_table({
        FRAME: poses[FRAME].to_numpy(), T_S: poses[FRAME].to_numpy() / script.meta.fps,
        SUBJECT_ID: poses[SUBJECT_ID].to_numpy(), LABEL: subjects[LABEL].to_numpy(dtype=object)[who],
        SITUATION: subjects[SITUATION].to_numpy(dtype=object)[who], POSTURE: posture,
        **dict(zip(BOX, boxes[keep].T, strict=True)), **dict(zip(VISIBLE_BOX, shown[keep].T, strict=True)),
        VISIBLE_PX: np.round(pixels[keep]).astype(np.int64), VISIBILITY: share[keep],
        X_M: poses[X_M].to_numpy(), Y_M: poses[Y_M].to_numpy(), SPEED: poses[SPEED].to_numpy(),
    }, TRUTH_COLUMNS, what="truth")  # fmt: skip
    return SceneTruth(script.meta, frames, script.events)


@dataclass(frozen=True, slots=True)
class _Bodies:
    size: F64  # height, build
    bits: I64
    kinds: I64
    looks: F64


def _bodies(subjects: pd.DataFrame) -> _Bodies:
    carried = [str(names).split(",") for names in subjects["accessories"].fillna("")]
    kinds = [
        next((k for k, thing in enumerate(_THINGS) if thing in names), len(_THINGS)) if label == "object" else -1
        for names, label in zip(carried, subjects[LABEL], strict=True)
    ]
    looks = [
        appearance(int(seed), hi_vis="hi_vis" in names)
        for seed, names in zip(subjects["appearance_seed"], carried, strict=True)
    ]
    return _Bodies(
        subjects[["height_m", "build"]].to_numpy(dtype=np.float64),
        np.array([accessory_bits(",".join(names)) for names in carried], dtype=np.int64),
        np.array(kinds, dtype=np.int64), np.array(looks).reshape(-1, APPEARANCE_COLUMNS),
    )  # fmt: skip


class _Eye:
    """A camera that sees boxes exactly and what hides what on a coarse grid."""

    def __init__(self, script: Script, step: int) -> None:
        camera = script.meta.camera
        self.camera, self.step = camera, step
        self.axes = camera.axes()
        self.centre = np.array([camera.x_m, camera.y_m, camera.height_m])
        small = replace(
            camera, width_px=-(-camera.width_px // step), height_px=-(-camera.height_px // step),
            focal_px=camera.focal_px / step,
        )  # fmt: skip
        self.behind = bake(layout(script.spec.place), small, light_setup(script.spec), samples=1).depth
        shape = self.behind.shape
        self.near, self.which = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int32)
        self.alone_near, self.alone_which = np.full(shape, FAR), np.full(shape, -1, dtype=np.int32)
        self.mask = np.empty(shape, dtype=np.int32)
        self.reach = np.empty((shape[0], 2), dtype=np.int64)

    def see(self, cones: F64, groups: I64, n: int) -> tuple[F64, F64, F64, F64]:
        """Whole boxes, visible boxes, visible shares and visible pixels of ``n`` subjects."""
        camera, step = self.camera, self.step
        seen = to_camera(cones, self.axes, self.centre)
        boxes = np.round(_spans(seen, groups, n, camera.focal_px, float(camera.width_px), float(camera.height_px)))
        up = np.ascontiguousarray(self.axes[:, 2])
        alone, _ = cast_groups(
            seen, groups, self.behind, camera.focal_px / step, up, camera.height_m, 1, n, self.near, self.which,
            self.alone_near, self.alone_which, self.reach,
        )  # fmt: skip
        subject_of = np.repeat(groups[:, 2], groups[:, 1] - groups[:, 0])
        count, coarse = who_is_seen(self.which, self.near, self.reach, subject_of, n, 1, self.mask)
        share = np.where(alone > 0, count / np.maximum(alone, 1), 1.0)
        around = np.clip(coarse.astype(np.float64) * step, boxes[:, [0, 1, 0, 1]], boxes[:, [2, 3, 2, 3]])
        partly = (share > 0) & (share < 1) & (around[:, 2] > around[:, 0]) & (around[:, 3] > around[:, 1])
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        pixels = share * np.where(alone > 0, np.minimum(alone * step**2, area), _FILL * area)
        return boxes, np.where(partly[:, None], around, boxes), share, pixels


@numba.njit(cache=True, nogil=True)
def _spans(seen: F64, groups: I64, n: int, focal: float, width: float, height: float) -> F64:
    """Bounds in pixels, inside the image, of what each subject has in it; an empty box of one with nothing in it."""
    boxes = np.zeros((n, 4))
    boxes[:, 0], boxes[:, 1] = width, height
    for g in range(len(groups)):
        if groups[g, 2] < 0:
            continue
        box = boxes[groups[g, 2]]
        for k in range(groups[g, 0], groups[g, 1]):
            x1, y1, x2, y2 = cone_span(seen[k], focal, width / 2.0, height / 2.0)
            if x2 <= 0.0 or y2 <= 0.0 or x1 >= width or y1 >= height or x1 >= x2:
                continue
            box[0], box[1] = min(box[0], max(x1, 0.0)), min(box[1], max(y1, 0.0))
            box[2], box[3] = max(box[2], min(x2, width)), max(box[3], min(y2, height))
    return boxes
