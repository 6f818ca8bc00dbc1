from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from milvus_server import MilvusProcess

from amgan.attributes import AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.gallery.engines import approximate, milvus_engine
from amgan.gallery.engines.approximate import IndexEngine, build_index
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.engines.milvus import Rowset, Server, filter_expression, row_lookup
from amgan.gallery.engines.milvus_engine import MilvusEngine
from amgan.gallery.engines.protocol import Engine
from amgan.gallery.engines.settings import EngineSettings, parse_engine
from amgan.gallery.gallery import Gallery
from amgan.gallery.items import ItemTable
from amgan.gallery.manifest import Manifest
from amgan.gallery.store import GalleryError, build_gallery, open_gallery
from amgan.gallery.update import update_gallery
from amgan.methods.trained import TrainedModel

pytest.importorskip("pymilvus", reason="pymilvus is not installed")

Shapes = Callable[..., Catalogue]
SCHEMA = AttributeSchema.from_dict(
    {"colour": ["red", "green", "blue"], "sleeve": ["long", "short"]}
)
DIM = 24


@pytest.fixture(autouse=True)
def small_sets_are_asked_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milvus_engine, "EXACT_FLOATS", 0)
    monkeypatch.setattr(milvus_engine, "EXACT_KEPT_FLOATS", 0)
    monkeypatch.setattr(approximate, "EXACT_FLOATS", 0)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusProcess]:
    reason = MilvusProcess.why_not()
    if reason is not None:
        pytest.skip(f"no Milvus server: {reason}")
    process = MilvusProcess(tmp_path_factory.mktemp("milvus"))
    process.start()
    yield process
    process.close()


@pytest.fixture
def lite(tmp_path: Path) -> str:
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    return f"milvus://{tmp_path}/lite.db/tops"


@pytest.fixture(params=["lite", pytest.param("server", marks=pytest.mark.milvus)])
def address(request: pytest.FixtureRequest) -> str:
    """The setting of a collection, on Milvus Lite and on a real server."""
    if request.param == "lite":
        return str(request.getfixturevalue("lite"))
    process = request.getfixturevalue("server")
    return f"milvus://127.0.0.1:{process.port}/tops"


def draw(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((30, DIM))
    return (centres[rng.integers(0, 30, n)] + 0.4 * rng.standard_normal((n, DIM))).astype(
        np.float32
    )


def make_items(n: int, seed: int = 0) -> tuple[ItemTable, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.stack([rng.integers(-1, size, n) for size in SCHEMA.sizes], 1).astype(np.int16)
    brands = tuple((None, "acme", 'the "best"', "größer")[row % 4] for row in range(n))
    catalogue = Catalogue(
        "random",
        SCHEMA,
        tuple(f"item-{row}" for row in range(n)),
        (Path("/none.jpg"),) * n,
        labels,
        (None,) * n,
        (None,) * n,
        {"brand": brands, "story": ("long " * 200,) * n},
    )
    return ItemTable.from_catalogue(catalogue), labels


class Parity:
    """One set of vectors, searched by every engine."""

    def __init__(self, setting: str, n: int) -> None:
        self.vectors, (self.items, self.labels) = draw(n, 0), make_items(n)
        self.exact = ExactEngine(self.vectors, "euclidean")
        settings = parse_engine(setting)
        state, keys = Server(settings).create(
            "parity_1", Rowset(self.items, self.labels, self.vectors), SCHEMA, "euclidean"
        )
        graph = parse_engine("faiss://hnsw?ef_search=200")
        index = build_index(graph, self.vectors, "euclidean")
        self.state = state
        self.engines: Mapping[str, Engine] = {
            "hnsw": IndexEngine(graph, self.vectors, "euclidean", index, np.arange(n)),
            "milvus": MilvusEngine(settings, self.vectors, "euclidean", SCHEMA, state, keys),
        }

    def select(self, filters: dict[str, list[str]]) -> np.ndarray:
        manifest = Manifest("random", len(self.items), 0, DIM, "euclidean", "", "", None, SCHEMA)  # type: ignore[arg-type]
        rows = Gallery(manifest, self.items, self.labels, self.vectors, self.exact).select(filters)
        assert rows is not None
        return rows


FILTERS: list[dict[str, list[str]]] = [
    {},
    {"colour": ["red", "blue"]},
    {"colour": ["green", ""], "sleeve": ["long"]},
    {"brand": ['the "best"', "größer"]},
    {"brand": [""], "colour": ["red", "green", "blue"]},
]


def recall(exact: np.ndarray, found: np.ndarray) -> float:
    pairs = zip(exact.tolist(), found.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in pairs]))


def check_parity(parity: Parity, queries: np.ndarray) -> None:
    for filters in FILTERS:
        rows = parity.select(filters) if filters else None
        exact = parity.exact.search(queries, 10, rows)
        for name, engine in parity.engines.items():
            found = engine.search(queries, 10, rows, filters or None)
            assert found.mode.startswith(name)
            assert found.mode.endswith(", filtered") == bool(filters)
            assert recall(exact.rows, found.rows) >= 0.99, (name, filters)
            same = exact.rows == found.rows
            assert exact.scores[same].tobytes() == found.scores[same].tobytes()


def test_every_engine_gives_the_same(address: str) -> None:
    setting = address + "?ef_search=200&partition=colour"
    if "lite.db" in address:
        setting = address + "?ef_search=200"
    check_parity(Parity(setting, 2000), draw(100, 1))


@pytest.mark.milvus
@pytest.mark.slow
def test_a_thousand_queries_give_the_same_top_ten(server: MilvusProcess) -> None:
    setting = f"milvus://127.0.0.1:{server.port}/tops?ef_search=200"
    check_parity(Parity(setting, 20_000), draw(1000, 1))


def test_what_the_server_cannot_answer_is_searched_in_the_folder(lite: str) -> None:
    parity = Parity(lite, 500)
    engine = parity.engines["milvus"]
    queries = draw(3, 1)
    assert parity.state.fields == ("brand",)  # values of the other are too long for the server
    rows = np.arange(0, 500, 2)
    without_filters = engine.search(queries, 5, rows)
    assert without_filters.mode == "exact, filtered"
    assert without_filters.rows.tolist() == parity.exact.search(queries, 5, rows).rows.tolist()
    assert engine.search(queries, 5, rows, {"story": ["x"]}).mode == "exact, filtered"
    assert engine.search(queries, 400).mode == "exact"
    assert engine.search(queries[:0], 5).rows.shape == (0, 5)


def test_filters_in_the_servers_words() -> None:
    filters = {"colour": ["red", ""], "brand": ['a "b"', ""]}
    expression = filter_expression(filters, SCHEMA, ("price", "brand"))
    assert expression == 'a0 in [0, -1] and f1 in ["a \\"b\\"", ""]'
    assert filter_expression({"size": ["XL"]}, SCHEMA, ("brand",)) is None


def test_keys_of_other_versions_have_no_row() -> None:
    keys = np.array([0, 2, 3, 7])
    assert row_lookup(keys, np.array([7, 1, 0, 9, 3])).tolist() == [3, -1, 0, -1, 2]
    assert row_lookup(keys[:0], np.array([7])).tolist() == [-1]


def find_each(gallery: Gallery) -> None:
    """Every item is its own nearest one, and nothing else is found."""
    found = gallery.engine.search(np.array(gallery.vectors), 1)
    assert (found.rows[:, 0] == np.arange(len(gallery))).all()
    if len(gallery) > 20:
        assert found.mode.startswith("milvus")


def collections(settings: EngineSettings) -> list[str]:
    return sorted(
        name for name in Server(settings).client.list_collections() if name.startswith("tops_")
    )


def entries(gallery: Gallery, collection: str) -> int:
    client = Server(parse_engine(gallery.manifest.engine)).client
    counted = client.query(
        collection, filter="", output_fields=["count(*)"], consistency_level="Strong"
    )
    return int(counted[0]["count(*)"])


def test_a_gallery_lives_on_the_server(
    address: str,
    tmp_path: Path,
    shapes: Shapes,
    shape_model: TrainedModel,
    other_shape_model: TrainedModel,
) -> None:
    settings = parse_engine(address)
    before = set(collections(settings))
    folder = tmp_path / "gallery"
    catalogue, new = shapes(40), shapes(10, 3, "new")
    first = build_gallery(folder, shape_model, catalogue, engine=address)
    find_each(first)
    (name,) = set(collections(settings)) - before
    replaced = shapes(6, 7).subset([4, 5])
    second = update_gallery(folder, shape_model, add=replaced, remove=["item-000", "item-001"])
    third = update_gallery(folder, shape_model, add=new).gallery
    find_each(third)
    find_each(second.gallery)  # a reader that has not opened the newest yet
    assert third.item_ids[-12:] == ("item-004", "item-005", *new.item_ids)
    assert set(collections(settings)) - before == {name}
    assert entries(third, name) == 48  # what only the first version needed is gone
    fourth = build_gallery(folder, other_shape_model, catalogue, engine=address)
    find_each(fourth)
    find_each(third)
    assert len(set(collections(settings)) - before) == 2
    fifth = build_gallery(folder, other_shape_model, new, engine=address)
    assert fifth.item_ids == new.item_ids
    assert name not in collections(settings)


def test_an_update_that_failed_leaves_nothing_behind(
    lite: str,
    tmp_path: Path,
    shapes: Shapes,
    shape_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "gallery"
    gallery = build_gallery(folder, shape_model, shapes(30), engine=lite)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("amgan.gallery.versions.VersionedFolder.publish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            update_gallery(folder, shape_model, add=shapes(5, 5, "lost"))
    find_each(open_gallery(folder, shape_model))
    updated = update_gallery(folder, shape_model, add=shapes(3, 6, "new")).gallery
    find_each(updated)
    (name,) = collections(parse_engine(lite))
    assert entries(updated, name) == 33
    Server(parse_engine(lite)).client.drop_collection(name)
    with pytest.raises(GalleryError, match=f"collection {name} is gone"):
        open_gallery(folder)
    assert len(open_gallery(folder, engine="faiss://exact")) == 33
    assert gallery.name == "shapes"


def test_a_server_that_does_not_answer_is_named(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gallery"
    build_gallery(folder, shape_model, shapes(4))
    with pytest.raises(GalleryError, match="no Milvus server answers there"):
        build_gallery(folder, shape_model, shapes(4), engine="milvus://127.0.0.1:9/tops")
    assert len(open_gallery(folder, shape_model)) == 4


@pytest.mark.milvus
@pytest.mark.slow
def test_a_killed_server_comes_back_with_everything(
    server: MilvusProcess, tmp_path: Path, shapes: Shapes, shape_model: TrainedModel
) -> None:
    folder = tmp_path / "gallery"
    address = f"milvus://127.0.0.1:{server.port}/killed"
    build_gallery(folder, shape_model, shapes(30), engine=address)
    update_gallery(folder, shape_model, add=shapes(5, 5, "new"))
    server.kill()
    server.start()
    gallery = open_gallery(folder, shape_model)
    find_each(gallery)
    assert len(gallery) == 35
