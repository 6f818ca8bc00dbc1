"""Compiled networks for single queries, through OpenVINO.

The networks of a trained model are small, so that eager PyTorch spends most of a single query on
calls and casts. OpenVINO runs the same networks, in bfloat16 where the processor multiplies it, in
about a fifth of the time (docs/results/speed.md); results differ by rounding only.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from amgan.devices import Compute

Floats = NDArray[np.float32]


class CompiledNetwork:
    """A network as an OpenVINO model.

    Args:
        network: called with arrays of N rows each; the weights are copied.
        shapes: of one row of each input.
        compute: whether in bfloat16.
    """

    def __init__(
        self, network: nn.Module, shapes: Sequence[tuple[int, ...]], compute: Compute
    ) -> None:
        openvino = _import_quietly()
        examples = tuple(torch.zeros(2, *shape) for shape in shapes)
        with torch.no_grad():
            converted = _convert(network.eval(), examples)
        rows = [openvino.PartialShape([-1, *shape]) for shape in shapes]
        converted.reshape(dict(enumerate(rows)))
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if compute.bfloat16 else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._compiled: Any = _core().compile_model(converted, "CPU", options)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """All outputs, of N rows each."""
        # A request of its own for each call: calls may come from several threads.
        arrays = [value.contiguous().numpy() for value in inputs]
        answer = self._compiled.create_infer_request().infer(arrays)
        return tuple(torch.from_numpy(answer[i].copy()) for i in range(len(answer)))


def _import_quietly() -> Any:
    """OpenVINO without its telemetry, which reports each import and use to its makers."""
    telemetry = "openvino_telemetry"
    before = sys.modules.get(telemetry)
    sys.modules[telemetry] = None  # type: ignore[assignment]  # makes its import fail
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[telemetry]
        if before is not None:
            sys.modules[telemetry] = before


@functools.cache
def _core() -> Any:
    """OpenVINO's one core, kept until the process ends.

    It makes signals of the thread that asks for it first run on a stack of its own. That stack
    would go with the core, and the next Ctrl-C would end the process with a segmentation fault.
    """
    return _import_quietly().Core()


def _convert(network: nn.Module, example: tuple[Tensor, ...]) -> Any:
    """An OpenVINO model of a network."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    frontend = FrontEndManager().load_by_framework("pytorch")
    decoder = TorchScriptPythonDecoder(network, example_input=example)  # has to outlive the call
    return frontend.convert(frontend.load(decoder))


def can_compile(compute: Compute) -> bool:
    """Whether networks can be compiled here: on the CPU, with OpenVINO installed."""
    return compute.device.type == "cpu" and importlib.util.find_spec("openvino") is not None
