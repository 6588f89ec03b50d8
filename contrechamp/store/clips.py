"""A clip is a folder: what a camera sees and what its installer knows in one half, what really happened in the other.

::

    clip.mp4            the frames
    sidecar.json        camera, zones, lines, rate, light, place; size and SHA-256 of every file of both halves
    truth/              frames.parquet  events.parquet  subjects.parquet  spec.json
                        gt/gt.txt (MOT Challenge)   labels/*.txt (YOLO)   coco.json

Whoever detects needs the first two files only and may be handed a folder that has nothing else. A source that was never
described by a sidecar of truth (a camera, a stream, a lone video) is refused: what an alert costs whom could not be
counted on it.

What it cannot tell you: a digest says that a file is the one that was described, not who described it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.provenance import sha256_bytes
from contrechamp.domain.video import (
    EVENT_COLUMNS,
    EVENT_KINDS,
    FRAME,
    LABEL,
    LABELS,
    SITUATION,
    SUBJECT_ID,
    T_S,
    TRUTH_COLUMNS,
    VISIBLE_BOX,
    VISIBLE_PX,
    ClipMeta,
    Image,
    SceneTruth,
    as_table,
    check_boxes,
)
from contrechamp.store.annotations import coco_of, mot_text, yolo_texts
from contrechamp.store.files import sha256_file, write_json, write_parquet, write_text
from contrechamp.store.sidecar import read_sidecar, sidecar_text
from contrechamp.store.video import check_video, read_frames, write_mp4

VIDEO: Final = "clip.mp4"
SIDECAR: Final = "sidecar.json"
TRUTH: Final = "truth"
GT: Final = f"{TRUTH}/gt/gt.txt"
LABEL_FOLDER: Final = f"{TRUTH}/labels"
COCO: Final = f"{TRUTH}/coco.json"
SPEC: Final = f"{TRUTH}/spec.json"
_TABLES: Final = {name: f"{TRUTH}/{name}.parquet" for name in ("frames", "events", "subjects")}
_FILES: Final = (VIDEO, *_TABLES.values(), GT, COCO, SPEC, LABEL_FOLDER)
_SUBJECT_KEYS: Final = {SUBJECT_ID: "int64", LABEL: "str", SITUATION: "str"}
_REMOTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|/dev/|[0-9]+$")

_NO_TRUTH: Final = (
    "a clip without its truth cannot say whom an alert falls on by mistake, so there is no live-camera mode. Give a "
    "folder made by `contrechamp vsa render`: clip.mp4, sidecar.json, and truth/ to score it."
)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip folder whose sidecar has been read.

    Attributes
    ----------
    folder : Path
    meta : ClipMeta
        The public half.
    files : mapping of str to (int, str)
        File of the folder, as it is named there → bytes and SHA-256. A folder of labels is one entry.
    """

    folder: Path
    meta: ClipMeta
    files: Mapping[str, tuple[int, str]]

    @property
    def video(self) -> Path:
        """The mp4."""
        return self.folder / VIDEO

    @property
    def has_truth(self) -> bool:
        """Whether the truth lies beside the public half."""
        return (self.folder / TRUTH).is_dir()

    def frames(self) -> Iterator[tuple[int, float, Image]]:
        """Frames of the video, checked against the sidecar (:func:`contrechamp.store.video.read_frames`)."""
        return read_frames(self.video, expect=self.meta)


def write_clip(
    folder: Path,
    frames: Iterable[tuple[Image, pd.DataFrame]],
    *,
    meta: ClipMeta,
    spec: Mapping[str, Any],
    subjects: pd.DataFrame,
    events: pd.DataFrame,
    crf: int = 23,
) -> Clip:
    """Write a clip folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        Must not exist.
    frames : iterable of (image, truth)
        Image and rows of :data:`contrechamp.domain.video.TRUTH_COLUMNS` of each frame, in order.
    meta : ClipMeta
    spec : mapping
        What was asked for, as plain values. It goes with the truth: it names who is in the scene.
    subjects, events : DataFrame
        At least subject_id, label, situation; columns of :data:`contrechamp.domain.video.EVENT_COLUMNS`.
    crf : int, default=23

    Raises
    ------
    ParameterError
        If the folder exists.
    ContractError
        If the truth contradicts itself, or there are not as many frames as ``meta`` says.
    """
    if folder.exists():
        raise ParameterError(f"{folder} exists and nothing is overwritten. Choose another --out.")
    work = folder.with_name(folder.name + ".partial")
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True)
    rows: list[pd.DataFrame] = []

    def images() -> Iterator[Image]:
        for image, truth in frames:
            rows.append(truth)
            yield image

    write_mp4(work / VIDEO, images(), fps=meta.fps, crf=crf)
    if len(rows) != meta.n_frames:
        raise ContractError(f"Clip {meta.clip_id!r} should have {meta.n_frames} frames. Got {len(rows)}.")
    seen = as_table(pd.concat(rows, ignore_index=True), TRUTH_COLUMNS, what="truth")
    truth = check_truth(SceneTruth(meta, seen, as_table(events, EVENT_COLUMNS, what="events")), subjects=subjects)
    write_parquet(truth.frames, work / _TABLES["frames"])
    write_parquet(truth.events, work / _TABLES["events"])
    write_parquet(subjects, work / _TABLES["subjects"])
    write_text(work / GT, mot_text(truth.frames))
    write_json(work / COCO, coco_of(truth.frames, meta))
    write_json(work / SPEC, spec)
    for name, text in yolo_texts(truth.frames, meta).items():
        write_text(work / LABEL_FOLDER / name, text)
    files = {name: _measure(work / name) for name in _FILES}
    write_text(work / SIDECAR, sidecar_text(meta, files))
    work.replace(folder)
    return Clip(folder, meta, files)


def open_clip(source: str | Path, *, check: bool = True) -> Clip:
    """Read the sidecar of a clip folder; the truth half may be absent.

    Parameters
    ----------
    source : str or Path
        The folder, or its ``clip.mp4`` where the sidecar lies beside it.
    check : bool, default=True
        Compare the video with the size and digest that the sidecar states.

    Raises
    ------
    ContractError
        If the source is a camera, a stream or a video without sidecar; or if the sidecar or the video does not hold.
    IntegrityError
        If the video decodes, and its bytes are not those described.
    """
    text = str(source)
    if not isinstance(source, Path) and _REMOTE.match(text) and not Path(text).is_dir():
        raise ContractError(f"{text} is a stream or a camera, and is refused: {_NO_TRUTH}")
    folder = Path(source)
    if folder.is_file() and (folder.name != VIDEO or not (folder.parent / SIDECAR).is_file()):
        raise ContractError(f"{folder} is a file without a sidecar beside it, and is refused: {_NO_TRUTH}")
    folder = folder.parent if folder.is_file() else folder
    if not folder.is_dir():
        raise ContractError(f"There is no clip at {folder}. Make one with `contrechamp vsa render --out {folder}`.")
    if not (folder / SIDECAR).is_file():
        raise ContractError(f"{folder} holds no {SIDECAR}, and is refused: {_NO_TRUTH}")
    meta, files = read_sidecar(folder / SIDECAR)
    lacking = [name for name in _FILES if name not in files]
    if lacking:
        raise ContractError(f"{folder / SIDECAR} gives no digest of {', '.join(lacking)}. Render the clip again.")
    clip = Clip(folder, meta, files)
    if check:
        _check_file(clip, VIDEO)
    return clip


def find_clips(sources: Iterable[str | Path]) -> list[str | Path]:
    """Clip folders among ``sources``: a folder that is no clip stands for the clips in it, by name."""
    found: list[str | Path] = []
    for source in sources:
        folder = Path(source)
        inside = sorted(p.parent for p in folder.glob(f"*/{SIDECAR}")) if folder.is_dir() else []
        found += [source] if (folder / SIDECAR).is_file() or not inside else inside
    return found


def read_truth(clip: Clip) -> SceneTruth:
    """What really happened in a clip, each file checked against the sidecar.

    Raises
    ------
    ContractError
        If the truth is absent or contradicts itself.
    IntegrityError
        If a file is not the one the sidecar describes.
    """
    if not clip.has_truth:
        raise ContractError(
            f"{clip.folder} has no {TRUTH}/ folder: it is the public half of a clip. Score it with both."
        )
    tables = {}
    for name, path in _TABLES.items():
        _check_file(clip, path)
        try:
            tables[name] = pd.read_parquet(clip.folder / path)
        except (ValueError, OSError) as cause:
            raise ContractError(f"{clip.folder / path} cannot be read as a parquet table: {cause}.") from cause
    frames = as_table(tables["frames"], TRUTH_COLUMNS, what=f"truth of clip {clip.meta.clip_id!r}")
    events = as_table(tables["events"], EVENT_COLUMNS, what=f"events of clip {clip.meta.clip_id!r}")
    return check_truth(SceneTruth(clip.meta, frames, events), subjects=tables["subjects"])


def read_subjects(clip: Clip) -> pd.DataFrame:
    """The persons and objects of a clip, one row each, in view or not."""
    _check_file(clip, _TABLES["subjects"])
    return pd.read_parquet(clip.folder / _TABLES["subjects"])


def read_spec(clip: Clip) -> dict[str, Any]:
    """What was asked of the renderer."""
    _check_file(clip, SPEC)
    return dict(json.loads((clip.folder / SPEC).read_text(encoding="utf-8")))


def check_truth(truth: SceneTruth, *, subjects: pd.DataFrame) -> SceneTruth:
    """Refuse a truth that contradicts itself or its clip; return it.

    Raises
    ------
    ContractError
        Boxes that are not finite, rows of a frame that does not exist or at another time than the frame's, a subject
        twice in a frame or unknown, an event of no known kind or that ends before it begins.
    """
    meta, frames, events = truth.meta, truth.frames, truth.events
    what = f"truth of clip {meta.clip_id!r}"
    check_boxes(frames, what=what, n_frames=meta.n_frames)
    seen = frames[frames[VISIBLE_PX] > 0]
    check_boxes(
        seen[[FRAME, *VISIBLE_BOX]].rename(columns=lambda c: c.removeprefix("v")), what=f"visible {what}"
    )  # fmt: skip
    known = as_table(subjects, _SUBJECT_KEYS, what=f"subjects of clip {meta.clip_id!r}")
    for wrong, reason in (
        ((frames[T_S] - frames[FRAME] / meta.fps).abs() > 1e-6, "are not at the time of their frame"),
        (frames.duplicated([FRAME, SUBJECT_ID]), "show the same subject twice in one frame"),
        (~frames[SUBJECT_ID].isin(known[SUBJECT_ID]), "show a subject that the clip does not have"),
        (~frames[LABEL].isin(LABELS), "bear a label that does not exist"),
    ):
        if wrong.any():
            rows = ", ".join(map(str, np.flatnonzero(wrong.to_numpy())[:5]))
            raise ContractError(f"{int(wrong.sum())} rows of the {what} {reason} (rows {rows}).")
    times = events[["t_begin_s", "t_end_s"]].to_numpy(dtype=np.float64)
    bad = ~events["kind"].isin(EVENT_KINDS).to_numpy() | ~np.isfinite(times).all(axis=1) | (times[:, 1] < times[:, 0])
    if bad.any():
        raise ContractError(
            f"{int(bad.sum())} events of clip {meta.clip_id!r} are of no known kind ({', '.join(EVENT_KINDS)}), or end "
            f"before they begin."
        )
    return truth


def _measure(path: Path) -> tuple[int, str]:
    """Bytes and digest of a file; of a folder, the sum and the digest of its listing."""
    if not path.is_dir():
        return path.stat().st_size, sha256_file(path)
    listing = [(p.name, p.stat().st_size, sha256_file(p)) for p in sorted(path.iterdir())]
    return sum(size for _, size, _ in listing), sha256_bytes(json.dumps(listing).encode())


def check_files(clip: Clip) -> None:
    """Compare every file of both halves with the sidecar.

    Raises
    ------
    ContractError, IntegrityError
        Names the first file that is missing, or is another.
    """
    for name in clip.files:
        _check_file(clip, name)


def _check_file(clip: Clip, name: str) -> None:
    path, (size, digest) = clip.folder / name, clip.files[name]
    if not path.exists():
        raise ContractError(f"{path} is missing, and {clip.folder / SIDECAR} describes it. Copy the clip again, whole.")
    if _measure(path) == (size, digest):
        return
    if name == VIDEO:
        check_video(path, expect=clip.meta)  # a fault of the video says more than a digest
    raise IntegrityError(
        f"{path} is not the file that {clip.folder / SIDECAR} describes: its SHA-256 is another. It was changed after "
        "it was rendered; render the clip again."
    )
