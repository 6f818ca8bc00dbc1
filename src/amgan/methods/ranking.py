"""What a model ranks by; imports nothing heavy, so that the command line can name it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class RankingChoice(StrEnum):
    """How a model ranks: by its own metric, or fused with posteriors where it was fitted for it."""

    auto = "auto"
    pure = "pure"
    fused = "fused"

    @classmethod
    def told_by(cls, note: Mapping[str, Any]) -> RankingChoice:
        """What was chosen, as far as a model's note tells.

        `pure` where it was fitted for a fused ranking and does not use it, else `auto`.
        """
        spared = "fusion" in note and note.get("ranking") != cls.fused
        return cls.pure if spared else cls.auto
