"""The command line. Errors are one clean line; `--json` prints one JSON value to standard output."""

from usufruct.cli.root import app, main

__all__ = ["app", "main"]
