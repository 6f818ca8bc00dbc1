"""Whether the files of a version agree with its manifest and with one another."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amgan.attributes import MISSING, Labels
from amgan.gallery.engines.protocol import Vectors
from amgan.gallery.items import ItemTable
from amgan.gallery.manifest import Manifest
from amgan.gallery.versions import GalleryError


def check_content(
    folder: Path, manifest: Manifest, items: ItemTable, labels: Labels, vectors: Vectors
) -> None:
    """Compare counts, shapes and ranges.

    Raises:
        GalleryError: names what does not agree.
    """
    count, schema = manifest.count, manifest.schema
    shapes = {
        "items": ((len(items),), (count,)),
        "labels": (labels.shape, (count, schema.num_attributes)),
        "vectors": (vectors.shape, (count, manifest.dim)),
    }
    for what, (found, expected) in shapes.items():
        if found != expected:
            raise GalleryError(
                f"{folder}: {_shape(found)} {what}, the manifest says {_shape(expected)}; "
                "the gallery is damaged, write it again"
            )
    if labels.dtype.kind != "i":
        raise GalleryError(f"{folder}: labels are {labels.dtype}, not whole numbers")
    outside = (labels < MISSING) | (labels >= np.array(schema.sizes))
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise GalleryError(
            f"{folder}: item {items.item_ids[row]!r} has label {labels[row, column]} of attribute "
            f"{schema.names[column]!r}, which has {schema.sizes[column]} values; the gallery is "
            "damaged, write it again"
        )


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{length:,}" for length in shape)
