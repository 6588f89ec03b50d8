"""Read the ordinary lines of a large file at the speed of the bytes; leave every other line to the careful reader.

A line is *ordinary* when nothing about it needs thought: the fields of the contract, each once, strings without
escapes, plain numbers, times as ``2017-03-01T23:40:00+01:00``, all of it UTF-8. For such a line there is only one
possible reading, so reading it here or in :mod:`ingest.parsing` gives the same row. Whatever is not ordinary, good or
bad, is only *marked* here: reasons are given in one place.

What it cannot tell you: anything about a line it marks, not even that it is bad.

Notes
-----
The loops are compiled on first use and kept in the cache of compiled code, which costs seconds once and a few tenths of
a second afterwards: worth it beyond some megabytes.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from numba.core import types

TEXT: Final = 0
TIME: Final = 1
NUMBER: Final = 2
INTEGER: Final = 3
FLAG: Final = 4

#: Codes of the kinds of field.
KINDS: Final = {"text": TEXT, "time": TIME, "number": NUMBER, "integer": INTEGER, "flag": FLAG}

IntArray = npt.NDArray[np.int64]

_CUMULATED: Final = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365], dtype=np.int64)
_TENS: Final = np.array([10.0**n for n in range(23)])
_EXACT: Final = 1 << 53
_US: Final = 1_000_000

_jit: Any = numba.njit(cache=True, nogil=True, inline="never")


@_jit
def _digits(buf, at, count):  # type: ignore[no-untyped-def]
    """Value of ``count`` decimal digits from ``at``; negative when one of them is none."""
    value = 0
    for k in range(at, at + count):
        digit = buf[k] - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@_jit
def _time(buf, start, end):  # type: ignore[no-untyped-def]
    """Microseconds since 1970 of an ordinary time, and whether it is one."""
    size = end - start
    if size < 20 or size > 32:
        return 0, False
    year, month, day = _digits(buf, start, 4), _digits(buf, start + 5, 2), _digits(buf, start + 8, 2)
    hour, minute, second = _digits(buf, start + 11, 2), _digits(buf, start + 14, 2), _digits(buf, start + 17, 2)
    if buf[start + 4] != 45 or buf[start + 7] != 45 or buf[start + 13] != 58 or buf[start + 16] != 58:
        return 0, False
    if buf[start + 10] != 84 or year < 1900 or year > 2100 or month < 1 or month > 12 or day < 1:
        return 0, False
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return 0, False
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    length = _CUMULATED[month] - _CUMULATED[month - 1]
    if leap and month == 2:
        length += 1
    if day > length:
        return 0, False
    at = start + 19
    micros = 0
    if buf[at] == 46:
        at += 1
        places = 0
        while at < end and buf[at] >= 48 and buf[at] <= 57 and places < 6:
            micros = micros * 10 + (buf[at] - 48)
            places += 1
            at += 1
        if places == 0 or at == end:
            return 0, False
        for _ in range(6 - places):
            micros *= 10
    offset = 0
    if buf[at] == 90:
        if at + 1 != end:
            return 0, False
    else:
        if at + 6 != end or (buf[at] != 43 and buf[at] != 45) or buf[at + 3] != 58:
            return 0, False
        hours, minutes = _digits(buf, at + 1, 2), _digits(buf, at + 4, 2)
        if hours < 0 or hours > 14 or minutes < 0 or minutes > 59:
            return 0, False
        offset = hours * 3600 + minutes * 60
        if buf[at] == 45:
            offset = -offset
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719162
    days += _CUMULATED[month - 1] + day - 1
    if leap and month > 2:
        days += 1
    return ((days * 24 + hour) * 60 + minute) * 60 * _US + (second - offset) * _US + micros, True


@_jit
def _number(buf, start, end, fraction_needs_digits):  # type: ignore[no-untyped-def]
    """Value of a plain number, the position after it, whether it is whole, and whether it is plain at all.

    At most fifteen digits, so that digits and power of ten are both exact and their quotient is correctly rounded.
    """
    at = start
    negative = buf[at] == 45
    if negative:
        at += 1
    mantissa, digits, places = 0, 0, 0
    first = at
    while at < end and buf[at] >= 48 and buf[at] <= 57:
        mantissa = mantissa * 10 + (buf[at] - 48)
        digits += 1
        at += 1
        if digits > 15:
            return 0.0, 0, at, False, False
    if digits == 0 or (fraction_needs_digits and digits > 1 and buf[first] == 48):
        return 0.0, 0, at, False, False
    whole = True
    if at < end and buf[at] == 46:
        whole = False
        at += 1
        while at < end and buf[at] >= 48 and buf[at] <= 57:
            mantissa = mantissa * 10 + (buf[at] - 48)
            digits += 1
            places += 1
            at += 1
            if digits > 15:
                return 0.0, 0, at, False, False
        if places == 0:
            return 0.0, 0, at, False, False
    if negative and mantissa == 0:
        return 0.0, 0, at, False, False
    if negative:
        mantissa = -mantissa
    return mantissa / _TENS[places], mantissa, at, whole, True


@_jit
def _text(buf, start, end, stop):  # type: ignore[no-untyped-def]
    """Where a text ends, and what it is: 0 not ordinary, 1 blank, 2 a value.

    The text ends before the byte ``stop``, or at ``end`` when ``stop`` does not come. Control characters, quotes and
    backslashes (of JSON) and what is not UTF-8 are not ordinary, nor is a text without any plain ASCII character, which
    might be made of exotic blanks.
    """
    at = start
    plain, wide = False, False
    while at < end:
        byte = buf[at]
        if byte == stop:
            break
        if byte < 0x80:
            if byte < 32 or byte == 34 or (byte == 92 and stop == 34):
                return at, 0
            if byte > 32:
                plain = True
            at += 1
            continue
        wide = True
        if byte < 0xC2 or byte > 0xF4:
            return at, 0
        more = 1 if byte < 0xE0 else (2 if byte < 0xF0 else 3)
        if at + more >= end:
            return at, 0
        second = buf[at + 1]
        low, high = 0x80, 0xBF
        if byte == 0xE0:
            low = 0xA0
        elif byte == 0xED:
            high = 0x9F
        elif byte == 0xF0:
            low = 0x90
        elif byte == 0xF4:
            high = 0x8F
        if second < low or second > high:
            return at, 0
        for k in range(2, more + 1):
            if buf[at + k] < 0x80 or buf[at + k] > 0xBF:
                return at, 0
        at += more + 1
    if plain:
        return at, 2
    return at, 0 if wide else 1


@_jit
def _json_line(buf, start, end, keys, key_at, kinds, i, begin, close, real, whole):  # type: ignore[no-untyped-def]
    n_fields = len(kinds)
    if end - start < 2 or buf[start] != 123 or buf[end - 1] != 125:
        return False
    at, last = start + 1, end - 1
    guess = 0
    seen = 0
    if at == last:
        return True
    while True:
        while at < last and buf[at] == 32:
            at += 1
        if at >= last or buf[at] != 34:
            return False
        at += 1
        found = -1
        for turn in range(n_fields):
            f = guess + turn
            if f >= n_fields:
                f -= n_fields
            size = key_at[f + 1] - key_at[f]
            if at + size >= last or buf[at + size] != 34:
                continue
            same = True
            for k in range(size):
                if buf[at + k] != keys[key_at[f] + k]:
                    same = False
                    break
            if same:
                found = f
                break
        if found < 0 or seen >> found & 1:
            return False
        seen |= 1 << found
        guess = found + 1 if found + 1 < n_fields else 0
        at += key_at[found + 1] - key_at[found] + 1
        while at < last and buf[at] == 32:
            at += 1
        if at >= last or buf[at] != 58:
            return False
        at += 1
        while at < last and buf[at] == 32:
            at += 1
        if at >= last:
            return False
        kind = kinds[found]
        byte = buf[at]
        if byte == 110:
            if at + 4 > last or buf[at + 1] != 117 or buf[at + 2] != 108 or buf[at + 3] != 108:
                return False
            at += 4
        elif kind in (TEXT, TIME):
            if byte != 34:
                return False
            stop, what = _text(buf, at + 1, last, 34)
            if what == 0 or stop >= last:
                return False
            if kind == TIME and what == 2:
                value, good = _time(buf, at + 1, stop)
                if not good:
                    return False
                whole[found, i] = value
            if what == 2:
                begin[found, i] = at + 1
                close[found, i] = stop
            at = stop + 1
        elif kind == FLAG:
            if at + 4 <= last and byte == 116 and buf[at + 1] == 114 and buf[at + 2] == 117 and buf[at + 3] == 101:
                whole[found, i] = 1
                begin[found, i] = at
                at += 4
            elif (
                at + 5 <= last
                and byte == 102
                and buf[at + 1] == 97
                and buf[at + 2] == 108
                and buf[at + 3] == 115
                and buf[at + 4] == 101
            ):
                whole[found, i] = 0
                begin[found, i] = at
                at += 5
            else:
                return False
        else:
            value, integer, stop, is_whole, good = _number(buf, at, last, True)
            if not good or (kind == INTEGER and not is_whole):
                return False
            real[found, i] = value
            whole[found, i] = integer
            begin[found, i] = at
            at = stop
        while at < last and buf[at] == 32:
            at += 1
        if at == last:
            return True
        if buf[at] != 44:
            return False
        at += 1


@_jit
def scan_json(buf, starts, ends, keys, key_at, kinds, begin, close, real, whole, ordinary):  # type: ignore[no-untyped-def]
    """Read JSON lines; arguments as of :func:`scan_csv`, with ``keys`` the field names end to end from ``key_at``."""
    for i in range(len(starts)):
        ordinary[i] = _json_line(buf, starts[i], ends[i], keys, key_at, kinds, i, begin, close, real, whole)


@_jit
def scan_csv(buf, starts, ends, delimiter, kinds, begin, close, real, whole, ordinary):  # type: ignore[no-untyped-def]
    """Read lines of a CSV file whose columns are the fields in order.

    Parameters
    ----------
    buf : ndarray of uint8
    starts, ends : ndarray of int64, shape (n_lines,)
    delimiter : int
    kinds : ndarray of int64, shape (n_fields,)
        Of :data:`KINDS`.
    begin, close : ndarray of int64, shape (n_fields, n_lines)
        Filled with where the text of each value lies; left at -1 where there is none.
    real, whole : ndarray of float64, of int64, shape (n_fields, n_lines)
        Filled with numbers; with integers, flags and microseconds since 1970.
    ordinary : ndarray of bool, shape (n_lines,)
        Filled with whether the line was read.
    """
    n_fields = len(kinds)
    for i in range(len(starts)):
        at, end = starts[i], ends[i]
        good = True
        for f in range(n_fields):
            stop, what = _text(buf, at, end, delimiter)
            last = f == n_fields - 1
            if what == 0 or (stop == end) != last:
                good = False
                break
            kind = kinds[f]
            if what == 2:
                if kind == TIME:
                    value, good = _time(buf, at, stop)
                    whole[f, i] = value
                elif kind in (NUMBER, INTEGER):
                    number, integer, after, is_whole, good = _number(buf, at, stop, False)
                    good = good and after == stop and (kind == NUMBER or is_whole)
                    real[f, i] = number
                    whole[f, i] = integer
                elif kind == FLAG:
                    good = (stop - at == 4 and buf[at] == 116 and buf[at + 1] == 114 and buf[at + 2] == 117
                            and buf[at + 3] == 101)  # fmt: skip
                    whole[f, i] = 1
                    if not good:
                        good = (stop - at == 5 and buf[at] == 102 and buf[at + 1] == 97 and buf[at + 2] == 108
                                and buf[at + 3] == 115 and buf[at + 4] == 101)  # fmt: skip
                        whole[f, i] = 0
                begin[f, i] = at
                close[f, i] = stop
            if not good:
                break
            at = stop + 1
        ordinary[i] = good


@_jit
def gather(buf, begin, close, offsets):  # type: ignore[no-untyped-def]
    """Copy pieces of ``buf`` one after the other; fill ``offsets`` (one more than pieces) and return the bytes."""
    total = 0
    for i in range(len(begin)):
        offsets[i] = total
        if begin[i] >= 0:
            total += close[i] - begin[i]
    offsets[len(begin)] = total
    out = np.empty(total, dtype=np.uint8)
    for i in range(len(begin)):
        if begin[i] >= 0:
            at = offsets[i]
            for k in range(begin[i], close[i]):
                out[at] = buf[k]
                at += 1
    return out


_take_in: Any = types.ExternalFunction("SHA256_Update", types.int32(types.uintp, types.uintp, types.uintp))
_finish: Any = types.ExternalFunction("SHA256_Final", types.int32(types.uintp, types.uintp))


@_jit
def hmac_each(data, offsets, inner, outer, out):  # type: ignore[no-untyped-def]
    """HMAC of each piece of ``data`` between two ``offsets``, given both keyed states of OpenSSL's SHA-256.

    Its two functions must be known to the linker: see :mod:`ingest.digests`.
    """
    state = np.empty(len(inner), np.uint64)
    at = state.ctypes.data
    for i in range(len(out)):
        digest = out[i].ctypes.data
        state[:] = inner
        _take_in(at, data.ctypes.data + offsets[i], offsets[i + 1] - offsets[i])
        _finish(digest, at)
        state[:] = outer
        _take_in(at, digest, 32)
        _finish(digest, at)
