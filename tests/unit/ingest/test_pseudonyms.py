"""Keyed pseudonyms: a published vector, a second HMAC, equal persons, and texts that no longer name their author."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from ingest.pseudonyms import (
    check_key,
    key_mark,
    normal_phone,
    pseudonym,
    pseudonymise_informants,
    pseudonymise_plates,
    row_mark,
    scrub,
    scrub_texts,
)

KEY = b"k" * 32


def hmac_by_hand(key: bytes, message: bytes) -> bytes:
    """RFC 2104 written out: H((K ^ opad) || H((K ^ ipad) || m))."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()


def test_hand_written_hmac_meets_rfc_4231_case_1():
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert hmac_by_hand(b"\x0b" * 20, b"Hi There").hex() == expected


@pytest.mark.parametrize("key", [b"\x0b" * 20, KEY, b"long" * 50])
def test_pseudonyms_are_that_hmac(key):
    assert pseudonym("plt", "AA123AA", key=key) == "plt_" + hmac_by_hand(key, b"plt\x1fAA123AA").hex()[:32]
    assert row_mark(b"raw", key=key) == hmac_by_hand(key, b"row\x1fraw").hex()
    assert key_mark(key) == hmac_by_hand(key, b"contrechamp/key-mark").hex()[:16]
    (informant,) = pseudonymise_informants(pd.Series(["Léa  DURAND"]), pd.Series(["+33 6 39 98 12 34"]), key=key)
    assert informant == "inf_" + hmac_by_hand(key, b"inf\x1flea durand\x1f0639981234").hex()[:32]


def test_one_person_however_written_and_nobody_else():
    names = pd.Series(["Léa Durand", "LEA DURAND ", "Léa Durand", "Durand Léa", None, None])
    phones = pd.Series(["06 39 98 12 34", "+33639981234", "06 39 98 12 35", "06 39 98 12 34", "0639981234", None])
    found = pseudonymise_informants(names, phones, key=KEY)
    assert found[0] == found[1]
    assert found.iloc[:5].nunique() == 4
    assert found.isna().tolist() == [False] * 5 + [True]
    assert set(found.dropna()).isdisjoint(pseudonymise_informants(names, phones, key=b"j" * 32))


def test_plates():
    found = pseudonymise_plates(pd.Series(["AA-123-AA", "aa 123 aa", "AA-123-AB", None]), key=KEY)
    assert found[0] == found[1] != found[2]
    assert found.isna().tolist() == [False, False, False, True]
    assert pseudonymise_plates(pd.Series([], dtype="str"), key=KEY).empty


@pytest.mark.parametrize("key", [b"", b"x" * 15, "x" * 32])
def test_short_keys_are_refused(key):
    with pytest.raises(ParameterError, match="at least 16 bytes"):
        check_key(key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Léa Durand signale un tapage", "T signale un tapage"),
        ("DURAND Lea signale", "T signale"),
        ("Mme Durand, tél. 06.39.98.12.34", "Mme T, tél. T"),
        ("rappeler +33 6 39 98 12 34 SVP", "rappeler T SVP"),
        ("rappeler le 0639981234", "rappeler le T"),
        ("le voisin au 06 39 98 77 77", "le voisin au [tel]"),
        ("Durandal et Philéa", "Durandal et Philéa"),
        ("dossier 20639981234567", "dossier 20639981234567"),
        ("Le\u0301a (décomposé) crie", "T (décomposé) crie"),
        ("rien", "rien"), ("", ""),
    ],
)  # fmt: skip
def test_scrub(text, expected):
    assert scrub(text, name="Léa Durand", phone="06 39 98 12 34", token="T") == expected


def test_scrub_compound_names_and_absent_ones():
    assert scrub("M. d'Arc-Petit", name="Zoé D’Arc-Petit", phone="", token="T") == "M. d'T"
    texts = scrub_texts(
        pd.Series(["Léa Durand", None, "06 39 98 12 34"], dtype="str"),
        names=pd.Series([None, "Léa", None], dtype="str"),
        phones=pd.Series([None, None, "0639981234"], dtype="str"),
        tokens=pd.Series(["a", "b", "c"], dtype="str"),
    )
    assert texts.tolist() == ["Léa Durand", "", "c"]


@pytest.mark.parametrize(
    "phone", ["0639981234", "06 39 98 12 34", "+33639981234", "0033 6 39 98 12 34", "+33 (0)639981234"]
)
def test_normal_phone(phone):
    assert normal_phone(phone) == "0639981234"
