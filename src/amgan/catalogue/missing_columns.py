"""What to do about a column that a table does not have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from amgan.attributes import suggest_name
from amgan.catalogue.raw_table import RawTable
from amgan.catalogue.rows import cell_text

IMAGE_OPTION = "--image"
_ROWS_LOOKED_AT = 20
_USUAL_NAMES = (
    *("photo", "picture", "pic", "img", "image", "images", "file", "filename", "path"),
    *("image_path", "image_file", "image_name", "img_path", "photo_path", "picture_path"),
    *("file_name", "file_path"),
)


def advise_columns(table: RawTable, options: Mapping[str, str]) -> dict[str, str]:
    """Advice for each column of `options` that `table` lacks; see `RawTable.require`.

    Args:
        table: the table.
        options: the command-line option that names each column.
    """
    advice = {}
    for name, option in options.items():
        if name in table.columns:
            continue
        if option == IMAGE_OPTION:
            advice[name] = _advise_image(table, name)
        else:
            advice[name] = f"{suggest_name(name, table.columns)}{option} names it; "
    return advice


def _advise_image(table: RawTable, name: str) -> str:
    advice = f"name the column of picture paths with {IMAGE_OPTION} COLUMN; "
    found = picture_columns(table)
    if found:
        listed = " or ".join(f"{IMAGE_OPTION} {column!r}" for column in found)
        return f"{advice}did you mean {listed}? "
    return advice + suggest_name(name, table.columns)


def picture_columns(table: RawTable) -> list[str]:
    """Columns whose first cells are paths of files, else those with a usual name."""
    rows = [cells for _, cells in table.rows[:_ROWS_LOOKED_AT]]
    holding = []
    for position, name in enumerate(table.columns):
        texts = [text for cells in rows if (text := cell_text(cells[position]))]
        if texts and any(_is_file(table.file.parent / text) for text in texts):
            holding.append(name)
    return holding or [name for name in table.columns if name.casefold() in _USUAL_NAMES]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text that can be no path
        return False
