"""Settings that come with the package: one TOML file per row of a table, scale, or task.

A preset is named by its place here, without the suffix, such as ``short/amgan-t``. Its first
comment says in one sentence what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from amgan.errors import SettingsError

PRESETS = Path(__file__).parent
SUITES = PRESETS / "suites"
RECIPES = PRESETS / "recipes"
_FORMER = "experiments"  # where these files were before they were part of the package


@dataclass(frozen=True)
class Preset:
    """One file of settings.

    Attributes:
        name: what users write.
        path: the file.
        summary: what it is, in one sentence.
    """

    name: str
    path: Path
    summary: str


def list_presets() -> list[Preset]:
    """Settings of single runs, by name; suites and recipes are apart."""
    files = sorted(PRESETS.rglob("*.toml"))
    return [_read(path, PRESETS) for path in files if not {SUITES, RECIPES} & set(path.parents)]


def list_suites() -> list[Preset]:
    """Suites that `amgan reproduce` knows by name."""
    return [_read(path, SUITES) for path in sorted(SUITES.glob("*.toml"))]


def find_preset(path: Path) -> Path:
    """A TOML file, from wherever it is named: a path, or the name of a preset.

    ``short/amgan-t``, ``short/amgan-t.toml`` and ``experiments/short/amgan-t.toml`` name one file.

    Raises:
        SettingsError: there is no such file.
    """
    name = path.relative_to(_FORMER) if path.parts[:1] == (_FORMER,) else path
    for place in (path, PRESETS / name, PRESETS / f"{name}.toml"):
        if place.is_file():
            return place
    names = ", ".join(preset.name for preset in list_presets())
    raise SettingsError(f"no configuration {str(path)!r}; give a TOML file, or one of {names}")


def find_suite(name: str) -> Path:
    """A suite's file: a path, or the name of one in the package.

    Raises:
        SettingsError: there is no such file.
    """
    for path in (Path(name), SUITES / f"{name}.toml"):
        if path.is_file():
            return path
    known = ", ".join(suite.name for suite in list_suites())
    raise SettingsError(f"no suite {name!r}; give a file, or one of {known}")


def _read(path: Path, folder: Path) -> Preset:
    """A file with the first sentence of the comment that it begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = [line.lstrip("#").strip() for line in takewhile(_is_comment, lines)]
    first, stop, _ = " ".join(comment).partition(". ")
    return Preset(str(path.relative_to(folder).with_suffix("")), path, first + stop.strip())


def _is_comment(line: str) -> bool:
    return line.startswith("#")
