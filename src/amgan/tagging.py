"""Labels for pictures that have none, as the model's attribute classifiers see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from amgan.catalogue.parallel import map_in_threads
from amgan.catalogue.rows import write_rows
from amgan.errors import InputError
from amgan.images import PictureError, Pixels, decode_picture
from amgan.methods.trained import TrainedModel
from amgan.progress import Progress, quiet

_PICTURES_A_BLOCK = 256
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


@dataclass(frozen=True)
class Tag:
    """What the model sees in one picture.

    Attributes:
        picture: the file.
        values: the likeliest value of each attribute, in the schema's order; empty with a problem.
        confidences: the probability of each, calibrated if the model is.
        problem: why the picture could not be read; None where it could.
    """

    picture: Path
    values: tuple[str, ...]
    confidences: tuple[float, ...]
    problem: str | None = None


def find_pictures(places: Iterable[Path]) -> list[Path]:
    """Picture files among files and folders, folders searched to the bottom, in order of name.

    Raises:
        ValueError: a place that does not exist, or a folder without a picture.
    """
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            inside = sorted(p for p in place.rglob("*") if p.suffix.lower() in _SUFFIXES)
            if not inside:
                raise InputError(f"{place}: no picture in this folder")
            found += inside
        elif place.exists():
            found.append(place)
        else:
            raise InputError(f"{place}: no such file or folder")
    return found


def tag_pictures(
    model: TrainedModel, pictures: Sequence[Path], progress: Progress = quiet
) -> Iterator[Tag]:
    """Tag pictures in order; only a block of them is in memory at once.

    Raises:
        ValueError: the model's method has no attribute classifier.
    """

    def decode(path: Path) -> Pixels | PictureError:
        return decode_picture(path, model.images).picture

    named = progress(pictures, "Tag pictures", len(pictures))
    decoded = zip(pictures, map_in_threads(decode, named), strict=True)
    while block := list(islice(decoded, _PICTURES_A_BLOCK)):
        yield from _tag_block(model, block)


def _tag_block(
    model: TrainedModel, block: Sequence[tuple[Path, Pixels | PictureError]]
) -> Iterator[Tag]:
    readable = [pixels for _, pixels in block if not isinstance(pixels, PictureError)]
    described: Iterator[Sequence[tuple[str, float]]] = iter(())
    if readable:
        predicted = model.predict_attributes(np.stack(readable))
        if predicted is None:
            raise InputError(
                f"method {model.description.method!r} has no attribute classifier to tag with"
            )
        described = (
            [
                (attribute.values[int(row[columns].argmax())], float(row[columns].max()))
                for attribute, columns in zip(
                    model.schema.attributes, model.schema.slices, strict=True
                )
            ]
            for row in predicted
        )
    for path, pixels in block:
        if isinstance(pixels, PictureError):
            yield Tag(path, (), (), str(pixels))
        else:
            values, confidences = zip(*next(described), strict=True)
            yield Tag(path, values, confidences)


def write_tags(
    path: Path, model: TrainedModel, tags: Iterable[Tag], least_confidence: float = 0.0
) -> int:
    """Write tags as a table by the path's suffix, whole or not at all; returns the rows written.

    Columns: image, then NAME_predicted and NAME_confidence for each attribute, then problem.
    Predicted labels stand in columns of their own, so that they are never taken for given ones.

    Args:
        path: .csv, .tsv, .jsonl or .parquet.
        model: whose schema names the columns.
        tags: rows in order.
        least_confidence: a value below it is left empty; its confidence stays.

    Raises:
        ValueError: another suffix.
    """
    columns = ["image"]
    for name in model.schema.names:
        columns += [f"{name}_predicted", f"{name}_confidence"]
    rows = []
    for tag in tags:
        cells: list[str | None] = [str(tag.picture)]
        if tag.problem is None:
            for value, confidence in zip(tag.values, tag.confidences, strict=True):
                cells += [value if confidence >= least_confidence else None, f"{confidence:.4f}"]
        else:
            cells += [None] * (2 * model.schema.num_attributes)
        rows.append([*cells, tag.problem])
    write_rows(path, [*columns, "problem"], rows)
    return len(rows)
