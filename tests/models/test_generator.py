"""The generator's shapes and Eq. 1 and 3."""

from __future__ import annotations

import pytest
import torch

from amgan.models.blocks import ResidualBlock
from amgan.models.encoder import AttributeClassifier, Encoder
from amgan.models.generator import Generator, visual_embedding
from amgan.models.network import NetworkConfig

SMALL = NetworkConfig(4, 8, 1, (4, 8), 6)


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(num_values=5, num_attributes=2, config=SMALL)


@pytest.mark.parametrize("size", [(16, 16), (16, 24), (64, 64)])
def test_prototypes_have_the_references_size_and_range(
    generator: Generator, size: tuple[int, int]
) -> None:
    prototype = generator(torch.randn(3, 3, *size), torch.eye(5)[:3])
    assert prototype.shape == (3, 3, *size)
    assert prototype.dtype == torch.float32
    assert prototype.abs().max() <= 1


def test_indicator_embedding_is_the_mean_of_the_wanted_columns(generator: Generator) -> None:
    weight = generator.attribute_embedding.weight  # (L, J)
    indicator = torch.tensor([[1.0, 0, 0, 1, 0], [0, 1, 0, 0, 0]])
    embedded = generator.embed_indicator(indicator)
    assert torch.allclose(embedded[0], (weight[:, 0] + weight[:, 3]) / 2)
    assert torch.allclose(embedded[1], weight[:, 1])


def test_a_query_without_changes_embeds_to_zero(generator: Generator) -> None:
    assert generator.embed_indicator(torch.zeros(2, 5)).abs().max() == 0


def test_label_embedding_is_divided_by_the_number_of_attributes(generator: Generator) -> None:
    weight = generator.attribute_embedding.weight
    embedded = generator.embed_labels(torch.tensor([[1.0, 0, 0, 1, 0]]))
    assert torch.allclose(embedded[0], (weight[:, 0] + weight[:, 3]) / 2)


def test_the_indicator_changes_the_prototype(generator: Generator) -> None:
    generator.eval()
    picture = torch.randn(1, 3, 16, 16)
    first, second = torch.eye(5)[:1], torch.eye(5)[1:2]
    assert not torch.equal(generator(picture, first), generator(picture, second))


def test_visual_embedding_averages_over_positions() -> None:
    features = torch.arange(8.0).reshape(1, 2, 2, 2)
    assert visual_embedding(features).tolist() == [[1.5, 5.5]]


def test_encoder_and_classifier_shapes() -> None:
    encoder, classifier = Encoder(16, 24, SMALL), AttributeClassifier(6, 5)
    embeddings = encoder(torch.randn(2, 3, 16, 24))
    assert embeddings.shape == (2, 6)
    assert classifier(embeddings).shape == (2, 5)


def test_embeddings_are_as_long_as_they_should_be() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(4, 3, 32, 32)
    free = Encoder(32, 32, SMALL)
    fixed = Encoder(32, 32, SMALL, 0.1, length=3.0)
    fixed.load_state_dict(free.state_dict())
    lengths = fixed.eval()(pictures).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((4,), 3.0))
    directions = torch.nn.functional.cosine_similarity(fixed(pictures), free.eval()(pictures))
    torch.testing.assert_close(directions, torch.ones(4))


def test_a_picture_size_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"30 x 32.*multiples of 4"):
        Encoder(30, 32, SMALL)


def test_residual_block_with_zero_weights_is_the_identity_on_positive_features() -> None:
    block = ResidualBlock(3).eval()
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    features = torch.rand(1, 3, 4, 4)
    assert torch.equal(block(features), features)


def test_paper_scale_is_the_default() -> None:
    config = NetworkConfig()
    assert (config.generator_width, config.latent_channels, config.embedding_dim) == (128, 512, 512)
    assert config.encoder_widths == (64, 128, 256, 512)
