"""The table of what the relayer sends for passkey accounts: each row is spending, counted over 24 hours."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, Column, String, Table, delete, insert, literal_column, select, update

from usufruct.core import DAY_SECONDS, Address, Hash32, RateLimited, moment
from usufruct.store import AddressColumn, ConstraintViolated, Database, HashColumn, RollingWindow, Unit, metadata

GWEI = 10**9
_LONGEST_REASON = 300

_operations = Table(
    "relayed_operations",
    metadata,
    Column("hash", HashColumn, primary_key=True),
    Column("account", AddressColumn, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("gas", BigInteger, nullable=False),  # what it took; until its end is known, the most it can take
    Column("gwei", BigInteger, nullable=False),  # of the chain's coin, likewise; rounded up
    Column("state", String(10), nullable=False),
    Column("transaction", HashColumn),
    Column("reason", String(_LONGEST_REASON)),
)


_CREATIONS = Hash32(f"0x{1 << 160:064x}")
"""Above the name of each creation: an operation's is a hash, which starts with 12 zero bytes about never."""


def creation_hash(account: Address) -> Hash32:
    """Return what an account's creation is named here; no operation has this hash."""
    return Hash32(f"0x{account[2:]:0>64}")


class RelayState(StrEnum):
    """How an operation stands: planned or sent; its calls were made; they failed; it was never sent."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RelayLimited(RateLimited, code="relay_limited"):
    """The relayer pays no more for an account, or for all, today."""


@dataclass(frozen=True, slots=True)
class RelayBounds:
    """The most that the relayer spends in 24 hours: gas of one account, coins (in gwei) of all; and failures.

    Once creations took `creations_percent` of the coins, only accounts with money are created.
    """

    account_gas: int
    total_gwei: int
    account_failures: int = 3
    creations_percent: int = 20


@dataclass(frozen=True, slots=True)
class Relayed:
    """One operation, or the creation of an account, with what it costs."""

    hash: Hash32
    account: Address
    gas: int
    gwei: int
    state: RelayState = RelayState.PENDING
    transaction: Hash32 | None = None
    reason: str = ""


class RelayStore:
    """What was relayed, in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep it in `database`."""
        self._database = database

    async def reserve(self, planned: Relayed, bounds: RelayBounds, now: int, *, creates_unfunded: bool = False) -> bool:
        """Count the most that something can cost, unless it is counted already; tell whether it is new.

        What was cancelled may be planned again. One is counted after the other, so that no two pass a bound together.

        Raises:
            RelayLimited: when it could pass a bound; names which, and when to try again.
        """
        again = (_operations.c.hash == planned.hash, _operations.c.state == RelayState.CANCELLED)
        try:
            async with self._database.transaction() as unit:
                await self._database.wait_turn(unit, "relayed operations")
                await unit.change(delete(_operations).where(*again))
                await _check(unit, planned, bounds, _today(now))
                if creates_unfunded:
                    await _check_creations(unit, planned, bounds, _today(now))
                row = {"hash": planned.hash, "account": planned.account, "gas": planned.gas, "gwei": planned.gwei}
                await unit.change(insert(_operations).values(**row, created_at=now, state=planned.state))
        except ConstraintViolated:
            return False
        return True

    async def finish(self, ended: Relayed) -> None:
        """Note how something ended and what it cost; once only."""
        values = {
            "gas": ended.gas,
            "gwei": ended.gwei,
            "state": ended.state,
            "transaction": ended.transaction,
            "reason": ended.reason[:_LONGEST_REASON],
        }
        pending = (_operations.c.hash == ended.hash, _operations.c.state == RelayState.PENDING)
        async with self._database.transaction() as unit:
            await unit.change(update(_operations).where(*pending).values(values))

    async def find(self, hash_: Hash32) -> Relayed | None:
        """Return what is known of an operation."""
        async with self._database.snapshot() as unit:
            row = await unit.row(select(_operations).where(_operations.c.hash == hash_))
        if row is None:
            return None
        state, transaction = RelayState(row.state), row.transaction and Hash32(row.transaction)
        return Relayed(hash_, Address(row.account), row.gas, row.gwei, state, transaction, row.reason or "")

    async def spent(self, now: int) -> tuple[int, int]:
        """Return the gwei counted in the last 24 hours, and how many operations."""
        today = _today(now)
        async with self._database.snapshot() as unit:
            return await today.sum(unit, _operations.c.gwei), await today.sum(unit, literal_column("1"))


def _today(now: int) -> RollingWindow:
    return RollingWindow(_operations.c.created_at, DAY_SECONDS, now)


async def _check(unit: Unit, planned: Relayed, bounds: RelayBounds, today: RollingWindow) -> None:
    account = planned.account
    its, failed = _operations.c.account == account, _operations.c.state == RelayState.FAILED
    if wait := await today.wait_for_count(unit, bounds.account_failures, its, failed):
        raise RelayLimited(
            f"{bounds.account_failures} operations of {account} failed on the chain in 24 hours; the relayer sends the "
            f"next from {moment(today.now + wait)} on, or send it yourself",
            code="relay_failures",
            account=account,
            retry_after=wait,
        )
    if wait := await today.wait_for_sum(unit, _operations.c.gas, bounds.account_gas - planned.gas, its):
        used = await today.sum(unit, _operations.c.gas, its)
        raise RelayLimited(
            f"the relayer pays {bounds.account_gas:,} gas for one account in 24 hours, and {used:,} of it are used; "
            f"try again from {moment(today.now + wait)} on, or send the operation yourself",
            account=account,
            used=used,
            most=bounds.account_gas,
            retry_after=wait,
        )
    if wait := await today.wait_for_sum(unit, _operations.c.gwei, bounds.total_gwei - planned.gwei):
        raise RelayLimited(
            f"the relayer has spent what it may in 24 hours; try again from {moment(today.now + wait)} on, or send the "
            "operation yourself",
            code="relay_spent",
            retry_after=wait,
        )


async def _check_creations(unit: Unit, planned: Relayed, bounds: RelayBounds, today: RollingWindow) -> None:
    most = bounds.total_gwei * bounds.creations_percent // 100
    creations = _operations.c.hash < _CREATIONS
    if wait := await today.wait_for_sum(unit, _operations.c.gwei, most - planned.gwei, creations):
        raise RelayLimited(
            f"the relayer creates no more accounts without money until {moment(today.now + wait)}; send "
            f"{planned.account} some, or try again then",
            code="creations_spent",
            account=planned.account,
            retry_after=wait,
        )
