"""A run that allows no skip ends with 1 when something is skipped; what needs a browser says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SKIPS = """
import pytest

@pytest.fixture
def browser():
    raise AssertionError("not to be started")

@pytest.fixture
def page(browser):
    return browser

def test_of_a_page(page):
    pass

def test_of_nothing():
    pass
"""


def run(folder: Path, *options: str, path: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(SKIPS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: needs Chromium\n")
    command = [sys.executable, "-m", "pytest", "-p", "skips", "-p", "no:cacheprovider", "-ra"]
    environment = {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTEST_ADDOPTS": "",
    }
    return subprocess.run(
        [*command, *options, "."], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--fail-on-skip",), 1)])
def test_without_chromium_page_tests_are_skipped_and_named(
    tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    done = run(tmp_path, *options, path=str(tmp_path))
    assert done.returncode == code, done.stdout + done.stderr
    assert "1 passed, 1 skipped" in done.stdout
    assert "needs chromium: apt-get install chromium" in done.stdout


def test_no_skip_is_no_failure(tmp_path: Path) -> None:
    done = run(tmp_path, "--fail-on-skip", "-m", "not browser", path=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 1 deselected" in done.stdout
