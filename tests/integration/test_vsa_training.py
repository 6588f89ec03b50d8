"""The whole chain on a handful of images: draw, train, export, score, seal, log, write the card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contrechamp.domain.errors import CapabilityError, ParameterError
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import VISIBILITY
from contrechamp.pipelines.tracking import sqlite_uri
from contrechamp.pipelines.vsa_card import detector_card
from contrechamp.pipelines.vsa_stills import SEEN, UNSEEN, draw_still, draw_stills, label_lines, still_seeds
from contrechamp.pipelines.vsa_training import CARDS, TrainingReport, evaluate, train_detector
from vsa.detectors import load_detector
from vsa.detectors.oracle import Oracle
from vsa.detectors.weights import FILES, MANIFEST, SHIPPED, read_weights

SMALL = {"images": 32, "epochs": 1, "imgsz": 128, "test_images": 6, "device": "cpu"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingReport, Path, list[str]]:
    folder = tmp_path_factory.mktemp("training")
    steps: list[str] = []
    report = train_detector(
        folder / "weights", seed=3, tracking_uri=sqlite_uri(folder),
        progress=lambda step, done, total: steps.append(f"{step} {done}/{total}"), **SMALL,
    )  # fmt: skip
    return report, folder, steps


def test_training_leaves_sealed_weights_a_manifest_and_two_cards(
    trained: tuple[TrainingReport, Path, list[str]],
) -> None:
    report, folder, steps = trained
    files = sorted(p.name for p in report.folder.iterdir())
    assert files == sorted([MANIFEST, *CARDS, *(n for names in FILES.values() for n in names)])
    assert not list(folder.rglob("*.pt")), "a pickle outlived its run"
    assert not list(folder.glob("*.partial"))
    training = report.manifest["training"]
    assert (training["seed"], training["images"], training["epochs"]) == (3, 32, 1)
    assert len(training["losses"]) == 1 and len(training["data_sha256"]) == 64
    assert {"ultralytics", "torch", "openvino"} <= set(report.manifest["versions"])
    assert "epochs 1/1" in steps
    loaded = load_detector("yolo", weights=report.folder, backend="torch", device="cpu")
    assert len(loaded.detect([np.zeros((90, 160, 3), np.uint8)], indices=[0])) == 1


def test_the_card_says_what_the_manifest_says(trained: tuple[TrainingReport, Path, list[str]]) -> None:
    report, _, _ = trained
    manifest = read_weights(report.folder).manifest
    for name, lang in zip(CARDS, ("fr", "en"), strict=True):
        text = (report.folder / name).read_text()
        assert text == detector_card(manifest, lang=lang)  # type: ignore[arg-type]
        assert manifest["training"]["data_sha256"] in text
        rows = [r for r in manifest["evaluation"]["scores"] if r["by"] == "situation" and r["label"] == "person"]
        for row in rows:
            if row["stills"] == "unseen" and row["n_boxes"]:
                label = SITUATIONS[row["key"]].label.in_(lang)  # type: ignore[arg-type]
                assert f"| {label} | {row['n_boxes']} |" in text


def test_going_on_from_weights_learns_on_and_writes_down_their_hash(
    trained: tuple[TrainingReport, Path, list[str]], tmp_path: Path
) -> None:
    shipped = read_weights().manifest
    more = train_detector(tmp_path / "more", seed=4, start=SHIPPED, **(SMALL | {"images": 8, "test_images": 2}))
    training = more.manifest["training"]
    assert training["start"]["sha256"] == shipped["files"]["yolo.safetensors"]["sha256"]
    assert training["start"]["data_sha256"] == shipped["training"]["data_sha256"]
    from_chance, from_weights = (
        m["training"]["losses"][0]["train/box_loss"] for m in (trained[0].manifest, more.manifest)
    )
    assert from_weights < 0.75 * from_chance, "it began again from nothing"
    card = (more.folder / "yolo.en.md").read_text()
    last = "--seed 4 --images 8 --epochs 1 --imgsz 128 --start etape"
    assert f"--images {shipped['training']['images']} --epochs {shipped['training']['epochs']}" in card and last in card


def test_the_run_is_in_mlflow(trained: tuple[TrainingReport, Path, list[str]]) -> None:
    from mlflow.tracking import MlflowClient

    _, folder, _ = trained
    client = MlflowClient(tracking_uri=sqlite_uri(folder))
    experiment = client.get_experiment_by_name("contrechamp-vsa")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["images"] == "32" and run.data.params["optimizer"] == "AdamW"
    assert {"unseen.person.ap50", "train.box_loss"} <= set(run.data.metrics)
    assert {a.path for a in client.list_artifacts(run.info.run_id, "weights")} >= {f"weights/{MANIFEST}"}


def test_a_perfect_detector_scores_one_and_a_blind_one_nothing() -> None:
    """The measuring chain itself: an oracle of the same stills finds everybody that counts, and invents nobody."""

    class Told:
        needs_frames = True
        at = 0

        def get_params(self) -> dict[str, str]:
            return {}

        def detect(self, frames, *, indices):  # type: ignore[no-untyped-def]
            found = []
            for _ in frames:
                still = stills[self.at]
                self.at += 1
                camera = still.truth.meta.camera
                oracle = Oracle(
                    still.truth.frames, width_px=camera.width_px, height_px=camera.height_px, boxes="visible",
                    min_visibility=0.25,
                )  # fmt: skip
                found += oracle.detect([], indices=[0])
            return found

    stills = draw_stills(still_seeds("unseen", 4, seed=1), ranges=UNSEEN)
    scores, said = evaluate(Told(), seed=1, n=4, replicates=20, sets=["unseen"])  # type: ignore[arg-type]
    whole = scores[(scores["by"] == "all") & (scores["stills"] == "unseen") & (scores["label"] == "person")].iloc[0]
    assert whole["n_boxes"] > 10
    assert whole["ap50"] == pytest.approx(1.0) and whole["recall"] == 1.0
    assert said["sets"]["unseen"]["false_boxes_per_image"] == {"person": 0.0, "object": 0.0}


def test_the_shipped_weights_still_see_what_their_manifest_says() -> None:
    """New stills, the code of today: a change of the drawing that the weights do not follow shows here."""
    rows = read_weights().manifest["evaluation"]["scores"]
    said = next(r["recall"] for r in rows if (r["stills"], r["label"], r["by"]) == ("unseen", "person", "all"))
    scores, _ = evaluate(load_detector("yolo", conf=0.05), seed=77, n=16, replicates=0, sets=["unseen"])
    whole = scores[(scores["by"] == "all") & (scores["stills"] == "unseen") & (scores["label"] == "person")].iloc[0]
    assert whole["n_boxes"] > 80
    assert whole["recall"] == pytest.approx(said, abs=0.12)


def test_stills_are_the_same_whoever_draws_them_and_parts_share_no_seed() -> None:
    seeds = still_seeds("train", 3, seed=2)
    one = [draw_still(s, ranges=SEEN, width_px=128, height_px=128).jpeg for s in seeds]
    two = [s.jpeg for s in draw_stills(seeds, ranges=SEEN, width_px=128, height_px=128, jobs=2)]
    assert one == two and len(set(one)) == 3
    parts = [still_seeds(p, 50, seed=s) for p in ("train", "val", "seen", "unseen") for s in (1, 2)]
    assert len({s for part in parts for s in part}) == 400


def test_labels_are_the_visible_boxes_of_those_who_show_enough() -> None:
    still = next(s for s in draw_stills(still_seeds("seen", 6, seed=1), ranges=SEEN) if len(s.truth.frames) > 3)
    enough = still.truth.frames[still.truth.frames[VISIBILITY] >= 0.25]
    lines = [list(map(float, line.split())) for line in label_lines(still.truth).splitlines()]
    assert len(lines) == len(enough)
    for (label, x, y, w, h), row in zip(lines, enough.itertuples(), strict=True):
        assert label == (0 if row.label == "person" else 1)
        assert (x - w / 2) * 640 == pytest.approx(row.vx1_px, abs=0.01)
        assert (y + h / 2) * 360 == pytest.approx(row.vy2_px, abs=0.01)


def test_mistakes_are_said_before_anything_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("x")
    with pytest.raises(ParameterError, match="in use"):
        train_detector(tmp_path / "taken", **SMALL)
    with pytest.raises(ParameterError, match="multiple of 32"):
        train_detector(tmp_path / "new", **(SMALL | {"imgsz": 100}))
    with pytest.raises(ParameterError, match="`epochs`"):
        train_detector(tmp_path / "new", **(SMALL | {"epochs": 0}))
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(CapabilityError, match="no CUDA"):
            train_detector(tmp_path / "new", **(SMALL | {"device": "cuda"}))
