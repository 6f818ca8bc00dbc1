"""The `amgan` command. Commands are thin: they read options, call another room, print."""

from amgan.cli.app import app, main

__all__ = ["app", "main"]
