"""Trained weights as files that can only be read: safetensors, ONNX, OpenVINO, and a manifest that seals them.

A file that its manifest does not name, or whose SHA-256 differs, is not opened. Nothing here can run what it loads: a
``.pt`` file is a pickle, and is refused by name.

What it cannot tell you: who made the weights. The manifest says what they were trained on; the hash only says that
these are the weights it speaks of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contrechamp.domain.errors import ContractError, IntegrityError

#: The weights that come with the package.
SHIPPED: Final = Path(__file__).resolve().parents[1] / "weights"
MANIFEST: Final = "weights.json"
STEM: Final = "yolo"
#: What each way of running needs, the first being what is opened.
FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "openvino": (f"{STEM}.xml", f"{STEM}.bin"),
    "onnx": (f"{STEM}.onnx",),
    "torch": (f"{STEM}.safetensors",),
}


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of weights and its manifest.

    Attributes
    ----------
    folder : Path
    manifest : mapping
        ``architecture``, ``labels``, ``files`` (name → sha256, bytes), ``training``, ``versions``, ``evaluation``.
    """

    folder: Path
    manifest: Mapping[str, Any]

    def path(self, backend: str) -> Path:
        """The file that ``backend`` opens, once all it needs has been checked.

        Raises
        ------
        IntegrityError
            If a file is missing, or is not the one the manifest speaks of.
        """
        for name in FILES[backend]:
            check_file(self.folder, name, self.manifest["files"])
        return self.folder / FILES[backend][0]


def read_weights(folder: Path = SHIPPED) -> Weights:
    """Read the manifest of ``folder``.

    Raises
    ------
    ContractError
        If there is none, or it is not one; or if ``folder`` is a file, such as a pickle.
    """
    if folder.is_file():
        raise ContractError(
            f"{folder.name} is a file. Weights are a folder with a {MANIFEST}; a .pt file is a pickle, which could run "
            "code when it is loaded, and is never opened. Train with `contrechamp vsa train`."
        )
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        manifest["files"], manifest["architecture"], manifest["labels"]
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise ContractError(
            f"{folder} holds no weights: its {MANIFEST} is missing or unreadable ({type(cause).__name__}: {cause}). "
            "Train some with `contrechamp vsa train`."
        ) from cause
    return Weights(folder, manifest)


def check_file(folder: Path, name: str, sealed: Mapping[str, Any]) -> None:
    """Refuse a file that is not the one that was sealed.

    Raises
    ------
    IntegrityError
    """
    path = folder / name
    said = sealed.get(name, {}).get("sha256")
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    if said is None or found != said:
        got = "no such file" if found is None else f"{found[:12]}…"
        raise IntegrityError(
            f"The weights {name} must have the SHA-256 that {MANIFEST} states "
            f"({'none stated' if said is None else said[:12] + '…'}). Got {got}. Restore the folder, or train again "
            "with `contrechamp vsa train`."
        )


def seal(folder: Path, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The SHA-256 and size of each file, for the manifest."""
    return {
        name: {
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(), "bytes": (folder / name).stat().st_size,
        }
        for name in names
    }  # fmt: skip
