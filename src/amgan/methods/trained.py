"""A trained model, called with pictures and wanted values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amgan.attributes import MISSING, AttributeSchema, Indicator, Labels
from amgan.devices import Compute
from amgan.images import ImageSettings, Pixels, to_pixels, to_tensor
from amgan.methods.compiled import CompiledQueries, can_compile
from amgan.methods.description import Embeddings, ModelDescription, QueryAnswers
from amgan.methods.fusion import (
    FusionWeights,
    fused_dim,
    fused_gallery_vectors,
    fused_query_vectors,
    with_given_labels,
)
from amgan.methods.protocol import QueryBatch, RankingMetric
from amgan.methods.prototypes import PrototypeSearch
from amgan.methods.ranking import RankingChoice


class TrainedModel:
    """A method in evaluation mode, called with uint8 pictures and numpy arrays.

    It ranks by the method's own metric, or, where the description's note says `ranking: fused`, by
    the score of `methods.fusion`.

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
        fused = description.note.get("ranking") == RankingChoice.fused
        self.fusion = FusionWeights.from_note(description.note) if fused else None
        self._compiled: CompiledQueries | None = None

    def compile(self) -> None:
        """Answer queries with compiled networks from now on, where there are any.

        Their results differ from the eager ones by rounding.
        """
        if can_compile(self.method, self.compute):
            images = self.images
            self._compiled = CompiledQueries(self.method, images.height, images.width, self.compute)

    @property
    def schema(self) -> AttributeSchema:
        """Attributes it manipulates."""
        return self.description.schema

    @property
    def images(self) -> ImageSettings:
        """Preprocessing of pictures."""
        return self.description.images

    @property
    def ranking(self) -> Literal["pure", "fused"]:
        """Whether it ranks by its own metric or fused with attribute posteriors."""
        return "pure" if self.fusion is None else "fused"

    @property
    def ranking_metric(self) -> RankingMetric:
        """How embeddings are compared."""
        metric: RankingMetric = self.method.ranking_metric
        return metric if self.fusion is None else "inner_product"

    @property
    def embedding_dim(self) -> int:
        """D."""
        own = int(self.method.embedding_dim)
        return own if self.fusion is None else fused_dim(own, self.schema.num_values)

    @cached_property
    def identity(self) -> str:
        """SHA-256 over what decides gallery vectors: method, options, schema, pictures, weights."""
        description = json.loads(self.description.to_json())
        del description["note"]
        if self.fusion is not None:  # query-side weights leave the gallery's vectors as they are
            description["ranking"] = RankingChoice.fused
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
        for name, value in sorted(self.method.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().view(-1).numpy().tobytes())
        return digest.hexdigest()

    def encode_gallery(self, pixels: Pixels) -> Embeddings:
        """Embeddings (N, D) float32 of gallery pictures (N, H, W, 3) uint8."""

        def encode(part: slice) -> Tensor:
            embeddings: Tensor = self.method.encode_gallery(self._pictures(pixels[part]))
            if self.fusion is None:
                return embeddings
            logits = self.method.classify(embeddings)
            return fused_gallery_vectors(embeddings, logits, self.schema.sizes)

        return self._collect(len(pixels), encode)

    def give_labels(self, vectors: Embeddings, labels: Labels) -> Embeddings:
        """Gallery vectors (N, D) of a fused ranking with labels (N, M) for certain.

        A ranking by the distance alone leaves them as they are.
        """
        if self.fusion is None:
            return vectors
        given = torch.from_numpy(labels.astype(np.int64))
        return with_given_labels(torch.from_numpy(vectors), given, self.schema.sizes).numpy()

    def encode_queries(
        self,
        pixels: Pixels,
        indicator: Indicator,
        labels: Labels | None = None,
        importance: NDArray[np.float32] | None = None,
    ) -> Embeddings:
        """Embeddings (N, D) float32 of queries.

        Args:
            pixels: references (N, H, W, 3) uint8.
            indicator: wanted values (N, J).
            labels: the references' labels (N, M), None where not known. A fused ranking takes them
                for certain, and what the classifiers see where they are missing.
            importance: of each attribute (N, M), for a fused ranking; None counts all alike.
        """
        if self.fusion is not None:
            return self.answer_queries(pixels, indicator, labels, importance).vectors
        return self._collect(
            len(pixels),
            lambda part: self.method.encode_query(self._query(pixels, indicator, labels, part)),
        )

    def answer_queries(
        self,
        pixels: Pixels,
        indicator: Indicator,
        labels: Labels | None = None,
        importance: NDArray[np.float32] | None = None,
    ) -> QueryAnswers:
        """All that a search needs, in one pass; arguments as for `encode_queries`."""
        if not isinstance(self.method, PrototypeSearch):
            return QueryAnswers(
                self.encode_queries(pixels, indicator, labels),
                self.draw_prototypes(pixels, indicator, labels),
                self.predict_attributes(pixels),
            )
        drawn = [np.empty((0, *pixels.shape[1:]), np.uint8)]
        logits = [np.empty((0, self.schema.num_values), np.float32)]

        def encode(part: slice) -> Tensor:
            query = self._query(pixels, indicator, labels, part)
            prototypes, embeddings, seen = self._pass(query)
            drawn.append(to_pixels(prototypes.float().cpu()))
            logits.append(seen.float().cpu().numpy())
            if self.fusion is None:
                return embeddings
            counts = torch.ones(len(embeddings), self.schema.num_attributes)
            if importance is not None:
                counts = torch.from_numpy(np.ascontiguousarray(importance[part], np.float32))
            return fused_query_vectors(
                embeddings,
                seen,
                query.indicator,
                self.schema.sizes,
                self.fusion,
                counts.to(embeddings.device),
                query.reference_labels,
            )

        vectors = self._collect(len(pixels), encode)
        return QueryAnswers(
            vectors, np.concatenate(drawn), self._probabilities(np.concatenate(logits))
        )

    def _pass(self, query: QueryBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Prototypes, their embeddings, and logits of the references."""
        if self._compiled is not None:
            return self._compiled(
                query.reference.contiguous().numpy(), query.indicator.contiguous().numpy()
            )
        prototypes = self.method.prototype(query)
        embeddings: Tensor = self.method.encode_gallery(prototypes)
        return prototypes, embeddings, self.method.attribute_logits(query.reference)

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
        return None if logits is None else self._probabilities(logits)

    def _probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
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
