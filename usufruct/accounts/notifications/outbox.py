"""The outbox: events, their deliveries, and the levels that were reported and have not ended.

An event is written once for each person, kind and subject; its deliveries in the same transaction. A delivery is taken
by moving its next try behind the lease, so a process that is killed in the middle of a try leaves it to be tried again.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import count
from secrets import token_hex
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)

from usufruct.accounts.notifications.model import CHOICES, Delivery, DeliveryState, Event, EventKind, Way
from usufruct.core import Address
from usufruct.store import AddressColumn, ConstraintViolated, Database, RollingWindow, Unit, metadata, partial_index

events = Table(
    "notification_events",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", AddressColumn, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("person", "kind", "subject"),
)

deliveries = Table(
    "notification_deliveries",
    metadata,
    Column("event_id", String(40), ForeignKey("notification_events.id"), nullable=False),
    Column("way", String(8), nullable=False),
    Column("person", AddressColumn, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("target", String(254)),
    Column("error", String(300), nullable=False),
    PrimaryKeyConstraint("event_id", "way"),
)
_pending = text("state = 'pending'")
partial_index("ix_notification_deliveries_due", deliveries.c.way, deliveries.c.next_at, where=_pending)
Index("ix_notification_deliveries_person", deliveries.c.person, deliveries.c.created_at)
Index("ix_notification_deliveries_target", deliveries.c.target, deliveries.c.created_at)
Index("ix_notification_deliveries_created_at", deliveries.c.created_at)

levels = Table(
    "notification_levels",  # reported, and not ended since
    metadata,
    Column("person", AddressColumn, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    PrimaryKeyConstraint("person", "kind", "subject"),
)

_SHOWN_ERROR = 300
_NUMBERS = count()  # orders the events of one second
Level = tuple[Address, str, str]
"""A person, the kind of what was reported, and its subject."""


class Outbox:
    """Events and deliveries in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def add(self, event: Event, ways: Sequence[Way], *, level: bool = False) -> bool:
        """Write an event and its deliveries, unless it is known; tell whether it was new.

        `level`: it is also noted as reported, and known until `end_levels`.
        """
        try:
            async with self._database.transaction() as unit:
                if level:
                    key = {"person": event.person, "kind": event.kind.value, "subject": event.subject}
                    await unit.change(insert(levels).values(key))
                    event = _once_more(event)
                await add_event(unit, event, ways)
        except ConstraintViolated:
            return False
        return True

    async def levels_of(self, persons: Sequence[Address], kinds: Iterable[EventKind]) -> set[Level]:
        """Return what was reported to these persons and has not ended."""
        query = select(levels).where(levels.c.person.in_(persons), levels.c.kind.in_([each.value for each in kinds]))
        async with self._database.snapshot() as unit:
            rows = await unit.rows(query)
        return {(Address(row.person), row.kind, row.subject) for row in rows}

    async def end_levels(self, ended: Sequence[Level]) -> None:
        """Forget reported levels: when they are reached again, they are reported again."""
        async with self._database.transaction() as unit:
            for person, kind, subject in ended:
                await unit.change(delete(levels).filter_by(person=person, kind=kind, subject=subject))

    async def take(self, way: Way, now: int, lease_seconds: int, most: int) -> list[Delivery]:
        """Take deliveries that are due, the longest due first; no other process takes them until the lease is over."""
        due = _joined().where(deliveries.c.way == way, deliveries.c.state == "pending", deliveries.c.next_at <= now)
        taken: list[Delivery] = []
        async with self._database.transaction() as unit:
            for row in await unit.rows(due.order_by(deliveries.c.next_at, deliveries.c.event_id).limit(most)):
                mine = _one(row.event_id, way) & (deliveries.c.next_at == row.next_at)
                until = {"next_at": now + lease_seconds, "tries": row.tries + 1}
                if await unit.change(update(deliveries).where(mine).values(until)):
                    taken.append(_delivery(row, tries=row.tries + 1))
        return taken

    async def note(
        self,
        taken: Sequence[Delivery],
        state: DeliveryState,
        *,
        at: int,
        error: str = "",
        target: str | None = None,
        untried: bool = False,
    ) -> None:
        """Note how a try ended. `at`: when it was, or when a pending one is tried again; `untried`: it does not count.

        A delivery that was taken is noted only while it is pending.
        """
        when = {"next_at": at} if state is DeliveryState.PENDING else {"sent_at": at}
        where = {} if target is None else {"target": target}
        async with self._database.transaction() as unit:
            for each in taken:
                values = {"state": state.value, "error": error[:_SHOWN_ERROR], "tries": each.tries - untried}
                mine = _one(each.event.id, each.way) & (deliveries.c.state == "pending")
                await unit.change(update(deliveries).where(mine).values(values | when | where))

    async def send_again(self, person: Address, event: str, way: Way, now: int) -> DeliveryState | None:
        """Make a person's dead delivery pending as if it were new; return the state it had, None if there is none.

        One in another state is left as it is.
        """
        mine = _one(event, way) & (deliveries.c.person == person) & deliveries.c.kind.in_(CHOICES)
        pending = {"state": "pending", "tries": 0, "created_at": now, "next_at": now, "sent_at": None}
        async with self._database.transaction() as unit:
            if await unit.change(update(deliveries).where(mine, deliveries.c.state == "dead").values(pending)):
                return DeliveryState.DEAD
            row = await unit.row(select(deliveries.c.state).where(mine))
        return DeliveryState(row.state) if row else None

    async def latest(self, person: Address, limit: int) -> list[Delivery]:
        """Return a person's deliveries, the newest first."""
        query = _joined().where(deliveries.c.person == person)
        async with self._database.snapshot() as unit:
            newest = (deliveries.c.created_at.desc(), deliveries.c.event_id.desc(), deliveries.c.way)
            rows = await unit.rows(query.order_by(*newest).limit(limit))
        return [_delivery(row) for row in rows]

    async def count_sent(self, target: str, since: int) -> int:
        """Return how many e-mails an address was sent since then; those sent together count as one."""
        sent = (deliveries.c.target == target, deliveries.c.state == "sent", deliveries.c.sent_at >= since)
        query = select(func.count(func.distinct(deliveries.c.sent_at))).where(*sent)
        async with self._database.snapshot() as unit:
            row = await unit.row(query)
        return int(row[0]) if row else 0

    async def count_states(self) -> dict[str, int]:
        """Return how many deliveries are in each state."""
        query = select(deliveries.c.state, func.count().label("number")).group_by(deliveries.c.state)
        async with self._database.snapshot() as unit:
            return {row.state: row.number for row in await unit.rows(query)}

    async def remove_before(self, moment: int) -> None:
        """Forget events whose deliveries all were made before a moment, with them."""
        newer = deliveries.alias()
        kept = exists().where(newer.c.event_id == deliveries.c.event_id, newer.c.created_at >= moment)
        old = select(deliveries.c.event_id).where(deliveries.c.created_at < moment, ~kept).limit(1_000)
        async with self._database.transaction() as unit:
            ids = [row.event_id for row in await unit.rows(old)]
            await unit.change(delete(deliveries).where(deliveries.c.event_id.in_(ids)))
            await unit.change(delete(events).where(events.c.id.in_(ids)))


async def add_event(unit: Unit, event: Event, ways: Sequence[Way], target: str | None = None) -> None:
    """Write an event and its deliveries; raises ConstraintViolated when it is known."""
    await unit.change(insert(events).values({column.name: getattr(event, column.name) for column in events.c}))
    common: dict[str, Any] = {"event_id": event.id, "person": event.person, "kind": event.kind.value, "target": target}
    common |= {"state": "pending", "tries": 0, "created_at": event.at, "next_at": event.at, "error": ""}
    await unit.change(insert(deliveries), [common | {"way": way.value} for way in ways])


async def wait_to_ask(
    unit: Unit,
    kind: EventKind,
    most: int,
    seconds: int,
    now: int,
    *,
    person: Address | None = None,
    target: str | None = None,
) -> int:
    """Return the seconds until fewer than `most` events of a kind were made in the last `seconds`; 0 when fewer were.

    All events count, or those of a person, or those for an address.
    """
    query = select(func.min(deliveries.c.created_at).label("at")).group_by(deliveries.c.event_id)
    query = query.where(deliveries.c.kind == kind.value, deliveries.c.created_at > now - seconds)
    if person is not None:
        query = query.where(deliveries.c.person == person)
    if target is not None:
        query = query.where(deliveries.c.target == target)
    return await RollingWindow(query.subquery().c.at, seconds, now).wait_for_count(unit, most)


def new_event(person: Address, kind: EventKind, subject: str, data: dict[str, Any], now: int) -> Event:
    """Return an event under a new id; ids of one process sort in the order they were made."""
    order = next(_NUMBERS) % (1 << 32)
    id_ = f"msg_{now:010x}{order:08x}{token_hex(7)}"
    return Event(id_, person, kind, subject, json.dumps(data, separators=(",", ":")), now)


def _once_more(event: Event) -> Event:
    """Return a level's event under a subject that no earlier report of the level has."""
    return Event(event.id, event.person, event.kind, f"{event.subject}/{event.id}", event.data, event.at)


def _one(event: str, way: Way) -> Any:
    return (deliveries.c.event_id == event) & (deliveries.c.way == way.value)


def _joined() -> Select[Any]:
    joined = deliveries.join(events, events.c.id == deliveries.c.event_id)
    return select(deliveries, events.c.subject, events.c.data, events.c.at).select_from(joined)


def _delivery(row: Row[Any], tries: int | None = None) -> Delivery:
    event = Event(row.event_id, Address(row.person), EventKind(row.kind), row.subject, row.data, row.at)
    return Delivery(
        event,
        Way(row.way),
        DeliveryState(row.state),
        row.tries if tries is None else tries,
        row.created_at,
        row.next_at,
        row.error,
        row.target,
    )
