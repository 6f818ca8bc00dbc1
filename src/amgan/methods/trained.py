"""A trained model, called with pictures and wanted values."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from amgan.attributes import AttributeSchema, Labels
from amgan.devices import Compute
from amgan.files import replacing
from amgan.images import ImageSettings, Pixels, to_pixels, to_tensor
from amgan.methods.compiled import (
    CompiledNetwork,
    can_compile,
    compile_network,
    compiled_file,
    holds_compiled,
    load_compiled,
    save_compiled,
    weights_digest,
)
from amgan.methods.description import Embeddings, ModelDescription, QueryAnswers
from amgan.methods.facts import ModelFacts, Ranking
from amgan.methods.fusion import (
    fused_dim,
    fused_gallery_vectors,
    fused_query_vectors,
    with_given_labels,
)
from amgan.methods.method import Method, MethodAnswer, QueryBatch, RankingMetric
from amgan.methods.query_arrays import QueryArrays


class TrainedModel:
    """A method in evaluation mode, called with uint8 pictures and numpy arrays.

    It ranks by the method's own metric, or, where the description's facts say `fused`, by the score
    of `methods.fusion`.

    Args:
        method: satisfies `methods.protocol.Method`.
        description: what it is.
        compute: device and precision.
        batch_size: pictures a forward pass.

    Attributes:
        file: that it was loaded from; None where it was made in memory.
    """

    def __init__(
        self, method: Method, description: ModelDescription, compute: Compute, batch_size: int = 128
    ) -> None:
        self.method = compute.place(method).eval()
        self.description = description
        self.compute = compute
        self.batch_size = batch_size
        facts = description.facts
        self.fusion = facts.fusion if facts.ranking == "fused" else None
        self.file: Path | None = None
        self._compiled: CompiledNetwork | None = None
        self._converted: Path | None = None  # the file of the last conversion

    def compile(self) -> None:
        """Answer queries with compiled networks from now on, where there are any.

        Their results differ from the eager ones by rounding. A converted network beside the model's
        file is taken; without one it is converted here.
        """
        network = self._query_network()
        if network is not None and not self.load_compiled():
            self._compiled = compile_network(network, self._query_examples(), self.compute)

    def load_compiled(self, *files: Path) -> bool:
        """As `compile`, by a converted network alone; nothing is converted.

        Args:
            files: to look for it in, after that beside the model's own.

        Returns:
            Whether queries are answered so, or cannot be on this device or with this method.
        """
        network = self._query_network()
        if network is None:
            return True
        tag = weights_digest(network)
        for file in (*([compiled_file(self.file)] if self.file else []), *files):
            self._compiled = load_compiled(file, tag, self.compute)
            if self._compiled is not None:
                return True
        return False

    def save_compiled(self, file: Path) -> None:
        """Write the converted query network to `file`, where the method has one.

        It is converted unless that was done before.
        """
        network = self._query_network()
        if network is None:
            return
        tag = weights_digest(network)
        for made in (self._converted, compiled_file(self.file) if self.file else None):
            if made is not None and holds_compiled(made, tag):
                with replacing(file) as temporary:
                    shutil.copyfile(made, temporary)
                return
        save_compiled(file, network, self._query_examples(), tag)
        self._converted = file

    def _query_network(self) -> nn.Module | None:
        return self.method.query_network() if can_compile(self.compute) else None

    def _query_examples(self) -> tuple[Tensor, Tensor]:
        picture = torch.zeros(2, 3, self.images.height, self.images.width)
        return picture, torch.zeros(2, self.schema.num_values)

    def with_facts(self, facts: ModelFacts) -> TrainedModel:
        """The same networks with other facts, such as another ranking."""
        description = replace(self.description, facts=facts)
        return TrainedModel(self.method, description, self.compute, self.batch_size)

    @property
    def schema(self) -> AttributeSchema:
        """Attributes it manipulates."""
        return self.description.schema

    @property
    def images(self) -> ImageSettings:
        """Preprocessing of pictures."""
        return self.description.images

    @property
    def ranking(self) -> Ranking:
        """Whether it ranks by its own metric or fused with attribute posteriors."""
        return "pure" if self.fusion is None else "fused"

    @property
    def ranking_metric(self) -> RankingMetric:
        """How embeddings are compared."""
        return self.method.ranking_metric if self.fusion is None else "inner_product"

    @property
    def embedding_dim(self) -> int:
        """D."""
        own = self.method.embedding_dim
        return own if self.fusion is None else fused_dim(own, self.schema.num_values)

    @cached_property
    def identity(self) -> str:
        """SHA-256 over what decides gallery vectors: method, options, schema, pictures, weights."""
        description = json.loads(self.description.to_json())
        del description["note"]
        if self.fusion is not None:  # query-side weights leave the gallery's vectors as they are
            description["ranking"] = "fused"
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
        for name, value in sorted(self.method.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().view(-1).numpy().tobytes())
        return digest.hexdigest()

    def encode_gallery(self, pixels: Pixels) -> Embeddings:
        """Embeddings (N, D) float32 of gallery pictures (N, H, W, 3) uint8."""

        def encode(part: slice) -> Tensor:
            embeddings = self.method.encode_gallery(self._pictures(pixels[part]))
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

    def encode_queries(self, queries: QueryArrays) -> Embeddings:
        """Embeddings (Q, D) float32 of queries."""
        if self.fusion is not None:
            return self.answer_queries(queries).vectors
        return self._collect(
            len(queries), lambda part: self.method.encode_query(self._query(queries[part]))
        )

    def answer_queries(self, queries: QueryArrays) -> QueryAnswers:
        """All that a search needs, in one pass."""
        drawn: list[Pixels] = []
        logits: list[NDArray[np.float32]] = []

        def encode(part: slice) -> Tensor:
            asked = queries[part]
            query = self._query(asked)
            answer = self._answer(query)
            if answer.prototypes is not None:
                drawn.append(to_pixels(answer.prototypes.float().cpu()))
            if answer.logits is not None:
                logits.append(answer.logits.float().cpu().numpy())
            if self.fusion is None:
                return answer.embeddings
            return self._fuse(answer, query, asked)

        vectors = self._collect(len(queries), encode)
        seen = np.concatenate(logits) if logits else None
        return QueryAnswers(
            vectors,
            np.concatenate(drawn) if drawn else None,
            None if seen is None else self._probabilities(seen),
        )

    def _answer(self, query: QueryBatch) -> MethodAnswer:
        """What the method makes of queries, by its compiled networks where there are any."""
        if self._compiled is None:
            return self.method.answer(query)
        prototypes, embeddings, logits = self._compiled(
            query.reference.contiguous().numpy(), query.indicator.contiguous().numpy()
        )
        return MethodAnswer(embeddings, prototypes, logits)

    def _fuse(self, answer: MethodAnswer, query: QueryBatch, asked: QueryArrays) -> Tensor:
        """Vectors of the fused ranking."""
        assert self.fusion is not None and answer.logits is not None
        *_, importance = asked.filled(self.schema.num_attributes)
        counts = torch.from_numpy(np.ascontiguousarray(importance, np.float32))
        return fused_query_vectors(
            answer.embeddings,
            answer.logits,
            query.indicator,
            self.schema.sizes,
            self.fusion,
            counts.to(answer.embeddings.device),
            query.reference_labels,
        )

    def draw_prototypes(self, queries: QueryArrays) -> Pixels | None:
        """Prototypes (Q, H, W, 3) uint8, or None where the method draws none."""
        parts = []
        with torch.inference_mode(), self.compute.autocast():
            for part in self._parts(len(queries)):
                images = self.method.prototype(self._query(queries[part]))
                if images is None:
                    return None
                parts.append(to_pixels(images.float().cpu()))
        return np.concatenate(parts) if parts else queries.pixels[:0]

    def predict_attributes(self, pixels: Pixels) -> NDArray[np.float32] | None:
        """Probabilities (N, J), each attribute's block summing to 1; None without a classifier.

        They are calibrated where temperatures were fitted to the model.
        """
        logits = self.attribute_logits(pixels)
        return None if logits is None else self._probabilities(logits)

    def _probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        temperatures = self.description.facts.temperatures or {}
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

    def _query(self, queries: QueryArrays) -> QueryBatch:
        device = self.compute.device
        _, indicator, labels, _ = queries.filled(self.schema.num_attributes)
        return QueryBatch(
            self._pictures(queries.pixels),
            torch.from_numpy(np.ascontiguousarray(indicator, np.float32)).to(device),
            torch.from_numpy(labels.astype(np.int64)).to(device),
        )
