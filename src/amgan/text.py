"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 item`, `0 items`, `12,000 items`; nouns whose plural ends in `s`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
