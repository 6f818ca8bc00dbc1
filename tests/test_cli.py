"""The command line, called as a user calls it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from tests.conftest import TINY, Call, write_shapes

from amgan.attributes import Change
from amgan.catalogue.table import save_table
from amgan.cli import app, main
from amgan.evaluation.picture_words import describe_picture, warn_of_picture
from amgan.gallery.store import open_gallery
from amgan.queries import assign_splits
from amgan.quickstart import QuickstartOutcome
from amgan.text import counted
from amgan.workflows.picture import measure_gallery

COLUMNS = ["--attributes", "colour,shape,ground", "--id", "item_id", "--split", "split"]
HEAVY = {"torch", "numpy", "faiss", "matplotlib", "pyarrow", "scipy", "pydantic", "PIL", "fastapi"}
COMMANDS = [
    [],
    ["quickstart"],
    ["validate"],
    ["prepare"],
    ["triplets"],
    ["triplets", "make"],
    ["triplets", "show"],
    ["triplets", "check"],
    ["train"],
    ["evaluate"],
    ["calibration"],
    ["index"],
    ["update"],
    ["check"],
    ["search"],
    ["serve"],
    ["tag"],
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of 80 shapes with splits, as a CSV."""
    folder = tmp_path_factory.mktemp("shop")
    path = folder / "shapes.csv"
    save_table(assign_splits(write_shapes(folder / "pictures", 80)), path)
    return path


@pytest.fixture(scope="module")
def run_folder(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a gallery in it."""
    run = tmp_path_factory.mktemp("runs") / "run"
    epochs = ["-s", "training.epochs=1"]
    for arguments in (["train", str(table), *COLUMNS, *TINY, *epochs], ["index"]):
        with pytest.raises(SystemExit) as exited:
            main([*arguments, "--run", str(run)])
        assert exited.value.code == 0
    return run


# Help


def test_importing_the_commands_loads_nothing_heavy() -> None:
    code = "import sys, amgan.cli; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_help_takes_less_than_three_tenths_of_a_second() -> None:
    command = [sys.executable, "-m", "amgan", "--help"]
    fastest = 1.0
    for _ in range(3):
        before = os.times()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        used = after.children_user - before.children_user
        used += after.children_system - before.children_system
        fastest = min(fastest, used)  # processor time: other processes do not count
    assert fastest < 0.3


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "amgan")
def test_help_says_what_a_command_does(command: list[str], call: Call) -> None:
    code, out, err = call(*command, "--help")
    assert (code, err) == (0, "")
    assert "Usage: amgan" in out
    assert len(out.splitlines()) > 10


def walk_commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from walk_commands(command, (*path, name))
        else:
            yield (*path, name), command


def test_help_of_every_command_is_one_screen_with_an_example(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    found = dict(walk_commands(typer.main.get_command(app)))
    assert {" ".join(path) for path in found} >= {"train", "triplets check", "presets"}
    for path in found:
        _, out, _ = call(*path, "--help")
        assert len(out.splitlines()) <= 66, path
        assert f"amgan {' '.join(path)}" in out.partition("Examples")[2], path


def test_defaults_that_are_told_in_words_are_shown(call: Call) -> None:
    for command in ("index", "serve", "update", "calibration", "reproduce"):
        _, out, _ = call(command, "--help")
        assert "[default: " in out.replace("\n", " "), command


def test_help_shows_all_commands_in_groups(call: Call) -> None:
    _, out, _ = call("--help")
    for group in ("Start here", "Your catalogue", "Learn and measure", "Search"):
        assert group in out
    for command in COMMANDS[1:]:
        assert command[0] in out


def test_version(call: Call) -> None:
    from importlib.metadata import version

    assert call("--version") == (0, f"amgan {version('amgan')}\n", "")


def test_completion_offers_commands() -> None:
    words = {"COMP_WORDS": "amgan tr", "COMP_CWORD": "1", "_AMGAN_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", "from amgan.cli import main; main([])"],
        capture_output=True,
        text=True,
        env=os.environ | words,
        check=False,
    )
    assert set(done.stdout.split()) == {"triplets", "train"}


# Errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serch"], "Did you mean 'search'"),
        (["search", "--nonsense"], "--nonsense"),
        (["train"], "name a catalogue"),
        (["train", "absent.csv"], "name the attribute columns"),
        (["train", "absent.csv", "-a", "colour"], "absent.csv"),
        (["train", "absent.csv", "-a", "colour", "-s", "training.epoch=3"], "training.epoch"),
        (["train", "absent.csv", "-a", "colour", "-s", "training.epochs=no"], "epochs"),
        (["train", "absent.csv", "-a", "colour", "-m", "nonsense"], "amgan-p"),
        (["train", "-c", "absent.toml"], "absent.toml"),
        (["index", "--run", "nowhere"], "nowhere"),
        (["index", "--run", "nowhere", "--engine", "faiss://magic"], "engines of faiss are exact"),
        (["update"], "nothing to do: give a table"),
        (["update", "--remove", "a", "--gallery", "nowhere"], "nowhere: no gallery here"),
        (["update", "--remove-file", "absent.txt"], "absent.txt"),
        (["search", "photo.jpg", "--run", "nowhere"], "nowhere"),
        (["evaluate", "--run", "nowhere"], "nowhere"),
        (["triplets", "show", "absent.jsonl"], "absent.jsonl"),
        (["quickstart", "--items", "3"], "200"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_traceback_is_shown_where_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        main(["--traceback", "index", "--run", str(tmp_path / "nowhere")])


def test_our_own_faults_are_not_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("amgan.workflows.index.index_run", broken)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        main(["index", "--run", str(tmp_path)])


def test_closed_pipe_is_no_error(run_folder: Path, table: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "amgan",
        "triplets",
        "show",
        str(run_folder / "triplets.jsonl"),
    ]
    with subprocess.Popen(
        [*command, "-n", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# Catalogues and triplets


def test_validate_counts_values_and_accepts(table: Path, call: Call) -> None:
    code, out, _ = call("validate", table, *COLUMNS)
    assert code == 0
    assert "80 items" in out
    assert "kept 80 of 80 rows" in out
    assert "train" in out


def test_validate_fails_on_a_bad_row_and_names_it(tmp_path: Path, call: Call) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    table = tmp_path / "tops.csv"
    table.write_text("image,colour\ngood.png,red\nbad.png,blue\ngone.png,red\n")
    code, out, _ = call("validate", table, "-a", "colour")
    assert code == 1
    assert "tops.csv:3" in out
    assert "tops.csv:4" in out
    code, out, _ = call("validate", table, "-a", "colour", "--json")
    assert code == 1
    problems = json.loads(out)["problems"]
    assert {(problem["row"], problem["kind"]) for problem in problems if problem["row"]} == {
        (3, "bad-picture"),
        (4, "missing-picture"),
    }


def test_validate_warns_of_typos_and_counts_values(tmp_path: Path, call: Call) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    colours = ["Black"] * 60 + ["White"] * 50 + ["Blakc", "whte", "whte", "Teal", ""]
    sizes = ["38"] * 60 + ["39", "3x"] + ["40"] * 53
    rows = [
        f"{row},a.png,{colour},{size}"
        for row, (colour, size) in enumerate(zip(colours, sizes, strict=True))
    ]
    table = tmp_path / "tops.csv"
    table.write_text("\n".join(["sku,image,colour,size", *rows]))
    command = ("validate", table, "-a", "colour,size", "--id", "sku")
    code, out, _ = call(*command)
    assert code == 0
    assert "Blakc 1" in out and "value may be a typo (column colour)" in out
    said = "tops.csv:112: column 'colour', value 'Blakc': occurs once; 'Black', which occurs 60"
    assert said in out
    code, out, _ = call(*command, "--json")
    found = json.loads(out)
    assert found["values"]["colour"] == {"Black": 60, "White": 50, "whte": 2, "Blakc": 1, "Teal": 1}
    assert found["missing"] == {"colour": 1, "size": 0}
    warned = [(p["row"], p["value"]) for p in found["problems"] if p["kind"] == "rare-value"]
    assert warned == [(112, "Blakc"), (113, "whte"), (114, "whte")]


def test_several_problems_are_a_line_each(tmp_path: Path, call: Call) -> None:
    table = tmp_path / "tops.csv"
    table.write_text("photo,colour\na.png,red\n")
    code, out, err = call("validate", table, "-a", "color", "--id", "sku")
    assert (code, out) == (2, "")
    heading, *problems = err.splitlines()
    assert heading == "error: 3 problems"
    assert [line.partition("column ")[2].split(":")[0] for line in problems] == [
        "'image'",
        "'color'",
        "'sku'",
    ]
    assert "--image 'photo'" in problems[0]
    code, _, err = call("validate", table, "-a", "colour", "--image", "photo")
    assert (code, err.splitlines()[0]) == (2, f"error: {table}: no usable row remains: 1 problem")


def test_prepare_decodes_pictures(table: Path, call: Call) -> None:
    code, out, _ = call("prepare", table, *COLUMNS, "-s", "images.height=32")
    assert (code, out) == (0, "80 pictures of 32 x 128; 0 rows skipped\n")


def test_triplets_are_made_shown_and_checked(table: Path, tmp_path: Path, call: Call) -> None:
    file = tmp_path / "triplets.jsonl"
    code, out, _ = call("triplets", "make", file, table, *COLUMNS)
    assert code == 0
    count = len(file.read_text().splitlines()) - 1
    assert out.startswith(f"{count} triplets in ")
    code, out, _ = call("triplets", "show", file, "-n", "2", "--split", "test")
    assert code == 0
    assert out.count("->") in (2, 3, 4)
    assert "train" not in out
    code, out, _ = call("triplets", "check", file, table, *COLUMNS)
    assert (code, out) == (0, f"{count} triplets agree with the catalogue\n")
    file.write_text(file.read_text().replace("colour: red -> blue", "colour: red -> green"))
    code, _, err = call("triplets", "check", file, table, *COLUMNS)
    assert code == 1
    assert str(file) in err


# Quickstart


@pytest.mark.parametrize("arguments", [[], ["--serve"], ["--serve", "--no-browser"]])
def test_quickstart_ends_with_what_to_try_next_and_can_serve(
    arguments: list[str], run_folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = {"gallery": run_folder / "gallery"}
    example = Path("coat.png"), Change("colour", "red", None)
    outcome = QuickstartOutcome(run_folder, written, {"amgan-t": {"top@1": 0.5}}, 8, 9, example)
    shown: list[tuple[Path, bool]] = []
    monkeypatch.setattr("amgan.quickstart.run_quickstart", lambda *_: outcome)
    monkeypatch.setattr(
        "amgan.web.server.show_run",
        lambda run, _, *, device, browser: shown.append((run, browser)),
    )
    code, out, _ = call("quickstart", *arguments)
    assert code == 0
    assert f"amgan serve --gallery {run_folder / 'gallery'}" in out
    assert shown == ([(run_folder, "--no-browser" not in arguments)] if arguments else [])


# Learn, measure, search


def test_evaluate_reports_both_protocols(run_folder: Path, call: Call) -> None:
    code, out, err = call("evaluate", "--run", run_folder)
    assert code == 0
    assert "**paper**" in out
    assert "**unseen**" in out
    for protocol in ("paper", "unseen"):
        path = run_folder / "evaluation" / f"test-{protocol}.json"
        assert str(path) in err
        assert json.loads(path.read_text())["protocol"] == protocol
        assert path.with_suffix(".md").exists()
        assert not path.with_suffix(".parquet").exists()


def test_train_and_index_end_by_saying_whether_the_picture_counts(
    table: Path, call: Call, tmp_path: Path
) -> None:
    run, epochs = tmp_path / "run", ("-s", "training.epochs=1")
    code, out, _ = call("train", table, *COLUMNS, *TINY, *epochs, "--run", run)
    assert code == 0
    measured = json.loads((run / "picture.json").read_text())
    own = f"{measured['means']['self@1']:.0%} of {counted(measured['asked']['self'], 'item')}"
    assert own in out
    code, out, err = call("index", "--run", run)
    assert code == 0
    measures = measure_gallery(run / "gallery", "cpu")
    assert all(sentence in out for sentence in describe_picture(measures))
    assert f"first in its results for {measures.means['self@1']:.0%} of 80 items" in out
    assert err.count(warn_of_picture(measures) or "the picture hardly counts") == (
        warn_of_picture(measures) is not None
    )


@pytest.mark.parametrize("ranking", ["pure", "fused"])
def test_evaluate_as_json_agrees_with_the_search_users_get(
    run_folder: Path, table: Path, call: Call, tmp_path: Path, ranking: str
) -> None:
    # What the classifiers see is measured, so labels are not to be believed.
    gallery = tmp_path / "gallery"
    index = ("index", "--run", run_folder, "--gallery", gallery)
    assert call(*index, "--no-trust-labels")[0] == 0
    code, out, _ = call(
        *("evaluate", "--run", run_folder, "--protocol", "paper", "--per-query", "--json"),
        *("--ranking", ranking),
    )
    assert code == 0
    (report,) = json.loads(out)
    assert (report["method"], report["ranking"]) == ("amgan-p", ranking)
    folder = run_folder / "evaluation" / ("fused" if ranking == "fused" else ".")
    assert (folder / "test-paper.parquet").exists()
    lines = [json.loads(line) for line in (run_folder / "triplets.jsonl").read_text().splitlines()]
    asked = [line for line in lines[1:] if line["split"] == "test"]
    how = ("--gallery", gallery, *(("--pure",) if ranking == "pure" else ()))
    hits = [first_hits(call, run_folder, line, 10, *how) for line in asked]
    found = sum(line["target"] in ids for line, ids in zip(asked, hits, strict=True))
    assert report["groups"]["all"]["means"]["item@10"] == pytest.approx(found / len(asked))


def test_evaluate_measures_other_rankers_beside_the_model(run_folder: Path, call: Call) -> None:
    code, out, _ = call(
        *("evaluate", "--run", run_folder, "--protocol", "unseen", "--json"),
        *("--beside", "random", "--beside", "unmanipulated"),
    )
    assert code == 0
    reports = json.loads(out)
    told = [(report["method"], report["ranking"]) for report in reports]
    assert told[:2] == [("amgan-p", "pure"), ("amgan-p", "fused")]
    assert [method for method, _ in told[2:]] == ["random", "unmanipulated"]
    assert len({report["triplet_digest"] for report in reports}) == 1
    for name in ("random", "unmanipulated"):
        assert (run_folder / "evaluation" / name / "test-unseen.json").exists()
    code, _, error = call("evaluate", "--run", run_folder, "--beside", "luck")
    assert (code, "unknown ranker 'luck'" in error) == (2, True)


def first_hits(call: Call, run: Path, triplet: dict[str, Any], k: int, *how: str) -> list[str]:
    changes: list[str] = []
    for text in triplet["changes"]:
        attribute, _, values = text.partition(": ")
        changes += ["--set", f"{attribute}={values.partition(' -> ')[2]}"]
    code, out, _ = call(
        "search", "--item", triplet["reference"], *changes, "-k", k, "--run", run, "--json", *how
    )
    assert code == 0
    return [hit["item_id"] for hit in json.loads(out)["hits"]]


def test_search_prints_a_table_and_writes_a_sheet(
    run_folder: Path, table: Path, tmp_path: Path, call: Call
) -> None:
    picture = table.parent / "pictures" / "item-003.png"
    sheet = tmp_path / "out.png"
    wanted = ["--set", "colour=blue", "--set", "ground=dark"]
    code, out, _ = call("search", picture, *wanted, "-k", 3, "--sheet", sheet, "--run", run_folder)
    assert code == 0
    assert "-> blue" in out
    assert out.count("item-") == 3
    with Image.open(sheet) as drawn:
        assert drawn.width > 300


def test_search_weighs_attributes(run_folder: Path, table: Path, call: Call) -> None:
    query = (
        "search",
        table.parent / "pictures" / "item-003.png",
        "--set",
        "colour=blue",
        "--run",
        run_folder,
        "--json",
    )
    code, out, _ = call(*query)
    assert code == 0
    code, weighed, _ = call(*query, "--importance", "colour=50")
    assert code == 0
    assert [h["score"] for h in json.loads(out)["hits"]] != [
        h["score"] for h in json.loads(weighed)["hits"]
    ]
    for wrong, said in (("colour", "attribute=number"), ("colour=-1", "0 to 100"), ("x=1", "x")):
        code, _, err = call(*query, "--importance", wrong)
        assert code == 2
        assert said in err
    code, _, err = call(*query, "--importance", "colour=2", "--pure")
    assert code == 2
    assert "pure" in err


def test_search_filters(run_folder: Path, table: Path, call: Call) -> None:
    picture = table.parent / "pictures" / "item-003.png"
    only = ["--only", "shape=bar", "--only", "colour=red", "--only", "colour=green"]
    code, out, _ = call("search", picture, *only, "--run", run_folder, "--json", "-k", 80)
    assert code == 0
    hits = json.loads(out)["hits"]
    assert hits
    for hit in hits:
        assert hit["labels"]["shape"] == "bar"
        assert hit["labels"]["colour"] in ("red", "green")


def test_search_reads_names_in_any_case(run_folder: Path, table: Path, call: Call) -> None:
    query = ("search", table.parent / "pictures" / "item-003.png", "--run", run_folder, "--json")
    asked = ("--set", "colour=red", "--only", "shape=bar", "--importance", "colour=3")
    other = ("--set", "Colour=RED", "--only", "SHAPE=Bar", "--importance", "COLOUR=3")
    found = [json.loads(call(*query, *given)[1]) for given in (asked, other)]
    assert found[0]["changes"] == found[1]["changes"]
    assert found[0]["hits"] == found[1]["hits"]
    _, out, _ = call(*query, "--only", "Brand=acme")
    assert {hit["fields"]["brand"] for hit in json.loads(out)["hits"]} == {"acme"}


def test_search_reads_words(run_folder: Path, call: Call) -> None:
    query = ("search", "--item", "item-003", "--run", run_folder, "--json")
    code, out, err = call(*query, "--words", "in blue, on dark ground, with a bow")
    assert code == 0
    assert "not understood: 'bow'" in err
    said = json.loads(out)
    wanted = {change["attribute"]: change["wanted"] for change in said["changes"]}
    assert wanted == said["words"]["changes"] == {"colour": "blue", "ground": "dark"}
    assert said["words"]["not_understood"] == ["bow"]
    _, same, _ = call(*query, "--set", "colour=blue", "--set", "ground=dark")
    assert json.loads(same)["hits"] == said["hits"]
    assert "words" not in json.loads(same)


def test_search_takes_set_over_words_and_guesses_nothing(run_folder: Path, call: Call) -> None:
    query = ("search", "--item", "item-003", "--run", run_folder)
    code, out, _ = call(*query, "--words", "red, light ground", "--set", "colour=blue", "--json")
    assert code == 0
    said = json.loads(out)
    changes = {c["attribute"]: c["wanted"] for c in said["changes"]}
    already = {c["attribute"]: c["wanted"] for c in said["already"]}
    assert (changes, already) == ({"colour": "blue"}, {"ground": "light"})
    code, out, err = call(*query, "--words", "red or blue", "--set", "ground=dark")
    assert code == 0
    assert "ambiguous: 'red / blue' may be colour=red or colour=blue" in err
    assert "-> dark" in out and "-> red" not in out
    code, _, err = call(*query, "--words", "red or blue with a bow")
    assert (code, err.count("\n")) == (2, 1)
    assert "ambiguous: 'red / blue'" in err and "not understood: 'bow'" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["PICTURE", "--set", "colour=purple"], "blue, green, red"),
        (["PICTURE", "--set", "color=red"], "did you mean 'colour'?"),
        (["PICTURE", "--set", "colour=gren"], "did you mean 'green'?"),
        (["PICTURE", "--only", "color=red"], "did you mean 'colour'?"),
        (["PICTURE", "--importance", "color=2"], "did you mean 'colour'?"),
        (["PICTURE", "--set", "colour"], "attribute=value"),
        (["PICTURE", "--set", "colour=red", "--set", "colour=blue"], "more than once"),
        (["PICTURE", "--only", "colour"], "attribute=value"),
        (["PICTURE", "--item", "item-003"], "give a picture, or an item"),
        ([], "give a picture, or an item"),
        (["--item", "nobody"], "nobody"),
        (["gone.jpg"], "gone.jpg"),
        (["PICTURE", "--gallery", "elsewhere"], "elsewhere"),
        (["PICTURE", "--sheet", "out.doc"], "out.doc"),
    ],
)
def test_search_says_what_is_wrong(
    arguments: list[str], said: str, run_folder: Path, table: Path, call: Call
) -> None:
    picture = table.parent / "pictures" / "item-003.png"
    given = [str(picture) if argument == "PICTURE" else argument for argument in arguments]
    code, _, err = call("search", *given, "--run", run_folder)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_new_catalogue_is_encoded_with_the_models_values(
    run_folder: Path, tmp_path: Path, call: Call
) -> None:
    catalogue = write_shapes(tmp_path / "pictures", 12, seed=7, prefix="new")
    save_table(catalogue, tmp_path / "new.csv")
    gallery = tmp_path / "gallery"
    code, out, _ = call("index", tmp_path / "new.csv", "--run", run_folder, "--gallery", gallery)
    assert (code, out.splitlines()[0]) == (0, f"12 items in {gallery}")
    code, out, _ = call(
        "search", "--item", "new-001", "--run", run_folder, "--gallery", gallery, "--json"
    )
    assert code == 0
    assert len(json.loads(out)["hits"]) == 11


def test_processes_index_and_update(
    run_folder: Path, table: Path, tmp_path: Path, call: Call
) -> None:
    spread = ("--executor", "processes", "--workers", "2", "--batch-size", "16")
    save_table(write_shapes(tmp_path / "more", 20, seed=5, prefix="more"), tmp_path / "more.csv")
    vectors = []
    for name, how in (("one", ("--batch-size", "16")), ("other", spread)):
        where = ("--gallery", tmp_path / name)
        assert call("index", table, "--run", run_folder, *where, *how)[0] == 0
        assert call("update", tmp_path / "more.csv", *where, *how)[:2] == (
            0,
            "20 added\n100 items in the gallery\n",
        )
        vectors.append(np.array(open_gallery(tmp_path / name).vectors))
    np.testing.assert_allclose(vectors[0], vectors[1], rtol=0, atol=1e-6)


def test_ray_that_is_not_installed_is_one_line(
    run_folder: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    gallery = tmp_path / "gallery"
    code, _, err = call("index", "--run", run_folder, "--gallery", gallery, "--executor", "ray")
    assert (code, err.count("\n")) == (2, 1)
    assert "pip install 'amgan[ray]'" in err


def test_interrupted_indexing_says_how_to_go_on(
    run_folder: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("amgan.methods.trained.TrainedModel.encode_gallery", interrupt)
    code, _, err = call("index", "--run", run_folder, "--gallery", tmp_path / "gallery")
    assert (code, err.count("\n")) == (130, 1)
    assert "same command again" in err


def test_a_gallery_is_enough_to_search(
    run_folder: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = tmp_path / "gallery"
    shutil.copytree(run_folder / "gallery", gallery)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    query = ("search", "--item", "item-003", "--json")
    code, out, err = call(*query, "--gallery", gallery)
    assert code == 0, err
    _, same, _ = call(*query, "--run", run_folder)
    assert [h["item_id"] for h in json.loads(out)["hits"]] == [
        h["item_id"] for h in json.loads(same)["hits"]
    ]
    code, _, err = call(*query, "--gallery", gallery, "--run", "nowhere")
    assert (code, "nowhere: no model here" in err) == (2, True)
    monkeypatch.setenv("AMGAN_RUN", "elsewhere")
    code, _, err = call(*query, "--gallery", gallery)
    assert (code, "elsewhere: no model here" in err) == (2, True)
    monkeypatch.delenv("AMGAN_RUN")
    code, _, err = call(*query)
    assert (code, f"{Path('run/gallery')}: no gallery here" in err) == (2, True)


def test_the_ranking_is_kept_with_the_gallery(run_folder: Path, tmp_path: Path, call: Call) -> None:
    gallery = tmp_path / "gallery"
    for choice, metric in (("pure", "euclidean"), ("fused", "inner_product")):
        code, _, err = call("index", "--run", run_folder, "--gallery", gallery, "--ranking", choice)
        assert code == 0, err
        manifest = open_gallery(gallery).manifest
        assert (manifest.ranking, manifest.metric) == (choice, metric)
        assert call("update", "--gallery", gallery, "--remove", "item-000")[0] == 0
        assert open_gallery(gallery).manifest.ranking == choice


def test_an_engine_is_kept_with_the_gallery_and_another_can_search_it(
    run_folder: Path, tmp_path: Path, call: Call
) -> None:
    gallery, graph = tmp_path / "gallery", "faiss://hnsw?m=8&ef_search=80"
    code, _, _ = call("index", "--run", run_folder, "--gallery", gallery, "--engine", graph)
    assert code == 0
    assert open_gallery(gallery).manifest.engine_asked == graph
    query = ["search", "--item", "item-001", "--run", run_folder, "--gallery", gallery, "--json"]
    found = [call(*query, *engine) for engine in ([], ["--engine", "faiss://exact"])]
    assert [code for code, _, _ in found] == [0, 0]
    ids = [[hit["item_id"] for hit in json.loads(out)["hits"]] for _, out, _ in found]
    assert ids[0] == ids[1]
    code, _, err = call(*query, "--engine", "faiss://sq8")
    assert (code, err.count("\n")) == (2, 1)
    assert "open it with that or faiss://exact" in err


# Update


@pytest.fixture
def gallery(run_folder: Path, table: Path, tmp_path: Path, call: Call) -> Path:
    """A gallery of the 80 shapes outside the run folder."""
    folder = tmp_path / "gallery"
    assert call("index", "--run", run_folder, "--gallery", folder)[0] == 0
    return folder


def gallery_ids(folder: Path) -> list[str]:
    return list(open_gallery(folder).item_ids)


def test_update_adds_replaces_and_removes(gallery: Path, tmp_path: Path, call: Call) -> None:
    new = write_shapes(tmp_path / "new", 6, seed=7)
    ids = ("item-000", "item-001", *(f"new-{number}" for number in range(4)))
    save_table(replace(new, item_ids=ids), tmp_path / "new.csv")
    new.images[5].write_bytes(b"no picture")
    (tmp_path / "gone.txt").write_text("item-003\n\nnobody\n", encoding="utf-8")
    code, out, err = call(
        *("update", tmp_path / "new.csv", "--id", "item_id", "--gallery", gallery),
        *("--remove", "item-002", "--remove-file", tmp_path / "gone.txt"),
    )
    assert code == 0, err
    assert out == (
        "3 added, 2 replaced, 2 removed, 1 skipped: their pictures could not be read\n"
        "1 to remove was not there: nobody\n"
        "81 items in the gallery\n"
    )
    kept = [f"item-{number:03}" for number in range(4, 80)]
    assert gallery_ids(gallery) == [*kept, "item-000", "item-001", "new-0", "new-1", "new-2"]


def test_update_leaves_what_is_the_same(
    gallery: Path, run_folder: Path, table: Path, tmp_path: Path, call: Call
) -> None:
    update = ("update", "--gallery", gallery)
    columns = ("--id", "item_id", "--split", "split")
    versions = sorted(path.name for path in (gallery / "versions").iterdir())
    code, out, err = call(*update, table, *columns)
    assert (code, out) == (0, "0 added, 80 unchanged\n80 items in the gallery\n")
    assert "no new version was written" in err
    code, out, err = call(*update, "--remove", "nobody")
    assert (code, out.splitlines()[1]) == (0, "1 to remove was not there: nobody")
    assert "no new version was written" in err
    assert sorted(path.name for path in (gallery / "versions").iterdir()) == versions
    code, out, err = call(*update, "--remove", "item-001")
    assert "POST /admin/reload" in err and "SIGHUP" in err


def test_update_takes_columns_of_the_run_that_the_gallery_lies_in(
    run_folder: Path, tmp_path: Path, call: Call
) -> None:
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    save_table(write_shapes(tmp_path / "new", 2, seed=7, prefix="new"), tmp_path / "new.csv")
    rows = (tmp_path / "new.csv").read_text().replace("new-001,", "new-000,")
    (tmp_path / "new.csv").write_text(rows)
    code, out, err = call("update", tmp_path / "new.csv", "--gallery", run / "gallery")
    assert code == 0
    assert out == "1 added\n81 items in the gallery\n"
    assert "item is listed twice" in err
    assert gallery_ids(run / "gallery")[-1] == "new-000"


def test_update_to_another_model_encodes_everything_anew(
    run_folder: Path, table: Path, gallery: Path, tmp_path: Path, call: Call
) -> None:
    other = tmp_path / "other"
    code, _, _ = call("update", "--run", run_folder, "--gallery", gallery, "--remove", "item-000")
    assert code == 0
    training = ["-s", "training.epochs=1", "-s", "training.seed=5"]
    assert call("train", table, *COLUMNS, *TINY, *training, "--run", other)[0] == 0
    code, out, _ = call("update", "--run", other, "--gallery", gallery, "--remove", "item-001")
    assert code == 0
    assert out == (
        "0 added, 1 removed\n"
        "every item was encoded anew, by another model than before\n"
        "78 items in the gallery\n"
    )
    query = ["search", "--item", "item-003", "--gallery", gallery, "--json"]
    assert call(*query, "--run", other)[0] == 0
    code, _, err = call(*query, "--run", run_folder)
    assert (code, "encoded by another model" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["TABLE", "--id", "sku"], "sku"),
        (["absent.csv"], "absent.csv"),
        (["--remove-file", "PICTURE"], "one id a line"),
        (["--run", "nowhere"], "nowhere"),
    ],
)
def test_update_says_what_is_wrong(
    arguments: list[str], said: str, gallery: Path, table: Path, call: Call
) -> None:
    places = {"TABLE": str(table), "PICTURE": str(table.parent / "pictures" / "item-003.png")}
    given = [places.get(argument, argument) for argument in arguments]
    code, out, err = call("update", *given, "--gallery", gallery)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert len(gallery_ids(gallery)) == 80


def test_diverged_training_is_a_failure_of_the_run(
    table: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from amgan.training.loss_log import TrainingDivergedError

    def diverge(*_: object) -> Path:
        raise TrainingDivergedError("loss generator.pixel is nan at epoch 0, step 3")

    monkeypatch.setattr("amgan.workflows.train.train_experiment", diverge)
    code, _, err = call("train", table, *COLUMNS, "--run", tmp_path / "run")
    assert (code, err) == (1, "error: loss generator.pixel is nan at epoch 0, step 3\n")


def test_training_ends_with_what_it_is_worth_and_what_is_next(
    table: Path, tmp_path: Path, call: Call
) -> None:
    run = tmp_path / "run"
    train = ("train", table, *COLUMNS, *TINY, "--run", run, "-s")
    code, out, _ = call(*train, "training.epochs=2")
    assert code == 0
    measured, *_, model, following = out.splitlines()
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    values = [record["top@10"] for record in lines if record["kind"] == "validation"]
    triplets = [json.loads(line) for line in (run / "triplets.jsonl").read_text().splitlines()]
    queries = sum(triplet.get("split") == "val" for triplet in triplets)
    assert measured == (
        f"best epoch {values.index(max(values)) + 1} of 2: an item with all the wanted attribute "
        f"values is among the first 10 for {max(values):.0%} of {queries} validation queries"
    )
    assert model == f"best model: {run / 'model.safetensors'}"
    assert following == f"next: amgan index --run {run}"
    before = (run / "config.json").read_text()
    code, _, err = call(*train, "training.epochs=3")
    assert (code, err.count("\n")) == (2, 1)
    assert "training.epochs: 2 then, 3 now" in err
    code, _, err = call(*train, "training.epochs=3", "-s", "training.seed=4")
    assert (code, err.splitlines()[1:]) == (
        2,
        ["  training.epochs: 2 then, 3 now", "  training.seed: 0 then, 4 now"],
    )
    assert "2 other settings" in err
    assert (run / "config.json").read_text() == before
    assert call(*train, "training.epochs=2", "-s", "training.log_every=7")[0] == 0


@pytest.mark.slow
def test_interrupted_training_says_how_to_go_on_and_goes_on(table: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "amgan", "train", str(table), *COLUMNS, *TINY]
    command += ["-s", "training.epochs=12", "-s", "training.log_every=1", "--run", str(run)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for_lines(run / "log.jsonl", 3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted: " in err
    assert "same command again" in err
    assert "Traceback" not in err
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"best model: {run / 'model.safetensors'}" in done.stdout
    steps = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    trained = [record["step"] for record in steps if record["kind"] == "train"]
    assert trained == sorted(set(trained))


def wait_for_lines(path: Path, number: int) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) < number:
        assert time.monotonic() < deadline, f"{path} did not get {number} lines"
        time.sleep(0.05)
