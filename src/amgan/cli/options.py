"""Options that several commands share, and the configuration they add up to."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amgan.errors import InputError
from amgan.gallery.encoding.executor_choice import ExecutorChoice

if TYPE_CHECKING:
    from amgan.config import ExperimentConfig
    from amgan.gallery.encoding.blocks import EncodingOptions

CATALOGUE_PANEL = "Catalogue table"
ENCODING_PANEL = "Encoding"

# Groups of commands in `amgan --help`.
START, PREPARE, LEARN, SEARCH = "Start here", "Your catalogue", "Learn and measure", "Search"


class SeveralChoice(StrEnum):
    """Which of several values in one cell counts."""

    first = "first"
    none = "none"


Table = Annotated[
    Path | None,
    typer.Argument(
        metavar="TABLE",
        help="Catalogue: .csv, .parquet or .jsonl, one row an item.",
        show_default=False,
    ),
]
Attributes = Annotated[
    str,
    typer.Option(
        "--attributes",
        "-a",
        metavar="NAME,NAME,...",
        help="Columns that hold attributes.",
        rich_help_panel=CATALOGUE_PANEL,
        show_default=False,
    ),
]
Image = Annotated[
    str,
    typer.Option(
        "--image",
        metavar="COLUMN",
        help="Column of picture paths, relative to the table.  \\[default: image]",
        rich_help_panel=CATALOGUE_PANEL,
        show_default=False,
    ),
]
ItemId = Annotated[
    str,
    typer.Option(
        "--id",
        metavar="COLUMN",
        help="Column of item ids; without it the picture path is the id.",
        rich_help_panel=CATALOGUE_PANEL,
        show_default=False,
    ),
]
Product = Annotated[
    str,
    typer.Option(
        "--product",
        metavar="COLUMN",
        help="Column that items of one product share; they stay in one split.",
        rich_help_panel=CATALOGUE_PANEL,
        show_default=False,
    ),
]
Split = Annotated[
    str,
    typer.Option(
        "--split",
        metavar="COLUMN",
        help="Column of train, val, test; without it 80/10/10 are drawn.",
        rich_help_panel=CATALOGUE_PANEL,
        show_default=False,
    ),
]
Separator = Annotated[
    str,
    typer.Option(
        "--separator",
        metavar="TEXT",
        help="Stands between several values in one cell, such as '|'.",
        rich_help_panel=CATALOGUE_PANEL,
        show_default=False,
    ),
]
Several = Annotated[
    SeveralChoice | None,
    typer.Option(
        "--several",
        metavar="WHICH",
        help="Of several values in a cell, take the first, or none.  \\[default: first]",
        rich_help_panel=CATALOGUE_PANEL,
        show_default=False,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="End with 1 where a row, label or picture cannot be used; leave none out.",
        rich_help_panel=CATALOGUE_PANEL,
    ),
]
Pictures = Annotated[
    Path | None,
    typer.Option(
        "--pictures",
        metavar="FOLDER",
        envvar="AMGAN_PICTURES",
        help="Folder of the gallery's pictures.  \\[default: the table's, where it was or moved "
        "together with the gallery]",
        show_default=False,
    ),
]
Configs = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="TOML file of settings, or the name of a preset, such as short/amgan-t; "
        "a later one wins over an earlier one.",
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--setting",
        "-s",
        metavar="KEY=VALUE",
        help="One setting, such as training.epochs=5; wins over files.",
        show_default=False,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device", metavar="NAME", help="auto (a GPU if there is one), cpu, cuda, cuda:N."
    ),
]
Run = Annotated[
    Path,
    typer.Option("--run", "-r", metavar="FOLDER", envvar="AMGAN_RUN", help="Run folder."),
]


def run_option(help: str, envvar: str | None = None) -> Any:
    """The option --run of a command that has its own words for what is taken without it."""
    return typer.Option(
        "--run", "-r", metavar="FOLDER", envvar=envvar, help=help, show_default=False
    )


def gallery_option(default: str = "gallery in the run folder") -> Any:
    """The option --gallery; `default` says in words what is taken without it."""
    help = f"Gallery folder.  \\[default: {default}]"
    return typer.Option("--gallery", "-g", metavar="FOLDER", help=help, show_default=False)


Gallery = Annotated[Path | None, gallery_option()]
BatchSize = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        help="Pictures encoded at once, by each worker.",
        rich_help_panel=ENCODING_PANEL,
    ),
]
Executor = Annotated[
    ExecutorChoice,
    typer.Option(
        metavar="NAME",
        help="Who encodes: threads, processes, or ray (the cluster at RAY_ADDRESS, or this "
        "machine).",
        rich_help_panel=ENCODING_PANEL,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        rich_help_panel=ENCODING_PANEL,
        help="Number of threads, processes or Ray actors.  \\[default: as many as there are cores]",
        show_default=False,
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Search with another engine than the gallery was indexed for: faiss://exact, or the "
        "same one with another ef_search.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


# What is trained where nobody names a method: heads on a pretrained trunk.
UNTUNED = Path("heads")
TUNED = Path("heads-tuned")
ENCODING_ADVICE = "what was encoded is kept; give the same command again to go on"


def encoding_options(
    batch_size: int, executor: ExecutorChoice, workers: int | None
) -> EncodingOptions:
    """How a command encodes, with its progress shown."""
    from amgan.gallery.encoding.blocks import EncodingOptions
    from amgan.progress import track

    return EncodingOptions(
        batch_size=batch_size, executor=executor, workers=workers, progress=track
    )


@dataclass(frozen=True)
class TableOptions:
    """The catalogue options of a command line; empty where not given."""

    table: Path | None = None
    attributes: str = ""
    image: str = ""
    item_id: str = ""
    product: str = ""
    split: str = ""
    separator: str = ""
    several: SeveralChoice | None = None

    def given(self) -> dict[str, Any]:
        """The options that were given, by field of `CatalogueConfig`."""
        names = tuple(name.strip() for name in self.attributes.split(",") if name.strip())
        values = {
            "path": "" if self.table is None else str(self.table.absolute()),
            "attributes": names,
            "image": self.image,
            "item_id": self.item_id,
            "product": self.product,
            "split": self.split,
            "separator": self.separator,
            "several": None if self.several is None else str(self.several),
        }
        return {key: value for key, value in values.items() if value}

    def settings(self) -> list[str]:
        """The options that were given as `key=value` settings."""
        return [
            f"catalogue.{key}={json.dumps(value, ensure_ascii=False)}"
            for key, value in self.given().items()
        ]


def takes_table(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a catalogue's table, in place of its parameter `source`.

    Args:
        command: has a parameter `source`, a `TableOptions`.
    """
    own = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for parameter in own.parameters.values():
        shared = _TABLE_PARAMETERS if parameter.name == "source" else (parameter,)
        parameters += shared

    def call(**given: Any) -> None:
        table = {parameter.name: given.pop(parameter.name) for parameter in _TABLE_PARAMETERS}
        command(source=TableOptions(**table), **given)

    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    vars(call)["__signature__"] = own.replace(parameters=parameters)
    return call


_PLAIN = inspect.Parameter.POSITIONAL_OR_KEYWORD
_TABLE_PARAMETERS = tuple(
    inspect.Parameter(name, _PLAIN, default=default, annotation=kind)
    for name, kind, default in (
        ("table", Table, None),
        ("attributes", Attributes, ""),
        ("image", Image, ""),
        ("item_id", ItemId, ""),
        ("product", Product, ""),
        ("split", Split, ""),
        ("separator", Separator, ""),
        ("several", Several, None),
    )
)


def read_config(
    configs: list[Path] | None,
    table: TableOptions,
    settings: list[str] | None,
    fallback: Path = UNTUNED,
) -> ExperimentConfig:
    """The configuration that a command line adds up to.

    Where nothing in it names a method, it stands on the preset `fallback`.

    Raises:
        ValueError: a wrong setting, or no catalogue named anywhere.
    """
    from amgan.config import load_config

    overrides = [*table.settings(), *(settings or [])]
    config = load_config(configs or [], overrides, fallback=fallback)
    if not config.catalogue.path:
        raise InputError("name a catalogue: a table, or a file with [catalogue] after --config")
    if config.catalogue.reader == "table" and not config.catalogue.attributes:
        raise InputError(
            "name the attribute columns of the table, such as --attributes colour,sleeve"
        )
    return config


def examples(*commands: str) -> str:
    """Text below a command's help that shows it at work, one command a line."""
    return "\n".join(("\b", "[bold]Examples[/bold]", *(f"  {command}" for command in commands)))
