"""Chat: requests for answers to messages, whole or streamed."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from fractions import Fraction
from typing import Any

from usufruct.connectors.openai import Answer, ChatStream, UpstreamClient
from usufruct.connectors.openai import Usage as Reported
from usufruct.core import value
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.gateway.descriptions import CHAT
from usufruct.gateway.errors import InvalidRequest, UnsupportedContent
from usufruct.gateway.model import ServedListing
from usufruct.gateway.operations.base import Budget, Delivered, Operation, Request, Work, Written
from usufruct.gateway.operations.request_members import (
    CHOICES,
    MESSAGE,
    PARTS,
    SETTINGS,
    SHAPES,
    STREAM_OPTIONS,
    TOOL,
    Sieve,
)
from usufruct.gateway.operations.request_reader import check_number, json_text, read_boolean, read_integer
from usufruct.gateway.operations.text import TextMeter, TextRequest, TextWork, check_size, dump_members
from usufruct.gateway.operations.text_metering import chat_limits, usage_of_part
from usufruct.payments.pricing import Allowance, Measured

_MOST_CHOICES = 16
_LARGEST_OUTPUT = 1 << 32
_CHAT_TEXTS = frozenset({"tools", *SHAPES})
"""Members of a chat request, besides the messages, that a model reads: they are counted as input."""

_CHAT_READ = _CHAT_TEXTS | {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n"}
_PLAIN_MESSAGE = frozenset({"role", "content"})
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def chat(meter: TextMeter) -> Operation:
    """Return the operation of `/v1/chat/completions`."""

    async def read(request: Request, listing: ServedListing, card: PriceCard) -> Work:
        read = read_chat(request.content, listing.counting.forward)
        check_size(len(request.raw), card, windows=1)
        return ChatWork(read, listing, meter, await meter.count_input(listing, read))

    return Operation("chat", "/v1/chat/completions", CHAT, PriceUnit.TEXT_TOKEN, read, streams=True)


@value
class ChatWork(TextWork):
    """One chat."""

    @property
    def streamed(self) -> "ChatWork | None":
        """The same chat, if its answer is streamed."""
        return self if self.request.stream else None

    @property
    def usage_asked(self) -> bool:
        """Whether the caller of a stream wants its usage event."""
        return self.request.include_usage

    def limits(self, card: PriceCard, budget: Budget) -> Allowance:
        """Return the most output, over all choices, and its price."""
        request = self.request
        return chat_limits(request.wanted_output, request.choices, self.counted_input, self.listing.caps, card, budget)

    def is_reducible(self, budget: Budget) -> bool:
        """Tell whether the caller left the output open, or limits it by money."""
        return self.request.wanted_output is None or budget.own_limit

    async def run(self, client: UpstreamClient, model: str, allowance: Allowance) -> Answer:
        """Ask for a whole answer."""
        return await client.chat(self.request.upstream_body(model, allowance.output_tokens))

    def open_stream(
        self, client: UpstreamClient, model: str, allowance: Allowance
    ) -> AbstractAsyncContextManager[ChatStream]:
        """Ask for a stream."""
        return client.chat_stream(self.request.upstream_body(model, allowance.output_tokens))

    def written(self, content: Mapping[str, Any], text: str) -> Written:
        """Write the answer; the receipt hashes its text."""
        return Written(dump_members(content), text.encode())

    async def measured_stream(self, delivered: Delivered) -> Measured:
        """Return the usage of a stream, or of the part that was delivered.

        An upstream that came to its end after the caller left has reported the whole.
        """
        if delivered.is_whole:
            return await self.measured_whole(delivered.reported, delivered.text)
        whole = None
        if isinstance(delivered.reported, Reported):
            whole = await self.measured_whole(delivered.reported, delivered.whole_text)
        share = Fraction(len(delivered.text.encode()), max(1, len(delivered.whole_text.encode())))
        return usage_of_part(whole, await self.counted(delivered.text), share, self.listing.counting)


def read_chat(body: Mapping[str, Any], forward: frozenset[str] = frozenset()) -> TextRequest:
    """Read a chat request; `forward` names members the seller has forwarded that would be dropped otherwise.

    Raises:
        InvalidRequest: names the member that is wrong.
        UnsupportedContent: for images, audio and files.
    """
    sieve = Sieve(forward)
    body = sieve.read_body(body, SETTINGS, _CHAT_READ)
    _read_tools(body, sieve)
    _read_formats(body, sieve)
    texts: list[str] = []
    body["messages"] = messages = _read_messages(body.get("messages"), sieve, texts)
    texts += [json_text(body[name], name) for name in sorted((forward | _CHAT_TEXTS) & body.keys())]
    choices = read_integer(body, "n", 1, _MOST_CHOICES) or 1
    limits = [read_integer(body, name, 1, _LARGEST_OUTPUT) for name in ("max_tokens", "max_completion_tokens")]
    given = [limit for limit in limits if limit is not None]
    return TextRequest(
        body=body,
        texts=tuple(texts),
        messages=len(messages),
        choices=choices,
        wanted_output=min(given) * choices if given else None,
        stream=read_boolean(body, "stream"),
        include_usage=_include_usage(body, sieve),
        dropped=tuple(sieve.dropped),
    )


def _read_messages(messages: object, sieve: Sieve, texts: list[str]) -> list[object]:
    """Return the messages to go upstream; what a model reads of them is added to `texts`."""
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list with at least one message", field="messages")
    check_number(messages, "messages")
    return [_read_message(message, index, sieve, texts) for index, message in enumerate(messages)]


def _read_message(message: object, index: int, sieve: Sieve, texts: list[str]) -> object:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(role, str) or role not in _ROLES:
        field = f"messages.{index}"
        raise InvalidRequest(f"{field} must be an object with a role: {', '.join(sorted(_ROLES))}", field=field)
    content = message.get("content")
    plain = message.keys() <= _PLAIN_MESSAGE
    if plain and isinstance(content, str):  # what most messages are
        texts.append(content)
        return message
    kept = message if plain else sieve.read_object(message, MESSAGE, f"messages.{index}")
    read = _read_content(content, f"messages.{index}.content", sieve, texts)
    if "content" in message:  # null is a content too: of an answer that is tool calls
        kept = {**kept, "content": read}
    more = {name: value for name, value in kept.items() if name not in _PLAIN_MESSAGE}
    if more:
        texts.append(json_text(more, f"messages.{index}"))
    return kept


def _read_content(content: object, field: str, sieve: Sieve, texts: list[str]) -> object:
    if content is None:
        return None
    if isinstance(content, str):
        texts.append(content)
        return content
    if not isinstance(content, list):
        raise InvalidRequest(f"{field} must be text or a list of parts", field=field)
    check_number(content, field)
    return [_read_part(part, field, sieve, texts) for part in content]


def _read_part(part: object, field: str, sieve: Sieve, texts: list[str]) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    shape = PARTS.get(kind) if isinstance(kind, str) else None
    text = part.get(kind) if isinstance(part, dict) and shape else None
    if shape is None or not isinstance(text, str):
        raise UnsupportedContent(f"{field} has a part of type {kind!r}; only text is counted here", field=field)
    texts.append(text)
    return sieve.read_object(part, shape, field)


def _read_tools(body: dict[str, Any], sieve: Sieve) -> None:
    if "tools" not in body:
        return
    tools = body["tools"]
    if not isinstance(tools, list) or not all(isinstance(t, dict) and t.get("type") == "function" for t in tools):
        raise UnsupportedContent("tools must be a list of functions; other tools are not counted here", field="tools")
    if tools:
        body["tools"] = sieve.read_list(tools, TOOL, "tools")
    else:
        del body["tools"]


def _read_formats(body: dict[str, Any], sieve: Sieve) -> None:
    for name in sorted(SHAPES.keys() & body.keys()):
        value = body[name]
        if name != "tool_choice" or not isinstance(value, str) or value not in CHOICES:
            body[name] = sieve.read_object(value, SHAPES[name], name)


def _include_usage(body: dict[str, Any], sieve: Sieve) -> bool:
    if "stream_options" not in body:
        return False
    body["stream_options"] = options = sieve.read_object(body["stream_options"], STREAM_OPTIONS, "stream_options")
    return read_boolean(options, "include_usage")
