"""Reading a catalogue."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from amgan.catalogue.records import Catalogue
from amgan.catalogue.validation import ValidationReport
from amgan.config import CatalogueConfig
from amgan.files import StrPath
from amgan.workflows.data import load_catalogue


def read_catalogue(
    path: StrPath,
    attributes: Sequence[str] = (),
    *,
    image: str = "image",
    item_id: str = "",
    layout: CatalogueConfig | None = None,
    strict: bool = False,
) -> tuple[Catalogue, ValidationReport]:
    """Read a table of labelled pictures, and say what is wrong with its rows.

    A row or label that cannot be used is left out and stands in the report. Items get a split
    (80 % for training, 10 % each for validation and test) where the table names none.

    Args:
        path: a CSV, JSON-lines or Parquet table with one row per item, or the folder of a data set
            that `layout` names a reader for.
        attributes: columns of the attributes that searches change. An empty cell is a missing
            label.
        image: column of picture paths, relative to the table.
        item_id: column of unique ids; empty takes the picture path.
        layout: further columns (`product`, `split`), or the `reader` of a data set's own layout.
        strict: refuse the table where any row cannot be used.

    Returns:
        The catalogue, and the report of every problem that was found.

    Raises:
        ValidationError: the table as a whole cannot be used; its `report` names every problem.

    Example:
        >>> import amgan
        >>> catalogue, report = amgan.read_catalogue(
        ...     "tops.csv", attributes=["category", "colour"], image="photo", item_id="sku"
        ... )
        >>> len(catalogue), catalogue.schema.names, report.skipped
        (240, ('category', 'colour'), 0)
    """
    config = replace(layout or CatalogueConfig(), path=os.fspath(path), image=image)
    config = replace(config, attributes=tuple(attributes), item_id=item_id or config.item_id)
    return load_catalogue(config, strict=strict)
