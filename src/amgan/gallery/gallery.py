"""A gallery ready to search."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.catalogue.records import Catalogue, Item
from amgan.errors import InputError, NoSuchItemError
from amgan.gallery.encoding.encode import EncodingJob, encode_in_memory
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.engines.protocol import Engine, Filters, Rows, Vectors
from amgan.gallery.integrity import MappedFiles
from amgan.gallery.items import ItemTable
from amgan.gallery.manifest import Manifest
from amgan.gallery.versions import GalleryError
from amgan.images import ImageSettings
from amgan.methods.method import RankingMetric
from amgan.methods.query_arrays import PictureArray
from amgan.methods.trained import TrainedModel


@dataclass(frozen=True, eq=False)
class Gallery:
    """An encoded catalogue; never changed once opened.

    Attributes:
        manifest: what it is and which model encoded it.
        items: ids, picture paths, fields.
        labels: (N, M) int16, -1 where missing.
        vectors: (N, D) float32.
        engine: searches the vectors.
        folder: the version's folder; None in memory.
        mapped: its files that are mapped into memory.
    """

    manifest: Manifest
    items: ItemTable
    labels: Labels
    vectors: Vectors
    engine: Engine
    folder: Path | None = None
    mapped: MappedFiles = field(default_factory=MappedFiles)

    @classmethod
    def in_memory(
        cls, model: TrainedModel, catalogue: Catalogue, pixels: PictureArray | None = None
    ) -> Gallery:
        """Encode a catalogue into a gallery that lives only in this process.

        Args:
            model: encodes the pictures.
            catalogue: its schema has to be the model's.
            pixels: decoded pictures (N, H, W, 3), or their features (N, F), in catalogue order;
                None reads the files.

        Raises:
            GalleryError: the schemas differ.
        """
        encoded, vectors = encode_in_memory(EncodingJob(model, catalogue, pixels))
        kept = catalogue.subset(encoded.rows)
        manifest = Manifest.of(model, kept.name, len(kept), len(encoded.skipped))
        items = ItemTable.from_catalogue(kept)
        return cls(manifest, items, kept.labels, vectors, ExactEngine(vectors, manifest.metric))

    def __len__(self) -> int:
        return self.manifest.count

    @property
    def name(self) -> str:
        """Name of the catalogue."""
        return self.manifest.name

    @property
    def schema(self) -> AttributeSchema:
        """Attributes of the labels."""
        return self.manifest.schema

    @property
    def metric(self) -> RankingMetric:
        """How vectors are compared."""
        return self.manifest.metric

    @property
    def model_identity(self) -> str:
        """SHA-256 of the model that encoded the pictures."""
        return self.manifest.model_identity

    @property
    def image_settings(self) -> ImageSettings:
        """Preprocessing of the pictures."""
        return self.manifest.images

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Ids in the order of rows."""
        return self.items.item_ids

    @cached_property
    def catalogue(self) -> Catalogue:
        """The encoded items as a catalogue, in the order of rows; reads all of them."""
        return self.items.to_catalogue(self.name, self.schema, np.asarray(self.labels))

    def __getitem__(self, row: int) -> Item:
        return Item(
            self.items.value("item_id", row) or "",
            self.items.image(row),
            tuple(int(label) for label in self.labels[row]),
            self.items.value("product", row),
            self.items.value("split", row),
        )

    def row(self, item_id: str) -> int:
        """Row of an item by its id.

        Raises:
            NoSuchItemError: it has no such item.
        """
        row = self.items.find(item_id)
        if row is None:
            raise NoSuchItemError(self.name, item_id)
        return row

    def check_model(self, model: TrainedModel) -> None:
        """Raise GalleryError unless `model` is the one that encoded the gallery."""
        if model.identity != self.model_identity:
            raise GalleryError(
                f"{self.folder or self.name}: encoded by another model "
                f"({self.manifest.method} {self.model_identity[:12]}) than the one given "
                f"({model.description.method} {model.identity[:12]}); "
                "give the model it was encoded with, or encode it again with `amgan index`"
            )

    def select(self, filters: Filters) -> Rows | None:
        """Rows of the items that `filters` keep, ascending; None where there are no filters.

        Args:
            filters: for an attribute or a further field of the catalogue, the values to keep. The
                empty text keeps items without a value. All filters have to hold.

        Raises:
            ValueError: no such attribute, field, or attribute value.
        """
        if not filters:
            return None
        kept = np.ones(len(self), bool)
        for name, values in filters.items():
            if isinstance(values, str):
                raise InputError(f"filter {name!r}: give a list of values, not the text {values!r}")
            kept &= self._holds(name, values)
        return np.flatnonzero(kept)

    def _holds(self, name: str, values: Collection[str]) -> NDArray[np.bool_]:
        if name in self.schema.names:
            codes = [
                self.schema.value_position(name, value) if value else MISSING for value in values
            ]
            column = self.labels[:, self.schema.attribute_position(name)]
            mask: NDArray[np.bool_] = np.isin(column, codes)
            return mask
        if name in self.items.field_names:
            return self.items.is_in(name, [value or None for value in values])
        known = ", ".join((*self.schema.names, *self.items.field_names))
        raise InputError(f"cannot filter by {name!r}; filters are {known}")
