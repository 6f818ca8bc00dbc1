"""Files for deployment against the settings they set; nothing of it is run here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from amgan.web.settings import ServerSettings

DEPLOY = Path(__file__).parents[2] / "deploy"
ENVIRONMENT = {f"AMGAN_{name.upper()}" for name in ServerSettings.model_fields}


@pytest.mark.parametrize("name", ["Containerfile", "amgan.env.example", "compose.yaml"])
def test_only_settings_that_exist_are_set(name: str) -> None:
    text = (DEPLOY / name).read_text()
    found = set(re.findall(r"\bAMGAN_[A-Z_]+", text)) - {"AMGAN_RUN_FOLDER"}
    assert found and found <= ENVIRONMENT


def test_the_environment_example_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (DEPLOY / "amgan.env.example").read_text().splitlines():
        if line.startswith("AMGAN_"):
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)
    from amgan.web.settings import load_settings

    assert load_settings().gallery_path == Path("/var/lib/amgan/run/gallery")


def test_the_compose_file_is_whole() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    for name, service in services.items():
        assert ("image" in service) != ("build" in service), name
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in services[needed], needed
        for network in service["networks"]:
            assert network in compose["networks"]
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source.startswith(("$", ".")) or source in compose["volumes"]
    exposed = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert list(exposed) == ["amgan"]
    assert all(port.startswith("127.0.0.1:") for port in exposed["amgan"])
    assert compose["networks"]["inside"]["internal"] is True
    assert (DEPLOY / services["amgan"]["build"]["context"] / "pyproject.toml").is_file()


def test_the_container_copies_what_exists() -> None:
    for line in (DEPLOY / "Containerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (DEPLOY.parent / source).exists(), source


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_unit() -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(DEPLOY / "amgan.service")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    told = [line for line in done.stderr.splitlines() if "amgan.service" in line]
    assert all("is not executable: No such file" in line for line in told), done.stderr
