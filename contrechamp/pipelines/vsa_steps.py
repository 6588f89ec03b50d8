"""The steps of a camera in a batch, each on its own: what one leaves in a folder, the next one reads.

A step that fails keeps its reason beside what came before it: the batch can end without that camera, and say why.

What it cannot tell you: see :data:`contrechamp.pipelines.vsa.CANNOT_TELL`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from contrechamp.domain.errors import ContrechampError, ParameterError
from contrechamp.domain.video import ALERT_COLUMNS, TRACE_COLUMNS, TRACK_COLUMNS, Alerts, ClipMeta, Detections
from contrechamp.pipelines.vsa import (
    DEFAULT_PRESETS,
    DETECTION_COLUMNS,
    TRACKER,
    Watched,
    detect_clip,
    detections_of,
    detections_table,
    flag_clip,
    make_detector,
    track_clip,
)
from contrechamp.store import runs
from contrechamp.store.clips import SIDECAR, VIDEO, Clip, open_clip
from contrechamp.store.files import read_parquet, sha256_file, write_parquet

if TYPE_CHECKING:
    from vsa.detectors.base import Detector

CLIP: Final = "clip_id"
CAMERAS: Final = "cameras"
FAILED: Final = "failed.json"
CAMERA: Final = "camera.json"
PLAN: Final = "batch.json"
DETECTOR: Final = "detector.json"
#: What the steps leave, with its columns.
STEPS: Final[Mapping[str, Mapping[str, str]]] = {
    "detections": DETECTION_COLUMNS, "tracks": TRACK_COLUMNS, "alerts": ALERT_COLUMNS, "trace": TRACE_COLUMNS
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How every camera of a batch is watched.

    Attributes
    ----------
    detector : str
    detector_params : mapping
    tracker : str
    tracker_params : mapping
    presets : tuple of str
    seed : int
        Of a noisy oracle.
    """

    detector: str
    presets: tuple[str, ...]
    tracker: str = TRACKER
    detector_params: Mapping[str, Any] = field(default_factory=dict)
    tracker_params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain form."""
        return {
            "detector": self.detector, "presets": list(self.presets), "tracker": self.tracker,
            "detector_params": dict(self.detector_params), "tracker_params": dict(self.tracker_params),
            "seed": self.seed,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BatchPlan:
        """The inverse of :meth:`to_dict`."""
        return cls(**{**data, "presets": tuple(data["presets"])})


def plan_for(
    detector: str, *, presets: Sequence[str] = (), detector_params: Mapping[str, Any] | None = None,
    tracker: str = TRACKER, tracker_params: Mapping[str, Any] | None = None, seed: int = 0,
) -> BatchPlan:  # fmt: skip
    """A plan, with the presets run unless told; ``all`` is every one."""
    from vsa.rules import PRESETS

    chosen = tuple(PRESETS) if "all" in presets else tuple(dict.fromkeys(presets or DEFAULT_PRESETS))
    return BatchPlan(detector, chosen, tracker, dict(detector_params or {}), dict(tracker_params or {}), seed)


def begin(out: Path, plan: BatchPlan) -> Path:
    """Start a batch and return its working folder, in which the steps below work.

    Raises
    ------
    ParameterError
        If ``out`` exists or cannot be made, or the plan names a detector, tracker or preset that does not exist.
    """
    check_plan(plan)
    out = out.absolute()
    work = runs.begin(out.parent, run_id=out.name)
    runs.write_json(work / PLAN, plan.to_dict())
    return work


def check_plan(plan: BatchPlan) -> None:
    """Refuse at once a plan that no camera could follow.

    Raises
    ------
    ParameterError
    """
    from vsa.detectors import detector_class
    from vsa.rules import PRESETS
    from vsa.tracking import METHODS

    detector_class(plan.detector)
    if plan.tracker not in METHODS:
        raise ParameterError(f"No tracker is called {plan.tracker!r}. Those that exist are {', '.join(METHODS)}.")
    strange = [p for p in plan.presets if p not in PRESETS]
    if strange or not plan.presets:
        got = f"No preset is called {strange[0]!r}" if strange else "No preset was given"
        raise ParameterError(f"{got}. Those that exist are {', '.join(PRESETS)}; see `contrechamp vsa rules`.")


def camera_name(source: str | Path) -> str:
    """Name of a camera's folder while a batch lasts: that of its clip's folder."""
    path = Path(source) if "://" in str(source) else Path(source).absolute()
    name = path.parent.name if path.name == VIDEO else path.name
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).strip(".") or "camera"


def render_camera(work: Path, source: str | Path) -> str:
    """Render a scene written by :func:`contrechamp.pipelines.vsa_render.write_plan`; return the clip's folder."""
    from contrechamp.pipelines.vsa_render import render_planned

    made: list[str] = []
    noting(work, Path(source).stem, source, lambda: made.append(render_planned(source)))
    return made[0]


def detect_camera(work: Path, source: str | Path) -> str:
    """Open a camera's clip and run the detector on it; return the camera's name.

    Raises
    ------
    ContrechampError
        If the clip cannot be watched. The reason is kept in ``work``.
    """
    plan, name = plan_of(work), camera_name(source)

    def step() -> None:
        clip = open_camera(work, name, source)
        detector = make_detector(plan.detector, clip, seed=plan.seed, **plan.detector_params)
        keep_detector(work, detector)
        keep_detections(work, name, detect_clip(clip, detector), clip.meta)

    noting(work, name, source, step)
    return name


def track_camera(work: Path, name: str) -> str:
    """Join a camera's detections into tracks; return its name."""
    plan = plan_of(work)

    def step() -> None:
        clip = clip_of(work, name)
        found = detections_of(read_step(work, name, "detections"), clip.meta)
        write_step(work, name, "tracks", track_clip(found, meta=clip.meta, method=plan.tracker, **plan.tracker_params))

    noting(work, name, None, step)
    return name


def flag_camera(work: Path, name: str) -> str:
    """Run the presets on a camera's tracks; return its name."""
    plan = plan_of(work)

    def step() -> None:
        alerts = flag_clip(read_step(work, name, "tracks"), meta=clip_of(work, name).meta, presets=plan.presets)
        write_step(work, name, "alerts", alerts.table)
        write_step(work, name, "trace", alerts.trace)

    noting(work, name, None, step)
    return name


def plan_of(work: Path) -> BatchPlan:
    """The plan of a batch."""
    return BatchPlan.from_dict(runs.read_json(work / PLAN))


def open_camera(work: Path, name: str, source: str | Path) -> Clip:
    """Open a camera's clip and note what it is."""
    clip = open_clip(source)
    note_clip(work, name, clip)
    return clip


def note_clip(work: Path, name: str, clip: Clip) -> None:
    """Note what the clip of a camera is."""
    meta = clip.meta
    told = {
        CLIP: name, "source": str(clip.folder.absolute()), "sidecar_sha256": sha256_file(clip.folder / SIDECAR),
        "place": meta.place, "light": meta.light, "fps": meta.fps, "n_frames": meta.n_frames,
        "duration_s": meta.duration_s,
    }  # fmt: skip
    runs.write_json(work / CAMERAS / name / CAMERA, told)


def note_source(work: Path, name: str, source: str | Path) -> None:
    """Note where a camera's clip should be, before it is opened."""
    runs.write_json(work / CAMERAS / name / CAMERA, {CLIP: name, "source": str(source)})


def clip_of(work: Path, name: str) -> Clip:
    """The clip of a camera that was opened."""
    return open_clip(Path(runs.read_json(work / CAMERAS / name / CAMERA)["source"]), check=False)


def noting(work: Path, name: str, source: str | Path | None, step: Callable[[], None]) -> None:
    """Run a step of a camera; keep the reason if it fails, then raise it."""
    if source is not None:
        note_source(work, name, source)
    try:
        step()
    except ContrechampError as why:
        note(work, name, why)
        raise


def note(work: Path, name: str, why: ContrechampError) -> None:
    """Keep the reason for which a camera is left out."""
    runs.write_json(work / CAMERAS / name / FAILED, {"reason": str(why), "exit_code": why.exit_code})


def keep_detector(work: Path, detector: Detector) -> None:
    """Note the parameters of the detector, its weights' digest among them."""
    runs.write_json(work / DETECTOR, detector.get_params())


def keep_detections(work: Path, name: str, found: Sequence[Detections], meta: ClipMeta) -> None:
    """Leave the detections of a camera to the next step."""
    write_step(work, name, "detections", detections_table(found, meta))


def read_step(work: Path, name: str, step: str) -> pd.DataFrame:
    """What a step left of a camera."""
    return read_parquet(work / CAMERAS / name / f"{step}.parquet")


def write_step(work: Path, name: str, step: str, table: pd.DataFrame) -> None:
    """Leave a table of a camera to the next step."""
    write_parquet(table, work / CAMERAS / name / f"{step}.parquet")


def watched_camera(work: Path, name: str) -> Watched:
    """What the steps left of a camera."""
    tables = {step: read_step(work, name, step) for step in STEPS}
    meta = clip_of(work, name).meta
    return Watched(meta, tables["detections"], tables["tracks"], Alerts(tables["alerts"], tables["trace"]))
