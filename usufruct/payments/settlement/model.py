"""What settlement works with: policies, batches, and the parties it asks. Money in atomic units of a token."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from usufruct.chain import Client
from usufruct.chain.contracts import batch_settlement
from usufruct.chain.deployment import HORIZON_BLOCKS
from usufruct.core import Address, AssetId, Hash32
from usufruct.payments.ledger import Account, Ledger
from usufruct.payments.pricing import ChannelConfig, Escrow, PassTerms
from usufruct.payments.settlement.channel_policy import ChannelTerms
from usufruct.store import Database


class Payee(Protocol):
    """Knows who is paid for an asset."""

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
    """What every part of this package stands on.

    `confirmations`: a block counts from its so-manieth confirmation on (1: as soon as it is mined); give the sender
    the same. `final_blocks`: how many blocks must follow before a block is taken for good; readings of younger ones
    are checked again and again. `passes`: whose pass credits are taken here, if any are. `first_block`: where the logs
    that concern us begin. `alone`: there is one node only, a devnet's: a shorter chain has gone back.
    `sweep_seconds`: a channel with calls that are not claimed is read at least so often, whatever logs a node shows.
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

    def holds_credits(self, config: ChannelConfig) -> bool:
        """Tell whether what the ledger keeps as a channel is an account of pass credits, and no escrow."""
        return self.passes is not None and self.passes.owns(config)


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """When to claim, and how much at once.

    A channel is claimed when `threshold` is to be had, when its oldest unclaimed call is older than its withdraw delay
    divided by `delay_parts`, and at once when its payer withdraws. A batch has at most `most_rows` channels and is
    estimated at no more than `most_gas`: with the sender's margin that stays under what EIP-7825 allows a transaction.
    `wait_seconds`: how long one run waits for its transactions; the next one goes on waiting.
    """

    threshold: int = 1_000_000
    delay_parts: int = 4
    most_rows: int = 100
    most_gas: int = 13_000_000
    wait_seconds: float = 60.0
    lease_seconds: int = 120

    def urgent(self, channel: Account) -> bool:
        """Tell whether a channel is to be claimed however young its calls are."""
        return bool(channel.reading.withdraw_at) or channel.charged - channel.total_split >= self.threshold

    def overdue(self, channel: Account, age: int) -> bool:
        """Tell whether a channel is to be claimed because its oldest unclaimed call is `age` seconds old."""
        return age >= channel.reading.config.withdraw_delay // self.delay_parts


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """When unused money goes back without anyone asking.

    After `idle_seconds` without a call to a payer who is leaving (see `ClosedChannels`); after `forgotten_seconds` to
    anybody. Never less than `least`, which the gas would eat. On request, `least` is the smallest part, and the last
    deposit or refund we paid gas for must be `cooling_seconds` ago: money that goes in and out costs only us.
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


class BatchState(StrEnum):
    """Where a batch stands. `FAILED`: nothing happened. `UNDONE`: it happened, and the chain took it back."""

    PLANNED = "planned"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Member:
    """One claim of a batch: the receipts of `channel` whose cumulative is above `start` and at most `end`."""

    claim: Hash32
    channel: Hash32
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
    set_aside: int = 0
    """Rows that the chain refuses; someone should look."""
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
    """Rows set aside, by the code of the refusal."""


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
