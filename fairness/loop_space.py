r"""The patrol loop with its dials: how sharp the rule, how sure the finding, how long, how many zones.

The loop of :mod:`fairness.replay` compares a few policies on one city. To map a space of worlds, each city has its own
numbers here. The patrol goes to zone *i* with probability :math:`w_i^{\gamma}/\sum_j w_j^{\gamma}`, ``w`` being all
records: :math:`\gamma=0` goes anywhere, 1 follows the file, and the larger :math:`\gamma`, the nearer to always going
to the first zone. An incident of the patrolled zone that nobody reported is found with probability ``finding``.

The file starts right, in proportion to the true rates: whatever is off in the end, the loop or luck put it there. The
control is the same city with everything reported, where patrols bring nothing that was not known.

What it cannot tell you: what :mod:`fairness.feedback` cannot; no deterrence, no displacement, one patrol a day.

References
----------
.. [1] Ensign et al. (2018), "Runaway feedback loops in predictive policing", PMLR 81, 160-171.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness import walk
from fairness.compiled import compiled

#: The dials of a world, and where they may stand.
DIALS: Final[Mapping[str, tuple[float, float]]] = {
    "rho": (0.0, 1.0), "ratio": (1.0, 100.0), "zones": (2.0, 100.0), "start": (1e-9, 1e9), "exponent": (0.0, 10.0),
    "finding": (0.0, 1.0), "days": (1.0, 1e5), "rate": (1e-6, 1.0),
}  # fmt: skip


def zone_rates(*, zones: int, ratio: float, rate: float) -> FloatArray:
    """True rates of the zones, from ``rate / ratio`` to ``rate`` in equal ratios, shape (zones,)."""
    return np.asarray(rate * ratio ** (np.arange(zones) / (zones - 1) - 1), dtype=np.float64)


def gaps(
    dials: Mapping[str, float], *, n_cities: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Largest gap over zones between recorded and true share, in cities of one world.

    Parameters
    ----------
    dials : mapping of str to float
        ``rho``: share of incidents reported; ``ratio``: busiest zone over quietest; ``zones``, ``days``: whole numbers;
        ``start``: records per zone on the first morning, on average; ``exponent``, ``finding``: see the module;
        ``rate``: incidents a day of the busiest zone.
    n_cities : int
    rng : numpy.random.Generator
        One stream is spawned from it per city.

    Returns
    -------
    loop, control : ndarray, shape (n_cities,)
        At the end of the horizon, with the loop and with everything reported.

    Raises
    ------
    ParameterError
        If a dial is missing or out of :data:`DIALS`.
    """
    for name, (low, high) in DIALS.items():
        if not low <= dials.get(name, np.nan) <= high:
            raise bad_parameter(name=name, where="gaps", must=f"in [{low:g}, {high:g}]", got=dials.get(name))
    rates = zone_rates(zones=round(dials["zones"]), ratio=dials["ratio"], rate=dials["rate"])
    truth = rates / rates.sum()
    start = dials["start"] * rates.size * truth
    n_days = round(dials["days"])
    out = np.empty((2, n_cities))
    for k, own in enumerate(rng.spawn(n_cities)):
        city = walk.draw_city(rates=rates, poisson=False, n_days=n_days, rng=own, ties=False, explore=False)
        _live(
            city.opens, city.zone, city.mark, city.luck, city.dispatch, truth, start, dials["rho"], dials["exponent"],
            dials["finding"], out[:, k],
        )  # fmt: skip
    return out[0], out[1]


@compiled
def _live(
    opens: walk.IntArray,
    zone: walk.IntArray,
    mark: FloatArray,
    luck: FloatArray,
    dispatch: FloatArray,
    truth: FloatArray,
    start: FloatArray,
    rho: float,
    exponent: float,
    finding: float,
    out: FloatArray,
) -> None:
    """Live one city; ``out`` is filled with the gap of the file and that of a file that knows everything."""
    zones = truth.size
    counts, known, weight = start.copy(), start.copy(), start**exponent
    whole = weight.sum()
    for day in range(dispatch.size):
        point, there, edge = dispatch[day] * whole, 0, weight[0]
        while edge <= point and there < zones - 1:
            there += 1
            edge += weight[there]
        for k in range(opens[day], opens[day + 1]):
            z = zone[k]
            known[z] += 1.0
            if mark[k] < rho or (z == there and luck[k] < finding):
                counts[z] += 1.0
        # What is filed in a day is learnt in the evening: weights move once a day.
        for k in range(opens[day], opens[day + 1]):
            z = zone[k]
            new = counts[z] ** exponent
            whole += new - weight[z]
            weight[z] = new
    total, all_known = counts.sum(), known.sum()
    out[0] = 0.0
    out[1] = 0.0
    for i in range(zones):
        out[0] = max(out[0], abs(counts[i] / total - truth[i]))
        out[1] = max(out[1], abs(known[i] / all_known - truth[i]))
