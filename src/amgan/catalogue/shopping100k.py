"""Shopping100K as distributed: ``Images/{Female,Male}/{id}_{Name}/...`` and a file an attribute.

How the lines of the attribute files look is not published, so `label_files` reads any of three
forms. Files that name no pictures go line by line with an image list. The category folder of each
path tells whether the labels fit the pictures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.assembly import Checks, assemble_catalogue
from amgan.catalogue.label_files import LabelFile, PictureList, read_label_file
from amgan.catalogue.lines import Line, file_error, read_json, read_lines
from amgan.catalogue.records import Catalogue
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import Problem, ValidationError, ValidationReport

SHOPPING100K_ATTRIBUTES = {
    "category": 16,
    "collar": 17,
    "color": 19,
    "fabric": 14,
    "fastening": 10,
    "fit": 15,
    "gender": 2,
    "neckline": 11,
    "pattern": 16,
    "pocket": 7,
    "sleevelen": 9,
    "sport": 15,
}
SHOPPING100K_PICTURES = 101_021
SHOPPING100K_TOPS = 57_834
TOP_CATEGORIES = (1, 2, 4, 5, 6)  # coat, jacket, shirt, t-shirt, jumper
_IMAGE_LISTS = ("images.txt", "image_list.txt", "imgs.txt", "filenames.txt")
_PATH = re.compile(r"(?P<gender>Female|Male)/(?P<id>\d+)_(?P<name>[^/]+)/(?P<stem>[^/]+)\.\w+")
_MAX_MISFITS = 0.01  # share of labels that may contradict the folders before the files do not fit


@dataclass(frozen=True)
class _Picture:
    """A path of the data set and what its folders say; category 0 where they say nothing."""

    line: Line
    path: str
    gender: str = ""
    category: int = 0
    category_name: str = ""
    product: str | None = None


def load_shopping100k(
    root: Path, *, tops_only: bool = True, checks: Checks | None = None
) -> tuple[Catalogue, ValidationReport]:
    """Read Shopping100K; the schema always has all 151 values, in the order of their numbers.

    Categories are called by their folders and genders "female" and "male" where the labels agree
    with the folders; other values by their number from 1, unless ``Attributes/values.json`` names
    them (``{"color": ["black", ...], ...}``).

    Args:
        root: folder of ``Images`` and ``Attributes``.
        tops_only: only the five categories of upper-body garments, as in the paper.
        checks: how strictly.

    Raises:
        ValidationError: a file cannot be used, the labels do not fit the folders, or strict mode
            and a bad line.
    """
    checks = checks or Checks()
    root = Path(root).absolute()
    problems: list[Problem] = []
    files = {
        name: read_label_file(root / "Attributes" / f"{name}.txt", name, size, tidy_path, problems)
        for name, size in SHOPPING100K_ATTRIBUTES.items()
    }
    pictures = _read_pictures(root, files["category"], problems)
    listed = PictureList(pictures[0].line.file, [picture.path for picture in pictures])
    base, misfits = _check_categories(files["category"], pictures, listed, problems)
    labels = {name: file.positions(listed, base, problems) for name, file in files.items()}
    schema = _schema(root, pictures, labels, problems)
    problems += checks.compare_count(root, "pictures", len(pictures), SHOPPING100K_PICTURES)
    tops = sum(picture.category in TOP_CATEGORIES for picture in pictures)
    problems += checks.compare_count(root, "tops", tops, SHOPPING100K_TOPS)
    rows = [
        _row(root, picture, schema, {name: found[i] for name, found in labels.items()})
        for i, picture in enumerate(pictures)
        if picture.category
        and i not in misfits
        and (not tops_only or picture.category in TOP_CATEGORIES)
    ]
    return assemble_catalogue("shopping100k", root, rows, schema, problems=problems, checks=checks)


def tidy_path(text: str) -> str:
    """A path in the form ``Female/5_T-shirt/0000012_1.jpg``, however the files write it."""
    path = text.strip().replace("\\", "/").removeprefix("./")
    return path.rpartition("Images/")[2]


def _read_pictures(root: Path, categories: LabelFile, problems: list[Problem]) -> list[_Picture]:
    """The pictures in order: those the category file names, or those of the image list."""
    image_list = _find_image_list(root)
    if image_list is not None:
        return [_picture(line, line.text, problems) for line in read_lines(image_list)]
    if not categories.has_paths:
        message = (
            "names no pictures; put the list of pictures that its lines belong to beside it "
            f"as {_IMAGE_LISTS[0]}, one path a line"
        )
        raise file_error(categories.file, message)
    first_of = {entry.path: entry for entry in reversed(categories.entries)}
    entries = [entry for entry in categories.entries if first_of[entry.path] is entry]
    return [_picture(entry.line, entry.path or "", problems) for entry in entries]


def _find_image_list(root: Path) -> Path | None:
    places = (folder / name for folder in (root / "Attributes", root) for name in _IMAGE_LISTS)
    return next((place for place in places if place.exists()), None)


def _picture(line: Line, text: str, problems: list[Problem]) -> _Picture:
    path = tidy_path(text)
    match = _PATH.fullmatch(path)
    if match is None or int(match["id"]) not in range(1, SHOPPING100K_ATTRIBUTES["category"] + 1):
        message = "a path is {Female,Male}/{category 1 to 16}_{Name}/{number}_{n}.jpg"
        problems.append(line.problem(message, column="image", value=text, kind="bad-value"))
        return _Picture(line, path)
    product = f"{match['gender']}/{match['id']}/{match['stem'].partition('_')[0]}"
    return _Picture(line, path, match["gender"], int(match["id"]), match["name"], product)


def _check_categories(
    file: LabelFile, pictures: Sequence[_Picture], listed: PictureList, problems: list[Problem]
) -> tuple[int | None, set[int]]:
    """Hold the category labels against the folders.

    Returns:
        What the first value is written as, 0 or 1 (None where the file is one-hot), and the rows
        whose label contradicts the folder.

    Raises:
        ValidationError: too many contradict; then the labels belong to other pictures.
    """
    aligned = [
        (row, entry, (entry.number if entry.position is None else entry.position + 1) or 0)
        for row, entry in file.align(listed, [])
        if pictures[row].category and (entry.number is not None or entry.position is not None)
    ]
    numbered = any(entry.number is not None for _, entry, _ in aligned)
    shifts = Counter(pictures[row].category - number for row, _, number in aligned)
    shift = 1 if numbered and shifts[1] > shifts[0] else 0
    contradicting = {
        row: entry.line.problem(
            f"the folder of {pictures[row].path} says category {pictures[row].category}",
            column=file.attribute,
            kind="bad-value",
        )
        for row, entry, number in aligned
        if number + shift != pictures[row].category
    }
    if len(contradicting) > _MAX_MISFITS * max(100, len(aligned)):
        raise ValidationError.of(*contradicting.values())
    problems += contradicting.values()
    return (1 - shift if numbered else None), set(contradicting)


def _schema(
    root: Path,
    pictures: Sequence[_Picture],
    labels: Mapping[str, Sequence[int | None]],
    problems: list[Problem],
) -> AttributeSchema:
    names = {
        name: [str(number) for number in range(1, size + 1)]
        for name, size in SHOPPING100K_ATTRIBUTES.items()
    }
    for picture in pictures:
        if picture.category:
            names["category"][picture.category - 1] = picture.category_name.lower()
    genders = _gender_names(pictures, labels["gender"])
    if genders is None:
        message = "the labels do not agree with the Female and Male folders of their pictures"
        file = str(root / "Attributes" / "gender.txt")
        problems.append(Problem(file, None, "gender", None, message, "attribute", "warning"))
    names["gender"] = genders or names["gender"]
    names.update(_read_value_names(root / "Attributes" / "values.json"))
    for name, values in names.items():
        if len(set(values)) != len(values):
            names[name] = [f"{number} {value}" for number, value in enumerate(values, 1)]
    return AttributeSchema(tuple(Attribute(name, tuple(v)) for name, v in names.items()))


def _read_value_names(file: Path) -> dict[str, list[str]]:
    """Names somebody wrote down for the numbers; none where there is no such file."""
    if not file.exists():
        return {}
    content = read_json(file)
    if not isinstance(content, dict):
        raise file_error(file, "write attributes and their value names as a JSON object")
    for name, values in content.items():
        size = SHOPPING100K_ATTRIBUTES.get(name)
        if size is None:
            known = ", ".join(SHOPPING100K_ATTRIBUTES)
            raise file_error(file, f"unknown attribute {name!r}; known are {known}")
        if not isinstance(values, list) or len(values) != size:
            raise file_error(file, f"{name!r} needs a list of {size} value names")
    return {name: [str(value) for value in values] for name, values in content.items()}


def _gender_names(
    pictures: Sequence[_Picture], positions: Sequence[int | None]
) -> list[str] | None:
    """Names of the two genders by the folders, None where labels and folders do not agree."""
    counts = Counter(
        (position, picture.gender.lower())
        for position, picture in zip(positions, pictures, strict=True)
        if position is not None and picture.gender
    )
    for first, second in (("female", "male"), ("male", "female")):
        fitting = counts[0, first] + counts[1, second]
        if counts and fitting >= (1 - _MAX_MISFITS) * counts.total():
            return [first, second]
    return None


def _row(
    root: Path, picture: _Picture, schema: AttributeSchema, labels: Mapping[str, int | None]
) -> SourceRow:
    values = {
        attribute.name: None if position is None else attribute.values[position]
        for attribute in schema.attributes
        for position in (labels[attribute.name],)
    }
    line, image = picture.line, root / "Images" / picture.path
    return SourceRow(line.file, line.number, picture.path, image, values, picture.product)
