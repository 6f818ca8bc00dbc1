"""One experiment from its configuration: data, training, evaluation."""

from amgan.experiment.assessing import RANKED, Evaluation, build_untrained, evaluate_model
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

__all__ = [
    "RANKED",
    "Evaluation",
    "ExperimentData",
    "build_untrained",
    "cache_folder",
    "calibrate_model",
    "choose_triplets",
    "describe_model",
    "evaluate_model",
    "load_catalogue",
    "load_data",
    "read_run_config",
    "train_experiment",
]
