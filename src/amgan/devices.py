"""Which device to compute on, and in which precision."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import nn

from amgan.errors import InputError

Precision = Literal["auto", "bf16", "fp32"]
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Compute:
    """Where and how networks run.

    Attributes:
        device: torch device.
        bfloat16: whether matrix products run in bfloat16 under autocast.
        channels_last: memory layout of pictures and convolutions.
    """

    device: torch.device
    bfloat16: bool
    channels_last: bool

    @property
    def memory_format(self) -> torch.memory_format:
        """Layout for `Tensor.to`."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def place(self, module: Module) -> Module:
        """`module`, moved to the device and laid out for it."""
        moved: Module = module.to(self.device, memory_format=self.memory_format)  # type: ignore[call-overload]
        return moved

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Context in which networks are called."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)


def choose_compute(device: str = "auto", precision: Precision = "auto") -> Compute:
    """Pick device and precision.

    `auto` takes a GPU where there is one, and bfloat16 where the hardware multiplies it (a GPU that
    says so; a CPU with AVX512-BF16 or AMX). Elsewhere it is float32.

    Raises:
        ValueError: a device that torch does not know or this machine does not have.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise InputError(f"unknown device {device!r}; use auto, cpu, cuda or cuda:N") from None
    if chosen.type not in {"cpu", "cuda"}:
        raise InputError(f"unknown device {device!r}; use auto, cpu, cuda or cuda:N")
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device {device!r} was asked for, but this machine has no usable GPU")
    supported = (
        torch.cuda.is_bf16_supported() if chosen.type == "cuda" else _cpu_multiplies_bfloat16()
    )
    return Compute(chosen, supported if precision == "auto" else precision == "bf16", True)


def _cpu_multiplies_bfloat16() -> bool:
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, check, bool)()) for check in checks)
