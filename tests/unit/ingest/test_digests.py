"""The compiled HMAC against the library's, at every length at which a block ends."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from ingest import digests, scan
from ingest.digests import hmac_sha256
from ingest.pseudonyms import pseudonym, row_mark
from ingest.sealing import row_marks
from ingest.texts import hexadecimal

MESSAGES = [hashlib.shake_256(b"%d" % n).digest(n) for n in range(300)]


@pytest.mark.parametrize("key", [b"k" * 16, b"k" * 64, b"k" * 65, bytes(range(100))])
@pytest.mark.parametrize("many", [1, 10**9])
def test_it_is_that_hmac(key, many, monkeypatch):
    assert scan.KINDS, "loaded, so that the compiled loop may be used"
    monkeypatch.setattr(digests, "_MANY", many)
    found = [row.tobytes() for row in hmac_sha256(MESSAGES, key=key, prefix=b"row\x1f")]
    assert found == [hmac.digest(key, b"row\x1f" + m, "sha256") for m in MESSAGES]
    assert row_marks(MESSAGES, key=key).tolist() == [row_mark(m, key=key) for m in MESSAGES]
    made = hexadecimal(hmac_sha256(MESSAGES, key=key, prefix=b"plt\x1f")[:, :16]).to_pylist()
    ascii_only = [(m, d) for m, d in zip(MESSAGES, made, strict=True) if m.isascii()]
    assert ascii_only
    assert all(pseudonym("plt", m.decode(), key=key) == f"plt_{d}" for m, d in ascii_only)


def test_no_message_at_all():
    assert hmac_sha256([], key=b"k" * 16, prefix=b"").shape == (0, 32)
    assert hexadecimal(hmac_sha256([], key=b"k" * 16, prefix=b"")).to_pylist() == []


def test_without_that_library_python_does_it(monkeypatch):
    monkeypatch.setattr(digests, "_MANY", 1)
    monkeypatch.setattr(digests, "_native", lambda: None)
    assert hmac_sha256([b"a"], key=b"k" * 16, prefix=b"p").tobytes() == hmac.digest(b"k" * 16, b"pa", "sha256")
