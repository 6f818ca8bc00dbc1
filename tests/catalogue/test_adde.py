from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_folders import one_hot, write_adde, write_lines

from amgan.attributes import AttributeSchema
from amgan.catalogue.adde import load_adde, load_adde_queries, load_adde_triplets
from amgan.catalogue.adde_export import save_adde
from amgan.catalogue.adde_vectors import compute_signs
from amgan.catalogue.assembly import Checks
from amgan.catalogue.shopping100k import SHOPPING100K_ATTRIBUTES
from amgan.catalogue.validation import ValidationError

FILES = (
    "imgs_train.txt imgs_test.txt labels_train.txt labels_test.txt triplet_train.txt "
    "triplet_train_ind.txt ref_test.txt indfull_test.txt gt_test.txt"
)


def edit(file: Path, row: int, line: str) -> None:
    """Replace a line, counted from 1."""
    lines = file.read_text("utf-8").splitlines()
    lines[row - 1] = line
    write_lines(file, lines)


def test_pictures_and_labels(tmp_path: Path) -> None:
    written = write_adde(tmp_path)
    catalogue, report = load_adde(tmp_path, checks=Checks(strict=True))
    assert not report.problems
    assert catalogue.item_ids == (*written.paths["train"], *written.paths["test"])
    labels = [list(row) for part in ("train", "test") for row in written.labels[part]]
    assert catalogue.labels.tolist() == labels
    assert catalogue.splits == ("train",) * 40 + ("test",) * 30
    assert catalogue.schema.to_dict()["attribute 2"] == ["1", "2", "3", "4"]


def test_triplets_and_queries_count_in_the_catalogue(tmp_path: Path) -> None:
    written = write_adde(tmp_path)
    catalogue, _ = load_adde(tmp_path)
    triplets, _ = load_adde_triplets(tmp_path, catalogue, strict=True)
    found = np.stack([triplets.reference, triplets.positive, triplets.negative], 1)
    assert found.tolist() == [list(triplet) for triplet in written.triplets]
    queries, _ = load_adde_queries(tmp_path, catalogue, strict=True)
    assert queries.reference.tolist() == [40 + reference for reference, _, _ in written.queries]
    assert queries.target_labels.tolist() == [list(target) for _, _, target in written.queries]
    for (reference, attribute, target), signs, wanted in zip(
        written.queries, queries.indicator, queries.wanted, strict=True
    ):
        before = one_hot(written.labels["test"][reference], written.sizes)
        after = one_hot(target, written.sizes)
        assert signs.tolist() == [b - a for a, b in zip(before, after, strict=True)]
        assert wanted.sum() == 1
        start = sum(written.sizes[:attribute])
        assert wanted[start + target[attribute]] == 1


def test_wanted_values_lead_from_reference_to_target(tmp_path: Path) -> None:
    write_adde(tmp_path)
    catalogue, _ = load_adde(tmp_path)
    queries, _ = load_adde_queries(tmp_path, catalogue)
    reference = catalogue.labels[queries.reference]
    assert np.array_equal(catalogue.schema.apply(reference, queries.wanted), queries.target_labels)
    signs = compute_signs(catalogue.schema, reference, queries.target_labels)
    assert np.array_equal(signs, queries.indicator)


def test_what_is_saved_is_what_was_read(tmp_path: Path) -> None:
    write_adde(tmp_path / "in")
    catalogue, _ = load_adde(tmp_path / "in")
    triplets, _ = load_adde_triplets(tmp_path / "in", catalogue)
    queries, _ = load_adde_queries(tmp_path / "in", catalogue)
    images = tmp_path / "in"
    save_adde(tmp_path / "out", catalogue, images=images, triplets=triplets, queries=queries)
    for name in FILES.split():
        assert (tmp_path / "out" / name).read_text() == (tmp_path / "in" / name).read_text()
    again, _ = load_adde(tmp_path / "out", images=images)
    assert again.digest == catalogue.digest


def test_validation_items_are_saved_with_the_training_part(tmp_path: Path) -> None:
    write_adde(tmp_path)
    catalogue, _ = load_adde(tmp_path)
    splits = ("train", "val", "test") * 23 + ("val",)
    mixed = type(catalogue)(**{**vars(catalogue), "splits": splits})
    save_adde(tmp_path / "out", mixed, images=tmp_path)
    train = (tmp_path / "out" / "imgs_train.txt").read_text("utf-8").splitlines()
    assert train == [item.item_id for item in mixed if item.split != "test"]
    assert not (tmp_path / "out" / "triplet_train.txt").exists()


def test_saving_refuses_what_the_format_cannot_hold(tmp_path: Path) -> None:
    write_adde(tmp_path)
    catalogue, _ = load_adde(tmp_path)
    queries, _ = load_adde_queries(tmp_path, catalogue)
    with pytest.raises(ValueError, match="does not lie in"):
        save_adde(tmp_path / "out", catalogue, images=tmp_path / "elsewhere")
    unassigned = type(catalogue)(**{**vars(catalogue), "splits": (None,) * 70})
    with pytest.raises(ValueError, match="70 items have no split"):
        save_adde(tmp_path / "out", unassigned, images=tmp_path)
    training = type(catalogue)(**{**vars(catalogue), "splits": ("train",) * 69 + ("test",)})
    with pytest.raises(ValueError, match="is not of the test part but 'train'"):
        save_adde(tmp_path / "out", training, images=tmp_path, queries=queries)


def test_sizes_of_shopping100k_get_its_names(tmp_path: Path) -> None:
    sizes = list(SHOPPING100K_ATTRIBUTES.values())
    assert sum(sizes) == 151
    write_adde(tmp_path)
    write_lines(tmp_path / "attr_num.txt", [" ".join(map(str, sizes))])
    zeros = " ".join(["0"] * 151)
    for part, n in (("train", 40), ("test", 30)):
        ones = ["1" + zeros[1:], zeros[:-1] + "1"]
        write_lines(tmp_path / f"labels_{part}.txt", [ones[i % 2] for i in range(n)])
    catalogue, _ = load_adde(tmp_path)
    assert catalogue.schema.names == tuple(SHOPPING100K_ATTRIBUTES)
    assert catalogue.labels[0].tolist() == [0] + [-1] * 11
    assert catalogue.labels[1].tolist() == [-1] * 11 + [14]


def test_a_schema_gives_names(tmp_path: Path) -> None:
    written = write_adde(tmp_path)
    schema = AttributeSchema.from_dict({"a": "xyz", "b": "klmn", "c": "pq"})
    catalogue, _ = load_adde(tmp_path, schema=schema)
    assert catalogue.schema is schema
    assert catalogue.labels[0].tolist() == list(written.labels["train"][0])
    other = AttributeSchema.from_dict({"a": "xyz", "b": "kl"})
    with pytest.raises(ValidationError, match=r"attr_num\.txt: has sizes \[3, 4, 2\]"):
        load_adde(tmp_path, schema=other)


def test_rows_keep_their_meaning_when_a_picture_is_gone(tmp_path: Path) -> None:
    written = write_adde(tmp_path)
    whole, _ = load_adde(tmp_path)
    before, _ = load_adde_queries(tmp_path, whole)
    gone = written.queries[0][0]
    (tmp_path / written.paths["test"][gone]).unlink()
    catalogue, report = load_adde(tmp_path)
    assert len(catalogue) == 69 and report.errors[0].row == gone + 1
    queries, report = load_adde_queries(tmp_path, catalogue, strict=True)
    kept = [i for i, (reference, _, _) in enumerate(written.queries) if reference != gone]
    assert report.skipped == len(before) - len(kept) == len(report.tolerated)
    assert [catalogue.item_ids[row] for row in queries.reference] == [
        whole.item_ids[before.reference[i]] for i in kept
    ]
    assert np.array_equal(queries.indicator, before.indicator[kept])


def test_reversed_signs_are_recognised(tmp_path: Path) -> None:
    write_adde(tmp_path)
    catalogue, _ = load_adde(tmp_path)
    file = tmp_path / "indfull_test.txt"
    swapped = file.read_text("utf-8").replace("-1", "x").replace("1", "-1").replace("x", "1")
    file.write_text(swapped, "utf-8")
    with pytest.raises(ValidationError, match="signs seem to be reversed") as caught:
        load_adde_queries(tmp_path, catalogue)
    assert f"{file}:1" in str(caught.value)


def test_positives_of_other_labels_are_warned_of(tmp_path: Path) -> None:
    written = write_adde(tmp_path)
    reference, positive, negative = written.triplets[2]
    other = next(
        i for i, r in enumerate(written.labels["train"]) if r != written.labels["train"][positive]
    )
    edit(tmp_path / "triplet_train.txt", 3, f"{reference} {other} {negative}")
    catalogue, _ = load_adde(tmp_path)
    triplets, report = load_adde_triplets(tmp_path, catalogue, strict=True)
    assert len(triplets) == len(written.triplets)
    assert [(p.row, p.severity) for p in report.problems] == [(3, "warning")]


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("triplet_train.txt", "1 2", "write reference, positive and negative"),
        ("triplet_train.txt", "1 2 40", "picture 40 is not among the 40"),
        ("triplet_train.txt", "1 2 x", "not made of integers"),
        ("triplet_train_ind.txt", "0 0 0 1", "has 4 numbers; attr_num.txt makes 9"),
        ("triplet_train_ind.txt", "0 0 0 0 0 0 0 0 0", "wants no value"),
        ("triplet_train_ind.txt", "1 1 0 0 0 0 0 0 0", "more than one value is wanted"),
        ("triplet_train_ind.txt", "2 0 0 0 0 0 0 0 0", "write -1, 0 and 1"),
        ("triplet_train_ind.txt", "999 0 0 0 0 0 0 0 0", "not made of small integers"),
    ],
)
def test_bad_triplet_lines_are_named(tmp_path: Path, name: str, line: str, message: str) -> None:
    written = write_adde(tmp_path)
    edit(tmp_path / name, 2, line)
    catalogue, _ = load_adde(tmp_path)
    triplets, report = load_adde_triplets(tmp_path, catalogue)
    (error,) = report.errors
    assert (error.file, error.row) == (str(tmp_path / name), 2) and message in error.message
    assert len(triplets) == len(written.triplets) - 1
    with pytest.raises(ValidationError, match=message):
        load_adde_triplets(tmp_path, catalogue, strict=True)


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("ref_test.txt", "30", "picture 30 is not among the 30"),
        ("gt_test.txt", "1 1 0 0 0 0 0 0 0", "has 2 values; one or none is possible"),
        ("gt_test.txt", "-1 0 0 0 0 0 0 0 0", "write zeros and ones"),
        ("gt_test.txt", "0 0 0 0 0 0 0 0 0", "is not what line 2 of indfull_test.txt asks for"),
        ("indfull_test.txt", "0 0 0 0 0 0 0 1", "has 8 numbers"),
    ],
)
def test_bad_query_lines_are_named(tmp_path: Path, name: str, line: str, message: str) -> None:
    write_adde(tmp_path)
    edit(tmp_path / name, 2, line)
    catalogue, _ = load_adde(tmp_path)
    _, report = load_adde_queries(tmp_path, catalogue)
    (error,) = report.errors
    assert (error.file, error.row) == (str(tmp_path / name), 2) and message in error.message


def test_removing_what_is_not_there(tmp_path: Path) -> None:
    written = write_adde(tmp_path)
    reference = written.queries[0][0]
    label = written.labels["test"][reference][0]
    signs = [0] * 9
    signs[(label + 1) % 3], signs[(label + 2) % 3] = -1, 1
    edit(tmp_path / "indfull_test.txt", 1, " ".join(map(str, signs)))
    catalogue, _ = load_adde(tmp_path)
    _, report = load_adde_queries(tmp_path, catalogue)
    assert report.errors[0].message == "removes a value that the reference does not have"


def test_git_lfs_pointers_are_recognised(tmp_path: Path) -> None:
    write_adde(tmp_path)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:8f9f\nsize 662146\n"
    (tmp_path / "imgs_test.txt").write_text(pointer, "utf-8")
    with pytest.raises(ValidationError, match=r"imgs_test\.txt: is a Git LFS pointer"):
        load_adde(tmp_path)


@pytest.mark.parametrize("line", ["1 1 0 0 0 0 0 0 0", "1 0 0", "2 0 0 0 0 0 0 0 0", "a b"])
def test_bad_label_lines_cost_their_item(tmp_path: Path, line: str) -> None:
    written = write_adde(tmp_path)
    edit(tmp_path / "labels_test.txt", 4, line)
    catalogue, report = load_adde(tmp_path)
    (error,) = report.errors
    assert (error.file, error.row) == (str(tmp_path / "labels_test.txt"), 4)
    assert (report.kept, report.skipped) == (69, 1)
    assert written.paths["test"][3] not in catalogue.item_ids


def test_attributes_need_values(tmp_path: Path) -> None:
    write_adde(tmp_path)
    write_lines(tmp_path / "attr_num.txt", ["9 0"])
    with pytest.raises(ValidationError, match="1 value or more, not 0"):
        load_adde(tmp_path)
