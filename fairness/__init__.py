"""What the platform does to people: rates with intervals, burden, feedback loops, base rates."""

from fairness.intervals import (
    difference_interval,
    mean_interval,
    paired_difference_interval,
    poisson_rate_interval,
    quantile_interval,
    rate_interval,
    ratio_interval,
)

__all__ = [
    "difference_interval",
    "mean_interval",
    "paired_difference_interval",
    "poisson_rate_interval",
    "quantile_interval",
    "rate_interval",
    "ratio_interval",
]
