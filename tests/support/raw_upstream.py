"""A server that answers every request with bytes declared in advance, and ends its connections as declared."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum


class Framing(Enum):
    """How a body's end is marked."""

    CHUNKED = "chunked"
    LENGTH = "length"
    CLOSE = "close"
    HTTP_1_0 = "1.0"


@dataclass(frozen=True)
class Reply:
    """What is answered: the body in pieces that are sent apart, the head, how the body's end is marked.

    `aborts`: the connection is reset after the last piece, without the mark of the end. `packed`: the body is gzip,
    whether it was asked for or not. `raw`: the whole answer as bytes, head included; the connection is closed after it.
    `serves`: requests that one connection answers; one more is dropped unanswered. `behind`: bytes nobody asked for,
    sent right after the answer on the connection that is kept.
    """

    pieces: tuple[bytes, ...] = ()
    head: bytes = b"content-type: text/event-stream\r\n"
    status: bytes = b"200 OK"
    framing: Framing = Framing.CHUNKED
    aborts: bool = False
    packed: bool = False
    raw: tuple[bytes, ...] = ()
    serves: int = 1_000
    behind: bytes = b""

    def parts(self) -> Iterator[bytes]:
        """Yield what is sent, in order."""
        if self.raw:
            yield from self.raw
            return
        pieces = tuple(_packed(self.pieces)) if self.packed else self.pieces
        version = b"1.0" if self.framing is Framing.HTTP_1_0 else b"1.1"
        marks = {
            Framing.CHUNKED: b"transfer-encoding: chunked\r\n",
            Framing.LENGTH: b"content-length: %d\r\n" % sum(map(len, pieces)),
            Framing.CLOSE: b"connection: close\r\n",
            Framing.HTTP_1_0: b"",
        }
        packing = b"content-encoding: gzip\r\n" if self.packed else b""
        yield b"HTTP/%s %s\r\n%s%s%s\r\n" % (version, self.status, self.head, packing, marks[self.framing])
        for piece in pieces:
            yield b"%x\r\n%s\r\n" % (len(piece), piece) if self.framing is Framing.CHUNKED else piece
        if self.framing is Framing.CHUNKED and not self.aborts:
            yield b"0\r\n\r\n"
        if self.behind:
            yield self.behind

    @property
    def keeps(self) -> bool:
        """Whether the connection is open after the answer."""
        return not (self.aborts or self.raw) and self.framing in {Framing.CHUNKED, Framing.LENGTH}


@asynccontextmanager
async def raw_upstream(replies: Mapping[str, Reply | Sequence[Reply]]) -> AsyncIterator[str]:
    """Serve `replies`; the first part of a request's path names one, or several for requests in turn.

    Yields the address.
    """
    turns = {name: iter(given) for name, given in replies.items() if not isinstance(given, Reply)}

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served = 0
        task = asyncio.current_task()
        serving.add(task)
        task.add_done_callback(serving.discard)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = (line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
                await reader.readexactly(int(next(lengths, b"0")))
                name = head.split(b" ", 2)[1].decode().split("/")[1]
                reply = next(turns[name]) if name in turns else replies[name]
                served += 1
                if served > reply.serves:
                    break
                for part in reply.parts():
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)  # so that most pieces are read one by one
                if reply.aborts:
                    writer.transport.abort()
                if not reply.keeps:
                    break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)


def _packed(pieces: tuple[bytes, ...]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    for piece in pieces:
        yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
