"""E11, second part: what a classifier learns from frequency, eight travel modes, and tracks linked to persons.

What it cannot tell you: see ``CANNOT_TELL`` of :mod:`contrechamp.experiments.e11_anomaly`.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from contrechamp.domain.results import Scalar
from contrechamp.domain.rng import stream
from contrechamp.experiments.e11_params import ID, Params
from contrechamp.experiments.e11_streams import flagged_groups, slope
from synthetic_data.appearance_worlds import ATTRIBUTES, appearance_law, draw_people, error_tables, observe
from synthetic_data.behaviour_worlds import N_BEHAVIOURS, draw_behaviour_world, draw_examples
from synthetic_data.travel_worlds import MODES, Encounters, draw_encounters, mode_shares
from vsa.anomaly import IntArray, learn_behaviours
from vsa.search import likeness, link

#: How the classifier is taught: examples as met; the same, every behaviour expected alike; as many of each.
TRAININGS: Final = ("as-met", "reweighted", "balanced")
#: Traffic in which modes are learned and judged.
MIXES: Final = ("street", "balanced")
#: Whether group B dresses like the others or the other way round.
DRESS_OF_B: Final = ("same", "own")
#: Tracks of each behaviour on which recall is measured.
_TESTED: Final = 200


def learning_rows(params: Params, separation: float, rep: int, *, seed: int) -> pd.DataFrame:
    """A row per size and way of training: slope of recall on the logarithm of training counts, and mean recall.

    With balanced classes counts are equal: the slope is then on the logarithm of the frequency in the street.
    """
    world = draw_behaviour_world(separation=separation, rng=stream(seed, ID, "world", rep))
    test = draw_examples(world, counts=np.full(N_BEHAVIOURS, _TESTED), rng=stream(seed, ID, "test", rep))
    rows = []
    for size in params.train_sizes:
        met = np.maximum(np.round(size * world.overall), 1).astype(np.int64)
        alike = np.full(N_BEHAVIOURS, max(size // N_BEHAVIOURS, 2))
        drawn = {
            key: draw_examples(world, counts=counts, rng=stream(seed, ID, "examples", rep))
            for key, counts in (("met", met), ("alike", alike))
        }
        for training in TRAININGS:
            counts = alike if training == "balanced" else met
            shown = drawn["alike" if training == "balanced" else "met"]
            model = learn_behaviours(
                shown.descriptors, shown.behaviour, n_behaviours=N_BEHAVIOURS,
                priors="as-met" if training == "as-met" else "equal",
            )  # fmt: skip
            right = model.name(test.descriptors) == test.behaviour
            recall = right.reshape(N_BEHAVIOURS, _TESTED).mean(axis=1)
            against = world.overall if training == "balanced" else met
            rows.append(
                {
                    "separation": separation, "train_size": size, "training": training, "rep": rep,
                    "slope": slope(np.log10(against), recall), "macro_recall": float(recall.mean()),
                    **{f"recall_{i + 1:02d}": float(r) for i, r in enumerate(recall)},
                    **{f"count_{i + 1:02d}": int(c) for i, c in enumerate(counts)},
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def mode_rows(params: Params, here: dict[str, Scalar], rep: int, *, seed: int) -> tuple[dict[str, Scalar], IntArray]:
    """Macro F1 of the modes and of near misses in one draw, and the confusion matrix (true modes along rows)."""
    even = here["mix"] == "balanced"
    share = np.full(len(MODES), 1 / len(MODES)) if even else mode_shares()
    counts = np.maximum(np.round(params.mode_examples * share), 2).astype(np.int64)
    shown, test = (
        draw_encounters(
            counts=counts, size_error=float(here["size_error"]), position_error_m=float(here["position_error_m"]),
            rng=stream(seed, ID, "encounters", part, rep),
        )
        for part in ("learned", "judged")
    )  # fmt: skip
    model = learn_behaviours(shown.measured, shown.mode, n_behaviours=len(MODES), spread="own")
    named = model.name(test.measured)
    confusion = np.zeros((len(MODES), len(MODES)), dtype=np.int64)
    np.add.at(confusion, (test.mode, named), 1)
    row: dict[str, Scalar] = {
        **here, "rep": rep, "macro_f1": macro_f1(confusion), "macro_f1_near_miss": near_miss_f1(test, named),
    }  # fmt: skip
    return row, confusion


def macro_f1(confusion: IntArray) -> float:
    """Mean over classes of the F1 score, from a confusion matrix (true classes along rows); a class never met is left.

    Examples
    --------
    >>> round(macro_f1(np.array([[8, 2], [4, 6]])), 4)
    0.697
    """
    hit = np.diag(confusion).astype(np.float64)
    true, named = confusion.sum(axis=1), confusion.sum(axis=0)
    met = true > 0
    return float((2 * hit[met] / (true + named)[met]).mean())


def near_miss_f1(test: Encounters, named: IntArray) -> float:
    """Mean over modes of the F1 score of near misses told with their mode; a mode without a near miss is left."""
    scores = []
    for mode in range(len(MODES)):
        true, told = test.near_miss & (test.mode == mode), test.flagged & (named == mode)
        if bool(true.any()):
            scores.append(2 * float((true & told).sum()) / float(true.sum() + told.sum()))
    return float(np.mean(scores)) if scores else float("nan")


def link_rows(params: Params, rep: int, *, seed: int) -> pd.DataFrame:
    """A row per crowd, error and dress of group B: flagged tracks tied to the right person, to another, and at random.

    Whoever links holds one sheet per person of the crowd: what another camera read of that person that day.
    """
    in_b = flagged_groups(params, rep=rep, seed=seed)
    rows = []
    for crowd, noise, dress in product(params.crowds, params.noises, DRESS_OF_B):
        laws = [
            appearance_law(colour_skew=params.colour_skew, correlation=params.correlation, reverse_colours=reverse)
            for reverse in (False, dress == "own")
        ]
        rng = stream(seed, ID, "crowd", rep)
        n_b = max(round(crowd * params.share_b), 1)
        people = np.concatenate([draw_people(laws[0], n=crowd - n_b, rng=rng), draw_people(laws[1], n=n_b, rng=rng)])
        errors = error_tables(noise)
        tables = [errors[name] for name in ATTRIBUTES]
        mixed = [
            (1 - params.share_b) * laws[0].marginal(name) + params.share_b * laws[1].marginal(name)
            for name in ATTRIBUTES
        ]
        match = likeness(laws=mixed, described=tables, filmed=tables)
        sheets = observe(people, tables=errors, rng=rng)
        by_chance = rng.random(len(in_b)) < params.share_b
        row: dict[str, Scalar] = {"crowd": crowd, "noise": noise, "dress_of_b": dress, "rep": rep, "flagged": len(in_b)}
        for name, group in (("", in_b), ("_random", by_chance)):
            theirs, others = (
                crowd - n_b + rng.integers(n_b, size=len(group)),
                rng.integers(crowd - n_b, size=len(group)),
            )
            who = np.where(group, theirs, others)
            tied = link(match.scores(observe(people[who], tables=errors, rng=rng), sheets), least=0.0)
            row[f"right{name}"] = int((tied == who).sum())
            row[f"wrong{name}"] = int(((tied >= 0) & (tied != who)).sum())
        rows.append(row)
    return pd.DataFrame(rows)
