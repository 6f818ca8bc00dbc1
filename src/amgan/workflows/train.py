"""From a configuration to a run folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from amgan.catalogue.left_out import save_left_out
from amgan.catalogue.records import Catalogue
from amgan.config import ExperimentConfig
from amgan.devices import choose_compute
from amgan.errors import InputError, SettingsError
from amgan.evaluation.provenance import commit_id
from amgan.features.views import VIEWS
from amgan.methods.compiled import compiled_file
from amgan.methods.description import ModelDescription
from amgan.methods.facts import ModelFacts
from amgan.methods.method import Method
from amgan.methods.model_file import load_model, save_model, start_from
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.queries import save_triplets
from amgan.run_folder import RunFolder
from amgan.training.checkpoint import read_fingerprint
from amgan.training.data import Batches, TripletBatches
from amgan.training.labelled import LabelledBatches
from amgan.training.loop import Trainer
from amgan.training.run_log import RunLog
from amgan.workflows.data import ExperimentData, evenly, load_data
from amgan.workflows.evaluate import evaluate_model
from amgan.workflows.features import prepare_features, spread_features
from amgan.workflows.fit import fit_model
from amgan.workflows.outcome import FREE_SETTINGS, describe_other_run

_PREVIEWED = 12
# Another schema changes little but the classifiers; with less than this, nothing would be gained.
_FEWEST_TAKEN = 0.5


def describe_model(config: ExperimentConfig, catalogue: Catalogue) -> ModelDescription:
    """The model that `config` trains on `catalogue`."""
    return ModelDescription(
        config.method,
        config.to_dict()["options"],
        catalogue.schema,
        config.images,
        config.network,
        ModelFacts(catalogue.name, config.training.seed, commit_id()),
    )


def train_experiment(
    config: ExperimentConfig,
    folder: Path,
    data: ExperimentData | None = None,
    announce: Callable[[str], None] = lambda text: None,
) -> Path:
    """Train in a run folder, or continue where it was left; returns the best model's file.

    Args:
        config: what to train.
        folder: the run folder.
        data: what to learn from; None loads it.
        announce: told what the weights start from.

    Raises:
        ValueError: the folder holds a run of another configuration, or as `load_data`.
        TrainingDivergedError: a loss term became non-finite.
        KeyboardInterrupt: stopped by a signal, after the state was saved.
    """
    data = data or load_data(config)
    run = RunFolder(folder)
    _check_same_run(run, config, data)
    log = RunLog(run)
    log.write_config(config.to_dict())
    save_left_out(data.report, folder)
    save_triplets(data.triplets, data.catalogue, run.triplets)
    torch.manual_seed(config.training.seed)
    description = describe_model(config, data.catalogue)
    method = description.build()
    method.load_pretrained()
    if config.start and not run.checkpoint.exists():
        announce(_start(method, Path(config.start)))
    compute = choose_compute(config.training.device, config.training.precision)
    model = TrainedModel(method, description, compute)
    learns = bool(method.phases())
    if learns:
        _trainer(config, data, log, model).train()
    else:
        save_model(run.model, method, description)
    # Before anything is fitted: fitting looks through the same network, and leaves it as it is.
    load_model(run.model, "cpu").save_compiled(compiled_file(run.model))
    if learns:
        fit_model(run.model, data, config.training.metric)
    return run.model


def _start(method: Method, path: Path) -> str:
    """Take a model's weights; says how many fitted."""
    taken = start_from(method, load_model(path, "cpu").method.state_dict())
    if taken < _FEWEST_TAKEN:
        raise SettingsError(
            f"start: only {taken:.0%} of this method's weights are in {path} under the same name "
            "and in the same shape; give a model of the same method and the same network sizes",
            field="start",
        )
    return f"starting from {path}: {taken:.1%} of the weights fit, the others are random"


def _trainer(
    config: ExperimentConfig, data: ExperimentData, log: RunLog, model: TrainedModel
) -> Trainer:
    validation = data.triplets.in_split("val")
    batches = _batches(config, data, model)

    def validate() -> dict[str, float]:
        return evaluate_model(_to_measure(model), data, split="val", protocol="unseen").means()

    def preview(epoch: int) -> None:
        shown = validation.select(evenly(len(validation), _PREVIEWED))
        reference = np.asarray(data.pixels[shown.reference])
        drawn = model.draw_prototypes(QueryArrays(reference, shown.indicator(data.catalogue)))
        if drawn is not None:
            log.save_prototypes(epoch, (reference, drawn, np.asarray(data.pixels[shown.target])))

    return Trainer(
        model.method,
        batches,
        config.training,
        log,
        _fingerprint(config, data),
        lambda: save_model(log.folder.model, model.method, model.description),
        validate if len(validation) else None,
        preview if len(validation) else None,
    )


def _batches(config: ExperimentConfig, data: ExperimentData, model: TrainedModel) -> Batches:
    """What the method learns from; features are computed first where they will do."""
    rows = data.catalogue.rows_in_split("train")
    if not model.method.learns_labels:
        return TripletBatches(
            data.catalogue,
            data.pixels,
            data.triplets.in_split("train"),
            rows,
            batch_size=config.training.batch_size,
            seed=config.training.seed,
            flip=config.training.flip,
            variants=config.training.variants,
        )
    on_pictures = model.method.trains_on_pictures
    prepare_features(model, data)
    views = [] if on_pictures else [spread_features(model, data, rows, view) for view in VIEWS]
    return LabelledBatches(
        data.catalogue,
        rows,
        pixels=data.pixels if on_pictures else None,
        views=views,
        batch_size=config.training.batch_size,
        seed=config.training.seed,
    )


def _to_measure(model: TrainedModel) -> TrainedModel:
    """The model for measuring it: another where the trunk is trained, compiled with its weights."""
    if not model.method.takes_features or not model.method.trains_on_pictures:
        return model
    return TrainedModel(model.method, model.description, model.compute, model.batch_size)


def _check_same_run(run: RunFolder, config: ExperimentConfig, data: ExperimentData) -> None:
    """Raise ValueError where the folder's checkpoint is of another run; nothing is written yet."""
    found = read_fingerprint(run.checkpoint) if run.checkpoint.exists() else None
    if found in (None, _fingerprint(config, data)):
        return
    then = run.read_config() if run.config.is_file() else None
    raise InputError(describe_other_run(run.path, then, config.to_dict()))


def _fingerprint(config: ExperimentConfig, data: ExperimentData) -> str:
    values = config.to_dict()
    for name in FREE_SETTINGS:
        del values["training"][name]
    del values["catalogue"], values["triplets"]
    values["data"] = data.digest
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
