from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from amgan.attributes import MISSING, Attribute, AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.queries import Triplets, groups, sample_triplets


def make_catalogue(labels: list[list[int]], splits: list[str | None] | None = None) -> Catalogue:
    width = len(labels[0])
    values = tuple(f"v{i}" for i in range(max(map(max, labels)) + 1 or 1))
    schema = AttributeSchema(tuple(Attribute(f"a{i}", values) for i in range(width)))
    n = len(labels)
    return Catalogue(
        "made",
        schema,
        tuple(f"item{i}" for i in range(n)),
        tuple(Path(f"{i}.jpg") for i in range(n)),
        np.array(labels, np.int16),
        (None,) * n,
        tuple(splits) if splits else ("train",) * n,
    )


def naive_targets(catalogue: Catalogue, row: int, low: int, high: int) -> dict[int, int]:
    """Eligible rows and their number of changes, straight from the definition."""
    found = {}
    for other in range(len(catalogue)):
        if catalogue.splits[other] != catalogue.splits[row] or other == row:
            continue
        x, y = catalogue[row].labels, catalogue[other].labels
        if any(a != MISSING and b == MISSING for a, b in zip(x, y, strict=True)):
            continue
        number = sum(a != b for a, b in zip(x, y, strict=True))
        if low <= number <= high:
            found[other] = number
    return found


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    width = draw(st.integers(1, 5))
    n = draw(st.integers(1, 25))
    row = st.lists(st.integers(-1, 2), min_size=width, max_size=width)
    labels = draw(st.lists(row, min_size=n, max_size=n))
    splits = draw(st.lists(st.sampled_from(["train", "test", None]), min_size=n, max_size=n))
    return make_catalogue(labels, ["train", *splits[1:]])


@settings(max_examples=150, deadline=None)
@given(catalogues(), st.integers(0, 5), st.integers(1, 3), st.booleans(), st.data())
def test_targets_are_exactly_the_eligible_items(
    catalogue: Catalogue, seed: int, per_item: int, balance: bool, data: st.DataObject
) -> None:
    low = data.draw(st.integers(1, catalogue.schema.num_attributes))
    high = data.draw(st.integers(low, 6))
    triplets = sample_triplets(
        catalogue,
        seed=seed,
        changes=(low, high),
        per_item=per_item,
        balance_changes=balance,
    )
    drawn: dict[int, list[int]] = {}
    for x, y in zip(triplets.reference.tolist(), triplets.target.tolist(), strict=True):
        drawn.setdefault(x, []).append(y)
    skipped = 0
    for row in range(len(catalogue)):
        eligible = naive_targets(catalogue, row, low, high)
        if catalogue.splits[row] is None:
            assert row not in drawn
            continue
        skipped += not eligible
        found = drawn.get(row, [])
        assert len(found) == len(set(found)) == min(per_item, len(eligible))
        assert set(found) <= set(eligible)
    assert triplets.skipped == skipped
    assert triplets.splits == tuple(catalogue.splits[row] for row in triplets.reference)


def test_hand_worked_rules() -> None:
    catalogue = make_catalogue(
        [
            [0, 0, 0],  # 0: reference
            [0, 0, 0],  # 1: no change
            [1, 0, 0],  # 2: one change
            [1, 1, 0],  # 3: two changes
            [1, 1, 1],  # 4: three changes
            [-1, 1, 0],  # 5: a value of 0 is missing here
        ]
    )
    for seed in range(40):
        triplets = sample_triplets(catalogue, seed=seed)
        targets = dict(zip(triplets.reference.tolist(), triplets.target.tolist(), strict=True))
        assert targets[0] in (2, 3)
        assert targets[5] in (0, 1, 2, 3, 4)
    # Item 5 may get a value it lacks: (-1, 1, 0) -> (1, 1, 0) is one change.
    only = sample_triplets(catalogue, changes=(1, 1), per_item=6)
    assert set(only.target[only.reference == 5].tolist()) == {3}


def test_attributes_missing_in_both_match() -> None:
    catalogue = make_catalogue([[-1, 0], [-1, 1]])
    triplets = sample_triplets(catalogue)
    assert triplets.target.tolist() == [1, 0]
    assert triplets.num_changes(catalogue).tolist() == [1, 1]


def test_the_draw_is_uniform_over_eligible_items() -> None:
    # One item differs in one attribute, five in two.
    catalogue = make_catalogue([[0, 0], [1, 0], [1, 1], [1, 1], [2, 1], [2, 2], [2, 2]])
    counts = Counter(int(sample_triplets(catalogue, seed=seed).target[0]) for seed in range(3000))
    assert chisquare([counts[row] for row in range(1, 7)]).pvalue > 1e-3


def test_balancing_draws_the_number_of_changes_first() -> None:
    catalogue = make_catalogue([[0, 0], [1, 0], [1, 1], [1, 1], [2, 1], [2, 2], [2, 2]])
    counts = Counter(
        int(sample_triplets(catalogue, seed=seed, balance_changes=True).target[0])
        for seed in range(3000)
    )
    expected = [1500, 300, 300, 300, 300, 300]
    assert chisquare([counts[row] for row in range(1, 7)], expected).pvalue > 1e-3


def random_catalogue(n: int = 300, seed: int = 3) -> Catalogue:
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 4, (n, 4))
    return make_catalogue(labels.tolist(), rng.choice(["train", "val", "test"], n).tolist())


def test_blocks_do_not_change_the_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = random_catalogue()
    whole = sample_triplets(catalogue, per_item=3, balance_changes=True)
    monkeypatch.setattr(groups, "BLOCK_PAIRS", 1)
    assert sample_triplets(catalogue, per_item=3, balance_changes=True).digest == whole.digest


def test_first_target_does_not_depend_on_how_many_are_drawn() -> None:
    catalogue = random_catalogue()
    one = sample_triplets(catalogue)
    four = sample_triplets(catalogue, per_item={"train": 4})
    _, first = np.unique(four.reference, return_index=True)
    assert four.target[first].tolist() == one.target.tolist()
    numbers = Counter(four.reference.tolist())
    for row, number in numbers.items():
        assert number == (4 if catalogue.splits[row] == "train" else 1)


def test_the_draw_is_the_same_on_every_machine() -> None:
    catalogue = make_catalogue([[i % 3, i % 4, i % 2] for i in range(12)])
    triplets = sample_triplets(catalogue, seed=20)
    # From raw words of PCG64 seeded by SeedSequence(20, spawn_key=(0,)): word w of an item picks
    # target floor(w n / 2**64) of its n eligible ones, sorted by labels and row.
    words = np.random.PCG64(np.random.SeedSequence(20, spawn_key=(0,))).random_raw(24)[1::2]
    expected = []
    for row, word in enumerate(words.tolist()):
        eligible = sorted(
            naive_targets(catalogue, row, 1, 2), key=lambda y: (catalogue[y].labels, y)
        )
        expected.append(eligible[word * len(eligible) // 2**64])
    assert triplets.target.tolist() == expected
    assert triplets.target.tolist() == [6, 3, 11, 11, 7, 2, 10, 1, 11, 0, 7, 8]


def test_seeds_differ() -> None:
    catalogue = random_catalogue()
    assert sample_triplets(catalogue, seed=1).digest != sample_triplets(catalogue, seed=2).digest
    assert sample_triplets(catalogue, seed=1).digest == sample_triplets(catalogue, seed=1).digest


def test_views() -> None:
    catalogue = random_catalogue()
    triplets = sample_triplets(catalogue)
    train = triplets.in_split("train")
    assert set(train.splits) == {"train"}
    assert len(train) == triplets.splits.count("train") < len(triplets)
    assert len(triplets.in_split("nowhere")) == 0
    indicator = train.indicator(catalogue)
    assert indicator.shape == (len(train), catalogue.schema.num_values)
    assert indicator.sum(axis=1).tolist() == train.num_changes(catalogue).tolist()
    reached = catalogue.schema.apply(catalogue.labels[train.reference], indicator)
    assert np.array_equal(reached, catalogue.labels[train.target])


def test_changes_over_all_attributes() -> None:
    catalogue = random_catalogue()
    triplets = sample_triplets(catalogue, changes=(3, 99))
    assert set(triplets.num_changes(catalogue).tolist()) == {3, 4}
    assert triplets.settings["changes"] == [3, 4]


def test_labels_beyond_a_byte() -> None:
    # 300 and 44 are equal modulo 256.
    catalogue = make_catalogue([[300, 0], [44, 0]])
    triplets = sample_triplets(catalogue)
    assert triplets.target.tolist() == [1, 0]
    assert triplets.num_changes(catalogue).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"changes": (0, 1)}, "1 <= smallest <= largest"),
        ({"changes": (2, 1)}, "1 <= smallest <= largest"),
        ({"changes": (5, 9)}, "the catalogue has 4 attributes"),
        ({"per_item": {"tests": 2}}, "'tests'; the catalogue has"),
        ({"per_item": -1}, "cannot be negative"),
    ],
)
def test_settings_out_of_range(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_triplets(random_catalogue(), **arguments)  # type: ignore[arg-type]


def test_a_split_can_be_left_out() -> None:
    triplets = sample_triplets(random_catalogue(), per_item={"train": 0, "val": 2})
    assert set(triplets.splits) == {"val", "test"}
    empty = sample_triplets(random_catalogue(), per_item=0)
    assert isinstance(empty, Triplets)
    assert len(empty) == 0


def test_a_catalogue_without_splits_is_refused() -> None:
    catalogue = make_catalogue([[0], [1]], [None, None])
    with pytest.raises(ValueError, match="has no splits"):
        sample_triplets(catalogue)
