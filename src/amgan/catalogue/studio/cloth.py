"""Paints cloth: pattern, relief, light and gloss, and the backdrop behind it."""

from __future__ import annotations

import colorsys
import math

import numpy as np

from amgan.catalogue.studio.fabrics import FABRICS, Fabric, load_lace_holes, load_relief
from amgan.catalogue.studio.nuisance import Nuisance
from amgan.catalogue.studio.palette import Rgb, luminance, mix
from amgan.catalogue.studio.patterns import (
    MOTIF_PERIOD,
    TONAL,
    is_tile,
    load_print,
    pick_variant,
    print_period,
)
from amgan.catalogue.studio.scene import Scene
from amgan.catalogue.studio.tiles import Floats, blur_level, look_up
from amgan.catalogue.studio.view import pixel_grid


def _f(number: float) -> np.float32:
    """A number of the same type as the planes, so that none becomes float64."""
    return np.float32(number)


def _plane(colour: Rgb) -> Floats:
    return np.array(colour, np.float32)[:, None, None]


def _difference(colour: Rgb, main: Rgb) -> Floats:
    return _plane(colour) - _plane(main)


def paint_backdrop(nuisance: Nuisance, shadow: Floats) -> Floats:
    """Studio wall (3, H, W) with a soft gradient, vignette and the garment's shadow (H, W)."""
    tint, brightness, saturation, fall = nuisance.background
    wall = colorsys.hls_to_rgb(tint, 0.80 + 0.17 * brightness, 0.26 * saturation**3)
    height, width = shadow.shape
    px, py = pixel_grid(height, width)
    x, y = px * _f(1 / width) - _f(0.5), py * _f(1 / height) - _f(0.5)
    angle = 2 * math.pi * fall
    shade = _f(1.0) - _f(0.16) * (x * x + y * y)
    shade += _f(0.05 * math.cos(angle)) * x + _f(0.05 * math.sin(angle)) * y
    shade *= _f(1.0) - _f(0.30) * shadow
    return _plane(wall) * shade


def paint_cloth(picture: Floats, scene: Scene) -> None:
    """Paint a garment on `picture` (3, H, W), in place."""
    cut, canvas, light = scene.cut, scene.canvas, scene.light
    fabric, main = FABRICS[cut.values["fabric"]], scene.colours.main
    colour = _dyed(scene)
    shade = _shade(scene, fabric)
    # Dark cloth takes some light on its surface, so that it keeps its shape.
    lift = _f(0.10 + 0.25 * max(0.0, 0.4 - luminance(main)))
    colour = colour * shade + lift * (shade - _f(1.0))
    _add_surface(colour, scene, fabric, shade)

    cloth, alpha = canvas.body + canvas.sleeve + canvas.trim, canvas.coverage
    if fabric.fuzz and light.halo is not None:
        alpha, cloth = _frayed(scene, cloth, light.halo)
    if cut.values["fabric"] == "lace":
        level = blur_level(scene.view.footprint, fabric.period)
        holes = look_up(load_lace_holes(level), scene.u, scene.v, fabric.period)[0]
        alpha = alpha - _f(0.78) * holes * (canvas.body + canvas.sleeve)
        cloth = np.minimum(cloth, alpha)
    picture *= _f(1.0) - alpha
    picture += colour * cloth
    inside = (alpha - cloth) * np.clip(shade, _f(0.5), _f(1.2))
    picture += _plane(_inside_colour(main)) * inside
    top_shade = _f(0.35) + _f(0.65) * np.clip(light.body, _f(0.4), _f(1.25))
    picture += canvas.top_share * (canvas.top * top_shade - picture)


def _inside_colour(main: Rgb) -> Rgb:
    """Colour of the inside and of seams: darker than the cloth, lighter on very dark cloth."""
    if luminance(main) < 0.2:
        return mix(main, (0.66, 0.66, 0.7), 0.42)
    return mix(main, (0.05, 0.04, 0.06), 0.62)


def _shade(scene: Scene, fabric: Fabric) -> Floats:
    """Brightness of the cloth (H, W), about 1."""
    canvas, light, nuisance = scene.canvas, scene.light, scene.cut.nuisance
    shade = np.where(canvas.sleeve > canvas.body + canvas.trim, light.sleeve, light.body)
    slope_x, slope_y = nuisance.light_slope
    shade += _f(slope_x * 0.01) * scene.x + _f(slope_y * 0.01) * (scene.y - _f(128.0))
    shade += _f(0.85 * fabric.folds * nuisance.light_strength) * light.folds
    bright = max(0.2, (1.0 - luminance(scene.colours.main)) / 0.35)
    if bright < 1.0:
        # White cloth has no room above it: shade it by its shadows rather than burn it out.
        over = np.maximum(shade - _f(1.0), _f(0.0))
        shade -= _f(1.0 - bright) * over
    return shade


def _dyed(scene: Scene) -> Floats:
    """Colour of the cloth (3, H, W) before light: pattern, trim and panels."""
    colour, canvas = _patterned(scene), scene.canvas
    detail = scene.cut.values["detail"]
    x, y = np.abs(scene.x), scene.y
    if detail == "contrast trim":
        share = canvas.trim.copy()
    elif detail == "yoke":
        share = _step(_f(94.0) + _f(0.1) * x - y, scene) * canvas.body
    elif detail == "side panels":
        share = _step(x - _f(0.66 * scene.cut.armpit[0]), scene) * canvas.body
    else:
        return colour
    share /= np.maximum(canvas.coverage, _f(1e-3))
    colour += share * (_plane(scene.colours.accent) - colour)
    return colour


def _unit_clipped(plane: Floats) -> Floats:
    clipped: Floats = np.clip(plane, _f(0.0), _f(1.0))
    return clipped


def _step(distance: Floats, scene: Scene) -> Floats:
    """Edge at distance 0, as soft as a pixel."""
    return _unit_clipped(distance * _f(1 / scene.view.footprint) + _f(0.5))


def _patterned(scene: Scene) -> Floats:
    """Colour of the cloth (3, H, W) with its pattern only."""
    pattern, nuisance = scene.cut.values["pattern"], scene.cut.nuisance
    main, second, third = scene.colours.main, scene.colours.second, scene.colours.third
    colour = np.empty((3, *scene.x.shape), np.float32)
    colour[:] = _plane(main)
    if pattern == "colour block":
        lean = (0.0, 0.55, -0.55)[int(nuisance.pattern_pick * 3)]
        edge = scene.y + _f(lean) * scene.x - _f(118.0 + 30.0 * nuisance.pattern_phase[0])
        colour += _step(edge, scene) * _difference(second, main)
    elif pattern == "ombre":
        depth = (scene.y - _f(92.0 + 20.0 * nuisance.pattern_phase[0])) * _f(1 / 90.0)
        colour += _f(0.9) * _unit_clipped(depth) * _difference(second, main)
    elif is_tile(pattern):
        if pattern in TONAL:
            second, third = _tones(pattern, main)
        shares = _print_shares(scene)
        colour += shares[0] * _difference(second, main)
        colour += shares[1] * _difference(third, main)
    return colour


def _print_shares(scene: Scene) -> Floats:
    """Shares of the second and third colour, (2, H, W)."""
    pattern, nuisance, canvas = scene.cut.values["pattern"], scene.cut.nuisance, scene.canvas
    variant = pick_variant(pattern, nuisance.pattern_pick, nuisance.motif_pick)
    period = print_period(pattern, variant) * nuisance.pattern_scale
    tile = load_print(pattern, variant, blur_level(scene.view.footprint, period)).shares
    if pattern == "graphic":
        size = MOTIF_PERIOD * nuisance.pattern_scale
        u, v = scene.u + _f(size / 2), scene.v - _f(128.0 - size / 2)
        shares = look_up(tile, u, v, size)
        on_chest = (u > 0) & (u < _f(size)) & (v > 0) & (v < _f(size))
        shares *= on_chest & (canvas.body > canvas.sleeve + canvas.trim)
        return shares
    turn = math.radians(nuisance.pattern_turn)
    cosine, sine = _f(math.cos(turn)), _f(math.sin(turn))
    u = cosine * scene.u + sine * scene.v + _f(nuisance.pattern_phase[0] * period)
    v = cosine * scene.v - sine * scene.u + _f(nuisance.pattern_phase[1] * period)
    return look_up(tile, u, v, period)


def _tones(pattern: str, main: Rgb) -> tuple[Rgb, Rgb]:
    """Second and third colour of a pattern in shades of the main one."""
    dark = luminance(main) < 0.3
    if pattern == "leopard":
        if dark:
            return (0.75, 0.66, 0.5), (0.45, 0.34, 0.22)
        return (0.13, 0.1, 0.09), mix(main, (0.42, 0.26, 0.12), 0.55)
    if dark:
        return mix(main, (0.62, 0.62, 0.5), 0.5), mix(main, (0.4, 0.38, 0.3), 0.45)
    return mix(main, (0.1, 0.1, 0.06), 0.62), mix(main, (0.35, 0.27, 0.16), 0.5)


def _add_surface(colour: Floats, scene: Scene, fabric: Fabric, shade: Floats) -> None:
    """Relief, fading, sheen and gloss of a fabric, in place."""
    light, (phase_u, phase_v) = scene.light, scene.cut.nuisance.pattern_phase
    if fabric.relief:
        level = blur_level(scene.view.footprint, fabric.period)
        tile = load_relief(scene.cut.values["fabric"], level)
        u, v = scene.u + _f(40 * phase_u), scene.v + _f(40 * phase_v)
        relief = look_up(tile, u, v, fabric.period)[0] * _f(fabric.relief)
        dark = max(0.0, 0.35 - luminance(scene.colours.main))
        colour += (colour + _f(0.05 + 0.6 * dark)) * relief
    if fabric.wash:
        fade = look_up(load_relief("fleece", 6), scene.u, scene.v, 150.0)[0]
        worn = _f(0.25) + _f(0.22) * fade + _f(0.75) * (light.body - _f(0.95))
        colour += _f(fabric.wash) * worn
    if fabric.sheen and light.halo is not None:
        rim = _f(1.6) - _f(1.6) * light.halo
        colour += _f(fabric.sheen) * _unit_clipped(rim)
    if fabric.gloss:
        bright = _f(2.2) * light.folds + _f(1.6) * (shade - _f(1.0)) + _f(0.12)
        bright = _unit_clipped(bright)
        # Light cloth is darker between its highlights, or they would not show.
        depth = fabric.gloss * 0.4 * max(0.0, luminance(scene.colours.main) - 0.45)
        colour *= _f(1.0) - _f(depth) * (_f(1.0) - bright)
        colour += _f(fabric.gloss * 0.75) * bright * bright


def _frayed(scene: Scene, cloth: Floats, halo: Floats) -> tuple[Floats, Floats]:
    """Coverage and cloth share of hairy cloth."""
    level = blur_level(scene.view.footprint, 40.0)
    hairs = look_up(load_relief("fleece", level), scene.x + _f(300.0), scene.y + _f(300.0), 40.0)[0]
    edge = (halo - _f(0.42)) * _f(2.4) + _f(0.5) + _f(0.28) * hairs
    alpha = _unit_clipped(edge)
    grown = np.maximum(alpha - scene.canvas.coverage, _f(0.0))
    return alpha, np.minimum(cloth + grown, alpha)
