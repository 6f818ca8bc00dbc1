"""Measured colours of a catalogue's garments, for wishes such as "darker"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amgan.catalogue.parallel import map_in_threads
from amgan.catalogue.records import Catalogue
from amgan.images import (
    DEFAULT_LIMITS,
    ImageSettings,
    PictureError,
    PictureLimits,
    Pixels,
    decode_picture,
    measure_colour,
)
from amgan.images.colours import SIDE, GarmentColour

Colours = NDArray[np.float32]  # (N, 2): lightness and vividness, not a number where not known
_UNKNOWN = GarmentColour(np.nan, np.nan)


def measure_colours(
    catalogue: Catalogue, pixels: Pixels | None = None, limits: PictureLimits = DEFAULT_LIMITS
) -> Colours:
    """Lightness and vividness of each item's garment, (N, 2).

    Args:
        catalogue: whose pictures.
        pixels: decoded pictures (N, H, W, 3) in catalogue order; None reads the files, small.
        limits: what a picture may measure.
    """
    settings = ImageSettings(SIDE, SIDE, "stretch")

    def measure(image: Path) -> GarmentColour:
        decoded = decode_picture(image, settings, limits).picture
        return _UNKNOWN if isinstance(decoded, PictureError) else measure_colour(decoded)

    def measured() -> Iterator[GarmentColour]:
        if pixels is not None:
            yield from map(measure_colour, pixels)
        else:
            yield from map_in_threads(measure, catalogue.images)

    return np.array(list(measured()), np.float32).reshape(-1, 2)
