"""Connections stay open between calls, and a server that stops cuts none that is in use."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.support.waiting import pass_loop_time
from usufruct.web import EVENT_STREAM, Health, RawRoute, Router, Server, ServerLimits, listen

HEAD = b"GET /whole HTTP/1.1\r\nhost: here\r\n"
PATIENCE = 60


@dataclass
class Served:
    """A server, the port it listens on, and what its handlers wait for."""

    server: Server
    health: Health
    port: int
    serving: "asyncio.Task[None]"
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def open(self, *sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(b"".join(sent))
        return reader, writer

    async def caught_up(self) -> None:
        """Wait until the server has read what was sent before this."""
        reader, _ = await self.open(HEAD, b"\r\n")
        await answer_of(reader)

    async def ended(self) -> None:
        """Wait for the server's end."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self.serving)


@asynccontextmanager
async def served(**limits: float) -> AsyncIterator[Served]:
    async def whole(exchange) -> None:
        await exchange.answer_json({"path": exchange.path})

    async def slow(exchange) -> None:
        world.begun.release()
        await world.go_on.wait()
        await exchange.answer_json({"path": exchange.path})

    async def stream(exchange) -> None:
        await exchange.start(200, EVENT_STREAM)
        await exchange.write(b"data: 1\n\n")
        world.begun.release()
        await world.go_on.wait()
        await exchange.write(b"data: 2\n\n", more=False)

    routes = [RawRoute("GET", f"/{each.__name__}", each) for each in (whole, slow, stream)]
    health = Health({})
    with listen("127.0.0.1", 0) as listening:
        server = Server(Router([*routes, *health.routes]), ServerLimits(**limits))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        world = Served(server, health, listening.getsockname()[1], serving)
        try:
            yield world
        finally:
            world.go_on.set()
            server.cut()
            await serving
            for writer in world.writers:
                writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await reader.read()


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    """Read one answer, whose body is a short JSON object."""
    async with asyncio.timeout(PATIENCE):
        return await reader.readuntil(b"}")


def test_a_connection_is_kept_longer_than_common_clients_keep_theirs():
    assert ServerLimits().keep_alive_seconds > 15


async def test_an_idle_connection_outlives_the_time_for_a_head():
    async with served(head_seconds=20, keep_alive_seconds=600) as world:
        reader, writer = await world.open(HEAD, b"\r\n")
        await answer_of(reader)
        pass_loop_time(60)
        await world.caught_up()
        writer.write(HEAD + b"\r\n")
        assert b"200 OK" in await answer_of(reader)


async def test_an_idle_connection_ends_after_its_time():
    async with served(keep_alive_seconds=0.2) as world:
        reader, _ = await world.open(HEAD, b"\r\n")
        await answer_of(reader)
        assert await rest_of(reader) == b""


async def test_a_half_sent_head_on_a_kept_connection_ends_after_its_own_time():
    async with served(head_seconds=0.2, keep_alive_seconds=600) as world:
        reader, writer = await world.open(HEAD, b"\r\n")
        await answer_of(reader)
        writer.write(HEAD)
        assert await rest_of(reader) == b""


async def test_idle_connections_make_room_for_new_ones():
    async with served(connections=8) as world:
        idle = []
        for _ in range(6):
            idle.append(await world.open(HEAD, b"\r\n"))
            await answer_of(idle[-1][0])
        busy = await world.open(HEAD, b"\r\n")
        assert b"200 OK" in await answer_of(busy[0])
        assert await rest_of(idle[0][0]) == b""
        idle[1][1].write(HEAD + b"\r\n")
        assert b"200 OK" in await answer_of(idle[1][0])


async def test_running_requests_finish_and_new_ones_are_refused():
    async with served() as world:
        streaming, _ = await world.open(b"GET /stream HTTP/1.1\r\nhost: here\r\n\r\n")
        waiting, _ = await world.open(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n")
        idle, _ = await world.open(HEAD, b"\r\n")
        await answer_of(idle)
        for _ in range(2):
            await world.begun.acquire()
        world.server.drain()
        assert await rest_of(idle) == b""
        with pytest.raises(ConnectionRefusedError):
            await world.open()
        assert not world.serving.done()
        world.go_on.set()
        assert (await rest_of(streaming)).endswith(b"data: 2\n\n\r\n0\r\n\r\n")
        answer = await rest_of(waiting)
        assert b"connection: close\r\n" in answer
        assert answer.endswith(b'{"path":"/slow"}')
        await world.ended()


async def test_requests_that_were_sent_before_are_served():
    """Those read already, those queued behind another, those in the kernel still, and a head half sent."""
    async with served() as world:
        kept, writer = await world.open(HEAD, b"\r\n")
        await answer_of(kept)
        slow = b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n"
        piped, _ = await world.open(slow, slow, HEAD, b"\r\n")
        half, half_writer = await world.open(HEAD)
        new, new_writer = await world.open()
        await world.begun.acquire()
        writer.write(HEAD + b"\r\n")
        world.server.drain()
        assert b"connection: close\r\n" in await rest_of(kept)
        half_writer.write(b"\r\n")
        new_writer.write(HEAD + b"\r\n")
        for each in (half, new):
            assert b"connection: close\r\n" in await rest_of(each)
        world.go_on.set()
        answers = await rest_of(piped)
        assert answers.count(b"200 OK") == 3
        assert answers.count(b"connection: close\r\n") == 1
        assert answers.index(b"connection: close") > answers.rindex(b"200 OK")
        await world.ended()


async def test_a_request_queued_while_draining_is_served_too():
    async with served() as world:
        reader, writer = await world.open(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n")
        half, half_writer = await world.open(HEAD)
        await world.begun.acquire()
        await world.caught_up()
        world.server.drain()
        writer.write(HEAD + b"\r\n")
        half_writer.write(b"\r\n")
        await rest_of(half)  # by then the other request was read as well
        world.go_on.set()
        answers = await rest_of(reader)
        assert answers.count(b"200 OK") == 2
        assert answers.count(b"connection: close\r\n") == 1


async def test_a_connection_that_sends_nothing_does_not_hold_the_shutdown():
    async with served(drain_seconds=600) as world:
        reader, _ = await world.open()
        half, _ = await world.open(HEAD)
        await world.caught_up()
        world.server.drain()
        assert await rest_of(reader) == b""
        assert await rest_of(half) == b""
        await world.ended()


async def test_before_it_drains_a_server_is_unready_and_still_takes_calls_for_the_lead_time():
    async with served(lead_seconds=600) as world:
        world.health.leave()
        world.server.drain()
        ready, _ = await world.open(b"GET /readyz HTTP/1.1\r\nhost: here\r\n\r\n")
        answer = await rest_of(ready)
        assert answer.startswith(b"HTTP/1.1 503 ")
        called, _ = await world.open(HEAD, b"\r\n")
        answer = await rest_of(called)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close\r\n" in answer
        world.server.cut()
        await world.ended()


@pytest.mark.parametrize("forced", [False, True])
async def test_what_still_runs_after_the_bound_is_cut_and_told_so(forced):
    async with served(drain_seconds=600 if forced else 0.2) as world:
        waiting, _ = await world.open(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n")
        streaming, _ = await world.open(b"GET /stream HTTP/1.1\r\nhost: here\r\n\r\n")
        for _ in range(2):
            await world.begun.acquire()
        world.server.drain()
        if forced:
            world.server.cut()
        answer = await rest_of(waiting)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"shutting_down"' in answer
        assert b"retry-after: 1\r\n" in answer
        assert not (await rest_of(streaming)).endswith(b"0\r\n\r\n")
        await world.ended()
