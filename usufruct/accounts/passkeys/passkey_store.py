"""The table of passkeys: which account each belongs to. Public keys are kept, because a sign-in does not carry them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, Row, String, Table, func, insert, select

from usufruct.core import Address, Hash32, Unavailable
from usufruct.store import AddressColumn, Database, HashColumn, metadata

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

_DAY = 86_400


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

    async def add(self, passkey: Passkey, most_a_day: int = 20_000) -> None:
        """Store a passkey.

        Raises:
            ConstraintViolated: when its credential is known.
            Unavailable: when so many were made in 24 hours: anyone can make them.
        """
        row = {name: getattr(passkey, name) for name in passkey.__slots__}
        recent = select(func.count()).where(_passkeys.c.created_at > passkey.created_at - _DAY)
        async with self._database.transaction() as unit:
            made = await unit.row(recent)
            if made and made[0] >= most_a_day:
                message = f"{made[0]} passkeys were made here in 24 hours; try again tomorrow, or use a wallet"
                raise Unavailable(message, code="too_many_passkeys")
            await unit.change(insert(_passkeys).values(row))

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
