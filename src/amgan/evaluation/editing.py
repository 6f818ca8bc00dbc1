"""Quality of edits, measured against the exact picture of every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema, Labels
from amgan.evaluation.metrics import mean_of_defined
from amgan.evaluation.quality import (
    compute_frechet_distance,
    compute_judged_accuracy,
    compute_l1,
    compute_ssim,
)
from amgan.images import Pixels


@dataclass(frozen=True)
class JudgedPictures:
    """Pictures with what a judge, trained apart from whatever drew them, sees in them.

    Attributes:
        pixels: (N, H, W, 3) uint8.
        logits: the judge's, (N, J).
        features: the judge's, (N, D).
    """

    pixels: Pixels
    logits: NDArray[np.float32]
    features: NDArray[np.float32]


@dataclass(frozen=True)
class Edits:
    """Queries whose exact answers are known.

    Attributes:
        schema: of the labels.
        reference_labels: (N, M).
        target_labels: (N, M).
        exact: the exact answers.
    """

    schema: AttributeSchema
    reference_labels: Labels
    target_labels: Labels
    exact: JudgedPictures

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Which attributes change, (N, M)."""
        return np.asarray(self.reference_labels != self.target_labels)


def compute_edit_quality(edits: Edits, drawn: JudgedPictures) -> dict[str, float]:
    """Means over queries.

    Returns:
        l1 and ssim to the exact answers; changed and kept, the judge's accuracy on attributes that
        change and on the others; frechet, the distance between drawn and exact pictures in the
        judge's features.
    """
    judged = compute_judged_accuracy(
        drawn.logits, edits.schema, target_labels=edits.target_labels, changed=edits.changed
    )
    return {
        "l1": float(compute_l1(drawn.pixels, edits.exact.pixels).mean()),
        "ssim": float(compute_ssim(drawn.pixels, edits.exact.pixels).mean()),
        "changed": mean_of_defined(judged["judged_wanted"])[0],
        "kept": mean_of_defined(judged["judged_kept"])[0],
        "frechet": compute_frechet_distance(drawn.features, edits.exact.features),
    }


def compute_attribute_quality(edits: Edits, drawn: JudgedPictures) -> dict[str, dict[str, float]]:
    """By attribute, over the queries that change it and nothing else.

    Returns:
        queries, l1, ssim and changed of each attribute; NaN where no query changes it alone.
    """
    l1 = compute_l1(drawn.pixels, edits.exact.pixels)
    ssim = compute_ssim(drawn.pixels, edits.exact.pixels)
    seen = np.stack([drawn.logits[:, part].argmax(axis=1) for part in edits.schema.slices], axis=1)
    right = seen == edits.target_labels
    alone = edits.changed & (edits.changed.sum(axis=1, keepdims=True) == 1)
    return {
        name: {
            "queries": float(alone[:, place].sum()),
            **_means(alone[:, place], {"l1": l1, "ssim": ssim, "changed": right[:, place]}),
        }
        for place, name in enumerate(edits.schema.names)
    }


def _means(
    chosen: NDArray[np.bool_], values: Mapping[str, NDArray[np.floating] | NDArray[np.bool_]]
) -> dict[str, float]:
    if not chosen.any():
        return dict.fromkeys(values, float("nan"))
    return {name: float(value[chosen].mean()) for name, value in values.items()}
