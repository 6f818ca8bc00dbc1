"""Numbers in sentences."""

from __future__ import annotations

import pytest

from amgan.text import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (12000, "12,000 items")]
)
def test_one_of_a_kind_has_no_plural(number: int, said: str) -> None:
    assert counted(number, "item") == said
