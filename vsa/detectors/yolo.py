"""A small YOLO network trained on drawn scenes only, with its sealed weights.

Every parameter is written out: none is left to a library's default, which changes from one version to the next. Images
are scaled and padded here, and boxes are chosen here, the same way whatever runs the network.

What it cannot tell you: how any detector sees a street. This one never saw a real person; what it misses by posture
shows that a detector can, trained on as many of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from contrechamp.domain.errors import CapabilityError
from contrechamp.domain.video import Detections, FloatArray, Image
from vsa.detectors.backends import Backend, Device, Floats, Precision, open_backend
from vsa.detectors.base import best_boxes, check_frames, check_number, clip_boxes
from vsa.detectors.weights import SHIPPED, read_weights

_STRIDE: Final = 32
_GREY: Final = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How an image was scaled and padded.

    Attributes
    ----------
    scale : float
    left_px, top_px : int
        Padding, in pixels of the network's image.
    """

    scale: float
    left_px: int
    top_px: int

    def undo(self, boxes: FloatArray) -> FloatArray:
        """Boxes back in pixels of the frame."""
        shift = np.array([self.left_px, self.top_px, self.left_px, self.top_px], dtype=np.float64)
        return np.asarray((boxes - shift) / self.scale)


def letterbox(frame: Image, *, imgsz: int) -> tuple[Floats, Letterbox]:
    """Scale ``frame`` to a longer side of ``imgsz``, pad it with grey to whole strides, colours first, in [0, 1].

    Examples
    --------
    >>> image, how = letterbox(np.zeros((360, 640, 3), np.uint8), imgsz=320)
    >>> image.shape, how
    ((3, 192, 320), Letterbox(scale=0.5, left_px=0, top_px=6))
    """
    height, width = frame.shape[:2]
    scale = imgsz / max(height, width)
    new_w, new_h = max(1, round(width * scale)), max(1, round(height * scale))
    if (new_h, new_w) != (height, width):
        cv2: Any = import_module("cv2")
        smooth = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        frame = cv2.resize(np.ascontiguousarray(frame), (new_w, new_h), interpolation=smooth)
    full_w, full_h = -(-new_w // _STRIDE) * _STRIDE, -(-new_h // _STRIDE) * _STRIDE
    left, top = (full_w - new_w) // 2, (full_h - new_h) // 2
    out = np.full((3, full_h, full_w), _GREY / 255, dtype=np.float32)
    out[:, top : top + new_h, left : left + new_w] = frame.transpose(2, 0, 1) * np.float32(1 / 255)
    return out, Letterbox(scale, left, top)


def _blank(frame: Image) -> bool:
    """Whether a frame is of one colour, by a few pixels first."""
    return not ((frame[::37, ::41] != frame[0, 0]).any() or (frame != frame[0, 0]).any())


class Yolo:
    """The trained detector.

    Parameters
    ----------
    backend : {"openvino", "onnx", "torch"}, default="openvino"
    device : {"auto", "cpu", "cuda"}, default="auto"
    precision : {"f32", "auto"}, default="f32"
        ``auto`` is faster on some processors, and its boxes differ from one machine to the next.
    imgsz : int, default=640
        Longer side of the network's image, pixels.
    conf : float, default=0.25
        Least score kept.
    iou : float, default=0.6
        Overlap above which the weaker of two boxes of a class goes.
    max_detections : int, default=300
        Most boxes a frame.
    threads : int, default=0
        0: as many as the library sees fit.
    weights : Path or str, optional
        Folder with a manifest. The weights of the package by default.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    CapabilityError
        If a library or the graphics card asked for is missing.
    ContractError, IntegrityError
        If the weights are not weights, or not those of their manifest.
    """

    needs_frames: ClassVar[bool] = True

    def __init__(
        self, *, backend: Backend = "openvino", device: Device = "auto", precision: Precision = "f32",
        imgsz: int = 640, conf: float = 0.25, iou: float = 0.6, max_detections: int = 300, threads: int = 0,
        weights: Path | str = SHIPPED,
    ) -> None:  # fmt: skip
        self._imgsz = check_number(imgsz, name="imgsz", where="Yolo", low=64, high=4096, whole=True)
        self._conf = check_number(conf, name="conf", where="Yolo", low=0.001, high=1.0)
        self._iou = check_number(iou, name="iou", where="Yolo", low=0.0, high=1.0)
        self._most = check_number(max_detections, name="max_detections", where="Yolo", low=1, high=10_000, whole=True)
        self._threads = check_number(threads, name="threads", where="Yolo", low=0, high=1024, whole=True)
        self._backend, self._asked, self._precision = backend, device, precision
        try:
            import_module("cv2")
        except ImportError as cause:
            raise CapabilityError(f"OpenCV could not be imported: {cause}. Install the project again.") from cause
        self.weights = read_weights(Path(weights))
        self._run, self.device = open_backend(
            self.weights, backend=backend, device=device, precision=precision, threads=threads
        )

    def detect(self, frames: Sequence[Image], *, indices: Sequence[int]) -> list[Detections]:
        """Persons and objects in each frame; the frames may come from several cameras and differ in size.

        A frame of one colour, such as a lost signal leaves, has no box: a network will find people in it.

        Raises
        ------
        ContractError
            See :meth:`vsa.detectors.base.Detector.detect`.
        """
        check_frames(frames, indices)
        ready = {i: letterbox(f, imgsz=self._imgsz) for i, f in enumerate(frames) if not _blank(f)}
        found: list[Detections] = [Detections.empty()] * len(frames)
        for shape in dict.fromkeys(image.shape for image, _ in ready.values()):
            at = [i for i, (image, _) in ready.items() if image.shape == shape]
            said = self._run(np.stack([ready[i][0] for i in at]))
            for i, anchors in zip(at, said, strict=True):
                height, width = frames[i].shape[:2]
                found[i] = self._choose(anchors, ready[i][1], width_px=width, height_px=height)
        return found

    def _choose(self, anchors: Floats, how: Letterbox, *, width_px: int, height_px: int) -> Detections:
        best = anchors[4:].max(axis=0)
        kept = anchors[:, best >= self._conf].astype(np.float64)
        half = kept[2:4] / 2
        boxes = how.undo(np.concatenate([kept[:2] - half, kept[:2] + half]).T)
        boxes, inside = clip_boxes(boxes, width_px=width_px, height_px=height_px)
        scores, labels = kept[4:].max(axis=0), kept[4:].argmax(axis=0).astype(np.int64)
        return Detections(
            *best_boxes(boxes[inside], scores[inside].clip(0.0, 1.0), labels[inside], iou=self._iou, limit=self._most)
        )

    def get_params(self) -> dict[str, Any]:
        """Parameters, the name and the hash of the weights."""
        return {
            "backend": self._backend, "device": self._asked, "precision": self._precision, "imgsz": self._imgsz,
            "conf": self._conf, "iou": self._iou, "max_detections": self._most, "threads": self._threads,
            "weights_sha256": self.weights.manifest["files"]["yolo.safetensors"]["sha256"],
        }  # fmt: skip
