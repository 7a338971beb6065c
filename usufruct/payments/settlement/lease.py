"""One at a time: a lease in the database, by the database's clock."""

import secrets

from sqlalchemy import delete, insert, or_, update

from usufruct.payments.settlement.store import leases
from usufruct.store import ConstraintViolated, Database


class Lease:
    """The right to do one named job, which lasts for some seconds after its last renewal."""

    def __init__(self, database: Database, name: str, seconds: int) -> None:
        self._database = database
        self._name = name
        self._seconds = seconds
        self._holder = secrets.token_hex(8)

    async def hold(self) -> bool:
        """Take or renew the lease; False when another process holds it."""
        now = await self._database.now()
        free = or_(leases.c.holder == self._holder, leases.c.until < now)
        mine = {"holder": self._holder, "until": now + self._seconds}
        try:
            async with self._database.transaction() as unit:
                if not await unit.change(update(leases).where(leases.c.name == self._name, free).values(mine)):
                    await unit.change(insert(leases).values(name=self._name, **mine))
        except ConstraintViolated:
            return False
        return True

    async def release(self) -> None:
        """Give the lease back, if it is ours."""
        ours = (leases.c.name == self._name, leases.c.holder == self._holder)
        async with self._database.transaction() as unit:
            await unit.change(delete(leases).where(*ours))
