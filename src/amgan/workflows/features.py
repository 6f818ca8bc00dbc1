"""What a model looks at: pictures, or features that are computed once for each picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from amgan.features.store import FeatureStore, StoredFeatures
from amgan.features.views import draw_view
from amgan.images import Pixels
from amgan.methods.query_arrays import PictureArray
from amgan.methods.trained import TrainedModel
from amgan.progress import track
from amgan.workflows.data import ExperimentData, cache_folder, evenly

_PICTURES_AT_ONCE = 512
# Training items that scale and principal components are fitted to: more where features lie ready.
_FITTED = 4000
_STORED = 20_000


def look_at(
    model: TrainedModel, data: ExperimentData, rows: NDArray[np.int64], view: str = "plain"
) -> PictureArray:
    """What stands for items where a model encodes them.

    Features where the model takes them: from the store where its trunk stays as it is, computed
    anew where the trunk was trained. Pictures otherwise.

    Args:
        model: will encode.
        data: the catalogue's.
        rows: items, catalogue rows in ascending order.
        view: of `features.views`; plain where the model takes no features.
    """
    if not model.method.takes_features:
        return data.pixels if len(rows) == len(data.pixels) else data.pixels[rows]
    if not model.method.trains_on_pictures:
        return store_features(model, data, rows, view)[:]
    parts = [
        model.compute_features(
            draw_view(data.pixels[rows[start : start + _PICTURES_AT_ONCE]], view)
        )
        for start in range(0, len(rows), _PICTURES_AT_ONCE)
    ]
    return np.concatenate(parts)


def store_features(
    model: TrainedModel, data: ExperimentData, rows: NDArray[np.int64], view: str = "plain"
) -> StoredFeatures:
    """Features of one view of items, computed where they are not in the store yet.

    Args:
        model: whose feature network is asked.
        data: the catalogue's.
        rows: items, catalogue rows.
        view: of `features.views`.
    """
    identity = hashlib.sha256(f"{model.feature_identity}\0{view}".encode()).hexdigest()
    folder = (data.cache or cache_folder()) / "features" / identity[:32]

    def compute(pixels: Pixels) -> NDArray[np.float32]:
        return model.compute_features(draw_view(pixels, view))

    store = FeatureStore(Path(folder), model.num_features)
    return store.collect(data.pixels, rows, compute, track)


def spread_features(
    model: TrainedModel, data: ExperimentData, rows: NDArray[np.int64], view: str
) -> StoredFeatures:
    """Features of `rows`, to be looked up by catalogue row."""
    stored = store_features(model, data, rows, view)
    places = np.full(len(data.catalogue), -1, np.int64)
    places[rows] = stored.rows
    return StoredFeatures(stored.file, places)


def prepare_features(model: TrainedModel, data: ExperimentData) -> None:
    """Fit to the training items how the model scales features; before any training."""
    model.method.fit_scale(training_features(model, data))


def training_features(
    model: TrainedModel, data: ExperimentData, view: str = "plain"
) -> torch.Tensor:
    """Features of a view of training items, at most some thousands of them, (N, F) float32."""
    rows = data.catalogue.rows_in_split("train")
    rows = rows[evenly(len(rows), _FITTED if model.method.trains_on_pictures else _STORED)]
    return torch.from_numpy(np.asarray(look_at(model, data, rows, view), np.float32))
