"""Vectors that the engines are measured on: invented clusters, or a gallery's own embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.catalogue.records import Catalogue
from amgan.gallery.engines.protocol import Vectors
from amgan.gallery.gallery import Gallery
from amgan.gallery.items import ItemTable
from amgan.gallery.store import load_gallery_model, open_gallery
from amgan.images import load_pixels
from amgan.methods.method import RankingMetric
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.workflows.data import evenly

_SCHEMA = AttributeSchema.from_dict({"half": ["yes", "no"], "quarter": ["a", "b", "c", "d"]})


@dataclass(frozen=True)
class Sample:
    """A gallery to search, and queries.

    Attributes:
        name: in words.
        vectors: (N, D) float32.
        queries: (Q, D) float32.
        metric: how they are compared.
        schema: attributes of the labels.
        items, labels: N items and their labels (N, M).
        cluster: what group of neighbours an item belongs to, (N,).
        filters: that the engines are asked with, by name.
    """

    name: str
    vectors: Vectors
    queries: Vectors
    metric: RankingMetric
    schema: AttributeSchema
    items: ItemTable
    labels: Labels
    cluster: NDArray[np.int64]
    filters: dict[str, dict[str, list[str]]]


class Clusters:
    """Draws vectors around centres that lie in a space of few dimensions, and their clusters.

    Args:
        items, dim: the gallery's shape.
        latent: dimensions in which the centres lie.
        size: items a cluster, on average.
    """

    def __init__(self, items: int, dim: int, latent: int, size: int) -> None:
        rng = np.random.default_rng(0)
        self._turn = rng.standard_normal((latent, dim)) / np.sqrt(latent)
        self._centres = rng.standard_normal((max(1, items // size), latent))

    def draw(self, n: int, seed: int) -> tuple[Vectors, NDArray[np.int64]]:
        """Vectors (n, D) and the cluster (n,) of each."""
        rng = np.random.default_rng(seed)
        cluster = rng.integers(0, len(self._centres), n)
        near = self._centres[cluster] + 0.5 * rng.standard_normal((n, self._centres.shape[1]))
        noise = 0.05 * rng.standard_normal((n, self._turn.shape[1]), np.float32)
        return (near @ self._turn).astype(np.float32) + noise, cluster


def invent_sample(clusters: Clusters, items: int, queries: int, name: str) -> Sample:
    """Clusters with labels that have nothing to do with them."""
    vectors, cluster = clusters.draw(items, 2)
    rng = np.random.default_rng(5)
    labels = np.stack([rng.integers(0, size, items) for size in _SCHEMA.sizes], 1).astype(np.int16)
    none = (None,) * items
    ids = tuple(map(str, range(items)))
    catalogue = Catalogue("invented", _SCHEMA, ids, (Path("none"),) * items, labels, none, none)
    return Sample(
        name,
        vectors,
        clusters.draw(queries, 3)[0],
        "euclidean",
        _SCHEMA,
        ItemTable.from_catalogue(catalogue),
        labels,
        cluster,
        {"unfiltered": {}, "half": {"half": ["yes"]}, "quarter": {"quarter": ["c"]}},
    )


def load_sample(folder: Path, queries: int) -> Sample:
    """A gallery written by ``amgan index``, its pictures changed in one attribute as queries.

    References are spread evenly over the gallery; the change is drawn among the other values. Each
    attribute's commonest value filters. Items with equal labels are one cluster.
    """
    gallery = open_gallery(folder, engine="faiss://exact")
    model = load_gallery_model(gallery)
    labels = np.asarray(gallery.labels)
    filters: dict[str, dict[str, list[str]]] = {"unfiltered": {}}
    for attribute, column in zip(gallery.schema.attributes, labels.T, strict=True):
        commonest = np.bincount(column[column != MISSING]).argmax()
        filters[attribute.name] = {attribute.name: [attribute.values[int(commonest)]]}
    return Sample(
        f"{gallery.name}, {len(gallery)} x {gallery.vectors.shape[1]}, {gallery.metric}",
        np.ascontiguousarray(gallery.vectors),
        _ask(gallery, model, queries),
        gallery.metric,
        gallery.schema,
        gallery.items,
        labels,
        np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1),
        filters,
    )


def _ask(gallery: Gallery, model: TrainedModel, queries: int) -> Vectors:
    """Query vectors (Q, D)."""
    rng = np.random.default_rng(6)
    rows = evenly(len(gallery), queries)
    wanted = np.full((len(rows), gallery.schema.num_attributes), MISSING, np.int16)
    attributes = rng.integers(0, wanted.shape[1], len(rows))
    for place, (row, attribute) in enumerate(zip(rows, attributes, strict=True)):
        size = gallery.schema.sizes[attribute]
        other = rng.integers(1, size)
        wanted[place, attribute] = (max(0, gallery.labels[row, attribute]) + other) % size
    pictures = np.stack([load_pixels(gallery[row].image, model.images) for row in rows])
    return model.encode_queries(QueryArrays(pictures, gallery.schema.one_hot(wanted)))
