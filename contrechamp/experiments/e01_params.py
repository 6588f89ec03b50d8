"""Parameters of E01: which worlds, which days, which forecasts.

What it cannot tell you: which of these worlds a city is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E01.

    Attributes
    ----------
    kappas : tuple of float
        Mean number of incidents that one incident calls for nearby, in [0, 0.9].
    recorded_shares : tuple of float
        Share of incidents that enter the record, in (0, 1]. The tender's figures give 822 / 2,700.
    recording_biases : tuple of float
        0: every incident has the same chance of being recorded; 1: a chance proportional to patrols' presence.
    latent_per_day : tuple of float
        Incidents per day on the whole map: every type together, or one rare type.
    turnovers : tuple of float
        0: places keep their level; 1: the map of the last day owes nothing to that of the first.
    worlds : int
        World seeds per combination of the above. The same seeds serve every combination.
    rows, columns : int
        Cells of the map, 250 m each.
    n_days : int
        Days drawn.
    memory_days : int
        Days of records that predictors see before the first day they predict.
    tried_days, evaluated_days : int
        The city tries the forecasts on its records during the first, and keeps one; scores are those of the second,
        the last of the days drawn.
    every : int
        One day in so many is predicted. A number that 7 does not divide goes through all weekdays.
    refit_days : int
        Fewest days between two estimations, for predictors that do not estimate every day.
    areas : tuple of float
        Shares of the map flagged.
    forecasts : tuple of str
        Keys of the predictors under test, all tried in every world.
    table_forecasts : tuple of str
        Costly predictors, run on the first ``table_worlds`` seeds, and there on the files that record one of
        ``table_shares``. They are never chosen.
    table_shares : tuple of float
    table_worlds : int
        Six or more give an interval.
    n_draws : int
        Bootstrap draws per world.
    gain : float
        Gain in PAI from which a forecast is said to be worth more than a free map.
    """

    kappas: tuple[float, ...] = (0.0, 0.25, 0.5)
    recorded_shares: tuple[float, ...] = (0.1, 0.3, 0.6)
    recording_biases: tuple[float, ...] = (0.0, 1.0)
    latent_per_day: tuple[float, ...] = (300.0,)
    turnovers: tuple[float, ...] = (0.0, 1.0)
    worlds: int = 6
    rows: int = 30
    columns: int = 32
    n_days: int = 434
    memory_days: int = 364
    tried_days: int = 14
    evaluated_days: int = 56
    every: int = 2
    refit_days: int = 91
    areas: tuple[float, ...] = (0.01, 0.05)
    forecasts: tuple[str, ...] = ("retro-quartic", "prospective", "etas-per-cell")
    table_forecasts: tuple[str, ...] = ()
    table_shares: tuple[float, ...] = (0.3,)
    table_worlds: int = 0
    n_draws: int = 299
    gain: float = 0.10

    @classmethod
    def quick(cls) -> Params:
        """A quarter of a city (960 cells, one family of events), fourteen months, six seeds, cheap forecasts."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """The register's city: 3,840 cells, five years, two hundred seeds; one day in eight of the last year.

        Every predictor of the registry that needs neither places nor an accelerator; the costly ones on six seeds.
        """
        return cls(
            recording_biases=(0.0, 0.5, 1.0), latent_per_day=(2700.0, 20.0), worlds=200, rows=60, columns=64,
            n_days=1826, tried_days=182, evaluated_days=364, every=8, n_draws=999,
            forecasts=("retro-quartic", "prospective"),
            table_forecasts=("etas-per-cell", "sepp", "knox", "gbm", "ensemble"), table_worlds=6,
        )  # fmt: skip
