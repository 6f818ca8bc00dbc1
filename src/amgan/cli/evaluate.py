"""The command that measures a trained model: evaluate."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.options import (
    LEARN,
    AsJson,
    Device,
    Run,
    examples,
)
from amgan.methods.ranking import RankingChoice
from amgan.run_folder import RunFolder

if TYPE_CHECKING:
    from amgan.evaluation.report import Protocol

EXAMPLES = examples(
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
    """Add this file's command to the application."""
    app.command(rich_help_panel=LEARN, epilog=EXAMPLES)(evaluate)


def evaluate(
    run: Run = Path("run"),
    protocol: Annotated[
        ProtocolName, typer.Option(help="Gallery: all items (paper), or test items only (unseen).")
    ] = ProtocolName.both,
    split: Annotated[SplitName, typer.Option(help="Triplets to ask.")] = SplitName.test,
    triplets: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Triplet file.  \\[default: the run's own]"),
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
