"""Migrations and metadata say the same, one process migrates at a time, and a newer database is left alone."""

import asyncio
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

import usufruct
from usufruct.store import Database, ensure_current, metadata, migrate, open_database
from usufruct.store.errors import SchemaOutdated

PACKAGES = Path(usufruct.__file__).parent
for tables in PACKAGES.rglob("*store.py"):
    import_module(".".join(["usufruct", *tables.relative_to(PACKAGES).with_suffix("").parts]))

SCHEMA = {
    "sqlite": ["SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic_version%'"],
    "postgresql": [
        "SELECT table_name, column_name, data_type, numeric_precision, numeric_scale, character_maximum_length, "
        "is_nullable, column_default, is_identity FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name <> 'alembic_version'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'",
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    ],
}
both = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])


async def schema_of(database: Database) -> list[list[tuple[object, ...]]]:
    async with database.snapshot() as unit:
        return [
            sorted((tuple(row) for row in await unit.rows(text(query))), key=repr) for query in SCHEMA[database.dialect]
        ]


@both
def test_migrations_make_exactly_the_declared_schema(kind: str, databases: Any):
    async def schema(url: str, declared: bool) -> list[list[tuple[object, ...]]]:
        database = open_database(url)
        await (database.run(metadata.create_all) if declared else migrate(database))
        found = await schema_of(database)
        await database.close()
        return found

    urls = databases.empty(kind), databases.empty(kind)
    migrated, declared = (asyncio.run(schema(url, declared)) for url, declared in zip(urls, (False, True), strict=True))
    assert len(migrated[0]) > 20
    for ours, theirs in zip(migrated, declared, strict=True):
        assert ours == theirs


@both
def test_several_processes_may_migrate_at_once_and_again(kind: str, databases: Any):
    async def everybody(url: str) -> None:
        databases = [open_database(url) for _ in range(4)]
        await asyncio.gather(*(migrate(database) for database in databases))
        await asyncio.gather(*(ensure_current(database) for database in databases))
        for database in databases:
            await database.close()

    asyncio.run(everybody(databases.empty(kind)))


def test_an_embedded_database_is_migrated_when_opened(databases: Any):
    async def check(url: str) -> None:
        database = open_database(url)
        await ensure_current(database)
        assert any(row[1] == "calls" for row in (await schema_of(database))[0])
        await database.close()

    asyncio.run(check(databases.empty("sqlite")))


@pytest.mark.postgres
def test_a_server_that_is_behind_is_not_migrated_by_itself(databases: Any):
    async def check(url: str) -> None:
        database = open_database(url)
        with pytest.raises(SchemaOutdated, match="usufruct migrate"):
            await ensure_current(database)
        assert (await schema_of(database))[0] == []
        await migrate(database)
        await ensure_current(database)
        await database.close()

    asyncio.run(check(databases.empty("postgresql")))


async def test_a_database_ahead_of_this_version_is_served(database: Database):
    await database.run(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await ensure_current(database)
    await migrate(database)
    async with database.snapshot() as unit:
        assert (await unit.row(text("SELECT version_num FROM alembic_version")))[0] == "9999"


async def test_a_database_from_before_the_baseline_is_refused(database: Database):
    await database.run(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '0007'")))
    with pytest.raises(SchemaOutdated, match="revision 0007"):
        await ensure_current(database)
    with pytest.raises(SchemaOutdated, match="empty one"):
        await migrate(database)


LANDED = {
    "r1001_ledger.py": "9e2153765ba67431",
    "r1002_chain.py": "c5011078de6f859c",
    "r1003_keys.py": "3a4ed20ebbfa4196",
    "r1004_listings.py": "f2f4c7fb9f194a83",
    "r1005_settlement.py": "cf674ffb30f5d79b",
    "r1006_assets.py": "31c40dede7ba8160",
    "r1007_job_states.py": "55b7d427acf70456",
    "r1008_tokens.py": "b1f68bf685175698",
    "r1009_share_collections.py": "006218e5bf7a2cd0",
    "r1010_owed_payees.py": "b1f180dd3f2f374c",
}
"""The baseline and what came after it, by the first 16 hex digits of each file's SHA-256.

Until the first release the baseline itself may be edited; databases are made anew then.
"""


def test_a_migration_that_has_landed_is_never_edited():
    """Change a table by a new migration: the databases that ran the old one would not get the change."""
    there = {
        path.name: sha256(path.read_bytes()).hexdigest()[:16]
        for path in (PACKAGES / "store" / "migrations" / "versions").glob("r*.py")
    }
    assert there == LANDED


def test_the_history_read_from_names_of_files_is_alembics():
    scripts = ScriptDirectory(str(PACKAGES / "store" / "migrations")).walk_revisions()
    files = (PACKAGES / "store" / "migrations" / "versions").glob("r[0-9]*.py")
    assert [script.revision for script in scripts][::-1] == sorted(file.name[1:5] for file in files)
