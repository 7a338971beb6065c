"""Answers that break, of a service without a vocabulary: a part costs no more than its tokens, or the whole."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import orjson
import pytest

from tests.support.waiting import until
from usufruct.core.price_cards import PriceCard

QUESTION = [{"role": "user", "content": "Please write down one hundred words of eighteen bytes each for me, in one go"}]
PRICE = PriceCard(10_000_000, 30_000_000, 0, 32_768, 1)
"""10 atomic units for a text token of input, 30 for one of output."""


@dataclass
class Words:
    """An honest upstream that says `words` words of `size` bytes, each `tokens` text tokens; it may halt or die."""

    words: int
    size: int
    tokens: int
    input_tokens: int
    halts_before: int | None = None
    dies_after: int | None = None
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = field(default="", init=False)

    @property
    def usage(self) -> dict[str, int]:
        output = self.words * self.tokens
        return {"prompt_tokens": self.input_tokens, "completion_tokens": output, "total_tokens": output}

    def word(self, number: int) -> str:
        return f"{number:0{self.size - 1}d} "

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(self.words):
                if number == self.halts_before:
                    await self.go_on.wait()
                if number == self.dies_after:
                    await writer.drain()
                    writer.close()
                    return
                self._say(writer, choices=[{"index": 0, "delta": {"content": self.word(number)}}])
                await writer.drain()
            self._say(writer, choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
            self._say(writer, choices=[], usage=self.usage)
            writer.write(b"data: [DONE]\n\n")
            await writer.drain()
            writer.close()

    def _say(self, writer: asyncio.StreamWriter, **chunk: object) -> None:
        writer.write(b"data: " + orjson.dumps({"id": "c", "object": "chat.completion.chunk", **chunk}) + b"\n\n")


@contextlib.asynccontextmanager
async def saying(words: Words) -> AsyncIterator[Words]:
    server = await asyncio.start_server(words.answer, "127.0.0.1", 0)
    words.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield words
    finally:
        words.go_on.set()
        server.close()


async def ask(world, key, *, leave_after: int | None = None, left: asyncio.Event | None = None):
    """Ask, read all of the answer or leave after some words, and return the call as it was billed.

    `left` is set when the gateway has seen that the caller is gone.
    """
    body = {"model": "words", "messages": QUESTION, "stream": True, "max_tokens": 5_000}
    headers = {"authorization": f"Bearer {key.text}"}
    async with (
        httpx.AsyncClient(headers=headers, timeout=30) as plain,
        plain.stream("POST", f"{world.url}/chat/completions", json=body) as answer,
    ):
        call, read = answer.headers["x-request-id"], 0
        async for line in answer.aiter_lines():
            read += '"content"' in line
            if read == leave_after:
                break
    if left:
        await until(lambda: not world.server.server_state.connections)
        left.set()
    await world.quiet(key)
    return await world.ledger.call(call)


@pytest.fixture
async def key(world):
    return await world.key()


async def offer(world, words: Words, gateway_module) -> None:
    caps = gateway_module.Caps(usual_output=5_000, largest_output=10_000)
    await world.asset("words", words.url, card=PRICE, caps=caps)


@pytest.mark.parametrize("seen_before", [True, False])
@pytest.mark.parametrize("broken_after", [20, 50, 90])
async def test_an_upstream_that_dies_on_the_way_never_costs_more_than_the_whole(
    world, key, gateway_module, broken_after, seen_before
):
    async with saying(Words(100, 18, 3, 24)) as words:
        await offer(world, words, gateway_module)
        if seen_before:
            assert (await ask(world, key)).bill.charge == 9_240
        words.dies_after = broken_after
        broken = (await ask(world, key)).bill
    delivered = 24 * 10 + broken_after * 3 * 30
    assert 0 < broken.charge <= delivered < 9_240
    assert broken.counted_by == "estimate"
    if seen_before:  # then it is known what a text token of this upstream is
        assert broken.charge >= 0.97 * delivered


@pytest.mark.parametrize("drain_seconds", [60.0])
@pytest.mark.parametrize("leave_after", [20, 50])
async def test_who_leaves_pays_the_delivered_share_of_what_the_upstream_says(world, key, gateway_module, leave_after):
    async with saying(Words(100, 18, 3, 24, halts_before=leave_after + 5)) as words:
        await offer(world, words, gateway_module)
        bill = (await ask(world, key, leave_after=leave_after, left=words.go_on)).bill
    assert (bill.counted_by, bill.usage.input_tokens) == ("share", 24)
    assert leave_after * 3 <= bill.usage.output_tokens <= (leave_after + 5) * 3  # what came before it was seen
    assert bill.charge <= 9_240


@pytest.mark.parametrize("drain_seconds", [0.01])
@pytest.mark.parametrize(("words", "leave_after"), [(200, 10), (400, 180)])
async def test_who_leaves_early_pays_for_the_words_that_came(world, key, gateway_module, words, leave_after):
    """The upstream never says what the whole is: it is not listened to for so long."""
    async with saying(Words(words, 8, 1, 9)) as server:
        await offer(world, server, gateway_module)
        assert (await ask(world, key)).bill.charge == 90 + 30 * words
        server.halts_before = leave_after + 5
        bill = (await ask(world, key, leave_after=leave_after)).bill
    assert bill.counted_by == "estimate"
    assert 0.98 * leave_after - 1 <= bill.usage.output_tokens <= leave_after + 6  # bytes are eight times as many
    assert bill.charge <= 90 + 30 * bill.usage.output_tokens
