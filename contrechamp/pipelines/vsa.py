"""A clip watched: frames to boxes, boxes to tracks, tracks to alerts, each step on its own.

Several clips share one detector and its batches, a frame of each in turn, as cameras do on a server. A clip that cannot
be read is set aside with the reason and the others go on.

What it cannot tell you: whom an alert fell on. That takes the truth, which none of this is handed; the oracle detectors
excepted, and they say so (:mod:`contrechamp.pipelines.vsa_score` measures).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ContrechampError, ParameterError, bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.text import Text
from contrechamp.domain.video import (
    ALERT_COLUMNS,
    BOX,
    FRAME,
    LABEL,
    LABELS,
    SCORE,
    T_S,
    TRACE_COLUMNS,
    Alerts,
    ClipMeta,
    Detections,
    Image,
    Zone,
    as_table,
)
from contrechamp.store.clips import Clip, read_truth
from vsa.detectors import DETECTORS, detector_class, load_detector

if TYPE_CHECKING:
    from vsa.detectors.base import Detector

CANNOT_TELL: Final = Text(
    fr="Ces chiffres valent pour des scènes inventées, dessinées, et pour le détecteur, le suiveur et les réglages "
    "nommés ici. Ils disent sur qui une règle fait tomber ses alertes dans ces scènes, non combien de gens attendent, "
    "vendent ou dorment dehors quelque part, ni ce que verrait une caméra de rue.",
    en="These figures hold for invented, drawn scenes, and for the detector, the tracker and the settings named here. "
    "They say on whom a rule makes its alerts fall in these scenes, not how many people wait, sell or sleep rough "
    "anywhere, nor what a camera in a street would see.",
)

#: Column → dtype of a table of detections: one row a box.
DETECTION_COLUMNS: Final[Mapping[str, str]] = {
    FRAME: "int64", T_S: "float64", LABEL: "str", **dict.fromkeys(BOX, "float64"), SCORE: "float64"
}  # fmt: skip
#: Detectors that are handed the truth of the clip they watch.
TOLD: Final = tuple(key for key in DETECTORS if key.endswith("oracle"))
TRACKER: Final = "bytetrack"
#: Zone where stays and densities are counted, as the sidecars of rendered clips name it.
WATCHED_ZONE: Final = "zone"
#: Rule → zone that it watches instead; None is the whole picture.
ZONES: Final[Mapping[str, str | None]] = {
    "presence": "restricted", "counter-flow": "one_way", "fall": None, "running": None, "abandoned-object": None,
}  # fmt: skip
#: Presets run unless told: the durations that are shipped or quoted, and a left object.
DEFAULT_PRESETS: Final = (
    "hikvision-default", "frigate", "roboflow-v3", "supervision-example", "ratp-300s", "toulouse-120s",
)  # fmt: skip
#: Frames handed to a detector at a time, over all cameras.
BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class Watched:
    """What one camera gave.

    Attributes
    ----------
    meta : ClipMeta
    detections : DataFrame
        Columns of :data:`DETECTION_COLUMNS`.
    tracks : DataFrame
        Columns of :data:`contrechamp.domain.video.TRACK_COLUMNS`.
    alerts : Alerts
        Of all presets; an ``alert_id`` is that of one alert.
    """

    meta: ClipMeta
    detections: pd.DataFrame
    tracks: pd.DataFrame
    alerts: Alerts


def make_detector(key: str, clip: Clip | None = None, *, seed: int = 0, **params: Any) -> Detector:
    """Make a detector; the oracles read the truth of ``clip``.

    Raises
    ------
    ParameterError
        If there is no such detector or parameter, or an oracle is given no clip.
    ContractError
        If an oracle is given a clip whose truth is absent.
    """
    detector_class(key)
    if key not in TOLD:
        return load_detector(key, **params)
    if clip is None:
        raise ParameterError(f"Detector {key!r} is told the truth of one clip, and got none.")
    camera = clip.meta.camera
    fixed: dict[str, Any] = {"width_px": camera.width_px, "height_px": camera.height_px}
    if key == "noisy-oracle":
        fixed |= {"seed": seed, "fps": clip.meta.fps}
    return load_detector(key, read_truth(clip).frames, **{**fixed, **params})


def detect_clip(
    clip: Clip, detector: Detector, *, batch: int = BATCH, progress: Progress = silent
) -> list[Detections]:  # fmt: skip
    """What a detector sees in every frame of a clip, in order.

    Raises
    ------
    ContractError
        If the video does not hold to its sidecar.
    """
    found, failed = detect_clips([clip], detector, batch=batch, progress=progress)
    if failed:
        raise failed[0]
    return found[0]


def detect_clips(
    clips: Sequence[Clip], detector: Detector, *, batch: int = BATCH, progress: Progress = silent
) -> tuple[dict[int, list[Detections]], dict[int, ContrechampError]]:
    """Run one detector over several clips, a frame of each in turn to a batch.

    Parameters
    ----------
    clips : sequence of Clip
    detector : Detector
        An oracle is told the truth of one clip, so it takes one clip.
    batch : int, default=16
        Frames handed over at a time. Changes no box.
    progress : Progress

    Returns
    -------
    found : dict
        Number of the clip → detections of its frames.
    failed : dict
        Number of the clip → why it could not be read to its end.

    Raises
    ------
    ParameterError
        If ``batch`` is below 1, or an oracle is given several clips.
    """
    if batch < 1:
        raise bad_parameter(name="batch", where="detect_clips", must="a whole number of at least 1", got=batch)
    if not detector.needs_frames:
        if len(clips) > 1:
            raise ParameterError(f"An oracle is told the truth of one clip. Got {len(clips)} clips: make one for each.")
        return {i: detector.detect([], indices=range(c.meta.n_frames)) for i, c in enumerate(clips)}, {}
    found: dict[int, list[Detections]] = {i: [] for i in range(len(clips))}
    failed: dict[int, ContrechampError] = {}
    total, done = sum(c.meta.n_frames for c in clips), 0
    waiting: list[tuple[int, int, Image]] = []

    def empty_batch() -> None:
        seen = detector.detect([image for _, _, image in waiting], indices=[at for _, at, _ in waiting])
        for (number, _, _), boxes in zip(waiting, seen, strict=True):
            found[number].append(boxes)
        waiting.clear()

    for number, at, image in _in_turn(clips, failed):
        waiting.append((number, at, image))
        if len(waiting) == batch:
            empty_batch()
            done += batch
            progress("detect", done, total)
    if waiting:
        empty_batch()
    progress("detect", total, total)
    return {i: boxes for i, boxes in found.items() if i not in failed}, failed


def _in_turn(clips: Sequence[Clip], failed: dict[int, ContrechampError]) -> Iterator[tuple[int, int, Image]]:
    """One frame of each clip in turn, until all have ended; a clip that fails is noted and leaves the turn."""
    running = {number: clip.frames() for number, clip in enumerate(clips)}
    while running:
        for number in list(running):
            try:
                at, _, image = next(running[number])
            except StopIteration:
                del running[number]
                continue
            except ContrechampError as why:
                failed[number] = why
                del running[number]
                continue
            yield number, at, image


def detections_table(found: Sequence[Detections], meta: ClipMeta) -> pd.DataFrame:
    """Detections of a clip as a table, by frame, as the detector gave them."""
    counts = [len(d) for d in found]
    frames = np.repeat(np.arange(len(found)), counts)
    boxes = np.concatenate([np.empty((0, 4)), *(d.boxes_px for d in found)])
    labels = np.concatenate([np.empty(0, dtype=np.int64), *(d.labels for d in found)])
    return as_table(
        pd.DataFrame(
            {
                FRAME: frames, T_S: frames / meta.fps, LABEL: np.asarray(LABELS, dtype=object)[labels],
                **dict(zip(BOX, boxes.T, strict=True)),
                SCORE: np.concatenate([np.empty(0), *(d.scores for d in found)]),
            }
        ),
        DETECTION_COLUMNS, what="detections",
    )  # fmt: skip


def detections_of(table: pd.DataFrame, meta: ClipMeta) -> list[Detections]:
    """The inverse of :func:`detections_table`."""
    ordered = as_table(table, DETECTION_COLUMNS, what="detections")
    boxes, scores = ordered[list(BOX)].to_numpy(dtype=np.float64), ordered[SCORE].to_numpy(dtype=np.float64)
    labels = pd.Index(LABELS).get_indexer(pd.Index(ordered[LABEL])).astype(np.int64)
    cuts = np.searchsorted(ordered[FRAME].to_numpy(), np.arange(meta.n_frames + 1))
    return [Detections(boxes[a:b], scores[a:b], labels[a:b]) for a, b in pairwise(cuts)]


def track_clip(
    found: Sequence[Detections], *, meta: ClipMeta, method: str = TRACKER, **params: Any
) -> pd.DataFrame:  # fmt: skip
    """Join the detections of a clip into tracks (:func:`vsa.tracking.track`)."""
    from vsa.tracking import track

    return track(found, meta=meta, method=method, **params)  # type: ignore[arg-type]


def flag_clip(
    tracks: pd.DataFrame, *, meta: ClipMeta, presets: Sequence[str], progress: Progress = silent
) -> Alerts:  # fmt: skip
    """Alerts of several presets on the tracks of a clip, numbered together.

    Raises
    ------
    ParameterError
        If there is no such preset, or the clip lacks what it needs (a line, a zone with an area).
    """
    from vsa.rules import apply

    found = []
    for done, preset in enumerate(presets, start=1):
        found.append(apply(tracks, meta=meta, rule=preset, zones=zones_of(preset, meta)))
        progress("rules", done, len(presets))
    return join_alerts(found)


def zones_of(preset: str, meta: ClipMeta) -> tuple[Zone, ...]:
    """The zones that a preset watches in a clip: those its rule is about, by name; all where none bears it.

    Falls, runs and left objects are looked for in the whole picture: no zone.
    """
    from vsa.rules import PRESETS

    wanted = ZONES.get(PRESETS[preset].rule, WATCHED_ZONE)
    if wanted is None:
        return ()
    return tuple(z for z in meta.zones if z.name == wanted) or meta.zones


def join_alerts(found: Sequence[Alerts]) -> Alerts:
    """Several sets of alerts as one, numbered anew in the order given."""
    tables, traces, first = [], [], 0
    for alerts in found:
        ids = alerts.table["alert_id"].to_numpy()
        anew = pd.Series(np.arange(first, first + len(ids)), index=ids)
        tables.append(alerts.table.assign(alert_id=anew.to_numpy()))
        traces.append(alerts.trace.assign(alert_id=alerts.trace["alert_id"].map(anew)))
        first += len(ids)
    if not tables:
        return Alerts(as_table({}, ALERT_COLUMNS, what="alerts"), as_table({}, TRACE_COLUMNS, what="trace"))
    return Alerts(
        as_table(pd.concat(tables, ignore_index=True), ALERT_COLUMNS, what="alerts"),
        as_table(pd.concat(traces, ignore_index=True), TRACE_COLUMNS, what="trace"),
    )


def watch_clip(
    clip: Clip, found: Sequence[Detections], *, presets: Sequence[str], method: str = TRACKER,
    tracker: Mapping[str, Any] | None = None,
) -> Watched:  # fmt: skip
    """Track the detections of a clip and run the presets on the tracks."""
    tracks = track_clip(found, meta=clip.meta, method=method, **(tracker or {}))
    alerts = flag_clip(tracks, meta=clip.meta, presets=presets)
    return Watched(clip.meta, detections_table(found, clip.meta), tracks, alerts)


def describe_detectors() -> list[dict[str, Any]]:
    """Each detector: what it is, its parameters with their defaults, whether it is told the truth."""
    import inspect

    rows = []
    for key in DETECTORS:
        made = detector_class(key)
        signature = inspect.signature(made)
        params = {
            name: None if p.default is p.empty or not isinstance(p.default, _PLAIN) else p.default
            for name, p in signature.parameters.items()
            if p.kind is p.KEYWORD_ONLY and name not in _FROM_THE_CLIP
        }
        summary = (made.__doc__ or "").strip().splitlines()[0]
        rows.append(
            {
                "key": key, "needs_frames": made.needs_frames, "told_the_truth": key in TOLD, "parameters": params,
                "summary": summary, "title": dataclasses.asdict(DETECTOR_TITLES[key]),
            }
        )  # fmt: skip
    return rows


_PLAIN: Final = (bool, int, float, str, tuple)
_FROM_THE_CLIP: Final = ("width_px", "height_px", "fps", "seed")
DETECTOR_TITLES: Final[Mapping[str, Text]] = {
    "yolo": Text(fr="réseau appris sur des scènes dessinées", en="network trained on drawn scenes"),
    "hog": Text(fr="détecteur publié en 2005, jamais appris ici", en="detector published in 2005, never trained here"),
    "oracle": Text(fr="la vérité : un détecteur parfait", en="the truth: a perfect detector"),
    "noisy-oracle": Text(fr="la vérité, avec des manques dosés", en="the truth, with misses of a stated amount"),
}
