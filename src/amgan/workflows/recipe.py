"""How a model is trained on rendered garments: data, stages and judge, from one TOML file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from amgan.attributes import AttributeSchema
from amgan.catalogue.studio.families import FamilySettings
from amgan.catalogue.studio.schema import STUDIO_SCHEMA
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods.registry import method_options
from amgan.models.network import NetworkConfig
from amgan.presets import RECIPES
from amgan.training.loop import TrainingConfig

FAMILIES_IN_BLOCK = 500
_OWN = "rendered-garments.toml"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Stage:
    """A part of training that starts from the weights of the stage before.

    Attributes:
        name: of its run folder.
        steps: minibatches in an epoch; `training` says how many epochs.
        training: the loop's settings.
        options: changes to the method's options.
    """

    name: str
    steps: int
    training: TrainingConfig
    options: dict[str, Any] = field(default_factory=dict)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Judge:
    """The classifier that measures and takes no part in training.

    Attributes:
        blocks, seed: its families, which no stage sees.
        network: its sizes, other than the model's.
        steps: minibatches in an epoch.
        training: the loop's settings.
    """

    blocks: int
    seed: int
    network: NetworkConfig
    steps: int
    training: TrainingConfig


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Recipe:
    """Everything that decides a model trained on rendered garments.

    Attributes:
        method: key of METHODS; it must learn from exact answers.
        attributes: names of the studio's attributes that the model changes.
        images: size of the pictures.
        network: sizes of the networks.
        blocks, seed: families that the stages learn from.
        stages: in order.
        judge: see there.
        held_out_seed: of the families that everything is measured on.
        catalogue_seed: of the rendered catalogue on which confidence and ranking are fitted.
    """

    method: str
    attributes: tuple[str, ...]
    images: ImageSettings
    network: NetworkConfig
    blocks: int
    seed: int
    stages: tuple[Stage, ...]
    judge: Judge
    held_out_seed: int
    catalogue_seed: int

    def __post_init__(self) -> None:
        if not self.stages:
            raise InputError("a recipe needs at least one stage")
        unknown = sorted(set(self.attributes) - set(STUDIO_SCHEMA.names))
        if unknown:
            raise InputError(
                f"rendered garments have no attribute {', '.join(map(repr, unknown))}; "
                f"theirs are {', '.join(STUDIO_SCHEMA.names)}"
            )
        for stage in self.stages:
            method_options(self.method, stage.options)
        if len({self.seed, self.judge.seed, self.held_out_seed}) < 3:
            raise InputError("stages, judge and held-out families need seeds of their own")

    @property
    def schema(self) -> AttributeSchema:
        """The attributes that the model changes."""
        by_name = {attribute.name: attribute for attribute in STUDIO_SCHEMA.attributes}
        return AttributeSchema(tuple(by_name[name] for name in self.attributes))

    @property
    def digest(self) -> str:
        """SHA-256 of every setting, defaults included."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def families(self, seed: int, blocks: int) -> FamilySettings:
        """Families of this recipe's attributes and picture size."""
        return FamilySettings(
            self.attributes,
            blocks=blocks,
            families=FAMILIES_IN_BLOCK,
            seed=seed,
            images=self.images,
        )


def load_recipe(path: Path | None = None) -> Recipe:
    """A recipe from a TOML file; None gives the one that comes with the package.

    Raises:
        InputError: a file that cannot be read, an unknown key or a wrong value.
    """
    path = path or RECIPES / _OWN
    try:
        text = path.read_text("utf-8")
        return TypeAdapter(Recipe).validate_python(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot read this recipe ({error})") from None
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
        )
        raise InputError(f"{path}: {found}", file=path) from None
