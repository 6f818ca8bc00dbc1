"""Every reader on damaged files: the file is named, with the line where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dataset_folders import (
    write_adde,
    write_celeba,
    write_cub,
    write_darn,
    write_hm,
    write_shopping100k,
)

from amgan.catalogue.adde import load_adde, load_adde_queries, load_adde_triplets
from amgan.catalogue.assembly import Checks
from amgan.catalogue.readers import READERS, load_dataset
from amgan.catalogue.records import Catalogue
from amgan.catalogue.shopping100k import SHOPPING100K_ATTRIBUTES
from amgan.catalogue.validation import Problem, ValidationError

Outcome = tuple[object, tuple[Problem, ...]]
QUICK = Checks(check_pictures=False, workers=1)


def load_all_of_adde(root: Path) -> Outcome:
    catalogue, report = load_adde(root, checks=QUICK)
    triplets, triplet_report = load_adde_triplets(root, catalogue)
    queries, query_report = load_adde_queries(root, catalogue)
    content = (
        _content(catalogue),
        np.stack([triplets.reference, triplets.positive, triplets.negative], 1).tolist(),
        triplets.indicator.tolist(),
        queries.reference.tolist(),
        queries.indicator.tolist(),
        queries.target_labels.tolist(),
    )
    problems = (*report.problems, *triplet_report.problems, *query_report.problems)
    return content, problems


def _content(catalogue: Catalogue) -> object:
    """What a catalogue says, whatever the order of its items."""
    return sorted(
        (
            item.item_id,
            item.image,
            tuple(sorted(catalogue.schema.decode(item.labels).items())),
            item.product,
            item.split,
        )
        for item in catalogue
    )


def _load(name: str) -> Callable[[Path], Outcome]:
    def load(root: Path) -> Outcome:
        catalogue, report = load_dataset(name, root, checks=QUICK)
        return _content(catalogue), report.problems

    return load


READ: dict[str, tuple[Callable[[Path], object], Callable[[Path], Outcome]]] = {
    "adde": (write_adde, load_all_of_adde),
    "celeba": (write_celeba, _load("celeba")),
    "cub": (write_cub, _load("cub")),
    "darn": (write_darn, _load("darn")),
    "hm": (write_hm, _load("hm")),
    "shopping100k": (write_shopping100k, _load("shopping100k")),
    "shopping100k by line": (
        lambda root: write_shopping100k(root, "integers"),
        _load("shopping100k"),
    ),
}


def truncate(content: bytes) -> bytes | None:
    return content[: len(content) // 2 + 1]


def shuffle(content: bytes) -> bytes | None:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[i] for i in np.random.default_rng(2).permutation(len(lines)))


def drop_a_line(content: bytes) -> bytes | None:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2] + lines[len(lines) // 2 + 1 :])


def repeat_a_line(content: bytes) -> bytes | None:
    lines = content.splitlines(keepends=True)
    middle = len(lines) // 2
    return b"".join(lines[: middle + 1] + lines[middle:])


def write_in_latin_1(content: bytes) -> bytes | None:
    middle = len(content) // 2
    return content[:middle] + "ä".encode("latin-1") + content[middle:]


def write_in_utf_16(content: bytes) -> bytes | None:
    return content.decode().encode("utf-16")


def empty(content: bytes) -> bytes | None:
    return b""


def remove(content: bytes) -> bytes | None:
    return None


DAMAGES = (
    truncate,
    shuffle,
    drop_a_line,
    repeat_a_line,
    write_in_latin_1,
    write_in_utf_16,
    empty,
    remove,
)


# Lines say nothing of the picture they belong to; what contradicts them is another file's line.
NOTICED_IN_ANOTHER_FILE = {
    ("adde", "attr_num.txt", "shuffle"),
    ("adde", "labels_test.txt", "shuffle"),
    ("adde", "labels_train.txt", "shuffle"),
    ("adde", "ref_test.txt", "shuffle"),
    ("shopping100k by line", "images.txt", "shuffle"),
}
# Nothing contradicts them at all: these files may hold any picture in any line, or lack any label.
CANNOT_BE_NOTICED = {
    ("adde", "imgs_test.txt", "shuffle"),
    ("adde", "imgs_train.txt", "shuffle"),
    ("darn", "candidate_test.txt", "drop_a_line"),
    ("darn", "candidate_valid.txt", "drop_a_line"),
    ("darn", "filenames_valid.txt", "shuffle"),
    ("darn", "query_test.txt", "drop_a_line"),
    ("darn", "query_valid.txt", "drop_a_line"),
    ("darn", "query_valid.txt", "truncate"),
    *(
        ("shopping100k by line", f"{name}.txt", "shuffle")
        for name in SHOPPING100K_ATTRIBUTES
        if name not in ("category", "gender")
    ),
}


def judge(file: Path, clean: Outcome, load: Callable[[Path], Outcome], root: Path) -> str:
    """How reading a damaged file ends."""
    try:
        content, problems = load(root)
    except ValidationError as error:
        content, problems = None, error.report.problems
    new = [problem for problem in problems if problem not in clean[1]]
    if any(problem.file == str(file) or file.name in problem.message for problem in new):
        return "named"
    if content == clean[0]:
        return "harmless"
    return "noticed" if new else "unnoticed"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("reader", READ)
def test_damage_is_named_or_does_no_harm(
    tmp_path: Path, reader: str, damage: Callable[[bytes], bytes | None]
) -> None:
    write, load = READ[reader]
    root = tmp_path / "DARN"
    write(root)
    clean = load(root)
    files = [f for f in sorted(root.rglob("*")) if f.suffix in (".txt", ".csv", ".json")]
    assert files
    for file in files:
        sound = file.read_bytes()
        damaged = damage(sound)
        if damaged is None:
            file.unlink()
        else:
            file.write_bytes(damaged)
        case = (reader, file.name, damage.__name__)
        verdict = judge(file, clean, load, root)
        if case in NOTICED_IN_ANOTHER_FILE:
            assert verdict == "noticed", case
        elif case in CANNOT_BE_NOTICED:
            assert verdict == "unnoticed", case
        elif damage in (truncate, write_in_latin_1, write_in_utf_16, empty, remove):
            assert verdict == "named", case
        else:
            assert verdict in ("named", "harmless"), case
        file.write_bytes(sound)


@pytest.mark.parametrize("reader", READ)
def test_wrong_bytes_are_named_by_line(tmp_path: Path, reader: str) -> None:
    write, load = READ[reader]
    root = tmp_path / "DARN"
    write(root)
    for file in [f for f in sorted(root.rglob("*")) if f.suffix in (".txt", ".csv", ".json")]:
        sound = file.read_bytes()
        damaged = write_in_latin_1(sound)
        assert damaged is not None
        line = damaged[: damaged.index(b"\xe4")].count(b"\n") + 1
        file.write_bytes(damaged)
        try:
            problems = load(root)[1]
        except ValidationError as error:
            problems = error.report.problems
        found = [p for p in problems if p.file == str(file) and "not UTF-8" in p.message]
        assert [p.row for p in found] == [_record_start(sound, line) if reader == "hm" else line]
        file.write_bytes(sound)


def _record_start(content: bytes, line: int) -> int:
    """First line of the CSV record that runs over `line`."""
    before = content.split(b"\n")
    while b'"' in b"\n".join(before[: line - 1]) and _is_open(before[: line - 1]):
        line -= 1
    return line


def _is_open(lines: list[bytes]) -> bool:
    return b"\n".join(lines).count(b'"') % 2 == 1


@pytest.mark.parametrize("reader", READERS)
def test_folder_without_the_data_set(tmp_path: Path, reader: str) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ValidationError, match="no such file") as caught:
            load_dataset(reader, folder)
        assert str(folder) in str(caught.value)


@pytest.mark.parametrize("reader", [name for name in READ if name not in ("darn", "hm")])
def test_damaged_and_missing_pictures_cost_their_items(tmp_path: Path, reader: str) -> None:
    write, _ = READ[reader]
    root = tmp_path / "DARN"
    write(root)
    name = reader.partition(" ")[0]
    before, _ = load_dataset(name, root)
    before.images[1].write_bytes(before.images[1].read_bytes()[:200])
    before.images[3].unlink()
    after, report = load_dataset(name, root)
    bad = [problem for problem in report.problems if "picture" in problem.kind]
    assert [problem.kind for problem in bad] == ["bad-picture", "missing-picture"]
    assert [problem.value for problem in bad] == [str(before.images[1]), str(before.images[3])]
    assert all(problem.row is not None for problem in bad)
    kept = [item for i, item in enumerate(before.item_ids) if i not in (1, 3)]
    assert list(after.item_ids) == kept


def test_unknown_reader() -> None:
    with pytest.raises(ValueError, match="unknown data set 'vogue'; known are adde, celeba"):
        load_dataset("vogue", Path())
