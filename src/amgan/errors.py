"""The errors that tell a user what is wrong with what was given.

Every one of them is an `AmganError`. Whatever else escapes from this package, but for `OSError`, is
a fault of the package itself: the command line shows its traceback, the server logs it.
"""

from __future__ import annotations

from pathlib import Path


class AmganError(Exception):
    """Base of all errors that a user can do something about.

    Args:
        message: one or more sentences: what is wrong, and what would be right.
        field: the setting, column, option or attribute that the error is about.
        file: the file that holds it.
        row: the row, item or line of that file.
    """

    def __init__(
        self,
        *message: object,
        field: str | None = None,
        file: Path | str | None = None,
        row: int | str | None = None,
    ) -> None:
        super().__init__(*message)
        self.field = field
        self.file = None if file is None else Path(file)
        self.row = row


class InputError(AmganError, ValueError):
    """A value, option, setting or file that was given cannot be used as it is."""


class SettingsError(InputError):
    """A setting that does not exist, or a value that it cannot have; `field` names the setting."""


class FileFormatError(InputError):
    """A file that does not hold what it should; `file` and, where it has rows, `row` name it."""


class QueryError(InputError):
    """A search asks for what its gallery or model does not have; `field` names the part of it."""


class NoSuchItemError(QueryError):
    """The gallery does not have an item.

    Args:
        gallery: its name.
        item_id: that was asked for.
    """

    def __init__(self, gallery: str, item_id: str) -> None:
        super().__init__(f"gallery {gallery!r} has no item {item_id!r}", field="item_id")
        self.item_id = item_id
