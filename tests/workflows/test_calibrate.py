"""The command that holds confidence against labels, called as a user calls it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import SHAPES, TINY, Call, build_shape_model, write_shapes

from amgan.catalogue.records import Catalogue
from amgan.catalogue.table import save_table
from amgan.cli import main
from amgan.images import load_pixels
from amgan.methods.model_file import load_model, save_model
from amgan.methods.trained import TrainedModel
from amgan.queries import assign_splits
from amgan.workflows.calibrate import keep_attributes, measure_calibration


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a posterior ranker, trained on 80 shapes."""
    folder = tmp_path_factory.mktemp("shop")
    save_table(assign_splits(write_shapes(folder / "pictures", 80)), folder / "shapes.csv")
    columns = ["-a", "colour,shape,ground", "--id", "item_id", "--split", "split"]
    with pytest.raises(SystemExit) as exited:
        main(
            [
                *("train", str(folder / "shapes.csv"), *columns, *TINY, "-s", "training.epochs=1"),
                *("--method", "posterior", "--run", str(folder / "run")),
            ]
        )
    assert exited.value.code == 0
    return folder / "run"


def pictures_of(catalogue: Catalogue, model: TrainedModel) -> np.ndarray:
    return np.stack([load_pixels(path, model.images) for path in catalogue.images])


def test_the_command_writes_figure_and_table_of_the_test_items(run: Path, call: Call) -> None:
    code, out, err = call("calibration", "--run", run)
    assert code == 0, err
    folder = run / "calibration"
    with Image.open(folder / "test.png") as drawn:
        assert drawn.width == 1440
    assert (folder / "test.svg").exists()
    assert (folder / "test.md").read_text(encoding="utf-8") == out
    values = json.loads((folder / "test.json").read_text(encoding="utf-8"))
    assert values["split"] == "test"
    assert values["calibrated"]
    told = {row["name"]: row["temperature"] for row in values["attributes"][:-1]}
    assert told == load_model(run, "cpu").description.facts.temperatures
    for name in ("test.json", "test.md", "test.png", "test.svg"):
        assert f"written: {folder / name}\n" in err
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        Path(line.removeprefix("written: ")).name for line in err.splitlines()
    )
    bins = values["attributes"][-1]["after"]["bins"]
    for place, (count, accuracy) in enumerate(zip(bins["counts"], bins["accuracy"], strict=True)):
        edges = [f"{bins['edges'][end]:g}".replace("0.", ".") for end in (place, place + 1)]
        said = f"confidence {edges[0]} to {edges[1]}: right "
        assert (said in out) == bool(count)
        if count:
            assert f"{said}{accuracy * 100:.0f} % of {count}" in out


def test_the_confidence_after_is_what_tag_tells(run: Path, tmp_path: Path, call: Call) -> None:
    catalogue = write_shapes(tmp_path / "pictures", 30, seed=4)
    save_table(catalogue, tmp_path / "new.csv")
    code, out, err = call(
        *("calibration", tmp_path / "new.csv", "--run", run, "--json"),
        *("--out", tmp_path, "--bins", 4, "--device", "cpu"),
    )
    assert code == 0, err
    assert json.loads(out) == json.loads((tmp_path / "new-all.json").read_text(encoding="utf-8"))
    model = load_model(run, "cpu")
    probabilities = model.predict_attributes(pictures_of(catalogue, model))
    assert probabilities is not None
    # The model's values are in the order of its own table: sorted.
    labels = np.stack([model.schema.encode(SHAPES.decode(row)) for row in catalogue.labels])
    for place, found in enumerate(json.loads(out)["attributes"][:-1]):
        known = labels[:, place] >= 0
        block = probabilities[known, model.schema.slices[place]]
        right = block.argmax(1) == labels[known, place]
        assert (found["n"], found["accuracy"]) == (known.sum(), pytest.approx(right.mean()))
        assert sum(found["after"]["bins"]["counts"]) == known.sum()
        confidences = zip(
            found["after"]["bins"]["counts"], found["after"]["bins"]["confidence"], strict=True
        )
        mean = sum(count * value for count, value in confidences if count) / known.sum()
        assert mean == pytest.approx(block.max(1).mean(), rel=1e-4)


def test_a_table_may_hold_some_of_the_attributes(run: Path, tmp_path: Path, call: Call) -> None:
    catalogue = write_shapes(tmp_path / "pictures", 20, seed=4)
    rows = [
        f"{path.name},{'light' if label == 0 else 'dark'}"
        for path, label in zip(catalogue.images, catalogue.labels[:, 2], strict=True)
    ]
    (tmp_path / "pictures" / "new.csv").write_text(
        "\n".join(["image,ground", *rows, "no.png,dark"])
    )
    query = ("calibration", tmp_path / "pictures" / "new.csv", "--run", run)
    code, out, err = call(*query, "--attributes", "ground", "--out", tmp_path)
    assert code == 0, err
    assert "| ground " in out
    assert "| colour " not in out
    assert "20 items" in out
    assert "new.csv:22" in err, "a row left out is told"
    code, _, err = call(*query, "--attributes", "neck")
    assert (code, "the attributes are colour, shape, ground" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image", "photo"], "a column of a TABLE"),
        (["absent.csv"], "absent.csv"),
        (["--run", "nowhere"], "nowhere"),
        (["--attributes", "neck"], "unknown attribute 'neck'"),
    ],
)
def test_wrong_input_is_one_line(arguments: list[str], said: str, run: Path, call: Call) -> None:
    given = arguments if "--run" in arguments else [*arguments, "--run", str(run)]
    code, out, err = call("calibration", *given)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_split_without_items_an_attribute_without_labels_and_no_classifier(
    tmp_path: Path,
) -> None:
    catalogue = write_shapes(tmp_path, 6)
    model = build_shape_model("posterior")
    pixels = pictures_of(catalogue, model)
    with pytest.raises(ValueError, match=r"'shapes' has no item in split 'test'$"):
        measure_calibration(model, catalogue, pixels)
    bare = catalogue.labels.copy()
    bare[:, 1] = -1
    with pytest.raises(ValueError, match=r"split 'train' has a label of attribute 'shape'"):
        measure_calibration(model, replace(catalogue, labels=bare), pixels, split="train")
    with pytest.raises(ValueError, match="method 'random' has no attribute classifier"):
        measure_calibration(build_shape_model("random"), catalogue, pixels, split="all")


def test_values_of_another_order_are_refused(tmp_path: Path) -> None:
    catalogue = write_shapes(tmp_path, 6)
    colour, *others = catalogue.schema.attributes
    turned = replace(colour, values=colour.values[::-1])
    other = replace(catalogue, schema=replace(catalogue.schema, attributes=(turned, *others)))
    model = build_shape_model("posterior")
    with pytest.raises(ValueError, match="'colour' has other values than the model's"):
        measure_calibration(model, other, pictures_of(catalogue, model), split="all")


def test_a_model_file_is_enough_with_a_table(tmp_path: Path, call: Call) -> None:
    model = build_shape_model("posterior")
    save_model(tmp_path / "model.safetensors", model.method, model.description)
    save_table(write_shapes(tmp_path / "pictures", 12), tmp_path / "new.csv")
    code, out, err = call(
        "calibration", tmp_path / "new.csv", "--run", tmp_path / "model.safetensors"
    )
    assert code == 0, err
    assert "has no temperatures" in out
    assert (tmp_path / "calibration" / "new-all.svg").exists()


def test_attributes_are_kept_by_name(tmp_path: Path) -> None:
    catalogue = write_shapes(tmp_path, 6)
    kept = keep_attributes(catalogue, ["ground", "colour"])
    assert kept.schema.names == ("ground", "colour")
    for row in range(6):
        told = catalogue.schema.decode(catalogue.labels[row])
        assert kept.schema.decode(kept.labels[row]) == {n: told[n] for n in ("ground", "colour")}
    model = build_shape_model("posterior")
    found = measure_calibration(model, kept, pictures_of(catalogue, model), split="all")
    whole = measure_calibration(model, catalogue, pictures_of(catalogue, model), split="all")
    told = [
        [(one.name, one.accuracy, one.before.nll) for one in r.attributes] for r in (found, whole)
    ]
    assert told[0] == told[1][::-2]
