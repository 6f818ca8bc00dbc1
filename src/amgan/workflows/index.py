"""Encode a catalogue with a run's model, and change what was encoded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amgan.catalogue.records import Catalogue
from amgan.catalogue.validation import ValidationReport
from amgan.config import load_run_config
from amgan.gallery.encoding.blocks import DEFAULT_OPTIONS, EncodingOptions
from amgan.gallery.engines.settings import parse_engine
from amgan.gallery.store import (
    Gallery,
    GalleryError,
    build_gallery,
    gallery_ranking,
    load_gallery_model,
    open_gallery,
)
from amgan.gallery.update import UpdateSummary, renew_gallery, update_gallery
from amgan.methods.model_file import load_model
from amgan.methods.ranking import RankingChoice
from amgan.workflows.data import adopt_schema, load_catalogue, table_columns


def index_run(
    run: Path,
    folder: Path,
    catalogue: Mapping[str, Any] | None = None,
    *,
    engine: str = "auto",
    encoding: EncodingOptions = DEFAULT_OPTIONS,
    device: str = "auto",
    ranking: RankingChoice = RankingChoice.auto,
    trust_labels: bool = True,
) -> Gallery:
    """Encode a catalogue with a run's best model into a gallery folder.

    Args:
        run: run folder.
        folder: gallery folder, made where it is missing.
        catalogue: fields of `CatalogueConfig` in which the catalogue differs from the run's own.
        engine: how it will be searched; see `engine_settings`.
        encoding: who encodes, in blocks of how many pictures; with limits and progress.
        device: auto, cpu, cuda or cuda:N.
        ranking: what the gallery is ranked by; a fused one can also be asked for the pure order.
        trust_labels: see `build_gallery`.

    Raises:
        ValueError: no model, no catalogue, one with other attributes than the model's, or an engine
            that cannot be read.
    """
    parse_engine(engine)
    model = load_model(run, device, ranking=ranking)
    source = replace(load_run_config(run).catalogue, **(catalogue or {}))
    items, _ = load_catalogue(source, schema=model.schema, check_pictures=False)
    return build_gallery(
        folder,
        model,
        items,
        engine=engine,
        encoding=encoding,
        ranking=ranking,
        trust_labels=trust_labels,
    )


def index_catalogue(
    run: Path,
    folder: Path,
    catalogue: Catalogue,
    *,
    engine: str = "auto",
    device: str = "auto",
    ranking: RankingChoice = RankingChoice.auto,
) -> Gallery:
    """As `index_run`, for a catalogue in memory.

    Raises:
        InputError: the catalogue lacks an attribute of the model, or has other values.
    """
    parse_engine(engine)
    model = load_model(run, device, ranking=ranking)
    items = adopt_schema(catalogue, model.schema)
    return build_gallery(folder, model, items, engine=engine, ranking=ranking, trust_labels=True)


@dataclass(frozen=True)
class GalleryUpdate:
    """What `update_index` did.

    Attributes:
        summary: numbers of items.
        report: what was found in the table; None without one.
        renewed: whether all items were encoded anew, by another model than before.
    """

    summary: UpdateSummary
    report: ValidationReport | None
    renewed: bool


def update_index(
    folder: Path,
    table: Mapping[str, Any] | None = None,
    remove: Collection[str] = (),
    *,
    run: Path | None = None,
    encoding: EncodingOptions = DEFAULT_OPTIONS,
    device: str = "auto",
) -> GalleryUpdate:
    """Add, replace and remove items of a gallery folder in one step.

    Args:
        folder: gallery folder.
        table: items to add or replace, as fields of `CatalogueConfig`. Columns that are not named
            are those of the run that the gallery lies in, if it does.
        remove: ids of items to remove.
        run: run folder or model file to encode with; where it is another model than the gallery's,
            every item is encoded anew, with the ranking that the gallery was indexed with. None
            takes the gallery's own copy.
        encoding: who encodes, in blocks of how many pictures; with limits and progress.
        device: auto, cpu, cuda or cuda:N.

    Raises:
        ValueError: no gallery, no model, a model with other attributes, one without the fused
            ranking that the gallery was indexed for, or a table that cannot be used.
    """
    gallery = open_gallery(folder, engine="faiss://exact")
    try:
        model = load_gallery_model(gallery, device, run)
    except GalleryError:
        assert run is not None  # the copy is the model that encoded the gallery
        model = load_model(run, device, ranking=gallery_ranking(gallery))
    renewed = model.identity != gallery.model_identity
    items = report = None
    if table:
        source = replace(table_columns(run or folder.parent), **table)
        source = replace(source, attributes=gallery.schema.names)
        items, report = load_catalogue(source, schema=gallery.schema, check_pictures=False)
    change = renew_gallery if renewed else update_gallery
    summary = change(folder, model, add=items, remove=remove, encoding=encoding)
    return GalleryUpdate(summary, report, renewed)
