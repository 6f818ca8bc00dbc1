"""The page in Chromium."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import OpenClient, draw_picture
from .pages import OpenPage, cards, wait_for_results

KEY = "0123456789abcdefghij"


MISSED = "We did not understand “flowy”. We know words for colour, shape and ground."


def test_from_an_item_to_a_change_and_back(open_page: OpenPage) -> None:
    page = open_page("/")
    page.locator(".tile a").first.click()
    wait_for_results(page)
    assert re.search(r"\?item=item-\d+$", page.url)
    unchanged = cards(page)
    assert len(unchanged) == 24
    page.locator('[data-key="chip-shape"]').click()
    values = page.get_by_role("listbox", name="shape values").get_by_role("option")
    expect(values).to_have_count(2)
    wanted = page.locator('[role="option"][aria-selected="false"]').first
    name = wanted.get_attribute("data-value")
    wanted.click()
    expect(page).to_have_url(re.compile(rf"set=shape%3D{name}$"))
    wait_for_results(page)
    expect(page.locator(".chip.changed")).to_have_count(1)
    expect(page.locator('[data-key="chip-shape"]')).to_be_focused()
    met = page.locator(".mark.met")
    assert met.first.inner_text().replace("\n", " ").startswith("matches: ")
    changed = cards(page)
    page.go_back()
    expect(page).not_to_have_url(re.compile("set="))
    wait_for_results(page)
    assert cards(page) == unchanged
    page.go_forward()
    wait_for_results(page)
    expect(page.locator(".chip.changed")).to_have_count(1)
    assert cards(page) == changed


def test_an_address_can_be_shared(open_page: OpenPage) -> None:
    address = "/?item=item-003&set=colour%3Dblue&only=shape%3Dbar"
    first, second = open_page(address), open_page(address)
    for page in (first, second):
        wait_for_results(page)
        expect(page.locator(".chip.changed .chip-word")).to_have_text("blue")
        expect(page.locator(".token")).to_have_text("Shape: bar")
    assert cards(first) == cards(second)


def test_marks_agree_with_the_answer(open_page: OpenPage) -> None:
    page = open_page("/")
    with page.expect_response(re.compile("v1/search")) as caught:
        page.goto("/?item=item-003&set=colour%3Dblue&set=ground%3Ddark")
    wait_for_results(page)
    # What has all that was asked for stands first, each part in the order of the ranking.
    hits = sorted(caught.value.json()["hits"], key=lambda hit: hit["has_wanted"] is not True)
    for hit, card in zip(hits, page.query_selector_all(".card"), strict=True):
        marks = [mark.get_attribute("class") for mark in card.query_selector_all(".mark")]
        kinds = {True: "mark met", False: "mark missed", None: "mark unknown"}
        assert marks == [kinds[hit["matches"][name]] for name in ("colour", "ground")]


def test_a_missed_wish_searches_again_from_that_item(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003&set=colour%3Dblue")
    wait_for_results(page)
    missed = page.locator(".mark.missed a").first
    assert "More like this, but blue" in missed.inner_text()
    missed.click()
    wait_for_results(page)
    expect(page).to_have_url(re.compile(r"item=item-(?!003)\d+&set=colour%3Dblue$"))


def test_words_become_changes_and_the_rest_is_said(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003")
    wait_for_results(page)
    page.get_by_role("textbox", name="Changes in words").fill("in blue, flowy")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("set=colour%3Dblue"))
    expect(page.locator(".words .notes")).to_have_text(MISSED)
    wait_for_results(page)
    expect(page.locator(".words .notes")).to_have_text(MISSED)
    words = page.get_by_role("textbox", name="Changes in words")
    expect(words).to_have_value("flowy")
    page.locator('[data-key="undo-colour"]').click()
    expect(page).not_to_have_url(re.compile("set="))
    wait_for_results(page)
    expect(words).to_have_value("flowy")
    expect(page.locator(".words .notes")).to_have_text(MISSED)
    words.fill("")
    expect(page.locator(".words .notes")).to_have_text("")


def test_the_keyboard_alone_is_enough(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003")
    wait_for_results(page)
    page.locator('[data-key="chip-colour"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator('[role="option"]').last).to_be_focused()
    page.keyboard.press("r")
    expect(page.locator('[data-value="red"]')).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator('[data-key="chip-colour"]')).to_be_focused()
    expect(page.get_by_role("listbox")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("set=colour%3Dblue"))
    wait_for_results(page)
    page.locator('[data-key="filters"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Filter")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator('[data-key="filters"]')).to_be_focused()


def test_a_photo_is_described_corrected_and_survives_a_reload(open_page: OpenPage) -> None:
    page = open_page("/")
    photo = {"name": "a.png", "mimeType": "image/png", "buffer": draw_picture(64, 48)}
    page.locator("input[type=file]").first.set_input_files(photo)  # type: ignore[arg-type]
    wait_for_results(page)
    expect(page).to_have_url(re.compile(r"\?photo=[0-9a-f]+$"))
    expect(page.locator(".sure")).to_have_count(3)
    assert re.search(r"\d+ %", page.locator(".sure").first.inner_text())
    page.locator('[data-key="chip-colour"]').click()
    page.get_by_role("button", name="In my photo it is").click()
    page.locator('[role="option"][aria-selected="false"]').first.click()
    expect(page).to_have_url(re.compile("is=colour%3D"))
    wait_for_results(page)
    expect(page.locator(".sure")).to_have_count(2)
    found = cards(page)
    page.reload()
    wait_for_results(page)
    assert cards(page) == found


def test_what_is_no_picture_is_said(open_page: OpenPage) -> None:
    page = open_page("/")
    note = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.locator("input[type=file]").first.set_input_files(note)  # type: ignore[arg-type]
    expect(page.get_by_role("alert")).to_contain_text("not a picture")
    odd = {"name": "a.tiff", "mimeType": "image/tiff", "buffer": b"II*\0 damaged"}
    page.locator("input[type=file]").first.set_input_files(odd)  # type: ignore[arg-type]
    expect(page.get_by_role("alert")).to_have_text(
        "We cannot use this photo: it is not a picture in a format read here."
    )


def test_a_link_to_somebody_elses_photo_explains_itself(open_page: OpenPage) -> None:
    page = open_page("/?photo=abcdef012345&set=colour%3Dred")
    expect(page.get_by_role("alert")).to_contain_text("stays with the person who took it")


def test_what_matches_stands_apart_from_what_comes_close(
    open_page: OpenPage, open_client: OpenClient
) -> None:
    asked = {"item_id": "item-003", "changes": {"shape": "bar", "ground": "dark"}, "k": 24}
    answer = open_client().post("/v1/search", json=asked).json()
    met = [hit["item_id"] for hit in answer["hits"] if hit["has_wanted"]]
    assert 0 < len(met) < 24 and answer["matching"] > 1
    page = open_page("/?item=item-003&set=shape%3Dbar&set=ground%3Ddark")
    wait_for_results(page)
    expect(page.locator(".results-title")).to_have_text(f"{answer['matching']} items match")
    assert cards(page)[: len(met)] == met
    grids = page.locator(".results .grid")
    expect(grids.first.locator(".card")).to_have_count(len(met))
    expect(grids.first.locator(".mark.missed")).to_have_count(0)
    expect(page.locator(".results-divider")).to_have_text(
        "Close, but not both bar shape and dark ground"
    )
    known = [hit for hit in answer["hits"] if hit["has_wanted"] and hit["keeps_rest"] is not None]
    for hit in known:
        rest = page.locator(".card").nth(met.index(hit["item_id"])).locator(".rest")
        expect(rest).to_have_text("Same colour" if hit["keeps_rest"] else "Other colour")
    assert known
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".card")).to_have_count(39)
    expect(grids.first.locator(".card")).to_have_count(answer["matching"])


def test_a_wish_for_what_is_there_already_is_no_change(open_page: OpenPage) -> None:
    page = open_page("/?item=item-001&set=colour%3Dgreen")
    wait_for_results(page)
    expect(page.locator(".chip.held")).to_contain_text("already so: no change")
    expect(page.locator(".wishes h2")).to_have_text("What should be different?")
    expect(page.locator(".shot.drawn")).to_be_hidden()
    expect(page.locator(".results-title")).to_contain_text("match")
    page.get_by_role("button", name="Undo all").click()
    expect(page.locator(".results-title")).to_have_text("Most alike")


def test_filters_narrow_and_can_be_taken_away(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003")
    wait_for_results(page)
    page.locator('[data-key="filters"]').click()
    page.get_by_role("checkbox", name="bar").check()
    expect(page).to_have_url(re.compile("only=shape%3Dbar"))
    total = page.locator(".drawer-foot button")
    expect(total).to_have_text(re.compile(r"Show \d+ items"))
    wait_for_results(page)
    told = int(re.findall(r"\d+", total.inner_text())[0])
    page.get_by_role("button", name="Close filters").click()
    expect(page.locator(".results-count")).to_contain_text(f"of {told} items")
    page.locator(".token").click()
    expect(page).not_to_have_url(re.compile("only="))
    wait_for_results(page)
    expect(page.locator(".results-count")).to_contain_text("of 39 items")


def test_nothing_left_is_explained(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003&only=brand%3Dnothing")
    expect(page.locator(".notice-title")).to_have_text("Nothing is left with these filters")
    page.get_by_role("button", name="Clear filters").click()
    wait_for_results(page)
    assert len(cards(page)) == 24


def test_more_results_follow_and_take_the_focus(open_page: OpenPage) -> None:
    page = open_page("/?item=item-003")
    wait_for_results(page)
    first = cards(page)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".card")).to_have_count(39)
    assert cards(page)[:24] == first and len(set(cards(page))) == 39
    expect(page.locator(".card-link").nth(24)).to_be_focused()
    expect(page.locator(".end")).to_have_text("That is all of them.")
    expect(page.get_by_role("status").last).to_contain_text("15 more items")


def test_failures_are_told_and_can_be_tried_again(open_page: OpenPage) -> None:
    page = open_page("/")
    page.route("**/v1/search", lambda route: route.abort())
    page.goto("/?item=item-003")
    expect(page.get_by_role("alert")).to_contain_text("Look at your connection")
    page.unroute("**/v1/search")
    page.get_by_role("button", name="Try again").click()
    wait_for_results(page)
    assert len(cards(page)) == 24
    page.goto("/?item=gone")
    expect(page.locator(".notice")).to_contain_text("not in the shop any more")


def test_a_shop_with_keys_asks_for_one(open_page: OpenPage, start_server: Any) -> None:
    served = start_server(api_keys=KEY)
    page = open_page("/?item=item-003", address=served.address)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("This key is not right.")
    dialog.get_by_label("Key").fill(KEY)
    page.keyboard.press("Enter")
    wait_for_results(page)
    picture = page.locator(".card-link img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def open_state(page: Page, state: str) -> None:
    """Bring a search page into one of its states."""
    if state == "start":
        page.wait_for_selector(".tile a img")
        return
    wait_for_results(page)
    if state == "chooser":
        page.locator('[data-key="chip-colour"]').click()
    elif state == "drawer":
        page.locator('[data-key="filters"]').click()


STATES = {
    "start": "/",
    "search": "/?item=item-003&set=colour%3Dblue&set=ground%3Ddark&only=shape%3Dbar",
    "chooser": "/?item=item-003",
    "drawer": "/?item=item-003",
    "empty": "/?item=item-003&only=brand%3Dnothing",
    "gone": "/?item=gone",
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_nobody_is_kept_out(open_page: OpenPage, state: str, dark: bool) -> None:
    page = open_page(STATES[state], dark=dark)
    open_state(page, state)
    found = Axe().run(page)
    told = [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in found.response["violations"]
    ]
    assert told == []


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
@pytest.mark.parametrize("state", ["start", "search"])
def test_no_width_scrolls_sideways(open_page: OpenPage, state: str, width: int) -> None:
    page = open_page(STATES[state], width)
    open_state(page, state)
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) == 0
