"""Quality of prototypes: how close to a true picture, and what a judge sees in them.

The judge is an attribute classifier trained apart from every method under test; its logits and
features come in as arrays. The true picture is the target's or, on rendered garments, the exact
counterfactual of the reference.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg
from torchmetrics.functional.image import structural_similarity_index_measure

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.errors import InputError
from amgan.evaluation.metrics import Numbers
from amgan.images import Pixels

# Width of SSIM's Gaussian window (Wang et al., 2004): 11 pixels, sigma 1.5.
SSIM_WINDOW = 11
_BLOCK_PICTURES = 64


def compute_l1(prototypes: Pixels, truth: Pixels) -> Numbers:
    """Mean absolute difference of pictures (N, H, W, 3), from 0 (equal) to 1, (N,)."""
    _check_pictures(prototypes, truth)
    distances = np.empty(len(truth))
    for block in _blocks(len(truth)):
        difference = np.abs(prototypes[block].astype(np.int16) - truth[block])
        distances[block] = difference.mean(axis=(1, 2, 3)) / 255
    return distances


def compute_ssim(prototypes: Pixels, truth: Pixels) -> Numbers:
    """Structural similarity of pictures (N, H, W, 3), 1 where equal, (N,) (Wang et al., 2004).

    The mean over a window around every pixel and over the channels, borders mirrored.

    Raises:
        ValueError: pictures smaller than the window of 11 pixels.
    """
    _check_pictures(prototypes, truth)
    if min(truth.shape[1:3]) < SSIM_WINDOW:
        raise InputError(
            f"SSIM needs pictures of at least {SSIM_WINDOW} pixels a side, not {truth.shape[1:3]}"
        )
    similarities = np.empty(len(truth))
    for block in _blocks(len(truth)):
        values = structural_similarity_index_measure(
            _to_unit(prototypes[block]),
            _to_unit(truth[block]),
            kernel_size=SSIM_WINDOW,
            sigma=1.5,
            data_range=1.0,
            reduction="none",
        )
        assert isinstance(values, torch.Tensor)  # a pair only where the whole map is asked for
        similarities[block] = values.numpy()
    return similarities


def compute_judged_accuracy(
    logits: NDArray[np.floating],
    schema: AttributeSchema,
    *,
    target_labels: Labels,
    changed: NDArray[np.bool_],
) -> dict[str, Numbers]:
    """Share of the target's values that a judge finds in each prototype.

    Args:
        logits: the judge's, (N, J).
        schema: the attributes of the logits.
        target_labels: (N, M); attributes that the target misses are not judged.
        changed: which attributes the query changes, (N, M).

    Returns:
        (N,) each: "judged" over all attributes, "judged_wanted" over the changed ones,
        "judged_kept" over the others; NaN where there is none to judge.
    """
    if logits.shape != (len(target_labels), schema.num_values):
        raise InputError(
            f"logits have shape {logits.shape}, "
            f"expected {(len(target_labels), schema.num_values)} for this schema"
        )
    seen = np.stack([logits[:, columns].argmax(axis=1) for columns in schema.slices], axis=1)
    right, known = seen == target_labels, target_labels != MISSING
    chosen = {
        "judged": known,
        "judged_wanted": known & changed,
        "judged_kept": known & ~changed,
    }
    return {
        name: (right & mask).sum(axis=1) / np.where(mask.any(axis=1), mask.sum(axis=1), np.nan)
        for name, mask in chosen.items()
    }


def compute_frechet_distance(drawn: NDArray[np.floating], real: NDArray[np.floating]) -> float:
    """Fréchet distance between Gaussians fitted to two sets of features (N, D), (N', D).

    |m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)), as FID (Heusel et al., 2017) but in the judge's
    features: comparable only under one judge and between sets of equal size, since few samples
    raise it. The trace of the root is taken from the eigenvalues of S^(1/2) S' S^(1/2), which are
    real and not negative, so singular covariances (N <= D) do no harm.

    Raises:
        ValueError: fewer than two samples, other widths, or a feature that is not finite.
    """
    if drawn.ndim != 2 or real.ndim != 2 or drawn.shape[1] != real.shape[1]:
        raise InputError(f"features must be (N, D) of one D, not {drawn.shape} and {real.shape}")
    if min(len(drawn), len(real)) < 2:
        raise InputError("a Fréchet distance needs at least two samples on both sides")
    if not (np.isfinite(drawn).all() and np.isfinite(real).all()):
        raise InputError("a Fréchet distance needs finite features")
    mean, covariance = _fit_gaussian(drawn)
    other_mean, other_covariance = _fit_gaussian(real)
    root = _square_root(covariance)
    eigenvalues = linalg.eigvalsh(root @ other_covariance @ root)
    cross = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    distance = np.square(mean - other_mean).sum()
    distance += np.trace(covariance) + np.trace(other_covariance) - 2 * cross
    return max(0.0, float(distance))


def _fit_gaussian(features: NDArray[np.floating]) -> tuple[Numbers, Numbers]:
    values = features.astype(np.float64)
    return values.mean(axis=0), np.atleast_2d(np.cov(values, rowvar=False))


def _square_root(covariance: Numbers) -> Numbers:
    eigenvalues, vectors = linalg.eigh(covariance)
    root: Numbers = (vectors * np.sqrt(np.clip(eigenvalues, 0, None))) @ vectors.T
    return root


def _check_pictures(prototypes: Pixels, truth: Pixels) -> None:
    if prototypes.shape != truth.shape or truth.ndim != 4 or truth.shape[3] != 3:
        raise InputError(
            f"pictures must both be (N, H, W, 3), not {prototypes.shape} and {truth.shape}"
        )
    if prototypes.dtype != np.uint8 or truth.dtype != np.uint8:
        raise InputError(f"pictures must be uint8, not {prototypes.dtype} and {truth.dtype}")


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + _BLOCK_PICTURES) for start in range(0, n, _BLOCK_PICTURES)]


def _to_unit(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 255
