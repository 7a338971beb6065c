"""Limits over the last hour, or day: whether they are reached, and when enough of what counts is too old to count."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from usufruct.store.database import Unit


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The rows made in the `seconds` before `now`; `made_at` is the column of when each was made.

    Times are whole seconds since 1970. A row counts until it is `seconds` old.
    """

    made_at: ColumnElement[int]
    seconds: int
    now: int

    @property
    def recent(self) -> ColumnElement[bool]:
        """Tell of a row whether it counts."""
        return self.made_at > self.now - self.seconds

    async def sum(self, unit: Unit, amount: ColumnElement[int], *where: ColumnElement[bool]) -> int:
        """Return the sum of the amounts that count."""
        row = await unit.row(select(func.sum(amount)).where(self.recent, *where))
        return int(row[0] or 0) if row else 0

    async def wait_for_count(self, unit: Unit, most: int, *where: ColumnElement[bool]) -> int:
        """Return the seconds until fewer than `most` rows count; 0 when fewer do, the window's where `most` is 0."""
        if most < 1:
            return self.seconds
        newest = select(self.made_at).where(self.recent, *where).order_by(self.made_at.desc())
        row = await unit.row(newest.offset(most - 1).limit(1))
        return self._until_old(row[0]) if row else 0

    async def wait_for_sum(self, unit: Unit, amount: ColumnElement[int], most: int, *where: ColumnElement[bool]) -> int:
        """Return the seconds until the amounts that count sum to at most `most`.

        0 when they do; the window's where `most` is negative. Amounts must not be negative.
        """
        if most < 0:
            return self.seconds
        from_newest = func.sum(amount).over(order_by=self.made_at.desc())  # those of one moment together
        sums = select(self.made_at.label("at"), from_newest.label("sum")).where(self.recent, *where).subquery()
        row = await unit.row(select(func.max(sums.c.at)).where(sums.c.sum > most))
        return 0 if row is None or row[0] is None else self._until_old(row[0])

    def _until_old(self, made_at: int) -> int:
        return made_at + self.seconds - self.now
