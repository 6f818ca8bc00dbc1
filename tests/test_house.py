"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from amgan.config import ExperimentConfig, load_config

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "amgan").rglob("*.py"))
# Long for a reason that splitting would not mend; each is told why in its own docstring.
LONG_MODULES: frozenset[str] = frozenset()
LONGEST_MODULE, LONGEST_FUNCTION = 320, 60

HOST = re.compile(r"\b(?:pypi\.org|pythonhosted\.org|download\.pytorch\.org|npmjs\.(?:org|com))\b")
MACHINE_PATH = re.compile(r"(?<![\w.$~-])/(?:work|home|root|Users|mnt|opt)/\w")


def repository_files() -> list[Path]:
    """Files under version control; all files of the checkout where it has no history."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def texts() -> Iterator[tuple[Path, str]]:
    for path in repository_files():
        if path.is_file() and path != Path(__file__):
            try:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


@pytest.mark.parametrize(
    ("what", "pattern"), [("a registry's address", HOST), ("a path of one machine", MACHINE_PATH)]
)
def test_no_file_holds(what: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{path}: {match.group()}" for path, text in texts() for match in pattern.finditer(text)
    ]
    assert not found, f"{what} in {found}"


def test_patterns_find_what_they_look_for() -> None:
    assert HOST.search("index-url = https://pypi.org/simple")  # a test that cannot fail is none
    assert MACHINE_PATH.search('open("/home/me/data.csv")')
    assert not MACHINE_PATH.search("runs/home/x and ~/work/x and $HOME/work")


def test_lock_file_of_uv_is_not_committed() -> None:
    assert ROOT / "uv.lock" not in repository_files()


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    pinned = {normal_name(pin.split("==")[0]) for pin in pins}
    for requirement in wanted:
        name = re.match(r"[\w.-]+", requirement)
        assert name
        assert normal_name(name.group()) in pinned


def normal_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    if path.name not in LONG_MODULES:
        assert text.count("\n") <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_vague_names(path: Path) -> None:
    assert path.stem not in {"utils", "util", "misc", "helpers", "common", "const", "constants"}


@pytest.mark.parametrize("module", ["losses.py", "evaluation/metrics.py"])
def test_pure_rooms_import_only_arrays(module: str) -> None:
    tree = ast.parse((ROOT / "src" / "amgan" / module).read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) <= {"torch", "numpy"}


EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.toml"))


def test_there_are_experiments() -> None:
    assert EXPERIMENTS


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_experiment_resolves(path: Path) -> None:
    assert load_config([path]).to_dict()["method"]


def settings_classes(kind: type) -> Iterator[type]:
    yield kind
    for hint in get_type_hints(kind).values():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            yield from settings_classes(hint)


def option_classes() -> list[type]:
    from amgan.methods.registry import METHODS

    return list(dict.fromkeys(type(entry.options) for entry in METHODS.values()))


@pytest.mark.parametrize(
    "kind", [*settings_classes(ExperimentConfig), *option_classes()], ids=lambda k: k.__name__
)
def test_every_setting_is_documented(kind: Any) -> None:
    documented = set()
    for line in (kind.__doc__ or "").splitlines():
        head = re.match(r"\s+([a-z_]+(?:, [a-z_]+)*): ", line)
        documented |= set(head.group(1).split(", ")) if head else set()
    missing = {field.name for field in dataclasses.fields(kind)} - documented
    assert not missing, f"{kind.__name__} does not say what {sorted(missing)} do"
