"""What is known of a trained model beside its weights and their description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from amgan.errors import InputError
from amgan.methods.fusion import FusionWeights
from amgan.methods.ranking import RankingChoice

Ranking = Literal["pure", "fused"]


@dataclass(frozen=True)
class ModelFacts:
    """Where a model comes from, and what was fitted to it on validation data.

    None of it changes what the networks compute, so none of it is part of a model's identity but
    for the ranking, which decides the form of the gallery's vectors. A fact that is None, or pure,
    is not written to the file. A further fact is a further field with a default, read and written
    without more ado where it is plain JSON.

    Attributes:
        catalogue: name of the catalogue it was trained on.
        seed: of the training.
        commit: of the program that trained it.
        temperatures: of each attribute's classifier, by name; divides its logits.
        fusion: weights of the fused ranking; None where it was not fitted for one.
        ranking: what it ranks by: its own metric, or fused with attribute posteriors.
        recipe: SHA-256 of the recipe that it was made by, where there is one.
        quality: what was measured of its prototypes, as `workflows.edits.EditQuality` says.
    """

    catalogue: str | None = None
    seed: int | None = None
    commit: str | None = None
    temperatures: Mapping[str, float] | None = None
    fusion: FusionWeights | None = None
    ranking: Ranking = "pure"
    recipe: str | None = None
    quality: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.ranking == "fused" and self.fusion is None:
            raise InputError("a fused ranking needs weights that were fitted to the model")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file's header; the inverse of `from_dict`."""
        values = {name: value for name, value in vars(self).items() if value is not None}
        if self.temperatures is not None:
            values["temperatures"] = dict(self.temperatures)
        if self.fusion is not None:
            values["fusion"] = asdict(self.fusion)
        if self.ranking == "pure":
            del values["ranking"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelFacts:
        """Facts from a file's header.

        Raises:
            InputError: a fact that this version does not know, or one of the wrong kind.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise InputError(
                f"says {', '.join(map(repr, unknown))} of the model, which this version does not "
                "know; read it with the version that wrote it, or a newer one"
            )
        known = dict(values)
        if known.get("fusion") is not None:
            known["fusion"] = FusionWeights(**known["fusion"])
        return cls(**known)

    @property
    def ranking_choice(self) -> RankingChoice:
        """What the user chose, as far as it can be told.

        `pure` where the model was fitted for a fused ranking and does not use it, else `auto`.
        """
        spared = self.fusion is not None and self.ranking == "pure"
        return RankingChoice.pure if spared else RankingChoice.auto

    def choose(self, ranking: RankingChoice) -> ModelFacts:
        """These facts with another ranking; `auto` is fused where the model was fitted for it.

        Raises:
            InputError: a fused ranking that the model was not fitted for.
        """
        if ranking is RankingChoice.fused and self.fusion is None:
            raise InputError(
                "this model has no fused ranking (a drawing method trained with validation items "
                "has one); use the pure ranking"
            )
        fused = self.fusion is not None and ranking is not RankingChoice.pure
        return replace(self, ranking="fused" if fused else "pure")
