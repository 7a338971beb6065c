"""What chat and embeddings share: their input is text, and both are measured in text tokens."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from usufruct.connectors.openai import Answer, UpstreamMalformed, UsageFault, dump
from usufruct.connectors.openai import Usage as Reported
from usufruct.core import value
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.model import CountingRule, ServedListing
from usufruct.gateway.operations.base import Work
from usufruct.gateway.operations.text_metering import Counted, Scales, usage_of_whole
from usufruct.gateway.token_counting import Counter, TokenCounterPool
from usufruct.payments.pricing import Measured, OverContext

_BYTES_PER_TOKEN = 64
_SPARE_BYTES = 65_536


@value
class TextRequest:
    """One request, read.

    `texts`: everything the model reads, in pieces; `messages`: how many messages or inputs they are. `tokens`: input
    that comes as token numbers. `wanted_output`: text tokens asked for, over all choices; None when left open.
    `dropped`: members that were left out because nothing is lost by it.
    """

    body: Mapping[str, Any]
    texts: tuple[str, ...]
    messages: int
    choices: int = 1
    tokens: tuple[int, ...] = ()
    wanted_output: int | None = None
    stream: bool = False
    include_usage: bool = False
    dropped: tuple[str, ...] = ()

    def upstream_body(self, model: str, output_tokens: int | None = None) -> dict[str, Any]:
        """Return the body to send upstream: its name for the model, and the most output in all, where there is any.

        Only members known here are in it: servers take members that undo the limit or cost what is not counted.
        """
        body = {**self.body, "model": model}
        if output_tokens is not None:
            name = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
            body.pop("max_tokens", None)
            body[name] = output_tokens // self.choices
        return body


class TextMeter:
    """Counts text by each listing's own rule, and keeps what upstreams' reports taught about it."""

    def __init__(self, pool: TokenCounterPool, counter_of: Callable[[ServedListing], Awaitable[Counter]]) -> None:
        """Count in `pool`, by the counter that `counter_of` finds for a listing."""
        self.pool = pool
        self._counter_of = counter_of
        self._scales: dict[tuple[str, CountingRule], Scales] = {}

    async def count_input(self, listing: ServedListing, request: TextRequest) -> "CountedInput":
        """Count a request's input.

        Raises:
            CountingBusy: when too much long input is being counted.
        """
        counter, rule = await self._counter_of(listing), listing.counting
        text = await self.pool.count_input(counter, "\n".join(request.texts))
        added = sum(request.tokens) + request.messages * rule.per_message + rule.per_request
        return CountedInput(counter, text, added)

    def scales(self, listing: ServedListing) -> Scales:
        """Return what a listing's upstreams showed."""
        key = (listing.name, listing.counting)
        scales = self._scales.get(key)
        if scales is None:
            scales = self._scales[key] = Scales(listing.counting)
        return scales


@value
class CountedInput:
    """A request's input as the listing's `counter` counts its `text`, and the text tokens `added` for which no text is.

    The latter are those of the chat template, and input that came as token numbers.
    """

    counter: Counter
    text: int
    added: int


@value
class TextWork(Work):
    """What the `Work` of chat and embeddings has in common."""

    request: TextRequest
    listing: ServedListing
    meter: TextMeter
    input: CountedInput

    @property
    def dropped(self) -> tuple[str, ...]:
        """Members of the request that were left out."""
        return self.request.dropped

    @property
    def counted_input(self) -> int:
        """Text tokens of input, of which the ceiling is made."""
        return self.input.text + self.input.added

    async def measured(self, answer: Answer) -> Measured:
        """Return the usage of a whole answer, as the upstream reported or as we count it."""
        return await self.measured_whole(answer.usage, answer.text)

    async def measured_whole(self, reported: Reported | UsageFault | None, text: str) -> Measured:
        """Return the usage of a whole answer with this output text."""
        return usage_of_whole(reported, await self.counted(text), self.listing.counting, self.listing.caps)

    async def counted(self, text: str) -> Counted:
        """Return our own count of the call with this output text."""
        output = await self.meter.pool.count(self.input.counter, text)
        return Counted(self.input.text, self.input.added, output, self.meter.scales(self.listing))


def check_size(size: int, card: PriceCard, *, windows: int) -> None:
    """Refuse, before the work of counting, what no vocabulary could fit into the context window.

    Raises:
        OverContext: with the numbers.
    """
    if size > _SPARE_BYTES + card.context_window * _BYTES_PER_TOKEN * windows:
        raise OverContext(
            f"the request has {size} bytes, more than a context window of {card.context_window} text tokens holds",
            bytes=size,
            context_window=card.context_window,
        )


def dump_members(content: Mapping[str, Any]) -> bytes:
    """Write an answer's JSON object without its usage.

    Raises:
        UpstreamMalformed: when it is nested too deeply to be written.
    """
    return dump_nested({name: member for name, member in content.items() if name != "usage"})


def dump_nested(content: object) -> bytes:
    """Write JSON that an upstream sent.

    Raises:
        UpstreamMalformed: when it is nested too deeply to be written.
    """
    try:
        return dump(content)
    except (ValueError, RecursionError) as error:
        raise UpstreamMalformed("the upstream's answer is nested too deeply to be handed on") from error


def with_member(body: bytes, name: bytes, member: bytes) -> bytes:
    """Return a JSON object with one member more."""
    return b'%s%s"%s":%s}' % (body[:-1], b"," if len(body) > 2 else b"", name, member)
