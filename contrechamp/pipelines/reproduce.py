"""Run published papers again, and set every published figure beside ours.

An audit that cannot find what others found, when it does what they did, has no standing to find anything else. Each
paper is a module that computes and a folder ``papers/<key>/`` that says what to compare with, so that a reader can
check the second without reading the first.

Where the folders are: in a checkout, ``papers/`` beside the packages; once installed, ``share/contrechamp/papers`` of
the environment. Data that cannot be shipped are brought by the user, and their digests checked before anything runs.

What it cannot tell you: a figure found again is a figure computed in the same way, not a fact about a city.
"""

from __future__ import annotations

import platform
import sysconfig
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import tomli_w

import contrechamp
from contrechamp.domain.errors import CapabilityError, ContractError, ContrechampError, IntegrityError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import plain
from contrechamp.domain.text import LANGS
from contrechamp.pipelines.papers.base import Comparison, Dossier, Paper, Reproduction, read_dossier
from contrechamp.store import runs
from contrechamp.store.files import sha256_file, write_bytes, write_text

#: Key → module and function. The key is also the name of the folder in ``papers/``.
PAPERS: Final[Mapping[str, str]] = {
    "ensign_2018": "contrechamp.pipelines.papers.ensign_2018:reproduce",
    "akpinar_2021": "contrechamp.pipelines.papers.akpinar_2021:reproduce",
    "oakland_predpol": "contrechamp.pipelines.papers.oakland_predpol:reproduce",
    "near_repeat_chicago": "contrechamp.pipelines.papers.near_repeat_chicago:reproduce",
    "nij_2017": "contrechamp.pipelines.papers.nij_2017:reproduce",
    "mohler_2011": "contrechamp.pipelines.papers.mohler_2011:reproduce",
    "mohler_2015": "contrechamp.pipelines.papers.mohler_2015:reproduce",
}

#: Libraries whose version a figure may depend on.
_LIBRARIES: Final = ("numpy", "scipy", "pandas", "numba", "shapely", "geopandas", "matplotlib")


def papers_folder() -> Path:
    """Folder that holds one folder per paper.

    Raises
    ------
    CapabilityError
        If it is neither beside the packages nor in the environment's ``share``.
    """
    beside = Path(contrechamp.__file__).parents[1]
    places = (beside / "papers", beside / "share/contrechamp/papers", _share() / "contrechamp/papers")
    for place in places:
        if (place / "README.md").is_file():
            return place
    raise CapabilityError(
        f"The papers' folders were not installed: looked in {', '.join(str(p) for p in places)}. Install contrechamp "
        "from its wheel or run it from a checkout."
    )


def _share() -> Path:
    return Path(sysconfig.get_path("data")) / "share"


def load_dossier(key: str) -> Dossier:
    """Read the folder of a paper.

    Raises
    ------
    ParameterError
        If there is no such paper.
    CapabilityError
        If the folders were not installed.
    ContractError
        If the folder cannot be read.
    """
    if key not in PAPERS:
        raise ParameterError(
            f"There is no paper {key!r}. Known: {', '.join(PAPERS)}. List them with `contrechamp reproduce list`."
        )
    return read_dossier(papers_folder() / key)


def check_data(dossier: Dossier, folder: Path | None) -> dict[str, Path]:
    """Find the data files of a paper and check their digests.

    Returns
    -------
    dict of str to Path
        By name; empty when the paper needs none.

    Raises
    ------
    CapabilityError
        If the paper needs data and no folder was given.
    ParameterError
        If the folder does not exist.
    ContractError
        If a file is missing or cannot be read.
    IntegrityError
        If a file is not the one the paper's figures were checked with.
    """
    if not dossier.data:
        return {}
    if folder is None:
        raise CapabilityError(
            f"The paper {dossier.key} needs data that are not shipped: {', '.join(f.name for f in dossier.data)}. Put "
            f"them in a folder and give it with --data DIR; {dossier.folder / 'README.md'} says where they come from."
        )
    if not folder.is_dir():
        raise ParameterError(f"--data must be a folder. Got {folder}, which is not one.")
    absent = [f.name for f in dossier.data if not (folder / f.name).is_file()]
    if absent:
        raise ContractError(
            f"{folder} lacks {', '.join(absent)}, which the paper {dossier.key} needs. "
            f"{dossier.folder / 'README.md'} says where the files come from."
        )
    for wanted in dossier.data:
        found = sha256_file(folder / wanted.name)
        if found != wanted.sha256:
            raise IntegrityError(
                f"{folder / wanted.name} is not the file the published figures were checked with: its sha256 is "
                f"{found}, and {wanted.sha256} was expected. Fetch it again from {wanted.source}"
            )
    return {f.name: folder / f.name for f in dossier.data}


def reproduce(
    key: str, *, data: Path | None = None, seed: int, jobs: int = 1, progress: Progress = silent
) -> Reproduction:
    """Run a paper again.

    Parameters
    ----------
    key : str
        One of :data:`PAPERS`.
    data : Path, optional
        Folder of the data the paper needs.
    seed : int
    jobs : int, default=1
        Workers. No number depends on it.
    progress : Progress

    Returns
    -------
    Reproduction

    Raises
    ------
    ParameterError, CapabilityError, ContractError, IntegrityError
        As :func:`load_dossier` and :func:`check_data`.
    """
    dossier = load_dossier(key)
    files = check_data(dossier, data)
    module, _, name = PAPERS[key].partition(":")
    paper: Paper = getattr(import_module(module), name)
    run = paper(dossier, files, seed=seed, jobs=jobs, progress=progress)
    wanted = [p.id for p in dossier.published]
    if sorted(wanted) != sorted(run.figures):
        gap = sorted(set(wanted) ^ set(run.figures))
        raise ContrechampError(f"{module} and {dossier.folder / 'published.toml'} do not name the same figures: {gap}.")
    comparisons = tuple(Comparison(p, run.figures[p.id]) for p in dossier.published)
    return Reproduction(dossier, seed, comparisons, run, {f.name: f.sha256 for f in dossier.data})


def check_out(out: Path) -> None:
    """Refuse at once a folder that :func:`write` would refuse after the run.

    Raises
    ------
    ParameterError
        If it exists: nothing is overwritten.
    """
    if out.exists():
        raise ParameterError(f"{out} exists and nothing is overwritten. Choose another --out.")


def write(found: Reproduction, out: Path) -> Path:
    """Write a reproduction as a run folder: ``results.json``, tables, the figure (SVG and PNG, fr and en), provenance.

    Raises
    ------
    ParameterError
        If ``out`` exists or cannot be made.
    """
    from contrechamp.pipelines.papers.drawing import image

    check_out(out)
    out = out.absolute()
    work = runs.begin(out.parent, run_id=out.name)
    dossier = found.dossier
    runs.write_json(work / "results.json", to_dict(found))
    runs.write_tables(work, found.run.tables)
    for lang in LANGS:
        for form in ("svg", "png"):
            write_bytes(work / "figures" / f"{dossier.key}_{lang}.{form}", image(found.run.draw, lang, form=form))
    write_text(work / "scenario.resolved.toml", tomli_w.dumps({"parameters": dict(dossier.parameters)}))
    runs.write_json(
        work / "run.json",
        {
            "command": "reproduce",
            "paper": dossier.key,
            "seed": found.seed,
            "inputs": {name: {"sha256": digest} for name, digest in found.digests.items()},
            "dossier": {n: {"sha256": sha256_file(dossier.folder / n)} for n in ("scenario.toml", "published.toml")},
            "versions": {"contrechamp": contrechamp.__version__, "python": platform.python_version()}
            | {name: version(name) for name in _LIBRARIES},
        },
    )
    return runs.finish(work)


def to_dict(found: Reproduction) -> dict[str, Any]:
    """Plain form of a reproduction, as printed by ``--json`` and written to ``results.json``."""
    dossier = found.dossier
    body = {
        "paper": dossier.key,
        "title": {"fr": dossier.title.fr, "en": dossier.title.en},
        "reference": dossier.reference,
        "seed": found.seed,
        "figures": [c.to_dict() for c in found.comparisons],
        "within": found.count("within"),
        "outside": found.count("outside"),
        "not_reproduced": [
            {"what": {"fr": m.what.fr, "en": m.what.en}, "why": {"fr": m.why.fr, "en": m.why.en}}
            for m in dossier.missing
        ],
        "limits": {"fr": dossier.limits.fr, "en": dossier.limits.en},
    }
    return dict(plain(body))
