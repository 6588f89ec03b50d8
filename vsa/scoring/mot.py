"""How well tracks follow people: HOTA, IDF1, MOTA, as ``trackeval`` computes them, without files.

A rule that counts time counts it on a track. Whoever is given a new number half-way starts again at zero; whoever takes
over somebody else's number inherits their minutes. These scores say how often.

What it cannot tell you: on whom the tracker fails. One score is taken over everybody; a tracker that loses those who
sit and follows those who walk may score high.

References
----------
.. [1] Luiten et al. (2021), "HOTA: a higher order metric for evaluating multi-object tracking", IJCV 129.
.. [2] Bernardin & Stiefelhagen (2008), "Evaluating multiple object tracking performance: the CLEAR MOT metrics",
   EURASIP J. Image and Video Processing.
.. [3] Ristani et al. (2016), "Performance measures and a data set for multi-target, multi-camera tracking", ECCV.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.video import BOX, FRAME, LABEL, TRACK_ID, VISIBILITY, Label, SceneTruth
from vsa.scoring.matching import MIN_IOU, box_iou, match_boxes
from vsa.scoring.truth import oracle_tracks

#: Column of the scores → (family, field) in ``trackeval``.
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "hota": ("HOTA", "HOTA"), "deta": ("HOTA", "DetA"), "assa": ("HOTA", "AssA"), "loca": ("HOTA", "LocA"),
    "idf1": ("Identity", "IDF1"), "idp": ("Identity", "IDP"), "idr": ("Identity", "IDR"),
    "mota": ("CLEAR", "MOTA"), "motp": ("CLEAR", "MOTP"), "idsw": ("CLEAR", "IDSW"), "frag": ("CLEAR", "Frag"),
    "tp": ("CLEAR", "CLR_TP"), "fn": ("CLEAR", "CLR_FN"), "fp": ("CLEAR", "CLR_FP"), "mostly_tracked": ("CLEAR", "MT"),
    "mostly_lost": ("CLEAR", "ML"),
}  # fmt: skip
_COUNTS: Final = ("idsw", "frag", "tp", "fn", "fp", "mostly_tracked", "mostly_lost")
ALL_CLIPS: Final = "all"


@dataclass(frozen=True, eq=False)
class MotClip:
    """Tracks and truth of one clip, ready to be scored.

    Attributes
    ----------
    tracks, truth : DataFrame
        ``frame``, ``track_id`` and the box; each id at most once a frame.
    n_frames : int
    """

    tracks: pd.DataFrame
    truth: pd.DataFrame
    n_frames: int


def mot_clip(
    tracks: pd.DataFrame, truth: SceneTruth, *, label: Label = "person", min_visibility: float = 0.0
) -> MotClip:
    """Set aside whoever can hardly be seen, and the boxes on them, as MOT Challenge does with its distractors.

    Parameters
    ----------
    tracks : DataFrame
        Columns of :data:`contrechamp.domain.video.TRACK_COLUMNS`.
    truth : SceneTruth
    label : {"person", "object"}, default="person"
    min_visibility : float, default=0.0
        Subjects less visible than that in a frame are not asked for in it; a track on one of them is not an error.
    """
    if not 0 <= min_visibility <= 1:
        raise bad_parameter(name="min_visibility", where="mot_clip", must="a share in [0, 1]", got=min_visibility)
    everyone = oracle_tracks(truth, label=label)
    seen = truth.frames[truth.frames[LABEL] == label].sort_values([FRAME, "subject_id"])
    asked = (seen[VISIBILITY] >= min_visibility).to_numpy()
    mine = tracks[tracks[LABEL] == label].reset_index(drop=True)
    if not asked.all():
        partner, _ = match_boxes(
            mine[FRAME].to_numpy(),
            mine[list(BOX)].to_numpy(),
            everyone[FRAME].to_numpy(),
            everyone[list(BOX)].to_numpy(),
            min_iou=MIN_IOU,
        )
        mine = mine[(partner < 0) | np.append(asked, True)[partner]]
    return MotClip(mine, everyone[asked], truth.meta.n_frames)


def mot_scores(clips: Mapping[str, MotClip]) -> pd.DataFrame:
    """Score tracks.

    Parameters
    ----------
    clips : mapping of str to MotClip

    Returns
    -------
    DataFrame
        One row a clip, then ``"all"`` of them together (counts added, shares taken again; association weighted by
        matches), indexed by ``clip_id``: ``hota``, ``deta``, ``assa``, ``loca`` (means over overlaps of 0.05 to
        0.95), ``idf1``, ``idp``, ``idr``, ``mota``, ``motp`` (overlap 0.5), ``idsw``, ``frag``, ``tp``, ``fn``,
        ``fp``, ``mostly_tracked``, ``mostly_lost``, ``n_subjects``, ``n_tracks``, ``n_frames``. Shares are missing
        where there is nobody to track and no track.

    Raises
    ------
    ContractError
        If an id is twice in a frame, or a frame is not one of the clip.
    """
    if ALL_CLIPS in clips:
        raise bad_parameter(name="clips", where="mot_scores", must=f"not named {ALL_CLIPS!r}", got=list(clips))
    families = _families()
    raw: dict[str, dict[str, Any]] = {name: {} for name in families}
    rows, sizes = [], []
    for clip_id, clip in clips.items():
        data = mot_data(clip, clip_id)
        for name, family in families.items():
            raw[name][clip_id] = family.eval_sequence(data)
        sizes.append((data["num_gt_ids"], data["num_tracker_ids"], clip.n_frames))
        rows.append(_row(clip_id, {name: raw[name][clip_id] for name in families}, *sizes[-1]))
    if rows:
        together = {name: family.combine_sequences(raw[name]) for name, family in families.items()}
        rows.append(_row(ALL_CLIPS, together, *(int(v) for v in np.sum(sizes, axis=0))))
    columns = ["clip_id", *_FIELDS, "n_subjects", "n_tracks", "n_frames"]
    table = pd.DataFrame(rows, columns=columns).set_index("clip_id")
    return table.astype({c: "int64" for c in (*_COUNTS, "n_subjects", "n_tracks", "n_frames")})


def mot_data(clip: MotClip, clip_id: str = "clip") -> dict[str, Any]:
    """Lay one clip out as ``trackeval``'s metrics want it: per frame, ids from 0, and overlaps of truth with tracks."""
    sides: dict[str, Any] = {}
    for name, table in (("gt", clip.truth), ("tracker", clip.tracks)):
        if table.duplicated([FRAME, TRACK_ID]).any():
            row = table[table.duplicated([FRAME, TRACK_ID])].iloc[0]
            raise ContractError(f"Clip {clip_id!r}: id {int(row[TRACK_ID])} is twice in frame {int(row[FRAME])}.")
        frames = table[FRAME].to_numpy()
        if len(frames) and not (frames.min() >= 0 and frames.max() < clip.n_frames):
            raise ContractError(
                f"Clip {clip_id!r} has frames 0 to {clip.n_frames - 1}. Got {frames.min()} to {frames.max()}."
            )
        code, ids = pd.factorize(table[TRACK_ID], sort=True)
        order = np.argsort(frames, kind="stable")
        ends = np.searchsorted(frames[order], np.arange(1, clip.n_frames))
        sides[f"{name}_ids"] = np.split(code[order].astype(np.int64), ends)
        sides[f"{name}_dets"] = np.split(table[list(BOX)].to_numpy(dtype=np.float64)[order], ends)
        sides[f"num_{name}_ids"], sides[f"num_{name}_dets"] = len(ids), len(table)
    overlaps = [box_iou(g, t) for g, t in zip(sides["gt_dets"], sides["tracker_dets"], strict=True)]
    return sides | {"similarity_scores": overlaps, "num_timesteps": clip.n_frames, "seq": clip_id}


def _families() -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()):
        from trackeval.metrics import CLEAR, HOTA, Identity

        quiet = {"PRINT_CONFIG": False}
        return {"HOTA": HOTA(), "CLEAR": CLEAR(quiet), "Identity": Identity(quiet)}


def _row(clip_id: str, found: Mapping[str, Mapping[str, Any]], subjects: int, tracks: int, frames: int) -> list[Any]:
    nothing = subjects == 0 and tracks == 0
    values: Sequence[Any] = [
        np.nan if nothing and column not in _COUNTS else float(np.mean(found[family][field]))
        for column, (family, field) in _FIELDS.items()
    ]
    return [clip_id, *values, subjects, tracks, frames]
