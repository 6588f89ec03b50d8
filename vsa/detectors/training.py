"""Train the small network from nothing on images and boxes that somebody drew.

Nothing is fetched: the network starts from random weights and its description comes with the installed library. What
the library would do by default on a processor (its own choice of optimiser, large batches) learned nothing in trials;
the settings here did.

What it cannot tell you: that two machines train the same weights. The same machine does, with the same number of
threads; elsewhere the last bits differ and grow. That is why weights are shipped, with their hash.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import yaml

from contrechamp.domain.errors import CapabilityError, bad_parameter
from contrechamp.domain.video import LABELS
from vsa.detectors.network import TINY, description
from vsa.detectors.offline import ultralytics

#: Epoch, epochs in all, losses.
Progress = Callable[[int, int, Mapping[str, float]], None]

SETTINGS: Final[Mapping[str, Any]] = {
    "optimizer": "AdamW", "lr0": 0.002, "lrf": 0.02, "cos_lr": True, "warmup_epochs": 1.0, "weight_decay": 5e-4,
    "batch": 8, "nbs": 8, "mosaic": 0.5, "close_mosaic": 3, "hsv_h": 0.02, "hsv_s": 0.5, "hsv_v": 0.35, "degrees": 0.0,
    "translate": 0.1, "scale": 0.4, "fliplr": 0.5, "mixup": 0.0, "erasing": 0.0,
}  # fmt: skip
_FIXED: Final[Mapping[str, Any]] = {
    "amp": False, "plots": False, "pretrained": False, "deterministic": True, "workers": 0, "cache": True,
    "exist_ok": True, "verbose": False, "val": False, "save": True, "patience": 0,
}  # fmt: skip


def train_network(
    images: Path, work: Path, *, seed: int, epochs: int, imgsz: int, device: str = "cpu",
    architecture: Mapping[str, Any] = TINY, settings: Mapping[str, Any] = SETTINGS, start: Path | None = None,
    progress: Progress | None = None,
) -> Any:  # fmt: skip
    """Train on the folder ``images``; return the trained network, on the processor.

    Parameters
    ----------
    images : Path
        With ``images/train``, ``images/val`` and the label files of ``labels/train``, ``labels/val``: one line a box,
        ``class x y width height`` as shares of the image.
    work : Path
        Where the library may write. Its checkpoints there are pickles: remove it afterwards.
    seed, epochs, imgsz : int
    device : str, default="cpu"
        Or ``cuda``.
    architecture : mapping
        See :mod:`vsa.detectors.network`.
    settings : mapping
    start : Path, optional
        A safetensors file to start from, instead of random weights.
    progress : callable, optional
        Called after each epoch.

    Raises
    ------
    CapabilityError
        If ``device`` is ``cuda`` and there is none.
    """
    library = ultralytics()
    torch: Any = import_module("torch")
    if device == "cuda" and not torch.cuda.is_available():
        raise CapabilityError("There is no CUDA graphics card to train on. Use device='cpu'.")
    logging.getLogger("ultralytics").setLevel(logging.ERROR)
    work.mkdir(parents=True, exist_ok=True)
    network, data = work / "network.yaml", work / "data.yaml"
    network.write_text(yaml.safe_dump(description(architecture, n_labels=len(LABELS))))
    parts = {"train": "images/train", "val": "images/val", "names": dict(enumerate(LABELS))}
    data.write_text(yaml.safe_dump({"path": str(images.resolve())} | parts))
    model = library.YOLO(str(network), task="detect")
    if progress is not None:
        model.add_callback("on_train_epoch_end", lambda trainer: progress(trainer.epoch + 1, epochs, _losses(trainer)))
    if start is not None:
        state = import_module("safetensors.torch").load_file(str(start))
        model.add_callback("on_train_start", lambda trainer: _begin_from(trainer, state))
    if device == "cpu":
        model.add_callback("on_train_start", _on_processor)
    with contextlib.redirect_stdout(io.StringIO()):  # it draws its bars there whatever it is told
        model.train(
            data=str(data), project=str(work.resolve()), name="run", seed=seed, epochs=epochs, imgsz=imgsz,
            device=device, **settings, **_FIXED,
        )  # fmt: skip
    return model.model.float().cpu().eval()


def _begin_from(trainer: Any, state: Mapping[str, Any]) -> None:
    for network in (trainer.model, trainer.ema.ema):
        network.load_state_dict(state, strict=True)


def training_device(asked: str) -> str:
    """``cpu`` or ``cuda``: what ``auto`` comes to on this machine.

    Raises
    ------
    ParameterError
        If ``asked`` is neither of them nor ``auto``.
    CapabilityError
        If a graphics card was asked for and there is none.
    """
    if asked not in ("auto", "cpu", "cuda"):
        raise bad_parameter(name="device", where="train_detector", must="auto, cpu or cuda", got=asked)
    torch: Any = import_module("torch")
    found = bool(torch.cuda.is_available())
    if asked == "cuda" and not found:
        raise CapabilityError("There is no CUDA graphics card to train on. Use --device cpu.")
    return "cuda" if found and asked != "cpu" else "cpu"


def _on_processor(trainer: Any) -> None:
    """16-bit products where the processor has them: nearly twice as fast. Losses and weights stay in 32 bits."""
    torch: Any = import_module("torch")
    network = trainer.model.to(memory_format=torch.channels_last)
    once = network._predict_once

    def short(*args: Any, **more: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return _in_full(once(*args, **more))

    network._predict_once = short


def _in_full(said: Any) -> Any:
    if isinstance(said, dict):
        return {key: _in_full(value) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return type(said)(_in_full(value) for value in said)
    return said.float() if said.is_floating_point() else said


def _losses(trainer: Any) -> dict[str, float]:
    return {str(name): float(value) for name, value in trainer.label_loss_items(trainer.tloss).items()}
