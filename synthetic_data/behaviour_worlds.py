"""Twelve behaviours of set frequency, and a harm label that owes to frequency what the caller says, nothing more.

A track is eight standardised descriptors of how somebody moves (speed, stops, turns, height of the body…). Behaviours
bear numbers, not names: no conduct is said here to be harmful. One behaviour takes most of the time; the eleven others
are met from one track in ten down to one in a hundred thousand. Ten per cent of people, group B, may have one of the
rare ones as an everyday habit.

What it cannot tell you: how real behaviours lie in the space of descriptors. Centres are drawn at random; how far
apart they stand is a parameter, not a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

N_BEHAVIOURS: Final = 12
N_DESCRIPTORS: Final = 8
#: Frequencies of the eleven behaviours that are not the usual one, among group A.
FREQUENCIES: Final = tuple(float(f) for f in 10.0 ** np.linspace(-1, -5, N_BEHAVIOURS - 1))
#: A habit is drawn among behaviours rarer than this in group A.
RARE_BELOW: Final = 0.01
#: What a badly followed track multiplies the noise of its descriptors by.
BLUR_FACTOR: Final = 4.0


@dataclass(frozen=True, eq=False)
class BehaviourWorld:
    """A world of behaviours.

    Attributes
    ----------
    centres : ndarray, shape (12, 8)
        Where each behaviour lies, in standard deviations of one behaviour's own spread.
    frequencies : ndarray, shape (2, 12)
        Share of tracks of each behaviour, in group A then in group B. Rows sum to 1.
    share_b : float
        Share of tracks by people of group B.
    habit : int
        Behaviour that is everyday in group B.
    """

    centres: FloatArray
    frequencies: FloatArray
    share_b: float
    habit: int

    @property
    def overall(self) -> FloatArray:
        """Share of all tracks of each behaviour, shape (12,)."""
        both: FloatArray = (1 - self.share_b) * self.frequencies[0] + self.share_b * self.frequencies[1]
        return both


@dataclass(frozen=True, eq=False)
class Tracks:
    """Tracks of a stream.

    Attributes
    ----------
    descriptors : ndarray, shape (n, 8)
    behaviour : ndarray of int, shape (n,)
    in_b : ndarray of bool, shape (n,)
    """

    descriptors: FloatArray
    behaviour: IntArray
    in_b: BoolArray


def draw_behaviour_world(
    *, separation: float, habit_share: float = 0.0, share_b: float = 0.1, rng: np.random.Generator
) -> BehaviourWorld:
    """Draw where behaviours lie and which one is group B's habit.

    Parameters
    ----------
    separation : float
        Root mean square distance of a centre from the origin, above 0. Two centres are about 1.4 times that apart.
    habit_share : float, default=0.0
        Share of group B's tracks that are the habit, in [0, 1). 0: group B behaves like group A.
    share_b : float, default=0.1
        Share of tracks by group B, in (0, 1).
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    for name, value, ok, must in (
        ("separation", separation, separation > 0, "above 0"),
        ("habit_share", habit_share, 0 <= habit_share < 1, "a share in [0, 1)"),
        ("share_b", share_b, 0 < share_b < 1, "a share in (0, 1)"),
    ):
        if not ok:
            raise bad_parameter(name=name, where="draw_behaviour_world", must=must, got=value)
    centres = rng.standard_normal((N_BEHAVIOURS, N_DESCRIPTORS)) * separation / np.sqrt(N_DESCRIPTORS)
    usual = np.array([1 - sum(FREQUENCIES), *FREQUENCIES])
    habit = int(rng.choice(np.flatnonzero(usual < RARE_BELOW)))
    other = usual.copy()
    if habit_share > 0:
        other *= (1 - habit_share) / (1 - usual[habit])
        other[habit] = habit_share
    return BehaviourWorld(centres, np.stack([usual, other]), share_b, habit)


def draw_tracks(
    world: BehaviourWorld, *, n: int, blurred: float = 0.0, rng: np.random.Generator
) -> Tracks:  # fmt: skip
    """Draw the tracks of a stream.

    Parameters
    ----------
    world : BehaviourWorld
    n : int
        At least 1.
    blurred : float, default=0.0
        Share of tracks badly followed by the tracker (occlusion, exchange of identity), in [0, 1]: their descriptors
        are four times as noisy.
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    if n < 1 or not 0 <= blurred <= 1:
        raise bad_parameter(
            name="n, blurred", where="draw_tracks", must="at least 1 track and a share in [0, 1]", got=(n, blurred)
        )
    in_b = rng.random(n) < world.share_b
    cuts = np.cumsum(world.frequencies, axis=1)
    luck = rng.random(n)
    behaviour = np.empty(n, dtype=np.int64)
    for group in (0, 1):
        mine = in_b == bool(group)
        behaviour[mine] = np.searchsorted(cuts[group], luck[mine], side="right").clip(max=N_BEHAVIOURS - 1)
    spread = np.where(rng.random(n) < blurred, BLUR_FACTOR, 1.0)
    noise = rng.standard_normal((n, N_DESCRIPTORS)) * spread[:, None]
    return Tracks(world.centres[behaviour] + noise, behaviour, in_b)


def draw_examples(world: BehaviourWorld, *, counts: npt.ArrayLike, rng: np.random.Generator) -> Tracks:
    """Draw a set number of tracks of each behaviour, nobody's habit in particular.

    Parameters
    ----------
    world : BehaviourWorld
    counts : array-like of int, shape (12,)
        At least 0.
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If there is not one count per behaviour.
    """
    wanted = np.asarray(counts, dtype=np.int64)
    if wanted.shape != (N_BEHAVIOURS,) or bool((wanted < 0).any()):
        raise bad_parameter(
            name="counts", where="draw_examples", must=f"{N_BEHAVIOURS} whole numbers of at least 0",
            got=wanted.tolist(),
        )  # fmt: skip
    behaviour = np.repeat(np.arange(N_BEHAVIOURS), wanted)
    descriptors = world.centres[behaviour] + rng.standard_normal((len(behaviour), N_DESCRIPTORS))
    return Tracks(descriptors, behaviour, np.zeros(len(behaviour), dtype=np.bool_))


def harm_rates(frequencies: npt.ArrayLike, *, base_rate: float, rarity: float) -> FloatArray:
    r"""Chance that a track of each behaviour is harmful, for a base rate and a link with rarity.

    Parameters
    ----------
    frequencies : array-like, shape (k,)
        Share of each behaviour among all tracks, above 0.
    base_rate : float
        Share of all tracks that are harmful, in (0, 1).
    rarity : float
        Exponent :math:`\gamma`: the chance goes as :math:`f^{-\gamma}`. 0: harm owes nothing to frequency. Above 0:
        rare behaviours are the more often harmful (1: each behaviour bears the same amount of harm). Below 0: the
        frequent ones are.

    Returns
    -------
    ndarray, shape (k,)
        In [0, 1]; what a chance of 1 cannot hold is spread over the others in the same proportions, so that the base
        rate is met exactly.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.

    Examples
    --------
    >>> harm_rates([0.9, 0.1], base_rate=0.02, rarity=1.0).round(4).tolist()
    [0.0111, 0.1]
    >>> harm_rates([0.9, 0.099, 0.001], base_rate=0.02, rarity=0.0).tolist()
    [0.02, 0.02, 0.02]
    """
    f = np.asarray(frequencies, dtype=np.float64)
    if f.ndim != 1 or not bool((f > 0).all()) or not 0 < base_rate < 1:
        raise bad_parameter(
            name="frequencies, base_rate", where="harm_rates", must="shares above 0 and a share in (0, 1)",
            got=(f.tolist(), base_rate),
        )  # fmt: skip
    f = f / f.sum()
    weight = f**-rarity
    full = np.zeros(len(f), dtype=np.bool_)
    while True:
        scale = (base_rate - f[full].sum()) / (f * weight)[~full].sum()
        over = ~full & (scale * weight > 1)
        if not bool(over.any()):
            return np.where(full, 1.0, scale * weight)
        full |= over


def draw_harm(tracks: Tracks, *, rates: npt.ArrayLike, rng: np.random.Generator) -> BoolArray:
    """Which tracks are harmful, shape (n,): a toss per track, at the rate of its behaviour."""
    toss: BoolArray = rng.random(len(tracks.behaviour)) < np.asarray(rates)[tracks.behaviour]
    return toss
