"""A perfect detector: it is told where everybody is.

The first rung of the ladder. What a rule does with boxes that nobody can contest is the rule's own doing, which no
better detector would mend.

What it cannot tell you: anything about a detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal, get_args

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    LABELS,
    SCORE,
    SUBJECT_ID,
    VISIBILITY,
    VISIBLE_BOX,
    Detections,
    Image,
)
from vsa.detectors.base import check_frames, check_number, clip_boxes

Extent = Literal["amodal", "visible"]
_COLUMNS: Final = {"amodal": BOX, "visible": VISIBLE_BOX}


class Oracle:
    """True boxes of those who show enough of themselves, score 1.

    Parameters
    ----------
    truth : DataFrame
        The columns ``frame``, ``subject_id``, ``label``, ``visibility`` and the boxes asked for; any other is ignored,
        the situation among them.
    width_px, height_px : int
        Of the image, to cut boxes at its edges.
    boxes : {"amodal", "visible"}, default="amodal"
        The whole body, or the pixels that show.
    min_visibility : float, default=0.1
        Least share of the body that shows, in [0, 1]. At 0, those wholly hidden are seen too.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    ContractError
        If a column is missing or a label unknown.
    """

    needs_frames: ClassVar[bool] = False

    def __init__(
        self, truth: pd.DataFrame, *, width_px: int, height_px: int, boxes: Extent = "amodal",
        min_visibility: float = 0.1,
    ) -> None:  # fmt: skip
        where = type(self).__name__
        if boxes not in get_args(Extent):
            raise bad_parameter(name="boxes", where=where, must="amodal or visible", got=boxes)
        self._width = check_number(width_px, name="width_px", where=where, low=1, high=1e6, whole=True)
        self._height = check_number(height_px, name="height_px", where=where, low=1, high=1e6, whole=True)
        self._boxes: Extent = boxes
        self._least = check_number(min_visibility, name="min_visibility", where=where, low=0.0, high=1.0)
        self._shown = self._shape(self._seen(self._read(truth)))

    def _read(self, truth: pd.DataFrame) -> pd.DataFrame:
        names = [FRAME, SUBJECT_ID, LABEL, VISIBILITY, *_COLUMNS[self._boxes]]
        missing = [c for c in names if c not in truth]
        if missing:
            raise ContractError(
                f"The truth given to {type(self).__name__} lacks {', '.join(missing)}. It needs {', '.join(names)}."
            )
        table = truth[names].sort_values([FRAME, SUBJECT_ID], kind="stable").reset_index(drop=True)
        table.columns = pd.Index([FRAME, SUBJECT_ID, LABEL, VISIBILITY, *BOX])
        table[LABEL] = table[LABEL].map({name: i for i, name in enumerate(LABELS)}).fillna(-1).astype(np.int64)
        if (table[LABEL] < 0).any():
            raise ContractError(f"The truth given to {type(self).__name__} has a label that is none of {LABELS}.")
        return table

    def _seen(self, table: pd.DataFrame) -> pd.DataFrame:
        enough = table[VISIBILITY].to_numpy() >= self._least
        finite = np.isfinite(table[list(BOX)].to_numpy(dtype=np.float64)).all(axis=1)
        kept: pd.DataFrame = table.loc[enough & finite]
        return kept

    def _shape(self, table: pd.DataFrame) -> dict[int, Detections]:
        boxes, inside = clip_boxes(
            table[list(BOX)].to_numpy(dtype=np.float64), width_px=self._width, height_px=self._height
        )
        boxes, table = boxes[inside], table[inside]
        labels = table[LABEL].to_numpy(dtype=np.int64)
        scores = table[SCORE].to_numpy(dtype=np.float64) if SCORE in table else np.ones(len(table))
        frames, first, count = np.unique(table[FRAME].to_numpy(), return_index=True, return_counts=True)
        return {
            int(f): Detections(boxes[a:b], scores[a:b], labels[a:b])
            for f, a, b in zip(frames, first, first + count, strict=True)
        }

    def detect(self, frames: Sequence[Image], *, indices: Sequence[int]) -> list[Detections]:
        """The boxes of each of ``indices``; ``frames`` may be empty.

        Raises
        ------
        ContractError
            See :meth:`vsa.detectors.base.Detector.detect`.
        """
        check_frames(frames, indices, needed=False)
        return [self._shown.get(int(i), Detections.empty()) for i in indices]

    def get_params(self) -> dict[str, Any]:
        """Parameters, without the truth."""
        return {
            "width_px": self._width, "height_px": self._height, "boxes": self._boxes, "min_visibility": self._least,
        }  # fmt: skip
