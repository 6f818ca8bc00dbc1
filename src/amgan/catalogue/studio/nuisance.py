"""Everything about a picture that no label tells: pose, light, background, shades, print, folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Nuisance:
    """Draws from one seed; the same for every garment with that seed, whatever its labels.

    Lengths are in garment units (the picture is 256 units high), angles in degrees, and picks are
    uniform in [0, 1): whoever uses one maps it to its own alternatives.
    """

    tilt: float
    scale: float
    shift: tuple[float, float]
    shear: float
    chest: float
    waist: float
    hem: float
    shoulder: float
    neck: float
    sleeve_angles: tuple[float, float]
    sleeve_bends: tuple[float, float]
    light_angle: float
    light_strength: float
    light_slope: tuple[float, float]
    exposure: float
    warmth: float
    background: tuple[float, float, float, float]
    shade: tuple[float, float, float]
    pattern_phase: tuple[float, float]
    pattern_scale: float
    pattern_turn: float
    pattern_pick: float
    second_pick: float
    third_pick: float
    accent_pick: float
    hardware_pick: float
    motif_pick: float
    folds: tuple[tuple[float, ...], ...]


NUM_FOLDS = 16
_NUM_DRAWS = 80 + 5 * NUM_FOLDS


class _Draws:
    def __init__(self, seed: int) -> None:
        draws = np.random.default_rng(seed).random(_NUM_DRAWS).tolist()
        self._draws: Iterator[float] = iter(draws)

    def pick(self) -> float:
        return next(self._draws)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._draws)

    def around(self, centre: float, spread: float) -> float:
        """Triangular around `centre`, so that most pictures are ordinary."""
        return centre + spread * (next(self._draws) + next(self._draws) - 1.0)


def draw_nuisance(seed: int) -> Nuisance:
    """Nuisance of one picture."""
    d = _Draws(seed)
    return Nuisance(
        tilt=d.around(0.0, 7.0),
        scale=d.between(0.93, 1.05),
        shift=(d.around(0.0, 6.0), d.around(0.0, 6.0)),
        shear=d.around(0.0, 0.05),
        chest=d.around(0.0, 2.2),
        waist=d.around(0.0, 2.0),
        hem=d.around(0.0, 2.5),
        shoulder=d.around(0.0, 2.5),
        neck=d.around(0.0, 1.5),
        sleeve_angles=(d.around(26.0, 5.0), d.around(26.0, 5.0)),
        sleeve_bends=(d.around(3.0, 8.0), d.around(3.0, 8.0)),
        light_angle=d.between(-150.0, -30.0),
        light_strength=d.between(0.8, 1.25),
        light_slope=(d.around(0.0, 0.10), d.around(-0.02, 0.08)),
        exposure=d.around(1.0, 0.06),
        warmth=d.around(0.0, 0.035),
        background=(d.pick(), d.pick(), d.pick(), d.pick()),
        shade=(d.around(0.0, 1.0), d.around(0.0, 1.0), d.around(0.0, 1.0)),
        pattern_phase=(d.pick(), d.pick()),
        pattern_scale=d.between(0.85, 1.25),
        pattern_turn=d.around(0.0, 4.0),
        pattern_pick=d.pick(),
        second_pick=d.pick(),
        third_pick=d.pick(),
        accent_pick=d.pick(),
        hardware_pick=d.pick(),
        motif_pick=d.pick(),
        folds=tuple(tuple(d.pick() for _ in range(5)) for _ in range(NUM_FOLDS)),
    )
