"""What settlement works with: policies, batches, and whom it asks for payees. Money in atomic units of a token."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Protocol

from usufruct.chain import Client
from usufruct.chain.contracts import batch_settlement
from usufruct.core import Address, AssetId, Hash32, UsufructError
from usufruct.payments.ledger import Account, AccountKind, Claim, Ledger
from usufruct.payments.pricing import ChannelConfig, Escrow, PassTerms
from usufruct.payments.settlement.metrics import Counters
from usufruct.payments.settlement.operator_terms import ChannelTerms
from usufruct.store import Database


class Payee(Protocol):
    """Knows the payee of an asset."""

    async def pay_to(self, asset: AssetId) -> Address:
        """Return the address that an asset's income goes to; raises a `UsufructError` when it has none."""


@dataclass(frozen=True, slots=True)
class SettlementContext:
    """What every part of this package shares.

    `confirmations`: how many a block needs to count (1: as soon as it is mined); give the sender the same.
    `final_blocks`: how many blocks must follow before a block is final; readings of younger ones are verified at every
    poll. `first_block`: where the logs that concern us begin. `alone`: there is one node only, a devnet's: a shorter
    chain has gone back. `sweep_seconds`: an account with unclaimed calls is read at least so often, whatever logs a
    node returns.
    """

    client: Client
    escrow: Escrow
    terms: ChannelTerms
    passes: PassTerms
    ledger: Ledger
    database: Database
    confirmations: int = 1
    final_blocks: int = 64
    first_block: int = 0
    alone: bool = False
    sweep_seconds: int = 600
    counters: Counters = field(default_factory=Counters)


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """When to claim, and how much at once.

    An account is claimed when `threshold` is unclaimed, when its oldest unclaimed call is older than its notice
    divided by `delay_parts`, and at once when its money is leaving. A batch has at most `most_rows` accounts and is
    estimated at no more than `most_gas`: with the sender's margin that stays under EIP-7825's limit of a transaction.
    `wait_seconds`: how long one run waits for its transactions; the next run continues.
    """

    threshold: int = 1_000_000
    delay_parts: int = 4
    most_rows: int = 100
    most_gas: int = 13_000_000
    wait_seconds: float = 60.0
    lease_seconds: int = 120

    def due(self, account: Account, age: int, notice_seconds: int) -> bool:
        """Tell whether to claim from an account whose oldest unclaimed call was metered `age` seconds ago.

        `notice_seconds`: how long before its money can leave a withdrawal is announced.
        """
        urgent = bool(account.reading.withdraw_at) or account.charged - account.total_split >= self.threshold
        return urgent or age >= notice_seconds // self.delay_parts


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """When unused money goes back without anyone asking.

    After `idle_seconds` without a call to a leaving payer, who asked for it or whose key is revoked or expired; after
    `forgotten_seconds` to every payer. Never less than `least`, which gas would use up. On request, `least` is the
    smallest part, and the last deposit or refund that we paid gas for must be `cooling_seconds` ago.
    """

    idle_seconds: int = 3_600
    forgotten_seconds: int = 30 * 86_400
    least: int = 10_000
    cooling_seconds: int = 86_400
    wait_seconds: float = 60.0
    arrival_seconds: int = 600
    """How long a refund that was asked for takes at most while everything works."""


class BatchKind(StrEnum):
    """What a batch does: claim and split; split what was claimed elsewhere; note what is paid already; burn credits."""

    CLAIM = "claim"
    SPLIT = "split"
    NOTED = "noted"
    BURN = "burn"

    @property
    def source(self) -> AccountKind:
        """The kind of accounts whose funding source builds the batch's first transaction."""
        return AccountKind.PASS_CREDITS if self is BatchKind.BURN else AccountKind.ESCROW_CHANNEL


class BatchState(StrEnum):
    """State of a batch. `FAILED`: nothing happened. `UNDONE`: it happened, and the chain took it back."""

    PLANNED = "planned"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Member:
    """One claim of a batch: the receipts of its account whose cumulative is above `start` and at most `end`."""

    claim_id: Hash32
    account_id: Hash32
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RefusedClaim:
    """A claim that cannot be sent now, and why; `unpayable` are the assets of it that the till would not pay."""

    claim: Claim
    reason: UsufructError
    unpayable: frozenset[AssetId] = frozenset()


@dataclass(frozen=True, slots=True)
class Batch:
    """Claims that travel together; `split_key` names the transaction of a split in the sender's outbox.

    `root` is over its members' receipts in order, `receipts` of them; None and 0 when no receipt is new.
    """

    id: Hash32
    kind: BatchKind
    token: Address
    split_key: str | None
    root: Hash32 | None
    receipts: int
    state: BatchState
    members: tuple[Member, ...]
    hash: Hash32 | None = None
    block: int | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its transactions in the sender's outbox, in the order they are sent in."""
        if self.kind is BatchKind.CLAIM:
            return (f"claim/{self.id}",)
        first = (f"burn/{self.id}",) if self.kind is BatchKind.BURN else (self.split_key,) if self.split_key else ()
        return (*first, f"anchor/{self.id}") if self.receipts else first


def members_of(claims: Sequence[Claim]) -> tuple[Member, ...]:
    """Return claims as members of a batch."""
    return tuple(Member(claim.id, claim.account, claim.split_from, claim.cumulative) for claim in claims)


def on_chain(config: ChannelConfig) -> batch_settlement.ChannelConfig:
    """Write a channel's configuration as the contracts take it."""
    return batch_settlement.ChannelConfig(**asdict(config) | {"salt": bytes.fromhex(config.salt[2:])})
