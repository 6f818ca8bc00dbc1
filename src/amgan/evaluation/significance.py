"""Paired significance tests between methods, over queries or over folds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from amgan.errors import InputError
from amgan.evaluation.metrics import Numbers, mean_of_defined
from amgan.evaluation.per_query import PerQueryResults

TestName = Literal["permutation", "t", "wilcoxon"]
# At most 2^16 sign patterns are enumerated; beyond that they are drawn.
EXACT_PAIRS = 16
RESAMPLES = 10_000
_BLOCK_SIGNS = 1 << 22


@dataclass(frozen=True)
class PairedTest:
    """Two-sided test of whether paired differences are 0 on average.

    Attributes:
        test: which test.
        n: number of pairs for which both values are defined.
        difference: mean of ours minus theirs, NaN without pairs.
        p_value: 1 where nothing can be told: fewer than two pairs, or no difference at all.
    """

    test: TestName
    n: int
    difference: float
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """One method against the best baseline, in one metric.

    Attributes:
        method, metric: what is compared.
        value: the method's mean.
        baseline: the baseline with the highest mean in this metric.
        baseline_value: its mean.
        result: the paired test between the two.
    """

    method: str
    metric: str
    value: float
    baseline: str
    baseline_value: float
    result: PairedTest

    @property
    def mark(self) -> str:
        """Stars where the method is significantly better than the best baseline."""
        return stars(self.result.p_value) if self.result.difference > 0 else ""


def stars(p_value: float) -> str:
    """`**` for p < 0.01, `*` for p < 0.05, as in Figure 4."""
    return "**" if p_value < 0.01 else "*" if p_value < 0.05 else ""


def paired_test(
    ours: Numbers, theirs: Numbers, *, test: TestName = "permutation", seed: int = 0
) -> PairedTest:
    """Compare two methods on the same queries or folds; pairs with a NaN are left out.

    `permutation` flips the signs of the differences: by the binomial distribution where all
    differences have one size, as with hits (McNemar's exact test), by enumeration up to
    `EXACT_PAIRS` of them, else by `RESAMPLES` seeded draws, p = (1 + extreme) / (1 + drawn).
    `t` is Student's paired test, for fold means; `wilcoxon` the signed-rank test.

    Raises:
        ValueError: lengths that differ, or an unknown test.
    """
    if ours.shape != theirs.shape:
        raise InputError(f"paired values must match: {ours.shape} against {theirs.shape}")
    tests = {"permutation": _permutation_p, "t": _student_p, "wilcoxon": _wilcoxon_p}
    if test not in tests:
        raise InputError(f"unknown test {test!r}; the tests are {', '.join(tests)}")
    differences = ours - theirs
    differences = differences[~np.isnan(differences)]
    mean, n = mean_of_defined(differences)
    if n < 2 or not differences.any():
        return PairedTest(test, n, mean, 1.0)
    return PairedTest(test, n, mean, tests[test](differences, seed))


def compare_scores(
    scores: Mapping[str, Mapping[str, Numbers]],
    baselines: Collection[str],
    metrics: Sequence[str],
    *,
    test: TestName = "permutation",
    seed: int = 0,
) -> list[Comparison]:
    """Compare every method that is not a baseline with the best baseline, metric by metric.

    Args:
        scores: paired values (queries or folds) by method and metric.
        baselines: names of the methods to compare with.
        metrics: what to compare; higher is better.
        test: see `paired_test`.
        seed: of a randomised test.

    Raises:
        ValueError: no baseline, or one that has no scores.
    """
    unknown = sorted(set(baselines) - set(scores))
    if unknown or not baselines:
        raise InputError(
            f"no scores for baselines {unknown}; there are scores for {', '.join(scores)}"
            if unknown
            else "a comparison needs at least one baseline"
        )
    comparisons = []
    for metric in metrics:
        means = {name: mean_of_defined(values[metric])[0] for name, values in scores.items()}
        best = max(sorted(baselines), key=lambda name, means=means: _or_lowest(means[name]))  # type: ignore[misc]
        comparisons += [
            Comparison(
                method,
                metric,
                means[method],
                best,
                means[best],
                paired_test(values[metric], scores[best][metric], test=test, seed=seed),
            )
            for method, values in scores.items()
            if method not in baselines
        ]
    return comparisons


def scores_of_queries(
    results: Mapping[str, PerQueryResults],
) -> dict[str, Mapping[str, Numbers]]:
    """Scores for `compare_scores` from per-query results of the same triplets.

    Raises:
        ValueError: methods that were not tested on the same triplets in the same order.
    """
    first, *others = results.items()
    for name, other in others:
        if (other.references, other.targets) != (first[1].references, first[1].targets):
            raise InputError(f"{name!r} and {first[0]!r} were not tested on the same triplets")
    return {name: result.metrics for name, result in results.items()}


def scores_of_folds(
    folds: Mapping[str, Sequence[Mapping[str, float]]],
) -> dict[str, Mapping[str, Numbers]]:
    """Scores for `compare_scores` from each method's means in each fold.

    Raises:
        ValueError: methods with different numbers of folds.
    """
    numbers = {name: len(means) for name, means in folds.items()}
    if len(set(numbers.values())) > 1:
        raise InputError(f"methods must have the same folds, not {numbers}")
    return {
        name: {metric: np.array([fold[metric] for fold in means]) for metric in means[0]}
        for name, means in folds.items()
        if means
    }


def marks_of(comparisons: Sequence[Comparison]) -> dict[tuple[str, str], str]:
    """Stars by (method, metric), for `comparison_to_markdown`."""
    return {(c.method, c.metric): c.mark for c in comparisons if c.mark}


def _permutation_p(differences: Numbers, seed: int) -> float:
    sizes = np.abs(differences[differences != 0])
    observed = abs(differences.sum())
    if np.ptp(sizes) <= 1e-12 * sizes[0]:
        better = int((differences > 0).sum())
        return float(stats.binomtest(better, len(sizes)).pvalue)
    # Sums that are equal but for rounding count as equally extreme.
    threshold = observed - 1e-9 * sizes.sum()
    if len(sizes) <= EXACT_PAIRS:
        patterns = np.arange(1 << len(sizes))[:, None] >> np.arange(len(sizes)) & 1
        return float((np.abs((2 * patterns - 1) @ sizes) >= threshold).mean())
    rng = np.random.default_rng(seed)
    extreme, step = 0, max(1, _BLOCK_SIGNS // len(sizes))
    for start in range(0, RESAMPLES, step):
        shape = (min(step, RESAMPLES - start), len(sizes))
        signs = 2.0 * rng.integers(0, 2, shape, np.int8) - 1
        extreme += int((np.abs(signs @ sizes) >= threshold).sum())
    return (1 + extreme) / (1 + RESAMPLES)


def _student_p(differences: Numbers, seed: int) -> float:
    if np.ptp(differences) == 0:  # the same difference everywhere: t is infinite
        return 0.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def _wilcoxon_p(differences: Numbers, seed: int) -> float:
    return float(stats.wilcoxon(differences, method="auto").pvalue)


def _or_lowest(value: float) -> float:
    return -np.inf if np.isnan(value) else value
