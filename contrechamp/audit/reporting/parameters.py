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
    "bodies": _n("corps montrés à la place de qui attend", "bodies shown instead of those who wait"),
    "burden_thresholds_s": _n("seuils T de la charge (s)", "thresholds T of the burden (s)"),
    "camera_days": _n("jours de caméra", "camera-days"),
    "clip_fps": _n("images par seconde des scènes", "frames per second of the scenes"),
    "clip_s": _n("durée des scènes (s)", "length of the scenes (s)"),
    "clip_threshold_s": _n("seuil T des scènes (s)", "threshold T of the scenes (s)"),
    "clips": _n("scènes filmées avec leurs jumelles", "scenes filmed with their twins"),
    "common_share": _s("part à partir de laquelle une conduite est courante", "share from which behaviour is common"),
    "cue_share": _s("part de gens portant l’indice anodin", "share of people with the harmless cue"),
    "densities": _n("densités (personnes par m²)", "densities (persons per m²)"),
    "episodes": _n("sacs laissés pour de bon tirés", "bags left for good drawn"),
    "grace_back_s": _n("passage trop bref pour garder (s)", "passing too short to attend (s)"),
    "look_s": _n("durée d’un regard de l’opérateur (s)", "length of an operator’s look (s)"),
    "main_prevalence": _s("part de cibles des tableaux de charge", "share of targets in tables of burden"),
    "main_threshold_s": _n("seuil T de l’affirmation (s)", "threshold T of the claim (s)"),
    "miss": _s("images où l’objet en vue est manqué", "frames in which a thing in view is missed"),
    "p_gones": _s("parts de propriétaires qui ne reviennent pas", "shares of owners who never return"),
    "patrol_s": _n("tour des écrans (s)", "round of the screens (s)"),
    "places": _n("lieux", "places"),
    "prevalences": _s("parts de cibles", "shares of targets"),
    "rearm_s": _n("réarmement (s)", "re-arming (s)"),
    "target_stays_min": _n("durées des cibles (min ; 0 : comme les autres)", "stays of targets (min; 0: like others)"),
    "thresholds_s": _n("seuils T (s)", "thresholds T (s)"),
    "track_days": _n("jours de caméra donnés aux règles livrées", "camera-days given to the shipped rules"),
    "track_fps": _n("images par seconde de ces pistes", "frames per second of these tracks"),
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
    ("E09", "detectors"): _n("détecteurs", "detectors"),
    ("E09", "hours_per_day"): _n("heures par jour", "hours per day"),
    ("E10", "hours_per_day"): _n("heures par jour", "hours per day"),
    ("E10", "fps"): _n("images par seconde", "frames per second"),
    ("E04", "events_per_year"): _n("événements par an", "events a year"),
    ("E04", "worlds"): _n("calendriers par monde", "calendars per world"),
    ("E05", "events_per_year"): _n("événements par an", "events a year"),
    ("E05", "worlds"): _n("calendriers par monde", "calendars per world"),
    ("E01", "refit_days"): _n("jours au moins entre deux estimations", "days at least between two estimations"),
    ("E11", "separations"): _n("écarts entre comportements, dans les flux", "distances between behaviours, in streams"),
    ("E11", "blurred"): _s("trajectoires mal suivies", "tracks badly followed"),
    ("E11", "habit_shares"): _s("parts de l’habitude dans le groupe B", "shares of the habit in group B"),
    ("E11", "rarities"): _n("liens entre nuisance et rareté (exposants)", "links of harm with rarity (exponents)"),
    ("E11", "base_rates"): _s("parts nuisibles de toutes les trajectoires", "harmful shares of all tracks"),
    ("E11", "n_tracks"): _n("trajectoires par heure et par opérateur", "tracks per hour and operator"),
    ("E11", "alerts"): _n("alertes lues par heure", "alerts read per hour"),
    ("E11", "label_draws"): _n("étiquetages de chaque flux", "labellings of each stream"),
    ("E11", "share_b"): _s("part du groupe B", "share of group B"),
    ("E11", "common_from"): _s("conduite courante dans un groupe à partir de", "conduct common in a group from"),
    ("E11", "learning_separations"): _n("écarts, pour l’apprentissage", "distances, for learning"),
    ("E11", "train_sizes"): _n("exemples d’apprentissage", "training examples"),
    ("E11", "size_errors"): _n("erreurs sur les tailles (log)", "errors of sizes (log)"),
    ("E11", "position_errors_m"): _n("erreurs de position (m)", "errors of position (m)"),
    ("E11", "mode_examples"): _n("rencontres apprises, et autant jugées", "encounters learned, and as many judged"),
    ("E11", "crowds"): _n("personnes dans la foule", "people in the crowd"),
    ("E11", "noises"): _s("attributs mal lus", "attributes read wrong"),
    ("E11", "colour_skew"): _n("inégalité des couleurs (exposant)", "inequality of colours (exponent)"),
    ("E11", "correlation"): _s("attributs qui vont ensemble", "attributes that go together"),
    ("E11", "worlds"): _n("tirages par monde", "draws per world"),
    ("E13", "dresses"): _n("tenues", "dress"),
    ("E13", "noises"): _s("attributs mal lus", "attributes read wrong"),
    ("E13", "crowds"): _n("personnes dans la foule", "people in the crowd"),
    ("E13", "nearby"): _n("personnes à proximité de la caméra suivante", "people near the next camera"),
    ("E13", "cameras"): _n("caméras d’un parcours", "cameras of a route"),
    ("E13", "p_seen"): _s("passages qu’une caméra voit", "passages that a camera sees"),
    ("E13", "searches"): _n("recherches par foule", "searches per crowd"),
    ("E13", "worlds"): _n("foules par monde", "crowds per world"),
    ("E14", "windows_h"): _n("heures à revoir", "hours to look through"),
    ("E14", "traffics"): _n("véhicules par caméra et par heure", "vehicles per camera and hour"),
    ("E14", "recalls"): _s("voitures rouges gardées", "red cars kept"),
    ("E14", "false_positives"): _s("autres véhicules gardés", "other vehicles kept"),
    ("E14", "passages"): _n("passages de la voiture", "passages of the car"),
    ("E14", "fatigue"): _n("fatigue (par heure)", "tiring (per hour)"),
    ("E14", "other_fatigues"): _n("autres fatigues essayées", "other rates of tiring tried"),
    ("E14", "share_red"): _s("autres voitures rouges dans la circulation", "other red cars in the traffic"),
    ("E14", "review_speed"): _n("vitesse de relecture à la main", "speed of review by hand"),
    ("E14", "clip_s"): _n("secondes par extrait", "seconds per clip"),
    ("E14", "setup_min"): _n("minutes pour poser la recherche", "minutes to state the search"),
    ("E14", "p_notice"): _s("chance de remarquer la voiture, reposé", "chance to notice the car, rested"),
    ("E14", "p_tired"): _s("chance qui reste, fatigué", "chance that remains, tired"),
    ("E14", "break_h"): _n("heures entre deux pauses", "hours between breaks"),
    ("E14", "reps"): _n("recherches par monde", "searches per world"),
    ("E12", "loitering_s"): _n("seuils T de la règle mesurée (s)", "thresholds T of the measured rule (s)"),
    ("E12", "measured_days"): _n("jours de caméra de la règle mesurée", "camera-days of the measured rule"),
    ("E15", "npl_tpir"): _s("personnes trouvées, NPL 2023", "persons found, NPL 2023"),
    ("E15", "npl_false"): _n("fausses alertes comptées, NPL 2023", "false alerts counted, NPL 2023"),
    ("E15", "npl_passages"): _n("passages, NPL 2023", "passages, NPL 2023"),
    ("E15", "suedkreuz_tpir"): _s("personnes trouvées, Südkreuz", "persons found, Südkreuz"),
    ("E15", "suedkreuz_fpir"): _s("fausses alertes par passage, Südkreuz", "false alerts per passage, Südkreuz"),
    ("E15", "stated_fpirs"): _n("fausses alertes par passage, posées", "false alerts per passage, stated"),
    ("E15", "stated_tpir"): _s("personnes trouvées, posé", "persons found, stated"),
    ("E15", "passages"): _n("passages par jour", "passages a day"),
    ("E15", "on_list"): _n("personnes de la liste qui passent par jour", "listed persons who pass in a day"),
    ("E15", "separations"): _n("écarts entre les lois de scores", "distances between the laws of scores"),
    ("E15", "gate_false_accept"): _s("étrangers admis au portique", "strangers let in at the gate"),
    ("E15", "galleries"): _n("photographies", "photographs"),
    ("E15", "enrolled"): _s("chances d’être au fichier", "chances of being in the file"),
    ("E15", "subgroup_share"): _s("part du groupe", "share of the group"),
    ("E15", "subgroup_ratios"): _n("fausses correspondances du groupe, en multiple", "false matches of the group"),
    ("E16", "scenes"): _n("enregistrements d’essai", "recordings tried"),
    ("E16", "training_scenes"): _n(
        "enregistrements d’apprentissage, et de réglage", "recordings learnt from, and to set"
    ),
    ("E16", "scene_s"): _n("durée d’un enregistrement (s)", "length of a recording (s)"),
    ("E16", "reaches_m"): _n("portées (m)", "reaches (m)"),
    ("E16", "recall_wanted"): _s("sons visés à trouver, au réglage", "sought sounds to find, when set"),
    ("E16", "ambiences"): _n("rues", "streets"),
    ("E16", "alike_shares"): _s("sons ordinaires identiques à un son visé", "ordinary sounds the same as one sought"),
    ("E16", "offences_per_day"): _n("faits par capteur et par jour", "offences per sensor and day"),
    ("E16", "sensors"): _n("capteurs", "sensors"),
    ("E16", "gate_db"): _n("niveau d’analyse au-dessus du fond (dB)", "level of analysis over the background (dB)"),
    ("E16", "keep_before_s"): _n("son gardé avant une alerte (s)", "sound kept before an alert (s)"),
    ("E16", "keep_after_s"): _n("son gardé après une alerte (s)", "sound kept after an alert (s)"),
    ("E16", "responses"): _n("déplacements publiés", "published responses"),
    ("E16", "recorded"): _n("dont l’issue est notée", "with a recorded outcome"),
    ("E16", "with_evidence"): _n("avec indice d’infraction", "with evidence of an offence"),
    ("E16", "finding_shares"): _s("vrais tirs dont on trouve trace", "true shots that leave a trace"),
    ("E17", "effects"): _s("effets vrais", "true effects"),
    ("E17", "selections"): _n("choix des rues", "choices of streets"),
    ("E17", "n_cameras"): _n("rues équipées", "streets with cameras"),
    ("E17", "per_years"): _n("faits par rue et par an", "records per street and year"),
    ("E17", "displacements"): _s("part déplacée à côté", "share moved next door"),
    ("E17", "others_per_camera"): _n("rues non équipées par rue équipée", "streets without cameras per street with"),
    ("E17", "trends"): _s("tendances annuelles de la ville", "yearly trends of the city"),
    ("E17", "level_sd"): _n("dispersion entre rues (log)", "spread between streets (log)"),
    ("E17", "year_sd"): _n("dispersion d’une rue entre années (log)", "spread of a street between years (log)"),
    ("E17", "falls"): _s("baisses publiées", "published falls"),
    ("E17", "worlds"): _n("villes par monde", "cities per world"),
    ("E17", "displaced_up_to"): _n(
        "rues équipées au plus, avec déplacement", "streets with cameras at most, displaced"
    ),
    ("E18", "reps"): _n("corpus simulés", "simulated corpora"),
    ("E23", "announced_from"): _n("annoncé du", "announced from"),
    ("E23", "announced_to"): _n("au", "to"),
    ("E23", "shown"): _n("montré à la presse", "shown to the press"),
    ("E23", "in_service"): _n("en service", "in service"),
    ("E23", "cameras_promised"): _n("caméras annoncées", "cameras announced"),
    ("E23", "cameras_low"): _n("caméras comptées, au moins", "cameras counted, at least"),
    ("E23", "cameras_high"): _n("caméras comptées, au plus", "cameras counted, at most"),
    ("E23", "steps_before_2018"): _n("échanges avec la CNIL avant fin 2017", "exchanges with the CNIL before 2018"),
    ("E23", "assessments"): _n("études d’impact publiées", "impact assessments published"),
    ("E23", "learned_models"): _n("modèles appris, selon la Ville", "learned models, according to the City"),
    ("E23", "answered"): _n("demandes satisfaites", "requests answered"),
    ("E23", "unanswered"): _n("demandes sans réponse", "requests without reply"),
    ("E25", "worlds"): _n("villes par monde", "cities per world"),
    ("E27", "reps"): _n("années placebo simulées", "simulated placebo years"),
    ("E28", "reps"): _n("villes de bruit pur simulées", "simulated cities of pure noise"),
    ("E22", "n_days"): _n("jours d’enregistrements", "days of records"),
    ("E28", "n_days"): _n("jours explorés", "days explored"),
}
#: Parameters whose values are values of a world's key.
_VALUES_OF: Final[Mapping[str, str]] = {
    "bodies": "body", "places": "place",
    "ambiences": "ambience",
    "adequacy_formulas": "adequacy_formula", "arrivals": "arrivals", "forecast": "predictor", "forecasts": "predictor",
    "table_forecasts": "predictor",
    "dresses": "dress",
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
