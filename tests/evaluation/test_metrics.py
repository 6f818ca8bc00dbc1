from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, nDCG

from amgan.evaluation.metrics import BLOCK_QUERIES, Cutoffs, compute_query_metrics

CUTOFFS = Cutoffs(hits=(1, 2, 3, 7), graded=(1, 3, 7), reciprocal=(2, 7))


def naive_metrics(
    ranked: list[int],
    gallery: list[list[int]],
    target: list[int],
    changed: list[bool],
    target_row: int,
    cutoffs: Cutoffs,
) -> dict[str, float]:
    """One query, transcribed from the definitions with loops."""
    attributes = range(len(target))
    chosen = {
        "": list(attributes),
        "_t": [m for m in attributes if changed[m]],
        "_o": [m for m in attributes if not changed[m]],
    }

    def share(row: int, among: list[int]) -> float:
        if not among:
            return math.nan
        return sum(row >= 0 and gallery[row][m] == target[m] for m in among) / len(among)

    values: dict[str, float] = {}
    for k in cutoffs.hits:
        values[f"top@{k}"] = float(any(r >= 0 and gallery[r] == target for r in ranked[:k]))
        values[f"item@{k}"] = float(target_row in ranked[:k]) if target_row >= 0 else math.nan
    for k in cutoffs.graded:
        for suffix, among in chosen.items():
            gain = ideal = 0.0
            for rank, row in enumerate(ranked[:k], start=1):
                gain += (2 ** share(row, among) - 1) / math.log2(rank + 1)
                ideal += (2**1 - 1) / math.log2(rank + 1)
            values[f"ndcg{suffix}@{k}"] = gain / ideal
        for name, suffix in (("wanted", "_t"), ("kept", "_o")):
            shares = [share(row, chosen[suffix]) for row in ranked[:k]]
            values[f"{name}@{k}"] = sum(shares) / len(shares)
    for k in cutoffs.reciprocal:
        label = item = 0.0
        for rank, row in reversed(list(enumerate(ranked[:k], start=1))):
            if row >= 0 and gallery[row] == target:
                label = 1 / rank
            if row >= 0 and row == target_row:
                item = 1 / rank
        values[f"mrr@{k}"] = item if target_row >= 0 else math.nan
        values[f"mrr_label@{k}"] = label
    return values


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 12), st.integers(1, 4))
def test_against_a_naive_loop(data: st.DataObject, width: int, n: int, queries: int) -> None:
    row = st.lists(st.integers(-1, 1), min_size=width, max_size=width)
    gallery = data.draw(st.lists(row, min_size=n, max_size=n))
    targets = data.draw(st.lists(row, min_size=queries, max_size=queries))
    flags = st.lists(st.booleans(), min_size=width, max_size=width)
    changed = data.draw(st.lists(flags, min_size=queries, max_size=queries))
    rows = data.draw(st.lists(st.integers(-1, n - 1), min_size=queries, max_size=queries))
    length = data.draw(st.integers(min_value=max(1, n - 1), max_value=n + 3))
    retrieved = []
    for _ in range(queries):
        ranked = data.draw(st.permutations(range(n)))[: data.draw(st.integers(0, length))]
        retrieved.append([*ranked, *[-1] * length][:length])
    computed = compute_query_metrics(
        np.array(retrieved),
        gallery_labels=np.array(gallery, np.int16),
        target_labels=np.array(targets, np.int16),
        changed=np.array(changed),
        target_rows=np.array(rows),
        cutoffs=CUTOFFS,
    )
    for query in range(queries):
        expected = naive_metrics(
            retrieved[query], gallery, targets[query], changed[query], rows[query], CUTOFFS
        )
        assert computed.keys() == expected.keys()
        for name, value in expected.items():
            assert computed[name][query] == pytest.approx(value, nan_ok=True), name


# Attributes: colour, sleeve, neck, pattern. The target is (1, 0, 2, missing), item 4; the query
# changes colour and neck.
GALLERY = np.array(
    [
        [1, 0, 2, 0],  # 0: all but the pattern, which the target misses
        [1, 0, 0, -1],  # 1: neck wrong
        [0, 1, 1, 1],  # 2: nothing right
        [1, 0, 2, -1],  # 3: the target's labels
        [1, 0, 2, -1],  # 4: the target itself
        [0, 0, 2, -1],  # 5: colour wrong
    ],
    np.int16,
)


def compute_one(ranked: list[int], **arguments: Any) -> dict[str, float]:
    values = {
        "gallery_labels": GALLERY,
        "target_labels": GALLERY[[4]],
        "changed": np.array([[True, False, True, False]]),
        "target_rows": np.array([4]),
        "cutoffs": Cutoffs(hits=(1, 2, 3, 4), graded=(2, 4), reciprocal=(3, 4)),
    }
    computed = compute_query_metrics(np.array([ranked]), **(values | arguments))
    return {name: float(value[0]) for name, value in computed.items()}


def test_a_table_worked_by_hand() -> None:
    # rank            1     2     3     4
    # item            0     1     3     4
    # right of 4      3     3     4     4     gain 2^.75 - 1 = .681793, then 1
    # right of C      2     1     2     2     gain 1, 2^.5 - 1 = .414214, 1, 1
    # right of rest   1     2     2     2     gain .414214, 1, 1, 1
    # 1/log2(k+1)     1  .630930   .5  .430677   sums: K = 2 1.630930, K = 4 2.561606
    expected = {
        "top@1": 0,
        "top@2": 0,
        "top@3": 1,
        "top@4": 1,
        "item@1": 0,
        "item@2": 0,
        "item@3": 0,
        "item@4": 1,
        "mrr@3": 0,
        "mrr@4": 0.25,
        "mrr_label@3": 1 / 3,
        "mrr_label@4": 1 / 3,
        "ndcg@2": 0.681793,
        "ndcg@4": 0.797402,  # (.681793 + .430163 + .5 + .430677) / 2.561606
        "ndcg_t@2": 0.773385,  # (1 + .261340) / 1.630930
        "ndcg_t@4": 0.855720,  # (1 + .261340 + .5 + .430677) / 2.561606
        "ndcg_o@2": 0.640827,  # (.414214 + .630930) / 1.630930
        "ndcg_o@4": 0.771320,  # (.414214 + .630930 + .5 + .430677) / 2.561606
        "wanted@2": 0.75,
        "wanted@4": 0.875,
        "kept@2": 0.75,
        "kept@4": 0.875,
    }
    computed = compute_one([0, 1, 3, 4])
    assert computed == pytest.approx(expected, abs=2e-6)


def test_missing_must_match_missing() -> None:
    assert compute_one([0, 1, 2, 5])["top@4"] == 0
    assert compute_one([0, 1, 2, 3])["top@4"] == 1


def test_nothing_retrieved() -> None:
    values = compute_one([-1, -1, -1, -1])
    assert values.keys() == compute_one([0, 1, 2, 3]).keys()
    assert set(values.values()) == {0.0}


def test_padding_is_not_the_missing_ground_truth() -> None:
    values = compute_one([3, -1, -1, -1], target_rows=np.array([-1]))
    assert values["top@1"] == 1
    assert all(math.isnan(values[name]) for name in ("item@4", "mrr@4"))


def test_nothing_left_to_keep() -> None:
    values = compute_one([1, 0, 3, 4], changed=np.ones((1, 4), np.bool_))
    assert math.isnan(values["ndcg_o@4"])
    assert math.isnan(values["kept@2"])
    assert values["ndcg_t@4"] == values["ndcg@4"]
    assert values["wanted@2"] == 0.75


def test_short_lists_leave_deep_metrics_out() -> None:
    gallery = np.zeros((100, 4), np.int16)
    names = set(compute_one([4, 1, 2], gallery_labels=gallery))
    assert names == {
        *(f"{kind}@{k}" for kind in ("top", "item") for k in (1, 2, 3)),
        *(f"{kind}@2" for kind in ("ndcg", "ndcg_t", "ndcg_o", "wanted", "kept")),
        "mrr@3",
        "mrr_label@3",
    }


@pytest.mark.parametrize("length", [5, 6])
def test_lists_that_hold_the_whole_gallery_give_every_metric(length: int) -> None:
    values = compute_one([4, 3, 0, 1, 2, 5][:length], cutoffs=None)
    assert values["top@50"] == values["item@50"] == values["mrr@1000"] == 1
    assert 0 < values["ndcg@10"] < 1
    perfect = compute_one(
        [0, 1, 2, 3, 4, 5][:length], cutoffs=None, gallery_labels=GALLERY[[4] * 6]
    )
    assert perfect["ndcg@10"] == pytest.approx(1)


def test_default_names() -> None:
    gallery = np.zeros((2000, 4), np.int16)
    values = compute_one(list(range(1000)), gallery_labels=gallery, cutoffs=None)
    hits = [f"{kind}@{k}" for kind in ("top", "item") for k in (1, 5, 10, 20, 30, 50)]
    graded = ["ndcg@10", "ndcg_t@10", "ndcg_o@10", "wanted@10", "kept@10"]
    assert sorted(values) == sorted([*hits, *graded, "mrr@1000", "mrr_label@1000"])


def random_run(queries: int, n: int, width: int, depth: int) -> dict[str, Any]:
    rng = np.random.default_rng(8)
    gallery = rng.integers(-1, 2, (n, width)).astype(np.int16)
    rows = rng.integers(0, n, queries)
    return {
        "retrieved": np.stack([rng.permutation(n)[:depth] for _ in range(queries)]),
        "gallery_labels": gallery,
        "target_labels": gallery[rows],
        "changed": np.eye(width, dtype=np.bool_)[rng.integers(0, width, queries)],
        "target_rows": rows,
    }


def test_blocks_do_not_show() -> None:
    run = random_run(2 * BLOCK_QUERIES + 3, 60, 3, 50)
    whole = compute_query_metrics(**run)
    for query in (0, BLOCK_QUERIES - 1, BLOCK_QUERIES, 2 * BLOCK_QUERIES + 2):
        part = {
            name: value if name == "gallery_labels" else value[[query]]
            for name, value in run.items()
        }
        for name, values in compute_query_metrics(**part).items():
            assert values[0] == whole[name][query]


def test_no_queries() -> None:
    run = random_run(1, 60, 3, 50)
    empty = {n: value if n == "gallery_labels" else value[:0] for n, value in run.items()}
    assert all(values.shape == (0,) for values in compute_query_metrics(**empty).values())


def test_against_ir_measures() -> None:
    """MRR as it is; NDCG by giving the reference library our gains as integers of 1e-6."""
    run = random_run(40, 60, 4, 40)
    computed = compute_query_metrics(**run, cutoffs=Cutoffs((1,), (10,), (15, 40)))
    depth = run["retrieved"].shape[1]
    ranking, items, labels, gains = [], [], [], []
    for query, ranked in enumerate(run["retrieved"]):
        name = str(query)
        matches = run["gallery_labels"] == run["target_labels"][query]
        for rank, row in enumerate(ranked):
            ranking.append(ir_measures.ScoredDoc(name, str(row), float(depth - rank)))
        items.append(ir_measures.Qrel(name, str(run["target_rows"][query]), 1))
        for row, right in enumerate(matches):
            labels.append(ir_measures.Qrel(name, str(row), int(right.all())))
            gains.append(ir_measures.Qrel(name, str(row), round(1e6 * (2 ** right.mean() - 1))))
        # Ten perfect items that are not in the run make the ideal list one of perfect items.
        gains.extend(ir_measures.Qrel(name, f"perfect{i}", 1_000_000) for i in range(10))
    for measure, judgements, metric in (
        (RR @ 15, items, "mrr@15"),
        (RR @ 40, items, "mrr@40"),
        (RR @ 40, labels, "mrr_label@40"),
        (nDCG @ 10, gains, "ndcg@10"),
    ):
        for result in ir_measures.iter_calc([measure], judgements, ranking):
            ours = computed[metric][int(result.query_id)]
            assert ours == pytest.approx(result.value, abs=1e-5), metric
    assert 0 < computed["mrr@40"].mean() < 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("retrieved", np.array([[60, 1]]), "rows 1 to 60; the gallery has rows 0 to 59"),
        ("retrieved", np.array([[-2, 1]]), "rows -2 to 1"),
        ("retrieved", np.zeros((1, 0), np.int64), "empty"),
        ("target_rows", np.array([77]), "target_rows holds rows 77"),
        ("target_rows", np.array([1, 2]), "target_rows has shape"),
        ("target_labels", np.zeros((1, 2), np.int16), "target_labels has shape"),
        ("changed", np.zeros((2, 3), np.bool_), "changed has shape"),
        ("gallery_labels", np.zeros((0, 3), np.int16), "empty"),
    ],
)
def test_shapes_and_rows_are_checked(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute_query_metrics(**(random_run(1, 60, 3, 2) | {name: value}))


def test_cutoffs_start_at_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Cutoffs(hits=(0, 1))


def test_metrics_need_nothing_but_numpy() -> None:
    code = (
        "import sys, amgan.evaluation.metrics; "
        "print(sorted({'torch', 'scipy', 'pyarrow', 'pandas'} & sys.modules.keys()))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert output.stdout.strip() == "[]"
