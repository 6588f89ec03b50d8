"""Anybody's tracks or alerts, held against a truth with the same tables of burden.

Whoever has a tracker, or a product's list of alerts, learns here whom its alerts fall on. The truth is a clip of ours,
or a file: a ``gt.txt`` of MOT Challenge, or a CSV that also names situations.

What it cannot tell you: more than the truth given holds. A ``gt.txt`` has no situation, no zone and no ground, so rules
are not run on it; nothing here checks that tracks and truth are of the same video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ContractError, ParameterError, Problem, problem_table
from contrechamp.domain.text import Text
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    POSTURE,
    SITUATION,
    SPEED,
    SUBJECT_ID,
    T_S,
    TRACK_ID,
    TRUTH_COLUMNS,
    VISIBILITY,
    VISIBLE_BOX,
    VISIBLE_PX,
    Alerts,
    Camera,
    ClipMeta,
    SceneTruth,
    as_table,
    check_boxes,
)
from contrechamp.pipelines.vsa import DETECTION_COLUMNS, Watched, flag_clip, make_detector
from contrechamp.pipelines.vsa_score import MACHINE, ORACLE_BOXES, ORACLE_TRACKS, Scores, judge, pool, score_clip
from contrechamp.store.clips import open_clip, read_subjects, read_truth

#: Name of alerts that say no preset and no rule.
GIVEN: Final = "given"
UNKNOWN: Final = "unknown"
_MOST_FRAMES: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class GivenTruth:
    """A truth to score against.

    Attributes
    ----------
    truth : SceneTruth
    subjects : DataFrame
    folder : Path or None
        Of the clip, where it is one of ours.
    """

    truth: SceneTruth
    subjects: pd.DataFrame
    folder: Path | None


@dataclass(frozen=True, slots=True)
class ForeignScores:
    """Scores of what somebody gave.

    Attributes
    ----------
    scores : Scores or None
        Burden and events, where there are alerts; None with tracks alone on a truth without zones.
    mot : DataFrame or None
        Scores of the tracks.
    problems : list of Problem
        Rows that could not be used, by reason.
    n_rows, n_used : int
        Rows read, and those that could be used.
    """

    scores: Scores | None
    mot: pd.DataFrame | None
    problems: list[Problem]
    n_rows: int
    n_used: int


def read_given_truth(source: str | Path, *, fps: float | None = None) -> GivenTruth:
    """Read a truth: a clip folder, a ``.txt`` of MOT Challenge, or a ``.csv``.

    Parameters
    ----------
    source : str or Path
        A CSV needs ``frame`` (from 0), ``subject_id`` or ``track_id``, and a box; ``situation`` if it is known.
    fps : float, optional
        Frames a second, for a file: it has no clock.

    Raises
    ------
    ParameterError
        If a file comes without its rate.
    ContractError
        If it cannot be read as a truth.
    """
    path = Path(source)
    if path.is_dir() or path.suffix not in (".txt", ".csv"):
        clip = open_clip(source)
        return GivenTruth(read_truth(clip), read_subjects(clip), clip.folder)
    if fps is None or not (np.isfinite(fps) and fps > 0):
        raise ParameterError(f"{path} has no clock. Say how many frames a second it counts, with --fps.")
    table = _truth_rows(path, fps=fps)
    subjects = table.drop_duplicates(SUBJECT_ID)[[SUBJECT_ID, LABEL, SITUATION]].assign(owner_id=-1)
    extent = table[list(BOX[2:])].max().clip(lower=64)
    # Without a sidecar the camera is unknown: its size alone is read, and no position on the ground is given.
    camera = Camera(int(np.ceil(extent.iloc[0])), int(np.ceil(extent.iloc[1])), 1000.0, 5.0, 20.0)
    meta = ClipMeta(path.stem, fps, int(table[FRAME].max()) + 1, camera)
    check_boxes(table, what=f"truth {path}", n_frames=meta.n_frames)
    return GivenTruth(SceneTruth(meta, table), subjects, None)


def _truth_rows(path: Path, *, fps: float) -> pd.DataFrame:
    from vsa.scoring.readers import read_tracks

    text = _text(path)
    wide = ClipMeta(path.stem, fps, _MOST_FRAMES, Camera(64, 64, 100.0, 5.0, 20.0))
    if path.suffix == ".csv":
        head, _, rest = text.partition("\n")
        text = head.replace(SUBJECT_ID, TRACK_ID) + "\n" + rest
    read = read_tracks(text, meta=wide, ground_truth=path.suffix == ".txt")
    strange = read.quarantine[read.quarantine["reason"] != "not_counted"]
    if len(strange):
        row = strange.iloc[0]
        raise ContractError(
            f"{len(strange)} rows of the truth {path} cannot be used; the first is line {row['line']} "
            f"({row['reason']}): {row['text'][:120]!r}. A truth is read whole or not at all."
        )
    table = read.table.rename(columns={TRACK_ID: SUBJECT_ID})
    situations = _situations(path) if path.suffix == ".csv" else {}
    boxes = table[list(BOX)].to_numpy(dtype=np.float64)
    more: dict[str, Any] = {
        SITUATION: table[SUBJECT_ID].map(situations).astype(object).where(lambda s: s.notna(), UNKNOWN).astype("str"),
        POSTURE: UNKNOWN, **dict(zip(VISIBLE_BOX, boxes.T, strict=True)), VISIBILITY: 1.0, SPEED: np.nan,
        VISIBLE_PX: np.maximum(1, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)).astype(np.int64), T_S: table[FRAME] / fps,
    }  # fmt: skip
    return as_table(table.assign(**more), TRUTH_COLUMNS, what=f"truth {path}")


def _situations(path: Path) -> dict[int, str]:
    """Subject → situation, from a CSV that has the column; a subject has one."""
    table = pd.read_csv(path, sep=None, engine="python")
    table.columns = table.columns.str.strip().str.lower()
    who = next((c for c in (SUBJECT_ID, TRACK_ID, "id") if c in table), None)
    if SITUATION not in table or who is None:
        return {}
    pairs = table[[who, SITUATION]].drop_duplicates()
    twice = pairs[pairs.duplicated(who)]
    if len(twice):
        raise ContractError(
            f"Subject {twice.iloc[0][who]} of {path} is in two situations. Give each its one, or number it twice."
        )
    return {int(r[who]): str(r[SITUATION]) for r in pairs.to_dict("records")}


def score_given(
    given: GivenTruth, *, presets: Sequence[str], tracks: Path | None = None, alerts: Path | None = None, seed: int = 0
) -> ForeignScores:
    """Score somebody's tracks, alerts, or both.

    Parameters
    ----------
    given : GivenTruth
    presets : sequence of str
        Rules to run on the tracks, of a clip of ours. With ``alerts``, at most one: the definition that they are held
        against.
    tracks : Path, optional
        MOT Challenge lines or CSV (:func:`vsa.scoring.readers.read_tracks`).
    alerts : Path, optional
        CSV (:func:`vsa.scoring.readers.read_alerts`).
    seed : int, default=0

    Returns
    -------
    ForeignScores

    Raises
    ------
    ParameterError
        If neither tracks nor alerts are given, or several presets with alerts.
    ContractError
        If no row can be used.
    """
    from vsa.scoring.mot import mot_clip, mot_scores
    from vsa.scoring.readers import read_alerts, read_tracks

    if tracks is None and alerts is None:
        raise ParameterError("There is nothing to score. Give --tracks FILE, --alerts FILE, or both.")
    if alerts is not None and len(presets) > 1:
        raise ParameterError(
            f"Alerts are held against one definition. Got {', '.join(presets)}: give --preset once, or not at all."
        )
    meta, problems, n_rows, n_used = given.truth.meta, [], 0, 0
    paths: pd.DataFrame | None = None
    mot = None
    if tracks is not None:
        read = read_tracks(_text(tracks), meta=meta)
        problems, n_rows, n_used, paths = read.problems, read.n_rows, len(read.table), read.table
        mot = mot_scores({meta.clip_id: mot_clip(read.table, given.truth)}).reset_index()
    if alerts is not None:
        heard = read_alerts(_text(alerts), meta=meta, tracks=paths)
        problems, n_rows, n_used = problems + heard.problems, n_rows + heard.n_rows, n_used + len(heard.table)
        name = presets[0] if presets else GIVEN
        told = Alerts(heard.table.assign(preset=name), heard.trace)
        part = judge(given.truth, {MACHINE: (paths, told)}, subjects=given.subjects, presets=[name])
        return ForeignScores(pool([part], presets=[name], seed=seed), mot, problems, n_rows, n_used)
    if given.folder is None or paths is None:
        return ForeignScores(None, mot, problems, n_rows, n_used)
    flagged = flag_clip(paths, meta=meta, presets=presets)
    empty = as_table({}, DETECTION_COLUMNS, what="detections")
    oracle = make_detector("oracle", open_clip(given.folder, check=False)).detect([], indices=range(meta.n_frames))
    part = score_clip(
        given.truth, subjects=given.subjects, presets=presets, watched=Watched(meta, empty, paths, flagged),
        rungs=(ORACLE_TRACKS, ORACLE_BOXES, MACHINE), oracle=oracle,
    )  # fmt: skip
    return ForeignScores(pool([part], presets=presets, seed=seed), mot, problems, n_rows, n_used)


def whole(given: ForeignScores) -> Scores:
    """The scores and the tracks' as one set of tables."""
    scores = given.scores or Scores([], {}, [])
    more = {} if given.mot is None else {"mot": given.mot}
    return Scores(scores.results, {**scores.tables, **more}, scores.sentences)


def reading(given: ForeignScores) -> dict[str, Any]:
    """What was read and what could not be, as plain values; with the scores of the tracks."""
    return {
        "rows": {"read": given.n_rows, "used": given.n_used},
        "quarantine": [{"reason": p.check, "rows": p.rows, "first": list(p.first_ids)} for p in given.problems],
        "mot": None if given.mot is None else given.mot.to_dict("records")[0],
    }


def told(given: ForeignScores) -> Text:
    """Say how many rows were used, and why others were not."""
    lost = problem_table(given.problems)
    tail = f"\n{lost}" if lost else ""
    return Text(
        fr=f"{given.n_used} lignes utilisées sur {given.n_rows}.{tail}",
        en=f"{given.n_used} rows used of {given.n_rows}.",
    )


def _text(path: Path) -> str:
    if not path.is_file():
        raise ContractError(f"{path} is missing or is not a file.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as cause:
        raise ContractError(f"{path} is not a text in UTF-8: {cause.reason}. Save it again as UTF-8.") from cause
