"""The client against servers that behave, misbehave or are not there."""

import asyncio
import gc
import socket
from dataclasses import replace

import pytest

from tests.support.misbehaving_upstream import BEFORE_TROUBLE, WORDS, MisbehavingServer, misbehaving_server
from tests.support.waiting import pass_loop_time
from usufruct.connectors.openai import (
    Batch,
    Limits,
    UpstreamBusy,
    UpstreamClient,
    UpstreamCut,
    UpstreamDenied,
    UpstreamDown,
    UpstreamMalformed,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
    Usage,
    UsageFault,
)
from usufruct.connectors.openai.errors import InvalidUpstream, UpstreamFailed
from usufruct.core import UsufructError

KEY = "hunter2-of-the-operator"
HASTY = Limits(connect=60, first_byte=60, idle=60, total=1)
PATIENT = Limits(connect=60, first_byte=60, idle=60, total=120)
ASK = {"model": "m", "messages": [{"role": "user", "content": "what is the question"}]}
FAULTS = [
    ("cut", UpstreamCut),
    ("malformed", UpstreamMalformed),
    ("error_event", UpstreamFailed),
    ("huge_event", UpstreamOversized),
    ("error_500", UpstreamFailed),
    ("error_429", UpstreamBusy),
    ("rejected", UpstreamRejected),
    ("denied", UpstreamDenied),
    ("redirects", UpstreamFailed),
]


@pytest.fixture
async def server():
    async with misbehaving_server() as running:
        yield running


async def stream(
    server: MisbehavingServer, mode: str, limits: Limits = PATIENT, **more: object
) -> tuple[list[Batch], Usage | UsageFault | None, UsufructError | None]:
    """Return the batches that came, the usage reported, and the fault that ended them."""
    batches: list[Batch] = []
    async with UpstreamClient(server.url(mode), KEY, limits) as upstream:
        try:
            async with upstream.chat_stream({**ASK, **more}) as answer:
                async for batch in answer:
                    batches.append(batch)
        except UsufructError as fault:
            return batches, None, fault
    return batches, answer.report, None


def text(batches: list[Batch]) -> str:
    return "".join(batch.text for batch in batches)


def events(batches: list[Batch]) -> int:
    return sum(batch.data.count(b"\n\n") for batch in batches)


async def test_a_whole_answer(server):
    async with UpstreamClient(server.url(), KEY) as upstream:
        answer = await upstream.chat({**ASK, "stream": True, "stream_options": {}})
    assert answer.usage == Usage(4, len(WORDS))
    assert answer.text == "".join(WORDS)
    assert answer.content["model"] == "m"
    assert server.requests == [ASK]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


async def test_a_streamed_answer_with_its_usage(server):
    batches, usage, fault = await stream(server, "ok", stream_options={"include_usage": False, "other": 1})
    assert fault is None
    assert text(batches) == "".join(WORDS)
    assert usage == Usage(4, len(WORDS))
    assert events(batches) == len(WORDS) + 1
    assert server.requests[0]["stream"] is True
    assert server.requests[0]["stream_options"] == {"include_usage": True}


async def test_events_come_before_the_answer_has_ended(server):
    async with UpstreamClient(server.url("stalls"), limits=PATIENT) as upstream, upstream.chat_stream(ASK) as answer:
        first = ""
        while len(first) < len("".join(WORDS[:BEFORE_TROUBLE])):
            first += (await answer.read()).text
        assert first == "".join(WORDS[:BEFORE_TROUBLE])


async def test_leaving_early_hangs_up(server):
    async with UpstreamClient(server.url("never_ends"), limits=PATIENT) as upstream:
        async with upstream.chat_stream(ASK) as answer:
            async for batch in answer:
                if " more" in batch.text:
                    break
        async with asyncio.timeout(60):
            await server.hung_up.wait()


async def test_a_stream_that_never_ends_meets_the_total_limit(server):
    batches, _, fault = await stream(server, "never_ends", HASTY)
    assert isinstance(fault, UpstreamSlow)
    assert fault.details["phase"] == "total"
    assert events(batches) > BEFORE_TROUBLE


@pytest.mark.parametrize(
    ("mode", "phase", "seconds", "before"), [("slow_first_byte", "first_byte", 0.5, 0), ("stalls", "idle", 2, 3)]
)
async def test_a_slow_stream_is_told_by_its_phase(server, mode, phase, seconds, before):
    batches, _, fault = await stream(server, mode, replace(PATIENT, **{phase: seconds}))
    assert isinstance(fault, UpstreamSlow)
    assert fault.details == {"url": server.url(mode), "phase": phase, "limit": f"{seconds:g}"}
    assert events(batches) == before


async def test_idle_may_be_longer_than_first_byte_and_shorter(server):
    for first_byte, idle in ((2, 3), (60, 1)):
        limits = Limits(connect=60, first_byte=first_byte, idle=idle, total=120)
        clock = asyncio.get_running_loop()
        began = clock.time()
        _, _, fault = await stream(server, "stalls", limits)
        assert isinstance(fault, UpstreamSlow)
        assert (fault.details["phase"], fault.details["limit"]) == ("idle", f"{idle}")
        assert clock.time() - began > 0.95 * idle


async def test_a_reader_that_takes_its_time_is_not_an_idle_upstream(server):
    async with (
        UpstreamClient(server.url("never_ends"), limits=Limits(first_byte=60, idle=60, total=3600)) as upstream,
        upstream.chat_stream(ASK) as answer,
    ):
        for _ in range(3):
            pass_loop_time(61)
            await asyncio.sleep(0)
            assert (await answer.read()).data


async def test_a_slow_whole_answer_meets_the_total_limit(server):
    async with UpstreamClient(server.url("slow_first_byte"), limits=HASTY) as upstream:
        with pytest.raises(UpstreamSlow) as caught:
            await upstream.chat(ASK)
    assert caught.value.details["phase"] == "total"


@pytest.mark.parametrize(("mode", "expected"), FAULTS)
async def test_faults_of_streams_have_their_own_error_and_keep_the_key_secret(server, mode, expected):
    batches, _, fault = await stream(server, mode)
    assert type(fault) is expected
    assert text(batches) == ("" if fault.details.get("upstream_status") else "".join(WORDS[:BEFORE_TROUBLE]))
    assert KEY not in repr(fault) + str(fault.details)
    assert len(fault.message) < 450


@pytest.mark.parametrize(("mode", "expected"), FAULTS)
async def test_faults_of_whole_answers_are_the_same(server, mode, expected):
    async with UpstreamClient(server.url(mode), KEY, Limits(answer_bytes=1 << 16)) as upstream:
        with pytest.raises(expected) as caught:
            await upstream.chat(ASK)
    assert KEY not in repr(caught.value) + str(caught.value.details)


async def test_a_status_is_told_with_what_to_do(server):
    async with UpstreamClient(server.url("error_429"), KEY) as upstream:
        with pytest.raises(UpstreamBusy) as caught:
            await upstream.models()
    assert caught.value.details == {"upstream_status": 429, "retry_after": "7"}
    assert caught.value.message.endswith("wait and try again")


@pytest.mark.parametrize(
    ("mode", "usage"),
    [
        ("usage_high", Usage(40, 120)),
        ("usage_low", Usage(1, 1)),
        ("usage_zero", UsageFault.INVALID),
        ("usage_missing", UsageFault.ABSENT),
        ("usage_invalid", UsageFault.INVALID),
    ],
)
async def test_lies_about_usage_are_passed_on_for_judgement(server, mode, usage):
    async with UpstreamClient(server.url(mode)) as upstream:
        assert (await upstream.chat(ASK)).usage == usage
    _, reported, fault = await stream(server, mode)
    assert fault is None
    assert reported == (None if usage is UsageFault.ABSENT else usage)


async def test_a_stream_without_done_was_cut(server):
    batches, _, fault = await stream(server, "no_done")
    assert isinstance(fault, UpstreamCut)
    assert events(batches) == BEFORE_TROUBLE


async def test_an_answer_that_is_no_stream_is_malformed(server):
    batches, _, fault = await stream(server, "not_a_stream")
    assert isinstance(fault, UpstreamMalformed)
    assert "application/json" in fault.message
    assert batches == []


@pytest.mark.parametrize(("mode", "words"), [("ok", 2), ("ignores_max_tokens", len(WORDS))])
async def test_max_tokens_reaches_the_upstream(server, mode, words):
    batches, _, _ = await stream(server, mode, max_tokens=2)
    assert text(batches) == "".join(WORDS[:words])


async def test_embeddings_and_models(server):
    async with UpstreamClient(server.url()) as upstream:
        answer = await upstream.embeddings({"model": "m", "input": "two words"})
        assert answer.usage == Usage(2, 0)
        assert answer.content["data"][0]["embedding"] == [0.6, 0.8]
        assert [(m.id, m.owner, m.context_window) for m in await upstream.models()] == [("m", "tests", 4096)]
        assert await upstream.tokenizer() is None


@pytest.mark.parametrize("mode", ["ok", "late_end"])
async def test_one_connection_serves_call_after_call(server, mode):
    async with UpstreamClient(server.url(mode)) as upstream:
        for _ in range(3):
            await upstream.chat(ASK)
            async with upstream.chat_stream(ASK) as answer:
                assert [batch async for batch in answer]
    assert len(server.connections) == 1


def sockets_to(port: int) -> list[socket.socket]:
    """Return this process's open connections to a port on this machine."""
    open_ones = [each for each in gc.get_objects() if isinstance(each, socket.socket) and each.fileno() >= 0]
    return [each for each in open_ones if each.family == socket.AF_INET and is_connected(each, port)]


def is_connected(connection: socket.socket, port: int) -> bool:
    try:
        return connection.getpeername()[1] == port
    except OSError:
        return False


async def test_a_request_is_not_held_back(server):
    """Nagle's algorithm would keep a request's second part until the upstream acknowledged the first."""
    async with UpstreamClient(server.url()) as upstream:
        await upstream.chat(ASK)
        (connection,) = sockets_to(int(server.root.rpartition(":")[2]))
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_errors_of_the_caller_are_not_taken_for_the_upstreams(server):
    async with UpstreamClient(server.url()) as upstream:
        with pytest.raises(ConnectionResetError, match="my client"):
            async with upstream.chat_stream(ASK):
                raise ConnectionResetError("my client went away")


async def test_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    async with UpstreamClient(url, KEY) as upstream:
        with pytest.raises(UpstreamDown, match="check that the server runs"):
            await upstream.chat(ASK)
        with pytest.raises(UpstreamDown):
            async with upstream.chat_stream(ASK):
                pytest.fail("there is nothing to read")


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.9\r\n"])
async def test_something_else_listens(greeting):
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read(10)
        writer.close()
        await writer.wait_closed()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener, UpstreamClient(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}") as upstream:
        with pytest.raises(UpstreamMalformed if greeting else UpstreamCut):
            await upstream.models()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host",
        "host:80",
        "http://",
        "http://user:secret-word@host",
        "http://host?key=secret-word",
        "http://h:x",
    ],
)
def test_addresses_that_cannot_be_used(url):
    with pytest.raises(InvalidUpstream) as caught:
        UpstreamClient(url)
    assert "secret-word" not in caught.value.message


def test_the_key_stays_secret():
    upstream = UpstreamClient("https://host:8443/", KEY)
    assert repr(upstream) == "UpstreamClient('https://host:8443/v1')"
    with pytest.raises(InvalidUpstream) as caught:
        UpstreamClient("http://host", f"{KEY}\r\nX-Evil: 1")
    assert KEY not in caught.value.message
