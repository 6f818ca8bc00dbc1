"""The loop: resuming, interruption, divergence, several processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from amgan.errors import FileFormatError
from amgan.methods.method import TrainingBatch
from amgan.training.loop import Trainer
from amgan.training.loss_log import TrainingDivergedError
from amgan.training.run_log import read_log

HERE = Path(__file__).parent
METHODS = ("amgan-p", "amgan-t", "posterior")


@pytest.fixture
def tiny_trainer() -> Callable[..., Trainer]:
    sys.path.insert(0, str(HERE))
    try:
        import tiny_run
    finally:
        sys.path.remove(str(HERE))
    torch.set_num_threads(1)
    trainer: Callable[..., Trainer] = tiny_run.tiny_trainer
    return trainer


def losses(trainer: Trainer) -> list[dict[str, float]]:
    ignored = {"time", "images_per_second"}
    return [
        {name: value for name, value in record.items() if name not in ignored}
        for record in read_log(trainer.log.folder, "train")
    ]


def start(folder: Path, method: str, epochs: int, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "tiny_run.py"), str(folder), method, str(epochs)]
    return subprocess.Popen(command, env={**os.environ, **environment})


@pytest.mark.parametrize("method", METHODS)
def test_a_run_killed_at_any_moment_continues_as_if_nothing_had_happened(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer], method: str
) -> None:
    whole = tiny_trainer(tmp_path / "whole", method, epochs=20)
    whole.train()
    process = start(tmp_path / "killed", method, 20)
    log = tmp_path / "killed" / "log.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if log.exists() and log.read_text().count("\n") >= 5:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL
    resumed = tiny_trainer(tmp_path / "killed", method, epochs=20)
    assert 0 < len(losses(resumed)) < len(losses(whole))
    resumed.train()
    assert losses(resumed) == losses(whole)
    for name, value in whole.method.state_dict().items():
        assert torch.equal(value, resumed.method.state_dict()[name]), name


def test_ctrl_c_saves_and_a_second_call_finishes(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    whole = tiny_trainer(tmp_path / "whole", epochs=3)
    whole.train()
    trainer = tiny_trainer(tmp_path / "stopped", epochs=3, checkpoint_seconds=1e9)
    original = trainer.method.losses

    def interrupted(phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        if phase == "generator" and trainer.progress.epoch == 1 and trainer.progress.step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        terms: dict[str, Tensor] = original(phase, batch)
        return terms

    trainer.method.losses = interrupted
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert (trainer.progress.epoch, trainer.progress.step) == (1, 3)
    again = tiny_trainer(tmp_path / "stopped", epochs=3)
    again.train()
    assert losses(again) == losses(whole)


def test_a_finished_run_is_not_trained_again(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    tiny_trainer(tmp_path).train()
    before = (tmp_path / "log.jsonl").read_bytes()
    assert tiny_trainer(tmp_path).train().epoch == 2
    assert (tmp_path / "log.jsonl").read_bytes() == before


def test_a_checkpoint_of_another_configuration_is_refused(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    tiny_trainer(tmp_path).train()
    other = tiny_trainer(tmp_path)
    other.fingerprint = "other"
    with pytest.raises(ValueError, match="another configuration, catalogue or triplet file"):
        other.train()


def test_a_damaged_checkpoint_is_refused(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    tiny_trainer(tmp_path).train()
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:200])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        tiny_trainer(tmp_path).train()


def test_a_loss_that_is_not_finite_names_step_term_and_items(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    trainer = tiny_trainer(tmp_path)
    with torch.no_grad():
        trainer.method.generator.decoder[2].weight.fill_(float("nan"))
    with pytest.raises(TrainingDivergedError, match=r"metric is nan at epoch 0, step 0.*item-\d"):
        trainer.train()


def test_a_term_without_a_weight_is_refused(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    trainer = tiny_trainer(tmp_path, "posterior")
    original = trainer.method.losses

    def extra(phase: str, batch: TrainingBatch) -> dict[str, Any]:
        return {**original(phase, batch), "surprise": torch.zeros(())}

    trainer.method.losses = extra
    with pytest.raises(ValueError, match="surprise"):
        trainer.train()


def test_only_the_phases_modules_move(tmp_path: Path, tiny_trainer: Callable[..., Trainer]) -> None:
    trainer = tiny_trainer(tmp_path)
    before = {k: v.clone() for k, v in trainer.method.state_dict().items()}
    from amgan.training.data import BatchRequest

    batch = trainer.batches.batch(BatchRequest(0, 0), trainer.compute)
    trainer._take_step(trainer.phases[1], batch)
    after = trainer.method.state_dict()
    moved = {name.split(".")[0] for name in after if not torch.equal(after[name], before[name])}
    assert moved == {"generator"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    port = str(free_port())
    processes = [
        start(
            tmp_path / f"rank{rank}" if rank else tmp_path / "first",
            "amgan-t",
            2,
            RANK=str(rank),
            WORLD_SIZE="2",
            MASTER_ADDR="127.0.0.1",
            MASTER_PORT=port,
        )
        for rank in range(2)
    ]
    for process in processes:
        assert process.wait(timeout=120) == 0
    first = load_file(tmp_path / "first" / "checkpoint.safetensors")
    assert not (tmp_path / "rank1" / "checkpoint.safetensors").exists()
    assert all(torch.isfinite(value.float()).all() for value in first.values())


def test_a_damaged_checkpoint_is_refused_with_its_name(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    trainer = tiny_trainer(tmp_path, "posterior", epochs=1)
    trainer.train()
    file = trainer.log.folder.checkpoint
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"not a readable checkpoint \(damaged.*remove it"):
        tiny_trainer(tmp_path, "posterior", epochs=2).train()


def test_what_killed_processes_left_is_removed_at_the_start(
    tmp_path: Path, tiny_trainer: Callable[..., Trainer]
) -> None:
    (tmp_path / "prototypes").mkdir()
    for name in (
        ".checkpoint.safetensors.abcd1234.safetensors",
        ".model.safetensors.abcd1234.safetensors",
        "prototypes/.epoch-001.png.abcd1234.png",
    ):
        (tmp_path / name).write_bytes(b"half")
    tiny_trainer(tmp_path, "posterior", epochs=1).train()
    assert [path.name for path in tmp_path.rglob(".*")] == []
