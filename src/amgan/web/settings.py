"""Everything a server can be told, from a TOML file and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from amgan.errors import InputError, SettingsError
from amgan.files import read_toml
from amgan.gallery.engines.settings import parse_engine
from amgan.images import PictureLimits
from amgan.run_folder import RunFolder
from amgan.text import counted
from amgan.web.hosts import check_host, check_origin
from amgan.web.logs import LogFormat
from amgan.words.reading import MAX_CHARACTERS

CONFIG_VARIABLE = "AMGAN_SERVER_CONFIG"
_PREFIX = "AMGAN_"
# Read by other parts of the program.
_OTHER_VARIABLES = {CONFIG_VARIABLE, "AMGAN_MILVUS_TOKEN", "AMGAN_CACHE"}
_OVERHEAD = 64 * 1024  # bytes of a query beside its picture
_SHORTEST_KEY = 16

Keys = Annotated[tuple[SecretStr, ...], NoDecode]
Texts = Annotated[tuple[str, ...], NoDecode]
Seconds = Annotated[float, Field(gt=0, le=3600)]
WholeSeconds = Annotated[int, Field(ge=1, le=3600)]


class ServerSettings(BaseSettings):
    """Settings of one server. Each is `AMGAN_` and its name in the environment."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True)

    # What is served
    run: Path = Path("run")
    model: Path | None = None
    gallery: Path | None = None
    pictures: Path | None = None
    engine: str = "auto"
    device: str = "auto"
    title: Annotated[str, Field(min_length=1, max_length=60)] = "Fashion search"

    # Where
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    root_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    allowed_hosts: Texts = ()
    trusted_proxies: Texts = ("127.0.0.1",)
    cors_origins: Texts = ()
    page: bool = True

    # Who
    api_keys: Keys = ()
    admin_keys: Keys = ()
    session_hours: Annotated[float, Field(gt=0, le=24 * 31)] = 12
    protect_metrics: bool = False
    rate_limit: Annotated[int, Field(ge=0)] = 0
    rate_burst: Annotated[int, Field(ge=1)] = 20

    # How much
    max_upload_bytes: Annotated[int, Field(ge=1024)] = 20 * 2**20
    max_json_bytes: Annotated[int, Field(ge=1024)] = 2 * 2**20
    max_pixels: Annotated[int, Field(ge=64 * 64)] = 50_000_000
    min_side: Annotated[int, Field(ge=1)] = 8
    max_results: Annotated[int, Field(ge=1, le=1000)] = 100
    max_depth: Annotated[int, Field(ge=1, le=10_000)] = 1000
    max_words: Annotated[int, Field(ge=1, le=MAX_CHARACTERS)] = 500
    max_connections: Annotated[int, Field(ge=8)] = 1000
    max_connections_per_client: Annotated[int, Field(ge=1)] = 100
    max_concurrent: Annotated[int, Field(ge=1)] = 64
    max_pending_bytes: Annotated[int, Field(ge=2**20)] = 256 * 2**20
    picture_cache_bytes: Annotated[int, Field(ge=0)] = 64 * 2**20

    # How long
    header_timeout: Seconds = 10
    body_timeout: Seconds = 30
    request_timeout: Seconds = 30
    decode_timeout: Seconds = 10
    write_timeout: Seconds = 20
    keep_alive_timeout: WholeSeconds = 15
    shutdown_timeout: WholeSeconds = 20

    # How the model is used
    search_threads: Annotated[int, Field(ge=1, le=256)] = 8
    batch_size: Annotated[int, Field(ge=1, le=1024)] = 16
    batch_window_ms: Annotated[float, Field(ge=0, le=1000)] = 2

    # What is said
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "auto"

    @field_validator("engine")
    @classmethod
    def _check_engine(cls, engine: str) -> str:
        parse_engine(engine)
        return engine

    @field_validator(
        "api_keys",
        "admin_keys",
        "allowed_hosts",
        "trusted_proxies",
        "cors_origins",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        """A text from the environment holds several, separated by commas."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys", "admin_keys")
    @classmethod
    def _check_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            text = key.get_secret_value()
            if len(text) < _SHORTEST_KEY or not text.isascii() or not text.isprintable():
                raise InputError(
                    f"a key needs {_SHORTEST_KEY} or more printable ASCII characters; "
                    "`openssl rand -hex 24` makes one"
                )
        return keys

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_origin(origin) for origin in origins)

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_host(host) for host in hosts)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`load_settings` joins the sources itself."""
        return (init_settings,)

    @property
    def model_path(self) -> Path | None:
        """The model's file or run folder; None, where neither is named, for the gallery's copy."""
        return self.model or (self.run if "run" in self.model_fields_set else None)

    @property
    def gallery_path(self) -> Path:
        """The gallery's folder."""
        return self.gallery or RunFolder(self.run).gallery

    @property
    def picture_limits(self) -> PictureLimits:
        """What a picture may measure."""
        return PictureLimits(self.max_upload_bytes, self.max_pixels, self.min_side)

    @property
    def max_body_bytes(self) -> int:
        """Largest request body: a picture, in base64 too, and the query around it."""
        return (self.max_upload_bytes + 2) // 3 * 4 + _OVERHEAD


def load_settings(
    file: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> ServerSettings:
    """Settings from a TOML file, then the environment, then `overrides`.

    Args:
        file: None takes the file that AMGAN_SERVER_CONFIG names, if any.
        overrides: settings of the command line; they win.

    Raises:
        ValueError: the file cannot be read, or a setting is unknown or out of range.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    file = file or (Path(named) if named else None)
    values = {} if file is None else read_toml(file)
    _check_environment()
    values |= EnvSettingsSource(ServerSettings)()
    values |= overrides or {}
    try:
        return ServerSettings(**values)
    except ValidationError as error:
        raise SettingsError(_describe(error, file), file=file) from None


def _check_environment() -> None:
    """No variable may look like a setting and be none: a misspelt key list is an open server."""
    known = {f"{_PREFIX}{name.upper()}" for name in ServerSettings.model_fields}
    known |= _OTHER_VARIABLES
    for name in os.environ:
        written = name.upper()
        if written.startswith(_PREFIX) and written not in known:
            near = get_close_matches(written, known, 1, 0.6)
            hint = f"do you mean {near[0]}? " if near else ""
            raise SettingsError(
                f"environment: unknown setting {name}; {hint}"
                f"the settings are {', '.join(sorted(known))}",
                field=name,
            )


def _describe(error: ValidationError, file: Path | None) -> str:
    """What is wrong, without the value where it may be a key."""
    problems = []
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        if problem["type"] == "extra_forbidden":
            known = ", ".join(ServerSettings.model_fields)
            problems.append(f"unknown setting {name!r}; the settings are {known}")
        else:
            problems.append(f"{name} (AMGAN_{name.upper()}): {problem['msg']}")
    place = str(file or "server settings")
    if len(problems) == 1:
        return f"{place}: {problems[0]}"
    return "\n  ".join([f"{place}: {counted(len(problems), 'problem')}", *problems])
