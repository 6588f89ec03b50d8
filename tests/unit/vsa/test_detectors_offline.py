"""Nothing is looked up: importing, training, validating, predicting and exporting with the network patched out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]

PATCHED = """
import socket, sys
asked = []
def refuse(what):
    def call(*a, **k):
        asked.append((what, a[:2] if what != "connect" else a[1:]))
        raise OSError("no network in this test")
    return call
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
    setattr(socket, name, refuse(name))
class Closed(socket.socket):
    def connect(self, address, *a):
        if self.family != socket.AF_UNIX:
            asked.append(("connect", address)); raise OSError("no network in this test")
        return super().connect(address, *a)
socket.socket = Closed
"""


def run(body: str, tmp_path: Path, **environment: str) -> str:
    """Run ``body`` in a process of its own, the network patched out before anything is imported."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("YOLO", "OMP", "MLFLOW"))}
    kept |= {"HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path / "mpl"), "PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        [sys.executable, "-c", PATCHED + body], cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_no_look_up_from_import_to_export(tmp_path: Path) -> None:
    said = run(
        """
import numpy as np
from pathlib import Path
from PIL import Image
here = Path("set")
for part in ("train", "val"):
    for kind in ("images", "labels"): (here / kind / part).mkdir(parents=True)
    for i in range(8):
        Image.fromarray(np.full((64, 64, 3), 20 * i, np.uint8)).save(here / "images" / part / f"{i}.jpg")
        (here / "labels" / part / f"{i}.txt").write_text("0 0.5 0.5 0.2 0.5\\n")
from vsa.detectors.offline import ultralytics
library = ultralytics()
from vsa.detectors.training import train_network
from vsa.detectors.export import export_network
network = train_network(here, Path("work"), seed=1, epochs=1, imgsz=64)
files = export_network(network, Path("out"))
best = library.YOLO(str(next(Path("work").rglob("last.pt"))))
best.val(data="work/data.yaml", imgsz=64, plots=False, workers=0, verbose=False)
best.predict(np.zeros((64, 64, 3), np.uint8), imgsz=64, verbose=False)
print("ASKED", asked)
print("FILES", sorted(files))
print("SETTINGS", library.settings["sync"], library.settings["mlflow"])
""",
        tmp_path,
    )
    assert "ASKED []" in said
    assert "FILES ['yolo.bin', 'yolo.onnx', 'yolo.safetensors', 'yolo.xml']" in said
    assert "SETTINGS False False" in said
    home = {p.name for p in tmp_path.iterdir()}
    assert home <= {"set", "work", "out", "mpl"}, f"something was written to the user's home: {home}"
    written = (tmp_path / "out" / "yolo.onnx").read_bytes() + (tmp_path / "out" / "yolo.xml").read_bytes()
    assert str(tmp_path).encode() not in written and b"work/" not in written


def test_the_number_of_threads_asked_for_is_kept(tmp_path: Path) -> None:
    body = """
from vsa.detectors.offline import ultralytics, ensure_torchvision
ultralytics()
import os, torch, torchvision
print("THREADS", os.environ["OMP_NUM_THREADS"], os.environ["YOLO_OFFLINE"], os.environ["YOLO_AUTOINSTALL"])
from torchvision.ops import batched_nms
boxes = torch.tensor([[0., 0, 10, 10], [1, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]])
print("NMS", batched_nms(boxes, torch.tensor([.5, .9, .8, .2]), torch.tensor([0, 0, 1, 0]), .5).tolist())
print("ASKED", asked)
"""
    said = run(body, tmp_path, OMP_NUM_THREADS="3")
    assert "THREADS 3 1 False" in said and "NMS [1, 2, 3]" in said and "ASKED []" in said


def test_an_earlier_import_left_online_is_said(tmp_path: Path) -> None:
    body = """
import sys, types
sys.modules["ultralytics"] = types.ModuleType("ultralytics")
from contrechamp.domain.errors import CapabilityError
from vsa.detectors.offline import ultralytics
try:
    ultralytics()
except CapabilityError as error:
    print("SAID", error, error.exit_code)
"""
    assert "SAID Ultralytics was imported before it could be told to stay offline." in run(body, tmp_path)


def test_importing_the_package_is_light(tmp_path: Path) -> None:
    body = """
import vsa, vsa.detectors, vsa.detectors.weights
heavy = {"torch", "ultralytics", "cv2", "openvino", "onnxruntime", "torchvision", "supervision"} & set(sys.modules)
print("HEAVY", sorted(heavy))
"""
    assert "HEAVY []" in run(body, tmp_path)


def test_fallback_suppression_is_that_of_opencv() -> None:
    import cv2
    import torch

    from vsa.detectors.offline import _nms

    rng = np.random.default_rng(2)
    for _ in range(40):
        n = int(rng.integers(1, 80))
        corner = rng.uniform(0, 100, (n, 2))
        size = rng.uniform(5, 60, (n, 2))
        scores = rng.permutation(np.linspace(0.1, 0.9, n))
        kept = _nms(torch.tensor(np.hstack([corner, corner + size])), torch.tensor(scores), 0.5)
        theirs = cv2.dnn.NMSBoxes(np.hstack([corner, size]).tolist(), scores.tolist(), 0.0, 0.5)
        assert kept.tolist() == list(np.asarray(theirs).ravel())
