"""Names, for people, of what tells one world from another: the keys and values of ``world`` in the results.

A key without a name here is printed as it is: the report is then less pleasant, never wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contrechamp.audit.reporting.wording import percent, plain_number, typeset
from contrechamp.domain.text import Lang, Text

KEYS: Final[Mapping[str, Text]] = {
    "K": Text(fr="analyses K", en="analyses K"),
    "against": Text(fr="comparé à", en="against"),
    "area": Text(fr="surface signalée", en="flagged area"),
    "area_share": Text(fr="surface désignée", en="flagged area"),
    "arrivals": Text(fr="loi des incidents", en="law of incidents"),
    "cameras": Text(fr="caméras", en="cameras"),
    "captured": Text(fr="part annoncée", en="announced share"),
    "charged": Text(fr="imputé", en="charged"),
    "claim": Text(fr="affirmation", en="claim"),
    "confounding": Text(fr="confusion", en="confounding"),
    "class": Text(fr="faits", en="events"),
    "comparator": Text(fr="repère", en="comparator"),
    "comparison": Text(fr="comparaison", en="comparison"),
    "denominators": Text(fr="dénominateurs", en="denominators"),
    "effect": Text(fr="échelle des effets", en="scale of effects"),
    "effort_trend_sd": Text(fr="mouvement de l’effort (par an)", en="movement of effort (per year)"),
    "estimator": Text(fr="lecture des comptages", en="reading of counts"),
    "event": Text(fr="fait", en="event"),
    "fa_per_camera_day": Text(fr="fausses alertes par caméra et par jour", en="false alerts per camera and day"),
    "figure": Text(fr="chiffre", en="figure"),
    "grid": Text(fr="grille", en="grid"),
    "images": Text(fr="images", en="images"),
    "information": Text(fr="nats par flux", en="nats per stream"),
    "kappa": Text(fr="contagion κ", en="contagion κ"),
    "latent_per_day": Text(fr="incidents par jour", en="incidents per day"),
    "m": Text(fr="faits réels pour un vu, m", en="true events per event seen, m"),
    "map": Text(fr="carte", en="map"),
    "method": Text(fr="méthode", en="method"),
    "n_days": Text(fr="jours d’enregistrements", en="days of records"),
    "n_informative": Text(fr="flux porteurs", en="streams that tell something"),
    "of": Text(fr="divisé par", en="divided by"),
    "overlap": Text(fr="part des redites", en="share of repeats"),
    "per_week": Text(fr="présents par quartier et par semaine", en="present per district and week"),
    "planned_meur": Text(fr="budget annoncé (M€)", en="announced budget (€ million)"),
    "predictor": Text(fr="carte", en="map"),
    "rare_per_year": Text(fr="faits par an", en="events a year"),
    "rates": Text(fr="taux vrais", en="true rates"),
    "reading": Text(fr="lecture", en="reading"),
    "recording_bias": Text(fr="biais d’enregistrement", en="recording bias"),
    "rho": Text(fr="part signalée ρ", en="share reported ρ"),
    "rule": Text(fr="règle", en="rule"),
    "safeguard": Text(fr="garde-fou", en="safeguard"),
    "scored_on": Text(fr="jugée sur", en="scored on"),
    "sd": Text(fr="dispersion annuelle (points)", en="yearly spread (points)"),
    "selection": Text(fr="choix des départements", en="choice of departments"),
    "sensitivity": Text(fr="sensibilité", en="sensitivity"),
    "share": Text(fr="part", en="share"),
    "sigma": Text(fr="concentration σ", en="concentration σ"),
    "solved": Text(fr="élucidées", en="solved"),
    "steering": Text(fr="effort envoyé où cela monte", en="effort sent where it rises"),
    "stream": Text(fr="flux", en="stream"),
    "turnover": Text(fr="renouvellement des lieux", en="turnover of places"),
    "transient": Text(fr="part passagère", en="passing share"),
    "zones": Text(fr="zones", en="zones"),
}

VALUES: Final[Mapping[tuple[str, str], Text]] = {
    ("arrivals", "bernoulli"): Text(fr="un au plus", en="at most one"),
    ("arrivals", "poisson"): Text(fr="loi de Poisson", en="Poisson law"),
    ("class", "seen-2015"): Text(fr="fréquents comme en 2015", en="as frequent as in 2015"),
    ("class", "rare"): Text(fr="très rares", en="very rare"),
    ("comparison", "national_mean"): Text(fr="moyenne nationale", en="national mean"),
    ("comparison", "other_departments"): Text(fr="autres départements", en="other departments"),
    ("comparison", "fixed_mean"): Text(fr="moyenne fixe", en="fixed mean"),
    ("estimator", "raw"): Text(fr="comptages bruts", en="raw counts"),
    ("estimator", "per-hour"): Text(fr="par heure travaillée", en="per hour worked"),
    ("estimator", "recapture"): Text(fr="capture-recapture", en="capture-recapture"),
    ("event", "arrests"): Text(fr="interpellations", en="arrests"),
    ("event", "interventions"): Text(fr="interventions", en="interventions"),
    ("event", "live_detections"): Text(fr="faits vus en direct", en="events seen live"),
    ("event", "requests"): Text(fr="demandes d’intervention", en="requests for intervention"),
    ("grid", "published"): Text(fr="chiffres publiés", en="published figures"),
    ("grid", "one_denominator"): Text(fr="un seul dénominateur", en="one denominator"),
    ("grid", "all_requested"): Text(fr="images demandées partout", en="images requested everywhere"),
    ("grid", "only_useful_requested"): Text(
        fr="demandées seulement où elles ont aidé", en="requested only where they helped"
    ),
    ("grid", "solved_74_of_all"): Text(fr="74 % de toutes les affaires élucidées", en="74 % of all cases solved"),
    ("grid", "all"): Text(fr="toute la grille", en="whole grid"),
    ("images", "useful"): Text(fr="utiles", en="useful"),
    ("images", "useless_selected"): Text(fr="inutiles, demandes ciblées", en="useless, targeted requests"),
    ("images", "useless_random"): Text(fr="inutiles, demandes au hasard", en="useless, random requests"),
    ("map", "known_risk"): Text(fr="risque connu", en="known risk"),
    ("map", "past_year"): Text(fr="année passée", en="past year"),
    ("method", "gbm-permutation"): Text(fr="arbres boostés, permutation", en="boosted trees, permutation"),
    ("method", "gbm-shapley"): Text(fr="arbres boostés, Shapley", en="boosted trees, Shapley"),
    ("method", "poisson-permutation"): Text(fr="régression de Poisson, permutation", en="Poisson regression, permutation"),
    ("method", "poisson-shapley"): Text(fr="régression de Poisson, Shapley", en="Poisson regression, Shapley"),
    ("method", "partial-correlation"): Text(fr="corrélation partielle", en="partial correlation"),
    ("method", "trial-records"): Text(fr="essai randomisé, enregistrements", en="randomised trial, records"),
    ("method", "trial-incidents"): Text(fr="essai randomisé, incidents", en="randomised trial, incidents"),
    ("of", "all"): Text(fr="toutes les affaires", en="all cases"),
    ("of", "solved"): Text(fr="affaires élucidées", en="solved cases"),
    ("predictor", "uniform"): Text(fr="uniforme (hasard)", en="uniform (chance)"),
    ("predictor", "trailing-mean"): Text(fr="moyenne de 52 semaines", en="52-week mean"),
    ("predictor", "retro-quartic"): Text(fr="carte à noyau", en="kernel map"),
    ("predictor", "etas-per-cell"): Text(fr="auto-excitation par maille", en="per-cell self-excitation"),
    ("predictor", "clairvoyant"): Text(fr="devin (intensité vraie)", en="clairvoyant (true intensity)"),
    ("rates", "equal"): Text(fr="égaux", en="equal"),
    ("reading", "parts"): Text(fr="parts comprises", en="parts included"),
    ("reading", "added"): Text(fr="parts ajoutées", en="parts added"),
    ("reading", "left to the City"): Text(fr="reste à la Ville", en="left to the City"),
    ("rule", "proportional"): Text(fr="proportionnelle", en="proportional"),
    ("rule", "top"): Text(fr="tout à la première zone", en="all to the top zone"),
    ("rule", "fixed"): Text(fr="fixe (sans boucle)", en="fixed (no loop)"),
    ("rule", "reported-only"): Text(fr="signalements seuls", en="reports only"),
    ("rule", "importance-weighted"): Text(fr="découvertes pondérées", en="weighted discoveries"),
    ("safeguard", "none"): Text(fr="aucun", en="none"),
    ("safeguard", "preregistered"): Text(fr="analyse annoncée d’avance", en="analysis announced in advance"),
    ("safeguard", "holm"): Text(fr="correction de Holm", en="Holm correction"),
    ("safeguard", "benjamini-hochberg"): Text(fr="Benjamini–Hochberg", en="Benjamini–Hochberg"),
    ("safeguard", "locked_year"): Text(fr="année verrouillée", en="locked year"),
    ("scored_on", "truth"): Text(fr="incidents latents", en="latent incidents"),
    ("scored_on", "records"): Text(fr="enregistrements", en="records"),
    ("selection", "random"): Text(fr="au hasard", en="at random"),
    ("selection", "worst_last_year"): Text(fr="les pires de l’an passé", en="last year’s worst"),
    ("share", "all"): Text(fr="aidé / toutes", en="helped / all"),
    ("share", "solved"): Text(fr="aidé / élucidées", en="helped / solved"),
    ("share", "requested_solved"): Text(fr="élucidées / demandées", en="solved / requested"),
    ("stream", "mains_courantes"): Text(fr="mains courantes", en="municipal log entries"),
    ("stream", "verbalisations"): Text(fr="verbalisations", en="fines"),
    ("stream", "calendar"): Text(fr="calendrier", en="calendar"),
    ("stream", "weather"): Text(fr="météo", en="weather"),
    ("stream", "fire_brigade"): Text(fr="marins-pompiers", en="fire brigade"),
    ("stream", "transport"): Text(fr="transports", en="transport"),
    ("stream", "road"): Text(fr="route", en="roads"),
    ("stream", "justice"): Text(fr="justice", en="justice"),
    ("stream", "police"): Text(fr="police", en="police"),
    ("figure", "derived"): Text(fr="déduit", en="derived"),
    ("against", "works only"): Text(fr="travaux seuls", en="works only"),
    ("charged", "all running cost"): Text(fr="tout le fonctionnement", en="all running cost"),
    ("comparator", "memory"): Text(fr="chiffre de mémoire", en="figure from memory"),
}

#: Keys whose values are shares, printed as percentages.
_SHARES: Final = frozenset({"overlap", "area", "area_share", "captured", "rho", "sensitivity", "transient"})


def key_name(key: str, lang: Lang) -> str:
    """Name of a key of the world."""
    known = KEYS.get(key)
    return typeset(known.in_(lang), lang) if known else key


def value_name(key: str, value: Any, lang: Lang) -> str:
    """Name of a value of the world."""
    if isinstance(value, bool):
        return ({True: "oui", False: "non"} if lang == "fr" else {True: "yes", False: "no"})[value]
    if isinstance(value, int | float):
        return percent(value, lang, digits=2) if key in _SHARES else plain_number(float(value), lang)
    known = VALUES.get((key, str(value)))
    if known:
        return typeset(known.in_(lang), lang)
    if key in ("figure", "rates"):
        text = str(value).replace(".", ",") if lang == "fr" else str(value)
        return text + (typeset(" %", lang) if key == "figure" else "")
    return str(value)


def world_name(world: Mapping[str, Any], lang: Lang, *, but: frozenset[str] | set[str] = frozenset()) -> str:
    """One line for a world: « règle : proportionnelle, part signalée ρ : 25 % »."""
    colon = "\u202f: " if lang == "fr" else ": "
    return "; ".join(
        f"{key_name(k, lang)}{colon}{value_name(k, v, lang)}" for k, v in world.items() if k not in but
    ).replace("; ", "\u202f; " if lang == "fr" else "; ")
