"""The command line. Errors are one clean line; `--json` prints one JSON value to standard output."""

from usufruct.cli.entry import main

__all__ = ["main"]
