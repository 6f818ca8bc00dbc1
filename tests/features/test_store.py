from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from amgan.features.store import FEATURES_FILE, KEYS_FILE, FeatureStore
from amgan.features.views import draw_view
from amgan.images import Pixels


class Network:
    """Three numbers of each picture; counts the pictures it was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, pixels: Pixels) -> NDArray[np.float32]:
        self.asked += len(pixels)
        return pixels.reshape(len(pixels), -1, 3).mean(1).astype(np.float32)


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(0).integers(0, 255, (6, 8, 4, 3), np.uint8)


def collect(folder: Path, pixels: Pixels, rows: list[int]) -> tuple[NDArray[np.float16], int]:
    network = Network()
    found = FeatureStore(folder, 3).collect(pixels, np.array(rows, np.int64), network)
    assert found.shape == (len(rows), 3)
    return found[:], network.asked


def expected(pixels: Pixels, rows: list[int]) -> NDArray[np.float16]:
    return Network()(pixels[rows]).astype(np.float16)


def test_a_picture_is_computed_once_whatever_its_place(tmp_path: Path, pixels: Pixels) -> None:
    found, asked = collect(tmp_path, pixels, [4, 1, 4])
    assert asked == 2
    np.testing.assert_array_equal(found, expected(pixels, [4, 1, 4]))
    found, asked = collect(tmp_path, pixels[::-1], [0, 1, 4])  # 5, 4 and 1 of the first order
    assert asked == 1
    np.testing.assert_array_equal(found, expected(pixels, [5, 4, 1]))


def test_nothing_asked_for_is_nothing_found(tmp_path: Path, pixels: Pixels) -> None:
    found, asked = collect(tmp_path, pixels, [])
    assert found.shape == (0, 3)
    assert asked == 0


def test_a_changed_picture_is_computed_again(tmp_path: Path, pixels: Pixels) -> None:
    collect(tmp_path, pixels, [0, 1])
    pixels[1, 0, 0, 0] ^= 1
    found, asked = collect(tmp_path, pixels, [0, 1])
    assert asked == 1
    np.testing.assert_array_equal(found, expected(pixels, [0, 1]))


def test_damaged_numbers_are_computed_again(tmp_path: Path, pixels: Pixels) -> None:
    collect(tmp_path, pixels, [0, 1, 2])
    content = bytearray((tmp_path / FEATURES_FILE).read_bytes())
    content[7] ^= 255  # of the second picture
    (tmp_path / FEATURES_FILE).write_bytes(bytes(content))
    found, asked = collect(tmp_path, pixels, [0, 1, 2])
    assert asked == 1
    np.testing.assert_array_equal(found, expected(pixels, [0, 1, 2]))


@pytest.mark.parametrize("lost", [(FEATURES_FILE, 5), (KEYS_FILE, 3), (KEYS_FILE, 25)])
def test_what_an_interruption_cut_off_is_computed_again(
    tmp_path: Path, pixels: Pixels, lost: tuple[str, int]
) -> None:
    collect(tmp_path, pixels, [0, 1, 2])
    name, count = lost
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-count])
    found, asked = collect(tmp_path, pixels, [0, 1, 2, 3])
    assert 2 <= asked <= 3
    np.testing.assert_array_equal(found, expected(pixels, [0, 1, 2, 3]))
    assert collect(tmp_path, pixels, [0, 1, 2, 3])[1] == 0


def test_views_are_functions_of_the_picture_alone(pixels: Pixels) -> None:
    np.testing.assert_array_equal(draw_view(pixels, "plain"), pixels)
    np.testing.assert_array_equal(draw_view(pixels, "mirrored")[:, :, ::-1], pixels)
    near = draw_view(pixels, "near")
    assert near.shape == pixels.shape
    assert (near != pixels).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(draw_view(pixels[[3]], "near")[0], near[3])
