from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from amgan.presets import PRESETS, find_suite
from amgan.reproduction.suite import Suite, load_suite

TUNING = "hm-tops-tuning"  # options of single methods, not the paper's rows
CHANGES = "hm-tops-changes"  # rows that learn, trained for more changes
FILES = {path.stem for path in (PRESETS / "suites").glob("*.toml")}
NAMES = sorted(FILES - {TUNING, CHANGES})
PAPER_ROWS = {
    "AMGAN-P",
    "AMGAN-T",
    *(f"AMGAN-{scheme}-{without}" for scheme in "PT" for without in ("NoVSE", "NoL1", "NoCls")),
    *("cGAN-P", "cGAN-T", "FCD", "AMNet", "FSN"),
}


def test_the_suites_are_there():
    assert {"smoke", "hm-tops-cpu", "paper"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_suite_loads_with_every_row_of_the_paper(name):
    suite = load_suite(PRESETS / "suites" / f"{name}.toml")
    assert {row.name for row in suite.rows} >= PAPER_ROWS
    configs = {row.name: suite.row_config(row) for row in suite.rows}
    # One budget, one data set, one picture size, one trunk; a learning rate may be a method's own.
    first = next(iter(configs.values()))
    common = replace(first.training, learning_rate=1)
    for row in suite.rows:
        config = configs[row.name]
        if not row.as_published:
            assert replace(config.training, learning_rate=1) == common
        assert config.images == first.images
        assert config.network == first.network
        assert config.catalogue == first.catalogue


def test_the_tuning_suite_has_the_budget_of_the_rows_it_tunes():
    suites = PRESETS / "suites"
    tuning, tuned = (load_suite(suites / f"{name}.toml") for name in (TUNING, "hm-tops-cpu"))
    overrides = ["training.epochs=4"]
    known = {tuned.row_config(row, overrides).method: row for row in tuned.rows}
    for row in tuning.rows:
        config = tuning.row_config(row)
        beside = tuned.row_config(known[config.method], overrides)
        passes = [c.training.epochs * c.triplets.per_item for c in (config, beside)]
        assert passes[0] == passes[1]
        assert config.images == beside.images
    configs = [str(tuning.row_config(row).to_dict()) for row in tuning.rows]
    assert len(set(configs)) == len(configs)


def test_rows_trained_for_more_changes_answer_the_queries_of_the_others():
    suites = PRESETS / "suites"
    more, few = (load_suite(suites / f"{name}.toml") for name in (CHANGES, "hm-tops-cpu"))
    assert more.common_config().triplets == few.common_config().triplets
    known = {row.name: row for row in few.rows}
    for row in more.rows:
        config = more.row_config(row)
        beside = few.row_config(known[row.name], ["training.epochs=4"])
        assert (config.triplets.max_changes, config.triplets.balance_changes) == (5, True)
        assert replace(config, triplets=beside.triplets) == beside


def test_a_suite_may_extend_one_that_extends_another(tmp_path):
    path = write_suite(
        tmp_path, 'title = "first"\ncases = 2\nrows = [{ name = "A", experiment = "plain" }]'
    )
    second, third = path.with_name("second.toml"), path.with_name("third.toml")
    second.write_text('extends = "own.toml"\ntitle = "second"\nfolds = 3')
    third.write_text('extends = "second.toml"\nfolds = 4')
    suite = load_suite(third)
    assert (suite.name, suite.title, suite.folds, suite.cases) == ("third", "second", 4, 2)
    path.write_text('extends = "third.toml"')
    with pytest.raises(ValueError, match=r"third\.toml: extends itself"):
        load_suite(third)


def write_suite(folder: Path, text: str) -> Path:
    suites = folder / "suites"
    suites.mkdir(parents=True, exist_ok=True)
    (folder / "plain.toml").write_text('method = "fcd"\ntraining.epochs = 7\n')
    (folder / "scale.toml").write_text("training.epochs = 3\nimages.height = 32\n")
    path = suites / "own.toml"
    path.write_text(text)
    return path


def test_settings_of_a_family_reach_its_rows_only(tmp_path):
    path = write_suite(
        tmp_path,
        """
        title = "t"
        rows = [
            { name = "A", settings = ["method=amgan-t"] },
            { name = "B", settings = ["method=amgan-p", "options.metric_weight=3"] },
            { name = "C", settings = ["method=fcd"] },
        ]
        [method_settings]
        amgan = ["options.metric_weight=2"]
        """,
    )
    suite = load_suite(path)
    weights = [suite.row_config(row).options.get("metric_weight") for row in suite.rows]
    assert weights == [2, 3, None]


def test_later_settings_win(tmp_path):
    path = write_suite(
        tmp_path,
        """
        title = "t"
        configs = ["scale.toml"]
        settings = ["training.seed=1", "training.batch_size=8"]
        rows = [
            { name = "A", experiment = "plain" },
            { name = "B", experiment = "plain", settings = ["training.seed=2"] },
        ]
        """,
    )
    suite = load_suite(path)
    a, b = (suite.row_config(row, ["training.batch_size=4"]).training for row in suite.rows)
    assert (a.epochs, a.seed, a.batch_size) == (7, 1, 4)  # experiment over scale, suite over both
    assert b.seed == 2
    assert suite.row_config(suite.rows[0]).images.height == 32
    assert suite.common_config().training.epochs == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 't'\nrows = []", "no rows"),
        ("title = 't'\nrows = [{ name = 'A' }, { name = 'a' }]", "row 'a' twice"),
        ("title = 't'\nrow = []", "unknown setting row"),
        ("title = 't'\nrows = [{ name = 'A', sort = 'ours' }]", "unknown setting rows.sort"),
        ("title = 't'\nrows = [{ name = 'A', kind = 'mine' }]", "kind"),
        ("title = 't'\nrows = [{ name = 'A', experiment = 'gone' }]", "row 'A'.*gone.toml"),
        ("title = 't'\nrows = [{ name = 'A', settings = ['training.epoch=1'] }]", "epoch"),
        ("title = 't'\nfolds = 1\nrows = [{ name = 'A' }]", "at least 2"),
        ("title = 't'\nsignificance = 'folds'\nrows = [{ name = 'A' }]", "folds = 2"),
        (
            "title = 't'\ntiming = { speed = 1 }\nrows = [{ name = 'A' }]",
            "unknown setting timing.speed",
        ),
        ("rows = [{ name = 'A' }]", "title"),
        ("title = ", "not TOML"),
    ],
)
def test_a_bad_suite_is_told_with_its_file(tmp_path, text, message):
    path = write_suite(tmp_path, text)
    with pytest.raises(ValueError, match=f"own.*{message}"):
        load_suite(path)


def test_select_keeps_the_order_and_names_what_is_not_there(tiny_suite: Suite):
    chosen = tiny_suite.select(["fcd", "AMGAN-P"])
    assert [row.name for row in chosen.rows] == ["AMGAN-P", "FCD"]
    with pytest.raises(ValueError, match=r"no row 'AMGAN-X'.*AMGAN-P"):
        tiny_suite.select(["AMGAN-X"])


def test_find_suite_names_the_suites_it_knows(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert find_suite("smoke") == PRESETS / "suites" / "smoke.toml"
    with pytest.raises(ValueError, match=r"no suite 'smoky'.*smoke"):
        find_suite("smoky")
