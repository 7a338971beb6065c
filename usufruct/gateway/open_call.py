"""A call that may be sent to an upstream, one whose ceiling is reserved, and the answer kept for a replay."""

from abc import ABC, abstractmethod
from asyncio import Future, shield
from collections.abc import Sequence

import orjson

from usufruct.core import value
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.payers.base import FundedCall, Payer
from usufruct.payments.ledger import Lease, Opened
from usufruct.web import Header


@value
class RunningCall(ABC):
    """A call that may be sent to an upstream: what is asked of which listing, and how much it may use."""

    order: CallOrder
    price: Price

    @property
    @abstractmethod
    def commit(self) -> "Future[None]":
        """The commit that is awaited before anything is sent."""

    async def durable(self) -> None:
        """Wait for the commit.

        Raises:
            DatabaseUnavailable: when it failed; stop what was begun for the call.
        """
        await shield(self.commit)

    @abstractmethod
    async def stream_headers(self) -> Sequence[Header]:
        """Return the headers of a stream, which are sent before its usage is known."""


@value
class OpenCall(RunningCall):
    """A call whose ceiling is reserved: its payer, and what the ledger opened for it."""

    payer: Payer
    funded: FundedCall
    opened: Opened

    @property
    def commit(self) -> "Future[None]":
        """The ledger's commit of the call."""
        return self.opened.commit

    @property
    def lease(self) -> Lease:
        """The ledger's lease on the call."""
        return self.opened.lease

    @property
    def total(self) -> int:
        """What its account is charged and has reserved in all, this call's ceiling included."""
        return self.opened.account.charged + self.opened.account.reserved

    async def stream_headers(self) -> Sequence[Header]:
        """Return the ceiling, and the payment method's headers for a charge that is still 0."""
        ceiling = (b"x-usufruct-ceiling", b"%d" % self.price.allowance.ceiling)
        return [ceiling, *await self.payer.response_headers(0, self.total, self.funded)]


@value
class KeptAnswer:
    """What is replayed: the bytes as the upstream sent them, without the bill, which the ledger knows.

    `usage_asked`: the caller of a stream wants the usage event. `broken`: the error under which an incomplete stream
    ended, as JSON; empty for a complete answer. `url`: the address that was called, which a receipt of the payment
    standard names; empty for answers that were kept without it.
    """

    body: bytes
    model: str
    url: str = ""
    stream: bool = False
    usage_asked: bool = False
    broken: str = ""

    def packed(self) -> bytes:
        """Write it for the ledger to keep: a line of JSON, then the bytes."""
        head = {name: getattr(self, name) for name in ("model", "url", "stream", "usage_asked", "broken")}
        return orjson.dumps(head) + b"\n" + self.body

    @classmethod
    def unpacked(cls, content: bytes) -> "KeptAnswer":
        """Read what `packed` wrote."""
        head, _, body = content.partition(b"\n")
        return cls(body=body, **orjson.loads(head))
