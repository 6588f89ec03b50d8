"""Do the intervals hold where police audits live? Ours beside what peers do, in one table.

Run with ``python benchmarks/bench_intervals.py [audits] [series]`` (2,000 each by default, about two minutes). Not a
test: it prints, it does not judge; the same bars are held by tests, with fewer repetitions.

Exact where it can be: coverage of one rate is a sum over the binomial law, for every method including the percentile
bootstrap, whose bounds are binomial quantiles. Simulated with a stated number of repetitions elsewhere.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

import fairness
from contrechamp.domain.rng import stream

TRIALS = (30, 50, 200, 1_000)
RATES = (0.01, 0.02, 0.04, 0.05)
COLUMNS = ("case", "bar", "ours", "Wilson", "Wald", "boot. %", "peer")
WIDTHS = (50, 8, 8, 8, 8, 8, 34)
Bounds = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def row(*cells: str) -> None:
    """Print one line of the table."""
    print(
        "  ".join(
            f"{cell:<{w}}" if i in (0, 6) else f"{cell:>{w}}"
            for i, (cell, w) in enumerate(zip(cells, WIDTHS, strict=True))
        )
    )


def wald(counts: npt.NDArray[np.int64], n: int) -> Bounds:
    """The textbook interval."""
    share = counts / n
    reach = stats.norm.ppf(0.975) * np.sqrt(share * (1 - share) / n)
    return share - reach, share + reach


def percentile_bootstrap(counts: npt.NDArray[np.int64], n: int) -> Bounds:
    """The exact law of the percentile bootstrap of a share: no resampling needed."""
    return stats.binom.ppf(0.025, n, counts / n) / n, stats.binom.ppf(0.975, n, counts / n) / n


def covered(bounds: Callable[[npt.NDArray[np.int64], int], Bounds], n: int, rate: float) -> float:
    """Exact coverage of a rate."""
    counts = np.arange(n + 1)
    low, high = bounds(counts, n)
    return float(stats.binom.pmf(counts, n, rate)[(low <= rate) & (rate <= high)].sum())


def integer_autoregression(
    n_days: int, *, phi: float, mean: float, n_series: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Daily counts with Poisson margins and autocorrelation ``phi ** lag`` (INAR(1)), shape (n_series, n_days)."""
    out = np.empty((n_series, n_days), dtype=np.int64)
    out[:, 0] = rng.poisson(mean, n_series)
    fresh = rng.poisson(mean * (1 - phi), (n_series, n_days))
    for day in range(1, n_days):
        out[:, day] = rng.binomial(out[:, day - 1], phi) + fresh[:, day]
    return out


def one_rate() -> None:
    """Coverage of one rate over the grid; exact."""
    for n in TRIALS:
        for rate in RATES:
            row(
                f"coverage of one rate, n = {n}, p = {rate:.0%}",
                "≥ 94 %",
                f"{fairness.rate_coverage(trials=n, rate=rate):.1%}",
                f"{fairness.rate_coverage(trials=n, rate=rate, method='wilson'):.1%}",
                f"{covered(wald, n, rate):.1%}",
                f"{covered(percentile_bootstrap, n, rate):.1%}",
                f"Jeffreys {fairness.rate_coverage(trials=n, rate=rate, method='jeffreys'):.1%}, "
                f"mid-P {fairness.rate_coverage(trials=n, rate=rate, method='mid-p'):.1%}",
            )


def zero_and_nothing() -> None:
    """0 of 40, and a group without positives; fairlearn beside."""
    y_true = np.r_[np.zeros(40, int), np.ones(30, int), np.zeros(70, int)]
    y_pred = np.r_[np.zeros(40, int), np.tile([1, 0, 0, 0, 0], 20)]
    group = np.repeat(["A", "B"], [40, 100])
    flagged, recall = "fairlearn not installed", "fairlearn not installed"
    try:
        from fairlearn.metrics import MetricFrame, false_positive_rate, true_positive_rate
    except ImportError:
        pass
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = MetricFrame(
                metrics={"fpr": false_positive_rate, "tpr": true_positive_rate},
                y_true=y_true,
                y_pred=y_pred,
                sensitive_features=group,
                n_boot=200,
                ci_quantiles=[0.025, 0.975],
                random_state=1,
            )
        flagged = f"fairlearn {frame.by_group_ci[1].loc['A', 'fpr']:.1%}"
        recall = f"fairlearn {frame.by_group.loc['A', 'tpr']:.3f}, gap {frame.difference()['tpr']:.2f}"
    zero = fairness.rate_interval(events=0, trials=40)
    wilson = fairness.rate_interval(events=0, trials=40, method="wilson")
    row("upper bound of 0 of 40", "≥ 8.7 %", f"{zero.high:.1%}", f"{wilson.high:.1%}", "0.0%", "0.0%", flagged)
    row("  named: rule of three", "", f"{fairness.rule_of_three(trials=40):.1%}", "–", "–", "–", "–")
    found = fairness.group_rates(metric="true_positive_rate", y_true=y_true, y_pred=y_pred, groups=group)
    says = f"{found.loc['A', 'estimate']:.3f}" if found.loc["A", "estimable"] else "n. e."
    row("recall of a group without positives", "n. e.", says, "–", "–", "–", recall)


def disparities(audits: int) -> None:
    """Sixteen groups of 120 people: equal rates, then one group at three times the rate."""
    groups, size = 16, 120
    for label, rates, bar in (
        ("false disparity, 16 × 120, all at 5 %", np.full(groups, 0.05), "≤ 5 %"),
        ("true disparity found, one group at 15 %", np.r_[0.15, np.full(groups - 1, 0.05)], ""),
    ):
        events = stream(1, "bench", "disparities", label).binomial(size, rates, (audits, groups))
        raw = fairness.each_against_others(events=events, trials=size)
        ours = np.array([(fairness.holm(np.where(np.isnan(p), 1.0, p)) <= 0.05).any() for p in raw])
        eighty = np.array([fairness.four_fifths_rule(events=e, trials=np.full(groups, size)) is True for e in events])
        peer = f"80 % rule {eighty.mean():.1%}, raw p {(raw <= 0.05).any(axis=1).mean():.1%}"
        row(f"{label} ({audits:,} audits)", bar, f"{ours.mean():.1%}", "–", "–", "–", peer)
    few = max(audits // 10, 20)
    people = np.repeat(np.arange(groups), size)
    rng = stream(1, "bench", "scan")
    found = [(fairness.scan_subgroups(events=rng.random(people.size) < 0.05, groups=people).p_value or 1) <= 0.05
             for _ in range(few)]  # fmt: skip
    row(f"worst subgroup declared, same null ({few:,} scans)", "≤ 5 %", f"{np.mean(found):.1%}", "–", "–", "–", "–")


def ratios(tables: int) -> None:
    """Ratio of two rates, small against large group."""
    for n, m, rate in ((50, 2_000, 0.05), (100, 5_000, 0.02)):
        rng = stream(1, "bench", "ratio", n)
        one, two = rng.binomial(n, rate, tables), rng.binomial(m, rate, tables)
        ours, boot, log = [], [], []
        for a, b in zip(one.tolist(), two.tolist(), strict=True):
            found = fairness.ratio_interval(events=a, trials=n, other_events=b, other_trials=m)
            ours.append(found.low <= 1 <= found.high)
            again = (rng.binomial(n, a / n, 1_000) / n) / np.maximum(rng.binomial(m, b / m, 1_000) / m, 1e-12)
            low, high = np.quantile(again, [0.025, 0.975])
            boot.append(low <= 1 <= high)
            if a:
                log.append(abs(np.log(a / n / (b / m))) <= 1.96 * np.sqrt(1 / a - 1 / n + 1 / b - 1 / m))
            else:
                log.append(False)
        row(
            f"coverage of a ratio, {n} against {m:,} at {rate:.0%} ({tables:,})",
            "≥ 94 %",
            f"{np.mean(ours):.1%}",
            "–",
            f"{np.mean(log):.1%}",
            f"{np.mean(boot):.1%}",
            "Wald: on the log, nothing at 0 events",
        )


def serial(n_series: int) -> None:
    """Daily counts, 365 days: mean of autocorrelated counts."""
    for phi in (0.0, 0.7):
        counts = integer_autoregression(
            365, phi=phi, mean=10, n_series=n_series, rng=stream(1, "bench", "serial", int(10 * phi))
        ).astype(float)
        found = [fairness.serial_interval(one) for one in counts]
        hit = np.mean([f.interval.low <= 10 <= f.interval.high for f in found])
        plain = [fairness.mean_interval(one) for one in counts]
        independent = np.mean([p.low <= 10 <= p.high for p in plain])
        rng = stream(1, "bench", "serial-boot")
        boot = []
        for one in counts[: min(n_series, 500)]:
            low, high = np.quantile(one[rng.integers(0, 365, (500, 365))].mean(axis=1), [0.025, 0.975])
            boot.append(low <= 10 <= high)
        effective = np.median([f.n_effective for f in found])
        length = np.median([f.block_length for f in found])
        row(
            f"coverage of a daily mean, φ = {phi:.1f}, 365 days ({n_series:,})",
            "≥ 90 %",
            f"{hit:.1%}",
            "–",
            f"{independent:.1%}",
            f"{np.mean(boot):.1%}",
            f"n_eff {effective:.0f} of 365, block {length:.0f} days",
        )


def main() -> None:
    """Print the table."""
    audits = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    series = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    row(*COLUMNS)
    row(*("-" * w for w in WIDTHS))
    one_rate()
    zero_and_nothing()
    disparities(audits)
    ratios(series)
    serial(series)
    print("\nn. e.: not estimable. boot. %: percentile bootstrap, independent rows. Nominal level 95 % everywhere.")


if __name__ == "__main__":
    main()
