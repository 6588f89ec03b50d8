"""Train the detector from nothing, test it where it has not been, and seal what came out.

Draw stills, train, export without pickle, measure on seen and unseen stills by situation, write the manifest and the
card. Every figure of the card comes from the manifest, and the manifest from this run.

What it cannot tell you: how a detector trained on photographs would do. Differences between situations here come from
bodies and cameras alone, since every situation was trained on equally often; a real training set adds its own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import plain
from contrechamp.domain.rng import stream
from contrechamp.domain.video import BOX, LABEL, LABELS, SCORE, Detections, FloatArray
from contrechamp.pipelines.tracking import reached
from contrechamp.pipelines.vsa_card import detector_card
from contrechamp.pipelines.vsa_stills import (
    MIN_VISIBILITY,
    MIN_VISIBLE_PX,
    SEEN,
    UNSEEN,
    Still,
    draw_stills,
    still_seeds,
    write_training_set,
)
from contrechamp.store.files import write_bytes, write_json, write_text
from vsa.detectors import load_detector
from vsa.detectors.base import Detector
from vsa.detectors.export import export_network
from vsa.detectors.network import TINY
from vsa.detectors.training import SETTINGS, train_network, training_device
from vsa.detectors.weights import MANIFEST, STEM, Weights, read_weights
from vsa.scoring.detection import IMAGE, LabelledImages, detection_scores, labelled_images

#: Score from which a box counts, for recalls and false boxes.
AT_SCORE: Final = 0.25
#: Score from which a box enters the average precision.
_LEAST_SCORE: Final = 0.01
#: Of a first training, from chance; the card of the shipped weights states the commands that led to them.
DEFAULT_IMAGES, DEFAULT_EPOCHS, DEFAULT_IMGSZ, DEFAULT_SEED = 700, 14, 416, 1
EXPERIMENT_NAME: Final = "contrechamp-vsa"
CARDS: Final = ("yolo.md", "yolo.en.md")
_MOST_VALIDATION: Final = 24
_CHUNK: Final = 16
_LIBRARIES: Final = ("ultralytics", "torch", "onnx", "onnxruntime", "openvino", "safetensors", "numpy", "opencv-python")


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training left.

    Attributes
    ----------
    folder : Path
        Weights, manifest and cards.
    manifest : mapping
    scores : DataFrame
        Columns of :func:`vsa.scoring.detection.detection_scores`, with ``stills`` and ``label``.
    """

    folder: Path
    manifest: Mapping[str, Any]
    scores: pd.DataFrame


def train_detector(
    out: Path, *, seed: int = DEFAULT_SEED, images: int = DEFAULT_IMAGES, epochs: int = DEFAULT_EPOCHS,
    imgsz: int = DEFAULT_IMGSZ, device: Literal["auto", "cpu", "cuda"] = "auto", jobs: int = 1,
    test_images: int = 240, start: Path | None = None, tracking_uri: str | None = None, progress: Progress = silent,
) -> TrainingReport:  # fmt: skip
    """Draw, train, export, measure, seal.

    Parameters
    ----------
    out : Path
        A folder that does not exist or is empty. Written whole or not at all.
    seed : int
        Of the drawings, of the first weights and of the order of images.
    images, epochs : int
        Training stills, and how often each is shown.
    imgsz : int
        Side of a training still, pixels: a multiple of 32.
    device : {"auto", "cpu", "cuda"}
        Where to train.
    jobs : int, default=1
        Processes that draw. Changes no number.
    test_images : int, default=240
        Unseen stills; half as many seen ones beside them.
    start : Path, optional
        Folder of weights to go on from; random weights where left out. The manifest names them by their hash.
    tracking_uri : str, optional
        MLflow store to log the run to.
    progress : Progress

    Raises
    ------
    ParameterError
        If a number is out of its domain, or ``out`` is in use.
    CapabilityError
        If a graphics card was asked for and there is none.
    """
    _check(out, images=images, epochs=epochs, imgsz=imgsz, test_images=test_images)
    before = None if start is None else read_weights(start)
    first = None if before is None else before.path("torch")
    with tempfile.TemporaryDirectory(prefix="contrechamp-train-") as scratch:
        work, ready = Path(scratch), Path(scratch) / "ready"
        data_sha256 = write_training_set(
            work / "set", seed=seed, images=images, validation=max(4, min(_MOST_VALIDATION, images // 8)), imgsz=imgsz,
            jobs=jobs, progress=progress,
        )  # fmt: skip
        losses: list[dict[str, float]] = []

        def epoch_done(epoch: int, total: int, loss: Mapping[str, float]) -> None:
            losses.append(dict(loss))
            progress("epochs", epoch, total)

        where = training_device(device)
        network = train_network(
            work / "set",
            work / "runs",
            seed=seed,
            epochs=epochs,
            imgsz=imgsz,
            device=where,
            start=first,
            progress=epoch_done,
        )
        files = export_network(network, ready)
        manifest: dict[str, Any] = {
            "architecture": dict(TINY), "labels": list(LABELS), "files": files,
            "training": {
                "seed": seed, "images": images, "epochs": epochs, "imgsz": imgsz, "device": where,
                "settings": dict(SETTINGS), "stills": asdict(SEEN), "data_sha256": data_sha256,
                "start": None if before is None else _stage(before),
                "min_visible_px": MIN_VISIBLE_PX, "min_visibility": MIN_VISIBILITY, "losses": losses,
            },
            "versions": {name: version(name).partition("+")[0] for name in _LIBRARIES},
        }  # fmt: skip
        write_json(ready / MANIFEST, manifest)
        yolo = load_detector("yolo", weights=ready, conf=_LEAST_SCORE, device="cpu")
        scores, summary = evaluate(yolo, seed=seed, n=test_images, jobs=jobs, progress=progress)
        manifest["evaluation"] = summary | {"scores": scores.to_dict("records")}
        write_json(ready / MANIFEST, manifest)
        for name, lang in zip(CARDS, ("fr", "en"), strict=True):
            write_text(ready / name, detector_card(plain(manifest), lang="fr" if lang == "fr" else "en"))
        _publish(ready, out)
    report = TrainingReport(out, read_weights(out).manifest, scores)
    if tracking_uri is not None:
        log_training(report, tracking_uri=tracking_uri)
    return report


def evaluate(
    detector: Detector, *, seed: int, n: int, jobs: int = 1, replicates: int = 200, progress: Progress = silent,
    sets: Sequence[str] = ("seen", "unseen"),
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Score a detector on stills drawn like those of training, and on places, a light and cameras kept away from it.

    Parameters
    ----------
    detector : Detector
        With as low a score as it goes: average precision needs its faint boxes too.
    seed, n, jobs : int
        ``n`` unseen stills, half as many seen ones.
    replicates : int
        Draws of images for the intervals.
    sets : sequence of str

    Returns
    -------
    scores : DataFrame
        Columns of :func:`vsa.scoring.detection.detection_scores`, after ``stills`` and ``label``. The set ``unseen``
        comes whole and, as ``unseen light`` and ``unseen camera``, restricted to what never was in training.
    summary : dict
        Thresholds and, by set, images, ranges and false boxes an image.
    """
    tables: list[pd.DataFrame] = []
    said: dict[str, Any] = {}
    for name in sets:
        ranges = UNSEEN if name == "unseen" else SEEN
        seeds = still_seeds(name, n if name == "unseen" else max(1, n // 2), seed=seed)
        clips = []
        for at in range(0, len(seeds), _CHUNK):
            stills = draw_stills(seeds[at : at + _CHUNK], ranges=ranges, jobs=jobs)
            found = detector.detect([s.image for s in stills], indices=[0] * len(stills))
            clips += [(s, f) for s, f in zip(stills, found, strict=True)]
            progress(f"stills {name}", len(clips), len(seeds))
        for part, chosen in _parts(name, clips):
            labelled = labelled_images([(s.truth, [0], [f]) for s, f in chosen])
            said[part] = {
                "images": len(chosen), "ranges": asdict(ranges), "false_boxes_per_image": _false_boxes(labelled),
            }  # fmt: skip
            for label in LABELS:
                table = detection_scores(
                    labelled, label="person" if label == "person" else "object", min_visibility=MIN_VISIBILITY,
                    at_score=AT_SCORE, replicates=replicates, rng=stream(seed, "vsa", "evaluation", part, label),
                )  # fmt: skip
                whole = (table["by"] == "all") | (part == name)
                tables.append(table[whole].assign(stills=part, label=label))
    scores = pd.concat(tables, ignore_index=True)
    first = ["stills", LABEL]
    return scores[first + [c for c in scores if c not in first]], {
        "at_score": AT_SCORE, "replicates": replicates, "min_visible_px": MIN_VISIBLE_PX,
        "min_visibility": MIN_VISIBILITY, "detector": detector.get_params(), "sets": said,
    }  # fmt: skip


def _parts(
    name: str, clips: list[tuple[Still, Detections]]
) -> list[tuple[str, list[tuple[Still, Detections]]]]:  # fmt: skip
    if name != "unseen":
        return [(name, clips)]
    new: dict[str, Callable[[Still], bool]] = {
        "unseen light": lambda s: s.truth.meta.light not in SEEN.lights,
        "unseen camera": lambda s: s.truth.meta.camera.height_m > SEEN.camera_height_m[1],
    }
    parts = [(part, [c for c in clips if is_new(c[0])]) for part, is_new in new.items()]
    return [(name, clips)] + [(part, chosen) for part, chosen in parts if chosen]


def _false_boxes(labelled: LabelledImages) -> dict[str, float]:
    """Boxes from :data:`AT_SCORE` on that overlap nobody by half, hidden ones included, an image."""
    out = {}
    for label in LABELS:
        found = labelled.found[(labelled.found[LABEL] == label) & (labelled.found[SCORE] >= AT_SCORE)]
        truth = dict(list(labelled.truth[labelled.truth[LABEL] == label].groupby(IMAGE)))
        wrong = 0
        for image, rows in found.groupby(IMAGE):
            there = truth.get(image)
            best = 0.0 if there is None else _overlaps(_boxes(rows), _boxes(there)).max(axis=1)
            wrong += int((np.broadcast_to(best, len(rows)) < 0.5).sum())
        out[label] = wrong / len(labelled.images)
    return out


def _boxes(rows: pd.DataFrame) -> FloatArray:
    return rows[list(BOX)].to_numpy(dtype=np.float64)


def _overlaps(a: FloatArray, b: FloatArray) -> FloatArray:
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clip(0.0).prod(axis=2)
    areas = [(x[:, 2:] - x[:, :2]).prod(axis=1) for x in (a, b)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None] - shared))


def log_training(report: TrainingReport, *, tracking_uri: str) -> str:
    """Log a training to MLflow: parameters, losses by epoch, scores, and the files as artefacts; return the run's id.

    Raises
    ------
    ParameterError, CapabilityError
        See :func:`contrechamp.pipelines.tracking.reached`.
    """
    with reached(tracking_uri, where="log_training") as client:
        from mlflow.entities import Metric, Param

        experiment = client.get_experiment_by_name(EXPERIMENT_NAME)
        number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT_NAME)
        run = client.create_run(number, run_name="yolo")
        run_id, now = str(run.info.run_id), int(run.info.start_time)
        training = report.manifest["training"]
        metrics = [
            Metric(name.replace("/", "."), value, now, epoch)
            for epoch, losses in enumerate(training["losses"], start=1)
            for name, value in losses.items()
        ]
        whole = report.scores[(report.scores["by"] == "all") & report.scores["ap50"].notna()]
        for row in whole.itertuples():
            name = f"{row.stills}.{row.label}".replace(" ", "_")
            metrics += [Metric(f"{name}.{m}", float(getattr(row, m)), now, 0) for m in ("ap50", "recall")]
        flat = {k: v for k, v in training.items() if isinstance(v, int | float | str)} | dict(training["settings"])
        client.log_batch(run_id, metrics=metrics, params=[Param(k, str(plain(v))) for k, v in flat.items()])
        client.log_artifacts(run_id, str(report.folder), "weights")
        client.set_terminated(run_id, status="FINISHED")
    return run_id


def _check(out: Path, *, images: int, epochs: int, imgsz: int, test_images: int) -> None:
    where = "train_detector"
    for name, value, least, most in (
        ("images", images, 8, 1_000_000), ("epochs", epochs, 1, 10_000), ("test_images", test_images, 2, 1_000_000),
    ):  # fmt: skip
        if not least <= value <= most:
            raise bad_parameter(name=name, where=where, must=f"a whole number in [{least}, {most}]", got=value)
    if imgsz % 32 or not 64 <= imgsz <= 2048:
        raise bad_parameter(name="imgsz", where=where, must="a multiple of 32 in [64, 2048]", got=imgsz)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ParameterError(f"{out} is in use. Weights are written to a new folder; name one that does not exist.")


def _stage(before: Weights) -> dict[str, Any]:
    """What the weights gone on from were, and those before them."""
    training = before.manifest["training"]
    kept = ("seed", "images", "epochs", "imgsz", "data_sha256", "start")
    return {"sha256": before.manifest["files"][f"{STEM}.safetensors"]["sha256"]} | {k: training.get(k) for k in kept}


def _publish(ready: Path, out: Path) -> None:
    """Copy beside ``out``, then rename: half a folder of weights is never seen."""
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for path in sorted(ready.iterdir()):
        write_bytes(partial / path.name, path.read_bytes())
    if out.exists():
        out.rmdir()
    partial.rename(out)
