from __future__ import annotations

import re
from pathlib import Path

import pytest

from amgan.web.settings import ServerSettings, load_settings

DOCS = Path(__file__).parents[2] / "docs" / "serving.md"


def documented() -> dict[str, tuple[str, str]]:
    """Settings by name with environment name and default, from the tables of the docs."""
    row = re.compile(r"^\| `([a-z_]+)` \| `(AMGAN_[A-Z_]+)` \|([^|]*)\|", re.MULTILINE)
    return {name: (variable, default) for name, variable, default in row.findall(DOCS.read_text())}


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(documented()) == set(ServerSettings.model_fields)


def test_documented_names_and_defaults_are_right() -> None:
    defaults = ServerSettings()
    for name, (variable, told) in documented().items():
        assert variable == f"AMGAN_{name.upper()}"
        value = getattr(defaults, name)
        if isinstance(value, tuple):
            value = ", ".join(value)
        expected = "" if value in (None, "") else str(value)
        if isinstance(value, bool):
            expected = str(value).lower()
        plain = told.strip().strip("`").replace(",", "") if name != "trusted_proxies" else told
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert float(plain) == float(value), name
        else:
            assert plain.strip("` ") == expected, name


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "server.toml"
    file.write_text('port = 1\nmax_results = 2\ntitle = "From the file"\napi_keys = []\n')
    monkeypatch.setenv("AMGAN_PORT", "3")
    monkeypatch.setenv("AMGAN_MAX_RESULTS", "4")
    monkeypatch.setenv("AMGAN_API_KEYS", f"{'a' * 20}, {'b' * 20}")
    settings = load_settings(file, {"port": 5})
    assert (settings.port, settings.max_results, settings.title) == (5, 4, "From the file")
    assert [key.get_secret_value() for key in settings.api_keys] == ["a" * 20, "b" * 20]
    monkeypatch.setenv("AMGAN_SERVER_CONFIG", str(file))
    assert load_settings().title == "From the file"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot = 1", "unknown setting 'prot'; the settings are run,"),
        ("port = 70000", "port (AMGAN_PORT)"),
        ('port = "x"', "port (AMGAN_PORT)"),
        ("port =", "not TOML"),
        ('api_keys = ["short-secret"]', "16 or more"),
        ("max_upload_bytes = 1", "max_upload_bytes"),
    ],
)
def test_wrong_settings_are_told_with_file_and_name(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "server.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(str(file))) as caught:
        load_settings(file)
    assert told in str(caught.value)
    assert "short-secret" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        load_settings(tmp_path / "none.toml")


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMGAN_API_KEYS", "k" * 20)
    assert "k" * 20 not in repr(load_settings())


def test_gallery_stands_in_the_run_folder_unless_named() -> None:
    assert load_settings(overrides={"run": Path("r")}).gallery_path == Path("r/gallery")
    assert load_settings(overrides={"gallery": Path("g")}).gallery_path == Path("g")
