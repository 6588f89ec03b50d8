"""Names, for people, of the experiments' parameters: what each is, in which unit.

A parameter without a name here is printed under its identifier: the report is then less pleasant, never wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import percent, plain_number, typeset
from contrechamp.domain.text import Lang, Text

#: How a value is printed: as a share, as a number, or as one of the named values of a world's key.
Kind = Literal["number", "share"]
Known = tuple[Text, Kind]


def _n(fr: str, en: str) -> Known:
    return Text(fr=fr, en=en), "number"


def _s(fr: str, en: str) -> Known:
    return Text(fr=fr, en=en), "share"


#: Names common to all experiments; one experiment's own meaning stands in :data:`OWN`.
COMMON: Final[Mapping[str, Known]] = {
    "accounts": _n("comptes", "accounts"),
    "adequacy_formulas": _n("formules de l’adéquation", "adequacy formulas"),
    "alpha": _s("seuil de chaque test", "threshold of each test"),
    "anchor_cameras": _n("caméras en 2015", "cameras in 2015"),
    "anchor_days": _n("jours de la période", "days of the period"),
    "anchor_events": _n("faits vus en direct en 2015", "events seen live in 2015"),
    "area_shares": _s("surfaces désignées", "flagged areas"),
    "areas": _s("surfaces signalées", "flagged areas"),
    "arrivals": _n("lois des incidents d’un jour", "laws of the incidents of a day"),
    "autocorrelation": _n("ressemblance d’un jour au suivant", "likeness of a day to the next"),
    "cameras": _n("caméras", "cameras"),
    "captured": _s("part annoncée des faits", "announced share of events"),
    "choice_days": _n("jours où les meilleurs flux sont choisis", "days on which the best streams are chosen"),
    "cases": _n("enquêtes du corpus", "investigations of the corpus"),
    "confoundings": _n("confusion (0 : aucune)", "confounding (0: none)"),
    "clash_days": _n("jours du calendrier des conflits", "days of the calendar of clashes"),
    "clash_events": _n("événements de ce calendrier", "events of that calendar"),
    "clash_works": _n("travaux de ce calendrier", "road works of that calendar"),
    "days_per_year": _n("jours par an", "days per year"),
    "departments": _n("départements", "departments"),
    "dependence": _s("choses visibles des deux services", "things plain to both services"),
    "deterrences": _n("incidents évités par heure (δ)", "prevention per hour (δ)"),
    "displacements": _s("parts déplacées à côté", "shares moved next door"),
    "effort_trend_sds": _n("mouvements de l’effort (pente annuelle, log)", "movements of effort (yearly slope, log)"),
    "effects": _n("échelles des effets causaux", "scales of causal effects"),
    "discovery_shares": _s("parts des faits trouvées par les agents", "shares of facts found by officers"),
    "equal_zones": _n("zones de même taux", "zones of equal rate"),
    "evaluated_days": _n("jours évalués", "days evaluated"),
    "events_per_year": _n("faits par an", "events a year"),
    "excess": _n("sureffectif délibéré (fois)", "deliberate over-staffing (times)"),
    "extra_reps": _n("villes de chaque monde témoin", "cities of each control world"),
    "explore": _s("heures réparties partout", "hours spread everywhere"),
    "fa_per_camera_day": _n("fausses alertes par caméra et par jour", "false alerts per camera and day"),
    "finding_per_hour": _n("découvertes par heure et par incident", "finds per hour and incident"),
    "flagged": _s("cases désignées", "cells flagged"),
    "columns": _n("colonnes de cellules", "columns of cells"),
    "every": _n("un jour prédit sur", "one day predicted in"),
    "forecast": _n("carte éprouvée", "map under test"),
    "forecasts": _n("prévisions éprouvées", "forecasts under test"),
    "gain": _s("gain demandé", "gain asked for"),
    "growth_years": _n("années de croissance", "years of growth"),
    "habit_strengths": _s("forces de l’habitude", "strengths of habit"),
    "headline_points": _n("avance annoncée (points)", "announced lead (points)"),
    "history_days": _n("jours avant la première carte", "days before the first map"),
    "hours_per_day": _n("heures de patrouille par jour", "patrol-hours per day"),
    "incidents_per_day": _n("incidents par jour", "incidents per day"),
    "information": _n(
        "nats par incident de chaque flux qui apprend du neuf",
        "nats per incident of each stream that tells something new",
    ),
    "incidents_per_event": _n("incidents par événement sans agents", "incidents per event without officers"),
    "informativeness": _s("information au-delà de l’affluence", "information beyond attendance"),
    "kappas": _n("contagion κ", "contagion κ"),
    "latent_per_day": _n("incidents par jour", "incidents per day"),
    "level": _s("niveau des intervalles", "level of the intervals"),
    "loop_days": _n("jours de boucle", "days of loop"),
    "looks": _n("analyses essayées K", "analyses tried K"),
    "memory_days": _n("jours d’enregistrements vus avant", "days of records seen before"),
    "map_reps": _n("villes simulées", "simulated cities"),
    "min_leaf": _n("événements par feuille, au moins", "events per leaf, at least"),
    "minutes_per_alert": _n("minutes de lecture par alerte", "reading minutes per alert"),
    "multipliers": _n("faits réels pour un fait vu, m", "true events per event seen, m"),
    "n_cells": _n("cellules de la ville", "cells of the city"),
    "n_days": _n("jours simulés", "days simulated"),
    "n_districts": _n("quartiers", "districts"),
    "n_draws": _n("tirages de bootstrap", "bootstrap draws"),
    "n_informative": _n("flux porteurs en plus des mains courantes", "streams that tell something beside the log"),
    "n_base": _n("points de base du plan de Sobol", "base points of the Sobol design"),
    "n_cities": _n("villes par monde plausible", "cities per plausible world"),
    "n_plausible": _n("mondes plausibles tirés", "plausible worlds drawn"),
    "n_reps": _n("villes simulées par monde", "simulated cities per world"),
    "n_streams": _n("séries de données indépendantes", "independent data series"),
    "n_weeks": _n("semaines", "weeks"),
    "n_trees": _n("arbres de la forêt", "trees of the forest"),
    "note_formula": _n("formule de la note", "note formula"),
    "note_formulas": _n("formules de la note", "note formulas"),
    "operators": _n("opérateurs présents", "operators on duty"),
    "overlaps": _s("part des redites parmi les flux porteurs", "share of repeats among streams that tell something"),
    "p_covered": _s("scène vue par une caméra", "scene seen by a camera"),
    "p_kept": _s("images encore gardées", "images still kept"),
    "p_reported": _s("incidents signalés", "incidents reported"),
    "p_requested": _s("images demandées", "images requested"),
    "p_solved_other": _s("élucidées autrement, sans images demandées", "solved otherwise, no images requested"),
    "p_solved_requested": _s("élucidées autrement, images demandées", "solved otherwise, images requested"),
    "p_useful": _s("images demandées qui aident", "requested images that help"),
    "per_day": _n("incidents par jour", "incidents per day"),
    "per_weeks": _n("présents par quartier et par semaine", "present per district and week"),
    "plan_spread": _n("dispersion des plans (log)", "spread of plans (log)"),
    "planted_r": _n("corrélation plantée", "planted correlation"),
    "position_noises_m": _n("erreurs de lieu (m)", "errors of place (m)"),
    "prevented_shares": _s("parts évitées par un dispositif ordinaire", "shares prevented by an ordinary deployment"),
    "rare_per_year": _n("faits très rares, par an", "very rare events, a year"),
    "predictor": _n("carte apprise", "learned map"),
    "ratios": _n("écarts d’entrée r", "input gaps r"),
    "read_days": _n("jours lus à la fin", "days read at the end"),
    "rate": _n("incidents par jour et par zone", "incidents per day and zone"),
    "refit_days": _n("jours entre deux ajustements", "days between refits"),
    "recorded_shares": _s("parts enregistrées", "recorded shares"),
    "recording_biases": _n("biais d’enregistrement (0 : aucun)", "recording bias (0: none)"),
    "ranges": _n("plages des inconnues", "ranges of the unknowns"),
    "reps": _n("tirages", "draws"),
    "rows": _n("rangées de cellules", "rows of cells"),
    "requested_share": _s("part des affaires où des images sont demandées", "share of cases with images requested"),
    "rhos": _s("parts signalées ρ", "shares reported ρ"),
    "rules": _n("règles d’affectation", "allocation rules"),
    "sds_points": _n("dispersions annuelles (points)", "yearly spreads (points)"),
    "seeds": _n("villes par monde", "cities per world"),
    "sensitivities": _s("sensibilités", "sensitivities"),
    "shares_entered": _s("parts des événements saisies", "shares of events entered"),
    "share": _s("cases servies", "cells served"),
    "shift_h": _n("heures d’une vacation", "hours of a shift"),
    "sources": _n("origines des enregistrements", "origins of records"),
    "sigmas": _n("concentrations σ", "concentrations σ"),
    "start": _n("enregistrements par zone le premier matin", "records per zone on the first morning"),
    "steerings": _n("effort envoyé où cela monte (corrélation)", "effort sent where it rises (correlation)"),
    "test_days": _n("jours jugés", "days scored"),
    "train_days": _n("jours appris avant la première prévision", "days learned before the first forecast"),
    "table_forecasts": _n("prévisions coûteuses", "costly forecasts"),
    "table_shares": _s("parts enregistrées des prévisions coûteuses", "recorded shares of the costly forecasts"),
    "table_worlds": _n("graines des prévisions coûteuses", "seeds of the costly forecasts"),
    "tested": _n("départements équipés", "departments with the tool"),
    "time_noises_h": _n("erreurs d’heure (h)", "errors of hour (h)"),
    "transients": _s("parts passagères des variations", "passing shares of change"),
    "trend_size": _n("pente annuelle vraie (log)", "true yearly slope (log)"),
    "tried_days": _n("jours d’essai avant le choix", "days of trial before the choice"),
    "turnovers": _n("renouvellement des lieux (0 : aucun)", "turnover of places (0: none)"),
    "unequal_rates": _n("taux inégaux, par jour", "unequal rates, per day"),
    "worlds": _n("graines par monde", "seeds per world"),
    "years": _n("années", "years"),
}
OWN: Final[Mapping[tuple[str, str], Known]] = {
    ("E04", "events_per_year"): _n("événements par an", "events a year"),
    ("E04", "worlds"): _n("calendriers par monde", "calendars per world"),
    ("E05", "events_per_year"): _n("événements par an", "events a year"),
    ("E05", "worlds"): _n("calendriers par monde", "calendars per world"),
    ("E01", "refit_days"): _n("jours au moins entre deux estimations", "days at least between two estimations"),
    ("E18", "reps"): _n("corpus simulés", "simulated corpora"),
    ("E25", "worlds"): _n("villes par monde", "cities per world"),
    ("E27", "reps"): _n("années placebo simulées", "simulated placebo years"),
    ("E28", "reps"): _n("villes de bruit pur simulées", "simulated cities of pure noise"),
    ("E22", "n_days"): _n("jours d’enregistrements", "days of records"),
    ("E28", "n_days"): _n("jours explorés", "days explored"),
}
#: Parameters whose values are values of a world's key.
_VALUES_OF: Final[Mapping[str, str]] = {
    "adequacy_formulas": "adequacy_formula", "arrivals": "arrivals", "forecast": "predictor", "forecasts": "predictor",
    "table_forecasts": "predictor",
    "note_formulas": "note_formula", "rules": "rule", "sources": "source",
}  # fmt: skip


def parameter_name(experiment: str, key: str, lang: Lang) -> str | None:
    """Name of a parameter with its unit, or None."""
    known = OWN.get((experiment, key)) or COMMON.get(key)
    return typeset(known[0].in_(lang), lang) if known else None


def parameter_value(experiment: str, key: str, value: Any, lang: Lang) -> str:
    """Value of a parameter; the values of a list are parted by semicolons.

    Examples
    --------
    >>> parameter_value("E02", "rhos", [0.0, 0.25], "en"), parameter_value("E02", "rules", ["top"], "en")
    ('0%; 25%', 'all to the top zones')
    """
    if isinstance(value, list | tuple):
        if not value:
            return Text(fr="aucune", en="none").in_(lang)
        joint = "\u202f; " if lang == "fr" else "; "
        return joint.join(parameter_value(experiment, key, v, lang) for v in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = value_name(_VALUES_OF.get(key, key), value, lang)
        return text.replace(".", ",") if key == "unequal_rates" and lang == "fr" else text
    known = OWN.get((experiment, key)) or COMMON.get(key)
    if known and known[1] == "share":
        return percent(float(value), lang)
    return plain_number(float(value), lang)
