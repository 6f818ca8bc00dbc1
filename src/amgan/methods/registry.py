"""Every method by the name that a user writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from amgan.attributes import AttributeSchema
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods.adde import Adde, AddeConfig
from amgan.methods.amgan import Amgan, AmganConfig
from amgan.methods.amgan_unsupervised import UnsupervisedAmgan
from amgan.methods.amnet import Amnet, AmnetConfig
from amgan.methods.baselines import NearestPicture, NoOptions, RandomRanker
from amgan.methods.cgan import Cgan, CganConfig
from amgan.methods.editing import Editing, EditingConfig
from amgan.methods.fcd import Fcd, FcdConfig
from amgan.methods.fsn import Fsn, FsnConfig
from amgan.methods.heads import HeadsConfig, HeadsRanker
from amgan.methods.method import Method
from amgan.methods.posterior import PosteriorConfig, PosteriorRanker
from amgan.models.network import NetworkConfig


@dataclass(frozen=True)
class MethodEntry:
    """A method's class and the options that make it this row of a table.

    Attributes:
        build: called with schema, picture settings, network sizes and options.
        options: default options, a frozen dataclass.
    """

    build: Callable[[AttributeSchema, ImageSettings, NetworkConfig, Any], Method]
    options: Any


METHODS: dict[str, MethodEntry] = {
    "heads": MethodEntry(HeadsRanker, HeadsConfig()),
    "adde-m": MethodEntry(Adde, AddeConfig()),
    "amgan-p": MethodEntry(Amgan, AmganConfig(scheme="pair")),
    "amgan-t": MethodEntry(Amgan, AmganConfig(scheme="triplet")),
    "amgan-unsupervised": MethodEntry(UnsupervisedAmgan, AmganConfig()),
    "amgan-edit": MethodEntry(Editing, EditingConfig()),
    "cgan-p": MethodEntry(Cgan, CganConfig(scheme="pair")),
    "cgan-t": MethodEntry(Cgan, CganConfig(scheme="triplet")),
    "fcd": MethodEntry(Fcd, FcdConfig()),
    "amnet": MethodEntry(Amnet, AmnetConfig()),
    "fsn": MethodEntry(Fsn, FsnConfig()),
    "posterior": MethodEntry(PosteriorRanker, PosteriorConfig()),
    "nearest-picture": MethodEntry(NearestPicture, NoOptions()),
    "random": MethodEntry(RandomRanker, NoOptions()),
}

# Rankers without anything to train.
UNTRAINED = ("nearest-picture", "random")


def build_method(
    name: str,
    schema: AttributeSchema,
    images: ImageSettings,
    network: NetworkConfig,
    options: Mapping[str, Any] | None = None,
) -> Method:
    """Build a method with random weights.

    Args:
        name: a key of METHODS.
        schema: attributes it manipulates.
        images: picture settings it is trained and searched with.
        network: sizes.
        options: changes to the entry's default options, by field name.

    Raises:
        ValueError: unknown method, unknown option, or a value of the wrong kind.
    """
    entry = method_entry(name)
    return entry.build(schema, images, network, method_options(name, options or {}))


def method_entry(name: str) -> MethodEntry:
    """Entry of METHODS by name; ValueError with the known names otherwise."""
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; the methods are {', '.join(METHODS)}")
    return METHODS[name]


def method_options(name: str, changes: Mapping[str, Any]) -> Any:
    """The method's options with `changes` made and checked."""
    defaults = method_entry(name).options
    known = TypeAdapter(type(defaults)).dump_python(defaults)
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise InputError(
            f"method {name!r} has no option {', '.join(map(repr, unknown))}; "
            f"its options are {', '.join(known)}"
        )
    try:
        return TypeAdapter(type(defaults)).validate_python({**known, **changes})
    except ValidationError as error:
        raise InputError(f"method {name!r}: {error}") from None
