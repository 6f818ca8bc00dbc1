"""Whether the picture counts: the measures of `evaluation.picture_measures`, through the search."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.records import Catalogue
from amgan.evaluation.picture_measures import (
    DEPTHS,
    PictureMeasures,
    compute_overlaps,
    compute_own_ranks,
    compute_variant_ranks,
    summarise_picture_measures,
)
from amgan.files import write_text
from amgan.gallery.gallery import Gallery
from amgan.images import (
    ImageSettings,
    PictureError,
    PictureLimits,
    Pixels,
    load_picture,
    load_pixels,
)
from amgan.methods.model_file import load_model
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.queries.picture_queries import (
    OVERLAP_DEPTH,
    Draw,
    alter_picture,
    draw_equal_pairs,
    draw_own,
    draw_variants,
)
from amgan.run_folder import RunFolder
from amgan.search import SearchService, open_search
from amgan.workflows.data import ExperimentData, places_among

PicturesOf = Callable[[NDArray[np.int64]], Pixels]
_QUERIES_A_BLOCK = 256
# A cropped picture may be smaller than a catalogue's has to be.
_ANY_SIZE = PictureLimits(min_side=1)


@dataclass(frozen=True)
class PictureSample:
    """How many queries are asked at most.

    Attributes:
        variants: pairs of one product.
        own: items searched with their own pictures.
        pairs: pairs of references with equal labels.
    """

    variants: int
    own: int
    pairs: int


REPORTED = PictureSample(2000, 1000, 1000)
SPOKEN = PictureSample(250, 200, 150)  # for the words that `train` and `index` end with


class PictureQueries:
    """Queries about the pictures of some items of a catalogue, to be asked of any ranking of them.

    Args:
        catalogue: labels, products and picture files.
        rows: catalogue rows from which every reference comes.
        pictures_of: gives the pictures (Q, H, W, 3) of catalogue rows (Q,) as the model takes them.
        images: how a picture file becomes such a picture.
        sample: how many queries at most.
        seed: of the draws.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        rows: NDArray[np.int64],
        pictures_of: PicturesOf,
        images: ImageSettings,
        sample: PictureSample = REPORTED,
        seed: int = 0,
    ) -> None:
        labels = np.asarray(catalogue.labels)
        self.catalogue = catalogue
        self.seed = seed
        self.variants = draw_variants(
            labels, catalogue.products, rows, limit=sample.variants, seed=seed
        )
        self.pairs = draw_equal_pairs(labels, rows, limit=sample.pairs, seed=seed)
        self._pictures_of = pictures_of
        drawn = draw_own(rows, limit=sample.own, seed=seed)
        found = [self._altered(row, images) for row in drawn.reference.tolist()]
        self.unreadable = sum(picture is None for picture in found)
        read = np.array([picture is not None for picture in found], np.bool_)
        self.own = Draw(
            drawn.reference[read], drawn.attribute[read], drawn.value[read], drawn.available
        )
        altered = [picture for picture in found if picture is not None]
        self._own_pictures = (
            np.stack(altered)
            if altered
            else np.empty((0, images.height, images.width, 3), np.uint8)
        )

    @classmethod
    def of_split(
        cls,
        data: ExperimentData,
        split: str,
        images: ImageSettings,
        sample: PictureSample = REPORTED,
    ) -> PictureQueries:
        """Queries whose references are the items of a split; the seed is that of the triplets."""
        rows = data.catalogue.rows_in_split(split)
        return cls(
            data.catalogue,
            rows,
            lambda chosen: np.asarray(data.pixels[chosen]),
            images,
            sample,
            data.triplets.seed,
        )

    def measure(self, service: SearchService, rows: NDArray[np.int64]) -> PictureMeasures:
        """Ask all queries.

        Args:
            service: ranks.
            rows: catalogue row of each item of its gallery, (N,).
        """
        places = places_among(rows, len(self.catalogue))
        products = self.catalogue.product_numbers
        labels = np.asarray(self.catalogue.labels)
        variants = self._rank(service, self.variants, max(DEPTHS), places)
        own = self._rank(service, self.own, max(DEPTHS), None)
        pairs = self._rank(service, self.pairs, OVERLAP_DEPTH, places)
        of_variants = products[self.variants.reference]
        weights = self.variants.weight
        means = summarise_picture_measures(
            variant_ranks=compute_variant_ranks(
                variants,
                gallery_products=products[rows],
                gallery_labels=labels[rows],
                products=of_variants,
                attribute=self.variants.attribute,
                value=self.variants.value,
            ),
            products=of_variants,
            weights=np.ones(len(of_variants)) if weights is None else weights,
            own_ranks=compute_own_ranks(own, places[self.own.reference]),
            overlaps=compute_overlaps(pairs),
        )
        return PictureMeasures(
            means,
            {
                "variant": len(self.variants),
                "self": len(self.own),
                "overlap": len(self.pairs) // 2,
            },
            {
                "variant": self.variants.available,
                "self": self.own.available,
                "overlap": self.pairs.available,
            },
            len(np.unique(of_variants)),
            self.unreadable,
            len(rows),
            self.seed,
        )

    def _rank(
        self, service: SearchService, draw: Draw, k: int, leave_out: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """The first k gallery rows of each query, references left out at their places, if any."""
        indicator = draw.indicator(service.schema)
        found = [np.empty((0, k), np.int64)]
        for start in range(0, len(draw), _QUERIES_A_BLOCK):
            block = slice(start, start + _QUERIES_A_BLOCK)
            rows = draw.reference[block]
            own = draw is self.own
            pixels = self._own_pictures[block] if own else self._pictures_of(rows)
            exclude = None if leave_out is None else leave_out[rows]
            ranking = service.rank(QueryArrays(pixels, indicator[block]), k, exclude=exclude)
            found.append(ranking.rows)
        return np.concatenate(found)

    def _altered(self, row: int, images: ImageSettings) -> Pixels | None:
        """An item's picture, altered; None where its file cannot be read."""
        try:
            picture = load_picture(self.catalogue.images[row])
        except PictureError:
            return None
        return load_pixels(alter_picture(picture, self.seed, row), images, _ANY_SIZE)


def measure_run(
    folder: Path, data: ExperimentData, sample: PictureSample = SPOKEN
) -> PictureMeasures | None:
    """Measure a run's best model on its validation items, and keep that in the run folder.

    Args:
        folder: of the run.
        data: whose validation items are ranked.
        sample: how many queries at most.

    Returns:
        None where there are no validation items.
    """
    rows = data.catalogue.rows_in_split("val")
    if not len(rows):
        return None
    run = RunFolder(folder)
    model = load_model(run.model)
    queries = PictureQueries.of_split(data, "val", model.images, sample)
    measures = measure_rows(model, data, queries, rows)
    write_text(run.picture, json.dumps(measures.to_dict(), indent=2) + "\n")
    return measures


def measure_rows(
    model: TrainedModel, data: ExperimentData, queries: PictureQueries, rows: NDArray[np.int64]
) -> PictureMeasures:
    """Ask all queries of a gallery of these catalogue rows, ascending."""
    gallery = Gallery.in_memory(model, data.catalogue.subset(rows), data.pixels[rows])
    return queries.measure(SearchService(model, gallery), rows)


def measure_gallery(
    folder: Path, device: str = "auto", sample: PictureSample = SPOKEN
) -> PictureMeasures:
    """Measure a gallery on a sample of its own items, with its copy of the model.

    Args:
        folder: of the gallery.
        device: auto, cpu, cuda or cuda:N.
        sample: how many queries at most.

    Raises:
        ValueError: no gallery there.
        PictureError: a picture that was encoded cannot be read any more.
    """
    service = open_search(None, folder, device)
    catalogue, images = service.gallery.catalogue, service.model.images
    rows = np.arange(len(catalogue))

    def read(chosen: NDArray[np.int64]) -> Pixels:
        return np.stack([load_pixels(catalogue.images[row], images) for row in chosen.tolist()])

    return PictureQueries(catalogue, rows, read, images, sample).measure(service, rows)
