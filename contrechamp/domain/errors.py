"""Errors a user can act on. Each class owns the exit code the command line ends with.

A message is one paragraph: what was wrong, what was got, what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class ContrechampError(Exception):
    """Root of every error raised on purpose. Exit code 1 unless a subclass says otherwise."""

    exit_code: ClassVar[int] = 1


class ParameterError(ContrechampError, ValueError):
    """A scenario, claim, plan or parameter is invalid (exit code 10)."""

    exit_code: ClassVar[int] = 10


class ContractError(ContrechampError):
    """An input does not meet its contract (exit code 11)."""

    exit_code: ClassVar[int] = 11


class IntegrityError(ContrechampError):
    """A hash, a signature or a replayed number does not match (exit code 12)."""

    exit_code: ClassVar[int] = 12


class CapabilityError(ContrechampError):
    """An optional part (extra, device, system program) is missing (exit code 13)."""

    exit_code: ClassVar[int] = 13


#: Exit code of ``--exit-code`` when at least one claim is refuted. A verdict, not an error.
EXIT_REFUTED: int = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of a table of data problems.

    Attributes
    ----------
    column : str
        Column at fault, or ``"*"`` for the whole row or file.
    check : str
        Machine-readable reason, for instance ``"out_of_extent"``.
    rows : int
        Number of rows concerned.
    first_ids : sequence of str
        The first few row identifiers, for a human to look at.
    """

    column: str
    check: str
    rows: int
    first_ids: tuple[str, ...] = ()


def bad_parameter(*, name: str, where: str, must: str, got: object, remedy: str = "") -> ParameterError:
    """Build the house message: *The `x` parameter of f must be …. Got …. Remedy.*

    Examples
    --------
    >>> str(bad_parameter(name="level", where="rate_interval", must="a share in (0, 1)", got=95))
    'The `level` parameter of rate_interval must be a share in (0, 1). Got 95.'
    """
    message = f"The `{name}` parameter of {where} must be {must}. Got {got!r}."
    return ParameterError(f"{message} {remedy}".strip())


def problem_table(problems: Sequence[Problem]) -> str:
    """Lay data problems out as plain text, one per line, widest problem first."""
    ordered = sorted(problems, key=lambda p: (-p.rows, p.check, p.column))
    return "\n".join(
        f"{p.check:<24} {p.column:<16} {p.rows:>8} rows  {', '.join(p.first_ids[:3])}".rstrip() for p in ordered
    )
