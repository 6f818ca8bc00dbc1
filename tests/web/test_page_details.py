"""Details of the page in Chromium: lists of values, ids, sketch, words, a renewed catalogue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from amgan.gallery.store import build_gallery
from amgan.methods.model_file import save_model
from amgan.methods.trained import TrainedModel

from .pages import OpenPage, cards, wait_for_results

ADMIN = "a" * 24
COLOURS = ["Beige", "Black", "Blue/White", "Khaki green", "Lilac Purple", "Mole", "Light Blue"]
COLOURS += ["dark grey", "Zebra", "Orange", "Pale yellow", "Pink", "red", "green", "blue"]


def with_colours(page: Page, names: list[str]) -> None:
    """Let the page believe that the shop has these colours."""

    def answer(route: Route) -> None:
        schema = route.fetch().json()
        colour = next(found for found in schema["attributes"] if found["name"] == "colour")
        colour |= {"values": names, "counts": [7] * len(names)}
        route.fulfill(json=schema)

    page.route("**/v1/schema", answer)
    page.reload()
    wait_for_results(page)


def open_colours(page: Page) -> None:
    page.locator('[data-key="chip-colour"]').click()
    expect(page.get_by_role("listbox")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (768, 1000), (390, 844)])
def test_all_of_fifteen_values_are_seen(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page("/?item=item-003", width, height=height)
    wait_for_results(page)
    with_colours(page, COLOURS)
    open_colours(page)
    options = page.get_by_role("option")
    expect(options).to_have_count(15)
    for option in options.all():
        expect(option).to_be_in_viewport(ratio=1)
    expect(page.locator('[aria-selected="true"]')).to_be_focused()
    expect(page.locator(".values")).not_to_have_class(re.compile("fade"))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(options.nth(8)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator('[data-value="Khaki green"]')).to_be_focused()


def test_a_list_that_scrolls_starts_at_the_top_and_fades(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003", 320, height=568)
    wait_for_results(page)
    with_colours(page, [f"colour {n}" for n in range(80)] + COLOURS)
    open_colours(page)
    values = page.locator(".values")
    expect(values).to_have_class("values fade-bottom")
    expect(page.get_by_role("option").first).to_be_in_viewport(ratio=0.9)
    expect(page.get_by_role("searchbox")).to_be_focused()
    values.evaluate("list => list.scrollTo(0, list.scrollHeight)")
    expect(values).to_have_class("values fade-top")


def test_swatches_follow_the_last_colour_word(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003")
    wait_for_results(page)
    with_colours(page, COLOURS)
    open_colours(page)
    swatches = {
        name: page.locator(f'[data-value="{name}"] .swatch:not(.no-swatch)').count()
        for name in COLOURS
    }
    assert swatches == {name: int(name != "Zebra") for name in COLOURS}
    found = page.evaluate(
        """async (values) => {
            const { swatchOf } = await import("./page/swatches.js");
            return values.map((value) => swatchOf("colour", value));
        }""",
        ["White/Blue", "BLUE", "Greyish Beige", "beige", "light  blue", "other", "greenhouse", ""],
    )
    assert found[0] == found[1] and found[2] == found[3]
    assert found[4] not in (None, found[1])
    assert found[5:] == [None, None, None]


def test_the_sketch_is_shown_only_for_changes_and_is_the_smaller(open_page: OpenPage) -> None:
    page = open_page("/")
    with page.expect_response(re.compile("v1/search")) as unchanged:
        page.goto("/?item=item-003")
    assert "prototype" not in unchanged.value.json()
    wait_for_results(page)
    sketch = page.locator(".drawn")
    expect(sketch).to_be_hidden()
    with page.expect_response(re.compile("v1/search")) as changed:
        page.goto("/?item=item-003&set=colour%3Dblue")
    assert "prototype" in changed.value.json()
    expect(sketch).to_contain_text("What the search looks for (a sketch)")
    picture, drawing = page.locator(".shot .frame").nth(0), sketch.locator(".frame")
    wide, small = picture.bounding_box(), drawing.bounding_box()
    assert wide is not None and small is not None
    assert small["width"] * small["height"] < 0.5 * wide["width"] * wide["height"]


def test_every_item_shows_its_id_to_be_copied(open_page: OpenPage) -> None:
    page = open_page("/")
    page.wait_for_selector(".tile a img")
    expect(page.locator(".tile .id").first).to_have_text(re.compile(r"^item-\d+$"))
    page.goto("/?item=item-003")
    wait_for_results(page)
    assert page.locator(".card .id").all_inner_texts() == cards(page)
    expect(page.locator(".shot .id")).to_have_text("item-003")
    page.locator(".card .id").first.click()
    assert page.evaluate("getSelection().toString()") == cards(page)[0]
    expect(page).to_have_url(re.compile("item=item-003$"))


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_example_of_words_fits_its_box(open_page: OpenPage, width: int) -> None:
    page = open_page("/?item=item-003", width)
    wait_for_results(page)
    box = page.get_by_role("textbox", name="Changes in words")
    box.evaluate("box => { box.value = box.placeholder; }")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_words_that_failed_keep_their_message(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003")
    wait_for_results(page)
    words = page.get_by_role("textbox", name="Changes in words")
    notes = page.locator(".words .notes")
    words.fill("red or blue, flowy")
    page.keyboard.press("Enter")
    expect(notes).to_have_text(
        "“red / blue” can be colour red or colour blue."
        "We did not understand “flowy”. We know words for colour, shape and ground."
    )
    page.goto("/?item=item-003")
    wait_for_results(page)
    words.fill("red or blue, flowy")
    page.keyboard.press("Enter")
    expect(notes).to_contain_text("“red / blue” can be")
    page.locator('[data-key="filters"]').click()
    page.get_by_role("checkbox", name="bar").check()
    expect(page).to_have_url(re.compile("only=shape%3Dbar"))
    page.get_by_role("button", name="Close filters").click()
    wait_for_results(page)
    expect(words).to_have_value("red or blue, flowy")
    expect(notes).to_contain_text("“red / blue” can be")
    notes.get_by_role("button", name="colour blue").click()
    wait_for_results(page)
    expect(words).to_have_value("flowy")
    expect(notes).to_have_text(
        "We did not understand “flowy”. We know words for colour, shape and ground."
    )
    page.locator(".card-link").first.click()
    expect(words).to_have_value("")
    expect(notes).to_have_text("")


@pytest.mark.parametrize("width", [320, 390])
def test_no_chip_is_cut_off_on_a_phone(open_page: OpenPage, width: int) -> None:
    page = open_page("/?item=item-003&set=ground%3Ddark&set=shape%3Dbar&set=colour%3Dblue", width)
    wait_for_results(page)
    for chip in page.locator(".chip").all():
        box = chip.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width


def test_many_chips_scroll_with_a_cue_and_a_change_is_in_sight(open_page: OpenPage) -> None:
    page = open_page("/")
    names = [f"detail {n}" for n in range(30)]

    def widen(route: Route) -> None:
        answer = route.fetch().json()
        known = (
            answer["attributes"] if "attributes" in answer else answer["reference"]["attributes"]
        )
        for name in names:
            known.insert(0, known[-1] | {"name": name, "attribute": name})
        route.fulfill(json=answer)

    page.route("**/v1/schema", widen)
    page.route("**/v1/search", widen)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/?item=item-003")
    wait_for_results(page)
    chips = page.locator(".chips")
    expect(chips).to_have_class("chips rows fade-right")
    page.goto("/?item=item-003&set=ground%3Ddark")
    wait_for_results(page)
    box = page.locator(".chip.changed").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    expect(chips).to_have_class(re.compile("fade-left"))
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_page_that_comes_too_early_waits_for_the_shop_to_open(open_page: OpenPage) -> None:
    page = open_page("/")
    asked: list[str] = []

    def open_late(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 2:
            route.continue_()
            return
        error = {"code": "not_ready", "message": "the gallery is being opened", "request_id": "a"}
        route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": error})

    page.route("**/v1/schema", open_late)
    page.goto("/?item=item-003")
    expect(page.locator(".notice")).to_have_text("One momentThe shop is just opening.")
    expect(page.locator(".results-count")).to_contain_text("most alike first")
    assert len(asked) == 3


def test_a_value_of_another_time_can_be_dropped(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003&set=colour%3Dneon&set=shape%3Dbar")
    expect(page.get_by_role("alert")).to_contain_text("This shop does not know colour neon")
    page.get_by_role("button", name="Search without it").click()
    wait_for_results(page)
    expect(page).to_have_url(re.compile(r"\?item=item-003&set=shape%3Dbar$"))


def test_a_renewed_catalogue_is_noticed(
    open_page: OpenPage,
    start_server: Any,
    shape_tools: Any,
    shape_model: TrainedModel,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "gallery"
    build_gallery(folder, shape_model, shape_tools.write_shapes(tmp_path / "old", 40, 1, "old"))
    save_model(tmp_path / "model.safetensors", shape_model.method, shape_model.description)
    served = start_server(run=tmp_path, admin_keys=ADMIN)

    def renew(prefix: str, n: int) -> None:
        catalogue = shape_tools.write_shapes(tmp_path / prefix, n, 2, prefix)
        build_gallery(folder, shape_model, catalogue)
        headers = {"X-API-Key": ADMIN}
        httpx.post(
            f"{served.address}/admin/reload", headers=headers, timeout=120
        ).raise_for_status()

    page = open_page("/?item=old-003", address=served.address)
    wait_for_results(page)
    renew("old", 50)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".results .notes")).to_contain_text("The catalogue was renewed")
    expect(page.locator(".results-count")).to_have_text("24 of 49 items, most alike first")
    expect(page.locator(".stock")).to_have_text("50 items")
    renew("new", 3)
    page.locator(".card-link").first.click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("This item is not in the shop any more")
    expect(notice).to_contain_text("The catalogue was renewed while this page was open.")
    notice.get_by_role("button", name="Start again").click()
    expect(page.locator(".tile")).to_have_count(3)
    expect(page.locator(".stock")).to_have_text("3 items")
