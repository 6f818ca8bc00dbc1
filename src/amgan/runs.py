"""What is done with a run folder once it stands: encode a catalogue, measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amgan.config import ExperimentConfig, config_from_dict
from amgan.evaluation.report import Protocol
from amgan.experiment import (
    Evaluation,
    build_untrained,
    evaluate_model,
    load_catalogue,
    load_data,
    read_run_config,
)
from amgan.experiment.fusing import fuse_model
from amgan.gallery.store import Gallery, build_gallery
from amgan.methods.description import RankingChoice
from amgan.methods.model_file import load_model
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
    batch_size: int = 256,
    device: str = "auto",
    ranking: RankingChoice = RankingChoice.auto,
) -> Gallery:
    """Encode a catalogue with a run's best model into a gallery folder.

    Args:
        run: run folder.
        folder: gallery folder, made where it is missing.
        catalogue: fields of `CatalogueConfig` in which the catalogue differs from the run's own.
        batch_size: pictures held in memory at once.
        device: auto, cpu, cuda or cuda:N.
        ranking: what the gallery is ranked by; a fused one can also be asked for the pure order.

    Raises:
        ValueError: no model, no catalogue, or one with other attributes than the model's.
    """
    model = load_model(run, device, ranking=ranking)
    source = replace(load_run_config(run).catalogue, **(catalogue or {}))
    items, _ = load_catalogue(source, schema=model.schema, check_pictures=False)
    return build_gallery(folder, model, items, batch_size=batch_size, progress=track)


def evaluate_run(
    run: Path,
    protocols: Sequence[Protocol] = ("paper", "unseen"),
    *,
    split: str = "test",
    triplets: Path | None = None,
    beside: Sequence[str] = (),
    device: str = "auto",
    ranking: RankingChoice = RankingChoice.pure,
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
            where the model has none yet.

    Raises:
        ValueError: no model, an unknown ranker, or triplets that do not agree with the catalogue.
    """
    config = load_run_config(run)
    asked = replace(config.triplets, path=str(triplets or run / "triplets.jsonl"))
    data = load_data(replace(config, triplets=asked))
    if ranking is not RankingChoice.pure:
        fuse_model(run / "model.safetensors", data, config.training.metric)
    model = load_model(run, device, ranking=ranking)
    rankers = [model, *(build_untrained(name, model) for name in beside)]
    for protocol in protocols:
        for ranker in rankers:
            yield evaluate_model(ranker, data, split=split, protocol=protocol)
