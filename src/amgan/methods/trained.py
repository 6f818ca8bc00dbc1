"""A trained model as one file, and its use on pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from amgan.attributes import MISSING, AttributeSchema, Indicator, Labels
from amgan.devices import Compute, Precision, choose_compute
from amgan.files import write_tensors
from amgan.images import ImageSettings, Pixels, to_pixels, to_tensor
from amgan.methods.protocol import QueryBatch, RankingMetric
from amgan.methods.prototypes import PrototypeSearch
from amgan.methods.registry import build_method
from amgan.models.network import NetworkConfig

FORMAT = "amgan-model"
VERSION = 1
Embeddings = NDArray[np.float32]


@dataclass(frozen=True)
class ModelDescription:
    """Everything but the weights.

    Attributes:
        method: key of METHODS.
        options: the method's options.
        schema: attributes it manipulates.
        images: preprocessing it was trained with.
        network: sizes.
        note: further facts (catalogue, seed, commit, epoch, validation value).
    """

    method: str
    options: Mapping[str, Any]
    schema: AttributeSchema
    images: ImageSettings
    network: NetworkConfig
    note: Mapping[str, Any]

    def build(self) -> Any:
        """The method with random weights."""
        return build_method(self.method, self.schema, self.images, self.network, self.options)

    def to_json(self) -> str:
        """Text for the file's header; the inverse of `from_json`."""
        return json.dumps(
            {
                "method": self.method,
                "options": dict(self.options),
                "schema": self.schema.to_dict(),
                "images": asdict(self.images),
                "network": asdict(self.network),
                "note": dict(self.note),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> ModelDescription:
        """Description from a file's header."""
        values = json.loads(text)
        network = values["network"]
        network["encoder_widths"] = tuple(network["encoder_widths"])
        return cls(
            values["method"],
            values["options"],
            AttributeSchema.from_dict(values["schema"]),
            ImageSettings(**values["images"]),
            NetworkConfig(**network),
            values["note"],
        )


class TrainedModel:
    """A method in evaluation mode, called with uint8 pictures and numpy arrays.

    Args:
        method: satisfies `methods.protocol.Method`.
        description: what it is.
        compute: device and precision.
        batch_size: pictures a forward pass.
    """

    def __init__(
        self, method: Any, description: ModelDescription, compute: Compute, batch_size: int = 128
    ) -> None:
        self.method = method.to(compute.device, memory_format=compute.memory_format).eval()
        self.description = description
        self.compute = compute
        self.batch_size = batch_size

    @property
    def schema(self) -> AttributeSchema:
        """Attributes it manipulates."""
        return self.description.schema

    @property
    def images(self) -> ImageSettings:
        """Preprocessing of pictures."""
        return self.description.images

    @property
    def ranking_metric(self) -> RankingMetric:
        """How embeddings are compared."""
        metric: RankingMetric = self.method.ranking_metric
        return metric

    @property
    def embedding_dim(self) -> int:
        """D."""
        return int(self.method.embedding_dim)

    @cached_property
    def identity(self) -> str:
        """SHA-256 over method, options, schema, preprocessing and weights."""
        description = json.loads(self.description.to_json())
        del description["note"]
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
        for name, value in sorted(self.method.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().view(-1).numpy().tobytes())
        return digest.hexdigest()

    def encode_gallery(self, pixels: Pixels) -> Embeddings:
        """Embeddings (N, D) float32 of gallery pictures (N, H, W, 3) uint8."""
        return self._collect(
            len(pixels), lambda part: self.method.encode_gallery(self._pictures(pixels[part]))
        )

    def encode_queries(
        self, pixels: Pixels, indicator: Indicator, labels: Labels | None = None
    ) -> Embeddings:
        """Embeddings (N, D) float32 of queries.

        Args:
            pixels: references (N, H, W, 3) uint8.
            indicator: wanted values (N, J).
            labels: the references' labels (N, M), None where not known.
        """
        return self._collect(
            len(pixels),
            lambda part: self.method.encode_query(self._query(pixels, indicator, labels, part)),
        )

    def encode_and_draw(
        self, pixels: Pixels, indicator: Indicator, labels: Labels | None = None
    ) -> tuple[Embeddings, Pixels | None]:
        """What `encode_queries` and `draw_prototypes` give, with each prototype drawn once."""
        if not isinstance(self.method, PrototypeSearch):
            return (
                self.encode_queries(pixels, indicator, labels),
                self.draw_prototypes(pixels, indicator, labels),
            )
        drawn = [np.empty((0, *pixels.shape[1:]), np.uint8)]

        def encode(part: slice) -> Tensor:
            prototypes = self.method.prototype(self._query(pixels, indicator, labels, part))
            drawn.append(to_pixels(prototypes.float().cpu()))
            embeddings: Tensor = self.method.encode_gallery(prototypes)
            return embeddings

        return self._collect(len(pixels), encode), np.concatenate(drawn)

    def draw_prototypes(
        self, pixels: Pixels, indicator: Indicator, labels: Labels | None = None
    ) -> Pixels | None:
        """Prototypes (N, H, W, 3) uint8, or None where the method draws none."""
        parts = []
        with torch.inference_mode(), self.compute.autocast():
            for part in self._parts(len(pixels)):
                images = self.method.prototype(self._query(pixels, indicator, labels, part))
                if images is None:
                    return None
                parts.append(to_pixels(images.float().cpu()))
        return np.concatenate(parts) if parts else np.empty((0, *pixels.shape[1:]), np.uint8)

    def predict_attributes(self, pixels: Pixels) -> NDArray[np.float32] | None:
        """Probabilities (N, J), each attribute's block summing to 1; None without a classifier.

        They are calibrated where the description's note holds temperatures.
        """
        logits = self.attribute_logits(pixels)
        if logits is None:
            return None
        temperatures = self.description.note.get("temperatures", {})
        blocks = torch.from_numpy(logits).split(list(self.schema.sizes), dim=1)
        scaled = [
            (block / temperatures.get(name, 1.0)).softmax(dim=1)
            for name, block in zip(self.schema.names, blocks, strict=True)
        ]
        return torch.cat(scaled, dim=1).numpy()

    def attribute_logits(self, pixels: Pixels) -> NDArray[np.float32] | None:
        """Logits (N, J) of pictures (N, H, W, 3) uint8; None without a classifier."""
        parts = []
        with torch.inference_mode(), self.compute.autocast():
            for part in self._parts(len(pixels)):
                logits = self.method.attribute_logits(self._pictures(pixels[part]))
                if logits is None:
                    return None
                parts.append(logits.float().cpu().numpy())
        return np.concatenate(parts) if parts else np.empty((0, self.schema.num_values), np.float32)

    def _collect(self, total: int, encode: Callable[[slice], Tensor]) -> Embeddings:
        with torch.inference_mode(), self.compute.autocast():
            parts = [encode(part).float().cpu().numpy() for part in self._parts(total)]
        return np.concatenate(parts) if parts else np.empty((0, self.embedding_dim), np.float32)

    def _parts(self, total: int) -> Iterator[slice]:
        for start in range(0, total, self.batch_size):
            yield slice(start, min(start + self.batch_size, total))

    def _pictures(self, pixels: Pixels) -> Tensor:
        images = to_tensor(np.asarray(pixels))
        return images.to(self.compute.device, memory_format=self.compute.memory_format)

    def _query(
        self, pixels: Pixels, indicator: Indicator, labels: Labels | None, part: slice
    ) -> QueryBatch:
        device = self.compute.device
        if labels is None:
            known = np.full((len(pixels), self.schema.num_attributes), MISSING, np.int64)
        else:
            known = labels.astype(np.int64)
        return QueryBatch(
            self._pictures(pixels[part]),
            torch.from_numpy(np.ascontiguousarray(indicator[part], np.float32)).to(device),
            torch.from_numpy(known[part]).to(device),
        )


def save_model(path: Path, method: torch.nn.Module, description: ModelDescription) -> None:
    """Write weights and description as one safetensors file, atomically."""
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "description": description.to_json(),
    }
    write_tensors(path, method.state_dict(), metadata)


def load_model(path: Path, device: str = "auto", precision: Precision = "auto") -> TrainedModel:
    """Load a model file, or the `model.safetensors` of a run folder.

    Raises:
        ValueError: no such file, not a model of this program, or weights that do not fit.
    """
    file = path / "model.safetensors" if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"{path}: no model here; give a run folder or its model.safetensors")
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{file}: not a readable safetensors file ({error})") from None
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{file}: not a model of this program (no {FORMAT} header)")
    if metadata.get("version") != str(VERSION):
        raise ValueError(f"{file}: model format {metadata.get('version')}, this reads {VERSION}")
    description = ModelDescription.from_json(metadata["description"])
    method = description.build()
    try:
        method.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{file}: weights do not fit the described network ({error})") from None
    return TrainedModel(method, description, choose_compute(device, precision))
