"""Which errors are a user's, and which are ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from amgan.catalogue.records import Catalogue
from amgan.cli.errors import BAD_INPUT, exit_code
from amgan.config import load_config
from amgan.errors import AmganError, FileFormatError, InputError, SettingsError
from amgan.evaluation.per_query import load_per_query
from amgan.evaluation.report import load_report
from amgan.gallery.store import GalleryError, build_gallery, open_gallery
from amgan.images import PictureError
from amgan.methods.model_file import load_model, save_model
from amgan.methods.trained import TrainedModel
from amgan.queries import load_triplets
from amgan.reproduction.runner import read_row_state
from amgan.run_folder import RunFolder
from amgan.training.loss_log import TrainingDivergedError
from amgan.training.run_log import read_log

Shapes = Callable[..., Catalogue]
FAULT = """
import sys
import numpy as np
from amgan.catalogue import table
from amgan.cli import main

def broken(*_, **__):
    np.zeros(3).reshape(2)  # NumPy's own ValueError

table.read_rows = broken
main(["validate", sys.argv[1], "-a", "colour"])
"""


def test_a_fault_of_numpy_in_our_code_shows_a_traceback(tmp_path: Path) -> None:
    table = tmp_path / "tops.csv"
    table.write_text("image,colour\na.png,red\n")
    done = subprocess.run(
        [sys.executable, "-c", FAULT, str(table)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "cannot reshape" in done.stderr
    assert "error:" not in done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("wrong"), BAD_INPUT),
        (TrainingDivergedError("a loss is nan"), BAD_INPUT),
        (FileNotFoundError(2, "no such file", "a.csv"), BAD_INPUT),
        (ValueError("ours"), None),
        (KeyError("ours"), None),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "ours"), None),
        (pa.ArrowInvalid("ours"), None),
    ],
)
def test_exit_codes(error: Exception, code: int | None) -> None:
    assert exit_code(error) == code


def test_a_user_of_the_library_may_catch_one_base_or_value_errors() -> None:
    for kind in (SettingsError, FileFormatError, GalleryError, PictureError):
        assert issubclass(kind, InputError) and issubclass(kind, ValueError)
        assert issubclass(kind, AmganError)
    assert not issubclass(TrainingDivergedError, ValueError)


def damage(folder: Path) -> dict[str, tuple[Callable[[Path], object], bytes]]:
    return {
        "config.json": (lambda file: RunFolder(file.parent).read_config(), b"{"),
        "log.jsonl": (
            lambda file: read_log(RunFolder(file.parent), "train"),
            b'{"kind": "train"}\n{"ki',
        ),
        "row.json": (lambda file: read_row_state(file.parent), b"[1,"),
        "report.json": (load_report, b"not JSON"),
        "latin.json": (load_report, b"caf\xe9"),
        "queries.parquet": (load_per_query, b"PAR1 and no more"),
        "settings.toml": (lambda file: load_config([file]), b"caf\xe9 = 1"),
        "model.safetensors": (load_model, b"\xff" * 40),
    }


@pytest.mark.parametrize("name", damage(Path()))
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    read, content = damage(tmp_path)[name]
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(AmganError) as caught:
        read(file)
    assert str(file) in str(caught.value)


def test_errors_carry_file_and_row(tmp_path: Path, shapes: Shapes) -> None:
    folder = RunFolder(tmp_path)
    folder.log.write_text('{"kind": "train", "step": 1}\nnothing\n')
    with pytest.raises(FileFormatError) as caught:
        read_log(folder, "train")
    assert (caught.value.file, caught.value.row) == (folder.log, 2)
    folder.triplets.write_bytes(b"\xff\xfe\n")
    with pytest.raises(FileFormatError) as caught:
        load_triplets(folder.triplets, shapes(4))
    assert (caught.value.file, caught.value.row) == (folder.triplets, 1)
    with pytest.raises(SettingsError) as refused:
        load_config(overrides=["network.width=3"])
    assert refused.value.field == "network.width"


@pytest.mark.parametrize("seed", ["training.seed=-1", "triplets.seed=-2"])
def test_a_negative_seed_is_refused_before_numpy_sees_it(seed: str) -> None:
    with pytest.raises(InputError, match="must be 0 or more"):
        load_config(overrides=[seed])


@pytest.mark.parametrize(
    ("name", "content"),
    [("labels.npy", b"\x93NUMPY but no array"), ("CURRENT", b"\xff"), ("items.arrow", b"ARROW1")],
)
def test_a_damaged_part_of_a_gallery_is_named(
    tmp_path: Path, shapes: Shapes, shape_model: TrainedModel, name: str, content: bytes
) -> None:
    folder = tmp_path / "gallery"
    build_gallery(folder, shape_model, shapes(6))
    version = folder if name == "CURRENT" else next((folder / "versions").iterdir())
    if name != "CURRENT":  # as many bytes as before, so that the sizes are as they should be
        content = content.ljust((version / name).stat().st_size, b"\0")
    (version / name).write_bytes(content)
    with pytest.raises(GalleryError, match=name):
        open_gallery(folder)


def test_weights_of_another_kind_are_told_with_their_file(
    tmp_path: Path, shape_model: TrainedModel
) -> None:
    file = tmp_path / "model.safetensors"
    save_model(file, shape_model.method, shape_model.description)
    shutil.copy(file, tmp_path / "copy.safetensors")
    for header in ({"description": "{}"}, {"description": "nothing"}, {}):
        metadata = {"format": "amgan-model", "version": "1", **header}
        save_file({"a": np.zeros(1, np.float32)}, file, metadata)
        with pytest.raises(InputError, match=r"model\.safetensors: damaged description"):
            load_model(file)


def test_results_of_another_program_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "queries.parquet"
    pq.write_table(pa.table({"a": [1]}), file)
    with pytest.raises(FileFormatError, match="not per-query results"):
        load_per_query(file)
