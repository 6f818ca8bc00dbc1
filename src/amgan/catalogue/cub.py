"""CUB-200-2011 and files like it: birds, with attributes that annotators saw or did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.assembly import Checks, assemble_catalogue
from amgan.catalogue.lines import Line, file_error, iterate_lines, read_lines
from amgan.catalogue.records import Catalogue
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import Problem, ValidationReport

CUB_PICTURES = 11_788
CUB_CLASSES = 200
CUB_ATTRIBUTE_VALUES = 312
CUB_TRAINING_PICTURES = 5_994
_NOT_VISIBLE = 1
_SPLITS = {"1": "train", "0": "test"}


@dataclass
class _Seen:
    """What annotators saw of one attribute on one picture: the surest values."""

    certainty: int = 0
    values: list[str] = field(default_factory=list)

    def add(self, value: str, certainty: int) -> None:
        if certainty > self.certainty:
            self.certainty, self.values = certainty, []
        if certainty == self.certainty:
            self.values.append(value)

    @property
    def decided(self) -> str | None:
        return self.values[0] if len(self.values) == 1 else None


def load_cub(root: Path, *, checks: Checks | None = None) -> tuple[Catalogue, ValidationReport]:
    """Read the ``CUB_200_2011`` folder.

    An attribute group, such as ``has_wing_color``, becomes an attribute. CUB allows several values
    of one group on a picture: the one its annotator was surest of is taken; where several are
    equally sure, or the part was not visible, the label is missing. The class becomes a field.
    Some lines of the real ``image_attribute_labels.txt`` have a word too many; what follows the
    certainty is not read.

    Args:
        root: folder of ``images.txt``.
        checks: how strictly.

    Raises:
        ValidationError: a file cannot be used, or strict mode and a bad line.
    """
    checks = checks or Checks()
    root = Path(root).absolute()
    problems: list[Problem] = []
    pictures = _read_names(root / "images.txt", problems)
    classes = _read_names(root / "classes.txt", problems)
    class_of = _read_names(root / "image_class_labels.txt", problems)
    training = _read_names(root / "train_test_split.txt", problems)
    values = _read_values(root, problems)
    label_file = root / "attributes" / "image_attribute_labels.txt"
    seen = _read_labels(label_file, pictures, values, problems)
    class_names = {number: entry.name for number, entry in classes.items()}
    class_of_picture = _look_up(pictures, class_of, class_names, "is not in classes.txt", problems)
    split_of_picture = _look_up(pictures, training, _SPLITS, "is not 1 or 0", problems)
    rows = [
        SourceRow(
            picture.line.file,
            picture.line.number,
            picture.name,
            root / "images" / picture.name,
            {group: found.decided for group, found in seen.get(number, {}).items()},
            None,
            split_of_picture.get(number),
            {"class": class_of_picture.get(number)},
        )
        for number, picture in pictures.items()
    ]
    problems += _doubts(root, seen, len(pictures))
    problems += _compare_counts(root, rows, len(classes), len(values), checks)
    return assemble_catalogue("cub", root, rows, _schema(values), problems=problems, checks=checks)


@dataclass(frozen=True)
class _Named:
    """The second word of a line ``number name``, and the line."""

    name: str
    line: Line


def _read_names(file: Path, problems: list[Problem]) -> dict[str, _Named]:
    """Number -> name of a file of ``number name`` lines."""
    named: dict[str, _Named] = {}
    for line in read_lines(file):
        words = line.text.split(maxsplit=1)
        if len(words) != 2 or not words[0].isdecimal():
            problems.append(line.problem("write a number and what it stands for"))
        elif named.setdefault(words[0], _Named(words[1], line)).line is not line:
            message = f"number {words[0]} stands in line {named[words[0]].line.number} already"
            problems.append(line.problem(message, kind="duplicate-id"))
    return named


def _look_up(
    pictures: Mapping[str, _Named],
    numbers: Mapping[str, _Named],
    meanings: Mapping[str, str],
    otherwise: str,
    problems: list[Problem],
) -> dict[str, str]:
    """Picture number -> what its number in a file of ``picture number`` lines stands for."""
    found = {}
    for picture, entry in numbers.items():
        if picture not in pictures:
            problems.append(entry.line.problem(f"picture {picture} is not in images.txt"))
        elif entry.name not in meanings:
            message = f"{entry.name} {otherwise}"
            problems.append(entry.line.problem(message, kind="bad-value"))
        else:
            found[picture] = meanings[entry.name]
    lacking = pictures.keys() - numbers.keys()
    if lacking and numbers:
        file = str(next(iter(numbers.values())).line.file)
        message = f"{len(lacking):,} pictures of images.txt are not in this file"
        problems.append(Problem(file, None, None, None, message, "count", "warning"))
    return found


def _read_values(root: Path, problems: list[Problem]) -> dict[str, tuple[str, str]]:
    """Number -> (attribute, value), from ``attributes.txt``, which lies in one of three places."""
    folders = (root / "attributes", root, root.parent)
    places = [folder / "attributes.txt" for folder in folders]
    file = next((place for place in places if place.exists()), places[0])
    values: dict[str, tuple[str, str]] = {}
    for number, named in _read_names(file, problems).items():
        group, separator, value = named.name.partition("::")
        if not separator or not group or not value:
            problems.append(named.line.problem("write an attribute as group::value"))
        elif (group, value) in values.values():
            problems.append(named.line.problem("stands here twice", kind="duplicate-id"))
        else:
            values[number] = (group, value)
    if not values:
        raise file_error(file, "names no attribute")
    return values


def _read_labels(
    file: Path,
    pictures: Mapping[str, _Named],
    values: Mapping[str, tuple[str, str]],
    problems: list[Problem],
) -> dict[str, dict[str, _Seen]]:
    """Picture number -> attribute -> what was seen."""
    seen: dict[str, dict[str, _Seen]] = {}
    count = 0
    for line in iterate_lines(file):
        count += 1
        words = line.text.split()[:4]
        if len(words) < 4 or words[2] not in ("0", "1") or not words[3].isdecimal():
            message = "write picture, attribute, 1 or 0 for present or not, and certainty"
            problems.append(line.problem(message))
        elif words[0] not in pictures:
            problems.append(line.problem(f"picture {words[0]} is not in images.txt"))
        elif words[1] not in values:
            problems.append(line.problem(f"attribute {words[1]} is not in attributes.txt"))
        elif words[2] == "1" and int(words[3]) > _NOT_VISIBLE:
            group, value = values[words[1]]
            seen.setdefault(words[0], {}).setdefault(group, _Seen()).add(value, int(words[3]))
    expected = len(pictures) * len(values)
    if count != expected:
        message = f"has {count:,} lines; {len(pictures):,} pictures times {len(values)} attributes "
        message += f"make {expected:,}"
        problems.append(Problem(str(file), None, None, None, message, "count", "warning"))
    return seen


def _schema(values: Mapping[str, tuple[str, str]]) -> AttributeSchema:
    groups: dict[str, list[str]] = {}
    for group, value in values.values():
        groups.setdefault(group, []).append(value)
    return AttributeSchema(tuple(Attribute(name, tuple(v)) for name, v in groups.items()))


def _doubts(root: Path, seen: Mapping[str, Mapping[str, _Seen]], pictures: int) -> list[Problem]:
    """Warn of pictures without a label and of labels that several equally sure values cost."""
    file = str(root / "attributes" / "image_attribute_labels.txt")
    undecided = sum(len(s.values) > 1 for groups in seen.values() for s in groups.values())
    messages = []
    if undecided:
        messages.append(f"{undecided:,} labels are missing: several values are equally sure")
    if len(seen) < pictures:
        messages.append(f"{pictures - len(seen):,} pictures have no label")
    return [Problem(file, None, None, None, text, "count", "warning") for text in messages]


def _compare_counts(
    root: Path, rows: Sequence[SourceRow], classes: int, values: int, checks: Checks
) -> list[Problem]:
    training = sum(row.split == "train" for row in rows)
    return [
        *checks.compare_count(root, "pictures", len(rows), CUB_PICTURES),
        *checks.compare_count(root, "training pictures", training, CUB_TRAINING_PICTURES),
        *checks.compare_count(root, "classes", classes, CUB_CLASSES),
        *checks.compare_count(root, "attribute values", values, CUB_ATTRIBUTE_VALUES),
    ]
