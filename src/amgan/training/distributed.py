"""Several processes as one: gradients are averaged, buffers follow the first process."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Processes:
    """This process's number and how many there are."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process logs, validates and saves."""
        return self.rank == 0


def join_processes(device_type: str) -> Processes:
    """Join the processes that torchrun started, if it did.

    Args:
        device_type: `cuda` talks through NCCL, anything else through gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes()
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device_type == "cuda" else "gloo")
    return Processes(distributed.get_rank(), distributed.get_world_size())


def average_gradients(parameters: Iterable[nn.Parameter], processes: Processes) -> None:
    """Replace each gradient by its mean over processes; one message for all of them."""
    if processes.world == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= processes.world
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view(gradient.shape))


def share_state(method: nn.Module, processes: Processes, *, parameters: bool) -> None:
    """Copy the first process's buffers to all processes, and its parameters if asked.

    Without parameters it is what a step changed: buffers of modules in evaluation mode stand still.
    """
    if processes.world == 1:
        return
    if parameters:
        tensors = [*method.buffers(), *method.parameters()]
    else:
        moving = (module for module in method.modules() if module.training)
        tensors = [buffer for module in moving for buffer in module.buffers(recurse=False)]
    for tensor in tensors:
        distributed.broadcast(tensor.data, src=0)


def wait_for_all(processes: Processes) -> None:
    """Return when every process has come here."""
    if processes.world > 1:
        distributed.barrier()
