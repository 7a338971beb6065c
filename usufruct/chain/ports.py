"""Ports of this machine for devnets: one that is free, and one that is reserved for a process of ours.

Between looking for a free port and listening on it some time passes, on a busy machine seconds. A reservation is the
lock of a file; handed to the process that will listen, it lasts as long as that process.
"""

import os
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from random import sample
from typing import IO

from usufruct.core import Unavailable

if sys.platform != "win32":
    import fcntl

HOST = "127.0.0.1"

_PORTS = range(20_000, 32_000)
_TRIES = 100


class PortInUse(Unavailable, code="port_in_use"):
    """Another program listens on a port, or is about to."""


def free_port() -> int:
    """Return a port of this machine that nothing listens at now.

    It is below those that systems hand out for port 0: no other program gets it by chance before it is used.
    """
    for port in sample(_PORTS, _TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise Unavailable(f"{_TRIES} ports of this machine that were tried are taken; close some programs")


def reserve_port(wanted: int | None = None) -> tuple[int, IO[bytes]]:
    """Reserve a port, by default any that is free, until the returned file is closed.

    Every process that the file is handed to keeps the port, too.

    Raises:
        PortInUse: when a program listens on it, or another process has reserved it.
    """
    if wanted:
        return wanted, _lock(wanted)
    while True:
        port = free_port()
        with suppress(PortInUse):
            return port, _lock(port)


def _lock(port: int) -> IO[bytes]:
    folder = Path(tempfile.gettempdir()) / f"usufruct-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = (folder / str(port)).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended do not matter
            probe.bind((HOST, port))
    except OSError:
        lock.close()
        message = f"port {port} is in use; stop the program that listens on it, or choose another port"
        raise PortInUse(message, port=port) from None
    return lock
