from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from amgan.evaluation.per_query import PerQueryResults
from amgan.evaluation.significance import (
    TestName,
    compare_scores,
    marks_of,
    paired_test,
    scores_of_folds,
    scores_of_queries,
    stars,
)


def test_stars_at_their_limits() -> None:
    assert [stars(p) for p in (0, 0.0099, 0.01, 0.0499, 0.05, 1, math.nan)] == [
        "**", "**", "*", "*", "", "", "",
    ]  # fmt: skip


def test_hits_by_hand() -> None:
    # Ours alone hits 9 times, theirs alone once: 2 (C(10,0) + C(10,1)) / 2^10 = 22 / 1024.
    ours = np.array([1.0] * 9 + [0.0] + [1.0] * 20 + [0.0] * 20)
    theirs = np.array([0.0] * 9 + [1.0] + [1.0] * 20 + [0.0] * 20)
    result = paired_test(ours, theirs)
    assert result.p_value == pytest.approx(22 / 1024)
    assert result.n == 50
    assert result.difference == pytest.approx(8 / 50)


def test_few_pairs_by_hand() -> None:
    # Differences 1, 2, 4: only +++ and --- reach a sum of 7, so p = 2 / 8.
    result = paired_test(np.array([1.0, 2.0, 4.0]), np.zeros(3))
    assert result.p_value == pytest.approx(0.25)
    # Differences 1, 2, -3 sum to 0: every pattern is as extreme.
    assert paired_test(np.array([1.0, 2.0, -3.0]), np.zeros(3)).p_value == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1, 1).map(lambda x: round(x, 2)), min_size=2, max_size=9))
def test_exact_permutation_against_scipy(differences: list[float]) -> None:
    values = np.array(differences)
    ours = paired_test(values, np.zeros(len(values))).p_value
    if not values.any():
        assert ours == 1
        return
    theirs = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert ours == pytest.approx(min(1, theirs.pvalue))


def test_randomised_permutation_agrees_with_the_t_test() -> None:
    rng = np.random.default_rng(0)
    ours = rng.normal(0.03, 0.3, 400)
    theirs = rng.normal(0, 0.3, 400)
    permutation = paired_test(ours, theirs)
    student = paired_test(ours, theirs, test="t")
    assert 0.01 < student.p_value < 0.5
    assert permutation.p_value == pytest.approx(student.p_value, abs=0.02)
    assert paired_test(ours, theirs) == permutation
    assert paired_test(ours, theirs, seed=1).p_value != permutation.p_value


def test_randomised_permutation_is_calibrated() -> None:
    rng = np.random.default_rng(1)
    p_values = [
        paired_test(rng.normal(size=40), rng.normal(size=40), seed=i).p_value for i in range(100)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_t_and_wilcoxon_are_scipys() -> None:
    rng = np.random.default_rng(2)
    ours, theirs = rng.random(30), rng.random(30)
    assert paired_test(ours, theirs, test="t").p_value == pytest.approx(
        stats.ttest_rel(ours, theirs).pvalue
    )
    assert paired_test(ours, theirs, test="wilcoxon").p_value == pytest.approx(
        stats.wilcoxon(ours, theirs).pvalue
    )


@pytest.mark.parametrize("test", get_args(TestName))
def test_what_cannot_be_told(test: TestName) -> None:
    values = np.array([0.1, 0.5, 0.9])
    assert paired_test(values, values, test=test).p_value == 1
    assert paired_test(values[:1], values[1:2], test=test).p_value == 1
    nothing = paired_test(np.full(3, np.nan), values, test=test)
    assert (nothing.n, nothing.p_value) == (0, 1)
    assert math.isnan(nothing.difference)


@pytest.mark.parametrize("test", get_args(TestName))
def test_pairs_without_a_value_are_left_out(test: TestName) -> None:
    rng = np.random.default_rng(3)
    ours, theirs = rng.random(20), rng.random(20)
    with_gaps = np.append(ours, [np.nan, 1.0]), np.append(theirs, [1.0, np.nan])
    assert paired_test(*with_gaps, test=test) == paired_test(ours, theirs, test=test)


@pytest.mark.parametrize("test", get_args(TestName))
def test_the_sign_of_the_difference_does_not_matter(test: TestName) -> None:
    rng = np.random.default_rng(4)
    ours, theirs = rng.random(12), rng.random(12)
    there, back = paired_test(ours, theirs, test=test), paired_test(theirs, ours, test=test)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.difference == pytest.approx(-back.difference)


def test_the_same_difference_in_every_fold() -> None:
    assert paired_test(np.full(5, 0.5), np.full(5, 0.25), test="t").p_value == 0


def test_errors() -> None:
    with pytest.raises(ValueError, match="must match"):
        paired_test(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="the tests are permutation, t, wilcoxon"):
        paired_test(np.zeros(2), np.zeros(2), test="z")  # type: ignore[arg-type]


def make_scores() -> dict[str, dict[str, np.ndarray]]:
    rng = np.random.default_rng(5)
    base = rng.random(200)
    return {
        "weak": {"a": base - 0.2, "b": base},
        "strong": {"a": base, "b": base - 0.2},
        "ours": {"a": base + 0.1 * rng.random(200), "b": base - 0.1 * rng.random(200)},
    }


def test_each_metric_has_its_own_best_baseline() -> None:
    first, second = compare_scores(make_scores(), ["weak", "strong"], ["a", "b"])
    assert (first.method, first.metric, first.baseline, first.mark) == ("ours", "a", "strong", "**")
    assert first.value > first.baseline_value
    # Significantly worse is no reason for a star.
    assert (second.baseline, second.mark) == ("weak", "")
    assert second.result.p_value < 0.01
    assert marks_of([first, second]) == {("ours", "a"): "**"}


def test_a_baseline_without_values_is_not_the_best() -> None:
    scores = make_scores()
    scores["strong"]["a"] = np.full(200, np.nan)
    assert compare_scores(scores, ["strong", "weak"], ["a"])[0].baseline == "weak"


def test_baselines_must_be_there() -> None:
    with pytest.raises(ValueError, match=r"baselines \['none'\]; there are scores for weak"):
        compare_scores(make_scores(), ["none"], ["a"])
    with pytest.raises(ValueError, match="at least one baseline"):
        compare_scores(make_scores(), [], ["a"])


def test_scores_of_queries_need_the_same_triplets() -> None:
    results = PerQueryResults(
        {"top@1": np.array([1.0, 0.0])}, ("a", "b"), ("c", "d"), ("x",), np.ones((2, 1), np.bool_)
    )
    assert scores_of_queries({"one": results, "two": results})["two"] is results.metrics
    other = replace(results, references=("b", "a"))
    with pytest.raises(ValueError, match="'two' and 'one' were not tested on the same"):
        scores_of_queries({"one": results, "two": other})


def test_scores_of_folds() -> None:
    folds = {
        "base": [{"top@1": 0.1}, {"top@1": 0.2}, {"top@1": 0.1}],
        "ours": [{"top@1": 0.3}, {"top@1": 0.5}, {"top@1": 0.4}],
    }
    scores = scores_of_folds(folds)
    assert scores["ours"]["top@1"].tolist() == [0.3, 0.5, 0.4]
    comparison = compare_scores(scores, ["base"], ["top@1"], test="t")[0]
    assert comparison.result.p_value == pytest.approx(
        stats.ttest_rel([0.3, 0.5, 0.4], [0.1, 0.2, 0.1]).pvalue
    )
    assert comparison.mark == "*"
    folds["ours"].pop()
    with pytest.raises(ValueError, match="the same folds"):
        scores_of_folds(folds)
