"""What is kept of a row once its persons are taken out: a keyed mark, pseudonyms, scrubbed texts, an identifier.

The functions of :mod:`ingest.pseudonyms` say what each of these is; here they are applied to whole batches of rows that
share one key, touching only the rows and the distinct values that need it.

What it cannot tell you: see :mod:`ingest.pseudonyms`. In a free text, account names are looked for as written in their
own field; a nickname is not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contrechamp.domain.columns import RAW, RECORD_ID, ROW_SHA256
from ingest.contracts import StreamSpec
from ingest.digests import hmac_sha256
from ingest.pseudonyms import fold, normal_name, pseudonymise, scrub, without_accents
from ingest.texts import as_series, filled, hexadecimal

_WORD: Final = re.compile(r"[^\W_]+")


def seal(good: pd.DataFrame, spec: StreamSpec, *, key: bytes, name: str = "") -> pd.DataFrame:
    """Turn rows that meet their contract into records.

    Parameters
    ----------
    good : pandas.DataFrame
        Of :func:`ingest.contracts.split`; all its rows under one key.
    spec : StreamSpec
    key : bytes
    name : str, default=""
        Name of the key, where there are several.

    Returns
    -------
    pandas.DataFrame
        ``good`` with the columns of the stream's table. Fields that show a person are still there under their own
        names, which are no columns of the table.
    """
    persons = {f.name: f.person for f in spec.described if f.person is not None}
    out: dict[str, Any] = {ROW_SHA256: row_marks(good[RAW].tolist(), key=key)}
    for person in spec.pseudonyms:
        parts = [(persons[part], good[part]) for part in person.parts]
        out[person.column] = pseudonymise(person.prefix, parts, key=key, name=name)
    for f in spec.described:
        if f.free:
            out[f.name] = _scrubbed(good[f.name], good, spec, out)
    if spec.given_id is None:
        out[RECORD_ID] = _composed_ids(good, spec, out)
    return good.assign(**out)


def row_marks(raws: Sequence[bytes], *, key: bytes) -> pd.Series:
    """:func:`ingest.pseudonyms.row_mark` of many rows."""
    return as_series(hexadecimal(hmac_sha256(raws, key=key, prefix=b"row\x1f")))


# ---------------------------------------------------------------------------------------------- identifiers


def _composed_ids(good: pd.DataFrame, spec: StreamSpec, made: dict[str, Any]) -> pd.Series:
    """Identifier made of the identity's values, a person's replaced by the pseudonym, separated by ``|``."""
    by_raw = {f.raw: f for f in spec.described}
    parts: list[Any] = []
    for raw in spec.identity:
        f = by_raw[raw]
        if f.person is not None:
            column = next(p.column for p in spec.pseudonyms if f.name in p.parts)
            parts.append(pa.array(made[column]).cast(pa.large_string()))
        elif f.kind == "time":
            parts.append(_iso(good[f.name]))
        elif f.kind == "text":
            text = pa.array(good[f.name]).cast(pa.large_string())
            parts.append(pc.replace_substring(pc.replace_substring(text, "%", "%25"), "|", "%7C"))
        else:
            parts.append(pa.array(good[f.name], from_pandas=True).cast(pa.large_string()))
    joined = pc.binary_join_element_wise(
        *parts, pa.scalar("|", pa.large_string()), null_handling="replace", null_replacement=""
    )
    return as_series(joined, index=good.index)


def _iso(times: pd.Series) -> Any:
    """Instants as ``2017-03-01T22:40:00Z``, with a fraction where there is one."""
    naive = times.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
    seconds = naive.astype("datetime64[s]")
    whole = bool((seconds == naive).all())
    shown: Any = np.char.add(np.datetime_as_string(seconds if whole else naive), "Z") if len(naive) else []
    texts = pa.array(shown, pa.large_string())
    return texts if whole else pc.replace_substring(texts, ".000000Z", "Z")


# ---------------------------------------------------------------------------------------------- free texts


def _scrubbed(texts: pd.Series, good: pd.DataFrame, spec: StreamSpec, made: dict[str, Any]) -> pd.Series:
    """Free texts without the persons that the row names. Missing texts become empty."""
    kinds = {f.name: f.person for f in spec.described}
    blank = pd.Series("", index=good.index, dtype="str")
    for person in spec.pseudonyms:
        shown = {kind: good[part] for part in person.parts if (kind := kinds[part]) in ("name", "phone")}
        tokens = made[person.column]
        for part in person.parts:
            if kinds[part] in ("handle", "user"):
                texts = _without_accounts(texts, accounts=good[part], tokens=tokens)
        texts = scrub_texts(texts, names=shown.get("name", blank), phones=shown.get("phone", blank), tokens=tokens)
    return texts if spec.pseudonyms else scrub_texts(texts, names=blank, phones=blank, tokens=blank)


def _without_accounts(texts: pd.Series, *, accounts: pd.Series, tokens: pd.Series) -> pd.Series:
    changed: dict[int, str] = {}
    rows = zip(texts.tolist(), accounts.tolist(), tokens.tolist(), strict=True)
    for at, (text, account, token) in enumerate(rows):
        if type(text) is not str or type(account) is not str:
            continue
        plain = account.strip().removeprefix("@")
        if plain and plain.casefold() in text.casefold():
            changed[at] = re.sub(rf"(?<!\w)@?{re.escape(plain)}(?!\w)", str(token), text, flags=re.IGNORECASE)
    if not changed:
        return texts
    out = texts.copy()
    out.iloc[list(changed)] = list(changed.values())
    return out


def scrub_texts(texts: pd.Series, *, names: pd.Series, phones: pd.Series, tokens: pd.Series) -> pd.Series:
    """:func:`ingest.pseudonyms.scrub` row by row, where there may be something to take out. Missing becomes empty.

    Most texts come many times, and few have any word of anybody's name in them.
    """
    column = filled(texts)
    coded = column.dictionary_encode()
    named, odd = _words_of_names(names)
    there = (_words_of_text(text) for text in coded.dictionary.to_pylist())
    doubtful = np.array([words is None or not words.isdisjoint(named) for words in there], dtype=np.bool_)
    at = np.flatnonzero(doubtful[coded.indices.to_numpy(zero_copy_only=False)] | odd)
    changed: dict[int, str] = {}
    columns = (s.take(at).fillna("").astype("str").tolist() for s in (texts, names, phones, tokens))
    for row, text, name, phone, token in zip(at.tolist(), *columns, strict=True):
        words = _words_of_text(text)
        if words is None or not words.isdisjoint(normal_name(name).split()):
            changed[row] = scrub(text, name=name, phone=phone, token=token)
    if not changed:
        return as_series(column, index=texts.index)
    mask = np.zeros(len(texts), dtype=np.bool_)
    mask[list(changed)] = True
    cleaned = pc.replace_with_mask(column, pa.array(mask), pa.array(list(changed.values()), pa.large_string()))
    return as_series(cleaned, index=texts.index)


def _words_of_names(names: pd.Series) -> tuple[frozenset[str], npt.NDArray[np.bool_]]:
    """All words of the names made of plain letters and accents, and which names are not."""
    bare = without_accents(filled(names))
    plain = pc.match_substring_regex(bare, "^[A-Za-z0-9 ]*$")
    words = pc.ascii_split_whitespace(pc.ascii_lower(bare.filter(plain))).flatten().unique()
    return frozenset(words.to_pylist()), ~plain.to_numpy(zero_copy_only=False)


@lru_cache(maxsize=1 << 15)
def _words_of_text(text: str) -> frozenset[str] | None:
    """Words that stand in a text; None where :func:`~ingest.pseudonyms.scrub` may change it whatever the name."""
    if "0" in text or "+33" in text or not unicodedata.is_normalized("NFC", text):
        return None
    return frozenset(_WORD.findall(fold(text)))
