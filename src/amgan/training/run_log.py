"""What a run writes while it trains: configuration, numbers, pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from amgan.errors import FileFormatError
from amgan.files import naming, remove_leftovers, replacing, write_text
from amgan.images import Pixels
from amgan.run_folder import RunFolder


class RunLog:
    """Writes the configuration, the numbers and the prototypes of one run.

    Args:
        folder: where; made where it is missing.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        folder.path.mkdir(parents=True, exist_ok=True)
        self._board: Any = None

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved configuration."""
        write_text(self.folder.config, json.dumps(config, indent=2) + "\n")

    def write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Append one line to log.jsonl and the same numbers to TensorBoard."""
        with naming(self.folder.log):
            self._write(kind, step, values)

    def _write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        record = {"kind": kind, "step": step, "time": round(time.time(), 3), **values}
        with self.folder.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        board = self._tensorboard(step)
        for name, value in values.items():
            board.add_scalar(f"{kind}/{name}", value, step)
        board.flush()

    def remove_leftovers(self) -> None:
        """Remove the temporary files that an earlier process left when it was killed."""
        folder = self.folder
        for file in (folder.checkpoint, folder.model):
            remove_leftovers(file)
        for leftover in folder.prototypes.glob(".epoch-*"):
            leftover.unlink(missing_ok=True)

    def forget_after(self, step: int) -> None:
        """Drop log lines past `step`, and a cut-off last one: a resumed run writes them again."""
        if not self.folder.log.exists():
            return
        kept = []
        for line in self.folder.log.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            if record["step"] <= step:
                kept.append(line)
        write_text(self.folder.log, "".join(f"{line}\n" for line in kept))

    def save_prototypes(self, epoch: int, columns: tuple[Pixels, ...]) -> Path:
        """Write a grid, one query a row: e.g. reference, prototype, target, each (N, H, W, 3)."""
        path = self.folder.prototypes / f"epoch-{epoch:03d}.png"
        grid = np.concatenate([np.concatenate(list(column), axis=0) for column in columns], axis=1)
        with replacing(path) as temporary:
            Image.fromarray(grid).save(temporary)
        return path

    def close(self) -> None:
        """Close the TensorBoard writer."""
        if self._board is not None:
            self._board.close()
            self._board = None

    def _tensorboard(self, step: int) -> Any:
        if self._board is None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self.folder.tensorboard), purge_step=step)
        return self._board


def read_log(folder: RunFolder, kind: str) -> list[dict[str, Any]]:
    """All records of one kind that a run has written, oldest first.

    Raises:
        FileFormatError: a line that is not a record.
    """
    if not folder.log.exists():
        return []
    records = []
    for number, line in enumerate(folder.log.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            if record["kind"] == kind:
                records.append(record)
        except (ValueError, KeyError, TypeError):
            message = f"{folder.log}, line {number}: not a record of a training run"
            raise FileFormatError(message, file=folder.log, row=number) from None
    return records
