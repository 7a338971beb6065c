"""Callers who hang up, servers that shut down, and processes that are killed."""

import asyncio
import contextlib
import itertools
import signal
import sys
from dataclasses import replace

import httpx
import openai
import orjson
import pytest
from openai import AsyncOpenAI
from sqlalchemy import text as sql

from tests.support import gateway_server
from tests.support.waiting import until
from usufruct.chain.anvil import free_port
from usufruct.chain.keys import KeySigner
from usufruct.core import hash32_from_bytes
from usufruct.gateway import CallLimits, Endpoint

LIMITS = CallLimits()
ASK = [{"role": "user", "content": "What is the question?"}]
PART_OF_INPUT = 21 // 8  # bytes; of an upstream that never said how it counts
NUMBERS = itertools.count()


@contextlib.asynccontextmanager
async def halting_upstream(*, words, halt):
    """A server that says one word after another, and after `halt` of them waits.

    Yields its base URL, the words it has said, and the event it waits for.
    """
    said, go_on = [], asyncio.Event()

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length"))
        await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(words):
                if number == halt:
                    await go_on.wait()
                chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": f"word{number:02} "}}]}
                writer.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
                await writer.drain()
                said.append(number)
            usage = {"prompt_tokens": 4, "completion_tokens": words, "total_tokens": words + 4}
            writer.write(b"data: " + orjson.dumps({"choices": [], "usage": usage}) + b"\n\ndata: [DONE]\n\n")
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", said, go_on
    finally:
        go_on.set()
        server.close()


async def read_and_hang_up(url, text, events):
    """Read some events of a stream over a bare socket, then close it without a word; return what was read."""
    body = orjson.dumps({"model": "hamlet", "messages": ASK, "stream": True})
    host, port = url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {text}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    read = b""
    while read.count(b"data: ") < events:
        read += await reader.read(1000)
    writer.transport.abort()
    return read


@pytest.mark.parametrize(("drained", "drain_seconds"), [(True, 60.0), (False, 0.1)])
async def test_a_caller_who_hangs_up_pays_for_what_they_got(world, drained):
    words = 20
    async with halting_upstream(words=words, halt=4) as (url, said, go_on):
        await world.asset("hamlet", url)
        key = await world.key()
        read = await read_and_hang_up(world.url, key.text, 4)
        if drained:
            await until(lambda: not world.server.server_state.connections)
            go_on.set()
        await world.quiet(key)
        assert len(said) == (words if drained else 4)
    assert read.count(b"data: ") == 4
    call = (await world.bills(key))[0]
    delivered = call.bill.usage.output_tokens
    assert not call.bill.flagged
    if drained:  # the upstream said what the whole is: the delivered share of it
        assert (call.bill.usage.input_tokens, call.bill.counted_by, delivered) == (4, "share", 4)
    else:  # nothing is known of this upstream yet
        assert (call.bill.usage.input_tokens, call.bill.counted_by) == (PART_OF_INPUT, "estimate")
        assert delivered == 7 * 4 // 8
    assert call.bill.charge == call.bill.usage.input_tokens + 3 * delivered + 5


@pytest.mark.parametrize("drain_seconds", [0.1])
async def test_hanging_up_on_the_first_piece_is_not_free(world):
    """The last piece once was: with one token asked for at a time, whole answers cost nothing."""
    async with halting_upstream(words=400, halt=1) as (url, _, _):
        await world.asset("hamlet", url)
        key = await world.key()
        for _ in range(3):
            await read_and_hang_up(world.url, key.text, 1)
            await world.quiet(key)
    bills = await world.bills(key)
    assert len(bills) == 3
    for call in bills:
        assert call.bill.usage.input_tokens == PART_OF_INPUT
        assert call.bill.usage.output_tokens >= 1
        assert call.bill.charge >= PART_OF_INPUT + 3 + 5


async def test_a_request_no_window_could_hold_is_refused_before_it_is_counted(world, upstream):
    await world.asset("hamlet", upstream.url("ok"))
    key = await world.key()
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as plain:
        body = {"model": "hamlet", "messages": [{"role": "user", "content": "a" * (1 << 14)}] * 64}
        refused = await plain.post(f"{world.url}/chat/completions", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "over_context"
    assert await world.bills(key) == []
    assert upstream.requests == []


async def test_a_caller_who_hangs_up_before_any_output_pays_nothing(world, upstream):
    await world.asset("hamlet", upstream.url("slow_first_byte"))
    key = await world.key()
    for stream in (True, False):
        await hang_up(world, upstream, key, stream=stream)
    assert await world.bills(key) == []


async def hang_up(world, upstream, key, *, stream: bool = False) -> None:
    """Ask, and leave when the upstream has the question and before there is any answer."""
    question = [{"role": "user", "content": f"What is question {next(NUMBERS)}?"}]
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=600) as plain:
        body = {"model": "hamlet", "messages": question, "stream": stream}
        asking = asyncio.create_task(plain.post(f"{world.url}/chat/completions", json=body))
        await until(lambda: any(each["messages"] == question for each in upstream.requests))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await world.quiet(key)


async def test_who_hangs_up_on_whole_answers_is_given_streams_only(world, upstream, client_of):
    """Else everybody could have the operator pay for answers that nobody pays for."""
    await world.asset("hamlet", upstream.url("slow_first_byte"))
    await world.asset("words", upstream.url("ok"))
    await world.asset("vectors", upstream.url("ok"), endpoint=Endpoint.EMBEDDINGS)
    key, payer, friend = await world.key(), KeySigner(bytes(31) + b"\x05"), await world.key()
    other = await world.key(payer=payer)
    await asyncio.gather(*(hang_up(world, upstream, key) for _ in range(LIMITS.abandoned_most - 1)))
    ask = {"model": "words", "messages": ASK}
    assert (await client_of(key.text).chat.completions.create(**ask)).usage.cost
    await hang_up(world, upstream, key)
    for text in (key.text, friend.text):  # the same payer's
        with pytest.raises(openai.RateLimitError, match="stream: true") as caught:
            await client_of(text, max_retries=2).chat.completions.create(**ask)
        assert caught.value.code == "abandoned_answers"
        assert 0 < int(caught.value.body["details"]["retry_after"]) <= 600
        with pytest.raises(openai.RateLimitError, match="ask again"):
            await client_of(text).embeddings.create(model="vectors", input="text")
    assert [chunk async for chunk in await client_of(key.text).chat.completions.create(**ask, stream=True)]
    assert (await client_of(other.text).chat.completions.create(**ask)).usage.cost
    world.clock.ahead = LIMITS.abandoned_seconds
    assert (await client_of(key.text).chat.completions.create(**ask)).usage.cost


async def test_who_leaves_streams_before_their_first_text_is_given_no_more(world, upstream, client_of):
    """Else everybody could have long prompts read at the operator's cost, and nobody would ever pay."""
    await world.asset("hamlet", upstream.url("slow_first_byte"))
    await world.asset("words", upstream.url("ok"))
    key, other = await world.key(), await world.key(payer=KeySigner(bytes(31) + b"\x05"))
    await asyncio.gather(*(hang_up(world, upstream, key, stream=True) for _ in range(LIMITS.abandoned_most - 1)))
    ask = {"model": "words", "messages": ASK}
    assert [chunk async for chunk in await client_of(key.text).chat.completions.create(**ask, stream=True)]
    await hang_up(world, upstream, key, stream=True)
    for stream in (True, False):
        with pytest.raises(openai.RateLimitError, match="ask again") as caught:
            await client_of(key.text).chat.completions.create(**ask, stream=stream)
        assert caught.value.code == "abandoned_answers"
        assert ("stream: true" in caught.value.message) is False
        assert 0 < int(caught.value.body["details"]["retry_after"]) <= 600
    assert [chunk async for chunk in await client_of(other.text).chat.completions.create(**ask, stream=True)]
    assert [call.bill.charge for call in await world.bills(key)] == [4 + 12 * 3 + 5]
    assert (await world.channel(key)).reserved == 0
    world.clock.ahead = LIMITS.abandoned_seconds
    assert [chunk async for chunk in await client_of(key.text).chat.completions.create(**ask, stream=True)]


@pytest.mark.parametrize("fault", ["upstream_slow", "upstream_oversized"])
async def test_whole_answers_over_our_own_limits_count_as_hung_up_on(gateway_module, gateway_url, upstream, fault):
    """The caller asked for so much: the upstream's work is free again and again if that does not count."""
    mode = {"upstream_slow": "slow_first_byte", "upstream_oversized": "huge_event"}[fault]
    total = 0.3 if fault == "upstream_slow" else 60
    limits = replace(gateway_module.LIMITS, total=total)
    async with gateway_module.gateway_world(gateway_url, limits=limits) as world:
        await world.asset("hamlet", upstream.url(mode), f"http://127.0.0.1:{free_port()}/v1")  # the second is down
        await world.asset("words", upstream.url("ok"))
        key = await world.key()
        async with AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120) as client:
            for _ in range(LIMITS.abandoned_most):
                with pytest.raises(openai.InternalServerError) as caught:
                    await client.chat.completions.create(model="hamlet", messages=ASK)
                assert caught.value.code == fault
            for model in ("hamlet", "words"):
                with pytest.raises(openai.RateLimitError, match="stream: true") as refused:
                    await client.chat.completions.create(model=model, messages=ASK)
                assert refused.value.code == "abandoned_answers"
            assert await world.charged(key) == 0
            assert (await world.channel(key)).reserved == 0
            assert [
                part async for part in await client.chat.completions.create(model="words", messages=ASK, stream=True)
            ]
    assert len(upstream.requests) == LIMITS.abandoned_most + 1


@pytest.mark.parametrize("mode", ["error_500", "cut", "malformed"])
async def test_what_only_the_upstream_did_wrong_does_not_count_against_the_caller(world, upstream, client_of, mode):
    await world.asset("hamlet", upstream.url(mode))
    key = await world.key()
    for _ in range(LIMITS.abandoned_most + 1):
        with pytest.raises(openai.InternalServerError):
            await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK)


async def test_a_caller_who_hangs_up_while_sending_is_no_call(world, upstream):
    await world.asset("hamlet", upstream.url())
    key = await world.key()
    host, port = world.url.split("/")[2].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key.text}\r\n"
    writer.write(head.encode() + b'content-length: 99\r\n\r\n{"model"')
    await writer.drain()
    await until(lambda: len(world.server.server_state.tasks) == 1)
    writer.transport.abort()
    await until(lambda: not world.server.server_state.tasks)
    assert upstream.requests == []
    assert (await world.channel(key)).reserved == 0


async def test_a_long_stream_outlives_its_lease(gateway_module, gateway_url):
    async with (
        gateway_module.gateway_world(gateway_url, lease_seconds=1) as world,
        halting_upstream(words=6, halt=3) as (url, _, go_on),
    ):
        await world.asset("hamlet", url)
        key = await world.key()

        async def lease_ends() -> int:
            async with world.database.snapshot() as unit:
                ((until_,),) = await unit.rows(sql("SELECT lease_until FROM calls"))
            return until_

        async with AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120) as client:
            stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
            first = await lease_ends()

            async def outlived() -> bool:
                return await lease_ends() > first + 1

            await until(outlived)
            go_on.set()
            assert len([chunk async for chunk in stream]) == 6
        assert len(await world.bills(key)) == 1


async def test_a_call_whose_lease_was_lost_bills_nothing(world):
    async with halting_upstream(words=20, halt=3) as (url, _, go_on):
        await world.asset("hamlet", url)
        key = await world.key()
        async with AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120) as client:
            stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
            with pytest.raises(openai.APIError) as caught:  # noqa: PT012 - the stream is read until it breaks
                async for chunk in stream:
                    if "word00" in (chunk.choices[0].delta.content or ""):
                        await lose_the_lease(world, key)
                        go_on.set()
        assert caught.value.code == "call_lost"
    assert await world.charged(key) == 0
    assert (await world.channel(key)).reserved == 0


async def lose_the_lease(world, key):
    """Take the key's open call away, as another replica does once a lease has ended."""
    async with world.database.transaction() as unit:
        await unit.rows(sql("UPDATE calls SET lease_until = 0, owner = 'another' WHERE state <> 'metered'"))
    assert await world.ledger.expire() == 1


async def test_a_graceful_shutdown_finishes_its_streams(gateway_module, gateway_url):
    async with (
        halting_upstream(words=20, halt=3) as (url, _, go_on),
        gateway_module.gateway_world(gateway_url) as world,
    ):
        await world.asset("hamlet", url)
        key = await world.key()
        async with AsyncOpenAI(api_key=key.text, base_url=world.url, max_retries=0, timeout=120) as client:
            stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
            chunks = []
            async for chunk in stream:
                chunks.append(chunk)
                world.server.drain()
                go_on.set()
        assert len(chunks) == 20
        assert [call.bill.usage.output_tokens for call in await world.bills(key)] == [20]


@contextlib.asynccontextmanager
async def gateway_process(database_url, port):
    """The gateway as a real process; yields it once it answers."""
    command = [sys.executable, "-m", gateway_server.__name__, database_url, str(port), "1"]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(90), httpx.AsyncClient(timeout=120) as plain:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await plain.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_gateway_killed_in_mid_stream_bills_the_retry_once(gateway_module, gateway_url):
    port = free_port()
    async with halting_upstream(words=12, halt=3) as (url, _, go_on):
        async with gateway_module.gateway_world(gateway_url) as world:
            await world.asset("hamlet", url)
            key = await world.key()
        once = {"idempotency-key": "once"}
        base = f"http://127.0.0.1:{port}/v1"
        async with AsyncOpenAI(
            api_key=key.text, base_url=base, max_retries=0, timeout=120, default_headers=once
        ) as client:
            async with gateway_process(gateway_url, port) as process:
                stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
                with pytest.raises(openai.APIConnectionError):  # noqa: PT012 - the stream is read until it breaks
                    async for _ in stream:
                        if process.returncode is None:
                            process.send_signal(signal.SIGKILL)
                            await process.wait()
            go_on.set()
            async with gateway_process(gateway_url, port) as process:
                text = await retried(client)
                process.send_signal(signal.SIGTERM)
                assert await process.wait() == 0
    assert text == "".join(f"word{number:02} " for number in range(12))
    async with gateway_module.gateway_world(gateway_url) as world:
        calls = [call for call in await all_calls(world) if call.lease.account == key.key.channel]
        assert sorted(call.state for call in calls) == ["metered", "released"]
        assert next(call.reason for call in calls if call.state == "released") == "lease_ended"
        assert await world.charged(key) == 4 + 12 * 3 + 5
        assert (await world.channel(key)).reserved == 0


async def retried(client):
    """Ask the same again until the broken call's lease has ended."""
    async with asyncio.timeout(60):
        while True:
            try:
                stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            except openai.APIStatusError as error:
                if error.code != "still_running":
                    raise
                await asyncio.sleep(0.2)


async def all_calls(world):
    async with world.database.snapshot() as unit:
        ids = [hash32_from_bytes(row[0]) for row in await unit.rows(sql("SELECT id FROM calls"))]
    return [await world.ledger.call(call) for call in ids]
