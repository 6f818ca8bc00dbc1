"""OpenVINO, loaded so that it reports nothing and does not disturb Ctrl-C."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from typing import Any


def has_openvino() -> bool:
    """Whether OpenVINO is installed; there is none for some processors."""
    return importlib.util.find_spec("openvino") is not None


def import_openvino() -> Any:
    """OpenVINO without its telemetry, which reports each import and use to its makers."""
    telemetry = "openvino_telemetry"
    before = sys.modules.get(telemetry)
    sys.modules[telemetry] = None  # type: ignore[assignment]  # makes its import fail
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[telemetry]
        if before is not None:
            sys.modules[telemetry] = before


@functools.cache
def openvino_core() -> Any:
    """OpenVINO's one core, kept until the process ends.

    It makes signals of the thread that asks for it first run on a stack of its own. That stack
    would go with the core, and the next Ctrl-C would end the process with a segmentation fault.
    """
    return import_openvino().Core()
