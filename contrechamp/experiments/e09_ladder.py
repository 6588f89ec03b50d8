"""The ladder of E09: what the rules that are shipped make of perfect tracks, then what trackers and detectors add.

The shipped rules read the tracks of a perfect machine on one camera-day. Then twins: short clips in which people wait
in front of a camera, played again with the same steps, place and light but another body shown where somebody waited
(sitting on the ground, lying, rolling, a child, a seller). On each rung the same rule reads the same stays: true
tracks; true boxes joined by a tracker; a detector that fails everybody alike; a detector that looks at the picture.

What it cannot tell you: how a product sees a street. Twins compare bodies under one renderer; a person lying where
someone stood is a question put to a machine, not something seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Measure, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.domain.video import (
    FRAME,
    LABEL,
    SITUATION,
    SUBJECT_ID,
    TRACK_ID,
    VISIBILITY,
    ClipMeta,
    Detections,
    Image,
    SceneTruth,
)
from contrechamp.experiments.e09_measures import BoolArray, alert_rate, longest
from fairness.clusters import cluster_rate_interval
from fairness.intervals import mean_interval, rate_interval
from synthetic_data.dwell_worlds import CAMERA, ZONE, Sojourns, spans, tracks_of
from synthetic_data.scenes.projection import projected_truth
from synthetic_data.scenes.render import render_frames
from synthetic_data.scenes.scripts import write_script
from synthetic_data.scenes.spec import LIGHTS, PLACES, SceneSpec, Script
from vsa.detectors import load_detector
from vsa.detectors.base import Detector
from vsa.rules import apply, configured
from vsa.rules.tracks import check_tracks
from vsa.scoring.matching import track_subjects
from vsa.scoring.truth import oracle_tracks
from vsa.tracking import track

ID: Final = "E09"
STATIC: Final = "ratp-300s"
#: The definitions of "time in a zone" that are shipped or named, each at the same T.
SHIPPED: Final = (
    "supervision-example", "roboflow-v3", "frigate", "house-continuous-60s", "house-cumulative-60s", STATIC,
)  # fmt: skip
#: As they come, with the threshold their source names.
AS_SHIPPED: Final = ("hikvision-default", "supervision-example", STATIC)
#: Who waits in the clips, and the bodies shown instead.
BASE: Final = "waiting"
#: Rungs that need no picture.
TRACKS, BOXES, BLIND = "tracks", "boxes", "blind"
P_MISS: Final = 0.2
_WAITING: Final = 4

_STAYS: Final = Text(fr="séjours filmés", en="stays filmed")
_SCENES: Final = Text(fr="scènes (jumelles)", en="scenes (twins)")
_FRAMES: Final = Text(fr="images de personnes", en="frames of persons")
_TRACKED: Final = Text(fr="personnes suivies", en="persons tracked")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("preset_alerts_per_camera_day", "per_day", Text(fr="Alertes par caméra et par jour",
            en="Alerts per camera and day"), Text(fr="alertes comptées", en="alerts counted")),
    Measure("preset_spread", "ratio", Text(
            fr="Personnes signalées : définition qui en signale le plus sur celle qui en signale le moins, même T",
            en="Persons flagged: the definition that flags most over the one that flags least, same T"), _TRACKED),
    Measure("rule_agreement", "share", Text(
            fr="Personnes pour qui la règle livrée et le calcul sur les durées disent la même chose",
            en="Persons of whom the shipped rule and the sum over sojourns say the same"), _TRACKED),
    Measure("seen_share", "share", Text(fr="Part des images où la personne est détectée",
            en="Share of frames in which the person is detected"), _FRAMES),
    Measure("tracked_share", "share", Text(fr="Part du séjour tenue par une seule piste",
            en="Share of the stay held by a single track"), _FRAMES),
    Measure("flagged_share", "share", Text(fr="Part des séjours signalés", en="Share of stays flagged"), _STAYS),
    Measure("seen_gap", "points", Text(fr="Écart de détection, même pas, autre corps",
            en="Gap in detection, same steps, another body"), _SCENES),
    Measure("tracked_gap", "points", Text(fr="Écart de durée suivie, même pas, autre corps",
            en="Gap in time tracked, same steps, another body"), _SCENES),
    Measure("flagged_gap", "points", Text(fr="Écart de signalement, même pas, autre corps",
            en="Gap in being flagged, same steps, another body"), _SCENES),
)  # fmt: skip


def shipped_rules(
    drawn: Sojourns, *, place: str, days: int, fps: float, threshold_s: float, rng: np.random.Generator
) -> tuple[list[Result], dict[str, pd.DataFrame]]:
    """Run the rules that are shipped on the tracks of a perfect machine.

    Returns
    -------
    results : list of Result
        Alerts per camera-day by ``place``, ``preset`` and ``T_s``; at the common threshold, the spread between
        definitions, and the agreement of the static rule with the sum over sojourns.
    tables : dict
        ``e09_presets``: one row a preset and threshold.
    """
    tracks, ids = tracks_of(drawn, days=days, fps=fps, rng=rng)
    meta = ClipMeta(f"e09-{place}", fps, int(tracks[FRAME].max()) + 1, CAMERA, zones=(ZONE,))
    checked = check_tracks(tracks, meta)
    results: list[Result] = []
    rows: list[dict[str, Any]] = []
    flagged: dict[str, BoolArray] = {}
    runs = [(p, configured(p, dwell_s=threshold_s)) for p in SHIPPED]
    runs += [(p, configured(p)) for p in AS_SHIPPED if configured(p).dwell_s != threshold_s]  # type: ignore[attr-defined]
    for preset, rule in runs:
        at = float(rule.dwell_s)  # type: ignore[attr-defined]
        alerts = rule.run(checked, meta, (ZONE,), preset).table
        who = np.isin(ids, alerts[TRACK_ID].to_numpy())
        if at == threshold_s:
            flagged[preset] = who
        world: dict[str, Scalar] = {"place": place, "preset": preset, "T_s": at}
        each = np.bincount(np.searchsorted(ids, alerts[TRACK_ID].to_numpy()), minlength=len(ids))
        daily = alert_rate(each, exposure=float(days))
        results.append(Result(ID, "preset_alerts_per_camera_day", world, daily, "e09_presets"))
        rows.append({**world, "alerts": len(alerts), "persons": int(who.sum()), "tracked": len(ids), "days": days})
    common: dict[str, Scalar] = {"place": place, "T_s": threshold_s}
    results.append(Result(ID, "preset_spread", common, _spread(list(flagged.values())), "e09_presets"))
    ours = longest(spans(drawn, static=True), n=len(drawn.persons))[ids] >= threshold_s
    same = int((ours == flagged[STATIC]).sum())
    agreement = rate_interval(events=same, trials=len(ids))
    results.append(Result(ID, "rule_agreement", common, agreement, "e09_presets"))
    return results, {"e09_presets": pd.DataFrame(rows)}


def scene_spec(number: int, *, duration_s: float, fps: float, seed: int) -> SceneSpec:
    """What scene ``number`` of a run is asked to be: its place, light and seed change with it."""
    return SceneSpec(
        place=PLACES[number % len(PLACES)], light=LIGHTS[number // len(PLACES) % 2],
        seed=int(stream(seed, ID, "scene", number).integers(2**31)), duration_s=duration_s, fps=fps,
        cast=((BASE, _WAITING),), flow_per_min=8.0, dwell_s=(2 * duration_s, 3 * duration_s),
    )  # fmt: skip


def film(
    number: int, *, bodies: Sequence[str], duration_s: float, fps: float, threshold_s: float,
    detectors: Sequence[str], seed: int,
) -> pd.DataFrame:  # fmt: skip
    """One scene and its twins, on every rung.

    Parameters
    ----------
    number : int
        Of the scene: sets its place, light and seed.
    bodies : sequence of str
        Situations shown instead of waiting.
    duration_s, fps, threshold_s : float
    detectors : sequence of str
        Keys of :data:`vsa.detectors.DETECTORS` that look at pictures. None: nothing is drawn.
    seed : int

    Returns
    -------
    DataFrame
        One row a rung, body and person who waits: ``scene``, ``rung``, ``body``, ``subject_id``, ``frames`` in view,
        ``seen``, ``tracked`` (frames of the longest single track) and ``flagged``.
    """
    spec = scene_spec(number, duration_s=duration_s, fps=fps, seed=seed)
    base = write_script(spec)
    waiting = base.subjects.loc[base.subjects[SITUATION] == BASE, SUBJECT_ID].to_numpy()
    rows = []
    looking = {key: _loaded(key) for key in detectors}
    for body in (BASE, *bodies):
        script = base if body == BASE else write_script(replace(spec, swap=((BASE, body),)))
        truth, images = _drawn(script) if detectors else (projected_truth(script), [])
        for rung, tracks, seen in _rungs(truth, images, looking=looking, seed=spec.seed):
            told = _stays(truth, tracks, seen, waiting, threshold_s=threshold_s)
            rows.append(told.assign(scene=number, rung=rung, body=body))
    return pd.concat(rows, ignore_index=True)


def ladder_results(rows: pd.DataFrame) -> list[Result]:
    """Shares by rung and body, and gaps to the one who waits, over twins; scenes are the clusters."""
    results: list[Result] = []
    columns = {"seen": "seen_share", "tracked": "tracked_share", "flagged": "flagged_share"}
    for (rung, body), part in rows.groupby(["rung", "body"], sort=False):
        world = {"rung": str(rung), "body": str(body)}
        for column, measure in columns.items():
            trials = np.ones(len(part)) if column == "flagged" else part["frames"]
            share = cluster_rate_interval(events=part[column], trials=trials, clusters=part["scene"]).interval
            results.append(Result(ID, measure, world, share, "e09_ladder"))
        if body == BASE:
            continue
        before = rows[(rows["rung"] == rung) & (rows["body"] == BASE)]
        for column, measure in columns.items():
            gap = (_by_scene(part, column) - _by_scene(before, column)).dropna()
            results.append(
                Result(ID, measure.replace("_share", "_gap"), world, _paired(gap.to_numpy(np.float64)), "e09_ladder")
            )
    return results


@cache
def _loaded(key: str) -> Detector:
    """A detector that looks at pictures, opened once a process: it keeps nothing from one clip to the next."""
    return load_detector(key)


def _rungs(
    truth: SceneTruth, images: Sequence[Image], *, looking: Mapping[str, Detector], seed: int
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Name, tracks, and what was detected (as a table of tracks of one frame each), rung by rung."""
    meta = truth.meta
    perfect = oracle_tracks(truth, min_visibility=0.1, label="person")
    yield TRACKS, perfect, perfect
    size = {"width_px": meta.camera.width_px, "height_px": meta.camera.height_px}
    told = {
        BOXES: load_detector("oracle", truth.frames, **size),
        BLIND: load_detector(
            "noisy-oracle", truth.frames, **size, seed=seed, fps=meta.fps, p_miss=P_MISS, correlation_s=2.0
        ),
    }
    every = range(meta.n_frames)
    for rung, oracle in told.items():
        yield rung, *_followed(oracle.detect([], indices=every), meta, template=perfect)
    for key, detector in looking.items():
        yield key, *_followed(detector.detect(images, indices=every), meta, template=perfect)


def _followed(
    found: Sequence[Detections], meta: ClipMeta, *, template: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    people = [Detections(d.boxes_px[d.labels == 0], d.scores[d.labels == 0], d.labels[d.labels == 0]) for d in found]
    count = [len(d) for d in people]
    frame = np.repeat(np.arange(len(people)), count)
    boxes = np.concatenate([d.boxes_px for d in people]) if sum(count) else np.empty((0, 4))
    columns = [c for c in template.columns if c.endswith("_px")]
    seen = pd.DataFrame(boxes, columns=pd.Index(columns))
    seen[FRAME], seen[TRACK_ID], seen[LABEL] = frame, np.arange(len(frame)), "person"
    return track(people, meta=meta), seen


def _drawn(script: Script) -> tuple[SceneTruth, list[Image]]:
    images, tables = [], []
    for picture in render_frames(script):
        images.append(picture.image)
        tables.append(picture.truth)
    return SceneTruth(script.meta, pd.concat(tables, ignore_index=True), script.events), images


def _stays(
    truth: SceneTruth, tracks: pd.DataFrame, seen: pd.DataFrame, who: Any, *, threshold_s: float
) -> pd.DataFrame:
    """How each person of ``who`` was seen, followed and flagged."""
    shown = truth.frames[(truth.frames[SUBJECT_ID].isin(who)) & (truth.frames[VISIBILITY] >= 0.1)]
    frames = shown.groupby(SUBJECT_ID).size().reindex(who, fill_value=0)
    detected = track_subjects(seen, truth).drop_duplicates([FRAME, SUBJECT_ID])
    followed = track_subjects(tracks, truth)
    held = followed.groupby([SUBJECT_ID, TRACK_ID]).size().groupby(level=0).max()
    alerts = apply(tracks, meta=truth.meta, rule=configured(STATIC, dwell_s=threshold_s), zones=()).table
    about = followed[followed[TRACK_ID].isin(alerts[TRACK_ID])].groupby(TRACK_ID)[SUBJECT_ID]
    flagged = set(about.agg(lambda s: s.mode().iloc[0]))
    in_view = detected.merge(shown[[FRAME, SUBJECT_ID]], on=[FRAME, SUBJECT_ID])
    table = pd.DataFrame(
        {
            SUBJECT_ID: who,
            "frames": frames.to_numpy(),
            "seen": in_view.groupby(SUBJECT_ID).size().reindex(who, fill_value=0).to_numpy(),
            "tracked": np.minimum(held.reindex(who, fill_value=0).to_numpy(), frames.to_numpy()),
            "flagged": np.isin(who, list(flagged)).astype(np.int64),
        }
    )
    return table[table["frames"] > 0]


def _by_scene(part: pd.DataFrame, column: str) -> pd.Series:
    total = part.groupby("scene")[[column, "frames"]].sum()
    below = part.groupby("scene").size() if column == "flagged" else total["frames"]
    return total[column] / below


def _paired(gap: FloatArray) -> Interval:
    """Mean gap over twins; where all are equal, bounds that allow for scenes that differ wholly and were not met."""
    found = mean_interval(gap)
    if found.estimate is not None and found.low is not None and found.high is not None:
        return Interval(found.estimate, max(found.low, -1.0), min(found.high, 1.0), found.n, found.method)
    if len(gap) < 2:
        return found
    # Nothing varied: the share of scenes that could have differed, unseen, bounds the mean.
    could = rate_interval(events=0, trials=len(gap)).high or 1.0
    value = float(gap[0])
    return Interval(value, max(value - could, -1.0), min(value + could, 1.0), len(gap), "clopper-pearson")


def _spread(flagged: Sequence[BoolArray], level: float = 0.95) -> Interval:
    """Most over least persons flagged, two definitions on the same persons (log scale, over persons)."""
    totals = [int(f.sum()) for f in flagged]
    most, least = int(np.argmax(totals)), int(np.argmin(totals))
    n, method = len(flagged[0]), "linearised over persons"
    if totals[least] == 0:
        return Interval.not_estimable(n=n, method=method, level=level)
    gap = flagged[most] / totals[most] - flagged[least] / totals[least]
    reach = float(stats.norm.isf((1 - level) / 2)) * math.sqrt(float(gap @ gap))
    value = totals[most] / totals[least]
    return Interval(value, max(value * math.exp(-reach), 1.0), value * math.exp(reach), n, method, level)
