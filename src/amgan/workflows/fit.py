"""What is fitted to a trained model on validation data: temperatures, weights of the ranking."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amgan.attributes import MISSING
from amgan.evaluation import calibration
from amgan.evaluation.metrics import compute_query_metrics
from amgan.gallery.gallery import Gallery
from amgan.methods.facts import ModelFacts
from amgan.methods.fusion import FusionWeights, fused_query_vectors
from amgan.methods.heads import HeadsRanker
from amgan.methods.model_file import load_model, save_model
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.search import SearchService
from amgan.workflows.data import ExperimentData, evenly, places_among
from amgan.workflows.features import look_at
from amgan.workflows.fit_heads import fit_heads

DISTANCES = tuple(2.0**power for power in range(-6, 5))
CHANGED = (0.5, 1.0, 2.0, 4.0)
_QUERIES = 2000
_ITEMS = 20_000
_RANKED = 1000


def fit_model(path: Path, data: ExperimentData, metric: str) -> None:
    """Fit what a model file does not have yet; it is read once, and written once if at all.

    Args:
        path: model file.
        data: its validation split is used.
        metric: that the weights of a fused ranking are to make largest.
    """
    model = load_model(path)
    heads = model.method if isinstance(model.method, HeadsRanker) else None
    if heads is not None:
        fit_heads(model, heads, data)
    facts = fit_facts(model, data, metric)
    if heads is not None or facts != model.description.facts:
        save_model(path, model.method, replace(model.description, facts=facts))


def fit_facts(model: TrainedModel, data: ExperimentData, metric: str) -> ModelFacts:
    """The facts of a model, those that it lacks and that can be fitted with it; no file is touched.

    Args:
        model: trained; ranks by its own metric.
        data: its validation split is used.
        metric: that the weights of a fused ranking are to make largest.
    """
    facts = model.description.facts
    if facts.temperatures is None:
        facts = replace(facts, temperatures=fit_temperatures(model, data))
    if facts.fusion is None and model.method.fusible and len(data.triplets.in_split("val")):
        facts = replace(facts, fusion=choose_fusion(model, data, metric))
    return facts


def fit_temperatures(model: TrainedModel, data: ExperimentData) -> dict[str, float] | None:
    """A temperature for each attribute, by name.

    None without a classifier or without validation items.
    """
    rows = data.catalogue.rows_in_split("val")
    logits = model.attribute_logits(look_at(model, data, rows)) if len(rows) else None
    if logits is None:
        return None
    fitted = calibration.fit_temperatures(logits, data.catalogue.labels[rows], model.schema.slices)
    return dict(zip(model.schema.names, fitted, strict=True))


def choose_fusion(model: TrainedModel, data: ExperimentData, metric: str) -> FusionWeights:
    """The best weights of a grid on validation queries; the first of equally good ones.

    Args:
        model: of a fusible method.
        data: with triplets in the validation split; at most 2,000 are asked, at most 20,000 items
            ranked.
        metric: that is to be largest.
    """
    catalogue, triplets = data.catalogue, data.triplets.in_split("val")
    triplets = triplets.select(evenly(len(triplets), _QUERIES))
    rows = catalogue.rows_in_split("val")
    needed = np.unique(np.concatenate([triplets.reference, triplets.target]))
    rows = np.union1d(needed, rows[evenly(len(rows), _ITEMS)])
    places = places_among(rows, len(catalogue))

    start = FusionWeights(1.0, 1.0)
    facts = replace(model.description.facts, ranking="fused", fusion=start)
    fused = model.with_facts(facts)
    gallery = Gallery.in_memory(fused, catalogue.subset(rows), data.pixels[rows])
    service = SearchService(fused, gallery)
    indicator = triplets.indicator(catalogue)
    pixels = data.pixels[triplets.reference]
    embeddings = torch.from_numpy(model.encode_queries(QueryArrays(pixels, indicator)))
    logits = model.attribute_logits(pixels)
    assert logits is not None
    asked = torch.from_numpy(np.asarray(indicator, np.float32))
    alike = torch.ones(len(triplets), catalogue.schema.num_attributes)
    unknown = torch.full((len(triplets), catalogue.schema.num_attributes), MISSING)
    own = places[triplets.reference][:, None]
    judged: dict[str, Any] = {
        "gallery_labels": catalogue.labels[rows],
        "target_labels": catalogue.labels[triplets.target],
        "changed": triplets.changed(catalogue),
        "target_rows": places[triplets.target],
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
        found = service.rank_vectors(vectors, min(_RANKED, len(rows) - 1), exclude=own)
        return float(np.nanmean(compute_query_metrics(found.rows, **judged)[metric]))

    grid = [FusionWeights(*pair) for pair in product(DISTANCES, CHANGED)]
    return max(grid, key=value)
