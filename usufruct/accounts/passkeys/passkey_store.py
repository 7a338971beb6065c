"""The table of passkeys: which account each belongs to. Public keys are kept, because a sign-in does not carry them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from usufruct.core import DAY_SECONDS, Address, Conflict, Hash32, RateLimited, Unavailable, moment
from usufruct.store import AddressColumn, Database, HashColumn, RollingWindow, Unit, metadata

_passkeys = Table(
    "passkeys",
    metadata,
    Column("credential_hash", HashColumn, primary_key=True),
    Column("credential", LargeBinary, nullable=False),
    Column("signer", LargeBinary, nullable=False),
    Column("account", AddressColumn, nullable=False, index=True),
    Column("first", Boolean, nullable=False),
    Column("label", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False, index=True),
)

_makers = Table(
    "passkey_makers",
    metadata,
    Column("credential_hash", HashColumn, primary_key=True),
    Column("network", LargeBinary, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class PasskeyLimits:
    """How many passkeys there may be: anyone can make them."""

    most_a_day: int = 20_000
    most_of_network: int = 100
    """Made in 24 hours from one network: an IPv4 address, which a company may share, or the /64 of an IPv6 address."""
    most_of_account: int = 40


PASSKEY_LIMITS = PasskeyLimits()


class TooManyPasskeys(RateLimited, code="too_many_network_passkeys"):
    """As many passkeys as allowed were made from one network."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey: its credential id and Keccak-256 of it, its ERC-7913 signer, and the account it is made for.

    The account's `first` one is in its address. Whether another is a signer, only the chain knows.
    """

    credential_hash: Hash32
    credential: bytes
    signer: bytes
    account: Address
    first: bool
    label: str
    created_at: int


class PasskeyStore:
    """Passkeys in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def add(self, passkey: Passkey, network: bytes | None, limits: PasskeyLimits) -> None:
        """Store a passkey, made from a network that `network` marks (None: not known); the mark is kept for a day.

        One is counted after the other, so that no two pass a limit together.

        Raises:
            ConstraintViolated: when its credential is known.
            Conflict: when its account has as many.
            TooManyPasskeys: when as many were made from that network in 24 hours.
            Unavailable: when as many were made in all.
        """
        row = {name: getattr(passkey, name) for name in passkey.__slots__}
        forgotten = ~_today(_makers, passkey).recent
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, "passkeys")
            await unit.change(delete(_makers).where(forgotten))
            await _check(unit, passkey, network, limits)
            await unit.change(insert(_passkeys).values(row))
            if network is not None:
                made = {"credential_hash": passkey.credential_hash, "created_at": passkey.created_at}
                await unit.change(insert(_makers).values(network=network, **made))

    async def find(self, credential_hash: Hash32) -> Passkey | None:
        """Return a passkey by the hash of its credential id."""
        async with self._database.snapshot() as unit:
            row = await unit.row(select(_passkeys).where(_passkeys.c.credential_hash == credential_hash))
        return _passkey(row) if row else None

    async def list(self, account: Address) -> Sequence[Passkey]:
        """Return the passkeys made for an account, the oldest first; empty for any other address."""
        query = select(_passkeys).where(_passkeys.c.account == account)
        async with self._database.snapshot() as unit:
            rows = await unit.rows(query.order_by(_passkeys.c.created_at, _passkeys.c.credential_hash))
        return [_passkey(row) for row in rows]


async def _check(unit: Unit, passkey: Passkey, network: bytes | None, limits: PasskeyLimits) -> None:
    account = passkey.account
    row = await unit.row(select(func.count()).select_from(_passkeys).where(_passkeys.c.account == account))
    if row and row[0] >= limits.most_of_account:
        message = f"{limits.most_of_account} passkeys were made for {account} here; use one of them"
        raise Conflict(message, code="too_many_account_passkeys", account=account)
    most, from_network = limits.most_of_network, _makers.c.network == network
    if network and (wait := await _today(_makers, passkey).wait_for_count(unit, most, from_network)):
        raise TooManyPasskeys(
            f"{most} passkeys were made here from your network in 24 hours; try again from "
            f"{moment(passkey.created_at + wait)} on, or from another, or use a wallet",
            retry_after=wait,
        )
    if wait := await _today(_passkeys, passkey).wait_for_count(unit, limits.most_a_day):
        then = moment(passkey.created_at + wait)
        message = f"{limits.most_a_day} passkeys were made here in 24 hours; try again from {then} on, or use a wallet"
        raise Unavailable(message, code="too_many_passkeys", retry_after=wait)


def _today(table: Table, passkey: Passkey) -> RollingWindow:
    """Return the 24 hours before a passkey is made."""
    return RollingWindow(table.c.created_at, DAY_SECONDS, passkey.created_at)


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        Hash32(row.credential_hash),
        bytes(row.credential),
        bytes(row.signer),
        Address(row.account),
        bool(row.first),
        row.label,
        row.created_at,
    )
