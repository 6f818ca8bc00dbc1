"""Metrics of every single query, kept in a file: later tests need no training and no search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from amgan.catalogue.records import Catalogue
from amgan.errors import FileFormatError
from amgan.evaluation.metrics import Numbers
from amgan.files import replacing
from amgan.queries import Triplets

FORMAT = "amgan-per-query"
VERSION = 1
_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class PerQueryResults:
    """Q queries and what each metric says about them.

    Attributes:
        metrics: (Q,) each, by name; NaN where a metric is not defined.
        references, targets: item ids of each triplet.
        attributes: M attribute names.
        changed: which attributes each query changes, (Q, M).
    """

    metrics: Mapping[str, Numbers]
    references: tuple[str, ...]
    targets: tuple[str, ...]
    attributes: tuple[str, ...]
    changed: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.references)
        assert len(self.targets) == n
        assert self.changed.shape == (n, len(self.attributes))
        assert all(values.shape == (n,) for values in self.metrics.values())

    def __len__(self) -> int:
        return len(self.references)

    @classmethod
    def from_triplets(
        cls, metrics: Mapping[str, Numbers], triplets: Triplets, catalogue: Catalogue
    ) -> PerQueryResults:
        """Results of `triplets`, in their order."""
        return cls(
            dict(metrics),
            tuple(catalogue.item_ids[row] for row in triplets.reference),
            tuple(catalogue.item_ids[row] for row in triplets.target),
            catalogue.schema.names,
            triplets.changed(catalogue),
        )

    def groups(self) -> dict[str, NDArray[np.bool_]]:
        """Queries (Q,) of each group that has any.

        "all"; "one", "two", ... by number of changes; "changes NAME" for each attribute.
        """
        number = self.changed.sum(axis=1)
        groups = {"all": np.ones(len(self), np.bool_)}
        for count in np.unique(number[number > 0]).tolist():
            groups[number_word(count)] = number == count
        for position, name in enumerate(self.attributes):
            if self.changed[:, position].any():
                groups[f"changes {name}"] = self.changed[:, position]
        return groups


def number_word(number: int) -> str:
    """A number from 1 in words, in digits past ten."""
    return _NUMBER_WORDS[number - 1] if number <= len(_NUMBER_WORDS) else str(number)


def save_per_query(results: PerQueryResults, path: Path) -> None:
    """Write results as Parquet, one row a query, atomically."""
    header = {"format": FORMAT, "version": VERSION, "attributes": results.attributes}
    changed = [
        [name for name, flag in zip(results.attributes, flags, strict=True) if flag]
        for flags in results.changed.tolist()
    ]
    table = pa.table(
        {
            "reference": pa.array(results.references, pa.string()),
            "target": pa.array(results.targets, pa.string()),
            "changed": pa.array(changed, pa.list_(pa.string())),
            **{name: pa.array(values, pa.float64()) for name, values in results.metrics.items()},
        },
        metadata={FORMAT: json.dumps(header)},
    )
    with replacing(Path(path)) as temporary:
        pq.write_table(table, temporary)


def load_per_query(path: Path) -> PerQueryResults:
    """Read what `save_per_query` wrote.

    Raises:
        ValueError: not such a file, or one of another version.
    """
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise FileFormatError(f"{path}: not a Parquet file ({error})", file=path) from None
    written = (table.schema.metadata or {}).get(FORMAT.encode())
    if written is None:
        message = f"{path}: not per-query results (no {FORMAT!r} in its metadata)"
        raise FileFormatError(message, file=path)
    header = json.loads(written)
    if header["version"] != VERSION:
        message = f"{path}: version {header['version']}; this program reads {VERSION}"
        raise FileFormatError(message, file=path)
    attributes = tuple(header["attributes"])
    position = {name: i for i, name in enumerate(attributes)}
    changed = np.zeros((table.num_rows, len(attributes)), np.bool_)
    for row, names in enumerate(table["changed"].to_pylist()):
        changed[row, [position[name] for name in names]] = True
    own = {"reference", "target", "changed"}
    return PerQueryResults(
        {name: table[name].to_numpy() for name in table.column_names if name not in own},
        tuple(table["reference"].to_pylist()),
        tuple(table["target"].to_pylist()),
        attributes,
        changed,
    )
