r"""The network itself: its layers, how they are started, trained and run. The only file here that imports PyTorch.

A residual convolutional network in the manner of ST-ResNet [1]_, small enough for a processor: one convolution reads
all rasters at once, features of the day are added to every place, residual blocks follow, and

.. math:: \lambda = \operatorname{softplus}(a \cdot \operatorname{softplus}^{-1}(m) + b + h)

where ``m`` is the cell's long-run mean, ``h`` what the blocks say, ``a`` starts at 1 and ``h`` at 0. Before any
training the map is therefore the long-run mean, and what training adds is what the rasters say beyond it.

PyTorch is imported when a network is run, not before. Its global settings are put back as they were found.

What it cannot tell you: a network that fits well has found a regularity of the *records*. Nothing in its weights says
whether people or patrols made it.

References
----------
.. [1] Zhang, Zheng & Qi (2017), "Deep spatio-temporal residual networks for citywide crowd flows prediction", AAAI-17,
   doi:10.1609/aaai.v31i1.10735.
.. [2] He, Zhang, Ren & Sun (2016), "Identity mappings in deep residual networks", ECCV 2016,
   doi:10.1007/978-3-319-46493-0_38.
.. [3] Kingma & Ba (2015), "Adam: a method for stochastic optimization", ICLR 2015.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import CapabilityError
from contrechamp.domain.grid import BoolArray, FloatArray, IntArray
from models.st_net_stacks import Batch, Float32, Stacks

if TYPE_CHECKING:
    import torch

Weights = dict[str, Float32]
_ONE_AT_A_TIME = threading.RLock()
#: Share of the convolutions' weights, times the learning rate, that each step takes away. None is taken from the skip
#: from the long-run mean. Chosen on invented worlds of the tests' kind, where weaker decays over-fitted sooner.
DECAY = 1.0


@dataclass(frozen=True, slots=True)
class Training:
    """How long and how fast.

    Attributes
    ----------
    epochs, batch_days : int
    learning_rate : float
        Of the first step; it falls to a twentieth along a cosine.
    """

    epochs: int
    batch_days: int
    learning_rate: float


def layer_shapes(*, channels: int, features: int, width: int, blocks: int) -> dict[str, tuple[int, ...]]:
    """Shape of every array of weights, by its name, in the order in which they are stored."""
    shapes: dict[str, tuple[int, ...]] = {
        "read.weight": (width, channels, 3, 3), "read.bias": (width,), "day.weight": (width, features),
    }  # fmt: skip
    for block in range(blocks):
        for step in "ab":
            shapes |= {f"block{block}{step}.weight": (width, width, 3, 3), f"block{block}{step}.bias": (width,)}
    return shapes | {"say.weight": (1, width, 1, 1), "say.bias": (1,), "skip.weight": (1,)}


def initial_weights(shapes: Mapping[str, tuple[int, ...]], *, rng: np.random.Generator) -> Weights:
    """He's normal start for the convolutions; zero for what speaks, one for the skip: the map is the long-run mean."""
    weights: Weights = {}
    for name, shape in shapes.items():
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        start = np.zeros(shape)
        if name == "skip.weight":
            start = np.ones(shape)
        elif name.endswith("weight") and name != "say.weight":
            start = rng.normal(size=shape) * np.sqrt(2.0 / fan_in)
        weights[name] = start.astype(np.float32)
    return weights


def chosen_device(device: str) -> str:
    """``"cuda"`` or ``"cpu"``: as asked, or the accelerator where there is one.

    Raises
    ------
    CapabilityError
        If ``"cuda"`` is asked for and PyTorch sees none.
    """
    import torch

    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise CapabilityError(
            "st-net was asked to run on CUDA and PyTorch sees no CUDA device here. Use device='auto' or device='cpu', "
            "or install a PyTorch build for your accelerator."
        )
    return "cuda" if there and device != "cpu" else "cpu"


def forward(weights: Mapping[str, torch.Tensor], rasters: Any, days: Any, level: Any, *, blocks: int) -> torch.Tensor:
    """Expected counts in units of the city's mean, shape (n, ny, nx)."""
    from torch.nn import functional

    def convolved(x: torch.Tensor, layer: str, padding: int) -> torch.Tensor:
        return functional.conv2d(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"], padding=padding)

    of_day = (days[:, None, :] * weights["day.weight"][None]).sum(dim=2)  # no matrix product: those may not repeat
    x = convolved(rasters, "read", 1) + of_day[:, :, None, None]
    for block in range(blocks):
        x = x + convolved(functional.relu(convolved(functional.relu(x), f"block{block}a", 1)), f"block{block}b", 1)
    said = convolved(functional.relu(x), "say", 0)[:, 0]
    return functional.softplus(weights["skip.weight"] * level + said)


def run_network(weights: Mapping[str, Float32], batch: Batch, *, blocks: int, device: str) -> FloatArray:
    """:func:`forward` on arrays, shape (n, ny, nx)."""
    import torch

    where = chosen_device(device)
    with _repeatable(), torch.no_grad():
        held = {name: torch.from_numpy(np.array(value)).to(where) for name, value in weights.items()}
        out = forward(held, *_tensors(batch, where), blocks=blocks)
        return np.asarray(out.cpu().numpy(), dtype=np.float64)


def train(
    stacks: Stacks, weights: Weights, *, fitted: IntArray, held_out: IntArray, land: BoolArray, blocks: int,
    how: Training, rng: np.random.Generator, device: str,
) -> tuple[Weights, FloatArray]:  # fmt: skip
    """Descend on the days ``fitted``; keep the weights that foretell the days ``held_out`` best.

    Parameters
    ----------
    stacks : Stacks
    weights : dict of ndarray
        Where to start. Not modified.
    fitted, held_out : ndarray of int
        Days.
    land : ndarray of bool, shape (ny, nx)
    blocks : int
    how : Training
    rng : numpy.random.Generator
        Order of the days.
    device : str

    Returns
    -------
    weights : dict of ndarray
        Of the best epoch; those given where no epoch is better.
    losses : ndarray, shape (epochs + 1,)
        Loss on ``held_out`` before training and after each epoch: minus the Poisson log score per cell and day in
        units of the city's mean, up to a constant.
    """
    import torch

    where = chosen_device(device)
    with _repeatable():
        mask = torch.from_numpy(land.astype(np.float32)).to(where)
        held = {name: torch.from_numpy(value.copy()).to(where).requires_grad_() for name, value in weights.items()}
        optimiser = torch.optim.AdamW(
            [
                {"params": [t for t in held.values() if t.ndim > 1], "weight_decay": DECAY},
                {"params": [t for t in held.values() if t.ndim == 1], "weight_decay": 0.0},
            ],
            lr=how.learning_rate,
        )
        chunks = -(-len(fitted) // how.batch_days)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimiser, how.epochs * chunks, eta_min=how.learning_rate / 20
        )
        best = dict(weights)
        losses = [_loss(held, stacks, held_out, mask, blocks=blocks, how=how, where=where)]
        for _ in range(how.epochs):
            for days in np.array_split(rng.permutation(fitted), chunks):
                optimiser.zero_grad()
                expected = forward(held, *_tensors(stacks.batch(days), where), blocks=blocks)
                seen = torch.from_numpy(stacks.target(days)).to(where)
                loss = (((expected - seen * torch.log(expected)) * mask).sum()) / (mask.sum() * len(days))
                loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
                torch.nn.utils.clip_grad_norm_(list(held.values()), 1.0)
                optimiser.step()
                schedule.step()
            losses.append(_loss(held, stacks, held_out, mask, blocks=blocks, how=how, where=where))
            if losses[-1] < min(losses[:-1]):
                best = {name: t.detach().cpu().numpy().copy() for name, t in held.items()}
    return best, np.asarray(losses)


def _loss(
    held: Mapping[str, torch.Tensor], stacks: Stacks, days: IntArray, mask: torch.Tensor, *, blocks: int,
    how: Training, where: str,
) -> float:  # fmt: skip
    import torch

    total = 0.0
    with torch.no_grad():
        for some in np.array_split(days, -(-len(days) // how.batch_days)):
            expected = forward(held, *_tensors(stacks.batch(some), where), blocks=blocks)
            seen = torch.from_numpy(stacks.target(some)).to(where)
            total += float(((expected - seen * torch.log(expected)) * mask).sum(dtype=torch.float64))
    return total / (float(mask.sum()) * len(days))


def _tensors(batch: Batch, where: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    import torch

    rasters, days, level = (torch.from_numpy(a).to(where) for a in (batch.rasters, batch.days, batch.level))
    return rasters, days, level


@contextmanager
def _repeatable() -> Iterator[None]:
    """Same bits on the same machine whatever the number of threads; PyTorch's settings are put back afterwards.

    One thread, and one network at a time in a process: those settings are the process's own.
    """
    import torch

    with _ONE_AT_A_TIME:
        threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        warn = torch.is_deterministic_algorithms_warn_only_enabled()
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        try:
            with torch.backends.cudnn.flags(deterministic=True, benchmark=False, allow_tf32=False):
                yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=warn)
            torch.set_num_threads(threads)


def flatten(weights: Mapping[str, Float32]) -> Float32:
    """All weights in one array, layer after layer."""
    return np.concatenate([value.ravel() for value in weights.values()])


def unflatten(flat: npt.NDArray[Any], shapes: Mapping[str, tuple[int, ...]]) -> Weights:
    """Inverse of :func:`flatten`."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(np.asarray(flat, dtype=np.float32), ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
