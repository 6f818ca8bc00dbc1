"""Prototype quality: closeness to a true picture, and what a judge trained apart sees.

The judge is the posterior ranker's network, trained on the same data with another seed; it takes no
part in any row. The true picture is the target's, and, on rendered garments, also the exact
counterfactual: the reference's own garment, photographed in the same way, after the changes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from amgan.catalogue.studio import STUDIO_SCHEMA, counterfactual, load_garments, render_garment
from amgan.config import ExperimentConfig
from amgan.errors import InputError
from amgan.evaluation.metrics import mean_of_defined
from amgan.evaluation.quality import (
    SSIM_WINDOW,
    compute_frechet_distance,
    compute_judged_accuracy,
    compute_l1,
    compute_ssim,
)
from amgan.images import ImageSettings, Pixels, prepare_picture
from amgan.methods.model_file import load_model
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.workflows.data import ExperimentData
from amgan.workflows.edits import judge_features
from amgan.workflows.train import train_experiment

Quality = dict[str, float]
MOST_QUERIES = 2000
_JUDGE_SEED = 1_000_003


def train_judge(config: ExperimentConfig, folder: Path, data: ExperimentData) -> TrainedModel:
    """The judge for a suite's pictures, trained once."""
    own = replace(
        config,
        method="posterior",
        options={},
        training=replace(config.training, seed=config.training.seed + _JUDGE_SEED),
    )
    return load_model(train_experiment(own, folder, data), config.training.device)


def compute_quality(
    judge: TrainedModel,
    prototypes: Pixels,
    data: ExperimentData,
    exact: Pixels | None = None,
) -> Quality:
    """Means over the test queries that were drawn, `prototypes` (N, H, W, 3) the first of them.

    Returns:
        l1, ssim (to the target), exact_l1, exact_ssim (to the counterfactual, where given), judged,
        judged_wanted, judged_kept, frechet.
    """
    triplets = data.triplets.in_split("test").select(np.arange(len(prototypes)))
    target = np.asarray(data.pixels[triplets.target])
    quality = _closeness(prototypes, target)
    if exact is not None:
        quality |= {f"exact_{k}": v for k, v in _closeness(prototypes, exact).items()}
    probabilities = judge.predict_attributes(prototypes)
    assert probabilities is not None
    judged = compute_judged_accuracy(
        probabilities,
        data.catalogue.schema,
        target_labels=data.catalogue.labels[triplets.target],
        changed=triplets.changed(data.catalogue),
    )
    quality |= {name: mean_of_defined(values)[0] for name, values in judged.items()}
    if len(prototypes) > 1:
        quality["frechet"] = compute_frechet_distance(
            judge_features(judge, prototypes), judge_features(judge, target)
        )
    return quality


def _closeness(drawn: Pixels, truth: Pixels) -> Quality:
    closeness = {"l1": float(compute_l1(drawn, truth).mean())}
    if min(truth.shape[1:3]) >= SSIM_WINDOW:
        closeness["ssim"] = float(compute_ssim(drawn, truth).mean())
    return closeness


def draw_test_prototypes(model: TrainedModel, data: ExperimentData) -> Pixels | None:
    """Prototypes of the first test queries, None where the method draws none."""
    triplets = data.triplets.in_split("test")
    triplets = triplets.select(np.arange(min(MOST_QUERIES, len(triplets))))
    return model.draw_prototypes(
        QueryArrays(
            np.asarray(data.pixels[triplets.reference]),
            triplets.indicator(data.catalogue),
            data.catalogue.labels[triplets.reference],
        )
    )


def draw_counterfactuals(
    data: ExperimentData, table: Path, images: ImageSettings, rows: NDArray[np.int64]
) -> Pixels | None:
    """Exact counterfactuals of test queries; None for a catalogue of photographs.

    Args:
        data: queries.
        table: the catalogue's table; rendered garments have their description beside it.
        images: preprocessing.
        rows: which test queries.
    """
    try:
        garments = load_garments(table)
    except InputError:
        return None
    catalogue, schema = data.catalogue, data.catalogue.schema
    triplets = data.triplets.in_split("test").select(rows)
    drawn = np.empty((len(rows), images.height, images.width, 3), np.uint8)
    for number, (reference, indicator) in enumerate(
        zip(triplets.reference, triplets.indicator(catalogue), strict=True)
    ):
        asked = {
            c.attribute: c.wanted for c in schema.changes(catalogue.labels[reference], indicator)
        }
        whole = STUDIO_SCHEMA.one_hot(np.array([STUDIO_SCHEMA.encode(asked)], np.int16))[0]
        garment = counterfactual(garments[catalogue.item_ids[reference]], whole)
        with Image.open(catalogue.images[reference]) as picture:
            width, height = picture.size
        rendered = Image.fromarray(render_garment(garment, height, width))
        drawn[number] = prepare_picture(rendered, images)
    return drawn
