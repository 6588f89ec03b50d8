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
    "adequacy_formula": Text(fr="formule de l’adéquation", en="adequacy formula"),
    "against": Text(fr="comparé à", en="against"),
    "area": Text(fr="surface signalée", en="flagged area"),
    "area_sq_mi": Text(fr="surface signalée (milles carrés)", en="flagged area (square miles)"),
    "area_share": Text(fr="surface désignée", en="flagged area"),
    "arrivals": Text(fr="loi des incidents", en="law of incidents"),
    "cameras": Text(fr="caméras", en="cameras"),
    "captured": Text(fr="part annoncée", en="announced share"),
    "charged": Text(fr="imputé", en="charged"),
    "claim": Text(fr="affirmation", en="claim"),
    "confounding": Text(fr="confusion", en="confounding"),
    "class": Text(fr="faits", en="events"),
    "colour": Text(fr="couleur", en="colour"),
    "comparator": Text(fr="repère", en="comparator"),
    "comparison": Text(fr="comparaison", en="comparison"),
    "denominators": Text(fr="dénominateurs", en="denominators"),
    "effect": Text(fr="échelle des effets", en="scale of effects"),
    "effort_trend_sd": Text(fr="mouvement de l’effort (par an)", en="movement of effort (per year)"),
    "estimator": Text(fr="lecture des comptages", en="reading of counts"),
    "discovery_share": Text(fr="part des faits trouvée par les agents", en="share of facts found by officers"),
    "event": Text(fr="fait", en="event"),
    "fa_per_camera_day": Text(fr="fausses alertes par caméra et par jour", en="false alerts per camera and day"),
    "factor": Text(fr="inconnue", en="unknown"),
    "figure": Text(fr="chiffre", en="figure"),
    "grid": Text(fr="grille", en="grid"),
    "habit_strength": Text(fr="force de l’habitude", en="strength of habit"),
    "images": Text(fr="images", en="images"),
    "information": Text(fr="nats par flux", en="nats per stream"),
    "incidents_per_event": Text(fr="incidents par événement", en="incidents per event"),
    "informativeness": Text(fr="information au-delà de l’affluence", en="information beyond attendance"),
    "kappa": Text(fr="contagion κ", en="contagion κ"),
    "latent_per_day": Text(fr="incidents par jour", en="incidents per day"),
    "m": Text(fr="faits réels pour un vu, m", en="true events per event seen, m"),
    "map": Text(fr="carte", en="map"),
    "method": Text(fr="méthode", en="method"),
    "n_days": Text(fr="jours d’enregistrements", en="days of records"),
    "n_informative": Text(fr="flux porteurs", en="streams that tell something"),
    "note_formula": Text(fr="formule de la note", en="note formula"),
    "nij_rules": Text(fr="règles du NIJ tenues", en="NIJ rules met"),
    "of": Text(fr="divisé par", en="divided by"),
    "overlap": Text(fr="part des redites", en="share of repeats"),
    "per_week": Text(fr="présents par quartier et par semaine", en="present per district and week"),
    "planned_meur": Text(fr="budget annoncé (M€)", en="announced budget (€ million)"),
    "position_noise_m": Text(fr="erreur de lieu (m)", en="error of place (m)"),
    "predictor": Text(fr="carte", en="map"),
    "prevented_share": Text(fr="incidents évités", en="incidents prevented"),
    "deterrence": Text(fr="incidents évités par heure (δ)", en="prevention per hour (δ)"),
    "displacement": Text(fr="part déplacée à côté", en="share moved next door"),
    "policy": Text(fr="qui envoie", en="who sends"),
    "rare_per_year": Text(fr="faits par an", en="events a year"),
    "ratio": Text(fr="écart d’entrée r", en="input gap r"),
    "rates": Text(fr="taux vrais", en="true rates"),
    "reading": Text(fr="lecture", en="reading"),
    "recorded_share": Text(fr="part enregistrée", en="recorded share"),
    "recording_bias": Text(fr="biais d’enregistrement", en="recording bias"),
    "rho": Text(fr="part signalée ρ", en="share reported ρ"),
    "rule": Text(fr="règle", en="rule"),
    "safeguard": Text(fr="garde-fou", en="safeguard"),
    "scored_on": Text(fr="jugée sur", en="scored on"),
    "sd": Text(fr="dispersion annuelle (points)", en="yearly spread (points)"),
    "selection": Text(fr="choix des départements", en="choice of departments"),
    "sensitivity": Text(fr="sensibilité", en="sensitivity"),
    "share": Text(fr="part", en="share"),
    "share_entered": Text(fr="événements saisis", en="events entered"),
    "sigma": Text(fr="concentration σ", en="concentration σ"),
    "source": Text(fr="origine des enregistrements", en="origin of records"),
    "stage": Text(fr="moment", en="moment"),
    "solved": Text(fr="élucidées", en="solved"),
    "steering": Text(fr="effort envoyé où cela monte", en="effort sent where it rises"),
    "stream": Text(fr="flux", en="stream"),
    "time_noise_h": Text(fr="erreur d’heure (h)", en="error of hour (h)"),
    "turnover": Text(fr="renouvellement des lieux", en="turnover of places"),
    "transient": Text(fr="part passagère", en="passing share"),
    "zones": Text(fr="zones", en="zones"),
}

VALUES: Final[Mapping[tuple[str, str], Text]] = {
    ("adequacy_formula", "resemblance"): Text(fr="ressemblance (hypothèse de notre part)", en="likeness (our guess)"),
    ("adequacy_formula", "quiet-events"): Text(
        fr="événements bien passés (hypothèse de notre part)", en="events that went well (our guess)"
    ),
    ("adequacy_formula", "coverage"): Text(fr="couverture (hypothèse de notre part)", en="coverage (our guess)"),
    ("arrivals", "bernoulli"): Text(fr="un au plus", en="at most one"),
    ("arrivals", "poisson"): Text(fr="loi de Poisson", en="Poisson law"),
    ("class", "seen-2015"): Text(fr="fréquents comme en 2015", en="as frequent as in 2015"),
    ("class", "rare"): Text(fr="très rares", en="very rare"),
    ("colour", "green"): Text(fr="vert", en="green"),
    ("colour", "orange"): Text(fr="orange", en="orange"),
    ("colour", "red"): Text(fr="rouge", en="red"),
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
    ("method", "poisson-permutation"): Text(
        fr="régression de Poisson, permutation", en="Poisson regression, permutation"
    ),
    ("method", "poisson-shapley"): Text(fr="régression de Poisson, Shapley", en="Poisson regression, Shapley"),
    ("method", "partial-correlation"): Text(fr="corrélation partielle", en="partial correlation"),
    ("method", "trial-records"): Text(fr="essai randomisé, enregistrements", en="randomised trial, records"),
    ("method", "trial-incidents"): Text(fr="essai randomisé, incidents", en="randomised trial, incidents"),
    ("note_formula", "rank"): Text(fr="rang (hypothèse de notre part)", en="rank (our guess)"),
    ("note_formula", "fixed-scale"): Text(fr="barème fixe (hypothèse de notre part)", en="fixed scale (our guess)"),
    ("note_formula", "per-head"): Text(fr="par participant (hypothèse de notre part)", en="per attendee (our guess)"),
    ("of", "all"): Text(fr="toutes les affaires", en="all cases"),
    ("of", "solved"): Text(fr="affaires élucidées", en="solved cases"),
    ("policy", "long-run-mean"): Text(fr="moyenne longue", en="long-run mean"),
    ("policy", "top-decile"): Text(fr="tirage dans le premier dixième", en="draw in the top tenth"),
    ("policy", "equal"): Text(fr="heures égales partout", en="equal hours everywhere"),
    ("policy", "retro-quartic"): Text(fr="carte à noyau", en="kernel map"),
    ("policy", "prospective"): Text(fr="carte prospective", en="prospective map"),
    ("policy", "etas-per-cell"): Text(fr="auto-excitation par maille", en="per-cell self-excitation"),
    ("policy", "ensemble"): Text(fr="ensemble", en="ensemble"),
    ("predictor", "uniform"): Text(fr="uniforme (hasard)", en="uniform (chance)"),
    ("predictor", "trailing-mean"): Text(fr="moyenne de 52 semaines", en="52-week mean"),
    ("predictor", "retro-quartic"): Text(fr="carte à noyau", en="kernel map"),
    ("predictor", "same-weekday"): Text(fr="même jour de la semaine", en="same day of the week"),
    ("predictor", "prospective"): Text(fr="carte prospective (ProMap)", en="prospective map (ProMap)"),
    ("predictor", "sepp"): Text(fr="auto-excitation à noyau", en="kernel self-excitation"),
    ("predictor", "knox"): Text(fr="voisinage de Knox", en="Knox near-repeat"),
    ("predictor", "risk-terrain"): Text(fr="terrain de risque", en="risk terrain"),
    ("predictor", "gbm"): Text(fr="arbres boostés", en="boosted trees"),
    ("predictor", "st-net"): Text(fr="réseau convolutif", en="convolutional network"),
    ("predictor", "ensemble"): Text(fr="ensemble", en="ensemble"),
    ("predictor", "etas-per-cell"): Text(fr="auto-excitation par maille", en="per-cell self-excitation"),
    ("predictor", "champion"): Text(fr="prévision choisie", en="chosen forecast"),
    ("predictor", "clairvoyant"): Text(fr="devin (intensité vraie)", en="clairvoyant (true intensity)"),
    ("rates", "equal"): Text(fr="égaux", en="equal"),
    ("reading", "parts"): Text(fr="parts comprises", en="parts included"),
    ("reading", "added"): Text(fr="parts ajoutées", en="parts added"),
    ("reading", "left to the City"): Text(fr="reste à la Ville", en="left to the City"),
    ("rule", "proportional"): Text(fr="proportionnelle", en="proportional"),
    ("rule", "top"): Text(fr="tout aux premières zones", en="all to the top zones"),
    ("rule", "fixed"): Text(fr="fixe (sans boucle)", en="fixed (no loop)"),
    ("rule", "reported-only"): Text(fr="signalements seuls", en="reports only"),
    ("rule", "importance-weighted"): Text(fr="découvertes pondérées", en="weighted discoveries"),
    ("safeguard", "none"): Text(fr="aucun", en="none"),
    ("safeguard", "preregistered"): Text(fr="analyse annoncée d’avance", en="analysis announced in advance"),
    ("safeguard", "holm"): Text(fr="correction de Holm", en="Holm correction"),
    ("safeguard", "benjamini-hochberg"): Text(fr="Benjamini–Hochberg", en="Benjamini–Hochberg"),
    ("safeguard", "locked_year"): Text(fr="année verrouillée", en="locked year"),
    ("scored_on", "latent"): Text(fr="incidents latents", en="latent incidents"),
    ("scored_on", "recorded"): Text(fr="enregistrements", en="records"),
    ("scored_on", "truth"): Text(fr="incidents latents", en="latent incidents"),
    ("scored_on", "records"): Text(fr="enregistrements", en="records"),
    ("selection", "random"): Text(fr="au hasard", en="at random"),
    ("selection", "worst_last_year"): Text(fr="les pires de l’an passé", en="last year’s worst"),
    ("share", "all"): Text(fr="aidé / toutes", en="helped / all"),
    ("share", "solved"): Text(fr="aidé / élucidées", en="helped / solved"),
    ("share", "requested_solved"): Text(fr="élucidées / demandées", en="solved / requested"),
    ("source", "reported"): Text(fr="signalés seuls", en="reported only"),
    ("source", "discovered"): Text(fr="découverts seuls", en="discovered only"),
    ("source", "mixed"): Text(fr="les deux", en="both"),
    ("stage", "step"): Text(fr="première carte", en="first map"),
    ("stage", "loop"): Text(fr="après la boucle", en="after the loop"),
    ("stream", "mains_courantes"): Text(fr="mains courantes", en="municipal log entries"),
    ("stream", "verbalisations"): Text(fr="verbalisations", en="fines"),
    ("stream", "calendar"): Text(fr="calendrier", en="calendar"),
    ("stream", "weather"): Text(fr="météo", en="weather"),
    ("stream", "fire_brigade"): Text(fr="marins-pompiers", en="fire brigade"),
    ("stream", "transport"): Text(fr="transports", en="transport"),
    ("stream", "road"): Text(fr="route", en="roads"),
    ("stream", "justice"): Text(fr="justice", en="justice"),
    ("stream", "police"): Text(fr="police", en="police"),
    ("factor", "rho"): Text(fr="part signalée ρ", en="share reported ρ"),
    ("factor", "ratio"): Text(
        fr="taux : zone la plus active sur la moins active", en="rates: busiest zone over quietest"
    ),
    ("factor", "zones"): Text(fr="nombre de zones", en="number of zones"),
    ("factor", "start"): Text(fr="fichier du premier matin (par zone)", en="file of the first morning (per zone)"),
    ("factor", "exponent"): Text(
        fr="exposant de la règle (0 : partout, 1 : proportionnelle)",
        en="exponent of the rule (0: anywhere, 1: proportional)",
    ),
    ("factor", "finding"): Text(fr="chance de découverte sur place", en="chance of a find on the spot"),
    ("factor", "days"): Text(fr="jours", en="days"),
    ("factor", "rate"): Text(fr="incidents par jour, zone la plus active", en="incidents a day, busiest zone"),
    ("factor", "luck"): Text(fr="le sort (une ville ou une autre)", en="luck (one city or another)"),
    ("figure", "derived"): Text(fr="déduit", en="derived"),
    ("against", "works only"): Text(fr="travaux seuls", en="works only"),
    ("charged", "all running cost"): Text(fr="tout le fonctionnement", en="all running cost"),
    ("comparator", "memory"): Text(fr="chiffre de mémoire", en="figure from memory"),
}

#: Keys whose values are shares, printed as percentages.
_SHARES: Final = frozenset({
    "recorded_share", "discovery_share", "habit_strength", "informativeness", "overlap", "prevented_share",
    "share_entered", "area", "area_share",
    "captured", "rho", "sensitivity", "transient",
})  # fmt: skip


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
