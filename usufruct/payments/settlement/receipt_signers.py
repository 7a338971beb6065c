"""The operator's receipt keys: the one that signs now, and those that signed before it."""

from contextlib import suppress

from sqlalchemy import Column, LargeBinary, Table, insert, select

from usufruct.core import Address
from usufruct.store import AddressColumn, ConstraintViolated, Database, Stamp, metadata

receipt_signers = Table(
    "receipt_signers",
    metadata,
    Column("address", AddressColumn, primary_key=True),
    Column("mark", LargeBinary, nullable=False),  # the installation's: an address that others write in counts nothing
)


class ReceiptSigners:
    """The record of the keys that receipts of one installation are signed by."""

    def __init__(self, database: Database, stamp: Stamp, current: Address) -> None:
        """Mark each address by `stamp`; `current` signs now."""
        self._database = database
        self._stamp = stamp
        self.current = current
        self.known_earlier: frozenset[Address] = frozenset()
        """The recorded keys other than the current one, as they were read last."""

    async def record(self) -> None:
        """Note the current key, before it signs: its receipts stay the operator's when another one signs."""
        row = {"address": self.current, "mark": self._stamp.mark(self.current.encode())}
        with suppress(ConstraintViolated):  # it is there already
            async with self._database.transaction() as unit:
                await unit.change(insert(receipt_signers).values(row))

    async def earlier(self) -> frozenset[Address]:
        """Return the recorded keys other than the current one."""
        async with self._database.snapshot() as unit:
            rows = await unit.rows(select(receipt_signers))
        known = [row.address for row in rows if self._stamp.knows(row.address.encode(), bytes(row.mark))]
        self.known_earlier = frozenset(Address(each) for each in known if each != self.current)
        return self.known_earlier

    async def signed_before(self, signer: Address) -> bool:
        """Tell whether `signer` is an earlier key; the record is read again for one that was not there last time."""
        return signer in self.known_earlier or signer in await self.earlier()
