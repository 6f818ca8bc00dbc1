import math

import pytest
import torch

from amgan.methods.profile import (
    FLOOR,
    ProfileLayout,
    agreement,
    build_profiles,
    changed_attributes,
    with_given_labels,
)
from amgan.methods.score import NUMBERS_OF_CHANGES, LearnedScore, ScoreExamples, fit_score

LAYOUT = ProfileLayout((2, 3), style_dim=2, appearance_dim=2)


def unit(*rows: tuple[float, float]) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


def items() -> torch.Tensor:
    posteriors = torch.tensor(
        [[0.9, 0.1, 0.2, 0.3, 0.5], [0.2, 0.8, 0.6, 0.2, 0.2], [0.5, 0.5, 0.0, 0.0, 1.0]]
    )
    return build_profiles(posteriors, unit((1, 0), (0, 1), (1, 1)), unit((1, 2), (2, 1), (0, 1)))


def score() -> LearnedScore:
    torch.manual_seed(0)
    made = LearnedScore(LAYOUT)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return made


def test_a_profile_holds_posteriors_their_logarithms_style_and_appearance() -> None:
    posteriors, logs, style, appearance = LAYOUT.split(items())
    assert LAYOUT.dim == items().shape[1] == 2 * 5 + 2 + 2
    assert logs[0, 0].item() == pytest.approx(math.log(0.9 + FLOOR))
    assert posteriors[2].tolist() == [0.5, 0.5, 0.0, 0.0, 1.0]
    assert style[1].tolist() == [0.0, 1.0]
    assert appearance[2].tolist() == [0.0, 1.0]


def test_a_given_label_is_certain_and_a_missing_one_leaves_what_was_seen() -> None:
    given = with_given_labels(items(), torch.tensor([[1, -1], [-1, 2], [0, 0]]), LAYOUT)
    posteriors, logs, style, _ = LAYOUT.split(given)
    assert posteriors[0].tolist() == pytest.approx([0, 1, 0.2, 0.3, 0.5])
    assert posteriors[1].tolist() == pytest.approx([0.2, 0.8, 0, 0, 1])
    assert logs[2, 1].item() == pytest.approx(math.log(FLOOR))
    assert torch.equal(style, LAYOUT.split(items())[2])


@pytest.mark.parametrize("shared", [True, False])
def test_the_score_is_the_sum_that_the_docstring_writes(shared: bool) -> None:
    learned, ranked = score(), items()
    wanted = torch.tensor([[0.0, 1.0, 0.1, 0.6, 0.3], [0.7, 0.3, 1.0, 0.0, 0.0]])
    changed = torch.tensor([[True, False], [False, True]])
    references = items()[:2]
    importance = torch.tensor([[1.0, 2.0], [3.0, 0.5]])
    with torch.no_grad():
        vectors = learned.query_vectors(wanted, references, changed, importance)
        given = ranked if shared else ranked.repeat(2, 1, 1)
        found = agreement(vectors, given, LAYOUT)
        weights = torch.nn.functional.softplus(learned.attribute)
        kept = torch.nn.functional.softplus(learned.kept)[1]
        style = torch.nn.functional.softplus(learned.style)[1]
        appearance = torch.nn.functional.softplus(learned.appearance)[1]
    for q in range(2):
        for r in range(3):
            expected = 0.0
            for m, columns in enumerate((slice(0, 2), slice(2, 5))):
                linear, logarithmic = weights[m, 0 if changed[q, m] else 1].tolist()
                factor = importance[q, m].item() * (1.0 if changed[q, m] else kept.item())
                agree = float(wanted[q, columns] @ ranked[r, :5][columns])
                expected += factor * (linear * agree + logarithmic * math.log(agree + FLOOR))
            expected += style.item() * float(references[q, 10:12] @ ranked[r, 10:12])
            expected += appearance.item() * float(references[q, 12:] @ ranked[r, 12:])
            assert found[q, r].item() == pytest.approx(expected, rel=1e-4)


def test_the_inner_product_never_exceeds_the_score() -> None:
    learned = score()
    wanted = torch.rand(20, 5)
    wanted = torch.cat([block / block.sum(1, keepdim=True) for block in LAYOUT.blocks(wanted)], 1)
    references = build_profiles(wanted, unit(*[(1, 1)] * 20), unit(*[(1, 1)] * 20))
    with torch.no_grad():
        vectors = learned.query_vectors(wanted, references, torch.zeros(20, 2, dtype=torch.bool))
        assert (vectors @ items().T <= agreement(vectors, items(), LAYOUT) + 1e-5).all()


def test_with_decisive_importance_an_item_with_the_wanted_value_is_above_all_others() -> None:
    learned = score()
    indicator = torch.tensor([[0.0, 1.0, 0.0, 0.0, 0.0]])
    changed = changed_attributes(indicator, LAYOUT.sizes)
    labels = torch.tensor([[1, 0], [0, 2]])  # has it and differs in the rest; lacks it, else equal
    style = unit((-1, 0), (1, 0))
    ranked = with_given_labels(build_profiles(torch.ones(2, 5), style, style), labels, LAYOUT)
    reference = with_given_labels(
        build_profiles(torch.ones(1, 5), unit((1, 0)), unit((1, 0))), torch.tensor([[0, 2]]), LAYOUT
    )
    wanted = torch.tensor([[0.0, 1.0, 0.0, 0.0, 1.0]])
    with torch.no_grad():
        importance = learned.decisive_importance(changed, math.log((1 + FLOOR) / FLOOR))
        vectors = learned.query_vectors(wanted, reference, changed, importance)
        scores = agreement(vectors, ranked, LAYOUT)[0]
    assert importance[0, 0] >= 1
    assert importance[0, 1] == 1
    assert scores[0] > scores[1]


def test_fitting_finds_out_that_only_one_attribute_can_be_trusted() -> None:
    """Posteriors of the first attribute are right, those of the second noise."""
    torch.manual_seed(1)
    layout = ProfileLayout((3, 3), 2, 2)
    labels = torch.randint(3, (60, 2))
    right = torch.nn.functional.one_hot(labels[:, 0], 3).float() * 0.9 + 0.1 / 3
    noise = torch.rand(60, 3).softmax(1)
    style = torch.nn.functional.normalize(torch.randn(60, 2), dim=1)
    profiles = build_profiles(torch.cat([right, noise], 1), style, style)
    learned = LearnedScore(layout)

    def ask(references: torch.Tensor, indicator: torch.Tensor) -> torch.Tensor:
        wanted = layout.split(references)[0]
        changed = torch.zeros(len(references), 2, dtype=torch.bool)
        return learned.query_vectors(wanted, references, changed)

    places = torch.arange(60)
    examples = ScoreExamples(profiles, torch.zeros(60, 6), labels, places, torch.full((60,), -1))
    losses = fit_score(learned, ask, examples, profiles, labels, steps=120)
    weights = torch.nn.functional.softplus(learned.attribute.detach())
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    assert weights[0, 1].sum() > 1.5 * weights[1, 1].sum()


def test_an_item_that_is_to_be_found_again_is_the_only_right_answer() -> None:
    torch.manual_seed(2)
    layout = ProfileLayout((2,), 2, 8)
    labels = torch.zeros(30, 1, dtype=torch.int64)
    looks = torch.nn.functional.normalize(torch.randn(30, 8), dim=1)
    flat = torch.full((30, 2), 0.5)
    profiles = build_profiles(flat, unit(*[(1.0, 0.0)] * 30), looks)
    learned = LearnedScore(layout)

    def ask(references: torch.Tensor, indicator: torch.Tensor) -> torch.Tensor:
        changed = torch.zeros(len(references), 1, dtype=torch.bool)
        return learned.query_vectors(layout.split(references)[0], references, changed)

    places = torch.arange(30)
    examples = ScoreExamples(profiles, torch.zeros(30, 2), labels, torch.full((30,), -1), places)
    before = torch.nn.functional.softplus(learned.appearance.detach().clone())
    fit_score(learned, ask, examples, profiles, labels, steps=60)
    after = torch.nn.functional.softplus(learned.appearance.detach())
    assert after[0] > before[0] + 0.1
    assert after[NUMBERS_OF_CHANGES - 1].item() == pytest.approx(before[-1].item())
