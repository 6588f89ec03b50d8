"""What the model cards say of each predictor and of each parameter, in French and in English.

What it cannot tell you: these are descriptions, written once. What a predictor does is its code; what it is worth is
what a backtest measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contrechamp.domain.text import Text


@dataclass(frozen=True, slots=True)
class CardText:
    """What is said of a predictor beside what is read from its code.

    Attributes
    ----------
    title : Text
        Its name for people.
    what : Text
        What it computes and from what.
    limits : Text
        What it cannot tell you.
    """

    title: Text
    what: Text
    limits: Text


CARD_TEXTS: Final[Mapping[str, CardText]] = {
    "uniform": CardText(
        Text(fr="Carte uniforme", en="Uniform map"),
        Text(
            fr="La moyenne de la ville, la même dans chaque maille. Toutes les mailles sont à égalité : signaler « les "
            "premières » revient à les tirer au sort. C’est le point de comparaison du hasard, dont le PAI vaut 1 en "
            "moyenne.",
            en="The city’s mean, the same in every cell. All cells tie, so flagging “the first ones” is drawing them "
            "at random. It is what chance achieves, with a PAI of 1 on average.",
        ),
        Text(
            fr="Rien sur les lieux. Qu’un prédicteur la dépasse ne dit pas qu’il est utile : une liste des rues les "
            "plus notées l’année passée la dépasse aussi.",
            en="Nothing about places. That a predictor beats it does not make it useful: a list of last year’s most "
            "recorded streets beats it too.",
        ),
    ),
    "trailing-mean": CardText(
        Text(fr="Moyenne des 52 dernières semaines", en="Mean of the last 52 weeks"),
        Text(
            fr="Le nombre moyen d’enregistrements par jour de chaque maille sur l’année écoulée : ce qu’un agent "
            "obtient avec la main courante et un crayon. Tous les gains annoncés par les autres fiches se mesurent "
            "contre elle.",
            en="Mean daily records of each cell over the past year: what an officer gets from the log and a pencil. "
            "The gains stated on the other cards are measured against it.",
        ),
        Text(
            fr="C’est une moyenne d’enregistrements. Un lieu d’où personne n’appelle reste à zéro quoi qu’il s’y "
            "passe ; un lieu plus patrouillé monte pour cette seule raison.",
            en="It is a mean of records. A place from which nobody calls stays at zero whatever happens there; a place "
            "patrolled more rises for that reason alone.",
        ),
    ),
    "same-weekday": CardText(
        Text(fr="Même jour de la semaine", en="Same day of the week"),
        Text(
            fr="Pour un samedi, la moyenne de chaque maille sur les derniers samedis, ramenée au niveau de tous les "
            "jours. C’est la carte qu’un chef de service a en tête : les jours de marché sont les jours de marché.",
            en="For a Saturday, the mean of each cell over the last Saturdays, scaled to the level of all days. It is "
            "the map a duty officer carries in mind: market days are market days.",
        ),
        Text(
            fr="Un septième des jours, c’est un septième des enregistrements : là où il y en a peu par an, elle classe "
            "le hasard plus que les lieux. Elle ignore jours fériés, saisons et événements.",
            en="A seventh of the days is a seventh of the records: where there are few a year, it ranks chance more "
            "than places. It knows no bank holiday, season or event.",
        ),
    ),
    "retro-quartic": CardText(
        Text(fr="Points chauds rétrospectifs (noyau quartique)", en="Retrospective hot spots (quartic kernel)"),
        Text(
            fr="Les enregistrements des dernières semaines, chacun étalé autour de lui par un noyau, puis additionnés. "
            "Ce qui tomberait en mer est rendu à la terre. C’est la carte que dessinent la plupart des produits de "
            "« points chauds ».",
            en="The records of the last weeks, each spread around itself by a kernel, then summed. What would fall in "
            "the sea is given back to the land. It is the map most hot-spot products draw.",
        ),
        Text(
            fr="Elle classe ce qui fut enregistré : là où l’enregistrement suit les patrouilles, la carte les suit. "
            "Elle suppose que demain ressemble aux dernières semaines.",
            en="It ranks what was recorded: where recording follows patrols, so does the map. It assumes that tomorrow "
            "resembles the last weeks.",
        ),
    ),
    "prospective": CardText(
        Text(fr="Carte prospective (ProMap)", en="Prospective map (ProMap)"),
        Text(
            fr="Chaque enregistrement récent pèse d’autant plus qu’il est proche dans l’espace et dans le temps, par "
            "le produit de deux poids fixés d’avance : un sur un plus la distance en mailles, un sur un plus l’âge en "
            "semaines.",
            en="Each recent record weighs more the nearer it is in space and in time, through the product of two "
            "weights set beforehand: one over one plus the distance in cells, one over one plus the age in weeks.",
        ),
        Text(
            fr="Les poids ne viennent d’aucune donnée : qu’un fait en appelle un autre à côté est un constat de "
            "certaines villes pour certains délits, que la carte suppose partout. Là où les patrouilles reviennent, "
            "elle prend leurs propres traces pour une contagion.",
            en="The weights come from no data: that one event calls another nearby is a finding of some cities for "
            "some offences, which the map assumes everywhere. Where patrols return, it takes their own footprint for "
            "contagion.",
        ),
    ),
    "etas-per-cell": CardText(
        Text(fr="Processus auto-excité par maille", en="Self-exciting process per cell"),
        Text(
            fr="Chaque maille a son propre fond, et un enregistrement élève la sienne pour quelques jours. C’est la "
            "forme en grille de l’essai de terrain de 2015, vendue sous le nom de PredPol. Les paramètres sont ceux du "
            "maximum de vraisemblance exact.",
            en="Each cell has its own background, and a record raises its cell for some days. It is the grid form of "
            "the 2015 field trial, sold as PredPol. Parameters are those of the exact maximum of the likelihood.",
        ),
        Text(
            fr="Un enregistrement suit un enregistrement là où la police revient où elle a enregistré, tout comme là "
            "où un délit en provoque un autre. Sur les seules données publiques dont la sortie fut publiée, le maximum "
            "n’a le plus souvent aucune excitation : la carte est alors un comptage des dernières semaines.",
            en="A record follows a record where police return to where they recorded, exactly as where one offence "
            "provokes another. On the one public data set with a published output the maximum mostly has no "
            "excitation at all: the map is then a count of the last weeks.",
        ),
    ),
    "sepp": CardText(
        Text(fr="Processus auto-excité à noyaux", en="Kernel self-exciting process"),
        Text(
            fr="Un fond qui varie dans l’espace et un déclenchement qui dépend du délai et de la distance, tous deux "
            "appris sans formule sur les événements un à un, en répartissant chaque enregistrement entre le fond et "
            "ses prédécesseurs. C’est la forme publiée en 2011.",
            en="A background that varies in space and a triggering that depends on lag and distance, both learned "
            "without a formula on events one by one, by sharing each record between the background and those before "
            "it. It is the form published in 2011.",
        ),
        Text(
            fr="Si un délit en provoque un autre. Des patrouilles qui reviennent, une victime qui désormais signale, "
            "un marché qui dure trois semaines font suivre un enregistrement d’un autre, et tout est lu comme un "
            "déclenchement.",
            en="Whether one offence provokes another. Patrols that return, a victim who now reports, a market that "
            "lasts three weeks all make records follow records, and all are read as triggering.",
        ),
    ),
    "knox": CardText(
        Text(fr="Répétitions proches guidées par la table de Knox", en="Near repeats guided by the Knox table"),
        Text(
            fr="Une moyenne annuelle, relevée autour des enregistrements récents par ce que la table de Knox de la "
            "ville dit qu’ils apportent : les excès de paires proches et rapprochées, là seulement où ils dépassent ce "
            "que donnent des dates permutées.",
            en="A yearly mean, raised around recent records by what the city’s own Knox table says they bring: the "
            "excess of near and close pairs, only where it is more than permuted dates give.",
        ),
        Text(
            fr="La table est une pour toute la ville, et faite d’enregistrements. Une patrouille qui retourne où elle "
            "a enregistré dessine la même table qu’un auteur qui retourne où il a réussi, et la carte l’y renvoie.",
            en="The table is one for the whole city, and made of records. A patrol that returns to where it recorded "
            "draws the same table as an offender who returns to where he succeeded, and the map sends it back there.",
        ),
    ),
    "risk-terrain": CardText(
        Text(fr="Terrain de risque (RTM)", en="Risk terrain (RTM)"),
        Text(
            fr="Les enregistrements d’une fenêtre, expliqués par la densité et la distance des lieux au moyen d’une "
            "régression de Poisson pénalisée, puis une carte faite de ces lieux seuls. Les couches qui n’aident pas à "
            "classer les mailles d’ailleurs sont écartées.",
            en="The records of a window, explained by the density and distance of places through a penalised Poisson "
            "regression, then a map made of those places alone. Layers that do not help to rank cells elsewhere are "
            "dropped.",
        ),
        Text(
            fr="Que les bars apportent des incidents. Un type de lieu où l’on poste des patrouilles, ou d’où l’on "
            "appelle, a un risque relatif élevé sans que rien ne s’y passe ; de deux types voisins le modèle n’en "
            "garde qu’un ; et la valeur d’une couche gardée parce qu’elle paraissait forte est en moyenne trop haute.",
            en="That bars bring incidents. A kind of place where patrols are posted, or from which people call, has a "
            "high relative risk with nothing happening there; of two kinds side by side the model keeps one; and the "
            "value of a layer kept because it looked strong is too high on average.",
        ),
    ),
    "gbm": CardText(
        Text(fr="Arbres boostés (Poisson)", en="Boosted trees (Poisson)"),
        Text(
            fr="Beaucoup de petits arbres apprennent ce que les dernières semaines, les voisins, le calendrier, la "
            "météo et les lieux changent à la moyenne lissée de chaque maille. C’est l’outil que la plupart des "
            "équipes de données apporteraient.",
            en="Many small trees learn what the last weeks, the neighbours, the calendar, the weather and places "
            "change to each cell’s smoothed mean. It is what most data teams would bring.",
        ),
        Text(
            fr="Pourquoi. Une colonne qui aide les arbres n’est pas une cause ; ce qu’ils apprennent de la météo ou "
            "des bars est ce qu’ils font à l’enregistrement. Et le passé sur lequel ils apprennent, entrées tardives "
            "comprises, était plus complet que le matin sur lequel on les interroge.",
            en="Why. A column that helps the trees is no cause; what they learn of weather or bars is what those do to "
            "recording. And the past they learn from, late entries included, was more complete than the morning they "
            "are asked about.",
        ),
    ),
    "st-net": CardText(
        Text(fr="Réseau convolutif spatio-temporel", en="Spatio-temporal convolutional network"),
        Text(
            fr="Un réseau de neurones résiduel lit les cartes des derniers jours, des mêmes jours de semaine et de la "
            "moyenne longue, avec les lieux, le calendrier et la météo, et en tire la carte du lendemain. Il part de "
            "la moyenne longue et n’apprend que ce qui s’en écarte ; l’époque gardée est celle qui annonce le mieux "
            "les dernières semaines, l’absence d’apprentissage comprise.",
            en="A residual neural network reads the maps of the last days, of the same weekdays and of the long-run "
            "mean, with places, calendar and weather, and draws the next day’s map. It starts as the long-run mean and "
            "learns only what departs from it; the epoch kept is the one that best foretells the last weeks, no "
            "training at all included.",
        ),
        Text(
            fr="Pourquoi : il n’a que des poids à montrer. Il apprend les habitudes des patrouilles aussi volontiers "
            "que celles des auteurs, et les semaines qui choisissent l’époque sont elles aussi des enregistrements. "
            "Dans une ville où ils sont rares et dispersés, presque tout ce qu’il pourrait apprendre est du bruit.",
            en="Why: it has nothing but weights to show. It learns patrols’ habits as readily as offenders’, and the "
            "weeks that choose the epoch are records too. Where records are few and scattered, nearly all it could "
            "learn is noise.",
        ),
    ),
    "ensemble": CardText(
        Text(fr="Mélange de prédicteurs", en="Mixture of predictors"),
        Text(
            fr="La moyenne des cartes d’autres prédicteurs, mises au même niveau, chacune pesant ce qu’elle a annoncé "
            "des dernières semaines : les poids rendent ces semaines les plus vraisemblables.",
            en="The mean of other predictors’ maps put at one level, each weighing what it foretold of the last weeks: "
            "the weights make those weeks most likely.",
        ),
        Text(
            fr="Des membres qui apprennent du même fichier se trompent ensemble, et leur moyenne avec eux. Un poids "
            "n’est pas un mérite : deux membres aux cartes voisines se le partagent au hasard. Ce que les poids "
            "récompensent, c’est d’annoncer des enregistrements.",
            en="Members that learn from the same file err together, and their mean with them. A weight is no merit: "
            "two members with like maps share it by chance. What the weights reward is foretelling records.",
        ),
    ),
}

#: What a parameter means, by its name, or by ``predictor.name`` where it means something else there.
PARAMETER_TEXTS: Final[Mapping[str, Text]] = {
    "window_days": Text(
        fr="Jours d’historique utilisés, ou ceux qu’il y a",
        en="Days of history used, or those there are",
    ),
    "bandwidth_m": Text(
        fr="Rayon au-delà duquel un enregistrement ne pèse plus", en="Radius beyond which a record has no weight"
    ),
    "estimator": Text(
        fr="Maximum de vraisemblance, le même corrigé des fonds estimés, ou les itérations de l’exécution publiée",
        en="Maximum of the likelihood, the same allowing for estimated backgrounds, or the published run’s iterations",
    ),
    "cutoff_days": Text(fr="Délai à partir duquel rien n’est déclenché", en="Lag from which nothing is triggered"),
    "cutoff_m": Text(
        fr="Distance à partir de laquelle rien n’est déclenché",
        en="Distance from which nothing is triggered",
    ),
    "neighbours": Text(
        fr="Rang du voisin qui fixe la largeur d’un noyau", en="Rank of the neighbour that sets the width of a kernel"
    ),
    "trend_days": Text(
        fr="Lissage du niveau du fond dans le temps (écart type)",
        en="Smoothing of the background’s level over days (standard deviation)",
    ),
    "iterations": Text(fr="Tours d’espérance–maximisation", en="Rounds of expectation–maximisation"),
    "declustering": Text(
        fr="Répartir chaque événement selon ses probabilités, ou tirer un seul parent",
        en="Share each event by its probabilities, or draw a single parent",
    ),
    "band_m": Text(fr="Largeur d’une bande de distance", en="Width of a distance band"),
    "n_bands_m": Text(fr="Nombre de bandes de distance", en="Number of distance bands"),
    "band_days": Text(fr="Largeur d’une bande de temps", en="Width of a time band"),
    "n_bands_days": Text(fr="Nombre de bandes de temps", en="Number of time bands"),
    "events_at_most": Text(
        fr="Derniers enregistrements sur lesquels repose la table, au plus",
        en="Last records the table rests on, at most",
    ),
    "permutations": Text(fr="Permutations des dates", en="Permutations of the dates"),
    "level": Text(fr="Plus grande valeur p d’une bande retenue", en="Largest p-value of a band that is used"),
    "folds": Text(
        fr="Parts de la ville laissées de côté tour à tour pour choisir la pénalité",
        en="Parts of the city left out in turn to choose the penalty",
    ),
    "block_m": Text(fr="Côté des carrés répartis entre ces parts", en="Side of the squares dealt to those parts"),
    "rule": Text(
        fr="Comment la pénalité se lit sur la validation croisée", en="How the penalty is read off the cross-validation"
    ),
    "trees": Text(fr="Arbres, au plus", en="Trees, at most"),
    "leaves": Text(fr="Feuilles par arbre, au plus", en="Leaves per tree, at most"),
    "learning_rate": Text(fr="Part de chaque arbre qui est ajoutée", en="Share of each tree that is added"),
    "st-net.learning_rate": Text(fr="Premier pas de la descente", en="First step of the descent"),
    "empty_per_record": Text(
        fr="Mailles-jours vides tirées, pour une qui ne l’est pas", en="Empty cell-days drawn, per one that is not"
    ),
    "seed": Text(fr="Graine de ses tirages", en="Seed of its draws"),
    "closeness_days": Text(fr="Jours juste avant, une carte chacun", en="Days just before, one map each"),
    "period_weeks": Text(
        fr="Mêmes jours des semaines d’avant, une carte chacun", en="Same weekdays of the weeks before, one map each"
    ),
    "width": Text(fr="Grandeurs par maille dans le réseau", en="Features per cell inside the network"),
    "blocks": Text(fr="Blocs résiduels de deux convolutions", en="Residual blocks of two convolutions"),
    "epochs": Text(fr="Fois que chaque jour est montré", en="Times every day is shown"),
    "batch_days": Text(fr="Jours par pas", en="Days per step"),
    "validation_days": Text(
        fr="Derniers jours, gardés de côté pour choisir l’époque", en="Last days, kept aside to choose the epoch"
    ),
    "ensemble.validation_days": Text(
        fr="Derniers jours, sur lesquels les poids sont appris", en="Last days, on which weights are learned"
    ),
    "ensemble.window_days": Text(
        fr="Jours dont la moyenne fixe le niveau de la carte", en="Days whose mean sets the level of the map"
    ),
    "device": Text(
        fr="Où il tourne ; `auto` prend l’accélérateur s’il y en a un",
        en="Where it runs; `auto` takes the accelerator if any",
    ),
    "members": Text(fr="Prédicteurs mélangés", en="Predictors mixed"),
    "weighting": Text(
        fr="Poids appris des dernières semaines, ou égaux", en="Weights learned from the last weeks, or equal"
    ),
}  # fmt: skip
