"""Vérifier un dossier d’audit scellé, avec Python seul. (Check a sealed audit folder with nothing but Python.)

    python -I verify.py                           le dossier où se trouve ce programme (the folder it stands in)
    python -I verify.py DOSSIER|X.zip|X.tar.gz    un autre, ou une archive, lue sans être dépaquetée
    python -I verify.py --fingerprint EMPREINTE   exige la clef du signataire (demands the signatory's key)

Sortie (exit code): 0 intact, 12 altéré ou illisible (altered or unreadable), 2 usage.

One file, standard library only, Python 3.8 or later, no network, nothing written, nothing of the folder run: so that
the other side needs neither our package nor our word. It is copied into every sealed folder, the same bytes each time.
What it reads is held to be hostile. The package uses its second half too; the first (hashes, signature) it does in its
own way, with another library, so that two programs must agree.

What it cannot tell you: that the numbers are right (replay them), nor whose the key is (compare its fingerprint by
another way), nor that this copy of the program is the published one: whoever alters a folder can alter it too. Take
it elsewhere, or compare its SHA-256.

References
----------
.. [1] Josefsson & Liusvaara (2017), RFC 8032, "Edwards-Curve Digital Signature Algorithm".
.. [2] Adams et al. (2001), RFC 3161, "Time-Stamp Protocol".
.. [3] in-toto Attestation Framework, Statement v1; DSSE v1.0 (pre-authentication encoding).
"""
# ruff: noqa: T201

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.isolated and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # the folder under examination must not lend its own json.py

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import re
import stat
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

SCHEMA = "contrechamp/manifest/2"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig.json"
RESULTS = "results.json"
PLAN = "plan.json"
RECORD = "run.json"
CHAIN = "chain.txt"
STATEMENT = "statement.dsse.json"
REQUEST = "timestamp.tsq"
TOKEN = "timestamp.tsr"  # noqa: S105 (a token of time, no password)
#: What the manifest cannot list: itself, what signs it, and what is made of that signature afterwards.
OUTSIDE = (MANIFEST, SIGNATURE, REQUEST, TOKEN)
#: Files whose content is read, not only hashed.
READ = (RESULTS, PLAN, RECORD, CHAIN, STATEMENT, REQUEST, TOKEN)
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"

MAX_FILES = 50_000
MAX_DEPTH = 64
MAX_JSON = 64 << 20
MAX_FOLDER = 64 << 30
MAX_ARCHIVE = 8 << 30
MAX_READ_AT_ONCE = 16 << 20
BLOCK = 1 << 20
SHOWN = 50
INTACT, USAGE, ALTERED = 0, 2, 12


class Fault(NamedTuple):
    """What is wrong, with which file, in French and in English."""

    name: str
    fr: str
    en: str


class RefusedError(Exception):
    """The folder or archive is not read any further: one sentence in French, one in English."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr, self.en = fr, en


# --- ed25519 (RFC 8032), verification only -------------------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_D2 = 2 * _D % _P
_ROOT = pow(2, (_P - 1) // 4, _P)  # a square root of -1
_NEUTRAL = (0, 1, 1, 0)


def _add(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Add two points in extended coordinates (X:Y:Z:T); complete on this curve, doubling included."""
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    t, z = a[3] * b[3] * _D2 % _P, 2 * a[2] * b[2]
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(a: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Twice a point, in fewer products than adding it to itself."""
    xx, yy, z = a[0] * a[0], a[1] * a[1], 2 * a[2] * a[2]
    h, g = xx + yy, xx - yy
    e, f = h - (a[0] + a[1]) ** 2, z + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _point(data: bytes) -> tuple[int, int, int, int] | None:
    """Decode a point; None unless it is on the curve and written in the one canonical way."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(data) != 32 or y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _encode(point: tuple[int, int, int, int]) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little")) or _NEUTRAL


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) is that of ``message`` by the key ``public`` (32 bytes).

    Without cofactor, as OpenSSL does. Refused besides: a scalar not reduced, a point off the curve or written in
    another way than the canonical one, and a key of small order, under which any message can be signed.

    Examples
    --------
    >>> key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    >>> mark = bytes.fromhex(
    ...     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    ...     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
    >>> verify_ed25519(key, b"", mark), verify_ed25519(key, b"x", mark)
    (True, False)
    """
    if len(public) != 32 or len(signature) != 64:
        return False
    key, scalar = _point(public), int.from_bytes(signature[32:], "little")
    if key is None or scalar >= _L:
        return False
    if _encode(_double(_double(_double(key)))) == _encode(_NEUTRAL):
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    minus = (_P - key[0], key[1], 1, _P - key[3])
    steps = (None, _BASE, minus, _add(_BASE, minus))  # scalar·B − challenge·A, both at once, bit by bit
    total = _NEUTRAL
    for bit in range(max(scalar.bit_length(), challenge.bit_length()) - 1, -1, -1):
        total = _double(total)
        step = steps[(scalar >> bit & 1) | (challenge >> bit & 1) << 1]
        if step is not None:
            total = _add(total, step)
    return _encode(total) == signature[:32]


# --- JSON as sealing writes it -------------------------------------------------------------------------------------


def loads(data: bytes) -> Any:
    """Read JSON strictly: UTF-8, no name twice in an object, no number of more than 400 characters.

    Raises
    ------
    ValueError
        Otherwise, or if it is nested too deeply.
    """
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_int=_int, parse_float=_float)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same name twice")
    return found


def _int(text: str) -> int:
    if len(text) > 400:
        raise ValueError("a number too long")
    return int(text)


def _float(text: str) -> float:
    if len(text) > 400:
        raise ValueError("a number too long")
    return float(text)


def pretty(value: Any) -> bytes:
    """Bytes of the manifest and of its signature: indented, sorted, ASCII."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def canonical(value: Any) -> bytes:
    """Bytes of which digests are made: sorted, no spaces, UTF-8. Numbers are already rounded when they are written."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def printable(name: str) -> str:
    """A name on one line, whatever it holds: a file's name must not write on the reader's terminal."""
    return name if name.isprintable() else ascii(name)[1:-1]


# --- reading a folder or an archive without believing it -----------------------------------------------------------


class Tree:
    """Regular files of a folder or an archive, by relative POSIX name, with a way to read each.

    Attributes
    ----------
    sizes : dict of str to int
        Bytes, in the order of the archive.
    faults : list of Fault
        What is neither a regular file nor a folder, or cannot be listed.
    """

    def __init__(self, limit: int) -> None:
        self.sizes: dict[str, int] = {}
        self.faults: list[Fault] = []
        self._limit = limit
        self._openers: dict[str, Callable[[], BinaryIO]] = {}

    def add(self, name: str, size: int, opener: Callable[[], BinaryIO]) -> None:
        """Take a file in, or refuse the whole when there are too many or they are too large together."""
        if name in self.sizes:
            raise RefusedError(
                f"le nom {printable(name)} y est deux fois", f"the name {printable(name)} is twice in it"
            )
        self.sizes[name] = size
        self._openers[name] = opener
        self._limit -= size
        if len(self.sizes) > MAX_FILES:
            raise RefusedError(f"plus de {MAX_FILES} fichiers", f"more than {MAX_FILES} files")
        if self._limit < 0 or size < 0:
            raise RefusedError("des tailles absurdes", "absurd sizes")

    def blocks(self, name: str) -> Iterator[bytes]:
        """Content of a file, never more than the size announced plus one block."""
        left = self.sizes[name]
        with self._openers[name]() as file:
            while left >= 0:
                block = file.read(BLOCK)
                if not block:
                    break
                left -= len(block)
                yield block
        if left:
            raise OSError("size differs from the one announced")

    def small(self, name: str) -> bytes:
        """Content of a control file.

        Raises
        ------
        OSError
            If it is not there, or too large to be one.
        """
        if self.sizes.get(name, MAX_JSON + 1) > MAX_JSON:
            raise OSError("missing" if name not in self.sizes else "too large")
        return b"".join(self.blocks(name))

    def within(self, prefix: str) -> None:
        """Take ``prefix`` off the names that bear it."""
        self.sizes = {_cut(name, prefix): size for name, size in self.sizes.items()}
        self._openers = {_cut(name, prefix): opener for name, opener in self._openers.items()}
        self.faults = [fault._replace(name=_cut(fault.name, prefix)) for fault in self.faults]


def _cut(name: str, prefix: str) -> str:
    return name[len(prefix) :] if name.startswith(prefix) else name


def _special(name: str) -> Fault:
    return Fault(
        name,
        "un lien ou un fichier spécial, dont aucune signature ne couvre le contenu",
        "a link or a special file, whose content no signature can cover",
    )


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file; a link is not followed and a pipe does not block.

    Raises
    ------
    OSError
        If it is anything else.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    handle = os.open(str(path), flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("not a regular file")
    return os.fdopen(handle, "rb")


def read_folder(root: Path) -> Tree:
    """List a folder. Links are never followed; depth, number and total size are bounded."""
    tree, pending = Tree(MAX_FOLDER), [("", 0)]
    while pending:
        prefix, depth = pending.pop()
        try:
            with os.scandir(str(root / prefix)) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    seen = entry.stat(follow_symlinks=False)
                    junction = getattr(seen, "st_file_attributes", 0) & 0x400
                    if stat.S_ISDIR(seen.st_mode) and not junction:
                        if depth >= MAX_DEPTH or len(pending) > MAX_FILES:
                            raise RefusedError(
                                "des dossiers trop profonds ou trop nombreux", "too many or too deep folders"
                            )
                        pending.append((name + "/", depth + 1))
                    elif stat.S_ISREG(seen.st_mode) and not junction:
                        tree.add(name, seen.st_size, lambda path=root / name: open_regular(path))  # type: ignore[misc]
                    elif len(tree.faults) < MAX_FILES:
                        tree.faults.append(_special(name))
        except OSError as cause:
            tree.faults.append(
                Fault(prefix or ".", f"illisible ({cause.strerror})", f"cannot be read ({cause.strerror})")
            )
    return tree


def _member_name(name: str) -> str:
    """Name of a member of an archive, refused when unpacking it could write elsewhere."""
    parts = name.rstrip("/").split("/")
    if name.startswith("./"):
        parts = parts[1:] or [""]
    bad = not name or "\\" in name or "\0" in name or ":" in parts[0] or len(parts) > MAX_DEPTH
    if (bad or any(part in ("", ".", "..") for part in parts)) and name not in (".", "./"):
        raise RefusedError(
            f"le nom {printable(name[:200])} sortirait du dossier, ou n’en est pas un",
            f"the name {printable(name[:200])} would leave the folder, or is none",
        )
    return "/".join(parts)


def _read_zip(path: Path) -> Tree:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - (1 << 16) - 64))
        tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 22 or tail.find(b"PK\6\7") >= 0:
        raise RefusedError("une archive zip tronquée ou zip64", "a truncated or zip64 archive")
    if int.from_bytes(tail[end + 12 : end + 16], "little") > 8 << 20:
        raise RefusedError(f"plus de {MAX_FILES} fichiers", f"more than {MAX_FILES} files")
    tree, archive = Tree(MAX_ARCHIVE), zipfile.ZipFile(str(path))
    for item in archive.infolist():
        name = _member_name(item.orig_filename)
        kind = stat.S_IFMT(item.external_attr >> 16)
        if item.flag_bits & 1 or item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RefusedError(f"{printable(name)} chiffré ou mal compressé", f"{printable(name)} encrypted or odd")
        if item.filename.endswith("/"):
            continue
        if kind not in (0, stat.S_IFREG):
            tree.faults.append(_special(name))
        else:
            tree.add(name, item.file_size, lambda item=item: archive.open(item))  # type: ignore[arg-type, misc]
    return tree


class _Bounded(io.RawIOBase):
    """A stream that refuses to be read far or much at once: what a decompression bomb needs."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self._inner = inner

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_READ_AT_ONCE:
            raise RefusedError("des tailles absurdes", "absurd sizes")
        return bytes(self._inner.read(size))

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence != 0 or offset > MAX_ARCHIVE:
            raise RefusedError("des tailles absurdes", "absurd sizes")
        return int(self._inner.seek(offset))

    def tell(self) -> int:
        return int(self._inner.tell())

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _read_tar(path: Path, magic: bytes) -> Tree:
    inner: Any = gzip.open(str(path), "rb") if magic[:2] == b"\x1f\x8b" else path.open("rb")  # noqa: SIM115
    stream: Any = _Bounded(inner)
    tree, archive = Tree(MAX_ARCHIVE), tarfile.open(fileobj=stream, mode="r:")  # noqa: SIM115
    for item in archive:
        name = _member_name(item.name)
        if item.isdir():
            continue
        if not item.isreg() or item.issparse():
            tree.faults.append(_special(name))
        else:
            tree.add(name, item.size, lambda item=item: archive.extractfile(item))  # type: ignore[arg-type, misc]
        if len(tree.faults) > MAX_FILES:
            raise RefusedError(f"plus de {MAX_FILES} fichiers", f"more than {MAX_FILES} files")
    return tree


def read_archive(path: Path) -> Tree:
    """List a zip, tar or tar.gz without unpacking it; the run may stand in one folder of it.

    Raises
    ------
    RefusedError
        For names that leave the folder, absurd sizes or numbers, encryption, unusual compression, or no archive.
    """
    try:
        with open_regular(path) as file:
            magic = file.read(4)
        tree = _read_zip(path) if magic[:2] == b"PK" else _read_tar(path, magic)
    except RefusedError:
        raise
    except Exception as cause:  # whatever a forged archive makes the reader say
        kind = type(cause).__name__
        raise RefusedError(f"archive illisible ({kind})", f"unreadable archive ({kind})") from None
    tops = {name.split("/", 1)[0] + "/" for name in tree.sizes if "/" in name}
    tops = {top for top in tops if top + MANIFEST in tree.sizes}
    if MANIFEST not in tree.sizes and len(tops) == 1:
        tree.within(tops.pop())
    return tree


# --- what the folder says, held against what it holds --------------------------------------------------------------


def records(body: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Records of ``results.json``, in order: (kind, id, SHA-256 of its canonical bytes).

    Results and verdicts one by one, then every other part but the digest.
    """
    found = []
    for kind, part, key in (("result", "results", "id"), ("verdict", "verdicts", "claim")):
        for item in body.get(part) or []:
            found.append((kind, str(item[key]), sha256(canonical(item))))
    for part in sorted(body):
        if part not in ("results", "verdicts", "digest"):
            found.append(("part", part, sha256(canonical(body[part]))))
    return found


FIRST_LINK = sha256(b"contrechamp/chain/1")
_CHAINED = re.compile("[0-9a-f]{64}(result|verdict|part)")


def link(previous: str, kind: str, name: str, digest: str) -> str:
    """Next link of the chain: SHA-256 of one line with the previous link and the record."""
    return sha256(f"{previous} {digest} {kind} {name}\n".encode("utf-8", "surrogatepass"))


def results_digest(body: Mapping[str, Any]) -> str:
    """Digest of ``results.json``: its canonical bytes without the digest itself."""
    return sha256(canonical({key: value for key, value in body.items() if key != "digest"}))


def pre_authentication(payload: bytes) -> bytes:
    """Bytes that a DSSE envelope signs: type and payload, each with its length."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


_SHA256 = bytes.fromhex("300d06096086480165030402010500")


def timestamp_request(signature: bytes) -> bytes:
    """RFC 3161 request (DER) to stamp a file's bytes: version 1, SHA-256 imprint, certificate asked for, no nonce."""
    imprint = b"\x30\x31" + _SHA256 + b"\x04\x20" + hashlib.sha256(signature).digest()
    return b"\x30\x39\x02\x01\x01" + imprint + b"\x01\x01\xff"


class Contents(NamedTuple):
    """What was read beside the hashes.

    Attributes
    ----------
    records : int
        Records in the chain.
    digest : str
        Digest of the results.
    facts : dict
        What the signed statement says: command, commit, plan, seed, lock.
    stamp : str
        Time of the token, as it says; empty without a token.
    """

    records: int
    digest: str
    facts: dict[str, Any]
    stamp: str


NOTHING = Contents(0, "", {}, "")


def check_contents(
    parts: Mapping[str, bytes],
    manifest: Mapping[str, Any],
    public: bytes,
    signature: bytes,
    verify: Callable[[bytes, bytes, bytes], bool] = verify_ed25519,
) -> tuple[list[Fault], Contents]:
    """Check the chain of records, the digest of results, the signed statement and the time stamp.

    Parameters
    ----------
    parts : mapping of str to bytes
        Content of the files of :data:`READ` that are there.
    manifest : mapping
        As parsed.
    public : bytes
        The key of the manifest's signature.
    signature : bytes
        The file ``manifest.sig.json``, which the time stamp is of.
    verify : callable
        Of a key, a message and a signature.
    """
    faults: list[Fault] = []
    held: dict[str, Any] = {}
    for name in (RESULTS, PLAN, RECORD):
        try:
            held[name] = loads(parts[name])
            if not isinstance(held[name], dict):
                raise ValueError
        except (KeyError, ValueError):
            held[name] = {}
    chain = _chain(parts.get(CHAIN), manifest, faults)
    if not faults:  # a chain that is broken says nothing of the records
        _compare_records(parts.get(RESULTS, b""), held[RESULTS], chain, faults)
    _check_plan(held[PLAN], held[RESULTS], faults)
    digest = _check_digest(held, manifest, faults)
    facts = _check_statement(parts.get(STATEMENT), held, manifest, public, faults, verify)
    stamp = _check_stamp(parts, signature, faults)
    return faults, Contents(len(chain), digest, facts, stamp)


def _chain(data: bytes | None, manifest: Mapping[str, Any], faults: list[Fault]) -> list[tuple[str, str, str]]:
    """Listed records, after following the chain link by link up to the head that the manifest signs."""
    if data is None:
        faults.append(Fault(CHAIN, "manque", "missing"))
        return []
    found: list[tuple[str, str, str]] = []
    last = FIRST_LINK
    for line in data.decode("utf-8", "replace").split("\n")[:-1]:
        parts = line.split(" ", 3)
        if len(parts) != 4 or not re.fullmatch(_CHAINED, parts[1] + parts[2]):
            faults.append(
                Fault(CHAIN, f"illisible à la ligne {len(found) + 1}", f"unreadable at line {len(found) + 1}")
            )
            return found
        last = link(last, parts[2], parts[3], parts[1])
        if last != parts[0]:
            name = printable(parts[3])
            faults.append(Fault(CHAIN, f"chaîne rompue à {name}", f"chain broken at {name}"))
            return found
        found.append((parts[2], parts[3], parts[1]))
    if manifest.get("chain") != {"head": last, "records": len(found)}:
        faults.append(Fault(CHAIN, "n’aboutit pas au maillon signé", "does not end at the link that is signed"))
    return found


def _compare_records(
    raw: bytes, body: Mapping[str, Any], listed: list[tuple[str, str, str]], faults: list[Fault]
) -> None:
    try:
        seen = records(body) if body else _surviving(raw)
    except (ValueError, KeyError, TypeError, RecursionError):
        seen = _surviving(raw)
    if seen == listed:
        return
    expected = [record for record in listed if body or record[0] != "part"]
    lost, more = Counter(expected) - Counter(seen), Counter(seen) - Counter(expected)
    names = {name: None for _, name, _ in lost}
    added = [name for _, name, _ in more if name not in names]
    if names:
        shown = ", ".join(map(printable, list(names)[:5])) + (" …" if len(names) > 5 else "")
        faults.append(
            Fault(RESULTS, f"enregistrements changés ou ôtés : {shown}", f"records changed or removed: {shown}")
        )
    if added:
        shown = ", ".join(map(printable, added[:5])) + (" …" if len(added) > 5 else "")
        faults.append(Fault(RESULTS, f"enregistrements ajoutés : {shown}", f"records added: {shown}"))
    if not lost and not more and body:
        first = printable(next(listed[i][1] for i in range(len(listed)) if seen[i] != listed[i]))
        faults.append(Fault(RESULTS, f"ordre changé à partir de {first}", f"order changed from {first} on"))
    if not body:
        faults.append(Fault(RESULTS, "illisible", "unreadable"))


def _surviving(raw: bytes) -> list[tuple[str, str, str]]:
    """Records still readable one by one in a file that is no longer JSON as a whole."""
    found = []
    for chunk in re.findall(rb"^  \{\n.*?^  \}", raw, re.DOTALL | re.MULTILINE):
        try:
            item = loads(chunk)
            kind, key = ("result", "id") if "id" in item else ("verdict", "claim")
            found.append((kind, str(item[key]), sha256(canonical(item))))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def _check_plan(plan: Mapping[str, Any], body: Mapping[str, Any], faults: list[Fault]) -> None:
    """The plan that is there must be the one whose hash the results bear; a run without a plan bears none."""
    try:
        own = sha256(canonical(plan["plan"])) if plan else None
        good = own == plan.get("sha256") and own == (body.get("plan") or {}).get("sha256")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        good = False
    if not good:
        faults.append(Fault(PLAN, "n’est pas le plan des résultats", "is not the plan of the results"))


def _check_digest(held: Mapping[str, Any], manifest: Mapping[str, Any], faults: list[Fault]) -> str:
    body = held[RESULTS]
    try:
        digest = results_digest(body)
    except (ValueError, TypeError, RecursionError):
        digest = ""
    if digest != body.get("digest"):
        faults.append(Fault(RESULTS, "ne correspond pas à sa propre empreinte", "does not match its own digest"))
    if digest != manifest.get("results_digest"):
        faults.append(Fault(MANIFEST, "donne une autre empreinte des résultats", "gives another digest of the results"))
    if held[RECORD].get("results_digest", digest) != digest:
        faults.append(Fault(RECORD, "donne une autre empreinte des résultats", "gives another digest of the results"))
    return digest


def statement_facts(held: Mapping[str, Any]) -> dict[str, Any]:
    """What a statement must say, from the files themselves: seed, profile, plan, commit, lock, run, digest."""
    body, record = held[RESULTS], held[RECORD]
    request, plan = body.get("request") or {}, body.get("plan") or {}
    environment = record.get("environment") or {}
    return {
        "seed": request.get("seed"),
        "profile": request.get("profile"),
        "scenario_sha256": request.get("scenario_sha256"),
        "plan_sha256": plan.get("sha256"),
        "commit": environment.get("commit"),
        "dirty": environment.get("dirty"),
        "lock_sha256": environment.get("constraints_sha256"),
        "run_id": record.get("run_id"),
        "results_digest": body.get("digest"),
    }


def _check_statement(
    data: bytes | None,
    held: Mapping[str, Any],
    manifest: Mapping[str, Any],
    public: bytes,
    faults: list[Fault],
    verify: Callable[[bytes, bytes, bytes], bool],
) -> dict[str, Any]:
    if data is None:
        faults.append(Fault(STATEMENT, "manque", "missing"))
        return {}
    try:
        envelope = loads(data)
        payload = base64.b64decode(envelope["payload"], validate=True)
        (mark,) = envelope["signatures"]
        signed = verify(public, pre_authentication(payload), base64.b64decode(mark["sig"], validate=True))
        if not signed or envelope["payloadType"] != PAYLOAD_TYPE or mark["keyid"] != sha256(public):
            faults.append(
                Fault(STATEMENT, "n’est pas signée par la clef du sceau", "is not signed by the key of the seal")
            )
            return {}
        body = loads(payload)
        if (body["_type"], body["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise ValueError
        definition = body["predicate"]["buildDefinition"]
        said = {**definition["externalParameters"], **definition["internalParameters"]}
        files = manifest.get("files") or {}
        for subject in body["subject"]:
            if files.get(subject["name"], {}).get("sha256") != subject["digest"]["sha256"]:
                name = printable(str(subject["name"]))
                faults.append(Fault(STATEMENT, f"parle d’un autre {name}", f"speaks of another {name}"))
        if RESULTS not in [subject["name"] for subject in body["subject"]]:
            faults.append(Fault(STATEMENT, "ne dit rien des résultats", "says nothing of the results"))
        for key, value in sorted(statement_facts(held).items()):
            if said[key] != value:
                faults.append(Fault(STATEMENT, f"contredit le dossier ({key})", f"contradicts the folder ({key})"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        faults.append(Fault(STATEMENT, "illisible", "unreadable"))
        return {}
    return said


# --- RFC 3161: the imprint of a token, without its certificates ----------------------------------------------------


def _der(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Content of the first DER element of ``data``, which must bear ``tag``, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("another element was expected")
    size, start = data[1], 2
    if size > 0x80:
        start += size - 0x80
        size = int.from_bytes(data[2:start], "big")
    if data[1] == 0x80 or start > 6 or start + size > len(data):
        raise ValueError("a length that does not hold")
    return data[start : start + size], data[start + size :]


def read_token(data: bytes) -> tuple[bytes, str]:
    """Message imprint (SHA-256) and time of an RFC 3161 response that grants a token. Its signature is not checked.

    Raises
    ------
    ValueError
        If it grants none, or is not made so.
    """
    answer, rest = _der(data, 0x30)
    status, token = _der(answer, 0x30)
    if rest or _der(status, 0x02)[0] not in (b"\0", b"\1"):
        raise ValueError("no token granted")
    content, _ = _der(token, 0x30)
    kind, content = _der(content, 0x06)
    signed = _der(_der(content, 0xA0)[0], 0x30)[0]
    signed = _der(signed, 0x02)[1]
    signed = _der(signed, 0x31)[1]
    inner, _ = _der(signed, 0x30)
    what, inner = _der(inner, 0x06)
    if (kind.hex(), what.hex()) != ("2a864886f70d010702", "2a864886f70d0109100104"):
        raise ValueError("no time stamp token")
    info = _der(_der(_der(inner, 0xA0)[0], 0x04)[0], 0x30)[0]
    info = _der(info, 0x02)[1]
    info = _der(info, 0x06)[1]
    imprint, info = _der(info, 0x30)
    algorithm, imprint = _der(imprint, 0x30)
    if _der(algorithm, 0x06)[0].hex() != "608648016503040201":
        raise ValueError("an imprint that is not SHA-256")
    info = _der(info, 0x02)[1]
    time = _der(info, 0x18)[0].decode("ascii")
    if not re.fullmatch(r"[0-9]{14}(\.[0-9]{1,9})?Z", time):
        raise ValueError("no time")
    day, hour = f"{time[:4]}-{time[4:6]}-{time[6:8]}", f"{time[8:10]}:{time[10:12]}:{time[12:14]}"
    return _der(imprint, 0x04)[0], f"{day} {hour} UTC"


def _check_stamp(parts: Mapping[str, bytes], signature: bytes, faults: list[Fault]) -> str:
    if REQUEST not in parts:
        faults.append(Fault(REQUEST, "manque", "missing"))
    elif parts[REQUEST] != timestamp_request(signature):
        faults.append(
            Fault(REQUEST, f"n’est pas la demande faite de {SIGNATURE}", f"is not the request made of {SIGNATURE}")
        )
    if TOKEN not in parts:
        return ""
    try:
        imprint, time = read_token(parts[TOKEN])
    except ValueError:
        faults.append(Fault(TOKEN, "n’est pas un jeton d’horodatage lisible", "is no time stamp that can be read"))
        return ""
    if imprint != hashlib.sha256(signature).digest():
        faults.append(Fault(TOKEN, f"horodate autre chose que {SIGNATURE}", f"stamps something else than {SIGNATURE}"))
        return ""
    return time


# --- the whole ------------------------------------------------------------------------------------------------------


class Finding(NamedTuple):
    """Outcome: faults (none when intact), files listed, fingerprint of the key, what was read, this program there."""

    faults: list[Fault]
    files: int
    fingerprint: str
    contents: Contents
    program: str = ""


def inspect(path: Path, fingerprint: str | None = None) -> Finding:
    """Check a folder or an archive whole.

    Parameters
    ----------
    path : Path
    fingerprint : str, optional
        The key that must have signed, learned from the signatory by another way.
    """
    try:
        tree = read_archive(path) if path.is_file() else read_folder(path)
        return inspect_tree(tree, fingerprint)
    except RefusedError as refused:
        return Finding([Fault(str(path), f"refusé : {refused.fr}", f"refused: {refused.en}")], 0, "", NOTHING)
    except OSError as cause:
        return Finding([Fault(str(path), f"illisible ({cause})", f"cannot be read ({cause})")], 0, "", NOTHING)


def inspect_tree(tree: Tree, fingerprint: str | None = None) -> Finding:
    """Like :func:`inspect`, of what is listed already."""
    faults = list(tree.faults)
    raw, signature = _control(tree, MANIFEST, faults), _control(tree, SIGNATURE, faults)
    request = _control(tree, REQUEST, [])
    public = _check_signature(raw, signature, request, faults)
    signed_by = sha256(public) if public else ""
    wanted = None if fingerprint is None else "".join(fingerprint.lower().replace(":", "").split())
    if wanted is not None and signed_by != wanted:
        shown = printable(wanted) or "∅"
        faults.append(Fault(SIGNATURE, f"signé par la clef {signed_by}, non par {shown}",
                            f"signed by key {signed_by}, not by {shown}"))  # fmt: skip
    manifest, files = _parse_manifest(raw, faults)
    special = {fault.name for fault in tree.faults}
    parts: dict[str, bytes] = {}
    for name in [*tree.sizes, *sorted(set(files) - set(tree.sizes) - special)]:
        kept = _check_file(tree, name, files, faults)
        if kept is not None:
            parts[name] = kept
    more, contents = check_contents(parts, manifest, public, signature) if manifest else ([], NOTHING)
    named = {fault.name for fault in faults}
    faults += [fault for fault in more if fault.en != "missing" or fault.name not in named]
    program = files.get("verify.py")
    return Finding(
        faults, len(files), signed_by, contents, str(program.get("sha256")) if isinstance(program, dict) else ""
    )


def _control(tree: Tree, name: str, faults: list[Fault]) -> bytes:
    try:
        return tree.small(name)
    except Exception as cause:  # an archive may fail in any way
        reason = str(cause) if isinstance(cause, OSError) else type(cause).__name__
        faults.append(Fault(name, f"manque ou illisible ({reason})", f"missing or unreadable ({reason})"))
        return b""


def _check_signature(manifest: bytes, data: bytes, request: bytes, faults: list[Fault]) -> bytes:
    """The public key; empty when there is none that can be read."""
    try:
        body = loads(data)
        public = base64.b64decode(body["public_key"], validate=True)
        mark = base64.b64decode(body["signature"], validate=True)
    except (ValueError, KeyError, TypeError):
        faults.append(Fault(SIGNATURE, "illisible", "unreadable"))
        return b""
    form = {
        "algorithm": "ed25519",
        "signs": MANIFEST,
        "public_key": base64.b64encode(public).decode(),
        "fingerprint": sha256(public),
        "signature": base64.b64encode(mark).decode(),
    }
    if data != pretty(form):
        faults.append(
            Fault(SIGNATURE, "contenu changé (pas la forme du sceau)", "content changed (not the form of a seal)")
        )
    elif not verify_ed25519(public, manifest, mark):
        # The time request was made of the signature: it tells which of the two was changed.
        name = MANIFEST if request == timestamp_request(data) else SIGNATURE
        fr, en = f"{MANIFEST} ou {SIGNATURE} a changé", f"{MANIFEST} or {SIGNATURE} was changed"
        faults.append(Fault(name, f"signature invalide ({fr})", f"does not match its signature ({en})"))
    return public


def _parse_manifest(raw: bytes, faults: list[Fault]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    try:
        body = loads(raw)
        files = body["files"]
        if not isinstance(files, dict):
            raise ValueError
        if body["schema"] != SCHEMA:
            faults.append(Fault(MANIFEST, f"n’est pas de la forme {SCHEMA}", f"is not of the form {SCHEMA}"))
        return dict(body), files
    except (ValueError, KeyError, TypeError):
        faults.append(Fault(MANIFEST, "illisible", "unreadable"))
        return {}, {}


def _check_file(tree: Tree, name: str, files: Mapping[str, Any], faults: list[Fault]) -> bytes | None:
    """Hold one file against the manifest; return its content when it is one that is read."""
    if name in OUTSIDE:
        if name in files:
            faults.append(Fault(name, "ne peut pas être dans le manifeste", "cannot be in the manifest"))
        return _control(tree, name, faults) if name in READ else None
    if name not in tree.sizes:
        faults.append(Fault(name, "manque", "missing"))
        return None
    if name not in files:
        faults.append(Fault(name, "absent du manifeste (ajouté ou renommé après le sceau)",
                            "not in the manifest (added after sealing, or renamed)"))  # fmt: skip
        return None
    listed, seen, kept = files[name], hashlib.sha256(), []
    keep = name in READ and tree.sizes[name] <= MAX_JSON
    if not isinstance(listed, dict) or listed.get("bytes") != tree.sizes[name]:
        listed = {}
        if not keep:
            faults.append(_changed(name))
            return None
    try:
        for block in tree.blocks(name):
            seen.update(block)
            if keep:
                kept.append(block)
    except Exception as cause:  # an archive may fail in any way
        kind = type(cause).__name__
        faults.append(Fault(name, f"illisible ({kind})", f"cannot be read ({kind})"))
        return None
    if listed != {"bytes": tree.sizes[name], "sha256": seen.hexdigest()}:
        faults.append(_changed(name))
    return b"".join(kept) if keep else None


def _changed(name: str) -> Fault:
    return Fault(
        name,
        "contenu changé (taille ou SHA-256 autre que dans le manifeste)",
        "content changed (SHA-256 or size differs from the manifest)",
    )


# --- in plain words -------------------------------------------------------------------------------------------------

_INTACT_FR = """\
VÉRIFICATION D’UN DOSSIER D’AUDIT : INTACT

Ce qui a été contrôlé
 - {files} fichiers : chacun a la taille et l’empreinte SHA-256 que donne manifest.json ; aucun ne
   manque, aucun n’est de trop, aucun n’est un lien.
 - La signature ed25519 de manifest.json, par la clef d’empreinte
   {fingerprint}
   {pinned}
 - {records} enregistrements (résultats, verdicts) : la chaîne de leurs empreintes, dans l’ordre, et
   l’empreinte des résultats {digest}
 - La déclaration signée par la même clef ; elle dit ce que dit le dossier :
   commande  {command}
   code      {commit}
   plan      {plan}
   graine    {seed}
   verrou    {lock}
 - {stamp}

Ce que cela montre
   Pas un octet de ces fichiers n’a changé depuis que le détenteur de cette clef les a scellés.

Ce que cela ne montre pas
 - Que les nombres sont bons : ils se recalculent tous, par « contrechamp verify DOSSIER --replay ».
 - À qui est la clef. Comparez son empreinte à celle que le signataire vous a donnée par une autre
   voie. Qui change un nombre et re-signe tout avec une autre clef obtient aussi « intact » : seule
   l’empreinte reçue par une autre voie (--fingerprint EMPREINTE) le fait voir.
 - Quand il a été scellé : la date est celle que dit le signataire, à moins d’un horodatage vérifié.
 - Que ce programme-ci est celui qui est publié : qui change un dossier peut aussi le changer.
   Son SHA-256 : {program}
"""
_INTACT_EN = """\
CHECK OF AN AUDIT FOLDER: INTACT

What was checked
 - {files} files: each has the size and the SHA-256 that manifest.json gives; none is missing, none is
   added, none is a link.
 - The ed25519 signature of manifest.json, by the key of fingerprint
   {fingerprint}
   {pinned}
 - {records} records (results, verdicts): the chain of their hashes, in order, and the digest of the
   results {digest}
 - The statement signed by the same key; it says what the folder says:
   command   {command}
   code      {commit}
   plan      {plan}
   seed      {seed}
   lock      {lock}
 - {stamp}

What this shows
   Not one byte of these files has changed since the holder of this key sealed them.

What it does not show
 - That the numbers are right: all can be computed again, with "contrechamp verify FOLDER --replay".
 - Whose the key is. Compare its fingerprint with the one the signatory gave you by another way. Whoever
   changes a number and signs everything again with another key gets "intact" too: only the fingerprint
   received by another way (--fingerprint FINGERPRINT) shows it.
 - When it was sealed: the date is what the signatory says, unless a time stamp is verified.
 - That this very program is the published one: whoever alters a folder can alter it too.
   Its SHA-256: {program}
"""
_PINNED = {
    ("fr", True): "C’est la clef attendue.",
    ("fr", False): "Elle n’a été comparée à rien.",
    ("en", True): "It is the key expected.",
    ("en", False): "It was compared with nothing.",
}
_STAMP = {
    ("fr", True): "Un jeton d’horodatage (RFC 3161) porte sur cette signature et dit {time}. Ni sa signature ni ses\n"
    "   certificats n’ont été vérifiés ici : openssl ts -verify -in timestamp.tsr -queryfile timestamp.tsq -CAfile …",
    ("fr", False): "Pas de jeton d’horodatage ; la demande (timestamp.tsq) est prête et porte sur cette signature.",
    ("en", True): "A time stamp token (RFC 3161) is of this signature and says {time}. Neither its signature nor its\n"
    "   certificates were verified here: openssl ts -verify -in timestamp.tsr -queryfile timestamp.tsq -CAfile …",
    ("en", False): "No time stamp token; the request (timestamp.tsq) is ready, and is of this signature.",
}
_ALTERED_FR = """\
VÉRIFICATION D’UN DOSSIER D’AUDIT : ALTÉRÉ OU ILLISIBLE

Ce qui ne va pas
{faults}

Ce que cela montre
   Ce dossier n’est pas tel qu’il a été scellé, ou n’est pas de la clef attendue. Cela ne dit ni qui l’a
   changé, ni si c’est exprès : une copie interrompue suffit. Redemandez-le au signataire.
"""
_ALTERED_EN = """\
CHECK OF AN AUDIT FOLDER: ALTERED OR UNREADABLE

What is wrong
{faults}

What this shows
   This folder is not as it was sealed, or not by the key expected. It says neither who changed it nor
   whether on purpose: an interrupted copy is enough. Ask the signatory for it again.
"""


def statement(found: Finding, *, pinned: bool, program: str) -> str:
    """What was found, in plain words: French, then English."""
    if found.faults:
        said = {"fr": [f" - {printable(f.name)} : {f.fr}" for f in found.faults[:SHOWN]],
                "en": [f" - {printable(f.name)}: {f.en}" for f in found.faults[:SHOWN]]}  # fmt: skip
        if len(found.faults) > SHOWN:
            said["fr"].append(f" - et {len(found.faults) - SHOWN} autres")
            said["en"].append(f" - and {len(found.faults) - SHOWN} more")
        texts = _ALTERED_FR.format(faults="\n".join(said["fr"])), _ALTERED_EN.format(faults="\n".join(said["en"]))
        return "\n".join(texts)
    contents, pages = found.contents, []
    for lang, text in (("fr", _INTACT_FR), ("en", _INTACT_EN)):
        facts = {key: "—" if value is None else printable(str(value)) for key, value in contents.facts.items()}
        dirty = {"fr": " (avec des modifications non enregistrées)", "en": " (with uncommitted changes)"}[lang]
        pages.append(
            text.format(
                files=found.files,
                fingerprint=found.fingerprint,
                pinned=_PINNED[lang, pinned],
                records=contents.records,
                digest=contents.digest,
                command=facts.get("command"),
                commit=facts.get("commit", "") + (dirty if contents.facts.get("dirty") else ""),
                plan=facts.get("plan_sha256"),
                seed=facts.get("seed"),
                lock=facts.get("lock_sha256"),
                stamp=_STAMP[lang, bool(contents.stamp)].format(time=contents.stamp),
                program=program,
            )
        )
    return "\n".join(pages)


def main(arguments: list[str] | None = None) -> int:
    """Check what the command line names, print the statement, return the exit code."""
    here = Path(__file__).resolve()
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Vérifier un dossier d’audit scellé. (Check a sealed audit folder.)"
    )
    parser.add_argument(
        "path", nargs="?", type=Path, default=here.parent, help="dossier ou archive (folder or archive)"
    )
    parser.add_argument("--fingerprint", "--key", help="empreinte attendue de la clef (fingerprint expected)")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # é never stops the program, whatever the terminal
            stream.reconfigure(errors="replace")
    options = parser.parse_args(arguments)
    found = inspect(options.path, options.fingerprint)
    print(statement(found, pinned=options.fingerprint is not None, program=sha256(here.read_bytes())))
    return ALTERED if found.faults else INTACT


if __name__ == "__main__":
    sys.exit(main())
