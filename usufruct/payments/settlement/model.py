"""What settlement works with: policies, batches, and the parties it asks. Money in atomic units of a token."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from usufruct.chain import Client
from usufruct.chain.contracts import batch_settlement
from usufruct.chain.deployment import HORIZON_BLOCKS
from usufruct.core import Address, AssetId, Hash32
from usufruct.payments.ledger import Account, AccountKind, Ledger
from usufruct.payments.pricing import ChannelConfig, Escrow, PassTerms
from usufruct.payments.settlement.channel_policy import ChannelTerms
from usufruct.store import Database


class Payee(Protocol):
    """Knows the payee of an asset."""

    async def pay_to(self, asset: AssetId) -> Address:
        """Return the address that an asset's income goes to; raises a `UsufructError` when it has none."""


class ClosedChannels(Protocol):
    """Knows whose money is of no more use here: they asked for it back, or their key is revoked or expired."""

    async def leaving(self) -> Sequence[Hash32]:
        """Return their channels."""


class NoClosedChannels:
    """`ClosedChannels` of an installation without bearer keys."""

    async def leaving(self) -> Sequence[Hash32]:
        """Return no channel."""
        return ()


@dataclass(frozen=True, slots=True)
class SettlementContext:
    """What every part of this package shares.

    `confirmations`: how many a block needs to count (1: as soon as it is mined); give the sender the same.
    `final_blocks`: how many blocks must follow before a block is final; readings of younger ones are verified at every
    poll. `passes`: terms of pass credits, if they are taken. `first_block`: where the logs that concern us begin.
    `alone`: there is one node only, a devnet's: a shorter chain has gone back. `sweep_seconds`: an account with
    unclaimed calls is read at least so often, whatever logs a node returns.
    """

    client: Client
    escrow: Escrow
    terms: ChannelTerms
    ledger: Ledger
    database: Database
    confirmations: int = 1
    final_blocks: int = 64
    passes: PassTerms | None = None
    first_block: int = 0
    alone: bool = False
    sweep_seconds: int = 600

    @property
    def horizon_blocks(self) -> int:
        """How deep a reorganisation may be."""
        return max(HORIZON_BLOCKS, self.final_blocks)


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

    After `idle_seconds` without a call to a leaving payer (see `ClosedChannels`); after `forgotten_seconds` to
    every payer. Never less than `least`, which gas would use up. On request, `least` is the smallest part, and the
    last deposit or refund that we paid gas for must be `cooling_seconds` ago.
    """

    idle_seconds: int = 3_600
    forgotten_seconds: int = 30 * 86_400
    least: int = 10_000
    cooling_seconds: int = 86_400
    wait_seconds: float = 60.0


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
    """One claim of a batch: the receipts of `account` whose cumulative is above `start` and at most `end`."""

    claim: Hash32
    account: Hash32
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Claims that travel together; `keys` are its transactions' in the sender's outbox, in order.

    `root` is over its members' receipts in order, `count` of them; None and 0 when no receipt is new.
    """

    id: Hash32
    kind: BatchKind
    token: Address
    keys: tuple[str, ...]
    root: Hash32 | None
    count: int
    state: BatchState
    members: tuple[Member, ...]
    hash: Hash32 | None = None
    block: int | None = None


@dataclass(slots=True)
class Counters:
    """Plain numbers since this process began, for gauges and alerts."""

    claimed: int = 0
    """Claims confirmed."""
    failed: int = 0
    """Claims given up, to be claimed again."""
    reverted: int = 0
    """Transactions mined and refused although their simulation was not."""
    quarantined: int = 0
    """Claims that the chain refuses; the operator should look."""
    elsewhere: int = 0
    """Atomic units claimed by others' transactions, and split by ours."""
    misdirected: int = 0
    """Atomic units claimed elsewhere that the till had already paid out before we could say to whom."""
    burns_skipped: int = 0
    """Burns left out: the holder's credits were refunded first, and what they paid for stays unpaid."""
    deferred: int = 0
    """Parts a token refused to pay, now owed by the till."""
    capped: int = 0
    """Parts above a payee's daily cap; the till owes them until the cap allows more."""
    deposited: int = 0
    """Deposits confirmed."""
    deposits_failed: int = 0
    """Deposits that were planned and not made."""
    owed_paid: int = 0
    """Payees paid what the till owed them."""
    refunded: int = 0
    """Refunds confirmed."""
    refunds_failed: int = 0
    """Refunds that were planned and not made; the money is free again."""
    corrected: int = 0
    """Readings taken back because their block was."""
    by_reason: dict[str, int] = field(default_factory=dict)
    """Quarantined claims, by the code of the refusal."""


def on_chain(config: ChannelConfig) -> batch_settlement.ChannelConfig:
    """Write a channel's configuration as the contracts take it."""
    return batch_settlement.ChannelConfig(
        payer=config.payer,
        payer_authorizer=config.payer_authorizer,
        receiver=config.receiver,
        receiver_authorizer=config.receiver_authorizer,
        token=config.token,
        withdraw_delay=config.withdraw_delay,
        salt=bytes.fromhex(config.salt[2:]),
    )
