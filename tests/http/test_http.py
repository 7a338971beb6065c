"""The HTTP client of the hot path: answers in any framing and any pieces; connections kept, replaced, closed."""

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.http import ConnectFailed, NotHttp, Pool, ReadTimeout, TransportError
from usufruct.http.connection import HEAD_BYTES, Connection
from usufruct.http.errors import ConnectionCut

TEXT = b"To be, or not to be: that is the question." * 3
REQUEST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n"


def chunked(text: bytes, size: int = 7) -> bytes:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def framed(head: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body


LENGTH = framed(b"Content-Length: %d\r\n" % len(TEXT), TEXT)
CHUNKED = framed(b"Transfer-Encoding: chunked\r\n", chunked(TEXT))
PROVISIONAL = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + LENGTH
ZIPPED = gzip.compress(TEXT, mtime=0)
BOMB = gzip.compress(bytes(1 << 26), mtime=0)
WHOLE = {
    "content-length": LENGTH,
    "chunked": CHUNKED,
    "provisional first": PROVISIONAL,
    "gzip": framed(b"content-encoding: gzip\r\ncontent-length: %d\r\n" % len(ZIPPED), ZIPPED),
    "gzip, chunked": framed(b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n", chunked(ZIPPED, 5)),
    "deflate": framed(b"content-encoding: deflate\r\ntransfer-encoding: chunked\r\n", chunked(zlib.compress(TEXT))),
}
CLOSED = {
    "until the end": framed(b"", TEXT),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + TEXT,
    "connection: close": framed(b"connection: close\r\ncontent-length: %d\r\n" % len(TEXT), TEXT),
}


class Wire(asyncio.Transport):
    """A transport that notes what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = self.paused = False

    def write(self, data) -> None:
        self.sent += data

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@dataclass
class Line:
    """A connection on a `Wire`, with a request under way."""

    free: list[Connection] = field(default_factory=list)
    lost: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wire = Wire()
        self.connection = Connection(asyncio.get_running_loop(), self.free.append, self.lost.append)
        self.connection.connection_made(self.wire)
        self.head = self.connection.send(REQUEST)

    def feed(self, data: bytes, cuts: Sequence[int] = ()) -> None:
        start = 0
        for cut in [*sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]:
            if cut > start:
                self.connection.data_received(data[start:cut])
                start = cut

    async def body(self) -> bytes:
        return await (await self.head).read_all(1 << 30)


def in_loop(work):
    return asyncio.run(work())


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.integers(0, 600), max_size=12))
def test_an_answer_is_read_in_whatever_pieces_it_comes_and_its_connection_serves_on(name: str, cuts: list[int]):
    async def work() -> None:
        line = Line()
        line.feed(WHOLE[name], cuts)
        response = await line.head
        assert (response.status, await response.read_all(1 << 20)) == (200, TEXT)
        assert await response.read() == b""
        response.release()
        assert (line.free, line.wire.closed) == ([line.connection], False)

    in_loop(work)


@given(st.sampled_from(sorted(CLOSED)), st.lists(st.integers(0, 200), max_size=6))
def test_an_answer_may_end_with_its_connection(name: str, cuts: list[int]):
    async def work() -> None:
        line = Line()
        line.feed(CLOSED[name], cuts)
        line.connection.connection_lost(None)
        assert await line.body() == TEXT
        (await line.head).release()
        assert (line.free, line.lost) == ([], [line.connection])

    in_loop(work)


@given(st.sampled_from(sorted({**WHOLE, "cut": LENGTH})), st.integers(0, 10_000))
def test_an_answer_that_is_cut_anywhere_says_so(name: str, at: int):
    whole = {**WHOLE, "cut": LENGTH}[name]

    async def work() -> None:
        line = Line()
        line.feed(whole[: at % len(whole)])
        line.connection.connection_lost(None)
        with pytest.raises(ConnectionCut) as cut:
            await line.body()
        assert cut.value.unanswered == (at % len(whole) == 0)

    in_loop(work)


@given(st.binary(max_size=300))
def test_whatever_comes_is_an_answer_or_a_transport_error(garbage: bytes):
    async def work() -> None:
        line = Line()
        line.feed(garbage, range(0, 300, 11))
        line.connection.connection_lost(ConnectionResetError())
        with suppress(TransportError):
            await line.body()

    in_loop(work)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * HEAD_BYTES,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        framed(b"content-encoding: br\r\ncontent-length: 3\r\n", b"abc"),
        framed(b"content-encoding: gzip\r\ncontent-length: 3\r\n", b"abc"),
        framed(b"content-encoding: gzip\r\ncontent-length: 20\r\n", ZIPPED[:20]),
        framed(b"transfer-encoding: chunked\r\n", b"zz\r\n"),
        framed(b"content-encoding: gzip\r\ncontent-length: %d\r\n" % len(BOMB), BOMB),
        framed(b"content-encoding: gzip\r\ncontent-length: %d\r\n" % (len(ZIPPED) + 9), ZIPPED + b"more of it"[:9]),
    ],
)
async def test_what_is_no_answer_closes_the_connection(answer):
    line = Line()
    line.feed(answer)
    with pytest.raises(NotHttp):
        await line.body()
    if line.head.exception() is None:
        line.head.result().release()
    assert line.wire.closed


async def test_a_reader_who_is_slow_holds_the_server_up():
    line = Line()
    line.feed(framed(b"content-length: 3000000\r\n", b"x" * 1_000_000))
    response = await line.head
    assert line.wire.paused
    assert len(await response.read()) == 1_000_000
    assert not line.wire.paused


async def test_a_body_that_swells_in_many_small_chunks_is_refused_too():
    """Each chunk decodes to less than the bound; together, before anybody reads, they are far above it."""
    packed = gzip.compress(bytes(1 << 27), mtime=0)
    line = Line()
    tracemalloc.start()
    try:
        line.feed(framed(b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n", chunked(packed, 1 << 13)))
        assert tracemalloc.get_traced_memory()[1] < 3 << 24
    finally:
        tracemalloc.stop()
    with pytest.raises(NotHttp, match="swells"):
        await line.body()


async def test_a_body_that_is_read_as_it_comes_may_swell_as_a_whole():
    packed = gzip.compress(bytes(1 << 26), mtime=0)
    line = Line()
    line.feed(framed(b"content-encoding: gzip\r\ncontent-length: %d\r\n" % len(packed), b""))
    response, length = await line.head, 0
    for start in range(0, len(packed), 1 << 13):
        line.feed(packed[start : start + (1 << 13)])
        length += len(await response.read())
    assert (length, await response.read()) == (1 << 26, b"")


async def test_an_answer_that_nobody_read_to_its_end_costs_the_connection():
    line = Line()
    line.feed(LENGTH[:-5])
    (await line.head).release()
    assert (line.free, line.wire.closed) == ([], True)


async def test_trailers_are_no_headers_of_the_next_answer():
    line = Line()
    line.feed(CHUNKED[:-2] + b"content-encoding: gzip\r\nx-secret: theirs\r\n\r\n")
    assert await line.body() == TEXT
    (await line.head).release()
    line.head = line.connection.send(REQUEST)
    line.feed(LENGTH)
    assert await line.body() == TEXT
    assert (await line.head).headers == {"content-length": str(len(TEXT))}


async def test_bytes_that_nobody_asked_for_close_a_kept_connection():
    line = Line()
    line.feed(LENGTH)
    await line.body()
    (await line.head).release()
    line.connection.data_received(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert line.wire.closed


@asynccontextmanager
async def pool(serve, secure: ssl.SSLContext | None = None, **options) -> AsyncIterator[tuple[Pool, list[bytes]]]:
    """A pool of connections to a server that runs `serve(reader, writer)` for each."""
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=secure)
    url = f"http{'s' if secure else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    own = Pool(url, **{"connect_seconds": 5, "keep_alive_seconds": 60} | options)
    async with server:
        yield own, writers
        await own.close()
        for writer in writers:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def ask(own: Pool) -> bytes:
    response = await own.send(REQUEST, 5)
    try:
        return await response.read_all(1 << 20)
    finally:
        response.release()


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(CHUNKED)


async def test_a_connection_serves_many_requests_and_as_many_are_open_as_are_asked_at_once():
    async with pool(answers) as (own, writers):
        assert [await ask(own) for _ in range(5)] == [TEXT] * 5
        assert len(writers) == 1
        assert await asyncio.gather(*(ask(own) for _ in range(7))) == [TEXT] * 7
        assert len(writers) == 7


async def test_a_connection_that_was_idle_for_too_long_is_not_used_again():
    async with pool(answers, keep_alive_seconds=-1) as (own, writers):
        assert [await ask(own) for _ in range(3)] == [TEXT] * 3
        assert len(writers) == 3


async def test_a_head_that_does_not_come_is_given_up():
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with pool(silent) as (own, _):
        with pytest.raises(ReadTimeout):
            await own.send(REQUEST, 0.05)
        with pytest.raises(TimeoutError, match="all in all"):
            await own.send(REQUEST, 0.05, TimeoutError("all in all"))


async def test_a_caller_who_gives_up_closes_the_connection():
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        ended.set()

    async with pool(silent) as (own, writers):
        asking = asyncio.create_task(own.send(REQUEST, 60))
        while not writers:
            await asyncio.sleep(0)
        asking.cancel()
        async with asyncio.timeout(60):
            await ended.wait()


async def test_a_server_without_a_known_certificate_is_not_spoken_to(self_signed):
    async with pool(answers, secure=self_signed) as (own, _):
        with pytest.raises(ConnectFailed, match="certificate"):
            await own.send(REQUEST, 5)


async def test_an_address_where_nothing_listens_is_told():
    own = Pool("http://127.0.0.1:1", connect_seconds=5, keep_alive_seconds=5)
    with pytest.raises(ConnectFailed, match=r"refused|failed"):
        await own.send(REQUEST, 5)
    await own.close()
