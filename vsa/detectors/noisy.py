"""A detector that fails everybody alike: the truth with misses, jitter and false boxes of a stated amount.

The second rung of the ladder. The chance of a miss is handed to it box by box, so it never sees a situation: with one
chance for all it is the blind detector that treats all alike; with a chance measured by situation it stands for a real
one, at no cost of drawing.

Misses of one subject hang together in time, as they do for a real detector: whoever is missed now is likely missed in
the next frame. At each frame the subject's luck is kept with probability ``exp(-dt / correlation_s)`` and drawn anew
otherwise, so that the chance of a miss is right at every frame whatever the correlation.

What it cannot tell you: how a real detector fails. Its misses depend on nothing that is in the picture.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.rng import stream
from contrechamp.domain.video import BOX, FRAME, LABEL, SCORE, SUBJECT_ID, FloatArray
from vsa.detectors.base import check_number, clip_boxes
from vsa.detectors.oracle import Extent, Oracle

_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_KEEP, _LUCK, _SCORE, _EDGE = range(4)


def hashed_uniform(seed: int, what: int, *keys: npt.NDArray[np.int64]) -> FloatArray:
    """A number in [0, 1) for each row of ``keys``, the same whatever rows stand beside it (splitmix64)."""
    with np.errstate(over="ignore"):
        state = np.zeros(len(keys[0]), dtype=np.uint64)
        # Seed and purpose go through the mixer as well: purposes one apart would else share draws of other frames.
        for key in (seed % 2**64, what, *keys):
            state = (state ^ np.asarray(key).astype(np.uint64)) * np.uint64(_MIX[0]) + np.uint64(_GOLDEN)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(_MIX[0])
            state = (state ^ (state >> np.uint64(27))) * np.uint64(_MIX[1])
            state = state ^ (state >> np.uint64(31))
    return np.asarray((state >> np.uint64(11)).astype(np.float64) / 2**53)


class NoisyOracle(Oracle):
    """An :class:`~vsa.detectors.oracle.Oracle` that misses, trembles and invents.

    Parameters
    ----------
    truth, width_px, height_px, boxes, min_visibility
        As for :class:`~vsa.detectors.oracle.Oracle`.
    seed : int
        Same seed, same boxes, frame by frame and subject by subject, whatever else is asked.
    fps : float
        Frames a second, for ``correlation_s``.
    p_miss : float or str, default=0.1
        Chance that a box is missed, or the column of ``truth`` that holds it for each box.
    correlation_s : float, default=0.0
        Seconds after which the luck of a subject is forgotten, on average. 0: each frame on its own.
    jitter_px : float, default=0.0
        Standard deviation of each edge of a box.
    false_per_frame : float, default=0.0
        Mean number of false boxes, as large as true ones and anywhere.
    scores : tuple of float, default=(0.5, 1.0)
        Range of the scores, drawn alike for true and false boxes.

    Raises
    ------
    ParameterError, ContractError
        See :class:`~vsa.detectors.oracle.Oracle`.
    """

    def __init__(
        self, truth: pd.DataFrame, *, width_px: int, height_px: int, seed: int, fps: float, boxes: Extent = "amodal",
        min_visibility: float = 0.1, p_miss: float | str = 0.1, correlation_s: float = 0.0, jitter_px: float = 0.0,
        false_per_frame: float = 0.0, scores: tuple[float, float] = (0.5, 1.0),
    ) -> None:  # fmt: skip
        where = type(self).__name__
        self._seed = check_number(seed, name="seed", where=where, low=0, high=2**63, whole=True)
        self._fps = check_number(fps, name="fps", where=where, low=1e-3, high=1e4)
        self._correlation = check_number(correlation_s, name="correlation_s", where=where, low=0.0, high=1e6)
        self._jitter = check_number(jitter_px, name="jitter_px", where=where, low=0.0, high=1e3)
        self._false = check_number(false_per_frame, name="false_per_frame", where=where, low=0.0, high=1e3)
        if len(scores) != 2 or not 0 <= scores[0] <= scores[1] <= 1:
            raise bad_parameter(name="scores", where=where, must="two rising numbers in [0, 1]", got=scores)
        self._scores = (float(scores[0]), float(scores[1]))
        self._p_miss = p_miss
        super().__init__(truth, width_px=width_px, height_px=height_px, boxes=boxes, min_visibility=min_visibility)

    def _read(self, truth: pd.DataFrame) -> pd.DataFrame:
        where, p = type(self).__name__, self._p_miss
        must = "a number in [0, 1], or a column of the truth that holds one for each box"
        if isinstance(p, str):
            if p not in truth:
                raise bad_parameter(name="p_miss", where=where, must=must, got=p)
            chances = truth[p].to_numpy(dtype=np.float64)
        else:
            chances = np.full(len(truth), check_number(p, name="p_miss", where=where, low=0, high=1, must=must))
        if not ((chances >= 0) & (chances <= 1)).all():
            raise bad_parameter(name="p_miss", where=where, must=must, got=(chances.min(), chances.max()))
        ordered = truth.assign(**{"_p": chances}).sort_values([FRAME, SUBJECT_ID], kind="stable")
        return super()._read(truth).assign(_p=ordered["_p"].to_numpy())

    def _seen(self, table: pd.DataFrame) -> pd.DataFrame:
        missed = self._luck(table) < table["_p"].to_numpy()
        seen = super()._seen(table[~missed])
        frames, subjects = seen[FRAME].to_numpy(), seen[SUBJECT_ID].to_numpy()
        low, high = self._scores
        seen = seen.assign(**{SCORE: low + (high - low) * hashed_uniform(self._seed, _SCORE, frames, subjects)})
        if self._jitter:
            seen[list(BOX)] = self._trembled(seen)
        if self._false:
            seen = pd.concat([seen, self._invented(table)], ignore_index=True)
            seen = seen.sort_values(FRAME, kind="stable", ignore_index=True)
        return seen

    def _luck(self, table: pd.DataFrame) -> FloatArray:
        """Uniform at every frame; a subject's stays the same over frames until it is drawn anew."""
        order = np.lexsort((table[FRAME].to_numpy(), table[SUBJECT_ID].to_numpy()))
        frames, subjects = table[FRAME].to_numpy()[order], table[SUBJECT_ID].to_numpy()[order]
        own = hashed_uniform(self._seed, _LUCK, frames, subjects)
        same = np.zeros(len(frames), dtype=np.bool_)
        same[1:] = subjects[1:] == subjects[:-1]
        if self._correlation:
            gap_s = np.diff(frames, prepend=0) / self._fps
            keep = np.where(same, np.exp(-np.abs(gap_s) / self._correlation), 0.0)
            kept = hashed_uniform(self._seed, _KEEP, frames, subjects) < keep
        else:
            kept = np.zeros_like(same)
        source = np.maximum.accumulate(np.where(kept, 0, np.arange(len(frames))))
        luck = np.empty(len(frames))
        luck[order] = own[source]
        return luck

    def _trembled(self, seen: pd.DataFrame) -> FloatArray:
        from scipy.special import ndtri

        frames, subjects = seen[FRAME].to_numpy(), seen[SUBJECT_ID].to_numpy()
        boxes = seen[list(BOX)].to_numpy(dtype=np.float64)
        moves = [hashed_uniform(self._seed, _EDGE + edge, frames, subjects) for edge in range(4)]
        moved = boxes + self._jitter * ndtri(np.column_stack(moves).clip(1e-12, 1 - 1e-12))
        right_way = (moved[:, 2:] - moved[:, :2] >= 1.0).all(axis=1)
        return np.where(right_way[:, None], moved, boxes)

    def _invented(self, table: pd.DataFrame) -> pd.DataFrame:
        """False boxes for the frames from 0 to the last of the truth."""
        rows = [np.empty((0, 6))]
        sizes = table[list(BOX)].to_numpy(dtype=np.float64)
        sizes, inside = clip_boxes(sizes[np.isfinite(sizes).all(axis=1)], width_px=self._width, height_px=self._height)
        sizes = (sizes[:, 2:] - sizes[:, :2])[inside]
        for frame in range(int(table[FRAME].max()) + 1 if len(sizes) else 0):
            rng = stream(self._seed, "noisy-oracle", "false", frame)
            n = int(rng.poisson(self._false))
            size = sizes[rng.integers(len(sizes), size=n)]
            corner = rng.uniform(0.0, 1.0, (n, 2)) * (np.array([self._width, self._height]) - size)
            score = rng.uniform(*self._scores, n)
            rows.append(np.column_stack([np.full(n, frame), corner, corner + size, score]))
        made = pd.DataFrame(np.concatenate(rows), columns=[FRAME, *BOX, SCORE])
        made[FRAME] = made[FRAME].astype(np.int64)
        made[[SUBJECT_ID, LABEL]] = [-1, 0]
        return made

    def get_params(self) -> dict[str, Any]:
        """Parameters, without the truth."""
        return super().get_params() | {
            "seed": self._seed, "fps": self._fps, "p_miss": self._p_miss, "correlation_s": self._correlation,
            "jitter_px": self._jitter, "false_per_frame": self._false, "scores": list(self._scores),
        }  # fmt: skip
