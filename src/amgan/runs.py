"""What is done with a run folder once it stands: encode a catalogue, change it, measure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amgan.catalogue.pixels import open_pixels
from amgan.catalogue.validation import ValidationReport
from amgan.config import CatalogueConfig, ExperimentConfig, config_from_dict
from amgan.evaluation.calibration_report import CalibrationReport
from amgan.evaluation.report import Protocol
from amgan.experiment import (
    Evaluation,
    build_untrained,
    cache_folder,
    choose_attributes,
    evaluate_model,
    keep_attributes,
    load_catalogue,
    load_data,
    measure_calibration,
    read_run_config,
)
from amgan.experiment.fusing import fuse_model
from amgan.gallery.blocks import DEFAULT_OPTIONS, EncodingOptions
from amgan.gallery.engine_settings import parse_engine
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
from amgan.progress import track


def load_run_config(run: Path) -> ExperimentConfig:
    """The configuration that a run was trained with.

    Raises:
        ValueError: not a run folder, or one of a version with other settings.
    """
    return config_from_dict(read_run_config(run))


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
        source = replace(_table_columns(run or folder.parent), **table)
        source = replace(source, attributes=gallery.schema.names)
        items, report = load_catalogue(source, schema=gallery.schema, check_pictures=False)
    change = renew_gallery if renewed else update_gallery
    summary = change(folder, model, add=items, remove=remove, encoding=encoding)
    return GalleryUpdate(summary, report, renewed)


def _table_columns(run: Path) -> CatalogueConfig:
    """The columns of a run's own table; plain ones where there is no run, or no table."""
    if not (run / "config.json").is_file():
        return CatalogueConfig()
    config = load_run_config(run).catalogue
    return config if config.reader == "table" else CatalogueConfig()


def evaluate_run(
    run: Path,
    protocols: Sequence[Protocol] = ("paper", "unseen"),
    *,
    split: str = "test",
    triplets: Path | None = None,
    beside: Sequence[str] = (),
    device: str = "auto",
    ranking: RankingChoice = RankingChoice.auto,
) -> Iterator[Evaluation]:
    """Measure a run's best model, one protocol after the other.

    Args:
        run: run folder.
        protocols: galleries to rank.
        split: which triplets to ask.
        triplets: triplet file; None takes the run's own.
        beside: rankers that need no training, measured after the model; see `build_untrained`.
        device: auto, cpu, cuda or cuda:N.
        ranking: the method's own, or fused, whose weights are chosen on validation queries first
            where the model has none yet; auto measures both where the model draws prototypes.

    Raises:
        ValueError: no model, an unknown ranker, or triplets that do not agree with the catalogue.
    """
    config = load_run_config(run)
    asked = replace(config.triplets, path=str(triplets or run / "triplets.jsonl"))
    data = load_data(replace(config, triplets=asked))
    if ranking is not RankingChoice.pure:
        fuse_model(run / "model.safetensors", data, config.training.metric)
    model = load_model(run, device, ranking=ranking)
    rankers = [model]
    if ranking is RankingChoice.auto and model.fusion is not None:
        rankers.insert(0, load_model(run, device, ranking=RankingChoice.pure))
    rankers += [build_untrained(name, model) for name in beside]
    for protocol in protocols:
        for ranker in rankers:
            yield evaluate_model(ranker, data, split=split, protocol=protocol)


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
    source = replace(_table_columns(run), **table) if table else load_run_config(run).catalogue
    split = split or ("all" if table else "test")
    if table:  # ids and products decide nothing here, nor do splits where all items are taken
        column = "" if split == "all" else source.split
        source = replace(source, item_id="", product="", split=column)
    source = replace(source, attributes=schema.names)
    catalogue, report = load_catalogue(source, schema=schema, check_pictures=table is not None)
    catalogue = keep_attributes(catalogue, schema.names)  # a reader gives all that it knows
    pixels = open_pixels(catalogue, model.images, cache_folder(), progress=track)
    found = measure_calibration(model, catalogue, pixels, split=split, bins=bins, progress=track)
    return found, report
