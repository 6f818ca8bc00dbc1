"""What is fitted to trained heads: appearance, temperatures, and the learned score."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amgan.attributes import Labels
from amgan.catalogue.records import Catalogue
from amgan.evaluation.calibration import fit_temperatures
from amgan.features.views import draw_view
from amgan.methods.heads import HeadsRanker
from amgan.methods.query_arrays import PictureArray
from amgan.methods.score import ScoreExamples, fit_score
from amgan.methods.trained import TrainedModel
from amgan.queries import Triplets, sample_triplets, variant_pairs
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
    model: TrainedModel, method: HeadsRanker, labels: Labels, seen: PictureArray
) -> None:
    method.temperatures.fill_(1.0)
    logits = model.attribute_logits(seen)
    assert logits is not None
    fitted = fit_temperatures(logits, labels, model.schema.slices)
    method.temperatures.copy_(torch.tensor(fitted))


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
    references, targets = variant_pairs(catalogue, rows)  # those of one product side by side
    products = [catalogue.products[row] for row in references.tolist()]
    firsts = [p for p in range(len(products)) if p == 0 or products[p] != products[p - 1]]
    sizes = np.diff([*firsts, len(products)])
    rng = np.random.default_rng(data.triplets.seed)
    drawn = rng.integers(len(firsts), size=_VARIANTS).tolist() if firsts else []
    pairs = np.array(
        [firsts[product] + rng.integers(sizes[product]) for product in drawn], np.int64
    )
    return Triplets(
        references[pairs],
        targets[pairs],
        ("val",) * len(pairs),
        data.triplets.seed,
        catalogue.digest,
    )


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
