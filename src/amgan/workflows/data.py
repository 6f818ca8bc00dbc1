"""What an experiment works on: catalogue, decoded pictures, triplets."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema
from amgan.catalogue.assembly import Checks
from amgan.catalogue.left_out import without_pictures
from amgan.catalogue.pixels import PixelOptions, open_usable_pixels
from amgan.catalogue.readers import READERS
from amgan.catalogue.records import Catalogue
from amgan.catalogue.table import load_table
from amgan.catalogue.validation import ValidationError, ValidationReport
from amgan.config import CatalogueConfig, ExperimentConfig, TripletConfig, load_run_config
from amgan.errors import InputError
from amgan.evaluation.report import Protocol
from amgan.images import Pixels
from amgan.progress import track
from amgan.queries import Triplets, assign_splits, load_triplets, sample_triplets
from amgan.run_folder import RunFolder


@dataclass(frozen=True)
class ExperimentData:
    """What a run learns from.

    Attributes:
        catalogue: items with splits.
        pixels: (N, H, W, 3) uint8, memory-mapped.
        triplets: of all splits.
        report: what validation found in the catalogue.
        cache: folder of what is computed once for each picture; None takes `cache_folder()`.
    """

    catalogue: Catalogue
    pixels: Pixels
    triplets: Triplets
    report: ValidationReport
    cache: Path | None = None

    @property
    def digest(self) -> str:
        """Identifies catalogue, picture content and triplets."""
        digest = hashlib.sha256(self.catalogue.digest.encode())
        digest.update(self.triplets.digest.encode())
        digest.update(str(self.pixels.shape).encode())
        return digest.hexdigest()


def cache_folder() -> Path:
    """Where decoded pictures are kept: $AMGAN_CACHE, else `amgan` in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("AMGAN_CACHE") or Path(home) / "amgan")


def load_catalogue(
    config: CatalogueConfig,
    *,
    schema: AttributeSchema | None = None,
    strict: bool = False,
    check_pictures: bool = True,
) -> tuple[Catalogue, ValidationReport]:
    """Read the configured catalogue; items without a split get one.

    Args:
        config: which catalogue.
        schema: attributes and values to hold a table against; None takes what the table has.
        strict: raise on any bad row or label instead of leaving it out.
        check_pictures: decode every picture.

    Raises:
        ValueError: no path, an unknown reader, or a catalogue that cannot be used.
    """
    if not config.path:
        raise InputError("no catalogue: set catalogue.path to a table or a dataset's folder")
    path = Path(config.path)
    if config.reader == "table":
        catalogue, report = load_table(
            path,
            config.layout,
            schema=schema,
            strict=strict,
            check_pictures=check_pictures,
            limits=config.limits,
            progress=track,
        )
    elif config.reader in READERS:
        checks = Checks(strict, check_pictures, config.limits, progress=track)
        catalogue, report = READERS[config.reader](path, checks=checks)
    else:
        raise InputError(
            f"unknown reader {config.reader!r}; the readers are table, {', '.join(READERS)}"
        )
    if all(split is None for split in catalogue.splits):
        catalogue = assign_splits(catalogue)
    return catalogue, report


def load_data(
    config: ExperimentConfig,
    *,
    schema: AttributeSchema | None = None,
    strict: bool = False,
    verify: bool = False,
    cache: Path | None = None,
) -> ExperimentData:
    """Catalogue, decoded pictures and triplets of an experiment.

    Items whose pictures cannot be decoded are left out, and the report names them.

    Args:
        config: which ones.
        schema: attributes and values to hold a table against; None takes what the table has.
        strict: raise on any bad row, label or picture instead of leaving it out.
        verify: compare the content of every picture with what was decoded, also where it looks the
            same.
        cache: where decoded pictures are kept; None takes `cache_folder()`.

    Raises:
        ValueError: as `load_catalogue` and `load_triplets`.
    """
    catalogue, report = load_catalogue(
        config.catalogue, schema=schema, strict=strict, check_pictures=False
    )
    usable, pixels, report = decode_pictures(
        config, catalogue, report, cache=cache, strict=strict, verify=verify
    )
    triplets = choose_triplets(config.triplets, usable)
    return ExperimentData(usable, pixels, triplets, report, cache)


def decode_pictures(
    config: ExperimentConfig,
    catalogue: Catalogue,
    report: ValidationReport,
    *,
    strict: bool = False,
    verify: bool = False,
    cache: Path | None = None,
) -> tuple[Catalogue, Pixels, ValidationReport]:
    """The items whose pictures can be decoded, their pixels, and the report with the others.

    Args:
        config: picture settings, limits, and where the catalogue comes from.
        catalogue: the items.
        report: what is known to be wrong with their source.
        strict: raise where a picture cannot be decoded.
        verify: as in `load_data`.
        cache: as in `load_data`.

    Raises:
        ValidationError: strict, and a picture that cannot be decoded.
        PictureError: none can be decoded.
    """
    options = PixelOptions(config.catalogue.limits, progress=track, verify=verify)
    folder = cache or cache_folder()
    usable, pixels, errors = open_usable_pixels(catalogue, config.images, folder, options)
    report = without_pictures(report, catalogue, errors, config.catalogue.path)
    if strict and errors:
        raise ValidationError(report)
    return usable, pixels, report


def choose_triplets(config: TripletConfig, catalogue: Catalogue) -> Triplets:
    """The configured triplet file, or a draw."""
    if config.path:
        return load_triplets(Path(config.path), catalogue)
    return sample_triplets(
        catalogue,
        seed=config.seed,
        changes=(config.min_changes, config.max_changes),
        per_item={"train": config.per_item},
        balance_changes=config.balance_changes,
    )


def adopt_schema(catalogue: Catalogue, schema: AttributeSchema) -> Catalogue:
    """A catalogue with its labels in the terms of a model's schema.

    Raises:
        InputError: an attribute that the catalogue lacks, or values that the schema does not have.
    """
    columns = []
    for attribute in schema.attributes:
        position = catalogue.schema.attribute_position(attribute.name)
        values = catalogue.schema.attributes[position].values
        unknown = [value for value in values if value not in attribute.values]
        if unknown:
            raise InputError(
                f"catalogue {catalogue.name!r}: the model does not know "
                f"{', '.join(map(repr, unknown))} of {attribute.name!r}; it knows "
                f"{', '.join(attribute.values)}",
                field=attribute.name,
            )
        codes = np.array([attribute.values.index(value) for value in values] + [MISSING], np.int16)
        columns.append(codes[catalogue.labels[:, position]])
    return replace(catalogue, schema=schema, labels=np.stack(columns, axis=1))


def evenly(total: int, wanted: int) -> NDArray[np.int64]:
    """At most `wanted` of the places 0 to `total` - 1, spread evenly, ascending."""
    return np.unique(np.linspace(0, total - 1, min(total, wanted)).astype(np.int64))


def rows_of_protocol(catalogue: Catalogue, split: str, protocol: Protocol) -> NDArray[np.int64]:
    """Catalogue rows that are ranked under a protocol, ascending."""
    return np.arange(len(catalogue)) if protocol == "paper" else catalogue.rows_in_split(split)


def places_among(rows: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Where each of `total` catalogue rows stands among `rows`, (total,); -1 where it does not."""
    places = np.full(total, -1, np.int64)
    places[rows] = np.arange(len(rows))
    return places


def table_columns(run: Path) -> CatalogueConfig:
    """The columns of a run's own table; plain ones where there is no run, or no table."""
    if not RunFolder.of(run).config.is_file():
        return CatalogueConfig()
    config = load_run_config(run).catalogue
    return config if config.reader == "table" else CatalogueConfig()
