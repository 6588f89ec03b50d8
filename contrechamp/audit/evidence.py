"""Seal a run, and check a sealed one: SHA-256 of every file, an ed25519 signature, an RO-Crate description.

What it cannot tell you: a valid signature says that whoever holds the key sealed these very bytes. It does not say
that the numbers are right (replay them) nor who that person is (compare the key's fingerprint by another channel).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.store import runs
from contrechamp.store.files import sha256_file, write_bytes, write_text

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig.json"
CRATE: Final = "ro-crate-metadata.json"
SCHEMA: Final = "contrechamp/manifest/1"
KEY_VARIABLE: Final = "CONTRECHAMP_SIGNING_KEY"
#: A manifest names a few hundred files; anything larger is not one, and is not read.
_LARGEST_JSON: Final = 64 << 20
#: Faults printed in one message.
_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Check:
    """What a verification found.

    Attributes
    ----------
    files : int
        Files listed in the manifest.
    problems : tuple of str
        One line per fault, each naming its file. Empty: intact.
    fingerprint : str
        SHA-256 of the public key that signed, as hexadecimal; empty when unreadable.
    """

    files: int
    problems: tuple[str, ...]
    fingerprint: str


def default_key_file() -> Path:
    """Where the signing key lives: ``$CONTRECHAMP_SIGNING_KEY``, else the user's configuration folder."""
    named = os.environ.get(KEY_VARIABLE)
    if named:
        return Path(named)
    try:
        base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    except RuntimeError as cause:  # a user without a home, as in some containers
        raise ParameterError(
            f"There is nowhere to keep the signing key: this user has no home folder. Set {KEY_VARIABLE} to a file "
            "that does not exist yet in a folder you can write to."
        ) from cause
    return Path(base) / "contrechamp" / "signing-key.pem"


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Read the signing key, making it on first use (mode 0600, in a folder of mode 0700).

    Raises
    ------
    ParameterError
        If the file is not an unencrypted ed25519 private key in PEM, or cannot be created.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            pem = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            _create_once(path, pem)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as cause:
        raise ParameterError(
            f"The signing key {path} cannot be used: {cause}. Point {KEY_VARIABLE} at an unencrypted ed25519 key in "
            "PEM, or at a file that does not exist yet in a folder you can write to."
        ) from cause
    if not isinstance(key, Ed25519PrivateKey):
        raise ParameterError(f"The signing key {path} must be an ed25519 key. Got {type(key).__name__}.")
    return key


def _create_once(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 whole or not at all, and leave the one that another process made first."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".signing-key-")  # mode 0600
    whole = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        try:
            path.hardlink_to(whole)  # refuses to replace a key
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)


def seal(work: Path, *, key_file: Path | None = None) -> None:
    """Write the RO-Crate description, the manifest and its signature into a run being built.

    Raises
    ------
    ContractError
        If the folder holds a link, a special file or a name that cannot be printed: what it stands for could change
        after it was signed, or be read as something else.
    """
    key = signing_key(key_file or default_key_file())
    odd = [name for name in _walk(work) if not name.isprintable() or not _regular(work / name)]
    if odd:
        raise ContractError(
            f"{work} cannot be sealed: {', '.join(map(printable, odd[:_SHOWN]))} is a link, a special file or bears an "
            "unprintable name. Put a copy of the file in its place, or take it out."
        )
    describe(work)
    files = {name: _entry(work / name) for name in _walk(work)}
    body = {"schema": SCHEMA, "files": files, "results_digest": runs.read_json(work / "results.json")["digest"]}
    manifest = _bytes(body)
    write_bytes(work / MANIFEST, manifest)
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signature = {
        "algorithm": "ed25519",
        "signs": MANIFEST,
        "public_key": base64.b64encode(public).decode(),
        "fingerprint": hashlib.sha256(public).hexdigest(),
        "signature": base64.b64encode(key.sign(manifest)).decode(),
    }
    write_bytes(work / SIGNATURE, _bytes(signature))


def check(run: Path, *, fingerprint: str | None = None) -> Check:
    """Check every hash and the signature of a sealed run. Needs nothing but the folder.

    Parameters
    ----------
    run : Path
        A sealed run.
    fingerprint : str, optional
        Fingerprint the signing key must have, learned from the signatory by another channel.

    Raises
    ------
    ContractError
        If the folder holds no manifest at all.
    """
    try:
        found = (run / MANIFEST).is_file() or (run / SIGNATURE).is_file()
    except OSError as cause:
        raise ContractError(
            f"{run} cannot be read: {cause.strerror}. Give a folder you have the right to read."
        ) from cause
    if not found:
        raise ContractError(f"{run} holds no {MANIFEST}: it is not a sealed run. Give the folder of a finished audit.")
    problems: list[str] = []
    signed_by, trusted = _check_signature(run, problems)
    wanted = None if fingerprint is None else "".join(fingerprint.lower().replace(":", "").split())
    if wanted is not None and signed_by and signed_by != wanted:
        problems.append(f"{SIGNATURE}: signed by key {signed_by}, not by {wanted or '(empty)'}")
    files = _manifest_files(run, problems)
    present = set(_walk(run, problems))
    for name in sorted(files.keys() | present):
        fault = _fault(run / name, files.get(name), present=name in present)
        if fault:
            problems.append(f"{printable(name)}: {fault}")
    if not trusted and not problems:
        problems.append(f"{SIGNATURE}: the signature could not be checked")
    return Check(len(files), tuple(problems), signed_by)


def require_intact(run: Path, *, fingerprint: str | None = None) -> Check:
    """Like :func:`check`, but a fault is an error (exit code 12) that names the files concerned."""
    found = check(run, fingerprint=fingerprint)
    if found.problems:
        more = f" | and {len(found.problems) - _SHOWN} more" if len(found.problems) > _SHOWN else ""
        raise IntegrityError(f"{run} is not as it was sealed. " + " | ".join(found.problems[:_SHOWN]) + more)
    return found


def _check_signature(run: Path, problems: list[str]) -> tuple[str, bool]:
    try:
        raw = _read(run / SIGNATURE)
        data = json.loads(raw)
        public = base64.b64decode(data["public_key"], validate=True)
        mark = base64.b64decode(data["signature"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(public)
        canonical = _bytes(
            {
                "algorithm": "ed25519",
                "signs": MANIFEST,
                "public_key": base64.b64encode(public).decode(),
                "fingerprint": hashlib.sha256(public).hexdigest(),
                "signature": base64.b64encode(mark).decode(),
            }
        )
        if raw != canonical:
            problems.append(f"{SIGNATURE}: content changed (not in the form that sealing writes)")
            return "", False
    except (OSError, ValueError, KeyError, TypeError, RecursionError, binascii.Error) as cause:
        problems.append(f"{SIGNATURE}: unreadable ({type(cause).__name__})")
        return "", False
    try:
        key.verify(mark, _read(run / MANIFEST))
    except (InvalidSignature, OSError, ValueError):
        problems.append(f"{MANIFEST}: does not match its signature ({MANIFEST} or {SIGNATURE} was changed)")
        return hashlib.sha256(public).hexdigest(), False
    return hashlib.sha256(public).hexdigest(), True


def _manifest_files(run: Path, problems: list[str]) -> dict[str, Any]:
    try:
        files = json.loads(_read(run / MANIFEST))["files"]
        return {str(k): v for k, v in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        problems.append(f"{MANIFEST}: unreadable ({type(cause).__name__})")
        return {}


def printable(name: str) -> str:
    r"""Show a file name that may hold anything on one line, escapes included.

    Examples
    --------
    >>> printable("été"), printable("a\nb")
    ('été', 'a\\nb')
    """
    return name if name.isprintable() else ascii(name)[1:-1]


def _walk(folder: Path, problems: list[str] | None = None) -> list[str]:
    """Every file below but the seal's own, as a sorted POSIX path relative to the folder.

    Links count as files of their own name and are never followed. A folder that cannot be listed is a problem.
    """

    def unreadable(error: OSError) -> None:
        if problems is None:
            raise error
        where = Path(str(error.filename)).relative_to(folder).as_posix()
        problems.append(f"{printable(where)}: cannot be listed ({error.strerror})")

    names: list[str] = []
    for root, folders, files in os.walk(folder, onerror=unreadable):
        links = [name for name in folders if Path(root, name).is_symlink()]
        names += [Path(root, name).relative_to(folder).as_posix() for name in (*files, *links)]
    return sorted(n for n in names if n not in (MANIFEST, SIGNATURE))


def _regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _fault(path: Path, listed: Any, *, present: bool) -> str:
    """What is wrong with one file; empty when it is as the manifest says."""
    if not present:
        return "missing"
    if listed is None:
        return "not in the manifest (added after sealing, or renamed)"
    try:
        if not _regular(path):
            return "a link or a special file, whose content no signature can cover"
        same = isinstance(listed, dict) and path.stat().st_size == listed.get("bytes") and _entry(path) == listed
    except OSError as cause:
        return f"cannot be read ({cause.strerror})"
    return "" if same else "content changed (SHA-256 or size differs from the manifest)"


def _read(path: Path) -> bytes:
    """Read a small regular file; a pipe, a link or a huge file is refused unread."""
    if not _regular(path) or path.stat().st_size > _LARGEST_JSON:
        raise OSError(f"{path.name} is not a small file")
    return path.read_bytes()


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def _bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def describe(work: Path) -> None:
    """Write ``ro-crate-metadata.json``: the run and its parts, for machines that know nothing of this project."""
    from rocrate.rocrate import ROCrate

    started = runs.read_json(work / "run.json")
    crate = ROCrate()
    crate.name = f"Contrechamp audit {started['run_id']}"
    crate.description = (
        "Audit, on synthetic persons and places only, of claims made for and against a municipal "
        "« Big Data de la tranquillité publique » platform."
    )
    crate.datePublished = datetime.fromisoformat(started["started_at"])
    crate.license = "https://www.gnu.org/licenses/agpl-3.0.html"
    for name in _walk(work):
        if name == CRATE or name.startswith("lake/"):
            continue
        properties = {"name": name, "encodingFormat": _format(name), "contentSize": str((work / name).stat().st_size)}
        crate.add_file(dest_path=name, properties=properties)
    lake = work / "lake"
    if lake.is_dir():
        crate.add_dataset(dest_path="lake/", properties={"name": "Delta tables written by ingest"})
    text = json.dumps(crate.metadata.generate(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_text(work / CRATE, text)


def _format(name: str) -> str:
    kinds = {
        "json": "application/json", "parquet": "application/vnd.apache.parquet", "html": "text/html",
        "pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png", "toml": "application/toml",
        "gz": "application/gzip",
    }  # fmt: skip
    return kinds.get(name.rsplit(".", 1)[-1], "application/octet-stream")
