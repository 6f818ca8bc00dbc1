"""Phrases in four languages and what they mean, worked out by hand."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pytest
from schemas import FIELDS, SHOP

from amgan.words import Reading, WordReader

PHRASES = [
    (file.stem, text, expected)
    for file in sorted((Path(__file__).parent / "phrases").glob("*.toml"))
    for text, expected in tomllib.loads(file.read_text("utf-8")).items()
]


@cache
def reader(language: str) -> WordReader:
    return WordReader(SHOP, language=language, fields=FIELDS)


def noted(reading: Reading) -> str:
    """A reading in the notation of the phrases' files."""
    plain = reading.to_dict()
    parts = [f"{name}={value}" for name, value in plain["changes"].items()]
    parts += [f"{name}{'+' if d == 'more' else '-'}" for name, d in plain["relative"].items()]
    for name, values in reading.avoid.items():
        never = reading.never.get(name, ())
        parts += [f"{'!!' if value in never else '!'}{name}={value}" for value in values]
    parts += [f"@{name}" for name in reading.keep]
    for name, wanted in reading.filters.items():
        if isinstance(wanted, list):
            parts += [f"{name}:{value}" for value in wanted]
        else:
            parts += [f"{name}{'<' if s == 'max' else '>'}{n:g}" for s, n in wanted.items()]
    parts += [f"?{text}" for text in plain["not_understood"]]
    parts += [f"~{ambiguity.text}" for ambiguity in reading.ambiguous]
    parts += [f"{c['written']}>{c['read']}" for c in plain["corrected"]]
    return " ".join(sorted(parts))


def sorted_parts(expected: str) -> str:
    parts: list[str] = []
    for word in expected.split(" "):
        is_new = any(sign in word for sign in "=+-<>:!@?~") and word not in ("-", "/")
        joined = parts and parts[-1][0] in "?~" and not is_new
        joined = joined or (parts and parts[-1].startswith("brand:") and not is_new)
        if joined:
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return " ".join(sorted(parts))


def test_there_are_many_phrases_of_every_language() -> None:
    assert len(PHRASES) >= 200
    assert {language for language, _, _ in PHRASES} == {"en", "de", "fr", "es"}


@pytest.mark.parametrize(("language", "text", "expected"), PHRASES)
def test_phrases(language: str, text: str, expected: str) -> None:
    assert noted(reader(language).read(text)) == sorted_parts(expected)
