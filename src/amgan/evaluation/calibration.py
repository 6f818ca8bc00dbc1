"""Whether a confidence of 0.8 is right four times in five, and how to make it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

Numbers = NDArray[np.float64]
_COLDEST, _HOTTEST = 0.05, 20.0
_Z = 1.959964  # a normal variable is within this in 95 % of cases


def softmax(logits: NDArray[np.floating]) -> Numbers:
    """Probabilities (N, V) of logits (N, V)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: Numbers = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def negative_log_likelihood(
    logits: NDArray[np.floating], labels: NDArray[np.integer], temperature: float
) -> float:
    """Mean of -log p(label) with p = softmax(logits / temperature)."""
    scaled = logits / temperature
    top = scaled.max(axis=1)
    log_total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return float((log_total - scaled[np.arange(len(labels)), labels]).mean())


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Temperature that makes held-out labels most likely (Guo et al., ICML 2017).

    Args:
        logits: of one attribute, (N, V).
        labels: right values, (N,); -1 where missing, which do not count.

    Returns:
        The temperature, 1 where there is nothing to fit it on.
    """
    known = labels >= 0
    if not known.any() or logits.shape[1] < 2:
        return 1.0
    wide = logits[known].astype(np.float64)
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(wide, labels[known], float(np.exp(log_t))),
        bounds=(np.log(_COLDEST), np.log(_HOTTEST)),
        method="bounded",
    )
    return float(np.exp(found.x))


def fit_temperatures(
    logits: NDArray[np.floating], labels: NDArray[np.integer], columns: Sequence[slice]
) -> list[float]:
    """A temperature for each of M attributes; see `fit_temperature`.

    Args:
        logits: of all attributes side by side, (N, J).
        labels: (N, M), -1 where missing.
        columns: of each attribute among the logits, M.
    """
    return [
        fit_temperature(logits[:, block], labels[:, position])
        for position, block in enumerate(columns)
    ]


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in bins of equal width.

    Attributes:
        edges: (B + 1,) from 0 to 1.
        counts: predictions in each bin, (B,).
        confidence: their mean confidence, NaN in an empty bin.
        accuracy: the share of them that is right, NaN in an empty bin.
    """

    edges: Numbers
    counts: NDArray[np.int64]
    confidence: Numbers
    accuracy: Numbers

    @property
    def error(self) -> float:
        """Expected calibration error: mean of |accuracy - confidence|, weighted by counts."""
        total = self.counts.sum()
        if total == 0:
            return float("nan")
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(gaps * self.counts) / total)

    def error_by_chance(self, draws: int = 2000) -> float:
        """The error that perfect confidence stays below in 95 % of cases, in [0, 1].

        Bins of few predictions are never right exactly as often as they are sure: an error below
        this cannot be told from none. Accuracies are drawn with the bins' counts and confidences.
        """
        filled = self.counts > 0
        counts, confidence = self.counts[filled], self.confidence[filled]
        if not len(counts):
            return float("nan")
        right = np.random.default_rng(0).binomial(counts, confidence, (draws, len(counts)))
        errors = np.abs(right - counts * confidence).sum(axis=1) / counts.sum()
        return float(np.quantile(errors, 0.95))

    def interval(self) -> tuple[Numbers, Numbers]:
        """95 % interval of each bin's accuracy (Wilson's): lower and upper ends, (B,) each.

        NaN in an empty bin.
        """
        n, share = self.counts, self.accuracy
        with np.errstate(invalid="ignore", divide="ignore"):
            middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
            half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return middle - half, middle + half


def compute_reliability(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = 10
) -> Reliability:
    """Reliability of predictions.

    Args:
        confidence: probability of each predicted value, (N,), in [0, 1].
        right: whether it was right, (N,).
        bins: number of bins; the last one includes 1.
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(confidence, edges[1:-1]), 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(place, confidence, bins) / counts
        accuracy = np.bincount(place, right.astype(np.float64), bins) / counts
    return Reliability(edges, counts, mean_confidence, accuracy)
