"""One item as a reader found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amgan.catalogue.validation import Kind, Problem, Severity


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One item as a reader found it, and where.

    Attributes:
        file: the table or label file.
        row: line or record, counted from 1.
        item_id: id, None where the source has none.
        image: picture path; None where the source has none.
        values: attribute values by attribute name, None where missing.
        product: product key.
        split: split name.
        fields: further columns.
    """

    file: Path
    row: int
    item_id: str | None
    image: Path | None
    values: Mapping[str, str | None]
    product: str | None = None
    split: str | None = None
    fields: Mapping[str, str | None] = field(default_factory=dict)

    def problem(
        self,
        column: str | None,
        value: str | None,
        message: str,
        kind: Kind,
        severity: Severity = "error",
    ) -> Problem:
        """Problem at this row."""
        return Problem(str(self.file), self.row, column, value, message, kind, severity)
