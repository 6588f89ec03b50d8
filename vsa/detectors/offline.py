"""The only way in to ultralytics and OpenVINO: nothing is looked up, downloaded, installed or reported.

Left alone, that library probes name servers when imported, installs packages at run time, sends usage events, logs its
trainings to whatever it finds, writes settings to the user's home and looks for a font on the web. All of it is
switched off before the first import, by environment variables and a configuration folder of this process.

OpenVINO converts a model and reports it to a web analytics service, from a process of its own, without asking and with
an identifier that it keeps in the user's home. The package that does so is kept from being imported.

It also needs torchvision, whose published wheel cannot load its operators beside a torch without CUDA. Where they do
not load, the one that is needed (non-maximum suppression) is given by :func:`vsa.detectors.base.suppress`.

What it cannot tell you: what a later version of the library will try. A test holds zero look-ups for the version
installed.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from contrechamp.domain.errors import CapabilityError
from vsa.detectors.base import suppress

#: What ultralytics reads when it is imported.
SWITCHES: Final = {
    "YOLO_OFFLINE": "1",
    "YOLO_AUTOINSTALL": "False",
    "YOLO_VERBOSE": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "NO_ALBUMENTATIONS_UPDATE": "1",
}
_REPORTER: Final = "openvino_telemetry"
_LOGGERS: Final = ("mlflow", "comet", "clearml", "dvc", "raytune", "neptune", "wandb", "hub", "tensorboard")


@cache
def ultralytics() -> Any:
    """The library, imported with everything switched off.

    Raises
    ------
    CapabilityError
        If it is not installed, or was imported by something else before its switches were set.
    """
    if "ultralytics" in sys.modules and os.environ.get("YOLO_OFFLINE") != "1":
        raise CapabilityError(
            "Ultralytics was imported before it could be told to stay offline. Import vsa.detectors.offline and call "
            "ultralytics() first, or set YOLO_OFFLINE=1 before starting Python."
        )
    os.environ.update(SWITCHES)
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))  # it would set 1
    folder = Path(tempfile.mkdtemp(prefix="contrechamp-yolo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["YOLO_CONFIG_DIR"] = str(folder)
    _fonts(folder / "Ultralytics")
    ensure_torchvision()
    try:
        library = import_module("ultralytics")
    except ImportError as cause:
        raise CapabilityError(f"Ultralytics could not be imported: {cause}. Install the project again.") from cause
    known = set(library.settings)
    library.settings.update({key: False for key in ("sync", *_LOGGERS) if key in known})
    return library


def _fonts(folder: Path) -> None:
    """Put a font where one would be downloaded to."""
    import matplotlib as mpl

    font = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Arial.ttf", "Arial.Unicode.ttf"):
        shutil.copyfile(font, folder / name)


@cache
def openvino() -> Any:
    """OpenVINO, without the package that reports its use.

    Raises
    ------
    CapabilityError
        If it is not installed.
    """
    sys.modules.setdefault(_REPORTER, None)  # type: ignore[arg-type]
    try:
        return import_module("openvino")
    except ImportError as cause:
        raise CapabilityError(f"OpenVINO could not be imported: {cause}. Install the project again.") from cause


@cache
def ensure_torchvision() -> bool:
    """Make ``import torchvision`` work; return whether its own operators are in use.

    Raises
    ------
    CapabilityError
        If torch or torchvision is not installed.
    """
    try:
        torch: Any = import_module("torch")
    except ImportError as cause:
        raise CapabilityError(f"PyTorch could not be imported: {cause}. Install the project again.") from cause
    if "torchvision" in sys.modules:
        return True
    from importlib.util import find_spec

    found = find_spec("torchvision")
    if found is None or not found.submodule_search_locations:
        raise CapabilityError("torchvision is not installed, and ultralytics needs it. Install the project again.")
    for compiled in Path(next(iter(found.submodule_search_locations))).glob("_C*.so"):
        try:
            torch.ops.load_library(str(compiled))
        except OSError:
            continue
        import_module("torchvision")
        return True
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for name in ("nms", "qnms"):
        library.impl(name, _nms, "CompositeExplicitAutograd")
    _KEPT.append(library)
    import_module("torchvision")
    vars(import_module("torchvision.extension"))["_has_ops"] = lambda: True
    return False


#: A torch library lives as long as its object.
_KEPT: Final[list[Any]] = []


def _nms(dets: Any, scores: Any, iou_threshold: float) -> Any:
    import torch

    boxes = dets.detach().cpu().numpy().astype(np.float64)
    order = np.argsort(-scores.detach().cpu().numpy().astype(np.float64), kind="stable")
    return torch.from_numpy(suppress(boxes, order, float(iou_threshold))).to(dets.device)
