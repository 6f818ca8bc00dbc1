"""One experiment's configuration, read from TOML files and `key=value` overrides."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from amgan.catalogue.table import Several, TableLayout
from amgan.errors import InputError, SettingsError
from amgan.files import read_toml
from amgan.images import DEFAULT_LIMITS, ImageSettings, PictureLimits
from amgan.methods.registry import method_options
from amgan.models.network import NetworkConfig
from amgan.presets import find_preset
from amgan.run_folder import RunFolder
from amgan.training.loop import TrainingConfig


@dataclass(frozen=True)
class CatalogueConfig:
    """Where the items come from.

    Attributes:
        path: the table (CSV, Parquet, JSONL), or the folder that `reader` expects.
        reader: `table`, or the name of a dataset's own layout.
        attributes: columns to manipulate, in order; required for a table.
        image: column of picture paths.
        item_id: column of ids; empty takes the picture path.
        product: column of product keys; empty for none.
        split: column of split names; empty draws 80/10/10 by product.
        separator: what stands between several values in one cell; empty takes each for one value.
        several: of several values take the `first`, or `none`, and the label is missing.
        max_bytes: largest picture file.
        max_pixels: largest width times height of a picture.
    """

    path: str = ""
    reader: str = "table"
    attributes: tuple[str, ...] = ()
    image: str = "image"
    item_id: str = ""
    product: str = ""
    split: str = ""
    separator: str = ""
    several: Several = "first"
    max_bytes: int = DEFAULT_LIMITS.max_bytes
    max_pixels: int = DEFAULT_LIMITS.max_pixels

    @property
    def limits(self) -> PictureLimits:
        """What a picture may measure."""
        return PictureLimits(self.max_bytes, self.max_pixels)

    @property
    def layout(self) -> TableLayout:
        """How the table is read.

        Raises:
            InputError: no attribute, or a column that is used twice.
        """
        return TableLayout(
            self.image,
            self.attributes,
            self.item_id or None,
            self.product or None,
            self.split or None,
            self.separator,
            self.several,
        )


@dataclass(frozen=True)
class TripletConfig:
    """Which triplets are drawn where no file is given.

    Attributes:
        path: triplet file to use; empty draws triplets.
        seed: of the draw.
        min_changes, max_changes: attributes a target differs in (1 and 2 in the paper).
        balance_changes: draw the number of changes first, each as likely, then a target with as
            many. Without it most targets differ in as much as they may: there are more of those.
        per_item: training targets drawn for each item (1 in the paper).
    """

    path: str = ""
    seed: int = 0
    min_changes: int = 1
    max_changes: int = 2
    balance_changes: bool = False
    per_item: int = 1

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SettingsError(f"triplets.seed must be 0 or more, not {self.seed}")


@dataclass(frozen=True)
class ExperimentConfig:
    """Everything that decides a run.

    Attributes:
        method: key of `methods.registry.METHODS`.
        options: changes to the method's default options.
        catalogue, triplets, images, network, training: see there.
    """

    method: str = "amgan-p"
    options: dict[str, Any] = field(default_factory=dict)
    catalogue: CatalogueConfig = field(default_factory=CatalogueConfig)
    triplets: TripletConfig = field(default_factory=TripletConfig)
    images: ImageSettings = field(default_factory=ImageSettings)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain data with every setting resolved, the method's options included."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        values["network"] = json.loads(json.dumps(self.network.to_dict()))
        values["options"] = dataclasses.asdict(method_options(self.method, self.options))
        return values


def load_config(
    paths: Sequence[Path] = (),
    overrides: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    *,
    fallback: Path | None = None,
) -> ExperimentConfig:
    """Merge TOML files in order, then overrides such as ``training.epochs=5``.

    Args:
        paths: as `find_preset` takes them.
        overrides: key=value.
        settings: the same as values by key, nested or with dots in the key; they win.
        fallback: comes before all others where none of them names a method.

    Raises:
        ValueError: a file that cannot be read, an unknown key, or a wrong value.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        merged = _merge(merged, read_toml(find_preset(path)))
    for text in overrides:
        merged = _merge(merged, _parse_override(text))
    for key, value in (settings or {}).items():
        merged = _merge(merged, _nest(key, value))
    if fallback is not None and "method" not in merged:
        merged = _merge(read_toml(find_preset(fallback)), merged)
    return config_from_dict(merged)


def config_from_dict(values: Mapping[str, Any]) -> ExperimentConfig:
    """Configuration from plain data; absent keys take their defaults.

    Raises:
        ValueError: an unknown key or a wrong value.
    """
    refuse_unknown_keys(ExperimentConfig, values)
    try:
        config = TypeAdapter(ExperimentConfig).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"configuration {place}: {first['msg']}, not {first['input']!r}"
        raise SettingsError(message, field=place) from None
    method_options(config.method, config.options)
    return config


def _parse_override(text: str) -> dict[str, Any]:
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise InputError(f"cannot read setting {text!r}; write key=value, e.g. training.epochs=5")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()  # an unquoted text
    return _nest(key.strip(), parsed)


def _nest(key: str, value: Any) -> dict[str, Any]:
    """``{"training": {"epochs": 5}}`` from ``training.epochs`` and 5."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def refuse_unknown_keys(
    kind: type, values: Mapping[str, Any], place: str = "", file: Path | None = None
) -> None:
    """Refuse keys that a settings class does not have, inside its own settings classes too.

    Args:
        kind: a dataclass.
        values: settings by key, as a TOML file or the command line gives them.
        place: key of `values` in what holds it, with a dot at its end.
        file: that they stand in; None for none.

    Raises:
        SettingsError: names the key, and those that there are.
    """
    types = get_type_hints(kind)
    known = [name for name in types if name not in getattr(kind, "NOT_SETTINGS", ())]
    for key, value in values.items():
        if key not in known:
            where = f"{file}: " if file else ""
            raise SettingsError(
                f"{where}unknown setting {place}{key}; the settings here are {', '.join(known)}",
                field=f"{place}{key}",
                file=file,
            )
        if dataclasses.is_dataclass(types[key]) and isinstance(value, Mapping):
            assert isinstance(types[key], type)
            refuse_unknown_keys(types[key], value, f"{place}{key}.", file)


def load_run_config(run: Path) -> ExperimentConfig:
    """The configuration that a run was trained with.

    Raises:
        InputError: not a run folder, or one of a version with other settings.
    """
    return config_from_dict(RunFolder(run).read_config())
