from __future__ import annotations

import pytest
import torch

from amgan.errors import InputError
from amgan.models.editor import ChannelNorm, EditingGenerator, EditorConfig

SMALL = EditorConfig(widths=(4, 8, 8), condition_width=6, middle_blocks=1)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return EditingGenerator(5, SMALL).eval()


def test_pictures_need_not_be_square(generator):
    pictures = torch.rand(2, 3, 24, 16) * 2 - 1
    drawn = generator(pictures, torch.zeros(2, 5))
    assert drawn.shape == pictures.shape
    assert drawn.abs().max() <= 1


def test_it_begins_as_a_copy(generator):
    pictures = torch.rand(2, 3, 16, 16) - 0.5
    drawn = generator(pictures, torch.randn(2, 5))
    assert (drawn - pictures).abs().mean() < 0.05


def test_where_no_change_is_drawn_the_reference_stays(generator):
    torch.nn.init.zeros_(generator.last.weight)
    pictures = torch.rand(2, 3, 16, 16) * 2 - 1
    torch.testing.assert_close(generator(pictures, torch.randn(2, 5)), pictures)


def test_every_weight_is_reached_by_what_is_drawn(generator):
    with torch.no_grad():
        generator.last.weight.mul_(100)
    generator.train()
    drawn = generator(torch.rand(2, 3, 16, 16) - 0.5, torch.randn(2, 5))
    drawn.square().mean().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_the_changes_move_every_block(generator):
    seen = []
    for module in generator.modules():
        if hasattr(module, "modulation"):
            module.modulation.register_forward_hook(lambda m, i, out: seen.append(out))
    pictures = torch.zeros(2, 3, 16, 16)
    generator(pictures, torch.tensor([[0.0] * 5, [1.0, -1.0, 0, 0, 0]]))
    assert len(seen) == 3 + 1 + 2
    assert all((out[0] - out[1]).abs().max() > 0.01 for out in seen)


def test_channel_norm_is_layer_norm_at_each_position():
    torch.manual_seed(0)
    norm = ChannelNorm(6)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    features = torch.randn(2, 6, 3, 5)
    found = norm(features)
    for row in range(3):
        at = features[1, :, row, 2]
        expected = (at - at.mean()) / (at.var(unbiased=False) + 1e-5).sqrt()
        expected = expected * norm.weight + norm.bias
        torch.testing.assert_close(found[1, :, row, 2], expected)


def test_sizes_are_checked():
    with pytest.raises(InputError, match="multiples of 8"):
        SMALL.check_picture(24, 20)
    SMALL.check_picture(24, 16)
    with pytest.raises(InputError, match="positive"):
        EditorConfig(widths=(4, 0))
