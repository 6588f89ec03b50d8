r"""Worlds fed by eight data streams, each of which carries a known amount of information on tomorrow's incidents.

The city's own log (mains courantes) tells how places differ. Seven other streams answer one yes-or-no question per day
(calendar, weather) or per day and cell (fire brigade, transport, roads, justice, police). A stream may tell something
new, repeat what the log already tells, or tell nothing at all. What any set of them is worth is known in closed form.

What it cannot tell you: what the real streams of a city carry. The amounts are set, not measured; incidents do not call
for others, and a question with more answers than yes and no would carry more.

Notes
-----
With place levels :math:`\pi_i` of mean 1 and answers :math:`s_k = \pm 1`, equally likely and independent,

.. math:: \lambda_{di} = \Lambda \, \pi_i \prod_{k \text{ new}} (1 + a_k s_{kdi}).

For a set of streams :math:`S` the best forecast is :math:`\mathrm{E}[\lambda \mid S]`, and its log score exceeds that
of a constant by the Kullback–Leibler divergence between the two, which adds up, in nats per incident:

.. math:: \frac{1}{n}\sum_i \pi_i \log \pi_i \;[\text{log} \in S] \;+\; \sum_{k \in S \text{ new}} h(a_k), \qquad
   h(a) = \tfrac12 (1+a)\log(1+a) + \tfrac12 (1-a)\log(1-a).

A stream that repeats the log says whether a place lies above the median; without the log it is worth
:math:`\tfrac12 (m_1 \log m_1 + m_0 \log m_0)`, ``m`` being the mean level of either half, and nothing beside it.

References
----------
.. [1] Cover & Thomas (2006), "Elements of Information Theory", 2nd ed., chapters 2 and 6 (gain of side information).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int32]
Role = Literal["log", "new", "copy", "noise"]

#: The streams; bit ``j`` of a subset's number stands for the ``j``-th.
STREAMS: Final = ("mains_courantes", "calendar", "weather", "fire_brigade", "transport", "road", "justice", "police")
#: Streams that say the same for the whole city.
CITY_WIDE: Final = ("calendar", "weather")
#: What a city has anyway.
BASELINE: Final = ("mains_courantes", "calendar", "weather")
#: The stream that goes with how much is recorded, where recording is biased.
WATCHING: Final = "police"
_CELL_M: Final = 250.0
_ORIGIN_M: Final = (885_000.0, 6_238_000.0)


@dataclass(frozen=True, eq=False)
class StreamWorld:
    """A drawn world and what its streams are worth.

    Attributes
    ----------
    latent, recorded : ndarray of int32, shape (n_days, n_cells)
    intensity, p_recorded : ndarray, shape (n_days, n_cells)
        Expected incidents, and the chance that one is recorded.
    place : ndarray, shape (n_cells,)
        Levels, of mean 1.
    covariates : Covariates
        Answers of every stream but the log, 0 or 1, under the stream's name; row ``d`` was known on the morning of day
        ``d``.
    roles : tuple of str
        ``"log"``, ``"new"``, ``"copy"`` or ``"noise"``, in the order of :data:`STREAMS`.
    information : float
        Nats per incident that each new stream carries.
    grid_shape : (int, int)
    """

    latent: CountArray
    recorded: CountArray
    intensity: FloatArray
    p_recorded: FloatArray
    place: FloatArray
    covariates: Covariates
    roles: tuple[Role, ...]
    information: float
    grid_shape: tuple[int, int]

    @cached_property
    def grid(self) -> Grid:
        """The map as a grid of 250 m cells, all on land."""
        return Grid(*_ORIGIN_M, _CELL_M, np.ones(self.grid_shape, dtype=np.bool_))

    @cached_property
    def known_information(self) -> FloatArray:
        """What every set of streams is worth, in nats per incident over a constant forecast, shape (2**8,)."""
        sets = np.arange(1 << len(STREAMS))[:, None] >> np.arange(len(STREAMS)) & 1 == 1
        is_role = {role: np.array([r == role for r in self.roles]) for role in ("log", "new", "copy")}
        with_log = (sets & is_role["log"]).any(axis=1)
        copied = (sets & is_role["copy"]).any(axis=1)
        above = self.place > np.median(self.place)
        halves = [self.place[above].mean(), self.place[~above].mean()] if above.any() else [1.0]
        share = [above.mean(), 1 - above.mean()] if above.any() else [1.0]
        half = float(sum(q * m * np.log(m) for q, m in zip(share, halves, strict=True)))
        whole = float((self.place * np.log(self.place)).mean())
        on_places = np.where(with_log, whole, np.where(copied, half, 0.0))
        return np.asarray(on_places + self.information * (sets & is_role["new"]).sum(axis=1), dtype=np.float64)


def draw_stream_world(
    *, rng: np.random.Generator, n_informative: int = 7, information: float = 0.05, overlap: float = 0.0,
    recording_bias: float = 0.0, n_days: int = 420, grid_shape: tuple[int, int] = (12, 12),
    latent_per_day: float = 200.0, recorded_share: float = 0.3, place_sd: float = 1.0,
) -> StreamWorld:  # fmt: skip
    """Draw a world of streams.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_informative : int, default=7
        Streams beside the log that carry something: the first of them in the order of :data:`STREAMS`. The others are
        coin tosses.
    information : float, default=0.05
        Nats per incident of each stream that tells something new, in [0, log 2).
    overlap : float, default=0.0
        Share, rounded, of the informative streams beyond calendar and weather that repeat the log instead.
    recording_bias : float, default=0.0
        0: every incident has the same chance of being recorded. ``b``: a chance ``1 + b`` or ``1 - b`` times the mean
        as the police stream answers yes or no.
    n_days : int, default=420
    grid_shape : (int, int), default=(12, 12)
    latent_per_day : float, default=200.0
        Expected incidents a day in the whole city.
    recorded_share : float, default=0.3
    place_sd : float, default=1.0
        Spread of the log of place levels.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """
    _check(n_informative, information, overlap, recording_bias, n_days, grid_shape, latent_per_day, recorded_share)
    n_cells = grid_shape[0] * grid_shape[1]
    place = np.exp(place_sd * rng.standard_normal(n_cells))
    place /= place.mean()
    above = place > np.median(place)
    roles = _roles(n_informative, overlap)
    tilt = tilt_of(information)
    answers = {}
    for name, role in zip(STREAMS[1:], roles[1:], strict=True):
        tossed = rng.random(n_days if name in CITY_WIDE else (n_days, n_cells)) < 0.5  # drawn whatever the role
        answers[name] = np.tile(above, (n_days, 1)) if role == "copy" else tossed
    intensity = np.tile(latent_per_day / n_cells * place, (n_days, 1))
    for name, role in zip(STREAMS[1:], roles[1:], strict=True):
        if role == "new":
            sign = np.where(answers[name], tilt, -tilt)
            intensity *= 1 + (sign[:, None] if name in CITY_WIDE else sign)
    p_recorded = recorded_share * np.where(answers[WATCHING], 1 + recording_bias, 1 - recording_bias)
    latent = rng.poisson(intensity)
    recorded = rng.binomial(latent, p_recorded)
    covariates = Covariates(
        days={name: answers[name].astype(np.float64) for name in CITY_WIDE},
        cell_days={name: answers[name].astype(np.int8) for name in STREAMS[1:] if name not in CITY_WIDE},
    )
    return StreamWorld(
        latent.astype(np.int32), recorded.astype(np.int32), intensity, p_recorded, place, covariates, roles,
        float(information), grid_shape,
    )  # fmt: skip


def information_of(tilt: float) -> float:
    """Nats per incident of an answer that multiplies the rate by ``1 + tilt`` or ``1 - tilt``.

    Examples
    --------
    >>> round(information_of(0.5), 4), information_of(0.0)
    (0.1308, 0.0)
    """
    return float(sum(0.5 * m * np.log(m) for m in (1 + tilt, 1 - tilt) if m > 0))


def tilt_of(information: float) -> float:
    """Inverse of :func:`information_of`."""
    if information == 0:
        return 0.0
    return float(brentq(lambda a: information_of(a) - information, 0.0, 1.0, xtol=1e-14))


def _roles(n_informative: int, overlap: float) -> tuple[Role, ...]:
    """Roles in order: calendar and weather tell something new, the last of the other informative streams repeat."""
    extra = max(n_informative - len(CITY_WIDE), 0)
    copies = int(overlap * extra + 0.5)
    new = n_informative - copies
    roles: list[Role] = ["log", *["new"] * new, *["copy"] * copies]  # type: ignore[list-item]
    return (*roles, *["noise"] * (len(STREAMS) - len(roles)))  # type: ignore[arg-type]


def _check(
    n_informative: int, information: float, overlap: float, bias: float, n_days: int, shape: tuple[int, int],
    latent_per_day: float, recorded_share: float,
) -> None:  # fmt: skip
    for name, ok, must, got in (
        ("n_informative", 0 <= n_informative <= 7, "a whole number from 0 to 7", n_informative),
        ("information", 0 <= information < np.log(2), "nats in [0, log 2)", information),
        ("overlap", 0 <= overlap <= 1, "a share in [0, 1]", overlap),
        ("recording_bias", 0 <= bias <= 1, "a number in [0, 1]", bias),
        ("n_days", n_days >= 1, "at least 1", n_days),
        ("grid_shape", min(shape) >= 1, "two numbers of at least 1", shape),
        ("latent_per_day", latent_per_day > 0, "above 0", latent_per_day),
        ("recorded_share", recorded_share > 0 and recorded_share * (1 + bias) <= 1, "in (0, 1 / (1 + bias)]",
         recorded_share),
    ):  # fmt: skip
        if not ok:
            raise bad_parameter(name=name, where="draw_stream_world", must=must, got=got)
