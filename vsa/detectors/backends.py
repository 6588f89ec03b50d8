"""Three ways to run the same network on the same weights: OpenVINO, ONNX Runtime, PyTorch.

Each takes a batch of images as the network wants them, and returns what it says of every anchor, before anything is
thrown away; the rest is shared (:mod:`vsa.detectors.yolo`). On a processor every image is computed alone, so that a
batch gives what its images give one by one, to the last bit; OpenVINO then works on several at a time.

What it cannot tell you: that three ways agree to the last bit. They agree within a tolerance that a test states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import CapabilityError, bad_parameter
from vsa.detectors.offline import openvino
from vsa.detectors.weights import Weights

Backend = Literal["openvino", "onnx", "torch"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["f32", "auto"]
Floats = npt.NDArray[np.float32]
#: Images (n, 3, height, width) in [0, 1] → (n, 4 + classes, anchors): centre, size, scores.
Run = Callable[[Floats], Floats]

#: Most images in one go on a graphics card.
_BATCH: Final = 64


def open_backend(
    weights: Weights, *, backend: Backend, device: Device = "auto", precision: Precision = "f32", threads: int = 0
) -> tuple[Run, str]:  # fmt: skip
    """Load the network; return what runs it and the device it runs on.

    Parameters
    ----------
    weights : Weights
    backend : {"openvino", "onnx", "torch"}
    device : {"auto", "cpu", "cuda"}
        ``auto``: a graphics card where the backend can use one, the processor otherwise.
    precision : {"f32", "auto"}
        ``auto``: what OpenVINO finds fastest here (16-bit products where the processor has them). Boxes then move by
        a little, and not alike on every machine. The other backends know 32 bits only.
    threads : int
        0: as many as the library sees fit.

    Raises
    ------
    ParameterError
        If there is no such backend or device.
    CapabilityError
        If a library or a graphics card is missing.
    IntegrityError
        If the weights are not those of their manifest.
    """
    if backend not in get_args(Backend):
        raise bad_parameter(name="backend", where="Yolo", must=f"one of {', '.join(get_args(Backend))}", got=backend)
    if device not in get_args(Device):
        raise bad_parameter(name="device", where="Yolo", must=f"one of {', '.join(get_args(Device))}", got=device)
    if precision not in get_args(Precision):
        raise bad_parameter(name="precision", where="Yolo", must="f32 or auto", got=precision)
    path = weights.path(backend)
    try:
        if backend == "openvino":
            return _openvino(path, device, precision, threads)
        if backend == "onnx":
            return _onnx(path, device, threads)
        return _torch(path, weights.manifest["architecture"], device, threads)
    except ImportError as cause:
        raise CapabilityError(
            f"The backend {backend} cannot be used: {cause}. Install the project again, or choose another backend."
        ) from cause


def _no_card(backend: str) -> CapabilityError:
    return CapabilityError(
        f"The backend {backend} finds no CUDA graphics card here. Use device='cpu', or device='auto' to take whichever "
        "there is."
    )


def _openvino(path: Path, device: Device, precision: Precision, threads: int) -> tuple[Run, str]:
    if device == "cuda":
        raise _no_card("openvino")
    library = openvino()
    core = library.Core()
    model = core.read_model(str(path))
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "THROUGHPUT"}
    if precision == "f32":
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    compiled: dict[tuple[int, ...], Any] = {}
    lanes: dict[tuple[int, ...], list[Any]] = {}

    def run(batch: Floats) -> Floats:
        shape = (1, *batch.shape[1:])
        if shape not in compiled:
            model.reshape(list(shape))
            compiled[shape] = core.compile_model(model, "CPU", settings)
            n = int(compiled[shape].get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
            lanes[shape] = [compiled[shape].create_infer_request() for _ in range(max(1, n))]
        # Several requests in flight, read in order once each is done. No queue with a callback: one that is destroyed
        # while the interpreter holds its lock may wait for it for ever.
        requests = lanes[shape]
        found: list[Any] = []
        for first in range(0, len(batch), len(requests)):
            part = list(zip(requests, batch[first : first + len(requests)], strict=False))
            for request, image in part:
                request.start_async({0: image[None]})
            for request, _ in part:
                request.wait()
                found.append(request.get_output_tensor(0).data[0].copy())
        return np.stack(found)

    return run, "cpu"


def _onnx(path: Path, device: Device, threads: int) -> tuple[Run, str]:
    runtime = import_module("onnxruntime")
    has_card = "CUDAExecutionProvider" in runtime.get_available_providers()
    if device == "cuda" and not has_card:
        raise _no_card("onnx")
    card = has_card and device != "cpu"
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    providers = ["CUDAExecutionProvider"] * card + ["CPUExecutionProvider"]
    session = runtime.InferenceSession(str(path), options, providers=providers)
    name = session.get_inputs()[0].name
    step = _BATCH if card else 1

    def run(batch: Floats) -> Floats:
        parts = [session.run(None, {name: batch[at : at + step]})[0] for at in range(0, len(batch), step)]
        return np.concatenate(parts)

    return run, "cuda" if card else "cpu"


def _torch(path: Path, architecture: Mapping[str, Any], device: Device, threads: int) -> tuple[Run, str]:
    from vsa.detectors.network import build

    torch = import_module("torch")
    has_card = torch.cuda.is_available()
    if device == "cuda" and not has_card:
        raise _no_card("torch")
    card = has_card and device != "cpu"
    where = "cuda" if card else "cpu"
    if threads:
        torch.set_num_threads(threads)
    network = build(architecture)
    state = import_module("safetensors.torch").load_file(str(path))
    network.load_state_dict(state, strict=True)
    network = network.float().fuse(verbose=False).eval().to(where)
    step = _BATCH if card else 1

    def run(batch: Floats) -> Floats:
        parts = []
        with torch.inference_mode():
            for at in range(0, len(batch), step):
                said = network(torch.from_numpy(batch[at : at + step]).to(where))
                parts.append((said[0] if isinstance(said, tuple | list) else said).float().cpu().numpy())
        return np.concatenate(parts)

    return run, where
