"""A PostgreSQL server that can be cut off: reached through a port that passes bytes on until a test severs it."""

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url


class SeveredServer:
    """`url` leads to the database through this; once `severed` every connection is dropped, and `refused` counts."""

    def __init__(self, url: str) -> None:
        self._behind = make_url(url)
        self._writers: list[asyncio.StreamWriter] = []
        self.url = ""
        self.refused = 0
        self._severed = False

    def sever(self) -> None:
        self._severed = True
        for writer in self._writers:
            writer.transport.abort()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._severed:
            self.refused += 1
            writer.transport.abort()
            return
        host, port = self._behind.query.get("host", self._behind.host), self._behind.port or 5432
        if host.startswith("/"):
            behind = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            behind = await asyncio.open_connection(host, port)
        self._writers += [writer, behind[1]]
        await asyncio.gather(_copy(reader, behind[1]), _copy(behind[0], writer))


@asynccontextmanager
async def severed_server(url: str) -> AsyncIterator[SeveredServer]:
    """Listen on a free port of this machine."""
    made = SeveredServer(url)
    listening = await asyncio.start_server(made.pass_on, "127.0.0.1", 0)
    behind = make_url(url)
    through = behind.set(
        host="127.0.0.1",
        port=listening.sockets[0].getsockname()[1],
        username=behind.username or getpass.getuser(),
        query={"sslmode": "disable"},
    )
    made.url = through.render_as_string(hide_password=False)
    try:
        yield made
    finally:
        made.sever()
        listening.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
