"""The network, built from the description that the installed ultralytics carries, made narrower.

No copy of their file is kept here: a manifest names it and says how deep and wide the network is.

What it cannot tell you: that another release of ultralytics carries the same description under that name. Weights that
do not fit it are refused, not adapted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from contrechamp.domain.errors import ContractError
from vsa.detectors.offline import ultralytics

#: A yolo11 with an eighth of the full width: half a million weights.
TINY: Final[Mapping[str, Any]] = {"base": "yolo11.yaml", "depth": 0.5, "width": 0.125, "max_channels": 512}


def description(architecture: Mapping[str, Any], *, n_labels: int) -> dict[str, Any]:
    """The description of the network, for ``n_labels`` classes.

    Raises
    ------
    ContractError
        If the installed ultralytics has no such base.
    """
    ultralytics()
    tasks: Any = import_module("ultralytics.nn.tasks")
    try:
        said: dict[str, Any] = tasks.yaml_model_load(str(architecture["base"]))
        scale = [float(architecture["depth"]), float(architecture["width"]), int(architecture["max_channels"])]
    except (OSError, KeyError, ValueError, TypeError) as cause:
        raise ContractError(
            f"The network described as {dict(architecture)} cannot be built: {cause}. Its base must be a file that the "
            "installed ultralytics knows."
        ) from cause
    return said | {"nc": n_labels, "scales": {"n": scale}, "scale": "n"}


def build(architecture: Mapping[str, Any], *, n_labels: int = 2) -> Any:
    """An untrained network.

    Raises
    ------
    ContractError
        See :func:`description`.
    """
    said = description(architecture, n_labels=n_labels)
    tasks: Any = import_module("ultralytics.nn.tasks")
    logging.getLogger("ultralytics").setLevel(logging.ERROR)
    return tasks.DetectionModel(said, ch=3, nc=n_labels, verbose=False)
