"""What an answer says on the terminal, and the hash its receipt is compared with."""

import asyncio
from types import SimpleNamespace

import pytest

from tests.support.raw_upstream import Reply, raw_upstream
from tests.support.upstream_shapes import DONE, JSON_TYPE, event, says
from usufruct.cli.support.chat_client import ask
from usufruct.payments.pricing import content_hash


def half(escape: bytes) -> bytes:
    return event(b'{"choices":[{"index":0,"delta":{"content":"%s"}}]}' % escape)


async def answered(reply: Reply, shown: list[str] | None):
    async with raw_upstream({"v1": reply}) as root:
        key = SimpleNamespace(key="uf_")
        order = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
        return await asyncio.to_thread(ask, root, key, order, {}, None if shown is None else shown.append)


@pytest.mark.parametrize(
    ("escapes", "text"),
    [([b"a\\ud83d", b"\\ude00b"], "a\U0001f600b"), ([b"a\\ud83d", b"b"], "a\ufffdb"), ([b"a\\ud83d"], "a\ufffd")],
)
async def test_halves_of_a_character_are_printed_and_hashed_as_one(escapes, text):
    shown: list[str] = []
    found = await answered(Reply((*map(half, escapes), says(finish="stop"), DONE)), shown)
    assert "".join(shown) == found.text == text
    assert found.bill.response_hash == content_hash(text.encode())
    "".join(shown).encode()


async def test_half_a_character_in_a_whole_answer_is_printed_as_it_is_hashed():
    body = rb'{"choices":[{"index":0,"message":{"role":"assistant","content":"a\ud83d"},"finish_reason":"stop"}]}'
    found = await answered(Reply((body,), head=JSON_TYPE), None)
    assert found.text == "a\ufffd"
    assert found.bill.response_hash == content_hash("a\ufffd".encode())
