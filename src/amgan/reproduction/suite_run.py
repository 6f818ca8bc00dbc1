"""Where a suite runs, and the catalogue, pictures and queries of its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from amgan.catalogue.studio import write_studio_catalogue
from amgan.config import ExperimentConfig
from amgan.errors import InputError
from amgan.progress import track
from amgan.queries import Triplets, assign_folds, sample_triplets
from amgan.reproduction.suite import RowSpec, Suite
from amgan.workflows.data import (
    ExperimentData,
    choose_triplets,
    decode_pictures,
    load_catalogue,
)


@dataclass(frozen=True)
class SuiteRun:
    """Where a suite runs.

    Attributes:
        suite: what to do.
        folder: results.
        overrides: key=value, over every other setting.
    """

    suite: Suite
    folder: Path
    overrides: tuple[str, ...] = ()

    def row_folder(self, row: RowSpec, fold: int | None) -> Path:
        """Run folder of a row, in one fold of a cross-validation."""
        folder = self.folder / "rows" / row.slug
        return folder if fold is None else folder / f"fold-{fold}"

    @property
    def fold_numbers(self) -> tuple[int | None, ...]:
        """The folds, or None alone without cross-validation."""
        return tuple(range(self.suite.folds)) if self.suite.folds else (None,)


def prepare_suite_run(suite: Suite, folder: Path, overrides: Sequence[str] = ()) -> SuiteRun:
    """Make the folder, and render the suite's garments where it brings no catalogue."""
    settings = list(overrides)
    if suite.studio is not None and not any(s.startswith("catalogue.path") for s in overrides):
        studio = suite.studio
        table = write_studio_catalogue(
            folder / "catalogue",
            studio.items,
            studio.seed,
            height=studio.side,
            width=studio.side,
            progress=track,
        )
        settings.append(f"catalogue.path={json.dumps(str(table))}")
    folder.mkdir(parents=True, exist_ok=True)
    return SuiteRun(suite, folder, tuple(settings))


class SuiteData:
    """Catalogue, pictures and queries, read once for all rows that share them."""

    def __init__(self, suite_run: SuiteRun) -> None:
        self._suite_run = suite_run
        self._loaded: dict[str, ExperimentData] = {}
        self._more: dict[str, Triplets] = {}

    def of_row(self, config: ExperimentConfig, fold: int | None) -> ExperimentData:
        """What a row trains on.

        Raises:
            ValueError: no usable catalogue, or a triplet file together with folds.
        """
        values = config.to_dict()
        key = json.dumps([values["catalogue"], values["images"], values["triplets"], fold])
        if key not in self._loaded:
            if len(self._loaded) >= 2:  # pictures are memory-mapped, triplets are small
                self._loaded.pop(next(iter(self._loaded)))
            self._loaded[key] = self._load(config, fold)
        return self._loaded[key]

    def tests(self, config: ExperimentConfig, fold: int | None) -> dict[str, ExperimentData]:
        """Test queries by name, on the row's pictures and the suite's triplets."""
        suite = self._suite_run.suite
        common = suite.common_config(self._suite_run.overrides)
        data = self.of_row(replace(config, triplets=common.triplets), fold)
        tests = {"queries": data}
        most = suite.more_changes or data.catalogue.schema.num_attributes
        if most > 1:
            tests["more"] = replace(data, triplets=self._draw_more(data, most))
        return tests

    def _draw_more(self, data: ExperimentData, most: int) -> Triplets:
        """Test triplets with 1 to `most` changes, evenly."""
        key = data.digest
        if key not in self._more:
            drawn = sample_triplets(
                data.catalogue,
                seed=data.triplets.seed,
                changes=(1, most),
                per_item={s: int(s == "test") for s in data.catalogue.splits if s},
                balance_changes=True,
            )
            self._more[key] = drawn.in_split("test")
        return self._more[key]

    def _load(self, config: ExperimentConfig, fold: int | None) -> ExperimentData:
        catalogue, report = load_catalogue(config.catalogue, check_pictures=False)
        if fold is not None:
            if config.triplets.path:
                raise InputError("triplets.path fixes the splits: it cannot be used with folds")
            catalogue = assign_folds(catalogue, folds=self._suite_run.suite.folds, fold=fold)
        catalogue, pixels, report = decode_pictures(config, catalogue, report)
        triplets: Triplets = choose_triplets(config.triplets, catalogue)
        return ExperimentData(catalogue, pixels, triplets, report)
