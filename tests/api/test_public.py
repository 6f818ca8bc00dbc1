"""The public names: what there is, that it stays light, and that every example runs."""

from __future__ import annotations

import ast
import doctest
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import amgan

PUBLIC = [name for name in amgan.__all__ if name != "__version__"]
# In this order each finds what the ones before it have left.
DOCUMENTED = {
    name: getattr(amgan, name)
    for name in ("read_catalogue", "train", "Run", "Searcher", "read_words")
}
MOST_PARAMETERS = 6


def test_every_public_name_is_there_and_typed() -> None:
    for name in PUBLIC:
        assert getattr(amgan, name).__name__ == name
    assert amgan.__version__.count(".") == 2
    assert set(amgan.__all__) <= set(dir(amgan))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = amgan.nothing  # type: ignore[attr-defined]


def test_names_for_type_checkers_are_those_that_are_loaded() -> None:
    tree = ast.parse(Path(amgan.__file__).read_text())
    (guarded,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    imported = {
        alias.name: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == amgan._HOMES
    assert sorted([*imported, "__version__"]) == sorted(amgan.__all__)


def test_importing_it_loads_nothing() -> None:
    code = "import sys; before = set(sys.modules); import amgan; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "amgan" in loaded and not any(name.startswith("amgan.") for name in loaded)
    assert {name.partition(".")[0] for name in loaded} <= {"amgan", *sys.stdlib_module_names}


def functions() -> Iterator[tuple[str, Any]]:
    for name, value in DOCUMENTED.items():
        if not inspect.isclass(value):
            yield name, value
            continue
        for member, found in inspect.getmembers(value):
            public = not member.startswith("_") or member == "__init__"
            if public and (inspect.isfunction(found) or inspect.ismethod(found)):
                yield f"{name}.{member}", found


@pytest.mark.parametrize(("name", "function"), [*functions()])
def test_functions_have_few_parameters_and_an_example(name: str, function: Any) -> None:
    parameters = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
    assert len(parameters) <= MOST_PARAMETERS, name
    if not name.endswith("__init__"):
        assert "Example:" in (function.__doc__ or ""), name


def test_every_example_runs(tops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tops)
    finder = doctest.DocTestFinder()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    tried = 0
    told: list[str] = []
    for name, value in DOCUMENTED.items():
        found = finder.find(value, name, globs={}, module=inspect.getmodule(value))
        order = {"index": 1, "evaluate": 2, "save_pretrained": 3, "from_pretrained": 4}
        for test in sorted(found, key=lambda one: order.get(one.name.rpartition(".")[2], 0)):
            tried += len(test.examples) > 0
            runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)
    assert tried >= len(list(functions())) - 2


def test_words_that_are_not_clear_are_refused(tops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tops)
    searcher = amgan.Searcher.open("run/gallery", compiled=False)
    with pytest.raises(amgan.QueryError, match="'sparkly' is not clear") as caught:
        searcher.search("photo.jpg", words="in black, sparkly")
    assert caught.value.field == "words"
    joined = searcher.search("photo.jpg", {"Colour": "white"}, words="in black", k=1)
    assert [(change.attribute, change.wanted) for change in joined.changes] == [("colour", "white")]


def test_a_catalogue_of_fewer_values_is_indexed_in_the_terms_of_the_model(
    tops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tops)
    rows = Path("tops.csv").read_text().splitlines()
    kept = [rows[0], *(row for row in rows[1:] if ",black," in row)]
    Path("black.csv").write_text("\n".join(kept) + "\n")
    catalogue, _ = amgan.read_catalogue(
        "black.csv", ["colour", "category"], image="photo", item_id="sku"
    )
    run = amgan.Run.open("run")
    assert catalogue.schema != run.schema
    searcher = run.index(catalogue, out="black-gallery")
    assert len(searcher) == len(kept) - 1
    hits = searcher.search("photo.jpg", k=3).hits
    assert {hit.labels["colour"] for hit in hits} == {"black"}
    Path("odd.csv").write_text(rows[0] + "\n" + kept[1].replace(",black,", ",mauve,") + "\n")
    odd, _ = amgan.read_catalogue("odd.csv", ["colour", "category"], image="photo", item_id="sku")
    with pytest.raises(amgan.InputError, match="does not know 'mauve' of 'colour'"):
        run.index(odd, out="odd-gallery")


def test_what_is_published_names_no_place_and_tells_what_a_card_should(
    tops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tops)
    run = amgan.Run.open("run")
    run.evaluate(ranking="fused")
    folder = run.save_pretrained("card", data_licence="CC-BY 4.0", licence="mit")
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: ")
    for told in (
        'license: "mit"',
        "CC-BY 4.0",
        "## Intended use",
        "colour: ",
        "fused |",
        "Catalogue: tops.",
        "Top-1",
    ):
        assert told in card, told
    for file in folder.iterdir():
        assert str(tops).encode() not in file.read_bytes(), file.name
    again = amgan.Run.from_pretrained(folder)
    assert again.schema == run.schema
    catalogue, _ = amgan.read_catalogue(
        "tops.csv", ["category", "colour"], image="photo", item_id="sku"
    )
    first = again.index(catalogue).search("photo.jpg", {"colour": "black"}, k=5)
    own = amgan.Searcher.open("run/gallery").search("photo.jpg", {"colour": "black"}, k=5)
    assert [hit.item_id for hit in first.hits] == [hit.item_id for hit in own.hits]
    with pytest.raises(amgan.InputError, match="not downloaded"):
        amgan.Run.from_pretrained("someone/model")
