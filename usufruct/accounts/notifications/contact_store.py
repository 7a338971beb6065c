"""The table of how persons are reached, and what they chose to be told of."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, Row, String, Table, Text, func, insert, select, update

from usufruct.accounts.notifications.model import Contact, EventKind
from usufruct.core import Address, Unavailable
from usufruct.store import AddressColumn, Amount, Database, Unit, metadata

contacts = Table(
    "notification_contacts",
    metadata,
    Column("person", AddressColumn, primary_key=True),
    Column("events", Text, nullable=False),  # names, one a line
    Column("low_balance", Amount, nullable=False),
    Column("language", String(8), nullable=False),
    Column("site", String(300), nullable=False),
    Column("webhook_url", String(2000)),
    Column("webhook_secret", LargeBinary),  # sealed
    Column("email", String(254)),
    Column("email_confirmed_at", BigInteger),
    Column("confirm_nonce", String(64)),
    Column("confirm_until", BigInteger, nullable=False),
)


class ContactStore:
    """Contacts in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def find(self, person: Address) -> Contact | None:
        """Return how a person is reached; None for one who never said."""
        async with self._database.snapshot() as unit:
            return await contact_of(unit, person)

    async def save(self, person: Address, most: int, **changes: Any) -> None:
        """Change a person's contact, or make it.

        Raises:
            Unavailable: when there are `most` contacts, and the person has none.
        """
        async with self._database.transaction() as unit:
            if await change_contact(unit, person, **changes):
                return
            await self._database.wait_turn(unit, "notification contacts")
            if await change_contact(unit, person, **changes):  # another request made it a moment ago
                return
            row = await unit.row(select(func.count()).select_from(contacts))
            if row is not None and row[0] >= most:
                message = f"{most} persons have notifications here, the most there may be; ask the operator"
                raise Unavailable(message, code="too_many_contacts")
            await unit.change(insert(contacts).values(_new_row(person) | changes))

    async def change_if(self, person: Address, only: Mapping[str, Any], **changes: Any) -> None:
        """Change a person's contact if it still has the values `only`."""
        same = [contacts.c[name] == value for name, value in only.items()]
        async with self._database.transaction() as unit:
            await unit.change(update(contacts).where(contacts.c.person == person, *same).values(**changes))

    async def some(self, after: Address | None, limit: int) -> Sequence[Contact]:
        """Return contacts by person, a page at a time, from the one behind `after`."""
        query = select(contacts).order_by(contacts.c.person).limit(limit)
        if after is not None:
            query = query.where(contacts.c.person > after)
        async with self._database.snapshot() as unit:
            return [_contact(row) for row in await unit.rows(query)]

    async def those_of(self, persons: Sequence[Address]) -> Sequence[Contact]:
        """Return the contacts of these persons; a person without one is missing."""
        async with self._database.snapshot() as unit:
            rows = await unit.rows(select(contacts).where(contacts.c.person.in_(persons)))
        return [_contact(row) for row in rows]


async def contact_of(unit: Unit, person: Address) -> Contact | None:
    """Return how a person is reached."""
    row = await unit.row(select(contacts).where(contacts.c.person == person))
    return _contact(row) if row else None


async def change_contact(unit: Unit, person: Address, **changes: Any) -> int:
    """Change a person's contact; return 0 when there is none."""
    return await unit.change(update(contacts).where(contacts.c.person == person).values(**changes))


def events_text(events: frozenset[EventKind]) -> str:
    """Return the kinds of events as they are stored."""
    return "\n".join(sorted(events))


def _new_row(person: Address) -> dict[str, Any]:
    return {"person": person, "events": "", "low_balance": 0, "language": "en", "site": "", "confirm_until": 0}


def _contact(row: Row[Any]) -> Contact:
    plain = {column.name: getattr(row, column.name) for column in contacts.c}
    events = frozenset(EventKind(each) for each in row.events.split("\n")) if row.events else frozenset[EventKind]()
    secret = None if row.webhook_secret is None else bytes(row.webhook_secret)
    return Contact(**plain | {"person": Address(row.person), "events": events, "webhook_secret": secret})
