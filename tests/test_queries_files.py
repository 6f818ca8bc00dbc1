from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.queries import Triplets, load_triplets, sample_triplets, save_triplets

SCHEMA = AttributeSchema(
    (Attribute("collar", ("round", "v-neck")), Attribute("colour", ("blåbär", "grey")))
)


@pytest.fixture
def catalogue() -> Catalogue:
    labels = [[1, 0], [0, 0], [-1, 1], [0, 1], [1, 1], [0, 0]]
    ids = ("a", "b", "c", "d", "e", 'odd "id"\n')
    return Catalogue(
        "six",
        SCHEMA,
        ids,
        tuple(Path(f"{i}.jpg") for i in range(6)),
        np.array(labels, np.int16),
        (None,) * 6,
        ("train",) * 6,
    )


def by_hand(catalogue: Catalogue) -> Triplets:
    return Triplets(
        np.array([0, 2, 3]), np.array([1, 5, 0]), ("train",) * 3, 7, catalogue.digest, 2, {"x": 1}
    )


def test_the_file_reads_well(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "new" / "t.jsonl"
    save_triplets(by_hand(catalogue), catalogue, path)
    header, *rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert header == {
        "format": "amgan-triplets",
        "version": 1,
        "seed": 7,
        "catalogue": "six",
        "catalogue_digest": catalogue.digest,
        "schema_digest": SCHEMA.digest,
        "settings": {"x": 1},
        "triplets": 3,
        "skipped": 2,
    }
    assert [row["changes"] for row in rows] == [
        ["collar: v-neck -> round"],
        ["collar: (none) -> round", "colour: grey -> blåbär"],
        ["collar: round -> v-neck", "colour: grey -> blåbär"],
    ]
    assert rows[0] == {
        "split": "train",
        "reference": "a",
        "target": "b",
        "changes": ["collar: v-neck -> round"],
    }
    assert "blåbär" in path.read_text("utf-8")


def test_round_trip(catalogue: Catalogue, tmp_path: Path) -> None:
    triplets = sample_triplets(catalogue, seed=3, per_item=2)
    save_triplets(triplets, catalogue, tmp_path / "t.jsonl")
    loaded = load_triplets(tmp_path / "t.jsonl", catalogue)
    assert loaded.reference.tolist() == triplets.reference.tolist()
    assert loaded.target.tolist() == triplets.target.tolist()
    assert loaded.digest == triplets.digest
    assert (loaded.seed, loaded.skipped, loaded.settings) == (
        triplets.seed,
        triplets.skipped,
        triplets.settings,
    )
    assert [file.name for file in tmp_path.iterdir()] == ["t.jsonl"]


def test_no_triplets_round_trip(catalogue: Catalogue, tmp_path: Path) -> None:
    empty = by_hand(catalogue).in_split("val")
    save_triplets(empty, catalogue, tmp_path / "t.jsonl")
    assert len(load_triplets(tmp_path / "t.jsonl", catalogue)) == 0


def test_saving_over_a_file_that_cannot_be_written_keeps_it(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    save_triplets(by_hand(catalogue), catalogue, path)
    before = path.read_bytes()
    removal = replace(by_hand(catalogue), reference=np.array([0, 1, 1]), target=np.array([1, 2, 2]))
    with pytest.raises(ValueError, match="cannot remove a value"):
        save_triplets(removal, catalogue, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["t.jsonl"]


def test_saving_for_another_catalogue_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="another catalogue"):
        save_triplets(by_hand(catalogue), catalogue.subset([0, 1]), tmp_path / "t.jsonl")


def test_a_grown_catalogue_is_accepted(catalogue: Catalogue, tmp_path: Path) -> None:
    small = catalogue.subset([0, 1, 2, 3])
    triplets = sample_triplets(small)
    save_triplets(triplets, small, tmp_path / "t.jsonl")
    grown = catalogue.subset([4, 0, 1, 2, 3])
    loaded = load_triplets(tmp_path / "t.jsonl", grown)
    assert loaded.reference.tolist() == (triplets.reference + 1).tolist()
    assert loaded.catalogue_digest == grown.digest


def test_a_relabelled_catalogue_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    save_triplets(by_hand(catalogue), catalogue, tmp_path / "t.jsonl")
    labels = catalogue.labels.copy()
    labels[0] = [0, 1]
    with pytest.raises(ValueError, match=r"t\.jsonl, line 2: changes .*another state"):
        load_triplets(tmp_path / "t.jsonl", replace(catalogue, labels=labels))


def edit_row(**values: Any) -> Callable[[list[str]], None]:
    def edit(lines: list[str]) -> None:
        lines[2] = json.dumps(json.loads(lines[2]) | values)

    return edit


def edit_header(**values: Any) -> Callable[[list[str]], None]:
    def edit(lines: list[str]) -> None:
        lines[0] = json.dumps(json.loads(lines[0]) | values)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edit_row(reference="nobody"), r"line 3: catalogue 'six' has no item 'nobody'"),
        (edit_row(target="e"), "line 3: changes .* do not agree with the labels"),
        (edit_row(target="c"), "line 3: reference and target do not differ"),
        (edit_row(reference="a", target="c"), "line 3: collar is 'v-neck' .* cannot remove"),
        (edit_row(changes=["collar: (none) -> v-neck"]), "line 3: changes"),
        (edit_row(changes=None), "line 3: changes"),
        (edit_row(split="test"), "line 3: the file puts item 'c' in split 'test'"),
        (edit_row(reference=["a"]), r"line 3: reference is \['a'\]"),
        (lambda lines: lines.__setitem__(2, "{"), "line 3: expected an object"),
        (lambda lines: lines.__setitem__(2, "[1]"), "line 3: expected an object"),
        (lambda lines: lines.__setitem__(2, '{"split": "train"}'), "line 3: expected an object"),
        (lambda lines: lines.pop(), "announces 3 triplets, the file has 2"),
        (lambda lines: lines.pop(0), "line 1: not a triplet file"),
        (lambda lines: lines.clear(), "line 1: not a triplet file"),
        (edit_header(version=2), "line 1: version 2 is not supported"),
        (edit_header(seed="x"), "line 1: the header's 'seed'"),
    ],
)
def test_what_does_not_hold_is_named(
    catalogue: Catalogue, tmp_path: Path, edit: Callable[[list[str]], None], message: str
) -> None:
    path = tmp_path / "t.jsonl"
    save_triplets(by_hand(catalogue), catalogue, path)
    lines = path.read_text("utf-8").splitlines()
    edit(lines)
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        load_triplets(path, catalogue)
    assert str(path) in str(caught.value)


def test_a_binary_file_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ValueError, match="not a triplet file"):
        load_triplets(path, catalogue)
