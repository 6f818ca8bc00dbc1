"""Triplet files: JSON lines that a person can read and that are checked against a catalogue.

The first line is a header with the format's name and version, the seed, the catalogue's and the
schema's digest and the settings of the draw. Each further line is one triplet, its changes written
as `collar: v-neck -> round`; an added value is written as `collar: (none) -> round`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from amgan.attributes import MISSING, Change
from amgan.catalogue.records import Catalogue
from amgan.errors import FileFormatError, InputError
from amgan.files import replacing
from amgan.queries.triplets import Triplets

FORMAT = "amgan-triplets"
VERSION = 1


def save_triplets(triplets: Triplets, catalogue: Catalogue, path: Path) -> None:
    """Write a triplet file; a reader sees the old file or the whole new one.

    Raises:
        ValueError: the triplets were drawn from another catalogue.
    """
    if triplets.catalogue_digest != catalogue.digest:
        raise InputError(
            f"these triplets were drawn from another catalogue than {catalogue.name!r}"
        )
    with replacing(Path(path)) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for line in _lines(triplets, catalogue):
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def load_triplets(path: Path, catalogue: Catalogue) -> Triplets:
    """Read a triplet file and check every row against the catalogue.

    A file that was written for another state of the catalogue is accepted when all of its rows
    still hold (the catalogue may have grown since); one row that does not hold refuses the file.

    Raises:
        ValueError: with file and line: not a triplet file, a truncated file, an unknown item, a
            wrong split, or changes that do not agree with the labels.
    """
    path = Path(path)
    # What is not UTF-8 is replaced here, so that it fails below with its line.
    with path.open(encoding="utf-8", errors="replace") as stream:
        header = _read_header(path, stream.readline())
        rows: list[tuple[str, int, int]] = []
        for number, line in enumerate(stream, start=2):
            try:
                rows.append(_read_row(line, catalogue))
            except InputError as error:
                message = f"{path}, line {number}: {error}{_origin(header, catalogue)}"
                raise FileFormatError(message, file=path, row=number) from None
    if header["triplets"] != len(rows):
        raise InputError(
            f"{path}: the header announces {header['triplets']} triplets, the file has {len(rows)}"
        )
    return Triplets(
        np.array([reference for _, reference, _ in rows], np.int64),
        np.array([target for _, _, target in rows], np.int64),
        tuple(split for split, _, _ in rows),
        header["seed"],
        catalogue.digest,
        header["skipped"],
        header["settings"],
    )


def _lines(triplets: Triplets, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    yield {
        "format": FORMAT,
        "version": VERSION,
        "seed": triplets.seed,
        "catalogue": catalogue.name,
        "catalogue_digest": catalogue.digest,
        "schema_digest": catalogue.schema.digest,
        "settings": dict(triplets.settings),
        "triplets": len(triplets),
        "skipped": triplets.skipped,
    }
    rows = zip(triplets.splits, triplets.reference.tolist(), triplets.target.tolist(), strict=True)
    for split, reference, target in rows:
        yield {
            "split": split,
            "reference": catalogue.item_ids[reference],
            "target": catalogue.item_ids[target],
            "changes": _describe_changes(catalogue, reference, target),
        }


def _describe_changes(catalogue: Catalogue, reference: int, target: int) -> list[str]:
    """Changes from one item to another in words.

    Raises:
        ValueError: a value is missing in the target, or nothing differs.
    """
    changes = []
    pairs = zip(
        catalogue.schema.attributes,
        catalogue.labels[reference].tolist(),
        catalogue.labels[target].tolist(),
        strict=True,
    )
    for attribute, before, after in pairs:
        if before == after:
            continue
        if after == MISSING:
            raise InputError(
                f"{attribute.name} is {attribute.values[before]!r} in the reference and missing in "
                "the target; a change cannot remove a value"
            )
        unwanted = None if before == MISSING else attribute.values[before]
        changes.append(str(Change(attribute.name, attribute.values[after], unwanted)))
    if not changes:
        raise InputError("reference and target do not differ in any attribute")
    return changes


def _read_header(path: Path, line: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except json.JSONDecodeError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise FileFormatError(
            f"{path}, line 1: not a triplet file (no header of format {FORMAT!r})", file=path, row=1
        )
    if header.get("version") != VERSION:
        raise InputError(
            f"{path}, line 1: version {header.get('version')!r} is not supported; "
            f"this program reads version {VERSION}"
        )
    kinds = {"seed": int, "settings": dict, "triplets": int, "skipped": int}
    for key, kind in kinds.items():
        if not isinstance(header.get(key), kind):
            raise FileFormatError(
                f"{path}, line 1: the header's {key!r} is missing or malformed", file=path, row=1
            )
    return header


def _read_row(line: str, catalogue: Catalogue) -> tuple[str, int, int]:
    """(split, reference row, target row) of one line, checked."""
    try:
        row = json.loads(line)
        split, reference_id, target_id = row["split"], row["reference"], row["target"]
        changes = row["changes"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InputError("expected an object with split, reference, target, changes") from None
    for name, text in (("split", split), ("reference", reference_id), ("target", target_id)):
        if not isinstance(text, str):
            raise InputError(f"{name} is {text!r}; it must be a text")
    reference, target = catalogue.row(reference_id), catalogue.row(target_id)
    for item_id, place in ((reference_id, reference), (target_id, target)):
        if catalogue.splits[place] not in (None, split):
            raise InputError(
                f"the file puts item {item_id!r} in split {split!r}, "
                f"the catalogue in {catalogue.splits[place]!r}"
            )
    expected = _describe_changes(catalogue, reference, target)
    if changes != expected:
        raise InputError(
            f"changes {changes} do not agree with the labels of {reference_id!r} and "
            f"{target_id!r}, which give {expected}"
        )
    return split, reference, target


def _origin(header: dict[str, Any], catalogue: Catalogue) -> str:
    if header.get("catalogue_digest") == catalogue.digest:
        return ""
    return (
        f" (the file was written for another state of the catalogue: {header.get('catalogue')!r}, "
        f"digest {str(header.get('catalogue_digest'))[:12]}, "
        f"not {catalogue.name!r}, digest {catalogue.digest[:12]})"
    )
