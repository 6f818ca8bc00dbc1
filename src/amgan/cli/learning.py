"""Commands that learn and measure: train, evaluate."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.errors import CommandFailure, resumable
from amgan.cli.options import (
    AsJson,
    Attributes,
    Configs,
    Device,
    Image,
    ItemId,
    Product,
    Run,
    Separator,
    Settings,
    Several,
    Split,
    Strict,
    Table,
    TableOptions,
    examples,
    read_config,
)
from amgan.methods.ranking import RankingChoice
from amgan.run_folder import RunFolder

if TYPE_CHECKING:
    from amgan.evaluation.report import Protocol

PANEL = "Learn and measure"
TRAIN_EXAMPLES = examples(
    "amgan train tops.csv -a category,colour,sleeve --image photo --id sku",
    "amgan train -c tops.toml -c scales/small --run runs/small",
    "amgan train -c tops.toml -c short/amgan-t -s training.epochs=5",
    "torchrun --nproc-per-node 4 -m amgan train tops.csv -a category,colour",
)
EVALUATE_EXAMPLES = examples(
    "amgan evaluate --run runs/short",
    "amgan evaluate --run runs/short --protocol unseen --per-query",
)


class ProtocolName(StrEnum):
    """Which gallery an evaluation ranks."""

    paper = "paper"
    unseen = "unseen"
    both = "both"


_PROTOCOLS: dict[ProtocolName, tuple[Protocol, ...]] = {
    ProtocolName.paper: ("paper",),
    ProtocolName.unseen: ("unseen",),
    ProtocolName.both: ("paper", "unseen"),
}


class SplitName(StrEnum):
    """Which triplets an evaluation asks."""

    val = "val"
    test = "test"


def register(app: typer.Typer) -> None:
    """Add this file's commands to the application."""
    app.command(rich_help_panel=PANEL, epilog=TRAIN_EXAMPLES)(train)
    app.command(rich_help_panel=PANEL, epilog=EVALUATE_EXAMPLES)(evaluate)


def train(
    table: Table = None,
    method: Annotated[
        str, typer.Option("--method", "-m", metavar="NAME", help="Such as amgan-p or amgan-t.")
    ] = "",
    run: Run = Path("run"),
    attributes: Attributes = "",
    image: Image = "",
    item_id: ItemId = "",
    product: Product = "",
    split: Split = "",
    separator: Separator = "",
    several: Several = None,
    configs: Configs = None,
    settings: Settings = None,
    strict: Strict = False,
) -> None:
    """Train a method on a catalogue and leave a run folder.

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

    options = TableOptions(table, attributes, image, item_id, product, split, separator, several)
    chosen = [f'method="{method}"'] if method else []
    config = read_config(configs, options, [*chosen, *(settings or [])])
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


def evaluate(
    run: Run = Path("run"),
    protocol: Annotated[
        ProtocolName, typer.Option(help="Gallery: all items (paper), or test items only (unseen).")
    ] = ProtocolName.both,
    split: Annotated[SplitName, typer.Option(help="Triplets to ask.")] = SplitName.test,
    triplets: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Triplet file.  [default: the run's own]"),
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RANKER",
            help="Also measure random, nearest-picture, or unmanipulated (the model, changes "
            "ignored); can be repeated.",
            show_default=False,
        ),
    ] = None,
    ranking: Annotated[
        RankingChoice,
        typer.Option(
            help="The method's own (pure), or fused with what the classifiers see; auto measures "
            "both where the model draws prototypes."
        ),
    ] = RankingChoice.auto,
    per_query: Annotated[
        bool, typer.Option("--per-query", help="Also write every query's values (Parquet).")
    ] = False,
    as_json: AsJson = False,
    device: Device = "auto",
) -> None:
    """Measure a trained model on the triplets of a split.

    Writes a report in JSON and Markdown to evaluation/ in the run folder. The gallery is ranked by
    the same search that serves users.
    """
    from amgan.cli.printing import print_evaluations
    from amgan.workflows.evaluate import evaluate_run

    galleries = _PROTOCOLS[protocol]
    found = list(
        evaluate_run(
            run,
            galleries,
            split=split,
            triplets=triplets,
            beside=beside or (),
            device=device,
            ranking=ranking,
        )
    )
    folder = RunFolder(run).evaluation
    paths = []
    for evaluation in found:
        name = evaluation.report.method
        place = folder / name if name in (beside or ()) else folder
        place = place / "fused" if evaluation.report.ranking == "fused" else place
        paths.append(evaluation.save(place, per_query=per_query))
    print_evaluations([evaluation.report for evaluation in found], as_json=as_json)
    for path in paths:
        typer.echo(f"report: {path}", err=True)
