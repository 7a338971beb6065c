"""Finding a model server on this machine."""

import asyncio

from tests.connectors.misbehaving import misbehaving_server
from usufruct.connectors import find_local_servers


async def test_only_what_answers_properly_is_found_and_quickly():
    async with misbehaving_server() as server:
        addresses = {"good": server.url(), "broken": server.url("error_500"), "nobody": "http://127.0.0.1:9/v1"}
        began = asyncio.get_running_loop().time()
        found = await find_local_servers(addresses)
        assert asyncio.get_running_loop().time() - began < 0.5
    assert [(s.name, s.url, [m.id for m in s.models]) for s in found] == [("good", addresses["good"], ["m"])]


async def test_a_silent_server_does_not_hold_us_up():
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with listener:
        began = asyncio.get_running_loop().time()
        assert await find_local_servers({"mute": f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"}) == ()
        assert asyncio.get_running_loop().time() - began < 0.9
