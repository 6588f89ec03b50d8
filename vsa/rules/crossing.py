"""Line crossing, in the three ways tools count it.

``confirmed_side`` (supervision): the tested points must all lie on one side, between the two perpendiculars at the ends
of the line; a crossing is a change of the last side held for ``confirm_frames`` observations. ``segment`` (one point,
the step between two frames changes side within the line). ``touch`` (ultralytics): the step touches the line.

An alert's value is +1 from the line's left to its right, −1 the other way; supervision's "in" is −1.

What it cannot tell you: who crossed. A person who hesitates on the line, or whose track is cut there, may count several
times or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.text import Text
from contrechamp.domain.video import Alerts, ClipMeta, FloatArray, Line, Plane
from vsa.rules.base import ANCHOR_LABEL, ANCHORS, Rule, limit, need_lines, parameter
from vsa.rules.collect import Fired, collect
from vsa.rules.kernels_lazy import kernels
from vsa.rules.tracks import Checked, Tracks, anchored

METHODS: Final = ("confirmed_side", "segment", "touch")
DIRECTIONS: Final = ("both", "positive", "negative")


@dataclass(frozen=True)
class Crossing(Rule):
    """A person crosses a line; see the module."""

    key: ClassVar[str] = "crossing"
    label: ClassVar[Text] = Text(fr="franchissement de ligne", en="line crossing")
    area: ClassVar[Literal["zones", "lines"]] = "lines"
    unit: ClassVar[str] = "direction"

    method: Literal["confirmed_side", "segment", "touch"] = parameter(
        "segment", "", "ce qui vaut franchissement", "what counts as a crossing", choices=METHODS
    )
    anchor: Literal["bottom_center", "center", "ground", "corners"] = parameter(
        "ground", "", ANCHOR_LABEL.fr + ", ou ses quatre coins", ANCHOR_LABEL.en + ", or its four corners",
        choices=(*ANCHORS, "corners"),
    )  # fmt: skip
    confirm_frames: int = parameter(
        1, "frames", "images de l’autre côté (confirmed_side)", "frames on the other side (confirmed_side)", low=1
    )
    direction: Literal["both", "positive", "negative"] = parameter(
        "both", "", "sens qui alerte", "direction that raises an alert", choices=DIRECTIONS
    )
    once_ever: bool = parameter(
        False, "", "une seule fois par piste (segment, touch)", "once per track (segment, touch)"
    )
    rearm_s: float = parameter(
        0.0, "s", "délai entre deux franchissements (segment, touch)", "delay between two crossings (segment, touch)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.anchor == "corners" and self.method != "confirmed_side":
            raise ParameterError(
                f"Rule 'crossing' tests four corners only with method 'confirmed_side'. Got {self.method!r}. Choose "
                "the anchor bottom_center, center or ground."
            )

    def run(self, checked: Checked, meta: ClipMeta, areas: Sequence[Line], preset: str) -> Alerts:
        """Alerts of each person over each line."""
        tracks = checked.of(self.subject)
        found = []
        for line in need_lines(areas, rule=self.key):
            one = (
                self._confirmed(tracks, line, meta)
                if self.method == "confirmed_side"
                else self._step(tracks, line, meta)
            )
            wanted = one.value > 0 if self.direction == "positive" else one.value < 0
            keep = np.ones(len(one.value), dtype=np.bool_) if self.direction == "both" else wanted
            found.append(
                Fired(
                    line.name,
                    tracks,
                    one.state,
                    one.clock_s,
                    one.inside,
                    one.fired[keep],
                    one.since[keep],
                    one.value[keep],
                    0.0,
                )
            )
        return collect(found, rule=self.key, preset=preset, unit=self.unit)

    def _step(self, tracks: Tracks, line: Line, meta: ClipMeta) -> Fired:
        points, ends, up = self._points(tracks, line, meta)
        fired, since, sign = kernels().segments(
            tracks.first, tracks.t_s, tracks.seen, np.ascontiguousarray(points[0]), ends.ravel(), up,
            self.method == "touch", self.once_ever, limit(self.rearm_s),
        )  # fmt: skip
        state = np.zeros(len(tracks), dtype=np.int8)
        state[fired] = 3
        clock = np.zeros(len(tracks))
        clock[fired] = tracks.t_s[fired] - tracks.t_s[since]
        right = np.asarray(_turn(points, ends)[0] * up <= 0, dtype=np.bool_)
        return Fired(line.name, tracks, state, clock, right, fired, since, sign, 0.0)

    def _confirmed(self, tracks: Tracks, line: Line, meta: ClipMeta) -> Fired:
        points, ends, up = self._points(tracks, line, meta)
        along = (points - ends[0]) @ (ends[1] - ends[0])
        length2 = float(((ends[1] - ends[0]) ** 2).sum())
        within = ((along >= 0) & (along <= length2)).all(axis=0)
        left = _turn(points, ends) * up > 0
        state, run, fired, since, sign = kernels().sides(
            tracks.first, tracks.frame, tracks.seen, within, left.any(axis=0), (~left).any(axis=0), self.confirm_frames
        )
        right = np.asarray(~left.any(axis=0), dtype=np.bool_)
        return Fired(line.name, tracks, state, run / meta.fps, right, fired, since, sign, 0.0)

    def _points(self, tracks: Tracks, line: Line, meta: ClipMeta) -> tuple[FloatArray, FloatArray, float]:
        """Tested points (n_anchors, n, 2), the line's ends on their plane, and the sign that makes left positive."""
        plane: Plane = line.plane
        ends = np.array([line.start, line.end], dtype=np.float64)
        if self.anchor != "corners":
            return anchored(tracks, self.anchor, plane=plane, meta=meta)[None], ends, 1.0 if plane == "ground" else -1.0
        if plane == "ground":
            ends = meta.camera.project(np.column_stack([ends, np.zeros(2)]))[0]
            if not np.isfinite(ends).all():
                raise ParameterError(
                    f"Line {line.name!r} passes behind the camera: it cannot be drawn on the image, where corners of "
                    "boxes are tested. Choose the anchor ground."
                )
        box = tracks.box_px
        return np.stack([box[:, [0, 1]], box[:, [2, 1]], box[:, [0, 3]], box[:, [2, 3]]]), ends, -1.0


def _turn(points: FloatArray, ends: FloatArray) -> FloatArray:
    (ax, ay), (bx, by) = ends
    return np.asarray((bx - ax) * (points[..., 1] - ay) - (by - ay) * (points[..., 0] - ax))
