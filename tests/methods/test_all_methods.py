"""What must hold for every entry of METHODS."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from amgan.config import load_config
from amgan.methods.method import LabelledBatch, Method, Phase
from amgan.methods.registry import METHODS, UNTRAINED, build_method
from amgan.presets import PRESETS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every method by name, but for those that a test says nothing about."""
    left_out = {
        "test_a_picture_is_encoded_alike_alone_and_in_a_batch": ("random",),
        "test_a_change_moves_the_query": UNTRAINED,
        "test_an_experiment_file_of_its_name_exists": UNTRAINED,
    }.get(metafunc.function.__name__, ())
    metafunc.parametrize("name", [name for name in METHODS if name not in left_out])


@pytest.fixture
def method(name, schema, images, network):
    torch.manual_seed(0)
    return build_method(name, schema, images, network)


def take_step(method, phase: Phase, batch) -> dict[str, float]:
    """As the loop does: only the phase's modules train, the others stand still."""
    method.eval().requires_grad_(False)
    for module in phase.modules:
        module.train().requires_grad_(True)
    parameters = [p for module in phase.modules for p in module.parameters()]
    optimiser = torch.optim.Adam(parameters, 1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        if method.learns_labels:
            terms = method.labelled_losses(phase.name, labelled(method, batch))
        else:
            terms = method.losses(phase.name, batch)
    assert set(terms) == set(phase.weights)
    sum(phase.weights[key] * term for key, term in terms.items()).backward()
    optimiser.step()
    return {key: float(term.detach()) for key, term in terms.items()}


def labelled(method, batch) -> LabelledBatch:
    """The batch's references and targets, each pair a product."""
    pictures = torch.cat([batch.reference, batch.target])
    with torch.no_grad():
        features = method.feature_network()(pictures)
    return LabelledBatch(
        pictures if method.trains_on_pictures else None,
        None if method.trains_on_pictures else features,
        torch.cat([batch.reference_labels, batch.target_labels]),
        torch.arange(len(batch.reference)).repeat(2),
        batch.item_ids * 2,
    )


def test_satisfies_the_protocol(method):
    assert isinstance(method, Method)
    assert isinstance(method, torch.nn.Module)


@pytest.mark.parametrize(("changes", "missing"), [(1, 0.0), (2, 0.3), (3, 0.0), (0, 0.0), (1, 1.0)])
def test_each_phase_moves_its_own_parameters_only(method, make_batch, changes, missing):
    batch = make_batch(8, changes, missing)
    for phase in method.phases():
        before = {key: value.clone() for key, value in method.state_dict().items()}
        terms = take_step(method, phase, batch)
        assert all(torch.isfinite(torch.tensor(list(terms.values())))), terms
        own = {id(p) for module in phase.modules for p in module.parameters()}
        own |= {id(b) for module in phase.modules for b in module.buffers()}
        named = [*method.named_parameters(), *method.named_buffers()]
        moved = {key for key, value in named if not torch.equal(value, before[key])}
        assert moved <= {key for key, value in named if id(value) in own}
        if missing == 0 and changes > 0:
            weights = {k for k, v in method.named_parameters() if id(v) in own and v.dim() > 1}
            assert weights <= moved


def test_a_phase_gets_gradients_where_it_trains(method, make_batch):
    batch = make_batch(8, 2)
    for phase in method.phases():
        take_step(method, phase, batch)
        gradients = [p.grad for module in phase.modules for p in module.parameters()]
        assert all(g is not None and torch.isfinite(g).all() for g in gradients), phase.name


@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("changes", [0, 1, 2, 3])
def test_embeddings_have_the_stated_shape(method, make_batch, size, changes):
    method.eval()
    batch = make_batch(size, changes)
    with torch.inference_mode():
        gallery = method.encode_gallery(batch.target)
        query = method.encode_query(batch.query)
    assert gallery.shape == query.shape == (size, method.embedding_dim)
    assert torch.isfinite(gallery).all()
    assert torch.isfinite(query).all()


def test_a_picture_is_encoded_alike_alone_and_in_a_batch(name, method, make_batch):
    method.eval()
    batch = make_batch(4, 2)
    with torch.inference_mode():
        together = method.encode_query(batch.query)
        alone = method.encode_query(
            replace(
                batch.query,
                reference=batch.reference[2:3],
                indicator=batch.indicator[2:3],
                reference_labels=batch.reference_labels[2:3],
            )
        )
    torch.testing.assert_close(alone, together[2:3], rtol=1e-4, atol=1e-5)


def test_unknown_labels_are_made_up_for(method, make_batch):
    method.eval()
    batch = make_batch(4, 2)
    unknown = torch.full_like(batch.reference_labels, -1)
    with torch.inference_mode():
        query = method.encode_query(replace(batch.query, reference_labels=unknown))
    assert torch.isfinite(query).all()


def test_a_change_moves_the_query(method, make_batch):
    batch = make_batch(8, 1)
    for parameter in method.parameters():
        if parameter.dim() > 1:  # initial weights are too small to tell anything apart
            torch.nn.init.normal_(parameter, std=0.3)
    method.eval()
    with torch.inference_mode():
        changed = method.encode_query(batch.query)
        same = method.encode_query(
            replace(batch.query, indicator=torch.zeros_like(batch.indicator))
        )
    assert (changed - same).abs().sum(dim=1).min() > 0


def test_prototypes_and_logits_have_the_stated_shape(method, make_batch, schema):
    method.eval()
    batch = make_batch(3, 1)
    with torch.inference_mode():
        prototype = method.prototype(batch.query)
        logits = method.attribute_logits(batch.target)
    if prototype is not None:
        assert prototype.shape == batch.reference.shape
        assert prototype.abs().max() <= 1
    if logits is not None:
        assert logits.shape == (3, schema.num_values)


def test_an_experiment_file_of_its_name_exists(name, method):
    assert load_config([PRESETS / f"{name}.toml"]).method == name
