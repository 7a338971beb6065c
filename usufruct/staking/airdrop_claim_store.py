"""The table of airdrop claims that the relayer sends: each row is spending, counted by UTC day and network."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Row

from usufruct.core import DAY_SECONDS, Address, Hash32, RateLimited
from usufruct.store import AddressColumn, Database, HashColumn, Unit, metadata

_claims = Table(
    "airdrop_claims",
    metadata,
    Column("airdrop", AddressColumn, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("day", BigInteger, nullable=False, index=True),  # since 1970, UTC
    Column("network", LargeBinary, nullable=False),  # a mark that differs every day
    Column("gwei", BigInteger, nullable=False),  # of the chain's coin; until its end is known, the most; rounded up
    Column("state", String(10), nullable=False),
    Column("transaction", HashColumn),
    PrimaryKeyConstraint("airdrop", "entry"),
)


class ClaimState(StrEnum):
    """How a claim stands: counted, and perhaps sent; paid; its transaction failed."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


class ClaimLimited(RateLimited, code="airdrop_claims_spent"):
    """The relayer sends no more claims today, for a network or for all."""


@dataclass(frozen=True, slots=True)
class ClaimBounds:
    """The most that the relayer does in a UTC day: claims for one network, coins (in gwei) for all."""

    network_claims: int
    daily_gwei: int


@dataclass(frozen=True, slots=True)
class RelayedClaim:
    """A claim that the relayer was asked for: `network` marks who asked, `gwei` is what it costs."""

    airdrop: Address
    entry: int
    day: int
    network: bytes
    gwei: int
    state: ClaimState = ClaimState.PENDING
    transaction: Hash32 | None = None

    @property
    def key(self) -> str:
        """Return what its transaction is sent under: one for each day that it is tried."""
        return f"airdrop/relay/{self.airdrop}/{self.entry}/{self.day}"


class AirdropClaimStore:
    """Claims in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def reserve(self, planned: RelayedClaim, bounds: ClaimBounds, now: int) -> RelayedClaim:
        """Count a claim with the most that it can cost, once; return the row that counts.

        A claim that failed on an earlier day is planned again. One is counted after the other, so that no two pass a
        bound together.

        Raises:
            ClaimLimited: when it could pass a bound, or failed today; names which, and when to try again.
        """
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, "airdrop claims")
            known = await _find(unit, planned.airdrop, planned.entry)
            if known and known.state is not ClaimState.FAILED:
                return known
            await _check(unit, planned, known, bounds, now)
            await unit.change(delete(_claims).where(_one(planned)))
            row = {"airdrop": planned.airdrop, "entry": planned.entry, "day": planned.day, "network": planned.network}
            await unit.change(insert(_claims).values(**row, gwei=planned.gwei, state=planned.state))
        return planned

    async def cancel(self, claim: RelayedClaim) -> None:
        """Take back the count of a claim that was never sent."""
        async with self._database.transaction() as unit:
            await unit.change(delete(_claims).where(_one(claim), _claims.c.state == ClaimState.PENDING))

    async def finish(self, ended: RelayedClaim) -> None:
        """Note how a claim ended and what it cost; once only."""
        values = {"gwei": ended.gwei, "state": ended.state, "transaction": ended.transaction}
        async with self._database.transaction() as unit:
            pending = _claims.c.state == ClaimState.PENDING
            await unit.change(update(_claims).where(_one(ended), pending).values(values))

    async def find(self, airdrop: Address, entry: int) -> RelayedClaim | None:
        """Return what is known of an entry's claim; None when the relayer has not been asked."""
        async with self._database.snapshot() as unit:
            return await _find(unit, airdrop, entry)

    async def pending(self) -> list[RelayedClaim]:
        """Return the claims whose end is not known."""
        async with self._database.snapshot() as unit:
            rows = await unit.rows(select(_claims).where(_claims.c.state == ClaimState.PENDING))
        return [_claim(row) for row in rows]


async def _check(unit: Unit, planned: RelayedClaim, known: RelayedClaim | None, bounds: ClaimBounds, now: int) -> None:
    today, until_tomorrow = _claims.c.day == planned.day, (planned.day + 1) * DAY_SECONDS - now
    own = await _number(unit, func.count(), today, _claims.c.network == planned.network)
    spent = await _number(unit, func.sum(_claims.c.gwei), today)
    if known and known.day == planned.day:
        raise ClaimLimited(
            f"the claim of entry {planned.entry} failed on the chain today; try again tomorrow, or send it yourself",
            code="airdrop_claim_failed",
            transaction=known.transaction,
            retry_after=until_tomorrow,
        )
    if own >= bounds.network_claims:
        raise ClaimLimited(
            f"{own} claims came from your network today, and that is the most; try again tomorrow (UTC), from another "
            "network, or send the claim yourself",
            code="airdrop_network_limit",
            most=bounds.network_claims,
            retry_after=until_tomorrow,
        )
    if spent + planned.gwei > bounds.daily_gwei:
        raise ClaimLimited(
            "the relayer has spent what it may on claims today; try again tomorrow (UTC), or send the claim yourself",
            retry_after=until_tomorrow,
        )


async def _number(unit: Unit, wanted: ColumnElement[int], *where: ColumnElement[bool]) -> int:
    row = await unit.row(select(wanted).select_from(_claims).where(*where))
    return int(row[0] or 0) if row else 0


async def _find(unit: Unit, airdrop: Address, entry: int) -> RelayedClaim | None:
    where = (_claims.c.airdrop == airdrop, _claims.c.entry == entry)
    row = await unit.row(select(_claims).where(*where))
    return None if row is None else _claim(row)


def _one(claim: RelayedClaim) -> ColumnElement[bool]:
    return and_(_claims.c.airdrop == claim.airdrop, _claims.c.entry == claim.entry)


def _claim(row: Row[Any]) -> RelayedClaim:
    return RelayedClaim(
        Address(row.airdrop),
        row.entry,
        row.day,
        bytes(row.network),
        row.gwei,
        ClaimState(row.state),
        row.transaction and Hash32(row.transaction),
    )
