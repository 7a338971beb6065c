"""The table of weeks of the VoteEscrow: a row for each event that changed one, with the week as it was after it."""

from dataclasses import dataclass, replace

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, delete, exists, insert, select, tuple_
from sqlalchemy.engine import Row

from usufruct.store import Amount, Unit, metadata

_weeks = Table(
    "staking_weeks",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("week", BigInteger, nullable=False),  # since the Unix epoch
    Column("booked", Amount, nullable=False),
    Column("divided", Amount, nullable=False),
    Column("penalties", Amount, nullable=False),
    Column("waiting", Amount, nullable=False),
    Column("weight", Amount),
    PrimaryKeyConstraint("block", "position"),
    Index("ix_staking_weeks_week", "week", "block", "position"),
)


@dataclass(frozen=True, slots=True)
class WeekEvent:
    """A week as an event left it, by the event's place on the chain.

    `booked`: revenue that came in for the week; `divided`: revenue that its stakers got, and `penalties` of early
    exits; `waiting`: what was left to divide, with what earlier weeks carried; `weight`: the total weight that it was
    divided by, None until it is. Amounts are atomic units: `penalties` of the platform token, others of the revenue
    token.
    """

    block: int
    position: int
    week: int
    booked: int = 0
    divided: int = 0
    penalties: int = 0
    waiting: int = 0
    weight: int | None = None

    def next(self, block: int, position: int, week: int) -> "WeekEvent":
        """Return the same at a later place; a new week has brought nothing yet, and what waits is carried to it."""
        later = replace(self, block=block, position=position)
        return later if week == self.week else WeekEvent(block, position, week, waiting=self.waiting)


async def last_week_event(unit: Unit) -> WeekEvent | None:
    """Return the newest event."""
    newest = select(_weeks).order_by(_weeks.c.block.desc(), _weeks.c.position.desc()).limit(1)
    row = await unit.row(newest)
    return _event(row) if row else None


async def put_week_event(unit: Unit, event: WeekEvent) -> None:
    """Store an event."""
    await unit.change(insert(_weeks).values({name: getattr(event, name) for name in WeekEvent.__slots__}))


async def weeks_before(unit: Unit, week: int | None, limit: int) -> list[WeekEvent]:
    """Return weeks as their last events left them, the newest first: those before a week, or all."""
    later = _weeks.alias()
    place, later_place = (tuple_(each.c.block, each.c.position) for each in (_weeks, later))
    query = select(_weeks).where(~exists().where(later.c.week == _weeks.c.week, later_place > place))
    if week is not None:
        query = query.where(_weeks.c.week < week)
    return [_event(row) for row in await unit.rows(query.order_by(_weeks.c.week.desc()).limit(limit))]


async def forget_weeks_after(unit: Unit, block: int) -> None:
    """Undo events in blocks after `block`."""
    await unit.change(delete(_weeks).where(_weeks.c.block > block))


def _event(row: Row[tuple[object, ...]]) -> WeekEvent:
    return WeekEvent(*(getattr(row, name) for name in WeekEvent.__slots__))
