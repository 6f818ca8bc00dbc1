"""The folder a run leaves behind: configuration, logs, pictures, checkpoint, best model."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from amgan.files import replacing, write_text
from amgan.images import Pixels


class RunFolder:
    """Paths and logs of one run.

    config.json (resolved), log.jsonl, tensorboard/, prototypes/, checkpoint.safetensors (to
    resume), model.safetensors (the best so far).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._board: Any = None

    @property
    def checkpoint(self) -> Path:
        """Training state of the last completed step that was saved."""
        return self.folder / "checkpoint.safetensors"

    @property
    def model(self) -> Path:
        """Best model by the validation metric."""
        return self.folder / "model.safetensors"

    @property
    def log_file(self) -> Path:
        """One JSON object a line."""
        return self.folder / "log.jsonl"

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved configuration."""
        write_text(self.folder / "config.json", json.dumps(config, indent=2) + "\n")

    def log(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Append one line to log.jsonl and the same numbers to TensorBoard."""
        record = {"kind": kind, "step": step, "time": round(time.time(), 3), **values}
        with self.log_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        board = self._tensorboard(step)
        for name, value in values.items():
            board.add_scalar(f"{kind}/{name}", value, step)
        board.flush()

    def read_log(self, kind: str) -> list[dict[str, Any]]:
        """All records of one kind, oldest first."""
        if not self.log_file.exists():
            return []
        lines = self.log_file.read_text(encoding="utf-8").splitlines()
        return [record for record in map(json.loads, lines) if record["kind"] == kind]

    def forget_after(self, step: int) -> None:
        """Drop log lines past `step`, and a cut-off last one: a resumed run writes them again."""
        if not self.log_file.exists():
            return
        kept = []
        for line in self.log_file.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            if record["step"] <= step:
                kept.append(line)
        write_text(self.log_file, "".join(f"{line}\n" for line in kept))

    def save_prototypes(self, epoch: int, columns: tuple[Pixels, ...]) -> Path:
        """Write a grid, one query a row: e.g. reference, prototype, target, each (N, H, W, 3)."""
        path = self.folder / "prototypes" / f"epoch-{epoch:03d}.png"
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

            self._board = SummaryWriter(str(self.folder / "tensorboard"), purge_step=step)
        return self._board
