"""Migrations make of the baseline what is declared, one process migrates at a time, newer databases are left alone."""

import asyncio
from hashlib import sha256
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tests.support.recorded_schema import BASELINE, PACKAGES, make_baseline
from usufruct.store import Database, ensure_current, migrate, open_database
from usufruct.store.errors import SchemaOutdated

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
    """Return what each query of `SCHEMA` finds; SQLite keeps the text of statements, whose spaces say nothing."""
    async with database.snapshot() as unit:
        found = [await unit.rows(text(query)) for query in SCHEMA[database.dialect]]
    return [sorted((tuple(map(_plain, row)) for row in rows), key=repr) for rows in found]


def _plain(cell: object) -> object:
    return " ".join(cell.split()) if isinstance(cell, str) else cell


@both
def test_a_migrated_database_has_the_schema_of_a_new_one(kind: str, databases: Any):
    async def schema(url: str, old: bool) -> list[list[tuple[object, ...]]]:
        database = open_database(url)
        if old:
            await database.run(make_baseline)
        await migrate(database)
        found = await schema_of(database)
        await ensure_current(database)
        await database.close()
        return found

    urls = databases.empty(kind), databases.empty(kind)
    migrated, new = (asyncio.run(schema(url, old)) for url, old in zip(urls, (True, False), strict=True))
    assert len(migrated[0]) > 20
    for ours, theirs in zip(migrated, new, strict=True):
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


@pytest.mark.parametrize("revision", ["0007", "1008"])
async def test_a_database_from_before_the_baseline_is_refused(database: Database, revision: str):
    await database.run(lambda c: c.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'")))
    with pytest.raises(SchemaOutdated, match=f"revision {revision}"):
        await ensure_current(database)
    with pytest.raises(SchemaOutdated, match="empty one"):
        await migrate(database)


LANDED = {
    "baseline_schema.json": "08455ea6e3c4e238",
    "r1009_baseline.py": "ff1e06d93b211d3d",
    "r1010_owed_payees.py": "b1f180dd3f2f374c",
    "r1011_sessions.py": "4ef195357e9cd4b4",
    "r1012_service_quality.py": "c3f11d51bf391173",
    "r1013_passkeys.py": "820cfc47b253d577",
    "r1014_day_limits.py": "5e4f7b50953715bd",
    "r1015_service_index.py": "ba912942f96fb270",
    "r1016_sale_drafts.py": "ef3ab29eb70d9587",
    "r1017_reviews.py": "34a8a27b97ae33d7",
    "r1018_passkey_makers.py": "5ed4e3b2a491d32b",
    "r1019_page_revisions.py": "edec51544e7e043c",
    "r1020_share_offers.py": "be0c043edb4e88b6",
    "r1021_paused_listings.py": "ae52f1305c63ecec",
    "r1022_notifications.py": "7451ac3d42330563",
    "r1023_cached_input_tallies.py": "ddd620b58ad6bf49",
    "r1024_review_networks.py": "97bfcbd6837b57d7",
    "r1025_totals_of_all_services.py": "f7859dfd9b965f21",
    "r1026_free_samples.py": "2c3e71fccc1292e5",
    "r1027_offers_of_credits.py": "eede57f654f7a9e3",
    "r1028_pass_purchases.py": "c901388ea210d475",
    "r1029_airdrop_claims.py": "209adb170ace260a",
    "r1030_offers_of_titles.py": "477b8d98c296fcc2",
    "r1031_credit_transfers.py": "686cc2484a53e526",
    "r1032_staking_weeks.py": "c2344c22709ba75d",
    "r1033_proposals.py": "cf42c1eae7ec7fa1",
    "r1034_level_discounts.py": "dafab7ed26b42b55",
    "r1035_deals.py": "532945752642b3be",
    "r1036_configurations.py": "deff8d2905d5bfd4",
    "r1037_proposal_tallies.py": "2b25c1fcb635cd81",
    "r1038_market_keys.py": "8f421c07145a9a69",
    "r1039_configuration_entries.py": "67d56eeb93b335dc",
    "r1040_market_alerts.py": "0a02374d5a910791",
    "r1041_market_bulletins.py": "0bdbd0013ca44aae",
    "r1042_market_key_last_use.py": "097b0ebc469ebb57",
    "r1043_holdings_of_accounts.py": "4ecfc18f36ba1373",
    "r1044_calls_by_time.py": "4942900f715e631e",
}
"""The baseline and what came after it, by the first 16 hex digits of each file's SHA-256.

Until the first release the baseline itself may be edited; databases are made anew then.
"""


def test_a_migration_that_has_landed_is_never_edited():
    """Change a table by a new migration: the databases that ran the old one would not get the change."""
    there = {
        path.name: sha256(path.read_bytes()).hexdigest()[:16]
        for path in [BASELINE, *(PACKAGES / "store" / "migrations" / "versions").glob("r*.py")]
    }
    assert there == LANDED


def test_the_history_read_from_names_of_files_is_alembics():
    scripts = ScriptDirectory(str(PACKAGES / "store" / "migrations")).walk_revisions()
    files = (PACKAGES / "store" / "migrations" / "versions").glob("r[0-9]*.py")
    assert [script.revision for script in scripts][::-1] == sorted(file.name[1:5] for file in files)
