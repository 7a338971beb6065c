"""Embeddings: requests for vectors of text."""

from collections.abc import Mapping
from typing import Any

from usufruct.connectors.openai import Answer, UpstreamClient
from usufruct.core import value
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.gateway.descriptions import EMBEDDINGS
from usufruct.gateway.errors import InvalidRequest
from usufruct.gateway.model import ServedListing
from usufruct.gateway.operations.base import Budget, Operation, Request, Work, Written
from usufruct.gateway.operations.request_members import EMBEDDING_SETTINGS, Sieve
from usufruct.gateway.operations.request_reader import check_number, json_text
from usufruct.gateway.operations.text import (
    TextMeter,
    TextRequest,
    TextWork,
    check_size,
    dump_members,
    dump_nested,
    with_member,
)
from usufruct.gateway.operations.text_metering import embeddings_limits
from usufruct.payments.pricing import Allowance

_EMBEDDINGS_READ = frozenset({"model", "input"})


def embeddings(meter: TextMeter) -> Operation:
    """Return the operation of `/v1/embeddings`; each input has its own context window."""

    async def read(request: Request, listing: ServedListing, card: PriceCard) -> Work:
        read = read_embeddings(request.content, listing.counting.forward)
        check_size(len(request.raw), card, windows=read.messages)
        return EmbeddingsWork(read, listing, meter, await meter.count_input(listing, read))

    return Operation("embeddings", "/v1/embeddings", EMBEDDINGS, PriceUnit.TEXT_TOKEN, read)


@value
class EmbeddingsWork(TextWork):
    """One request for embeddings: it has no output."""

    def limits(self, card: PriceCard, budget: Budget) -> Allowance:
        """Return no output, and the price of the input."""
        return embeddings_limits(self.request.messages, self.counted_input, self.listing.caps, card, budget)

    async def run(self, client: UpstreamClient, model: str, allowance: Allowance) -> Answer:
        """Ask for the vectors."""
        return await client.embeddings(self.request.upstream_body(model))

    def written(self, content: Mapping[str, Any], text: str) -> Written:
        """Write the answer; the receipt hashes its vectors."""
        body = dump_members({name: member for name, member in content.items() if name != "data"})
        data = dump_nested(content.get("data"))
        return Written(with_member(body, b"data", data), data)


def read_embeddings(body: Mapping[str, Any], forward: frozenset[str] = frozenset()) -> TextRequest:
    """Read a request for embeddings: text, token numbers, or a list of either; `forward` as in `read_chat`.

    Raises:
        InvalidRequest: names the member that is wrong.
    """
    sieve = Sieve(forward)
    body = sieve.read_body(body, EMBEDDING_SETTINGS, _EMBEDDINGS_READ)
    given = body.get("input")
    inputs = [given] if isinstance(given, str) or _token_numbers(given) else given
    if not isinstance(inputs, list) or not inputs:
        raise InvalidRequest("input must be text, token numbers, or a list of either, not empty", field="input")
    check_number(inputs, "input")
    if not all(isinstance(one, str) or _token_numbers(one) for one in inputs):
        raise InvalidRequest("input holds something that is neither text nor token numbers", field="input")
    texts = [one for one in inputs if isinstance(one, str)]
    texts += [json_text(body[name], name) for name in sorted(forward & body.keys())]
    return TextRequest(
        body=body,
        texts=tuple(texts),
        messages=len(inputs),
        tokens=tuple(len(one) for one in inputs if not isinstance(one, str)),
        dropped=tuple(sieve.dropped),
    )


def _token_numbers(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(number) is int for number in value)
