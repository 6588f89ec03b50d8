"""What produced a run: versions, commit, uncommitted changes. Read by faces, written into ``run.json``."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import contrechamp

#: Packages whose version may move a number or a byte of a run.
PACKAGES: Final = (
    "apache-airflow", "arch", "cryptography", "deltalake", "geopandas", "joblib", "matplotlib", "mlflow", "numba",
    "numpy", "pandas", "pandera", "pyarrow", "pyproj", "rocrate", "scikit-learn", "scipy", "shapely", "statsmodels",
    "streamlit", "torch", "typst", "ultralytics",
)  # fmt: skip


def describe_environment() -> dict[str, Any]:
    """Versions of the interpreter, the project and its packages; the commit, and whether the tree differed from it."""
    root = Path(contrechamp.__file__).resolve().parent.parent
    commit = _git(root, "rev-parse", "HEAD")
    status = None if commit is None else _git(root, "status", "--porcelain", "--untracked-files=no")
    lock = root / "constraints.txt"
    return {
        "contrechamp": contrechamp.__version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": commit,
        "dirty": None if status is None else bool(status),
        "constraints_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
        "executable": Path(sys.executable).name,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(root: Path, *arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    done = subprocess.run([git, "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else None
