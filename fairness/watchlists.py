"""A face against a list: false alerts, right ones, and false candidates, from the distribution of scores alone.

Two normal laws: scores between different persons have mean 0 and deviation 1, scores of one person with herself have
mean ``separation`` and deviation 1. No face, no image and no embedding is used. A threshold is set by the share of
comparisons between different persons that pass it.

What it cannot tell you: whose faces match by mistake. One law for everybody is the kindest assumption; tests of
products find shares of false matches ten times apart between groups.

References
----------
.. [1] Grother, Ngan & Hanaoka (2019), NISTIR 8280, doi:10.6028/NIST.IR.8280.
.. [2] ISO/IEC 19795-1:2021 (false-positive identification rate, FPIR; true-positive identification rate, TPIR).
"""

from __future__ import annotations

import numpy as np
from scipy import integrate, stats

from contrechamp.domain.errors import bad_parameter


def fpir(*, false_match_rate: float, list_size: int) -> float:
    """Chance that a person who is not on the list matches someone on it.

    Examples
    --------
    >>> round(fpir(false_match_rate=1e-6, list_size=10_000), 6)
    0.00995
    """
    _check_share(false_match_rate, "false_match_rate")
    _check_size(list_size)
    return float(-np.expm1(list_size * np.log1p(-false_match_rate))) if false_match_rate < 1 else 1.0


def false_match_rate(*, fpir: float, list_size: int) -> float:
    """Share of single comparisons that must pass for a list of this size to give ``fpir``; inverse of :func:`fpir`."""
    _check_share(fpir, "fpir")
    _check_size(list_size)
    return float(-np.expm1(np.log1p(-fpir) / list_size)) if fpir < 1 else 1.0


def tpir(*, separation: float, false_match_rate: float) -> float:
    """Chance that a person on the list passes the threshold at which ``false_match_rate`` of strangers pass.

    Examples
    --------
    >>> round(tpir(separation=0.0, false_match_rate=0.02), 9)
    0.02
    """
    _check_share(false_match_rate, "false_match_rate")
    return float(stats.norm.sf(stats.norm.isf(false_match_rate) - separation))


def ppv_of_passages(*, on_list: float, passages: float, tpir: float, fpir: float) -> float | None:
    """Share of right alerts among all; None when there is no alert at all.

    Examples
    --------
    100,000 passers-by of whom 10 are sought:

    >>> round(ppv_of_passages(on_list=10, passages=100_000, tpir=0.89, fpir=1 / 6000), 3)
    0.348
    """
    _check_share(tpir, "tpir")
    _check_share(fpir, "fpir")
    if not 0 <= on_list <= passages or passages <= 0:
        raise bad_parameter(
            name="on_list", where="ppv_of_passages", must="at least 0 and at most `passages`", got=(on_list, passages)
        )
    right, wrong = on_list * tpir, (passages - on_list) * fpir
    return right / (right + wrong) if right + wrong > 0 else None


def on_list_for_ppv(*, ppv: float, passages: float, tpir: float, fpir: float) -> float | None:
    """How many listed persons must pass for a share ``ppv`` of alerts to be right; None when none would do.

    Examples
    --------
    >>> round(on_list_for_ppv(ppv=0.5, passages=850_000, tpir=0.9, fpir=1e-4), 1)
    94.4
    """
    _check_share(ppv, "ppv")
    if ppv >= 1 or tpir <= 0:
        return None
    odds = ppv / (1 - ppv)
    need = odds * passages * fpir / (tpir + odds * fpir)
    return need if need <= passages else None


def p_false_first(*, separation: float, gallery: int, enrolled: float) -> float:
    """Chance that the first candidate of a search of ``gallery`` photographs is somebody else.

    Parameters
    ----------
    separation : float
        Between the two laws of scores.
    gallery : int
        Photographs of other persons.
    enrolled : float
        Chance that the person sought is in the file at all. If not, the first candidate is somebody else.

    Notes
    -----
    The person's own score must beat the highest of ``gallery`` others:
    the integral over s of the density of the person's score times Phi(s)**gallery, by quadrature.
    """
    _check_share(enrolled, "enrolled")
    _check_size(gallery)

    def wins(s: float) -> float:
        return float(stats.norm.pdf(s - separation) * np.exp(gallery * stats.norm.logcdf(s)))

    first, _ = integrate.quad(wins, separation - 12, separation + 12, limit=400, epsabs=1e-12, points=[separation])
    return 1 - enrolled * min(float(first), 1.0)


def share_of_subgroup(*, share: float, ratio: float) -> float:
    """Share of false alerts that falls on a group of ``share`` of the passages whose false rate is ``ratio`` as high.

    Examples
    --------
    >>> round(share_of_subgroup(share=0.1, ratio=10.0), 3)
    0.526
    """
    _check_share(share, "share")
    if ratio < 0:
        raise bad_parameter(name="ratio", where="share_of_subgroup", must="at least 0", got=ratio)
    return share * ratio / (share * ratio + 1 - share)


def _check_share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise bad_parameter(name=name, where="fairness.watchlists", must="in [0, 1]", got=value)


def _check_size(value: int) -> None:
    if value < 1:
        raise bad_parameter(name="list_size", where="fairness.watchlists", must="at least 1", got=value)
