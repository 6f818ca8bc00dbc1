"""From a picture and wanted changes to a ranked gallery: the one ranking path."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import (
    MISSING,
    AttributeSchema,
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
from amgan.search.agreement import compare_labels, count_matching
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
        asked = resolve_query(query, self.gallery, weighs=self.model.weighs_attributes)
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
        wanted = {change.attribute: change.wanted for change in (*asked.changes, *asked.already)}
        ranked = len(self.gallery) if asked.rows is None else len(asked.rows)
        left_out = asked.excluded
        if asked.rows is not None:
            left_out = np.intersect1d(asked.rows, left_out)
        return SearchResult(
            self._hits(ranking, query.offset, values, wanted),
            tuple(replace(change, unwanted=values[change.attribute]) for change in asked.changes),
            asked.already,
            attributes,
            asked.picture,
            reference,
            None if answer.prototypes is None else answer.prototypes[0],
            self.model.images,
            ranked - len(left_out),
            self._count_matching(wanted, asked.rows, left_out) if wanted else None,
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
        wanted = k + exclude.shape[1]
        found = self._rescored(vectors, wanted, rows, filters)
        places = places_kept(found.rows, exclude, k)
        return Neighbours(
            np.take_along_axis(found.scores, places, 1),
            np.take_along_axis(found.rows, places, 1),
            found.mode,
        )

    def _rescored(
        self, vectors: Vectors, wanted: int, rows: Rows | None, filters: Filters | None
    ) -> Neighbours:
        """What the engine finds, the first of it put in order by the method's own score."""
        first = self.model.method.rescored
        found = self.gallery.engine.search(vectors, max(wanted, first), rows, filters)
        if not first:
            return found
        candidates = found.rows[:, :first]
        exact = self.model.rescore(vectors, np.asarray(self.gallery.vectors[candidates]))
        exact = np.where(candidates == NO_ROW, -np.inf, exact).astype(found.scores.dtype)
        order = np.argsort(-exact, axis=1, kind="stable")
        scores = np.take_along_axis(exact, order, 1)
        ranked = np.take_along_axis(candidates, order, 1)
        return Neighbours(
            np.concatenate([scores, found.scores[:, first:]], 1)[:, :wanted],
            np.concatenate([ranked, found.rows[:, first:]], 1)[:, :wanted],
            found.mode,
        )

    def _prepare(self, queries: QueryArrays) -> QueryArrays:
        """Queries as they may be put to the model in this gallery.

        A ranking that weighs attributes takes labels for certain, so it is told them only where
        the gallery trusts labels; what was asked for then comes first. A method that ranks by its
        own distance is told all: it was trained to use labels.
        """
        if not self.model.weighs_attributes:
            return queries
        if not self.gallery.manifest.trust_labels:
            return replace(queries, labels=None)
        weights = self.model.decisive_importance(queries.indicator)
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
        wanted: Mapping[str, str],
    ) -> tuple[Hit, ...]:
        """Results of the first query from `offset` on; `values` are the reference's."""
        ranked = zip(ranking.rows[0].tolist(), ranking.scores[0].tolist(), strict=True)
        hits = []
        for rank, (row, score) in enumerate(ranked, 1):
            if rank > offset and row != NO_ROW:
                item, fields = self.gallery[row], self.gallery.items.fields(row)
                labels = self.schema.decode(item.labels)
                agreement = compare_labels(labels, wanted, values)
                hits.append(
                    Hit(
                        *(item.item_id, item.image, row, rank, score, labels, fields),
                        **vars(agreement),
                    )
                )
        return tuple(hits)

    def _count_matching(self, wanted: Mapping[str, str], rows: Rows | None, left_out: Rows) -> int:
        """Items among those ranked that are known to have all wanted values."""
        labels = np.asarray(self.gallery.labels)
        return count_matching(labels, np.array(self.schema.encode(wanted)), rows, left_out)


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
