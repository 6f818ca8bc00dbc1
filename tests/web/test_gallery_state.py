"""A gallery that is damaged, cut short or moved under a running server; pictures outside of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from amgan.attributes import AttributeSchema
from amgan.catalogue.table import TableLayout, load_table, save_table
from amgan.gallery.store import build_gallery
from amgan.methods.model_file import save_model
from amgan.methods.trained import TrainedModel

ADMIN = {"X-API-Key": "a" * 24}
SEARCH = {"item_id": "item-003", "k": 5}
OpenClient = Callable[..., TestClient]


@pytest.fixture
def table_shop(shape_tools: Any, shape_model: TrainedModel, tmp_path: Path) -> Path:
    """A run folder in a shop's folder, with a gallery of the shop's table."""
    shop = tmp_path / "shop"
    catalogue = shape_tools.write_shapes(shop / "pictures", 12)
    save_table(catalogue, shop / "tops.csv")
    save_model(shop / "run" / "model.safetensors", shape_model.method, shape_model.description)
    index(shop, shape_model)
    return shop


def index(shop: Path, model: TrainedModel, schema: AttributeSchema | None = None) -> None:
    layout = TableLayout("image", model.schema.names, "item_id", "product", "split")
    items, _ = load_table(shop / "tops.csv", layout, schema=schema or model.schema)
    build_gallery(shop / "run" / "gallery", model, items)


def metrics_of(client: TestClient) -> dict[str, float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_flipped_bits_under_a_running_server_leave_the_old_gallery_in_use(
    table_shop: Path, open_client: OpenClient, shape_model: TrainedModel
) -> None:
    client = open_client(run=table_shop / "run", admin_keys=["a" * 24])
    expected = client.post("/v1/search", json=SEARCH).json()["hits"]
    folder = table_shop / "run" / "gallery" / "versions" / "000001"
    generator = np.random.default_rng(0)
    for name in ("items.arrow", "labels.npy", "gallery.json", "model.safetensors"):
        sound = (folder / name).read_bytes()
        for _ in range(6):
            damaged = bytearray(sound)
            for place in generator.integers(0, len(sound), 30).tolist():
                damaged[place] ^= 1 << int(generator.integers(0, 8))
            with (folder / name).open("r+b") as file:  # the same file, as it lies mapped or open
                file.write(damaged)
            reloaded = client.post("/admin/reload", headers=ADMIN)
            assert reloaded.status_code == 409, (name, reloaded.text)
            answer = client.post("/v1/search", json=SEARCH)
            assert answer.status_code == 200 and answer.json()["hits"] == expected
            assert client.get("/ready").json()["load_failed"] is True
            assert metrics_of(client)["amgan_newest_unusable"] == 1
        with (folder / name).open("r+b") as file:
            file.write(sound)
    assert client.post("/admin/reload", headers=ADMIN).status_code == 200
    ready = client.get("/ready").json()
    assert (ready["load_failed"], ready["verified"], ready["missing_pictures"]) == (False, True, 0)
    found = metrics_of(client)
    assert found["amgan_newest_unusable"] == 0 and found["amgan_gallery_verified"] == 1


def test_vectors_that_are_cut_short_in_use_are_503_and_not_ready(
    table_shop: Path, open_client: OpenClient
) -> None:
    client = open_client(run=table_shop / "run")
    assert client.post("/v1/search", json=SEARCH).is_success
    os.truncate(table_shop / "run" / "gallery" / "versions" / "000001" / "vectors.f32", 0)
    for answer in (client.post("/v1/search", json=SEARCH), client.get("/ready")):
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "unavailable"
        assert str(table_shop) not in answer.text


def test_a_moved_shop_finds_its_pictures_and_a_moved_gallery_counts_them(
    table_shop: Path, tmp_path: Path, open_client: OpenClient, capfd: pytest.CaptureFixture[str]
) -> None:
    moved = table_shop.rename(tmp_path / "moved")
    client = open_client(run=moved / "run")
    assert client.get("/ready").json()["missing_pictures"] == 0
    assert client.get("/v1/pictures?id=item-003").is_success
    alone = Path(shutil.move(moved / "run", tmp_path / "alone"))
    client = open_client(run=alone)
    assert client.get("/ready").json()["missing_pictures"] == 12
    assert metrics_of(client)["amgan_missing_pictures"] == 12
    assert client.get("/v1/pictures?id=item-003").status_code == 404
    client = open_client(run=alone, pictures=moved)
    assert client.get("/ready").json()["missing_pictures"] == 0
    assert client.post("/v1/search", json=SEARCH).is_success


@pytest.mark.parametrize("way", ["dots", "link", "absolute"])
def test_pictures_outside_of_the_folder_are_not_opened(
    table_shop: Path,
    tmp_path: Path,
    open_client: OpenClient,
    shape_model: TrainedModel,
    way: str,
) -> None:
    secret = tmp_path / "secret.png"
    shutil.copy(table_shop / "pictures" / "item-003.png", secret)
    (table_shop / "pictures" / "link.png").symlink_to(secret)
    written = {"dots": "../secret.png", "link": "pictures/link.png", "absolute": str(secret)}[way]
    table = table_shop / "tops.csv"
    text = table.read_text("utf-8").replace("pictures/item-003.png", written)
    table.write_text(text, "utf-8")
    index(table_shop, shape_model)
    client = open_client(run=table_shop / "run")
    assert client.get("/ready").json()["missing_pictures"] == 1
    for answer in (
        client.get("/v1/pictures?id=item-003"),
        client.post("/v1/search", json=SEARCH),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "picture_gone"
    assert client.get("/v1/pictures?id=item-004").is_success
    client = open_client(run=table_shop / "run", pictures=tmp_path)
    assert client.get("/ready").json()["missing_pictures"] == (11 if way == "absolute" else 12)


def test_an_older_gallery_is_served_and_says_that_it_was_not_verified(
    table_shop: Path, open_client: OpenClient
) -> None:
    file = table_shop / "run" / "gallery" / "versions" / "000001" / "gallery.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"files": {}}), "utf-8")
    client = open_client(run=table_shop / "run")
    assert client.get("/ready").json()["verified"] is False
    assert metrics_of(client)["amgan_gallery_verified"] == 0
