"""What lies between the HTTP protocol and a connection: an answer leaves in one send, and is never held back."""

import asyncio
import socket
from contextlib import suppress

_ANSWER_HEAD = b"HTTP/1.1 "


class HeadJoiner:
    """A connection's transport that holds an answer's head until the body's first piece, so that one send takes both.

    The head waits until the current iteration of the event loop ends, no longer. Sent alone it would cost a packet and
    a wake-up of the client, and with Nagle's algorithm the body would wait for the client's delayed acknowledgement.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        self.abort = transport.abort
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info

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

    def write_eof(self) -> None:
        """Send nothing more; what the client sends is still read."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._flush()
        self._transport.close()

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
