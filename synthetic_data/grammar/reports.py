"""Sentences of reports sent through the citizens' application, by category; grudges and malicious reports among them.

What it cannot tell you: what such reports really say. They are shorter, and their photographs say the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "report_proprete": (
        "s| Je vous signale la présence {dun:encombrant} sur la voie publique, {au:quartier}. {demande_ville}",
        "c| {Un:encombrant} sur le trottoir depuis {duree}. {demande_ville}",
        "c| {Un:tas} {sale&tas} au coin de la rue. {demande_ville}",
        "cft| {Un:encombrant} devant {le:lieu} depuis {duree}.",
        "cft| {Le:ordure} {au:quartier}, c’est tous les jours.",
        "ft| {Encore} {un:encombrant} par terre",
        "ft| C’est crade {au:quartier}, {ordure2} partout",
        "c| Conteneur plein depuis {duree}, tout déborde.",
    ),
    "report_eclairage": (
        "s| {Le:lampe} situé{lampe~é} devant {le:lieu} ne fonctionne plus. {demande_ville}",
        "c| {Le:lampe} ne {lampe~marche|marchent} plus depuis {duree}.",
        "ft| {Le:lampe} {lampe~marche|marchent} plus depuis {duree}.",
        "cft| Rue dans le noir {au:quartier} depuis {duree}.",
        "c| {Un:lampe} clignote toute la nuit près {du:lieu}.",
        "ft| On voit rien {au:quartier} la nuit, {lampe} en panne",
        "c| {Lampe} cassé{lampe~é} devant {le:lieu}. {demande_ville}",
    ),
    "report_voirie": (
        "s| L’état {du:besoin} est préoccupant à hauteur {du:lieu}. {demande_ville}",
        "cft| {Un:besoin} dangereu{besoin~x|se|x|ses} {au:quartier}.",
        "cft| {Le:besoin} près {du:lieu} {besoin~est|sont} à refaire.",
        "c| {Un:besoin} en mauvais état, une personne âgée a trébuché.",
        "ft| {Un:besoin} vraiment pourri{besoin~é} {au:quartier}",
        "c| Travaux terminés mais {le:besoin} n’a pas été {besoin~remis|remise|remis|remises} en état.",
    ),
    "report_stationnement": (
        "s| {Un:vehicule} entrave le cheminement des piétons devant {le:lieu}. {demande_ville}",
        "cft| {Un:vehicule} garé{vehicule~é} sur le trottoir devant {le:lieu}.",
        "cft| {Un:vehicule} en double file depuis {minutes}.",
        "c| {Un:vehicule} sur une place réservée, {au:quartier}. {demande_ville}",
        "ft| {Un:vehicule} bloque mon garage {encore}",
        "cft| {Un:vehicule} ventouse depuis {duree}.",
    ),
    "report_bruit": (
        "s| {Le:bruit} {bruit~se fait|se font} entendre jusque tard {au:quartier}. {demande_ville}",
        "cft| {Bruit} depuis {minutes}, impossible de dormir.",
        "cft| {Bruit} en pleine nuit près {du:lieu}.",
        "c| Nuisances sonores répétées : {bruit}. {demande_ville}",
        "ft| {Le:bruit} à fond, stop",
        "c| {Le:bruit} {du:lieu} {bruit~est|sont} {penible&bruit}.",
    ),
    "report_espaces_verts": (
        "s| {Le:vert} {du:lieu} {vert~mériterait|mériteraient} un peu de soin. {demande_ville}",
        "c| {Le:vert} {au:lieu} {vert~n’est|ne sont} plus entretenu{vert~é}.",
        "ft| {Le:vert} {au:lieu} {vert~est|sont} plus entretenu{vert~é}",
        "c| Une branche menace de tomber près {du:lieu}. {demande_ville}",
        "cft| Arrosage en panne {au:lieu}.",
        "ft| {Le:vert} {du:lieu} {vert~est|sont} dans un état",
    ),
    "report_tags": (
        "s| Des inscriptions recouvrent {un:abime}, {au:quartier}. {demande_ville}",
        "cft| Tags sur {un:abime} devant {le:lieu}.",
        "cft| Mur tagué {dernierement} {au:quartier}.",
        "c| Nouveaux tags {au:quartier}, à effacer. {demande_ville}",
        "ft| Tags partout {au:quartier}",
    ),
    "report_incivilite": (
        "s| Je déplore les incivilités constatées {dernierement} aux abords {du:lieu}. {demande_ville}",
        "cft| {Un:abime} {casse&abime} {dernierement}.",
        "cft| Des gens gênent le passage devant {le:lieu}.",
        "c| Vente sauvage devant {le:lieu} : {vendu} à même le sol.",
        "ft| Ça se dispute {au:lieu} {encore}",
        "c| {Mon:vole} {vole~a|ont} disparu devant {le:lieu}, {au:quartier}.",
    ),
    "report_danger": (
        "s| Je me permets de vous alerter sur une situation dangereuse {au:quartier}. {demande_ville}",
        "cft| Accident devant {le:lieu}.",
        "cft| Altercation {au:lieu}, appel fait aux secours.",
        "c| Des objets dangereux traînent près {du:lieu}. {demande_ville}",
        "ft| Ça roule comme des fous devant {le:lieu}",
        "c| Porte forcée dans mon immeuble {dernierement}.",
        "cft| Carrefour très dangereux {au:quartier}, {encore} un accrochage.",
    ),
    "report_autre": (
        "s| Je souhaite porter à votre connaissance un dysfonctionnement {au:quartier}. {demande_ville}",
        "cft| Fuite d’eau devant {le:lieu} depuis {duree}.",
        "cft| {Un:animal} errant{animal~é} {au:quartier}.",
        "c| Il y a un problème {au:lieu}, merci de passer voir.",
        "ft| Y a un truc bizarre {au:lieu}",
        "c| Objet trouvé {au:lieu} : {vole}.",
    ),
    "report_grudge": (
        "s| Mon voisin récidive, malgré mes nombreux courriers : {le:bruit}. J’exige une intervention.",
        "cft| {Encore} la même adresse, {encore} {le:bruit}.",
        "c| Toujours le même voisin, toujours {son:vehicule} mal garé{vehicule~é}. Quand allez-vous agir ?",
        "c| Je signale cette adresse pour la énième fois : {bruit}, {ordure}, tout y passe.",
        "ft| Le voisin du dessus {encore}, j’en ai marre",
        "cft| Même adresse que la semaine dernière : {bruit}. {demande_ville}",
        "ft| C’est lui, c’est toujours lui",
    ),
    "report_malicious": (
        "s| Une situation d’une extrême gravité se déroule en ce moment {au:lieu}.",
        "cft| Énorme incendie {au:lieu}, venez vite.",
        "cft| Bagarre générale {au:quartier}.",
        "c| Explosion entendue {au:quartier}, envoyez tout le monde.",
        "ft| Venez vite {au:lieu} y a tout qui brûle",
        "ft| Test test envoyez la patrouille haha",
        "c| Le commerce d’en face vend n’importe quoi, fermez-le.",
        "cft| Urgence {au:lieu}, je ne peux pas en dire plus.",
    ),
}
