"""The file that names every row and label that was left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from amgan.catalogue.records import Catalogue
from amgan.catalogue.validation import Problem, ValidationReport
from amgan.files import write_text
from amgan.images import PictureError

LEFT_OUT_FILE = "left-out.jsonl"


def save_left_out(report: ValidationReport, folder: Path) -> Path | None:
    """Write ``left-out.jsonl``, one object for each problem that cost a row or a label.

    Where nothing was left out, a file of an earlier attempt is removed.

    Returns:
        The file, None where there is none.
    """
    file = folder / LEFT_OUT_FILE
    lost = [problem for problem in report.problems if problem.severity != "warning"]
    if not lost:
        file.unlink(missing_ok=True)
        return None
    lines = (json.dumps(asdict(problem), ensure_ascii=False) for problem in lost)
    write_text(file, "".join(f"{line}\n" for line in lines))
    return file


def without_pictures(
    report: ValidationReport, catalogue: Catalogue, errors: Mapping[int, PictureError], source: str
) -> ValidationReport:
    """The report, with the items of a catalogue whose pictures turned out to be unusable.

    Args:
        report: of the catalogue.
        catalogue: with those items.
        errors: what is wrong with their pictures, by row of the catalogue.
        source: the table, or the data set's folder.
    """
    if not errors:
        return report
    found = [
        Problem(
            source,
            None,
            None,
            error.source,
            f"item {catalogue.item_ids[row]!r}: {error.reason}",
            "bad-picture",
        )
        for row, error in errors.items()
    ]
    return replace(
        report,
        problems=(*report.problems, *found),
        kept=report.kept - len(found),
        skipped=report.skipped + len(found),
    )
