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
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final, NamedTuple, NoReturn

from ingest.chunks import Chunk, Limits, Source, rows_frame, safe
from ingest.contracts import StreamSpec
from ingest.layout import Layout
from ingest.quarantine import RAW_BYTES, Reason, Reject, reject
from ingest.quick import can_scan, scan
from ingest.whole import read_geojson, read_parquet

_HEAD_BYTES: Final = 64 * 1024
_BLOCK_BYTES: Final = 1 << 20
_WINDOW_BYTES: Final = 8 << 20
_BOM: Final = b"\xef\xbb\xbf"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_CONTROL: Final = bytes(b for b in range(32) if b not in b"\t\n\r\f")
_ESCAPED_TROUBLE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


#: Inflated size below which the ratio is not looked at.
RATIO_FLOOR_BYTES: Final = 64 << 20


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


def parse(source: Source, spec: StreamSpec, *, limits: Limits | None = None, quick: bool = False) -> Iterator[Chunk]:
    """Read one file of the stream ``spec``.

    Parameters
    ----------
    source : callable returning an iterable of bytes
        Called up to three times: to look at the head, to check an archive, to read.
    spec : StreamSpec
        Format and fields.
    limits : Limits, default=Limits()
    quick : bool, default=False
        Read ordinary lines with the compiled loops of :mod:`ingest.scan`, which pays beyond some megabytes. The same
        rows are read and the same are refused; the ordinary ones come ``typed``.

    Yields
    ------
    Chunk
        In file order, but for ``typed`` rows. Nothing is raised for bad bytes: they become rejects. A file of valid
        form without any row (a CSV header alone) yields nothing.
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
    if spec.format != "parquet" and (noise := _noise(head)) is not None:
        yield _whole(source, spec, Reason.NOT_TEXT, noise)
        return
    blocks = _inflate(source()) if compressed else iter(source())
    if spec.format in ("geojson", "parquet"):
        yield from _read_whole(blocks, source, spec, limits)
        return
    if quick and cut is None and can_scan(spec) and (spec.format == "jsonl" or _plain_header(head, spec)):
        yield from _read_quick(blocks, spec, limits)
    else:
        yield from _read_lines(_lines(blocks, limits.max_line_bytes), spec, limits)


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
        raw += block[: max(0, RAW_BYTES - len(raw))]
    rejected = Reject(0, reason, detail, raw, digest.hexdigest())
    return Chunk(rows_frame([], [], spec, {}), [rejected], 1)


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


def _lines(blocks: Iterator[bytes], max_line_bytes: int, *, first: int = 1) -> Iterator[_Line | Reject]:
    """Cut blocks into non-blank lines. A long line is measured, not held. A cut stream ends with one reject."""
    number = first
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
                pending = [(b"".join(pending) + piece[:RAW_BYTES])[:RAW_BYTES]]
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


def _whole_lines(blocks: Iterator[bytes], limits: Limits) -> Iterator[tuple[bytes, int, Iterator[bytes] | None]]:
    """Gather blocks into larger ones.

    Yields
    ------
    (bytes, int, iterator of bytes or None)
        A block and how much of it is whole lines; with an iterator, the last one, and the rest of the file after these
        lines, in which a line without end begins.
    """
    pending: list[bytes] = []
    size = 0
    for block in blocks:
        pending.append(block)
        size += len(block)
        if size < _WINDOW_BYTES:
            continue
        data = b"".join(pending)
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        pending, size = [rest], len(rest)
        if size > limits.max_line_bytes:
            yield data, cut, chain([rest], blocks)
            return
        if cut:
            yield data, cut, None
    if size:
        yield b"".join(pending), size, None


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


def _read_lines(
    lines: Iterator[_Line | Reject], spec: StreamSpec, limits: Limits, *, header: Layout | None = None
) -> Iterator[Chunk]:
    """Read lines one by one; ``header`` is that of a CSV file whose header line has been read."""
    if spec.format == "jsonl":
        return _read_jsonl(lines, spec, limits)
    return _read_csv(lines, spec, limits, header=header)


def _read_quick(blocks: Iterator[bytes], spec: StreamSpec, limits: Limits) -> Iterator[Chunk]:
    """Read lines block by block; those that are not ordinary go the careful way, one by one."""
    number = 1
    header = Layout(tuple(range(len(spec.fields))), {}) if spec.format == "csv" else None
    for block, size, endless in _whole_lines(blocks, limits):
        start = 0
        if number == 1 and size and (header is not None or block.startswith(_BOM)):
            start, number = block.find(b"\n", 0, size) + 1 or size, 2
            if header is None:
                yield from _read_lines(_lines(iter([block[:start]]), limits.max_line_bytes), spec, limits)
        if start < size:
            found = scan(block, start, size, spec, first=number, max_line_bytes=limits.max_line_bytes)
            if len(found.typed):
                yield Chunk(rows_frame([], [], spec, {}), [], len(found.typed), found.typed)
            others = (_line_of(n, raw, limits) for n, raw in found.others if not _blank(raw))
            yield from _read_lines(others, spec, limits, header=header)
            number += found.n_lines
        if endless is not None:
            lines = _lines(endless, limits.max_line_bytes, first=number)
            yield from _read_lines(lines, spec, limits, header=header)


def _read_whole(blocks: Iterator[bytes], source: Source, spec: StreamSpec, limits: Limits) -> Iterator[Chunk]:
    """Read a file that has to be held whole, as far as it goes."""
    held = bytearray()
    cut: _CutError | None = None
    try:
        for block in blocks:
            held += block
            if len(held) > limits.max_whole_bytes:
                detail = f"more than {limits.max_whole_bytes} bytes, and {spec.format} is read whole"
                yield _whole(source, spec, Reason.FILE_TOO_LARGE, detail)
                return
    except _CutError as stop:
        cut = stop
    if spec.format == "parquet" and cut is not None:  # its table of contents stood at the end
        yield _whole(source, spec, cut.reason, cut.detail)
        return
    read = read_geojson if spec.format == "geojson" else read_parquet
    found = read(bytes(held), spec, limits, cut=None if cut is None else (cut.reason, cut.detail))
    if isinstance(found, tuple):
        yield _whole(source, spec, *found)
    else:
        yield from found


def _line_of(number: int, raw: bytes, limits: Limits) -> _Line:
    """A line as :func:`_lines` gives it."""
    if len(raw) <= limits.max_line_bytes:
        return _Line(number, raw)
    return _Line(number, raw[:RAW_BYTES], hashlib.sha256(raw).hexdigest(), len(raw))


def _plain_header(head: bytes, spec: StreamSpec) -> bool:
    """Whether the first line of a CSV file names the fields in order, as plainly as can be."""
    names = spec.delimiter.join(spec.fields).encode()
    return not spec.header and head.removeprefix(_BOM).partition(b"\n")[0].removesuffix(b"\r") == names


def _read_jsonl(lines: Iterator[_Line | Reject], spec: StreamSpec, limits: Limits) -> Iterator[Chunk]:
    allowed = frozenset(spec.fields)
    numbers: list[int] = []
    raws: list[bytes] = []
    objects: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    rows_in = size = 0

    def chunk() -> Chunk:
        columns = {name: [o.get(name) for o in objects] for name in spec.fields}
        return Chunk(rows_frame(numbers, raws, spec, columns), rejects, rows_in)

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
            rejects.append(reject(line.number, Reason.UNEXPECTED_FIELD, safe(detail), raw))
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
        return safe(str(cause))[:200]
    if _ESCAPED_TROUBLE.search(raw):
        texts = [part for item in found.items() for part in item if isinstance(part, str)]
        if any("\x00" in part for part in texts):
            return "an escaped NUL character"
        if any(safe(part) != part for part in texts):
            return "an escape that is half a character"
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)
_CAREFUL: Final = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_once)


def _read_csv(
    lines: Iterator[_Line | Reject], spec: StreamSpec, limits: Limits, *, header: Layout | None = None
) -> Iterator[Chunk]:
    width = len(header.take) if header is not None else len(spec.header)  # 0 until the header line is read
    found: Layout | str | None = header  # where the fields are, or what is wrong
    if header is None and spec.header:
        found = spec.layout(spec.header)
    numbers: list[int] = []
    raws: list[bytes] = []
    values: list[list[str]] = []
    rejects: list[Reject] = []
    rows_in = size = 0

    def chunk() -> Chunk:
        by_column = list(zip(*values, strict=True))
        if not isinstance(found, Layout) or not by_column:
            return Chunk(rows_frame([], [], spec, {}), rejects, rows_in)
        columns = {name: list(column) for name, column in zip(spec.fields, by_column, strict=True)}
        return Chunk(rows_frame(numbers, raws, spec, columns, found.carried), rejects, rows_in)

    for line in lines:
        if isinstance(line, Reject):
            rejects.append(line)
            rows_in += 1
            continue
        raw = line.raw.strip(b"\r\n")
        text = _text_of(line)
        if found is None:
            names = [] if isinstance(text, Reject) else _csv_fields(text.rstrip("\r\n"), spec.delimiter) or []
            found, width = spec.layout(names), len(names)
            if isinstance(found, Layout):
                continue
            found = f"{found}; {width} columns in line {line.number}"
        rows_in += 1
        if isinstance(text, Reject):
            rejects.append(text)
        elif isinstance(found, str):
            rejects.append(reject(line.number, Reason.WRONG_HEADER, safe(found)[:500], raw))
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
