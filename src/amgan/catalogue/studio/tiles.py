"""Periodic textures: drawn once a process, blurred to the size of a pixel, then looked up.

A tile is `TILE` texels square, repeats in both directions, and covers `period` garment units.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import Any

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
TILE = 256


def grid() -> tuple[Floats, Floats]:
    """Coordinates x, y of texel centres in [0, 1), each (TILE, TILE)."""
    axis = ((np.arange(TILE) + 0.5) / TILE).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def band(phase: NDArray[Any], share: float) -> Floats:
    """1 where a sawtooth phase lies within `share` of the middle of its period, else 0."""
    inside: Floats = (np.abs((phase % 1.0) - 0.5) < share / 2).astype(np.float32)
    return inside


def noise(seed: int, cells: float, roughness: float = 0.0) -> Floats:
    """Smooth periodic noise with about `cells` blobs a side, mean 0 and deviation 1."""
    white = np.random.default_rng(seed).standard_normal((TILE, TILE))
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(TILE) * TILE, np.fft.fftfreq(TILE) * TILE))
    response = np.exp(-((k / cells) ** 2)) + roughness * np.exp(-((k / (4 * cells)) ** 2))
    response[0, 0] = 0.0
    field = np.fft.ifft2(np.fft.fft2(white) * response).real
    field /= field.std()
    smooth: Floats = field.astype(np.float32)
    return smooth


def drawn(body: str, channels: int = 3) -> Floats:
    """Channels (channels, TILE, TILE) in [0, 1] of SVG elements in a 256 x 256 box on black.

    Elements that cross an edge come in again at the opposite one.
    """
    wrapped = "".join(
        f'<use href="#t" x="{dx}" y="{dy}"/>' for dx in (-256, 0, 256) for dy in (-256, 0, 256)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256">'
        f'<rect width="256" height="256"/><defs><g id="t">{body}</g></defs>{wrapped}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, width=TILE, height=TILE, skip_system_fonts=True)
    with Image.open(io.BytesIO(png)) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.float32) / 255
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[:channels])


def blurred(tile: Floats, texels: float) -> Floats:
    """Tile (C, TILE, TILE) after a periodic Gaussian blur with this deviation."""
    k = np.fft.fftfreq(TILE)
    kx = np.fft.rfftfreq(TILE)
    response = np.exp(-2 * (math.pi * texels) ** 2 * (k[:, None] ** 2 + kx[None, :] ** 2))
    spectrum = np.fft.rfft2(tile) * response
    result: Floats = np.fft.irfft2(spectrum, s=(TILE, TILE)).astype(np.float32)
    return result


def blur_level(footprint: float, period: float) -> int:
    """Half octaves of blur for pixels that are `footprint` garment units wide."""
    texels = footprint * TILE / period
    return max(0, round(2 * math.log2(max(texels, 1.0))))


@lru_cache(maxsize=256)
def blur_of_level(level: int) -> float:
    """Deviation in texels that belongs to a level."""
    return 0.0 if level == 0 else 0.42 * 2.0 ** (level / 2)


def look_up(tile: Floats, u: Floats, v: Floats, period: float) -> Floats:
    """Values (C, H, W) of a tile (C, TILE, TILE) at garment coordinates (H, W)."""
    scale = TILE / period
    columns = (u * scale).astype(np.int32) & (TILE - 1)
    rows = (v * scale).astype(np.int32) & (TILE - 1)
    return np.take(tile.reshape(len(tile), -1), rows * TILE + columns, axis=1)
