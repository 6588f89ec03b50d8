"""Reading files in any state: what is a row, what is kept of a bad one, how much memory it may take."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from ingest import load_stream
from ingest.parsing import Chunk, Limits, from_bytes, parse
from ingest.quarantine import LABELS, RAW_BYTES, Reason

MC, VERB = load_stream("mains_courantes"), load_stream("verbalisations")
HEADER = b"id;t;lon;lat;code;mode;vehicle_class;plate\n"
TICKET = b"V-1;2017-03-01T10:00:00+01:00;5.4;43.3;R417;agent;car;AA-123-AA\n"


def read(data: bytes, spec=MC, **limits: int) -> tuple[list[int], list[tuple[int, str]], int]:
    """Rows read, rejects as (line, reason), rows in."""
    chunks = list(parse(from_bytes(data), spec, limits=Limits(**limits)))
    good = [int(n) for c in chunks for n in c.rows["source_row"]]
    bad = [(r.source_row, str(r.reason)) for c in chunks for r in c.rejects]
    rows_in = sum(c.rows_in for c in chunks)
    assert rows_in == len(good) + len(bad)
    return good, bad, rows_in


def only_reject(data: bytes, spec=MC, **limits: int):
    (rejected,) = [r for c in parse(from_bytes(data), spec, limits=Limits(**limits)) for r in c.rejects]
    return rejected


def test_line_numbers_are_physical_and_blank_lines_are_not_rows():
    good, bad, rows_in = read(b'{"id":"a"}\n\n  \r\n{"id":"b"}\r\nnot json\n{"id":"c"}')
    assert (good, bad, rows_in) == ([1, 4, 6], [(5, "bad_json")], 4)


def test_bom_is_not_part_of_the_first_row():
    (chunk,) = parse(from_bytes(b'\xef\xbb\xbf{"id":"a"}\n'), MC)
    assert chunk.rows["id"].tolist() == ["a"]
    assert chunk.rows["raw"].tolist() == [b'{"id":"a"}']
    assert read(b"\xef\xbb\xbf" + HEADER + TICKET, VERB)[0] == [2]


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf", gzip.compress(b""), gzip.compress(b"\n\n")])
@pytest.mark.parametrize("spec", [MC, VERB])
def test_empty_file_is_one_row_set_aside(data, spec):
    assert read(data, spec) == ([], [(0, "empty_file")], 1)


def test_csv_header_alone_is_an_empty_week_not_a_fault():
    assert read(HEADER, VERB) == ([], [], 0)


def test_truncated_gzip_gives_the_rows_before_the_cut_and_one_remainder():
    lines = [json.dumps({"id": f"r{i}", "text": hashlib.sha256(str(i).encode()).hexdigest()}) for i in range(2000)]
    whole = gzip.compress("\n".join(lines).encode(), mtime=0)
    good, bad, rows_in = read(whole[: len(whole) // 2])
    assert good == list(range(1, len(good) + 1))
    assert 800 < len(good) < 1200
    assert bad == [(len(good) + 1, "truncated_gzip")]
    assert rows_in == len(good) + 1


def test_gzip_cut_in_its_header_and_in_its_trailer():
    whole = gzip.compress(b'{"id":"a"}\n{"id":"b"}\n', mtime=0)
    assert read(whole[:5]) == ([], [(1, "truncated_gzip")], 1)
    assert read(whole[:-3]) == ([1, 2], [(3, "truncated_gzip")], 3)


def test_every_cut_of_a_gzip_keeps_a_prefix_of_the_rows():
    whole = gzip.compress(b"".join(b'{"id":"%d"}\n' % i for i in range(30)), mtime=0)
    for cut in range(2, len(whole)):
        good, bad, _ = read(whole[:cut])
        assert good == list(range(1, len(good) + 1))
        assert bad == [(len(good) + 1, "truncated_gzip")]


def test_damaged_checksum_condemns_the_whole_archive():
    whole = bytearray(gzip.compress(b'{"id":"a"}\n' * 9, mtime=0))
    whole[-6] ^= 1
    assert read(bytes(whole)) == ([], [(0, "corrupt_gzip")], 1)


def test_gzip_members_padding_and_foreign_tail():
    two = gzip.compress(b'{"id":"a"}\n') + gzip.compress(b'{"id":"b"}\n')
    assert read(two)[0] == [1, 2]
    assert read(two + b"\x00" * 512) == ([1, 2], [], 2)
    assert read(two + b"tail") == ([1, 2], [(3, "trailing_bytes")], 3)


def test_large_archives_inflate_whole():
    data = b"".join(b'{"id":"%07d"}\n' % i for i in range(250_000))  # 4 MB: several blocks inside one
    good, bad, _ = read(gzip.compress(data, mtime=0))
    assert (len(good), bad) == (250_000, [])


def test_decompression_bomb_is_not_read():
    bomb = gzip.compress(b"0" * 3_000_000)
    assert read(bomb, max_inflated_bytes=1_000_000) == ([], [(0, "decompression_bomb")], 1)


def test_binary_noise_is_one_row_with_the_digest_of_the_file():
    noise = hashlib.shake_256(b"noise").digest(200_000)
    rejected = only_reject(noise)
    assert (rejected.source_row, rejected.reason) == (0, Reason.NOT_TEXT)
    assert rejected.row_sha256 == hashlib.sha256(noise).hexdigest()
    assert len(rejected.raw) <= RAW_BYTES
    assert read('{"id":"a"}\n'.encode("utf-16"))[1] == [(0, "not_text")]


def test_bad_bytes_in_one_line_cost_one_line():
    good_line = b'{"id":"a","text":"' + b"x" * 80 + b'"}\n'
    data = good_line * 3 + b'{"id":"\x00"}\n' + b'{"text":"\xe9t\xe9"}\n' + good_line
    assert read(data) == ([1, 2, 3, 6], [(4, "nul_byte"), (5, "bad_utf8")], 6)


def test_long_line_is_hashed_whole_and_kept_short():
    long = b'{"text":"' + b"y" * 5000 + b'"}'
    data = b'{"id":"a"}\n' + long + b'\n{"id":"b"}\n'
    assert read(data, max_line_bytes=1000)[0] == [1, 3]
    rejected = only_reject(data, max_line_bytes=1000)
    assert rejected.reason == "line_too_long"
    assert rejected.row_sha256 == hashlib.sha256(long).hexdigest()
    assert rejected.detail == "5011 bytes on one line"
    assert rejected.raw == long[:RAW_BYTES]


def test_hundred_megabyte_line_takes_little_memory():
    block = b"z" * (1 << 20)

    def blocks() -> Iterator[bytes]:
        for _ in range(100):
            yield block
        yield b'\n{"id":"after"}\n'

    tracemalloc.start()
    chunks: list[Chunk] = list(parse(blocks, MC))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (rejected,) = [r for c in chunks for r in c.rejects]
    assert (rejected.reason, rejected.source_row) == ("line_too_long", 1)
    assert rejected.detail == f"{100 << 20} bytes on one line"
    assert [n for c in chunks for n in c.rows["source_row"]] == [2]
    assert peak < 8 << 20


@pytest.mark.parametrize(
    "line",
    [b"[1]", b"12", b"null", b'{"id":NaN}', b'{"id":"a","id":"b"}', b'{"id": "a", "text" : "b", "id" : "c"}',
     b'{"text":"\\ud800"}', b'{"text":"a\\u0000b"}', b"{" * 100, b"[" * 200_000, b'{"lon":' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_json_lines_that_are_not_one_plain_object(line):
    assert read(b'{"id":"ok"}\n' + line) == ([1], [(2, "bad_json")], 2)


def test_json_escapes_that_are_whole_characters_pass():
    (chunk,) = parse(from_bytes(b'{"text":"\\ud83d\\ude00 \\u00e9 \\\\u0000 \\"id\\": x"}'), MC)
    assert chunk.rows["text"].tolist() == ['😀 é \\u0000 "id": x']


def test_unknown_field_is_refused():
    rejected = only_reject(b'{"id":"a","known_by":"none"}')
    assert (rejected.reason, rejected.detail) == ("unexpected_field", "not in the contract: known_by")


def test_csv_rows():
    data = HEADER + TICKET + b"V-2;too;short\n" + b'V-3;"open;1;2;3;4;5;6\n' + TICKET.replace(b"R417", b'"R;417"')
    assert read(data, VERB) == ([2, 5], [(3, "bad_csv"), (4, "bad_csv")], 4)
    (chunk,) = parse(from_bytes(data), VERB)
    assert chunk.rows["code"].tolist() == ["R417", "R;417"]


def test_csv_columns_are_read_by_name():
    (chunk,) = parse(from_bytes(b"plate;id;t;lon;lat;code;mode;vehicle_class\nP;I;T;1;2;C;M;K\n"), VERB)
    assert chunk.rows.loc[0, ["id", "plate", "vehicle_class"]].tolist() == ["I", "P", "K"]


@pytest.mark.parametrize("first", [b"id;t;lon;lat;code;mode;plate\n", TICKET, HEADER.replace(b";", b",")])
def test_wrong_header_sets_every_line_aside_the_first_included(first):
    assert read(first + TICKET * 2, VERB) == ([], [(n, "wrong_header") for n in (1, 2, 3)], 3)


def test_chunks_hold_what_one_chunk_would():
    data = b"".join(b'{"id":"%d"}\n' % i if i % 3 else b"bad\n" for i in range(100))
    assert read(data, chunk_rows=7) == read(data, chunk_rows=1000)


def test_every_reason_has_both_languages():
    assert set(LABELS) == set(Reason)
