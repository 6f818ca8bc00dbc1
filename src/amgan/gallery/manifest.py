"""What a gallery version says about itself: ``gallery.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from amgan.attributes import AttributeSchema
from amgan.files import write_text
from amgan.gallery.integrity import FileRecord, check_size
from amgan.gallery.picture_root import PictureRoot
from amgan.gallery.versions import GalleryError, require_ordinary
from amgan.images import ImageSettings
from amgan.methods.method import RankingMetric
from amgan.methods.ranking import RankingChoice
from amgan.methods.trained import TrainedModel

FORMAT = "amgan-gallery"
VERSION = 1
_FILE = "gallery.json"


@dataclass(frozen=True)
class TableReading:
    """How the table was read that a gallery was made from; see `config.CatalogueConfig`.

    Attributes:
        image, item_id, product, split: columns, empty for none.
        separator, several: several values in one cell.
    """

    image: str = "image"
    item_id: str = ""
    product: str = ""
    split: str = ""
    separator: str = ""
    several: Literal["first", "none"] = "first"


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
        table: how the table was read; None where it was none, or in galleries written before it
            was kept.
        pictures: where the pictures lie; None in galleries written before it was kept, whose
            picture paths are absolute.
        sizes: bytes of each file of the version, in galleries written before `files` was kept.
        files: size and SHA-256 of each file of the version, to notice damage.
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
    table: TableReading | None = None
    pictures: PictureRoot | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, FileRecord] = field(default_factory=dict, compare=False)

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
        values = asdict(self) | {"schema": self.schema.to_dict()}
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
        require_ordinary(file)
        try:
            manifest = cls._parse(file, json.loads(file.read_text(encoding="utf-8")))
        except GalleryError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GalleryError(f"{file}: damaged ({error!r})") from None
        sizes = {**manifest.sizes, **{name: kept.size for name, kept in manifest.files.items()}}
        for name, size in sizes.items():
            problem = check_size(folder / name, size)
            if problem is not None:
                raise GalleryError(f"{problem}; the gallery is damaged, write it again")
        return manifest

    @classmethod
    def _parse(cls, file: Path, values: dict[str, Any]) -> Manifest:
        if values.pop("format") != FORMAT:
            raise GalleryError(f"{file}: not a gallery of this program")
        version = values.pop("version")
        if version != VERSION:
            raise GalleryError(f"{file}: gallery format {version}, this reads {VERSION}")
        values["images"] = ImageSettings(**values["images"])
        values["schema"] = AttributeSchema.from_dict(values["schema"])
        if values.get("ranking") is not None:
            values["ranking"] = RankingChoice(values["ranking"])
        if values.get("table") is not None:
            values["table"] = TableReading(**values["table"])
        if values.get("pictures") is not None:
            values["pictures"] = PictureRoot(**values["pictures"])
        values["files"] = {
            name: FileRecord(**record) for name, record in values.get("files", {}).items()
        }
        return cls(**values)
