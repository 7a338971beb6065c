"""Money columns hold every amount exactly, sort as numbers do and refuse arithmetic."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from tests.support.refusal import refused
from usufruct.core import UINT256_MAX
from usufruct.store import Amount, Database, amount_from_blob, amount_to_blob, check_amount
from usufruct.store.errors import AmountOutOfRange

AMOUNTS = [0, 1, 255, 256, 10**18, 2**63 - 1, 2**63, 2**64, 2**128 - 1, 2**255, UINT256_MAX - 1, UINT256_MAX]
purse = Table("purse", MetaData(), Column("id", Integer, primary_key=True), Column("held", Amount))


@pytest.fixture
async def filled(database: Database) -> Database:
    await database.run(purse.metadata.create_all)
    async with database.transaction() as unit:
        shuffled = [*AMOUNTS[::2], *AMOUNTS[1::2]]
        await unit.change(insert(purse), [{"id": i, "held": amount} for i, amount in enumerate(shuffled)])
        await unit.change(insert(purse).values(id=99, held=None))
    return database


async def test_amounts_come_back_exactly_and_sorted(filled: Database):
    async with filled.snapshot() as unit:
        rows = await unit.rows(select(purse.c.held).where(purse.c.held.is_not(None)).order_by(purse.c.held))
    assert [row.held for row in rows] == AMOUNTS
    assert all(type(row.held) is int for row in rows)


@pytest.mark.parametrize("pivot", [0, 256, 2**64, UINT256_MAX])
async def test_comparisons_in_sql_are_those_of_the_numbers(filled: Database, pivot: int):
    async with filled.snapshot() as unit:
        for condition, expected in (
            (purse.c.held == pivot, [a for a in AMOUNTS if a == pivot]),
            (purse.c.held < pivot, [a for a in AMOUNTS if a < pivot]),
            (purse.c.held >= pivot, [a for a in AMOUNTS if a >= pivot]),
            (purse.c.held.in_([pivot, 1]), sorted({pivot, 1})),
        ):
            rows = await unit.rows(select(purse.c.held).where(condition).order_by(purse.c.held))
            assert [row.held for row in rows] == expected


async def test_null_comes_back_as_none(filled: Database):
    async with filled.snapshot() as unit:
        assert (await unit.row(select(purse.c.held).where(purse.c.id == 99))).held is None


@pytest.mark.parametrize(
    "build", [lambda c: c + 1, lambda c: 1 + c, lambda c: c * 2, lambda c: c - c, lambda c: -c, lambda c: c / 3]
)
def test_arithmetic_is_refused(build):
    with refused("amount_arithmetic", "in Python"):
        build(purse.c.held)


@pytest.mark.parametrize("value", [-1, UINT256_MAX + 1, 1.0, "1", True, None])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(AmountOutOfRange, match=r"price must be an integer from 0 to 2\*\*256 - 1"):
        check_amount(value, "price")


async def test_out_of_range_values_do_not_reach_the_database(filled: Database):
    with pytest.raises(AmountOutOfRange):
        async with filled.transaction() as unit:
            await unit.change(insert(purse).values(id=1000, held=UINT256_MAX + 1))


@pytest.mark.parametrize("amount", AMOUNTS)
def test_blobs_are_32_bytes_and_keep_the_order(amount: int):
    blob = amount_to_blob(amount)
    assert len(blob) == 32
    assert amount_from_blob(blob) == amount
    assert all((amount_to_blob(other) < blob) == (other < amount) for other in AMOUNTS)
