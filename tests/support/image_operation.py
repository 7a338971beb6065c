"""A made-up kind of service: images, measured and paid by the image. It is all that the gateway needs to sell them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.connectors.openai import Answer, UpstreamClient, UsageFault
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.gateway import ServedListing
from usufruct.gateway.operations.base import Budget, Operation, Request, Work, Written
from usufruct.gateway.operations.request_reader import read_integer
from usufruct.payments.pricing import Allowance, CountedBy, Measured, Usage, allow
from usufruct.web import Operation as Described


async def read(request: Request, listing: ServedListing, card: PriceCard) -> "ImageWork":
    return ImageWork(request.content, read_integer(request.content, "n", 1, 10) or 1)


IMAGES = Operation("images", "/v1/images/generations", Described("Paint images.", paid=True), PriceUnit.IMAGE, read)


@dataclass(frozen=True)
class ImageWork(Work):
    body: Mapping[str, Any]
    wanted: int

    def limits(self, card: PriceCard, budget: Budget) -> Allowance:
        allowance = allow(0, self.wanted, card, card.context_window * card.output_per_million)
        budget.check(allowance)
        return allowance

    async def run(self, client: UpstreamClient, model: str, allowance: Allowance) -> Answer:
        body = await client.post("/images/generations", {**self.body, "model": model, "n": allowance.output_tokens})
        return Answer(body, orjson.loads(body), "", UsageFault.ABSENT)

    def written(self, content: Mapping[str, Any], text: str) -> Written:
        body = orjson.dumps(content)
        return Written(body, body)

    async def measured(self, answer: Answer) -> Measured:
        return Measured(
            Usage(0, len(answer.content["data"]), unit=PriceUnit.IMAGE), flagged=False, counted_by=CountedBy.VOCABULARY
        )
