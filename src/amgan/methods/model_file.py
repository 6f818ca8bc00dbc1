"""A trained model as one safetensors file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from amgan.devices import Precision, choose_compute
from amgan.errors import InputError
from amgan.files import read_tensors, write_tensors
from amgan.methods.description import ModelDescription
from amgan.methods.method import Method
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel
from amgan.run_folder import RunFolder

FORMAT = "amgan-model"
VERSION = 1


def save_model(
    path: Path, method: Method, description: ModelDescription, *, half: bool = False
) -> None:
    """Write weights and description as one safetensors file, atomically.

    Args:
        path: the file.
        method: whose weights.
        description: what they are.
        half: round weights to 16 bits, which halves the file; they are 32 bits wide once loaded.
    """
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "description": description.to_json(),
    }
    tensors = {
        name: value
        for name, value in method.state_dict().items()
        if not name.startswith(method.training_only)
    }
    if half:
        tensors = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    write_tensors(path, tensors, metadata)


def load_model(
    path: Path,
    device: str = "auto",
    precision: Precision = "auto",
    ranking: RankingChoice | None = None,
) -> TrainedModel:
    """Load a model file, or the `model.safetensors` of a run folder.

    Args:
        path: the file, or the run folder.
        device: auto, cpu, cuda or cuda:N.
        precision: auto, bf16 or fp32.
        ranking: `auto` is fused where the model was fitted for it; None is as the file says,
            which is pure but for the copy that a gallery holds.

    Raises:
        ValueError: no such file, not a model of this program, weights that do not fit, or a fused
            ranking that the model was not fitted for.
    """
    file = RunFolder(path).model if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{path}: no model here; give a run folder or its model.safetensors")
    tensors, metadata = read_tensors(file)
    if metadata.get("format") != FORMAT:
        raise InputError(f"{file}: not a model of this program (no {FORMAT} header)")
    if metadata.get("version") != str(VERSION):
        raise InputError(f"{file}: model format {metadata.get('version')}, this reads {VERSION}")
    try:
        description = ModelDescription.from_json(metadata.get("description", ""))
    except InputError as error:
        raise InputError(f"{file}: {error}", file=file) from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: damaged description ({error!r})", file=file) from None
    method = description.build()
    try:
        method.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(f"{file}: weights do not fit the described network ({error})") from None
    if ranking is not None:
        try:
            description = replace(description, facts=description.facts.choose(ranking))
        except InputError as error:
            raise InputError(f"{file}: {error}", file=file) from None
    model = TrainedModel(method, description, choose_compute(device, precision))
    model.file = file
    return model
