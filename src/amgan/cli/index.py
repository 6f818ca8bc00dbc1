"""The command that encodes a catalogue: index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.errors import resumable
from amgan.cli.options import (
    ENCODING_ADVICE,
    SEARCH,
    BatchSize,
    Device,
    Executor,
    Gallery,
    Run,
    Strict,
    TableOptions,
    Workers,
    encoding_options,
    examples,
    read_config,
    takes_table,
)
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.methods.ranking import RankingChoice
from amgan.run_folder import RunFolder
from amgan.text import counted

EXAMPLES = examples(
    "amgan index tops.csv -a category,colour,sleeve --image photo --id sku",
    "amgan index",
    "amgan index new-season.csv --gallery galleries/new-season",
    "amgan index --executor processes --workers 8",
)


def register(app: typer.Typer) -> None:
    """Add this file's command to the application."""
    app.command(rich_help_panel=SEARCH, epilog=EXAMPLES)(index)


@takes_table
def index(
    source: TableOptions,
    run: Run = Path("run"),
    gallery: Gallery = None,
    strict: Strict = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="What searches it: faiss://exact, faiss://sq8, faiss://hnsw, faiss://hnsw_sq8 or "
            "milvus://HOST:PORT/COLLECTION; auto is exact for a small gallery, a graph for a large "
            "one.",
        ),
    ] = "auto",
    executor: Executor = ExecutorChoice.threads,
    workers: Workers = None,
    batch_size: BatchSize = 256,
    ranking: Annotated[
        RankingChoice,
        typer.Option(
            metavar="NAME",
            help="What ranks: the learned distance (pure), or it and the attributes (fused); auto "
            "is fused where the model was fitted for it.",
        ),
    ] = RankingChoice.auto,
    trust_labels: Annotated[
        bool,
        typer.Option(
            "--trust-labels/--no-trust-labels",
            help="Whether a fused ranking takes the catalogue's labels for certain, and what the "
            "model sees only where one is missing.",
        ),
    ] = True,
    device: Device = "auto",
) -> None:
    """Encode a catalogue with a trained model, so that it can be searched.

    Where the run folder holds no model, heads are trained first, on the labels of TABLE: a minute
    or two for 5,000 pictures. Without TABLE it is the catalogue that the model was trained on.
    A gallery that stands already is replaced in one step; interrupted, it goes on where it was.
    """
    from amgan.catalogue.left_out import LEFT_OUT_FILE
    from amgan.cli.printing import print_picture, strictly, tell_report, tell_skipped
    from amgan.workflows.index import index_run
    from amgan.workflows.picture import measure_gallery

    folder = gallery or RunFolder(run).gallery
    with resumable(ENCODING_ADVICE), strictly(strict):
        if source.table is not None and source.attributes and not RunFolder.of(run).model.exists():
            train_heads(source, run, strict=strict)
        built = index_run(
            run,
            folder,
            source.given(),
            engine=engine,
            encoding=encoding_options(batch_size, executor, workers),
            device=device,
            ranking=ranking,
            trust_labels=trust_labels,
            strict=strict,
            tell=lambda report: tell_report(report, folder / LEFT_OUT_FILE),
        )
    typer.echo(f"{counted(len(built), 'item')} in {folder}")
    tell_skipped(built)
    print_picture(measure_gallery(folder, device))


def train_heads(source: TableOptions, run: Path, *, strict: bool) -> None:
    """Train heads on a table, in a run folder that holds no model yet."""
    from amgan.workflows.data import load_data
    from amgan.workflows.train import train_experiment

    typer.echo(f"{run}: no model yet; training heads on the labels of {source.table}", err=True)
    config = read_config(None, source, None)
    train_experiment(config, run, load_data(config, strict=strict))
