"""What a trained model is, beside its weights, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema
from amgan.images import ImageSettings, Pixels
from amgan.methods.facts import ModelFacts
from amgan.methods.method import Method
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
        network: sizes; what an ONNX encoder's files say of them is read here.
        facts: where it comes from, and what was fitted to it; no part of its identity.
    """

    method: str
    options: Mapping[str, Any]
    schema: AttributeSchema
    images: ImageSettings
    network: NetworkConfig
    facts: ModelFacts = field(default_factory=ModelFacts)

    def __post_init__(self) -> None:
        # A model's header has to say all that its networks are built from.
        object.__setattr__(self, "network", self.network.resolved())

    def build(self) -> Method:
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
                "network": self.network.to_dict(),
                "note": self.facts.to_dict(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> ModelDescription:
        """Description from a file's header."""
        values = json.loads(text)
        return cls(
            values["method"],
            values["options"],
            AttributeSchema.from_dict(values["schema"]),
            ImageSettings(**values["images"]),
            NetworkConfig.from_dict(values["network"]),
            ModelFacts.from_dict(values["note"]),
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
