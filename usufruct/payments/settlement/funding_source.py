"""What every kind of ledger account needs from the chain: reading its money, checking its authority, settling it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from usufruct.chain import Call, Client, Header, Log, Revert
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import Account, AccountIdentity, AccountReading, Claim
from usufruct.payments.settlement.errors import ReadingUnsettled
from usufruct.payments.settlement.model import BatchKind, RefusedClaim
from usufruct.payments.settlement.payouts import Payouts

Accounts = Sequence[Account | AccountIdentity]
"""Accounts that the ledger has, or is about to open."""

Refresh = Callable[[Sequence[Account]], Awaitable[list[Account]]]
"""Read accounts from the chain again."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Readings:
    """Accounts as of one block, which `block` and `hash` name."""

    block: int
    hash: Hash32
    accounts: tuple[AccountReading, ...]


@dataclass(frozen=True, slots=True)
class SettledElsewhere:
    """Accounts of which the chain has claimed more than our records: what a batch of `kind` must catch up with.

    `misdirected`: the till paid the money out before it was known to whom.
    """

    kind: BatchKind
    token: Address
    accounts: tuple[Account, ...]
    misdirected: bool = False


class FundingSource(Protocol):
    """Where the money of one kind of account is. Each kind is one subclass; `AccountSync` chooses."""

    batch_kind: BatchKind
    """The batches that settle its charges."""

    async def observe(self, accounts: Accounts) -> Readings:
        """Read accounts from the chain, all of one block.

        Raises:
            AccountUnknown: when the configuration of one is not kept here.
        """

    async def readable(self, accounts: Sequence[Account]) -> Sequence[Account]:
        """Return the accounts that `observe` can read; it can none of an earlier contract's."""
        return accounts

    def check_authority(self, account: Account) -> str | None:
        """Check what authorized the account's charges; return what is wrong, in words, or None."""
        return None

    async def notice_seconds(self, accounts: Sequence[Account]) -> dict[Hash32, int]:
        """Return for how long before it can leave an account's money is announced to leave."""

    async def settlement_groups(self, accounts: Sequence[Account], claim_key: Address) -> list[list[Account]]:
        """Divide accounts into those whose claims can share a transaction; leave out what `claim_key` cannot settle."""

    async def settled_elsewhere(
        self, accounts: Sequence[Account], payouts: Payouts, refresh: Refresh
    ) -> list[SettledElsewhere]:
        """Return what was claimed, or burned, by transactions that our records do not have."""

    async def unpayable(self, claims: Sequence[Claim], payouts: Payouts) -> list[RefusedClaim]:
        """Return the claims with an asset that could not be paid now."""
        return []

    async def settlement_call(
        self, kind: BatchKind, token: Address, claims: Sequence[Claim], payouts: Payouts
    ) -> Call | None:
        """Return the first transaction of a batch; the same claims give the same call. None: there is nothing to do."""

    def blames_claim(self, refusal: Revert, payouts: Payouts) -> bool:
        """Tell whether one claim of a batch can be the reason of a refusal; else the whole batch is refused."""
        return True

    async def left_out(self, claims: Sequence[Claim], logs: Sequence[Log]) -> list[Claim]:
        """Return the claims that a mined batch did not settle, by the logs of its first transaction."""
        return []


async def read_at_one_block(
    client: Client, confirmations: int, read: Callable[[Header, Header], Awaitable[list[AccountReading]]]
) -> Readings:
    """Read accounts as of the block with `confirmations`, itself included.

    `read` gets that block and the newest: what makes us more careful does not wait for confirmations, which is money
    that left since, and announced withdrawals.

    Raises:
        RpcUnavailable: when the node does not answer.
        ReadingUnsettled: when blocks keep changing during the reading.
    """
    for _ in range(_TRIES):
        head = await client.head()
        number = max(0, head.number - confirmations + 1)
        block = head if number == head.number else await client.header(number)
        if block is None:
            raise ReadingUnsettled(f"the node has no block {number} now; try again", block=number)
        found = await read(block, head)
        again = await client.headers([block.number, head.number])
        if [each and each.hash for each in again] == [block.hash, head.hash]:
            return Readings(block.number, block.hash, tuple(found))
    raise ReadingUnsettled(f"blocks changed under {_TRIES} readings in a row; try again", tries=_TRIES)


def is_ahead(account: Account) -> bool:
    """Tell whether the chain has claimed more of an account than our records have split."""
    return account.reading.total_claimed > account.total_split
