"""Compiled networks for single queries, through OpenVINO.

The networks of a trained model are small, so that eager PyTorch spends most of a single query on
calls and casts. OpenVINO runs the same networks, in bfloat16 where the processor multiplies it, in
about a fifth of the time (docs/results/speed.md); results differ by rounding only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from amgan.devices import Compute
from amgan.images import ImageSettings
from amgan.openvino_runtime import has_openvino, import_openvino, openvino_core

Floats = NDArray[np.float32]


class CompiledQueries:
    """The query pass of one model as an OpenVINO model.

    Args:
        network: of `Method.query_network`; the weights are copied.
        images: how large the pictures are.
        num_values: J.
        compute: whether in bfloat16.
    """

    def __init__(
        self, network: nn.Module, images: ImageSettings, num_values: int, compute: Compute
    ) -> None:
        openvino = import_openvino()
        picture = torch.zeros(2, 3, images.height, images.width)
        indicator = torch.zeros(2, num_values)
        with torch.no_grad():
            converted = _convert(network.eval(), (picture, indicator))
        shapes = ([-1, 3, images.height, images.width], [-1, num_values])
        converted.reshape(dict(enumerate(map(openvino.PartialShape, shapes))))
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if compute.bfloat16 else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._compiled: Any = openvino_core().compile_model(converted, "CPU", options)

    def __call__(self, reference: Floats, indicator: Floats) -> tuple[Tensor, Tensor, Tensor]:
        """Prototypes (N, 3, H, W), embeddings (N, D) and logits of the references (N, J)."""
        # A request of its own for each call: calls may come from several threads.
        answer = self._compiled.create_infer_request().infer([reference, indicator])
        prototype, embedding, logits = (torch.from_numpy(answer[i].copy()) for i in range(3))
        return prototype, embedding, logits


def _convert(network: nn.Module, example: tuple[Tensor, ...]) -> Any:
    """An OpenVINO model of a network."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    frontend = FrontEndManager().load_by_framework("pytorch")
    decoder = TorchScriptPythonDecoder(network, example_input=example)  # has to outlive the call
    return frontend.convert(frontend.load(decoder))


def can_compile(compute: Compute) -> bool:
    """Whether networks can be compiled here: on the CPU, with OpenVINO installed."""
    return compute.device.type == "cpu" and has_openvino()
