"""Where a figure was measured: the machine and the commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path


def machine_description() -> str:
    """Processor, usable cores, memory and versions in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [_processor_name(), f"{cores} cores"]
    memory = _memory_bytes()
    if memory:
        parts.append(f"{memory / 2**30:.0f} GiB")
    parts.append(f"Python {platform.python_version()}")
    # Torch is not loaded for its version: where it computed, it is loaded already.
    torch = sys.modules.get("torch")
    if torch is not None:
        parts.append(f"torch {torch.__version__}")
        if torch.cuda.is_available():
            parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)


def commit_id(folder: Path | None = None) -> str | None:
    """Git commit of the source, with "+" where tracked files differ from it; None without git.

    Args:
        folder: a folder of the repository; this package's own by default.
    """
    folder = folder or Path(__file__).parent
    commit = _git(folder, "rev-parse", "HEAD")
    # An installed copy may lie in somebody else's repository: this file must be tracked by it.
    if commit is None or _git(folder, "ls-files", "--error-unmatch", ".") is None:
        return None
    return commit + ("+" if _git(folder, "status", "--porcelain", "-uno") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
