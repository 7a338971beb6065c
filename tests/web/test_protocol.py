"""A head has an end, and comes in time; whoever keeps neither loses the connection, and nobody else does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import httpx
import pytest

from tests.support.waiting import PATIENCE, pass_loop_time
from usufruct.web import RawRoute, Router, Server, ServerLimits, listen

HEAD = b"GET /hello HTTP/1.1\r\nhost: here\r\n"


async def hello(exchange) -> None:
    await exchange.body(1 << 20)
    await exchange.answer_json({"hello": "you"})


async def early(exchange) -> None:
    await exchange.answer_json({}, status=413)


async def late(exchange) -> None:
    await asyncio.Event().wait()


LIMITS = ServerLimits(drain_seconds=1.0)
HANDLERS = {"/hello": hello, "/early": early, "/late": late}
APP = Router([RawRoute(method, path, handle) for path, handle in HANDLERS.items() for method in ("GET", "POST")])


@asynccontextmanager
async def served(**limits: float) -> AsyncIterator[int]:
    """Serve under the usual limits but those given; yields the port."""
    with listen("127.0.0.1", 0) as listening:
        server = Server(APP, replace(LIMITS, **limits))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listening.getsockname()[1]
        server.drain()
        await task


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served() as port:
        yield port


async def talk(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_usual_request_is_served_again_and_again(port):
    last = HEAD + b"connection: close\r\n\r\n"
    answer = await talk(port, HEAD + b"\r\n", last)
    assert answer.count(b"200 OK") == 2


async def test_a_long_body_is_no_long_head(port):
    body = b"x" * (4 * LIMITS.head_bytes)
    head = b"POST /hello HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
    assert b"200 OK" in await talk(port, head + body)
    assert b"200 OK" in await talk(port, head, body)


async def test_a_head_without_end_is_refused(port):
    flood = [b"x-%d: %s\r\n" % (number, b"y" * 1_000) for number in range(80)]
    assert b"431" in await talk(port, HEAD, *flood)
    assert b"200 OK" in await talk(port, HEAD + b"connection: close\r\n\r\n")


@pytest.mark.parametrize(("sent", "status"), [(HEAD + b"x: " + b"y" * 100_000, b"431"), (b"no HTTP\r\n\r\n", b"400")])
async def test_a_client_that_goes_on_sending_gets_its_refusal_all_the_same(port, sent, status):
    """Closing while bytes of its are unread would reset the connection, and take the answer from it."""
    for _ in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        with suppress(ConnectionError):
            for _ in range(5):
                await asyncio.sleep(0.002)
                writer.write(b"z" * 10_000)
                await writer.drain()
            assert status in await reader.read()
            writer.close()
            continue
        pytest.fail("the connection was reset")


async def test_what_follows_a_refusal_has_an_end():
    async with served(linger_seconds=0.1) as port:
        assert b"400" in await talk(port, b"no HTTP\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"no HTTP\r\n\r\n")
        assert b"400" in await reader.read()
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                while True:
                    writer.write(b"z")
                    await writer.drain()
                    await asyncio.sleep(0.01)


async def test_one_endless_header_is_refused(port):
    assert b"200 OK" not in await talk(port, HEAD + b"x: ", *[b"y" * 10_000] * 20)


async def test_who_sends_nothing_or_too_slowly_is_disconnected():
    async with served(head_seconds=0.2) as port:
        assert await talk(port) == b""
        assert await talk(port, HEAD) == b""


CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
LATE = b"POST /late HTTP/1.1\r\nhost: here\r\n"


async def dribble(port: int, first: bytes, piece: bytes, seconds: float = PATIENCE) -> bytes:
    """Send `piece` again and again until the server ends the connection; return its answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = bytearray()

    async def read() -> None:
        with suppress(ConnectionError):  # the server closed while we sent; what came before it counts
            while part := await reader.read(1 << 16):
                answers.extend(part)

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(seconds):
            writer.write(first)
            while not reading.done():
                with suppress(ConnectionError):
                    writer.write(piece)
                    await writer.drain()
                await asyncio.sleep(0.02)
        return bytes(answers)
    finally:
        reading.cancel()
        writer.transport.abort()


@pytest.mark.parametrize("first", [b"GET /hello HTTP/1.1\r\nhost: here\r\n", LATE])
async def test_trailers_are_refused_at_the_first(port, first):
    answer = await dribble(port, first + CHUNKED + b"0\r\n", b"x-a: b\r\n")
    assert answer.count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize("path", [b"/hello", b"/early"])
async def test_one_endless_trailer_is_refused(port, path):
    first = b"POST " + path + b" HTTP/1.1\r\nhost: here\r\n" + CHUNKED + b"0\r\nx: "
    assert b"200 OK" not in await dribble(port, first, b"y" * 20_000)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"0\r\nx: ", b"y"),
        (CHUNKED + b"0;", b"y"),
        (b"content-length: 1000000\r\n\r\n", b"x"),
    ],
)
async def test_what_follows_a_complete_answer_comes_in_time(begin, piece):
    async with served(linger_seconds=0.3) as port:
        answer = await dribble(port, b"POST /early HTTP/1.1\r\nhost: here\r\n" + begin, piece)
        assert answer.count(b" 413 ") == 1


async def test_what_follows_a_complete_answer_has_an_end():
    async with served(linger_bytes=1 << 20) as port:
        first = b"POST /early HTTP/1.1\r\nhost: here\r\n" + CHUNKED
        await dribble(port, first, b"10000\r\n" + b"x" * 65_536 + b"\r\n")


async def test_empty_lines_between_requests_hold_no_connection():
    async with served(head_seconds=2) as port:
        assert (await dribble(port, HEAD + b"\r\n", b"\r\n")).count(b"200 OK") == 1


async def test_a_refused_protocol_change_holds_no_connection():
    async with served(head_seconds=0.3) as port:
        await dribble(port, HEAD + b"connection: upgrade\r\nupgrade: h2c\r\n\r\n", b"x")


async def test_who_is_told_early_that_a_body_is_too_large_sees_it(port):
    async with httpx.AsyncClient(timeout=120) as client:
        for _ in range(3):
            answer = await client.post(f"http://127.0.0.1:{port}/early", content=b"x" * (12 << 20))
            assert answer.status_code == 413


async def test_a_connection_goes_on_after_an_early_answer():
    async with served(linger_seconds=30, keep_alive_seconds=300) as port:
        body = b"x" * 2_000_000
        first = b"POST /early HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(body)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first + body)
        assert b" 413 " in await reader.readuntil(b"}")
        await writer.drain()
        writer.write(HEAD + b"\r\n")
        assert b"200 OK" in await reader.readuntil(b"}")
        pass_loop_time(60)  # longer than is waited for what remains of a request: nothing does
        await asyncio.sleep(0)
        writer.write(HEAD + b"connection: close\r\n\r\n")
        assert b"200 OK" in await reader.read()
        writer.close()


async def test_a_body_sent_slowly_in_chunks_is_read(port):
    head = b"POST /hello HTTP/1.1\r\nhost: here\r\nconnection: close\r\n" + CHUNKED
    assert b"200 OK" in await talk(port, head, *[b"1\r\nx\r\n"] * 50, b"0\r\n\r\n")


async def test_the_next_head_is_not_charged_with_the_body_before_it(port):
    body = b"x" * (4 * LIMITS.head_bytes)
    first = b"POST /hello HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(body)
    answer = await talk(port, first + body + HEAD, b"connection: close\r\n\r\n")
    assert answer.count(b"200 OK") == 2


async def test_few_requests_wait_in_a_connection(port):
    many = (HEAD + b"\r\n") * 5_000
    assert (await talk(port, many)).count(b"200 OK") < 100
    some = [HEAD + b"\r\n"] * (LIMITS.pipelined - 1)
    assert (await talk(port, b"".join(some) + HEAD + b"connection: close\r\n\r\n")).count(b"200 OK") == len(some) + 1


async def test_what_is_no_http_is_answered_400(port):
    assert b"400 Bad Request" in await talk(port, b"nonsense\r\n\r\n")
    assert b"400 Bad Request" in await talk(port, b"GET http://[ HTTP/1.1\r\n\r\n")
    head = b"POST /hello HTTP/1.1\r\nhost: here\r\n" + CHUNKED
    assert b"400 Bad Request" in await talk(port, head, b"no number\r\n")
