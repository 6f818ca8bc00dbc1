"""What goes wrong in a shop, and what the page shows then: lost pictures, no server, long words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from amgan.gallery.store import build_gallery
from amgan.methods.model_file import save_model
from amgan.methods.trained import TrainedModel

from .conftest import StartServer
from .pages import OpenPage, wait_for_results

pytestmark = pytest.mark.browser
ITEM = "/?item=item-003"
SHOTS = os.environ.get("SHOTS")  # a folder for pictures of the page, to look at


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.fixture(scope="module")
def many_values(
    shape_tools: Any,
    shape_model: TrainedModel,
    start_server: StartServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A shop whose items have a field of 60 values, and every other picture missing."""
    folder = tmp_path_factory.mktemp("many")
    drawn = shape_tools.write_shapes(folder / "pictures", 120)
    fields = {
        "brand": tuple(f"brand {row % 60:02}" for row in range(120)),
        "season": tuple("summer" if row % 3 else "winter" for row in range(120)),
    }
    catalogue = replace(drawn, fields=fields)
    save_model(folder / "model.safetensors", shape_model.method, shape_model.description)
    build_gallery(folder / "gallery", shape_model, catalogue)
    for image in drawn.images[:120:2]:
        Path(image).unlink()
    yield start_server(run=folder).address


def test_the_example_of_words_is_understood_in_this_shop(open_page: OpenPage) -> None:
    page = open_page(ITEM)
    wait_for_results(page)
    field = page.get_by_label("Changes in words")
    example = field.get_attribute("placeholder")
    assert example and "sleeve" not in example
    field.fill(example)
    field.press("Enter")
    page.wait_for_url("**set=**")
    assert page.get_by_text("We did not understand").count() == 0
    shoot(page, "example")


def test_an_emoji_alone_stays_and_is_said_not_to_be_understood(open_page: OpenPage) -> None:
    page = open_page(ITEM)
    wait_for_results(page)
    field = page.get_by_label("Changes in words")
    for text in ("🙂", "!!"):
        field.fill(text)
        field.press("Enter")
        expect(page.get_by_text(f"We did not understand “{text}”")).to_be_visible()
        assert field.input_value() == text


@pytest.mark.parametrize("width", [320, 390])
def test_a_word_of_any_length_leaves_the_page_as_wide_as_it_is(
    open_page: OpenPage, width: int
) -> None:
    page = open_page(ITEM, width=width)
    wait_for_results(page)
    field = page.get_by_label("Changes in words")
    field.fill("w" * 490)
    field.press("Enter")
    expect(page.get_by_text("We did not understand")).to_be_visible()
    shoot(page, f"long-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_missing_picture_is_no_broken_image(open_page: OpenPage, many_values: str) -> None:
    page = open_page("/", address=many_values)
    expect(page.locator(".shelf .no-picture").first).to_be_visible()
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
    assert page.evaluate(broken) == 0
    shoot(page, "missing-start")
    page.goto("/?item=item-003")
    wait_for_results(page)
    expect(page.locator(".card .no-picture").first).to_be_visible()
    assert page.evaluate(broken) == 0
    shoot(page, "missing-results")


def test_a_start_without_a_server_can_be_tried_again(open_page: OpenPage) -> None:
    page = open_page("/")
    page.wait_for_selector(".shelf .tile a")
    page.route("**/v1/items?*", lambda route: route.abort())
    page.get_by_role("button", name="Show others").click()
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    assert page.locator(".start .skeleton").count() == 0
    shoot(page, "retry")
    page.unroute("**/v1/items?*")
    again.click()
    page.wait_for_selector(".shelf .tile a")
    assert page.get_by_role("button", name="Try again").count() == 0


def test_phones_are_not_told_to_drop_and_paste(open_page: OpenPage) -> None:
    page = open_page("/", width=390)
    page.wait_for_selector(".shelf .tile a")
    assert not page.get_by_text("Drop a photo here").is_visible()
    shoot(page, "phone")


def test_a_shade_before_its_colour_has_the_swatch_of_the_shade(open_page: OpenPage) -> None:
    page = open_page("/")
    swatch = """async ([value]) =>
        (await import("/page/swatches.js")).swatchOf("colour", value)"""
    for value, like in (
        ("navy blue", "navy"),
        ("Navy", "navy"),
        ("olive green", "olive"),
        ("wine red", "wine"),
        ("blue/navy", "navy"),
        ("light blue", "light blue"),
        ("red and blue", "blue"),
    ):
        assert page.evaluate(swatch, [value]) == page.evaluate(swatch, [like]), value


def test_filters_count_under_the_other_filters_and_leave_no_field_out(
    open_page: OpenPage, many_values: str
) -> None:
    page = open_page("/?item=item-003&only=season=winter", address=many_values, dark=True)
    wait_for_results(page)
    page.get_by_role("button", name="Filter").first.click()
    drawer = page.get_by_role("dialog")
    find = drawer.get_by_label("Find one of 60 values of brand")
    group = drawer.locator("details", has_text="Brand")
    if not group.evaluate("group => group.open"):
        group.locator("summary").click()
    expect(group.locator("label")).to_have_count(40)
    # 2 items of each brand; rows of winter are those that 3 divides: all or none of a brand's.
    find.fill("brand 01")
    expect(group.locator(".count")).to_have_text(["0"])
    find.fill("brand 03")
    expect(group.locator(".count")).to_have_text(["2"])
    season = drawer.locator("details", has_text="Season")
    expect(season.locator(".count")).to_have_text(["80", "40"])
    shoot(page, "filters-dark")


def test_counts_against_counting_by_hand(client: Any, shop: Path) -> None:
    schema = client.get("/v1/schema").json()
    name, value = schema["attributes"][0]["name"], schema["attributes"][0]["values"][0]
    told = client.get("/v1/counts", params={"filter": f"{name}={value}"}).json()
    items = client.get("/v1/items", params={"k": 100}).json()["items"]
    for attribute in schema["attributes"]:
        for other in attribute["values"]:
            expected = sum(
                item["attributes"][attribute["name"]] == other
                and (attribute["name"] == name or item["attributes"][name] == value)
                for item in items
            )
            assert told["attributes"][attribute["name"]][other] == expected
    assert client.get("/v1/counts", params={"filter": "none=x"}).status_code == 422
    unfiltered = client.get("/v1/counts").json()["attributes"][name]
    assert unfiltered == dict(
        zip(schema["attributes"][0]["values"], schema["attributes"][0]["counts"], strict=True)
    )
