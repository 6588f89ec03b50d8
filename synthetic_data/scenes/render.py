"""A script seen by its camera: the image of each frame and, from the same samples, its exact truth.

What it cannot tell you: bodies cast shadows on the ground, not on walls nor on each other, and a camera this clean does
not exist. What a detector does here bounds nothing about a street; differences between two situations drawn by the same
renderer are what it is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import ContractError, bad_parameter
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
    Image,
)  # fmt: skip
from synthetic_data.scenes.backgrounds import bake
from synthetic_data.scenes.bodies import accessory_bits, appearance, pose_all, posture_codes
from synthetic_data.scenes.layouts import layout
from synthetic_data.scenes.light import light_setup, veil_image
from synthetic_data.scenes.raycaster import (
    F64,
    FAR,
    I64,
    cast_groups,
    mix,
    to_camera,
    who_is_seen,
)  # fmt: skip
from synthetic_data.scenes.shading import cast_shadows, develop, rain_streaks, shade_bodies
from synthetic_data.scenes.spec import Script

_NUMBERS = (X_M, Y_M, "heading_rad", SPEED, "phase", "blend", "height_over_ground_m")
_POSTURES = pd.array(list(POSTURES), dtype="str")
_THINGS = ("suitcase", "backpack", "handbag")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One frame.

    Attributes
    ----------
    image : ndarray of shape (height, width, 3)
        RGB, uint8.
    ids : ndarray of shape (height, width)
        Subject of each pixel, int32: the one that holds at least half of its samples; 0 none.
    truth : DataFrame
        Columns of :data:`contrechamp.domain.video.TRUTH_COLUMNS`, one row for each subject that would show in the image
        if it were alone. Boxes are around pixels and lie inside the image. ``visibility`` compares pixels inside the
        image: what the border cuts off is not counted as hidden. Of a subject entirely hidden, ``visible_px`` is 0 and
        the visible box repeats the amodal one.
    """

    image: Image
    ids: npt.NDArray[np.int32]
    truth: pd.DataFrame


class Renderer:
    """Draws the frames of one script, in any order.

    Parameters
    ----------
    script : Script
        Subjects have distinct positive identifiers.
    samples : int, default=2
        Samples along each side of a pixel, 1 to 4.

    Raises
    ------
    ParameterError
        If ``samples`` is out of range.
    ContractError
        If a pose is not finite, or names a subject or a posture that does not exist.

    Notes
    -----
    A wheelchair, a suitcase, a bag, a blanket belong to the body that holds them. A pram and goods laid out belong to
    nobody: they are drawn, they hide, they have no identifier. While an object lies on the ground, its owner holds none
    of its kind.

    The place is drawn once, on construction.
    """

    def __init__(self, script: Script, *, samples: int = 2) -> None:
        if samples not in (1, 2, 3, 4):
            raise bad_parameter(name="samples", where="Renderer", must="1, 2, 3 or 4", got=samples)
        self.script = script
        self.samples = samples
        self.camera = script.meta.camera
        self._subjects = _checked_subjects(script.subjects)
        self._poses = _checked_poses(script.poses, self._subjects)
        self._setup = light_setup(script.spec)
        self._ground = bake(
            layout(script.spec.place), self.camera, self._setup, samples=samples, wet=min(1.0, 2.0 * script.spec.rain)
        )
        self._veil = veil_image(self._setup, self.camera)
        self._axes = self.camera.axes()
        self._centre = np.array([self.camera.x_m, self.camera.y_m, self.camera.height_m])
        h, w = self.camera.height_px, self.camera.width_px
        fine = (h * samples, w * samples)
        self._near, self._which = np.empty(fine, dtype=np.float32), np.empty(fine, dtype=np.int32)
        self._alone_near, self._alone_which = np.full(fine, FAR), np.full(fine, -1, dtype=np.int32)
        self._reach = np.empty((h, 2), dtype=np.int64)
        self._body = np.empty((h, w, 4), dtype=np.float32)
        self._lit, self._contact, self._streaks = (np.zeros((h, w), dtype=np.float32) for _ in range(3))
        self._first = np.searchsorted(self._poses.frame, np.arange(script.meta.n_frames + 1))

    def frame(self, index: int) -> Rendered:
        """Draw one frame.

        Raises
        ------
        ParameterError
            If the script has no such frame.
        """
        n_frames = self.script.meta.n_frames
        if not 0 <= index < n_frames:
            raise bad_parameter(name="index", where="Renderer.frame", must=f"in 0..{n_frames - 1}", got=index)
        rows = slice(int(self._first[index]), int(self._first[index + 1]))
        poses, subject = self._poses, self._poses.subject[rows]
        everybody = self._subjects
        t_s = index / self.script.meta.fps
        numbers = np.column_stack([poses.numbers[rows], everybody.size[subject]])
        bits = everybody.bits[subject]
        for thing in subject[everybody.owner[subject] >= 0]:  # what lies on the ground is no longer in a hand
            bits[subject == everybody.owner[thing]] &= ~everybody.bits[thing]
        codes = np.column_stack([poses.codes[rows], bits])
        cones, groups = pose_all(numbers, codes, everybody.kind[subject], everybody.looks[subject], t_s)
        ids, truth = self._draw(index, rows, cones, groups)
        image = self._develop(index)
        return Rendered(image, ids, truth)

    def _draw(self, index: int, rows: slice, cones: F64, groups: I64) -> tuple[npt.NDArray[np.int32], pd.DataFrame]:
        """Cast the bodies, light them, cast their shadows; who is seen where."""
        n, camera, setup, ground = rows.stop - rows.start, self.camera, self._setup, self._ground
        up = np.ascontiguousarray(self._axes[:, 2])
        seen = to_camera(cones, self._axes, self._centre)
        full_px, full_box = cast_groups(
            seen, groups, ground.depth, camera.focal_px, up, camera.height_m, self.samples, n, self._near, self._which,
            self._alone_near, self._alone_which, self._reach,
        )  # fmt: skip
        sizes = groups[:, 1] - groups[:, 0]
        subject_of, beside = np.repeat(groups[:, 2], sizes), np.repeat(groups[:, 3], sizes)
        who = np.empty((camera.height_px, camera.width_px), dtype=np.int32)
        visible_px, visible_box = who_is_seen(self._which, self._near, self._reach, subject_of, n, self.samples, who)

        at = np.column_stack([self._poses.numbers[rows][:, :2], np.ones(n)])
        towards, key_rgb = setup.on_bodies(at)
        shade_bodies(
            seen, beside, self._which, self._near, self._reach, camera.focal_px, self.samples, up, camera.height_m,
            towards @ self._axes.T, key_rgb, setup.sky_rgb, setup.bounce_rgb, self._body,
        )  # fmt: skip
        self._lit[:] = 1.0
        self._contact[:] = 1.0
        where = (ground.ground_x, ground.ground_y, self._axes, self._centre, camera.focal_px)
        cast_shadows(cones, towards[beside], setup.soft_m, setup.soft_per_m, 1e9, *where, self._lit)
        straight = np.tile([0.0, 0.0, 1.0], (len(cones), 1))
        cast_shadows(cones, straight, 0.35, 0.0, 0.3, *where, self._contact)
        self._contact *= 0.45
        self._contact += 0.55

        subject = self._poses.subject[rows]
        ids = np.concatenate([self._subjects.ids[subject], [0]]).astype(np.int32)[who]
        return ids, self._truth(index, rows, full_px, full_box, visible_px, visible_box)

    def _develop(self, index: int) -> Image:
        spec, setup, ground = self.script.spec, self._setup, self._ground
        seed = mix((spec.seed * 2654435761 + index * 40503) & 0xFFFFFFFF)
        rain_streaks(spec.rain, seed, self.camera.focal_px, self._streaks)
        drops = 0.55 * setup.sky_low_rgb + 0.5 * setup.lamp_rgb
        image = np.empty((self.camera.height_px, self.camera.width_px, 3), dtype=np.uint8)
        develop(
            ground.open_rgb, ground.shaded_rgb, self._lit, self._contact, self._body, self._veil, self._streaks, drops,
            setup.noise, seed, image,
        )  # fmt: skip
        return image

    def _truth(
        self, index: int, rows: slice, full_px: I64, full_box: I64, visible_px: I64, visible_box: I64
    ) -> pd.DataFrame:
        keep = full_px > 0
        poses, subject = self._poses, self._poses.subject[rows][keep]
        numbers = poses.numbers[rows][keep]
        shown = np.where(visible_px[:, None] > 0, visible_box, full_box)[keep].astype(np.float64)
        whole = full_box[keep].astype(np.float64)
        halfway = numbers[:, 5] >= 0.5
        names = np.where(halfway[:, None], poses.codes[rows][keep][:, 1:2], poses.codes[rows][keep][:, :1])[:, 0]
        data = {
            FRAME: np.full(len(subject), index),
            T_S: np.full(len(subject), index / self.script.meta.fps),
            SUBJECT_ID: self._subjects.ids[subject],
            LABEL: self._subjects.label.take(subject),
            SITUATION: self._subjects.situation.take(subject),
            POSTURE: _POSTURES.take(names),
            **dict(zip(BOX, whole.T, strict=True)),
            **dict(zip(VISIBLE_BOX, shown.T, strict=True)),
            VISIBLE_PX: visible_px[keep],
            VISIBILITY: visible_px[keep] / full_px[keep],
            X_M: numbers[:, 0],
            Y_M: numbers[:, 1],
            SPEED: numbers[:, 3],
        }
        return pd.DataFrame(data, columns=list(TRUTH_COLUMNS), copy=False)


def render_frames(script: Script) -> Iterator[Rendered]:
    """Every frame of a script, in order."""
    renderer = Renderer(script)
    for index in range(script.meta.n_frames):
        yield renderer.frame(index)


@dataclass(frozen=True, slots=True)
class _Subjects:
    ids: I64
    label: ExtensionArray
    situation: ExtensionArray
    size: F64  # height, build
    bits: I64
    kind: I64
    owner: I64  # row, -1 if none
    looks: F64


@dataclass(frozen=True, slots=True)
class _Poses:
    frame: I64
    subject: I64  # row in _Subjects
    numbers: F64
    codes: I64


def _checked_subjects(table: pd.DataFrame) -> _Subjects:
    ids = table[SUBJECT_ID].to_numpy(dtype=np.int64)
    if len(np.unique(ids)) != len(ids) or (ids <= 0).any() or (ids > 2**31 - 1).any():
        raise ContractError(
            "Subjects of a scene must have distinct identifiers from 1 to 2147483647: 0 is nobody in the mask. Write "
            "the script again."
        )
    size = table[["height_m", "build"]].to_numpy(dtype=np.float64)
    if not (np.isfinite(size) & (size > 0)).all():
        raise ContractError("The height and build of every subject must be positive numbers. Write the script again.")
    names = table["accessories"].fillna("").to_numpy(dtype=object)
    labels = table[LABEL].to_numpy(dtype=object)
    seeds = table["appearance_seed"].to_numpy(dtype=np.int64)
    kinds = np.full(len(ids), -1, dtype=np.int64)
    row_of = {int(number): row for row, number in enumerate(ids)}
    owners = np.array([row_of.get(int(owner), -1) for owner in table["owner_id"]], dtype=np.int64)
    for i in np.flatnonzero(labels == "object"):
        held = [k for k, name in enumerate(_THINGS) if name in str(names[i]).split(",")]
        kinds[i] = held[0] if held else mix(int(seeds[i]) & 0xFFFFFFFF) % 4
    looks = [
        appearance(int(seed), hi_vis="hi_vis" in str(name).split(",")) for seed, name in zip(seeds, names, strict=True)
    ]
    return _Subjects(
        ids, table[LABEL].astype("str").array, table[SITUATION].astype("str").array, size,
        np.array([accessory_bits(str(name)) for name in names], dtype=np.int64), kinds, owners,
        np.array(looks).reshape(len(ids), appearance(0).size),
    )  # fmt: skip


def _checked_poses(table: pd.DataFrame, subjects: _Subjects) -> _Poses:
    table = table.sort_values([FRAME, SUBJECT_ID], kind="stable")
    numbers = table[list(_NUMBERS)].to_numpy(dtype=np.float64)
    bad = ~np.isfinite(numbers).all(axis=1)
    if bad.any():
        first = table[bad].iloc[0]
        raise ContractError(
            f"{int(bad.sum())} poses are not finite, the first of subject {first[SUBJECT_ID]} in frame {first[FRAME]}. "
            "A body cannot be drawn nowhere: leave the row out, or mend the script."
        )
    order = np.argsort(subjects.ids, kind="stable")
    who = table[SUBJECT_ID].to_numpy(dtype=np.int64)
    at = np.searchsorted(subjects.ids[order], who)
    known = at < len(order)
    known[known] = subjects.ids[order][at[known]] == who[known]
    postures = table[[POSTURE, "posture_to"]].to_numpy(dtype=object)
    strange = sorted({str(p) for p in postures.ravel()} - set(POSTURES))
    if not known.all() or strange:
        what = f"subject {who[~known][0]}" if not known.all() else f"posture {strange[0]!r}"
        raise ContractError(
            f"The poses name {what}, which does not exist. Postures are {', '.join(POSTURES)}; subjects are listed "
            "beside the poses."
        )
    codes = np.column_stack([posture_codes(postures[:, 0]), posture_codes(postures[:, 1])])
    return _Poses(table[FRAME].to_numpy(dtype=np.int64), order[at] if len(at) else at, numbers, codes)
