"""From the bytes of one dropped file to its rows, whatever state the file is in.

A *row* is one non-blank line, counted by its physical line number from 1 (the header of a CSV file is line 1 and is
not a row). What cannot be cut into lines still counts, as one row: an empty file, a file that is not text, a damaged
archive (row 0, the file itself); the part of an archive that is missing (the line where it was cut). So every file
has a number of rows, and *rows in = rows committed + rows quarantined + duplicates* can hold for all of them.

Memory is bounded by one block, one line and one chunk of rows, whatever the file: a longer line is hashed and
measured as it passes, never held.

What it cannot tell you: that a row read without a fault says what its author meant. A truncated archive has lost its
checksum with its end; the rows before the cut are used because each still has to meet its contract.

Notes
-----
A line is a record: a CSV field that contains a line break is refused (``bad_csv``). Compression is told from the
first two bytes, not from the name. A field given twice in one JSON object makes the row ``bad_json``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

import pandas as pd

from contrechamp.domain.columns import RAW, SOURCE_ROW
from ingest.contracts import StreamSpec
from ingest.layout import Layout
from ingest.quarantine import RAW_CHARS, Reason, Reject, readable, reject

#: A file that can be read from its start as often as needed, in blocks of bytes.
Source = Callable[[], Iterable[bytes]]

_HEAD_BYTES: Final = 64 * 1024
_BLOCK_BYTES: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_CONTROL: Final = bytes(b for b in range(32) if b not in b"\t\n\r\f")
_ESCAPED_TROUBLE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is let in.

    Attributes
    ----------
    max_line_bytes : int
        A longer line is quarantined.
    max_inflated_bytes : int
        An archive that inflates beyond is quarantined whole.
    max_ratio : float
        Inflated over compressed bytes, beyond which (and beyond 64 MiB) an archive is quarantined whole.
        A log of text inflates 5 to 30 times.
    chunk_rows, chunk_bytes : int
        Rows, and bytes of rows, handed over at a time: whichever is reached first.
    """

    max_line_bytes: int = 1 << 20
    max_inflated_bytes: int = 8 << 30
    max_ratio: float = 200.0
    chunk_rows: int = 50_000
    chunk_bytes: int = 64 << 20


#: Inflated size below which the ratio is not looked at.
RATIO_FLOOR_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file.

    Attributes
    ----------
    rows : pandas.DataFrame
        Rows that could be read: ``source_row``, ``raw`` (bytes) and one object column per field of the stream.
    rejects : list of Reject
        Rows that could not.
    rows_in : int
        Rows seen, counted apart from the two above.
    """

    rows: pd.DataFrame
    rejects: list[Reject]
    rows_in: int


class _Line(NamedTuple):
    number: int
    raw: bytes
    sha256: str | None = None  # given when raw is only the beginning
    length: int = 0


class _CutError(Exception):
    """The bytes stop making sense here. What came before is good."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def from_bytes(data: bytes) -> Source:
    """Make a source of bytes already in memory."""
    return lambda: (data[i : i + _BLOCK_BYTES] for i in range(0, len(data), _BLOCK_BYTES))


def parse(source: Source, spec: StreamSpec, *, limits: Limits | None = None) -> Iterator[Chunk]:
    """Read one file of the stream ``spec``.

    Parameters
    ----------
    source : callable returning an iterable of bytes
        Called up to three times: to look at the head, to check an archive, to read.
    spec : StreamSpec
        Format and fields.
    limits : Limits, default=Limits()

    Yields
    ------
    Chunk
        In file order. Nothing is raised for bad bytes: they become rejects. A file of valid form without any row
        (a CSV header alone) yields nothing.
    """
    limits = limits or Limits()
    head = _head(source())
    if not head.strip(b" \t\r\n" + _BOM) and len(head) < _HEAD_BYTES:
        yield _whole(source, spec, Reason.EMPTY_FILE, f"{len(head)} bytes, none of them a row")
        return
    compressed = head.startswith(_GZIP_MAGIC)
    cut: _CutError | None = None
    if compressed:
        cut = _check_gzip(source(), limits)
        if cut is not None and cut.reason in (Reason.CORRUPT_GZIP, Reason.DECOMPRESSION_BOMB):
            yield _whole(source, spec, cut.reason, cut.detail)
            return
        head = _head(_inflate_quietly(source()))
        if cut is None and not head.strip(b" \t\r\n" + _BOM) and len(head) < _HEAD_BYTES:
            yield _whole(source, spec, Reason.EMPTY_FILE, "an archive of nothing")
            return
    if (noise := _noise(head)) is not None:
        yield _whole(source, spec, Reason.NOT_TEXT, noise)
        return
    blocks = _inflate(source()) if compressed else iter(source())
    reader = _read_jsonl if spec.format == "jsonl" else _read_csv
    yield from reader(_lines(blocks, limits.max_line_bytes), spec, limits)


# ---------------------------------------------------------------------------------------------- bytes


def _head(blocks: Iterable[bytes]) -> bytes:
    head = b""
    for block in blocks:
        head += block[: _HEAD_BYTES - len(head)]
        if len(head) >= _HEAD_BYTES:
            break
    return head


def _noise(head: bytes) -> str | None:
    """Say why ``head`` is not text, or None. One byte in ten must be out of place: one bad line is not noise."""
    if not head:
        return None
    control = len(head) - len(head.translate(None, _CONTROL))
    invalid = head.decode("utf-8", errors="replace").count("\ufffd")
    share = (control + invalid) / len(head)
    if share <= 0.1:
        return None
    hint = " It begins like UTF-16." if head[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    return f"{share:.0%} of the first {len(head)} bytes are not UTF-8 text.{hint}"


def _whole(source: Source, spec: StreamSpec, reason: Reason, detail: str) -> Chunk:
    """Set a whole file aside as one row, numbered 0."""
    digest = hashlib.sha256()
    raw = b""
    for block in source():
        digest.update(block)
        raw += block[: max(0, 4 * RAW_CHARS - len(raw))]
    rejected = Reject(0, reason, detail, readable(raw), digest.hexdigest())
    return Chunk(_rows_frame([], [], spec, {}), [rejected], 1)


def _inflate(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate a gzip file of one or more members; raise :class:`_CutError` where it stops being one."""
    engine: Any = None  # of the current member
    done = 0  # members finished
    for block in blocks:
        data, more = block, True
        while more:
            if engine is None:
                if done:
                    data = data.lstrip(b"\x00")  # padding between and after members is allowed
                if not data:
                    break
                if done and data[0] != _GZIP_MAGIC[0]:
                    raise _CutError(Reason.TRAILING_BYTES, "bytes after the end of the archive")
                engine = zlib.decompressobj(wbits=31)
            try:
                out = engine.decompress(data, _BLOCK_BYTES)
            except zlib.error as cause:
                raise _CutError(Reason.CORRUPT_GZIP, str(cause)) from None
            if out:
                yield out
            if engine.eof:
                data, engine, done = engine.unused_data, None, done + 1
            else:
                data = engine.unconsumed_tail
                more = bool(data) or len(out) == _BLOCK_BYTES
    if engine is not None:
        raise _CutError(Reason.TRUNCATED_GZIP, "the archive stops before its end mark")


def _inflate_quietly(blocks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from _inflate(blocks)
    except _CutError:
        return


def _check_gzip(blocks: Iterable[bytes], limits: Limits) -> _CutError | None:
    """Inflate once for nothing: None for a sound archive, else where and why it is not."""
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for block in blocks:
            taken += len(block)
            yield block

    made = 0
    try:
        for out in _inflate(counted()):
            made += len(out)
            ratio = made / max(taken, 1)
            if made > limits.max_inflated_bytes or (made > RATIO_FLOOR_BYTES and ratio > limits.max_ratio):
                return _CutError(
                    Reason.DECOMPRESSION_BOMB,
                    f"{made} bytes out of {taken} so far; the limits are {limits.max_inflated_bytes} bytes and "
                    f"{limits.max_ratio:g} times",
                )
    except _CutError as cut:
        return cut
    return None


# ---------------------------------------------------------------------------------------------- lines


def _lines(blocks: Iterator[bytes], max_line_bytes: int) -> Iterator[_Line | Reject]:
    """Cut blocks into non-blank lines. A long line is measured, not held. A cut stream ends with one reject."""
    number = 1
    pending: list[bytes] = []
    size = 0
    digest: Any = None  # of the long line in passing

    def close() -> _Line:
        raw = b"".join(pending)
        if number == 1 and raw.startswith(_BOM):
            raw = raw[len(_BOM) :]
        return _Line(number, raw, digest.hexdigest() if digest is not None else None, size)

    cut: _CutError | None = None
    while True:
        try:
            block = next(blocks)
        except StopIteration:
            break
        except _CutError as stop:
            cut = stop
            break
        pieces = block.split(b"\n")
        for index, piece in enumerate(pieces):
            if index:  # a line break stood before this piece
                line = close()
                if line.sha256 is not None or not _blank(line.raw):
                    yield line
                number, pending, size, digest = number + 1, [], 0, None
            if digest is not None:
                digest.update(piece)
            elif size + len(piece) > max_line_bytes:
                digest = hashlib.sha256(b"".join(pending))
                digest.update(piece)
                pending = [(b"".join(pending) + piece[: 4 * RAW_CHARS])[: 4 * RAW_CHARS]]
            elif piece:
                pending.append(piece)
            size += len(piece)
    line = close()
    if cut is not None:
        yield reject(number, cut.reason, cut.detail, line.raw, row_sha256=line.sha256)
    elif line.sha256 is not None or not _blank(line.raw):
        yield line


def _blank(raw: bytes) -> bool:
    return not raw or raw.isspace()


def _text_of(line: _Line) -> str | Reject:
    """Decode a line, or say why not."""
    if line.sha256 is not None:
        detail = f"{line.length} bytes on one line"
        return reject(line.number, Reason.LINE_TOO_LONG, detail, line.raw, row_sha256=line.sha256)
    if b"\x00" in line.raw:
        return reject(line.number, Reason.NUL_BYTE, f"at byte {line.raw.index(0)}", line.raw)
    try:
        return line.raw.decode("utf-8")
    except UnicodeDecodeError as cause:
        return reject(line.number, Reason.BAD_UTF8, f"at byte {cause.start}", line.raw)


# ---------------------------------------------------------------------------------------------- formats


def _rows_frame(
    numbers: list[int],
    raws: list[bytes],
    spec: StreamSpec,
    columns: dict[str, list[Any]],
    carried: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    data: dict[str, Any] = {SOURCE_ROW: pd.array(numbers, dtype="int64"), RAW: pd.Series(raws, dtype=object)}
    for name in spec.fields:
        data[name] = pd.Series(columns.get(name, []), dtype=object)
    for name, value in (carried or {}).items():
        data[name] = pd.array([value] * len(numbers), dtype="str")
    return pd.DataFrame(data)


def _read_jsonl(lines: Iterator[_Line | Reject], spec: StreamSpec, limits: Limits) -> Iterator[Chunk]:
    allowed = frozenset(spec.fields)
    numbers: list[int] = []
    raws: list[bytes] = []
    objects: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    rows_in = size = 0

    def chunk() -> Chunk:
        columns = {name: [o.get(name) for o in objects] for name in spec.fields}
        return Chunk(_rows_frame(numbers, raws, spec, columns), rejects, rows_in)

    for line in lines:
        rows_in += 1
        if isinstance(line, Reject):
            rejects.append(line)
            continue
        raw = line.raw.strip()
        text = _text_of(line)
        if isinstance(text, Reject):
            rejects.append(text)
        elif isinstance(found := _json_object(text, raw), str):
            rejects.append(reject(line.number, Reason.BAD_JSON, found, raw))
        elif not found.keys() <= allowed:
            detail = f"not in the contract: {', '.join(sorted(found.keys() - allowed))}"[:500]
            rejects.append(reject(line.number, Reason.UNEXPECTED_FIELD, _safe(detail), raw))
        else:
            numbers.append(line.number)
            raws.append(raw)
            size += len(raw)
            objects.append(found)
        if rows_in >= limits.chunk_rows or size >= limits.chunk_bytes:
            yield chunk()
            numbers, raws, objects, rejects, rows_in, size = [], [], [], [], 0, 0
    if rows_in:
        yield chunk()


def _json_object(text: str, raw: bytes) -> dict[str, Any] | str:
    """The object on the line, or what is wrong with it."""
    try:
        found = _DECODER.decode(text)
        if not isinstance(found, dict):
            return f"a {type(found).__name__}, not an object"
        if text.count('":') != len(found):  # rare: look closer
            _CAREFUL.decode(text)
    except (ValueError, RecursionError) as cause:
        return _safe(str(cause))[:200]
    if _ESCAPED_TROUBLE.search(raw):
        texts = [part for item in found.items() for part in item if isinstance(part, str)]
        if any("\x00" in part for part in texts):
            return "an escaped NUL character"
        if any(_safe(part) != part for part in texts):
            return "an escape that is half a character"
    return found


def _safe(text: str) -> str:
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)
_CAREFUL: Final = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_once)


def _read_csv(lines: Iterator[_Line | Reject], spec: StreamSpec, limits: Limits) -> Iterator[Chunk]:
    width = len(spec.header)  # columns of a row; 0 until the header line is read
    found = spec.layout(spec.header) if spec.header else None  # where the fields are, or what is wrong
    numbers: list[int] = []
    raws: list[bytes] = []
    values: list[list[str]] = []
    rejects: list[Reject] = []
    rows_in = size = 0

    def chunk() -> Chunk:
        by_column = list(zip(*values, strict=True))
        if not isinstance(found, Layout) or not by_column:
            return Chunk(_rows_frame([], [], spec, {}), rejects, rows_in)
        columns = {name: list(column) for name, column in zip(spec.fields, by_column, strict=True)}
        return Chunk(_rows_frame(numbers, raws, spec, columns, found.carried), rejects, rows_in)

    for line in lines:
        if isinstance(line, Reject):
            rejects.append(line)
            rows_in += 1
            continue
        raw = line.raw.strip(b"\r\n")
        text = _text_of(line)
        if found is None:
            header = [] if isinstance(text, Reject) else _csv_fields(text.rstrip("\r\n"), spec.delimiter) or []
            found, width = spec.layout(header), len(header)
            if isinstance(found, Layout):
                continue
            found = f"{found}; {width} columns in line {line.number}"
        rows_in += 1
        if isinstance(text, Reject):
            rejects.append(text)
        elif isinstance(found, str):
            rejects.append(reject(line.number, Reason.WRONG_HEADER, _safe(found)[:500], raw))
        elif (fields := _csv_fields(text.rstrip("\r\n"), spec.delimiter)) is None or len(fields) != width:
            seen = "broken quotes" if fields is None else f"{len(fields)} fields for {width} columns"
            rejects.append(reject(line.number, Reason.BAD_CSV, seen, raw))
        else:
            numbers.append(line.number)
            raws.append(raw)
            size += len(raw)
            values.append([fields[at] for at in found.take])
        if rows_in >= limits.chunk_rows or size >= limits.chunk_bytes:
            yield chunk()
            numbers, raws, values, rejects, rows_in, size = [], [], [], [], 0, 0
    if rows_in:
        yield chunk()


def _csv_fields(text: str, delimiter: str) -> list[str] | None:
    """Fields of one CSV line; None when its quotes do not close."""
    if '"' not in text:
        return text.split(delimiter)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
