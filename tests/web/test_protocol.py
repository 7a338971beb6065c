"""A head has an end, and comes in time; whoever keeps neither loses the connection, and nobody else does."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from usufruct.web import GuardedProtocol, Route, Router
from usufruct.web import protocol as guarded

HEAD = b"GET /hello HTTP/1.1\r\nhost: here\r\n"


async def hello(exchange) -> None:
    await exchange.body(1 << 20)
    await exchange.answer_json({"hello": "you"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    app = Router([Route("GET", "/hello", hello), Route("POST", "/hello", hello)])
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="on", http=GuardedProtocol)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    await task
    listening.close()


async def talk(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(5):
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
    body = b"x" * (4 * guarded.HEAD_BYTES)
    head = b"POST /hello HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
    assert b"200 OK" in await talk(port, head + body)
    assert b"200 OK" in await talk(port, head, body)


async def test_a_head_without_end_is_refused(port):
    flood = [b"x-%d: %s\r\n" % (number, b"y" * 1_000) for number in range(80)]
    assert b"431" in await talk(port, HEAD, *flood)
    assert b"200 OK" in await talk(port, HEAD + b"connection: close\r\n\r\n")


async def test_one_endless_header_is_refused(port):
    assert b"200 OK" not in await talk(port, HEAD + b"x: ", *[b"y" * 10_000] * 20)


async def test_who_sends_nothing_or_too_slowly_is_disconnected(port, monkeypatch):
    monkeypatch.setattr(guarded, "HEAD_SECONDS", 0.2)
    assert await talk(port) == b""
    assert await talk(port, HEAD) == b""
