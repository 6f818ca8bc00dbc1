"""Which files a server may open as pictures of its gallery: those below one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amgan.catalogue.parallel import map_in_threads
from amgan.gallery.gallery import Gallery
from amgan.images import ImageSettings, PictureError, Pixels

Decode = Callable[[Path | bytes, ImageSettings], Pixels]


@dataclass(frozen=True)
class PictureFolder:
    """The folder of a gallery's pictures.

    Attributes:
        root: the folder, without links; None where the gallery does not tell it, as older ones do
            not: then any file that the gallery names is one of its pictures.
    """

    root: Path | None

    @classmethod
    def of(cls, gallery: Gallery) -> PictureFolder:
        """The folder that was set for a gallery, else that of its table."""
        root = gallery.items.root
        return cls(None if root is None else root.resolve())

    def require(self, picture: Path) -> Path:
        """The picture, where it lies below the folder once links and `..` are followed.

        Raises:
            PictureError: it does not.
        """
        if not self.holds(picture):
            raise PictureError(str(picture), "lies outside of the folder of pictures")
        return picture

    def holds(self, picture: Path) -> bool:
        """Whether a picture lies below the folder once links and `..` are followed."""
        if self.root is None:
            return True
        try:
            return picture.resolve().is_relative_to(self.root)
        except (OSError, RuntimeError, ValueError):  # a loop of links, or no path at all
            return False

    def confine(self, decode: Decode) -> Decode:
        """The same decoding, of files below the folder only."""

        def decode_inside(source: Path | bytes, images: ImageSettings) -> Pixels:
            return decode(self.require(source) if isinstance(source, Path) else source, images)

        return decode_inside

    def missing(self, gallery: Gallery) -> list[Path]:
        """Pictures of a gallery that are not there, or lie outside of the folder."""

        def is_there(picture: Path) -> bool:
            try:
                return picture.is_file() and self.holds(picture)
            except (OSError, ValueError):
                return False

        images = gallery.items.images
        found = map_in_threads(is_there, images)
        return [image for image, there in zip(images, found, strict=True) if not there]
