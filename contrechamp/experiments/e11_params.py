"""Parameters of E11, and what it measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contrechamp.domain.results import Measure
from contrechamp.domain.text import Text

ID: Final = "E11"


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E11.

    Attributes
    ----------
    separations : tuple of float
        How far behaviours lie from each other in the streams, in spreads of one behaviour.
    blurred : tuple of float
        Shares of tracks badly followed.
    habit_shares : tuple of float
        Share of group B's tracks that are its everyday behaviour, rare elsewhere.
    rarities : tuple of float
        How much harm goes with rarity (exponent). 0: not at all; 1: each behaviour bears as much harm.
    base_rates : tuple of float
        Shares of all tracks that are harmful.
    n_tracks, alerts : int
        Tracks of an hour under one operator's cameras, and alerts read in that hour.
    label_draws : int
        Times each stream is labelled anew.
    share_b : float
        Share of tracks by group B.
    common_from : float
        Share of a group's tracks from which a behaviour is common in it.
    learning_separations : tuple of float
        How far behaviours lie from each other where a classifier learns them.
    train_sizes : tuple of int
        Labelled examples in all.
    size_errors, position_errors_m : tuple of float
        Errors of measured sizes (log) and positions (m), for modes of travel.
    mode_examples : int
        Encounters learned from, and as many judged.
    crowds : tuple of int
        People among whom an alerted track is linked to a person.
    noises : tuple of float
        Chance that an attribute of appearance is read wrong.
    colour_skew, correlation : float
        How alike people dress; see :func:`synthetic_data.appearance_worlds.appearance_law`.
    worlds : int
        Draws of each kind of world. The same draws serve every kind.
    """

    separations: tuple[float, ...] = (2.0, 6.0)
    blurred: tuple[float, ...] = (0.0, 0.01)
    habit_shares: tuple[float, ...] = (0.05, 0.3)
    rarities: tuple[float, ...] = (-0.5, 0.0, 0.5, 1.0)
    base_rates: tuple[float, ...] = (0.001, 0.01)
    n_tracks: int = 6_000
    alerts: int = 30
    label_draws: int = 25
    share_b: float = 0.1
    common_from: float = 0.05
    learning_separations: tuple[float, ...] = (2.0, 4.0, 8.0)
    train_sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    size_errors: tuple[float, ...] = (0.1, 0.3, 0.6)
    position_errors_m: tuple[float, ...] = (0.1, 0.3, 1.0)
    mode_examples: int = 6_000
    crowds: tuple[int, ...] = (100, 1_000, 10_000)
    noises: tuple[float, ...] = (0.0, 0.1, 0.25)
    colour_skew: float = 1.5
    correlation: float = 0.3
    worlds: int = 10

    @classmethod
    def quick(cls) -> Params:
        """Eight kinds of streams, ten draws each."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Fifteen kinds of streams, forty draws each, an hour of twice as many tracks."""
        return cls(
            separations=(2.0, 4.0, 8.0), blurred=(0.0, 0.003, 0.01), habit_shares=(0.05, 0.3),
            rarities=(-0.5, 0.0, 0.25, 0.5, 0.75, 1.0), n_tracks=12_000, alerts=60,
            learning_separations=(2.0, 3.0, 4.0, 6.0, 8.0), train_sizes=(1_000, 10_000, 100_000, 1_000_000),
            size_errors=(0.05, 0.1, 0.2, 0.3, 0.6), position_errors_m=(0.1, 0.3, 0.5, 1.0), mode_examples=20_000,
            crowds=(100, 1_000, 10_000, 50_000), worlds=40,
        )  # fmt: skip


_ALERTS: Final = Text(fr="alertes lues", en="alerts read")
_STREAMS: Final = Text(fr="flux tirés (graines)", en="streams drawn (seeds)")
_SETS: Final = Text(fr="jeux d’exemples tirés (graines)", en="sets of examples drawn (seeds)")
_LABELLED: Final = Text(
    fr="alertes lues, la nuisance étant tirée plusieurs fois",
    en="alerts read, harm being drawn several times",
)
_LINKED: Final = Text(fr="trajectoires signalées", en="tracks flagged")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("precision", "share", Text(fr="Part des alertes qui sont nuisibles", en="Share of alerts that are harmful"),
            _LABELLED),
    Measure("lift", "ratio", Text(fr="Part nuisible des alertes, divisée par celle de toutes les trajectoires",
            en="Harmful share of alerts, over that of all tracks"), _LABELLED),
    Measure("auc", "share", Text(
            fr="Chance qu’une trajectoire nuisible soit jugée plus anormale qu’une autre (aire sous la courbe ROC)",
            en="Chance that a harmful track is judged more abnormal than another (area under the ROC curve)"),
            _STREAMS),
    Measure("alert_slope", "points", Text(
            fr="Part alertée d’un comportement dix fois plus fréquent, moins celle de l’autre",
            en="Share alerted on of a behaviour ten times as frequent, minus that of the other"), _STREAMS),
    Measure("common_share", "share", Text(fr="Part des alertes sur des conduites licites et courantes dans le groupe B",
            en="Share of alerts on lawful conduct common in group B"), _ALERTS),
    Measure("group_ratio", "ratio", Text(fr="Part du groupe B dans les alertes, divisée par sa part des trajectoires",
            en="Group B’s share of alerts, over its share of tracks"), _ALERTS),
    Measure("recall_slope", "points", Text(
            fr="Rappel gagné par une classe dix fois plus fréquente à l’apprentissage",
            en="Recall gained by a class ten times as frequent in training"), _SETS),
    Measure("macro_recall", "share", Text(fr="Rappel moyen des douze classes", en="Mean recall of the twelve classes"),
            _SETS),
    Measure("macro_f1", "share", Text(fr="F1 macro des huit modes de déplacement", en="Macro F1 of eight travel modes"),
            _SETS),
    Measure("macro_f1_near_miss", "share", Text(
            fr="F1 macro des quasi-accidents, mode reconnu compris", en="Macro F1 of near misses, mode recognised too"),
            _SETS),
    Measure("singled_out", "share", Text(
            fr="Trajectoires signalées que l’on relie à la bonne personne, et à elle seule",
            en="Flagged tracks tied to the right person, and to that one alone"), _LINKED),
    Measure("tied_wrong", "share", Text(fr="Trajectoires signalées reliées à une autre personne",
            en="Flagged tracks tied to another person"), _LINKED),
    Measure("singled_out_random", "share", Text(fr="Trajectoires prises au hasard, reliées à la bonne personne",
            en="Tracks taken at random, tied to the right person"),
            Text(fr="trajectoires prises au hasard", en="tracks taken at random")),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience ne dit pas comment de vraies conduites se répartissent : les douze comportements sont des points "
    "tirés au hasard, sans nom, et c’est nous qui posons le lien entre rareté et nuisance. Rien, dans un même "
    "comportement, n’y distingue le geste nuisible du geste licite. Pour ces comportements, le classifieur employé est "
    "le meilleur possible, avec assez d’exemples. Les modes de déplacement suivent des lois posées, et un "
    "quasi-accident est un écart de moins d’une seconde et demie au point de croisement. Relier une trajectoire à une "
    "fiche d’apparence n’est pas mettre un nom.",
    en="The experiment does not say how real conduct is spread: the twelve behaviours are points drawn at random, "
    "without a name, and it is we who state the link between rarity and harm. Within one behaviour nothing tells a "
    "harmful gesture from a lawful one. For these behaviours the classifier used is the best possible, given "
    "enough examples. Travel modes follow stated laws, and a near miss is a gap under one and a half seconds at the "
    "crossing point. To tie a track to a sheet of appearance is not to name anybody.",
)
