"""The sums of votes are kept as the votes come and go, so that a list of proposals costs the same with any number."""

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from usufruct.chain import Call, Log
from usufruct.core import Address, Hash32
from usufruct.governance.model import Proposal, Support, Tally
from usufruct.governance.proposal_store import forget_after, proposals_of, put_proposal, put_vote, tallies_of
from usufruct.store import Database, Unit, open_database
from usufruct.store.migrations.versions import r1037_proposal_tallies

GOVERNOR, OTHER = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
HASH = Hash32("0x" + "ab" * 32)


def id_of(number: int) -> Hash32:
    return Hash32(f"0x{number:064x}")


def log_of(block: int) -> Log:
    return Log(GOVERNOR, (), b"", block, HASH, HASH, 0)


def voter(number: int) -> Address:
    return Address(f"0x{number:040x}")


async def test_sums_are_those_of_the_votes_after_every_reorganisation(database: Database):
    """A list of votes is the model: votes are added to it, and those of blocks that go are taken off."""
    chosen, votes = random.Random(7), list[tuple[int, int, Support, int]]()
    for block in range(1, 60):
        async with database.transaction() as unit:
            if chosen.random() < 0.2:
                kept = max(block - chosen.randrange(1, 12), 0)
                await forget_after(unit, GOVERNOR, (), kept)
                votes = [each for each in votes if each[0] <= kept]
            for number in range(chosen.randrange(4)):
                vote = block, chosen.randrange(1, 4), chosen.choice(list(Support)), chosen.choice((0, 1, 10**30))
                values = voter(100 * block + number), vote[1], vote[2], vote[3], b""
                await put_vote(unit, GOVERNOR, values, log_of(block))
                await put_vote(unit, OTHER, values, log_of(block)) if not votes else None
                votes.append(vote)
        async with database.snapshot() as unit:
            found = await tallies_of(unit, GOVERNOR, [id_of(each) for each in (1, 2, 3)])
        for proposal in (1, 2, 3):
            model = Tally.of([(support, weight) for _, of, support, weight in votes if of == proposal])
            assert found.get(id_of(proposal), Tally()) == model
    assert votes


class CountingUnit:
    """A unit that counts statements and the rows that they return."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.statements, self.returned = 0, 0

    async def rows(self, query: Any) -> Sequence[Any]:
        found = await self._unit.rows(query)
        self.statements, self.returned = self.statements + 1, self.returned + len(found)
        return found


async def listed(database: Database) -> tuple[int, int]:
    """Read a page of proposals with their sums; return how many statements and rows it took."""
    async with database.snapshot() as unit:
        counting: Any = CountingUnit(unit)
        found = await proposals_of(counting, GOVERNOR, 0, 20)
        assert len(await tallies_of(counting, GOVERNOR, [each.id for each in found])) == len(found) == 5
    return counting.statements, counting.returned


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_list_of_proposals_reads_as_much_with_many_votes(database: Database):
    async with database.transaction() as unit:
        for number in range(1, 6):
            proposal = Proposal(id_of(number), OTHER, (Call(OTHER, b""),), b"Why", 1, 2, HASH)
            await put_proposal(unit, GOVERNOR, proposal, log_of(number))
            await put_vote(unit, GOVERNOR, (voter(number), number, 1, 10, b""), log_of(number))
    few = await listed(database)
    assert few == (3, 10)
    async with database.transaction() as unit:
        for number in range(1_000):
            await put_vote(unit, GOVERNOR, (voter(100 + number), 1 + number % 5, 1, 10, b""), log_of(9))
    assert await listed(database) == few
    async with database.snapshot() as unit:
        assert (await tallies_of(unit, GOVERNOR, [id_of(1)]))[id_of(1)] == Tally(in_favour=2_010)


def count_again(connection: Connection) -> None:
    """Run the migration that counts votes, alone: the tables of later ones are there already."""
    with Operations.context(MigrationContext.configure(connection)):
        r1037_proposal_tallies.upgrade()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_votes_from_before_the_sums_were_kept_are_counted(kind: str, databases: Any):
    database = open_database(databases.migrated(kind))
    async with database.transaction() as unit:
        for number, (support, weight) in enumerate(((0, 5), (1, 10**30), (2, 7), (1, 1))):
            await put_vote(unit, GOVERNOR, (voter(number), 1, support, weight, b""), log_of(1))
    await database.run(partial(Connection.execute, statement=text("DROP TABLE proposal_tallies")))
    await database.run(count_again)
    async with database.snapshot() as unit:
        assert await tallies_of(unit, GOVERNOR, [id_of(1)]) == {id_of(1): Tally(10**30 + 1, 5, 7)}
    await database.close()
