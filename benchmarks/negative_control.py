"""A thousand cities where there is nothing to find: how often does each look of the audit find something?

Run with ``python benchmarks/negative_control.py [--seeds N] [--jobs N]``: minutes. Prints the share of cities where
each look speaks at 5 %, with its exact interval; then the same where half of the incidents of one half of the city are
kept out of the log. The continuous integration runs the first hundred (``tests/integration/test_negative_control.py``).
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from contrechamp.pipelines.controls import NOMINAL, Control, negative_control


def show(title: str, found: Control) -> None:
    """Print a table."""
    print(title)
    for row in found.rates.to_dict("records"):
        bound = "above the nominal rate" if row["low"] > NOMINAL else ""
        print(
            f"  {row['look']:<18}{row['found']:>6} of {row['n']:<6}{100 * row['rate']:6.2f} %  "
            f"[{100 * row['low']:.2f}, {100 * row['high']:.2f}]  {bound}"
        )


def main() -> int:
    """Exit code 1 if a look speaks above its nominal rate, the whole interval above 5 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    began = time.perf_counter()
    nothing = negative_control(n_seeds=asked.seeds, jobs=asked.jobs)
    show(f"equal-city, no feedback, nothing to find: {asked.seeds} cities", nothing)
    show("half of the incidents of B kept out of the log", negative_control(n_seeds=100, planted=0.5, jobs=asked.jobs))
    print(f"{time.perf_counter() - began:.0f} s wall, {asked.jobs} workers, load {os.getloadavg()[0]:.1f}")
    return int(bool((nothing.rates["low"] > NOMINAL).any()))


if __name__ == "__main__":
    sys.exit(main())
