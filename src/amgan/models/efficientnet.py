"""EfficientNet-Lite0: a small convolutional network with weights pretrained on ImageNet.

Architecture: Tan and Le, EfficientNet, ICML 2019; the Lite variant has ReLU6 in place of swish and
no squeeze-and-excitation, so that it runs fast on plain processors.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

STRIDE = 32
FEATURE_CHANNELS = 1280
# The last block whose maps have 1/16 of the picture's sides.
MIDDLE_BLOCK = 11
MIDDLE_CHANNELS = 112
_STEM_CHANNELS = 32


@dataclass(frozen=True)
class _Stage:
    """Blocks of one resolution: only the first has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class SamePaddedConvolution(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow pads it where the input's size is even.

    With stride 2 that is one column less on the left than on the right, and one row less at the
    top than at the bottom.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        padding = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        total = kernel - stride
        self.margins = (total // 2, total - total // 2) * 2

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) with even H and W -> (N, C', H / stride, W / stride)."""
        if self.stride[0] > 1:
            images = functional.pad(images, self.margins)
        return super().forward(images)


def _normalised(convolution: nn.Conv2d, *, activated: bool = True) -> nn.Sequential:
    normalisation = nn.BatchNorm2d(convolution.out_channels, eps=1e-3, momentum=0.01)
    layers: list[nn.Module] = [convolution, normalisation]
    if activated:
        layers.append(nn.ReLU6(inplace=True))
    return nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Expand, convolve each channel on its own, project; with a skip path where shapes agree."""

    def __init__(self, inputs: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        hidden = inputs * stage.expansion
        layers = []
        if stage.expansion > 1:
            layers.append(_normalised(SamePaddedConvolution(inputs, hidden, 1)))
        depthwise = SamePaddedConvolution(hidden, hidden, stage.kernel, stride, groups=hidden)
        layers.append(_normalised(depthwise))
        layers.append(
            _normalised(SamePaddedConvolution(hidden, stage.channels, 1), activated=False)
        )
        self.layers = nn.Sequential(*layers)
        self.skips = stride == 1 and inputs == stage.channels

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H / stride, W / stride)."""
        changed: Tensor = self.layers(maps)
        return maps + changed if self.skips else changed


class EfficientNetLite0(nn.Module):
    """Pictures (N, 3, H, W), H and W multiples of 32 -> feature maps (N, 1280, H/32, W/32).

    Expects (pixel - 127) / 128 with pixels of 0 to 255.

    Attributes:
        blocks: stem, 16 inverted residuals, and the last 1 x 1 convolution.
    """

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_normalised(SamePaddedConvolution(3, _STEM_CHANNELS, 3, 2))]
        channels = _STEM_CHANNELS
        for stage in _STAGES:
            for position in range(stage.repeats):
                stride = stage.stride if position == 0 else 1
                blocks.append(InvertedResidual(channels, stage, stride))
                channels = stage.channels
        blocks.append(_normalised(SamePaddedConvolution(channels, FEATURE_CHANNELS, 1)))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The last maps, and those after `MIDDLE_BLOCK`, (N, 112, H/16, W/16)."""
        maps = images
        for position, block in enumerate(self.blocks):
            maps = block(maps)
            if position == MIDDLE_BLOCK:
                middle = maps
        return maps, middle
