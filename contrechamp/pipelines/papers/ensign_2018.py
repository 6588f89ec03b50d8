"""Ensign et al. (2018): a patrol that follows what patrols find runs away, and a correction of the input stops it.

Two neighbourhoods, an urn, and the parameters that the authors took from Oakland. Whatever has an exact law is computed
by it; simulations are compared with the law and with what the authors' program gives.

What it cannot tell you: see ``limits`` in ``papers/ensign_2018/scenario.toml``.

References
----------
.. [1] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang
from contrechamp.pipelines.papers.base import Dossier, Run
from contrechamp.pipelines.papers.drawing import BLUE, DASH, OLIVE, RUST, SOFT, canvas, number_marks
from fairness.corrected_urns import Correction, UrnPaths, corrected_urn
from fairness.feedback import Arrivals
from fairness.intervals import mean_interval
from fairness.limits import expected_share, expected_share_rejection, greedy_law, rejection_limit
from fairness.replay import Policy, replay
from fairness.urns import limit_share

_QUANTILES = (0.05, 0.5, 0.95)


def reproduce(dossier: Dossier, data: Mapping[str, Path], *, seed: int, jobs: int, progress: Progress) -> Run:
    """Run the urns. Needs no data."""
    p = dossier.parameters
    n, reps = int(p["n_draws"]), int(p["n_reps"])
    top2, chance = (p["rate_top1"], p["rate_top2"]), (p["rate_top1"], p["rate_random"])
    strong = (p["start_top1"], p["start_top2"])
    weak = tuple(v / p["weak_divisor"] for v in strong)
    lopsided = (p["start_top1"], p["start_random"])
    settings = {
        "strong_top1_top2": (strong, top2),
        "weak_top1_top2": (weak, top2),
        "strong_top1_random": (lopsided, chance),
    }
    days = tuple(range(0, n + 1, max(n // 100, 1)))
    steps = len(settings) + 4
    figures: dict[str, Interval] = {
        "true_share_top1_top2": _exact(rejection_limit(rates=top2)),
        "true_share_top1_random": _exact(rejection_limit(rates=chance)),
    }
    curves, drawn = [], []
    for done, (name, (start, rates)) in enumerate(settings.items(), start=1):
        exact = expected_share(start=start, additions=rates, n_draws=n)
        corrected = expected_share_rejection(start=start, rates=rates, n_draws=n)
        urns = corrected_urn(
            start=start, rates=rates, n_draws=n, n_reps=reps, rng=stream(seed, dossier.key, name), checkpoints=days
        )
        figures[f"share_{name}"] = _exact(exact[-1])
        figures[f"simulated_{name}"] = mean_interval(urns.share[:, -1])
        curves.append(
            pd.DataFrame(
                {"setting": name, "draw": np.arange(n + 1), "expected": exact, "expected_rejection": corrected}
            )
        )
        drawn.append(_bands(urns, name))
        progress(dossier.key, done, steps)
    curve = pd.concat(curves, ignore_index=True)

    quarter = tuple(rate * p["reported_part"] for rate in top2)
    figures |= {
        "limit_equal_voice": _exact(limit_share(discovered=(2, 1), reported=(2, 1))),
        "limit_faint_voice": _exact(limit_share(discovered=(2, 1), reported=(0.2, 0.1))),
        "limit_unequal_voice": _exact(limit_share(discovered=(1, 1), reported=(0.5, 0.1))),
        "limit_oakland_quarter": _exact(limit_share(discovered=top2, reported=quarter)),
    }
    mixed = corrected_urn(
        start=(1, 1), rates=(2, 1), reported=(2, 1), n_draws=4 * n, n_reps=reps // 4,
        rng=stream(seed, dossier.key, "mixed"),
    )  # fmt: skip
    figures["simulated_equal_voice"] = mean_interval(mixed.share[:, -1])
    progress(dossier.key, len(settings) + 1, steps)

    slow = corrected_urn(
        start=weak, rates=top2, n_draws=int(p["long_draws"]), n_reps=int(p["long_reps"]),
        correction=Correction.REJECTION, rng=stream(seed, dossier.key, "rejection"),
    )  # fmt: skip
    figures["rejection_weak_long"] = mean_interval(slow.share[:, -1])
    last = curve.groupby("setting")["expected_rejection"].last()
    figures["rejection_strong_random"] = _exact(last["strong_top1_random"])
    progress(dossier.key, len(settings) + 2, steps)

    strongly = {name: setting for name, setting in settings.items() if name.startswith("strong")}
    decays, settled = _decay(strongly, p, n=n, reps=reps, seed=seed, key=dossier.key)
    figures["rejection_decay"] = settled["strong_top1_top2", Correction.REJECTION]
    weighted = corrected_urn(
        start=strong, rates=top2, n_draws=n, n_reps=reps, poisson=True, rng=stream(seed, dossier.key, "weights")
    ).weighted_rate
    figures["weighted_rate_top1"] = mean_interval(weighted[:, 0])
    figures["weighted_rate_top2"] = mean_interval(weighted[:, 1])
    progress(dossier.key, len(settings) + 3, steps)

    greedy_start, greedy_rates = tuple(p["greedy_start"]), tuple(p["greedy_rates"])
    greedy = replay(
        rates=greedy_rates, start=greedy_start, policies=[Policy(top=True)], n_days=n, n_reps=100,
        rng=stream(seed, dossier.key, "greedy"), arrivals=Arrivals.POISSON, jobs=jobs,
    )  # fmt: skip
    figures["greedy_days"] = _exact(float(greedy.patrol_first.min()), n=100, method="minimum")
    law = greedy_law(start=greedy_start, rates=greedy_rates, n_days=n)
    greedy_table = pd.DataFrame(
        {"zone": ["first", "second"], "rate": greedy_rates, "expected_share": law,
         "simulated_share": [greedy.recorded_first.mean(), 1 - greedy.recorded_first.mean()]}
    )  # fmt: skip
    progress(dossier.key, steps, steps)

    bands = pd.concat(drawn, ignore_index=True)
    truths = {name: rejection_limit(rates=rates) for name, (_, rates) in settings.items()}
    tables = {"curve": curve, "simulated": bands, "decay": decays, "greedy": greedy_table}
    return Run(figures, tables, lambda lang: _draw(curve, bands, truths, lang))


def _exact(value: float, *, n: int = 1, method: str = "closed-form") -> Interval:
    return Interval.exact(float(value), n=n, method=method)


def _bands(urns: UrnPaths, name: str) -> pd.DataFrame:
    low, middle, high = np.quantile(urns.share, _QUANTILES, axis=0)
    return pd.DataFrame({"setting": name, "draw": urns.checkpoints, "q05": low, "q50": middle, "q95": high})


def _decay(
    settings: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]],
    p: Mapping[str, Any],
    *,
    n: int,
    reps: int,
    seed: int,
    key: str,
) -> tuple[pd.DataFrame, dict[tuple[str, Correction], Interval]]:
    """The authors' published setting: Poisson finds, one ball in a hundred forgotten, with and without correction."""
    rows, means = [], {}
    for name, (start, rates) in settings.items():
        for correction in Correction:
            urns = corrected_urn(
                start=start, rates=rates, n_draws=n, n_reps=reps, poisson=True, decay=float(p["decay"]),
                correction=correction, rng=stream(seed, key, "decay", name),
            )  # fmt: skip
            interval = means[name, correction] = mean_interval(urns.share[:, -1])
            rows.append(
                {
                    "setting": name,
                    "correction": correction.value,
                    "truth": rejection_limit(rates=rates),
                    "mean": interval.estimate,
                    "low": interval.low,
                    "high": interval.high,
                    "sd": float(urns.share[:, -1].std(ddof=1)),
                    "kept": float(urns.kept.mean()),
                }
            )
    return pd.DataFrame(rows).astype(dict.fromkeys(("mean", "low", "high"), "float64")), means


def _draw(curve: pd.DataFrame, bands: pd.DataFrame, truths: Mapping[str, float], lang: Lang) -> Any:
    names = {
        "strong_top1_top2": {"fr": "départ fort, Top1/Top2", "en": "strong start, Top1/Top2"},
        "weak_top1_top2": {"fr": "départ faible, Top1/Top2", "en": "weak start, Top1/Top2"},
        "strong_top1_random": {"fr": "départ fort, Top1/hasard", "en": "strong start, Top1/random"},
    }
    words = {
        "fr": ("part de Top1 dans le fichier", "jours", "sans correction : loi exacte", "simulé, 5–95 %",
               "avec rejet : loi exacte", "part vraie"),
        "en": ("share of Top1 in the file", "days", "no correction: exact law", "simulated, 5–95 %",
               "with rejection: exact law", "true share"),
    }[lang]  # fmt: skip
    figure, axes = canvas(height=2.5, ncols=3, sharey=True)
    for ax, (name, title) in zip(axes, names.items(), strict=True):
        line, band = curve[curve["setting"] == name], bands[bands["setting"] == name]
        ax.fill_between(band["draw"], band["q05"], band["q95"], color=BLUE, alpha=0.18, lw=0, label=words[3])
        ax.plot(line["draw"], line["expected"], color=BLUE, label=words[2])
        ax.plot(line["draw"], line["expected_rejection"], color=RUST, ls=(0, (5, 1.6)), label=words[4])
        ax.axhline(truths[name], color=OLIVE, lw=0.9, ls=DASH, label=words[5])
        ax.set_title(title[lang])
        ax.set_xlabel(words[1], color=SOFT)
        ax.set_ylim(0.4, 1.02)
        number_marks(ax.yaxis, lang)
    axes[0].set_ylabel(words[0])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
