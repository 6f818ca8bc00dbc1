"""CelebA and files like it: faces with attributes that are there (1) or not (-1)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.assembly import Checks, assemble_catalogue
from amgan.catalogue.lines import Line, read_lines
from amgan.catalogue.records import Catalogue
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import Problem, ValidationReport

CELEBA_PICTURES = 202_599
CELEBA_SPLITS = {"train": 162_770, "val": 19_867, "test": 19_962}
_PARTITION = {"0": "train", "1": "val", "2": "test"}
_ANSWERS = {"-1": "no", "1": "yes"}
_PICTURES = ("Img/img_align_celeba", "img_align_celeba", "img_align_celeba/img_align_celeba", "")


def load_celeba(root: Path, *, checks: Checks | None = None) -> tuple[Catalogue, ValidationReport]:
    """Read ``list_attr_celeba.txt``, ``list_eval_partition.txt`` and ``identity_CelebA.txt``.

    The files may lie as distributed (``Anno``, ``Eval``, ``Img/img_align_celeba``) or all beside
    each other; the last two may lack. Each attribute has the values "no" and "yes". The identity
    becomes the product, so that one person's pictures stay in one split.

    Args:
        root: the data set's folder.
        checks: how strictly.

    Raises:
        ValidationError: a file cannot be used, or strict mode and a bad line.
    """
    checks = checks or Checks()
    root = Path(root).absolute()
    file = _find(root, "Anno", "list_attr_celeba.txt")
    partition = _find(root, "Eval", "list_eval_partition.txt")
    people = _find(root, "Anno", "identity_CelebA.txt")
    names, lines, problems = _read_attributes(file)
    splits = _read_pairs(partition, problems, _PARTITION)
    identities = _read_pairs(people, problems)
    folder = next((root / name for name in _PICTURES if _holds_pictures(root / name)), root)
    rows = []
    for line in lines:
        picture, *answers = line.text.split()
        if len(answers) != len(names):
            message = f"has {len(answers)} values; there are {len(names)} attributes"
            problems.append(line.problem(message))
            continue
        wrong = {n: a for n, a in zip(names, answers, strict=True) if a not in _ANSWERS}
        problems += [
            line.problem("write 1 or -1", column=name, value=answer, kind="bad-value")
            for name, answer in wrong.items()
        ]
        if not wrong:
            values = {n: _ANSWERS[a] for n, a in zip(names, answers, strict=True)}
            split, person = splits.get(picture), identities.get(picture)
            rows.append(
                SourceRow(file, line.number, picture, folder / picture, values, person, split)
            )
    _name_the_unknown(rows, splits, partition, problems)
    _name_the_unknown(rows, identities, people, problems)
    problems += _compare_counts(root, rows, checks)
    schema = AttributeSchema(tuple(Attribute(name, ("no", "yes")) for name in names))
    return assemble_catalogue("celeba", root, rows, schema, problems=problems, checks=checks)


def _find(root: Path, folder: str, name: str) -> Path:
    """The file as distributed, or beside all others where it lies there."""
    return root / name if (root / name).exists() else root / folder / name


def _holds_pictures(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob("*.jpg"))


def _read_attributes(file: Path) -> tuple[tuple[str, ...], list[Line], list[Problem]]:
    """Attribute names, the lines of pictures, and the problem of a wrong count."""
    lines = read_lines(file)
    if len(lines) < 2 or not lines[0].text.isdecimal():
        raise lines[0].error("the first line is the number of pictures, the second the attributes")
    names = tuple(lines[1].text.split())
    if len(set(names)) != len(names):
        raise lines[1].error("names an attribute twice")
    declared, found = int(lines[0].text), len(lines) - 2
    problems = []
    if declared != found:
        message = f"says {declared:,} pictures; {found:,} lines follow"
        problems.append(lines[0].problem(message, severity="warning", kind="count"))
    return names, lines[2:], problems


def _read_pairs(
    file: Path, problems: list[Problem], meanings: dict[str, str] | None = None
) -> dict[str, str]:
    """Picture name -> value of a file of pairs; what cannot be read goes to `problems`."""
    pairs: dict[str, str] = {}
    if not file.exists():
        message = "no such file; pictures get no split or identity from it"
        problems.append(Problem(str(file), None, None, None, message, "bad-file", "warning"))
        return pairs
    for line in read_lines(file):
        words = line.text.split()
        if len(words) != 2:
            problems.append(line.problem("write a picture name and a number"))
        elif meanings is not None and words[1] not in meanings:
            known = ", ".join(f"{key} ({value})" for key, value in meanings.items())
            problems.append(line.problem(f"write one of {known}", value=words[1], kind="bad-value"))
        elif pairs.setdefault(words[0], words[1]) != words[1]:
            problems.append(line.problem(f"{words[0]} stands here twice", kind="duplicate-id"))
    return pairs if meanings is None else {key: meanings[value] for key, value in pairs.items()}


def _name_the_unknown(
    rows: Sequence[SourceRow], pairs: dict[str, str], file: Path, problems: list[Problem]
) -> None:
    """Warn of pictures without a pair, and of pairs without a picture."""
    if not file.exists():
        return
    listed = {str(row.item_id) for row in rows}
    for names, what in (
        (listed - pairs.keys(), "pictures with attributes are not in this file"),
        (pairs.keys() - listed, "pictures of this file have no attributes"),
    ):
        if names:
            message = f"{len(names):,} {what}, {min(names)} among them"
            problems.append(Problem(str(file), None, None, None, message, "count", "warning"))


def _compare_counts(root: Path, rows: Sequence[SourceRow], checks: Checks) -> list[Problem]:
    problems = checks.compare_count(root, "pictures", len(rows), CELEBA_PICTURES)
    for split, published in CELEBA_SPLITS.items():
        found = sum(row.split == split for row in rows)
        problems += checks.compare_count(root, f"pictures in {split}", found, published)
    return problems
