"""Attributes that matter more than others, in a shop whose gallery has a fused ranking."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.web.pages import cards, wait_for_results

from amgan.gallery.store import build_gallery
from amgan.methods.facts import ModelFacts
from amgan.methods.fusion import FusionWeights
from amgan.methods.model_file import load_model, save_model
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel

FUSION = FusionWeights(0.5, 1.0)
QUERY = {"item_id": "item-003", "changes": {"colour": "blue"}, "k": 12}


@pytest.fixture(scope="module")
def weighed_shop(
    shape_tools: Any, shape_model: TrainedModel, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """As `shop`, with a model that was fitted for a fused ranking."""
    folder = tmp_path_factory.mktemp("weighed")
    catalogue = shape_tools.write_shapes(folder / "pictures", 40)
    description = replace(shape_model.description, facts=ModelFacts(fusion=FUSION))
    file = folder / "model.safetensors"
    save_model(file, shape_model.method, description)
    build_gallery(folder / "gallery", load_model(file, ranking=RankingChoice.auto), catalogue)
    return folder


def test_importance_changes_the_order_and_pure_is_the_distance(
    open_client: Callable[..., Any], weighed_shop: Path
) -> None:
    client = open_client(run=weighed_shop)
    assert client.get("/v1/schema").json()["weights"] is True

    def ask(**more: Any) -> list[tuple[str, float]]:
        answer = client.post("/v1/search", json={**QUERY, **more})
        assert answer.status_code == 200, answer.text
        return [(hit["item_id"], hit["score"]) for hit in answer.json()["hits"]]

    plain, weighed = ask(), ask(importance={"colour": 80})
    assert plain != weighed
    scores = [score for _, score in weighed]
    assert scores == sorted(scores, reverse=True)
    pure = open_client().post("/v1/search", json=QUERY).json()["hits"]
    # Further down, distances differ by less than the rounding of the fused vectors.
    assert [name for name, _ in ask(pure=True)][:8] == [hit["item_id"] for hit in pure][:8]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"importance": {"size": 2}}, "size"),
        ({"importance": {"colour": -1}}, "greater than or equal to 0"),
        ({"importance": {"colour": 2}, "pure": True}, "pure"),
    ],
)
def test_what_cannot_be_weighed_is_said(
    open_client: Callable[..., Any], weighed_shop: Path, more: dict[str, Any], said: str
) -> None:
    answer = open_client(run=weighed_shop).post("/v1/search", json={**QUERY, **more})
    assert answer.status_code == 422
    assert said in answer.text


def test_a_pure_gallery_has_no_weights(open_client: Callable[..., Any]) -> None:
    client = open_client()
    assert client.get("/v1/schema").json()["weights"] is False
    answer = client.post("/v1/search", json={**QUERY, "importance": {"colour": 2}})
    assert answer.status_code == 422
    assert "--ranking fused" in answer.text


def test_the_page_lets_an_attribute_matter_most(
    open_page: Callable[..., Any], start_server: Callable[..., Any], weighed_shop: Path
) -> None:
    served = start_server(run=weighed_shop)
    page = open_page("/?item=item-003&set=colour%3Dblue", address=f"http://127.0.0.1:{served.port}")
    wait_for_results(page)
    before = cards(page)
    page.locator('[data-key="chip-colour"]').click()
    page.get_by_role("button", name="Let colour count most").click()
    expect(page).to_have_url(re.compile("most=colour"))
    expect(page.locator(".most")).to_have_text("counts most")
    wait_for_results(page)
    assert len(cards(page)) == len(before)
    page.reload()
    wait_for_results(page)
    expect(page.locator(".most")).to_have_count(1)
    page.locator('[data-key="chip-colour"]').click()
    page.get_by_role("button", name="Let colour count most").click()
    expect(page.locator(".most")).to_have_count(0)
    wait_for_results(page)
    assert cards(page) == before
