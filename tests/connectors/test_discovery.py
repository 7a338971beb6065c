"""Finding a model server on this machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.support.misbehaving_upstream import misbehaving_server
from usufruct.connectors.openai import find_local_servers
from usufruct.connectors.openai.discovery import QUICK

PATIENT = replace(QUICK, connect=10, total=20)
"""For a machine that is busy with other tests: nothing here ends by these limits."""
MODELS = b'{"object":"list","data":[{"id":"m","object":"model","owned_by":"x"}]}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(MODELS) + MODELS


@asynccontextmanager
async def listening(answer: Callable[[], Awaitable[bytes]]) -> AsyncIterator[str]:
    """A server that answers each connection's request when `answer` returns; its base URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(await answer())
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def test_only_what_answers_properly_is_found():
    async with misbehaving_server() as server:
        addresses = {"good": server.url(), "broken": server.url("error_500"), "nobody": "http://127.0.0.1:9/v1"}
        found = await find_local_servers(addresses, PATIENT)
    assert [(s.name, s.url, [m.id for m in s.models]) for s in found] == [("good", addresses["good"], ["m"])]


async def test_all_are_asked_at_once():
    """Each server answers when both were asked."""
    both = asyncio.Barrier(2)

    async def when_both_were_asked() -> bytes:
        await both.wait()
        return ANSWER

    async with listening(when_both_were_asked) as first, listening(when_both_were_asked) as second:
        found = await find_local_servers({"first": first, "second": second}, PATIENT)
    assert [server.name for server in found] == ["first", "second"]


async def test_a_silent_server_is_left_out_when_its_time_is_over():
    async def nothing() -> bytes:
        return b""

    async with listening(nothing) as mute:
        assert await find_local_servers({"mute": mute}, replace(PATIENT, total=0.2)) == ()


def test_a_person_waits_for_under_half_a_second():
    assert max(QUICK.connect, QUICK.total) < 0.5
