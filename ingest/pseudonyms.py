"""Names, telephone numbers and plates replaced by keyed pseudonyms before anything reaches a record table.

A pseudonym is HMAC-SHA256 of the normalised identity under a key that the lake does not hold: the same person gets the
same pseudonym as long as the key lives, and nobody without the key can list candidates and compare, as they could with
a bare hash (there are few plates and few telephone numbers: a bare hash of one is undone in seconds).

Pseudonymous is not anonymous. Who holds the key can go back; who knows when and where somebody called can find the
line; habits single people out without any name. These tables remain personal data.

What it cannot tell you: that two pseudonyms are two people (one person with two telephones has two), nor that a free
text names nobody. Only the informant's own name and any French telephone number are taken out of the text; a
neighbour's name, an address or a plate in it stays.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.streams import Person
from ingest.digests import hmac_sha256
from ingest.texts import as_series, filled, hexadecimal

#: Shortest key accepted.
MIN_KEY_BYTES: Final = 16

_BETWEEN: Final = "\x1f"

#: What stands in a text for a telephone number that is not the informant's.
OTHER_PHONE: Final = "[tel]"

#: What is left of an accent once it is taken apart from its letter.
ACCENT: Final = "[\u0300-\u034e\u0350-\u036f]"
_ACCENT: Final = re.compile(ACCENT)
_PHONE: Final = re.compile(r"(?<![0-9])(?:(?:\+|00)33[ .\-]?(?:\(0\)[ .\-]?)?|0)[1-9](?:[ .\-]?[0-9]{2}){4}(?![0-9])")


def check_key(key: object) -> bytes:
    """Refuse a key too short to be one; return it otherwise.

    Raises
    ------
    ParameterError
        If ``key`` is not bytes or has fewer than :data:`MIN_KEY_BYTES`.
    """
    if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
        got = f"{len(key)} bytes" if isinstance(key, bytes) else type(key).__name__
        raise ParameterError(
            f"The `key` parameter of ingest must be at least {MIN_KEY_BYTES} bytes. Got {got}. "
            "Draw one with `openssl rand -hex 32`, keep it outside the lake, and give the same one every time."
        )
    return key


def key_mark(key: bytes) -> str:
    """Mark that tells whether two ingests used the same key, and nothing else about it."""
    check_key(key)
    return hmac.digest(key, b"contrechamp/key-mark", "sha256").hex()[:16]


@lru_cache(maxsize=1 << 16)
def normal_name(name: str) -> str:
    """Name without case, accents, punctuation or double spaces.

    Examples
    --------
    >>> normal_name("  Zoé  D’ÀRC-Petit ")
    'zoe d arc petit'
    """
    plain = _ACCENT.sub("", unicodedata.normalize("NFKD", name))
    if plain.isascii() and plain.replace(" ", "").isalnum():  # nearly all names
        return " ".join(plain.lower().split())
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


@lru_cache(maxsize=1 << 16)
def normal_phone(phone: str) -> str:
    """Digits of a French number with its leading 0, whatever the punctuation and the country prefix.

    Examples
    --------
    >>> normal_phone("+33 (0)6 39 98 12 34"), normal_phone("06.39.98.12.34")
    ('0639981234', '0639981234')
    """
    digits = phone.replace(" ", "")
    if not (digits.isascii() and digits.isdigit()):
        digits = "".join(c for c in phone if c in "0123456789")
    for prefix in ("0033", "33"):
        if digits.startswith(prefix) and len(digits) - len(prefix) in (9, 10):
            return "0" + digits[len(prefix) :].lstrip("0")
    return digits


def normal_plate(plate: str) -> str:
    """Letters and digits of a plate, in capitals.

    Examples
    --------
    >>> normal_plate("aa-123 bb")
    'AA123BB'
    """
    return "".join(c for c in plate.upper() if c.isalnum())


def normal_handle(handle: str) -> str:
    """Account name or user number without case, surrounding spaces or a leading @.

    Examples
    --------
    >>> normal_handle(" @Noa.B ")
    'noa.b'
    """
    return handle.strip().removeprefix("@").casefold()


#: What of a person a field shows → how two ways of writing it are made one.
NORMAL: Final[Mapping[Person, Callable[[str], str]]] = {
    "name": normal_name,
    "phone": normal_phone,
    "plate": normal_plate,
    "handle": normal_handle,
    "user": normal_handle,
}


def pseudonym(kind: str, identity: str, *, key: bytes, name: str = "") -> str:
    """Pseudonym of one normalised identity: 128 bits of HMAC-SHA256, after the kind of identity.

    The kind is part of what is hashed, so a plate and a name written alike do not meet. ``name`` is that of the key,
    where there are several (:attr:`ingest.keys.Key.name`): it stands between the two.
    """
    digest = hmac.digest(key, f"{kind}\x1f{identity}".encode(), "sha256")
    return f"{kind}_{name}{'_' if name else ''}{digest.hex()[:32]}"


def _pseudonyms(kind: str, identities: Sequence[bytes], *, key: bytes, name: str) -> Any:
    """:func:`pseudonym` of many identities."""
    digests = hmac_sha256(identities, key=key, prefix=f"{kind}\x1f".encode())[:, :16]
    return pc.binary_join_element_wise(_text(f"{kind}_{name}{'_' if name else ''}"), hexadecimal(digests), _text(""))


def _text(value: str) -> Any:
    return pa.scalar(value, pa.large_string())


def without_accents(column: Any) -> Any:
    """Texts of an Arrow array, taken apart (NFKD) and their accents left out."""
    odd = pc.invert(pc.string_is_ascii(column))
    if not pc.any(odd).as_py():
        return column
    bare = pc.replace_substring_regex(pc.utf8_normalize(column.filter(odd), "NFKD"), ACCENT, "")
    return pc.replace_with_mask(column, odd, bare)


def _all_normal(kind: Person, column: Any) -> Any:
    """:data:`NORMAL` of a column; nearly all names and numbers are plain, and these go through Arrow at once."""
    if kind == "name":
        short = without_accents(column)
        plain = pc.match_substring_regex(short, "^([A-Za-z0-9]+( [A-Za-z0-9]+)*)?$")
        short = pc.ascii_lower(short)
    elif kind == "phone":
        short = pc.replace_substring(column, " ", "")
        plain = pc.match_substring_regex(short, "^([0-24-9][0-9]*|0)?$")
        plain = pc.and_(plain, pc.invert(pc.starts_with(short, "0033")))
    else:
        coded = column.dictionary_encode()
        table = [NORMAL[kind](value) for value in coded.dictionary.to_pylist()]
        return pa.array(table, pa.large_string()).take(coded.indices)
    odd = pc.invert(plain)
    if not pc.any(odd).as_py():
        return short
    return pc.replace_with_mask(
        short, odd, pa.array([NORMAL[kind](value) for value in column.filter(odd).to_pylist()], pa.large_string())
    )


def row_mark(raw: bytes, *, key: bytes) -> str:
    """Keyed digest of a raw row, kept beside a record to recognise the row if it comes again.

    Keyed, because a bare SHA-256 beside the record would undo the pseudonyms: everything else in the row is known, and
    its plate or telephone number could be found by trying them all.
    """
    return hmac.digest(key, b"row\x1f" + raw, hashlib.sha256).hex()


def pseudonymise(prefix: str, parts: Sequence[tuple[Person, pd.Series]], *, key: bytes, name: str = "") -> pd.Series:
    """Pseudonyms of persons whom one or several fields identify together. Computed once per distinct person.

    Parameters
    ----------
    prefix : str
        Kind of identity, part of what is hashed.
    parts : sequence of (str, Series)
        What of a person each field shows (a key of :data:`NORMAL`), and its values; on one index.
    key : bytes
        At least :data:`MIN_KEY_BYTES`.
    name : str, default=""
        Name of the key, carried by the pseudonym where there are several.

    Returns
    -------
    Series of str
        Missing where every part is missing or blank.
    """
    check_key(key)
    shown = [(kind, filled(values)) for kind, values in parts]
    somebody = pc.not_equal(shown[0][1], "")
    for _, column in shown[1:]:
        somebody = pc.or_(somebody, pc.not_equal(column, ""))
    plain = [_all_normal(kind, column) for kind, column in shown]
    identities = plain[0] if len(plain) == 1 else pc.binary_join_element_wise(*plain, _text(_BETWEEN))
    coded = identities.dictionary_encode()
    made = _pseudonyms(prefix, coded.dictionary.cast(pa.large_binary()).to_pylist(), key=key, name=name).take(
        coded.indices
    )
    return as_series(pc.if_else(somebody, made, pa.scalar(None, pa.large_string())), index=parts[0][1].index)


def pseudonymise_informants(names: pd.Series, phones: pd.Series, *, key: bytes, name: str = "") -> pd.Series:
    """Pseudonyms of informants from name and telephone; missing where both are."""
    return pseudonymise("inf", [("name", names), ("phone", phones)], key=key, name=name)


def pseudonymise_plates(plates: pd.Series, *, key: bytes, name: str = "") -> pd.Series:
    """Pseudonyms of plates; missing where the plate is."""
    return pseudonymise("plt", [("plate", plates)], key=key, name=name)


class _Fold(dict[int, str]):
    """One plain lower-case letter for each letter, so that positions in the folded text are positions in the text."""

    def __missing__(self, code: int) -> str:
        letter = unicodedata.normalize("NFKD", chr(code))[0].lower()
        self[code] = letter if len(letter) == 1 else chr(code)
        return self[code]


_FOLD: Final = _Fold()


def fold(text: str) -> str:
    """Lower case without accents, letter for letter, so that positions stay."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


def scrub(text: str, *, name: str, phone: str, token: str) -> str:
    """Take an informant's own name and telephone number out of a text, whatever their case, accents and spacing.

    Every word of the name of two letters or more is replaced where it stands as a word: a text may say « Mme Durand »
    only. A word of the name that is also a common word goes too. Other French telephone numbers become
    :data:`OTHER_PHONE`.

    Examples
    --------
    >>> scrub("Mme DURÀND (06.39 98 12 34) signale", name="Durand Léa", phone="0639981234", token="inf_1")
    'Mme inf_1 (inf_1) signale'
    """
    if "0" in text or "+33" in text:
        own = normal_phone(phone) if phone else None
        text = _PHONE.sub(lambda m: token if normal_phone(m.group()) == own else OTHER_PHONE, text)
    if not name:
        return text
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    folded = fold(text)
    spans: list[tuple[int, int]] = []
    for word in normal_name(name).split():
        if len(word) < 2:
            continue
        at = folded.find(word)
        while at >= 0:
            end = at + len(word)
            if not (at and folded[at - 1].isalnum()) and not (end < len(folded) and folded[end].isalnum()):
                spans.append((at, end))
            at = folded.find(word, end)
    if not spans:
        return text
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and not any(c.isalnum() for c in text[merged[-1][1] : start]) and start - merged[-1][1] <= 2:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    out, at = [], 0
    for start, end in merged:
        out += [text[at:start], token]
        at = end
    return "".join(out) + text[at:]


def scrub_texts(texts: pd.Series, *, names: pd.Series, phones: pd.Series, tokens: pd.Series) -> pd.Series:
    """:func:`scrub` row by row. Missing texts become empty."""
    cleaned = [
        scrub(text, name=name, phone=phone, token=token) if text else ""
        for text, name, phone, token in zip(
            *(s.fillna("").astype("str").tolist() for s in (texts, names, phones, tokens)), strict=True
        )
    ]
    return pd.Series(cleaned, index=texts.index, dtype="str")
