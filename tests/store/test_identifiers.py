"""Identifier columns hold bytes, come back as the types of `core`, and sort the same on both back ends."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text

from usufruct.core import UINT128_MAX, Address, AssetId, Hash32
from usufruct.store import AddressColumn, AssetIdColumn, Database, HashColumn

ASSETS = [AssetId(0), AssetId(7), AssetId(255), AssetId(256), AssetId(1 << 64), AssetId(UINT128_MAX)]
label = Table(
    "label",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("asset", AssetIdColumn),
    Column("channel", HashColumn),
    Column("payer", AddressColumn),
)


@pytest.fixture
async def filled(database: Database) -> Database:
    await database.run(label.metadata.create_all)
    rows = [
        {
            "id": number,
            "asset": asset,
            "channel": Hash32("0x" + f"{number:02x}" * 32),
            "payer": Address("0x" + f"{number:02x}" * 20),
        }
        for number, asset in enumerate(ASSETS)
    ]
    async with database.transaction() as unit:
        await unit.change(insert(label), rows[::-1])
        await unit.change(insert(label).values(id=99))
    return database


async def test_identifiers_come_back_as_they_were_and_asset_ids_sort_as_numbers(filled: Database):
    async with filled.snapshot() as unit:
        rows = await unit.rows(select(label).where(label.c.id < 99).order_by(label.c.asset))
        none = await unit.row(select(label).where(label.c.id == 99))
    assert [row.asset for row in rows] == ASSETS
    assert [row.channel for row in rows] == ["0x" + f"{number:02x}" * 32 for number in range(len(ASSETS))]
    assert [row.payer for row in rows] == ["0x" + f"{number:02x}" * 20 for number in range(len(ASSETS))]
    assert tuple(none) == (99, None, None, None)


async def test_identifiers_are_found_by_value_and_stored_as_bytes(filled: Database):
    async with filled.snapshot() as unit:
        found = await unit.row(select(label.c.id).where(label.c.asset == ASSETS[1]))
        sizes = await unit.row(text("SELECT length(asset), length(channel), length(payer) FROM label WHERE id = 1"))
    assert found.id == 1
    assert tuple(sizes) == (16, 32, 20)
