"""Between pixels and tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from amgan.images.settings import Pixels

if TYPE_CHECKING:
    import torch


def to_tensor(pixels: Pixels) -> torch.Tensor:
    """Pixels (N, H, W, 3) as float32 (N, 3, H, W) in [-1, 1]."""
    import torch

    assert pixels.ndim == 4 and pixels.shape[3] == 3, f"expected (N, H, W, 3), got {pixels.shape}"
    images = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2)
    return images.to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1)


def to_pixels(images: torch.Tensor) -> Pixels:
    """Images (N, 3, H, W) as pixels (N, H, W, 3); what lies outside [-1, 1] is clamped."""
    import torch

    assert images.ndim == 4 and images.shape[1] == 3, f"expected (N, 3, H, W), got {images.shape}"
    levels = images.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    pixels: Pixels = levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels
