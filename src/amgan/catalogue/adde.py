"""The split files of ADDE (Hou et al., ICCV 2021), in and out.

A folder holds ``imgs_*.txt``, ``labels_*.txt`` and ``attr_num.txt`` for the pictures,
``triplet_train.txt`` and ``triplet_train_ind.txt`` for training, and ``ref_test.txt``,
``indfull_test.txt`` and ``gt_test.txt`` for the test queries. In an indicator -1 is a value that
is removed and +1 one that is wanted; the readme that comes with the files says the reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import Attribute, AttributeSchema, Indicator, Labels
from amgan.catalogue.adde_vectors import (
    SignedIndicator,
    apply_signs,
    parse_labels,
    parse_signs,
)
from amgan.catalogue.assembly import Checks, assemble_catalogue
from amgan.catalogue.lines import Line, file_error, read_lines
from amgan.catalogue.records import Catalogue
from amgan.catalogue.shopping100k import SHOPPING100K_ATTRIBUTES
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import (
    Problem,
    ValidationError,
    ValidationReport,
    sort_problems,
)

Rows = NDArray[np.int64]
_PARTS = ("train", "test")


@dataclass(frozen=True)
class AddeTriplets:
    """Training triplets; rows count in the catalogue.

    Attributes:
        reference: (T,) rows.
        positive: (T,) rows of items with the target's labels.
        negative: (T,) rows.
        indicator: (T, J), -1 removed, +1 wanted.
    """

    reference: Rows
    positive: Rows
    negative: Rows
    indicator: SignedIndicator

    def __len__(self) -> int:
        return len(self.reference)


@dataclass(frozen=True)
class AddeQueries:
    """Test queries; rows count in the catalogue.

    Attributes:
        reference: (Q,) rows.
        indicator: (Q, J), -1 removed, +1 wanted.
        target_labels: (Q, M), -1 where missing.
    """

    reference: Rows
    indicator: SignedIndicator
    target_labels: Labels

    def __len__(self) -> int:
        return len(self.reference)

    @property
    def wanted(self) -> Indicator:
        """The paper's h, (Q, J) in {0, 1}: the wanted values only."""
        return (self.indicator > 0).astype(np.float32)


def load_adde(
    root: Path,
    *,
    images: Path | None = None,
    schema: AttributeSchema | None = None,
    checks: Checks | None = None,
) -> tuple[Catalogue, ValidationReport]:
    """Read the pictures and labels of both parts; an item's id is its path as it is written.

    Args:
        root: folder of the split files.
        images: folder the paths are relative to; None takes `root`.
        schema: names for attributes and values. None numbers them, and takes the attribute names
            of Shopping100K where the sizes are Shopping100K's.
        checks: how strictly.

    Raises:
        ValidationError: a file cannot be used, or strict mode and a bad line.
    """
    root = Path(root).absolute()
    schema = _read_schema(root / "attr_num.txt", schema)
    problems: list[Problem] = []
    rows: list[SourceRow] = []
    for part in _PARTS:
        paths = read_lines(root / f"imgs_{part}.txt")
        file = root / f"labels_{part}.txt"
        lines = read_lines(file)
        _require_as_many(file, len(lines), f"imgs_{part}.txt", len(paths))
        for path, line in zip(paths, lines, strict=True):
            try:
                labels = parse_labels(line, schema)
            except ValidationError as error:
                problems += error.report.problems
                continue
            image = (images or root) / path.text.replace("\\", "/")
            values = schema.decode(labels)
            rows.append(SourceRow(path.file, path.number, path.text, image, values, None, part))
    return assemble_catalogue(
        root.name.lower(), root, rows, schema, problems=problems, checks=checks
    )


def load_adde_triplets(
    root: Path, catalogue: Catalogue, *, strict: bool = False
) -> tuple[AddeTriplets, ValidationReport]:
    """Read the training triplets of a catalogue that `load_adde` read.

    A line that makes no sense, or names a picture that is not in the catalogue, is left out.

    Raises:
        ValidationError: a file cannot be used, or strict mode and a bad line.
    """
    root = Path(root).absolute()
    rows = _catalogue_rows(root / "imgs_train.txt", catalogue)
    file = root / "triplet_train.txt"
    lines, indicators = read_lines(file), read_lines(root / "triplet_train_ind.txt")
    _require_as_many(file, len(lines), "triplet_train_ind.txt", len(indicators))

    doubts: list[Problem] = []

    def read(place: int) -> tuple[list[int], SignedIndicator]:
        numbers = lines[place].integers()
        if len(numbers) != 3:
            raise lines[place].error("write reference, positive and negative")
        chosen = [_known_row(lines[place], number, rows) for number in numbers]
        indicator = parse_signs(indicators[place], catalogue.schema)
        reference, positive = (catalogue.labels[row] for row in chosen[:2])
        target = apply_signs(indicators[place], indicator, reference, catalogue.schema)
        if not np.array_equal(target, positive):
            message = "the positive has other labels than the indicator asks for"
            doubts.append(lines[place].problem(message, severity="warning"))
        return chosen, indicator

    found, report = _read_all(len(lines), read, doubts, strict)
    chosen = np.array([rows_ for rows_, _ in found], np.int64).reshape(-1, 3)
    signs = _stack([indicator for _, indicator in found], catalogue.schema.num_values)
    return AddeTriplets(chosen[:, 0], chosen[:, 1], chosen[:, 2], signs), report


def load_adde_queries(
    root: Path, catalogue: Catalogue, *, strict: bool = False
) -> tuple[AddeQueries, ValidationReport]:
    """Read the test queries of a catalogue that `load_adde` read.

    A line that makes no sense, or names a picture that is not in the catalogue, is left out.

    Raises:
        ValidationError: a file cannot be used, or strict mode and a bad line.
    """
    root = Path(root).absolute()
    rows = _catalogue_rows(root / "imgs_test.txt", catalogue)
    numbers = _read_numbers(root / "ref_test.txt")
    file = root / "indfull_test.txt"
    indicators, targets = read_lines(file), read_lines(root / "gt_test.txt")
    _require_as_many(file, len(indicators), "ref_test.txt", len(numbers))
    _require_as_many(root / "gt_test.txt", len(targets), file.name, len(indicators))

    def read(place: int) -> tuple[int, SignedIndicator, NDArray[np.int16]]:
        row = _known_row(*numbers[place], rows)
        indicator = parse_signs(indicators[place], catalogue.schema)
        target = parse_labels(targets[place], catalogue.schema)
        asked = apply_signs(indicators[place], indicator, catalogue.labels[row], catalogue.schema)
        if not np.array_equal(asked, target):
            raise targets[place].error(
                f"is not what line {indicators[place].number} of {file.name} asks for", value=""
            )
        return row, indicator, target

    found, report = _read_all(len(numbers), read, (), strict)
    targets_array = np.array([target for _, _, target in found], np.int16)
    return (
        AddeQueries(
            np.array([row for row, _, _ in found], np.int64),
            _stack([indicator for _, indicator, _ in found], catalogue.schema.num_values),
            targets_array.reshape(-1, catalogue.schema.num_attributes),
        ),
        report,
    )


def _read_schema(file: Path, schema: AttributeSchema | None) -> AttributeSchema:
    sizes = [number for _, number in _read_numbers(file)]
    if schema is not None:
        if list(schema.sizes) != sizes:
            raise file_error(file, f"has sizes {sizes}; the schema has {list(schema.sizes)}")
        return schema
    if min(sizes) < 1:
        raise file_error(file, f"an attribute has 1 value or more, not {min(sizes)}")
    names = [f"attribute {i}" for i in range(1, len(sizes) + 1)]
    if sizes == list(SHOPPING100K_ATTRIBUTES.values()):
        names = list(SHOPPING100K_ATTRIBUTES)
    return AttributeSchema(
        tuple(
            Attribute(name, tuple(str(number) for number in range(1, size + 1)))
            for name, size in zip(names, sizes, strict=True)
        )
    )


def _read_numbers(file: Path) -> list[tuple[Line, int]]:
    """All numbers of a file, on one line or on many."""
    return [(line, number) for line in read_lines(file) for number in line.integers()]


def _require_as_many(file: Path, found: int, other: str, expected: int) -> None:
    if found != expected:
        raise file_error(file, f"has {found:,} lines; {other} has {expected:,}")


def _catalogue_rows(file: Path, catalogue: Catalogue) -> list[int | None]:
    """Catalogue row of each line of a picture list, None where it was left out."""
    known = {item_id: row for row, item_id in enumerate(catalogue.item_ids)}
    return [known.get(line.text) for line in read_lines(file)]


def _known_row(line: Line, number: int, rows: Sequence[int | None]) -> int:
    if not 0 <= number < len(rows):
        raise line.error(f"picture {number} is not among the {len(rows):,}, counted from 0")
    row = rows[number]
    if row is None:
        message = f"picture {number} was left out of the catalogue"
        raise line.error(message, kind="missing-picture", severity="tolerated")
    return row


def _read_all(
    count: int, read: Callable[[int], Any], doubts: Sequence[Problem], strict: bool
) -> tuple[list[Any], ValidationReport]:
    found = []
    problems: list[Problem] = []
    for place in range(count):
        try:
            found.append(read(place))
        except ValidationError as error:
            problems += error.report.problems
    report = ValidationReport(
        tuple(sort_problems([*problems, *doubts])), len(found), count - len(found)
    )
    if (strict and report.errors) or (count and not found):
        raise ValidationError(report)
    return found, report


def _stack(vectors: Sequence[SignedIndicator], width: int) -> SignedIndicator:
    return np.array(vectors, np.int8).reshape(-1, width)
