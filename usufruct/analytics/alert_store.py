"""The table of market alerts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, Row, String, Table, delete, func, insert, select

from usufruct.analytics.alert_model import Alert, AlertPolicy, Direction, Measure, TooManyAlerts
from usufruct.core import Address
from usufruct.store import AddressColumn, Database, metadata

alerts = Table(
    "market_alerts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", AddressColumn, nullable=False),
    Column("asset", String(120), nullable=False),
    Column("measure", String(16), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("threshold", Double, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("ix_market_alerts_person", alerts.c.person, alerts.c.created_at)


class AlertStore:
    """Alerts in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, alert: Alert, policy: AlertPolicy) -> None:
        """Write an alert.

        Raises:
            TooManyAlerts: when the person, or the installation, has as many as there may be.
        """
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, "market alerts")
            mine = select(func.count()).select_from(alerts).where(alerts.c.person == alert.person)
            counts = ((mine, policy.most_of_person), (select(func.count()).select_from(alerts), policy.most))
            for query, most in counts:
                row = await unit.row(query)
                if row is not None and row[0] >= most:
                    raise TooManyAlerts(f"there are {most} alerts, the most there may be; remove one first", most=most)
            values = {
                "id": alert.id,
                "person": alert.person,
                "asset": alert.asset,
                "measure": alert.measure.value,
                "direction": alert.direction.value,
                "threshold": alert.threshold,
                "created_at": alert.created_at,
            }
            await unit.change(insert(alerts).values(values))

    async def remove(self, person: Address, alert: str) -> bool:
        """Remove a person's alert; tell whether there was one."""
        async with self._database.transaction() as unit:
            return bool(await unit.change(delete(alerts).where(alerts.c.person == person, alerts.c.id == alert)))

    async def of(self, persons: Sequence[Address]) -> Mapping[Address, Sequence[Alert]]:
        """Return the alerts of each person, the oldest first."""
        query = select(alerts).where(alerts.c.person.in_(persons)).order_by(alerts.c.created_at, alerts.c.id)
        found: dict[Address, list[Alert]] = defaultdict(list)
        async with self._database.snapshot() as unit:
            for row in await unit.rows(query):
                found[Address(row.person)].append(_alert(row))
        return found


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        row.id,
        Address(row.person),
        row.asset,
        Measure(row.measure),
        Direction(row.direction),
        float(row.threshold),
        row.created_at,
    )
