"""A suite: the rows of one comparison, read from a TOML file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import TypeAdapter, ValidationError

from amgan.config import ExperimentConfig, load_config, refuse_unknown_keys
from amgan.errors import InputError, SettingsError
from amgan.evaluation.report import Protocol
from amgan.files import read_toml
from amgan.reproduction.published import Dataset

Kind = Literal["ours", "ablation", "baseline", "reference"]


@dataclass(frozen=True)
class RowSpec:
    """One row of the tables.

    Attributes:
        name: as it stands in tables; a name of the paper gets the paper's figures beside it.
        experiment: file name, without suffix, of an experiment in the folder above the suite's;
            empty for a ranker without one.
        kind: `ours` and `ablation` are compared with the best `baseline`; a `reference` is shown
            beside them and takes no part.
        settings: key=value, over the suite's.
        as_published: the row deviates from the suite's common budget, and says so.
    """

    name: str
    experiment: str = ""
    kind: Kind = "baseline"
    settings: tuple[str, ...] = ()
    as_published: str = ""

    @property
    def slug(self) -> str:
        """Folder name."""
        return "".join(c if c.isalnum() else "-" for c in self.name.lower()).strip("-")


@dataclass(frozen=True)
class StudioSpec:
    """Garments to render where a suite brings no catalogue.

    Attributes:
        items: how many.
        seed: of the garments.
        side: height and width of the pictures in pixels.
    """

    items: int = 1500
    seed: int = 0
    side: int = 96


@dataclass(frozen=True)
class TimingSpec:
    """How Table 4 is measured.

    Attributes:
        gallery: vectors that are ranked.
        queries: asked one after the other.
    """

    gallery: int = 50_000
    queries: int = 200


@dataclass(frozen=True)
class Suite:
    """Everything that decides what `amgan reproduce` does.

    Attributes:
        name, title: what it is called.
        rows: the rows in the order of the tables.
        configs: configuration files under every row, relative to the folder above the suite's.
        settings: key=value, for every row.
        row_settings: key=value for all rows and not for the queries they are tested on.
        method_settings: key=value for rows by the beginning of their method's name, such as amgan;
            over `settings`, under the row's own.
        studio: garments to render; None where the settings name a catalogue.
        protocols: galleries to rank.
        more_changes: also ask for 1 to this many changes, evenly; 0 for all attributes, 1 for not.
        folds: 0 for the catalogue's split, else cross-validation.
        significance: pairs of the tests, single queries or means of folds.
        published: the dataset whose published figures stand beside ours.
        timing: Table 4.
        cases: queries on the picture sheets.
        judge: train an attribute classifier apart, to judge prototypes.
    """

    name: str
    title: str
    rows: tuple[RowSpec, ...]
    configs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    row_settings: tuple[str, ...] = ()
    method_settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    studio: StudioSpec | None = None
    protocols: tuple[Protocol, ...] = ("unseen", "paper")
    more_changes: int = 0
    folds: int = 0
    significance: Literal["queries", "folds"] = "queries"
    published: tuple[Dataset, ...] = ("Shopping100K", "DARN")
    timing: TimingSpec = field(default_factory=TimingSpec)
    cases: int = 6
    judge: bool = True
    folder: Path = Path()

    NOT_SETTINGS: ClassVar[tuple[str, ...]] = ("folder", "NOT_SETTINGS")

    def __post_init__(self) -> None:
        if not self.rows:
            raise InputError(f"suite {self.name!r} has no rows")
        for part in ("name", "slug"):
            names = [getattr(row, part) for row in self.rows]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise InputError(f"suite {self.name!r} has row {twice[0]!r} twice")
        if self.folds == 1 or self.folds < 0:
            raise InputError(f"folds = {self.folds}: 0 for none, or at least 2")
        if self.significance == "folds" and self.folds < 2:
            raise InputError("significance over folds needs folds = 2 or more")

    def protocols_of(self, test: str) -> tuple[Protocol, ...]:
        """Galleries to rank in a test; more changes are asked for under the first only."""
        return self.protocols if test == "queries" else self.protocols[:1]

    def row_config(self, row: RowSpec, overrides: Sequence[str] = ()) -> ExperimentConfig:
        """A row's configuration: the suite's files and settings, the row's, then `overrides`.

        A later one wins over an earlier one.

        Raises:
            ValueError: a file or setting that cannot be read.
        """
        above = self.folder.parent
        paths = [above / name for name in self.configs]
        if row.experiment:
            paths.append(above / f"{row.experiment}.toml")
        common = [*self.settings, *self.row_settings]
        method = load_config(paths, [*common, *row.settings, *overrides]).method
        family = [
            setting
            for beginning, settings in self.method_settings.items()
            if method.startswith(beginning)
            for setting in settings
        ]
        return load_config(paths, [*common, *family, *row.settings, *overrides])

    def common_config(self, overrides: Sequence[str] = ()) -> ExperimentConfig:
        """What all rows share: catalogue, pictures and the queries they are tested on."""
        paths = [self.folder.parent / name for name in self.configs]
        return load_config(paths, [*self.settings, *overrides])

    def select(self, names: Sequence[str]) -> Suite:
        """The suite with some of its rows, by name or slug.

        Raises:
            ValueError: a row that the suite does not have.
        """
        known = {key: row for row in self.rows for key in (row.name, row.slug)}
        for name in names:
            if name not in known:
                raise InputError(
                    f"suite {self.name!r} has no row {name!r}; "
                    f"its rows are {', '.join(row.name for row in self.rows)}"
                )
        chosen = {known[name].name for name in names}
        return dataclasses.replace(self, rows=tuple(row for row in self.rows if row.name in chosen))


def load_suite(path: Path, **changes: Any) -> Suite:
    """Read a suite; one that `extends` another takes from it what it does not say itself.

    Args:
        path: TOML file.
        changes: fields to set instead.

    Raises:
        ValueError: not such a file, an unknown key, a wrong value, or a row that does not load.
    """
    values = {**_read_extended(path), **changes}
    refuse_unknown_keys(Suite, values, file=path)
    if isinstance(values.get("studio"), Mapping):
        refuse_unknown_keys(StudioSpec, values["studio"], "studio.", path)
    for row in values.get("rows", ()):
        refuse_unknown_keys(RowSpec, row, "rows.", path)
    try:
        suite = TypeAdapter(Suite).validate_python({**values, "folder": path.parent})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"{path}: {place}: {first['msg']}, not {first['input']!r}"
        raise SettingsError(message, field=place, file=path) from None
    for row in suite.rows:
        try:
            suite.row_config(row)
        except InputError as error:
            message = f"{path}: row {row.name!r}: {error}"
            raise SettingsError(message, field=error.field, file=path, row=row.name) from None
    return suite


def _read_extended(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A suite's keys over those of the file that it extends, and so on; its name is its own."""
    if path in above:
        raise InputError(f"{path}: extends itself")
    values = {"name": path.stem, **read_toml(path)}
    if "extends" in values:
        base = _read_extended(path.parent / str(values.pop("extends")), (*above, path))
        values = {**base, **values}
    return values
