"""What other processes of the cache tests run; they import it by name."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np

from amgan.attributes import Attribute, AttributeSchema
from amgan.catalogue.pixels import open_pixels
from amgan.catalogue.records import Catalogue
from amgan.images import ImageSettings, Pixels, load_pixels

T = TypeVar("T")
SETTINGS = ImageSettings(16, 12)


def make_catalogue(paths: list[Path]) -> Catalogue:
    n = len(paths)
    schema = AttributeSchema((Attribute("colour", ("red",)),))
    return Catalogue(
        "made",
        schema,
        tuple(f"{i}" for i in range(n)),
        tuple(paths),
        np.zeros((n, 1), np.int16),
        (None,) * n,
        (None,) * n,
    )


def expected(paths: Iterable[Path], settings: ImageSettings = SETTINGS) -> Pixels:
    return np.stack([load_pixels(path, settings) for path in paths])


def open_and_compare(paths: list[Path], cache: Path, verdicts: object) -> None:
    opened = open_pixels(make_catalogue(paths), SETTINGS, cache, workers=2)
    verdicts.put(np.array_equal(opened, expected(paths)))  # type: ignore[attr-defined]


def open_slowly(paths: list[Path], cache: Path, started: object) -> None:
    def slow(iterable: Iterable[T], description: str, total: int | None = None) -> Iterable[T]:
        for element in iterable:
            started.set()  # type: ignore[attr-defined]
            time.sleep(0.02)
            yield element

    open_pixels(make_catalogue(paths), SETTINGS, cache, progress=slow)
