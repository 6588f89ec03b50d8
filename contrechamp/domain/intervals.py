"""An estimate that carries its interval, its denominator and its method, or says that there is none."""

from __future__ import annotations

from dataclasses import dataclass

from contrechamp.domain.errors import bad_parameter


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate with an interval.

    Attributes
    ----------
    estimate, low, high : float or None
        The estimate and the bounds of its interval; all None when not estimable. An exact quantity
        (arithmetic on published figures) has ``low == estimate == high``.
    n : int
        Denominator: trials, runs, days… The result's ``unit`` of counting is stated beside it.
    method : str
        ``"wilson"``, ``"clopper-pearson"``, ``"stationary-bootstrap"``, ``"exact"``…
    level : float, default=0.95
        Confidence level, in (0, 1).
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    level: float = 0.95

    def __post_init__(self) -> None:
        parts = (self.estimate, self.low, self.high)
        if any(p is None for p in parts) and not all(p is None for p in parts):
            raise bad_parameter(name="estimate, low, high", where="Interval", must="all numbers or all None", got=parts)
        if self.low is not None and self.high is not None and self.low > self.high:
            raise bad_parameter(name="low", where="Interval", must="at most `high`", got=(self.low, self.high))

    @property
    def estimable(self) -> bool:
        """False when the data cannot give an estimate (no trials, empty denominator)."""
        return self.estimate is not None

    @classmethod
    def not_estimable(cls, *, n: int = 0, method: str = "none", level: float = 0.95) -> Interval:
        """Say that there is no estimate. Never printed as 0."""
        return cls(None, None, None, n, method, level)

    @classmethod
    def exact(cls, value: float, *, n: int = 1, method: str = "arithmetic") -> Interval:
        """Wrap a number that has no sampling error: arithmetic on stated inputs."""
        return cls(float(value), float(value), float(value), n, method)
