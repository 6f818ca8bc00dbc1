"""One experiment from its configuration: data, training, evaluation."""

from amgan.experiment.assessing import RANKED, Evaluation, build_untrained, evaluate_model
from amgan.experiment.calibrating import choose_attributes, keep_attributes, measure_calibration
from amgan.experiment.data import (
    ExperimentData,
    cache_folder,
    choose_triplets,
    load_catalogue,
    load_data,
)
from amgan.experiment.learning import (
    calibrate_model,
    describe_model,
    read_run_config,
    train_experiment,
)
from amgan.experiment.outcome import describe_training

__all__ = [
    "RANKED",
    "Evaluation",
    "ExperimentData",
    "build_untrained",
    "cache_folder",
    "calibrate_model",
    "choose_attributes",
    "choose_triplets",
    "describe_model",
    "describe_training",
    "evaluate_model",
    "keep_attributes",
    "load_catalogue",
    "load_data",
    "measure_calibration",
    "read_run_config",
    "train_experiment",
]
