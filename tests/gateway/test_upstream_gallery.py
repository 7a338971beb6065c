"""Every shape of upstream answer, read by the stock `openai` client directly and through a gateway, and its bill."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import orjson
import pytest
from openai import AsyncOpenAI, AsyncStream

from tests.support.gallery import GALLERY
from tests.support.raw_upstream import raw_upstream
from tests.support.upstream_shapes import BROKEN, MENDED, READ, REFUSED, Shape

ASK = [{"role": "user", "content": "What is the question?"}]
TEMPLATE = 4 + 8  # what a template adds per message and per request; left out of the bill of a part
OWN_INPUT = 21 + TEMPLATE  # bytes
PROTOCOL = {"role", "id", "type", "index", "tool_call_id"}
CHOICE_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


@asynccontextmanager
async def stock_client(url: str, key: str = "none") -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=key, base_url=url, max_retries=0, timeout=120) as client:
        yield client


class Reading:
    """What a client read: texts by choice and name, finish reasons, and the error that ended it."""

    def __init__(self) -> None:
        self.texts: dict[tuple[int, str], str] = {}
        self.finish: dict[int, str] = {}
        self.error: Exception | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reading) and (self.texts, self.finish) == (other.texts, other.finish)

    __hash__ = None

    def __repr__(self) -> str:
        return f"{self.texts} {self.finish} {self.error!r}"

    @property
    def content(self) -> str:
        return self.texts.get((0, "content"), "")

    def add(self, choice: Any, part: Any) -> None:
        index = getattr(choice, "index", None) or 0
        for name in CHOICE_TEXTS:
            self._text(index, name, getattr(part, name, None))
        function = getattr(part, "function_call", None)
        self._text(index, "function", function and f"{function.name or ''}{function.arguments or ''}")
        for place, call in enumerate(getattr(part, "tool_calls", None) or []):
            number = getattr(call, "index", place)
            self._text(index, f"tool {number} name", call.function.name)
            self._text(index, f"tool {number} arguments", call.function.arguments)
        if choice.finish_reason:
            self.finish[index] = choice.finish_reason

    def _text(self, index: int, name: str, text: str | None) -> None:
        if text:
            self.texts[index, name] = self.texts.get((index, name), "") + text


async def read(client: AsyncOpenAI, shape: Shape) -> Reading:
    """Read an answer with the client's own types."""
    reading = Reading()
    try:
        if shape.stream:
            async for chunk in await client.chat.completions.create(model=shape.name, messages=ASK, stream=True):
                for choice in chunk.choices or ():
                    reading.add(choice, choice.delta)
        else:
            answer = await client.chat.completions.create(model=shape.name, messages=ASK)
            for choice in answer.choices:
                reading.add(choice, choice.message)
    except Exception as error:  # whatever the client raises: its own errors, those of JSON, of missing members
        reading.error = error
    return reading


async def read_members(client: AsyncOpenAI, shape: Shape) -> tuple[str, dict[str, Any]]:
    """Read an answer as JSON, with the same client; return all text that came, and the receipt."""
    if not shape.stream:
        raw = await client.chat.completions.with_raw_response.create(model=shape.name, messages=ASK)
        receipt = orjson.loads(base64.b64decode(raw.headers["x-usufruct-receipt"]))
        return text_of(raw.http_response.json()["choices"], "message"), receipt
    texts: list[str] = []
    receipt: dict[str, Any] = {}
    body = {"model": shape.name, "messages": ASK, "stream": True, "stream_options": {"include_usage": True}}
    stream = await client.post(
        "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=AsyncStream[object]
    )
    try:
        async for event in stream:
            texts.append(text_of(event.get("choices"), "delta"))
            receipt = event.get("usufruct", receipt)
    except openai.APIError:
        pass  # the receipt of a broken stream is beside its error, where this client does not look
    return "".join(texts), receipt


def text_of(choices: Any, member: str) -> str:
    """Return all text, by the rule of docs/protocol/gateway.md, written down once more."""

    def strings(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for name, each in value.items() if name not in PROTOCOL for text in strings(each)]
        if isinstance(value, list):
            return [text for each in value for text in strings(each)]
        return [value] if isinstance(value, str) else []

    texts = []
    for choice in choices or ():
        part = dict(choice.get(member) or {})
        names = [name for name in ("reasoning_content", "reasoning", "reasoning_details") if part.get(name)]
        for name in names[1:]:
            del part[name]
        texts += strings(part)
    return "".join(texts)


def utf_8(text: str) -> bytes:
    """Encode as browsers do: halves of a character joined, a lone half replaced."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "replace").encode()


def check_reading(shape: Shape, directly: Reading, reading: Reading) -> None:
    """Compare what was read through the gateway with what was read directly, as the shape's verdict has it."""
    if shape.verdict in (READ, MENDED):
        assert reading.error is None
        assert reading.content == shape.text if shape.text else reading.texts or reading.finish
        assert (reading == directly and directly.error is None) is (shape.verdict is READ), (directly, reading)
        return
    assert isinstance(reading.error, openai.APIError)
    assert reading.error.code == shape.code
    assert reading.content == shape.text
    assert (directly.error is None) is shape.unnoticed, directly
    assert directly.content == shape.text or directly.error is not None or shape.verdict is REFUSED


def check_bill(shape: Shape, text: str, call: Any) -> None:
    """Compute the bill from what the client got."""
    counted = (OWN_INPUT, len(utf_8(text)))
    usage = shape.usage or counted
    if shape.verdict is BROKEN:
        usage = (min(usage[0], OWN_INPUT - TEMPLATE), min(usage[1], counted[1]))
    assert (call.bill.usage.input_tokens, call.bill.usage.output_tokens) == usage
    assert call.bill.charge == min(call.ceiling, usage[0] * 1 + usage[1] * 3 + 5)
    assert call.bill.flagged is shape.flagged
    assert call.bill.response_hash == "0x" + hashlib.sha256(utf_8(text)).hexdigest()


@pytest.mark.parametrize("shape", GALLERY, ids=str)
async def test_the_gateway_reads_what_the_stock_client_reads(world, gateway_module, byte_vocabulary, shape):
    caps = gateway_module.Caps(usual_output=1_000, largest_output=1_000)
    async with raw_upstream({shape.name: shape.reply}) as root:
        url = f"{root}/{shape.name}/v1"
        await world.asset(shape.name, url, vocabulary=byte_vocabulary, caps=caps)
        key = await world.key()
        async with stock_client(url) as client:
            directly = await read(client, shape)
        async with stock_client(world.url, key.text) as client:
            reading = await read(client, shape)
            check_reading(shape, directly, reading)
            if shape.verdict is REFUSED:
                assert await world.bills(key) == []
                return
            text, receipt = await read_members(client, shape)
    bills = await world.bills(key)
    assert len(bills) == 2
    for call in bills:
        check_bill(shape, text, call)
    assert receipt or shape.verdict is BROKEN
    if receipt:
        assert receipt["responseHash"] == bills[1].bill.response_hash
        assert int(receipt["amount"]) == bills[1].bill.charge


def test_the_gallery_is_large_and_its_names_are_different():
    assert len({str(shape) for shape in GALLERY}) == len(GALLERY) >= 60
    assert {shape.verdict for shape in GALLERY} == {READ, MENDED, BROKEN, REFUSED}
