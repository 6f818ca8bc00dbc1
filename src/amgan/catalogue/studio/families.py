"""Families of exact counterfactuals: one garment, photographed once for each of several changes.

All pictures of a family share their nuisance (pose, light, folds, backdrop), so that any two of
them are a reference and the exact answer to the changes between them. A room of families is a
folder of `.npy` blocks; a block is written whole or not at all, so an interrupted room goes on
where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from amgan.attributes import Labels
from amgan.catalogue.studio.render import Garment, check_size, render_garment
from amgan.catalogue.studio.sampling import sample_garments
from amgan.catalogue.studio.schema import STUDIO_SCHEMA, value_probabilities
from amgan.catalogue.studio.writing import STUDIO_VERSION
from amgan.errors import InputError
from amgan.files import replacing, write_text
from amgan.images import ImageSettings, Pixels, prepare_picture
from amgan.progress import Progress, quiet

_SETTINGS = "families.json"
# Half of the values that a change asks for are drawn as garments have them, half evenly, so that
# rare values are practised too.
_EVEN_SHARE = 0.5
# A second attribute changes together with the first in this share of the pictures.
_SECOND_CHANGE = 0.3
_BLOCK_STREAM = 2


@dataclass(frozen=True)
class FamilySettings:
    """What decides every byte of a room of families.

    Attributes:
        blocks: number of blocks.
        families: families in a block.
        members: pictures in a family; the first is a garment as the studio draws them.
        attributes: names of the attributes that change within a family.
        seed: of garments and changes.
        rendered: height and width that garments are drawn at, as a catalogue has them.
        images: size that pictures are then brought to.
    """

    attributes: tuple[str, ...]
    blocks: int = 20
    families: int = 500
    members: int = 8
    seed: int = 0
    rendered: int = 128
    images: ImageSettings = field(default_factory=ImageSettings)

    def __post_init__(self) -> None:
        check_size(self.rendered, self.rendered)
        unknown = [name for name in self.attributes if name not in STUDIO_SCHEMA.names]
        if unknown or not self.attributes:
            raise InputError(
                f"families change attributes among {', '.join(STUDIO_SCHEMA.names)}, "
                f"not {', '.join(map(repr, unknown)) or 'none'}"
            )
        if self.blocks < 1 or self.families < 1 or self.members < 2:
            raise InputError(
                "a room of families needs at least 1 block, 1 family and 2 members, not "
                f"{self.blocks}, {self.families} and {self.members}"
            )


@dataclass(frozen=True)
class FamilyBlock:
    """Families in memory or memory-mapped.

    Attributes:
        pixels: (F, K, H, W, 3) uint8.
        labels: (F, K, M) int16 in the studio's schema.
    """

    pixels: Pixels
    labels: Labels


def sample_family_block(settings: FamilySettings, block: int) -> list[list[Garment]]:
    """The garments of one block, by family; block 0 of two settings differs where a seed does."""
    seed = int(np.random.SeedSequence((settings.seed, _BLOCK_STREAM, block)).generate_state(1)[0])
    rng = np.random.default_rng((settings.seed, block))
    return [
        [base, *_counterfactuals(base, settings, rng)]
        for base in sample_garments(settings.families, seed)
    ]


def _counterfactuals(
    base: Garment, settings: FamilySettings, rng: np.random.Generator
) -> Iterator[Garment]:
    """The further members of a family, no two alike."""
    positions = [STUDIO_SCHEMA.names.index(name) for name in settings.attributes]
    seen = {base.labels}
    while len(seen) < settings.members:
        labels = list(base.labels)
        count = 1 + int(rng.random() < _SECOND_CHANGE and len(positions) > 1)
        for position in rng.choice(positions, count, replace=False).tolist():
            labels[position] = _other_value(position, labels[position], rng)
        if tuple(labels) not in seen:
            seen.add(tuple(labels))
            yield Garment(tuple(labels), base.nuisance_seed)


def _other_value(position: int, value: int, rng: np.random.Generator) -> int:
    name, size = STUDIO_SCHEMA.names[position], STUDIO_SCHEMA.sizes[position]
    even = np.full(size, 1.0 / size) if rng.random() < _EVEN_SHARE else value_probabilities(name)
    chances = even.copy()
    chances[value] = 0.0
    return int(rng.choice(size, p=chances / chances.sum()))


def render_families(
    folder: Path,
    settings: FamilySettings,
    *,
    only: Sequence[int] | None = None,
    progress: Progress = quiet,
) -> list[Path]:
    """Render the blocks that are missing in `folder`; returns the paths of all of them.

    Args:
        folder: made where it does not exist.
        settings: which families.
        only: numbers of the blocks to render now; None renders all.
        progress: wraps the blocks as they are rendered.

    Raises:
        ValueError: the folder holds families of other settings.
    """
    _claim(folder, settings)
    paths = [folder / f"{block:04d}.npy" for block in range(settings.blocks)]
    numbers = range(settings.blocks) if only is None else only
    waiting = [block for block in numbers if not paths[block].exists()]
    for block in progress(waiting, "Rendering counterfactuals", len(waiting)):
        garments = sample_family_block(settings, block)
        pixels = render_block(garments, settings)
        with replacing(paths[block]) as temporary, temporary.open("wb") as file:
            np.save(file, pixels)
    return paths


def render_block(garments: Sequence[Sequence[Garment]], settings: FamilySettings) -> Pixels:
    """Pictures (F, K, H, W, 3) of families."""
    side, images = settings.rendered, settings.images
    shape = (len(garments), settings.members, images.height, images.width, 3)
    pixels = np.empty(shape, np.uint8)
    for family, members in enumerate(garments):
        for member, garment in enumerate(members):
            picture = Image.fromarray(render_garment(garment, side, side))
            pixels[family, member] = prepare_picture(picture, images)
    return pixels


def load_families(folder: Path, settings: FamilySettings) -> list[FamilyBlock]:
    """The blocks of a room that stand, memory-mapped; labels are drawn again from the seed.

    Raises:
        ValueError: the folder holds families of other settings.
    """
    _claim(folder, settings)
    return [
        FamilyBlock(np.load(path, mmap_mode="r"), family_labels(settings, block))
        for block in range(settings.blocks)
        if (path := folder / f"{block:04d}.npy").exists()
    ]


def family_labels(settings: FamilySettings, block: int) -> NDArray[np.int16]:
    """Labels (F, K, M) of one block in the studio's schema."""
    garments = sample_family_block(settings, block)
    return np.array([[garment.labels for garment in family] for family in garments], np.int16)


def _claim(folder: Path, settings: FamilySettings) -> None:
    """Put the settings into a new folder, or check that a used one has the same."""
    wanted = {**asdict(settings), "version": STUDIO_VERSION, "schema": STUDIO_SCHEMA.digest}
    del wanted["blocks"]  # more blocks continue a room
    text = json.dumps(wanted, indent=2) + "\n"
    path = folder / _SETTINGS
    if not path.exists():
        write_text(path, text)
    elif path.read_text("utf-8") != text:
        raise InputError(
            f"{folder} holds families of other settings; choose another folder or delete it"
        )
