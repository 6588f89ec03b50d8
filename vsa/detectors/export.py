"""Write a trained network as files that cannot run code: safetensors, ONNX and OpenVINO.

Every trace of where and when it was made is taken out, so that the same weights give the same bytes on one
installation. All three hold 32-bit numbers: what they find differs by rounding only.

What it cannot tell you: see :mod:`vsa.detectors.weights`.
"""

from __future__ import annotations

import copy
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from vsa.detectors.offline import openvino, ultralytics
from vsa.detectors.weights import FILES, STEM, seal

#: Version of the operators of ONNX.
OPSET: Final = 17
_TRACED_PX: Final = (384, 640)


def export_network(network: Any, folder: Path) -> dict[str, dict[str, Any]]:
    """Write ``network`` to ``folder`` in every format; return the names, hashes and sizes of the files.

    Parameters
    ----------
    network : torch.nn.Module
        From :func:`vsa.detectors.training.train_network`. Not changed.
    folder : Path
    """
    ultralytics()
    torch: Any = import_module("torch")
    safetensors: Any = import_module("safetensors.torch")
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().contiguous().clone() for name, value in network.state_dict().items()}
    safetensors.save_file(state, str(folder / f"{STEM}.safetensors"))
    ready = _ready(network)
    image = torch.zeros(1, 3, *_TRACED_PX)
    onnx_file = folder / f"{STEM}.onnx"
    with torch.no_grad():
        ready(image)
        torch.onnx.export(
            ready, image, str(onnx_file), opset_version=OPSET, input_names=["images"], output_names=["found"],
            dynamic_axes={"images": {0: "batch", 2: "height", 3: "width"}, "found": {0: "batch", 2: "anchors"}},
            dynamo=False,
        )  # fmt: skip
    _anonymous(onnx_file)
    library = openvino()
    read = library.Core().read_model(str(onnx_file))  # not convert_model, whose use is reported
    library.save_model(read, str(folder / f"{STEM}.xml"), compress_to_fp16=False)
    return seal(folder, tuple(name for names in FILES.values() for name in names))


def _ready(network: Any) -> Any:
    """A copy that folds its normalisations away and gives one tensor, whatever the size of the image."""
    ready = copy.deepcopy(network).float().cpu().eval().fuse(verbose=False)
    for parameter in ready.parameters():
        parameter.requires_grad = False
    for module in ready.modules():
        if hasattr(module, "export"):
            module.export, module.dynamic, module.format = True, True, "onnx"
    return ready


def _anonymous(path: Path) -> None:
    """Take metadata and remarks out of an ONNX file."""
    onnx: Any = import_module("onnx")
    model = onnx.load(str(path))
    del model.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    model.producer_name = model.producer_version = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(model, str(path))
