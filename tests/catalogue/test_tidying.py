from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amgan.catalogue.tidying import look_form, plain_form, tidy


@pytest.mark.parametrize(
    ("written", "tidied"),
    [
        ("cafe\u0301", "caf\u00e9"),
        ("re\u200bd", "red"),
        ("\ufeffred", "red"),
        ("re\u200dd\u2060", "red"),
        ("re\u00add", "red"),
        ("\u202ared\u202c", "red"),
        ("dark\u00a0blue", "dark blue"),
        ("dark\u2009blue\t", "dark blue "),
        ("red\x00\x7f", "red"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # a Persian letter's shape
        ("Red  Blue", "Red  Blue"),
    ],
)
def test_what_is_invisible_goes(written: str, tidied: str) -> None:
    assert tidy(written) == tidied


@given(st.text())
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert plain_form(tidy(text)) == plain_form(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("38", "38.0"),
        ("38", "38,00"),
        ("red|blue", "blue|red"),
        ("red / blue", "Blue/Red"),
        ("cr\u00e8me", "creme"),
        ("t-shirt", "T shirt"),
        ("\uff52ed", "red"),
        ("c\u043etton", "cotton"),  # a Cyrillic letter
    ],
)
def test_look_alikes_have_one_form(one: str, other: str) -> None:
    assert look_form(one) == look_form(other)
    assert plain_form(one) != plain_form(other) or one.casefold() == other.casefold()


@pytest.mark.parametrize(("one", "other"), [("38", "39"), ("3/4", "4/3"), ("red", "blue")])
def test_others_have_not(one: str, other: str) -> None:
    assert look_form(one) != look_form(other)
