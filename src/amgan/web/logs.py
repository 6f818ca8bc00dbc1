"""Structured logs. They hold no pictures, keys, cookies, words or query strings.

So an exception is told by its kind and the places that it went through: its message may repeat what
was sent, and the local variables of a traceback hold all of it.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Literal

import structlog

LogFormat = Literal["auto", "json", "console"]
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logs(level: str, form: LogFormat) -> None:
    """Send this process's logs, those of libraries too, to stderr: one line an event.

    "auto" is "console" on a terminal, else "json".
    """
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shared.append(_describe_exception)
    if form == "json":
        renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_LEVELS[level])
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    # One line a request is written by the app, with its id.
    logging.getLogger("uvicorn.access").disabled = True
    logging.captureWarnings(True)  # else a warning stands between two lines of JSON


def logger() -> Any:
    """The server's logger."""
    return structlog.get_logger("amgan.web")


def _describe_exception(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Kind and places of the exception of an event, in place of the exception itself."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if not info:
        return event
    if isinstance(info, BaseException):
        error: BaseException | None = info
    else:
        error = (info if isinstance(info, tuple) else sys.exc_info())[1]
    if error is not None:
        event["exception"] = "\n".join(_lines(error))
    return event


def _lines(error: BaseException) -> Iterator[str]:
    """Lines that tell of an exception and of those that led to it, the first one first."""
    chain, seen = [error], {id(error)}
    while (earlier := chain[-1].__cause__ or chain[-1].__context__) and id(earlier) not in seen:
        chain.append(earlier)
        seen.add(id(earlier))
    for one in reversed(chain):
        for frame, line in traceback.walk_tb(one.__traceback__):
            code = frame.f_code
            yield f"  {Path(code.co_filename).name}:{line} in {code.co_qualname}"
        reason = one.strerror if isinstance(one, OSError) else None
        yield type(one).__qualname__ + (f": {reason}" if reason else "")
