"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from amgan.config import ExperimentConfig, load_config
from amgan.presets import PRESETS, RECIPES, find_preset, find_suite, list_presets, list_suites
from amgan.reproduction.suite import load_suite

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "amgan").rglob("*.py"))
CLI = ROOT / "src" / "amgan" / "cli"
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60  # the house says about 300, and 50

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
        f"{path}: {match.group()}"
        for path, text in texts()
        for match in pattern.finditer(text)
        # What is installed on a server has its place there.
        if not (path.parts[0] == "deploy" and match.group().startswith("/opt/"))
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
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
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
    assert text.count("\n") <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert lines_of_code(node) <= LONGEST_FUNCTION, node.name


def lines_of_code(function: ast.FunctionDef) -> int:
    """Lines of the body, without signature and docstring."""
    first, *rest = function.body
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    body = rest if is_docstring else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


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


POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_modules_can_be_imported_on_windows(path: Path) -> None:
    tree = ast.parse(path.read_text())
    guarded = {
        node
        for parent in ast.walk(tree)
        if isinstance(parent, ast.Try | ast.FunctionDef)
        for node in ast.walk(parent)
    }
    imported: set[str] = set()
    for node in ast.walk(tree):
        if node in guarded:
            continue
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert not imported & POSIX_ONLY


ALL_FILES = sorted(set(PRESETS.rglob("*.toml")) - set(RECIPES.glob("*.toml")))
SUITES = [path for path in ALL_FILES if path.parent.name == "suites"]
PRESET_FILES = [path for path in ALL_FILES if "suites" not in path.parts]


def test_there_are_presets() -> None:
    assert PRESET_FILES


@pytest.mark.parametrize("path", PRESET_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_preset_resolves(path: Path) -> None:
    assert load_config([path]).to_dict()["method"]


def test_every_preset_says_in_one_line_what_it_is() -> None:
    listed = [*list_presets(), *list_suites()]
    assert {preset.path for preset in list_presets()} == set(PRESET_FILES)
    assert {suite.path for suite in list_suites()} == set(SUITES)
    for preset in listed:
        assert 10 < len(preset.summary) < 120 and preset.summary.endswith("."), preset.name
        again = find_suite(preset.name) if preset.path in SUITES else find_preset(Path(preset.name))
        assert again == preset.path


def test_help_and_docs_name_presets_that_exist() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for path in [*SOURCES, *pages]:
        for name in re.findall(r" -c ([\w-]+/[\w-]+)\b(?![./])", path.read_text()):
            assert find_preset(Path(name)).is_file()
    suites = re.findall(r'"amgan reproduce ([\w-]+)', (CLI / "reproduce.py").read_text())
    assert suites and {path.stem for path in SUITES} >= set(suites)


@pytest.mark.parametrize("path", SUITES, ids=lambda p: p.name)
def test_suite_resolves(path: Path) -> None:
    suite = load_suite(path)
    for row in suite.rows:
        assert suite.row_config(row).to_dict()["method"]


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
    documented: set[str] = set()
    texts = [parent.__doc__ or "" for parent in kind.__mro__]
    for line in "\n".join(texts).splitlines():
        head = re.match(r"\s+([a-z_]+(?:, [a-z_]+)*): ", line)
        documented |= set(head.group(1).split(", ")) if head else set()
    missing = {field.name for field in dataclasses.fields(kind)} - documented
    assert not missing, f"{kind.__name__} does not say what {sorted(missing)} do"


def rows_of_paper_map() -> list[tuple[str, str]]:
    lines = (ROOT / "docs" / "paper_map.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "`" in line]
    return [(code.strip("`"), test.strip("`")) for _, code, test in filter(is_row, cells)]


def is_row(cells: list[str]) -> bool:
    return len(cells) == 3


def test_paper_map_covers_every_equation() -> None:
    text = (ROOT / "docs" / "paper_map.md").read_text()
    named: set[int] = set()
    for first, last in re.findall(r"Eq\. (\d+)(?:(?:-| and )(\d+))?", text):
        named |= {int(first), int(last or first)}
    assert set(range(1, 15)) <= named


@pytest.mark.parametrize(("code", "test"), rows_of_paper_map())
def test_paper_map_names_what_exists(code: str, test: str) -> None:
    parts = code.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(["amgan", *parts[:length]]))
            break
        except ModuleNotFoundError:
            continue
    for name in parts[length:]:
        found = getattr(found, name)
    file, _, function = test.partition("::")
    text = (ROOT / "tests" / file).read_text()
    assert not function or f"def {function}(" in text


def test_architecture_shows_the_layers_that_are_checked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (c for c in settings["contracts"] if c["id"] == "layers")
    layers = [re.sub(r"[()]", "", layer) for layer in contract["layers"]]
    text = (ROOT / "docs" / "architecture.md").read_text()
    shown = text.partition("## Layers")[2].split("```")[1].split("\n")
    assert [line for line in shown if line] == [name for name in layers if name != "__main__"]


def test_every_room_is_described() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for path in (ROOT / "src" / "amgan").iterdir():
        if not path.name.startswith("_") and path.suffix in ("", ".py"):
            assert f"| `{path.stem}` |" in text, path.name
