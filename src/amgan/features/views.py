"""Other views of pictures: what a picture still is when it is mirrored, cropped or brighter."""

from __future__ import annotations

import zlib

import numpy as np
from PIL import Image

from amgan.images import Pixels

VIEWS = ("plain", "mirrored", "near")
_CROPPED = (0.02, 0.07)  # of a side, from each edge
_BRIGHTNESS = (0.85, 1.15)


def draw_view(pixels: Pixels, view: str) -> Pixels:
    """One view of each picture (N, H, W, 3); a function of the pictures alone.

    Args:
        pixels: pictures.
        view: `plain` as they are; `mirrored`; `near` cropped a little on each side and a little
            brighter or darker.
    """
    if view == "plain":
        return pixels
    if view == "mirrored":
        return np.ascontiguousarray(pixels[:, :, ::-1])
    assert view == "near", view
    return np.stack([_near(picture) for picture in pixels])


def _near(picture: Pixels) -> Pixels:
    rng = np.random.default_rng(zlib.crc32(picture.tobytes()))
    height, width = picture.shape[:2]
    left, right = rng.uniform(*_CROPPED, 2) * width
    top, bottom = rng.uniform(*_CROPPED, 2) * height
    box = (left, top, width - right, height - bottom)
    cropped = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR, box)
    brightness = rng.uniform(*_BRIGHTNESS)
    return (np.asarray(cropped) * brightness).clip(0, 255).astype(np.uint8)
