"""The editing generator: a reference picture, changed where it has to be."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from amgan.errors import InputError

# Pictures are taken apart into 2 x 2 cells, which loses nothing and quarters the positions.
_CELL = 2
# The first changes are small, so that training begins at a copy of the reference.
_FIRST_CHANGE = 0.01


@dataclass(frozen=True)
class EditorConfig:
    """Widths of the editing generator.

    Attributes:
        widths: channels at one half, one quarter, ... of the picture's size.
        condition_width: length of the embedding of the changes.
        middle_blocks: residual blocks at the smallest size.
    """

    widths: tuple[int, ...] = (32, 64, 128, 160)
    condition_width: int = 128
    middle_blocks: int = 1

    def __post_init__(self) -> None:
        if not self.widths or min(*self.widths, self.condition_width) < 1 or self.middle_blocks < 0:
            raise InputError("sizes of the editing generator must be positive")

    def check_picture(self, height: int, width: int) -> None:
        """Raise InputError where pictures of this size do not pass through the generator."""
        factor = _CELL * 2 ** (len(self.widths) - 1)
        if height % factor or width % factor:
            raise InputError(
                f"picture size {height} x {width} does not fit the editing generator; "
                f"height and width must be multiples of {factor}"
            )


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each position, (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape; a plain view where memory is channels-last."""
        last = features.permute(0, 2, 3, 1)
        weight, bias = self.weight.to(features.dtype), self.bias.to(features.dtype)
        normal = functional.layer_norm(last, (features.shape[1],), weight, bias)
        return normal.permute(0, 3, 1, 2)


class ConditionedBlock(nn.Module):
    """A residual block that a condition scales and shifts (FiLM; Perez et al., AAAI 2018).

    (N, C, H, W) and a condition (N, K) -> (N, C', H, W).
    """

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.first_norm = ChannelNorm(inputs)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.modulation = nn.Linear(condition, 2 * outputs)
        self.second_norm = ChannelNorm(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Features after the block."""
        inner = self.first(torch.relu(self.first_norm(features)))
        modulation = self.modulation(condition).to(inner.dtype)[:, :, None, None]
        scale, shift = modulation.chunk(2, dim=1)
        inner = self.second_norm(inner) * (1 + scale) + shift
        changed: Tensor = self.shortcut(features) + self.second(torch.relu(inner))
        return changed


class EditingGenerator(nn.Module):
    """A U-Net that draws a change, which is added to the reference.

    Where the change is 0 the reference reaches the output untouched, and at every size it reaches
    the layers through the skip paths. What is wanted comes in as a difference, wanted minus present
    values, as in STGAN (Liu et al., CVPR 2019), and reaches every block.

    There is no blending mask (as GANimation has; Pumarola et al., ECCV 2018). At first copying is
    better than any drawing, so a mask shut within a few hundred steps, to .004 on average, and with
    it the way by which drawing would have been learned.

    Args:
        num_values: J, the number of attribute values.
        config: widths.
    """

    def __init__(self, num_values: int, config: EditorConfig) -> None:
        super().__init__()
        widths, condition = config.widths, config.condition_width
        first, second = nn.Linear(num_values, condition), nn.Linear(condition, condition)
        self.condition = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
        self.stem = nn.Conv2d(3 * _CELL**2, widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(ConditionedBlock(c, c, condition) for c in widths)
        pairs = list(pairwise(widths))
        self.halve = nn.ModuleList(nn.Conv2d(fine, rough, 2, 2) for fine, rough in pairs)
        self.middle = nn.ModuleList(
            ConditionedBlock(widths[-1], widths[-1], condition) for _ in range(config.middle_blocks)
        )
        self.narrow = nn.ModuleList(nn.Conv2d(rough, fine, 1) for fine, rough in pairs[::-1])
        self.up_blocks = nn.ModuleList(
            ConditionedBlock(2 * fine, fine, condition) for fine, _ in pairs[::-1]
        )
        self.last_norm = ChannelNorm(widths[0])
        self.last = nn.Conv2d(widths[0], 3 * _CELL**2, 3, padding=1)
        # A difference has few entries that are not 0; with the usual small weights it goes unheard
        # for hundreds of steps.
        nn.init.normal_(first.weight)
        nn.init.kaiming_normal_(second.weight, nonlinearity="relu")
        with torch.no_grad():
            assert self.last.bias is not None
            self.last.weight *= _FIRST_CHANGE
            self.last.bias.zero_()

    def forward(self, images: Tensor, difference: Tensor) -> Tensor:
        """Prototypes (N, 3, H, W) in [-1, 1]; in training they may leave this range a little.

        Args:
            images: references (N, 3, H, W) in [-1, 1].
            difference: wanted minus present values, (N, J) in [-1, 1]; 0 for what stays.
        """
        drawn = images + self.change(images, difference)
        # A clamp has no gradient where it holds, so training goes without.
        return drawn if self.training else drawn.clamp(-1.0, 1.0)

    def change(self, images: Tensor, difference: Tensor) -> Tensor:
        """What is added to the references, (N, 3, H, W) in [-2, 2], float32."""
        condition = self.condition(difference)
        features = self.stem(functional.pixel_unshuffle(images, _CELL))
        kept = []
        for block, halve in zip(self.down_blocks, [*self.halve, None], strict=True):
            features = block(features, condition)
            if halve is not None:
                kept.append(features)
                features = halve(features)
        for block in self.middle:
            features = block(features, condition)
        for block, narrow in zip(self.up_blocks, self.narrow, strict=True):
            features = functional.interpolate(narrow(features), scale_factor=2.0, mode="nearest")
            features = block(torch.cat((features, kept.pop()), dim=1), condition)
        cells = self.last(torch.relu(self.last_norm(features)))
        return 2.0 * functional.pixel_shuffle(cells, _CELL).float().tanh()
