"""The short way: a gateway, a wallet, what one call may cost and what all may cost."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import httpx

from usufruct_client.paid_call import Refund
from usufruct_client.purse import Purse
from usufruct_client.spending_rules import Rules
from usufruct_client.store import Store
from usufruct_client.transport import AsyncPayingTransport, PayingTransport
from usufruct_client.urls import gateway_address
from usufruct_client.wallet import Wallet

TIMEOUT = httpx.Timeout(600.0, connect=5.0)
"""As OpenAI's clients have it: answers take their time."""

PAID_PATH = "/v1/chat/completions"


class Connection:
    """A gateway and the purse that pays it.

    Hand `base_url`, `api_key` and a client of it to OpenAI's: `OpenAI(base_url=c.base_url, api_key=c.api_key,
    http_client=c.client())`.
    """

    api_key = "x402"

    def __init__(self, gateway_url: str, purse: Purse) -> None:
        """Pay the gateway at `gateway_url` from `purse`."""
        self.purse = purse
        self.gateway_url = gateway_address(gateway_url)
        self.base_url = f"{self.gateway_url}/v1"

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store; callers close the clients that they asked for."""
        self.purse.close()

    def client(self, transport: httpx.BaseTransport | None = None, **options: Any) -> httpx.Client:
        """Return an `httpx.Client` that pays; `options` are its own."""
        paying = PayingTransport(self.purse, self.gateway_url, transport)
        return httpx.Client(transport=paying, **{"timeout": TIMEOUT, **options})

    def async_client(self, transport: httpx.AsyncBaseTransport | None = None, **options: Any) -> httpx.AsyncClient:
        """Return an `httpx.AsyncClient` that pays; `options` are its own."""
        paying = AsyncPayingTransport(self.purse, self.gateway_url, transport)
        return httpx.AsyncClient(transport=paying, **{"timeout": TIMEOUT, **options})

    def refund(self, url: str = "", amount: int | None = None) -> Refund:
        """Ask for money back: all that is free, or `amount`; `url` is any paid endpoint.

        Raises:
            RefundRefused: when there is nothing to give back, or the gateway does not.
        """
        with PayingTransport(self.purse, self.gateway_url) as transport:
            return transport.refund(url or self.gateway_url + PAID_PATH, amount)

    async def arefund(self, url: str = "", amount: int | None = None) -> Refund:
        """Ask for money back, as `refund` does, on an event loop."""
        async with AsyncPayingTransport(self.purse, self.gateway_url) as transport:
            return await transport.refund(url or self.gateway_url + PAID_PATH, amount)


def connect(
    gateway_url: str,
    wallet: Wallet,
    *,
    limit: int,
    budget: int,
    store: Store | str | Path | None = None,
    networks: Collection[str] | None = None,
    tokens: Collection[str] | None = None,
    operators: Collection[str] | None = None,
    receipt_signers: Collection[str] | None = None,
    multiplier: int = 10,
    deposit_seconds: float = 120.0,
) -> Connection:
    """Connect a wallet to a gateway; `limit` for one call and `budget` for all in atomic units of the token.

    `tokens`: addresses of tokens that may be paid in; without it, the network's USDC. `budget` counts every deposit
    that is ever sent with this store: neither a refund nor a refusal makes room for another. A call fails with
    `DepositPending` when a deposit, its own or another call's, takes longer than `deposit_seconds`.

    `store`: a file where channels are remembered, which several processes may share. Without one the channel is
    forgotten with the process, and its money comes back by the gateway's own refund, after 30 days.

    Raises:
        Invalid, StoreFault: when a value or the file cannot be used.
    """
    rules = Rules(limit, budget, networks, tokens, operators, receipt_signers, multiplier, deposit_seconds)
    kept = store if isinstance(store, Store) else Store(store)
    return Connection(gateway_url, Purse(wallet, rules, kept))
