"""Training, and what is done with a trained model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from amgan.api.searchers import Searcher
from amgan.attributes import AttributeSchema
from amgan.catalogue.records import Catalogue
from amgan.catalogue.table import save_table
from amgan.config import load_config
from amgan.errors import InputError
from amgan.evaluation.report import EvaluationReport, Protocol
from amgan.files import StrPath
from amgan.methods.model_file import load_model
from amgan.methods.ranking import RankingChoice
from amgan.run_folder import RunFolder
from amgan.workflows.evaluate import evaluate_run
from amgan.workflows.index import index_catalogue, index_run
from amgan.workflows.publish import ModelCard, publish_run
from amgan.workflows.train import train_experiment


def train(
    catalogue: Catalogue,
    *,
    preset: str | Sequence[str] = (),
    out: StrPath = "run",
    settings: Mapping[str, Any] | None = None,
) -> Run:
    """Train a model on a catalogue, and leave a run folder.

    A run that was interrupted goes on when it is called again with the same arguments; a finished
    one is opened. The folder keeps a copy of the catalogue's table, so that the run can be indexed
    and measured later.

    Args:
        catalogue: of `read_catalogue`.
        preset: settings that come with amgan, by name, or TOML files; later ones win. See
            `amgan presets`.
        out: run folder, made where it is missing.
        settings: over the presets, such as ``{"training.epochs": 5}``.

    Raises:
        SettingsError: a preset or a setting that does not exist, or a value it cannot have.
        InputError: the folder holds a run of another catalogue or other settings.
        TrainingDivergedError: a loss became infinite or not a number.

    Example:
        >>> import amgan
        >>> catalogue, _ = amgan.read_catalogue(
        ...     "tops.csv", attributes=["category", "colour"], image="photo", item_id="sku"
        ... )
        >>> run = amgan.train(
        ...     catalogue,
        ...     preset=["scales/small", "short/amgan-t"],
        ...     out="run",
        ...     settings={"training.epochs": 1, "images.height": 16, "images.width": 16},
        ... )
        >>> run.path.name
        'run'
    """
    folder = RunFolder(Path(out))
    names = [preset] if isinstance(preset, str) else list(preset)
    # The name of the file becomes the name of the catalogue again.
    stem = re.sub(r"[^\w.-]+", "-", catalogue.name)
    table = folder.catalogue / f"{stem}.parquet"
    own = {
        "path": str(table.absolute()),
        "attributes": catalogue.schema.names,
        "image": "image",
        "item_id": "item_id",
        "product": "product",
        "split": "split",
    }
    config = load_config(
        [Path(name) for name in names],
        settings={
            **(settings or {}),
            **{f"catalogue.{name}": value for name, value in own.items()},
        },
    )
    save_table(catalogue, table)
    train_experiment(config, folder.path)
    return Run.open(folder.path)


class Run:
    """A trained model and its folder.

    Example:
        >>> import amgan
        >>> run = amgan.Run.open("run")
        >>> run.schema.names
        ('category', 'colour')
    """

    def __init__(self, path: StrPath) -> None:
        self._folder = RunFolder(Path(path))
        self._description = load_model(self.path, "cpu").description

    @classmethod
    def open(cls, path: StrPath) -> Run:
        """Open a run folder, or a folder that `save_pretrained` wrote.

        Raises:
            InputError: no model there.

        Example:
            >>> import amgan
            >>> amgan.Run.open("run").method
            'amgan-t'
        """
        return cls(path)

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder.path

    @property
    def schema(self) -> AttributeSchema:
        """Attributes and values that the model can change."""
        return self._description.schema

    @property
    def method(self) -> str:
        """Name of the method, such as ``amgan-t``."""
        return self._description.method

    def index(
        self,
        catalogue: Catalogue | None = None,
        *,
        out: StrPath | None = None,
        engine: str = "auto",
        ranking: Literal["auto", "pure", "fused"] = "auto",
        device: str = "auto",
    ) -> Searcher:
        """Encode a catalogue into a gallery, and open it.

        An interrupted run of this goes on when it is called again.

        Args:
            catalogue: to be searched; None takes the one that the run was trained on. Its
                attributes and values have to be among the model's.
            out: gallery folder; None takes ``gallery`` in the run folder.
            engine: what searches it: auto, ``faiss://exact``, a graph, or a Milvus server.
            ranking: rank by the learned distance (pure), or fused with attributes; auto is fused
                where the model was fitted for it.
            device: auto, cpu, cuda or cuda:N.

        Raises:
            InputError: no catalogue, or one with other attributes or values than the model's.
            GalleryError: no picture can be read, or the folder cannot be written.

        Example:
            >>> import amgan
            >>> searcher = amgan.Run.open("run").index()
            >>> len(searcher)
            240
        """
        folder = self._folder.gallery if out is None else Path(out)
        options: dict[str, Any] = {
            "engine": engine,
            "device": device,
            "ranking": RankingChoice(ranking),
        }
        if catalogue is None:
            index_run(self.path, folder, **options)
        else:
            index_catalogue(self.path, folder, catalogue, **options)
        return Searcher.open(folder, device=device)

    def evaluate(
        self,
        protocol: Protocol = "unseen",
        *,
        split: Literal["val", "test"] = "test",
        ranking: Literal["pure", "fused"] = "pure",
        device: str = "auto",
    ) -> EvaluationReport:
        """Measure the model on the triplets of a split, through the search that serves users.

        The report is also written to ``evaluation`` in the run folder.

        Args:
            protocol: the gallery is the items of the split (unseen), or all items (paper).
            split: which triplets.
            ranking: the method's own (pure), or fused with attributes.
            device: auto, cpu, cuda or cuda:N.

        Raises:
            InputError: no triplets in the split, or a method without a fused ranking.

        Example:
            >>> import amgan
            >>> report = amgan.Run.open("run").evaluate(protocol="unseen")
            >>> 0 <= report.groups["all"].means["top@10"] <= 1
            True
        """
        choice = RankingChoice(ranking)
        (found,) = evaluate_run(self.path, (protocol,), split=split, device=device, ranking=choice)
        pure = choice is RankingChoice.pure
        found.save(self._folder.evaluation if pure else self._folder.evaluation / "fused")
        return found.report

    def save_pretrained(
        self,
        folder: StrPath,
        *,
        data_licence: str,
        licence: str | None = None,
        intended_use: str | None = None,
    ) -> Path:
        """Write what others need to use the model: weights, settings, and a model card.

        No path of this machine and no item of the catalogue is in it. The card, README.md, tells
        the data, the figures that were measured, the licences and the intended use, with the
        metadata that model hubs read.

        Args:
            folder: made where it is missing.
            data_licence: terms of the pictures and labels that the model was trained on.
            licence: of the model, as hubs abbreviate it, such as ``mit``.
            intended_use: one or more sentences; None takes a general one.

        Example:
            >>> import amgan
            >>> folder = amgan.Run.open("run").save_pretrained(
            ...     "published", data_licence="Pictures of our own shop; not for resale."
            ... )
            >>> sorted(path.name for path in folder.iterdir())
            ['README.md', 'config.json', 'model.safetensors']
        """
        card = ModelCard(data_licence, licence, intended_use)
        return publish_run(self._folder, Path(folder), card)

    @classmethod
    def from_pretrained(cls, folder: StrPath) -> Run:
        """Open a folder that `save_pretrained` wrote; nothing is downloaded.

        Raises:
            InputError: no such folder, or no model in it.

        Example:
            >>> import amgan
            >>> run = amgan.Run.from_pretrained("published")
            >>> run.schema.names
            ('category', 'colour')
        """
        if not Path(folder).is_dir():
            raise InputError(f"{folder}: no such folder; models are not downloaded by name")
        return cls(folder)
