"""E11. Does « abnormal » mean harmful, and are frequent behaviours the best detected?

Twelve behaviours of set frequency, and a harm label that owes to frequency what the world says. Detectors that learn
without labels alert on the most unusual tracks, as many as an operator can read; a classifier learns behaviours from
labelled examples. Precision and lift of the alerts; whom the lawful ones fall on; recall of each behaviour against its
number of examples. Then eight travel modes told apart, and alerted tracks linked to sheets of appearance.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome, Result, Scalar
from contrechamp.experiments.e11_learning import MIXES, learning_rows, link_rows, mode_rows
from contrechamp.experiments.e11_params import CANNOT_TELL, ID, MEASURES, Params
from contrechamp.experiments.e11_streams import stream_rows
from fairness.clusters import cluster_rate_interval
from fairness.intervals import mean_interval
from synthetic_data.travel_worlds import MODES

__all__ = ["CANNOT_TELL", "ID", "MEASURES", "READINGS", "Params", "run"]

#: What « common in a group » means: common there and not elsewhere, or common there, elsewhere or not.
READINGS: Final = ("habit-only", "any-common")
_STREAM: Final = ("separation", "blurred", "habit_share")


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E11.

    Returns
    -------
    Outcome
        Tables ``e11_alerts`` and ``e11_burden`` (a row per stream and detector), ``e11_learning`` (a row per set of
        examples), ``e11_modes`` and ``e11_confusion``, ``e11_links``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    reps = range(params.worlds)
    streams: list[dict[str, Scalar]] = [
        dict(zip(_STREAM, values, strict=True))
        for values in (
            *product(params.separations, params.blurred, (0.0,)),
            *product(params.separations, (0.0,), params.habit_shares),
        )
    ]
    tasks: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        *((stream_rows, (params, here, rep)) for here, rep in product(streams, reps)),
        *((learning_rows, (params, gap, rep)) for gap, rep in product(params.learning_separations, reps)),
        *((mode_rows, (params, here, rep)) for here, rep in product(_travel(params), reps)),
        *((link_rows, (params, rep)) for rep in reps),
    ]
    made: dict[str, list[Any]] = {}
    work = Parallel(n_jobs=jobs, return_as="generator")(delayed(what)(*given, seed=seed) for what, given in tasks)
    for done, found in enumerate(work, start=1):
        made.setdefault(tasks[done - 1][0].__name__, []).append(found)
        progress("E11: worlds", done, len(tasks))
    alerts, burden = (pd.concat(part, ignore_index=True) for part in zip(*made["stream_rows"], strict=True))
    modes, matrices = zip(*made["mode_rows"], strict=True)
    tables = {
        "e11_alerts": alerts,
        "e11_burden": burden,
        "e11_learning": pd.concat(made["learning_rows"], ignore_index=True),
        "e11_modes": pd.DataFrame(modes),
        "e11_confusion": _confusions(modes, matrices),
        "e11_links": pd.concat(made["link_rows"], ignore_index=True),
    }
    results = [
        *_of_alerts(alerts, label_draws=params.label_draws), *_of_burden(burden, share_b=params.share_b),
        *_of_learning(tables["e11_learning"]),
        *_of_modes(tables["e11_modes"]), *_of_links(tables["e11_links"]),
    ]  # fmt: skip
    return Outcome(results, tables)


def _of_alerts(rows: pd.DataFrame, *, label_draws: int) -> list[Result]:
    # An alert labelled many times is one alert: to draw its label again says nothing of other tracks.
    rows = rows.assign(harmful=rows["harmful"] / label_draws, alerts=rows["alerts"] / label_draws)
    keys = ("separation", "blurred", "harm_rarity", "base_rate", "detector")
    out = []
    for world, found in _worlds(rows[rows["habit_share"] == 0], keys):
        share = _share(found, "harmful", "alerts")
        base = float(world["base_rate"])
        auc = found["auc"].dropna().to_numpy(np.float64)
        made = {"precision": share, "lift": _scaled(share, 1 / base), "auc": _within(mean_interval(auc), 0.0, 1.0)}
        out += [Result(ID, key, world, interval, "e11_alerts") for key, interval in made.items()]
    return out


def _of_burden(rows: pd.DataFrame, *, share_b: float) -> list[Result]:
    out = []
    clear = rows[rows["blurred"] == 0]
    for world, found in _worlds(clear, ("separation", "habit_share", "detector")):
        for reading in READINGS:
            common = _share(found, reading, "alerts")
            out.append(Result(ID, "common_share", {**world, "reading": reading}, common, "e11_burden"))
        ratio = _scaled(_share(found, "on_b", "alerts"), 1 / share_b)
        out.append(Result(ID, "group_ratio", world, ratio, "e11_burden"))
    for world, found in _worlds(clear[clear["habit_share"] == 0], ("separation", "detector")):
        out.append(Result(ID, "alert_slope", world, mean_interval(found["slope"].to_numpy(np.float64)), "e11_burden"))
    return out


def _of_learning(rows: pd.DataFrame) -> list[Result]:
    out = []
    for world, found in _worlds(rows, ("separation", "train_size", "training")):
        made = {
            "recall_slope": mean_interval(found["slope"].to_numpy(np.float64)),
            "macro_recall": _within(mean_interval(found["macro_recall"].to_numpy(np.float64)), 0.0, 1.0),
        }
        out += [Result(ID, key, world, interval, "e11_learning") for key, interval in made.items()]
    return out


def _of_modes(rows: pd.DataFrame) -> list[Result]:
    out = []
    for world, found in _worlds(rows, ("size_error", "position_error_m", "mix")):
        for measure in ("macro_f1", "macro_f1_near_miss"):
            interval = _within(mean_interval(found[measure].dropna().to_numpy(np.float64)), 0.0, 1.0)
            out.append(Result(ID, measure, world, interval, "e11_modes"))
    return out


def _of_links(rows: pd.DataFrame) -> list[Result]:
    out = []
    for world, found in _worlds(rows, ("crowd", "noise", "dress_of_b")):
        for measure, column in (
            ("singled_out", "right"),
            ("tied_wrong", "wrong"),
            ("singled_out_random", "right_random"),
        ):
            out.append(Result(ID, measure, world, _share(found, column, "flagged"), "e11_links"))
    return out


def _travel(params: Params) -> list[dict[str, Scalar]]:
    return [
        {"size_error": size, "position_error_m": position, "mix": mix}
        for size, position, mix in product(params.size_errors, params.position_errors_m, MIXES)
    ]


def _worlds(rows: pd.DataFrame, keys: tuple[str, ...]) -> Iterable[tuple[dict[str, Scalar], pd.DataFrame]]:
    for values, found in rows.groupby(list(keys), sort=False):
        plain: list[Any] = [v.item() if isinstance(v, np.generic) else v for v in values]
        yield dict(zip(keys, plain, strict=True)), found


def _share(rows: pd.DataFrame, events: str, trials: str) -> Interval:
    """Share over draws; what one draw holds is not independent."""
    return cluster_rate_interval(events=rows[events], trials=rows[trials], clusters=rows["rep"]).interval


def _scaled(interval: Interval, by: float) -> Interval:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return interval
    return dataclasses.replace(
        interval, estimate=interval.estimate * by, low=interval.low * by, high=interval.high * by
    )  # fmt: skip


def _within(interval: Interval, low: float, high: float) -> Interval:
    """Bounds cut at what the quantity can be."""
    if interval.low is None or interval.high is None:
        return interval
    return dataclasses.replace(interval, low=max(interval.low, low), high=min(interval.high, high))


def _confusions(modes: tuple[dict[str, Scalar], ...], matrices: tuple[Any, ...]) -> pd.DataFrame:
    """Encounters by true and named mode, all draws of a world added."""
    sums: dict[tuple[Scalar, ...], Any] = {}
    for row, matrix in zip(modes, matrices, strict=True):
        key = (row["size_error"], row["position_error_m"], row["mix"])
        sums[key] = sums.get(key, 0) + matrix
    names = list(MODES)
    return pd.DataFrame(
        [
            {"size_error": key[0], "position_error_m": key[1], "mix": key[2], "mode": names[i], "named": names[j],
             "encounters": int(total[i, j])}
            for key, total in sums.items() for i, j in product(range(len(names)), repeat=2)
        ]
    )  # fmt: skip


def _check(params: Params) -> None:
    for field in dataclasses.fields(params):
        value = getattr(params, field.name)
        if isinstance(value, tuple) and not value:
            raise bad_parameter(name=field.name, where=ID, must="at least one value", got=value)
    for name, ok, must in (
        ("worlds", params.worlds >= 2, "at least 2"),
        ("label_draws", params.label_draws >= 1, "at least 1"),
        ("alerts", 1 <= params.alerts <= params.n_tracks, "at least 1 and at most `n_tracks`"),
        ("habit_shares", all(0 < h < 1 for h in params.habit_shares), "shares in (0, 1)"),
        ("blurred", 0.0 in params.blurred, "with 0 among them, the clear stream the others are compared with"),
        ("crowds", min(params.crowds) >= 10, "at least 10 people"),
        ("train_sizes", min(params.train_sizes) >= 100, "at least 100 examples"),
        ("mode_examples", params.mode_examples >= 400, "at least 400 encounters"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
