"""A scene from its spec: who comes, how they walk, what they do, and what happens, exactly.

The same spec gives the same tables, bit for bit, on one machine. The walk is simulated once, from the situations that
people have; what they are shown as comes after (``spec.swap``), so that a counterfactual keeps every step.

What it cannot tell you: see :mod:`synthetic_data.scenes.spec`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.rng import stream
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import FRAME, LABEL, POSTURE, SITUATION, SPEED, SUBJECT_ID, ClipMeta, as_table
from synthetic_data.scenes.acting import Motion, dress, move
from synthetic_data.scenes.bodily import draw_body
from synthetic_data.scenes.cast import draw_people
from synthetic_data.scenes.layouts import ONE_WAY, WATCHED, layout
from synthetic_data.scenes.occurrences import find_events
from synthetic_data.scenes.plans import Person
from synthetic_data.scenes.spec import POSE_COLUMNS, SUBJECT_COLUMNS, SceneSpec, Script
from synthetic_data.scenes.walkers import walk

_BAG_DOWN_S: Final = 1.5  #: after one bends
_BAG_ASIDE_M: Final = 0.45
_BAG_HEIGHT_M: Final = 0.5


def clip_meta(spec: SceneSpec, *, clip_id: str | None = None) -> ClipMeta:
    """The public half of a scene: its camera, and the zones and lines of its place."""
    place = layout(spec.place)
    return ClipMeta(
        clip_id or f"{spec.place}-{spec.seed}", spec.fps, spec.n_frames, spec.camera, place.zones, place.lines,
        spec.light, spec.place, spec.seed,
    )  # fmt: skip


def write_script(spec: SceneSpec) -> Script:
    """Who is where in every frame, and what happens.

    Parameters
    ----------
    spec : SceneSpec

    Returns
    -------
    Script
        Subjects are numbered from 1: the cast in the order of ``spec.cast``, then passers-by by time of entry, then
        what people put down. Those who never come into a frame are left out, their number unused.

    Raises
    ------
    CapabilityError
        If JuPedSim is not installed.
    """
    place = layout(spec.place)
    people = draw_people(spec, place)
    walks = walk(people, ground=place.walkable, until_s=spec.duration_s, seed=spec.seed)
    swap = dict(spec.swap)
    subjects: list[dict[str, Any]] = []
    bags: list[dict[str, Any]] = []
    poses: list[pd.DataFrame] = []
    falls: list[tuple[int, float, float]] = []
    for number, (person, walked) in enumerate(zip(people, walks, strict=True), start=1):
        if len(walked.t_s) < 2:
            continue
        sway = stream(spec.seed, "scene", "sway", *person.key)
        motion = move(person, walked, fps=spec.fps, n_frames=spec.n_frames, rng=sway)
        if not len(motion.frames):
            continue
        shown = swap.get(person.situation, person.situation)
        subject = _subject(number, person, shown, spec.seed)
        acts = tuple(person.stages[p.stage].act in ("stay", "act") for p in motion.pauses)
        subjects.append(subject)
        poses.append(dress(motion, shown, acts=acts, height_m=subject["height_m"]).assign(subject_id=number))
        if shown == "falling":
            falls += [(number, p.from_s, p.to_s) for p, act in zip(motion.pauses, acts, strict=True) if act]
        bag = _bag(number, len(people) + 1 + len(bags), subject, person, motion, spec)
        if bag is not None:
            bags.append(bag[0])
            poses.append(bag[1])
    who = as_table(pd.DataFrame(subjects + bags) if subjects else {}, SUBJECT_COLUMNS, what="subjects")
    where = as_table(pd.concat(poses) if poses else {}, POSE_COLUMNS, what="poses")
    where = where.sort_values([FRAME, SUBJECT_ID], kind="stable", ignore_index=True)
    events = find_events(
        where, who, fps=spec.fps, n_frames=spec.n_frames, zones=place.zones, lines=place.lines,
        flows={ONE_WAY: place.flow_rad}, dense_zones=(WATCHED,), falls=falls,
    )  # fmt: skip
    return Script(spec, clip_meta(spec), who, where, events)


def _subject(number: int, person: Person, shown: str, seed: int) -> dict[str, Any]:
    """The row of a person; of one shown in another situation, with a body drawn for it and the clothes kept."""
    height, build, carried = person.height_m, person.build, person.accessories
    if shown != person.situation:
        body = draw_body(shown, rng=stream(seed, "scene", "swap", shown, *person.key))
        height, carried = body["height_m"], SITUATIONS[shown].accessories
    return {
        SUBJECT_ID: number, LABEL: "person", SITUATION: shown, "height_m": height, "build": build,
        "accessories": ",".join(carried), "appearance_seed": person.appearance_seed, "owner_id": -1,
    }  # fmt: skip


def _bag(
    owner: int, number: int, subject: dict[str, Any], person: Person, motion: Motion, spec: SceneSpec
) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """What a person put down, from then until it is picked up, if it was seen down at all."""
    down = {person.stages[p.stage].act: p for p in motion.pauses}
    if "put_down" not in down:
        return None
    from_s = down["put_down"].from_s + _BAG_DOWN_S
    to_s = down["pick_up"].from_s + _BAG_DOWN_S if "pick_up" in down else np.inf
    frames = np.arange(spec.n_frames, dtype=np.int64)
    frames = frames[(frames / spec.fps >= from_s) & (frames / spec.fps < to_s)]
    if not len(frames):
        return None
    at = np.interp(from_s, motion.t_s, np.arange(len(motion.t_s)))
    heading = float(motion.heading_rad[int(at)])
    x = float(np.interp(from_s, motion.t_s, motion.x_m)) + _BAG_ASIDE_M * np.cos(heading)
    y = float(np.interp(from_s, motion.t_s, motion.y_m)) - _BAG_ASIDE_M * np.sin(heading)
    rows = pd.DataFrame({
        FRAME: frames, SUBJECT_ID: number, X_M: round(x, 6), Y_M: round(y, 6), "heading_rad": heading, SPEED: 0.0,
        "phase": 0.0, POSTURE: "standing", "posture_to": "standing", "blend": 0.0, "height_over_ground_m": 0.0,
    })  # fmt: skip
    return {
        SUBJECT_ID: number, LABEL: "object", SITUATION: subject[SITUATION], "height_m": _BAG_HEIGHT_M, "build": 1.0,
        "accessories": "handbag", "appearance_seed": subject["appearance_seed"], "owner_id": owner,
    }, rows  # fmt: skip
