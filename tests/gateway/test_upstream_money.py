"""Upstreams whose answers once moved money wrongly: placeholder usage, answers without output, hidden errors."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import openai
import pytest

from tests.support.raw_upstream import Reply, raw_upstream
from tests.support.upstream_shapes import DONE, GOOD, IN, STOP, TEXT, USAGE, answer, chunk, event, says, to_json
from usufruct.cli.support.receipt_checks import readings

ASK = [{"role": "user", "content": "What is the question?"}]
OWN_INPUT = 21  # bytes; what a template adds is left out of the bill of a part
JSON = b"content-type: application/json\r\n"
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
LITTLE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
WORDS = ("To", " be", " or", " not", " to", " be")
FAILED = [
    Reply((DONE,)),
    Reply((event(chunk([])), event(chunk([], usage=USAGE)), DONE)),
    Reply((event({"code": 1302, "msg": "too many"}), DONE)),
    Reply((event({"object": "error", "message": "on fire"}), DONE)),
    Reply((event(chunk([{"index": 0, "delta": {}, "finish_reason": "error"}])), DONE)),
    Reply((event(chunk([{"index": 0, "delta": {}, "error": {"message": "on fire"}}])), DONE)),
]
FAILED_WHOLE = [
    answer(choices=[], usage=USAGE),
    {"code": 1302, "msg": "too many"},
    answer({"role": "assistant", "content": ""}, "error", usage=USAGE),
    answer(choices=[{"index": 0, "error": {"message": "on fire"}, "message": {}}], usage=USAGE),
]


@contextlib.asynccontextmanager
async def waiting_upstream(*pieces: bytes) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Stream `pieces`, then wait to be let go, and drop the connection."""
    let_go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        await let_go.wait()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", let_go


async def read_and_hang_up(url: str, key: str, words: int) -> str:
    """Read a stream until that many words are there, then leave."""
    texts: list[str] = []
    async with openai.AsyncOpenAI(api_key=key, base_url=url, max_retries=0, timeout=120) as client:
        stream = await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)
        async for part in stream:
            texts += [choice.delta.content for choice in part.choices if choice.delta.content]
            if len(texts) == words:
                break
        await stream.close()
    return "".join(texts)


@pytest.mark.parametrize(
    "pieces",
    [
        [says(word, usage=NOTHING) for word in WORDS],
        [says(WORDS[0], usage=LITTLE), *map(says, WORDS[1:])],
        [event(chunk([], usage=LITTLE)), *map(says, WORDS)],
        [part for word in WORDS for part in (says(word), event(chunk([], usage=NOTHING)))],
        [*map(says, WORDS), event(chunk([], usage=NOTHING))],
    ],
    ids=["every-chunk", "first-chunk", "first-event", "between-chunks", "last-event"],
)
async def test_usage_in_mid_stream_does_not_lower_what_a_caller_who_leaves_pays(world, byte_vocabulary, pieces):
    async with waiting_upstream(*pieces) as (url, let_go):
        await world.asset("hamlet", url, vocabulary=byte_vocabulary)
        key = await world.key()
        text = await read_and_hang_up(world.url, key.text, len(WORDS))
        let_go.set()
        await world.quiet(key)
    (call,) = await world.bills(key)
    assert text == "".join(WORDS)
    assert (call.bill.usage.input_tokens, call.bill.usage.output_tokens) == (OWN_INPUT, len(text))
    assert call.bill.charge == OWN_INPUT + 3 * len(text) + 5


async def test_zeros_at_the_end_do_not_give_a_whole_answer_away(world, byte_vocabulary, client_of):
    events = (*map(says, WORDS), says(finish="stop"), event(chunk([], usage=NOTHING)), DONE)
    async with raw_upstream({"v1": [Reply(events), Reply((to_json(answer(usage=NOTHING)),), head=JSON)]}) as root:
        await world.asset("hamlet", f"{root}/v1", vocabulary=byte_vocabulary)
        key = await world.key()
        client = client_of(key.text)
        assert [part async for part in await client.chat.completions.create(model="hamlet", messages=ASK, stream=True)]
        await client.chat.completions.create(model="hamlet", messages=ASK)
    bills = [call.bill for call in await world.bills(key)]
    assert [bill.usage.output_tokens for bill in bills] == [len("".join(WORDS)), len(TEXT)]
    assert all(bill.flagged for bill in bills)


@pytest.mark.parametrize("failed", FAILED, ids=range(len(FAILED)))
async def test_a_stream_without_output_is_replaced_by_the_next_upstreams(world, client_of, failed):
    async with raw_upstream({"bad": failed, "good": Reply(GOOD)}) as root:
        await world.asset("hamlet", f"{root}/bad/v1", f"{root}/good/v1")
        key = await world.key()
        for _ in range(2):
            stream = await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK, stream=True)
            assert "".join([part.choices[0].delta.content or "" async for part in stream]) == TEXT
    assert [call.bill.usage.output_tokens for call in await world.bills(key)] == [10, 10]


@pytest.mark.parametrize("failed", FAILED_WHOLE, ids=range(len(FAILED_WHOLE)))
async def test_a_whole_answer_without_output_is_replaced_by_the_next_upstreams(world, client_of, failed):
    replies = {name: Reply((to_json(each),), head=JSON) for name, each in [("bad", failed), ("good", answer())]}
    async with raw_upstream(replies) as root:
        await world.asset("hamlet", f"{root}/bad/v1", f"{root}/good/v1")
        client = client_of((await world.key()).text)
        for _ in range(2):
            made = await client.chat.completions.create(model="hamlet", messages=ASK)
            assert made.choices[0].message.content == TEXT


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_of_the_longest_tokens_is_delivered_and_charged(world, client_of, stream):
    text, usage = " " * 128 * 400, {"prompt_tokens": IN, "completion_tokens": 400, "total_tokens": IN + 400}
    whole = answer({"role": "assistant", "content": text}, usage=usage)
    events = (says(text), STOP, event(chunk([], usage=usage)), DONE)
    async with raw_upstream({"v1": Reply(events) if stream else Reply((to_json(whole),), head=JSON)}) as root:
        await world.asset("hamlet", f"{root}/v1")
        key = await world.key()
        made = await client_of(key.text).chat.completions.create(
            model="hamlet", messages=ASK, stream=stream, max_tokens=400
        )
        if stream:
            assert "".join([c.delta.content or "" async for part in made for c in part.choices]) == text
        else:
            assert made.choices[0].message.content == text
        await world.quiet(key)
    assert [call.bill.usage.output_tokens for call in await world.bills(key)] == [400]


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_without_output_is_not_kept_under_its_key(world, client_of, stream):
    bad = FAILED[0] if stream else Reply((to_json(FAILED_WHOLE[0]),), head=JSON)
    good = Reply(GOOD) if stream else Reply((to_json(answer()),), head=JSON)
    async with raw_upstream({"v1": [bad, good]}) as root:
        await world.asset("hamlet", f"{root}/v1")
        key = await world.key()
        client = client_of(key.text, default_headers={"idempotency-key": "once"})
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="hamlet", messages=ASK, stream=stream)
        assert caught.value.code == "upstream_empty"
        assert await world.charged(key) == 0
        await client.chat.completions.create(model="hamlet", messages=ASK, stream=stream)
        await world.quiet(key)
    assert len(await world.bills(key)) == 1


async def test_the_printed_text_of_a_stream_that_repeats_itself_is_what_the_receipt_hashes(world):
    repeated = {"index": 0, "delta": {}, "message": {"content": "a\U0001f600" + TEXT}, "finish_reason": "stop"}
    halves = [event(b'{"choices":[{"index":0,"delta":{"content":"%s"}}]}' % half) for half in (b"a\\ud83d", b"\\ude00")]
    async with raw_upstream({"v1": Reply((*halves, says(TEXT), event(chunk([repeated])), DONE))}) as root:
        await world.asset("hamlet", f"{root}/v1")
        key = await world.key()
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"}, timeout=120) as plain:
            body = {"model": "hamlet", "messages": ASK, "stream": True}
            stream = (await plain.post(f"{world.url}/chat/completions", json=body)).content
    (call,) = await world.bills(key)
    assert call.bill.response_hash in readings(f"a\U0001f600{TEXT}\n".encode())
    assert call.bill.response_hash in readings(stream)


async def test_embeddings_that_only_python_reads_are_handed_on(world, client_of, gateway_module):
    body = rb'{"model": "half \ud83d", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]}'
    async with raw_upstream({"v1": Reply((body,), head=JSON)}) as root:
        await world.asset("vectors", f"{root}/v1", endpoint=gateway_module.Endpoint.EMBEDDINGS)
        key = await world.key()
        client = client_of(key.text)
        made = await client.embeddings.with_raw_response.create(model="vectors", input="a", encoding_format="float")
    assert (made.parse().data[0].embedding, made.http_response.json()["model"]) == ([0.5, 0.25], "half \ud83d")
    (call,) = await world.bills(key)
    assert call.bill.response_hash in readings(made.content)


async def test_usage_nested_too_deeply_is_replaced_by_ours(world, client_of):
    deep = b"[" * 990 + b"]" * 990
    body = to_json(answer())[:-1] + b',"usage":{"prompt_tokens":9,"completion_tokens":10,"deep":' + deep + b"}}"
    async with raw_upstream({"v1": Reply((body,), head=JSON)}) as root:
        await world.asset("hamlet", f"{root}/v1")
        key = await world.key()
        made = await client_of(key.text).chat.completions.create(model="hamlet", messages=ASK)
    assert (made.choices[0].message.content, made.usage.completion_tokens) == (TEXT, 10)
    assert len(await world.bills(key)) == 1
