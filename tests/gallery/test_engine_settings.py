from __future__ import annotations

import pytest

from amgan.gallery.engines.settings import AUTO_GRAPH_FLOATS, parse_engine


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("auto", "auto"),
        ("faiss://exact", "faiss://exact"),
        ("faiss://sq8", "faiss://sq8"),
        ("faiss://hnsw", "faiss://hnsw?m=32&ef_construction=200&ef_search=256"),
        (
            "faiss://hnsw_sq8?ef_search=256&m=16",
            "faiss://hnsw_sq8?m=16&ef_construction=200&ef_search=256",
        ),
        (
            "milvus://localhost:19530/tops?replicas=2&partition=category",
            "milvus://localhost:19530/tops?m=32&ef_construction=200&ef_search=256"
            "&replicas=2&shards=1&tls=0&partition=category",
        ),
    ],
)
def test_settings_in_full_and_back(setting: str, url: str) -> None:
    parsed = parse_engine(setting)
    assert parsed.url == url
    assert parse_engine(parsed.url) == parsed


def test_parts_of_a_server_setting() -> None:
    parsed = parse_engine("milvus://10.0.0.7:19530/tops?partition=category")
    assert (parsed.address, parsed.collection) == ("http://10.0.0.7:19530", "tops")
    assert parsed.partition == "category"
    safe = parse_engine("milvus://milvus.example:443/tops?tls=1")
    assert safe.address == "https://milvus.example:443"
    assert parse_engine(safe.url) == safe
    lite = parse_engine("milvus:///data/lite.db/tops")
    assert (lite.address, lite.collection) == ("/data/lite.db", "tops")
    assert parse_engine(lite.url) == lite


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("exact", "cannot read engine 'exact'; write auto, faiss://exact"),
        ("faiss://ivf", "unknown engine 'faiss://ivf'; engines of faiss are exact, sq8, hnsw"),
        ("faiss://hnsw?mm=3", "unknown option 'mm'; options are m, ef_construction, ef_search"),
        ("faiss://exact?m=3", "unknown option 'm'; options are none"),
        ("faiss://hnsw?m=two", "m has to be a number from 4 to 256"),
        ("faiss://hnsw?ef_search=-1", "ef_search has to be a number from 1"),
        ("faiss://hnsw?m=1000", "m has to be a number from 4 to 256"),
        ("milvus://localhost:19530", "write milvus://host:port/collection"),
        ("milvus://localhost:19530/a-b", "a collection's name has letters"),
        ("qdrant://localhost", "cannot read engine"),
    ],
)
def test_what_cannot_be_read_is_named(setting: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_engine(setting)
    assert message in str(error.value)


def test_auto_is_exact_for_small_galleries_and_a_graph_for_large_ones() -> None:
    auto = parse_engine("auto")
    limit = AUTO_GRAPH_FLOATS // 512
    assert auto.resolve(limit - 1, 512).url == "faiss://exact"
    assert auto.resolve(limit, 512).kind == "hnsw_sq8"
    assert auto.resolve(limit, 64).kind == "exact"
    assert parse_engine("faiss://sq8").resolve(10**9, 512).kind == "sq8"
