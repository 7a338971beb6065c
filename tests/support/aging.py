"""Make what a database holds older: its clock cannot be moved on, and a test does not wait for it."""

from sqlalchemy import text

from usufruct.store import Database, Unit

_TIMES = {
    "calls": ("opened_at", "finished_at"),
    "accounts": ("last_call_at",),
    "deposits": ("planned_at",),
    "refunds": ("planned_at",),
    "account_readings": ("event_at", "read_at"),
}


async def age(database: Database, seconds: int) -> None:
    """Move the times of calls, deposits, refunds and chain events `seconds` into the past; 0 stays "never"."""
    async with database.transaction() as unit:
        guard = await _unlock_final_calls(unit, database.dialect)
        for table, columns in _TIMES.items():
            for column in columns:
                older = f"UPDATE {table} SET {column} = {column} - :seconds WHERE {column} > 0"
                await unit.change(text(older), {"seconds": seconds})
        await unit.rows(text(guard))


async def end_leases(database: Database) -> None:
    """Let the lease of each open call end, as if its gateway had died long ago."""
    async with database.transaction() as unit:
        await unit.change(text("UPDATE calls SET lease_until = 0 WHERE state = 'open'"))


async def _unlock_final_calls(unit: Unit, dialect: str) -> str:
    """Let final calls be changed; return the statement that forbids it again."""
    if dialect == "postgresql":
        await unit.rows(text("ALTER TABLE calls DISABLE TRIGGER calls_final"))
        return "ALTER TABLE calls ENABLE TRIGGER calls_final"
    ((guard,),) = await unit.rows(text("SELECT sql FROM sqlite_master WHERE name = 'calls_final'"))
    await unit.rows(text("DROP TRIGGER calls_final"))
    return str(guard)
