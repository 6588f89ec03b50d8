"""Seal a run, and check a sealed one: SHA-256 of every file, ed25519 signatures, an RO-Crate description.

A sealed run also carries a chain of its records, a signed statement of what made it, its PROV, a request for a time
stamp, and the program that checks all this with Python alone (:mod:`contrechamp.audit.verifier`). Hashes and signature
are checked here in another way than there, with another library: the two must agree.

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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contrechamp.audit import attestation, verifier
from contrechamp.audit.claims import load_register
from contrechamp.audit.keys import default_key_file, fingerprint, public_bytes, signing_key
from contrechamp.domain.errors import ContractError, IntegrityError
from contrechamp.store import runs
from contrechamp.store.files import sha256_file, write_bytes, write_text

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig.json"
CRATE: Final = "ro-crate-metadata.json"
VERIFIER: Final = "verify.py"
#: A manifest names a few hundred files; anything larger is not one, and is not read.
_LARGEST_JSON: Final = 64 << 20
#: A full run weighs a few gigabytes; a folder that announces more is not hashed.
_LARGEST_RUN: Final = 64 << 30
#: Faults printed in one message.
_SHOWN: Final = 50
#: Files that the statement does not name one by one: the manifest does.
_NOT_SUBJECTS: Final = ("lake/", "landing/", "figures/")
_ABOUT: Final = (CRATE, VERIFIER, verifier.STATEMENT, attestation.PROV)


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
    records : int
        Results, verdicts and other parts of ``results.json`` that the chain names.
    stamped : str
        Time that a time stamp token beside the seal says; empty without one. Its certificates are not checked.
    published_verifier : bool
        Whether the folder carries the very program that this version would put there.
    """

    files: int
    problems: tuple[str, ...]
    fingerprint: str
    records: int = 0
    stamped: str = ""
    published_verifier: bool = False


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
    results = runs.read_json(work / "results.json")
    write_bytes(work / VERIFIER, verifier_program())
    lines, head, count = attestation.chain(results)
    write_bytes(work / verifier.CHAIN, lines)
    _attest(work, results, key)
    describe(work)
    files = {name: _entry(work / name) for name in _walk(work)}
    manifest = _bytes(
        {
            "schema": verifier.SCHEMA,
            "files": files,
            "results_digest": results["digest"],
            "chain": {"head": head, "records": count},
        }
    )
    write_bytes(work / MANIFEST, manifest)
    signature = _bytes(
        {
            "algorithm": "ed25519",
            "signs": MANIFEST,
            "public_key": base64.b64encode(public_bytes(key)).decode(),
            "fingerprint": fingerprint(key),
            "signature": base64.b64encode(key.sign(manifest)).decode(),
        }
    )
    write_bytes(work / SIGNATURE, signature)
    write_bytes(work / verifier.REQUEST, verifier.timestamp_request(signature))
    (work / verifier.TOKEN).unlink(missing_ok=True)  # the token of an earlier signature


def verifier_program() -> bytes:
    """The program that travels in every sealed run: :mod:`contrechamp.audit.verifier`, to the byte."""
    return files_of("contrechamp.audit").joinpath("verifier.py").read_bytes()


def _attest(work: Path, results: Mapping[str, Any], key: Ed25519PrivateKey) -> None:
    """Write the signed statement and the PROV that says the same."""
    held = {verifier.RESULTS: results, verifier.RECORD: runs.read_json(work / verifier.RECORD)}
    again = attestation.command(
        results.get("request") or {},
        every_claim=tuple(load_register().claims),
        deviations=(results.get("plan") or {}).get("deviations") or (),
    )
    spoken_of = [name for name in _walk(work) if not name.startswith(_NOT_SUBJECTS) and name not in _ABOUT]
    subjects = {name: sha256_file(work / name) for name in spoken_of}
    body = attestation.statement(held, subjects=subjects, command=again, builder=fingerprint(key))
    write_bytes(work / verifier.STATEMENT, attestation.envelope(body, sign=key.sign, keyid=fingerprint(key)))
    runs.write_json(work / attestation.PROV, attestation.prov(body))


def check(run: Path, *, fingerprint: str | None = None) -> Check:
    """Check every hash, both signatures and every record of a sealed run. Needs nothing but the folder.

    Parameters
    ----------
    run : Path
        A sealed run: its folder, or a zip, tar or tar.gz of it, which is read without being unpacked.
    fingerprint : str, optional
        Fingerprint the signing key must have, learned from the signatory by another channel.

    Raises
    ------
    ContractError
        If it holds no manifest at all, or would do harm: names that leave the folder, absurd depth, number or sizes.
    """
    try:
        archive = run.is_file()
        found = archive or (run / MANIFEST).is_file() or (run / SIGNATURE).is_file()
    except OSError as cause:
        raise ContractError(
            f"{run} cannot be read: {cause.strerror}. Give a folder you have the right to read."
        ) from cause
    if archive:
        return _check_archive(run, fingerprint)
    if not found:
        raise ContractError(f"{run} holds no {MANIFEST}: it is not a sealed run. Give the folder of a finished audit.")
    problems: list[str] = []
    public, trusted = _check_signature(run, problems)
    signed_by = hashlib.sha256(public).hexdigest() if public else ""
    wanted = None if fingerprint is None else "".join(fingerprint.lower().replace(":", "").split())
    if wanted is not None and signed_by and signed_by != wanted:
        problems.append(f"{SIGNATURE}: signed by key {signed_by}, not by {wanted or '(empty)'}")
    manifest, files = _manifest(run, problems)
    present = set(_walk(run, problems))
    if sum(entry["bytes"] for entry in files.values() if _sized(entry)) > _LARGEST_RUN:
        raise ContractError(
            f"{run / MANIFEST} announces absurd sizes: nothing is read. No run of this project does so."
        )
    for name in sorted(files.keys() | present):
        fault = _fault(run / name, files.get(name), present=name in present)
        if fault:
            problems.append(f"{printable(name)}: {fault}")
    contents = _check_contents(run, manifest, public, problems) if manifest else None
    if not trusted and not problems:
        problems.append(f"{SIGNATURE}: the signature could not be checked")
    return Check(
        len(files),
        tuple(problems),
        signed_by,
        records=contents.records if contents else 0,
        stamped=contents.stamp if contents else "",
        published_verifier=files.get(VERIFIER, {}) == _described(verifier_program()),
    )


def _check_archive(path: Path, fingerprint: str | None) -> Check:
    try:
        tree = verifier.read_archive(path)
    except verifier.RefusedError as refused:
        raise ContractError(
            f"{path} is refused unread: {refused.en}. Give the folder of a finished audit."
        ) from refused
    if MANIFEST not in tree.sizes and SIGNATURE not in tree.sizes:
        raise ContractError(f"{path} holds no {MANIFEST}: it is not a sealed run. Give the folder of a finished audit.")
    found = verifier.inspect_tree(tree, fingerprint)
    return Check(
        found.files,
        tuple(f"{printable(fault.name)}: {fault.en}" for fault in found.faults),
        found.fingerprint,
        records=found.contents.records,
        stamped=found.contents.stamp,
        published_verifier=found.program == hashlib.sha256(verifier_program()).hexdigest(),
    )


def _check_contents(run: Path, manifest: Mapping[str, Any], public: bytes, problems: list[str]) -> verifier.Contents:
    parts = {}
    for name in verifier.READ:
        try:
            parts[name] = _read(run / name)
        except FileNotFoundError:
            continue
        except OSError as cause:
            problems.append(f"{name}: cannot be read ({cause})")
    faults, contents = verifier.check_contents(parts, manifest, public, _read_or_nothing(run / SIGNATURE), _signed)
    named = {line.split(": ", 1)[0] for line in problems}
    problems += [f"{f.name}: {f.en}" for f in faults if f.en != "missing" or f.name not in named]
    return contents


def require_intact(run: Path, *, fingerprint: str | None = None) -> Check:
    """Like :func:`check`, but a fault is an error (exit code 12) that names the files concerned."""
    found = check(run, fingerprint=fingerprint)
    if found.problems:
        more = f" | and {len(found.problems) - _SHOWN} more" if len(found.problems) > _SHOWN else ""
        raise IntegrityError(f"{run} is not as it was sealed. " + " | ".join(found.problems[:_SHOWN]) + more)
    return found


def _check_signature(run: Path, problems: list[str]) -> tuple[bytes, bool]:
    """The public key, empty when unreadable, and whether it signed the manifest."""
    try:
        raw = _read(run / SIGNATURE)
        data = json.loads(raw)
        public = base64.b64decode(data["public_key"], validate=True)
        mark = base64.b64decode(data["signature"], validate=True)
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
            return b"", False
    except (OSError, ValueError, KeyError, TypeError, RecursionError, binascii.Error) as cause:
        problems.append(f"{SIGNATURE}: unreadable ({type(cause).__name__})")
        return b"", False
    manifest = _read_or_nothing(run / MANIFEST)
    # The stand-alone program must agree; it is stricter: a key of small order signs anything.
    if not (_signed(public, manifest, mark) and verifier.verify_ed25519(public, manifest, mark)):
        # The time request was made of the signature: it tells which of the two was changed.
        same = _read_or_nothing(run / verifier.REQUEST) == verifier.timestamp_request(raw)
        name = MANIFEST if same else SIGNATURE
        problems.append(f"{name}: does not match its signature ({MANIFEST} or {SIGNATURE} was changed)")
        return public, False
    return public, True


def _signed(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _manifest(run: Path, problems: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and its list of files; both empty when unreadable."""
    try:
        body = verifier.loads(_read(run / MANIFEST))
        files = dict(body["files"].items())
        if body["schema"] != verifier.SCHEMA:
            problems.append(f"{MANIFEST}: is not of the form {verifier.SCHEMA}")
        if set(files) & set(verifier.OUTSIDE):
            problems.append(f"{MANIFEST}: lists its own seal")
        return dict(body), files
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
        problems.append(f"{MANIFEST}: unreadable ({type(cause).__name__})")
        return {}, {}


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
        here = Path(root).relative_to(folder)
        links = [name for name in folders if Path(root, name).is_symlink()]
        names += [(here / name).as_posix() for name in (*files, *links)]
        if len(here.parts) > verifier.MAX_DEPTH or len(names) > verifier.MAX_FILES:
            raise ContractError(
                f"{folder} is deeper than {verifier.MAX_DEPTH} folders or holds more than {verifier.MAX_FILES} files: "
                "no run of this project does so."
            )
    return sorted(n for n in names if n not in verifier.OUTSIDE)


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


def _read_or_nothing(path: Path) -> bytes:
    try:
        return _read(path)
    except OSError:
        return b""


def _described(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _sized(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("bytes"), int)


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def _bytes(value: Any) -> bytes:
    return verifier.pretty(value)


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
