"""Rates per day of a calibration: over the days of the run, no more."""

import pandas as pd
import pytest

from contrechamp.audit.calibration import Drawn


def drawn(stream, by_day, *, n_days):
    made = Drawn.__new__(Drawn)
    made.__dict__ |= {
        "n_days": n_days,
        "daily": pd.DataFrame(
            {"stream": stream, "day": list(by_day), "measure": "rows", "value": [float(v) for v in by_day.values()]}
        ),
    }
    return made


def test_what_comes_after_the_last_midnight_is_no_day_of_its_own():
    rows = {day: 47 + day for day in range(7)} | {7: 1}
    assert drawn("enlevements", rows, n_days=7).per_day("enlevements", "rows").estimate == pytest.approx(50.0)
    assert drawn("enlevements", {9: 1}, n_days=7).per_day("enlevements", "rows") is None
