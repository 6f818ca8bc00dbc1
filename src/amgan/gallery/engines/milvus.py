"""Galleries on a Milvus server: the same protocol, the same results, more than one machine.

A gallery folder keeps ids, labels and vectors; the server holds the vectors once more, with the
values that can be filtered by, in a collection of the folder's own. An entry of the collection is
never changed and its key never used again, so each version of the folder is a set of keys: what an
update inserts is not looked at before the version is switched, and what it removes is deleted when
no reader can need it any more.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema
from amgan.gallery.engines.euclidean import EuclideanForm
from amgan.gallery.engines.protocol import Rows, Vectors
from amgan.gallery.engines.rowset import Rowset
from amgan.gallery.engines.settings import EngineSettings
from amgan.gallery.items import ItemTable
from amgan.gallery.versions import GalleryError, load_array
from amgan.methods.method import RankingMetric
from amgan.progress import Progress, quiet

SERVER_FILE = "server.json"
KEYS_FILE = "keys.npy"
KEY, VECTOR = "key", "vector"
TOKEN_VARIABLE = "AMGAN_MILVUS_TOKEN"
METRIC = "L2"  # of every collection; see `euclidean`

_INSERTED_AT_ONCE = 1000
_DELETED_AT_ONCE = 10_000
_LONGEST_VALUE = 512  # bytes; a field with a longer value is not stored
_PATIENCE_S = 3600.0


@dataclass(frozen=True)
class CollectionState:
    """What a version has on the server: ``server.json``.

    Attributes:
        collection: full name of its collection.
        fields: further fields that are stored, by their position.
        next_key: no key from here on belongs to the version.
        form: how vectors are written there.
        retired: keys in the collection that only the version before this one needs.
        obsolete: keys that no version needs once this one is current.
    """

    collection: str
    fields: tuple[str, ...]
    next_key: int
    form: EuclideanForm
    retired: tuple[int, ...] = ()
    obsolete: tuple[int, ...] = ()

    def save(self, folder: Path, keys: Rows) -> None:
        """Write ``server.json``, and the key of each row."""
        np.save(folder / KEYS_FILE, keys)
        (folder / SERVER_FILE).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> tuple[CollectionState, Rows]:
        """State of a version and the key of each row.

        Raises:
            GalleryError: damaged.
            FileNotFoundError: a file is missing.
        """
        try:
            values = json.loads((folder / SERVER_FILE).read_text(encoding="utf-8"))
            values |= {name: tuple(values[name]) for name in ("fields", "retired", "obsolete")}
            values["form"] = EuclideanForm(**values["form"])
            state = cls(**values)
        except (ValueError, KeyError, TypeError) as error:
            raise GalleryError(f"{folder / SERVER_FILE}: damaged ({error!r})") from None
        return state, load_array(folder / KEYS_FILE)


class Server:
    """Collections of one gallery folder on a Milvus server.

    Raises:
        GalleryError: pymilvus is not installed, or the server does not answer.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.client = _connect(settings.address)

    def create(
        self,
        name: str,
        rows: Rowset,
        schema: AttributeSchema,
        metric: RankingMetric,
        progress: Progress = quiet,
    ) -> tuple[CollectionState, Rows]:
        """Make the collection `name` anew and store `rows` in it."""
        fields = tuple(name for name in rows.items.field_names if _is_short(rows.items, name))
        form = EuclideanForm.of(rows.vectors, metric)
        state = CollectionState(name, fields, len(rows.items), form)
        keys = np.arange(len(rows.items))
        with failing(f"collection {name} cannot be written"):
            if self.client.has_collection(name):
                self.client.drop_collection(name)
            self.client.create_collection(
                name,
                schema=self._fields(schema, fields, form.dim(rows.vectors.shape[1])),
                num_shards=self.settings.options["shards"],
                consistency_level="Bounded",
            )
            self._insert(state, keys, rows, progress)
            self._index(name)
            self._load(name)
        return state, keys

    def extend(
        self, old: CollectionState, old_keys: Rows, kept: Rows, added: Rowset
    ) -> tuple[CollectionState, Rows]:
        """Store `added` beside the rows `kept` of the old version.

        What an update that failed has left is deleted first.
        """
        keys = np.concatenate(
            [old_keys[kept], np.arange(old.next_key, old.next_key + len(added.items))]
        )
        dropped = np.setdiff1d(old_keys, keys[: len(kept)])
        fields = tuple(name for name in old.fields if _is_short(added.items, name))
        state = CollectionState(
            old.collection,
            fields,
            old.next_key + len(added.items),
            old.form,
            tuple(dropped.tolist()),
            old.retired,
        )
        with failing(f"collection {old.collection} cannot be written"):
            self.client.delete(old.collection, filter=f"{KEY} >= {old.next_key}")
            self.forget(old)
            self._insert(state, keys[len(kept) :], added, quiet, stored=old.fields)
            self._wait_until_seen(state)
        return state, keys

    def check(self, name: str) -> None:
        """Make sure that a collection is there and loaded.

        Raises:
            GalleryError: it is not, or the server does not answer.
        """
        with failing(f"collection {name} cannot be opened"):
            if not self.client.has_collection(name):
                raise GalleryError(
                    f"{self.settings.address}: collection {name} is gone; open the gallery with "
                    "faiss://exact, or write it again"
                )
            self._load(name)

    def forget(self, state: CollectionState) -> None:
        """Delete the keys that no version needs any more, now that `state` is current."""
        with failing(f"collection {state.collection} cannot be written"):
            for start in range(0, len(state.obsolete), _DELETED_AT_ONCE):
                part = list(state.obsolete[start : start + _DELETED_AT_ONCE])
                self.client.delete(state.collection, ids=part)

    def drop_others(self, prefix: str, kept: Sequence[str]) -> None:
        """Drop the folder's collections that no version refers to."""
        with failing("collections cannot be listed"):
            for name in self.client.list_collections():
                if name.startswith(prefix) and name not in kept:
                    self.client.drop_collection(name)

    def _fields(self, schema: AttributeSchema, fields: Sequence[str], dim: int) -> Any:
        from pymilvus import DataType

        if self.settings.partition is not None:
            schema.attribute_position(self.settings.partition)
        described = self.client.create_schema(auto_id=False, enable_dynamic_field=False)
        described.add_field(KEY, DataType.INT64, is_primary=True)
        described.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
        for position, name in enumerate(schema.names):
            by_value = name == self.settings.partition
            described.add_field(f"a{position}", DataType.INT64, is_partition_key=by_value)
        for position in range(len(fields)):
            described.add_field(f"f{position}", DataType.VARCHAR, max_length=_LONGEST_VALUE)
        return described

    def _insert(
        self,
        state: CollectionState,
        keys: Rows,
        rows: Rowset,
        progress: Progress,
        stored: Sequence[str] | None = None,
    ) -> None:
        stored = state.fields if stored is None else stored
        starts = range(0, len(keys), _INSERTED_AT_ONCE)
        described = f"Send to {self.settings.address}"
        for start in progress(starts, described, len(starts)):
            stop = min(start + _INSERTED_AT_ONCE, len(keys))
            vectors = state.form.items(rows.vectors[start:stop])
            entries = [
                _entry(int(keys[row]), vectors[row - start], row, rows, stored)
                for row in range(start, stop)
            ]
            self.client.insert(state.collection, entries)
        self.client.flush(state.collection)

    def _index(self, name: str) -> None:
        options = self.settings.options
        parameters = self.client.prepare_index_params()
        parameters.add_index(
            VECTOR,
            index_type="HNSW",
            metric_type=METRIC,
            params={"M": options["m"], "efConstruction": options["ef_construction"]},
        )
        try:
            self.client.create_index(name, parameters)
        except _milvus_error() as error:
            # Large collections: the request is repeated and says so, the index is on its way.
            if "already exist" not in str(error):
                raise
        end = time.monotonic() + _PATIENCE_S
        while True:
            described = self.client.describe_index(name, VECTOR)
            if str(described.get("state", "Finished")) in ("Finished", "3"):
                return
            if time.monotonic() > end:
                raise GalleryError(f"collection {name}: the index is not built after an hour")
            time.sleep(0.5)

    def _load(self, name: str) -> None:
        self.client.load_collection(name, replica_number=self.settings.options["replicas"])

    def _wait_until_seen(self, state: CollectionState) -> None:
        """Return when searches see what was written before."""
        self.client.query(
            state.collection,
            filter=f"{KEY} == {state.next_key - 1}",
            output_fields=[KEY],
            consistency_level="Strong",
        )


def filter_expression(
    filters: Mapping[str, Any], schema: AttributeSchema, fields: Sequence[str]
) -> str | None:
    """Filters in the server's words; None where it does not know one of the fields."""
    parts = []
    for name, values in filters.items():
        if name in schema.names:
            position = schema.attribute_position(name)
            codes = [schema.value_position(name, value) if value else MISSING for value in values]
            parts.append(f"a{position} in {codes}")
        elif name in fields:
            texts = [value or "" for value in values]
            parts.append(f"f{fields.index(name)} in {json.dumps(texts, ensure_ascii=False)}")
        else:
            return None
    return " and ".join(parts)


def _entry(
    key: int, vector: Vectors, row: int, rows: Rowset, fields: Sequence[str]
) -> dict[str, Any]:
    entry: dict[str, Any] = {KEY: key, VECTOR: vector}
    for position, label in enumerate(rows.labels[row]):
        entry[f"a{position}"] = int(label)
    values = rows.items.fields(row)
    for position, name in enumerate(fields):
        value = (values.get(name) or "").encode()[:_LONGEST_VALUE]
        entry[f"f{position}"] = value.decode(errors="ignore")
    return entry


def _is_short(items: ItemTable, field: str) -> bool:
    return field not in items.field_names or items.longest(field) <= _LONGEST_VALUE


def _milvus_error() -> type[Exception]:
    from pymilvus.exceptions import MilvusException

    error: type[Exception] = MilvusException
    return error


class failing:
    """Turns the server's errors into GalleryError."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, _milvus_error()):
            raise GalleryError(f"milvus: {self.what}: {error}") from error


@cache
def _connect(address: str) -> Any:
    """One client an address; it keeps its connection."""
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise GalleryError(f"{address}: pymilvus is not installed; install amgan[milvus]") from None
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # its errors reach the caller anyway
    try:
        return MilvusClient(uri=address, token=os.environ.get(TOKEN_VARIABLE, ""))
    except Exception as error:  # several kinds, by how far it came
        raise GalleryError(f"{address}: no Milvus server answers there ({error})") from error


def row_lookup(keys: Rows, found: NDArray[np.int64]) -> Rows:
    """Rows of keys, -1 for keys that belong to another version; `keys` is ascending."""
    places = np.searchsorted(keys, found)
    places[places == len(keys)] = 0
    known = keys[places] == found if len(keys) else np.zeros(len(found), bool)
    return np.where(known, places, -1)
