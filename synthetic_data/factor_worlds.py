r"""Worlds with a known causal graph: what makes incidents happen, what only makes them recorded, and who follows whom.

Every cell has seven factors that a platform could be fed: lighting, empty housing, schools, bars, transport stops, a
poverty index and patrol hours. Six of them may cause incidents; patrol hours cause none and raise the chance that an
incident is *recorded*. Which of the six matter, how much and in which direction is drawn anew in every world, so that
no method can do well by guessing.

What it cannot tell you: cells do not act on each other, effects are the same everywhere and log-linear, and factors do
not change during the period. Real ones are messier; a method that fails here has no excuse there.

Notes
-----
With independent smooth standard fields :math:`u` and confounding :math:`c`,

- poverty :math:`= u`; passage of people :math:`= u`, which nobody measures;
- lighting :math:`= -\tfrac{c}{2}` poverty + noise, empty housing :math:`= \tfrac{c}{2}` poverty + noise;
- bars and stops :math:`= \tfrac{c}{2}` passage + noise each; schools :math:`= u`;
- patrols :math:`= \tfrac{c}{2}` poverty + :math:`\tfrac{c}{2}` standardised log of past records + noise;
- log rate :math:`= \log r_0 + \sum_j d_j x_j + h\,` passage + a rough cell effect;
- chance of recording :math:`= p_0 (1 - b + b\, H)`, at most 1, ``H`` being hours of patrol with mean 1, log-linear in
  the patrol score; ``b`` is the recording bias.

Noise keeps every score at variance 1 (patrols nearly so). The total effect of a factor is what setting it one higher
everywhere does to the log rate: :math:`d_j`, but for poverty, which also acts through lighting and empty housing:
:math:`d_P - \tfrac{c}{2} d_L + \tfrac{c}{2} d_E`. For patrol hours it is 0.

References
----------
.. [1] Pearl (2009), "Causality", 2nd ed., chapter 3 (intervention).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]

FACTORS: Final = ("lighting", "empty_housing", "school", "bar", "transport", "poverty", "patrol_hours")
#: The factor that causes records and no incident.
ARTEFACT: Final = "patrol_hours"
#: Sizes of the direct effects on the log rate, dealt out at random to the six possible causes.
SIZES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
#: Pull of poverty, passage and past records on what follows them, at confounding 1.
PULL: Final = 0.5
#: Log hours of patrol per unit of the patrol score.
HOURS_LOG_SD: Final = 0.5
_PASSAGE_EFFECT: Final = 0.3
_ROUGH_SD: Final = 0.3
_SMOOTH_CELLS: Final = 1.5
_L, _E, _S, _B, _T, _P, _H = range(7)


@dataclass(frozen=True, eq=False)
class FactorWorld:
    """A drawn causal world; ``factors``, ``rate`` and ``p_recorded`` can be asked for under an intervention.

    Attributes
    ----------
    direct : ndarray, shape (7,)
        Direct effects on the log rate, per unit of each of :data:`FACTORS`.
    latent, recorded : ndarray of int, shape (n_cells,)
        Incidents of the period, and those that entered the record.
    past_records : ndarray of int, shape (n_cells,)
        Records of the period before, which patrols may follow.
    confounding, recording_bias : float
    n_days : int
    grid_shape : (int, int)
    """

    direct: FloatArray
    latent: CountArray
    recorded: CountArray
    past_records: CountArray
    confounding: float
    recording_bias: float
    n_days: int
    grid_shape: tuple[int, int]
    _noise: FloatArray
    _background: FloatArray
    _p_mean: float

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self._background)

    @property
    def total(self) -> FloatArray:
        """Total causal effects on the log rate, shape (7,): what one unit more everywhere does."""
        total = self.direct.copy()
        total[_P] += PULL * self.confounding * (self.direct[_E] - self.direct[_L])
        return total

    @cached_property
    def factors(self) -> FloatArray:
        """Factors as they are, shape (n_cells, 7)."""
        return self.factors_under(None)

    def factors_under(self, shift: FloatArray | None) -> FloatArray:
        """Factors when each is moved by ``shift``, and what follows it follows.

        Parameters
        ----------
        shift : ndarray, shape (n_cells, 7), or None
            Added to a factor after its own causes have acted.
        """
        return _factors(self._noise, self.past_records, pull=PULL * self.confounding, shift=shift)

    def rate(self, shift: FloatArray | None = None) -> FloatArray:
        """Expected incidents per cell and day, shape (n_cells,)."""
        factors = self.factors if shift is None else self.factors_under(shift)
        return np.asarray(self._background * np.exp(factors @ self.direct), dtype=np.float64)

    def p_recorded(self, shift: FloatArray | None = None) -> FloatArray:
        """Chance that an incident of a cell is recorded, shape (n_cells,)."""
        hours = _hours(self.factors if shift is None else self.factors_under(shift))
        return np.minimum(self._p_mean * (1 - self.recording_bias + self.recording_bias * hours), 1.0)

    def randomised_trial(
        self, factor: str, *, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.bool_], CountArray, CountArray]:  # fmt: skip
        """Move one factor up by 1 in a random half of the cells, and live the period again.

        Returns
        -------
        moved : ndarray of bool, shape (n_cells,)
        latent, recorded : ndarray of int, shape (n_cells,)
        """
        moved = rng.permutation(self.n_cells) < self.n_cells // 2
        shift = np.zeros((self.n_cells, len(FACTORS)))
        shift[moved, FACTORS.index(factor)] = 1.0
        latent = rng.poisson(self.rate(shift) * self.n_days)
        return moved, latent, rng.binomial(latent, self.p_recorded(shift))


def draw_factor_world(
    *, rng: np.random.Generator, recording_bias: float = 0.0, confounding: float = 0.0, effect: float = 1.0,
    n_days: int = 365, grid_shape: tuple[int, int] = (30, 30), incidents_per_cell_day: float = 0.05,
    recorded_share: float = 0.3,
) -> FactorWorld:  # fmt: skip
    """Draw a causal world.

    Parameters
    ----------
    rng : numpy.random.Generator
    recording_bias : float, default=0.0
        0: every incident has the same chance of being recorded. 1: a chance proportional to patrol hours.
    confounding : float, default=0.0
        0: factors are independent and patrols go anywhere. 1: factors follow poverty or an unmeasured passage of
        people, patrols follow poverty and past records.
    effect : float, default=1.0
        Multiplies every direct effect; 0 leaves no factor with an effect.
    n_days : int, default=365
        Days of the period, and of the period before it.
    grid_shape : (int, int), default=(30, 30)
    incidents_per_cell_day : float, default=0.05
        Rate of a cell whose scores are all 0.
    recorded_share : float, default=0.3
        Chance of recording at mean patrol hours.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """
    _check(recording_bias, confounding, effect, n_days, grid_shape, incidents_per_cell_day, recorded_share)
    n_cells = grid_shape[0] * grid_shape[1]
    noise = np.column_stack([_field(grid_shape, rng) for _ in FACTORS])
    passage = _field(grid_shape, rng)
    rough = rng.standard_normal(n_cells)
    direct = np.zeros(len(FACTORS))
    direct[:_H] = effect * rng.permutation(SIZES) * rng.choice((-1.0, 1.0), size=_H)
    pull = PULL * confounding
    noise[:, _B] = pull * passage + np.sqrt(1 - pull**2) * noise[:, _B]
    noise[:, _T] = pull * passage + np.sqrt(1 - pull**2) * noise[:, _T]
    background = incidents_per_cell_day * np.exp(_PASSAGE_EFFECT * passage + _ROUGH_SD * rough)
    causes = _factors(noise, np.zeros(n_cells, dtype=np.int64), pull=pull, shift=None)
    past = rng.poisson(background * np.exp(causes @ direct) * recorded_share * n_days)  # patrols have no effect on it
    blank = np.zeros(n_cells, dtype=np.int64)
    drawn = (past, confounding, recording_bias, int(n_days), grid_shape, noise, background, recorded_share)
    world = FactorWorld(direct, blank, blank, *drawn)
    latent = rng.poisson(world.rate() * n_days)
    return FactorWorld(direct, latent, rng.binomial(latent, world.p_recorded()), *drawn)


def _factors(noise: FloatArray, past: CountArray, *, pull: float, shift: FloatArray | None) -> FloatArray:
    """Factors in causal order: each follows its causes as they are after the shift."""
    x = noise.copy()
    moved = np.zeros_like(x) if shift is None else shift
    rest = np.sqrt(1 - pull**2)
    for column in (_S, _B, _T, _P):
        x[:, column] += moved[:, column]
    x[:, _L] = rest * noise[:, _L] - pull * x[:, _P] + moved[:, _L]
    x[:, _E] = rest * noise[:, _E] + pull * x[:, _P] + moved[:, _E]
    x[:, _H] = np.sqrt(1 - 2 * pull**2) * noise[:, _H] + pull * (x[:, _P] + _standard(np.log1p(past))) + moved[:, _H]
    return x


def _hours(factors: FloatArray) -> FloatArray:
    """Hours of patrol, in units of their mean were the patrol score standard normal."""
    return np.asarray(np.exp(HOURS_LOG_SD * factors[:, _H] - HOURS_LOG_SD**2 / 2), dtype=np.float64)


def _field(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """A smooth map of scores with mean 0 and variance 1."""
    return _standard(gaussian_filter(rng.standard_normal(shape), _SMOOTH_CELLS, mode="wrap").ravel())


def _standard(values: npt.NDArray[np.float64]) -> FloatArray:
    centred = values - values.mean()
    spread = float(centred.std())
    return np.asarray(centred / spread if spread > 0 else centred, dtype=np.float64)


def _check(
    bias: float, confounding: float, effect: float, n_days: int, shape: tuple[int, int], rate: float, share: float
) -> None:  # fmt: skip
    for name, ok, must, got in (
        ("recording_bias", 0 <= bias <= 1, "a number in [0, 1]", bias),
        ("confounding", 0 <= confounding <= 1, "a number in [0, 1]", confounding),
        ("effect", effect >= 0, "at least 0", effect),
        ("n_days", n_days >= 1, "at least 1", n_days),
        ("grid_shape", min(shape) >= 1 and shape[0] * shape[1] >= 4, "at least four cells", shape),
        ("incidents_per_cell_day", rate > 0, "above 0", rate),
        ("recorded_share", 0 < share <= 1, "in (0, 1]", share),
    ):
        if not ok:
            raise bad_parameter(name=name, where="draw_factor_world", must=must, got=got)
