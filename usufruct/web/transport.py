"""What lies between the HTTP protocol and a connection: an answer leaves in one send, and is never held back."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

_ANSWER_HEAD = b"HTTP/1.1 "


class HeadJoiner(asyncio.Transport):
    """A connection's transport that holds an answer's head until the body's first piece, so that one send takes both.

    The head waits until the current iteration of the event loop ends, no longer. Sent alone it would cost a packet and
    a wake-up of the client, and with Nagle's algorithm the body would wait for the client's delayed acknowledgement.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send data, and the head before it; a head alone waits."""
        if self._head:
            data, self._head = self._head + data, b""
        elif isinstance(data, bytes) and data.startswith(_ANSWER_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def write_at_once(self, data: bytes) -> None:
        """Send a whole answer."""
        self._flush()
        self._transport.write(data)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close the connection now; what was not sent is lost."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether the connection is closed or about to be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Read nothing until `resume_reading`."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection under one of asyncio's names."""
        return self._transport.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)


def send_without_delay(transport: asyncio.Transport) -> None:
    """Set TCP_NODELAY; asyncio sets it only on sockets made with protocol 6, which `socket.create_server` does not."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):  # the client has disconnected
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
