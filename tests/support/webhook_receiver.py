"""A receiver of webhooks: keeps every request, and answers as it is told to."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Posted:
    """One request: its line, its headers by lowercase name, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebhookReceiver:
    """`answers`: what the next requests get, raw; 204 when there is none left. `silent`: no answer at all."""

    port: int = 0
    posted: list[Posted] = field(default_factory=list)
    answers: deque[bytes] = field(default_factory=deque)
    silent: bool = False

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def refuse(self, *statuses: int) -> None:
        self.answers += [b"HTTP/1.1 %d X\r\ncontent-length: 6\r\n\r\nsecret" % status for status in statuses]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): text.strip() for name, _, text in (each.partition(":") for each in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.posted.append(Posted(line, headers, body))
            if self.silent:
                await asyncio.sleep(60)
            writer.write(self.answers.popleft() if self.answers else b"HTTP/1.1 204 X\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    """Receive webhooks while the block runs."""
    receiver = WebhookReceiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
