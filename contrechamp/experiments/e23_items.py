"""What was promised and what was found, item by item, each with its source: the lists behind E23.

Made by hand from the documents read. An item is *delivered* when a source read says so, *absent* when a source says
it is not there, *disputed* when two sources disagree or when only a part was found, *unknown* when no source read
speaks of it. The absence of a trace is not an absence: it is unknown. For projects, *delivered* means kept in scope and
time, *absent* not kept, *disputed* that what was announced took place, but only in part, without the result announced,
or without a date to hold it to: a trial that was run and found wanting is not a trial that was not run.

What it cannot tell you: what is in the documents nobody published. Most pages of the tender were not in the sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from contrechamp.domain.text import Text

Found = Literal["delivered", "absent", "disputed", "unknown"]


@dataclass(frozen=True, slots=True)
class Item:
    """One promised item.

    Attributes
    ----------
    key : str
    what : Text
    promised : str
        Reference, in the register of sources, of where it is promised.
    found : Found
    sources : tuple of str
        References of what says so; empty when unknown.
    """

    key: str
    what: Text
    promised: str
    found: Found
    sources: tuple[str, ...] = ()


def _i(key: str, fr: str, en: str, promised: str, found: Found, *sources: str) -> Item:
    return Item(key, Text(fr=fr, en=en), promised, found, sources)


#: Streams of data that the tender or the articles on it say the platform would take in. Sound sensors, drones and
#: national files (D17, D23, D25) are left out: they are named of other systems, or in irony.
STREAMS: Final = (
    _i("D01", "mains courantes", "municipal police log", "S0", "delivered", "W-JDN19"),
    _i("D02", "verbalisations", "fines", "S0", "delivered", "W-JDN19"),
    _i("D03", "enlèvements de véhicules (fourrière)", "vehicle removals", "S2", "unknown"),
    _i("D04", "vidéo", "video", "S0", "disputed", "W-20M18", "W-MIM19"),
    _i("D05", "présence téléphonique", "telecom presence", "S0", "absent", "W-MRS20"),
    _i("D06", "réseaux sociaux", "social networks", "S0", "absent", "W-MRS20"),
    _i("D07", "hôpitaux", "hospitals", "S0", "disputed", "W-JDN19", "W-MIM19"),
    _i("D08", "marins-pompiers", "fire and rescue", "S0", "disputed", "W-JDN19", "W-MIM19"),
    _i("D09", "transports publics", "public transport", "S0", "disputed", "W-JDN19", "W-MIM19"),
    _i("D10", "circulation (capteurs promis, arrêtés trouvés)", "traffic (sensors promised, orders found)", "W-CCTP14",
       "disputed", "W-JDN19"),
    _i("D11", "météo (trouvé : citée comme facteur en 2018)", "weather (found: named as a factor in 2018)", "S0",
       "disputed", "W-GOMET18", "W-20M18"),
    _i("D12", "données ouvertes", "open data", "W-CCTPTOC", "disputed", "W-JDN19"),
    _i("D13", "statistiques de police et de justice", "police and justice statistics", "S0", "disputed", "W-JDN19"),
    _i("D14", "application citoyenne (signalements trouvés)", "citizen app (reports found)", "S0", "disputed",
       "W-JDN19"),
    _i("D15", "vitesse de déplacement des citoyens", "citizens’ speed of movement", "S0", "unknown"),
    _i("D16", "niveau de stress des citoyens", "citizens’ stress level", "S0", "absent", "W-MRS20"),
    _i("D20", "ordres de mission et effectifs", "patrol orders and staffing", "W-CCTP14", "delivered", "W-JDN19"),
    _i("D21", "appels et signalements d’habitants", "residents’ calls and reports", "W-CCTP14", "delivered", "W-JDN19"),
    _i("D22", "éclairage public", "street lighting", "W-CCTP14", "unknown"),
)  # fmt: skip

#: Streams reported in service and not found among the promises read.
STREAMS_ADDED: Final = (
    _i("D18", "rapports des parcs et jardins", "parks and gardens reports", "", "delivered", "W-20M18"),
    _i("D19", "événements, marchés, tournages, travaux", "events, markets, shoots, works", "", "delivered", "W-JDN19"),
    _i("D24", "stock d’infractions depuis 1998", "stock of offences since 1998", "", "delivered", "W-MEDICIS19"),
)

#: Functions that the tender asks for, in the pages and quotations read.
FUNCTIONS: Final = (
    _i("F01", "préparer les événements", "prepare events", "W-CCTP15", "delivered", "W-GOMET18", "W-JDN19"),
    _i("F02", "prévoir des incidents (trouvé : une note d’événement)", "forecast incidents (found: an event note)",
       "S0", "disputed", "W-MRS20"),
    _i("F03", "points chauds", "hot spots", "S0", "unknown"),
    _i("F04", "causes et contexte", "causes and context", "S0", "unknown"),
    _i("F05", "acteurs et primo-déposant", "actors and primo-déposant", "W-CCTP14", "absent", "W-MRS20"),
    _i("F06", "rassemblements dangereux, par les messages publics", "dangerous gatherings, from public posts",
       "W-CCTP14", "absent", "W-MRS20"),
    _i("F07", "identifier des auteurs par les réseaux sociaux", "identify authors through social networks", "W-CCTP13",
       "absent", "W-MRS20"),
    _i("F08", "dimensionner les renforts (trouvé : une adéquation)", "size reinforcements (found: an adequacy)",
       "W-CCTP13", "disputed", "W-GOMET18"),
    _i("F09", "tendances par quartier", "trends by district", "W-CCTP14", "unknown"),
    _i("F10", "tendances de saison", "seasonal trends", "W-CCTP13", "unknown"),
    _i("F11", "situations d’urgence", "emergencies", "W-CCTP14", "unknown"),
    _i("F12", "sentiment de tranquillité", "feeling of tranquillity", "W-CCTP14", "unknown"),
    _i("F13", "partage d’information", "sharing of information", "W-CCTP13", "unknown"),
    _i("F14", "comportements anormaux", "abnormal behaviour", "S0", "unknown"),
    _i("F15", "compter les marchés à la sauvette", "count street sales", "W-CCTP13", "unknown"),
    _i("F16", "préparation d’événements sauvages ou de délits", "preparation of 'wild' events or offences", "W-CCTP14",
       "unknown"),
    _i("F17", "effets de la délinquance sur la population", "effects of offending on the population", "W-CCTP13",
       "unknown"),
    _i("F18", "sécurité et fluidité du trafic", "safety and flow of traffic", "W-CCTP14", "unknown"),
    _i("F19", "affecter les unités par lieu", "allocate units by place", "S2", "unknown"),
)  # fmt: skip

#: Functions reported in service and not found among the promises read.
FUNCTIONS_ADDED: Final = (
    _i("F20", "incompatibilités entre événements", "clashes between events", "", "delivered", "W-JDN19"),
)

#: Partners whose data the documents name, and whether each list of 2019 shows them.
PARTNERS: Final = ("services de la Ville", "police municipale", "préfecture", "marins-pompiers", "AP-HM", "RTM")
PARTNERS_SHOWN: Final = {"W-JDN19": 3, "W-MIM19": 6}

#: Papers of the platform that came out, or requests that got a letter: which request each answers, and how fully, the
#: sources read do not say. Each is counted as unanswered, then as answered.
PAPERS: Final = (
    _i("cctp", "CCTP, publié en mars 2018", "CCTP, published in March 2018", "", "disputed", "S0"),
    _i("ccap", "CCAP, publié en juin 2018", "CCAP, published in June 2018", "", "disputed", "S0"),
    _i("offres", "rapport d’analyse des offres, juin 2018", "bid report, June 2018", "", "disputed", "S0"),
    _i(
        "si", "intégration au système d’information, juin 2018", "IT integration paper, June 2018", "", "disputed", "S0"
    ),
    _i(
        "reponse-2020",
        "demande de 2020, réponse par lettre",
        "request of 2020, answered by a letter",
        "",
        "disputed",
        "W-MRS20",
    ),
)

#: Projects of the register, and whether each reached its announced scope in its announced time.
PROJECTS: Final = (
    _i("marseille-big-data", "Marseille, Big Data", "Marseille, Big Data", "S0", "absent", "W-JDN19", "W-MRS20"),
    _i("marseille-vsa", "Marseille, VSA", "Marseille, VSA", "S1", "absent", "W-MARSACTU22"),
    _i(
        "marseille-2000",
        "Marseille, 2 000 caméras (« à terme », sans date)",
        "Marseille, 2,000 cameras ('in the end', no date)",
        "S0",
        "disputed",
        "W-MEDIAVIVANT",
    ),
    _i(
        "nice-reporty",
        "Nice, Reporty (essai de deux mois mené, puis arrêté)",
        "Nice, Reporty (two-month trial run, then stopped)",
        "S0",
        "disputed",
        "W-REPORTY",
    ),
    _i("lycees", "portiques de deux lycées", "gates of two lycées", "S4", "absent", "W-LYCEES"),
    _i("saint-etienne", "Saint-Étienne, capteurs sonores", "Saint-Étienne, sound sensors", "S4", "absent", "W-STE"),
    _i(
        "toulouse",
        "Toulouse, IBM (essai puis contrat ; bilan « mitigé »)",
        "Toulouse, IBM (trial, then contract; outcome 'mixed')",
        "S4",
        "disputed",
        "W-TLSE",
    ),
    _i(
        "ratp",
        "RATP, Châtelet (essai mené, non concluant)",
        "RATP, Châtelet (trial run, not conclusive)",
        "S4",
        "disputed",
        "W-RATPIPR",
    ),
    _i(
        "jo-2024",
        "essais de la loi JO 2024 (menés ; bilan inégal)",
        "trials of the 2024 Games law (run; uneven)",
        "W-JO24",
        "disputed",
        "W-JO24",
    ),
    _i("suresnes", "Suresnes, XXII", "Suresnes, XXII", "S4", "unknown"),
    _i("nice-thales", "Nice, Safe City", "Nice, Safe City", "S3", "unknown"),
    _i("nice-wintics", "Nice, Wintics", "Nice, Wintics", "S4", "unknown"),
    _i("nice-avigilon", "Nice, recherche par apparence", "Nice, search by appearance", "S4", "unknown"),
    _i("nimes", "Nîmes, recherche dans les images", "Nîmes, search of images", "S4", "unknown"),
)
