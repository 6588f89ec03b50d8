"""The network written as an ONNX graph, node by node: readable and runnable without this program.

No exporter is used: the graph is the formula of :mod:`models.st_net_layers`, spelled out. Run by another engine it
must give the same map, which makes it a second implementation of the forward pass.

What it cannot tell you: a file that runs elsewhere says how a map was computed, not whether it should have been.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.st_net_stacks import Float32

#: Operator set of the graph: the oldest with every node it uses.
OPSET = 13
IR_VERSION = 8


def onnx_model(weights: Mapping[str, Float32], *, blocks: int, mean: float) -> bytes:
    """Serialise the network.

    Parameters
    ----------
    weights : mapping of str to ndarray
        By layer, see :func:`models.st_net_layers.layer_shapes`.
    blocks : int
    mean : float
        Records per cell and day that one unit stands for.

    Returns
    -------
    bytes
        An ONNX model, checked.
    """
    from onnx import NodeProto, TensorProto, checker, helper, numpy_helper

    arrays = dict(weights)
    arrays["day.matrix"] = np.ascontiguousarray(arrays.pop("day.weight").T)
    arrays["mean"] = np.array([mean], dtype=np.float32)
    held = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    held.append(numpy_helper.from_array(np.array([2, 3], dtype=np.int64), "axes.day"))
    held.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "axes.one"))

    def conv(source: str, layer: str, to: str, size: int) -> NodeProto:
        pads = [size // 2] * 4
        names = [source, f"{layer}.weight", f"{layer}.bias"]
        return helper.make_node("Conv", names, [to], kernel_shape=[size, size], pads=pads)

    nodes = [
        conv("rasters", "read", "read", 3),
        helper.make_node("MatMul", ["days", "day.matrix"], ["day"]),
        helper.make_node("Unsqueeze", ["day", "axes.day"], ["day.everywhere"]),
        helper.make_node("Add", ["read", "day.everywhere"], ["x0"]),
    ]
    for b in range(blocks):
        nodes += [
            helper.make_node("Relu", [f"x{b}"], [f"x{b}.r"]),
            conv(f"x{b}.r", f"block{b}a", f"x{b}.a", 3),
            helper.make_node("Relu", [f"x{b}.a"], [f"x{b}.ar"]),
            conv(f"x{b}.ar", f"block{b}b", f"x{b}.b", 3),
            helper.make_node("Add", [f"x{b}", f"x{b}.b"], [f"x{b + 1}"]),
        ]
    nodes += [
        helper.make_node("Relu", [f"x{blocks}"], ["last"]),
        conv("last", "say", "said", 1),
        helper.make_node("Squeeze", ["said", "axes.one"], ["said.flat"]),
        helper.make_node("Mul", ["level", "skip.weight"], ["skipped"]),
        helper.make_node("Add", ["skipped", "said.flat"], ["sum"]),
        helper.make_node("Softplus", ["sum"], ["unit"]),
        helper.make_node("Mul", ["unit", "mean"], ["expected"]),
    ]
    channels, features = weights["read.weight"].shape[1], weights["day.weight"].shape[1]
    floats = TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("rasters", floats, ["n", channels, "ny", "nx"]),
        helper.make_tensor_value_info("days", floats, ["n", features]),
        helper.make_tensor_value_info("level", floats, ["n", "ny", "nx"]),
    ]
    output = helper.make_tensor_value_info("expected", floats, ["n", "ny", "nx"])
    graph = helper.make_graph(nodes, "st-net", inputs, [output], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
