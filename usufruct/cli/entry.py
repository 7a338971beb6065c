"""Where the command line starts; a server starts without the libraries of other commands (decision 0075)."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from usufruct.core import Conflict, UsufructError
from usufruct_client.errors import ClientError

SERVERS = ("serve", "worker")
_SERVER_OPTIONS = {"--attached"}


def main() -> None:
    """Run the command line: an error we know is one line and exit code 1, never a traceback."""
    try:
        try:
            _run(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except (UsufructError, ClientError) as error:
        _exit_with(error)
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.filename is None:
            raise
        _exit_with(Conflict(f"{error.filename}: {error.strerror}; choose another place", code="file_trouble"))


def _run(arguments: Sequence[str]) -> None:
    if arguments[:1] and arguments[0] in SERVERS and set(arguments[1:]) <= _SERVER_OPTIONS:
        servers = import_module("usufruct.cli.support.servers")
        servers.SERVERS[arguments[0]](attached=bool(arguments[1:]))
    else:
        import_module("usufruct.cli.root").app()


def _exit_with(error: UsufructError | ClientError) -> None:
    import_module("usufruct.cli.support.runner").exit_with(error)
