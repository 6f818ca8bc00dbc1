"""FashionSearchNet's localisation and attribute features (Ak et al., CVPR 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from amgan.models.blocks import Float32Linear, initialise
from amgan.models.trunk import Trunk, pool_maps

# Maps are enlarged before they are cut, so that a region may end within a cell.
MAP_SCALE = 4


class RegionNetwork(nn.Module):
    """Trunk, attribute activation maps, pooling of their regions, one feature an attribute.

    Args:
        trunk: gives the maps.
        sizes: number of values of each attribute.
        dim: d, length of an attribute's feature.
        pooled_size: P, cells a side that a region is pooled to.
        threshold: share of a map's range above which it belongs to the region.
    """

    def __init__(
        self,
        trunk: Trunk,
        sizes: Sequence[int],
        dim: int,
        pooled_size: int,
        threshold: float,
    ) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.pooled_size = pooled_size
        self.threshold = threshold
        self.trunk = trunk
        channels = trunk.channels
        self.localise = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.map_classifier = Float32Linear(channels, sum(sizes))
        self.features = nn.ModuleList(
            Float32Linear(channels * pooled_size**2, dim) for _ in self.sizes
        )
        self.classifiers = nn.ModuleList(Float32Linear(dim, size) for size in self.sizes)
        initialise(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Attribute features (N, M, d) and the localisation branch's logits (N, J), float32."""
        cells = self.trunk(images)
        evidence = self.localise(cells)
        map_logits = self.map_classifier(pool_maps(evidence))
        with torch.no_grad():
            maps = self.activation_maps(evidence, map_logits)
            boxes = peak_boxes(maps, self.threshold)
            boxes[..., 0::2] *= cells.shape[2]
            boxes[..., 1::2] *= cells.shape[3]
        pooled = pool_regions(cells, boxes, self.pooled_size)
        features = torch.stack(
            [layer(pooled[:, m].flatten(1)) for m, layer in enumerate(self.features)],
            dim=1,
        )
        return features, map_logits

    def activation_maps(self, evidence: Tensor, map_logits: Tensor) -> Tensor:
        """Map of each attribute's likeliest value (N, M, H, W), enlarged by MAP_SCALE.

        The value's classifier weights over the channels of what was averaged for it (Zhou et al.,
        CVPR 2016).
        """
        chosen = []
        first = 0
        for size in self.sizes:
            chosen.append(first + map_logits[:, first : first + size].argmax(dim=1))
            first += size
        weights = self.map_classifier.weight[torch.stack(chosen, dim=1)].float()
        with torch.autocast(evidence.device.type, enabled=False):
            maps = torch.einsum("nmc,nchw->nmhw", weights, evidence.float())
        return functional.interpolate(
            maps, scale_factor=MAP_SCALE, mode="bilinear", align_corners=False
        )

    def classify(self, features: Tensor) -> Tensor:
        """Logits (N, J) from attribute features (N, M, d)."""
        blocks = [layer(features[:, m]) for m, layer in enumerate(self.classifiers)]
        return torch.cat(blocks, dim=1)


def peak_boxes(maps: Tensor, threshold: float) -> Tensor:
    """Bounding box of the connected region around each map's peak.

    The region holds the cells above `threshold` of the map's range that hang together (by edge or
    corner) with its highest cell; a constant map is one region.

    Args:
        maps: (N, M, H, W).
        threshold: in [0, 1].

    Returns:
        (N, M, 4) float: top, left, bottom, right as shares of the map, bottom and right exclusive.
    """
    height, width = maps.shape[2:]
    flat = maps.float().flatten(0, 1)
    low, high = flat.amin(dim=(1, 2), keepdim=True), flat.amax(dim=(1, 2), keepdim=True)
    above = (flat >= low + threshold * (high - low)).float()
    peak = functional.one_hot(flat.flatten(1).argmax(dim=1), height * width)
    region = peak.view_as(flat).float()
    while True:
        grown = functional.max_pool2d(region[:, None], 3, stride=1, padding=1)[:, 0] * above
        if torch.equal(grown, region):
            break
        region = grown
    rows, columns = region.amax(dim=2), region.amax(dim=1)
    box = torch.stack(
        [
            rows.argmax(dim=1) / height,
            columns.argmax(dim=1) / width,
            1 - rows.flip(1).argmax(dim=1) / height,
            1 - columns.flip(1).argmax(dim=1) / width,
        ],
        dim=1,
    )
    return box.view(*maps.shape[:2], 4)


def pool_regions(cells: Tensor, boxes: Tensor, pooled_size: int) -> Tensor:
    """Average of the feature maps over a P x P grid in each box.

    A bin that covers part of a cell takes that part. Differentiable in `cells`.

    Args:
        cells: (N, C, H, W).
        boxes: (N, M, 4): top, left, bottom, right in cells.
        pooled_size: P.

    Returns:
        (N, M, P * P, C) float32.
    """
    height, width = cells.shape[2:]
    rows = _overlap(boxes[..., 0], boxes[..., 2], height, pooled_size)
    columns = _overlap(boxes[..., 1], boxes[..., 3], width, pooled_size)
    count, regions = boxes.shape[:2]
    with torch.autocast(cells.device.type, enabled=False):
        weights = torch.einsum("nmph,nmqw->nmpqhw", rows, columns)
        weights = weights.reshape(count, regions * pooled_size**2, height * width)
        pooled = weights @ cells.float().flatten(2).transpose(1, 2)
    return pooled.view(count, regions, pooled_size**2, -1)


def _overlap(start: Tensor, end: Tensor, cells: int, bins: int) -> Tensor:
    """Share of each bin between `start` and `end` that lies in each cell, (..., bins, cells)."""
    extent = (end - start).clamp(min=1e-6)[..., None] / bins
    left = start[..., None] + extent * torch.arange(bins, device=start.device)
    cell = torch.arange(cells, device=start.device, dtype=start.dtype)
    inside = torch.minimum((left + extent)[..., None], cell + 1) - torch.maximum(
        left[..., None], cell
    )
    return inside.clamp(min=0) / extent[..., None]
