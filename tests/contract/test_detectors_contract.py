"""What every registered detector promises, held over the whole table."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.video import BOX, VISIBLE_BOX, Detections
from vsa.detectors import DETECTORS, load_detector
from vsa.detectors.base import Detector

HEIGHT, WIDTH = 180, 320
FRAMES = 4


def _truth() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = np.repeat(np.arange(1, FRAMES), 12)  # nobody in frame 0
    corner = rng.uniform(-20, (WIDTH, HEIGHT), (len(frame), 2))
    boxes = np.hstack([corner, corner + rng.uniform(8, 60, (len(frame), 2))])
    return pd.DataFrame({
        "frame": frame, "subject_id": np.tile(np.arange(12), FRAMES - 1), "label": ["person", "object"] * 18,
        "visibility": rng.uniform(0.05, 1.0, len(frame)), "situation": "waiting",
        **dict(zip(BOX, boxes.T, strict=True)), **dict(zip(VISIBLE_BOX, boxes.T, strict=True)),
    })  # fmt: skip


def _noisy(**changes: object) -> Detector:
    params = {"p_miss": 0.2, "correlation_s": 1.0, "jitter_px": 3.0, "false_per_frame": 0.7, "seed": 1, "fps": 10.0}
    return load_detector("noisy-oracle", _truth(), width_px=WIDTH, height_px=HEIGHT, **(params | changes))


MAKERS: dict[str, Callable[[], Detector]] = {
    "yolo": lambda: load_detector("yolo", conf=0.05, imgsz=320, device="cpu"),
    "hog": lambda: load_detector("hog", threshold=-0.5),
    "oracle": lambda: load_detector("oracle", _truth(), width_px=WIDTH, height_px=HEIGHT),
    "noisy-oracle": _noisy,
}


@pytest.fixture(scope="module", params=list(DETECTORS))
def detector(request: pytest.FixtureRequest) -> Detector:
    return MAKERS[request.param]()


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    made = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)]
    for _ in range(1, FRAMES):
        image = np.clip(rng.normal(150, 12, (HEIGHT, WIDTH, 3)), 0, 255)
        for _ in range(6):
            x, y, size = rng.integers(10, WIDTH - 30), rng.integers(5, HEIGHT - 70), rng.integers(25, 60)
            image[y + size // 5 : y + size, x : x + size // 3] = rng.integers(0, 90, 3)
            image[y : y + size // 6, x + size // 10 : x + size // 4] = (200, 160, 130)
        made.append(image.astype(np.uint8))
    return made


def test_every_detector_has_a_maker_here() -> None:
    assert set(MAKERS) == set(DETECTORS)


def test_one_set_of_boxes_a_frame_in_the_image_with_scores_in_order(
    detector: Detector, frames: list[np.ndarray]
) -> None:
    found = detector.detect(frames, indices=range(FRAMES))
    assert len(found) == FRAMES
    assert all(isinstance(d, Detections) for d in found)
    for one in found:
        assert (one.boxes_px >= 0).all()
        assert (one.boxes_px[:, 2] <= WIDTH).all() and (one.boxes_px[:, 3] <= HEIGHT).all()
        assert ((one.scores >= 0) & (one.scores <= 1)).all()
        assert one.boxes_px.dtype == one.scores.dtype == np.float64 and one.labels.dtype == np.int64


def test_a_black_frame_with_nobody_has_no_box_unless_invented(detector: Detector, frames: list[np.ndarray]) -> None:
    if detector.get_params().get("false_per_frame"):
        detector = _noisy(false_per_frame=0.0)
    assert len(detector.detect(frames[:1], indices=[0])[0]) == 0


def test_a_batch_gives_what_its_frames_give_one_by_one_in_any_order(
    detector: Detector, frames: list[np.ndarray]
) -> None:
    whole = detector.detect(frames, indices=range(FRAMES))
    for i in (3, 1, 0, 2):
        alone = detector.detect([frames[i]], indices=[i])[0]
        np.testing.assert_array_equal(alone.boxes_px, whole[i].boxes_px)
        np.testing.assert_array_equal(alone.scores, whole[i].scores)
        np.testing.assert_array_equal(alone.labels, whole[i].labels)
    assert detector.detect([], indices=[]) == []


def test_the_same_call_twice_and_a_second_detector_give_the_same(detector: Detector, frames: list[np.ndarray]) -> None:
    key = next(k for k, path in DETECTORS.items() if path.endswith(type(detector).__name__))
    first, again, other = (d.detect(frames, indices=range(FRAMES)) for d in (detector, detector, MAKERS[key]()))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.boxes_px, b.boxes_px)
        np.testing.assert_array_equal(a.scores, c.scores)


def test_frames_are_not_changed(detector: Detector, frames: list[np.ndarray]) -> None:
    before = [f.copy() for f in frames]
    detector.detect(frames, indices=range(FRAMES))
    assert all((a == b).all() for a, b in zip(before, frames, strict=True))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((HEIGHT, WIDTH, 3)),
        np.zeros((HEIGHT, WIDTH), np.uint8),
        np.zeros((3, HEIGHT, WIDTH), np.uint8),
        np.zeros((0, WIDTH, 3), np.uint8),
        "frame.jpg",
    ],
    ids=["float", "grey", "colours first", "no rows", "a name"],
)
def test_what_is_not_an_image_is_refused(detector: Detector, wrong: object) -> None:
    with pytest.raises(ContractError, match="Frame 2 must be an image of uint8"):
        detector.detect([wrong], indices=[2])  # type: ignore[list-item]


def test_frames_and_indices_must_match(detector: Detector, frames: list[np.ndarray]) -> None:
    with pytest.raises(ContractError, match="one frame for each index"):
        detector.detect(frames[:2], indices=[0])
    with pytest.raises(ContractError, match="whole number"):
        detector.detect(frames[:1], indices=[-1])
    if detector.needs_frames:
        with pytest.raises(ContractError, match="one frame for each index"):
            detector.detect([], indices=[0])
    else:
        with_none = detector.detect([], indices=[1])[0]
        np.testing.assert_array_equal(with_none.boxes_px, detector.detect(frames[:1], indices=[1])[0].boxes_px)


def test_parameters_are_plain_and_rebuild_the_detector(detector: Detector) -> None:
    params = detector.get_params()
    assert json.loads(json.dumps(params)) == params
    key = next(k for k, path in DETECTORS.items() if path.endswith(type(detector).__name__))
    params.pop("weights_sha256", None)
    truth = () if detector.needs_frames else (_truth(),)
    assert load_detector(key, *truth, **params).get_params().items() >= params.items()


def test_a_parameter_out_of_its_domain_is_refused() -> None:
    wrong: dict[str, list[dict[str, object]]] = {
        "yolo": [{"conf": 2.0}, {"imgsz": 12}, {"backend": "tensorrt"}, {"device": "tpu"}, {"iou": True}],
        "hog": [{"enlarge": 0.0}, {"threshold": float("nan")}],
        "oracle": [{"min_visibility": 1.5}, {"width_px": 0}],
        "noisy-oracle": [{"p_miss": -0.1}, {"seed": -1}, {"fps": 0.0}, {"scores": (0.9, 0.1)}, {"jitter_px": "2"}],
    }
    for key, cases in wrong.items():
        for case in cases:
            with pytest.raises(ParameterError):
                if key == "oracle":
                    load_detector(key, _truth(), **({"width_px": WIDTH, "height_px": HEIGHT} | case))
                elif key == "noisy-oracle":
                    _noisy(**case)
                else:
                    load_detector(key, **case)
