"""Writes rendered catalogues to disk and reads their garments back."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from amgan.attributes import MISSING
from amgan.catalogue.studio.render import Garment, check_size, render_garment
from amgan.catalogue.studio.sampling import StudioItem, sample_items
from amgan.catalogue.studio.schema import STUDIO_SCHEMA
from amgan.errors import InputError
from amgan.progress import Progress, quiet

# Raised whenever the same settings would give other pictures or labels than before.
STUDIO_VERSION = 2
PictureFormat = Literal["jpeg", "png"]

_SETTINGS, _GARMENTS, _CATALOGUE = "studio.json", "garments.csv", "catalogue.csv"
_CHUNK = 32
_FEWEST_FOR_WORKERS = 256


@dataclass(frozen=True)
class StudioSettings:
    """What decides every byte of a rendered catalogue."""

    n: int
    seed: int
    height: int
    width: int
    missing: float
    picture_format: PictureFormat
    version: int = STUDIO_VERSION
    schema: str = STUDIO_SCHEMA.digest

    def __post_init__(self) -> None:
        check_size(self.height, self.width)
        if not 0.0 <= self.missing < 1.0:
            raise InputError(
                f"missing {self.missing} is not a share from 0 up to, not including, 1"
            )
        if self.picture_format not in ("jpeg", "png"):
            raise InputError(f"unknown picture format {self.picture_format!r}; choose jpeg or png")


def write_studio_catalogue(
    folder: Path,
    n: int,
    seed: int,
    *,
    height: int = 128,
    width: int = 128,
    missing: float = 0.0,
    picture_format: PictureFormat = "jpeg",
    workers: int | None = None,
    progress: Progress = quiet,
) -> Path:
    """Render a catalogue into `folder` and return the path of its ``catalogue.csv``.

    A folder that is complete with the same settings is left as it is; one that was interrupted is
    continued. ``catalogue.csv`` appears last, so that it never names a picture that is not there.

    Args:
        folder: made where it does not exist.
        n: number of items.
        seed: decides garments, products, splits and missing labels.
        height: of the pictures, in pixels.
        width: of the pictures, in pixels.
        missing: share of labels left out of ``catalogue.csv``; the pictures stay the same.
        picture_format: jpeg (small) or png (exact).
        workers: processes that render; by default one a core.
        progress: wraps the pictures as they are written: `progress(iterable, description, total)`.

    Raises:
        ValueError: a bad setting, or a folder that holds something else.
    """
    settings = StudioSettings(n, seed, height, width, missing, picture_format)
    if workers is not None and workers < 1:
        raise InputError(f"cannot render with {workers} workers; ask for at least 1")
    items = sample_items(n, seed)
    table = folder / _CATALOGUE
    if _claim(folder, settings) and table.exists():
        return table
    names = [_picture_name(row, picture_format) for row in range(n)]
    waiting = [row for row in range(n) if not (folder / names[row]).exists()]
    for parent in {(folder / names[row]).parent for row in waiting}:
        parent.mkdir(parents=True, exist_ok=True)
    jobs = [(folder / names[row], items[row].garment) for row in waiting]
    written = _written(jobs, settings, workers or os.cpu_count() or 1)
    for _ in progress(written, "Rendering garments", len(jobs)):
        pass
    _write_tables(folder, settings, items, names)
    return table


def _picture_name(row: int, picture_format: PictureFormat) -> str:
    suffix = "jpg" if picture_format == "jpeg" else "png"
    return f"images/{row // 1000:03d}/{_item_id(row)}.{suffix}"


def _item_id(row: int) -> str:
    return f"s{row:07d}"


def _claim(folder: Path, settings: StudioSettings) -> bool:
    """Put the settings into a new folder, or check that a used one has the same; True if used."""
    path = folder / _SETTINGS
    wanted = asdict(settings)
    if not path.exists():
        if (folder / _CATALOGUE).exists():
            raise InputError(
                f"{folder} holds a catalogue.csv that is not a studio's; choose another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        _replace(path, json.dumps(wanted, indent=2) + "\n")
        return False
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError:
        raise InputError(f"{path} is not readable; delete {folder} to render it again") from None
    changed = [
        f"{name} {found.get(name)!r} there, {value!r} asked for"
        for name, value in wanted.items()
        if not isinstance(found, dict) or found.get(name) != value
    ]
    if changed:
        raise InputError(
            f"{folder} was rendered with other settings ({'; '.join(changed)}); "
            "choose another folder or delete this one"
        )
    return True


def _written(
    jobs: Sequence[tuple[Path, Garment]], settings: StudioSettings, workers: int
) -> Iterator[int]:
    """Write pictures; yields once for each."""
    size = (settings.height, settings.width, settings.picture_format)
    chunks = [jobs[i : i + _CHUNK] for i in range(0, len(jobs), _CHUNK)]
    workers = min(workers, len(chunks))
    if workers <= 1 or len(jobs) < _FEWEST_FOR_WORKERS:
        for chunk in chunks:
            for job in chunk:
                yield _write_pictures([job], *size)
        return
    # Not fork: the caller may have threads (a progress bar, torch).
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = [pool.submit(_write_pictures, chunk, *size) for chunk in chunks]
        for future in futures:
            yield from range(future.result())


def _write_pictures(
    jobs: Sequence[tuple[Path, Garment]], height: int, width: int, picture_format: PictureFormat
) -> int:
    for path, garment in jobs:
        picture = Image.fromarray(render_garment(garment, height, width))
        part = path.with_name(path.name + ".part")
        if picture_format == "jpeg":
            picture.save(part, "JPEG", quality=92, subsampling=0)
        else:
            picture.save(part, "PNG", compress_level=4)
        part.replace(path)
    return len(jobs)


def _write_tables(
    folder: Path, settings: StudioSettings, items: Sequence[StudioItem], names: Sequence[str]
) -> None:
    attributes = STUDIO_SCHEMA.names
    labels = np.array([item.garment.labels for item in items], np.int16)
    _replace(
        folder / _GARMENTS,
        _csv_text(
            ["item_id", *attributes, "nuisance_seed"],
            (
                [_item_id(row), *item.garment.values.values(), item.garment.nuisance_seed]
                for row, item in enumerate(items)
            ),
        ),
    )
    left_out = np.random.default_rng([settings.seed, 1]).random(labels.shape) < settings.missing
    shown = np.where(left_out, MISSING, labels)
    rows = (
        [
            _item_id(row),
            names[row],
            item.product,
            item.split,
            *(value or "" for value in STUDIO_SCHEMA.decode(shown[row]).values()),
            item.garment.nuisance_seed,
        ]
        for row, item in enumerate(items)
    )
    header = ["item_id", "image", "product", "split", *attributes, "nuisance_seed"]
    _replace(folder / _CATALOGUE, _csv_text(header, rows))


def _csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load_garments(table: Path) -> dict[str, Garment]:
    """Garments of a rendered catalogue by item id, with the labels its table misses too.

    Args:
        table: the catalogue's ``catalogue.csv``; the garments are in ``garments.csv`` beside it.

    Raises:
        ValueError: not a rendered catalogue, or one of another schema.
    """
    path = table.parent / _GARMENTS
    if not path.exists():
        raise InputError(f"{table} is not a rendered catalogue: {path} does not exist")
    garments: dict[str, Garment] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        expected = ["item_id", *STUDIO_SCHEMA.names, "nuisance_seed"]
        if reader.fieldnames != expected:
            raise InputError(f"{path} has other columns than {', '.join(expected)}")
        for number, row in enumerate(reader, start=2):
            try:
                labels = STUDIO_SCHEMA.encode({name: row[name] for name in STUDIO_SCHEMA.names})
                garments[row["item_id"]] = Garment(labels, int(row["nuisance_seed"]))
            except ValueError as error:
                raise InputError(f"{path}, line {number}: {error}") from None
    return garments
