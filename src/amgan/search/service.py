"""From a picture and wanted changes to a ranked gallery: the one ranking path."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import (
    MISSING,
    AttributeSchema,
    Change,
    Indicator,
    Labels,
    match_name,
    suggest_name,
)
from amgan.errors import InputError
from amgan.gallery.engines.protocol import NO_ROW, Filters, Neighbours, Rows, Vectors, places_kept
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import load_gallery_model, open_gallery
from amgan.images import DEFAULT_LIMITS, PictureLimits, Pixels, load_pixels
from amgan.methods.trained import TrainedModel
from amgan.run_folder import RunFolder
from amgan.search.results import Hit, Ranking, ReferenceAttribute, SearchResult

_QUERIES_A_BLOCK = 512
_MOST_IMPORTANT = 100.0


class SearchService:
    """Ranks a gallery by references and changes. Safe to call from several threads.

    Args:
        model: encodes queries.
        gallery: encoded by the same model.
        limits: what a reference picture may measure.

    Raises:
        GalleryError: the gallery was encoded by another model.
    """

    def __init__(
        self, model: TrainedModel, gallery: Gallery, limits: PictureLimits = DEFAULT_LIMITS
    ) -> None:
        gallery.check_model(model)
        self.model = model
        self.gallery = gallery
        self.limits = limits

    @property
    def schema(self) -> AttributeSchema:
        """Attributes that can be changed."""
        return self.model.schema

    def rank(
        self,
        pixels: Pixels,
        indicator: Indicator,
        labels: Labels | None,
        k: int,
        exclude: NDArray[np.int64] | None = None,
        rows: Rows | None = None,
        filters: Filters | None = None,
        importance: Mapping[str, float] | None = None,
        pure: bool = False,
    ) -> Ranking:
        """Rank the gallery for each query.

        Args:
            pixels: references (Q, H, W, 3).
            indicator: wanted values (Q, J).
            labels: the references' labels (Q, M), -1 where missing; None where not known.
            k: results a query.
            exclude: gallery rows to leave out of each query's results, (Q,) or (Q, E); -1 for none.
            rows: rank only these gallery rows, ascending; None for all.
            filters: what `rows` were selected by, where it was filters.
            importance: as for `search`.
            pure: as for `search`.

        Raises:
            ValueError: `importance` that cannot be used.
        """
        counts = self._importance(importance or {}, pure)
        excluded = np.empty((len(pixels), 0), np.int64) if exclude is None else exclude
        excluded = excluded.reshape(len(pixels), -1)
        labels = self._trusted(labels)
        seconds: dict[str, float] = {"encode": 0.0, "search": 0.0}
        scores, ranked, mode = [np.empty((0, k), np.float32)], [np.empty((0, k), np.int64)], ""
        for start in range(0, len(pixels), _QUERIES_A_BLOCK):
            block = slice(start, start + _QUERIES_A_BLOCK)
            known = None if labels is None else labels[block]
            with _timed(seconds, "encode"):
                weights = self._weigh(indicator[block], counts)
                queries = self.model.encode_queries(pixels[block], indicator[block], known, weights)
            found = self._rank_vectors(queries, k, excluded[block], rows, filters, seconds)
            scores.append(found.scores)
            ranked.append(found.rows)
            mode = found.mode
        return Ranking(np.concatenate(scores), np.concatenate(ranked), mode, seconds)

    def _rank_vectors(
        self,
        queries: Vectors,
        k: int,
        excluded: NDArray[np.int64],
        rows: Rows | None,
        filters: Filters | None,
        seconds: dict[str, float],
    ) -> Neighbours:
        """Rank the gallery for query vectors (Q, D), without rows `excluded` (Q, E) of each."""
        if not np.isfinite(queries).all():
            raise InputError("the model gives no finite vector for a query")
        with _timed(seconds, "search"):
            found = self.gallery.engine.search(queries, k + excluded.shape[1], rows, filters)
            places = places_kept(found.rows, excluded, k)
        return Neighbours(
            np.take_along_axis(found.scores, places, 1),
            np.take_along_axis(found.rows, places, 1),
            found.mode,
        )

    def search(
        self,
        picture: Path | str | bytes,
        changes: Iterable[Change],
        k: int = 12,
        *,
        labels: Mapping[str, str | None] | None = None,
        exclude: Collection[str] = (),
        offset: int = 0,
        filters: Filters | None = None,
        importance: Mapping[str, float] | None = None,
        pure: bool = False,
    ) -> SearchResult:
        """Search with a picture.

        Args:
            picture: a file, or a file's content.
            changes: wanted values; none searches for what looks the same.
            k: results.
            labels: the picture's attribute values as far as they are known; the model predicts
                the others. In these names, and in those of `filters` and `importance`, case
                matters only where it decides.
            exclude: ids of items to leave out.
            offset: results to skip, for paging.
            filters: attribute or field name to the values to keep; see `Gallery.select`.
            importance: how much an attribute counts in a fused ranking, 1 where not named.
            pure: rank by the method's own distance alone, also in a gallery for fused ranking.

        Raises:
            PictureError: the picture cannot be used.
            ValueError: an unknown attribute, value or field, a negative importance, or one for a
                gallery without a fused ranking.
        """
        if k < 1 or offset < 0:
            raise InputError(f"ask for k >= 1 results from offset >= 0, not {k} from {offset}")
        changes = tuple(changes)
        picture = Path(picture) if isinstance(picture, str) else picture
        counts = self._importance(importance or {}, pure)
        indicator = self.schema.changes_indicator(changes)[None]
        known = np.array([self.schema.encode(self.schema.find_values(labels or {}))], np.int16)
        filters = self.find_filters(filters or {})
        rows = self.gallery.select(filters)
        excluded = np.array(self._rows_of(exclude), np.int64)
        seconds: dict[str, float] = {}
        with _timed(seconds, "decode"):
            reference = load_pixels(picture, self.model.images, self.limits)
        with _timed(seconds, "encode"):
            answer = self.model.answer_queries(
                reference[None], indicator, self._trusted(known), self._weigh(indicator, counts)
            )
        ranking = self._rank_vectors(
            answer.vectors, offset + k, excluded[None], rows, filters, seconds
        )
        attributes = self._describe(known[0], answer.probabilities)
        values = {attribute.name: attribute.value for attribute in attributes}
        left_out = excluded if rows is None else np.intersect1d(rows, excluded)
        return SearchResult(
            self._hits(ranking, offset, values, changes),
            tuple(replace(change, unwanted=values[change.attribute]) for change in changes),
            attributes,
            picture,
            reference,
            None if answer.prototypes is None else answer.prototypes[0],
            self.model.images,
            (len(self.gallery) if rows is None else len(rows)) - len(left_out),
            ranking.mode,
            seconds,
        )

    def search_item(
        self,
        item_id: str,
        changes: Iterable[Change],
        k: int = 12,
        *,
        exclude: Collection[str] = (),
        offset: int = 0,
        filters: Filters | None = None,
        importance: Mapping[str, float] | None = None,
        pure: bool = False,
    ) -> SearchResult:
        """Search with an item of the gallery, whose labels are known; it is left out itself.

        Raises:
            PictureError: the item's picture is gone or cannot be used.
            ValueError: no such item, or as `search`.
        """
        item = self.gallery[self.gallery.row(item_id)]
        return self.search(
            item.image,
            changes,
            k,
            labels=self.schema.decode(item.labels),
            exclude={item_id, *exclude},
            offset=offset,
            filters=filters,
            importance=importance,
            pure=pure,
        )

    def describe(self, picture: Path | bytes) -> tuple[ReferenceAttribute, ...]:
        """A picture's attributes as the model sees them.

        Raises:
            PictureError: the picture cannot be used.
        """
        pixels = load_pixels(picture, self.model.images, self.limits)
        unknown = np.full(self.schema.num_attributes, MISSING, np.int16)
        return self._describe(unknown, self.model.predict_attributes(pixels[None]))

    def _trusted(self, labels: Labels | None) -> Labels | None:
        """Labels that may be told to the model: a fused ranking takes what it is told for certain.

        A method that ranks by its own distance is told all: it was trained to use them.
        """
        fused = self.model.fusion is not None
        return None if fused and not self.gallery.manifest.trust_labels else labels

    def find_filters(self, filters: Filters) -> dict[str, tuple[str, ...]]:
        """Filters by names as gallery and schema write them; several of one name add up.

        Raises:
            ValueError: no such attribute, field, or attribute value.
        """
        found: dict[str, tuple[str, ...]] = {}
        known = (*self.schema.names, *self.gallery.items.field_names)
        for name, values in filters.items():
            written = match_name(name, known)
            if written is None:
                hint = suggest_name(name, known)
                raise InputError(f"cannot filter by {name!r}; {hint}filters are {', '.join(known)}")
            if isinstance(values, str):
                raise InputError(f"filter {name!r}: give a list of values, not the text {values!r}")
            if written in self.schema.names:
                values = [v and self.schema.find_value(written, v)[1] for v in values]
            found[written] = (*found.get(written, ()), *values)
        return found

    def check_importance(self, importance: Mapping[str, float], pure: bool) -> None:
        """Whether a search can weigh attributes so.

        Raises:
            ValueError: it cannot.
        """
        self._importance(importance, pure)

    def _importance(
        self, importance: Mapping[str, float], pure: bool
    ) -> NDArray[np.float32] | None:
        """What the attributes' weights are multiplied with, (1, M); None leaves them."""
        if importance and (pure or self.model.fusion is None):
            raise InputError(
                "attributes have no weights where the distance alone ranks; "
                + ("leave out `pure`" if pure else "index the catalogue with --ranking fused")
            )
        counts = np.full((1, self.schema.num_attributes), 0.0 if pure else 1.0, np.float32)
        for name, value in importance.items():
            if not 0 <= value <= _MOST_IMPORTANT:
                raise InputError(
                    f"importance of {name!r} is {value}; write 0 to {_MOST_IMPORTANT:g}, "
                    "1 where nothing is said"
                )
            counts[0, self.schema.attribute_position(self.schema.find_attribute(name))] = value
        return counts if importance or pure else None

    def _weigh(
        self, indicator: Indicator, counts: NDArray[np.float32] | None
    ) -> NDArray[np.float32] | None:
        """Importance (Q, M) of each query's attributes; None leaves the fused weights.

        The weights were fitted to what classifiers guess. Where labels are certain, a wanted value
        counts as much as all attributes together, so that no result lacks it for being alike.
        """
        fusion = self.model.fusion
        if fusion is None or not self.gallery.manifest.trust_labels:
            return None if counts is None else np.repeat(counts, len(indicator), 0)
        asked = np.stack([indicator[:, columns].any(1) for columns in self.schema.slices], 1)
        most = self.schema.num_attributes / (fusion.changed or 1.0)
        weights = np.where(asked, most, 1.0) * (1.0 if counts is None else counts)
        return weights.astype(np.float32)

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

    def _rows_of(self, item_ids: Collection[str]) -> list[int]:
        """Rows of the items that the gallery has."""
        rows = (self.gallery.items.find(item_id) for item_id in dict.fromkeys(item_ids))
        return [row for row in rows if row is not None]

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
) -> SearchService:
    """Open a trained model and a gallery that it encoded.

    Args:
        model_folder: run folder or model file; None takes the gallery's own copy of the model.
        gallery_folder: written by `build_gallery`; None takes `gallery` in the run folder.
        device: auto, cpu, cuda or cuda:N.
        engine: see `open_gallery`.
        compiled: see `TrainedModel.compile`; takes a second or two, and a tenth of the time a
            query thereafter.

    Raises:
        ValueError: neither is named, no model, no gallery, or a gallery of another model.
    """
    if gallery_folder is None:
        if model_folder is None:
            raise InputError("name a run folder or a gallery folder")
        gallery_folder = RunFolder.of(Path(model_folder)).gallery
    gallery = open_gallery(Path(gallery_folder), engine=engine)
    model = load_gallery_model(gallery, device, model_folder and Path(model_folder))
    if compiled:
        model.compile()
    return SearchService(model, gallery)


@contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[part] = seconds.get(part, 0.0) + time.perf_counter() - start
