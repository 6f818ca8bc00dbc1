"""Compiled networks for single queries, through OpenVINO.

The networks of a trained model are small, so that eager PyTorch spends most of a single query on
calls and casts. OpenVINO runs the same networks, in bfloat16 where the processor multiplies it, in
about a fifth of the time (docs/results/speed.md); results differ by rounding only.

Converting a network takes seconds, and each time some megabytes that are never given back. So it is
done once, and the converted network is kept in a file beside the model.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from amgan.devices import Compute
from amgan.files import write_tensors
from amgan.models.weight_digest import digest_weights
from amgan.openvino_runtime import has_openvino, import_openvino, openvino_core

Floats = NDArray[np.float32]
_FORMAT = "amgan-compiled"
_CONVERT_SECONDS = 300


class CompiledNetwork:
    """A network that OpenVINO runs.

    Args:
        converted: an OpenVINO model.
        compute: whether in bfloat16.
    """

    def __init__(self, converted: Any, compute: Compute) -> None:
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if compute.bfloat16 else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._compiled: Any = openvino_core().compile_model(converted, "CPU", options)

    def __call__(self, *inputs: Floats) -> tuple[Tensor, ...]:
        """What the network gives for arrays with N rows each."""
        # A request of its own for each call: calls may come from several threads.
        answer = self._compiled.create_infer_request().infer(list(inputs))
        return tuple(
            torch.from_numpy(answer[place].copy()) for place in range(len(self._compiled.outputs))
        )


def compile_network(
    network: nn.Module, examples: Sequence[Tensor], compute: Compute
) -> CompiledNetwork:
    """Convert and compile a network in this process.

    Args:
        network: the weights are copied.
        examples: one input each, with two rows; other numbers of rows may be asked of it later.
        compute: whether in bfloat16.
    """
    return CompiledNetwork(_convert(network, examples), compute)


def save_compiled(file: Path, network: nn.Module, examples: Sequence[Tensor], tag: str) -> None:
    """Write a converted network as one file, atomically.

    Args:
        file: to be written.
        network: as for `compile_network`.
        examples: as for `compile_network`.
        tag: what it was converted from; `load_compiled` has to name the same.
    """
    openvino = import_openvino()
    with tempfile.TemporaryDirectory() as folder:
        parts = Path(folder, "network.xml"), Path(folder, "network.bin")
        openvino.save_model(_convert(network, examples), parts[0], compress_to_fp16=False)
        graph, weights = (part.read_bytes() for part in parts)
    tensors = {
        name: torch.frombuffer(bytearray(content or b"\0"), dtype=torch.uint8)
        for name, content in (("graph", graph), ("weights", weights))
    }
    metadata = {"format": _FORMAT, "tag": tag, "digest": _digest(graph, weights)}
    write_tensors(file, tensors, metadata)


def holds_compiled(file: Path, tag: str) -> bool:
    """Whether a file of `save_compiled` has this tag."""
    try:
        with safe_open(file, framework="np") as opened:
            return bool((opened.metadata() or {}).get("tag") == tag)
    except (OSError, SafetensorError):
        return False


def load_compiled(file: Path, tag: str, compute: Compute) -> CompiledNetwork | None:
    """Compile a network that was converted before; None where the file cannot be used.

    It is then missing, damaged, or of another network; nothing is converted.
    """
    try:
        with safe_open(file, framework="np") as opened:
            metadata = opened.metadata() or {}
            if metadata.get("format") != _FORMAT or metadata.get("tag") != tag:
                return None
            graph = opened.get_tensor("graph").tobytes()
            weights = opened.get_tensor("weights").tobytes()
    except (OSError, SafetensorError):
        return None
    if _digest(graph, weights) != metadata.get("digest"):
        return None
    with suppress(RuntimeError):  # another release may not read it
        return CompiledNetwork(openvino_core().read_model(graph, weights), compute)
    return None


def convert_apart(model: Path, file: Path) -> bool:
    """Convert the query network of a model file in a process of its own.

    Args:
        model: file of `methods.model_file`.
        file: to be written by `save_compiled`.

    Returns:
        Whether it was.
    """
    command = [sys.executable, "-m", __name__, str(model), str(file)]
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_CONVERT_SECONDS,
            check=False,
        )
        return done.returncode == 0 and file.is_file()
    return False


def compiled_file(model: Path) -> Path:
    """Where the converted network of a model file lies."""
    return model.with_suffix(".compiled")


def weights_digest(network: nn.Module) -> str:
    """SHA-256 of the weights of a network: the tag of what is converted from it."""
    shapes = {name: tuple(value.shape) for name, value in sorted(network.state_dict().items())}
    return digest_weights(str(shapes), network)


def can_compile(compute: Compute) -> bool:
    """Whether networks can be compiled here: on the CPU, with OpenVINO installed."""
    return compute.device.type == "cpu" and has_openvino()


def _digest(graph: bytes, weights: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(graph).digest() + weights).hexdigest()


def _convert(network: nn.Module, examples: Sequence[Tensor]) -> Any:
    """An OpenVINO model of a network, for any number of rows."""
    openvino = import_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with torch.no_grad():
        frontend = FrontEndManager().load_by_framework("pytorch")
        # The decoder has to outlive the call.
        decoder = TorchScriptPythonDecoder(network.eval(), example_input=tuple(examples))
        converted = frontend.convert(frontend.load(decoder))
    shapes = [openvino.PartialShape([-1, *example.shape[1:]]) for example in examples]
    converted.reshape(dict(enumerate(shapes)))
    return converted


def _main() -> None:
    from amgan.methods.model_file import load_model

    model, file = map(Path, sys.argv[1:3])
    load_model(model, "cpu").save_compiled(file)


if __name__ == "__main__":
    _main()
