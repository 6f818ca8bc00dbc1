"""What a model ranks by; imports nothing heavy, so that the command line can name it."""

from __future__ import annotations

from enum import StrEnum


class RankingChoice(StrEnum):
    """How a model ranks: by its own metric, or fused with posteriors where it was fitted for it."""

    auto = "auto"
    pure = "pure"
    fused = "fused"
