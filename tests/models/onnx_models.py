"""Small encoders as ONNX files, with the description that lies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 5
KERNEL = 4
WEIGHTS = np.random.default_rng(0).normal(size=(CHANNELS, 3, KERNEL, KERNEL)).astype(np.float32)
DESCRIPTION = """
height = 8
width = 12
mean = [0.4, 0.5, 0.6]
deviation = [0.2, 0.25, 0.3]
"""


def write_encoder(
    path: Path,
    *,
    outputs: Sequence[str] = ("embedding",),
    picture: Sequence[int | str] = ("N", 3, 8, 12),
    extra_input: bool = False,
    element: int = TensorProto.FLOAT,
    description: str | None = DESCRIPTION,
) -> Path:
    """A strided convolution; its maps, its tokens, or its maps' means are the outputs.

    With pictures (N, H, W, 3) it turns them and its maps around.
    """
    last = picture[-1] == 3
    nodes = [
        helper.make_node("Transpose", ["picture"], ["turned"], perm=[0, 3, 1, 2])
        if last
        else helper.make_node("Identity", ["picture"], ["turned"]),
        helper.make_node("Cast", ["turned"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["cast", "weights"], ["convolved"], strides=[KERNEL, KERNEL]),
        helper.make_node("Transpose", ["convolved"], ["maps"], perm=[0, 2, 3, 1])
        if last
        else helper.make_node("Identity", ["convolved"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["convolved"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["seen"]),
        helper.make_node("Reshape", ["convolved", "flat"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["tokens"], perm=[0, 2, 1]),
    ]
    if extra_input:
        nodes.append(helper.make_node("Cast", ["text"], ["words"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("ReduceMean", ["words"], ["said"], keepdims=0))
        nodes.append(helper.make_node("Add", ["seen", "said"], ["embedding"]))
    else:
        nodes.append(helper.make_node("Identity", ["seen"], ["embedding"]))
    nodes.append(helper.make_node("ReduceMean", ["embedding"], ["number"], keepdims=0))
    rank = {"embedding": 2, "maps": 4, "tokens": 3, "number": 0}
    inputs = [helper.make_tensor_value_info("picture", element, list(picture))]
    if extra_input:
        inputs.append(helper.make_tensor_value_info("text", TensorProto.INT64, ["N", 7]))
    graph = helper.make_graph(
        nodes,
        "encoder",
        inputs,
        [
            helper.make_tensor_value_info(
                name, TensorProto.FLOAT, [f"{name}{i}" for i in range(rank[name])]
            )
            for name in outputs
        ],
        [
            numpy_helper.from_array(WEIGHTS, "weights"),
            numpy_helper.from_array(np.array([0, CHANNELS, -1], np.int64), "flat"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    if description is not None:
        path.with_suffix(".toml").write_text(description)
    return path


def expected_maps(pixels: np.ndarray) -> np.ndarray:
    """What the convolution makes of pixels (N, 8, 12, 3), by hand: (N, C, 2, 3)."""
    scaled = (pixels / 255 - np.array([0.4, 0.5, 0.6])) / np.array([0.2, 0.25, 0.3])
    maps = np.zeros((len(pixels), CHANNELS, 2, 3))
    for row in range(2):
        for column in range(3):
            top, left = row * KERNEL, column * KERNEL
            patch = scaled[:, top : top + KERNEL, left : left + KERNEL]
            maps[:, :, row, column] = np.einsum("nhwc,kchw->nk", patch, WEIGHTS)
    return maps
