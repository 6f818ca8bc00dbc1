from __future__ import annotations

import numpy as np
import pytest
import torch

from amgan.models.fsn import MAP_SCALE, RegionNetwork, peak_boxes, pool_regions
from amgan.models.trunks import TrunkConfig, build_trunk


def test_a_box_holds_the_region_of_the_peak_and_not_a_second_one():
    maps = torch.zeros(1, 2, 8, 8)
    maps[0, 0, 2:5, 1:4] = 0.8
    maps[0, 0, 3, 2] = 1.0
    maps[0, 0, 6:8, 6:8] = 0.9  # as strong, but not connected
    maps[0, 1, 0, 7] = 1.0
    maps[0, 1, 1, 6] = 0.5  # touches by a corner
    maps[0, 1, 2, 6] = 0.1  # below the threshold
    boxes = peak_boxes(maps, 0.2) * 8
    assert boxes.tolist() == [[[2, 1, 5, 4], [0, 6, 2, 8]]]


def test_a_winding_region_is_followed_to_its_end():
    maps = torch.zeros(1, 1, 7, 7)
    maps[0, 0, ::2] = 1.0
    maps[0, 0, 1, 6] = maps[0, 0, 3, 0] = maps[0, 0, 5, 6] = 1.0
    maps[0, 0, 0, 0] = 2.0
    assert (peak_boxes(maps, 0.2) * 7).tolist() == [[[0, 0, 7, 7]]]


@pytest.mark.parametrize("level", [-3.0, 0.0, 2.0])
def test_a_constant_map_is_the_whole_picture(level):
    assert peak_boxes(torch.full((1, 1, 4, 4), level), 0.2).tolist() == [[[0, 0, 1, 1]]]


def test_pooling_averages_cells_of_whole_bins():
    torch.manual_seed(0)
    cells = torch.randn(2, 3, 8, 8)
    boxes = torch.tensor([[[0, 2, 4, 8], [1, 1, 3, 3]], [[4, 0, 8, 4], [0, 0, 8, 8]]]).float()
    pooled = pool_regions(cells, boxes, 2).numpy()
    for n in range(2):
        for m in range(2):
            top, left, bottom, right = boxes[n, m].int().tolist()
            region = cells[n, :, top:bottom, left:right].numpy()
            rows = np.split(region, 2, axis=1)
            expected = [part.mean((1, 2)) for row in rows for part in np.split(row, 2, axis=2)]
            np.testing.assert_allclose(pooled[n, m], expected, atol=1e-6)


def test_a_bin_takes_the_covered_part_of_a_cell():
    cells = torch.arange(4.0).view(1, 1, 1, 4)
    pooled = pool_regions(cells, torch.tensor([[[0, 0.5, 1, 2.0]]]), 1)
    # Half of cell 0 and all of cell 1, over an extent of 1.5.
    assert pooled.item() == pytest.approx((0.5 * 0 + 1) / 1.5)


def test_pooling_passes_gradients_to_the_region_only():
    cells = torch.randn(1, 2, 6, 6, requires_grad=True)
    pool_regions(cells, torch.tensor([[[1, 2, 4, 5.0]]]), 3).square().sum().backward()
    assert cells.grad is not None
    touched = cells.grad[0, 0] != 0
    assert touched[1:4, 2:5].all()
    assert int(touched.sum()) == 9


def region_network() -> RegionNetwork:
    torch.manual_seed(0)
    trunk = build_trunk(TrunkConfig(), 16, 16, (4, 8))
    return RegionNetwork(trunk, (2, 3), dim=5, pooled_size=2, threshold=0.2).eval()


def test_the_map_of_the_likeliest_value_shows_where_its_evidence_is():
    net = region_network()
    with torch.no_grad():
        net.map_classifier.weight.zero_()
        net.map_classifier.weight[1, 6] = 1  # value 1 of the first attribute looks at channel 6
        net.map_classifier.weight[4, 3] = 1  # value 2 of the second at channel 3
    evidence = torch.zeros(1, 8, 4, 4)
    evidence[0, 6, 1, 2] = 1
    evidence[0, 3, 3, 0] = 1
    maps = net.activation_maps(evidence, torch.tensor([[0.0, 1, 0, 0, 1]]))
    peaks = [divmod(int(i), 4 * MAP_SCALE) for i in maps[0].flatten(1).argmax(dim=1)]
    assert [(row // MAP_SCALE, column // MAP_SCALE) for row, column in peaks] == [(1, 2), (3, 0)]
    boxes = peak_boxes(maps, 0.5)[0] * 4
    torch.testing.assert_close(boxes[0], torch.tensor([1.0, 2, 2, 3]), atol=0.5, rtol=0)


def test_features_and_logits_have_one_row_an_attribute():
    net = region_network()
    features, logits = net(torch.randn(3, 3, 16, 16))
    assert features.shape == (3, 2, 5)
    assert logits.shape == (3, 5)
    assert net.classify(features).shape == (3, 5)
