"""The critic: whether a picture looks real, given its labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


class Critic(nn.Module):
    """Strided convolutions under spectral norm with a projection of the labels.

    Spectral norm (Miyato et al., ICLR 2018) keeps the critic smooth, so that it teaches from the
    first step on; the projection (Miyato and Koyama, ICLR 2018) is taken at every position of the
    last map, so that each part of the picture is judged (a PatchGAN, Isola et al., CVPR 2017).

    Args:
        num_values: J.
        widths: channels of the convolutions, each of which halves the picture.
    """

    def __init__(self, num_values: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in widths:
            layers += [
                spectral_norm(nn.Conv2d(channels, width, 4, 2, padding=1)),
                nn.LeakyReLU(0.2),
            ]
            channels = width
        self.trunk = nn.Sequential(*layers)
        self.judge = spectral_norm(nn.Conv2d(channels, 1, 1))
        self.label_embedding = spectral_norm(nn.Linear(num_values, channels, bias=False))

    def forward(self, images: Tensor, one_hot: Tensor) -> Tensor:
        """Scores (N, H', W') float32 of pictures (N, 3, H, W) with labels f (N, J)."""
        features = self.trunk(images)
        known = one_hot.sum(dim=1, keepdim=True).clamp(min=1)
        embedded = self.label_embedding(one_hot / known)[:, :, None, None]
        projected = (features.float() * embedded.float()).sum(dim=1)
        scores: Tensor = self.judge(features)[:, 0].float() + projected
        return scores


def augment(images: Tensor, shifts: Tensor, holes: Tensor) -> Tensor:
    """Move each picture and cut a hole into it, differentiably (DiffAugment; Zhao et al., 2020).

    The critic sees real and drawn pictures through this, so that it cannot learn its pictures by
    heart.

    Args:
        images: (N, 3, H, W).
        shifts: (N, 2) in [-1, 1], in eighths of the height and width.
        holes: middle of a hole a quarter high and wide, (N, 2) in [0, 1], from the upper left.
    """
    count, _, height, width = images.shape
    theta = torch.zeros(count, 2, 3, device=images.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1.0
    theta[:, :, 2] = shifts / 4
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    moved = functional.grid_sample(
        images, grid, mode="nearest", padding_mode="border", align_corners=False
    )
    rows = torch.arange(height, device=images.device)[None] / height
    columns = torch.arange(width, device=images.device)[None] / width
    in_rows = (rows - holes[:, :1]).abs() < 0.125
    in_columns = (columns - holes[:, 1:]).abs() < 0.125
    hole = (in_rows[:, :, None] & in_columns[:, None, :])[:, None]
    return torch.where(hole, 0.0, moved)
