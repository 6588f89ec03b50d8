"""What an address may say: each parameter reads what is allowed and counts the rest as absent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.link import choice, decimal, free, several, whole

RHO = decimal("rho", default=0.5, low=0.0, high=1.0)


@pytest.mark.parametrize(("text", "value"), [("0.25", 0.25), ("0", 0.0), ("1", 1.0), ("2", 0.5), ("nan", 0.5),
                                             ("-inf", 0.5), ("", 0.5), ("0,25", 0.5), ("0.333333", 0.33)])  # fmt: skip
def test_decimals(text: str, value: float) -> None:
    assert RHO.read({"rho": text}) == value


@pytest.mark.parametrize(("text", "value"), [("30", 30), ("29", 100), ("1e9", 100), ("30.5", 100), ("", 100)])
def test_whole_numbers(text: str, value: int) -> None:
    assert whole("days", default=100, low=30, high=2000).read({"days": text}) == value


def test_keys_are_looked_up_never_used() -> None:
    run = choice("run", ["20260101T000000Z-quick"])
    assert run.read({"run": "../../etc/passwd"}) == ""
    assert run.read({}) == ""
    sides = several("side", ["promoter", "critic"])
    assert sides.read({"side": "critic,nobody,promoter,critic"}) == ["promoter", "critic"]
    assert sides.read({}) == []
    assert len(free("text").read({"text": "x" * 999})) == 80


@given(st.integers(0, 100))
def test_what_is_written_reads_back(percent: int) -> None:
    value = percent / 100
    assert RHO.read({"rho": RHO.write(value)}) == pytest.approx(value)
