from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from amgan.catalogue.records import Catalogue
from amgan.gallery.gallery import Gallery
from amgan.methods.trained import TrainedModel

Shapes = Callable[..., Catalogue]


@pytest.fixture
def gallery(shapes: Shapes, shape_model: TrainedModel) -> Gallery:
    return Gallery.in_memory(shape_model, shapes(30))


def test_filters_keep_the_items_that_a_loop_keeps(gallery: Gallery) -> None:
    catalogue = gallery.catalogue
    filters = {"colour": ["red", ""], "shape": {"bar"}, "brand": ["acme", ""]}
    expected = []
    for row in range(len(catalogue)):
        labels = catalogue.schema.decode(catalogue.labels[row])
        brand = catalogue.fields["brand"][row]
        if labels["colour"] in ("red", None) and labels["shape"] == "bar" and brand != "zeta":
            expected.append(row)
    rows = gallery.select(filters)
    assert rows is not None and rows.tolist() == expected and expected
    assert gallery.select({}) is None
    nothing = gallery.select({"colour": []})
    assert nothing is not None and not len(nothing)


def test_filters_name_what_is_wrong(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match=r"cannot filter by 'size'; filters are colour.*brand"):
        gallery.select({"size": ["XL"]})
    with pytest.raises(ValueError, match="unknown value 'pink'"):
        gallery.select({"colour": ["pink"]})
    with pytest.raises(ValueError, match="give a list of values"):
        gallery.select({"colour": "red"})


def test_rows_and_items(gallery: Gallery) -> None:
    assert gallery.row("item-007") == 7
    assert gallery[7].item_id == "item-007"
    with pytest.raises(ValueError, match="has no item 'item-999'"):
        gallery.row("item-999")
    assert np.array_equal(gallery.catalogue.labels, gallery.labels)
