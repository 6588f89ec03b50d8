"""The shipped network: sealed files, three ways to run it that agree, boxes back where they came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import CapabilityError, ContractError, IntegrityError
from contrechamp.domain.situations import SITUATIONS
from vsa.detectors.weights import FILES, MANIFEST, SHIPPED, read_weights
from vsa.detectors.yolo import Yolo, letterbox

BACKENDS = ("openvino", "onnx", "torch")


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """Crude figures on grey ground: what a network trained on drawn bodies takes for one matters little here."""
    rng = np.random.default_rng(4)
    made = []
    for height, width in ((360, 640), (360, 640), (240, 320), (416, 416)):
        image = np.clip(rng.normal(140, 4, (height, width, 3)), 0, 255).astype(np.uint8)
        for _ in range(8):
            x, y = int(rng.integers(5, width - 30)), int(rng.integers(5, height - 80))
            image[y + 12 : y + 45, x : x + 20] = rng.integers(0, 255, 3)
            image[y + 45 : y + 75, x + 2 : x + 18] = rng.integers(0, 90, 3)
            image[y : y + 12, x + 5 : x + 15] = (220, 175, 145)
        made.append(image)
    return made


def test_backends_agree(frames: list[np.ndarray]) -> None:
    found = {b: Yolo(backend=b, device="cpu", conf=0.05).detect(frames, indices=range(4)) for b in BACKENDS}
    assert sum(map(len, found["torch"])) >= 10, "nothing to compare"
    for other in ("openvino", "onnx"):
        for a, b in zip(found["torch"], found[other], strict=True):
            assert len(a) == len(b)
            np.testing.assert_array_equal(a.labels, b.labels)
            np.testing.assert_allclose(a.boxes_px, b.boxes_px, atol=0.02)
            np.testing.assert_allclose(a.scores, b.scores, atol=1e-4)


def test_a_faster_precision_finds_nearly_the_same(frames: list[np.ndarray]) -> None:
    exact, fast = (Yolo(precision=p).detect(frames, indices=range(4)) for p in ("f32", "auto"))  # type: ignore[arg-type]
    n_exact, n_fast = (sum(map(len, found)) for found in (exact, fast))
    assert abs(n_exact - n_fast) <= max(2, 0.1 * n_exact)


def test_a_lost_signal_is_nobody() -> None:
    for colour in (0, 127, 255):
        assert len(Yolo(conf=0.01).detect([np.full((90, 160, 3), colour, np.uint8)], indices=[0])[0]) == 0


def test_frames_of_several_cameras_go_in_one_call(frames: list[np.ndarray]) -> None:
    detector = Yolo(conf=0.05)
    together = detector.detect(frames * 2, indices=[*range(4)] * 2)
    for i, frame in enumerate(frames):
        alone = detector.detect([frame], indices=[i])[0]
        np.testing.assert_array_equal(alone.boxes_px, together[i].boxes_px)
        np.testing.assert_array_equal(alone.boxes_px, together[i + 4].boxes_px)


def test_our_choice_of_boxes_is_that_of_the_library(frames: list[np.ndarray]) -> None:
    """Same network, same image: ultralytics' own suppression keeps the same boxes."""
    import torch

    from vsa.detectors.offline import ultralytics

    ultralytics()
    from ultralytics.utils.nms import non_max_suppression

    detector = Yolo(backend="torch", device="cpu", conf=0.05, iou=0.6)
    image, how = letterbox(frames[0], imgsz=640)
    said = detector._run(image[None])
    theirs = non_max_suppression(torch.from_numpy(said.copy()), conf_thres=0.05, iou_thres=0.6, max_det=300)[0].numpy()
    ours = detector.detect(frames[:1], indices=[0])[0]
    boxes = how.undo(theirs[:, :4].astype(float)).clip(0, [640, 360, 640, 360])
    np.testing.assert_allclose(ours.scores, theirs[:, 4], atol=1e-6)
    np.testing.assert_allclose(ours.boxes_px, boxes, atol=1e-3)


@given(st.integers(20, 900), st.integers(20, 900), st.sampled_from([320, 416, 640]))
@settings(max_examples=40, deadline=None)
def test_letterbox_is_undone(width: int, height: int, imgsz: int) -> None:
    image, how = letterbox(np.full((height, width, 3), 255, np.uint8), imgsz=imgsz)
    assert image.shape[1] % 32 == image.shape[2] % 32 == 0
    assert imgsz <= max(image.shape[1:]) < imgsz + 32
    inside = np.argwhere(image[0] > 0.99)
    (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0) + 1
    back = how.undo(np.array([[left, top, right, bottom]], dtype=float))[0]
    pixel = 1.0 / how.scale
    np.testing.assert_allclose(back, [0, 0, width, height], atol=pixel)


def test_weights_are_small_sealed_and_never_a_pickle() -> None:
    files = sorted(p.name for p in SHIPPED.iterdir())
    assert files == sorted([MANIFEST, *(name for names in FILES.values() for name in names)])
    assert sum(p.stat().st_size for p in SHIPPED.iterdir()) <= 12e6
    for name in files:
        assert not (SHIPPED / name).read_bytes().startswith((b"\x80", b"PK")), (
            f"{name} is a pickle or an archive of one"
        )
    manifest = read_weights().manifest
    assert {"architecture", "training", "versions", "evaluation", "files", "labels"} <= set(manifest)


def test_what_the_card_boasts_of_is_in_the_manifest() -> None:
    rows = read_weights().manifest["evaluation"]["scores"]
    whole = next(r for r in rows if (r["stills"], r["label"], r["by"]) == ("unseen", "person", "all"))
    assert whole["n_images"] >= 200 and whole["n_boxes"] >= 2000
    assert 0.5 < whole["ap50_low"] <= whole["ap50"] <= whole["ap50_high"]
    slices = [r for r in rows if (r["stills"], r["label"], r["by"]) == ("unseen", "person", "situation")]
    situations = {r["key"]: r["recall"] for r in slices}
    assert set(situations) == set(SITUATIONS)
    assert situations["rough_lying"] < situations["waiting"], "the finding that the card reports"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_changed_byte_is_noticed_before_anything_is_opened(backend: str, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(SHIPPED, folder)
    target = folder / FILES[backend][-1]
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(bytes(data))
    with pytest.raises(IntegrityError, match="must have the SHA-256") as caught:
        Yolo(backend=backend, weights=folder)  # type: ignore[arg-type]
    assert caught.value.exit_code == 12
    target.unlink()
    with pytest.raises(IntegrityError, match="no such file"):
        Yolo(backend=backend, weights=folder)  # type: ignore[arg-type]


def test_a_file_the_manifest_does_not_name_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(SHIPPED, folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["files"]["yolo.onnx"]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(IntegrityError, match="none stated"):
        Yolo(backend="onnx", weights=folder)


def test_a_pickle_and_a_folder_without_manifest_are_refused(tmp_path: Path) -> None:
    (tmp_path / "best.pt").write_bytes(b"\x80\x04.")
    with pytest.raises(ContractError, match="is a pickle"):
        Yolo(weights=tmp_path / "best.pt")
    with pytest.raises(ContractError, match="holds no weights"):
        Yolo(weights=tmp_path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_card_is_said(backend: str) -> None:
    import torch

    if torch.cuda.is_available() and backend != "openvino":
        pytest.skip("there is one here")
    with pytest.raises(CapabilityError, match="no CUDA graphics card") as caught:
        Yolo(backend=backend, device="cuda")  # type: ignore[arg-type]
    assert caught.value.exit_code == 13
    assert Yolo(backend=backend).device == "cpu"  # type: ignore[arg-type]


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CapabilityError, match="backend onnx cannot be used"):
        Yolo(backend="onnx")
