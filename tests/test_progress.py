from __future__ import annotations

from collections.abc import Iterator

import pytest

from amgan import progress


@pytest.fixture(autouse=True)
def _restore_mode() -> Iterator[None]:
    yield
    progress.set_progress_mode("auto")


def test_track_yields_everything_and_is_silent_without_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(progress.track(range(5), "Counting")) == [0, 1, 2, 3, 4]
    assert list(progress.track(iter("ab"), "Letters", 2)) == ["a", "b"]
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_lines_say_first_and_last_count_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    progress.set_progress_mode("lines")
    assert sum(progress.track([1, 2, 3], "Adding")) == 6
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["Adding: 0/3", "Adding: 3/3"]


def test_lines_come_at_most_every_interval(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 1000, 4))  # every look at the clock is four seconds later
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(now)))
    progress.set_progress_mode("lines")
    with progress.progress_bar("Training", 8, done=2) as bar:
        for step in range(6):
            bar.describe(f"loss {step}")
            bar.advance()
    counts = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
    assert counts == ["2/8", "5/8", "8/8"]


def test_lines_tell_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    progress.set_progress_mode("lines")
    with progress.progress_bar("Training", 100, done=40) as bar:
        now[0] = 20.0
        bar.advance(10)  # 10 steps in 20 s: 50 more take 100 s
        now[0] = 120.0
        bar.advance(50)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["Training: 40/100", "Training: 50/100  2 min left", "Training: 100/100"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(7.4, "7 s"), (89, "89 s"), (700, "12 min"), (12_000, "3 h 20 min")]
)
def test_durations_are_told_in_the_unit_that_suits(seconds: float, said: str) -> None:
    assert progress.describe_duration(seconds) == said


def test_line_carries_latest_detail_when_loop_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    progress.set_progress_mode("lines")
    with pytest.raises(KeyError), progress.progress_bar("Training") as bar:
        bar.advance(3)
        bar.describe("loss 0.5")
        raise KeyError
    assert capsys.readouterr().err.splitlines() == ["Training: 0", "Training: 3  loss 0.5"]


def test_bar_shows_description_count_and_detail(capsys: pytest.CaptureFixture[str]) -> None:
    progress.set_progress_mode("bar")
    with progress.progress_bar("Training", 4) as bar:
        bar.advance(4)
        bar.describe("loss 0.25")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Training" in captured.err
    assert "4/4" in captured.err
    assert "loss 0.25" in captured.err
