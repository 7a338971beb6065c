"""The schema of the baseline as statements, recorded so that migrations can be tried on a database of that age.

Until the first release the baseline may be recorded again, by `python -m tests.support.recorded_schema`; databases are
made anew then.
"""

import json
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, create_mock_engine

import usufruct
from usufruct.store import metadata
from usufruct.store.migration import upgrade

PACKAGES = Path(usufruct.__file__).parent
for tables in PACKAGES.rglob("*store.py"):
    import_module(".".join(["usufruct", *tables.relative_to(PACKAGES).with_suffix("").parts]))

DRIVERS = {"sqlite": "sqlite://", "postgresql": "postgresql+asyncpg://"}
BASELINE = Path(__file__).with_name("baseline_schema.json")
"""For each dialect the statements that make the tables of revision 1009."""


def declared(dialect: str) -> list[str]:
    """Return the statements that make the tables as they are declared now."""
    made: list[str] = []
    engine = create_mock_engine(
        DRIVERS[dialect], lambda statement, *_: made.append(str(statement.compile(engine)).strip())
    )
    metadata.create_all(engine, checkfirst=False)
    return made


def make_baseline(connection: Connection) -> None:
    """Give an empty database what the baseline's `migrate` gave it."""
    for statement in json.loads(BASELINE.read_text())[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('1009')")


def make_aged(connection: Connection, revision: str) -> None:
    """Give an empty database what it had at a revision."""
    make_baseline(connection)
    upgrade(connection, revision)


if __name__ == "__main__":
    BASELINE.write_text(json.dumps({dialect: declared(dialect) for dialect in DRIVERS}, indent=1) + "\n")
