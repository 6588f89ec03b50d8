"""Where there is nothing to find, nothing is found beyond the nominal rate; where something was planted, it is found.

A hundred cities here; a thousand in ``benchmarks/negative_control.py``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.rng import stream
from contrechamp.experiments.e02_worlds import judge
from contrechamp.pipelines.controls import NOMINAL, false_findings, negative_control
from fairness.controls import LOOKS
from fairness.intervals import rate_interval
from fairness.loop_space import gaps


@pytest.mark.slow
def test_a_hundred_equal_cities_without_feedback() -> None:
    found = negative_control(n_seeds=100)
    rates = found.rates.set_index("look")
    assert list(rates.index) == [*LOOKS, "any (Holm)"]
    # No look is above its nominal rate: the exact interval of none of them lies above 5 %, at the level that ten looks
    # ask for (over a thousand cities, all stand between 4.4 and 5.6 %, and 1.2 % after Holm).
    for look, hits in rates["found"].items():
        exact = rate_interval(events=int(hits), trials=100, level=1 - 0.05 / len(LOOKS), method="clopper-pearson")
        assert exact.low is not None and exact.low <= NOMINAL, (look, hits)
    assert rates.loc["any (Holm)", "found"] <= 5
    p = found.p_values[list(LOOKS)].to_numpy()
    assert p.mean() == pytest.approx(0.5, abs=0.06)  # uniform p-values, up to ties and looks that resemble each other


@pytest.mark.slow
def test_what_was_planted_is_found() -> None:
    rates = negative_control(n_seeds=12, planted=0.5).rates.set_index("look")
    for look in ("records", "record_rate", "risk_ratio", "hours", "false_alerts", "worst_sector", "any (Holm)"):
        assert rates.loc[look, "found"] == 12, look
    assert rates.loc["incidents", "found"] <= 3  # what happened is as equal as ever


def test_a_rule_that_follows_nothing_fulfils_no_prophecy() -> None:
    """No feedback in E02's worlds: patrols anywhere, or everything reported. None of a hundred is supported."""
    verdicts = []
    for seed in range(100):
        rng = stream(seed, "no feedback")
        dials = {
            "rho": float(rng.random()), "ratio": 1.0, "zones": float(rng.integers(2, 21)), "start": 10.0,
            "exponent": 0.0, "finding": 1.0, "days": 365.0, "rate": 0.5,
        }  # fmt: skip
        loop, control = gaps(dials, n_cities=80, rng=rng)
        verdicts.append(judge(loop, control))
        same, still = gaps(dials | {"rho": 1.0, "exponent": 4.0}, n_cities=5, rng=rng)
        assert (same == still).all()
    assert verdicts.count("supported") == 0


def test_false_findings_count_p_values() -> None:
    looks = list(LOOKS)
    p = pd.DataFrame(np.full((20, len(looks)), 0.5), columns=looks)
    p.loc[:1, looks[0]] = 0.05
    p.loc[0, looks[1]] = 0.004
    rates = false_findings(p).set_index("look")
    assert rates.loc[looks[0], "found"] == 2 and rates.loc[looks[0], "n"] == 20
    assert rates.loc["any (Holm)", "found"] == 1  # 0.004 x 10 looks; 0.05 x 10 is not
    assert rates.loc[looks[0], "high"] == pytest.approx(0.3170, abs=1e-4)  # Clopper-Pearson at 2 of 20
