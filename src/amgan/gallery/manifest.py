"""What a gallery version says about itself: ``gallery.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from amgan.attributes import AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.files import write_text
from amgan.gallery.encode import Encoded
from amgan.gallery.versions import GalleryError
from amgan.images import ImageSettings
from amgan.methods.protocol import RankingMetric
from amgan.methods.trained import TrainedModel

FORMAT = "amgan-gallery"
VERSION = 1
_FILE = "gallery.json"


@dataclass(frozen=True)
class Manifest:
    """Description of a gallery.

    Attributes:
        name: the catalogue's.
        count: N, items with a vector.
        skipped: items whose picture could not be decoded.
        dim: D.
        metric: how vectors are compared.
        method: name of the model's method.
        model_identity: SHA-256 of the model that encoded the pictures.
        images: preprocessing of the pictures.
        schema: attributes of the labels.
        sizes: bytes of each file of the version, to notice a damaged copy.
    """

    name: str
    count: int
    skipped: int
    dim: int
    metric: RankingMetric
    method: str
    model_identity: str
    images: ImageSettings
    schema: AttributeSchema
    sizes: Mapping[str, int]

    @classmethod
    def of(
        cls, model: TrainedModel, kept: Catalogue, encoded: Encoded, sizes: Mapping[str, int]
    ) -> Manifest:
        """Manifest of the items `kept` of a catalogue, encoded by `model`."""
        return cls(
            kept.name,
            len(kept),
            len(encoded.skipped),
            model.embedding_dim,
            model.ranking_metric,
            model.description.method,
            model.identity,
            model.images,
            model.schema,
            sizes,
        )

    def save(self, folder: Path) -> None:
        """Write ``gallery.json``."""
        values = asdict(self) | {"schema": self.schema.to_dict(), "sizes": dict(self.sizes)}
        header = {"format": FORMAT, "version": VERSION}
        write_text(folder / _FILE, json.dumps(header | values, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read ``gallery.json`` and check that the version's files have their sizes.

        Raises:
            GalleryError: not a gallery of this program, or a damaged one.
            FileNotFoundError: a file is missing.
        """
        file = folder / _FILE
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT:
                raise GalleryError(f"{file}: not a gallery of this program")
            version = values.pop("version")
            if version != VERSION:
                raise GalleryError(f"{file}: gallery format {version}, this reads {VERSION}")
            values["images"] = ImageSettings(**values["images"])
            values["schema"] = AttributeSchema.from_dict(values["schema"])
            manifest = cls(**values)
        except GalleryError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GalleryError(f"{file}: damaged ({error!r})") from None
        for name, size in manifest.sizes.items():
            found = (folder / name).stat().st_size
            if found != size:
                raise GalleryError(
                    f"{folder / name}: has {found:,} bytes instead of {size:,}; "
                    "the gallery is damaged, write it again"
                )
        return manifest
