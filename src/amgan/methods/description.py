"""What a trained model is, beside its weights, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema
from amgan.images import ImageSettings, Pixels
from amgan.methods.registry import build_method
from amgan.models.network import NetworkConfig

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


@dataclass(frozen=True)
class QueryAnswers:
    """What a search needs to know of N queries.

    Attributes:
        vectors: to rank the gallery with, (N, D) float32.
        prototypes: (N, H, W, 3) uint8; None where the method draws none.
        probabilities: of the references' attribute values, (N, J); None without a classifier.
    """

    vectors: Embeddings
    prototypes: Pixels | None
    probabilities: NDArray[np.float32] | None
