"""Training state in one safetensors file, replaced atomically; no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from amgan.errors import FileFormatError, InputError
from amgan.files import read_tensors, write_tensors

_METHOD, _OPTIMISER, _RANDOM = "method.", "optimiser.", "torch_random_state"


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        epoch: epochs completed, or the one under way.
        step: steps completed within it.
        best_value: best validation value so far, None before the first validation.
        best_epoch: epoch after which it was reached.
    """

    epoch: int = 0
    step: int = 0
    best_value: float | None = None
    best_epoch: int | None = None


def save_checkpoint(
    path: Path,
    method: nn.Module,
    optimisers: Mapping[str, torch.optim.Optimizer],
    progress: Progress,
    fingerprint: str,
) -> None:
    """Write everything that resuming needs.

    Args:
        path: the file, replaced atomically.
        method: parameters and buffers are kept.
        optimisers: by phase name.
        progress: counters.
        fingerprint: identifies configuration and data; checked by `load_checkpoint`.
    """
    tensors = {f"{_METHOD}{name}": value for name, value in method.state_dict().items()}
    tensors[_RANDOM] = torch.get_rng_state()
    for phase, optimiser in optimisers.items():
        for number, state in optimiser.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"{_OPTIMISER}{phase}.{number}.{name}"] = torch.as_tensor(value)
    metadata = {"progress": json.dumps(asdict(progress)), "fingerprint": fingerprint}
    write_tensors(path, tensors, metadata)


def load_checkpoint(
    path: Path,
    method: nn.Module,
    optimisers: Mapping[str, torch.optim.Optimizer],
    fingerprint: str,
) -> Progress:
    """Restore what `save_checkpoint` wrote, into `method` and `optimisers`.

    Raises:
        ValueError: not a checkpoint, or one of another configuration or other data.
    """
    try:
        tensors, metadata = read_tensors(path)
    except (FileFormatError, OSError) as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise FileFormatError(
            f"{path}: not a readable checkpoint ({reason}); put back a sound copy, or remove it to "
            "begin again",
            file=path,
        ) from None
    if "progress" not in metadata:
        raise InputError(f"{path}: not a checkpoint of this program")
    if metadata["fingerprint"] != fingerprint:
        raise InputError(
            f"{path}: was written with another configuration, catalogue or triplet file; "
            "continue with the same ones, or choose another run folder"
        )
    method.load_state_dict(_strip(tensors, _METHOD))
    for phase, optimiser in optimisers.items():
        _load_optimiser(optimiser, _strip(tensors, f"{_OPTIMISER}{phase}."))
    torch.set_rng_state(tensors[_RANDOM])
    return Progress(**json.loads(metadata["progress"]))


def read_fingerprint(path: Path) -> str | None:
    """Fingerprint of a checkpoint; None where it is none, which `load_checkpoint` explains."""
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("fingerprint")
    except (SafetensorError, OSError):
        return None


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        parameter = parameters[int(number)]
        if value.shape == parameter.shape:
            # Fused optimisers walk parameter and state in memory order, so the layouts must agree.
            value = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        state.setdefault(int(number), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _strip(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
