"""What the reliability figure shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from amgan.attributes import Attribute, AttributeSchema
from amgan.charts.reliability import draw_reliability
from amgan.charts.style import save_figure
from amgan.evaluation.calibration_report import CalibrationReport, build_calibration_report


def report_of(attributes: int, temperature: float | None, n: int = 300) -> CalibrationReport:
    schema = AttributeSchema(tuple(Attribute(f"a{i}", ("x", "y", "z")) for i in range(attributes)))
    rng = np.random.default_rng(0)
    return build_calibration_report(
        rng.normal(0, 2, (n, schema.num_values)),
        rng.integers(0, 3, (n, attributes)).astype(np.int16),
        schema,
        {} if temperature is None else dict.fromkeys(schema.names, temperature),
        method="amgan-p",
        catalogue="small",
        split="test",
        seed=0,
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


@pytest.mark.parametrize("attributes", [1, 2, 3, 5, 9])
def test_a_panel_an_attribute_and_one_of_all(attributes: int, tmp_path: Path) -> None:
    report = report_of(attributes, 2.0)
    figure = draw_reliability(report)
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]
    assert titles == [*(f"a{i}" for i in range(attributes)), "all attributes"]
    assert len(figure.axes) == 2 * len(titles)
    png, svg = save_figure(figure, tmp_path / "test")
    with Image.open(png) as drawn:
        assert drawn.width == 1440
    assert svg.read_text(encoding="utf-8").startswith("<?xml")


def test_the_errors_stand_in_the_panels_and_the_points_on_their_bins() -> None:
    report = report_of(1, 2.0)
    figure = draw_reliability(report)
    found = report.attributes[0]
    shown = texts(figure)
    assert f"{found.before.ece:.4f} before".removeprefix("0") in shown
    assert f"{found.after.ece:.4f} after".removeprefix("0") in shown
    points = np.concatenate([line.get_xydata() for line in figure.axes[0].lines[1:]])
    for confidence in (found.before, found.after):
        bins = confidence.reliability
        for place in np.flatnonzero(bins.counts):
            point = (bins.confidence[place], bins.accuracy[place])
            assert np.isclose(points, point).all(axis=1).any()


def test_a_model_without_temperatures_has_one_line() -> None:
    figure = draw_reliability(report_of(1, None))
    assert not [text for text in texts(figure) if "before" in text]
    assert len(figure.legends[0].get_texts()) == 2


def test_one_labelled_item_can_be_drawn(tmp_path: Path) -> None:
    save_figure(draw_reliability(report_of(2, 2.0, n=1)), tmp_path / "one")
