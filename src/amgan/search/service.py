"""From a picture and wanted changes to a ranked gallery: the one ranking path."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import (
    MISSING,
    AttributeSchema,
    Change,
    Labels,
)
from amgan.errors import InputError
from amgan.gallery.engines.protocol import NO_ROW, Filters, Neighbours, Rows, Vectors, places_kept
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import load_gallery_model, open_gallery
from amgan.gallery.versions import GalleryError
from amgan.images import DEFAULT_LIMITS, ImageSettings, PictureLimits, Pixels, load_pixels
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.run_folder import RunFolder
from amgan.search.query import SearchQuery
from amgan.search.resolve import resolve_query
from amgan.search.results import Hit, Ranking, ReferenceAttribute, SearchResult

_QUERIES_A_BLOCK = 512
Decode = Callable[[Path | bytes, ImageSettings], Pixels]


class SearchService:
    """Ranks a gallery by references and changes. Safe to call from several threads.

    Args:
        model: encodes queries.
        gallery: encoded by the same model.
        limits: what a reference picture may measure.
        decode: as `images.load_pixels`, which is taken where nothing is given.

    Raises:
        GalleryError: the gallery was encoded by another model.
    """

    def __init__(
        self,
        model: TrainedModel,
        gallery: Gallery,
        limits: PictureLimits = DEFAULT_LIMITS,
        decode: Decode | None = None,
    ) -> None:
        gallery.check_model(model)
        self.model = model
        self.gallery = gallery
        self.limits = limits
        self._decode = decode or partial(load_pixels, limits=limits)

    @property
    def schema(self) -> AttributeSchema:
        """Attributes that can be changed."""
        return self.model.schema

    def search(self, query: SearchQuery, reference: Pixels | None = None) -> SearchResult:
        """Answer one query.

        Args:
            query: as a person asks.
            reference: pixels (H, W, 3) of its picture, or of its item's, where they are decoded
                already.

        Raises:
            QueryError: it asks for what gallery or model do not have.
            PictureError: the picture, or the item's, cannot be used.
        """
        asked = resolve_query(query, self.gallery, fused=self.model.fusion is not None)
        seconds: dict[str, float] = {}
        with _timed(seconds, "decode"):
            if reference is None:
                reference = self._decode(asked.picture, self.model.images)
        with _timed(seconds, "encode"):
            answer = self.model.answer_queries(
                self._prepare(
                    QueryArrays(reference[None], asked.indicator, asked.labels, asked.importance)
                )
            )
        with _timed(seconds, "search"):
            ranking = self.rank_vectors(
                answer.vectors,
                query.offset + query.k,
                exclude=asked.excluded[None],
                rows=asked.rows,
                filters=asked.filters,
            )
        attributes = self._describe(asked.labels[0], answer.probabilities)
        values = {attribute.name: attribute.value for attribute in attributes}
        ranked = len(self.gallery) if asked.rows is None else len(asked.rows)
        left_out = asked.excluded
        if asked.rows is not None:
            left_out = np.intersect1d(asked.rows, left_out)
        return SearchResult(
            self._hits(ranking, query.offset, values, asked.changes),
            tuple(replace(change, unwanted=values[change.attribute]) for change in asked.changes),
            attributes,
            asked.picture,
            reference,
            None if answer.prototypes is None else answer.prototypes[0],
            self.model.images,
            ranked - len(left_out),
            ranking.mode,
            seconds,
        )

    def rank(
        self,
        queries: QueryArrays,
        k: int,
        *,
        exclude: Rows | None = None,
        rows: Rows | None = None,
    ) -> Ranking:
        """Rank the gallery for each of Q queries, as `search` would.

        Args:
            queries: references, wanted values, labels.
            k: results a query.
            exclude: gallery rows to leave out of each query's results, (Q,) or (Q, E); -1 for none.
            rows: rank only these gallery rows, ascending; None for all.
        """
        excluded = np.empty((len(queries), 0), np.int64) if exclude is None else exclude
        excluded = excluded.reshape(len(queries), -1)
        seconds: dict[str, float] = {"encode": 0.0, "search": 0.0}
        scores, ranked, mode = [np.empty((0, k), np.float32)], [np.empty((0, k), np.int64)], ""
        for start in range(0, len(queries), _QUERIES_A_BLOCK):
            block = slice(start, start + _QUERIES_A_BLOCK)
            with _timed(seconds, "encode"):
                vectors = self.model.encode_queries(self._prepare(queries[block]))
            with _timed(seconds, "search"):
                found = self.rank_vectors(vectors, k, exclude=excluded[block], rows=rows)
            scores.append(found.scores)
            ranked.append(found.rows)
            mode = found.mode
        return Ranking(np.concatenate(scores), np.concatenate(ranked), mode, seconds)

    def rank_vectors(
        self,
        vectors: Vectors,
        k: int,
        *,
        exclude: Rows,
        rows: Rows | None = None,
        filters: Filters | None = None,
    ) -> Neighbours:
        """Rank the gallery for query vectors.

        Args:
            vectors: of the model's `encode_queries`, (Q, D).
            k: results a query.
            exclude: gallery rows to leave out of each query's results, (Q, E); -1 for none.
            rows: rank only these gallery rows, ascending; None for all.
            filters: what `rows` were selected by, where it was filters.

        Raises:
            GalleryError: a vector that is not finite.
        """
        if not np.isfinite(vectors).all():
            raise GalleryError("the model gives no finite vector for a query")
        self.gallery.mapped.require_whole()
        found = self.gallery.engine.search(vectors, k + exclude.shape[1], rows, filters)
        places = places_kept(found.rows, exclude, k)
        return Neighbours(
            np.take_along_axis(found.scores, places, 1),
            np.take_along_axis(found.rows, places, 1),
            found.mode,
        )

    def _prepare(self, queries: QueryArrays) -> QueryArrays:
        """Queries as they may be put to the model in this gallery.

        A fused ranking takes labels for certain, so it is told them only where the gallery trusts
        labels. Its weights were fitted to what classifiers guess: where labels are certain, a
        wanted value counts as much as all attributes together, so that no result lacks it for being
        alike. A method that ranks by its own distance is told all: it was trained to use labels.
        """
        fusion = self.model.fusion
        if fusion is None:
            return queries
        if not self.gallery.manifest.trust_labels:
            return replace(queries, labels=None)
        wanted = [queries.indicator[:, columns].any(1) for columns in self.schema.slices]
        most = self.schema.num_attributes / (fusion.changed or 1.0)
        weights = np.where(np.stack(wanted, 1), most, 1.0)
        if queries.importance is not None:
            weights = weights * queries.importance
        return replace(queries, importance=weights.astype(np.float32))

    def describe(
        self, picture: Path | bytes, pixels: Pixels | None = None
    ) -> tuple[ReferenceAttribute, ...]:
        """A picture's attributes as the model sees them.

        Args:
            picture: a file, or a file's content.
            pixels: of it (H, W, 3), where they are decoded already.

        Raises:
            PictureError: the picture cannot be used.
        """
        if pixels is None:
            pixels = self._decode(picture, self.model.images)
        unknown = np.full(self.schema.num_attributes, MISSING, np.int16)
        return self._describe(unknown, self.model.predict_attributes(pixels[None]))

    def _describe(
        self, known: Labels, predicted: NDArray[np.float32] | None
    ) -> tuple[ReferenceAttribute, ...]:
        """Attributes of one picture: `known` labels (M,), the others as predicted (1, J)."""
        values = self.schema.decode(known)
        described = []
        for attribute, columns in zip(self.schema.attributes, self.schema.slices, strict=True):
            value, confidence = values[attribute.name], None
            if value is None and predicted is not None:
                block = predicted[0, columns]
                value, confidence = attribute.values[int(block.argmax())], float(block.max())
            described.append(ReferenceAttribute(attribute.name, value, confidence))
        return tuple(described)

    def _hits(
        self,
        ranking: Neighbours,
        offset: int,
        values: Mapping[str, str | None],
        changes: Iterable[Change],
    ) -> tuple[Hit, ...]:
        """Results of the first query from `offset` on; `values` are the reference's."""
        wanted = {**values, **{change.attribute: change.wanted for change in changes}}
        ranked = zip(ranking.rows[0].tolist(), ranking.scores[0].tolist(), strict=True)
        return tuple(
            self._hit(row, rank, score, wanted)
            for rank, (row, score) in enumerate(ranked, 1)
            if rank > offset and row != NO_ROW
        )

    def _hit(self, row: int, rank: int, score: float, wanted: Mapping[str, str | None]) -> Hit:
        item = self.gallery[row]
        labels = self.schema.decode(item.labels)
        matches = {
            name: None if value is None or wanted[name] is None else value == wanted[name]
            for name, value in labels.items()
        }
        fields = self.gallery.items.fields(row)
        return Hit(item.item_id, item.image, row, rank, score, labels, fields, matches)


def open_search(
    model_folder: Path | None = None,
    gallery_folder: Path | None = None,
    device: str = "auto",
    engine: str | None = None,
    compiled: bool = True,
    pictures: Path | None = None,
) -> SearchService:
    """Open a trained model and a gallery that it encoded.

    Args:
        model_folder: run folder or model file; None takes the gallery's own copy of the model.
        gallery_folder: written by `build_gallery`; None takes `gallery` in the run folder.
        device: auto, cpu, cuda or cuda:N.
        engine: see `open_gallery`.
        compiled: see `TrainedModel.compile`; takes a second or two, and a tenth of the time a
            query thereafter.
        pictures: folder of the gallery's pictures; see `open_gallery`.

    Raises:
        ValueError: neither is named, no model, no gallery, or a gallery of another model.
    """
    if gallery_folder is None:
        if model_folder is None:
            raise InputError("name a run folder or a gallery folder")
        gallery_folder = RunFolder.of(Path(model_folder)).gallery
    gallery = open_gallery(Path(gallery_folder), engine=engine, pictures=pictures)
    model = load_gallery_model(gallery, device, model_folder and Path(model_folder))
    if compiled:
        model.compile()
    return SearchService(model, gallery)


@contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[part] = seconds.get(part, 0.0) + time.perf_counter() - start
