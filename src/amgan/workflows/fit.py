"""Weights of the fused ranking, chosen on validation queries."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amgan.attributes import MISSING
from amgan.evaluation.calibration import fit_temperature
from amgan.evaluation.metrics import compute_query_metrics
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.engines.protocol import places_kept
from amgan.methods.fusion import FusionWeights, fused_query_vectors
from amgan.methods.model_file import add_note, load_model
from amgan.methods.prototypes import PrototypeSearch
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel
from amgan.workflows.data import ExperimentData, evenly

DISTANCES = tuple(2.0**power for power in range(-6, 5))
CHANGED = (0.5, 1.0, 2.0, 4.0)
_QUERIES = 2000
_ITEMS = 20_000
_RANKED = 1000


def fuse_model(path: Path, data: ExperimentData, metric: str) -> None:
    """Choose the weights of a model's fused ranking and note them in its file.

    Nothing is done where the file has them, where the method draws no prototypes, or where there
    are no validation queries.

    Args:
        path: model file.
        data: its triplets of the validation split are asked, against that split's items.
        metric: that is to be largest.
    """
    model = load_model(path)
    if "fusion" in model.description.note or not isinstance(model.method, PrototypeSearch):
        return
    if not len(data.triplets.in_split("val")):
        return
    add_note(path, fusion=asdict(choose_fusion(model, data, metric)))


def calibrate_model(path: Path, data: ExperimentData) -> None:
    """Fit a temperature an attribute on validation items and note it in the model's file.

    Nothing is done where the file has them, where the method has no classifier, or where there
    are no validation items.
    """
    model = load_model(path)
    rows = data.catalogue.rows_in_split("val")
    if "temperatures" in model.description.note or not len(rows):
        return
    logits = model.attribute_logits(data.pixels[rows])
    if logits is None:
        return
    temperatures = {
        name: fit_temperature(logits[:, columns], data.catalogue.labels[rows, position])
        for position, (name, columns) in enumerate(
            zip(model.schema.names, model.schema.slices, strict=True)
        )
    }
    add_note(path, temperatures=temperatures)


def choose_fusion(model: TrainedModel, data: ExperimentData, metric: str) -> FusionWeights:
    """The best weights of a grid on validation queries; the first of equally good ones.

    Args:
        model: draws prototypes.
        data: with triplets in the validation split; at most 2,000 are asked, at most 20,000 items
            ranked.
        metric: that is to be largest.
    """
    catalogue, triplets = data.catalogue, data.triplets.in_split("val")
    triplets = triplets.select(evenly(len(triplets), _QUERIES))
    rows = catalogue.rows_in_split("val")
    needed = np.unique(np.concatenate([triplets.reference, triplets.target]))
    rows = np.union1d(needed, rows[evenly(len(rows), _ITEMS)])
    place = np.full(len(catalogue), -1, np.int64)
    place[rows] = np.arange(len(rows))

    start = FusionWeights(1.0, 1.0)
    note = {**model.description.note, "ranking": str(RankingChoice.fused), "fusion": asdict(start)}
    fused = TrainedModel(
        model.method, replace(model.description, note=note), model.compute, model.batch_size
    )
    engine = ExactEngine(fused.encode_gallery(data.pixels[rows]), fused.ranking_metric)
    indicator = triplets.indicator(catalogue)
    pixels = data.pixels[triplets.reference]
    embeddings = torch.from_numpy(model.encode_queries(pixels, indicator))
    logits = model.attribute_logits(pixels)
    assert logits is not None
    asked = torch.from_numpy(np.asarray(indicator, np.float32))
    alike = torch.ones(len(triplets), catalogue.schema.num_attributes)
    unknown = torch.full((len(triplets), catalogue.schema.num_attributes), MISSING)
    references = place[triplets.reference][:, None]
    judged: dict[str, Any] = {
        "gallery_labels": catalogue.labels[rows],
        "target_labels": catalogue.labels[triplets.target],
        "changed": triplets.changed(catalogue),
        "target_rows": place[triplets.target],
    }

    def value(weights: FusionWeights) -> float:
        vectors = fused_query_vectors(
            embeddings,
            torch.from_numpy(logits),
            asked,
            catalogue.schema.sizes,
            weights,
            alike,
            unknown,
        ).numpy()
        found = engine.search(vectors, min(_RANKED + 1, len(rows))).rows
        kept = places_kept(found, references, found.shape[1] - 1)
        ranked = np.take_along_axis(found, kept, 1)
        return float(np.nanmean(compute_query_metrics(ranked, **judged)[metric]))

    grid = [FusionWeights(*pair) for pair in product(DISTANCES, CHANGED)]
    return max(grid, key=value)
