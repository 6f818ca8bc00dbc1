"""Schema, labels, indicators and changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amgan.attributes import MISSING, Attribute, AttributeSchema, Change, Labels

SCHEMA = AttributeSchema(
    (
        Attribute("colour", ("black", "red", "white")),
        Attribute("collar", ("round", "v-neck")),
        Attribute("fit", ("loose",)),
    )
)


def label_arrays(rows: int = 4) -> st.SearchStrategy[Labels]:
    columns = [
        arrays(np.int16, rows, elements=st.integers(MISSING, size - 1)) for size in SCHEMA.sizes
    ]
    return st.tuples(*columns).map(lambda parts: np.stack(parts, 1))


def test_sizes_and_columns() -> None:
    assert (SCHEMA.num_attributes, SCHEMA.num_values) == (3, 6)
    assert SCHEMA.offsets == (0, 3, 5)
    assert SCHEMA.slices == (slice(0, 3), slice(3, 5), slice(5, 6))


def test_one_hot_by_hand() -> None:
    labels = np.array([[1, 0, MISSING], [MISSING, MISSING, 0]], np.int16)
    assert SCHEMA.one_hot(labels).tolist() == [[0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1]]


def test_indicator_by_hand() -> None:
    reference = np.array([[1, 0, MISSING]], np.int16)
    target = np.array([[2, 0, 0]], np.int16)
    assert SCHEMA.indicator(reference, target).tolist() == [[0, 0, 1, 0, 0, 1]]


def test_a_value_that_the_target_lacks_cannot_be_asked_for() -> None:
    reference, target = np.array([[1, 0, 0]], np.int16), np.array([[1, MISSING, 0]], np.int16)
    assert SCHEMA.indicator(reference, target).sum() == 0


@given(label_arrays(), label_arrays())
def test_indicator_is_f_of_the_target_without_f_of_the_reference(x: Labels, y: Labels) -> None:
    f_x, f_y = SCHEMA.one_hot(x), SCHEMA.one_hot(y)
    assert np.array_equal(SCHEMA.indicator(x, y), np.clip(f_y - f_x, 0, 1))


@given(label_arrays(), label_arrays())
def test_applying_the_indicator_gives_the_target_where_it_has_labels(x: Labels, y: Labels) -> None:
    changed = SCHEMA.apply(x, SCHEMA.indicator(x, y))
    assert np.array_equal(changed, np.where(y == MISSING, x, y))


@given(label_arrays(1))
def test_encode_inverts_decode(labels: Labels) -> None:
    assert SCHEMA.encode(SCHEMA.decode(labels[0])) == tuple(labels[0])


def test_changes_are_named_and_read_back() -> None:
    reference = (1, 1, MISSING)
    indicator = SCHEMA.indicator(np.array([reference], np.int16), np.array([[1, 0, 0]], np.int16))
    changes = SCHEMA.changes(reference, indicator[0])
    assert [str(change) for change in changes] == [
        "collar: v-neck -> round",
        "fit: (none) -> loose",
    ]
    assert np.array_equal(SCHEMA.changes_indicator(changes), indicator[0])


def test_parse_changes() -> None:
    assert SCHEMA.parse_changes(["collar = round", "colour=red"]) == (
        Change("collar", "round"),
        Change("colour", "red"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (["collar"], "cannot read change 'collar'; write attribute=value"),
        (["neck=round"], "unknown attribute 'neck'; the attributes are colour, collar, fit"),
        (["collar=square"], "unknown value 'square' for attribute 'collar'; .*round, v-neck"),
        (["collar=round", "collar=v-neck"], "attribute 'collar' is changed more than once"),
    ],
)
def test_a_change_that_cannot_be_made_is_named(text: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SCHEMA.parse_changes(text)


CASES = AttributeSchema.from_dict({"Colour": ["Black", "Blue", "blue", "BLUE"], "fit": ["Loose"]})


def test_another_case_is_read_where_it_does_not_decide() -> None:
    assert CASES.parse_changes(["colour=black", "FIT = loose"]) == (
        Change("Colour", "Black"),
        Change("fit", "Loose"),
    )
    assert CASES.find_value("colour", "blue") == ("Colour", "blue")
    assert CASES.find_values({"colour": "BLUE", "fit": None}) == {"Colour": "BLUE", "fit": None}
    with pytest.raises(ValueError, match="did you mean 'Blue' or 'blue' or 'BLUE'"):
        CASES.find_value("colour", "bLUE")
    with pytest.raises(ValueError, match="'Colour' is named more than once"):
        CASES.find_values({"colour": "Black", "Colour": "Blue"})
    with pytest.raises(ValueError, match="changed more than once"):
        CASES.parse_changes(["colour=black", "Colour=Blue"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("color=Black", "unknown attribute 'color'; did you mean 'Colour'. the attributes are"),
        ("colour=blak", "unknown value 'blak' for attribute 'Colour'; did you mean 'Black'. its"),
        ("colour=mauve", "unknown value 'mauve' for attribute 'Colour'; its values are"),
    ],
)
def test_what_may_be_meant_is_suggested(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CASES.parse_changes([text])


def test_digest_follows_names_values_and_order() -> None:
    assert AttributeSchema.from_dict(SCHEMA.to_dict()) == SCHEMA
    assert AttributeSchema.from_dict(SCHEMA.to_dict()).digest == SCHEMA.digest
    swapped = AttributeSchema(
        (Attribute("colour", ("red", "black", "white")), *SCHEMA.attributes[1:])
    )
    assert swapped.digest != SCHEMA.digest


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "at least one attribute"),
        ({"a": []}, "'a' has no values"),
        ({"a": ["x", "x"]}, "'a' lists a value twice"),
        ({"": ["x"]}, "needs a name"),
    ],
)
def test_impossible_schemas_are_refused(values: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AttributeSchema.from_dict(values)
