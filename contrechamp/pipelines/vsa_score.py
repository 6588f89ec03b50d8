"""Alerts held against the truth: found, missed, invented, and on whom they fall, at each rung of the ladder.

Rung one runs a rule on the tracks of a machine that never errs: what it raises there is the rule's own burden, which no
better detector takes away. Rung two gives perfect boxes to a real tracker, rung three is the machine that was run. An
alert about an object is counted on the person who put it down.

What it cannot tell you: see :data:`contrechamp.pipelines.vsa.CANNOT_TELL`. Persons of one scene resemble each other, so
with few scenes the intervals by scene are missing and the exact ones too short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.domain.video import LABEL, SITUATION, SUBJECT_ID, Alerts, Detections, SceneTruth
from contrechamp.pipelines.vsa import (
    TOLD,
    TRACKER,
    Watched,
    detections_of,
    flag_clip,
    make_detector,
    track_clip,
    zones_of,
)
from contrechamp.store.clips import Clip, open_clip, read_subjects, read_truth
from fairness.video_burden import SCENE, city_scale, describe_city, exposure_table, video_burden

EXPERIMENT: Final = "vsa"
RUNG: Final = "rung"
PRESET: Final = "preset"
ABOUT: Final = "about"  #: label of what the alert was about; its ``label`` is that of whom it is counted on
ORACLE_TRACKS: Final = "oracle-tracks"
ORACLE_BOXES: Final = "oracle-boxes"
MACHINE: Final = "machine"
RUNGS: Final = (ORACLE_TRACKS, ORACLE_BOXES, MACHINE)
RUNG_TITLES: Final[Mapping[str, Text]] = {
    ORACLE_TRACKS: Text(fr="pistes vraies", en="true tracks"),
    ORACLE_BOXES: Text(fr="boîtes vraies, vrai suiveur", en="true boxes, real tracker"),
    MACHINE: Text(fr="la machine", en="the machine"),
}
#: Rule → (kind of reference, parameter that holds its duration).
REFERENCES: Final[Mapping[str, tuple[str, str | None]]] = {
    "loitering": ("loitering", "dwell_s"), "loitering-supervision": ("loitering", "dwell_s"),
    "loitering-roboflow": ("loitering", "dwell_s"), "loitering-frigate": ("loitering", "dwell_s"),
    "presence": ("presence", "hold_s"), "crossing": ("crossing", None), "counter-flow": ("counter_flow", None),
    "running": ("running", None), "density": ("density", "hold_s"), "abandoned-object": ("abandonment", "unattended_s"),
    "fall": ("fall", None),
}  # fmt: skip
#: How early or late an alert may be and still be right: a rule tests a point of a box at a frame, the truth times the
#: foot on the ground between frames.
TOLERANCE_S: Final = 1.0
#: Seconds after its condition became true within which an alert finds an event.
WINDOW_S: Final = (-TOLERANCE_S, 10.0)
#: Seconds an alert lasts for scores that want spans: a moment for TRECVID SED, which looks at its middle; its time on
#: an operator's screen for ActEV, which looks at what it has in common with the event.
MOMENT_S: Final = 0.04
HOLD_S: Final = 10.0
#: Seconds between two frames whose boxes are scored: neighbours say the same.
EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class ClipScore:
    """What one clip gives to the pool.

    Attributes
    ----------
    scene : str
    duration_s : float
    rungs : tuple of str
        Those that were run; one without any alert is in no row of ``judged``.
    judged : DataFrame
        One row an alert: rung, preset, whom it is about, whether its condition was met.
    reference : DataFrame
        One row an event that a preset should have found.
    exposure : DataFrame
        Seconds of each person in view and in a zone.
    tracks : DataFrame
        Tracks of each rung, with the column ``rung``.
    """

    scene: str
    duration_s: float
    rungs: tuple[str, ...]
    judged: pd.DataFrame
    reference: pd.DataFrame
    exposure: pd.DataFrame
    tracks: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a batch.

    Attributes
    ----------
    results : list of Result
        The main numbers, each with its interval and n.
    tables : mapping of str to DataFrame
        ``detection`` (by situation and visibility), ``mot``, ``events``, ``alpha`` (F1 by bias), ``burden`` (by
        situation), ``burden_overall``, ``unplaced``, ``city``, ``judged``.
    sentences : list of (str, str, Text)
        Rung, preset, and what a control room would receive.
    """

    results: list[Result]
    tables: Mapping[str, pd.DataFrame]
    sentences: list[tuple[str, str, Text]]

    def to_dict(self) -> dict[str, Any]:
        """Plain form: ``scores.json``."""
        return {
            "results": [r.to_dict() for r in self.results],
            "city": [{RUNG: r, PRESET: p, "fr": t.fr, "en": t.en} for r, p, t in self.sentences],
        }


def score_clip(
    truth: SceneTruth,
    *,
    subjects: pd.DataFrame,
    presets: Sequence[str],
    watched: Watched | None = None,
    rungs: Sequence[str] = RUNGS,
    oracle: Sequence[Detections] = (),
    method: str = TRACKER,
    tracker: Mapping[str, Any] | None = None,
) -> ClipScore:
    """Score the alerts of one clip at each rung.

    Parameters
    ----------
    truth : SceneTruth
    subjects : DataFrame
        With ``subject_id`` and ``owner_id``: whose each object is.
    presets : sequence of str
    watched : Watched, optional
        What the machine gave, for the rung of that name.
    rungs : sequence of str
    oracle : sequence of Detections
        Perfect boxes of every frame, for the second rung.
    method, tracker
        Tracker of the second rung.

    Returns
    -------
    ClipScore

    Raises
    ------
    ParameterError
        If a rung does not exist, or the machine's is asked for and ``watched`` is not given.
    """
    from vsa.scoring.truth import oracle_tracks

    strange = [r for r in rungs if r not in RUNGS]
    if strange or (MACHINE in rungs and watched is None):
        raise ParameterError(f"A rung is one of {', '.join(RUNGS)}, and the last needs a run. Got {', '.join(rungs)}.")
    meta = truth.meta
    sides: dict[str, tuple[pd.DataFrame, Alerts]] = {}
    for rung in rungs:
        if rung == MACHINE and watched is not None:
            sides[rung] = (watched.tracks, watched.alerts)
            continue
        tracks = (
            oracle_tracks(truth) if rung == ORACLE_TRACKS
            else track_clip(oracle, meta=meta, method=method, **(tracker or {}))
        )  # fmt: skip
        sides[rung] = (tracks, flag_clip(tracks, meta=meta, presets=presets))
    return judge(truth, sides, subjects=subjects, presets=presets)


def judge(
    truth: SceneTruth, sides: Mapping[str, tuple[pd.DataFrame | None, Alerts]], *, subjects: pd.DataFrame,
    presets: Sequence[str],
) -> ClipScore:  # fmt: skip
    """Give each alert its subject and its label, preset by preset; ``sides`` are tracks and alerts, by rung."""
    from vsa.scoring.matching import alert_subjects
    from vsa.scoring.truth import judge_alerts

    meta = truth.meta
    owners = {int(r[SUBJECT_ID]): int(r["owner_id"]) for r in subjects.to_dict("records") if r.get("owner_id", -1) >= 0}
    exposure = exposure_table({meta.clip_id: truth})
    people = dict(zip(exposure[SUBJECT_ID], exposure[SITUATION], strict=True))
    references = {preset: _reference(truth, preset, owners) for preset in presets}
    judged = []
    for rung, (tracks, alerts) in sides.items():
        told = _on_people(alert_subjects(alerts, truth, tracks=tracks), owners, people)
        for preset in presets:
            mine = told[told[PRESET] == preset]
            judged.append(judge_alerts(mine, references[preset], tolerance_s=TOLERANCE_S).assign(**{RUNG: rung}))
    whole = pd.concat(judged, ignore_index=True).assign(**{SCENE: meta.clip_id})
    events = pd.concat([r.assign(**{PRESET: p}) for p, r in references.items()], ignore_index=True)
    paths = [tracks.assign(**{RUNG: rung}) for rung, (tracks, _) in sides.items() if tracks is not None]
    return ClipScore(
        meta.clip_id, meta.duration_s, tuple(sides), whole, events.assign(**{SCENE: meta.clip_id}), exposure,
        pd.concat(paths, ignore_index=True) if paths else pd.DataFrame(),
    )  # fmt: skip


def _reference(truth: SceneTruth, preset: str, owners: Mapping[int, int]) -> pd.DataFrame:
    """Events that a preset should find where it looks; none for a rule whose condition the truth does not state."""
    from vsa.rules import PRESETS, configured
    from vsa.scoring.truth import reference_events

    rule = PRESETS[preset].rule if preset in PRESETS else ""
    if rule not in REFERENCES:
        return reference_events(truth, rule="loitering", dwell_s=0.0).iloc[:0]
    kind, duration = REFERENCES[rule]
    made: Any = configured(preset)
    events = reference_events(
        truth, rule=kind, dwell_s=float(getattr(made, duration)) if duration else 0.0,
        density_per_m2=made.threshold_per_m2 if rule == "density" else None,
    )  # fmt: skip
    names = {z.name for z in zones_of(preset, truth.meta)}
    if names and made.area == "zones":
        events = events[events["zone"].isin(names)]
    return events.assign(**{SUBJECT_ID: events[SUBJECT_ID].replace(dict(owners))}).reset_index(drop=True)


def _on_people(alerts: pd.DataFrame, owners: Mapping[int, int], people: Mapping[int, str]) -> pd.DataFrame:
    """Alerts about an object are about who put it down; about nobody, if that person was never in view."""
    subject = alerts[SUBJECT_ID].replace(dict(owners))
    stray = (subject >= 0) & ~subject.isin(list(people))
    subject = subject.mask(stray, -1)
    situation = subject.map(dict(people)).astype(object).where(subject >= 0, alerts[SITUATION]).mask(stray, "nobody")
    label = alerts[LABEL].mask(subject >= 0, "person")
    return alerts.assign(
        **{SUBJECT_ID: subject, SITUATION: situation.astype("str"), LABEL: label, ABOUT: alerts[LABEL]}
    )


def pool(
    clips: Sequence[ClipScore], *, presets: Sequence[str], seed: int, reference: str = "passing",
    progress: Progress = silent,
) -> Scores:  # fmt: skip
    """Put the scores of several clips together, by rung and preset.

    Parameters
    ----------
    clips : sequence of ClipScore
    presets : sequence of str
    seed : int
        Of the draws of scenes.
    reference : str, default="passing"
        Situation that the others are compared with.

    Returns
    -------
    Scores
    """
    if not clips:
        raise ParameterError("There is nothing to score: no clip was watched to its end.")
    camera_h = {c.scene: c.duration_s / 3600 for c in clips}
    exposure = pd.concat([c.exposure for c in clips], ignore_index=True)
    judged = pd.concat([c.judged for c in clips], ignore_index=True)
    events = pd.concat([c.reference for c in clips], ignore_index=True)
    rungs = list(dict.fromkeys(rung for c in clips for rung in c.rungs))
    found: dict[str, list[pd.DataFrame]] = {k: [] for k in ("burden", "burden_overall", "unplaced", "alpha")}
    cities, told, results, sentences = [], [], [], []
    for i, rung in enumerate(rungs):
        progress("score", i, len(rungs))
        for preset in presets:
            world: dict[str, Scalar] = {RUNG: rung, PRESET: preset}
            mine = judged[(judged[RUNG] == rung) & (judged[PRESET] == preset)]
            burden = video_burden(
                alerts=mine, exposure=exposure, camera_h=camera_h, reference=reference,
                rng=stream(seed, "vsa", "score", rung, preset),
            )  # fmt: skip
            found["burden"].append(burden.by_situation.reset_index().assign(**world))
            found["burden_overall"].append(burden.overall.reset_index().assign(**world))
            found["unplaced"].append(burden.unplaced.reset_index().assign(**world))
            scale = city_scale(burden.per_camera_hour)
            cities.append({**world, "camera_h": burden.camera_h, **_flat("alerts_per_day", scale.alerts_per_day),
                           **_flat("per_operator_hour", scale.per_operator_hour)})  # fmt: skip
            sentences.append((rung, preset, describe_city(scale)))
            row, alpha, measured = _events(mine, events[events[PRESET] == preset], camera_h, clips)
            told.append({**world, **row})
            found["alpha"].append(alpha.assign(**world))
            results += [Result(EXPERIMENT, name, world, i, "events") for name, i in measured.items()]
            results += _burden_results(burden.by_situation, burden.per_camera_hour, world)
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    tables |= {"city": _numbers(cities), "events": _numbers(told), "judged": judged, "exposure": exposure}
    return Scores(results, tables, sentences)


def _burden_results(by_situation: pd.DataFrame, per_camera: Interval, world: Mapping[str, Scalar]) -> list[Result]:
    out = [Result(EXPERIMENT, "false_alerts_per_camera_hour", world, per_camera, "burden_overall")]
    for row in by_situation.reset_index().to_dict("records"):
        here = {**world, SITUATION: str(row[SITUATION])}
        for name, n, method in (
            ("rate", round(row["alerts"]), "poisson-exact"), ("p_flagged", int(row["stays"]), "clopper-pearson")
        ):  # fmt: skip
            interval = _interval(row[name], row[f"{name}_low"], row[f"{name}_high"], n=n, method=method)
            key = {"rate": "false_alerts_per_person_hour", "p_flagged": "p_flagged_in_a_stay"}[name]
            out.append(Result(EXPERIMENT, key, here, interval, "burden"))
    return out


def _interval(value: Any, low: Any, high: Any, *, n: int, method: str) -> Interval:
    if pd.isna(value) or pd.isna(low) or pd.isna(high):
        return Interval.not_estimable(n=n, method=method)
    return Interval(float(value), float(low), float(high), n, method)


def _events(
    alerts: pd.DataFrame, events: pd.DataFrame, camera_h: Mapping[str, float], clips: Sequence[ClipScore]
) -> tuple[dict[str, Any], pd.DataFrame, dict[str, Interval]]:
    """Windows, costs and curves of one preset at one rung."""
    from vsa.scoring import events as scoring

    same = [SCENE, SUBJECT_ID]
    match = scoring.match_events(alerts, events, window_s=WINDOW_S, same=same)
    window = scoring.window_scores(match)
    moments, spans = (scoring.observations(alerts, hold_s=s) for s in (MOMENT_S, HOLD_S))
    sed = scoring.sed_scores(scoring.align_sed(moments, events, same=same), hours=sum(camera_h.values()))
    order = [c.scene for c in clips]
    lasts = [c.duration_s for c in clips]
    line = [scoring.end_to_end([t[t[SCENE] == s] for s in order], lasts) for t in (spans, events)]
    paired = scoring.align_actev(line[0], line[1], same=same)
    curve = scoring.actev_curve(paired, line[0], line[1], duration_s=sum(lasts))
    naudc = scoring.naudc(curve) if len(curve) and len(events) else None
    row = {
        "n_events": len(events), "n_alerts": len(alerts), "found": match.hits, "missed": match.misses,
        "false": match.false_alerts, **_flat("precision", window.precision), **_flat("recall", window.recall),
        "median_delay_s": window.median_delay_s, **_flat("p_miss", sed.p_miss), **_flat("rfa_per_h", sed.rfa_per_h),
        "ndcr": sed.ndcr, "naudc_02_tfa": naudc,
    }  # fmt: skip
    return row, window.f1, {"precision": window.precision, "recall": window.recall}


def _numbers(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a table; what is not estimable is missing, in a column of numbers all the same."""
    table = pd.DataFrame(rows)
    words = (RUNG, PRESET)
    return table.assign(**{c: pd.to_numeric(table[c]) for c in table.columns if c not in words})


def _flat(name: str, interval: Interval) -> dict[str, float | None]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def machine_tables(
    truths: Mapping[str, SceneTruth], watched: Mapping[str, Watched], *, told: bool, seed: int
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Boxes and tracks of the machine held against the truth: ``detection`` and ``mot``.

    Parameters
    ----------
    truths, watched : mapping
        By clip.
    told : bool
        Whether the detector is an oracle: its boxes are whole bodies, others are of what can be seen.
    seed : int
    """
    from vsa.scoring.detection import detection_scores, labelled_images
    from vsa.scoring.mot import mot_clip, mot_scores

    images = []
    for name, seen in watched.items():
        step = max(1, round(EVERY_S * seen.meta.fps))
        frames = range(0, seen.meta.n_frames, step)
        boxes = detections_of(seen.detections, seen.meta)
        images.append((truths[name], list(frames), [boxes[i] for i in frames]))
    labelled = labelled_images(images, boxes="amodal" if told else "visible", scenes=list(watched))
    drawn = [
        detection_scores(labelled, label=label, rng=stream(seed, "vsa", "detection", label)).assign(label=label)
        for label in ("person", "object")
    ]
    tracks = mot_scores({name: mot_clip(w.tracks, truths[name]) for name, w in watched.items()})
    return {"detection": pd.concat(drawn, ignore_index=True), "mot": tracks.reset_index()}


def score_batch(
    clips: Mapping[str, Clip], watched: Mapping[str, Watched], *, plan: Mapping[str, Any], seed: int,
    rungs: Sequence[str] = RUNGS, jobs: int = 1, progress: Progress = silent,
) -> Scores:  # fmt: skip
    """Score a run of ``vsa detect`` on the truth of its clips.

    Parameters
    ----------
    clips, watched : mapping
        By clip: where the truth is, what the machine gave.
    plan : mapping
        As in the run's ``run.json``: detector, tracker, presets.
    seed : int
    rungs : sequence of str
    jobs : int, default=1
        Clips scored at a time. Changes no number.
    progress : Progress

    Returns
    -------
    Scores
    """
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(score_folder)(clips[name].folder, w, plan=plan, rungs=tuple(rungs)) for name, w in watched.items()
    )
    parts = []
    for done, part in enumerate(work, start=1):
        parts.append(part)
        progress("score", done, len(watched))
    return whole_scores(parts, clips, watched, plan=plan, seed=seed)


def whole_scores(
    parts: Sequence[ClipScore], clips: Mapping[str, Clip], watched: Mapping[str, Watched], *, plan: Mapping[str, Any],
    seed: int,
) -> Scores:  # fmt: skip
    """Pool the scores of clips, and add those of the machine's boxes and tracks."""
    scores = pool(parts, presets=plan["presets"], seed=seed)
    truths = {name: read_truth(clips[name]) for name in watched}
    more = machine_tables(truths, watched, told=plan["detector"] in TOLD, seed=seed)
    return Scores(detection_results(more["detection"]) + scores.results, {**scores.tables, **more}, scores.sentences)


def score_folder(
    folder: Any, watched: Watched, *, plan: Mapping[str, Any], rungs: Sequence[str] = RUNGS
) -> ClipScore:  # fmt: skip
    """:func:`score_clip` for the clip in a folder."""
    clip = open_clip(folder, check=False)
    oracle: Sequence[Detections] = ()
    if ORACLE_BOXES in rungs:
        oracle = make_detector("oracle", clip).detect([], indices=range(clip.meta.n_frames))
    return score_clip(
        read_truth(clip), subjects=read_subjects(clip), presets=plan["presets"], watched=watched, rungs=rungs,
        oracle=oracle, method=plan["tracker"], tracker=plan["tracker_params"],
    )  # fmt: skip


def detection_results(detection: pd.DataFrame) -> list[Result]:
    """AP50 and recall of persons, overall and by situation, as results; intervals by scene where there are several."""
    out = []
    for row in detection[(detection[LABEL] == "person") & (detection["by"] != "visibility")].to_dict("records"):
        world: dict[str, Scalar] = {SITUATION: str(row["key"])} if row["by"] == "situation" else {SITUATION: "all"}
        for name, side in (("ap50", ""), ("recall", "exact_")):
            interval = _interval(
                row[name], row[f"{name}_{side}low"], row[f"{name}_{side}high"], n=int(row["n_boxes"]),
                method="clopper-pearson" if side else "scene-bootstrap",
            )  # fmt: skip
            out.append(Result(EXPERIMENT, name, world, interval, "detection"))
    return out
