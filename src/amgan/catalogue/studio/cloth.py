"""Colours the cloth: pattern, relief, light, gloss, and the backdrop behind it."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import numpy as np

from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.fabrics import FABRICS, Fabric, load_lace_holes, load_relief
from amgan.catalogue.studio.nuisance import Nuisance
from amgan.catalogue.studio.palette import Colours, Rgb, luminance, mix
from amgan.catalogue.studio.patterns import (
    MOTIF_PERIOD,
    TONAL,
    is_tile,
    load_print,
    pick_variant,
    print_period,
)
from amgan.catalogue.studio.shading import Light
from amgan.catalogue.studio.tiles import Floats, blur_level, look_up
from amgan.catalogue.studio.view import View, pixel_grid


@dataclass(frozen=True)
class Canvas:
    """Shares of each pixel, (H, W) in [0, 1], and the top layer (3, H, W) with its share."""

    body: Floats
    sleeve: Floats
    trim: Floats
    coverage: Floats
    top: Floats
    top_share: Floats

    @classmethod
    def of_layers(cls, fabric: Floats, top: Floats) -> Canvas:
        """From the two rendered layers, (4, H, W) each."""
        coverage = fabric[3]
        return cls(
            fabric[0] * coverage,
            fabric[1] * coverage,
            fabric[2] * coverage,
            coverage,
            top[:3],
            top[3],
        )


def backdrop(nuisance: Nuisance, light: Light, height: int, width: int) -> Floats:
    """Studio wall (3, H, W) with a soft gradient, vignette and the garment's shadow."""
    tint, brightness, saturation, fall = nuisance.background
    near = colorsys.hls_to_rgb(tint, 0.80 + 0.17 * brightness, 0.30 * saturation**3)
    px, py = pixel_grid(height, width)
    x, y = px / np.float32(width) - 0.5, py / np.float32(height) - 0.5
    angle = 2 * math.pi * fall
    shade = 1.0 + 0.05 * (math.cos(angle) * x + math.sin(angle) * y) - 0.16 * (x * x + y * y)
    shade *= 1.0 - 0.30 * light.shadow
    picture: Floats = np.array(near, np.float32)[:, None, None] * shade
    return picture


def paint_cloth(
    picture: Floats, canvas: Canvas, cut: Cut, colours: Colours, view: View, light: Light
) -> None:
    """Paint a garment on `picture` (3, H, W), in place."""
    fabric = FABRICS[cut.values["fabric"]]
    gx, gy = view.garment_grid()
    u, v = _cloth_coordinates(canvas, cut, gx, gy, light)
    colour = _pattern_colour(canvas, cut, colours, view, u, v, gx, gy)
    trim = canvas.trim
    if cut.values["detail"] == "contrast trim":
        colour += trim / np.maximum(canvas.coverage, 1e-3) * (_plane(colours.accent) - colour)
    _add_panels(colour, canvas, cut, colours, gx, gy)

    shade = np.where(canvas.sleeve > canvas.body + trim, light.sleeve, light.body)
    nuisance = cut.nuisance
    shade += nuisance.light_slope[0] * gx * 0.01 + nuisance.light_slope[1] * (gy - 128.0) * 0.01
    dark = luminance(colours.main)
    shade += (0.85 * fabric.folds * nuisance.light_strength) * light.folds
    colour = _lit(colour, shade, dark)
    _add_relief(colour, fabric, cut, view, u, v, light, shade, dark)

    cloth = canvas.body + canvas.sleeve + trim
    alpha = canvas.coverage
    if fabric.fuzz:
        alpha, cloth = _frayed(alpha, cloth, cut, view, gx, gy, light)
    if cut.values["fabric"] == "lace":
        holes = look_up(
            load_lace_holes(blur_level(view.footprint, fabric.period)), u, v, fabric.period
        )[0]
        alpha = alpha - 0.62 * holes * (canvas.body + canvas.sleeve)
        cloth = np.minimum(cloth, alpha)
    inside = alpha - cloth
    picture *= 1.0 - alpha
    picture += colour * cloth
    picture += _plane(_inside_colour(colours.main)) * (inside * np.clip(shade, 0.5, 1.2))
    picture += canvas.top_share * (canvas.top * (0.35 + 0.65 * np.clip(shade, 0.3, 1.25)) - picture)


def _plane(colour: Rgb) -> Floats:
    return np.array(colour, np.float32)[:, None, None]


def _inside_colour(main: Rgb) -> Rgb:
    if luminance(main) < 0.2:
        return mix(main, (0.62, 0.62, 0.66), 0.33)
    return mix(main, (0.05, 0.04, 0.06), 0.62)


def _lit(colour: Floats, shade: Floats, dark: float) -> Floats:
    """Cloth under light; dark cloth takes some light on its surface so that it keeps its shape."""
    lift = np.float32(0.10 + 0.25 * max(0.0, 0.4 - dark))
    result: Floats = colour * shade + lift * (shade - 1.0)
    return result


def _cloth_coordinates(
    canvas: Canvas, cut: Cut, gx: Floats, gy: Floats, light: Light
) -> tuple[Floats, Floats]:
    """Coordinates on the cloth: round the body, along the sleeves, pushed aside by folds."""
    u = gx * (1.0 + 0.00004 * gx * gx) + 2.5 * light.lift
    v = gy + 2.5 * light.lift
    if not cut.has_sleeves:
        return u, v
    left, right = cut.sleeves()
    ox, oy = right.origin
    on_left = gx < 0
    angles = [math.radians(s.angle) for s in (left, right)]
    sine = np.where(on_left, np.float32(math.sin(angles[0])), np.float32(math.sin(angles[1])))
    cosine = np.where(on_left, np.float32(math.cos(angles[0])), np.float32(math.cos(angles[1])))
    x, y = np.abs(gx) - ox, gy - oy
    on_sleeve = canvas.sleeve > canvas.body + canvas.trim * 0.5
    across = cosine * x - sine * y
    along = sine * x + cosine * y + oy
    lift = 2.5 * light.lift
    return np.where(on_sleeve, across + lift, u), np.where(on_sleeve, along + lift, v)


def _pattern_colour(
    canvas: Canvas,
    cut: Cut,
    colours: Colours,
    view: View,
    u: Floats,
    v: Floats,
    gx: Floats,
    gy: Floats,
) -> Floats:
    """Colour of the cloth (3, H, W) before light."""
    pattern, nuisance = cut.values["pattern"], cut.nuisance
    main, second, third = colours.main, colours.second, colours.third
    if pattern == "colour block":
        edge = 118.0 + 30.0 * nuisance.pattern_phase[0]
        lean = (0.0, 0.55, -0.55)[int(nuisance.pattern_pick * 3)]
        share = _step(gy + lean * gx - edge, view)
        return _plane(main) + share * _plane(tuple(np.subtract(second, main)))
    if pattern == "ombre":
        share = 0.88 * np.clip((gy - 92.0 - 20.0 * nuisance.pattern_phase[0]) / 90.0, 0, 1) ** 1.2
        return _plane(main) + share * _plane(tuple(np.subtract(second, main)))
    if not is_tile(pattern):
        return np.repeat(_plane(main), gx.size, 1).reshape(3, *gx.shape)
    if pattern in TONAL:
        second, third = _tones(pattern, main)
    shares = _print_shares(cut, view, u, v, canvas)
    steps = np.array([np.subtract(second, main), np.subtract(third, main)], np.float32)
    colour: Floats = np.tensordot(steps.T, shares, 1) + _plane(main)
    return colour


def _print_shares(cut: Cut, view: View, u: Floats, v: Floats, canvas: Canvas) -> Floats:
    """Shares of the second and third colour, (2, H, W)."""
    pattern, nuisance = cut.values["pattern"], cut.nuisance
    variant = pick_variant(pattern, nuisance.pattern_pick, nuisance.motif_pick)
    period = print_period(pattern, variant) * nuisance.pattern_scale
    level = blur_level(view.footprint, period)
    tile = load_print(pattern, variant, level).shares
    if pattern == "graphic":
        size = MOTIF_PERIOD * nuisance.pattern_scale
        du, dv = u + size / 2, v - (128.0 - size / 2)
        inside = (du > 0) & (du < size) & (dv > 0) & (dv < size)
        shares = look_up(tile, du, dv, size)
        shares *= inside * (canvas.body > canvas.sleeve + canvas.trim)
        return shares
    turn = math.radians(nuisance.pattern_turn)
    cosine, sine = math.cos(turn), math.sin(turn)
    pu = cosine * u + sine * v + nuisance.pattern_phase[0] * period
    pv = cosine * v - sine * u + nuisance.pattern_phase[1] * period
    return look_up(tile, pu, pv, period)


def _tones(pattern: str, main: Rgb) -> tuple[Rgb, Rgb]:
    dark = luminance(main) < 0.3
    if pattern == "leopard":
        return (
            ((0.75, 0.66, 0.5), (0.45, 0.34, 0.22))
            if dark
            else ((0.13, 0.1, 0.09), mix(main, (0.42, 0.26, 0.12), 0.55))
        )
    if dark:
        return mix(main, (0.62, 0.62, 0.5), 0.5), mix(main, (0.4, 0.38, 0.3), 0.45)
    return mix(main, (0.1, 0.1, 0.06), 0.62), mix(main, (0.35, 0.27, 0.16), 0.5)


def _step(distance: Floats, view: View) -> Floats:
    """Edge at distance 0, as soft as a pixel."""
    return np.clip(distance / np.float32(view.footprint) + 0.5, 0.0, 1.0)


def _add_panels(
    colour: Floats, canvas: Canvas, cut: Cut, colours: Colours, gx: Floats, gy: Floats
) -> None:
    """Yoke and side panels in the accent colour, in place."""
    detail = cut.values["detail"]
    if detail == "yoke":
        share = np.clip(96.0 + 6.0 * np.abs(gx) / 50.0 - gy + 0.5, 0, 1)
    elif detail == "side panels":
        share = np.clip(np.abs(gx) - (0.66 * cut.armpit[0] - 0.0) + 0.5, 0, 1)
    else:
        return
    share = share * canvas.body / np.maximum(canvas.coverage, 1e-3)
    colour += share * (_plane(colours.accent) - colour)


def _add_relief(
    colour: Floats, fabric: Fabric, cut: Cut, view: View, u: Floats, v: Floats,
    light: Light, shade: Floats, dark: float,
) -> None:  # fmt: skip
    """Relief, fading, sheen and gloss of a fabric, in place."""
    nuisance = cut.nuisance
    if fabric.relief:
        level = blur_level(view.footprint, fabric.period)
        phase = nuisance.pattern_phase
        relief = look_up(
            load_relief(cut.values["fabric"], level),
            u + phase[0] * 40,
            v + phase[1] * 40,
            fabric.period,
        )[0]
        relief *= np.float32(fabric.relief)
        colour += colour * relief + np.float32(0.05 + 0.6 * max(0.0, 0.35 - dark)) * relief
    if fabric.wash:
        fade = look_up(load_relief("fleece", 6), u, v, 150.0)[0]
        colour += np.float32(fabric.wash) * (0.5 + 0.45 * fade + 1.5 * (light.body - 0.95)) * 0.5
    if fabric.sheen:
        colour += np.float32(fabric.sheen) * np.clip(1.6 - 1.6 * light.halo, 0, 1)
    if fabric.gloss:
        bright = np.clip(2.2 * light.folds + 1.6 * (shade - 1.0) + 0.12, 0, 1)
        colour += np.float32(fabric.gloss * 0.75) * bright * bright


def _frayed(
    alpha: Floats, cloth: Floats, cut: Cut, view: View, gx: Floats, gy: Floats, light: Light
) -> tuple[Floats, Floats]:
    """Outline of hairy cloth, and its share."""
    level = blur_level(view.footprint, 40.0)
    hairs = look_up(load_relief("fleece", level), gx + 300.0, gy + 300.0, 40.0)[0]
    frayed = np.clip((light.halo - 0.42) * 2.4 + 0.5 + 0.28 * hairs, 0, 1)
    return frayed, np.minimum(cloth + np.maximum(frayed - alpha, 0), frayed)
