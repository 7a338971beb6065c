"""A call that has been let in, and the answer kept for its repetition."""

from dataclasses import dataclass

import orjson

from usufruct.accounts import BearerKey
from usufruct.core import Hash32
from usufruct.gateway.counting import Counter
from usufruct.gateway.metering import Budget
from usufruct.gateway.model import Asset
from usufruct.gateway.request import Asked
from usufruct.payments import Allowance, IdempotencyKey, Lease, PriceCard


@dataclass(frozen=True, slots=True)
class Order:
    """A request that is in order: who pays, what is asked of which asset at which price, and how much input it is."""

    key: BearerKey
    asset: Asset
    card: PriceCard
    asked: Asked
    counter: Counter
    counted_input: int
    budget: Budget
    request_hash: Hash32
    idempotency: IdempotencyKey | None


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call whose ceiling is set aside: its order, what it may use, and the ledger's lease on it."""

    order: Order
    allowance: Allowance
    lease: Lease


@dataclass(frozen=True, slots=True)
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
