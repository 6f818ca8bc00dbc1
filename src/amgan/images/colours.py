"""How light and how vivid a garment is, measured from its picture and not from its background.

The background is what is connected with the picture's edge and looks like it: product pictures have
plain ones. What is left is the garment. Its colour is told in CIELAB, where equal steps look about
equal: L* from 0 (black) to 100 (white), chroma from 0 (grey) to about 130.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from amgan.images.settings import Pixels

SIDE = 48  # pixels; a garment's colour does not need more
_ALIKE = 7.0  # CIELAB distance up to which a pixel looks like the edge
_SMALL = 0.2  # of the picture: so little of a garment may be its outline
_LEAST = 0.05  # of the picture: a garment that is smaller was taken for background
_MIDDLE = slice(SIDE // 4, SIDE - SIDE // 4)
_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
)
_WHITE = np.array([0.9505, 1.0, 1.089], np.float32)  # D65


class GarmentColour(NamedTuple):
    """A garment's colour.

    Attributes:
        lightness: mean L* of the garment, 0 to 100.
        vividness: mean chroma of the garment, 0 to about 130.
    """

    lightness: float
    vividness: float


def measure_colour(pixels: Pixels) -> GarmentColour:
    """Colour of the garment in a picture (H, W, 3)."""
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    lab = to_lab(np.asarray(small))
    garment = lab[find_garment(lab)]
    chroma = np.hypot(garment[:, 1], garment[:, 2])
    return GarmentColour(float(garment[:, 0].mean()), float(chroma.mean()))


def find_garment(lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pixels of a picture (H, W, 3) in CIELAB are the garment's, (H, W).

    Of a white shirt on white little but its outline is seen: then what lies between counts too, and
    where not even that is seen, the middle of the picture.
    """
    edge = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    distance = np.linalg.norm(lab - np.median(edge, axis=0), axis=-1)
    parts, _ = ndimage.label(distance <= _ALIKE)
    rim = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    garment: NDArray[np.bool_] = ~np.isin(parts, rim[rim > 0])
    if garment.mean() < _SMALL:
        garment = _between(garment) & _between(garment.T).T
    if garment.mean() < _LEAST:
        garment = np.zeros_like(garment)
        garment[_MIDDLE, _MIDDLE] = True
    return garment


def _between(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a pixel of the mask lies to the left and one to the right, or on it."""
    left = np.maximum.accumulate(mask, axis=1)
    right = np.maximum.accumulate(mask[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(left & right)


def to_lab(pixels: Pixels) -> NDArray[np.float32]:
    """sRGB pixels (..., 3) in CIELAB: L*, a*, b*. IEC 61966-2-1 and CIE 15."""
    srgb = pixels.astype(np.float32) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    bent = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    lab: NDArray[np.float32] = np.stack(
        [116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1
    ).astype(np.float32)
    return lab
