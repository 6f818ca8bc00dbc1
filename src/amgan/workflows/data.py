"""What an experiment works on: catalogue, decoded pictures, triplets."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema
from amgan.catalogue.assembly import Checks
from amgan.catalogue.pixels import open_pixels
from amgan.catalogue.readers import READERS
from amgan.catalogue.records import Catalogue
from amgan.catalogue.table import TableLayout, load_table
from amgan.catalogue.validation import ValidationReport
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
    """

    catalogue: Catalogue
    pixels: Pixels
    triplets: Triplets
    report: ValidationReport

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
        strict: raise on any bad row instead of leaving it out.
        check_pictures: decode every picture.

    Raises:
        ValueError: no path, an unknown reader, or a catalogue that cannot be used.
    """
    if not config.path:
        raise InputError("no catalogue: set catalogue.path to a table or a dataset's folder")
    path = Path(config.path)
    if config.reader == "table":
        layout = TableLayout(
            config.image,
            config.attributes,
            config.item_id or None,
            config.product or None,
            config.split or None,
        )
        catalogue, report = load_table(
            path,
            layout,
            schema=schema,
            strict=strict,
            check_pictures=check_pictures,
            progress=track,
        )
    elif config.reader in READERS:
        checks = Checks(strict, check_pictures, progress=track)
        catalogue, report = READERS[config.reader](path, checks=checks)
    else:
        raise InputError(
            f"unknown reader {config.reader!r}; the readers are table, {', '.join(READERS)}"
        )
    if all(split is None for split in catalogue.splits):
        catalogue = assign_splits(catalogue)
    return catalogue, report


def load_data(
    config: ExperimentConfig, *, check_pictures: bool = False, cache: Path | None = None
) -> ExperimentData:
    """Catalogue, decoded pictures and triplets of an experiment.

    Args:
        config: which ones.
        check_pictures: decode every picture before, and leave out those that cannot be.
        cache: where decoded pictures are kept; None takes `cache_folder()`.

    Raises:
        ValueError: as `load_catalogue` and `load_triplets`.
    """
    catalogue, report = load_catalogue(config.catalogue, check_pictures=check_pictures)
    pixels = open_pixels(catalogue, config.images, cache or cache_folder(), progress=track)
    return ExperimentData(catalogue, pixels, choose_triplets(config.triplets, catalogue), report)


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
