"""The readers by name; `docs/formats.md` shows how to add one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from amgan.catalogue.adde import load_adde
from amgan.catalogue.assembly import Checks
from amgan.catalogue.celeba import load_celeba
from amgan.catalogue.cub import load_cub
from amgan.catalogue.darn import load_darn
from amgan.catalogue.hm import load_hm
from amgan.catalogue.records import Catalogue
from amgan.catalogue.shopping100k import load_shopping100k
from amgan.catalogue.validation import ValidationReport
from amgan.errors import InputError


class Reader(Protocol):
    """Reads one published layout."""

    def __call__(
        self, root: Path, *, checks: Checks | None = None
    ) -> tuple[Catalogue, ValidationReport]:
        """Read the data set in folder `root`.

        Raises:
            ValidationError: the folder cannot be used, or strict mode and any bad row.
        """


READERS: dict[str, Reader] = {
    "adde": load_adde,
    "celeba": load_celeba,
    "cub": load_cub,
    "darn": load_darn,
    "hm": load_hm,
    "shopping100k": load_shopping100k,
}


def load_dataset(
    name: str, root: Path, *, checks: Checks | None = None
) -> tuple[Catalogue, ValidationReport]:
    """Read the data set in folder `root` with the reader called `name`.

    Raises:
        ValueError: no such reader, or as the reader.
    """
    if name not in READERS:
        raise InputError(f"unknown data set {name!r}; known are {', '.join(READERS)}")
    return READERS[name](root, checks=checks)
