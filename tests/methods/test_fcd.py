from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from amgan.methods.baseline_losses import bidirectional_ranking_loss
from amgan.methods.fcd import Fcd, FcdConfig
from amgan.methods.labels import one_hot


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_ranking_loss_is_the_naive_double_sum():
    rng = np.random.default_rng(0)
    visual, semantic = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    different = rng.random((5, 5)) < 0.6
    different = different | different.T
    np.fill_diagonal(different, False)
    expected, pairs = 0.0, 0
    for i in range(5):
        for j in range(5):
            if different[i, j]:
                own_i, own_j = cosine(visual[i], semantic[i]), cosine(visual[j], semantic[j])
                wrong = cosine(visual[i], semantic[j])
                expected += max(0, 0.2 - own_i + wrong) + max(0, 0.2 - own_j + wrong)
                pairs += 1
    value = bidirectional_ranking_loss(
        *(torch.from_numpy(part).float() for part in (visual, semantic)),
        torch.from_numpy(different),
    )
    assert float(value) == pytest.approx(expected / pairs, rel=1e-5)


def test_ranking_loss_without_pairs_is_zero_and_differentiable():
    visual = torch.randn(3, 4, requires_grad=True)
    value = bidirectional_ranking_loss(visual, torch.randn(3, 4), torch.zeros(3, 3).bool())
    value.backward()
    assert float(value.detach()) == 0
    assert visual.grad is not None
    assert not visual.grad.any()


def build_fcd(length, schema, images, network):
    torch.manual_seed(0)
    model = Fcd(schema, images, network, FcdConfig(length=length))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


@pytest.fixture(params=["description", "unit"])
def fcd(request, schema, images, network):
    return build_fcd(request.param, schema, images, network)


def test_query_is_the_vector_arithmetic(fcd, make_batch, schema):
    batch = make_batch(6, 2)
    with torch.no_grad():
        query = fcd.encode_query(batch.query).numpy()
        pictures = fcd.encode_gallery(batch.reference).numpy()
    weight = fcd.value_embedding.weight.detach().numpy()  # (D, J)
    for row in range(6):
        own = [
            weight[:, schema.offsets[m] + int(label)]
            for m, label in enumerate(batch.reference_labels[row])
        ]
        unit = fcd.config.length == "unit"
        expected = pictures[row] * (1 if unit else np.linalg.norm(sum(own)))
        for m, target in enumerate(batch.target_labels[row]):
            wanted = weight[:, schema.offsets[m] + int(target)]
            if int(target) != int(batch.reference_labels[row, m]):
                scale = (np.linalg.norm(v) if unit else 1 for v in (wanted, own[m]))
                expected = expected + wanted / next(scale) - own[m] / next(scale)
        np.testing.assert_allclose(query[row], expected / np.linalg.norm(expected), atol=1e-5)


def test_perfect_picture_embedding_becomes_the_target_description(
    make_batch, schema, images, network, monkeypatch
):
    """A reference that lies exactly on its description arrives at the target's, for any change."""
    fcd = build_fcd("description", schema, images, network)
    for changes in (1, 2, 3):
        batch = make_batch(5, changes)
        own = fcd.describe(one_hot(batch.reference_labels, schema.sizes)).detach()
        monkeypatch.setattr(fcd.encoder, "forward", lambda _, own=own: own)
        with torch.no_grad():
            query = fcd.encode_query(batch.query)
            target = fcd.describe(one_hot(batch.target_labels, schema.sizes))
        torch.testing.assert_close(query, target / target.norm(dim=1, keepdim=True))


def test_no_change_leaves_the_picture_where_it_is(fcd, make_batch):
    batch = make_batch(4, 0)
    with torch.no_grad():
        torch.testing.assert_close(
            fcd.encode_query(batch.query), fcd.encode_gallery(batch.reference)
        )


def test_asking_for_the_value_it_has_changes_nothing(fcd, make_batch, schema):
    batch = make_batch(4, 0)
    query = replace(batch.query, indicator=one_hot(batch.reference_labels, schema.sizes))
    with torch.no_grad():
        torch.testing.assert_close(fcd.encode_query(query), fcd.encode_gallery(batch.reference))


def test_unknown_value_is_detected_as_the_nearest_of_its_attribute(fcd, make_batch, schema):
    batch = make_batch(6, 2)
    weight = fcd.value_embedding.weight.detach().numpy()
    with torch.no_grad():
        pictures = fcd.encode_gallery(batch.reference).numpy()
    detected = [
        [
            int(
                np.argmax(
                    [cosine(picture, weight[:, j]) for j in range(columns.start, columns.stop)]
                )
            )
            for columns in schema.slices
        ]
        for picture in pictures
    ]
    unknown = torch.full_like(batch.reference_labels, -1)
    with torch.no_grad():
        left = fcd.encode_query(replace(batch.query, reference_labels=unknown))
        right = fcd.encode_query(replace(batch.query, reference_labels=torch.tensor(detected)))
    torch.testing.assert_close(left, right)


def test_items_without_labels_give_no_gradient(fcd, make_batch):
    batch = make_batch(6, 1)
    labels = batch.reference_labels.clone()
    labels[2] = -1
    batch = replace(batch, reference_labels=labels, reference=batch.reference.requires_grad_())
    fcd.losses("embedding", batch)["ranking"].backward()
    gradient = batch.reference.grad.abs().sum(dim=(1, 2, 3))
    assert float(gradient[2]) == 0
    assert (gradient > 0).sum() >= 4


def test_equal_descriptions_do_not_repel_each_other(fcd, make_batch):
    batch = make_batch(6, 1)
    same = batch.reference_labels[:1].expand(6, -1).clone()
    terms = fcd.losses("embedding", replace(batch, reference_labels=same))
    assert float(terms["ranking"].detach()) == 0


def test_learns_one_minibatch(make_batch, schema, images, network):
    """After training, each picture's nearest description is its own."""
    torch.manual_seed(0)
    fcd = Fcd(schema, images, network, FcdConfig()).train()
    batch = make_batch(8, 1)
    optimiser = torch.optim.Adam(fcd.parameters(), 5e-3)
    for _ in range(80):
        optimiser.zero_grad()
        fcd.losses("embedding", batch)["ranking"].backward()
        optimiser.step()
    with torch.no_grad():
        pictures = torch.nn.functional.normalize(fcd.encoder(batch.reference), dim=1)
        texts = torch.nn.functional.normalize(
            fcd.describe(one_hot(batch.reference_labels, schema.sizes)), dim=1
        )
    nearest = (pictures @ texts.T).argmax(dim=1)
    right = (batch.reference_labels[nearest] == batch.reference_labels).all(dim=1)
    assert right.float().mean() >= 0.85
