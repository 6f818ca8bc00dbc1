"""Writing ADDE's split files from a catalogue, triplets and queries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from amgan.catalogue.adde import AddeQueries, AddeTriplets, Rows
from amgan.catalogue.records import Catalogue
from amgan.errors import InputError
from amgan.files import write_text

_PART_OF = {"train": "train", "val": "train", "test": "test"}


def save_adde(
    folder: Path,
    catalogue: Catalogue,
    *,
    images: Path,
    triplets: AddeTriplets | None = None,
    queries: AddeQueries | None = None,
) -> None:
    """Write the split files; "train" and "val" become the training part.

    Args:
        folder: made where it is missing; files of the same names are replaced.
        catalogue: every item needs a split.
        images: the folder the picture paths become relative to.
        triplets: with rows of the training part.
        queries: with reference rows of the test part.

    Raises:
        ValueError: an item without a split or outside `images`, or a row of the other part.
    """
    images = Path(images).absolute()
    unassigned = [i for i, split in enumerate(catalogue.splits) if split not in _PART_OF]
    if unassigned:
        item = catalogue[unassigned[0]]
        raise InputError(
            f"{len(unassigned):,} items have no split, {item.item_id!r} the first of them"
        )
    parts = np.array([_PART_OF[str(split)] for split in catalogue.splits])
    one_hot = catalogue.schema.one_hot(catalogue.labels).astype(np.int8)
    for part in ("train", "test"):
        rows = np.flatnonzero(parts == part)
        paths = [_relative(catalogue.images[row], images) for row in rows]
        _write(folder / f"imgs_{part}.txt", paths)
        _write_vectors(folder / f"labels_{part}.txt", one_hot[rows])
    _write(folder / "attr_num.txt", [" ".join(map(str, catalogue.schema.sizes))])
    if triplets is not None:
        columns = (triplets.reference, triplets.positive, triplets.negative)
        numbers = np.stack([_numbers(column, parts, "train", catalogue) for column in columns], 1)
        _write_vectors(folder / "triplet_train.txt", numbers)
        _write_vectors(folder / "triplet_train_ind.txt", triplets.indicator)
    if queries is not None:
        numbers = _numbers(queries.reference, parts, "test", catalogue)
        _write_vectors(folder / "ref_test.txt", numbers[:, None])
        _write_vectors(folder / "indfull_test.txt", queries.indicator)
        targets = catalogue.schema.one_hot(queries.target_labels).astype(np.int8)
        _write_vectors(folder / "gt_test.txt", targets)


def _relative(image: Path, images: Path) -> str:
    if not image.absolute().is_relative_to(images):
        raise InputError(f"{image}: the picture does not lie in {images}")
    return image.absolute().relative_to(images).as_posix()


def _numbers(rows: Rows, parts: np.ndarray, part: str, catalogue: Catalogue) -> Rows:
    """Line numbers, from 0, of catalogue rows within their part."""
    outside = rows[parts[rows] != part]
    if len(outside):
        item = catalogue[int(outside[0])]
        raise InputError(f"item {item.item_id!r} is not of the {part} part but {item.split!r}")
    numbers: Rows = (np.cumsum(parts == part) - 1)[rows]
    return numbers


def _write_vectors(file: Path, vectors: np.ndarray) -> None:
    _write(file, (" ".join(map(str, vector)) for vector in vectors.tolist()))


def _write(file: Path, lines: Iterable[str]) -> None:
    write_text(file, "".join(f"{line}\n" for line in lines))
