"""What a gallery version says about itself: ``gallery.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from amgan.attributes import AttributeSchema
from amgan.files import write_text
from amgan.gallery.versions import GalleryError
from amgan.images import ImageSettings
from amgan.methods.method import RankingMetric
from amgan.methods.ranking import RankingChoice
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
        engine: setting of the engine that the version was written for.
        engine_asked: the setting as the user wrote it, such as "auto".
        ranking: what the user chose to rank by: "auto", "pure" or "fused"; a newer model is loaded
            with it. None in galleries written before it was kept.
        trust_labels: see `build_gallery`.
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
    engine: str = "faiss://exact"
    engine_asked: str = "faiss://exact"
    ranking: RankingChoice | None = None
    trust_labels: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, model: TrainedModel, name: str, count: int, skipped: int) -> Manifest:
        """Manifest of `count` items encoded by `model`, searched exactly, without files yet."""
        return cls(
            name,
            count,
            skipped,
            model.embedding_dim,
            model.ranking_metric,
            model.description.method,
            model.identity,
            model.images,
            model.schema,
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
            if values.get("ranking") is not None:
                values["ranking"] = RankingChoice(values["ranking"])
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
