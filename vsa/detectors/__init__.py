"""Detectors: frames in, boxes out. :data:`DETECTORS` is the table of what exists.

Two that look (``yolo``, trained on drawn scenes; ``hog``, published in 2005 and never trained here) and two that are
told (``oracle``, ``noisy-oracle``): what a rule does with a perfect eye, or with one that fails everybody alike, is
measured apart from what a real detector adds.

What it cannot tell you: how a product sold to a city sees. None is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from contrechamp.domain.errors import ParameterError

if TYPE_CHECKING:
    from vsa.detectors.base import Detector

#: Detector → ``module:class``. Keys are what reports cite, so a key never changes meaning.
DETECTORS: Final[Mapping[str, str]] = {
    "yolo": "vsa.detectors.yolo:Yolo",
    "hog": "vsa.detectors.hog:Hog",
    "oracle": "vsa.detectors.oracle:Oracle",
    "noisy-oracle": "vsa.detectors.noisy:NoisyOracle",
}


def detector_class(key: str) -> type[Detector]:
    """Import the class behind ``key``.

    Raises
    ------
    ParameterError
        If no detector bears that name.
    """
    if key not in DETECTORS:
        raise ParameterError(f"No detector is called {key!r}. Those that exist are {', '.join(DETECTORS)}.")
    module, _, name = DETECTORS[key].partition(":")
    return cast("type[Detector]", getattr(import_module(module), name))


def load_detector(key: str, *args: Any, **params: Any) -> Detector:
    """Make the detector ``key``; the oracles take the table of truth as their first argument.

    Raises
    ------
    ParameterError
        If the detector does not exist, has no such parameter, or a parameter is out of its domain.

    Examples
    --------
    >>> load_detector("hog", threshold=0.2).get_params()["threshold"]
    0.2
    """
    made = detector_class(key)
    try:
        return made(*args, **params)
    except TypeError as cause:
        raise ParameterError(
            f"Detector {key!r} could not be made: {cause}. Its parameters are in the docstring of {DETECTORS[key]}."
        ) from cause
