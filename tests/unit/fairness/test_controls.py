"""The looks of the controls, one by one, against sums on paper and planted differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from fairness.controls import LOOKS, look_everywhere

SHAPE = (20, 60)
AREA = np.arange(60) >= 40
SECTORS = np.arange(60) // 6


def _looks(seed: int = 0, **given: object) -> dict[str, float]:
    rng = stream(seed, "controls")
    happened = rng.poisson(2.0, SHAPE)
    settings = {
        "happened": happened, "recorded": rng.binomial(happened, 0.3), "expected": rng.random(SHAPE),
        "hours": rng.random(SHAPE), "flagged": rng.random(SHAPE) < 0.05, "area": AREA, "sectors": SECTORS,
        "rng": stream(seed, "draws"), "n_draws": 99,
    } | given  # fmt: skip
    return look_everywhere(settings.pop("happened"), settings.pop("recorded"), **settings)  # type: ignore[arg-type]


def test_every_look_has_a_p_value_in_the_unit_interval() -> None:
    found = _looks()
    assert list(found) == list(LOOKS)
    assert all(0 < p <= 1 for p in found.values())


@pytest.mark.parametrize("look", list(LOOKS))
def test_what_is_planted_is_seen_by_the_look_that_looks_for_it(look: str) -> None:
    rng = stream(7, "planted")
    happened = rng.poisson(2.0, SHAPE)
    recorded = rng.binomial(happened, 0.3)
    flagged = rng.random(SHAPE) < 0.05
    given: dict[str, object] = {
        "incidents": lambda: {"happened": happened * np.where(AREA, 3, 1), "recorded": recorded},
        "records": lambda: {"happened": happened, "recorded": recorded * ~AREA},
        "record_rate": lambda: {"happened": happened, "recorded": recorded * ~AREA},
        "risk_ratio": lambda: {"expected": rng.random(SHAPE) + AREA},
        "hours": lambda: {"hours": rng.random(SHAPE) + AREA},
        "false_alerts": lambda: {"flagged": rng.random(SHAPE) < np.where(AREA, 0.6, 0.02)},
        "apparent_success": lambda: {
            "happened": happened, "recorded": np.where(flagged, happened, recorded), "flagged": flagged
        },
        "drift": lambda: {"happened": happened, "recorded": np.where((np.arange(20) >= 10)[:, None] & AREA, happened,
                                                                     recorded)},
        "gini_excess": lambda: {"happened": happened * (np.arange(60) % 5 == 0) * 5,
                                "recorded": happened * (np.arange(60) % 5 == 0)},
        "worst_sector": lambda: {"happened": happened, "recorded": recorded * (SECTORS != 4)},
    }[look]()  # type: ignore[no-untyped-call]  # fmt: skip
    assert _looks(**given)[look] <= 0.01  # type: ignore[arg-type]


def test_fisher_looks_are_the_tables_they_say() -> None:
    rng = stream(3, "tables")
    happened = rng.poisson(2.0, SHAPE)
    recorded = rng.binomial(happened, 0.3)
    found = _looks(happened=happened, recorded=recorded)
    a, n = recorded[:, AREA].sum(), happened[:, AREA].sum()
    b, m = recorded[:, ~AREA].sum(), happened[:, ~AREA].sum()
    assert found["record_rate"] == pytest.approx(stats.fisher_exact([[a, n - a], [b, m - b]])[1])
    late, early = recorded[10:], recorded[:10]
    table = [[late[:, AREA].sum(), late[:, ~AREA].sum()], [early[:, AREA].sum(), early[:, ~AREA].sum()]]
    assert found["drift"] == pytest.approx(stats.fisher_exact(table)[1])


def test_nothing_recorded_says_nothing() -> None:
    found = _looks(recorded=np.zeros(SHAPE, dtype=int))
    for look in ("records", "record_rate", "apparent_success", "drift", "gini_excess", "worst_sector"):
        assert found[look] == 1.0, look


def test_misshapen_cities_are_refused() -> None:
    for given, words in (
        ({"recorded": np.full(SHAPE, 99)}, "`recorded`"), ({"expected": np.zeros((3, 3))}, "expected"),
        ({"area": np.zeros(60, dtype=bool)}, "area"), ({"sectors": np.zeros(3, dtype=int)}, "sectors"),
    ):  # fmt: skip
        with pytest.raises(ParameterError, match=words):
            _looks(**given)  # type: ignore[arg-type]
