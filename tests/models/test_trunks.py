"""What every trunk promises, whichever it is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from amgan.errors import InputError
from amgan.models.network import NetworkConfig
from amgan.models.trunks import TrunkConfig, build_trunk

NAMES = ("conv", "efficientnet-lite0")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(96, 64), (64, 128)])
def test_features_are_float32_and_have_the_promised_length(name, size):
    trunk = build_trunk(TrunkConfig(name), *size, widths=(4, 8)).eval()
    images = torch.rand(2, 3, *size) * 2 - 1
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        maps, features = trunk(images), trunk.features(images)
    assert features.dtype == torch.float32
    assert features.shape == (2, trunk.num_features)
    assert maps.shape[:2] == (2, trunk.channels)
    last = maps.float().mean(dim=(2, 3))
    torch.testing.assert_close(features[:, : trunk.channels], last, atol=1e-3, rtol=1e-2)


def test_features_of_lite0_are_the_last_maps_means_and_those_of_the_last_sixteenth():
    trunk = build_trunk(TrunkConfig("efficientnet-lite0"), 64, 64).eval()
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        maps = (images * 127.5 + 127.5 - 127) / 128
        for number, block in enumerate(trunk.network.blocks):
            maps = block(maps)
            if maps.shape[-1] == 4 and number <= 11:
                middle = maps
        expected = torch.cat([maps.mean((2, 3)), middle.mean((2, 3))], 1)
        torch.testing.assert_close(trunk.features(images), expected)
    assert middle.shape[1] == 112


@pytest.mark.parametrize("name", NAMES)
def test_frozen_blocks_have_nothing_to_train_and_let_gradients_through(name):
    whole = build_trunk(TrunkConfig(name), 64, 64, widths=(4, 8))
    part = build_trunk(TrunkConfig(name, frozen_blocks=1), 64, 64, widths=(4, 8))
    frozen = build_trunk(TrunkConfig(name, frozen_blocks=-1), 64, 64, widths=(4, 8))
    count = [sum(1 for _ in trunk.parameters()) for trunk in (whole, part, frozen)]
    assert count[0] > count[1] > count[2] == 0
    assert [trunk.trainable for trunk in (whole, part, frozen)] == [True, True, False]
    assert set(whole.state_dict()) == set(part.state_dict()) == set(frozen.state_dict())
    images = torch.rand(1, 3, 64, 64, requires_grad=True)
    frozen.train().features(images).sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert not frozen.features(images.detach()).requires_grad


def test_statistics_of_a_pretrained_trunk_stand_still_in_training():
    trunk = build_trunk(TrunkConfig("efficientnet-lite0"), 32, 32)
    before = {k: v.clone() for k, v in trunk.state_dict().items()}
    trunk.train()
    assert not any(m.training for m in trunk.modules() if isinstance(m, nn.BatchNorm2d))
    trunk(torch.rand(4, 3, 32, 32))
    assert all(torch.equal(before[k], v) for k, v in trunk.state_dict().items())


def test_statistics_of_frozen_convolutions_stand_still_and_those_of_others_move():
    trunk = build_trunk(TrunkConfig(frozen_blocks=2), 16, 16, widths=(4, 8, 8)).train()
    before = {k: v.clone() for k, v in trunk.state_dict().items()}
    trunk(torch.rand(4, 3, 16, 16))
    moved = {k for k, v in trunk.state_dict().items() if not torch.equal(before[k], v)}
    assert moved == {"6.running_mean", "6.running_var", "6.num_batches_tracked"}


@pytest.mark.parametrize(("name", "factor"), [("conv", 4), ("efficientnet-lite0", 32)])
def test_a_picture_that_does_not_fit_is_refused(name, factor):
    with pytest.raises(InputError, match=f"multiples of {factor}"):
        build_trunk(TrunkConfig(name), 96, 66, widths=(4, 8))


@pytest.mark.parametrize("number", [-2, 19])
def test_a_number_of_frozen_blocks_that_cannot_be_is_refused(number):
    with pytest.raises(InputError, match="frozen_blocks"):
        build_trunk(TrunkConfig("efficientnet-lite0", frozen_blocks=number), 32, 32)


def test_identity_follows_weights_and_settings():
    torch.manual_seed(0)
    first = build_trunk(TrunkConfig(), 16, 16, widths=(4, 8))
    torch.manual_seed(0)
    second = build_trunk(TrunkConfig(), 16, 16, widths=(4, 8))
    assert first.identity == second.identity
    with torch.no_grad():
        next(second.parameters())[0, 0, 0, 0] += 1e-3
    assert first.identity != second.identity


def test_network_sizes_survive_their_plain_form():
    default = NetworkConfig(4, 8, 1, (4, 8), 6)
    assert "trunk" not in default.to_dict()
    other = NetworkConfig(trunk=TrunkConfig("efficientnet-lite0", frozen_blocks=-1))
    for network in (default, other):
        assert NetworkConfig.from_dict(network.to_dict()) == network


def test_layers_of_the_papers_convolutions_keep_their_names_in_model_files():
    names = list(build_trunk(TrunkConfig(), 16, 16, widths=(4, 8)).state_dict())
    assert names[:3] == ["0.weight", "0.bias", "2.weight"]
    assert set(names[3:]) == {
        f"3.{part}"
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }


def test_an_unknown_trunk_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="'resnet'; the trunks are conv, efficientnet-lite0, onnx"):
        TrunkConfig("resnet")
    with pytest.raises(InputError, match="learning_rate must be positive"):
        TrunkConfig(learning_rate=0)
