"""`usufruct migrate`: bring the database to the schema of this version."""

from usufruct import __version__
from usufruct.cli.support.output import Json, print_facts
from usufruct.cli.support.runner import run
from usufruct.config import load_config, show_config
from usufruct.store import migrate as migrate_schema
from usufruct.store import open_database


def migrate(as_json: Json = False) -> None:
    """Bring the database to the schema of this version; run it before the new version's gateways and workers."""

    async def work() -> None:
        config = load_config()
        database = open_database(config.database.url)
        try:
            await migrate_schema(database)
        finally:
            await database.close()
        facts = {"database": show_config(config)["database"]["url"], "schema_of_version": __version__}
        print_facts(facts, as_json=as_json)

    run(work)
