"""Trains a model on rendered garments: renders, trains by stages, judges, packs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from amgan.catalogue.studio.families import load_families, render_families
from amgan.catalogue.studio.writing import write_studio_catalogue
from amgan.config import config_from_dict
from amgan.devices import choose_compute
from amgan.evaluation.provenance import commit_id
from amgan.methods.description import ModelDescription
from amgan.methods.facts import ModelFacts
from amgan.methods.method import Method
from amgan.methods.model_file import load_model, save_model
from amgan.methods.trained import TrainedModel
from amgan.progress import track
from amgan.run_folder import RunFolder
from amgan.training.families import FamilyBatches
from amgan.training.loop import Trainer, TrainingConfig
from amgan.training.run_log import RunLog
from amgan.workflows.data import load_data
from amgan.workflows.edits import EditQuality, load_held_out, measure_edits
from amgan.workflows.fit import fit_model
from amgan.workflows.recipe import Recipe, Stage

FITTED_ITEMS = 3000
# Training aids that the packed model does without.
_PACKED = {"average": 0.0, "critic_widths": ()}


def pretrain(
    folder: Path, recipe: Recipe, announce: Callable[[str], None] = lambda step: None
) -> tuple[Path, EditQuality]:
    """Do everything that is not done yet; returns the packed model's file and its quality.

    Args:
        folder: pictures, run folders and model are written here.
        recipe: what to make.
        announce: told each step as it begins.

    Raises:
        InputError: the folder holds another recipe's work.
        TrainingDivergedError: a loss term became non-finite.
        KeyboardInterrupt: stopped by a signal, after the state was saved.
    """
    for name, seed, blocks in _rooms(recipe):
        announce(f"Rendering {blocks} blocks of families: {name}")
        render_families(folder / name, recipe.families(seed, blocks), progress=track)
    announce("Training the judge")
    judge = _train_judge(folder, recipe)
    weights: Mapping[str, torch.Tensor] = {}
    for stage in recipe.stages:
        announce(f"Training: {stage.name}")
        weights = _train_stage(folder, recipe, stage, weights)
    announce("Fitting confidence and ranking, measuring")
    return _pack(folder, recipe, weights, judge)


def _rooms(recipe: Recipe) -> tuple[tuple[str, int, int], ...]:
    """Folder, seed and blocks of each set of families."""
    return (
        ("families", recipe.seed, recipe.blocks),
        ("judge-families", recipe.judge.seed, recipe.judge.blocks),
        ("held-out-families", recipe.held_out_seed, 1),
    )


def _batches(
    folder: Path, recipe: Recipe, name: str, steps: int, training: TrainingConfig
) -> FamilyBatches:
    seeds = {room: (seed, blocks) for room, seed, blocks in _rooms(recipe)}
    blocks = load_families(folder / name, recipe.families(*seeds[name]))
    return FamilyBatches(
        blocks,
        recipe.schema,
        steps=steps,
        batch_size=training.batch_size,
        seed=training.seed,
        flip=training.flip,
    )


def _train_judge(folder: Path, recipe: Recipe) -> TrainedModel:
    plan = recipe.judge
    description = ModelDescription(
        "posterior", {}, recipe.schema, recipe.images, plan.network, _facts(recipe)
    )
    batches = _batches(folder, recipe, "judge-families", plan.steps, plan.training)
    return _train(folder / "judge", description, batches, plan.training, {})


def _train_stage(
    folder: Path, recipe: Recipe, stage: Stage, weights: Mapping[str, torch.Tensor]
) -> Mapping[str, torch.Tensor]:
    description = _describe(recipe, stage.options)
    batches = _batches(folder, recipe, "families", stage.steps, stage.training)
    model = _train(folder / stage.name, description, batches, stage.training, weights)
    found: Mapping[str, torch.Tensor] = model.method.state_dict()
    return found


def _describe(recipe: Recipe, options: Mapping[str, Any]) -> ModelDescription:
    return ModelDescription(
        recipe.method,
        options,
        recipe.schema,
        recipe.images,
        recipe.network,
        _facts(recipe),
    )


def _facts(recipe: Recipe) -> ModelFacts:
    return ModelFacts("rendered garments", recipe.seed, commit_id(), recipe=recipe.digest)


def _train(
    folder: Path,
    description: ModelDescription,
    batches: FamilyBatches,
    training: TrainingConfig,
    weights: Mapping[str, torch.Tensor],
) -> TrainedModel:
    """The model after its last step, not the best of a few validations."""
    torch.manual_seed(training.seed)
    method = description.build()
    start_from(method, weights)
    log = RunLog(RunFolder(folder))
    file = log.folder.model
    compute = choose_compute(training.device, training.precision)

    def save() -> None:
        save_model(file, method, description)

    fingerprint = f"{description.facts.recipe} {folder.name}"
    Trainer(method, batches, training, log, fingerprint, save).train()
    return TrainedModel(method, description, compute)


def start_from(method: Method, weights: Mapping[str, torch.Tensor]) -> None:
    """Take over those weights that the method has under the same name and in the same shape."""
    own = method.state_dict()
    own.update(
        {
            name: value
            for name, value in weights.items()
            if name in own and own[name].shape == value.shape
        }
    )
    method.load_state_dict(own)


def _pack(
    folder: Path, recipe: Recipe, weights: Mapping[str, torch.Tensor], judge: TrainedModel
) -> tuple[Path, EditQuality]:
    """The last stage's weights without training aids, rounded to half precision, and measured."""
    description = _describe(recipe, {**recipe.stages[-1].options, **_PACKED})
    method = description.build()
    start_from(method, weights)
    method.half().float()
    path = folder / "model.safetensors"
    save_model(path, method, description)
    _fit(path, folder, recipe)
    model = load_model(path)
    settings = recipe.families(recipe.held_out_seed, 1)
    edits = load_held_out(folder / "held-out-families", settings, recipe.schema)
    quality = measure_edits(model, judge, edits)
    facts = replace(model.description.facts, quality=quality.to_dict())
    save_model(path, model.method, replace(model.description, facts=facts), half=True)
    return path, quality


def _fit(path: Path, folder: Path, recipe: Recipe) -> None:
    """Confidence and the fused ranking's weights, on a rendered catalogue of its own."""
    table = write_studio_catalogue(
        folder / "catalogue", FITTED_ITEMS, recipe.catalogue_seed, progress=track
    )
    config = config_from_dict(
        {
            "method": recipe.method,
            "catalogue": studio_columns(table, recipe.attributes),
            "triplets": {"seed": recipe.catalogue_seed},
            "images": asdict(recipe.images),
        }
    )
    data = load_data(config, schema=recipe.schema, cache=folder / "cache")
    fit_model(path, data, config.training.metric)


def studio_columns(table: Path, attributes: Sequence[str]) -> dict[str, object]:
    """The catalogue settings of a rendered catalogue."""
    return {
        "path": str(table),
        "attributes": tuple(attributes),
        "item_id": "item_id",
        "product": "product",
        "split": "split",
    }
