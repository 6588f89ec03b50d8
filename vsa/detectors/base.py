"""What every detector promises, and the checks and sums that they share.

The contract, held by one suite of tests over the whole table: one set of detections a frame, in order; a batch gives
what its frames give one by one; the same call twice gives the same boxes; every box lies inside its image; a frame that
is not ``uint8 (height, width, 3)`` is refused.

What it cannot tell you: a score is an order of confidence, not a probability of being a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from numba import njit

from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.video import Detections, FloatArray, Image

IntArray = npt.NDArray[np.int64]


@runtime_checkable
class Detector(Protocol):
    """What turns frames into boxes.

    Attributes
    ----------
    needs_frames : bool
        False for the oracles: they look up ``indices`` and the frames may be empty.
    """

    needs_frames: ClassVar[bool]

    def __init__(self, *args: Any, **params: Any) -> None: ...

    def detect(self, frames: Sequence[Image], *, indices: Sequence[int]) -> list[Detections]:
        """One set of detections for each of ``indices``, the numbers of the frames in their clip.

        Raises
        ------
        ContractError
            If a frame is not an image, or there are not as many frames as indices.
        """
        ...

    def get_params(self) -> dict[str, Any]:
        """Parameters, as what JSON knows."""
        ...


def check_frames(frames: Sequence[Image], indices: Sequence[int], *, needed: bool = True) -> None:
    """Refuse what is not one image for each index.

    Raises
    ------
    ContractError
        Names the first frame at fault, what it is and what it should be.
    """
    if any(not isinstance(i, int | np.integer) or i < 0 for i in indices):
        raise ContractError(f"The index of a frame must be a whole number of at least 0. Got {list(indices)[:5]}.")
    if not needed and len(frames) == 0:
        return
    if len(frames) != len(indices):
        raise ContractError(
            f"A detector needs one frame for each index. Got {len(frames)} frames and {len(indices)} indices."
        )
    for index, frame in zip(indices, frames, strict=True):
        kind: Any = getattr(frame, "dtype", type(frame).__name__)
        shape: tuple[int, ...] = getattr(frame, "shape", ())
        if kind != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ContractError(
                f"Frame {index} must be an image of uint8, shape (height, width, 3), RGB. Got {kind}, shape "
                f"{tuple(shape)}. Scale it to 0..255 and put the colours last."
            )


def check_number(
    value: Any, *, name: str, where: str, low: float, high: float, whole: bool = False, must: str = ""
) -> Any:  # fmt: skip
    """Return ``value`` if it lies in [low, high].

    Raises
    ------
    ParameterError
    """
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise bad_parameter(name=name, where=where, must=must or f"{kind} in [{low:g}, {high:g}]", got=value)
    return value


def clip_boxes(boxes: FloatArray, *, width_px: float, height_px: float) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Boxes cut at the edges of the image, and which of them still have half a pixel of width and height."""
    cut = boxes.copy()
    cut[:, 0::2] = cut[:, 0::2].clip(0.0, width_px)
    cut[:, 1::2] = cut[:, 1::2].clip(0.0, height_px)
    return cut, np.asarray((cut[:, 2:] - cut[:, :2] >= 0.5).all(axis=1))


@njit(cache=True)
def suppress(boxes: FloatArray, order: IntArray, iou: float) -> IntArray:
    """Greedy non-maximum suppression: walk ``order``, keep a box unless it overlaps a kept one by more than ``iou``.

    Parameters
    ----------
    boxes : ndarray of shape (n, 4)
        x1, y1, x2, y2.
    order : ndarray of int
        Boxes by falling score, ties as the caller wants them.
    iou : float
        Intersection over union above which the lower box goes.

    Returns
    -------
    ndarray of int
        Kept boxes, in ``order``.
    """
    n = len(order)
    gone = np.zeros(n, dtype=np.bool_)
    kept = np.empty(n, dtype=np.int64)
    count = 0
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for at in range(n):
        if gone[at]:
            continue
        a = order[at]
        kept[count] = a
        count += 1
        for later in range(at + 1, n):
            if gone[later]:
                continue
            b = order[later]
            wide = min(boxes[a, 2], boxes[b, 2]) - max(boxes[a, 0], boxes[b, 0])
            high = min(boxes[a, 3], boxes[b, 3]) - max(boxes[a, 1], boxes[b, 1])
            if wide <= 0 or high <= 0:
                continue
            shared = wide * high
            if shared > iou * (area[a] + area[b] - shared):
                gone[later] = True
    return kept[:count]


def best_boxes(
    boxes: FloatArray, scores: FloatArray, labels: IntArray, *, iou: float, limit: int
) -> tuple[FloatArray, FloatArray, IntArray]:  # fmt: skip
    """Suppress overlapping boxes of the same class and keep the ``limit`` best, by falling score."""
    order = np.lexsort((boxes[:, 1], boxes[:, 0], -scores))
    apart = boxes + (labels * (2.0 * np.abs(boxes).max(initial=0.0) + 1.0))[:, None]  # classes never touch
    kept = suppress(apart, order, iou)[:limit]
    return boxes[kept], scores[kept], labels[kept]
