"""Write a catalogue and its triplets as the files that ADDE's own programs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amgan.catalogue.adde import AddeQueries, AddeTriplets
from amgan.catalogue.adde_export import save_adde
from amgan.catalogue.adde_vectors import compute_signs
from amgan.catalogue.records import Catalogue
from amgan.errors import InputError
from amgan.queries import Triplets

_TRIES = 100  # rounds in which negatives that are alike are drawn anew


def export_adde(folder: Path, catalogue: Catalogue, triplets: Triplets, images: Path) -> None:
    """Write split files: "train" and "val" are the training part, "test" the queries.

    A negative of the training part, which our triplets do not name, is drawn for each of them among
    the items with other labels than the target; the triplets' seed decides it.

    Args:
        folder: made where it is missing; files of the same names are replaced.
        catalogue: every item needs a split.
        triplets: of this catalogue.
        images: the folder that the picture paths become relative to.

    Raises:
        InputError: an item without a split or outside `images`, or training items that all have
            the same labels.
    """
    labels, schema = catalogue.labels, catalogue.schema
    training = triplets.select(np.array([split != "test" for split in triplets.splits], np.bool_))
    tested = triplets.in_split("test")
    signs = compute_signs(schema, labels[training.reference], labels[training.target])
    save_adde(
        folder,
        catalogue,
        images=images,
        triplets=AddeTriplets(
            training.reference, training.target, _draw_negatives(catalogue, training), signs
        ),
        queries=AddeQueries(
            tested.reference,
            compute_signs(schema, labels[tested.reference], labels[tested.target]),
            labels[tested.target],
        ),
    )


def _draw_negatives(catalogue: Catalogue, triplets: Triplets) -> np.ndarray:
    """A row of the training part for each triplet, with other labels than its target."""
    rows = np.array([i for i, split in enumerate(catalogue.splits) if split != "test"], np.int64)
    rng = np.random.default_rng(triplets.seed)
    targets = catalogue.labels[triplets.target]
    negatives = rng.choice(rows, len(triplets)) if len(triplets) else np.empty(0, np.int64)
    for _ in range(_TRIES):
        alike = (catalogue.labels[negatives] == targets).all(axis=1)
        if not alike.any():
            return negatives
        negatives[alike] = rng.choice(rows, int(alike.sum()))
    raise InputError(
        f"catalogue {catalogue.name!r}: hardly any training item has other labels than a target; "
        "there is nothing to draw as a negative"
    )
