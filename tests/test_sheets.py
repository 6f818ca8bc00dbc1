from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from amgan.attributes import Change
from amgan.catalogue.records import Catalogue
from amgan.gallery.gallery import Gallery
from amgan.images import ImageSettings, Pixels
from amgan.methods.trained import TrainedModel
from amgan.search import SearchQuery, SearchService
from amgan.sheets import SheetItem, SheetRow, render_result_sheet, sheet_row

GREEN, RED, GREY = (0x1D, 0x9A, 0x57), (0xD6, 0x45, 0x3D), (0xA7, 0xAE, 0xB8)


def plain(colour: tuple[int, int, int], height: int = 40, width: int = 40) -> Pixels:
    return np.full((height, width, 3), colour, np.uint8)


def item(
    *matches: bool | None, truth: bool = False, picture: Pixels | Path | None = None
) -> SheetItem:
    known = dict(zip(("colour", "sleeve", "neck", "fit"), matches, strict=False))
    return SheetItem(
        plain((200, 200, 255)) if picture is None else picture,
        {name: None if match is None else f"{name} value" for name, match in known.items()},
        known,
        truth,
    )


def row(*items: SheetItem, changes: int = 1, prototype: Pixels | None = None) -> SheetRow:
    asked = [Change("colour", "navy", "pink"), Change("sleeve", "three-quarter")][:changes]
    return SheetRow(plain((120, 90, 200)), asked, prototype, items)


def render(path: Path, *rows: SheetRow, columns: int = 6) -> NDArray[np.uint8]:
    render_result_sheet(rows, path, columns=columns, dpi=100)
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


def texts(path: Path, *rows: SheetRow) -> list[str]:
    render_result_sheet(rows, path)
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def count(pixels: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    return int((pixels == np.array(colour, np.uint8)).all(axis=2).sum())


def test_marks_say_what_matches(tmp_path: Path) -> None:
    right = render(tmp_path / "right.png", row(item(True, True), item(True, True)))
    wrong = render(tmp_path / "wrong.png", row(item(False, True), item(False, True)))
    unknown = render(tmp_path / "unknown.png", row(item(None, True), item(None, True)))
    assert [count(right, colour) > 0 for colour in (GREEN, RED, GREY)] == [True, False, False]
    assert [count(wrong, colour) > 0 for colour in (GREEN, RED, GREY)] == [False, True, False]
    assert [count(unknown, colour) > 0 for colour in (GREEN, RED, GREY)] == [False, False, True]


def test_the_ground_truth_is_framed_green(tmp_path: Path) -> None:
    without = render(tmp_path / "a.png", row(item(False, True), item(False, True)))
    framed = render(tmp_path / "b.png", row(item(False, True), item(False, True, truth=True)))
    assert count(without, GREEN) == 0
    ys, xs = np.nonzero((framed == np.array(GREEN)).all(axis=2))
    frame_xs = xs[ys < 150]  # above the legend
    first_result = framed.shape[1] - 22 - 2 * 136 - 12
    assert frame_xs.min() > first_result + 136  # the second result, not the first
    assert frame_xs.max() - frame_xs.min() == pytest.approx(136, abs=4)


def test_words_of_a_sheet(tmp_path: Path) -> None:
    second = SheetItem(
        plain((1, 2, 3)),
        {"colour": None, "sleeve": "long", "neck": "v", "fit": "slim"},
        {"colour": None, "sleeve": False, "neck": True, "fit": None},
    )
    found = texts(tmp_path / "a.svg", row(item(True, True, True, False), second, changes=2))
    assert found.count("1 of 2 others kept") == 1  # neck, not fit
    assert found.count("1 of 1 others kept") == 1  # neck; fit is not known
    for text in ("pink", "navy", "three-quarter", "colour value", "not labelled", "long"):
        assert text in found
    assert "Prototype" not in found and "ground truth" not in found
    changed_everything = texts(tmp_path / "b.svg", row(item(True, True), changes=2))
    assert not [text for text in changed_everything if "others" in text]
    drawn = texts(tmp_path / "c.svg", row(item(True), prototype=plain((9, 9, 9))))
    assert "Prototype" in drawn
    assert "no item passes the filters" in texts(tmp_path / "d.svg", row())


def test_long_and_odd_texts_stay_in_their_columns(tmp_path: Path) -> None:
    long = "a name of a value $that_{goes}$ on and on and on for a very long time indeed"
    odd = SheetItem(plain((1, 2, 3)), {"colour": long}, {"colour": False})
    query = SheetRow(plain((9, 9, 9)), [Change("colour", long, long)], None, [odd, odd])
    pixels = render(tmp_path / "a.png", query)
    short = render(tmp_path / "b.png", row(item(False), item(False)))
    assert pixels.shape[1] <= short.shape[1] + 110
    words = [text for text in texts(tmp_path / "a.svg", query) if text.startswith("a name")]
    assert len(words) == 4 and all(word.endswith("…") for word in words)
    gap = pixels[:, -22 - 136 - 10 : -22 - 136 - 2]  # between the two results
    assert (gap[60:] >= 250).all()


def test_rows_columns_and_sizes(tmp_path: Path) -> None:
    items = [item(True, True)] * 12
    wide = render(tmp_path / "a.png", row(*items), columns=12)
    folded = render(tmp_path / "b.png", row(*items), columns=6)
    both = render(tmp_path / "c.png", row(*items), row(*items), columns=12)
    assert wide.shape[1] > folded.shape[1] and wide.shape[0] < folded.shape[0]
    assert wide.shape[1] == both.shape[1] and both.shape[0] > 1.5 * wide.shape[0]
    large = tmp_path / "d.png"
    render_result_sheet(row(*items), large, dpi=200)
    with Image.open(large) as opened:
        assert opened.size == (2 * folded.shape[1], 2 * folded.shape[0])


def test_a_prototype_is_shown_in_the_shape_of_its_reference(tmp_path: Path) -> None:
    prototype = plain((255, 255, 255), 64, 64)
    prototype[:, 16:48] = (250, 120, 0)  # what is not padding of a picture twice as high as wide
    reference = plain((120, 90, 200), 300, 150)
    query = SheetRow(reference, [], prototype, [item(True)], ImageSettings(64, 64, "pad"))
    pixels = render(tmp_path / "a.png", query).astype(int)
    orange = (abs(pixels - (250, 120, 0)) < 30).all(axis=2)
    violet = (abs(pixels - (120, 90, 200)) < 30).all(axis=2)
    assert orange.sum() == pytest.approx(violet.sum(), rel=0.03)
    stretched = plain((250, 120, 0), 64, 64)
    query = SheetRow(reference, [], stretched, [item(True)], ImageSettings(64, 64, "stretch"))
    pixels = render(tmp_path / "b.png", query).astype(int)
    orange = (abs(pixels - (250, 120, 0)) < 30).all(axis=2)
    assert orange.sum() == pytest.approx(violet.sum(), rel=0.03)


def test_a_picture_that_is_gone_leaves_a_blank(tmp_path: Path) -> None:
    gone = item(True, True, picture=tmp_path / "none.jpg")
    assert "picture is gone" in texts(tmp_path / "a.svg", row(gone, item(True, True)))


def test_a_sheet_of_a_search(
    tmp_path: Path, shapes: Callable[..., Catalogue], shape_model: TrainedModel
) -> None:
    catalogue = shapes(12)
    service = SearchService(shape_model, Gallery.in_memory(shape_model, catalogue))
    result = service.search(
        SearchQuery(item_id="item-001", changes=(Change("colour", "green"),), k=4)
    )
    found = sheet_row(result, truth={result.hits[2].item_id})
    assert [shown.truth for shown in found.items] == [False, False, True, False]
    assert [shown.matches for shown in found.items] == [hit.matches for hit in result.hits]
    assert [shown.notes for shown in found.items] == [(hit.item_id,) for hit in result.hits]
    render_result_sheet(result, tmp_path / "a.png")
    said = texts(tmp_path / "a.svg", found)
    assert all(hit.item_id in said for hit in result.hits)
    named = replace(result.hits[0], fields={"Name": "Green bar", "brand": "acme"})
    noted = sheet_row(replace(result, hits=(named,)))
    assert noted.items[0].notes == (named.item_id, "Green bar")
    assert "Green bar" in texts(tmp_path / "a.svg", noted)
    render_result_sheet([result, found], tmp_path / "b.pdf", title="Two queries")
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF")


def test_what_cannot_be_rendered_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one query"):
        render_result_sheet([], tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"\.png, \.pdf or \.svg"):
        render_result_sheet(row(item(True)), tmp_path / "a.gif")
