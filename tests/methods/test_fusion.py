"""Fused ranking: the score that vectors give, and what weights do to it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.methods.test_trained import DESCRIPTION, INDICATOR, PIXELS

from amgan.devices import choose_compute
from amgan.methods.facts import ModelFacts
from amgan.methods.fusion import (
    FusionWeights,
    fused_gallery_vectors,
    fused_query_vectors,
    posteriors,
    with_given_labels,
)
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel

SIZES = (3, 2)
FUSED = ModelFacts(fusion=FusionWeights(0.5, 2.0), ranking="fused")

UNKNOWN = torch.full((4, 2), -1)


def vectors(importance: torch.Tensor, labels: torch.Tensor = UNKNOWN) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    query, items = torch.randn(4, 6), torch.randn(9, 6)
    query_logits, item_logits = torch.randn(4, 5), torch.randn(9, 5)
    indicator = torch.eye(5)[[0, 2, 3, 4]]
    weights = FusionWeights(0.3, 2.0)
    asked = fused_query_vectors(query, query_logits, indicator, SIZES, weights, importance, labels)
    return asked, fused_gallery_vectors(items, item_logits, SIZES), query, items


def test_the_inner_product_is_the_score_written_out() -> None:
    asked, gallery, query, items = vectors(torch.tensor([[1.0, 3.0]]).repeat(4, 1))
    score = asked @ gallery.T
    q = posteriors(torch.randn(4, 5, generator=_after_vectors(4, 9)), SIZES)
    p = gallery[:, 6:11]
    assert torch.allclose(p.split([3, 2], 1)[0].sum(1), torch.ones(9))
    for row, (attribute, value) in enumerate([(0, 0), (0, 2), (1, 0), (1, 1)]):
        wanted = [q[row, :3].clone(), q[row, 3:].clone()]
        wanted[attribute] = torch.eye(SIZES[attribute])[value]
        factors = [2.0 if attribute == 0 else 1.0, 3.0 * (2.0 if attribute == 1 else 1.0)]
        agreement = factors[0] * p[:, :3] @ wanted[0] + factors[1] * p[:, 3:] @ wanted[1]
        distance = (query[row] - items).square().sum(1)
        assert torch.allclose(score[row], agreement - 0.3 * distance, atol=1e-4)


def _after_vectors(queries: int, items: int) -> torch.Generator:
    """A generator in the state in which `vectors` drew the query's logits."""
    generator = torch.Generator().manual_seed(0)
    torch.randn(queries, 6, generator=generator)
    torch.randn(items, 6, generator=generator)
    return generator


def test_without_importance_the_order_is_that_of_the_distance() -> None:
    asked, gallery, query, items = vectors(torch.zeros(4, 2))
    assert torch.equal(
        (asked @ gallery.T).argsort(1, descending=True), torch.cdist(query, items).argsort(1)
    )


def test_labels_that_are_given_are_certain_and_the_others_seen() -> None:
    alike = torch.ones(4, 2)
    seen, gallery, _, _ = vectors(alike)
    labels = torch.tensor([[1, -1], [-1, 1], [2, 0], [-1, -1]])
    given, _, _, _ = vectors(alike, labels)
    # A wanted value stands over a label: the first query asks for value 0 of attribute 0.
    assert torch.equal(given[0], seen[0])
    assert given[2, 6:9].tolist() == [0, 0, 1]
    assert torch.equal(given[3], seen[3])
    items = torch.tensor([[0, 1], [-1, 0], *[[-1, -1]] * 7])
    labelled = with_given_labels(gallery, items, SIZES)
    assert labelled[0, 6:11].tolist() == [1, 0, 0, 0, 1]
    assert torch.equal(labelled[1, 6:9], gallery[1, 6:9])
    assert labelled[1, 9:11].tolist() == [1, 0]
    assert torch.equal(labelled[2:], gallery[2:])
    assert torch.equal(labelled[:, :6], gallery[:, :6])
    assert torch.equal(labelled[:, 11:], gallery[:, 11:])


def test_weights_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="distance > 0"):
        FusionWeights(0.0, 1.0)


def build(facts: ModelFacts) -> TrainedModel:
    torch.manual_seed(0)
    description = replace(DESCRIPTION, facts=facts)
    return TrainedModel(description.build(), description, choose_compute("cpu", "fp32"))


def test_a_fused_model_gives_fused_vectors_and_another_identity() -> None:
    pure, fused = build(ModelFacts()), build(FUSED)
    assert fused.ranking_metric == "inner_product"
    assert fused.identity != pure.identity
    heavier = build(replace(FUSED, fusion=FusionWeights(2.0, 1.0)))
    assert heavier.identity == fused.identity, "the gallery need not be encoded again"
    gallery = fused.encode_gallery(PIXELS)
    assert gallery.shape == (5, fused.embedding_dim)
    none = np.zeros((5, 2), np.float32)
    scores = fused.encode_queries(QueryArrays(PIXELS, INDICATOR, None, none)) @ gallery.T
    own = pure.encode_queries(QueryArrays(PIXELS, INDICATOR))
    distances = ((own[:, None] - pure.encode_gallery(PIXELS)) ** 2).sum(2)
    np.testing.assert_allclose(scores, -0.5 * distances, atol=1e-4)


@pytest.mark.parametrize("facts", [ModelFacts(), FUSED])
def test_compiled_networks_answer_as_eager_ones(facts: ModelFacts) -> None:
    pytest.importorskip("openvino")
    eager, compiled = build(facts), build(facts)
    compiled.compile()
    assert compiled._compiled is not None
    for part in (slice(0, 1), slice(0, 5)):
        ours = compiled.answer_queries(QueryArrays(PIXELS[part], INDICATOR[part]))
        theirs = eager.answer_queries(QueryArrays(PIXELS[part], INDICATOR[part]))
        np.testing.assert_allclose(ours.vectors, theirs.vectors, atol=1e-4)
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-4)
        assert ours.prototypes is not None and theirs.prototypes is not None
        assert np.abs(ours.prototypes.astype(int) - theirs.prototypes).max() <= 1


def test_an_interrupt_finds_its_way_after_a_compiled_model_is_gone() -> None:
    pytest.importorskip("openvino")
    code = (
        "import gc, os, signal, threading\n"
        # Ignored where a shell runs the tests in the background.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from tests.methods.test_fusion import ModelFacts, build\n"
        "held = [build(ModelFacts())]\n"
        "held[0].compile()\n"
        "thread = threading.Thread(target=held.clear)\n"
        "thread.start(); thread.join(); gc.collect()\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=300,
        check=False,
    )
    assert done.stdout == "interrupted\n", (done.returncode, done.stderr)
