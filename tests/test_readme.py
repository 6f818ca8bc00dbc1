"""The README's commands and its Python, run as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from amgan.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What a reader's training takes minutes for is cut short.
SMALL = [
    *("-s", "training.epochs=1", "-s", "training.batch_size=16", "-s", "training.device=cpu"),
    *("-s", "network.generator_width=4", "-s", "network.latent_channels=8"),
    *("-s", "network.encoder_widths=[8, 16, 16, 16]", "-s", "network.embedding_dim=16"),
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> Iterator[list[str]]:
    """Every `amgan ...` line of the README's shell blocks, in order."""
    for block in blocks("bash"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("amgan "):
                yield shlex.split(line)[1:]


def test_install_commands_are_the_ones_that_ci_runs() -> None:
    install, *_ = (line for line in blocks("bash")[1].splitlines() if "pip install" in line)
    script = (ROOT / ".ci" / "run").read_text()
    for part in install.split(" && "):
        words = [word for word in shlex.split(part) if word != "--quiet"]
        assert any(
            [word for word in shlex.split(line.removeprefix("exec ")) if word != "--quiet"] == words
            for line in script.splitlines()
            if not line.startswith("#")
        ), part


def test_readme_shows_the_whole_path() -> None:
    names = [command[0] for command in commands()]
    assert names[:2] == ["index", "serve"]
    assert {"validate", "train"} <= set(names)


def serve(arguments: list[str]) -> None:
    """Until the page is up, as the README says that it tells."""
    command = [sys.executable, "-m", "amgan", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
    assert "`Search page: http://127.0.0.1:8000`" in README
    assert said.startswith("Search page: http://127.0.0.1:")


@pytest.mark.slow
def test_commands_and_python_run(
    tops: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tops)
    for command in commands():
        if command[0] == "serve":
            serve(command)
            continue
        extra = SMALL if command[0] == "train" else []
        with pytest.raises(SystemExit) as exited:
            main([*command, *extra])
        assert exited.value.code == 0, command
    assert (tops / "found.png").stat().st_size > 10_000
    capsys.readouterr()
    (program,) = blocks("python")
    exec(compile(program, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert lines[0].startswith("1 s0")


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
