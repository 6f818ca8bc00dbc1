"""Where each file of a run lies; the one place that spells their names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amgan.errors import FileFormatError, InputError


@dataclass(frozen=True)
class RunFolder:
    """The files of one run. Nothing is created or read until it is asked for.

    Attributes:
        path: the folder itself.
    """

    path: Path

    @classmethod
    def of(cls, path: Path) -> RunFolder:
        """The run folder at `path`, or the one that a model file at `path` lies in."""
        return cls(path.parent if path.is_file() else path)

    @property
    def config(self) -> Path:
        """The resolved configuration, JSON."""
        return self.path / "config.json"

    @property
    def catalogue(self) -> Path:
        """Folder of the catalogue's table, where the run was trained on one in memory."""
        return self.path / "catalogue"

    @property
    def triplets(self) -> Path:
        """The triplets of all splits, JSON lines."""
        return self.path / "triplets.jsonl"

    @property
    def log(self) -> Path:
        """What was measured while training, one JSON object per line."""
        return self.path / "log.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Folder of the same numbers for TensorBoard."""
        return self.path / "tensorboard"

    @property
    def prototypes(self) -> Path:
        """Folder of the grids of prototypes, one picture per validated epoch."""
        return self.path / "prototypes"

    @property
    def checkpoint(self) -> Path:
        """Training state of the last completed step that was saved, to resume from."""
        return self.path / "checkpoint.safetensors"

    @property
    def model(self) -> Path:
        """Best model by the validation metric."""
        return self.path / "model.safetensors"

    @property
    def gallery(self) -> Path:
        """Folder of the gallery that `amgan index` writes where no other is named."""
        return self.path / "gallery"

    @property
    def evaluation(self) -> Path:
        """Folder of evaluation reports."""
        return self.path / "evaluation"

    @property
    def picture(self) -> Path:
        """Whether the picture counts in the best model's ranking of the validation items, JSON."""
        return self.path / "picture.json"

    @property
    def calibration(self) -> Path:
        """Folder of calibration reports."""
        return self.path / "calibration"

    def read_config(self) -> dict[str, Any]:
        """The resolved configuration.

        Raises:
            InputError: not a run folder.
        """
        if not self.config.is_file():
            raise InputError(
                f"{self.path}: not a run folder (no {self.config.name})", file=self.path
            )
        try:
            values = json.loads(self.config.read_text(encoding="utf-8"))
        except ValueError as error:
            message = f"{self.config}: not readable as JSON ({error})"
            raise FileFormatError(message, file=self.config) from None
        if not isinstance(values, dict):
            raise FileFormatError(f"{self.config}: not the settings of a run", file=self.config)
        return values
