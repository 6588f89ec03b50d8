"""Many cameras watched at once: one folder a camera while it lasts, one run folder at the end.

Each step reads what the one before it left and can be a task of a scheduler (``dags/vsa_batch.py``) or be called in
turn (:func:`run_batch`): the numbers are the same. A camera that fails is kept with its reason, and the others finish.

What it cannot tell you: see :data:`contrechamp.pipelines.vsa.CANNOT_TELL`.
"""

from __future__ import annotations

import dataclasses
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from joblib import Parallel, delayed

import contrechamp
from contrechamp.domain.errors import ContractError, ContrechampError, IntegrityError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.video import Alerts, as_table
from contrechamp.pipelines.vsa import (
    BATCH,
    CANNOT_TELL,
    TOLD,
    Watched,
    detect_clips,
    make_detector,
)
from contrechamp.pipelines.vsa_steps import (
    CAMERA,
    CAMERAS,
    CLIP,
    DETECTOR,
    FAILED,
    PLAN,
    STEPS,
    BatchPlan,
    begin,
    camera_name,
    check_plan,
    detect_camera,
    flag_camera,
    keep_detections,
    keep_detector,
    note,
    note_clip,
    note_source,
    plan_of,
    read_step,
    track_camera,
)
from contrechamp.store import runs
from contrechamp.store.clips import SIDECAR, Clip, open_clip
from contrechamp.store.files import sha256_file

if TYPE_CHECKING:
    from vsa.detectors.base import Detector

COMMAND: Final = "vsa detect"
_LIBRARIES: Final = ("numpy", "pandas", "numba", "av", "trackers", "opencv-python", "openvino")


@dataclass(frozen=True, slots=True)
class Batch:
    """A finished batch.

    Attributes
    ----------
    folder : Path
        Run folder: ``run.json`` and the tables ``cameras``, ``detections``, ``tracks``, ``alerts``, ``trace``.
    cameras : DataFrame
        One row a camera: what was read, and the reason where it failed.
    """

    folder: Path
    cameras: pd.DataFrame

    @property
    def failed(self) -> pd.DataFrame:
        """Cameras that could not be watched."""
        return self.cameras[self.cameras["status"] == "failed"]

    def check(self) -> None:
        """Raise if a camera failed, once the others are done.

        Raises
        ------
        ContractError
            Names each camera and its reason.
        """
        bad = self.failed
        if len(bad):
            told = " ".join(f"{row['source']}: {row['reason']}" for row in bad.to_dict("records"))
            raise ContractError(
                f"{len(bad)} of {len(self.cameras)} cameras could not be watched; the others are in {self.folder}. "
                f"{told}"
            )


def gather(work: Path, *, also: Callable[[Path, Sequence[str]], None] | None = None) -> Batch:
    """Make the run folder of a batch from what its cameras left.

    Parameters
    ----------
    work : Path
    also : callable, optional
        Given the working folder and the cameras that were watched to their end, adds to it before it is closed.
    """
    plan, folder = plan_of(work), work / CAMERAS
    names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    tables: dict[str, list[pd.DataFrame]] = {step: [] for step in STEPS}
    rows = []
    for name in names:
        told = runs.read_json(folder / name / CAMERA)
        failure = folder / name / FAILED
        if failure.is_file():
            rows.append({**told, "status": "failed", "reason": runs.read_json(failure)["reason"]})
            continue
        counts = {}
        for step in STEPS:
            table = read_step(work, name, step)
            tables[step].append(table.assign(**{CLIP: name}))
            counts[f"n_{step}"] = len(table)
        rows.append({**told, "status": "done", "reason": "", **counts})
    cameras = pd.DataFrame(rows, columns=list(_CAMERA_COLUMNS)).astype(dict(_CAMERA_COLUMNS))
    whole = {
        step: as_table(pd.concat(parts, ignore_index=True) if parts else {}, {CLIP: "str", **columns}, what=step)
        for (step, columns), parts in zip(STEPS.items(), tables.values(), strict=True)
    }
    runs.write_tables(work, {"cameras": cameras, **whole})
    runs.write_json(
        work / "run.json",
        {
            "command": COMMAND, "plan": plan.to_dict(), "settings": settings(work), "versions": versions(),
            "cameras": rows,
            "limits": {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en},
        },
    )  # fmt: skip
    if also is not None:
        also(work, [row[CLIP] for row in rows if row["status"] == "done"])
    if folder.is_dir():
        shutil.rmtree(folder)
    for name in (PLAN, DETECTOR):
        (work / name).unlink(missing_ok=True)
    return Batch(runs.finish(work), cameras)


_CAMERA_COLUMNS: Final[Mapping[str, str]] = {
    CLIP: "str", "source": "str", "sidecar_sha256": "str", "place": "str", "light": "str", "fps": "float64",
    "n_frames": "Int64", "duration_s": "float64", "status": "str", "reason": "str",
    **{f"n_{step}": "Int64" for step in STEPS},
}  # fmt: skip


def run_batch(
    sources: Sequence[str | Path], out: Path, *, plan: BatchPlan, batch: int = BATCH, jobs: int = 1,
    progress: Progress = silent,
) -> Batch:  # fmt: skip
    """Watch many cameras: one detector for all, a frame of each in turn to a batch; then tracks and rules.

    Parameters
    ----------
    sources : sequence of str or Path
        Clip folders, of different names.
    out : Path
        Run folder to create.
    plan : BatchPlan
    batch : int, default=16
        Frames handed to the detector at a time. Changes no number.
    jobs : int, default=1
        Cameras tracked and flagged at a time. Changes no number.
    progress : Progress

    Returns
    -------
    Batch
        Call :meth:`Batch.check` on it to be told of cameras that failed.

    Raises
    ------
    ParameterError
        If no source is given, two bear one name, ``out`` exists, or the plan cannot be followed.
    ContractError
        If no clip at all can be opened; nothing is then written.
    """
    names = [camera_name(s) for s in sources]
    if not sources or len(set(names)) < len(names):
        raise ParameterError(f"A batch needs clips of different names. Got {', '.join(names) or 'none'}.")
    check_plan(plan)
    if out.exists():
        raise ParameterError(f"{out} exists and a finished run is never edited. Choose another --out.")
    opened = {name: _opened(source) for name, source in zip(names, sources, strict=True)}
    clips = {name: clip for name, clip in opened.items() if isinstance(clip, Clip)}
    if not clips:
        raise ContractError(" ".join(map(str, opened.values())))
    told = plan.detector in TOLD
    detector = None if told else make_detector(plan.detector, seed=plan.seed, **plan.detector_params)
    work = begin(out, plan)
    for (name, one), source in zip(opened.items(), sources, strict=True):
        if isinstance(one, Clip):
            note_clip(work, name, one)
        else:
            note_source(work, name, source)
            note(work, name, one)
    detected = _detect_all(work, clips, detector, batch=batch, progress=progress)
    done = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(_finish)(work, name) for name in detected)
    for i, _ in enumerate(done, start=1):
        progress("rules", i, len(detected))
    return gather(work)


def _detect_all(
    work: Path, clips: Mapping[str, Clip], detector: Detector | None, *, batch: int, progress: Progress
) -> list[str]:  # fmt: skip
    """Detections of every camera that can be read, each by its own oracle without a detector; names of those."""
    if detector is None:
        return [name for name, clip in clips.items() if _done(partial(detect_camera, work, clip.folder))]
    names = list(clips)
    keep_detector(work, detector)
    found, failed = detect_clips(list(clips.values()), detector, batch=batch, progress=progress)
    for number, why in failed.items():
        note(work, names[number], why)
    for number, boxes in found.items():
        keep_detections(work, names[number], boxes, clips[names[number]].meta)
    return [names[number] for number in found]


def _finish(work: Path, name: str) -> bool:
    return _done(lambda: flag_camera(work, track_camera(work, name)))


def _done(step: Callable[[], Any]) -> bool:
    try:
        step()
    except ContrechampError:
        return False
    return True


def _opened(source: str | Path) -> Clip | ContrechampError:
    """The clip of a source, or the reason why it is none."""
    try:
        return open_clip(source)
    except ContrechampError as why:
        return why


def read_batch(
    run: Path, *, clips: Path | None = None
) -> tuple[dict[str, Any], dict[str, Clip], dict[str, Watched]]:  # fmt: skip
    """What ``vsa detect`` wrote: its ``run.json``, its clips, and what each camera gave; the last two by camera.

    Parameters
    ----------
    run : Path
    clips : Path, optional
        Folder in which the clips are now; where they were otherwise.

    Raises
    ------
    ContractError
        If the folder is not one of a batch, or a clip it names is no longer there.
    IntegrityError
        If a clip is not the one that was watched.
    """
    told = runs.read_json(run / "run.json")
    if not isinstance(told, dict) or told.get("command") != COMMAND:
        raise ContractError(f"{run} is not the folder of a `contrechamp {COMMAND}`. Give one that it wrote.")
    tables = {step: runs.read_table(run, step) for step in STEPS}
    opened, watched = {}, {}
    for camera in told["cameras"]:
        if camera["status"] != "done":
            continue
        name = camera[CLIP]
        clip = open_clip(clips / name if clips is not None else Path(camera["source"]), check=False)
        if sha256_file(clip.folder / SIDECAR) != camera["sidecar_sha256"]:
            raise IntegrityError(
                f"{clip.folder} is not the clip that {run} watched: its sidecar is another. Give the folder of the "
                "clips with --clips, or watch it again."
            )
        parts = {
            step: as_table(tables[step][tables[step][CLIP] == name], columns, what=step)
            for step, columns in STEPS.items()
        }
        opened[name] = clip
        watched[name] = Watched(
            clip.meta, parts["detections"], parts["tracks"], Alerts(parts["alerts"], parts["trace"])
        )
    return told, opened, watched


def settings(work: Path) -> dict[str, Any]:
    """Every parameter that the alerts of a batch depend on: of the detector, the tracker and each preset."""
    from vsa.rules import configured
    from vsa.tracking import DEFAULTS

    plan = plan_of(work)
    detector = runs.read_json(work / DETECTOR) if (work / DETECTOR).is_file() else None
    return {
        "detector": detector, "tracker": {**DEFAULTS[plan.tracker], **plan.tracker_params},
        "presets": {preset: dataclasses.asdict(configured(preset)) for preset in plan.presets},
    }  # fmt: skip


def versions() -> dict[str, str]:
    """Of this program, Python and the libraries on which a number may depend."""
    own = {"contrechamp": contrechamp.__version__, "python": platform.python_version()}
    return own | {name: version(name) for name in _LIBRARIES}
