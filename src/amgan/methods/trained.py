"""A trained model, called with pictures and wanted values."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from amgan.attributes import AttributeSchema, Indicator, Labels
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
from amgan.methods.query_arrays import PictureArray, QueryArrays
from amgan.models.trunks import Trunk
from amgan.models.weight_digest import digest_weights


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
        """What is worth compiling: the pass of a query, or what makes features of pictures."""
        if not can_compile(self.compute):
            return None
        method = self.method
        network = method.feature_network() if method.takes_features else method.query_network()
        parts = () if network is None else network.modules()
        # OpenVINO runs an encoder from an ONNX file as it is.
        apart = any(isinstance(part, Trunk) and not part.differentiable for part in parts)
        return None if apart else network

    def _query_examples(self) -> tuple[Tensor, ...]:
        picture = torch.zeros(2, 3, self.images.height, self.images.width)
        if self.method.takes_features:
            return (picture,)
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
    def weighs_attributes(self) -> bool:
        """Whether the ranking weighs attributes, and takes known labels for certain."""
        return self.fusion is not None or self.method.weighs_attributes

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
        text = json.dumps(description, sort_keys=True)
        return digest_weights(text, self.method, self.method.query_side + self.method.training_only)

    @cached_property
    def feature_identity(self) -> str:
        """SHA-256 over what decides features: pictures, feature network and its precision."""
        network = self.method.feature_network()
        assert network is not None
        compiled = can_compile(self.compute)
        parts = f"{self.images.digest} {network} {self.compute.bfloat16} {compiled}"
        return digest_weights(parts, network)

    @property
    def num_features(self) -> int:
        """F, for a method that takes features."""
        return self.method.num_features

    def compute_features(self, pixels: Pixels) -> Embeddings:
        """Features (N, F) float32 of pictures, for a method that takes them."""
        with self._inference():
            parts = [self._see(pixels[part]).cpu().numpy() for part in self._parts(len(pixels))]
        return np.concatenate(parts)

    def encode_gallery(self, pixels: PictureArray) -> Embeddings:
        """Embeddings (N, D) float32 of gallery pictures (N, H, W, 3) uint8.

        Here and below, features (N, F) may stand for the pictures where the method takes them.
        """

        def encode(part: slice) -> Tensor:
            if self.method.takes_features:
                return self.method.encode_features(self._see(pixels[part]))
            embeddings = self.method.encode_gallery(self._pictures(pixels[part]))
            if self.fusion is None:
                return embeddings
            logits = self.method.classify(embeddings)
            return fused_gallery_vectors(embeddings, logits, self.schema.sizes)

        return self._collect(len(pixels), encode)

    def give_labels(self, vectors: Embeddings, labels: Labels) -> Embeddings:
        """Gallery vectors (N, D) with labels (N, M) for certain, where the ranking takes them.

        A ranking by the distance alone leaves them as they are.
        """
        given = torch.from_numpy(labels.astype(np.int64))
        plain = torch.from_numpy(vectors)
        if self.fusion is None:
            return self.method.give_labels(plain, given).numpy()
        return with_given_labels(plain, given, self.schema.sizes).numpy()

    def rescore(self, queries: Embeddings, items: Embeddings) -> Embeddings:
        """Scores (Q, R) float32 of items (Q, R, D) for queries (Q, D); see `Method.rescore`."""
        with torch.inference_mode():
            return self.method.rescore(torch.from_numpy(queries), torch.from_numpy(items)).numpy()

    def decisive_importance(self, indicator: Indicator) -> NDArray[np.float32]:
        """Importance (Q, M) with which items that have all wanted values (Q, J) come first.

        The weights were fitted to what classifiers guess. Where labels are certain, a wanted value
        counts as much as all else together, so that no result lacks it for being alike.
        """
        wanted = torch.from_numpy(np.ascontiguousarray(indicator, np.float32))
        if self.fusion is None:
            with torch.inference_mode():
                return self.method.decisive_importance(wanted.to(self.compute.device)).cpu().numpy()
        most = self.schema.num_attributes / (self.fusion.changed or 1.0)
        asked = [indicator[:, columns].any(1) for columns in self.schema.slices]
        return np.where(np.stack(asked, 1), most, 1.0).astype(np.float32)

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
        if self._compiled is None or self.method.takes_features:
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
        with self._inference():
            for part in self._parts(len(queries)):
                images = self.method.prototype(self._query(queries[part]))
                if images is None:
                    return None
                parts.append(to_pixels(images.float().cpu()))
        return np.concatenate(parts) if parts else np.asarray(queries.pixels[:0], np.uint8)

    def predict_attributes(self, pixels: PictureArray) -> NDArray[np.float32] | None:
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

    def attribute_logits(self, pixels: PictureArray) -> NDArray[np.float32] | None:
        """Logits (N, J) of pictures (N, H, W, 3) uint8; None without a classifier."""
        parts = []
        with self._inference():
            for part in self._parts(len(pixels)):
                logits = self._logits(pixels[part])
                if logits is None:
                    return None
                parts.append(logits.float().cpu().numpy())
        return np.concatenate(parts) if parts else np.empty((0, self.schema.num_values), np.float32)

    def _logits(self, pixels: PictureArray) -> Tensor | None:
        if self.method.takes_features:
            return self.method.classify(self.method.encode_features(self._see(pixels)))
        return self.method.attribute_logits(self._pictures(pixels))

    def _see(self, pixels: PictureArray) -> Tensor:
        """Features (N, F) float32 of pictures, or those that are given in their place."""
        if pixels.ndim == 2:
            return torch.from_numpy(np.asarray(pixels, np.float32)).to(self.compute.device)
        pictures = self._pictures(pixels)
        if self._compiled is not None:
            return self._compiled(pictures.contiguous().numpy())[0]
        network = self.method.feature_network()
        assert network is not None
        features: Tensor = network(pictures)
        return features.float()

    @contextmanager
    def _inference(self) -> Iterator[None]:
        """Context in which networks are called.

        Features are what takes long, for each item of a catalogue, so that compiling their network
        always pays. It is traced outside of the context.
        """
        if self.method.takes_features and self._compiled is None:
            self.compile()
        with torch.inference_mode(), self.compute.autocast():
            yield

    def _collect(self, total: int, encode: Callable[[slice], Tensor]) -> Embeddings:
        with self._inference():
            parts = [encode(part).float().cpu().numpy() for part in self._parts(total)]
        return np.concatenate(parts) if parts else np.empty((0, self.embedding_dim), np.float32)

    def _parts(self, total: int) -> Iterator[slice]:
        for start in range(0, total, self.batch_size):
            yield slice(start, min(start + self.batch_size, total))

    def _pictures(self, pixels: PictureArray) -> Tensor:
        images = to_tensor(np.asarray(pixels, np.uint8))
        return images.to(self.compute.device, memory_format=self.compute.memory_format)

    def _query(self, queries: QueryArrays) -> QueryBatch:
        device = self.compute.device
        _, indicator, labels, importance = queries.filled(self.schema.num_attributes)
        takes_features = self.method.takes_features
        return QueryBatch(
            torch.empty(len(queries), 0) if takes_features else self._pictures(queries.pixels),
            torch.from_numpy(np.ascontiguousarray(indicator, np.float32)).to(device),
            torch.from_numpy(labels.astype(np.int64)).to(device),
            self._see(queries.pixels) if takes_features else None,
            torch.from_numpy(np.ascontiguousarray(importance, np.float32)).to(device),
        )
