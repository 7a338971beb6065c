"""The server that every listener runs on: nothing it sends is held back, and an answer leaves in one send."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from usufruct.web import EVENT_STREAM, RawRoute, Router, Server, base_url, event_loop_factory, listen

LOOPS = {"asyncio": asyncio.SelectorEventLoop, "uvloop": event_loop_factory()}


@pytest.fixture(params=LOOPS)
def run(request):
    """Run a coroutine on an event loop of each kind."""

    def run_on(coroutine):
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            return runner.run(coroutine)

    return run_on


async def whole(exchange) -> None:
    await exchange.answer_json({"hello": "you"})


async def stream(exchange) -> None:
    await exchange.start(200, EVENT_STREAM)
    for number in range(3):
        await exchange.write(b"data: %d\n\n" % number)
        await asyncio.sleep(0)
    await exchange.write(b"data: [DONE]\n\n", more=False)


async def length(exchange) -> None:
    await exchange.answer_json(len(await exchange.body(1 << 10)))


async def only_head(exchange) -> None:
    await exchange.start(200, EVENT_STREAM)
    gone = asyncio.Event()
    exchange.when_disconnected(gone.set)
    await gone.wait()


async def forged(exchange) -> None:
    exchange.attach([(b"x-given", b"a\r\nx-forged: b")])
    await exchange.answer_json({})


ROUTES = {"/forged": forged, "/whole": whole, "/stream": stream, "/head": only_head, "/length": length}
APP = Router([RawRoute(method, path, handle) for path, handle in ROUTES.items() for method in ("GET", "POST")])


@asynccontextmanager
async def served(listening: socket.socket) -> AsyncIterator[Server]:
    server = Server(APP)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        server.drain()
        await serving
        listening.close()


def test_uvloop_is_the_event_loop_of_a_server_process():
    uvloop = pytest.importorskip("uvloop", reason="there is none for this system")
    loop = event_loop_factory()()
    loop.close()
    assert isinstance(loop, uvloop.Loop)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_accepted_connections_send_without_delay(run, host):
    async def accepted() -> list[int]:
        listening = listen(host, 0)
        async with served(listening) as server:
            reader, writer = await asyncio.open_connection(host, listening.getsockname()[1])
            writer.write(b"GET /whole HTTP/1.1\r\nhost: here\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"}")
            ends = [each.transport.get_extra_info("socket") for each in server.server_state.connections]
            found = [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in ends]
            writer.close()
        return found

    assert [bool(each) for each in run(accepted())] == [True]


def test_a_unix_socket_is_served_too(run, tmp_path):
    async def asked() -> bytes:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        async with served(listening):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "socket"))
            writer.write(b"GET /whole HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
        return answer

    assert run(asked()).endswith(b'{"hello":"you"}')


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_the_base_url_can_be_called(host, shown):
    with listen(host, 0) as listening:
        assert base_url(listening, host) == f"http://{shown}:{listening.getsockname()[1]}"


class RecordedTransport(asyncio.Transport):
    """A transport that takes everything at once, and keeps each send."""

    def __init__(self) -> None:
        super().__init__()
        self.sends: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sends.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def sends_of(path: bytes, *heads: bytes, close: bool = True) -> list[bytes]:
    """Return what is sent on a connection for requests, one element a send."""
    server, transport = Server(APP, lifespan="off"), RecordedTransport()
    server.config.load()
    state = server.server_state
    protocol = server.config.http_protocol_class(config=server.config, server_state=state, app_state={})
    protocol.connection_made(transport)
    for head in heads or [b""]:
        protocol.data_received(b"GET " + path + b" HTTP/1.1\r\nhost: here\r\n" + head + b"\r\n")
        if close:
            await asyncio.gather(*state.tasks)
    for _ in range(3):
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    return transport.sends


def test_a_whole_answer_leaves_in_one_send(run):
    sends = run(sends_of(b"/whole", b"", b"connection: close\r\n"))
    assert len(sends) == 2
    assert all(each.startswith(b"HTTP/1.1 200 OK\r\n") and each.endswith(b'{"hello":"you"}') for each in sends)


def test_an_error_leaves_in_one_send(run):
    (send,) = run(sends_of(b"/nowhere"))
    assert send.startswith(b"HTTP/1.1 404 ")
    assert b'"unknown_route"' in send


def test_a_stream_begins_with_its_first_event_in_one_send(run):
    first, *others = run(sends_of(b"/stream"))
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"data: 0\n\n" in first
    assert [each.count(b"data: ") for each in others] == [1, 1, 1]


def test_a_head_without_a_body_is_not_held_back(run):
    (send,) = run(sends_of(b"/head", close=False))
    assert send.startswith(b"HTTP/1.1 200 OK\r\n")
    assert send.endswith(b"\r\n\r\n")


def test_the_interim_answer_is_not_held_back(run):
    async def asked() -> list[bytes]:
        listening = listen("127.0.0.1", 0)
        async with served(listening):
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(b"POST /length HTTP/1.1\r\nhost: here\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
            interim = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            writer.write(b"{}")
            final = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            writer.close()
        return [interim, final]

    interim, final = run(asked())
    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert final.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_value_with_a_line_break_becomes_no_header_of_its_own(run):
    async def ask() -> bytes:
        listening = listen("127.0.0.1", 0)
        async with served(listening):
            reader, writer = await asyncio.open_connection(*listening.getsockname()[:2])
            writer.write(b"GET /forged HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
        return answer

    answer = run(ask())
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"x-forged" not in answer
