"""The shipped detector against ultralytics' own way of running it, on the same weights, frames, processor and threads.

    python benchmarks/bench_detection.py [--frames 60] [--rounds 5] [--imgsz 640] [--threads 2] [--streams 64]

The baseline is what its users write: ``YOLO(...).predict(frame, device="cpu")``, network folded, in PyTorch, at the
same image size, threshold and overlap. Frames are drawn scenes of 640 by 360 that no training saw. Rounds alternate
between the contestants, so that a busy machine slows them alike; each one's best and median round are shown. What they
find is compared too: faster and different would be no gain. ``auto`` lets OpenVINO use 16-bit products where the
processor has them; ``f32``, the default of the detector, keeps to 32 bits. Then a batch of 64 streams on a graphics
card, where there is one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np

from contrechamp.domain.video import Detections, Image
from contrechamp.pipelines.vsa_stills import UNSEEN, draw_stills, still_seeds
from vsa.detectors.offline import ultralytics
from vsa.detectors.weights import read_weights
from vsa.detectors.yolo import Yolo

CONF, IOU = 0.25, 0.6
BAR = 1.5
FAST, EXACT = "yolo, openvino auto", "yolo, openvino f32"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--streams", type=int, default=64)
    asked = parser.parse_args()
    frames = [s.image for s in draw_stills(still_seeds("unseen", asked.frames, seed=9), ranges=UNSEEN)]
    theirs, count = baseline(imgsz=asked.imgsz, threads=asked.threads)
    runs: dict[str, Callable[[Sequence[Image]], object]] = {"ultralytics predict (torch)": theirs}
    ours = {
        name: Yolo(
            backend=backend, device="cpu", precision=precision, imgsz=asked.imgsz, conf=CONF, iou=IOU,
            threads=asked.threads,
        )
        for name, backend, precision in (
            (FAST, "openvino", "auto"), (EXACT, "openvino", "f32"), ("yolo, onnx", "onnx", "f32"),
            ("yolo, torch", "torch", "f32"),
        )
    }  # fmt: skip
    runs |= {name: (lambda f, d=d: d.detect(f, indices=range(len(f)))) for name, d in ours.items()}
    print(f"{len(frames)} frames of {frames[0].shape[1]} × {frames[0].shape[0]}, imgsz {asked.imgsz}, "
          f"{asked.threads} threads, {asked.rounds} rounds")  # fmt: skip
    for run in runs.values():
        run(frames[:4])
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(asked.rounds):
        for name, run in runs.items():
            clock, used = time.perf_counter(), time.process_time()
            run(frames)
            wall[name].append((time.perf_counter() - clock) / len(frames) * 1e3)
            cpu[name].append((time.process_time() - used) / len(frames) * 1e3)
    first = "ultralytics predict (torch)"
    print(f"{'':<30}{'best ms':>9}{'median ms':>11}{'CPU ms':>9}{'best ×':>9}{'median ×':>10}{'CPU ×':>8}")
    for name in runs:
        best, middle, used = min(wall[name]), float(np.median(wall[name])), min(cpu[name])
        print(f"{name:<30}{best:>9.1f}{middle:>11.1f}{used:>9.1f}{min(wall[first]) / best:>9.2f}"
              f"{float(np.median(wall[first])) / middle:>10.2f}{min(cpu[first]) / used:>8.2f}")  # fmt: skip
    for name in (FAST, EXACT):
        ratio = float(np.median(wall[first])) / float(np.median(wall[name]))
        print(f"{name} against predict: {ratio:.2f} (bar {BAR}): {'reached' if ratio >= BAR else 'NOT reached'}")
    found = {name: d.detect(frames, indices=range(len(frames))) for name, d in ours.items()}
    print("boxes found: predict", count(frames), *(f"· {n} {sum(map(len, f))}" for n, f in found.items()))
    print(f"boxes of {FAST} with a like box of {EXACT} (overlap 0.9): {alike(found[FAST], found[EXACT]):.1%}")
    on_card(frames, imgsz=asked.imgsz, streams=asked.streams)


def alike(some: Sequence[Detections], others: Sequence[Detections]) -> float:
    """Share of the boxes of ``some`` that overlap one of ``others`` by 0.9."""
    hits = total = 0
    for a, b in zip(some, others, strict=True):
        low = np.maximum(a.boxes_px[:, None, :2], b.boxes_px[None, :, :2])
        high = np.minimum(a.boxes_px[:, None, 2:], b.boxes_px[None, :, 2:])
        shared = (high - low).clip(0).prod(axis=2)
        areas = [(d.boxes_px[:, 2:] - d.boxes_px[:, :2]).prod(axis=1) for d in (a, b)]
        iou = shared / (areas[0][:, None] + areas[1][None] - shared)
        hits += int((iou.max(axis=1, initial=0.0) >= 0.9).sum())
        total += len(a)
    return hits / max(total, 1)


def baseline(
    *, imgsz: int, threads: int
) -> tuple[Callable[[Sequence[Image]], object], Callable[[Sequence[Image]], int]]:  # fmt: skip
    """Ultralytics' own predictor with the shipped weights in it."""
    library = ultralytics()
    import torch
    from safetensors.torch import load_file

    from vsa.detectors.network import build

    weights = read_weights()
    path = weights.path("torch")
    network = build(weights.manifest["architecture"])
    network.load_state_dict(load_file(str(path)))
    network.names = dict(enumerate(weights.manifest["labels"]))
    model = library.YOLO("yolo11n.yaml", task="detect")
    model.model = network.eval()
    model.model.args = {"imgsz": imgsz, "task": "detect"}
    torch.set_num_threads(threads)

    def results(frames: Sequence[Image]) -> list[object]:
        out: list[object] = []
        for frame in frames:  # its arrays are BGR
            out += model.predict(
                frame[:, :, ::-1], imgsz=imgsz, conf=CONF, iou=IOU, max_det=300, device="cpu", verbose=False
            )
        return out

    return results, lambda frames: sum(len(r.boxes) for r in results(frames))  # type: ignore[attr-defined]


def on_card(frames: Sequence[Image], *, imgsz: int, streams: int) -> None:
    """A batch of one frame of each of many streams, on a graphics card."""
    import torch

    if not torch.cuda.is_available():
        print(f"batch over {streams} streams: no CUDA")
        return
    batch = [frames[i % len(frames)] for i in range(streams)]
    detector = Yolo(backend="torch", device="cuda", imgsz=imgsz, conf=CONF, iou=IOU)
    detector.detect(batch, indices=range(streams))
    clock = time.perf_counter()
    for _ in range(10):
        detector.detect(batch, indices=range(streams))
    torch.cuda.synchronize()
    each = (time.perf_counter() - clock) / 10 / streams
    print(f"batch over {streams} streams on {torch.cuda.get_device_name()}: {1 / each:.0f} frames/s, "
          f"{1 / each / streams:.1f} a stream")  # fmt: skip


if __name__ == "__main__":
    main()
