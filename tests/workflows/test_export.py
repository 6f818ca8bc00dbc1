"""A catalogue and its triplets as the files of another program, read back as that one would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amgan.catalogue.adde import load_adde, load_adde_queries, load_adde_triplets
from amgan.catalogue.records import Catalogue
from amgan.queries import assign_splits, sample_triplets
from amgan.workflows.export import export_adde


def whole(catalogue: Catalogue) -> Catalogue:
    """Without missing labels, which ADDE's files tell apart from nothing."""
    labels = np.maximum(catalogue.labels, 0)
    return assign_splits(replace(catalogue, labels=labels, splits=(None,) * len(catalogue)))


def test_triplets_and_queries_come_back_as_they_were(
    shapes: Callable[..., Catalogue], tmp_path: Path
) -> None:
    catalogue = whole(shapes(60))
    triplets = sample_triplets(catalogue, seed=4)
    images = catalogue.images[0].parent
    export_adde(tmp_path, catalogue, triplets, images)
    again, _ = load_adde(tmp_path, images=images)
    row = {again.images[number].name: number for number in range(len(again))}
    place = np.array([row[image.name] for image in catalogue.images])
    training = triplets.select(np.array([split != "test" for split in triplets.splits]))
    read, _ = load_adde_triplets(tmp_path, again)
    assert read.reference.tolist() == place[training.reference].tolist()
    assert read.positive.tolist() == place[training.target].tolist()
    wanted = training.indicator(catalogue)
    assert ((read.indicator > 0) == (wanted > 0)).all()
    negatives, targets = again.labels[read.negative], again.labels[read.positive]
    assert (negatives != targets).any(axis=1).all()
    tested = triplets.in_split("test")
    queries, _ = load_adde_queries(tmp_path, again)
    assert queries.reference.tolist() == place[tested.reference].tolist()
    assert (queries.target_labels == again.labels[place[tested.target]]).all()


def test_items_that_are_all_alike_leave_nothing_to_draw(
    shapes: Callable[..., Catalogue], tmp_path: Path
) -> None:
    catalogue = whole(shapes(30))
    triplets = sample_triplets(catalogue)
    alike = replace(catalogue, labels=np.zeros_like(catalogue.labels))
    with pytest.raises(ValueError, match="nothing to draw as a negative"):
        export_adde(tmp_path, alike, triplets, catalogue.images[0].parent)
