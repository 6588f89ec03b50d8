"""A sound sensor: log-mel features, a classifier of windows, and alerts.

The chain such products describe: sound is cut into short windows, each window is given a score of "abnormal", and a run
of windows over a threshold is an alert. A loudness threshold is the baseline.

What it cannot tell you: the classifier was trained on synthetic sounds of the same making as those it is tried on,
which flatters it. What it mistakes for a scream is what the physics of the sounds makes alike.

References
----------
.. [1] Davis & Mermelstein (1980), IEEE Trans. ASSP 28(4), doi:10.1109/TASSP.1980.1163420 (the mel bands).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.fft

from contrechamp.domain.errors import ContractError, bad_parameter

FloatArray = npt.NDArray[np.float64]

N_BANDS: Final = 32
FRAME_S: Final = 0.032
HOP_S: Final = 0.016
#: A window of frames is what is classified; windows follow each other every quarter of their length.
WINDOW_FRAMES: Final = 32
STEP_FRAMES: Final = 8


@dataclass(frozen=True, slots=True)
class Windows:
    """Scores or features of successive windows of one recording.

    Attributes
    ----------
    starts_s : ndarray of shape (n_windows,)
    length_s : float
    features : ndarray of shape (n_windows, n_features)
        Mean, spread and peak of each log band over the window, rise of the level, share of the frames that are tonal.
    level_db : ndarray of shape (n_windows,)
        Over the median of the recording.
    """

    starts_s: FloatArray
    length_s: float
    features: FloatArray
    level_db: FloatArray


def mel_bands(*, n_bands: int, n_fft: int, rate_hz: int) -> FloatArray:
    """Triangular filters equally spaced in mel, shape (n_bands, n_fft // 2 + 1), each summing to 1."""
    top = 2595 * np.log10(1 + rate_hz / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, n_bands + 2) / 2595) - 1)
    freqs = np.fft.rfftfreq(n_fft, 1 / rate_hz)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters = np.clip(np.minimum((freqs - left) / (centre - left), (right - freqs) / (right - centre)), 0, None)
    # a low band narrower than a bin of the transform takes the nearest bin
    empty = filters.sum(axis=1) == 0
    filters[empty, np.abs(freqs - centre[empty]).argmin(axis=1)] = 1.0
    return np.asarray(filters / filters.sum(axis=1, keepdims=True))


def windows(audio: npt.NDArray[Any], *, rate_hz: int) -> Windows:
    """Cut one recording into windows and describe them.

    Raises
    ------
    ContractError
        If the recording is not one row of finite samples, or is shorter than a window.
    """
    samples = np.asarray(audio, dtype=np.float32)
    n_fft, hop = round(FRAME_S * rate_hz), round(HOP_S * rate_hz)
    need = n_fft + (WINDOW_FRAMES - 1) * hop
    if samples.ndim != 1 or len(samples) < need or not np.isfinite(samples).all():
        raise ContractError(
            f"A recording is one row of at least {need} finite samples ({need / rate_hz:.2f} s). Got shape "
            f"{samples.shape}{'' if np.isfinite(samples).all() else ', with values that are not finite'}."
        )
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop] * np.hanning(n_fft).astype(np.float32)
    power = np.abs(scipy.fft.rfft(frames, axis=1)) ** 2
    bands = np.log(power @ mel_bands(n_bands=N_BANDS, n_fft=n_fft, rate_hz=rate_hz).T.astype(np.float32) + 1e-6)
    bands -= np.median(bands, axis=0)  # against the recording's own background, as an automatic gain would
    level = 10 * np.log10(power.mean(axis=1) + 1e-9)
    level -= np.median(level)
    peak = np.log(power[:, 3:].max(axis=1) / (power[:, 3:].mean(axis=1) + 1e-9) + 1e-9)

    def cut(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.lib.stride_tricks.sliding_window_view(values, WINDOW_FRAMES, axis=0)[::STEP_FRAMES]

    by_band, tonal, loud = cut(bands), cut(peak), cut(level)
    step = np.abs(np.diff(by_band, axis=2)).mean(axis=2)  # how fast each band moves: roughness, blows, syllables
    features = np.concatenate(
        [by_band.mean(axis=2), by_band.max(axis=2), step, tonal.mean(axis=1, keepdims=True),
         tonal.std(axis=1, keepdims=True), np.diff(loud, axis=1).max(axis=1, keepdims=True)], axis=1,
    )  # fmt: skip
    starts = np.arange(len(features), dtype=np.float64) * (STEP_FRAMES * HOP_S)
    length = (WINDOW_FRAMES - 1) * HOP_S + FRAME_S
    return Windows(starts, length, features.astype(np.float64), np.asarray(loud.max(axis=1), dtype=np.float64))


def overlaps(
    starts_s: FloatArray, length_s: float, events: pd.DataFrame, *, at_least: float = 0.5
) -> npt.NDArray[np.bool_]:
    """Whether a sound of ``events`` covers each window, or lies in it, by ``at_least`` of the shorter of the two."""
    onset, offset = events["onset_s"].to_numpy(), events["offset_s"].to_numpy()
    common = np.minimum(starts_s[:, None] + length_s, offset) - np.maximum(starts_s[:, None], onset)
    return np.asarray((common >= at_least * np.minimum(length_s, offset - onset)).any(axis=1))


class AbnormalSound:
    """Boosted trees over windows: the score that a window holds a sound to be told of.

    Parameters
    ----------
    max_iter : int, default=80
    seed : int, default=0
        Of the trees' own draws.
    """

    def __init__(self, *, max_iter: int = 80, seed: int = 0) -> None:
        if max_iter < 1:
            raise bad_parameter(name="max_iter", where="AbnormalSound", must="at least 1", got=max_iter)
        self.max_iter, self.seed = max_iter, seed

    def fit(self, features: FloatArray, abnormal: npt.NDArray[np.bool_]) -> AbnormalSound:
        """Learn from windows and whether each holds an abnormal sound.

        Raises
        ------
        ContractError
            If there are not windows of both sorts.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier

        if abnormal.all() or not abnormal.any():
            raise ContractError("To learn what is abnormal there must be windows with and without it.")
        model = HistGradientBoostingClassifier(
            max_iter=self.max_iter, learning_rate=0.15, max_leaf_nodes=15, early_stopping=False, random_state=self.seed,
        )  # fmt: skip
        self.model_ = model.fit(features, abnormal)
        return self

    def score(self, features: FloatArray) -> FloatArray:
        """Score of each window, in [0, 1]."""
        return np.asarray(self.model_.predict_proba(features)[:, 1], dtype=np.float64)


def alerts_of(
    starts_s: FloatArray, scores: FloatArray, *, length_s: float, threshold: float, merge_s: float = 0.75
) -> pd.DataFrame:
    """Runs of windows whose score reaches ``threshold``, joined when less than ``merge_s`` apart.

    Returns
    -------
    DataFrame
        ``onset_s, offset_s, score``, by onset. A run lasts from the middle of its first window to the middle of its
        last, and half a window more on each side when it is a single one.
    """
    over = np.flatnonzero(scores >= threshold)
    if len(over) == 0:
        return pd.DataFrame({"onset_s": [], "offset_s": [], "score": []}, dtype="float64")
    at = starts_s[over]
    first = np.concatenate([[True], np.diff(at) > merge_s])
    run = np.cumsum(first) - 1
    peaks = np.maximum.reduceat(scores[over], np.flatnonzero(first))
    onset, last = at[first], at[np.concatenate([first[1:], [True]])]
    single = run[-1] >= 0 and (onset == last)
    quarter = length_s / 4
    return pd.DataFrame(
        {
            "onset_s": onset + np.where(single, quarter, 2 * quarter),
            "offset_s": last + np.where(single, 3 * quarter, 2 * quarter),
            "score": peaks,
        }
    )


def threshold_for_recall(best_scores: FloatArray, *, recall: float) -> float:
    """The highest threshold at which a share ``recall`` of sounds has a window that reaches it.

    Parameters
    ----------
    best_scores : ndarray of shape (n_events,)
        Best score of the windows of each sound to be found.
    recall : float
        In (0, 1].
    """
    if not 0 < recall <= 1 or len(best_scores) == 0:
        raise bad_parameter(
            name="recall", where="threshold_for_recall", must="in (0, 1], with sounds to find", got=recall
        )
    ranked = np.sort(np.asarray(best_scores, dtype=np.float64))[::-1]
    return float(ranked[int(np.ceil(recall * len(ranked) - 1e-9)) - 1])


def best_score(starts_s: FloatArray, length_s: float, scores: FloatArray, events: pd.DataFrame) -> FloatArray:
    """Best score among the windows that each sound covers by half of the shorter; 0 if it meets none."""
    best = np.zeros(len(events))
    for i, (onset, offset) in enumerate(zip(events["onset_s"], events["offset_s"], strict=True)):
        common = np.minimum(starts_s + length_s, offset) - np.maximum(starts_s, onset)
        meets = common >= 0.5 * min(length_s, offset - onset)
        best[i] = scores[meets].max() if meets.any() else 0.0
    return best


def explain(alerts: pd.DataFrame, events: pd.DataFrame, *, collar_s: float = 0.3) -> npt.NDArray[np.int64]:
    """Which sound each alert answers to: the row of ``events`` it overlaps most, ``collar_s`` allowed, or -1."""
    begin, end = alerts["onset_s"].to_numpy(np.float64), alerts["offset_s"].to_numpy(np.float64)
    onset, offset = events["onset_s"].to_numpy(np.float64), events["offset_s"].to_numpy(np.float64)
    if len(onset) == 0 or len(begin) == 0:
        return np.full(len(begin), -1, dtype=np.int64)
    common = np.minimum(offset + collar_s, end[:, None]) - np.maximum(onset - collar_s, begin[:, None])
    return np.where(common.max(axis=1) > 0, common.argmax(axis=1), -1)
