"""Colour cues: what a network trained to name objects forgets about a picture's colours."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_THUMBNAIL = 8
_LEVELS = 4
_FINE_LEVELS = 16
_HISTOGRAM_SIDE = 32


class ColourCues(nn.Module):
    """Pictures (N, 3, H, W) in [-1, 1] -> colour cues (N, 368), float32.

    A thumbnail of 8 x 8 pixels says where the colours are. Three histograms say which they are: all
    of the picture and its middle half by red, green and blue together (4 x 4 x 4 bins), and the
    middle half by each of them (16 bins). Bins overlap linearly, so that a slightly brighter
    picture gives slightly other numbers. The histograms' square roots are taken: then the distance
    between two of them is the Hellinger distance.

    Args:
        height: of the pictures, in pixels.
        width: of the pictures, in pixels.
    """

    num_cues = 3 * _THUMBNAIL**2 + 2 * _LEVELS**3 + 3 * _FINE_LEVELS

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self._middle = (
            slice(height // 4, height - height // 4),
            slice(width // 4, width - width // 4),
        )
        # Fine print is no colour, and fewer pixels are counted faster.
        self._reduced = max(1, min(height, width) // _HISTOGRAM_SIDE)
        self._middle_reduced = max(1, self._reduced // 2)

    def forward(self, images: Tensor) -> Tensor:
        """Cues (N, 368)."""
        images = (images.float() + 1) / 2
        rows, columns = self._middle
        thumbnail = functional.adaptive_avg_pool2d(images, _THUMBNAIL)
        reduced = _reduce(images, self._reduced)
        middle = _reduce(images[:, :, rows, columns], self._middle_reduced)
        histograms = [
            _joint_histogram(reduced),
            _joint_histogram(middle),
            _soft_bins(middle, _FINE_LEVELS).mean(3).flatten(1),
        ]
        # The small constant keeps the gradient at empty bins finite.
        roots = [(histogram + 1e-6).sqrt() for histogram in histograms]
        return torch.cat([thumbnail.flatten(1), *roots], 1)


def _reduce(images: Tensor, factor: int) -> Tensor:
    """Pixels (N, 3, P) of pictures, each the mean of `factor` x `factor`."""
    return functional.avg_pool2d(images, factor).flatten(2)


def _soft_bins(values: Tensor, levels: int) -> Tensor:
    """How much each value (N, 3, P) in [0, 1] belongs to each bin: (N, 3, levels, P), sum 1."""
    centres = torch.linspace(0, levels - 1, levels, device=values.device)
    scaled = values[:, :, None, :] * (levels - 1)
    return (1 - (scaled - centres[:, None]).abs()).clamp(min=0)


def _joint_histogram(values: Tensor) -> Tensor:
    """Share of the pixels (N, 3, P) in each of 4 x 4 x 4 bins, (N, 64)."""
    red, green, blue = _soft_bins(values, _LEVELS).unbind(1)
    pairs = (red[:, :, None] * green[:, None]).flatten(1, 2)
    return (pairs @ blue.transpose(1, 2)).flatten(1) / values.shape[2]
