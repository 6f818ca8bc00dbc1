"""Encode a catalogue with a run's model, and change what was encoded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from amgan.catalogue.left_out import save_left_out
from amgan.catalogue.records import Catalogue
from amgan.catalogue.validation import ValidationReport
from amgan.config import CatalogueConfig, load_run_config
from amgan.gallery.encoding.blocks import DEFAULT_OPTIONS, EncodingOptions
from amgan.gallery.engines.settings import parse_engine
from amgan.gallery.manifest import TableReading
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
    strict: bool = False,
    tell: Callable[[ValidationReport], None] | None = None,
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
        strict: raise on any bad row, label or picture instead of leaving it out.
        tell: called with what was found in the table, before anything is encoded.

    Raises:
        ValueError: no model, no catalogue, one with other attributes than the model's, or an engine
            that cannot be read.
    """
    parse_engine(engine)
    model = load_model(run, device, ranking=ranking)
    source = replace(load_run_config(run).catalogue, **(catalogue or {}))
    items, report = load_catalogue(
        source, schema=model.schema, strict=strict, check_pictures=strict
    )
    if tell is not None:
        tell(report)
    built = build_gallery(
        folder,
        model,
        items,
        engine=engine,
        encoding=replace(encoding, limits=source.limits),
        ranking=ranking,
        trust_labels=trust_labels,
        table=table_reading(source),
    )
    save_left_out(report, folder)
    return built


def table_reading(config: CatalogueConfig) -> TableReading | None:
    """What a gallery keeps of how its table was read; None where it was no table."""
    if config.reader != "table":
        return None
    return TableReading(
        config.image,
        config.item_id,
        config.product,
        config.split,
        config.separator,
        config.several,
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
    strict: bool = False,
    verify: bool = False,
    pictures: Path | None = None,
) -> GalleryUpdate:
    """Add, replace and remove items of a gallery folder in one step.

    Args:
        folder: gallery folder.
        table: items to add or replace, as fields of `CatalogueConfig`. What is not named is as in
            the table that the gallery was made from.
        remove: ids of items to remove.
        run: run folder or model file to encode with; where it is another model than the gallery's,
            every item is encoded anew, with the ranking that the gallery was indexed with. None
            takes the gallery's own copy.
        encoding: who encodes, in blocks of how many pictures; with limits and progress.
        device: auto, cpu, cuda or cuda:N.
        strict: raise on any bad row, label or picture instead of leaving it out.
        verify: compare the content of pictures whose size and time are the same.
        pictures: folder of the pictures that the gallery has; see `open_gallery`.

    Raises:
        ValueError: no gallery, no model, a model with other attributes, one without the fused
            ranking that the gallery was indexed for, or a table that cannot be used.
    """
    gallery = open_gallery(folder, engine="faiss://exact", pictures=pictures)
    try:
        model = load_gallery_model(gallery, device, run)
    except GalleryError:
        assert run is not None  # the copy is the model that encoded the gallery
        model = load_model(run, device, ranking=gallery_ranking(gallery))
    renewed = model.identity != gallery.model_identity
    items = report = None
    if table:
        source = replace(_columns(gallery, run or folder.parent), **table)
        _require_id_column(gallery, source)
        source = replace(source, attributes=gallery.schema.names)
        encoding = replace(encoding, limits=source.limits)
        items, report = load_catalogue(
            source, schema=gallery.schema, strict=strict, check_pictures=strict
        )
        save_left_out(report, folder)
    if renewed:
        summary = renew_gallery(
            folder, model, add=items, remove=remove, encoding=encoding, pictures=pictures
        )
    else:
        summary = update_gallery(
            folder,
            model,
            add=items,
            remove=remove,
            encoding=encoding,
            verify=verify,
            pictures=pictures,
        )
    return GalleryUpdate(summary, report, renewed)


def _columns(gallery: Gallery, run: Path) -> CatalogueConfig:
    """How the table of a gallery was read, as the gallery itself tells, else the run."""
    known = gallery.manifest.table
    return table_columns(run) if known is None else CatalogueConfig(**asdict(known))


def _require_id_column(gallery: Gallery, source: CatalogueConfig) -> None:
    """Raise where ids would be picture paths, and those of the gallery are none.

    Raises:
        GalleryError: a gallery that does not tell how its table was read, and no column of ids.
    """
    if source.item_id or gallery.manifest.table is not None or not len(gallery):
        return
    item = gallery[0]
    if not item.image.as_posix().endswith(item.item_id.replace("\\", "/")):
        raise GalleryError(
            f"{gallery.folder}: does not tell which column its ids, such as {item.item_id!r}, "
            "were read from; name it with --id"
        )
