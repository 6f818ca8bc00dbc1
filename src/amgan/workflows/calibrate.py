"""Holding a model's confidence against the labels of a catalogue."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from amgan.attributes import AttributeSchema
from amgan.catalogue.left_out import without_pictures
from amgan.catalogue.pixels import PixelOptions, open_usable_pixels
from amgan.catalogue.records import Catalogue
from amgan.catalogue.validation import ValidationReport
from amgan.config import load_run_config
from amgan.errors import InputError
from amgan.evaluation.calibration_report import CalibrationReport, build_calibration_report
from amgan.images import Pixels
from amgan.methods.model_file import load_model
from amgan.methods.trained import TrainedModel
from amgan.progress import Progress, quiet, track
from amgan.workflows.data import cache_folder, load_catalogue, table_columns

_PICTURES_A_BLOCK = 1024
Block = tuple[int, int]  # its first row, and the first one past it


def choose_attributes(schema: AttributeSchema, names: Collection[str]) -> AttributeSchema:
    """A schema of the named attributes, in its own order; all of them where none is named.

    Raises:
        ValueError: a name that the schema does not have.
    """
    for name in names:
        schema.attribute_position(name)
    return AttributeSchema(tuple(a for a in schema.attributes if not names or a.name in names))


def keep_attributes(catalogue: Catalogue, names: Sequence[str]) -> Catalogue:
    """A catalogue with the named attributes only, in that order.

    Raises:
        ValueError: a name that its schema does not have.
    """
    places = [catalogue.schema.attribute_position(name) for name in names]
    schema = AttributeSchema(tuple(catalogue.schema.attributes[place] for place in places))
    return replace(catalogue, schema=schema, labels=catalogue.labels[:, places])


def measure_calibration(
    model: TrainedModel,
    catalogue: Catalogue,
    pixels: Pixels,
    *,
    split: str = "test",
    bins: int = 10,
    progress: Progress = quiet,
) -> CalibrationReport:
    """Hold the confidence of a model's classifiers against the labels of a split.

    Args:
        model: whose classifiers.
        catalogue: its attributes are some of the model's, with the same values.
        pixels: the catalogue's pictures, (N, H, W, 3) uint8.
        split: "train", "val", "test", or "all" for every item.
        bins: number of bins of confidence.
        progress: shows how far it is.

    Raises:
        ValueError: no item in the split, other attributes or values than the model's, an attribute
            without a label, or a method without a classifier.
    """
    columns = _columns(model.schema, catalogue)
    rows = np.arange(len(catalogue)) if split == "all" else catalogue.rows_in_split(split)
    if not len(rows):
        where = "" if split == "all" else f" in split {split!r}"
        raise InputError(f"catalogue {catalogue.name!r} has no item{where}")
    starts = [*range(0, len(rows), _PICTURES_A_BLOCK), len(rows)]
    parts = []
    for start, stop in progress(pairwise(starts), "Classify pictures", len(starts) - 1):
        logits = model.attribute_logits(pixels[rows[start:stop]])
        if logits is None:
            raise InputError(
                f"method {model.description.method!r} has no attribute classifier, "
                "and so no confidence to hold against labels"
            )
        parts.append(logits[:, columns])
    facts = model.description.facts
    return build_calibration_report(
        np.concatenate(parts),
        catalogue.labels[rows],
        catalogue.schema,
        facts.temperatures or {},
        method=model.description.method,
        catalogue=catalogue.name,
        split=split,
        seed=facts.seed or 0,
        bins=bins,
    )


def measure_run_calibration(
    run: Path,
    table: Mapping[str, Any] | None = None,
    *,
    split: str | None = None,
    attributes: Collection[str] = (),
    bins: int = 10,
    device: str = "auto",
) -> tuple[CalibrationReport, ValidationReport]:
    """Hold the confidence of a run's classifiers against labels.

    Args:
        run: run folder; a model file is enough with a table.
        table: another labelled table, as fields of `CatalogueConfig`. Columns that are not named
            are those of the run's own table. None takes the catalogue that the run was trained on.
        split: "train", "val", "test" or "all"; None is "test" of the run's own catalogue, and all
            of another table.
        attributes: those to look at; empty takes all of the model's.
        bins: number of bins of confidence.
        device: auto, cpu, cuda or cuda:N.

    Returns:
        What was found, and what was found in the table.

    Raises:
        ValueError: no model, an attribute that it does not have, or as `load_catalogue` and
            `measure_calibration`.
    """
    model = load_model(run, device)
    schema = choose_attributes(model.schema, attributes)
    source = replace(table_columns(run), **table) if table else load_run_config(run).catalogue
    split = split or ("all" if table else "test")
    if table:  # ids and products decide nothing here, nor do splits where all items are taken
        column = "" if split == "all" else source.split
        source = replace(source, item_id="", product="", split=column)
    source = replace(source, attributes=schema.names)
    catalogue, report = load_catalogue(source, schema=schema, check_pictures=table is not None)
    catalogue = keep_attributes(catalogue, schema.names)  # a reader gives all that it knows
    options = PixelOptions(source.limits, progress=track)
    usable, pixels, errors = open_usable_pixels(catalogue, model.images, cache_folder(), options)
    report = without_pictures(report, catalogue, errors, source.path)
    found = measure_calibration(model, usable, pixels, split=split, bins=bins, progress=track)
    return found, report


def _columns(own: AttributeSchema, catalogue: Catalogue) -> list[int]:
    """The model's columns of logits in the order of the catalogue's schema."""
    columns: list[int] = []
    for attribute in catalogue.schema.attributes:
        position = own.attribute_position(attribute.name)
        if own.attributes[position] != attribute:
            raise InputError(
                f"catalogue {catalogue.name!r}: attribute {attribute.name!r} has other values "
                "than the model's"
            )
        part = own.slices[position]
        columns += range(part.start, part.stop)
    return columns
