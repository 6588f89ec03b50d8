"""Identities of synthetic persons: one each, the same in every stream, and none that could be real."""

import re

import numpy as np
import pytest

from synthetic_data import names
from synthetic_data.names import (
    FICTION_PHONE_PREFIXES,
    N_NAMES,
    N_PEOPLE,
    family_names,
    given_names,
    person_names,
    person_phones,
    plates,
)

EVERYBODY = np.arange(860_000)
#: The blocks of the numbering plan kept for works of fiction in mainland France.
FICTION = {"01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49", "06 39 98"}
COMMON_FAMILY = """
martin bernard thomas petit robert richard durand dubois moreau laurent simon michel lefebvre leroy roux david
bertrand morel fournier girard bonnet dupont lambert fontaine rousseau vincent muller lefevre faure andre mercier
blanc guerin boyer garnier chevalier francois legrand gauthier garcia perrin robin clement morin nicolas henry roussel
mathieu gautier masson marchand duval denis dumont marie lemaire noel meyer dufour meunier brun blanchard giraud joly
riviere lucas brunet gaillard barbier arnaud martinez gerard roche renard schmitt roy leroux colin vidal caron picard
roger fabre aubert lemoine renaud dumas lacroix olivier philippe bourgeois pierre benoit rey leclerc payet rolland
leclercq guillaume lecomte lopez jean dupuy guillot hubert berger carpentier sanchez dupuis moulin louis deschamps
huet vasseur perez boucher fleury royer klein jacquet adam paris poirier marty aubry guyot carre charles renault
charpentier menard maillard baron bertin bailly herve schneider fernandez collet leger bouvier julien prevost millet
perrot daniel cousin germain breton besson langlois remy pelletier leveque perrier leblanc barre lebrun marchal weber
mallet hamon boulanger jacob monnier michaud rodriguez guichard gillet etienne grondin poulain tessier chevallier
collin chauvin bouchet gay lemaitre benard marechal humbert reynaud antoine hoarau perret barthelemy cordier pichon
lejeune gilbert lamy delaunay pasquier carlier laporte
"""


def test_860_000_persons_bear_860_000_names():
    assert len(set(person_names(EVERYBODY))) == 860_000
    assert len(set(given_names())) == len(given_names()) == 3200
    assert len(set(family_names())) == len(family_names()) == 3200
    assert N_NAMES == 3200 * 3200
    assert person_names(np.array([7])) == person_names(np.array([7 + N_NAMES]))


def test_no_common_french_family_name_can_be_borne():
    real = set(COMMON_FAMILY.split())
    assert len(real) > 190
    assert not real & {name.lower() for name in family_names()}


def test_the_first_ten_thousand_are_named_and_numbered_as_they_always_were():
    assert names.person_name(0) == "Mavil Bravignol"
    assert names.person_name(1234) == "Sodor Faudagneau"  # digits 1, 2, 3, 4
    assert names.person_name(9999) == "Ronelle Vargarel"
    assert names.person_phone(9999) == "06 39 98 99 99"


def test_every_number_is_in_a_block_kept_for_fiction_and_is_shared_by_fourteen_or_fifteen():
    numbers = person_phones(EVERYBODY)
    assert set(FICTION_PHONE_PREFIXES) == FICTION
    assert {n[:8] for n in numbers} == FICTION
    assert all(re.fullmatch(r"(\d\d ){4}\d\d", n) for n in numbers[::997])
    holders = np.unique(np.array(numbers), return_counts=True)[1]
    assert (len(holders), holders.min(), holders.max()) == (60_000, 14, 15)
    assert len(set(person_phones(np.arange(N_PEOPLE)))) == N_PEOPLE


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("plate", r"[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}"),
        ("handle", r"[a-z]+_\d{4,}"),
        ("user", r"u[0-9a-f]{8}"),
        ("device", r"dev-[0-9a-f]{10}"),
        ("card", r"\d{10}"),
    ],
)
def test_each_person_has_one_identity_of_each_kind(kind, form):
    many = getattr(names, f"person_{kind}s")(EVERYBODY)
    assert len(set(many)) == 860_000
    assert all(re.fullmatch(form, word) for word in many[::997])
    one = getattr(names, f"person_{kind}")
    assert [one(i) for i in (0, 1, 859_999)] == [many[0], many[1], many[859_999]]


def test_a_handle_is_one_persons_beyond_a_million_too():
    beyond = np.array([5, 1_000_005, 2_000_005])
    assert len(set(names.person_handles(beyond))) == 3
    assert names.person_handles(beyond)[1].startswith(names.person_handle(5)[:-4])


def test_the_plate_of_a_person_is_that_of_the_same_number():
    assert names.person_plates(EVERYBODY[:50]) == plates(np.arange(50))
