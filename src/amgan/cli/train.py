"""The command that trains a model: train."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import CommandFailure, resumable
from amgan.cli.options import (
    LEARN,
    TUNED,
    UNTUNED,
    Configs,
    Run,
    Settings,
    Strict,
    TableOptions,
    examples,
    read_config,
    takes_table,
)
from amgan.errors import SettingsError

EXAMPLES = examples(
    "amgan train tops.csv -a category,colour,sleeve --image photo --id sku",
    "amgan train tops.csv -a category,colour,sleeve --image photo --id sku --fine-tune",
    "amgan train -c tops.toml -c scales/small --run runs/small",
    "amgan train -c tops.toml -c short/amgan-t -s training.epochs=5",
    "torchrun --nproc-per-node 4 -m amgan train tops.csv -a category,colour",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=LEARN, epilog=EXAMPLES)(train)


@takes_table
def train(
    source: TableOptions,
    method: Annotated[
        str,
        typer.Option(
            "--method", "-m", metavar="NAME", help="Such as amgan-t; heads where none is named."
        ),
    ] = "",
    fine_tune: Annotated[
        bool,
        typer.Option(
            "--fine-tune", help="Train the pretrained trunk of the heads too: better, and slower."
        ),
    ] = False,
    run: Run = Path("run"),
    configs: Configs = None,
    settings: Settings = None,
    strict: Strict = False,
) -> None:
    """Train a method on a catalogue and leave a run folder.

    Where no option and no settings file names a method, attribute and style heads are trained on
    a pretrained trunk: minutes, without a GPU. `amgan presets` lists the paper's methods.
    A run that was interrupted goes on when the same command is given again. The best model by the
    validation metric is kept; log.jsonl, tensorboard/ and prototypes/ show how it went, and
    left-out.jsonl names every row, label and picture that could not be used.
    """
    from amgan.catalogue.left_out import LEFT_OUT_FILE
    from amgan.cli.printing import print_picture, strictly, tell_report
    from amgan.workflows.data import load_data
    from amgan.workflows.outcome import describe_training
    from amgan.workflows.picture import measure_run
    from amgan.workflows.train import train_experiment

    chosen = [f'method="{method}"'] if method else []
    fallback = TUNED if fine_tune else UNTUNED
    config = read_config(configs, source, [*chosen, *(settings or [])], fallback)
    if fine_tune and not config.options.get("fine_tune"):
        raise SettingsError("--fine-tune is for heads; leave it out with another method")
    with resumable("what was learned is kept; give the same command again to go on"), diverging():
        with strictly(strict):
            data = load_data(config, strict=strict)
        tell_report(data.report, run / LEFT_OUT_FILE)
        model = train_experiment(config, run, data)
    typer.echo(describe_training(config, run))
    print_picture(measure_run(run, data))
    typer.echo(f"best model: {model}")
    typer.echo(f"next: {shlex.join(['amgan', 'index', '--run', str(run)])}")


@contextmanager
def diverging() -> Iterator[None]:
    """Tell a loss that is not finite as a failure of the run, not of its input."""
    from amgan.training.loss_log import TrainingDivergedError

    try:
        yield
    except TrainingDivergedError as error:
        raise CommandFailure(str(error)) from None
