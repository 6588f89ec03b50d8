"""Detectors taken alone: the registry, the oracles' laws, HOG, suppression."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import CapabilityError, ContractError, ParameterError
from contrechamp.domain.video import BOX, VISIBLE_BOX
from vsa.detectors import DETECTORS, detector_class, load_detector
from vsa.detectors.base import best_boxes, clip_boxes, suppress
from vsa.detectors.hog import Hog
from vsa.detectors.noisy import NoisyOracle, hashed_uniform
from vsa.detectors.oracle import Oracle


def truth_of(n_subjects: int, n_frames: int, **columns: object) -> pd.DataFrame:
    """Subjects on a grid, each in every frame, all in full view."""
    frame, subject = (a.ravel() for a in np.meshgrid(np.arange(n_frames), np.arange(n_subjects), indexing="ij"))
    x, y = 10.0 + 20.0 * (subject % 25), 20.0 + 40.0 * (subject // 25 % 8)
    table = pd.DataFrame({
        "frame": frame, "subject_id": subject, "label": "person", "visibility": 1.0, "situation": "waiting",
        **dict(zip(BOX, (x, y, x + 12, y + 30), strict=True)),
        **dict(zip(VISIBLE_BOX, (x + 1, y + 2, x + 10, y + 25), strict=True)),
    })  # fmt: skip
    return table.assign(**columns)


SIZE = {"width_px": 640, "height_px": 360}
NOISE = SIZE | {"seed": 3, "fps": 10.0}


def test_the_registry_names_four_and_refuses_a_fifth() -> None:
    assert list(DETECTORS) == ["yolo", "hog", "oracle", "noisy-oracle"]
    assert [detector_class(k).needs_frames for k in DETECTORS] == [True, True, False, False]
    with pytest.raises(ParameterError, match="No detector is called 'yolov99'"):
        load_detector("yolov99")
    with pytest.raises(ParameterError, match="could not be made"):
        load_detector("hog", colour="red")


def test_the_oracle_shows_what_it_was_told_and_nothing_of_the_situation() -> None:
    truth = truth_of(3, 2)
    truth.loc[0, "visibility"] = 0.05
    assert "situation" not in Oracle(truth, **SIZE).get_params()
    first, second = Oracle(truth.drop(columns="situation"), **SIZE).detect([], indices=[0, 1])
    assert (len(first), len(second)) == (2, 3)
    np.testing.assert_array_equal(second.boxes_px[1], [30, 20, 42, 50])
    visible = Oracle(truth, boxes="visible", **SIZE).detect([], indices=[1])[0]
    np.testing.assert_array_equal(visible.boxes_px[1], [31, 22, 40, 45])
    assert len(Oracle(truth, min_visibility=0.0, **SIZE).detect([], indices=[0])[0]) == 3
    assert Oracle(truth, **SIZE).detect([], indices=[99])[0].boxes_px.shape == (0, 4)


def test_the_oracle_cuts_boxes_at_the_edge_and_drops_those_outside() -> None:
    truth = truth_of(2, 1)
    truth.loc[0, list(BOX)] = [-5.0, -5.0, 9.0, 400.0]
    truth.loc[1, list(BOX)] = [700.0, 10.0, 720.0, 60.0]
    boxes = Oracle(truth, **SIZE).detect([], indices=[0])[0].boxes_px
    np.testing.assert_array_equal(boxes, [[0, 0, 9, 360]])


def test_nobody_in_the_truth_is_nobody_in_the_frames() -> None:
    empty = truth_of(2, 2).iloc[:0]
    noisy = NoisyOracle(empty, false_per_frame=2.0, jitter_px=1.0, correlation_s=1.0, **NOISE)
    for detector in (Oracle(empty, **SIZE), noisy):
        assert [len(d) for d in detector.detect([], indices=[0, 1])] == [0, 0]


def test_the_oracle_refuses_a_table_that_is_not_truth() -> None:
    with pytest.raises(ContractError, match="lacks visibility"):
        Oracle(truth_of(1, 1).drop(columns="visibility"), **SIZE)
    with pytest.raises(ContractError, match="none of"):
        Oracle(truth_of(1, 1, label="dog"), **SIZE)
    with pytest.raises(ParameterError, match="amodal or visible"):
        Oracle(truth_of(1, 1), boxes="all", **SIZE)  # type: ignore[arg-type]


@pytest.mark.parametrize("correlation_s", [0.0, 2.0])
def test_noise_misses_as_often_as_it_says_whatever_the_correlation(correlation_s: float) -> None:
    truth = truth_of(200, 400)
    found = NoisyOracle(truth, p_miss=0.3, correlation_s=correlation_s, **NOISE).detect([], indices=range(400))
    seen = sum(map(len, found)) / len(truth)
    # 200 subjects × 400 frames at 10 fps: 80 000 draws, or about 200 × 40 s / (2 × 2 s) = 2 000 independent spells
    assert seen == pytest.approx(0.7, abs=0.01 if correlation_s == 0 else 0.04)


def test_misses_of_a_subject_hang_together_as_long_as_it_says() -> None:
    truth = truth_of(200, 300)
    detector = NoisyOracle(truth, p_miss=0.5, correlation_s=1.5, **NOISE)
    seen = np.array([np.isin(np.arange(200), _subjects(d)) for d in detector.detect([], indices=range(300))], float)
    for lag in (5, 10, 20):
        a, b = seen[:-lag].ravel(), seen[lag:].ravel()
        assert np.corrcoef(a, b)[0, 1] == pytest.approx(np.exp(-lag / 15.0), abs=0.06)


def _subjects(detections) -> np.ndarray:  # type: ignore[no-untyped-def]
    boxes = detections.boxes_px
    return ((boxes[:, 0] - 10) / 20 + 25 * (boxes[:, 1] - 20) / 40).round().astype(int)


def test_a_column_gives_each_box_its_own_chance() -> None:
    truth = truth_of(100, 50)
    truth["p"] = np.where(truth["subject_id"] < 50, 0.0, 1.0)
    for one in NoisyOracle(truth.sample(frac=1, random_state=1), p_miss="p", **NOISE).detect([], indices=range(50)):
        assert sorted(_subjects(one)) == list(range(50))
    with pytest.raises(ParameterError, match="p_miss"):
        NoisyOracle(truth, p_miss="nowhere", **NOISE)
    with pytest.raises(ParameterError, match="p_miss"):
        NoisyOracle(truth.assign(p=1.5), p_miss="p", **NOISE)


def test_nobody_else_changes_whether_a_subject_is_missed() -> None:
    truth = truth_of(40, 60)
    noise = {"p_miss": 0.4, "correlation_s": 1.0, "jitter_px": 2.0} | NOISE
    whole = NoisyOracle(truth, **noise).detect([], indices=range(60))
    few = NoisyOracle(truth[truth["subject_id"].isin([3, 17])], **noise).detect([], indices=range(60))
    for a, b in zip(whole, few, strict=True):
        rows = {tuple(r) for r in a.boxes_px}
        assert {tuple(r) for r in b.boxes_px} <= rows
    assert 20 < sum(map(len, few)) < 115


def test_jitter_and_false_boxes_are_as_large_as_asked() -> None:
    truth = truth_of(200, 100)
    still = Oracle(truth, **SIZE).detect([], indices=range(100))
    shaken = NoisyOracle(truth, p_miss=0.0, jitter_px=2.5, **NOISE).detect([], indices=range(100))
    moved = np.concatenate([a.boxes_px - b.boxes_px for a, b in zip(shaken, still, strict=True)])
    assert moved.std(axis=0) == pytest.approx([2.5] * 4, rel=0.03)
    assert np.abs(moved.mean(axis=0)).max() < 0.06
    assert abs(np.corrcoef(moved.T)[0, 2]) < 0.03
    false = NoisyOracle(truth, p_miss=1.0, false_per_frame=3.0, **NOISE).detect([], indices=range(100))
    assert np.mean([len(d) for d in false]) == pytest.approx(3.0, abs=4 * np.sqrt(3 / 100))


@given(st.integers(0, 2**40), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_hashed_numbers_are_uniform_and_independent(seed: int, what: int) -> None:
    a, b = (x.ravel() for x in np.meshgrid(np.arange(60), np.arange(60)))
    u = hashed_uniform(seed, what, a, b).reshape(60, 60)
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 5 / np.sqrt(12 * 3600)
    assert abs(np.corrcoef(u[1:].ravel(), u[:-1].ravel())[0, 1]) < 5 / 60
    other = hashed_uniform(seed, what + 1, a, b)
    assert abs(np.corrcoef(u.ravel(), other)[0, 1]) < 5 / 60
    assert np.intersect1d(u, other).size == 0  # no purpose borrows the draws that another has at other frames


def _slow_suppress(boxes: np.ndarray, order: np.ndarray, iou: float) -> list[int]:
    kept: list[int] = []
    for i in order:
        overlaps = []
        for j in kept:
            w = min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0])
            h = min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1])
            shared = max(w, 0) * max(h, 0)
            overlaps.append(
                shared / (np.prod(boxes[i, 2:] - boxes[i, :2]) + np.prod(boxes[j, 2:] - boxes[j, :2]) - shared)
            )
        if all(o <= iou for o in overlaps):
            kept.append(int(i))
    return kept


@given(st.integers(0, 10**6), st.integers(0, 40), st.sampled_from([0.0, 0.3, 0.6, 1.0]))
@settings(max_examples=60, deadline=None)
def test_suppression_agrees_with_its_definition(seed: int, n: int, iou: float) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (n, 2))
    boxes = np.hstack([corner, corner + rng.uniform(1, 40, (n, 2))])
    order = rng.permutation(n)
    assert suppress(boxes, order, iou).tolist() == _slow_suppress(boxes, order, iou)


def test_best_boxes_keep_two_classes_that_overlap_and_cut_at_the_limit() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 60, 60]])
    scores, labels = np.array([0.5, 0.9, 0.8, 0.2]), np.array([0, 1, 1, 0])
    _, s, which = best_boxes(boxes, scores, labels, iou=0.5, limit=10)
    assert s.tolist() == [0.9, 0.5, 0.2] and which.tolist() == [1, 0, 0]
    assert len(best_boxes(boxes, scores, labels, iou=0.5, limit=1)[0]) == 1
    cut, inside = clip_boxes(np.array([[-4.0, 3, 6, 8], [20, 3, 30, 8]]), width_px=10, height_px=10)
    assert cut[0].tolist() == [0, 3, 6, 8] and inside.tolist() == [True, False]


def test_hog_finds_an_upright_figure_and_not_an_empty_street() -> None:
    rng = np.random.default_rng(0)
    street = np.clip(rng.normal(190, 3, (240, 320, 3)), 0, 255).astype(np.uint8)
    person = street.copy()
    person[60:180, 147:173] = 60  # trunk and legs
    person[110:180, 158:162] = 190  # between the legs
    person[38:60, 153:167] = 60  # head
    person[66:110, 138:147] = person[66:110, 173:182] = 60  # arms
    detector = Hog(enlarge=1.0, threshold=-0.5)
    found = detector.detect([person, street], indices=[0, 1])
    assert len(found[0]) >= 1 and len(found[1]) == 0
    x1, y1, x2, y2 = found[0].boxes_px[0]
    assert 130 < (x1 + x2) / 2 < 190 and 90 < (y1 + y2) / 2 < 130 and 100 < y2 - y1 < 190


def test_hog_says_which_opencv_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    monkeypatch.delattr(cv2, "HOGDescriptor")
    with pytest.raises(CapabilityError, match="opencv-python<5"):
        Hog()
