"""The example in docs/reproduction.md, as it stands there: trained, measured, searched with."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from amgan.methods.method import Method
from amgan.methods.model_file import load_model
from amgan.methods.registry import METHODS, MethodEntry, build_method
from amgan.presets import PRESETS
from amgan.reproduction.results import SuiteResults
from amgan.reproduction.runner import run_suite
from amgan.reproduction.suite import RowSpec, load_suite
from amgan.reproduction.suite_run import SuiteRun
from amgan.run_folder import RunFolder
from amgan.training.run_log import read_log

DOCS = Path(__file__).parents[2] / "docs" / "reproduction.md"


@pytest.fixture
def steps(monkeypatch):
    """The example's classes, with the line of METHODS that the text gives."""
    (source,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    names: dict[str, object] = {"__name__": "steps"}
    monkeypatch.setitem(sys.modules, "steps", ModuleType("steps"))
    exec(compile(source, str(DOCS), "exec"), names)
    (entry,) = re.findall(r'`"steps": (MethodEntry\(.*?\)),`', DOCS.read_text())
    monkeypatch.setitem(METHODS, "steps", eval(entry, {**names, "MethodEntry": MethodEntry}))


def test_the_example_is_a_method(steps, tiny_suite):
    config = tiny_suite.row_config(RowSpec("Steps", settings=("method=steps",)))
    from amgan.catalogue.studio import STUDIO_SCHEMA

    method = build_method("steps", STUDIO_SCHEMA, config.images, config.network)
    assert isinstance(method, Method)
    with pytest.raises(ValueError, match="its options are attribute_weight"):
        build_method("steps", STUDIO_SCHEMA, config.images, config.network, {"weight": 1})


def test_the_example_runs_in_a_suite(steps, suite_run, tmp_path, monkeypatch):
    monkeypatch.setenv("AMGAN_CACHE", str(suite_run.folder.parent / "cache"))
    settings = ("method=steps", "training.epochs=10", "training.log_every=1")
    row = RowSpec("Steps", settings=settings)
    suite = dataclasses.replace(suite_run.suite, rows=(row,), more_changes=1)
    other = SuiteRun(suite, tmp_path, suite_run.overrides)
    run_suite(other)
    results = SuiteResults(other)
    (record,) = results.records
    assert 0 <= results.mean(record, "top@10", "queries", "unseen") <= 1
    assert load_model(record.folders[0]).description.method == "steps"
    log = read_log(RunFolder(record.folders[0]), "train")
    for term in ("steps.metric", "steps.attribute"):
        first, last = (sum(line[term] for line in lines) / 7 for lines in (log[:7], log[-7:]))
        assert last < first, term


def test_the_suite_in_the_text_loads(tmp_path, monkeypatch):
    text = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)[0]
    folder = tmp_path / "settings"
    (folder / "suites").mkdir(parents=True)
    for name in ("scales", "amgan-t.toml", "fcd.toml"):
        (folder / name).symlink_to(PRESETS / name)
    (folder / "suites" / "mine.toml").write_text(text)
    suite = load_suite(folder / "suites" / "mine.toml")
    assert [row.kind for row in suite.rows] == ["ours", "baseline", "reference"]
    assert suite.row_config(suite.rows[0]).options == {"saturating": False}
