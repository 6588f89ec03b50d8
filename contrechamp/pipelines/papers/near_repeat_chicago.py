"""Near repeats in Chicago: the observed Knox tables of Ratcliffe's calculator, found again to the digit.

Pairs of events are counted by distance and by days apart. Three details had to be guessed right for every count to
match, and none is in the printed labels: distances are Manhattan; they are computed in single precision (one pair of
arsons at 399.96 m is counted as 400); and the bands are half-open and shifted by one, so that what is printed
« 0 to 1 » days holds pairs of the same day only, and « 2 to 2 » pairs one day apart.

What it cannot tell you: see ``limits`` in ``papers/near_repeat_chicago/scenario.toml``.

References
----------
.. [1] Ratcliffe (2009), Near Repeat Calculator 1.3, Temple University.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang
from contrechamp.pipelines.papers.base import Dossier, Run
from contrechamp.pipelines.papers.drawing import BLUE, INK, SOFT, canvas
from models.knox import KnoxTable, knox_table


def knox(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    day: npt.ArrayLike,
    edges_m: Sequence[float],
    edges_days: Sequence[int],
    permutations: int,
    rng: np.random.Generator,
) -> KnoxTable:
    """Count pairs by distance and days apart, as the Near Repeat Calculator 1.3 does.

    Parameters
    ----------
    x, y : array-like of float, shape (n_events,)
        Metres; turned into single precision.
    day : array-like of int, shape (n_events,)
    edges_m : sequence of float
        Increasing open upper edges of the distance bands. A first band holds the distance 0, a last one the rest.
    edges_days : sequence of int
        Increasing open upper edges of the time bands; a last one holds the rest.
    permutations : int
        At least 1.
    rng : numpy.random.Generator

    Returns
    -------
    KnoxTable

    Raises
    ------
    ParameterError
        If there are fewer than two events, or edges do not increase from above 0.
    """
    return knox_table(
        np.asarray(x, dtype=np.float32),
        np.asarray(y, dtype=np.float32),
        t_days=np.asarray(day, dtype=np.int64),
        edges_m=edges_m,
        edges_days=edges_days,
        permutations=permutations,
        rng=rng,
        metric="manhattan",
        same_place="apart",
    )


def reproduce(dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
    """Count the two tables and test them."""
    figures: dict[str, Interval] = {}
    tables, found = {}, {}
    sets: Mapping[str, Any] = dossier.parameters["sets"]
    for done, (name, said) in enumerate(sets.items(), start=1):
        events = pd.read_csv(data[said["file"]], header=None, names=["x", "y", "date"])
        days = pd.to_datetime(events["date"]).to_numpy().astype("datetime64[D]").astype(np.int64)
        result = knox(
            events["x"].to_numpy(),
            events["y"].to_numpy(),
            day=days,
            edges_m=said["edges_m"],
            edges_days=said["edges_days"],
            permutations=int(dossier.parameters["permutations"]),
            rng=stream(seed, dossier.key, name),
        )
        found[name] = result
        tables[name] = _table(result, said)
        for (i, j), pairs in np.ndenumerate(result.observed):
            figures[f"{name}_{i + 1}_{j + 1}"] = Interval.exact(float(pairs), n=int(result.observed.sum()))
        progress(dossier.key, done, len(sets))
    arson, n = found["arson"], int(dossier.parameters["permutations"])
    figures["arson_p_next_day"] = Interval.exact(arson.p[1, 0], n=n, method="permutation")
    figures["arson_ratio_next_day"] = Interval.exact(arson.observed[1, 0] / arson.expected[1, 0])
    figures["smallest_p"] = Interval.exact(min(float(k.p.min()) for k in found.values()), n=n, method="permutation")
    return Run(figures, tables, lambda lang: _draw(found, sets, lang))


def _table(result: KnoxTable, said: Mapping[str, Any]) -> pd.DataFrame:
    """One row per cell, with the printed label and what it really holds."""
    metres, days = _truth(said["edges_m"], exact_zero=True), _truth(said["edges_days"], exact_zero=False)
    rows = []
    for (i, j), pairs in np.ndenumerate(result.observed):
        rows.append(
            {
                "printed_distance": said["printed_m"][i],
                "distance_m": metres[i],
                "printed_days": said["printed_days"][j],
                "days": days[j],
                "observed": int(pairs),
                "expected": float(result.expected[i, j]),
                "p": float(result.p[i, j]),
            }
        )
    return pd.DataFrame(rows)


def _truth(edges: Sequence[float], *, exact_zero: bool) -> list[str]:
    """Bands as they are, in interval notation."""
    lows = [0, *edges]
    named = [f"[{low:g}, {high})" for low, high in zip(lows, [*(f"{edge:g}" for edge in edges), "∞"], strict=True)]
    return ["0", f"(0, {edges[0]:g})", *named[1:]] if exact_zero else named


def _draw(found: Mapping[str, KnoxTable], sets: Mapping[str, Any], lang: Lang) -> Any:
    titles = {"arson": {"fr": "Incendies, 2016", "en": "Arson, 2016"},
              "burglary": {"fr": "Cambriolages, janvier 2016", "en": "Burglary, January 2016"}}  # fmt: skip
    words = {"fr": ("jours d'écart", "distance (m)", "observé / attendu"),
             "en": ("days apart", "distance (m)", "observed / expected")}[lang]  # fmt: skip
    figure, axes = canvas(height=2.6, ncols=2)
    for ax, (name, result) in zip(axes, found.items(), strict=True):
        ratio = result.observed / np.maximum(result.expected, 1e-12)
        ax.imshow(np.log2(np.maximum(ratio, 0.25)), cmap="Blues", vmin=-2, vmax=6, aspect="auto")
        for (i, j), value in np.ndenumerate(ratio):
            text = f"{result.observed[i, j]}\n×{value:.2f}" + (" *" if result.p[i, j] <= 0.01 else "")
            text = text.replace(".", ",") if lang == "fr" else text
            ax.text(j, i, text, ha="center", va="center", fontsize=6.5, color="white" if value > 8 else INK)
        said = sets[name]
        ax.set_xticks(range(result.observed.shape[1]), _truth(said["edges_days"], exact_zero=False))
        ax.set_yticks(range(result.observed.shape[0]), _truth(said["edges_m"], exact_zero=True))
        ax.set_title(titles[name][lang])
        ax.set_xlabel(words[0], color=SOFT)
        ax.tick_params(length=0)
    axes[0].set_ylabel(words[1])
    figure.suptitle(f"{words[2]} ; * p ≤ 0,01" if lang == "fr" else f"{words[2]}; * p ≤ 0.01", fontsize=8, color=BLUE)
    return figure
