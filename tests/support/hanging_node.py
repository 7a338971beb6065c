"""A node that hangs on questions of some kinds: it takes them and never answers, and answers all others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class HangingNode:
    """`url` leads to a real node; requests that hold one of `hangs_on` are never answered.

    `hung` counts those; `in_a_row` counts those of them that came after another had been given up by its sender.
    """

    def __init__(self, behind: str) -> None:
        self._behind = urlsplit(behind)
        self.url = ""
        self.hangs_on: tuple[bytes, ...] = ()
        self.hung = self.in_a_row = 0
        self._given_up = False

    def hang_on(self, *texts: bytes) -> None:
        """Hang on requests that hold one of these texts, and count from 0."""
        self.hangs_on, self.hung, self.in_a_row, self._given_up = texts, 0, 0, False

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(self._behind.hostname, self._behind.port)
        answers = asyncio.create_task(_copy(behind[0], writer))
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while request := await _request(reader):
                if any(text in request for text in self.hangs_on):
                    self.hung += 1
                    self.in_a_row += self._given_up
                    await reader.read()  # until the sender closes the connection
                    self._given_up = True
                    break
                behind[1].write(request)
        behind[1].close()
        await answers


@asynccontextmanager
async def hanging_node(behind: str) -> AsyncIterator[HangingNode]:
    """Listen on a free port of this machine."""
    made = HangingNode(behind)
    listening = await asyncio.start_server(made.pass_on, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        listening.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await reader.readexactly(int(length.partition(b":")[2]))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
