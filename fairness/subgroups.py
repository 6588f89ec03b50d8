"""The worst subgroup: which people carry most false alerts, and how often chance alone would do as badly to some group.

Looking through all subgroups for the worst one always finds one. Its own p-value must therefore be that of the *worst
of all*, not of that one: the chance that, with equal rates everywhere, the most extreme subgroup would be at least as
extreme. For groups that do not overlap that chance is computed exactly; for crossed attributes, by permutation.

What it cannot tell you: that the subgroup found is the one harmed most. It is the one where the excess is hardest to
lay to chance, which favours large groups. A scan is exploratory: confirm on other data. It takes people as independent,
and a subgroup that no attribute describes is never found.

References
----------
.. [1] Westfall & Young (1993), "Resampling-based multiple testing", section 2.3 (the law of the smallest p-value).
.. [2] Phipson & Smyth (2010), "Permutation p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9(1).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness._checks import check_rng
from fairness._groups import Groups, crossed, group_frame, truth_values

_SLACK: Final = 1 + 1e-9  # tails equal on paper differ in the last digits
_SHOWN: Final = 10


@dataclass(frozen=True, eq=False)
class SubgroupScan:
    """The worst subgroup of a scan.

    Attributes
    ----------
    worst : mapping of str to object
        Attribute → label; empty when not estimable.
    n, events : int
        People of the subgroup; how many of them are events.
    expected : float or None
        Events that equal rates (within strata) would give them.
    p_value : float or None
        Chance that the most extreme subgroup would be at least as extreme under equal rates; None when not estimable
        (no event, or nothing but events, or no subgroup of the size asked).
    n_subgroups : int
        Subgroups looked at.
    method : str
        ``"exact-minimum"`` or ``"permutation"``.
    table : DataFrame
        The ten most extreme subgroups: ``subgroup``, ``n``, ``events``, ``expected``, ``ratio``, ``p_alone`` (that of
        the subgroup had it been the only one looked at) and ``p_value`` (among all).
    """

    worst: dict[str, Any]
    n: int
    events: int
    expected: float | None
    p_value: float | None
    n_subgroups: int
    method: str
    table: pd.DataFrame

    @property
    def estimable(self) -> bool:
        """False when nothing could be compared."""
        return self.p_value is not None


def scan_subgroups(
    *,
    events: npt.ArrayLike,
    groups: Groups,
    strata: npt.ArrayLike | None = None,
    among: npt.ArrayLike | None = None,
    depth: int = 2,
    min_size: int = 10,
    rng: np.random.Generator | None = None,
    n_permutations: int = 2_000,
) -> SubgroupScan:
    """Find the subgroup with the least explicable excess of events, with the p-value of the search as a whole.

    Parameters
    ----------
    events : array-like of bool or 0/1, shape (n,)
        For instance: flagged.
    groups : array-like, Series, mapping of str to array-like, or DataFrame
        Attributes. Subgroups are all their labels, and all crossings of up to ``depth`` attributes.
    strata : array-like, shape (n,), optional
        People are compared within strata only: situation, camera, quarter. Differences of *exposure* between strata
        then explain nothing and hide nothing.
    among : array-like of bool, shape (n,), optional
        Restrict to these people: ``among = ~y_true`` with ``events = y_pred`` scans false-positive rates.
    depth : int, default=2
    min_size : int, default=10
        Smaller subgroups are not looked at.
    rng : numpy.random.Generator, optional
        Required unless groups do not overlap (one attribute) and there are no strata.
    n_permutations : int, default=2000

    Returns
    -------
    SubgroupScan

    Raises
    ------
    ParameterError
        If lengths differ, a value is not 0 or 1, or ``rng`` is missing where it is needed.

    Notes
    -----
    Null hypothesis: within each stratum, events fall on people at random, whatever their group. The number of events of
    a subgroup is then a sum of hypergeometric counts; its upper tail is ``p_alone``. The p-value of the scan is the law
    of the smallest ``p_alone``, given all margins. It is exact by convolution for one attribute without strata, else
    ``(1 + b) / (1 + B)`` over ``B`` draws of the crossed table.

    Examples
    --------
    >>> flagged = [1] * 9 + [0] * 11 + [1] * 3 + [0] * 77
    >>> scan = scan_subgroups(events=flagged, groups=["A"] * 20 + ["B"] * 80)
    >>> scan.worst, scan.events, round(scan.expected, 1), scan.p_value < 0.001
    ({'group': 'A'}, 9, 2.4, True)
    """
    where = "scan_subgroups"
    hit, known = truth_values(events, name="events", where=where)
    frame = group_frame(groups, where=where, length=len(hit))
    keep = known.copy()
    if among is not None:
        chosen, chosen_known = truth_values(among, name="among", where=where)
        if len(chosen) != len(hit):
            raise bad_parameter(name="among", where=where, must=f"of length {len(hit)}", got=len(chosen))
        keep &= chosen & chosen_known
    if depth < 1 or min_size < 1 or n_permutations < 1:
        raise bad_parameter(
            name="depth, min_size, n_permutations",
            where=where,
            must="at least 1",
            got=(depth, min_size, n_permutations),
        )
    layer = group_frame(strata, where=where, name="strata", length=len(hit)) if strata is not None else None
    exact = len(frame.columns) == 1 and layer is None
    if not exact:
        check_rng(rng, where, when="with several attributes or with strata")
    frame, hit = frame[keep].reset_index(drop=True), hit[keep]
    levels = np.zeros(len(hit), dtype=np.intp) if layer is None else crossed(layer[keep].reset_index(drop=True))[0]
    levels = np.unique(levels, return_inverse=True)[1] if levels.size else levels
    method = "exact-minimum" if exact else "permutation"
    tables = _Tables(frame, hit, levels, depth=depth, min_size=min_size)
    if not tables.members or not tables.informative:
        return SubgroupScan({}, 0, 0, None, None, len(tables.members), method, _empty())
    alone = tables.tails[np.arange(len(tables.members)), tables.events]
    if exact or rng is None:
        whole = tables.exact(alone)
    else:
        drawn = tables.draw(rng, n_permutations)
        whole = (1 + np.searchsorted(np.sort(drawn), alone * _SLACK, side="right")) / (1 + n_permutations)
    order = np.lexsort((np.arange(len(alone)), -tables.sizes, alone))
    first = order[0]
    shown = order[:_SHOWN]
    expected = tables.expected
    table = pd.DataFrame(
        {
            "subgroup": [" & ".join(f"{k}={v}" for k, v in tables.members[i].items()) for i in shown],
            "n": tables.sizes[shown],
            "events": tables.events[shown],
            "expected": expected[shown],
            "ratio": np.divide(
                tables.events[shown], expected[shown], out=np.full(len(shown), np.nan), where=expected[shown] > 0
            ),
            "p_alone": alone[shown],
            "p_value": np.maximum(whole[shown], alone[shown]),
        }
    )
    return SubgroupScan(
        tables.members[first],
        int(tables.sizes[first]),
        int(tables.events[first]),
        float(expected[first]),
        float(table["p_value"].iloc[0]),
        len(tables.members),
        method,
        table,
    )


class _Tables:
    """Counts of every subgroup in every stratum, and the tail of every count they could have had."""

    def __init__(
        self,
        frame: pd.DataFrame,
        hit: npt.NDArray[np.bool_],
        strata: npt.NDArray[np.intp],
        *,
        depth: int,
        min_size: int,
    ) -> None:
        cell, index = crossed(frame)
        n_strata = int(strata.max()) + 1 if strata.size else 0
        shape = (n_strata, len(index))
        flat = strata * len(index) + cell
        self.cells = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
        cell_events = np.bincount(flat[hit], minlength=shape[0] * shape[1]).reshape(shape)
        self.total, self.seen = self.cells.sum(axis=1), cell_events.sum(axis=1)
        labels = index.to_frame(index=False)
        found = [
            (name, mask)
            for name, mask in _subgroups(labels, depth)
            if min_size <= int(self.cells[:, mask].sum()) < len(hit)
        ]
        self.members = [name for name, _ in found]
        self.masks = np.array([mask for _, mask in found], dtype=bool).reshape(len(found), len(index))
        by_stratum = self.cells @ self.masks.T  # (strata, subgroups)
        self.sizes = by_stratum.sum(axis=0)
        self.events = (cell_events @ self.masks.T).sum(axis=0)
        share = np.divide(self.seen, self.total, out=np.zeros(n_strata), where=self.total > 0)
        self.expected = np.asarray(share @ by_stratum, dtype=np.float64)
        self.informative = bool(((self.seen > 0) & (self.seen < self.total)).any())
        self.by_stratum = by_stratum
        self.tails = self._tails() if self.members and self.informative else np.empty((0, 0))

    def _tails(self) -> FloatArray:
        """Chance of at least k events, for each subgroup and k."""
        most = int(self.seen.sum())
        out = np.zeros((len(self.members), most + 1))
        for row in range(len(self.members)):
            law = np.ones(1)
            for stratum, size in enumerate(self.by_stratum[:, row]):
                count = np.arange(min(int(size), int(self.seen[stratum])) + 1)
                law = np.convolve(law, stats.hypergeom.pmf(count, self.total[stratum], self.seen[stratum], size))
            out[row, : len(law)] = np.cumsum(law[::-1])[::-1][: most + 1]
        return np.minimum(out, 1.0)

    def draw(self, rng: np.random.Generator, n_permutations: int) -> FloatArray:
        """Smallest tail over subgroups in each of ``n_permutations`` tables drawn under the null hypothesis."""
        counts = np.zeros((n_permutations, len(self.members)), dtype=np.int64)
        for cells, seen in zip(self.cells, self.seen, strict=True):
            if seen:
                counts += rng.multivariate_hypergeometric(cells, seen, size=n_permutations) @ self.masks.T
        return np.asarray(self.tails[np.arange(len(self.members)), counts].min(axis=1), dtype=np.float64)

    def exact(self, alone: FloatArray) -> FloatArray:
        """Chance that the smallest tail is at most each of ``alone``, for groups that do not overlap.

        Given the total, counts of groups are independent binomials conditioned on their sum: the chance that none is
        extreme is a convolution of truncated binomial laws, divided by that of the sum.
        """
        total, seen = int(self.total[0]), int(self.seen[0])
        share = seen / total
        sizes = self.cells[0]
        own = {int(np.flatnonzero(mask)[0]): row for row, mask in enumerate(self.masks)}
        laws = {
            int(size): stats.binom.pmf(np.arange(min(int(size), seen) + 1), size, share) for size in np.unique(sizes)
        }
        whole = float(stats.binom.pmf(seen, total, share))
        out = np.empty(len(alone))
        for index, bound in enumerate(alone):
            law = np.ones(1)
            for cell, size in enumerate(sizes):
                part = laws[int(size)]
                if cell in own:
                    part = np.where(self.tails[own[cell], : len(part)] <= bound * _SLACK, 0.0, part)
                law = np.convolve(law, part)[: seen + 1]
            out[index] = 1 - float(law[seen]) / whole if len(law) > seen else 1.0
        return np.clip(out, 0.0, 1.0)


def _subgroups(labels: pd.DataFrame, depth: int) -> Iterator[tuple[dict[str, Any], npt.NDArray[np.bool_]]]:
    """Every label, and every crossing of up to ``depth`` attributes, as masks over the crossed cells."""
    columns = list(labels.columns)
    for size in range(1, min(depth, len(columns)) + 1):
        for chosen in itertools.combinations(columns, size):
            part = labels[list(chosen)]
            for values in part.drop_duplicates().itertuples(index=False, name=None):
                mask = np.logical_and.reduce(
                    [part[name].to_numpy() == v for name, v in zip(chosen, values, strict=True)]
                )
                yield dict(zip(chosen, values, strict=True)), mask


def _empty() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subgroup": pd.Series(dtype="str"),
            "n": pd.Series(dtype="int64"),
            "events": pd.Series(dtype="int64"),
            **{name: pd.Series(dtype="float64") for name in ("expected", "ratio", "p_alone", "p_value")},
        }
    )
