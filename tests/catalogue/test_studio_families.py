from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from amgan.catalogue.studio import STUDIO_SCHEMA, counterfactual, render_garment
from amgan.catalogue.studio.families import (
    FamilySettings,
    family_labels,
    load_families,
    render_families,
    sample_family_block,
)
from amgan.errors import InputError
from amgan.images import ImageSettings, prepare_picture

SETTINGS = FamilySettings(
    ("colour", "sleeve"),
    blocks=2,
    families=3,
    members=4,
    seed=7,
    rendered=48,
    images=ImageSettings(24, 24),
)


def test_members_differ_in_the_named_attributes_only():
    allowed = {STUDIO_SCHEMA.names.index(name) for name in SETTINGS.attributes}
    for family in sample_family_block(replace(SETTINGS, families=40, members=8), 0):
        assert len({garment.labels for garment in family}) == len(family)
        assert len({garment.nuisance_seed for garment in family}) == 1
        for garment in family[1:]:
            changed = np.flatnonzero(np.array(garment.labels) != family[0].labels)
            assert 1 <= len(changed) <= 2
            assert set(changed.tolist()) <= allowed


def test_every_value_is_practised():
    block = sample_family_block(replace(SETTINGS, families=120, members=8), 0)
    for name in SETTINGS.attributes:
        position = STUDIO_SCHEMA.names.index(name)
        seen = {garment.labels[position] for family in block for garment in family[1:]}
        assert seen == set(range(STUDIO_SCHEMA.sizes[position]))


def test_a_member_is_the_exact_counterfactual_of_the_first(tmp_path):
    render_families(tmp_path, SETTINGS)
    block = load_families(tmp_path, SETTINGS)[1]
    assert block.pixels.shape == (3, 4, 24, 24, 3)
    first, last = (sample_family_block(SETTINGS, 1)[2][member] for member in (0, 3))
    np.testing.assert_array_equal(block.labels[2, 3], last.labels)
    own, wanted = (np.array([garment.labels], np.int16) for garment in (first, last))
    exact = counterfactual(first, STUDIO_SCHEMA.indicator(own, wanted)[0])
    picture = Image.fromarray(render_garment(exact, 48, 48))
    np.testing.assert_array_equal(block.pixels[2, 3], prepare_picture(picture, SETTINGS.images))


def test_an_interrupted_room_goes_on_and_blocks_are_independent(tmp_path):
    render_families(tmp_path / "one", SETTINGS, only=[1])
    paths = render_families(tmp_path / "one", SETTINGS)
    before = paths[1].stat().st_mtime_ns
    render_families(tmp_path / "one", SETTINGS)
    assert paths[1].stat().st_mtime_ns == before
    more = render_families(tmp_path / "two", replace(SETTINGS, blocks=1))
    np.testing.assert_array_equal(np.load(more[0]), np.load(paths[0]))
    assert not np.array_equal(family_labels(SETTINGS, 0), family_labels(SETTINGS, 1))


def test_another_seed_gives_other_garments():
    other = replace(SETTINGS, seed=8)
    assert not np.array_equal(family_labels(SETTINGS, 0), family_labels(other, 0))


def test_a_folder_of_other_settings_is_refused(tmp_path):
    render_families(tmp_path, SETTINGS, only=[])
    with pytest.raises(InputError, match="other settings"):
        load_families(tmp_path, replace(SETTINGS, seed=8))
    render_families(tmp_path, replace(SETTINGS, blocks=3), only=[])  # more of the same


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attributes": ("colour", "heel")}, "'heel'"),
        ({"attributes": ()}, "none"),
        ({"members": 1}, "at least 1 block"),
        ({"rendered": 4}, "height 4"),
    ],
)
def test_bad_settings_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        replace(SETTINGS, **changes)
