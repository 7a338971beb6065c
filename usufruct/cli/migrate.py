"""`usufruct migrate`: bring the database to the schema of this version."""

from usufruct import __version__
from usufruct.cli.support.command import Facts, runs
from usufruct.config import Config, show_config
from usufruct.store import migrate as migrate_schema
from usufruct.store import open_database


@runs()
async def migrate(config: Config) -> Facts:
    """Bring the database to the schema of this version; run it before the new version's gateways and workers."""
    database = open_database(config.database.url)
    try:
        await migrate_schema(database)
    finally:
        await database.close()
    return {"database": show_config(config)["database"]["url"], "schema_of_version": __version__}
