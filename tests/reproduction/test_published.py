"""The printed numbers, against sums of the printed table and the paper's own statements."""

from __future__ import annotations

import pytest

from amgan.reproduction.published import CLAIMS, TABLE_3_METRICS, TABLE_4, published_metrics

ROWS = [
    f"AMGAN-{scheme}{without}" for scheme in "PT" for without in ("-NoVSE", "-NoL1", "-NoCls", "")
]


def test_columns_add_up_to_the_printed_table():
    """Sums over the eight rows, added up from the printed page."""
    expected = {
        "Shopping100K": (1.0837, 3.3723, 5.7851, 1.6015),
        "DARN": (0.5440, 2.1599, 5.3350, 0.9616),
    }
    for dataset, sums in expected.items():
        for metric, total in zip(TABLE_3_METRICS, sums, strict=True):
            column = [published_metrics(row, dataset)[metric] for row in ROWS]
            assert sum(column) == pytest.approx(total, abs=5e-5), (dataset, metric)


def test_a_row_that_the_paper_does_not_print_has_none():
    assert published_metrics("FCD", "Shopping100K") is None


def test_times_add_up():
    for time in TABLE_4.values():
        assert time.representation + time.search == pytest.approx(time.total, abs=5e-4)


@pytest.mark.parametrize("dataset", ["Shopping100K", "DARN"])
def test_claims_about_table_3_hold_in_table_3(dataset):
    checked = 0
    for claim in CLAIMS:
        better, worse = (published_metrics(row, dataset) for row in (claim.better, claim.worse))
        if better and worse:
            assert better["top@10"] > worse["top@10"], claim
            checked += 1
    assert checked == 10
