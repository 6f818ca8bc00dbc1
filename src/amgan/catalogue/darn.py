"""DARN in the layout that the attribute-specific retrieval literature uses.

``filenames_{train,valid,test}.txt`` name the pictures, ``label_train.txt`` and the query and
candidate files label them by line number, and ``meta.json`` names the attributes. FashionAI and
DeepFashion come in the same layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.assembly import Checks, assemble_catalogue
from amgan.catalogue.lines import Line, file_error, read_json, read_lines
from amgan.catalogue.records import Catalogue
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import Problem, ValidationError, ValidationReport

DARN_PICTURES = 214_619  # what could still be fetched when the layout was made
DARN_ATTRIBUTES = (
    "clothes category",
    "clothes button",
    "clothes color",
    "clothes length",
    "clothes pattern",
    "clothes shape",
    "collar shape",
    "sleeve length",
    "sleeve shape",
)
_PARTS = {"train": "train", "valid": "val", "test": "test"}
_LABEL_FILES = {
    "train": ("label_train.txt",),
    "valid": ("candidate_valid.txt", "query_valid.txt"),
    "test": ("candidate_test.txt", "query_test.txt"),
}


@dataclass(frozen=True)
class _Meta:
    """Attribute names and, where the file gives them, value names."""

    attributes: tuple[str, ...]
    value_names: Mapping[str, Sequence[str]]


def load_darn(root: Path, *, checks: Checks | None = None) -> tuple[Catalogue, ValidationReport]:
    """Read DARN. Values and their number come from the labels; pictures that are gone are skipped.

    ``meta.json`` lies in the folder or beside it and may lack; then the attributes are
    `DARN_ATTRIBUTES`. A value is called by its number where ``meta.json`` does not name it.

    Args:
        root: the data set's folder, with ``pic`` in it.
        checks: how strictly. A picture that is gone does not stop strict mode.

    Raises:
        ValidationError: a file cannot be used, or strict mode and a bad line.
    """
    checks = checks or Checks()
    root = Path(root).absolute()
    problems: list[Problem] = []
    meta = _read_meta(root, problems)
    rows: list[SourceRow] = []
    seen: dict[str, set[int]] = {name: set() for name in meta.attributes}
    for part, split in _PARTS.items():
        pictures = read_lines(root / f"filenames_{part}.txt")
        labels: list[dict[str, int]] = [{} for _ in pictures]
        for name in _LABEL_FILES[part]:
            for line in read_lines(root / name):
                problems += _read_labels(line, part, meta, labels)
        problems += _count_unlabelled(root, part, labels)
        for line, values in zip(pictures, labels, strict=True):
            for name, value in values.items():
                seen[name].add(value)
            rows.append(_row(line, values, split, root, meta))
    problems += checks.compare_count(root, "pictures", len(rows), DARN_PICTURES)
    return assemble_catalogue(
        root.name.lower() or "darn",
        root,
        rows,
        _schema(meta, seen, root),
        problems=problems,
        checks=checks,
        pictures_may_lack=True,
    )


def _read_meta(root: Path, problems: list[Problem]) -> _Meta:
    file = next((f / "meta.json" for f in (root, root.parent) if (f / "meta.json").exists()), None)
    if file is None:
        message = "no such file; the attributes are called as in DARN, their values by number"
        problems.append(
            Problem(str(root / "meta.json"), None, None, None, message, "bad-file", "warning")
        )
        return _Meta(DARN_ATTRIBUTES, {})
    content = read_json(file)
    if isinstance(content, dict) and root.name in content:
        content = content[root.name]
    try:
        names = tuple(content["ATTRIBUTES"])
        values = {n: tuple(map(str, v)) for n, v in content.get("ATTRIBUTES_VALUES", {}).items()}
    except (KeyError, TypeError, AttributeError):
        message = f'needs "ATTRIBUTES": [names, ...], at the top or under "{root.name}"'
        raise file_error(file, message) from None
    if (
        not names
        or not all(isinstance(n, str) and n for n in names)
        or len(set(names)) < len(names)
    ):
        raise file_error(file, '"ATTRIBUTES" has to list different names')
    return _Meta(names, values)


def _read_labels(
    line: Line, part: str, meta: _Meta, labels: list[dict[str, int]]
) -> Iterator[Problem]:
    """Enter one label line ``file_idx attr val [attr val ...]`` into `labels`."""
    try:
        index, *pairs = line.integers()
    except ValidationError as error:
        yield from error.report.problems
        return
    if not pairs or len(pairs) % 2:
        yield line.problem("write a picture's number, then pairs of attribute and value")
        return
    if not 0 <= index < len(labels):
        message = f"picture {index} is not among the {len(labels)} of filenames_{part}.txt"
        yield line.problem(f"{message}, counted from 0", kind="bad-value")
        return
    for attribute, value in zip(pairs[::2], pairs[1::2], strict=True):
        if not 0 <= attribute < len(meta.attributes):
            message = f"attribute {attribute} is not among the {len(meta.attributes)}"
            yield line.problem(f"{message}, counted from 0", kind="bad-value")
        elif value < 0:
            yield line.problem(f"value {value} is negative", kind="bad-value")
        else:
            name = meta.attributes[attribute]
            if labels[index].setdefault(name, value) != value:
                message = f"picture {index} has the value {labels[index][name]} already"
                yield line.problem(message, column=name, value=str(value), kind="duplicate-id")


def _count_unlabelled(root: Path, part: str, labels: Sequence[dict[str, int]]) -> list[Problem]:
    numbers = [number for number, values in enumerate(labels) if not values]
    if not numbers:
        return []
    message = f"{len(numbers):,} pictures of filenames_{part}.txt have no label, number "
    message += f"{numbers[0]} the first of them"
    file = str(root / _LABEL_FILES[part][0])
    return [Problem(file, None, None, None, message, "count", "warning")]


def _row(line: Line, values: Mapping[str, int], split: str, root: Path, meta: _Meta) -> SourceRow:
    picture = line.text.replace("\\", "/")
    folder = root if "/" in picture else root / "pic"
    named = {name: _value_name(meta, name, value) for name, value in values.items()}
    return SourceRow(line.file, line.number, picture, folder / picture, named, None, split)


def _value_name(meta: _Meta, attribute: str, value: int) -> str:
    names = meta.value_names.get(attribute, ())
    return names[value] if value < len(names) else str(value)


def _schema(meta: _Meta, seen: Mapping[str, set[int]], root: Path) -> AttributeSchema:
    """The values found, in the order of their numbers."""
    attributes = []
    for name in meta.attributes:
        values = tuple(_value_name(meta, name, value) for value in sorted(seen[name]))
        if len(set(values)) != len(values):
            raise file_error(root / "meta.json", f"gives two values of {name!r} one name")
        if values:
            attributes.append(Attribute(name, values))
    if not attributes:
        raise file_error(root / "label_train.txt", "no picture has a label")
    return AttributeSchema(tuple(attributes))
