"""The detector of 2005: gradients in a window, weighed by a linear classifier that came with OpenCV.

Its weights were learned from photographs of upright pedestrians, years before this project, and it was never trained on
a drawn scene. That makes it the one really existing detector here, and a bad one by today's measure.

What it cannot tell you: how today's products see. It finds upright people as tall as its window and little else, by
construction.

References
----------
.. [1] Dalal & Triggs (2005), "Histograms of oriented gradients for human detection", CVPR,
   doi:10.1109/CVPR.2005.177.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, Final

import numpy as np

from contrechamp.domain.errors import CapabilityError
from contrechamp.domain.video import Detections, Image
from vsa.detectors.base import best_boxes, check_frames, check_number, clip_boxes

_WINDOW: Final = (64, 128)
#: A person takes this share of the window's width and height: the rest is margin of the published training images.
_BODY: Final = (0.55, 0.78)
_STRIDE: Final = (8, 8)
_PADDING: Final = (16, 16)
_PYRAMID: Final = 1.05


class Hog:
    """OpenCV's people detector at fixed parameters, overlapping boxes merged by :func:`~vsa.detectors.base.best_boxes`.

    Parameters
    ----------
    enlarge : float, default=2.0
        The image is enlarged first, so that people of 48 pixels reach the window's 96.
    threshold : float, default=0.0
        Least margin of the classifier.
    iou : float, default=0.3
        Overlap above which the weaker of two boxes goes.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    CapabilityError
        If this OpenCV has no such detector (it left in version 5).
    """

    needs_frames: ClassVar[bool] = True

    def __init__(self, *, enlarge: float = 2.0, threshold: float = 0.0, iou: float = 0.3) -> None:
        self._enlarge = check_number(enlarge, name="enlarge", where="Hog", low=0.5, high=8.0)
        self._threshold = check_number(threshold, name="threshold", where="Hog", low=-5.0, high=5.0)
        self._iou = check_number(iou, name="iou", where="Hog", low=0.0, high=1.0)
        try:
            cv2: Any = import_module("cv2")
        except ImportError as cause:
            raise CapabilityError(f"OpenCV could not be imported: {cause}. Install the project again.") from cause
        if not hasattr(cv2, "HOGDescriptor"):
            raise CapabilityError(
                f"OpenCV {cv2.__version__} has no HOG people detector: it left in version 5. Install opencv-python<5."
            )
        self._cv2 = cv2
        self._descriptor = cv2.HOGDescriptor()
        self._descriptor.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def detect(self, frames: Sequence[Image], *, indices: Sequence[int]) -> list[Detections]:
        """Persons in each frame; a score is the margin squeezed into (0, 1).

        Raises
        ------
        ContractError
            See :meth:`vsa.detectors.base.Detector.detect`.
        """
        check_frames(frames, indices)
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Image) -> Detections:
        height, width = frame.shape[:2]
        gray = self._cv2.cvtColor(np.ascontiguousarray(frame), self._cv2.COLOR_RGB2GRAY)
        large = self._cv2.resize(gray, None, fx=self._enlarge, fy=self._enlarge, interpolation=self._cv2.INTER_LINEAR)
        short = [max(0, need - got) for need, got in zip(_WINDOW[::-1], large.shape, strict=True)]
        large = self._cv2.copyMakeBorder(large, 0, short[0], 0, short[1], self._cv2.BORDER_REPLICATE)
        found, margins = self._descriptor.detectMultiScale(
            large, hitThreshold=self._threshold, winStride=_STRIDE, padding=_PADDING, scale=_PYRAMID, groupThreshold=0
        )
        if len(found) == 0:
            return Detections.empty()
        windows = np.asarray(found, dtype=np.float64).reshape(-1, 4) / self._enlarge
        centre = windows[:, :2] + windows[:, 2:] / 2
        half = windows[:, 2:] * np.array(_BODY) / 2
        boxes, inside = clip_boxes(np.hstack([centre - half, centre + half]), width_px=width, height_px=height)
        scores = 1.0 / (1.0 + np.exp(-np.asarray(margins, dtype=np.float64).reshape(-1)))
        labels = np.zeros(len(boxes), dtype=np.int64)
        return Detections(*best_boxes(boxes[inside], scores[inside], labels[inside], iou=self._iou, limit=300))

    def get_params(self) -> dict[str, Any]:
        """Parameters."""
        return {"enlarge": self._enlarge, "threshold": self._threshold, "iou": self._iou}
