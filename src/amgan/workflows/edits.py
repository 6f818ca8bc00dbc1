"""Measures a model's prototypes against the exact answers of held-out rendered garments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from amgan.attributes import AttributeSchema, Indicator, Labels
from amgan.catalogue.studio.families import FamilySettings, load_families, render_families
from amgan.errors import InputError
from amgan.evaluation.editing import (
    Edits,
    JudgedPictures,
    compute_attribute_quality,
    compute_edit_quality,
)
from amgan.images import Pixels, to_tensor
from amgan.methods.posterior import PosteriorRanker
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.progress import track
from amgan.training.families import studio_part

_QUERIES = 2000


@dataclass(frozen=True)
class HeldOutEdits:
    """Queries on rendered garments that no training has seen, with their exact answers.

    Attributes:
        schema: the attributes that change.
        references: (N, H, W, 3).
        exact: the same garments after the changes.
        reference_labels, target_labels: (N, M).
    """

    schema: AttributeSchema
    references: Pixels
    exact: Pixels
    reference_labels: Labels
    target_labels: Labels

    @property
    def indicator(self) -> Indicator:
        """Wanted values (N, J)."""
        return self.schema.indicator(self.reference_labels, self.target_labels)


@dataclass(frozen=True)
class EditQuality:
    """What was measured: for all queries, and for each attribute where it changes alone.

    `copied` is the reference as it is, the answer of a generator that does nothing; `exact` is the
    exact answer itself, and so the best that the judge lets anyone reach.
    """

    drawn: Mapping[str, float]
    copied: Mapping[str, float]
    exact: Mapping[str, float]
    attributes: Mapping[str, Mapping[str, float]]
    copied_attributes: Mapping[str, Mapping[str, float]]
    queries: int

    def to_dict(self) -> dict[str, object]:
        """Plain data for a model's note."""
        return asdict(self)


def load_held_out(
    folder: Path, settings: FamilySettings, schema: AttributeSchema, queries: int = _QUERIES
) -> HeldOutEdits:
    """Queries from the first member of each family to the others, evenly over families.

    Args:
        folder: the families; those that are missing are rendered.
        settings: which families.
        schema: the attributes that change.
        queries: at most as many.
    """
    render_families(folder, settings, progress=track)
    blocks = load_families(folder, settings)
    pixels = np.concatenate([block.pixels for block in blocks])
    labels = studio_part(np.concatenate([block.labels for block in blocks]), schema)
    families, members = labels.shape[:2]
    family, member = np.divmod(np.arange(families * (members - 1)), members - 1)
    order = np.lexsort((family, member))[:queries]
    family, member = family[order], member[order] + 1
    return HeldOutEdits(
        schema,
        pixels[family, 0],
        pixels[family, member],
        labels[family, 0],
        labels[family, member],
    )


def measure_edits(model: TrainedModel, judge: TrainedModel, held_out: HeldOutEdits) -> EditQuality:
    """Quality of the prototypes that a model draws.

    Raises:
        InputError: the model draws none.
    """
    drawn = model.draw_prototypes(
        QueryArrays(held_out.references, held_out.indicator, held_out.reference_labels)
    )
    if drawn is None:
        raise InputError(f"method {model.description.method!r} draws no prototypes to measure")
    exact = _judged(judge, held_out.exact)
    copied, ours = _judged(judge, held_out.references), _judged(judge, drawn)
    edits = Edits(held_out.schema, held_out.reference_labels, held_out.target_labels, exact)
    return EditQuality(
        compute_edit_quality(edits, ours),
        compute_edit_quality(edits, copied),
        compute_edit_quality(edits, exact),
        compute_attribute_quality(edits, ours),
        compute_attribute_quality(edits, copied),
        len(drawn),
    )


def _judged(judge: TrainedModel, pixels: Pixels) -> JudgedPictures:
    logits = judge.attribute_logits(pixels)
    assert logits is not None
    return JudgedPictures(pixels, logits, judge_features(judge, pixels))


def judge_features(judge: TrainedModel, pixels: Pixels, batch: int = 256) -> NDArray[np.float32]:
    """The judge's embeddings of pictures (N, H, W, 3), (N, D)."""
    assert isinstance(judge.method, PosteriorRanker)  # as every judge is trained
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            images = to_tensor(np.asarray(pixels[start : start + batch]))
            parts.append(judge.method.encoder(images.to(judge.compute.device)).float().cpu())
    features: NDArray[np.float32] = torch.cat(parts).numpy()
    return features
