"""Rendered garments: what each label does to the picture, and what it leaves alone."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from amgan.catalogue.studio import (
    STUDIO_SCHEMA,
    Garment,
    counterfactual,
    render_garment,
    sample_garments,
)
from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.nuisance import draw_nuisance
from amgan.catalogue.studio.palette import mix_colours
from amgan.catalogue.studio.render import draw_sheet, rasterise
from amgan.catalogue.studio.schema import FREQUENCIES, RULES, breaks_rules
from amgan.catalogue.studio.view import look_at

Pixels = NDArray[np.uint8]
PLAIN = {
    "category": "t-shirt",
    "colour": "blue",
    "pattern": "plain",
    "sleeve": "long",
    "neckline": "round",
    "collar": "none",
    "fastening": "none",
    "pocket": "none",
    "fit": "regular",
    "fabric": "jersey",
    "length": "hip",
    "detail": "none",
}


def garment(seed: int = 5, **values: str) -> Garment:
    return Garment(STUDIO_SCHEMA.encode({**PLAIN, **values}), seed)


def picture(seed: int = 5, size: int = 64, **values: str) -> Pixels:
    return render_garment(garment(seed, **values), size, size)


def difference(a: Pixels, b: Pixels) -> NDArray[np.int64]:
    """Largest difference of any channel, (H, W)."""
    return np.abs(a.astype(np.int64) - b).max(axis=2)


def test_schema_is_large_enough() -> None:
    assert STUDIO_SCHEMA.num_attributes >= 8
    assert STUDIO_SCHEMA.num_values >= 50


@pytest.mark.parametrize("attribute", STUDIO_SCHEMA.names)
@pytest.mark.parametrize(
    "base",
    [
        {},
        {"category": "jacket", "colour": "black", "sleeve": "sleeveless", "fit": "a-line"},
        {"category": "shirt", "colour": "white", "pattern": "striped", "collar": "shirt"},
    ],
    ids=["plain", "black", "striped"],
)
def test_every_two_values_look_different(attribute: str, base: dict[str, str]) -> None:
    values = FREQUENCIES[attribute]
    pictures = {value: picture(9, **{**base, attribute: value}) for value in values}
    for a, b in itertools.combinations(values, 2):
        visible = difference(pictures[a], pictures[b]) > 10
        assert visible.sum() >= 12, f"{a} and {b} look alike"


@pytest.mark.parametrize(
    ("attribute", "value", "levels"),
    [
        ("pocket", "kangaroo", 0),
        ("fastening", "buttons", 0),
        ("detail", "badge", 0),
        ("collar", "shirt", 2),  # it stands above the neck, which softens light further down
    ],
)
def test_changes_of_the_front_leave_the_sleeves_alone(
    attribute: str, value: str, levels: int
) -> None:
    plain = picture(size=128)
    sleeves = difference(plain, picture(size=128, sleeve="sleeveless")) > 24
    changed = difference(plain, picture(size=128, **{attribute: value}))
    assert sleeves.sum() > 500
    assert changed.max() > 24
    assert changed[sleeves].max() <= levels


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_dyes_and_prints_stay_on_the_cloth(seed: int) -> None:
    """The garment is where black and white differ; the backdrop does not know its colour."""
    cloth = difference(picture(seed, colour="black"), picture(seed, colour="white")) > 0
    for change in ({"colour": "red"}, {"pattern": "striped"}, {"fabric": "denim"}):
        changed = difference(picture(seed), picture(seed, **change)) > 2
        assert changed.any()
        assert not (changed & ~cloth).any()


def test_length_leaves_the_neck_and_neckline_leaves_the_hem() -> None:
    plain = picture(size=128)
    longer = difference(plain, picture(size=128, length="knee"))
    assert longer[:32].max() <= 2
    assert longer[96:].max() > 24
    deeper = difference(plain, picture(size=128, neckline="v-neck"))
    assert deeper[:64].max() > 24
    assert deeper[80:].max() <= 2


def test_nuisance_changes_every_picture_of_one_garment() -> None:
    pictures = [picture(seed) for seed in range(12)]
    for a, b in itertools.combinations(pictures, 2):
        assert (difference(a, b) > 10).mean() > 0.05


def test_same_seed_same_nuisance() -> None:
    assert draw_nuisance(7) == draw_nuisance(7)
    assert draw_nuisance(7) != draw_nuisance(8)


def test_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from amgan.catalogue.studio import *; "
        "print(hashlib.sha256(b''.join(render_garment(g, 48, 64).tobytes() "
        "for g in sample_garments(12, 3))).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    here = b"".join(render_garment(g, 48, 64).tobytes() for g in sample_garments(12, 3))
    assert other.stdout.strip() == hashlib.sha256(here).hexdigest()


def test_order_of_rendering_does_not_matter() -> None:
    garments = sample_garments(10, 11)
    forwards = [render_garment(g, 40, 40) for g in garments]
    backwards = [render_garment(g, 40, 40) for g in reversed(garments)]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (64, 64), (96, 64), (50, 130), (200, 150)])
def test_any_size(height: int, width: int) -> None:
    pixels = render_garment(garment(), height, width)
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    assert pixels.std() > 5


def test_same_scene_at_every_size() -> None:
    for g in sample_garments(6, 2):
        small = render_garment(g, 64, 64).astype(float)
        large = render_garment(g, 192, 192).astype(float)
        reduced = large.reshape(64, 3, 64, 3, 3).mean(axis=(1, 3))
        assert np.abs(small - reduced).mean() < 8


@pytest.mark.parametrize(
    ("height", "width", "message"),
    [(15, 64, "height 15"), (64, 4000, "width 4000"), (0, 0, "height 0"), (64, 300, "four times")],
)
def test_absurd_sizes_are_refused(height: int, width: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_garment(garment(), height, width)


def test_garments_must_fit_the_schema() -> None:
    labels = garment().labels
    with pytest.raises(ValueError, match="12 labels"):
        Garment(labels[:-1], 0)
    with pytest.raises(ValueError, match="'category'"):
        Garment((99, *labels[1:]), 0)
    with pytest.raises(ValueError, match="'detail'"):
        Garment((*labels[:-1], -1), 0)
    with pytest.raises(ValueError, match="negative"):
        Garment(labels, -1)


class TestCounterfactual:
    def test_empty_indicator_is_identity(self) -> None:
        g = sample_garments(1, 4)[0]
        assert counterfactual(g, np.zeros(STUDIO_SCHEMA.num_values, np.float32)) == g

    def test_changes_what_is_asked_and_nothing_else(self) -> None:
        changes = STUDIO_SCHEMA.parse_changes(["collar=hood", "colour=red"])
        changed = counterfactual(garment(), STUDIO_SCHEMA.changes_indicator(changes))
        assert changed == garment(collar="hood", colour="red")

    def test_there_and_back_gives_the_same_picture(self) -> None:
        start = garment(pattern="floral", pocket="welt")
        for attribute, value in (("neckline", "scoop"), ("fabric", "lace"), ("fit", "loose")):
            there = STUDIO_SCHEMA.changes_indicator(
                STUDIO_SCHEMA.parse_changes([f"{attribute}={value}"])
            )
            back = STUDIO_SCHEMA.indicator(
                np.array([garment(**{attribute: value}).labels], np.int16),
                np.array([start.labels], np.int16),
            )[0]
            returned = counterfactual(counterfactual(start, there), back)
            assert np.array_equal(render_garment(returned, 64, 64), render_garment(start, 64, 64))

    def test_refuses_other_schemas_and_contradictions(self) -> None:
        with pytest.raises(ValueError, match="3 values"):
            counterfactual(garment(), np.zeros(3, np.float32))
        both = np.zeros(STUDIO_SCHEMA.num_values, np.float32)
        both[:2] = 1
        with pytest.raises(ValueError, match="'category'"):
            counterfactual(garment(), both)


def test_every_combination_can_be_drawn() -> None:
    """Rules bind the sampler only: a change may lead to any combination."""
    rng = np.random.default_rng(0)
    for seed in range(25):
        labels = tuple(int(rng.integers(size)) for size in STUDIO_SCHEMA.sizes)
        assert render_garment(Garment(labels, seed), 32, 32).std() > 1


def test_the_window_cuts_nothing_off() -> None:
    """A garment rendered in its window is the same as in a window over the whole picture."""
    rng = np.random.default_rng(1)
    whole = (-1e4, -1e4, 1e4, 1e4)
    for seed in range(40):
        labels = tuple(int(rng.integers(size)) for size in STUDIO_SCHEMA.sizes)
        cut = Cut(Garment(labels, seed).values, draw_nuisance(seed))
        window = look_at(cut.nuisance, cut.extent(), 48, 48)
        frame = look_at(cut.nuisance, whole, 48, 48)
        sheet = draw_sheet(cut, mix_colours(cut.values["colour"], cut.nuisance), bold=1.0)
        small, large = rasterise(sheet, window), rasterise(sheet, frame)
        for name in ("coverage", "top_share"):
            inside, everywhere = getattr(small, name), getattr(large, name)
            assert inside.sum() == pytest.approx(everywhere.sum(), rel=2e-3, abs=0.1)


def test_rules_name_real_values_and_are_found() -> None:
    for rule in RULES:
        assert len(rule) >= 2
        for combination in itertools.product(*rule.values()):
            values = dict(zip(rule, combination, strict=True))
            assert breaks_rules(garment(**values).labels), values
    assert not breaks_rules(garment().labels)
