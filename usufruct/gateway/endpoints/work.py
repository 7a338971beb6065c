"""A request of an endpoint that is sold by the call, as the gateway's pricing and admission see it."""

from collections.abc import Mapping
from typing import Any

from usufruct.connectors.openai import Answer as UpstreamAnswer
from usufruct.connectors.openai import UpstreamClient
from usufruct.core import Faulty
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.operations.base import Budget, Work, Written
from usufruct.payments.pricing import Allowance, Measured, allow
from usufruct.payments.x402 import Answer, EndpointAnswer, PaidEndpoint, body_extension, query_extension


class EndpointWork(Work):
    """A call with one price. It is answered before any money moves, and the answer leaves after the call is open."""

    def __init__(self, endpoint: PaidEndpoint, body: bytes, answer: Answer, other_way: str) -> None:
        self._endpoint = endpoint
        self._body = body
        self._answer = answer
        self._other_way = other_way
        self._answered: EndpointAnswer | None = None

    @property
    def other_way(self) -> str:
        """How else than by x402 a caller without a payment gets an answer."""
        return self._other_way

    @property
    def discovery(self) -> Mapping[str, Any]:
        """The declaration for catalogues of x402."""
        endpoint = self._endpoint
        return query_extension(endpoint.parameters) if endpoint.method == "GET" else body_extension(endpoint.example)

    @property
    def answered(self) -> EndpointAnswer:
        """The answer, once the call was prepared."""
        assert self._answered is not None, "a call is prepared before it is opened"
        return self._answered

    async def prepare(self) -> None:
        """Answer the request; raises what the endpoint refuses it for."""
        self._answered = await self._answer(self._body)

    def limits(self, card: PriceCard, budget: Budget) -> Allowance:
        """Return the price of a call; raises OverBudget."""
        return allow(0, 0, card, budget.amount)

    async def run(self, client: UpstreamClient, model: str, allowance: Allowance) -> UpstreamAnswer:
        """Refuse: an endpoint is answered here, by no upstream."""
        raise _no_upstream()

    def written(self, content: Mapping[str, Any], text: str) -> Written:
        """Refuse, as `run`."""
        raise _no_upstream()

    async def measured(self, answer: UpstreamAnswer) -> Measured:
        """Refuse, as `run`."""
        raise _no_upstream()


def _no_upstream() -> Faulty:
    return Faulty("an endpoint that is sold by the call has no upstream")
