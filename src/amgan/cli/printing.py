"""What commands print on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from amgan.cli.errors import CommandFailure
from amgan.errors import InputError
from amgan.text import counted

if TYPE_CHECKING:
    from amgan.catalogue.records import Catalogue
    from amgan.catalogue.validation import ValidationReport
    from amgan.evaluation.picture_measures import PictureMeasures
    from amgan.evaluation.report import EvaluationReport
    from amgan.gallery.gallery import Gallery
    from amgan.quickstart import QuickstartOutcome
    from amgan.search import SearchResult
    from amgan.words import Reading
    from amgan.workflows.edits import EditQuality

WIDTH_OF_A_PIPE = 160
_VALUES_SHOWN, _RAREST_SHOWN = 12, 3


def print_json(value: Any) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(table: Table) -> None:
    """A table as wide as the terminal, or as `WIDTH_OF_A_PIPE`."""
    Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE).print(table)


def tell_report(report: ValidationReport, file: Path | None = None) -> None:
    """On stderr what was left out of a catalogue, and what needs a look; nothing where all is well.

    Args:
        report: what reading it found.
        file: names every row and label that was left out.
    """
    if not report.problems or int(os.environ.get("RANK", "0")):  # one of several processes tells
        return
    typer.echo(report.summary(), err=True)
    if file is not None and any(problem.severity != "warning" for problem in report.problems):
        typer.echo(f"every row and label that was left out: {relative(file.absolute())}", err=True)


def tell_skipped(gallery: Gallery) -> None:
    """On stderr how many pictures could not be encoded, and which file names them."""
    if gallery.manifest.skipped and gallery.folder is not None:
        file = relative((gallery.folder / "skipped.jsonl").absolute())
        said = counted(gallery.manifest.skipped, "picture")
        typer.echo(f"{said} could not be read and left out: {file}", err=True)


@contextmanager
def strictly(strict: bool) -> Iterator[None]:
    """Where a catalogue has to be without fault, tell its faults and end with exit code 1."""
    from amgan.catalogue.validation import ValidationError

    try:
        yield
    except ValidationError as error:
        report = error.report
        if not strict or not report.kept + report.skipped:  # no table at all is told as ever
            raise
        tell_report(report)
        raise CommandFailure(f"--strict: {counted(len(report.faults), 'fault')}") from None


def print_validation(
    catalogue: Catalogue, report: ValidationReport, *, as_json: bool = False
) -> None:
    """The report, and below it how often each value of each attribute occurs."""
    if as_json:
        labels = {"values": count_values(catalogue), "missing": count_missing(catalogue)}
        print_json(json.loads(report.to_json()) | labels)
        return
    missing = count_missing(catalogue)
    table = Table(
        title=f"{catalogue.name}: {counted(len(catalogue), 'item')}", title_justify="left"
    )
    table.add_column("attribute", no_wrap=True)
    table.add_column("missing", justify="right")
    table.add_column("values and how often they occur", overflow="fold")
    for name, counts in count_values(catalogue).items():
        shown = [f"{value} {count:,}" for value, count in counts.items()]
        if len(shown) > _VALUES_SHOWN + _RAREST_SHOWN + 1:
            left_out = len(shown) - _VALUES_SHOWN - _RAREST_SHOWN
            between = f"... {left_out} more (--json has all) ..."
            shown = [*shown[:_VALUES_SHOWN], between, *shown[-_RAREST_SHOWN:]]
        table.add_row(name, f"{missing[name]:,}", ", ".join(shown))
    print_table(table)
    splits = {name: catalogue.splits.count(name) for name in dict.fromkeys(catalogue.splits)}
    typer.echo("splits: " + ", ".join(f"{name} {count:,}" for name, count in splits.items()))
    typer.echo(report.summary())


def count_values(catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """How often each value of each attribute occurs, the commonest first."""
    of_values = {}
    for position, attribute in enumerate(catalogue.schema.attributes):
        column = catalogue.labels[:, position]
        counts = np.bincount(column[column >= 0], minlength=len(attribute.values))
        order = np.argsort(-counts, kind="stable")
        of_values[attribute.name] = {attribute.values[i]: int(counts[i]) for i in order}
    return of_values


def count_missing(catalogue: Catalogue) -> dict[str, int]:
    """Number of items without a label, by attribute."""
    missing = (catalogue.labels < 0).sum(axis=0).tolist()
    return dict(zip(catalogue.schema.names, missing, strict=True))


def print_triplets(path: Path, number: int, split: str = "") -> None:
    """The header and the first triplets of a file.

    Raises:
        ValueError: not a triplet file.
    """
    with path.open(encoding="utf-8") as lines:
        try:
            header, *rows = map(json.loads, lines)
            kept = [row for row in rows if split in ("", row["split"])]
            table = Table(
                title=f"{path.name}: {header['triplets']:,} triplets of {header['catalogue']}, "
                f"seed {header['seed']}",
                title_justify="left",
            )
            for name in ("split", "reference", "changes", "target"):
                table.add_column(name, overflow="fold")
            for row in kept[:number]:
                table.add_row(
                    row["split"], row["reference"], "\n".join(row["changes"]), row["target"]
                )
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path}: not a triplet file") from None
    print_table(table)


def print_search(
    result: SearchResult, reading: Reading | None = None, *, as_json: bool = False
) -> None:
    """The results of one search; in JSON also the `reading` of its words."""
    if as_json:
        words = {} if reading is None else {"words": reading.to_dict()}
        print_json(search_to_dict(result) | words)
        return
    asked = [*map(str, result.changes)]
    asked += [f"{change.attribute}: {change.wanted} already" for change in result.already]
    title = f"{', '.join(asked) or 'no changes'}; {_found(result)}"
    table = Table(title=title, title_justify="left")
    table.add_column("", justify="right")
    table.add_column("item", overflow="fold")
    for attribute in result.attributes:
        table.add_column(attribute.name, overflow="fold")
    met = [hit for hit in result.hits if hit.has_wanted]
    close = [hit for hit in result.hits if not hit.has_wanted]
    for hit in (*met, *close):
        marked = [_marked(hit.labels[a.name], hit.matches[a.name]) for a in result.attributes]
        table.add_row(str(hit.rank), hit.item_id, *marked, end_section=hit in met[-1:])
    print_table(table)


def _found(result: SearchResult) -> str:
    """How many items were ranked, and how many of them have all that was asked for."""
    ranked = counted(result.candidates, "item")
    if result.matching is None:
        return f"{ranked} ranked"
    verb = "matches" if result.matching == 1 else "match"
    return f"{result.matching:,} of {ranked} {verb}"


def search_to_dict(result: SearchResult) -> dict[str, Any]:
    """A search result as plain data."""
    return {
        "changes": [asdict(change) for change in result.changes],
        "already": [asdict(change) for change in result.already],
        "reference": {
            a.name: {"value": a.value, "confidence": a.confidence} for a in result.attributes
        },
        "candidates": result.candidates,
        "matching": result.matching,
        "mode": result.mode,
        "hits": [
            {
                "rank": hit.rank,
                "item_id": hit.item_id,
                "score": hit.score,
                "image": str(hit.image),
                "labels": dict(hit.labels),
                "matches": dict(hit.matches),
                "has_wanted": hit.has_wanted,
                "keeps_rest": hit.keeps_rest,
                "fields": dict(hit.fields),
            }
            for hit in result.hits
        ],
        "milliseconds": {name: round(s * 1000, 2) for name, s in result.seconds.items()},
    }


def print_metrics(title: str, rows: Mapping[str, Mapping[str, float]], columns: list[str]) -> None:
    """Named rows of metric means; the best of each column is set off."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    best = {name: max(values[name] for values in rows.values()) for name in columns}
    for label, values in rows.items():
        cells = [
            f"[bold]{values[name]:.3f}[/bold]"
            if values[name] == best[name]
            else f"{values[name]:.3f}"
            for name in columns
        ]
        table.add_row(label, *cells)
    print_table(table)


def print_picture(measures: PictureMeasures | None) -> None:
    """In words whether the picture counts; on stderr where it hardly does."""
    if measures is None:
        return
    from amgan.evaluation.picture_words import describe_picture, warn_of_picture

    for sentence in describe_picture(measures):
        typer.echo(sentence)
    warning = warn_of_picture(measures)
    if warning is not None:
        typer.echo(warning, err=True)


def print_evaluations(reports: Sequence[EvaluationReport], *, as_json: bool = False) -> None:
    """Reports one after the other: a list in JSON, or Markdown."""
    if as_json:
        print_json([json.loads(report.to_json()) for report in reports])
        return
    typer.echo("\n".join(report.to_markdown() for report in reports))


def print_edit_quality(quality: EditQuality) -> None:
    """Drawn pictures beside copies of the reference and exact answers, for all and by attribute."""
    columns = ("l1", "ssim", "changed", "kept", "frechet")
    rows = {
        "drawn": quality.drawn,
        "the reference as it is": quality.copied,
        "the exact answer": quality.exact,
    }
    _print_numbers(
        f"{quality.queries:,} held-out queries, against the exact answer to each", rows, columns
    )
    attributes = {
        f"{name}: {what}": values[name]
        for name in quality.attributes
        for what, values in (
            ("drawn", quality.attributes),
            ("the reference as it is", quality.copied_attributes),
        )
    }
    _print_numbers("Where one attribute changes alone", attributes, ("l1", "ssim", "changed"))


def _print_numbers(
    title: str, rows: Mapping[str, Mapping[str, float]], columns: Sequence[str]
) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for label, values in rows.items():
        table.add_row(label, *(f"{values[name]:.3f}" for name in columns))
    print_table(table)


def print_quickstart(outcome: QuickstartOutcome) -> None:
    """The table of metrics, what was written where, and what to try next."""
    print_metrics(
        f"{outcome.queries:,} test queries; {outcome.gallery_size:,} items ranked, "
        "none of them seen in training",
        outcome.metrics,
        list(next(iter(outcome.metrics.values()))),
    )
    picture, change = outcome.example
    typer.echo("Written:")
    for what, path in outcome.written.items():
        typer.echo(f"  {what:<12} {path}")
    typer.echo("Try next:")
    typer.echo(
        f"  amgan search {relative(picture)} --run {outcome.run} "
        f'--set "{change.attribute}={change.wanted}" --sheet found.png'
    )
    command = ["amgan", "serve", "--gallery", str(outcome.written["gallery"])]
    typer.echo(f"  {shlex.join(command)}  # the search page, at http://127.0.0.1:8000")


def relative(path: Path) -> Path:
    """`path` as seen from the working folder, where it is below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _marked(value: str | None, matches: bool | None) -> str:
    if value is None:
        return "[dim]-[/dim]"
    if matches is None:
        return value
    return f"[green]{value} ✓[/green]" if matches else f"[red]{value}[/red]"
