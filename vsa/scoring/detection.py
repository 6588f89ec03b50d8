"""How well a detector boxes people: average precision as COCO counts it, and recall, by situation and by visibility.

Average precision comes from ``pycocotools`` itself. A situation is measured alone by setting all other people aside:
whoever finds them is neither rewarded nor punished.

What it cannot tell you: whose false boxes are whose. A box on nothing has no situation, so all of them weigh on every
situation, and most on the rare ones: average precision *falls with rarity* even for a detector that sees everyone
alike. To compare situations read the recall at one score. Boxes of one person in successive frames are not independent:
the exact interval of a recall is too short for video, the bootstrap by scene is the one to trust.

References
----------
.. [1] Lin et al. (2014), "Microsoft COCO: Common Objects in Context", ECCV.
.. [2] Clopper & Pearson (1934), "The use of confidence or fiducial limits", Biometrika 26(4).
"""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    LABELS,
    SCORE,
    SITUATION,
    VISIBILITY,
    Detections,
    FloatArray,
    Label,
    SceneTruth,
)
from vsa.scoring.exact import LEVEL, percentile_interval, share_interval
from vsa.scoring.matching import BoxKind, box_columns, in_view

IMAGE: Final = "image"
SCENE: Final = "scene"
#: Edges of the bands of visibility, as shares of the pixels that the subject would have alone.
VISIBILITY_EDGES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
MAX_DETECTIONS: Final = 100
_IOU_50: Final = 0.5


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images, what is in them and what was found.

    Attributes
    ----------
    images : DataFrame
        ``image`` (0, 1, …) and ``scene``: what is independent of what, for the bootstrap.
    truth : DataFrame
        ``image``, ``label``, ``situation``, ``visibility`` and the box.
    found : DataFrame
        ``image``, ``label``, ``score`` and the box.
    """

    images: pd.DataFrame
    truth: pd.DataFrame
    found: pd.DataFrame


def labelled_images(
    clips: Sequence[tuple[SceneTruth, Sequence[int], Sequence[Detections]]],
    *,
    boxes: BoxKind = "visible",
    scenes: Sequence[Hashable] | None = None,
) -> LabelledImages:
    """Lay clips out as images.

    Parameters
    ----------
    clips : sequence of (truth, frames, detections)
        The frames that were looked at, and what was found in each.
    boxes : {"amodal", "visible"}, default="visible"
        Which boxes of the truth count. Both are cut at the edges of the image.
    scenes : sequence, optional
        Scene of each clip; by default each clip is one.

    Raises
    ------
    ContractError
        If a clip has not one set of detections a frame, or names a frame twice or outside itself.
    """
    names = list(range(len(clips))) if scenes is None else list(scenes)
    if len(names) != len(clips):
        raise ContractError(f"There must be one scene a clip. Got {len(names)} for {len(clips)} clips.")
    images: list[pd.DataFrame] = []
    truths: list[pd.DataFrame] = []
    founds: list[pd.DataFrame] = []
    start = 0
    for (truth, frames, detections), scene in zip(clips, names, strict=True):
        if len(frames) != len(detections) or len(set(frames)) != len(frames):
            raise ContractError(
                f"Clip {truth.meta.clip_id!r} must have one set of detections for each of its frames, named once. Got "
                f"{len(frames)} frames ({len(set(frames))} distinct) and {len(detections)} sets."
            )
        strange = [f for f in frames if not 0 <= f < truth.meta.n_frames]
        if strange:
            raise ContractError(f"Clip {truth.meta.clip_id!r} has no frame {strange[0]}: it has {truth.meta.n_frames}.")
        number = {frame: start + i for i, frame in enumerate(frames)}
        seen = truth.frames[truth.frames[FRAME].isin(number)]
        at = in_view(seen[list(box_columns(boxes))].to_numpy(), truth)
        sized = np.flatnonzero((at[:, 2:] > at[:, :2]).all(axis=1))
        table = seen[[LABEL, SITUATION, VISIBILITY]].assign(**{IMAGE: seen[FRAME].map(number)})
        truths.append(table.assign(**dict(zip(BOX, at.T, strict=True))).iloc[sized])
        founds.append(_detection_rows(detections, start))
        images.append(pd.DataFrame({IMAGE: list(number.values()), SCENE: [scene] * len(frames)}))
        start += len(frames)
    return LabelledImages(
        pd.concat(images, ignore_index=True) if images else pd.DataFrame({IMAGE: [], SCENE: []}),
        _stack(truths, [IMAGE, LABEL, SITUATION, VISIBILITY, *BOX]),
        _stack(founds, [IMAGE, LABEL, SCORE, *BOX]),
    )


def detection_scores(
    labelled: LabelledImages,
    *,
    label: Label = "person",
    min_visibility: float = 0.0,
    at_score: float = 0.25,
    level: float = LEVEL,
    replicates: int = 200,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Average precision and recall: of everyone, by situation, by band of visibility.

    Parameters
    ----------
    labelled : LabelledImages
    label : {"person", "object"}, default="person"
    min_visibility : float, default=0.0
        Subjects of whom less can be seen are set aside: finding them is neither rewarded nor punished.
    at_score : float, default=0.25
        Score from which a box counts, for the recall.
    level : float, default=0.95
    replicates : int, default=200
        Draws of scenes with replacement.
    rng : Generator, optional
        Without it there are no intervals by scene.

    Returns
    -------
    DataFrame
        One row a slice: ``by`` (``all``, ``situation``, ``visibility``), ``key``, ``n_boxes``, ``n_images``,
        ``n_scenes``; then for ``ap50``, ``ap50_95`` and ``recall`` the estimate (missing without boxes) and ``…_low``,
        ``…_high`` over scenes (missing without ``rng`` or with one scene); ``recall_exact_low``, ``recall_exact_high``:
        Clopper–Pearson, as if boxes were independent; ``at_score``.
    """
    if label not in LABELS:
        raise bad_parameter(name="label", where="detection_scores", must="one of " + ", ".join(LABELS), got=label)
    truth = labelled.truth[labelled.truth[LABEL] == label].reset_index(drop=True)
    found = labelled.found[labelled.found[LABEL] == label].reset_index(drop=True)
    enough = (truth[VISIBILITY] >= min_visibility).to_numpy() if len(truth) else np.zeros(0, dtype=bool)
    scene, names = pd.factorize(labelled.images.sort_values(IMAGE)[SCENE])
    draws = _draws(len(names), replicates, rng)
    everyone = _Evaluated.run(truth, found, enough, len(scene))
    rows = []
    for by, key, chosen in _slices(truth, enough):
        part = everyone if by == "all" else _Evaluated.run(truth, found, chosen, len(scene))
        rows.append(
            {"by": by, "key": key, "n_boxes": int(chosen.sum()), "n_images": len(scene), "n_scenes": len(names)}
            | part.precision_columns(scene, draws, level)
            | everyone.recall_columns(chosen, truth, scene, draws, at_score, level)
        )
    return pd.DataFrame(rows).assign(at_score=at_score)


@dataclass(frozen=True, eq=False)
class _Evaluated:
    """What ``pycocotools`` says of each box, for one choice of the subjects that count.

    Boxes found are in falling order of score: image, whether they match (thresholds × boxes), whether set aside.
    """

    ap50: float
    ap50_95: float
    image: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    aside: npt.NDArray[np.bool_]
    counted: npt.NDArray[np.int64]  # subjects that count, by image
    best: FloatArray  # score of the box that each subject matches at 0.5, -inf without one; as the truth's rows

    @classmethod
    def run(cls, truth: pd.DataFrame, found: pd.DataFrame, chosen: npt.NDArray[np.bool_], n_images: int) -> _Evaluated:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        # COCO's own way of setting a subject aside without opening a crowd region: an area out of range. Matching is
        # then one to one at the usual overlap. Boxes found always lie in range.
        gts = [
            {"id": i + 1, "image_id": im, "category_id": 1, "bbox": box, "area": 1.0 if use else 0.0, "iscrowd": 0}
            for i, (im, box, use) in enumerate(
                zip(truth[IMAGE].tolist(), _xywh(truth).tolist(), chosen.tolist(), strict=True)
            )
        ]
        dts = [
            {"id": i + 1, "image_id": im, "category_id": 1, "bbox": box, "area": 1.0, "iscrowd": 0, "score": score}
            for i, (im, box, score) in enumerate(
                zip(found[IMAGE].tolist(), _xywh(found).tolist(), found[SCORE].tolist(), strict=True)
            )
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            sides = []
            for annotations in (gts, dts):
                coco = COCO()
                coco.dataset = {
                    "images": [{"id": i} for i in range(n_images)],
                    "categories": [{"id": 1}],
                    "annotations": annotations,
                }
                coco.createIndex()
                sides.append(coco)
            judge = COCOeval(*sides, iouType="bbox")
            judge.params.areaRng, judge.params.areaRngLbl = [[0.5, 2.0]], ["chosen"]
            judge.params.maxDets = [MAX_DETECTIONS]
            judge.evaluate()
            judge.accumulate()
        precision = judge.eval["precision"][:, :, 0, 0, 0]
        some = bool(chosen.any())
        entries: list[Mapping[str, Any]] = [e for e in judge.evalImgs if e is not None]
        best = np.full(len(truth), -np.inf)
        for e in entries:
            scores = dict(zip(e["dtIds"], e["dtScores"], strict=True))
            for gt, dt in zip(e["gtIds"], e["gtMatches"][0], strict=True):
                if dt > 0:
                    best[gt - 1] = scores[int(dt)]
        blank = np.zeros((10, 0), dtype=bool)
        order = np.argsort(-np.concatenate([np.empty(0), *(e["dtScores"] for e in entries)]), kind="mergesort")
        image = np.concatenate([np.empty(0), *(np.full(len(e["dtIds"]), e["image_id"]) for e in entries)])
        return cls(
            ap50=float(precision[0].mean()) if some else np.nan,
            ap50_95=float(precision.mean()) if some else np.nan,
            image=image.astype(np.int64)[order],
            right=np.concatenate([blank, *(e["dtMatches"] > 0 for e in entries)], axis=1)[:, order],
            aside=np.concatenate([blank, *(e["dtIgnore"].astype(bool) for e in entries)], axis=1)[:, order],
            counted=np.bincount(truth.loc[chosen, IMAGE].to_numpy(dtype=np.int64), minlength=n_images),
            best=best,
        )

    def precision_columns(
        self, scene: npt.NDArray[np.intp], draws: npt.NDArray[np.int64], level: float
    ) -> dict[str, float]:
        drawn = np.array([self.weighted(w[scene]) for w in draws]).reshape(-1, 2)
        out: dict[str, float] = {}
        for i, (name, value) in enumerate((("ap50", self.ap50), ("ap50_95", self.ap50_95))):
            out |= _columns(name, percentile_interval(value, drawn[:, i], n=draws.shape[1], level=level), value)
        return out

    def weighted(self, weights: npt.NDArray[np.int64]) -> tuple[float, float]:
        """AP50 and AP50-95 when each image counts ``weights`` times: what ``pycocotools`` says of repeated images."""
        total = float(weights @ self.counted)
        if total == 0:
            return np.nan, np.nan
        w = weights[self.image].astype(np.float64)
        right = np.cumsum(np.where(self.right & ~self.aside, w, 0.0), axis=1)
        wrong = np.cumsum(np.where(~self.right & ~self.aside, w, 0.0), axis=1)
        precision = right / (right + wrong + np.spacing(1))
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        grid = np.linspace(0.0, 1.0, 101)
        means = []
        for recall, height in zip(right / total, envelope, strict=True):
            at = np.searchsorted(recall, grid, side="left")
            means.append(float(np.append(height, 0.0)[at].mean()))
        return means[0], float(np.mean(means))

    def recall_columns(
        self,
        chosen: npt.NDArray[np.bool_],
        truth: pd.DataFrame,
        scene: npt.NDArray[np.intp],
        draws: npt.NDArray[np.int64],
        at_score: float,
        level: float,
    ) -> dict[str, float]:
        hit = (self.best >= at_score)[chosen]
        of = scene[truth.loc[chosen, IMAGE].to_numpy(dtype=np.int64)]
        n_scenes = draws.shape[1]
        hits, boxes = np.bincount(of, hit, minlength=n_scenes), np.bincount(of, minlength=n_scenes)
        exact = share_interval(events=int(hit.sum()), trials=len(hit), level=level)
        value = np.nan if exact.estimate is None else exact.estimate
        whole = draws @ boxes
        drawn = np.divide(draws @ hits, whole, out=np.full(len(draws), np.nan), where=whole > 0)
        bounds = {f"recall_exact_{side}": _or_nan(getattr(exact, side)) for side in ("low", "high")}
        return _columns("recall", percentile_interval(value, drawn, n=n_scenes, level=level), value) | bounds


def _slices(truth: pd.DataFrame, enough: npt.NDArray[np.bool_]) -> list[tuple[str, str, npt.NDArray[np.bool_]]]:
    out = [("all", "all", enough)]
    if len(truth) == 0:
        return out
    for situation in sorted(truth[SITUATION].unique()):
        out.append(("situation", situation, enough & (truth[SITUATION] == situation).to_numpy()))
    visible = truth[VISIBILITY].to_numpy()
    for low, high in itertools.pairwise(VISIBILITY_EDGES):
        inside = (visible >= low) & ((visible < high) | (high == VISIBILITY_EDGES[-1]))
        out.append(("visibility", f"{low:g}-{high:g}", enough & inside))
    return out


def _draws(n_scenes: int, replicates: int, rng: np.random.Generator | None) -> npt.NDArray[np.int64]:
    """How many times each scene is drawn, shape (replicates, n_scenes); no row without a generator."""
    if rng is None or n_scenes < 2:
        return np.zeros((0, n_scenes), dtype=np.int64)
    return rng.multinomial(n_scenes, np.full(n_scenes, 1 / n_scenes), size=replicates).astype(np.int64)


def _columns(name: str, interval: Interval, value: float) -> dict[str, float]:
    return {name: value, f"{name}_low": _or_nan(interval.low), f"{name}_high": _or_nan(interval.high)}


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _xywh(table: pd.DataFrame) -> FloatArray:
    at = table[list(BOX)].to_numpy(dtype=np.float64)
    return np.column_stack([at[:, :2], at[:, 2:] - at[:, :2]])


def _detection_rows(detections: Sequence[Detections], start: int) -> pd.DataFrame:
    count = [len(d) for d in detections]
    at = np.concatenate([np.empty((0, 4)), *(d.boxes_px for d in detections)])
    return pd.DataFrame(
        {
            IMAGE: np.repeat(np.arange(start, start + len(count)), count),
            LABEL: np.array(LABELS, dtype=object)[
                np.concatenate([np.empty(0, dtype=np.int64), *(d.labels for d in detections)])
            ],
            SCORE: np.concatenate([np.empty(0), *(d.scores for d in detections)]),
            **dict(zip(BOX, at.T, strict=True)),
        }
    )


def _stack(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[list(columns)] if parts else pd.DataFrame({c: [] for c in columns})
