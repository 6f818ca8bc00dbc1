"""Colours: the main colour of each value with its shades, and those that nuisance adds to it."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass

from amgan.catalogue.studio.nuisance import Nuisance

Rgb = tuple[float, float, float]


def _rgb(text: str) -> Rgb:
    return tuple(int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))  # type: ignore[return-value]


# Value -> main colour and how far hue, lightness and saturation vary.
MAIN_COLOURS: dict[str, tuple[Rgb, tuple[float, float, float]]] = {
    "black": (_rgb("2b2a2f"), (0.0, 0.025, 0.3)),
    "white": (_rgb("ecebe7"), (0.0, 0.015, 0.3)),
    "grey": (_rgb("8c8e92"), (0.0, 0.07, 0.3)),
    "blue": (_rgb("3f78c4"), (0.012, 0.06, 0.12)),
    "navy": (_rgb("222d59"), (0.01, 0.03, 0.12)),
    "red": (_rgb("bf232c"), (0.008, 0.045, 0.1)),
    "green": (_rgb("3a8a4c"), (0.03, 0.06, 0.15)),
    "pink": (_rgb("ec9db4"), (0.015, 0.04, 0.12)),
    "beige": (_rgb("d3bd9b"), (0.01, 0.03, 0.15)),
    "khaki": (_rgb("75724a"), (0.015, 0.04, 0.12)),
    "brown": (_rgb("6b452f"), (0.01, 0.04, 0.12)),
    "orange": (_rgb("ea7626"), (0.008, 0.03, 0.08)),
    "yellow": (_rgb("f2cb43"), (0.01, 0.03, 0.08)),
    "turquoise": (_rgb("35aeb0"), (0.015, 0.045, 0.12)),
    "purple": (_rgb("744597"), (0.02, 0.05, 0.12)),
}
_SECONDS = tuple(
    map(_rgb, ("f4f1e8", "26252a", "f4f1e8", "1f2b55", "c22f35", "efc75e", "8fb7dc", "e6a3b5"))
)
_ACCENTS = tuple(
    map(_rgb, ("f2eee4", "232227", "b52a31", "1f2b55", "e0a83c", "3b6fb5", "2f7a5a", "8a5a3a"))
)
_HARDWARE = tuple(map(_rgb, ("f0e9da", "2a2627", "6b4a2f", "c9a44f", "d9dce0")))
_THREADS = tuple(map(_rgb, ("f0e9da", "2b2a2d")))


@dataclass(frozen=True)
class Colours:
    """Colours of one garment: floats for cloth, text for what SVG draws."""

    main: Rgb
    second: Rgb
    third: Rgb
    accent: Rgb
    hardware: str
    zip_tape: str
    cord: str
    accent_text: str


def hex_colour(colour: Sequence[float]) -> str:
    """``#rrggbb`` of a colour in [0, 1]."""
    return "#" + "".join(f"{round(255 * min(max(c, 0.0), 1.0)):02x}" for c in colour)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """`share` of `b` in `a`."""
    x, y, z = (p + (q - p) * share for p, q in zip(a, b, strict=True))
    return (x, y, z)


def luminance(colour: Rgb) -> float:
    """Rough brightness in [0, 1]."""
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def shaded(value: str, shade: tuple[float, float, float]) -> Rgb:
    """A shade of a colour value; `shade` in [-1, 1] for hue, lightness and saturation."""
    main, spread = MAIN_COLOURS[value]
    hue, light, saturation = colorsys.rgb_to_hls(*main)
    return colorsys.hls_to_rgb(
        (hue + spread[0] * shade[0]) % 1.0,
        min(max(light + spread[1] * shade[1], 0.02), 0.98),
        min(max(saturation * (1 + spread[2] * shade[2]), 0.0), 1.0),
    )


def _contrasting(options: Sequence[Rgb], pick: float, others: Sequence[Rgb], least: float) -> Rgb:
    """The option that `pick` names, or the next one that stands out from the others.

    Starting from the same option whatever the other colours are keeps pictures alike when only
    the main colour changes.
    """
    first = int(pick * len(options))
    order = [options[(first + i) % len(options)] for i in range(len(options))]

    def distance(option: Rgb) -> float:
        return min(math.dist(option, other) for other in others)

    return next((option for option in order if distance(option) >= least), max(order, key=distance))


def mix_colours(colour: str, nuisance: Nuisance) -> Colours:
    """All colours of a garment whose main colour has this value."""
    main = shaded(colour, nuisance.shade)
    second = _contrasting(_SECONDS, nuisance.second_pick, (main,), 0.5)
    third = _contrasting(_SECONDS, nuisance.third_pick, (main, second), 0.35)
    accent = _contrasting(_ACCENTS, nuisance.accent_pick, (main,), 0.5)
    hardware = _contrasting(_HARDWARE, nuisance.hardware_pick, (main,), 0.55)
    tape = mix(main, (0.08, 0.08, 0.09), 0.55)
    if luminance(main) < 0.25:
        tape = mix(main, (0.6, 0.6, 0.62), 0.35)
    cord = _contrasting(_THREADS, nuisance.hardware_pick, (main,), 0.6)
    return Colours(main, second, third, accent, *map(hex_colour, (hardware, tape, cord, accent)))
