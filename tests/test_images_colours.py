from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from amgan.images import Pixels, measure_colour
from amgan.images.colours import to_lab


def draw(garment: tuple[int, int, int], ground: tuple[int, int, int]) -> Pixels:
    picture = Image.new("RGB", (96, 128), ground)
    ImageDraw.Draw(picture).rectangle((20, 24, 76, 104), garment)
    return np.asarray(picture)


@pytest.mark.parametrize(
    ("srgb", "lab"),  # CIE reference values for D65
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((128, 128, 128), (53.59, 0, 0)),
    ],
)
def test_lab_of_known_colours(srgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    assert to_lab(np.array(srgb, np.uint8)) == pytest.approx(lab, abs=0.1)


@pytest.mark.parametrize("ground", [(255, 255, 255), (240, 238, 235), (20, 20, 20), (90, 120, 200)])
def test_the_background_does_not_count(ground: tuple[int, int, int]) -> None:
    red = measure_colour(draw((255, 0, 0), ground))
    assert red.lightness == pytest.approx(53.2, abs=2)
    assert red.vividness == pytest.approx(104.5, abs=6)


def test_shades_are_told_apart() -> None:
    dark, mid, light = (
        measure_colour(draw(c, (255, 255, 255)))
        for c in ((10, 20, 60), (70, 90, 160), (170, 190, 240))
    )
    assert dark.lightness < mid.lightness - 5 < light.lightness - 10
    grey, red = (
        measure_colour(draw((120, 120, 120), (255,) * 3)),
        measure_colour(draw((200, 30, 30), (255,) * 3)),
    )
    assert grey.vividness < 3 < 30 < red.vividness


def test_a_white_garment_on_white_is_light() -> None:
    assert measure_colour(draw((252, 252, 252), (255, 255, 255))).lightness > 95
    assert measure_colour(np.full((32, 32, 3), 250, np.uint8)).lightness > 95


def test_what_looks_like_the_ground_inside_the_garment_counts() -> None:
    picture = draw((0, 0, 0), (255, 255, 255))
    pixels = picture.copy()
    pixels[50:80, 35:60] = 255  # a white print
    assert measure_colour(pixels).lightness > measure_colour(picture).lightness + 10
