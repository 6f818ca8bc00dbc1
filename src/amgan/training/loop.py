"""The one training loop, for every method."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from amgan.devices import Compute, Precision, choose_compute
from amgan.errors import InputError, SettingsError
from amgan.methods.method import LabelledBatch, Method, Minibatch, Phase
from amgan.models.trunk import Trunk
from amgan.progress import Bar, progress_bar
from amgan.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from amgan.training.data import Batches, BatchRequest
from amgan.training.distributed import (
    Processes,
    average_gradients,
    join_processes,
    share_state,
    wait_for_all,
)
from amgan.training.interrupts import stop_requests
from amgan.training.loss_log import LossLog
from amgan.training.run_log import RunLog


@dataclass(frozen=True)
class TrainingConfig:
    """How to train. Optimiser, learning rate and batch size default to the paper's (section 4.1).

    Attributes:
        epochs: passes over the training triplets.
        batch_size: triplets a step, over all processes.
        learning_rate: Adam's.
        betas: Adam's moment decays.
        schedule: `constant` (the paper), or `cosine` down to zero at the last step.
        warmup_steps: first steps, over which the learning rate rises from next to nothing.
        seed: of weights, order, positives, negatives and flips.
        flip: mirror each training picture with probability 1/2.
        variants: share of each minibatch drawn among the variants of products, which are exact
            answers where a product is always photographed alike (`amgan-edit` compares their
            pixels); 0 draws triplets only.
        device: auto, cpu, cuda or cuda:N.
        precision: auto, bf16 or fp32.
        metric: validation metric that chooses the best model; larger is better.
        validate_every: epochs between validations.
        checkpoint_seconds: time between checkpoints within an epoch.
        log_every: steps between log lines.
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = 0
    seed: int = 0
    flip: bool = True
    variants: float = 0.0
    device: str = "auto"
    precision: Precision = "auto"
    metric: str = "top@10"
    validate_every: int = 1
    checkpoint_seconds: float = 120.0
    log_every: int = 20

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate", "validate_every", "log_every"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"training.{name} must be positive, not {getattr(self, name)}")
        if not 0 <= self.variants <= 1:
            raise SettingsError(f"training.variants must be from 0 to 1, not {self.variants}")
        for name in ("seed", "warmup_steps"):
            if getattr(self, name) < 0:
                raise SettingsError(f"training.{name} must be 0 or more, not {getattr(self, name)}")


@dataclass
class Trainer:
    """Trains one method in one run folder.

    Attributes:
        method: an `nn.Module` that satisfies `methods.protocol.Method`.
        batches: of triplets, or of labelled pictures where the method learns from those.
        config: how to train.
        log: where numbers go; the checkpoint lies in its run folder.
        fingerprint: identifies configuration and data; a checkpoint of another one is refused.
        validate: metrics on validation data, called in evaluation mode; None trains without.
        save_model: writes the best model.
        preview: writes a grid of prototypes for the given epoch.
    """

    method: Method
    batches: Batches
    config: TrainingConfig
    log: RunLog
    fingerprint: str
    save_model: Callable[[], None]
    validate: Callable[[], Mapping[str, float]] | None = None
    preview: Callable[[int], None] | None = None

    def __post_init__(self) -> None:
        self.compute: Compute = choose_compute(self.config.device, self.config.precision)
        self.processes: Processes = join_processes(self.compute.device.type)
        if self.config.batch_size % self.processes.world:
            raise InputError(
                f"training.batch_size {self.config.batch_size} must be a multiple of "
                f"the {self.processes.world} processes"
            )
        self.compute.place(self.method)
        self.phases = self.method.phases()
        self.optimisers = {phase.name: self._optimiser(phase) for phase in self.phases}
        self.progress = Progress()
        self._losses = LossLog()
        self._stop = False

    def train(self) -> Progress:
        """Train to the last epoch, from the run folder's checkpoint where there is one.

        Ctrl-C and SIGTERM finish the step under way, save, and raise KeyboardInterrupt.

        Raises:
            TrainingDivergedError: a loss term is not finite.
            ValueError: the checkpoint belongs to another configuration or to other data.
        """
        self._restore()
        total = self.config.epochs * len(self.batches)
        try:
            with (
                progress_bar("training", total, done=self._global_step()) as bar,
                stop_requests(self._request_stop),
            ):
                while self.progress.epoch < self.config.epochs:
                    self._train_epoch(bar)
        finally:
            self.log.close()
        return self.progress

    def _train_epoch(self, bar: Bar) -> None:
        epoch = self.progress.epoch
        saved = time.monotonic()
        since, images = time.monotonic(), 0
        for step, minibatches in self._minibatches(epoch, self.progress.step):
            for phase, batch in zip(self.phases, minibatches, strict=True):
                if batch is not None:
                    self._take_step(phase, batch)
            self.progress = replace(self.progress, step=step + 1)
            images += self.config.batch_size
            bar.advance()
            if (step + 1) % self.config.log_every == 0 or step + 1 == len(self.batches):
                rate = images / max(time.monotonic() - since, 1e-9)
                bar.describe(self._describe(self._log_losses(rate)))
                since, images = time.monotonic(), 0
            if self._stop:
                self._save()
                raise KeyboardInterrupt
            if time.monotonic() - saved > self.config.checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        self.progress = replace(self.progress, epoch=epoch + 1, step=0)
        self._finish_epoch()
        self._save()

    def _minibatches(self, epoch: int, first: int) -> Iterator[tuple[int, list[Minibatch | None]]]:
        """Minibatches of each phase, the next ones read while the current ones are used."""

        def read(step: int) -> list[Minibatch | None]:
            done = (epoch * len(self.batches) + step) / (self.config.epochs * len(self.batches))
            return [
                self.batches.batch(
                    BatchRequest(epoch, step, stream, self.processes.rank, self.processes.world),
                    self.compute,
                )
                if phase.first_step <= done < phase.last_step
                else None
                for stream, phase in enumerate(self.phases)
            ]

        with ThreadPoolExecutor(1) as reader:
            upcoming = reader.submit(read, first) if first < len(self.batches) else None
            for step in range(first, len(self.batches)):
                assert upcoming is not None
                current = upcoming.result()
                if step + 1 < len(self.batches):
                    upcoming = reader.submit(read, step + 1)
                yield step, current

    def _take_step(self, phase: Phase, batch: Minibatch) -> None:
        optimiser = self.optimisers[phase.name]
        _activate(self.method, phase)
        with self.compute.autocast():
            if isinstance(batch, LabelledBatch):
                terms = self.method.labelled_losses(phase.name, batch)
            else:
                terms = self.method.losses(phase.name, batch)
        self._losses.add(phase, terms, batch, self.progress)
        total = sum(phase.weights[name] * term for name, term in terms.items())
        assert isinstance(total, Tensor)
        optimiser.zero_grad()
        total.backward()
        average_gradients(_parameters(phase), self.processes)
        for group in optimiser.param_groups:
            rate = self._learning_rate(phase)
            group["lr"] = rate * phase.learning_rate * group["rate"]
        optimiser.step()
        self.method.after_step(phase.name)
        share_state(self.method, self.processes, parameters=False)

    def _log_losses(self, rate: float) -> dict[str, float]:
        values = {
            **self._losses.means(),
            "images_per_second": round(rate, 1),
            "learning_rate": self._learning_rate(),
        }
        if self.processes.first:
            self.log.write("train", self._global_step(), values)
        return values

    def _describe(self, values: Mapping[str, float]) -> str:
        losses = [f"{name} {value:.3f}" for name, value in values.items() if "." in name]
        best = self.progress.best_value
        if best is not None:
            losses.append(f"best {self.config.metric} {best:.4f}")
        epoch = f"epoch {self.progress.epoch + 1}/{self.config.epochs}"
        return ", ".join([epoch, f"{values['images_per_second']:.0f} images/s", *losses])

    def _finish_epoch(self) -> None:
        due = self.progress.epoch % self.config.validate_every == 0
        last = self.progress.epoch == self.config.epochs
        if self.processes.first and (due or last):
            self.method.eval()
            if self.preview is not None:
                self.preview(self.progress.epoch)
            self._validate()
        wait_for_all(self.processes)

    def _validate(self) -> None:
        if self.validate is None:
            self.save_model()
            return
        metrics = self.validate()
        if self.config.metric not in metrics:
            raise InputError(
                f"training.metric {self.config.metric!r} is not measured; "
                f"choose one of {', '.join(metrics)}"
            )
        value = metrics[self.config.metric]
        self.log.write("validation", self._global_step(), {"epoch": self.progress.epoch, **metrics})
        if self.progress.best_value is None or value > self.progress.best_value:
            self.save_model()
            self.progress = replace(self.progress, best_value=value, best_epoch=self.progress.epoch)

    def _global_step(self) -> int:
        return self.progress.epoch * len(self.batches) + self.progress.step

    def _learning_rate(self, phase: Phase | None = None) -> float:
        config, step = self.config, self._global_step()
        rate = config.learning_rate
        if step < config.warmup_steps:
            rate *= (step + 1) / config.warmup_steps
        if config.schedule == "constant":
            return rate
        done = step / (config.epochs * len(self.batches))
        if phase is not None and phase.own_schedule:
            done = (done - phase.first_step) / (phase.last_step - phase.first_step)
        return rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def _optimiser(self, phase: Phase) -> torch.optim.Optimizer:
        groups = _parameter_groups(phase)
        return torch.optim.Adam(groups, self.config.learning_rate, self.config.betas, fused=True)

    def _restore(self) -> None:
        if self.log.folder.checkpoint.exists():
            self.progress = load_checkpoint(
                self.log.folder.checkpoint, self.method, self.optimisers, self.fingerprint
            )
        if self.processes.first:
            self.log.remove_leftovers()
            self.log.forget_after(self._global_step())
        share_state(self.method, self.processes, parameters=True)

    def _save(self) -> None:
        if self.processes.first:
            save_checkpoint(
                self.log.folder.checkpoint,
                self.method,
                self.optimisers,
                self.progress,
                self.fingerprint,
            )

    def _request_stop(self) -> None:
        self._stop = True


def _parameters(phase: Phase) -> list[nn.Parameter]:
    return [parameter for module in phase.modules for parameter in module.parameters()]


def _parameter_groups(phase: Phase) -> list[dict[str, Any]]:
    """The phase's parameters, those with a rate of their own apart from the others."""
    trunks = [t for module in phase.modules for t in module.modules() if isinstance(t, Trunk)]
    rates = {p: trunk.config.learning_rate for trunk in trunks for p in trunk.parameters()}
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in _parameters(phase):
        groups.setdefault(rates.get(parameter, 1.0), []).append(parameter)
    return [{"params": parameters, "rate": rate} for rate, parameters in groups.items()]


def _activate(method: nn.Module, phase: Phase) -> None:
    """Train the phase's modules; freeze the others, in evaluation mode as they are in search."""
    method.eval()
    method.requires_grad_(False)
    for module in phase.modules:
        module.train()
        module.requires_grad_(True)
