"""The signing key: where it lives, how it is made, and what keeps it from others.

Made on first use with mode 0600 in a folder of mode 0700, never written into a run. How to change it and how to say
that it must no longer be trusted: docs/preuves.md.

What it cannot tell you: that nobody else has copied it. Whoever can read this user's files can sign in its name.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contrechamp.domain.errors import ParameterError

KEY_VARIABLE: Final = "CONTRECHAMP_SIGNING_KEY"


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


def exposed(path: Path) -> bool:
    """Whether other users of this machine may read or change the key. False where files have no such modes."""
    return os.name == "posix" and path.is_file() and bool(path.stat().st_mode & 0o077)


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


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def fingerprint(key: Ed25519PrivateKey) -> str:
    """SHA-256 of the public key, in hexadecimal: what the signatory gives by another channel."""
    return hashlib.sha256(public_bytes(key)).hexdigest()
