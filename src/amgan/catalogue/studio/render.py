"""Renders a garment: shapes from SVG, cloth and light per pixel.

resvg draws two layers side by side in one call: how much of each pixel is body, sleeve, trim or
inside, and the things with colours of their own (buttons, zips, cords). NumPy then colours the
cloth with pattern, relief and light, and puts it on its backdrop. SVG alone would need filters and
pattern fills, which take most of the time and cannot follow folds.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from amgan.catalogue.studio import body, collars, fastenings, trimmings
from amgan.catalogue.studio.cloth import paint_backdrop, paint_cloth
from amgan.catalogue.studio.cut import Cut
from amgan.catalogue.studio.fabrics import FABRICS
from amgan.catalogue.studio.nuisance import draw_nuisance
from amgan.catalogue.studio.palette import Colours, mix_colours
from amgan.catalogue.studio.paths import Sheet
from amgan.catalogue.studio.scene import Canvas, set_scene
from amgan.catalogue.studio.schema import STUDIO_SCHEMA
from amgan.catalogue.studio.shading import cast_light
from amgan.catalogue.studio.tiles import Floats
from amgan.catalogue.studio.view import View, look_at
from amgan.errors import InputError

MIN_SIDE = 16
MAX_SIDE = 2048
_GAP = 8


@dataclass(frozen=True, slots=True)
class Garment:
    """Everything that decides a picture: labels (M,) of the studio's schema, and nuisance."""

    labels: tuple[int, ...]
    nuisance_seed: int

    def __post_init__(self) -> None:
        sizes = STUDIO_SCHEMA.sizes
        if len(self.labels) != len(sizes):
            raise InputError(
                f"a garment needs {len(sizes)} labels, one for each of "
                f"{', '.join(STUDIO_SCHEMA.names)}; got {len(self.labels)}"
            )
        for name, label, size in zip(STUDIO_SCHEMA.names, self.labels, sizes, strict=True):
            if not 0 <= label < size:
                raise InputError(
                    f"label {label} of attribute {name!r} is not one of its values 0 to {size - 1}"
                )
        if self.nuisance_seed < 0:
            raise InputError(f"nuisance seed {self.nuisance_seed} is negative")

    @property
    def values(self) -> dict[str, str]:
        """Named values."""
        return {name: str(value) for name, value in STUDIO_SCHEMA.decode(self.labels).items()}


def check_size(height: int, width: int) -> None:
    """Refuse picture sizes at which a garment cannot be drawn.

    Raises:
        ValueError: a side is out of range, or one is more than four times the other.
    """
    for name, side in (("height", height), ("width", width)):
        if not MIN_SIDE <= side <= MAX_SIDE:
            raise InputError(f"{name} {side} is not between {MIN_SIDE} and {MAX_SIDE} pixels")
    if max(height, width) > 4 * min(height, width):
        raise InputError(f"{height} x {width} pixels: one side is over four times the other")


def render_garment(garment: Garment, height: int, width: int) -> NDArray[np.uint8]:
    """Picture (H, W, 3) of a garment; the same garment gives the same bytes.

    Raises:
        ValueError: a size out of range.
    """
    check_size(height, width)
    nuisance = draw_nuisance(garment.nuisance_seed)
    cut = Cut(garment.values, nuisance)
    colours = mix_colours(garment.values["colour"], nuisance)
    view = look_at(nuisance, cut.extent(), height, width)
    sheet = draw_sheet(cut, colours, bold=min(max((128 / min(height, width)) ** 0.5, 0.9), 1.45))
    canvas = rasterise(sheet, view)
    fabric = FABRICS[cut.values["fabric"]]
    halo = bool(fabric.sheen or fabric.fuzz)
    light = cast_light(cut, view, canvas.coverage, canvas.sleeve, canvas.trim, halo=halo)
    picture = paint_backdrop(nuisance, light.shadow)
    paint_cloth(picture[:, view.rows, view.columns], set_scene(cut, colours, view, canvas, light))
    return _developed(picture, nuisance.exposure, nuisance.warmth)


def draw_sheet(cut: Cut, colours: Colours, bold: float) -> Sheet:
    """Every shape of a garment, from the back to the front."""
    sheet = Sheet(bold, FABRICS[cut.values["fabric"]].thread)
    collars.draw_behind(sheet, cut)
    body.draw_sleeves(sheet, cut)
    body.draw_inside(sheet, cut, trim=cut.values["collar"] == "none")
    body.draw_body(sheet, cut)
    trimmings.draw_pocket(sheet, cut, colours)
    collars.draw_neck_edge(sheet, cut)
    fastenings.draw_fastening(sheet, cut, colours)
    trimmings.draw_detail(sheet, cut, colours)
    collars.draw_collar(sheet, cut)
    return sheet


def rasterise(sheet: Sheet, view: View) -> Canvas:
    """Both layers of a sheet as pixels of the view's window."""
    shift = view.width + _GAP
    box = f"0 0 {shift + view.width} {view.height}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">']
    parts += [f'<g transform="{view.svg_matrix()}">', *sheet.fabric, "</g>"]
    parts += [f'<g transform="{view.svg_matrix(shift)}">', *sheet.top, "</g></svg>"]
    png = resvg_py.svg_to_bytes(
        svg_string="".join(parts),
        width=shift + view.width,
        height=view.height,
        skip_system_fonts=True,
    )
    with Image.open(io.BytesIO(png)) as picture:
        pixels = np.asarray(picture)
    planes = pixels.transpose(2, 0, 1).astype(np.float32) * np.float32(1 / 255)
    return Canvas.of_layers(planes[:, :, : view.width], planes[:, :, shift:])


def _developed(picture: Floats, exposure: float, warmth: float) -> NDArray[np.uint8]:
    gains = np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * np.float32(255 * exposure)
    picture *= gains[:, None, None]
    np.clip(picture, 0, 255, out=picture)
    picture += 0.5
    return np.ascontiguousarray(picture.astype(np.uint8).transpose(1, 2, 0))
