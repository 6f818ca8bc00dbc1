from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from amgan.devices import choose_compute
from amgan.methods import compiled
from amgan.methods.compiled import (
    compile_network,
    compiled_file,
    convert_apart,
    holds_compiled,
    load_compiled,
    save_compiled,
    weights_digest,
)
from amgan.methods.model_file import load_model, save_model
from amgan.methods.trained import TrainedModel

pytest.importorskip("openvino")
COMPUTE = choose_compute("cpu", "fp32")
EXAMPLES = [torch.zeros(2, 4), torch.zeros(2, 3)]


class Sum(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.left, self.right = nn.Linear(4, 5), nn.Linear(3, 5)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        both = self.left(left) + self.right(right)
        return both, both.relu()


def test_a_network_of_any_inputs_and_outputs_is_kept_and_read(tmp_path: Path) -> None:
    network, file = Sum().eval(), tmp_path / "sum.compiled"
    tag = weights_digest(network)
    save_compiled(file, network, EXAMPLES, tag)
    read, here = load_compiled(file, tag, COMPUTE), compile_network(network, EXAMPLES, COMPUTE)
    assert read is not None
    rng = np.random.default_rng(0)
    for rows in (1, 2, 7):
        inputs = [rng.normal(size=(rows, size)).astype(np.float32) for size in (4, 3)]
        with torch.no_grad():
            expected = network(*map(torch.from_numpy, inputs))
        for made in (read(*inputs), here(*inputs)):
            assert len(made) == 2
            for ours, theirs in zip(made, expected, strict=True):
                torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_what_is_damaged_or_of_another_network_is_not_taken(tmp_path: Path) -> None:
    network, file = Sum().eval(), tmp_path / "sum.compiled"
    tag, other = weights_digest(network), weights_digest(Sum(1))
    assert tag != other
    assert load_compiled(file, tag, COMPUTE) is None
    save_compiled(file, network, EXAMPLES, tag)
    assert holds_compiled(file, tag) and not holds_compiled(file, other)
    assert load_compiled(file, other, COMPUTE) is None
    content = file.read_bytes()
    for place in (0, len(content) // 2, len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 1
        file.write_bytes(bytes(damaged))
        assert load_compiled(file, tag, COMPUTE) is None, place
    file.write_bytes(content[:-10])
    assert load_compiled(file, tag, COMPUTE) is None


def test_reading_converts_nothing(
    shape_model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "model.safetensors"
    save_model(file, shape_model.method, shape_model.description)
    shape_model.save_compiled(compiled_file(file))

    def refuse(*_: Any) -> None:
        raise AssertionError("converted")

    monkeypatch.setattr(compiled, "_convert", refuse)
    model = load_model(file, "cpu")
    model.compile()
    assert model._compiled is not None
    copied = tmp_path / "copy.compiled"
    model.save_compiled(copied)
    assert copied.read_bytes() == compiled_file(file).read_bytes()
    assert load_model(file, "cpu").load_compiled()
    compiled_file(file).unlink()
    assert not load_model(file, "cpu").load_compiled()


def test_another_process_converts(shape_model: TrainedModel, tmp_path: Path) -> None:
    file, made = tmp_path / "model.safetensors", tmp_path / "made"
    save_model(file, shape_model.method, shape_model.description)
    assert convert_apart(file, made)
    assert load_model(file, "cpu").load_compiled(made)
    assert not convert_apart(tmp_path / "none.safetensors", tmp_path / "other")
