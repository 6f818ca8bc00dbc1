"""The wheel, installed away from the clone, does what the README says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
Run = Callable[..., str]
TINY = (
    *("-s", "images.height=16", "-s", "images.width=16", "-s", "training.epochs=1"),
    *("-s", "network.generator_width=4", "-s", "network.latent_channels=8"),
    *("-s", "network.encoder_widths=[4,8]", "-s", "network.embedding_dim=8"),
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is written into the clone."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist")]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(folder)],
        check=True,
        capture_output=True,
    )
    (built,) = (folder / "dist").glob("amgan-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a program of a fresh environment, in an empty folder.

    The dependencies are those of the environment that runs the tests; amgan is the wheel's.
    """
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", where], text=True).strip())
    dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("\n".join(sorted(dependencies)) + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    subprocess.run(
        [*install, "--no-index", "--ignore-installed", str(wheel)], check=True, capture_output=True
    )
    work = folder / "work"
    work.mkdir()
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(program: str, *arguments: str) -> str:
        done = subprocess.run(
            [folder / "venv" / "bin" / program, *arguments],
            cwd=work,
            env={**inherited, "AMGAN_CACHE": str(folder / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_it_is_the_wheel_that_runs(installed: Run) -> None:
    place = installed("python", "-c", "import amgan; print(amgan.__file__)")
    assert "fresh" in place and str(ROOT) not in place
    assert installed("amgan", "--version").startswith("amgan ")


def test_presets_and_suites_are_in_it(installed: Run) -> None:
    listed = json.loads(installed("amgan", "presets", "--json"))
    assert "short/amgan-t" in listed["presets"]
    assert "smoke" in listed["suites"]
    assert "[options]" in installed("amgan", "presets", "short/amgan-t")


def test_quickstart_train_index_and_search(installed: Run) -> None:
    installed(
        *("amgan", "quickstart", "--items", "200", "--epochs", "1"),
        *("--folder", "quick"),
    )
    table = "quick/catalogue/catalogue.csv"
    columns = ("-a", "colour,pattern", "--id", "item_id", "--product", "product")
    installed("amgan", "train", table, *columns, "-c", "short/amgan-t", *TINY)
    assert "200 items in run/gallery" in installed("amgan", "index")
    found = json.loads(
        installed("amgan", "search", "--item", "s0000003", "--set", "colour=black", "--json")
    )
    assert len(found["hits"]) == 12
    assert found["changes"][0]["wanted"] == "black"


def test_the_smoke_suite(installed: Run) -> None:
    installed("amgan", "reproduce", "smoke", "--row", "FCD", "--row", "Random", *TINY)
    report = installed("python", "-c", "print(open('results/smoke/README.md').read())")
    assert "| FCD" in report and "| Random" in report


BLOCK = """
import amgan
catalogue, report = amgan.read_catalogue(
    "tops.csv", attributes=["category", "colour"], image="photo", item_id="sku"
)
run = amgan.train(catalogue, preset="short/amgan-t", out="run-python")  # amgan.Run
run.index(); run.evaluate(protocol="unseen")
searcher = amgan.Searcher.open("run-python/gallery")
result = searcher.search("photo.jpg", {"colour": "black"}, k=12)  # or words="in black"
reading = amgan.read_words("in black, with long sleeves", searcher.schema)
print(len(result.hits), [change.wanted for change in reading.changes], report.kept)
"""
TOPS = """
import csv, shutil, sys
rows = list(csv.DictReader(open("quick/catalogue/catalogue.csv", encoding="utf-8")))[:100]
writer = csv.writer(open("tops.csv", "w", encoding="utf-8", newline=""))
writer.writerow(["sku", "photo", "category", "colour"])
for r in rows:
    place = f"quick/catalogue/{r['image']}"
    writer.writerow([r["item_id"], place, r["category"], r["colour"]])
shutil.copy(f"quick/catalogue/{rows[0]['image']}", "photo.jpg")
"""


def test_the_python_interface(installed: Run) -> None:
    installed("python", "-c", TOPS)
    assert installed("python", "-c", BLOCK) == "12 ['black'] 100\n"
