"""Which engine a gallery is searched with, written like a URL.

auto                                     exact, or a graph for large galleries
faiss://exact                            every vector is compared
faiss://sq8                              every vector is compared in 8 bits a number
faiss://hnsw?m=32&ef_search=256          a graph over the vectors
faiss://hnsw_sq8?m=32&ef_search=256      a graph over vectors in 8 bits a number
milvus://host:port/collection            a Milvus server
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from amgan.errors import InputError

AUTO_GRAPH_FLOATS = 20_000 * 512  # auto takes a graph from this many numbers upward; see `resolve`

_GRAPH_OPTIONS = {"m": 32, "ef_construction": 200, "ef_search": 256}
_LIMITS = {
    "m": (4, 256),
    "ef_construction": (8, 5000),
    "ef_search": (1, 10_000),
    "replicas": (1, 1000),
    "shards": (1, 64),
    "tls": (0, 1),
}
_KINDS: dict[str, dict[str, int]] = {
    "exact": {},
    "sq8": {},
    "hnsw": _GRAPH_OPTIONS,
    "hnsw_sq8": _GRAPH_OPTIONS,
}
_SERVER_OPTIONS = {**_GRAPH_OPTIONS, "replicas": 1, "shards": 1, "tls": 0}


@dataclass(frozen=True)
class EngineSettings:
    """A parsed setting.

    Attributes:
        kind: "auto", "exact", "sq8", "hnsw", "hnsw_sq8" or "milvus".
        options: numbers by name, complete with defaults.
        address: of a server, such as ``http://localhost:19530`` or a file of Milvus Lite.
        collection: on the server.
        partition: attribute whose values a server keeps apart; None for none.
    """

    kind: str
    options: Mapping[str, int]
    address: str = ""
    collection: str = ""
    partition: str | None = None

    @property
    def builds_index(self) -> bool:
        """Whether the engine needs an index file beside the vectors."""
        return self.kind == "sq8" or self.is_graph

    @property
    def is_graph(self) -> bool:
        """Whether it walks a graph in the gallery's folder."""
        return self.kind in ("hnsw", "hnsw_sq8")

    @property
    def url(self) -> str:
        """The setting in full; `parse_engine` reads it."""
        if self.kind == "auto":
            return "auto"
        query = "&".join(f"{name}={value}" for name, value in self.options.items())
        if self.partition is not None:
            query += f"&partition={self.partition}"
        place = f"faiss://{self.kind}"
        if self.kind == "milvus":
            place = f"milvus://{self.address.rpartition('://')[2]}/{self.collection}"
        return f"{place}?{query}" if query else place

    def resolve(self, count: int, dim: int) -> EngineSettings:
        """The engine that `auto` means for a gallery of `count` vectors.

        The limit is where an exact search of one query takes 2 to 3 ms on one core, about as long
        as the networks of a small model need for it; at 50,000 x 512 it is 8 ms where the graph
        in 8 bits takes 0.3, with the recall of the graph over full vectors and a third of its size.
        """
        if self.kind != "auto":
            return self
        return parse_engine("faiss://" + self.auto_kind(count, dim))

    @staticmethod
    def auto_kind(count: int, dim: int) -> str:
        """Kind that `auto` takes."""
        return "hnsw_sq8" if count * dim >= AUTO_GRAPH_FLOATS else "exact"


def parse_engine(setting: str) -> EngineSettings:
    """Read an engine's setting.

    Raises:
        ValueError: not of the form above, or an unknown engine or option.
    """
    if setting == "auto":
        return EngineSettings("auto", {})
    parts = urlsplit(setting)
    if parts.scheme == "faiss" and not parts.path.strip("/"):
        if parts.netloc not in _KINDS:
            raise InputError(
                f"unknown engine {setting!r}; engines of faiss are {', '.join(_KINDS)}"
            )
        options = _read_options(setting, parts.query, _KINDS[parts.netloc])
        return EngineSettings(parts.netloc, options)
    if parts.scheme == "milvus":
        return _parse_server(setting)
    raise InputError(
        f"cannot read engine {setting!r}; write auto, faiss://exact, faiss://sq8, "
        "faiss://hnsw, faiss://hnsw_sq8 or milvus://host:port/collection"
    )


def _parse_server(setting: str) -> EngineSettings:
    parts = urlsplit(setting)
    path, _, collection = parts.path.rpartition("/")
    if not collection.isidentifier() or not (parts.netloc or path.endswith(".db")):
        raise InputError(
            f"cannot read engine {setting!r}; write milvus://host:port/collection, "
            "or milvus:///path/to/file.db/collection for Milvus Lite; "
            "a collection's name has letters, digits and _"
        )
    pairs = dict(parse_qsl(parts.query))
    partition = pairs.pop("partition", None)
    query = "&".join(f"{name}={value}" for name, value in pairs.items())
    options = _read_options(setting, query, _SERVER_OPTIONS)
    scheme = "https" if options["tls"] else "http"
    address = f"{scheme}://{parts.netloc}" if parts.netloc else path
    return EngineSettings("milvus", options, address, collection, partition)


def _read_options(setting: str, query: str, defaults: Mapping[str, int]) -> dict[str, int]:
    options = dict(defaults)
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in defaults:
            known = ", ".join(defaults) or "none"
            raise InputError(f"engine {setting!r}: unknown option {name!r}; options are {known}")
        lowest, highest = _LIMITS[name]
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise InputError(
                f"engine {setting!r}: {name} has to be a number from {lowest} to {highest}"
            )
        options[name] = int(text)
    return options
