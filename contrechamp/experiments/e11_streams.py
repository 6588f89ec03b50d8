"""E11, first part: streams of tracks, alerts on the most abnormal, and what those alerts fall on.

What it cannot tell you: see ``CANNOT_TELL`` of :mod:`contrechamp.experiments.e11_anomaly`.
"""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from contrechamp.domain.rng import stream
from contrechamp.experiments.e11_params import ID, Params
from synthetic_data.behaviour_worlds import (
    N_BEHAVIOURS,
    BehaviourWorld,
    Tracks,
    draw_behaviour_world,
    draw_examples,
    draw_harm,
    draw_tracks,
    harm_rates,
)
from vsa.anomaly import METHODS, FloatArray, anomaly_scores, learn_behaviours, top_k

#: The classifier taught what harms, from labelled tracks as they come.
TAUGHT: Final = "taught"
DETECTORS: Final = (*METHODS, TAUGHT)
#: Trees of a forest; tracks that forests and neighbours learn from; which neighbour the distance is to.
_TREES: Final = 32
_REFERENCE: Final = 300
_NEIGHBOURS: Final = 5
#: Tracks of each behaviour scored beside the stream, to know how often each would be alerted on.
_PROBES: Final = 60


def stream_rows(
    params: Params, here: dict[str, Any], rep: int, *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """What the alerts of one stream fall on.

    Parameters
    ----------
    params : Params
    here : mapping
        ``separation``, ``blurred`` and ``habit_share``.
    rep : int
        The same draws serve every ``here``.
    seed : int

    Returns
    -------
    harm : pandas.DataFrame
        Of streams without a habit, a row per detector, ``harm_rarity`` and ``base_rate``: alerts (labelled several
        times over), harmful ones, AUC.
    burden : pandas.DataFrame
        A row per detector: alerts, those on lawful behaviours common in group B, by reading; those on group B; and how
        much the share of a behaviour alerted on moves when it is ten times as frequent.
    """
    world = draw_behaviour_world(
        separation=float(here["separation"]), habit_share=float(here["habit_share"]), share_b=params.share_b,
        rng=stream(seed, ID, "world", rep),
    )  # fmt: skip
    blurred = float(here["blurred"])
    tracks = draw_tracks(world, n=params.n_tracks, blurred=blurred, rng=stream(seed, ID, "tracks", rep))
    shown = draw_tracks(world, n=params.n_tracks, blurred=blurred, rng=stream(seed, ID, "labelled", rep))
    probe = draw_examples(world, counts=np.full(N_BEHAVIOURS, _PROBES), rng=stream(seed, ID, "probe", rep))
    scores: dict[str, FloatArray] = {
        method: anomaly_scores(
            tracks.descriptors, method=method, others=probe.descriptors, n_reference=_REFERENCE,
            n_neighbours=_NEIGHBOURS, n_trees=_TREES, rng=stream(seed, ID, method, rep),
        )
        for method in METHODS
    }  # fmt: skip
    posterior = learn_behaviours(shown.descriptors, shown.behaviour, n_behaviours=N_BEHAVIOURS).p(tracks.descriptors)
    tosses = stream(seed, ID, "harm", rep).random((params.label_draws, params.n_tracks))
    place = {name: rankdata(score[: params.n_tracks]) for name, score in scores.items()}
    harm_rows, burden_rows = [], []
    judged = product(params.rarities, params.base_rates) if here["habit_share"] == 0 else ()
    for rarity, base_rate in judged:
        rates = harm_rates(world.overall, base_rate=base_rate, rarity=rarity)
        harm = tosses < rates[tracks.behaviour]
        labels = draw_harm(shown, rates=rates, rng=stream(seed, ID, "taught", rep))
        learned = posterior @ _learned_rates(shown, labels, base_rate)
        for name in DETECTORS:
            order = rankdata(learned) if name == TAUGHT else place[name]
            alerts = top_k(order, k=params.alerts)
            harm_rows.append(
                {
                    "detector": name, "harm_rarity": rarity, "base_rate": base_rate,
                    "alerts": len(alerts) * params.label_draws, "harmful": int(harm[:, alerts].sum()),
                    "auc": _auc(order, harm),
                }
            )  # fmt: skip
    lawful = tosses[0] >= max(params.base_rates)  # independent of what people do
    for name in METHODS:
        alerts = top_k(scores[name][: params.n_tracks], k=params.alerts)
        burden_rows.append({"detector": name, **_burden(params, world, tracks, alerts, lawful, scores[name])})
    harmed, burden = (pd.DataFrame(rows).assign(**here, rep=rep) for rows in (harm_rows, burden_rows))
    return harmed, burden


def flagged_groups(params: Params, *, rep: int, seed: int) -> npt.NDArray[np.bool_]:
    """Whether each alert of the clearest stream with a habit, by the first detector, is on somebody of group B."""
    world = draw_behaviour_world(
        separation=max(params.separations), habit_share=max(params.habit_shares), share_b=params.share_b,
        rng=stream(seed, ID, "world", rep),
    )  # fmt: skip
    tracks = draw_tracks(world, n=params.n_tracks, rng=stream(seed, ID, "tracks", rep))
    score = anomaly_scores(
        tracks.descriptors, method=METHODS[0], n_reference=_REFERENCE, n_neighbours=_NEIGHBOURS, n_trees=_TREES,
        rng=stream(seed, ID, METHODS[0], rep),
    )  # fmt: skip
    flagged: npt.NDArray[np.bool_] = tracks.in_b[top_k(score, k=params.alerts)]
    return flagged


def _learned_rates(shown: Tracks, labels: npt.NDArray[np.bool_], base_rate: float) -> FloatArray:
    """Share of harmful tracks among the labelled ones of each behaviour; the base rate counts as one more track."""
    met = np.bincount(shown.behaviour, minlength=N_BEHAVIOURS)
    bad = np.bincount(shown.behaviour[labels], minlength=N_BEHAVIOURS)
    return np.asarray((bad + base_rate) / (met + 1))


def _auc(place: FloatArray, harm: npt.NDArray[np.bool_]) -> float:
    """Chance that a harmful track ranks above a harmless one, ties counting half, over the label draws."""
    bad = harm.sum(axis=1)
    some = (bad > 0) & (bad < harm.shape[1])
    if not bool(some.any()):
        return float("nan")
    above = harm[some].astype(np.float64) @ place - bad[some] * (bad[some] + 1) / 2
    return float((above / (bad[some] * (harm.shape[1] - bad[some]))).mean())


def _burden(
    params: Params, world: BehaviourWorld, tracks: Tracks, alerts: npt.NDArray[np.int64],
    lawful: npt.NDArray[np.bool_], score: FloatArray,
) -> dict[str, float]:  # fmt: skip
    common = world.frequencies >= params.common_from
    own = (common[1] & ~common[0])[tracks.behaviour] & lawful
    any_of = common[1][tracks.behaviour] & lawful
    threshold = score[alerts[-1]]
    rate = (score[params.n_tracks :].reshape(N_BEHAVIOURS, _PROBES) >= threshold).mean(axis=1)
    return {
        "alerts": len(alerts),
        "habit-only": int(own[alerts].sum()),
        "any-common": int(any_of[alerts].sum()),
        "on_b": int(tracks.in_b[alerts].sum()),
        "slope": slope(np.log10(world.overall), rate),
    }


def slope(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Slope of a straight line fitted by least squares.

    Examples
    --------
    >>> round(slope([0, 1, 2], [1, 3, 5]), 6)
    2.0
    """
    return float(np.polyfit(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), 1)[0])
