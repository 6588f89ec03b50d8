"""What the platform does to people: rates with intervals, burden, feedback loops, base rates.

The functions below take anybody's arrays, by keyword, and load their module at first use. Feedback loops are in
:mod:`fairness.feedback` and :mod:`fairness.urns`, base rates in :mod:`fairness.baserates`.

What it cannot tell you: each module says its own; together, that a platform is legitimate. Rates that are equal and
intervals that are right can describe a system that should not exist.

Examples
--------
>>> import fairness
>>> found = fairness.rate_interval(events=0, trials=40, level=0.95)
>>> found.estimate, found.low, round(found.high, 3), found.n, found.method, found.estimable
(0.0, 0.0, 0.088, 40, 'clopper-pearson', True)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contrechamp.domain.intervals import Interval
    from fairness.burden import Burden, burden_table
    from fairness.clusters import cluster_rate_interval
    from fairness.comparisons import (
        difference_interval,
        paired_difference_interval,
        poisson_ratio_interval,
        ratio_interval,
    )
    from fairness.concentration import gini, kl_divergence, runaway_index, share_table, theil, time_to_drift
    from fairness.detectable import minimum_detectable_ratio
    from fairness.disparities import DisparityAudit, audit_disparities, each_against_others, four_fifths_rule
    from fairness.groups import Metric, group_rates, interval_metric, metric_counts
    from fairness.hypotheses import (
        Equivalence,
        TestResult,
        equivalence_test,
        mcnemar_test,
        paired_equivalence_test,
        two_rates_test,
    )
    from fairness.labelbias import Bounds, CheckedCounts, bounds_under, checked_share, sensitivity_curve, tipping_gamma
    from fairness.means import mean_interval, quantile_interval
    from fairness.multiplicity import Family, benjamini_hochberg, holm
    from fairness.rates import (
        RateMethod,
        poisson_rate_interval,
        rate_bounds,
        rate_coverage,
        rate_interval,
        rule_of_three,
    )
    from fairness.reading import describe_not_shown, describe_rate
    from fairness.serial import Dependent, automatic_block_length, resampled_interval, serial_interval
    from fairness.subgroups import SubgroupScan, scan_subgroups

#: Public name → module that holds it.
_HOME: Final = {
    "Interval": "contrechamp.domain.intervals",
    "Bounds": "fairness.labelbias",
    "Burden": "fairness.burden",
    "CheckedCounts": "fairness.labelbias",
    "Dependent": "fairness.serial",
    "DisparityAudit": "fairness.disparities",
    "Equivalence": "fairness.hypotheses",
    "Family": "fairness.multiplicity",
    "Metric": "fairness.groups",
    "RateMethod": "fairness.rates",
    "SubgroupScan": "fairness.subgroups",
    "TestResult": "fairness.hypotheses",
    "audit_disparities": "fairness.disparities",
    "automatic_block_length": "fairness.serial",
    "benjamini_hochberg": "fairness.multiplicity",
    "bounds_under": "fairness.labelbias",
    "burden_table": "fairness.burden",
    "checked_share": "fairness.labelbias",
    "cluster_rate_interval": "fairness.clusters",
    "describe_not_shown": "fairness.reading",
    "describe_rate": "fairness.reading",
    "difference_interval": "fairness.comparisons",
    "each_against_others": "fairness.disparities",
    "equivalence_test": "fairness.hypotheses",
    "four_fifths_rule": "fairness.disparities",
    "gini": "fairness.concentration",
    "group_rates": "fairness.groups",
    "holm": "fairness.multiplicity",
    "interval_metric": "fairness.groups",
    "kl_divergence": "fairness.concentration",
    "mcnemar_test": "fairness.hypotheses",
    "mean_interval": "fairness.means",
    "metric_counts": "fairness.groups",
    "minimum_detectable_ratio": "fairness.detectable",
    "paired_difference_interval": "fairness.comparisons",
    "paired_equivalence_test": "fairness.hypotheses",
    "poisson_rate_interval": "fairness.rates",
    "poisson_ratio_interval": "fairness.comparisons",
    "quantile_interval": "fairness.means",
    "rate_bounds": "fairness.rates",
    "rate_coverage": "fairness.rates",
    "rate_interval": "fairness.rates",
    "ratio_interval": "fairness.comparisons",
    "resampled_interval": "fairness.serial",
    "rule_of_three": "fairness.rates",
    "runaway_index": "fairness.concentration",
    "scan_subgroups": "fairness.subgroups",
    "sensitivity_curve": "fairness.labelbias",
    "serial_interval": "fairness.serial",
    "share_table": "fairness.concentration",
    "theil": "fairness.concentration",
    "time_to_drift": "fairness.concentration",
    "tipping_gamma": "fairness.labelbias",
    "two_rates_test": "fairness.hypotheses",
}

__all__ = [
    "Bounds",
    "Burden",
    "CheckedCounts",
    "Dependent",
    "DisparityAudit",
    "Equivalence",
    "Family",
    "Interval",
    "Metric",
    "RateMethod",
    "SubgroupScan",
    "TestResult",
    "audit_disparities",
    "automatic_block_length",
    "benjamini_hochberg",
    "bounds_under",
    "burden_table",
    "checked_share",
    "cluster_rate_interval",
    "describe_not_shown",
    "describe_rate",
    "difference_interval",
    "each_against_others",
    "equivalence_test",
    "four_fifths_rule",
    "gini",
    "group_rates",
    "holm",
    "interval_metric",
    "kl_divergence",
    "mcnemar_test",
    "mean_interval",
    "metric_counts",
    "minimum_detectable_ratio",
    "paired_difference_interval",
    "paired_equivalence_test",
    "poisson_rate_interval",
    "poisson_ratio_interval",
    "quantile_interval",
    "rate_bounds",
    "rate_coverage",
    "rate_interval",
    "ratio_interval",
    "resampled_interval",
    "rule_of_three",
    "runaway_index",
    "scan_subgroups",
    "sensitivity_curve",
    "serial_interval",
    "share_table",
    "theil",
    "time_to_drift",
    "tipping_gamma",
    "two_rates_test",
]


def __getattr__(name: str) -> object:
    """Load the module of a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
