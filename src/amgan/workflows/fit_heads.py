"""What is fitted to trained heads: appearance, temperatures, and the learned score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amgan.attributes import MISSING
from amgan.catalogue.records import Catalogue
from amgan.evaluation.calibration import fit_temperature
from amgan.features.views import draw_view
from amgan.methods.heads import HeadsRanker
from amgan.methods.score import ScoreExamples, fit_score
from amgan.methods.trained import TrainedModel
from amgan.queries import Triplets, sample_triplets
from amgan.workflows.data import ExperimentData, evenly, places_among
from amgan.workflows.features import look_at, training_features

# Validation items that are ranked; queries without a change, and for another variant of the
# reference's own product, among the examples.
_ITEMS = 5000
_UNCHANGED = 1000
_VARIANTS = 300
# Queries by number of changes, each as likely, are drawn once more for each item.
_DRAWN_PER_ITEM = 1


def fit_heads(model: TrainedModel, method: HeadsRanker, data: ExperimentData) -> None:
    """Fit the parts of `method` that training leaves as they are; no file is touched.

    Without validation items temperatures and score stay as they are.

    Args:
        model: encodes pictures.
        method: its method, which is changed.
        data: principal components are fitted to training items, the rest to validation items.
    """
    plain, near = (
        training_features(model, data, view).to(model.compute.device) for view in ("plain", "near")
    )
    with torch.inference_mode():
        method.fit_appearance(plain, near)
    rows = data.catalogue.rows_in_split("val")
    rows = rows[evenly(len(rows), _ITEMS)]
    if len(rows) < 2:
        return
    seen = look_at(model, data, rows)
    _fit_temperatures(model, method, data.catalogue.labels[rows], seen)
    profiles = torch.from_numpy(model.encode_gallery(seen))
    examples = _examples(model, data, rows, profiles)
    labels = torch.from_numpy(data.catalogue.labels[rows].astype(np.int64))
    method.cpu()
    try:
        fit_score(method.score, method.ask, examples, profiles, labels)
    finally:
        model.compute.place(method)


def _fit_temperatures(
    model: TrainedModel, method: HeadsRanker, labels: NDArray[np.int16], seen: object
) -> None:
    method.temperatures.fill_(1.0)
    logits = model.attribute_logits(np.asarray(seen))
    assert logits is not None
    for position, columns in enumerate(model.schema.slices):
        temperature = fit_temperature(logits[:, columns], labels[:, position])
        method.temperatures[position] = temperature


def _examples(
    model: TrainedModel, data: ExperimentData, rows: NDArray[np.int64], profiles: Tensor
) -> ScoreExamples:
    """Triplets of the validation split, further ones of any number of changes, and none."""
    catalogue = data.catalogue
    drawn = sample_triplets(
        catalogue,
        seed=data.triplets.seed + 1,
        changes=(1, catalogue.schema.num_attributes),
        per_item={"train": 0, "val": _DRAWN_PER_ITEM, "test": 0},
        balance_changes=True,
    )
    places = places_among(rows, len(catalogue))
    wanted = [triplets.in_split("val") for triplets in (data.triplets, drawn)]
    parts = [_asked(triplets, catalogue, places, profiles) for triplets in wanted]
    variants = _draw_variants(data, rows)
    parts.append(_asked(variants, catalogue, places, profiles, single=True))
    parts.append(_unchanged(model, data, rows))
    return ScoreExamples(
        *(torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0]))
    )


def _asked(
    triplets: Triplets,
    catalogue: Catalogue,
    places: NDArray[np.int64],
    profiles: Tensor,
    *,
    single: bool = False,
) -> ScoreExamples:
    """Triplets as examples; with `single` the target alone is right, not all items like it."""
    triplets = triplets.select((places[triplets.reference] >= 0) & (places[triplets.target] >= 0))
    own = torch.from_numpy(places[triplets.reference])
    return ScoreExamples(
        profiles[own],
        torch.from_numpy(np.asarray(triplets.indicator(catalogue), np.float32)),
        torch.from_numpy(catalogue.labels[triplets.target].astype(np.int64)),
        own,
        torch.from_numpy(places[triplets.target]) if single else torch.full((len(triplets),), -1),
    )


def _draw_variants(data: ExperimentData, rows: NDArray[np.int64]) -> Triplets:
    """Pairs of one product whose labels differ, products as equally likely as can be."""
    catalogue = data.catalogue
    members: dict[str, list[int]] = {}
    for row in rows.tolist():
        product = catalogue.products[row]
        if product is not None:
            members.setdefault(product, []).append(row)
    pairs = [pairs for siblings in members.values() if (pairs := _legal_pairs(siblings, catalogue))]
    rng = np.random.default_rng(data.triplets.seed)
    products = rng.integers(len(pairs), size=_VARIANTS).tolist() if pairs else []
    drawn = [pairs[product][rng.integers(len(pairs[product]))] for product in products]
    reference, target = np.array(drawn, np.int64).reshape(-1, 2).T
    return Triplets(reference, target, ("val",) * len(drawn), data.triplets.seed, catalogue.digest)


def _legal_pairs(rows: Sequence[int], catalogue: Catalogue) -> list[tuple[int, int]]:
    """Ordered pairs whose second differs from the first and lacks no value that the first has."""
    labels = catalogue.labels
    return [
        (one, other)
        for one in rows
        for other in rows
        if (labels[one] != labels[other]).any()
        and not ((labels[other] == MISSING) & (labels[one] != MISSING)).any()
    ]


def _unchanged(model: TrainedModel, data: ExperimentData, rows: NDArray[np.int64]) -> ScoreExamples:
    """Items that are to be found again by another view of their pictures."""
    places = evenly(len(rows), _UNCHANGED)
    views = draw_view(np.asarray(data.pixels[rows[places]]), "near")
    profiles = torch.from_numpy(model.encode_gallery(views))
    labels = data.catalogue.labels[rows[places]].astype(np.int64)
    return ScoreExamples(
        profiles,
        torch.zeros(len(places), data.catalogue.schema.num_values),
        torch.from_numpy(labels),
        torch.full((len(places),), -1),
        torch.from_numpy(places),
    )
