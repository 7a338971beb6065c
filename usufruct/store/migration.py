"""Bring a database to the schema this version needs.

A new database gets the tables as the packages declare them; migrations change those of an older one alike. They live in
`store/migrations/versions`, or in a package's own `migrations`: one line of history for all, from the baseline on. They
expand first and contract a release later, so that version N and N-1 run on the same database; hence a database that is
ahead is fine, one that is behind is not.
"""

from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from usufruct.store.database import Database
from usufruct.store.errors import SchemaOutdated
from usufruct.store.metadata import metadata

_FOLDER = Path(__file__).with_name("migrations")
_PACKAGES = Path(__file__).parents[1]
_LOCK = 0x7573756672756374  # "usufruct": PostgreSQL advisory locks are numbers


async def migrate(database: Database) -> None:
    """Run every migration the database lacks, in one transaction, under a lock: one process migrates, others wait.

    Raises:
        SchemaOutdated: when the database is from before the baseline.
    """
    await database.run(_upgrade)


async def ensure_current(database: Database) -> None:
    """Make sure the schema is there: migrate when embedded (SQLite), only check otherwise.

    Raises:
        SchemaOutdated: when a PostgreSQL database is behind, or any database is from before the baseline.
    """
    if database.dialect == "sqlite":
        await migrate(database)
    elif missing := await database.run(_missing):
        raise SchemaOutdated(
            f"the database lacks {len(missing)} migrations ({', '.join(missing)}); run `usufruct migrate`",
            missing=len(missing),
        )


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _missing(connection):
        upgrade(connection, "head")


def upgrade(connection: Connection, revision: str) -> None:
    """Run the migrations up to a revision; a new database gets the tables of the newest."""
    from alembic import command  # a fifth of a second to load: only for who migrates
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    folders = {str(file.parent) for file in _revisions()}
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(sorted(folders)).replace("%", "%%"))
    config.attributes["connection"] = connection
    if _current(connection) is None:
        _create_tables(connection)
        command.stamp(config, "head")
    else:
        command.upgrade(config, revision)


def _create_tables(connection: Connection) -> None:
    """Create the tables of all packages; each declares its own in modules whose names end with "store"."""
    for file in _PACKAGES.rglob("*store.py"):
        import_module(".".join(["usufruct", *file.relative_to(_PACKAGES).with_suffix("").parts]))
    metadata.create_all(connection)


def _revisions() -> list[Path]:
    """Return the file of every migration."""
    return [*(_FOLDER / "versions").glob("r[0-9]*.py"), *_PACKAGES.glob("*/migrations/r[0-9]*.py")]


def _missing(connection: Connection) -> list[str]:
    """Return the revisions the database lacks, oldest first; none when it is ahead of this version."""
    history = sorted(file.name[1:5] for file in _revisions())
    current = _current(connection)
    if current is not None and current < history[0]:
        raise SchemaOutdated(
            f"the database has revision {current}, from before the first release; set database.url to an empty one",
            revision=current,
        )
    return [revision for revision in history if current is None or current < revision]


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
