"""Where the pictures of a gallery lie, also after it was moved."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PictureRoot:
    """The folder that picture paths are relative to: that of the table.

    Attributes:
        path: the folder, when the version was written.
        from_gallery: the same folder as seen from the gallery's; empty where there is no such path.
    """

    path: str
    from_gallery: str = ""

    @classmethod
    def of(cls, root: Path | None, gallery: Path) -> PictureRoot | None:
        """What a version of the folder `gallery` keeps of `root`; None where it is not known."""
        if root is None:
            return None
        try:
            seen = Path(os.path.relpath(root, gallery.absolute())).as_posix()
        except ValueError:  # another drive
            seen = ""
        return cls(os.fspath(root), seen)

    def find(self, gallery: Path) -> Path:
        """The folder: where it was, else where it would be had it been moved with the gallery."""
        there = Path(self.path)
        if not there.is_dir() and self.from_gallery:
            moved = Path(os.path.normpath(gallery.absolute() / self.from_gallery))
            if moved.is_dir():
                return moved
        return there
