"""Words the templates draw from: nouns with their gender, adjectives, phrases. All invented, and harmless.

Nouns are written ``"f:école"`` (``m``, ``f``, ``mp``, ``fp``; a star after the gender for an aspirated h), adjectives
``"a:sale"`` or in their four forms; the rest are phrases, which may hold slots of their own and begin with registers.

What it cannot tell you: this is a small and mild vocabulary. Real talk is wider, ruder and more inventive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from synthetic_data.grammar.engine import ContextKind

#: What the caller says of each row: see :func:`synthetic_data.grammar.setting.setting`.
CONTEXT: Final[Mapping[str, ContextKind]] = {
    "quartier": "noun", "lieu": "noun", "ev": "noun", "adv": "noun", "artiste": "noun",
    "quand": "text", "heure": "text", "rumeur": "text", "dementi": "text",
}  # fmt: skip

RULES: Final[Mapping[str, tuple[str, ...]]] = {
    # --- things and nuisances
    "encombrant": (
        "m:canapé", "m:matelas", "m:frigo", "f:machine à laver", "f:armoire", "m:sommier", "fp:chaises cassées",
        "mp:gravats", "m:tas de gravats", "f:télé", "f:cuvette de WC", "mp:pneus", "f:baignoire", "f:gazinière",
        "m:lave-vaisselle", "m:fauteuil", "f:étagère", "mp:sacs de plâtre", "f:palette", "mp:pots de peinture",
        "m:aspirateur", "m:évier", "f:poussette", "m:chauffe-eau", "f:planche à repasser", "mp:cartons",
    ),
    "ordure": (
        "f:odeur", "mp:sacs poubelle", "mp:déchets", "fp:ordures", "fp:poubelles", "mp:mégots",
        "fp:bouteilles", "fp:crottes de chien", "mp:emballages",
    ),
    "tas": (
        "m:tas d’ordures", "m:dépôt sauvage", "f:montagne de déchets", "m:amas de sacs", "f:décharge",
        "m:tas de cartons",
    ),
    "sale": (
        "a:sale", "a:dégoûtant", "a:répugnant", "a:immonde", "a:infect", "a:crasseux", "a:lamentable",
    ),
    "penible": (
        "a:insupportable", "infernal|infernale|infernaux|infernales", "a:pénible", "a:épuisant", "a:énervant",
        "a:intenable", "a:usant",
    ),
    "beau": (
        "a:superbe", "a:magnifique", "a:splendide", "a:charmant", "a:formidable", "a:réussi",
        "génial|géniale|géniaux|géniales",
    ),
    "bruit": (
        "f:musique", "fp:basses", "f:sono", "f:alarme", "mp:klaxons", "mp:cris", "m:karaoké", "fp:motos",
        "mp:pétards", "m:chien", "f:perceuse", "m:rodéo de scooters", "f:enceinte", "mp:livreurs",
        "m:groupe électrogène",
        "f:fête", "mp:rires",
    ),
    "vehicule": (
        "f:voiture", "f:camionnette", "m:fourgon", "m:utilitaire", "m:SUV", "f:berline", "m:camion de livraison",
        "m:scooter", "f:grosse moto", "m:pick-up", "f:citadine",
    ),
    "abime": (
        "m:banc", "m:lampadaire", "m:abribus", "f:vitrine", "f:boîte aux lettres", "m:horodateur",
        "m:panneau de signalisation", "f:barrière", "f:aire de jeux", "m:portail", "f:poubelle", "f:vitre",
        "m:rétroviseur", "m:distributeur", "f:cabine à livres", "f:jardinière", "f:fontaine", "m:interphone",
    ),
    "casse": (
        "a:cassé", "a:abîmé", "a:vandalisé", "a:fracassé", "a:défoncé", "a:détérioré",
    ),
    "vole": (
        "m:vélo", "f:trottinette", "m:scooter", "m:portefeuille", "m:téléphone", "m:sac à dos", "f:batterie de vélo",
        "f:selle", "m:colis", "f:sacoche", "m:casque", "m:barbecue", "f:poussette", "fp:clés", "f:plante en pot",
    ),
    "vendu": (
        "mp:parfums", "fp:lunettes", "fp:cigarettes", "fp:montres", "mp:parapluies", "mp:chargeurs", "fp:casquettes",
        "mp:écouteurs", "fp:ceintures", "mp:maillots",
    ),
    "besoin": (
        "m:passage piéton", "m:trottoir", "f:chaussée", "f:bouche d’égout", "f:rampe", "m:escalier", "f:plaque d’égout",
        "m:poteau", "m:ralentisseur", "f:piste cyclable", "m:nid-de-poule",
    ),
    "vert": (
        "m:platane", "f:haie", "f:pelouse", "m:massif de fleurs", "m:pin", "m:figuier", "m:jardin",
        "fp:herbes folles", "m:olivier",
    ),
    "lampe": ("m:lampadaire", "m:candélabre", "f:ampoule", "m:projecteur", "m:luminaire"),
    # --- people, without any trait
    "gens": (
        "un voisin", "une voisine", "un collègue", "une amie", "mon cousin", "ma sœur", "le boulanger", "la factrice",
        "la buraliste", "mon beau-frère", "le gardien", "ma mère", "mon coloc", "la kiné", "le fleuriste",
    ),
    "enfant": ("mon fils", "ma fille", "le petit", "la petite", "ma nièce", "mon neveu"),
    # --- times
    "duree": (
        "trois jours", "une semaine", "dix jours", "deux semaines", "un mois", "hier matin", "avant-hier", "lundi",
        "des semaines", "quinze jours", "l’an dernier", "des mois",
    ),
    "dernierement": ("cette nuit", "hier soir", "ce matin", "tout à l’heure", "il y a une heure", "dans la nuit"),
    "minutes": (
        "dix minutes", "un quart d’heure", "vingt minutes", "une demi-heure", "trois quarts d’heure", "une heure",
    ),
    "encore": ("encore", "une fois de plus", "à nouveau"),
    # --- food, life
    "plat": (
        "m:gratin de courgettes", "f:ratatouille", "m:aïoli", "f:tarte aux poireaux", "mp:panisses",
        "f:soupe au pistou",
        "mp:pâtes", "f:pizza", "m:couscous", "fp:lentilles", "f:quiche", "mp:beignets", "f:tapenade", "f:brandade",
        "m:flan", "fp:crêpes", "f:salade de poulpe", "m:riz au lait", "m:rôti", "f:blanquette",
    ),
    "bon": (
        "a:délicieux", "a:parfait", "a:raté", "a:brûlé", "a:divin", "a:correct", "a:immangeable",
    ),
    "objet": (
        "m:vélo d’enfant", "f:table basse", "f:commode", "m:canapé", "m:lit bébé", "f:guitare", "f:machine à coudre",
        "m:four", "fp:étagères", "f:lampe", "m:barbecue", "mp:livres de poche", "m:bureau", "f:raquette", "m:skate",
    ),
    "animal": ("m:chat", "f:chatte", "m:chien", "f:tortue", "f:perruche", "m:lapin", "m:furet"),
    "poil": ("roux|rousse|roux|rousses", "a:noir", "a:gris", "blanc|blanche|blancs|blanches", "a:tigré", "a:tacheté"),
    "metier": (
        "m:plombier", "m:coiffeur", "m:dentiste", "f:garagiste", "m:serrurier", "f:boulangerie", "m:ostéopathe",
        "f:vétérinaire", "m:couturier", "f:électricienne", "m:cordonnier", "f:salle de sport", "f:pizzeria",
    ),
    "loisir": (
        "f:série", "m:roman", "m:film", "m:documentaire", "f:BD", "m:jeu", "m:podcast", "f:pièce de théâtre",
        "f:exposition",
    ),
    "trajet": ("m:bus", "m:métro", "m:tram", "m:train", "f:navette"),
    "retard": ("a:bondé", "a:supprimé", "a:bloqué", "a:retardé", "a:plein", "a:annulé"),
    "apporter": (
        "une nappe et un plat à partager", "de quoi grignoter", "votre bonne humeur", "une couverture",
        "vos instruments", "une chaise pliante", "un dessert", "quelque chose à boire", "un jeu de boules",
        "des verres réutilisables",
    ),
    # --- ends of sentences
    "ras": (
        "Ras-le-bol.", "On n’en peut plus.", "C’est tous les jours pareil.", "Personne ne réagit.",
        "Ça dure depuis {duree}.",
        "Que fait la mairie ?", "C’est franchement pénible.", "Bravo à ceux qui font ça.", "Ça me désole.",
        "Lamentable.",
        "Et on paie des impôts pour ça.", "Est-ce normal ?",
    ),
    "soupir": (
        "Ras-le-bol.", "On n’en peut plus.", "Personne ne réagit.", "Que fait la mairie ?", "Lamentable.",
        "Est-ce normal ?", "Bravo.", "Ça me désole.",
    ),
    "rire": ("mdr", "haha", "lol", "ptdr", "je rigole", "j’en peux plus", "bref", "voilà voilà"),
    "merci": ("Merci d’avance.", "Merci à tous.", "Un grand merci.", "Merci de votre aide.", "Merci de faire tourner."),
    "demande_ville": (
        "Serait-il possible d’intervenir ?", "Pouvez-vous envoyer quelqu’un ?", "Merci de faire le nécessaire.",
        "Merci d’intervenir rapidement.", "À quand une intervention ?", "Pourriez-vous y remédier ?",
        "Merci de transmettre au service concerné.", "C’est le troisième signalement.",
    ),
    "vent": ("m:mistral", "m:vent", "mp:courants d’air", "fp:rafales", "f:bourrasque"),
    "meme_idee": ("Pareil", "Idem", "Moi aussi", "Même chose ici", "Tout pareil"),
}  # fmt: skip

#: Groups that play, all invented.
ARTISTS: Final = (
    "mp:Les Cigales Électriques", "mp:Les Frères Tambourin", "f:La Fanfare du Quai Vert", "m:Mistral Fantôme",
    "mp:Les Oursins Chromés", "f:Nuit de Garrigue", "m:Le Trio Barquette", "mp:Les Sardines Volantes",
    "f:Houle Blanche",
    "m:Le Grand Orchestre du Cabanon",
)  # fmt: skip
#: Clubs of towns that do not exist.
CLUBS: Final = (
    "m:Racing de Rocheclaire", "f:Étoile de Portserein", "f:AS Valcombre", "m:FC Boismarin", "mp:Grenats de Montaubier",
    "f:Jeunesse de Clairpuits", "m:Sporting de Hautevigne", "m:Stade brumois",
)  # fmt: skip
#: Kind of event of the calendar → what people call it.
EVENT_NOUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "picnic": ("m:pique-nique", "m:repas partagé", "f:fête de quartier", "m:goûter de rue", "m:apéro de voisins",
               "f:grillade", "f:journée collage"),
    "market": ("m:marché", "m:marché des producteurs", "m:vide-grenier", "f:brocante", "m:marché aux fleurs"),
    "concert": ("m:concert", "m:concert gratuit", "f:soirée concert", "m:bœuf", "m:petit concert"),
    "festival": ("m:festival", "m:festival de rue", "f:grande fête"),
    "sport": ("m:tournoi", "m:tournoi de pétanque", "m:match entre amis", "f:course à pied", "f:partie de foot"),
    "match": ("m:match", "f:rencontre", "m:gros match"),
}  # fmt: skip
#: Kind of place of the city → what people call it.
PLACE_NOUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "station": ("f:gare", "f:station"), "park": ("m:parc", "m:jardin"), "market": ("m:marché",),
    "stadium": ("m:stade",),
    "school": ("f:école", "m:collège"), "hospital": ("m:hôpital",), "town_hall": ("f:mairie",), "bar": ("m:bar",),
    "square": ("m:square", "f:esplanade"),
}  # fmt: skip
#: Themes of rumours: what is said, and what is so. Slots are filled before anything else is.
RUMOURS: Final = (
    ("{le:lieu} va fermer pendant trois mois", "{le:lieu} reste ouvert{lieu~é}, rien n’est prévu"),
    ("l’eau sera coupée {quand} dans tout le quartier {du:quartier}", "aucune coupure d’eau n’est prévue"),
    ("un sanglier se promène du côté {du:quartier}", "c’était un gros chien, il a retrouvé son maître"),
    ("une panthère s’est échappée et rôde près {du:lieu}", "la panthère était un chat noir, photo à l’appui"),
    ("il y aura un concert surprise {au:lieu} {quand}", "aucun concert n’est prévu {au:lieu}"),
    ("le marché {du:quartier} est supprimé définitivement", "le marché {du:quartier} a bien lieu aux jours habituels"),
    ("tous les bus {du:quartier} sont en panne jusqu’à lundi", "les bus {du:quartier} circulent normalement"),
    ("le stationnement devient gratuit {quand} {au:quartier}", "le stationnement reste payant, rien n’a changé"),
    ("on va couper tous les arbres {du:lieu}", "un seul arbre malade sera remplacé {au:lieu}"),
    ("une célébrité tourne un film en secret {au:quartier}", "c’était une publicité pour des lessives"),
    ("les écoles {du:quartier} ferment {quand}", "les écoles {du:quartier} sont ouvertes normalement"),
    ("il n’y aura plus de pain {quand} {au:quartier}", "les boulangeries sont ouvertes et bien fournies"),
    ("un pont va être fermé à cause d’une fissure près {du:lieu}", "le pont a été contrôlé et reste ouvert"),
    ("une météorite est tombée derrière {le:lieu}", "c’était un enjoliveur"),
)  # fmt: skip
