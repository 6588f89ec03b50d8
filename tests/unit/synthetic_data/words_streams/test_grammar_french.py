"""The French of the grammar: forms of nouns, agreement, élision, registers, and every template within reach."""

import re

import numpy as np
import pytest

from synthetic_data.grammar import lexicon
from synthetic_data.grammar.catalogue import french
from synthetic_data.grammar.engine import Chosen, Grammar, Table
from synthetic_data.grammar.registers import REGISTERS, rewrite
from synthetic_data.grammar.setting import day_words, hour_words, setting
from synthetic_data.grammar.words import Noun, adjective, elided

TAG = {"soutenu": "s", "courant": "c", "familier": "f", "texto": "t", "brut": "t"}
#: h that keeps « le » whole, and numbers, before which nothing is elided.
WHOLE = r"(?!onze|énième|huit|oui|hall\b|haut|hors|héros)"


def context(n, rng):
    at = setting(["Les Verdelouse", "La Calvignoc", "Escmondole", "Le Haut-Dauragnes", "Port-Mirbièses"])
    some = [noun for rows in at.place_rows.values() for noun in rows]
    return {
        "quartier": Chosen(at.quarters, rng.integers(5, size=n)),
        "lieu": at.place(rng.choice(some, size=n), rng.integers(-1, 5, size=n)),
        "ev": Chosen(at.events, rng.integers(len(at.events), size=n)),
        "adv": Chosen(at.clubs, rng.integers(len(at.clubs), size=n)),
        "artiste": Chosen(at.artists, rng.integers(len(at.artists), size=n)),
        "quand": day_words(rng.integers(9, size=n), rng.integers(7, size=n), rng.integers(1, 32, size=n),
                           evening=rng.random(n) < 0.5),
        "heure": hour_words(rng.integers(48, size=n)),
        "rumeur": Chosen(Table(["un sanglier rôde", "le parc ferme"]), rng.integers(2, size=n)),
        "dementi": Chosen(Table(["c’était un chien", "le parc reste ouvert"]), rng.integers(2, size=n)),
    }  # fmt: skip


@pytest.fixture(scope="module")
def said():
    """(category, register) → texts and ranks of the templates they come from."""
    grammar, rng = french(), np.random.default_rng(0)
    # a template without slots is drawn a third as often as one with: 45 draws a template miss it once in e^15
    wanted = {category: 45 * len(texts) for category, texts in grammar.templates.items()}
    wanted |= {name: 60 for name in grammar.rules if name.startswith(("claim_", "denial_"))}
    return {
        (category, register): grammar.expand(category, register=register, n=n, context=context(n, rng), rng=rng)
        for category, n in wanted.items()
        for register in REGISTERS
    }


def surfaces(said, *registers):
    return [text for (_, register), (texts, _) in said.items() if register in registers for text in texts.tolist()]


@pytest.mark.parametrize(
    ("entry", "forms"),
    [
        ("m:bar", "un bar|le bar|de bar|du bar|au bar|ce bar|mon bar|son bar|quel bar|d’un bar|qu’un bar|que le bar"),
        ("f:école", "une école|l’école|d’école|de l’école|à l’école|cette école|mon école|son école|quelle école|"
                    "d’une école|qu’une école|que l’école"),
        ("m:évier", "un évier|l’évier|d’évier|de l’évier|à l’évier|cet évier|mon évier|son évier|quel évier|"
                    "d’un évier|qu’un évier|que l’évier"),
        ("m*:hangar", "un hangar|le hangar|de hangar|du hangar|au hangar|ce hangar|mon hangar|son hangar|quel hangar|"
                      "d’un hangar|qu’un hangar|que le hangar"),
        ("f:gare", "une gare|la gare|de gare|de la gare|à la gare|cette gare|ma gare|sa gare|quelle gare|d’une gare|"
                   "qu’une gare|que la gare"),
        ("fp:ordures", "des ordures|les ordures|d’ordures|des ordures|aux ordures|ces ordures|mes ordures|ses ordures|"
                       "quelles ordures|d’ordures|que des ordures|que les ordures"),
    ],
)  # fmt: skip
def test_nouns_take_the_forms_a_grammar_book_gives(entry, forms):
    asked = ("un", "le", "de", "du", "au", "ce", "mon", "son", "quel", "dun", "quun", "que")
    assert "|".join(Noun.read(entry).form(d) for d in asked) == forms


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Les Verdelouse", "les Verdelouse|aux Verdelouse|des Verdelouse|que les Verdelouse"),
        ("Le Haut-Dauragnes", "le Haut-Dauragnes|au Haut-Dauragnes|du Haut-Dauragnes|que le Haut-Dauragnes"),
        ("La Calvignoc", "la Calvignoc|à la Calvignoc|de la Calvignoc|que la Calvignoc"),
        ("L’Escale", "l’Escale|à l’Escale|de l’Escale|que l’Escale"),
        ("Escmondole", "Escmondole|à Escmondole|d’Escmondole|qu’Escmondole"),
        ("Laufons", "Laufons|à Laufons|de Laufons|que Laufons"),
    ],
)
def test_names_of_quarters_contract_with_their_own_article(name, forms):
    noun = Noun(name, "m", name=True)
    assert "|".join(noun.form(d) for d in ("le", "au", "du", "que")) == forms
    assert noun.form("") == name
    with pytest.raises(ValueError, match="no form"):
        noun.form("un")


def test_adjectives_and_elision():
    assert adjective("a:crasseux") == ("crasseux", "crasseuse", "crasseux", "crasseuses")
    assert adjective("a:gris") == ("gris", "grise", "gris", "grises")
    assert adjective("un banc") is None
    assert elided("que", "il pleut") == "qu’il pleut"
    assert elided("de", "hangar", aspirated=True) == "de hangar"


@pytest.mark.parametrize(
    ("current", "familiar", "text", "bare"),
    [
        ("Je n’ai pas vu, il y avait du monde.", "J'ai pas vu, y avait du monde.", "j'ai pas vu, y avait du monde",
         "jai pas vu, y avait du monde"),
        ("Tu as vu ? Ce n’est pas normal.", "T'as vu? C'est pas normal.", "t'as vu? c pas normal",
         "tas vu? c pas normal"),
        ("Rendez-vous à 19 h 30, s’il vous plaît.", "Rendez-vous à 19 h 30, s'il vous plaît.", "rdv à 19h30, svp",
         "rdv a 19h30, svp"),
        ("Un bœuf à la gare de l’école.", "Un bœuf à la gare de l'école.", "un bœuf à la gare de l'école",
         "un boeuf a la gare de lecole"),
        ("Il n’y aura rien avec cela.", "Il y aura rien avec ça.", "il y aura rien avec ça", "il y aura r avec ca"),
    ],
)  # fmt: skip
def test_registers_rewrite_one_sentence(current, familiar, text, bare):
    got = [rewrite(current, register) for register in ("soutenu", "courant", "familier", "texto", "brut")]
    assert got == [current, current, familiar, text, bare]


def test_a_familiar_sentence_is_not_made_familiar_twice():
    for texts in french().templates.values():
        for text in texts:
            once = rewrite(text, "familier")
            assert rewrite(once.replace("'", "’"), "familier") == once


def test_every_template_is_reached_in_every_register_it_has(said):
    for category, texts in french().templates.items():
        for register in REGISTERS:
            tags = [re.match(r"([scft]+)\|", text)[1] for text in texts]
            wanted = {rank for rank, tag in enumerate(tags) if TAG[register] in tag}
            assert set(said[category, register][1].tolist()) == wanted, (category, register)


def test_there_are_many_templates_and_far_more_texts(said):
    assert french().n_templates >= 600
    assert len(set(surfaces(said, *REGISTERS))) > 20_000


def test_texts_are_clean(said):
    for text in surfaces(said, *REGISTERS):
        assert text == text.strip(), text
        assert text, "an empty text"
        assert not re.search(r"[{}|~&_\x00]|  | [,.]|\.\.$|,,|’ ", text), text
        assert not re.search(r"\b(?:None|nan)\b", text), text


def test_elision_and_contraction_are_never_forgotten(said):
    vowel = r"(?:[aeiouéèêëàâîïôûùœ]|h(?=[aeiouéô]))"
    wrong = [
        rf"(?<![-\w’'])(?:de|que|je|ne|me|te|se|le|lorsque|puisque|jusque)\s+{WHOLE}{vowel}",
        rf"(?<![-\w’'])la\s+{WHOLE}{vowel}",
        rf"(?<![-\w’'])ce\s+(?:est|était|{WHOLE}h?[aeiouéèê]\w+)",
        rf"(?<![-\w’'])(?:ma|ta|sa)\s+{WHOLE}{vowel}",
        r"(?<![-\w])(?:de|à) (?:le|les) (?!\w+er\b|\w+ir\b)",
        r"\bsi ils?\b",
        r"\b[ldjcnmts]’[bcdfgjklmnpqrstvwxz]",
        r"\bqu’[^aeiouyéèêàâîôûœh]",
    ]
    for text in surfaces(said, "soutenu", "courant"):
        for pattern in wrong:
            assert not re.search(pattern, text, re.IGNORECASE), (pattern, text)


def test_determiners_agree_with_every_noun_of_the_lexicon(said):
    entries = [item for items in lexicon.RULES.values() for item in items if Noun.read(item)]
    entries += [e for table in (lexicon.EVENT_NOUNS, lexicon.PLACE_NOUNS) for items in table.values() for e in items]
    both = {Noun.read(e).text for e in entries if Noun.read(e).gender == "m"}
    both &= {Noun.read(e).text for e in entries if Noun.read(e).gender == "f"}
    wrong = {
        "m": "une|la|cette|ma|sa|quelle|aucune", "f": "un|le|du|au|ce|cet|quel|aucun", "mp": "un|une|le|la|ce|ma|mon",
        "fp": "un|une|le|la|ce|ma|mon",
    }  # fmt: skip
    groups = {gender: set() for gender in wrong}
    for entry in entries:
        noun = Noun.read(entry)
        if noun.text not in both:
            groups[noun.gender].add(re.escape(noun.text))
    texts = "\n".join(surfaces(said, "soutenu", "courant"))
    for gender, nouns in groups.items():
        # the longest noun there: « le chat » is not « la chatte »
        pattern = rf"(?<![\w’-])(?:{wrong[gender]}) (?:{'|'.join(sorted(nouns, key=len, reverse=True))})(?![\w’-])"
        found = re.search(pattern, texts, re.IGNORECASE)
        assert found is None, found


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("c| {Un:chose} {sale&chose} {chose~est|sont} posé{chose~é} là.", "Une table sale est posée là."),
        ("c| {chose~il|elle|ils|elles} : {de:chose}", "elle : de table"),
        ("c| {Chose} {dun:chose2}", "Table d’une table"),
    ],
)
def test_slots_of_one_name_are_one_draw_and_agree(template, text):
    rules = {"chose": ("f:table",), "sale": ("a:sale",)}
    full = {"x": (template, "sft| rien")}
    got, ranks = Grammar(full, rules=rules, context={}).expand(
        "x", register="courant", n=2, rng=np.random.default_rng(0)
    )
    assert got.tolist() == [text] * 2
    assert ranks.tolist() == [0, 0]


def test_two_draws_of_one_rule_are_independent():
    rules = {"chose": tuple(f"f:{letter}" for letter in "abcdefgh")}
    made = Grammar({"x": ("{chose} {chose2} {chose}",)}, rules=rules, context={})
    texts = made.expand("x", register="courant", n=4000, rng=np.random.default_rng(1))[0]
    pairs = [text.split() for text in texts]
    assert all(a == c for a, _, c in pairs)
    assert np.mean([a == b for a, b, _ in pairs]) == pytest.approx(1 / 8, abs=0.02)


@pytest.mark.parametrize(
    ("template", "match"),
    [
        ("c| {nobody}", "names nothing"), ("c| {xx:chose}", "determiner"), ("c| {un:phrase}", "determiner"),
        ("c| {phrase~é}", "agree with a noun"), ("c| {chose&chose}", "join an adjective"),
        ("c| {chose~a|b|c}", "2 or 4"), ("c| {un chose}", "cannot be read"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_said_is_refused(template, match):
    rules = {"chose": ("f:table",), "phrase": ("de rien",), "sale": ("a:sale",)}
    with pytest.raises(ValueError, match=match):
        Grammar({"x": (template, "sft| rien")}, rules=rules, context={})


def test_rules_are_of_one_sort_and_categories_have_every_register():
    with pytest.raises(ValueError, match="mixes"):
        Grammar({"x": ("{chose}",)}, rules={"chose": ("f:table", "de rien")}, context={})
    with pytest.raises(ValueError, match="nothing to say in the register soutenu"):
        Grammar({"x": ("cft| rien",)}, rules={}, context={})


def test_no_name_enters_but_those_invented_or_generic():
    allowed = {"Massilia", "WC", "SUV", "BD"}
    phrases = [t for texts in french().templates.values() for t in texts]
    phrases += [i for items in lexicon.RULES.values() for i in items] + [t for pair in lexicon.RUMOURS for t in pair]
    for phrase in phrases:
        body = re.sub(r"^[scft]+\| *|^\w+\*?:(?=\w)|\{[^}]*\}", "", phrase)
        for sentence in re.split(r"[.!?:…«(] *", body):
            words = re.findall(r"[\w’-]+", sentence)
            named = [w for w in words[1:] if w[0].isupper() and w not in allowed]
            assert not named, (phrase, named)


def test_days_and_hours_are_named_as_people_do():
    ahead = np.array([-2, 0, 0, 1, 3, 8])
    named = day_words(ahead, np.array([0, 1, 1, 2, 4, 5]), np.array([1, 2, 2, 3, 5, 14]),
                      evening=np.array([False, False, True, True, True, False]))  # fmt: skip
    words = named.table.forms("", "courant")[named.index].tolist()
    assert words == ["aujourd’hui", "aujourd’hui", "ce soir", "demain soir", "vendredi soir", "samedi 14"]
    hours = hour_words(np.array([0, 39]))
    assert hours.table.forms("", "courant")[hours.index].tolist() == ["0 h", "19 h 30"]
