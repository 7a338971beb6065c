"""A server that closes a kept-alive connection: the request goes out once more if nothing of an answer had come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import orjson
import pytest

from usufruct.connectors.openai import UpstreamClient, UpstreamCut

ASK = {"model": "m", "messages": []}
BODY = orjson.dumps({"choices": [{"message": {"content": "To be"}, "finish_reason": "stop"}]})
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
EVENTS = b'data: {"choices":[{"delta":{"content":"To be"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
STREAM = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(EVENTS), EVENTS)


@dataclass
class Server:
    """Answers requests by what `answers` holds, in turn; None aborts, and so ends the connection, b"" closes it."""

    answers: list[bytes | None]
    url: str = ""
    served: list[int] = field(default_factory=list)  # for each request, the connection it came on
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        number = self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")), 0)
                await reader.readexactly(length)
                self.served.append(number)
                answer = self.answers[len(self.served) - 1]
                if answer is None:
                    writer.transport.abort()
                    return
                writer.write(answer)
                if answer not in (WHOLE, STREAM):
                    writer.close()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def serving(*answers: bytes | None) -> AsyncIterator[tuple[Server, UpstreamClient]]:
    server = Server(list(answers))
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener, UpstreamClient(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}") as upstream:
        yield server, upstream
    for writer in server.writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def ask(upstream: UpstreamClient, *, stream: bool) -> str:
    if not stream:
        return (await upstream.chat(ASK)).text
    async with upstream.chat_stream(ASK) as answer:
        return "".join([batch.text async for batch in answer])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("drop", [b"", None])
async def test_a_kept_connection_that_was_closed_is_replaced_once(drop, stream):
    good = STREAM if stream else WHOLE
    async with serving(good, drop, good, good) as (server, upstream):
        assert [await ask(upstream, stream=stream) for _ in range(2)] == ["To be"] * 2
        assert server.served == [1, 1, 2]
        assert await ask(upstream, stream=stream) == "To be"
        assert server.served[-1] == 2, "the connection of the second try serves on"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("drop", [b"", None])
async def test_the_second_try_is_the_last(drop, stream):
    async with serving(STREAM if stream else WHOLE, drop, drop) as (server, upstream):
        await ask(upstream, stream=stream)
        with pytest.raises(UpstreamCut):
            await ask(upstream, stream=stream)
    assert server.served == [1, 1, 2]


@pytest.mark.parametrize("drop", [b"", None])
async def test_a_new_connection_that_is_closed_is_not_replaced(drop):
    async with serving(drop) as (server, upstream):
        with pytest.raises(UpstreamCut):
            await ask(upstream, stream=False)
    assert server.served == [1]


@pytest.mark.parametrize(
    "begun",
    [b"HTTP/1.1 200 O", STREAM[: -len(EVENTS)], STREAM[: -len(EVENTS) + 9], WHOLE[:-5]],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_has_begun_is_not_asked_for_again(begun, stream):
    async with serving(STREAM if stream else WHOLE, begun) as (server, upstream):
        await ask(upstream, stream=stream)
        with pytest.raises(UpstreamCut):
            await ask(upstream, stream=stream)
    assert server.served == [1, 1]
