"""Endpoints that products sell by the call: what is said about one, and the charging that the gateway provides."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from usufruct.core import Address, value
from usufruct.web import Header, HttpExchange


@value
class PaidEndpoint:
    """An endpoint with a price of its own. `path` is also the name of its listing.

    `price` is what a call costs, in atomic units of the payment token. `pay_to` receives it; the till must know that
    address. `level_discount_bps`: the most that a payer's staking level takes off. `parameters`: names of the query
    parameters of a GET; `example`: a JSON body of a POST.
    """

    method: str
    path: str
    price: int
    pay_to: Address
    level_discount_bps: int = 0
    parameters: Sequence[str] = ()
    example: Mapping[str, Any] = field(default_factory=dict, compare=False)


@value
class EndpointAnswer:
    """What an endpoint answers. Without `rows` nothing is delivered, and nothing is charged."""

    body: bytes
    rows: int
    headers: Sequence[Header] = ()
    status: int = 200


Answer = Callable[[bytes], Awaitable[EndpointAnswer]]
"""Answers a request with a body; raises a `UsufructError` for one that cannot be answered."""


class EndpointPayments(Protocol):
    """Charges calls of endpoints through the ledger."""

    def sell(self, endpoint: PaidEndpoint) -> None:
        """Put an endpoint on sale: `/.well-known/x402` lists it."""

    async def serve(self, exchange: HttpExchange, endpoint: PaidEndpoint, answer: Answer, other_way: str) -> None:
        """Answer a request of a caller who pays for this call; ask for the payment where there is none.

        `other_way` tells a caller without a payment how else to get an answer.

        Raises:
            UsufructError: every refusal and fault; nothing was charged.
        """
