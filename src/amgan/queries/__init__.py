"""Queries: triplets (reference, wanted changes, target), their files, splits, folds, positives."""

from amgan.queries.files import load_triplets, save_triplets
from amgan.queries.positives import PositiveSampler
from amgan.queries.splits import assign_folds, assign_splits
from amgan.queries.triplets import Triplets, sample_triplets
from amgan.queries.variants import variant_pairs

__all__ = [
    "PositiveSampler",
    "Triplets",
    "assign_folds",
    "assign_splits",
    "load_triplets",
    "sample_triplets",
    "save_triplets",
    "variant_pairs",
]
