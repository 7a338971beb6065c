"""A call whose ceiling is reserved, and the answer kept for its repetition."""

import orjson

from usufruct.core import value
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.payers.base import FundedCall, Payer
from usufruct.payments.ledger import Lease, Opened


@value
class OpenCall:
    """A call whose ceiling is reserved: its payer, for what, at which price, and what the ledger opened for it."""

    payer: Payer
    order: CallOrder
    price: Price
    funded: FundedCall
    opened: Opened

    @property
    def lease(self) -> Lease:
        """The ledger's lease on the call."""
        return self.opened.lease

    @property
    def total(self) -> int:
        """What its account is charged and has reserved in all, this call's ceiling included."""
        return self.opened.account.charged + self.opened.account.reserved


@value
class KeptAnswer:
    """What is replayed: the bytes as the upstream sent them, without the bill, which the ledger knows.

    `usage_asked`: the caller of a stream wants the usage event. `broken`: the error under which an incomplete stream
    ended, as JSON; empty for a complete answer.
    """

    body: bytes
    model: str
    stream: bool = False
    usage_asked: bool = False
    broken: str = ""

    def packed(self) -> bytes:
        """Write it for the ledger to keep: a line of JSON, then the bytes."""
        head = {name: getattr(self, name) for name in ("model", "stream", "usage_asked", "broken")}
        return orjson.dumps(head) + b"\n" + self.body

    @classmethod
    def unpacked(cls, content: bytes) -> "KeptAnswer":
        """Read what `packed` wrote."""
        head, _, body = content.partition(b"\n")
        return cls(body=body, **orjson.loads(head))
