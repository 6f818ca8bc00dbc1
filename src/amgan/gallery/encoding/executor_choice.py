"""Who encodes a catalogue; imports nothing heavy, so that the command line can name it."""

from __future__ import annotations

from enum import StrEnum


class ExecutorChoice(StrEnum):
    """What runs the work: threads of this process, processes of this machine, or Ray."""

    threads = "threads"
    processes = "processes"
    ray = "ray"
