"""Which test queries the picture sheets show: spread over the test set, not picked by eye."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amgan.gallery.gallery import Gallery
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.queries import Triplets
from amgan.search import SearchService
from amgan.sheets.rows import SheetItem, SheetRow
from amgan.workflows.data import ExperimentData, places_among


def choose_cases(triplets: Triplets, changes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Numbers of `count` evenly spaced test triplets, the halves with fewer and with more changes.

    Args:
        triplets: test triplets.
        changes: how many attributes each changes.
        count: how many to show.
    """
    few = np.flatnonzero(changes == changes.min())
    many = np.flatnonzero(changes != changes.min())
    wanted = ((count + 1) // 2, count // 2) if len(many) else (count, 0)
    chosen = [
        rows[np.unique(np.linspace(0, len(rows) - 1, number + 2)[1:-1].astype(np.int64))]
        for rows, number in zip((few, many), wanted, strict=True)
        if number and len(rows)
    ]
    return np.concatenate(chosen)


def choose_search_cases(
    item_hit: NDArray[np.float64], changes: NDArray[np.int64], triplets: Triplets, count: int
) -> NDArray[np.int64]:
    """Half of the cases where the ground truth was found near the top, half where it was not.

    Args:
        item_hit: 1 where it was, by test triplet.
        changes: how many attributes each changes.
        triplets: test triplets.
        count: how many to show.
    """
    found, missed = np.flatnonzero(item_hit == 1), np.flatnonzero(item_hit != 1)
    half = min(len(found), (count + 1) // 2)
    parts = [
        rows[choose_cases(triplets.select(rows), changes[rows], number)]
        for rows, number in ((found, half), (missed, min(len(missed), count - half)))
        if number
    ]
    return np.concatenate(parts)


def search_rows(
    model: TrainedModel, data: ExperimentData, cases: NDArray[np.int64], name: str, top: int = 4
) -> list[SheetRow]:
    """Figure 8's rows of one model: test items ranked for each case, the ground truth marked."""
    catalogue = data.catalogue
    rows = catalogue.rows_in_split("test")
    triplets = data.triplets.in_split("test").select(cases)
    gallery = Gallery.in_memory(model, catalogue.subset(rows), np.asarray(data.pixels[rows]))
    indicator = triplets.indicator(catalogue)
    queries = QueryArrays(
        np.asarray(data.pixels[triplets.reference]),
        indicator,
        catalogue.labels[triplets.reference],
    )
    own = places_among(rows, len(catalogue))[triplets.reference]
    ranking = SearchService(model, gallery).rank(queries, min(1000, len(rows) - 1), exclude=own)
    drawn = model.draw_prototypes(queries)
    sheet = []
    for number in range(len(triplets)):
        ranked = rows[ranking.rows[number]]
        target = int(triplets.target[number])
        reference = int(triplets.reference[number])
        rank = np.flatnonzero(ranked == target)
        told = f"at rank {rank[0] + 1}" if len(rank) else f"past rank {len(ranked)}"
        sheet.append(
            SheetRow(
                catalogue.images[reference],
                catalogue.schema.changes(
                    [int(label) for label in catalogue.labels[reference]], indicator[number]
                ),
                None if drawn is None else drawn[number],
                [_sheet_item(data, int(row), target) for row in ranked[:top]],
                model.images,
                f"{name}: ground truth {told} of {len(rows) - 1:,}",
            )
        )
    return sheet


def _sheet_item(data: ExperimentData, row: int, target: int) -> SheetItem:
    catalogue = data.catalogue
    labels = catalogue.schema.decode(catalogue.labels[row])
    wanted = catalogue.schema.decode(catalogue.labels[target])
    matches: dict[str, bool | None] = {
        name: None if value is None or wanted[name] is None else value == wanted[name]
        for name, value in labels.items()
    }
    return SheetItem(catalogue.images[row], labels, matches, row == target)
