"""What was measured of a row, kept as JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amgan.files import read_json, write_text


def save_measured(values: Mapping[str, Any], path: Path) -> None:
    """Write as JSON."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def load_measured(path: Path) -> Any:
    """Read what `save_measured` wrote; None where nothing was measured yet."""
    return read_json(path) if path.is_file() else None
